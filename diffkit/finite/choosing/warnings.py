"""What is said, beside the result, where a derivative by differences is not to be trusted."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from diffkit.finite.choosing.measuring import Measured
from diffkit.finite.choosing.staircase import find_staircase
from diffkit.finite.evaluating.argument import Argument
from diffkit.finite.evaluating.function import Function
from diffkit.finite.stencils import Stencil
from diffkit.sites import users_frame

LARGE = 0.1
"""The part of a derivative, or of what f suggests for one, that an error may be without a word."""

WILD, LEAST = 0.02, 1e-6
"""Noise of that part of f's values, and of that part of max(|f|, 1), is taken for an oscillation."""


class DifferenceWarning(UserWarning):
    """The error of a derivative may be as large as the derivative, whatever the step."""


class NoiseWarning(UserWarning):
    """f gives different values at the same point."""


def warn_if_random(f: Callable[..., Any], noise: np.ndarray[Any, Any], repeat: np.ndarray[Any, Any]) -> None:
    """Says so if two runs at one point differ."""
    if (repeat > 0).any():
        level = float(noise[repeat > 0].max())
        _warn(
            f"{getattr(f, '__name__', 'f')} is not deterministic: two runs at the same point differ by "
            f"{float(repeat.max()):.1e}, and its noise is about {level:.1e}. The step is chosen for that "
            "noise; fix the random seed inside f for a better derivative",
            NoiseWarning,
        )


def is_random(function: Function, values: np.ndarray[Any, Any], move: Any) -> bool:
    """Whether f gives other values when it is run again at a point."""
    return not np.array_equal(function.attempt([move])[0], values, equal_nan=True)


def warn_if_unsettled(
    argument: Argument,
    formula: Stencil,
    measured: Measured,
    values: np.ndarray[Any, Any],
    errors: np.ndarray[Any, Any],
    sizes: np.ndarray[Any, Any],
    scale: np.ndarray[Any, Any],
) -> np.ndarray[Any, Any]:
    """Says so where the error to expect is of the order of the derivative.

    Not where the derivative is merely zero: at a minimum, its error is small beside the derivative that f's
    values further away suggest. And not for an output that does not move at all.

    Args:
        argument, formula, measured: the point, the formula asked for, and what is known of f.
        values, errors: derivatives and the errors to expect; coordinates first.
        sizes: |f| at the points they were computed from.
        scale: the size of the coordinates, to go with them.

    Returns:
        The errors, infinite where none can be promised.
    """
    size = np.abs(values)
    with np.errstate(invalid="ignore"):
        doubtful = errors > LARGE * size
        if doubtful.any():
            doubtful &= (errors > LARGE * measured.typical / scale**formula.n) & measured.moved
    if values.ndim > 1 and values.shape[1] > 1:
        doubtful &= size > 0
    # An oscillation that the floats beside x can't resolve looks like noise, of the size of f itself.
    wild = (measured.noise > WILD * sizes) & (measured.noise > LEAST * measured.unit) & (measured.repeat == 0)
    doubtful |= ~np.isfinite(errors) | wild
    errors = np.where(wild, np.inf, errors)
    if not doubtful.any():
        return errors
    at = tuple(int(k) for k in np.argwhere(doubtful)[0])
    name, x, value, error = argument.coordinate_name(at[0]), argument.flat[at[0]], values[at], errors[at]
    if np.isfinite(error):
        what = f"the derivative there, {value:.3g}, has an error of about {error:.1g}"
    else:
        what = (
            f"no error can be promised for the derivative there, {value:.3g}: f has a kink, or it varies "
            f"faster than the floats beside x are spaced, which is by {argument.spacing[at[0]]:.1g}"
        )
    _warn(
        f"the differences of f do not settle at {name} = {x:.6g} as h shrinks; {what}. With full=True, "
        ".error tells how far it may be off",
        DifferenceWarning,
    )
    return errors


def warn_if_staircase(function: Function, direction: np.ndarray[Any, Any]) -> None:
    """Says so where a derivative is zero because f is constant in pieces.

    Args:
        function: f at its point.
        direction: how far, and which way, each coordinate may be moved.
    """
    found = find_staircase(function, direction)
    if found is None:
        return
    step = 10 * found.length * float(np.max(np.abs(direction)))
    _warn(
        f"f is constant around {function.point_name(None)}, and further on jumps from one value to the next, "
        f"by about {found.jump:.1g}: its derivative there is zero. If f rounds a smooth function whose "
        f"derivative is wanted, give a step across many of those jumps, such as h={step:.1g}",
        DifferenceWarning,
    )


def _warn(message: str, category: type[Warning]) -> None:
    """A warning at the user's own line."""
    frame = users_frame(sys._getframe(1))
    warnings.warn_explicit(
        message,
        category,
        frame.f_code.co_filename,
        frame.f_lineno,
        module=frame.f_globals.get("__name__"),
        registry=frame.f_globals.setdefault("__warningregistry__", {}),
    )
