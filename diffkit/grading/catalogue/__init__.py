"""Exercises that are there to be taken: each operation with inputs that tell right rules from wrong ones.

>>> exercise("matmul", points=2).arguments
('x', 'y')
>>> exercise("sigmoid", style="gate", name="logistic").target.defines
('Logistic',)
>>> len(names()) >= 60
True
"""

from __future__ import annotations

import difflib
from dataclasses import fields, replace
from typing import Any

from diffkit.errors import InputError
from diffkit.grading.catalogue.engines import engine
from diffkit.grading.catalogue.entries import ENTRIES
from diffkit.grading.exercises.exercise import Exercise
from diffkit.grading.exercises.styles import defined_names

__all__ = ["engine", "exercise", "names"]


def names() -> list[str]:
    """The names of all exercises, in the order of the catalogue."""
    _fill()
    return list(ENTRIES)


def exercise(name: str, /, **changes: Any) -> Exercise:
    """An exercise of the catalogue, with whatever is to be different: ``points``, ``style``, ``hints``...

    Args:
        name: its name in the catalogue.
        **changes: fields of :class:`Exercise`.

    Raises:
        InputError: if there is none of that name, or no such field.

    >>> exercise("sofmax")
    Traceback (most recent call last):
    diffkit.errors.InputError: the catalogue has no exercise 'sofmax'; did you mean 'softmax'?
    """
    _fill()
    if name not in ENTRIES:
        near = difflib.get_close_matches(name, ENTRIES, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(ENTRIES)}"
        raise InputError(f"the catalogue has no exercise {name!r}; {hint}")
    known = {field.name for field in fields(Exercise)}
    for change in changes:
        if change not in known:
            raise InputError(f"an exercise has no {change!r}; it has {', '.join(sorted(known))}")
    found = ENTRIES[name]
    if ("style" in changes or "name" in changes) and "defines" not in changes:
        style = changes.get("style", found.style)
        changes["defines"] = defined_names(changes.get("name", found.name), style)
    return replace(found, **changes)


def _fill() -> None:
    from diffkit.grading.catalogue import elementwise, engines, layers, linear, losses, reductions, shapes

    assert all((elementwise, engines, layers, linear, losses, reductions, shapes))
