"""Functions that go up in steps: rounded, tabulated or printed numbers, whose differences are zero up close.

The derivative of round(sin(x), 3) is zero wherever it has one, and so are its differences by small
steps. Both are right, and neither is what whoever asks wants to know. It shows only where one looks
further away than any difference formula does: there f has changed, but in jumps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from diffkit.finite.choosing.noise import along
from diffkit.finite.evaluating.function import Function

FINER = 4.0
"""From one distance to the next, on the way towards x."""

NEAREST = 24
"""How many distances are tried: 4**-24 is less than the spacing of floats."""

WITHIN = 64
"""Points between x and sixteen times the distance within which f is seen to be constant: a jump is then
at least four points after the one before, if f's steps are equally long."""

COARSE = 16.0
"""Jumps of fewer floats than that are how any program rounds its answer."""


@dataclass(frozen=True, slots=True)
class Staircase:
    """What a function does that is constant in pieces.

    Attributes:
        length: of a step, as a part of the direction looked along.
        jump: the size of a typical jump.
    """

    length: float
    jump: float


def find_staircase(function: Function, direction: np.ndarray[Any, Any]) -> Staircase | None:
    """Whether an output of f is constant beside x, and jumps from one constant to the next further on.

    Not where f is constant altogether, as a wide step shows; nor where it begins to vary smoothly, like
    max(x, 0) to the right of a negative x; nor where there is one jump only, which is no staircase; nor
    where the jumps are those between one float and the next.

    Args:
        function: f at its point.
        direction: how far, and which way, each coordinate may be moved.
    """
    argument = function.argument

    def values_at(ts: Any) -> np.ndarray[Any, Any]:
        return function.attempt(along(argument, direction, ts))

    at_x = function.attempt([None])[0]
    distances = FINER ** -np.arange(NEAREST, dtype=float)
    same = values_at(distances) == at_x
    for output in range(same.shape[1]):
        # Distances fall, so that the flat part is the end of the list that has no change in it.
        changed = np.flatnonzero(~same[:, output])
        if not changed.size or changed[-1] == NEAREST - 1:
            continue
        flat = float(distances[changed[-1] + 1])
        ts = 16 * flat * np.arange(1, WITHIN + 1) / WITHIN
        ts = ts[ts <= 1.0]
        values = values_at(ts)[:, output]
        jumps = np.flatnonzero(np.diff(values))
        if not np.isfinite(values).all() or len(jumps) < 2 or np.diff(jumps).min() < 2:
            continue
        length = float((ts[jumps[-1]] - ts[jumps[0]]) / (len(jumps) - 1))
        jump = float(np.median(np.abs(np.diff(values)[jumps])))
        if jump > COARSE * np.spacing(np.abs(values).max()):
            return Staircase(length, jump)
    return None
