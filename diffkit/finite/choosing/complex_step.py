"""The complex step: a derivative without subtraction, where the function allows it.

For a function that is given by a power series, f(x + i h) = f(x) + i h f'(x) - h**2 f''(x) / 2 - ...,
so that the imaginary part, divided by h, is the derivative, with no cancellation: h may be as
small as one likes. W. Squire and G. Trapp, "Using complex variables to estimate derivatives of real
functions", SIAM Review 40 (1998), 110-112.

It fails without a word where f is not such a function: abs drops the imaginary part, max and
branches compare it. So f is first run on an array that watches what is done to it, and the
result is held against one central difference.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from diffkit.errors import DiffkitError, InputError
from diffkit.finite.choosing.fine_grid import WIDER, first_noise, measure
from diffkit.finite.choosing.measuring import spread
from diffkit.finite.evaluating.argument import Argument
from diffkit.finite.evaluating.function import Function, Move

_BREAKING = {
    "absolute": "np.abs drops the imaginary part",
    "fabs": "np.fabs takes no complex numbers",
    "sign": "np.sign has no derivative by its series",
    "maximum": "np.maximum compares its arguments",
    "minimum": "np.minimum compares its arguments",
    "fmax": "np.fmax compares its arguments",
    "fmin": "np.fmin compares its arguments",
    "clip": "np.clip compares its arguments",
    "conjugate": "np.conjugate turns the imaginary part round",
    "floor": "np.floor takes no complex numbers",
    "ceil": "np.ceil takes no complex numbers",
    "rint": "np.rint rounds the imaginary part away",
    "greater": "it branches on a comparison (>)",
    "greater_equal": "it branches on a comparison (>=)",
    "less": "it branches on a comparison (<)",
    "less_equal": "it branches on a comparison (<=)",
    "equal": "it branches on a comparison (==)",
    "not_equal": "it branches on a comparison (!=)",
}
_BREAKING_FUNCTIONS = {
    "norm": "np.linalg.norm drops the imaginary part",
    "real": "np.real drops the imaginary part",
    "imag": "np.imag drops the real part",
    "angle": "np.angle is not given by a power series",
    "vdot": "np.vdot conjugates its first argument",
    "sort": "np.sort compares",
    "argmax": "np.argmax compares",
    "argmin": "np.argmin compares",
    "median": "np.median compares",
}


def _watching(found: list[str]) -> type[np.ndarray[Any, Any]]:
    """A kind of array that notes in ``found`` what a power series can't do."""

    class Watched(np.ndarray[Any, Any]):
        __array_priority__ = 10.0

        def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
            if ufunc.__name__ in _BREAKING:
                found.append(_BREAKING[ufunc.__name__])
            plain = [i.view(np.ndarray) if isinstance(i, Watched) else i for i in inputs]
            if "out" in kwargs:
                kwargs["out"] = tuple(
                    o.view(np.ndarray) if isinstance(o, Watched) else o for o in kwargs["out"]
                )
            return watch(getattr(ufunc, method)(*plain, **kwargs))

        def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
            if function.__name__ in _BREAKING_FUNCTIONS:
                found.append(_BREAKING_FUNCTIONS[function.__name__])
            return watch(super().__array_function__(function, types, args, kwargs))

        def __getitem__(self, index: Any) -> Any:
            return watch(super().__getitem__(index))

    def watch(result: Any) -> Any:
        """Numbers keep being watched, those without axes too."""
        if isinstance(result, (np.ndarray, np.complexfloating, complex)):
            return np.asarray(result).view(Watched)
        return result

    return Watched


def _reasons(function: Function, point: np.ndarray[Any, Any]) -> list[str]:
    """What f does that the complex step does not survive, in words."""
    argument = function.argument
    found: list[str] = []

    kind = _watching(found)
    parts = [
        part.reshape((1, *shape) if function.vectorized else shape).view(kind)
        for part, shape in zip(argument.parts(point), argument.shapes, strict=True)
    ]
    try:
        with np.errstate(all="ignore"):
            function.f(argument.structure.unflatten(parts))
    except DiffkitError:
        raise
    except TypeError as error:
        if not found:
            found.append(f"it takes no complex numbers ({error})")
    except Exception:  # what the watching itself disturbs is for the real run to tell
        pass
    return list(dict.fromkeys(found))


def complex_columns(
    function: Function, h: np.ndarray[Any, Any] | None, *, full: bool, separate: bool = False
) -> tuple[Any, Any, Any]:
    """The derivative by each coordinate, as (coordinates, outputs), the steps, and its noise if ``full``.

    If f is elementwise (``separate``), all coordinates are moved at once, and the derivative of
    each element by its own coordinate comes back, as (1, coordinates).

    Raises:
        InputError: if x is complex already, or f is not given by a power series near x: it takes
            absolute values, compares, or branches; with the operation named.
    """
    argument = function.argument
    if argument.is_complex:
        raise InputError("the complex step needs a real x: for a complex one, take form='central'")
    x = argument.flat
    steps = _steps(argument) if h is None else h
    start = x.astype(np.result_type(x.dtype, np.complex64))
    function.evaluations += 1
    reasons = _reasons(function, start + 1j * steps)
    if reasons:
        raise InputError(
            f"the complex step does not work for this f: {'; '.join(reasons)}. Take form='central'"
        )
    lifted = Function(function.f, _Complex(argument, start), vectorized=function.vectorized)
    lifted.map = function.map
    slopes = _Slopes(lifted, argument, steps, separate)
    try:
        columns = slopes.at(x)
    except TypeError as error:
        raise InputError(
            f"the complex step does not work for this f, which takes no complex numbers ({error}). "
            "Take form='central'"
        ) from error
    noise = np.zeros(columns.shape)
    if full:
        # Where f cancels, or rounds what it takes the sine of, the derivatives beside this one differ by it.
        size = np.abs(x)
        far = np.fmax(size, 1.0)
        scales = [far] if (size >= 1).all() else [far, np.where(size == 0, 1.0, size)]
        with np.errstate(all="ignore"):
            found = np.fmax.reduce([first_noise(slopes, k * scale) for scale in scales for k in (1, WIDER)])
        noise = np.where(np.isnan(found), np.inf, found).reshape(columns.shape)
    if not separate or lifted.size == len(x):
        _verify(function, columns, separate)
    function.evaluations += lifted.evaluations
    function.structure, function.shapes = lifted.structure, lifted.shapes
    return columns, steps, noise


class _Slopes:
    """The derivatives by the complex step at points near x."""

    def __init__(self, lifted: Function, argument: Argument, steps: np.ndarray[Any, Any], separate: bool):
        self.argument, self._lifted, self._steps, self._separate = argument, lifted, steps, separate

    def at(self, x: np.ndarray[Any, Any], *, strict: bool = True) -> np.ndarray[Any, Any]:
        """By each coordinate, as (coordinates, outputs); if f is elementwise, as (1, coordinates)."""
        values, above = self._lifted if strict else self._lifted.attempt, x + 1j * self._steps
        if self._separate:
            return np.asarray(values([(slice(None), above)]).imag / self._steps)
        points = [np.where(np.arange(len(x)) == i, above, x) for i in range(len(x))]
        return np.asarray(values([(slice(None), point) for point in points]).imag / self._steps[:, None])

    def attempt(self, moves: Sequence[Move]) -> np.ndarray[Any, Any]:
        """A row of all of them for each point."""
        flat = self.argument.flat
        places = [flat if move is None else np.asarray(move[1]) for move in moves]
        return np.stack([self.at(place, strict=False).ravel() for place in places])


class _Complex(Argument):
    """The same argument with complex numbers in it."""

    def __init__(self, argument: Argument, flat: np.ndarray[Any, Any]) -> None:
        self.name, self.structure, self.kinds = argument.name, argument.structure, argument.kinds
        self.shapes, self.sizes = argument.shapes, argument.sizes
        self.dtypes = [np.result_type(d, np.complex64) for d in argument.dtypes]
        self.flat = flat


LONGEST = 2.0**-28
"""Of a step, as a part of x: its square is less than the machine epsilon."""


def _steps(argument: Argument) -> np.ndarray[Any, Any]:
    """Steps whose squares vanish beside 1, far from underflow if x is."""
    size = np.where(argument.flat == 0, 1.0, np.abs(argument.flat))
    small = size * argument.epsilon.astype(float) ** (5 / 4)
    least = float(np.finfo(argument.flat.dtype).tiny) / argument.epsilon.astype(float)
    smallest = float(np.finfo(argument.flat.dtype).smallest_subnormal)
    longest = np.fmax(size * LONGEST, smallest)
    return np.asarray(np.fmin(np.fmax(small, least), longest), dtype=argument.flat.dtype)


TOLERANCE = 1e-2
"""The relative difference between a complex step and a central difference that is not looked into."""

LOUD = 10
"""By how much more than f's noise it must be."""

FLAT = 1e-6
"""The part of f's change that a slope may be off unseen."""

SIZES = (1.0, 2.0**-4, 2.0**-8, 2.0**-16, 2.0**-24)
"""Of the central differences, in units of max(|x|, 1) times the third root of the machine epsilon."""

SETTLED = 0.25
"""Differences show another derivative if they change by less than this part of it, and of its distance."""


def _verify(function: Function, columns: np.ndarray[Any, Any], separate: bool) -> None:
    """Holds the derivatives against one central difference, with every coordinate moved at once."""

    def pushed(direction: np.ndarray[Any, Any], slopes: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return np.asarray(direction * slopes[0] if separate else direction @ slopes)

    argument = function.argument
    eps = float(argument.epsilon.max())
    length = np.abs(argument.flat)
    tiny = (length > 0) & (length < math.sqrt(eps))
    t = 2.0 ** round(np.log2(eps) / 3) * np.where(tiny, length, np.fmax(length, 1.0))
    direction = t * spread(t.size, 2, signed=True)

    def values_at(size: float) -> np.ndarray[Any, Any]:
        move = (size * direction).astype(argument.flat.dtype)
        return function.attempt([(slice(None), argument.flat + move), (slice(None), argument.flat - move)])

    expected = pushed(direction, columns)
    value = function.attempt([None])[0]
    # At a minimum both slopes are nothing but rounding beside what f does further off.
    slack = TOLERANCE * pushed(np.abs(direction), np.abs(columns)) + 1e-12 * eps
    slack = slack + FLAT * np.abs(values_at(1.0) - value).max(axis=0)
    last = np.full(expected.shape, np.nan)
    seen: list[tuple[Any, Any, float]] = []
    for size in SIZES:
        if (size * t < 4 * argument.spacing).any():
            break
        above, below = values_at(size)
        found = (above - below) / (2 * size)
        off = np.abs(found - expected)
        rounding = 1e3 * eps * np.abs(found) + 100 * eps * np.abs(value) / size
        wrong = ~(off <= slack + rounding) & np.isfinite(found)
        if not wrong.any():
            return
        settled = wrong & (np.abs(found - last) <= SETTLED * np.fmin(off, np.abs(found)) + rounding)
        seen.append((settled, off, size))
        last = found
    once, again = function.attempt([None, None])
    if not np.array_equal(once, again, equal_nan=True):
        raise InputError(
            "f is not deterministic: two runs at the same point differ, so that the complex step can't be "
            "held against anything. Fix the random seed inside f, or take form='central'"
        )
    # Nothing to hold it against where the differences go on changing, or are lost in f's rounding.
    noise = measure(function, np.fmax(length, 1.0)).noise
    shown = np.zeros(expected.shape, dtype=bool)
    for settled, off, size in seen:  # the narrowest that f's rounding leaves anything of decides
        shown = np.where(off > LOUD * noise / size, settled, shown)
    if not shown.any():
        return
    other = ", or is not elementwise" if separate else ""
    raise InputError(
        "the complex step does not work for this f: central differences settle on another derivative, so "
        f"that f drops, compares or branches on the imaginary part somewhere, or cancels nearly all of its "
        f"digits{other}. Take form='central'"
    )
