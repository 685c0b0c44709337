"""How an exercise is entered in the catalogue, and the ladders that many of them share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from diffkit.grading.draws import Draw, scaled
from diffkit.grading.exercises.exercise import Case, Exercise

ENTRIES: dict[str, Exercise] = {}
"""The exercises by name."""

ByAxes = Callable[[str], Draw]


def enter(function: Callable[..., Any], ladder: Sequence[Case], name: str = "", **fields: Any) -> None:
    """Enters an exercise. Its summary is the first line of the forward function's docstring."""
    summary = (function.__doc__ or "").strip().splitlines()[0]
    made = Exercise(function, ladder, name or function.__name__, summary=summary, **fields)
    ENTRIES[made.name] = made


def unary(draw: ByAxes, *more: Case, large: float | None = 1e6, tiny: float | None = 1e-6) -> list[Case]:
    """The ladder of a function of one array, elementwise. ``draw`` makes a draw of axes."""
    cases = [
        Case("ordinary", draw("n")),
        Case("rectangular", draw("nm")),
        Case("three axes", draw("nmk")),
        Case("0-d", draw("")),
        Case("empty", draw("0")),
    ]
    if large:
        cases.append(Case("large", scaled(draw("n"), large)))
    if tiny:
        cases.append(Case("tiny", scaled(draw("n"), tiny)))
    return cases + list(more)


def binary(
    x: ByAxes, y: ByAxes, *more: Case, large: float | None = 1e6, tiny: float | None = 1e-6
) -> list[Case]:
    """The ladder of a function of two arrays, elementwise and with broadcasting."""
    cases = [
        Case("ordinary", x("n"), y("n")),
        Case("square", x("nn"), y("nn")),
        Case("rectangular", x("nm"), y("nm")),
        Case("0-d", x(""), y("")),
        Case("broadcast in y", x("nm"), y("m")),
        Case("broadcast in x", x("m"), y("nm")),
        Case("column in y", x("nm"), y("n1")),
        Case("row and column", x("n1"), y("1m")),
        Case("0-d y", x("nm"), y("")),
        Case("0-d x", x(""), y("nm")),
        Case("empty", x("0"), y("0")),
    ]
    if large:
        cases.append(Case("large", scaled(x("n"), large), scaled(y("n"), large)))
    if tiny:
        cases.append(Case("tiny", scaled(x("n"), tiny), scaled(y("n"), tiny)))
    return cases + list(more)
