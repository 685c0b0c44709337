"""Nothing of one submission reaches another, and none reaches out, with the guard in the interpreter gone."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from diffkit.errors import InputError
from diffkit.grading.classes.grader import Grader
from diffkit.grading.classes.submissions import Submission
from diffkit.grading.exercises.assignment import load_assignment
from diffkit.grading.exercises.limits import Limits
from diffkit.grading.inside.system_calls import can_filter
from diffkit.grading.wall.isolation import Isolation
from diffkit.grading.wall.sandbox import why_no_bubblewrap, why_no_users
from diffkit.grading.wall.walls import SANDBOXES, chosen_wall, walls
from tests.grading.honest import submission, write_assignment
from tests.grading.wall.breaches import ACTIONS, FRAMES, LEFT, MEMORY, OBJECTS, WITHOUT_GUARD

pytestmark = pytest.mark.skipif(
    not can_filter() or platform.machine() != "x86_64", reason="the numbers of system calls are x86-64's"
)

MODES = [
    pytest.param(mode, marks=pytest.mark.skipif(bool(why), reason=why))
    for mode, why in (("bubblewrap", why_no_bubblewrap()), ("user", why_no_users()), ("off", ""))
]
LIBRARY = [p for p in sys.path if p.endswith("lib-dynload")]
PRELUDE = WITHOUT_GUARD.replace("__PATHS__", repr(LIBRARY))


@pytest.fixture(scope="module", params=MODES)
def isolation(request):
    with Isolation(Limits(wall_time=10.0), request.param) as isolation:
        yield isolation


def test_there_are_many() -> None:
    assert len(ACTIONS) + len(LEFT) >= 60


def test_the_guard_is_out_of_the_way(isolation) -> None:
    """So that what follows is about the walls behind it."""
    run = isolation.run(
        PRELUDE + "import ctypes\nprint(ctypes.CDLL(None).getpid() == os.getpid())\n", "a.py", []
    )
    assert (run.load_failure, run.printed) == (None, "True\n")


@pytest.mark.parametrize("name", ACTIONS)
def test_without_the_guard_it_is_refused(isolation, name) -> None:
    action = textwrap.indent(ACTIONS[name].strip(), "    ")
    code = (
        f"{PRELUDE}\ntry:\n{action}\n    print('ESCAPED')\nexcept BaseException as error:\n    print(error)\n"
    )
    run = isolation.run(code, "a.py", [])
    assert "ESCAPED" not in run.printed, run
    assert run.load_failure is None or run.load_failure.kind in ("Ended", "TimeLimit"), run
    after = isolation.run("print('here')", "a.py", [])
    assert (after.load_failure, after.printed) == (None, "here\n")


@pytest.mark.parametrize("name", LEFT)
def test_what_one_leaves_the_next_does_not_find(isolation, name) -> None:
    leave, found = LEFT[name]
    isolation.run(f"{PRELUDE}\ntry:\n    {leave}\nexcept BaseException: pass\n", "a.py", [])
    look = f"try:\n    print(bool({found}))\nexcept BaseException: print(False)\n"
    assert isolation.run(PRELUDE + look, "b.py", []).printed == "False\n"


def test_each_has_a_user_of_its_own(isolation) -> None:
    seen = [isolation.run("import os; print(os.getuid())", "a.py", []).printed for _ in range(5)]
    assert len(set(seen)) == (5 if isolation.wall.own_users else 1)


def test_one_process_is_all_of_a_submission(isolation) -> None:
    """So a limit on the process is a limit on the submission: threads share it."""
    code = """
import threading
hog = []
def take():
    for _ in range(8): hog.append(bytearray(1 << 26))
threads = [threading.Thread(target=take) for _ in range(8)]
for t in threads: t.start()
for t in threads: t.join()
"""
    before = isolation.limits
    isolation.limits = Limits(wall_time=10.0, memory=1 << 30)
    run = isolation.run(
        f"import sys\nsys.stderr = open('errors', 'w')\n{code}print(len(hog) < 16)\n", "a.py", []
    )
    isolation.limits = before
    assert run.printed == "True\n" or run.load_failure is not None


# -- the class ---------------------------------------------------------------------------------------------

MARK = "the mark in a victim's code"


@pytest.fixture(scope="module", params=MODES)
def grader(request, tmp_path_factory):
    path = write_assignment(tmp_path_factory.mktemp("course"), "multiply", "tanh")
    grader = Grader(load_assignment(path), 3, sets=1, sandbox=request.param)
    yield grader
    grader.close()


def grade(grader, student: str, code: str):
    return grader.grade(Submission(student, Path(f"{student}.py"), code))


@pytest.mark.parametrize("attack", [FRAMES, OBJECTS, MEMORY], ids=["frames", "objects", "memory"])
def test_a_thief_finds_nothing_of_who_came_before(grader, attack) -> None:
    victim = submission("multiply", "tanh") + f"\nSECRET = '''{MARK}''' * 1000\nprint(SECRET)\n"
    assert grade(grader, "ann", victim).score == 4.0
    halves = f"MARK = {MARK[:9]!r} + {MARK[9:]!r}\n"
    thief = f"import numpy as np\n{halves}{attack.replace('__OWN__', '3')}"
    record = grade(grader, "bob", thief)
    assert (record.score, "STOLEN" in record.printed) == (0.0, False), record.printed


CHANGES = "g[...] = 0.0; x[...] = 0.0\n    "
HIDES = {
    "nothing": "",
    "the function that compared": """
import sys
f = sys._getframe()
while f is not None:
    for name in ("_differs", "_changed", "changed"):
        f.f_globals[name] = lambda *a: False
    f = f.f_back
""",
    "what is in the answer": """
import sys
f = sys._getframe()
while f is not None:
    if "StepResult" in f.f_globals:
        kind = f.f_globals["StepResult"]
        f.f_globals["StepResult"] = lambda *parts: kind(*parts[:3], ())
    f = f.f_back
for module in list(sys.modules.values()):
    if hasattr(module, "StepResult"):
        kind = module.StepResult
        module.StepResult = lambda *parts, kind=kind, **more: kind(*parts[:3], ())
""",
    "that anything is equal": """
import builtins
builtins.any = lambda *a: False
builtins.map = lambda *a: iter(())
""",
}


@pytest.mark.parametrize("how", HIDES)
def test_that_inputs_are_changed_cannot_be_hidden_inside(grader, how) -> None:
    rule = "d = g * (1 - ans**2)\n    " + CHANGES + "return d"
    record = grade(grader, "ann", HIDES[how] + submission("multiply", tanh=rule))
    tanh = record.exercises[1]
    assert not tanh.passed
    assert tanh.score < 2.0


# -- which wall is taken -------------------------------------------------------------------------------------


def outcome(*command: str, code: str) -> str:
    done = subprocess.run(
        [*command, sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


RUN = """
from diffkit.grading.wall.isolation import Isolation
with Isolation() as isolation:
    print(isolation.in_force)
    print(isolation.run("print('it runs')", "a.py", []).printed)
"""


@pytest.mark.skipif(os.geteuid() != 0 or bool(why_no_bubblewrap()), reason="it takes root, and bubblewrap")
def test_root_without_its_powers_still_grades() -> None:
    """The wall that bubblewrap makes with them can't stand; the next one does, and says why."""
    said = outcome("setpriv", "--bounding-set", "-sys_admin", "--inh-caps", "-sys_admin", code=RUN)
    assert "it runs" in said


def test_without_bubblewrap_the_next_wall_is_taken_and_says_so(monkeypatch) -> None:
    said = outcome("env", "PATH=/nowhere", code=RUN)
    assert "it runs" in said
    assert "no higher wall here: bubblewrap" in said
    assert "it is not installed" in said
    if why_no_users():
        assert said.startswith("GUARD ONLY")
        assert why_no_users() in said


def test_who_asks_for_a_wall_gets_that_or_none() -> None:
    for wall in walls():
        assert wall.name in SANDBOXES
    assert chosen_wall("off").higher == ""
    for name, why in (("bubblewrap", why_no_bubblewrap()), ("user", why_no_users())):
        if why:
            with pytest.raises(InputError, match="can't be had here"):
                chosen_wall(name)
        else:
            assert chosen_wall(name).name == name
