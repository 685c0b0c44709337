"""Whole engines: a student's Value class, grad or backward_pass, run on programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from diffkit.errors import InputError
from diffkit.grading.catalogue.entries import ENTRIES
from diffkit.grading.draws import between, normal
from diffkit.grading.exercises.exercise import Case, Exercise
from diffkit.grading.inside.programs_for_engines import METHODS, PROGRAMS


def run(x: Any, y: Any, program: str) -> Any:
    """A program of + - * / and powers, or one of what some engines have besides."""
    return (PROGRAMS | METHODS)[program](x, y)


def engine(name: str = "Value", methods: Sequence[str] = (), **changes: Any) -> Exercise:
    """The exercise of a whole engine: a class with ``data``, ``grad``, operators and ``backward()``.

    Args:
        name: what the class is called.
        methods: what it has besides the operators of numbers: "exp" (with log), "tanh", "relu", "sigmoid",
            and "matmul" for one of arrays with ``@`` and ``sum()``.
        **changes: further fields of :class:`Exercise`.

    Raises:
        InputError: for a method that there is no program of.

    >>> engine("Scalar", ["tanh", "matmul"]).defines
    ('Scalar',)
    """
    for method in methods:
        if method not in METHODS:
            raise InputError(f"there is no program of {method!r}; there are {', '.join(METHODS)}")
    ladder = [*LADDER]
    for m in methods:
        if m == "matmul":
            ladder.append(Case(m, normal("nm"), normal("mk"), program=m))
        else:
            ladder.append(Case(m, between(0.5, 2.0, ""), between(0.5, 1.5, ""), program=m))
    return Exercise(run, ladder, name, style="engine", **changes)


LADDER = tuple(
    Case(name, between(0.9, 1.1, ""), between(0.95, 1.05, ""), program=name)
    if name == "deep_chain"
    else Case(name, between(0.5, 3.0, ""), between(0.5, 3.0, ""), program=name)
    for name in PROGRAMS
)

for entry, summary in {
    "Value": "A class of numbers that remember how they were computed.",
    "grad": "A function that takes a function to its derivative.",
    "backward_pass": "The reverse sweep over a graph of nodes.",
}.items():
    ENTRIES[entry] = Exercise(run, LADDER, entry, style="engine", summary=summary)
