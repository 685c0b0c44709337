"""The course team's file, right and wrong."""

from __future__ import annotations

import sys
import types

import pytest

from diffkit.errors import InputError
from diffkit.grading.exercises.assignment import load_assignment
from diffkit.grading.exercises.limits import Limits

HEAD = '''"""Homework 3: derivative rules.

More."""
from diffkit.grading import Case, Exercise, Limits, catalogue, draws
'''
TWO = "exercises = [catalogue.exercise('sin', points=2), catalogue.exercise('exp')]\n"


def load(tmp_path, text: str):
    path = tmp_path / "homework.py"
    path.write_text(text)
    return load_assignment(path)


def test_takes_title_exercises_and_settings(tmp_path) -> None:
    text = HEAD + TWO + "limits = Limits(wall_time=3.0)\nseed = 7\npackages = ['scipy']\n"
    found = load(tmp_path, text)
    assert found.title == "Homework 3: derivative rules"
    assert [e.name for e in found.exercises] == ["sin", "exp"]
    assert (found.points, found.limits, found.seed) == (3.0, Limits(wall_time=3.0), 7)
    assert found.packages == ("scipy",)
    assert found.digest != load(tmp_path, text + "\n").digest


def test_without_a_docstring_the_file_names_it(tmp_path) -> None:
    assert load(tmp_path, HEAD.partition("\n\n")[2].partition('"""\n')[2] + TWO).title == "homework"


def test_only_some_exercises_in_the_assignments_order(tmp_path) -> None:
    found = load(tmp_path, HEAD + TWO)
    assert [e.name for e in found.only(("exp", "sin")).exercises] == ["sin", "exp"]
    with pytest.raises(InputError, match="no exercise 'tan'; there are sin, exp"):
        found.only(("tan",))


def test_modules_beside_it_can_be_imported(tmp_path) -> None:
    (tmp_path / "functions_beside.py").write_text("def cube(x):\n    return x**3\n")
    text = HEAD + "from functions_beside import cube\n"
    text += "exercises = [Exercise(cube, [Case('a', draws.normal('n'))])]\n"
    assert load(tmp_path, text).exercises[0].name == "cube"


def test_its_modules_are_the_files_beside_and_below_it(tmp_path, monkeypatch) -> None:
    (tmp_path / "functions_of_mine.py").write_text("def cube(x):\n    return x**3\n")
    (tmp_path / "shared_of_mine").mkdir()
    (tmp_path / "shared_of_mine" / "__init__.py").write_text("POINTS = 2\n")
    monkeypatch.chdir(tmp_path)
    for name, file in (("never_there", "never_there.py"), ("elsewhere", __file__)):
        module = types.ModuleType(name)
        module.__file__ = file
        monkeypatch.setitem(sys.modules, name, module)
    found = load(tmp_path, HEAD + "import functions_of_mine, shared_of_mine\n" + TWO)
    assert [m.relative_to(tmp_path.resolve()).as_posix() for m in found.modules] == [
        "functions_of_mine.py",
        "shared_of_mine/__init__.py",
    ]


def test_dataclasses_work_in_it(tmp_path) -> None:
    text = "from __future__ import annotations\nfrom dataclasses import dataclass\n"
    text += HEAD.partition('"""\n')[2] + "@dataclass\nclass A:\n    x: int\n" + TWO
    assert len(load(tmp_path, text).exercises) == 2


BAD = {
    "x = 1 / 0": r"homework.py fails \(line 1\): ZeroDivisionError: division by zero",
    "x = (": r"homework.py fails \(line 1\): SyntaxError",
    "import sys\nsys.exit()": r"homework.py fails \(line 2\): SystemExit",
    "": "needs a list `exercises",
    "exercises = []": "with at least one exercise",
    "exercises = 3": "needs a list",
    "exercises = [3]": "holds 3, which is no Exercise",
    HEAD + TWO + "limits = 3": "`limits` of homework.py is a diffkit.grading.Limits",
    HEAD + TWO + "seed = -1": "`seed` of homework.py is an integer from 0 on, not -1",
    HEAD + TWO + "seed = True": "not True",
    HEAD + TWO + "packages = ['no_such_package']": "which is not installed here",
    HEAD + TWO + "packages = ['os; x']": "which is not installed here",
    HEAD + "exercises = [catalogue.exercise('sin')] * 2": "several exercises called sin",
}


@pytest.mark.parametrize("text", BAD, ids=range(len(BAD)))
def test_says_what_is_wrong(tmp_path, text) -> None:
    with pytest.raises(InputError, match=BAD[text]) as caught:
        load(tmp_path, text)
    assert "\n" not in str(caught.value)


def test_no_file_and_no_text(tmp_path) -> None:
    with pytest.raises(InputError, match=r"can't read the assignment .*: no such file"):
        load_assignment(tmp_path / "none.py")
    (tmp_path / "a.py").write_bytes(b"\xff")
    with pytest.raises(InputError, match="it is not UTF-8 text"):
        load_assignment(tmp_path / "a.py")


@pytest.mark.parametrize(
    ("case", "place"),
    [
        (
            "Case('a', draws.normal('n'), opt={'act': abs})",
            "opt['act'] is of type builtin_function_or_method",
        ),
        ("Case('a', draws.normal('n'), opt=[{1}])", "opt[0] is of type set"),
        ("Case('a', draws.constant({'pad': object()}), draws.normal('n'))", "x['pad'] is of type object"),
    ],
)
def test_what_submissions_can_not_be_handed_is_the_teams_error_when_it_is_loaded(
    tmp_path, case, place
) -> None:
    f = "def f(x, opt=None, y=0):\n    return x\n"
    with pytest.raises(InputError, match="of f can't be handed to submissions") as error:
        load(tmp_path, HEAD + f + f"exercises = [Exercise(f, [{case}])]\n")
    assert place in str(error.value)


def test_dicts_lists_slices_and_scalars_are_handed_over(tmp_path) -> None:
    f = "import numpy as np\ndef f(x, opt=None):\n    return x\n"
    case = "Case('a', draws.normal('n'), opt={'at': [slice(0, 2), ..., np.ones(2)], 'n': np.int64(1)})"
    assert load(tmp_path, HEAD + f + f"exercises = [Exercise(f, [{case}])]\n").exercises
