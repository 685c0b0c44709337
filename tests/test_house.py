"""The house's rules hold, and what weighs them finds what breaks them; CONTRIBUTING says what they are."""

from __future__ import annotations

import ast
import importlib.util
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

HOUSE = Path(__file__).with_name("house.py")


@pytest.fixture(scope="module")
def house() -> ModuleType:
    spec = importlib.util.spec_from_file_location("house", HOUSE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def imports(house: ModuleType) -> dict[str, set[str]]:
    pytest.importorskip("grimp", reason="the graph of imports is read by grimp, which the extra lint brings")
    return house.imports()


def test_no_imports_go_round(house: ModuleType, imports: dict[str, set[str]]) -> None:
    assert len(imports) > 300
    assert house.loops(imports) == []


def test_no_arrow_in_a_room_runs_up(house: ModuleType, imports: dict[str, set[str]]) -> None:
    rooms = house.rooms(imports)
    assert {"diffkit", "diffkit.autodiff", "diffkit.autodiff.core", "diffkit.grading.inside"} <= set(rooms)
    assert {room: up for room, inside in rooms.items() if (up := house.running_up(inside))} == {}


def test_an_import_under_type_checking_counts_and_so_does_one_in_a_function(
    house: ModuleType, imports: dict[str, set[str]]
) -> None:
    assert "diffkit.autodiff.to_sympy" in imports["diffkit.autodiff.views"]  # inside a method
    self_test = imports["diffkit.grading.self_test.self_test"]  # under TYPE_CHECKING
    assert "diffkit.grading.exercises.assignment" in self_test


def test_every_public_name_says_what_it_takes_returns_and_refuses(house: ModuleType) -> None:
    names = list(house.public_names())
    assert len(names) > 100
    assert {name: missing for name, value in names if (missing := house.what_is_missing(value))} == {}


# -- what breaks a rule is found -------------------------------------------------------------------------


def test_a_loop_is_found_and_so_is_an_arrow_that_runs_up(house: ModuleType) -> None:
    # a.low and b.top are no loop of files, but the folders a and b lead to one another.
    arrows = {
        "p.a.low": {"p.b.low"},
        "p.b.low": set(),
        "p.b.top": {"p.a.low"},
        "p.c": {"p.d"},
        "p.d": {"p.c"},
    }
    assert house.loops(arrows) == [["p.c", "p.d"]]
    assert house.running_up(house.rooms(arrows)["p"]) == [("a", "b"), ("b", "a"), ("c", "d"), ("d", "c")]


def _complete(x: float, *more: float) -> float:
    """Something.

    Args:
        x: a number.
        *more: numbers.

    Returns:
        A number.

    Raises:
        InputError: for a negative x.

    >>> 1 + 1
    2
    """
    return x + sum(more)


class _Complete:
    """Something.

    Attributes:
        x: a number.

    >>> 1 + 1
    2
    """


@pytest.mark.parametrize(
    ("value", "line", "missing"),
    [
        (_complete, "Args:", ["Args"]),
        (_complete, "        x: a number.", ["Args of x"]),
        (_complete, "        *more: numbers.", ["Args of more"]),
        (_complete, "Returns:", ["Returns"]),
        (_complete, "Raises:", ["Raises"]),
        (_complete, ">>> 1 + 1", ["an example that runs"]),
        (_Complete, "Attributes:", ["Args or Attributes"]),
        (_Complete, ">>> 1 + 1", ["an example that runs"]),
    ],
)
def test_what_a_docstring_lacks_is_told(
    house: ModuleType, value: Any, line: str, missing: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert house.what_is_missing(value) == []
    assert line in value.__doc__
    monkeypatch.setattr(value, "__doc__", value.__doc__.replace(line, ""))
    assert house.what_is_missing(value) == missing


def test_lines_of_code_are_those_that_hold_code(house: ModuleType) -> None:
    assert house.code_lines('"""A module."""\n\n# why\nx = (\n    1,\n)\n\n\ndef f():\n    """It."""\n') == 4


def test_parameters_of_any_are_counted(house: ModuleType) -> None:
    assert house.any_share(["def f(self, a: Any, b: int, *, c: Any = 1): ...\n"]) == (2, 3)


def test_names_are_listed_only_where_other_modules_names_are_handed_on(house: ModuleType) -> None:
    for file, text in house.sources().items():
        tree = ast.parse(text)
        listed = re.search(r"^__all__(?:: list\[str\])? = (\[[^\]]*\])", text, re.M)
        if listed and file.name != "__init__.py" and "def __dir__" not in text:
            imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
            imported = {name.asname or name.name for node in imports for name in node.names}
            assert imported & set(ast.literal_eval(listed[1])), file


def test_no_more_than_a_quarter_of_autodiffs_parameters_may_be_anything(house: ModuleType) -> None:
    texts = [text for file, text in house.sources().items() if "autodiff" in file.parts]
    of_any, count = house.any_share(texts)
    assert count > 2500
    assert of_any <= count / 4
