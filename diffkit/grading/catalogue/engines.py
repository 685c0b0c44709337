"""Whole engines: a student's Value class, grad or backward_pass, run on programs."""

from __future__ import annotations

from typing import Any

from diffkit.grading.catalogue.entries import ENTRIES
from diffkit.grading.draws import between
from diffkit.grading.exercises.exercise import Case, Exercise
from diffkit.grading.inside.programs_for_engines import PROGRAMS


def run(x: Any, y: Any, program: str) -> Any:
    """A program of + - * / and powers."""
    return PROGRAMS[program](x, y)


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
