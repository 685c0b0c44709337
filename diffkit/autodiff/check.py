"""``check_grads``: are a function's derivatives right? Both modes against differences, to any order.

The derivative is seen along random lines only: one number phi(s) = Re(sum(g * f(x + s t))) for a random
tangent t of one argument and a random cotangent g of the answers, with entries of both signs. Its slope
at 0 is computed three ways: by a forward sweep, by a reverse sweep, and from values of phi alone. A
wrong entry shows in almost every projection, so one pair t, g for each argument will do.

**Nothing in the comparison is a tuned constant.** The slope from values comes with its error, which is
measured (``slopes.py``), and that error is the tolerance. A function too rough for any is said to be so.

Single precision is judged against double: the derivative is checked at the same point in double
precision, and the one in single precision may differ from that by as much as it moves when the
inputs are rounded otherwise.

>>> import numpy as np
>>> check_grads(lambda x, y: np.sin(x * y))(np.array([0.3, 2.0]), -1.2)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from diffkit.autodiff.core.leaves import is_differentiable
from diffkit.autodiff.core.record import parameter_names, record
from diffkit.autodiff.recording.tracer import plain
from diffkit.autodiff.slopes import NEGLIGIBLE, slope_at_zero
from diffkit.containers import describe, flatten, paths
from diffkit.errors import DiffkitError, InputError

Leaves = list[Any]

_DETECTABLE = 1e-3
"""A rule that is off by this part must be caught; a comparison that could not is refused."""


class GradientError(DiffkitError, AssertionError):
    """A derivative that differs from what the values of the function say."""


def check_grads(
    f: Callable[..., Any],
    modes: Sequence[str] = ("fwd", "rev"),
    order: int = 2,
    *,
    seed: int | None = None,
) -> Callable[..., None]:
    """``check_grads(f)(*args)`` compares f's derivatives at ``args`` with differences of its values.

    Every float and every array of floats among the positional arguments is checked, nested in
    containers or not; all else is held constant. Order 2 checks the derivatives of both modes'
    derivatives, in both modes.

    Args:
        f: the function; its answer may be a number, an array, or a container of them.
        modes: "fwd", "rev" or both.
        order: the highest derivative to check.
        seed: of the random directions; by default different ones each time. A failure names its seed.

    Returns:
        A function of f's arguments, which returns None where all derivatives are right.

    Raises:
        GradientError: if a derivative is wrong, in value, shape, structure or dtype; the message names
            the argument, the mode and the order, with both numbers. It is an AssertionError.
        InputError: if nothing can be checked: no floats among the arguments or the answers, or values
            too rough at this point for a wrong rule to show.

    >>> from diffkit.autodiff.custom import defvjp, primitive
    >>> cube = primitive(lambda x: x**3)
    >>> defvjp(cube, lambda g, ans, x: g * 2.9 * x**2)
    >>> check_grads(cube, modes=("rev",), seed=0)(2.0)
    Traceback (most recent call last):
    ...
    diffkit.autodiff.check.GradientError: the reverse mode derivative of <lambda> by x is wrong at ...
    """
    modes = (modes,) if isinstance(modes, str) else tuple(modes)
    if not modes or not set(modes) <= {"fwd", "rev"}:
        raise InputError(f'modes are "fwd" and "rev", not {modes!r}')
    if not isinstance(order, int) or order < 1:
        raise InputError(f"order is 1, 2, ..., not {order!r}")

    def check(*args: Any, **kwargs: Any) -> None:
        drawn = np.random.SeedSequence().entropy if seed is None else seed
        rng = np.random.default_rng(drawn)
        name = getattr(f, "__name__", type(f).__name__)
        leaves, structure = flatten(args)
        named = zip(parameter_names(f, len(args)), structure.children, strict=True)
        labels = [path for name_, child in named for path in paths(child, name_)]
        traced = [k for k, leaf in enumerate(leaves) if is_differentiable(leaf)]
        if not traced:
            raise InputError(f"no argument of {name} is a float or an array of floats: {describe(args)}")

        def on_leaves(*given: Any) -> tuple[Any, ...]:
            new = list(leaves)
            for k, leaf in zip(traced, given, strict=True):
                new[k] = leaf
            answers = flatten(f(*structure.unflatten(new), **kwargs))[0]
            return tuple(a for a in answers if is_differentiable(a))

        on_leaves.__name__ = name
        points = [leaves[k] for k in traced]
        if not on_leaves(*points):
            raise InputError(f"{name} returned no float or array of floats, so it has no derivative to check")
        _Check(rng, f"seed={drawn}", name, modes).run(
            on_leaves, points, [labels[k] for k in traced], order, "the {} derivative of " + name
        )

    return check


_SWEEPS = {"fwd": "forward mode", "rev": "reverse mode"}


@dataclass
class _Check:
    """One run of ``check_grads``: what stays the same down the orders."""

    rng: np.random.Generator
    seed: str
    name: str
    modes: tuple[str, ...]

    def run(
        self, f: Callable[..., Any], xs: Leaves, labels: list[str], left: int, what: str, order: int = 1
    ) -> None:
        """Checks the first derivatives of f, and as many more as are ``left``.

        Args:
            f: a function of leaves to a tuple of leaves.
            xs: the point.
            labels: what to call the leaves of the point.
            left: how many orders to check, this one included.
            what: what f's derivative is called in messages, with "{}" for the mode.
            order: which order this is.
        """
        gs = [self.direction(y) for y in f(*xs)]
        ts = [self.direction(x) for x in xs]
        exact = [_double(x) for x in xs]
        single = any(_is_single(x) for x in xs)
        self.compare(f, exact, gs, ts, labels, what, order)
        if single:
            self.compare_single(f, xs, exact, gs, ts, labels, what, order)
        if left == 1:
            return
        count = len(xs)
        for mode in self.modes:

            def derivative(*given: Any, mode: str = mode) -> tuple[Any, ...]:
                t = record(f, given[:count], {}, argnums=range(count))
                if mode == "fwd":
                    return tuple(t.push_forward(*given[count:]))
                pulled = t.pull_back(tuple(given[count:]))
                return (pulled,) if count == 1 else tuple(pulled)

            kind, along = ("tangent of", ts) if mode == "fwd" else ("cotangent", gs)
            names = labels if mode == "fwd" else [str(k) for k in range(len(gs))]
            along = [_like(v, x) for v, x in zip(along, xs if mode == "fwd" else f(*xs), strict=True)]
            self.run(
                derivative,
                [*xs, *along],
                [*labels, *(f"the {kind} {n}" for n in names)],
                left - 1,
                f"the {{}} derivative of {what.format(_SWEEPS[mode])}",
                order + 1,
            )

    def direction(self, x: Any) -> Any:
        """A random array like x, in double precision: short decimals, of both signs, scaled as x is.

        Every entry moves in proportion to its own size, so that small ones stay in f's domain.
        """
        x = np.asarray(plain(x))
        size = np.abs(x).astype(float)
        largest = size.max(initial=0.0)
        scale = np.where(size > 0, size, largest if largest > 0 else 1.0)

        def draw() -> Any:
            sign = self.rng.integers(0, 2, x.shape) * 2 - 1
            return sign * self.rng.integers(50, 151, x.shape) / 100

        t = scale * (draw() + 1j * draw() if x.dtype.kind == "c" else draw())
        return t if t.shape else t[()]

    def compare(
        self,
        f: Callable[..., Any],
        xs: Leaves,
        gs: Leaves,
        ts: Leaves,
        labels: list[str],
        what: str,
        order: int,
    ) -> None:
        """Both modes' slopes along each argument, against the slope that the values show."""
        slopes = self.slopes(f, xs, gs, ts, labels, what, order)
        for k, label in enumerate(labels):
            if not np.size(xs[k]):
                continue
            line = _AlongLine(f, xs, k, ts[k], gs)
            numeric, uncertainty = slope_at_zero(line, _DETECTABLE**2)
            size = max(abs(numeric), *(found[k][1] for found in slopes.values()))
            rough = not np.isfinite(uncertainty) or uncertainty > _DETECTABLE * size
            if rough and not uncertainty <= NEGLIGIBLE * line.size:
                raise InputError(
                    f"the derivatives of {self.name} can't be checked here: its values along {label} are too "
                    f"rough, the slope is {numeric:.6g} ± {uncertainty:.1g} at order {order}. Choose a point "
                    "away from kinks, jumps and the edges of the domain."
                )
            for mode, found in slopes.items():
                slope, terms = found[k]
                tolerance = uncertainty + _round_off(xs, gs) * terms
                if not abs(slope - numeric) <= tolerance:
                    raise GradientError(
                        f"{what.format(_SWEEPS[mode])} by {label} is wrong at order {order}: along a random "
                        f"direction it is {slope:.12g}, but the values of the function say {numeric:.12g} "
                        f"± {tolerance:.1g} ({self.seed})"
                    )

    def slopes(
        self,
        f: Callable[..., Any],
        xs: Leaves,
        gs: Leaves,
        ts: Leaves,
        labels: list[str],
        what: str,
        order: int,
    ) -> dict[str, list[tuple[float, float]]]:
        """By mode and argument: the slope, and the sum of the sizes of its terms."""
        t = record(f, tuple(xs), {}, argnums=range(len(xs)))
        ys = list(t.value)
        found: dict[str, list[tuple[float, float]]] = {}
        for mode in self.modes:
            here = f"{what.format(_SWEEPS[mode])} by {{}} is wrong at order {order}: {{}}"
            if mode == "rev":
                pulled = t.pull_back(tuple(_like(g, y) for g, y in zip(gs, ys, strict=True)))
                pulled = [pulled] if len(xs) == 1 else list(pulled)
                for c, x, label in zip(pulled, xs, labels, strict=True):
                    _must_look_like(c, x, here, label)
                found[mode] = [_pair([c], [direction]) for c, direction in zip(pulled, ts, strict=True)]
            else:
                found[mode] = []
                for k, label in enumerate(labels):
                    tangents = [
                        _like(direction if j == k else np.zeros_like(direction), x)
                        for j, (direction, x) in enumerate(zip(ts, xs, strict=True))
                    ]
                    pushed = list(t.push_forward(*tangents))
                    for tangent, y in zip(pushed, ys, strict=True):
                        _must_look_like(tangent, y, here, label)
                    found[mode].append(_pair(gs, pushed))
        return found

    def compare_single(
        self,
        f: Callable[..., Any],
        xs: Leaves,
        exact: Leaves,
        gs: Leaves,
        ts: Leaves,
        labels: list[str],
        what: str,
        order: int,
    ) -> None:
        """Single precision against double, within what other roundings of the inputs do to it.

        A few other roundings mostly tell; before a function is accused, many more are looked at.
        """
        right = self.slopes(f, exact, gs, ts, labels, what, order)
        seen = self.slopes(f, xs, gs, ts, labels, what, order)
        nearby: list[Any] = []
        for more in (4, 24):
            nearby += [
                self.slopes(f, [self.rounded(x) for x in xs], gs, ts, labels, what, order)
                for _ in range(more)
            ]
            message = self.off_in_single(seen, right, nearby, _round_off(xs, gs), labels, what, order)
            if message is None:
                return
        raise GradientError(message)

    def off_in_single(
        self, seen: Any, right: Any, nearby: list[Any], unit: float, labels: list[str], what: str, order: int
    ) -> str | None:
        """What is wrong with the slopes in single precision, if anything is."""
        for mode in self.modes:
            for k, label in enumerate(labels):
                slope, terms = seen[mode][k]
                moved = max(abs(n[mode][k][0] - slope) for n in nearby)
                tolerance = 4 * moved + unit * max(terms, right[mode][k][1])
                if not abs(slope - right[mode][k][0]) <= tolerance:
                    return (
                        f"{what.format(_SWEEPS[mode])} by {label} is wrong at order {order} in single "
                        f"precision: along a random direction it is {slope:.8g}, but in double precision "
                        f"{right[mode][k][0]:.8g} (± {tolerance:.1g}; {self.seed})"
                    )
        return None

    def rounded(self, x: Any) -> Any:
        """x, each entry moved by up to four ulps."""
        eps = float(np.finfo(np.asarray(x).dtype).eps)
        return _like(np.asarray(x) * (1 + eps * self.rng.integers(-4, 5, np.shape(x))), x)


def _must_look_like(given: Any, value: Any, message: str, label: str) -> None:
    if np.shape(given) != np.shape(value):
        raise GradientError(message.format(label, f"its shape is {np.shape(given)}, not {np.shape(value)}"))
    kinds = np.result_type(given), np.result_type(value)
    if kinds[0] != kinds[1]:
        raise GradientError(message.format(label, f"its dtype is {kinds[0]}, not {kinds[1]}"))


def _pair(gs: Leaves, ts: Leaves) -> tuple[float, float]:
    """Re(sum(g * t)) over all leaves, and the sum of the sizes of its terms."""
    terms = [np.real(np.asarray(g) * np.asarray(t)).ravel() for g, t in zip(gs, ts, strict=True)]
    together = np.concatenate(terms).astype(float) if terms else np.zeros(0)
    return float(together.sum()), float(np.abs(together).sum())


def _round_off(xs: Leaves, gs: Leaves) -> float:
    """The relative round-off of a sweep: a unit for each of the terms that its sums may have."""
    eps = max(float(np.finfo(np.result_type(x)).eps) for x in xs)
    return eps * (16 + sum(map(np.size, xs)) + sum(map(np.size, gs)))


def _is_single(x: Any) -> bool:
    dtype = np.result_type(plain(x))
    return np.finfo(dtype).bits < 64


def _double(x: Any) -> Any:
    """x in double precision; a Python number stays one."""
    if isinstance(x, np.ndarray | np.generic) and np.finfo(x.dtype).bits < 64:
        return x.astype(np.result_type(x.dtype, np.float64))
    return x


def _like(given: Any, value: Any) -> Any:
    """``given`` in the type and dtype of ``value``."""
    value = plain(value)
    if isinstance(value, np.ndarray | np.generic):
        array = np.asarray(given).astype(value.dtype)
        return array if isinstance(value, np.ndarray) else array[()]
    return complex(given) if isinstance(value, complex) else float(given)


# -- the slope that values show ---------------------------------------------------------------------------


class _AlongLine:
    """phi(s) = Re(sum(g * f(x + s t))): f seen along a line.

    ``size`` is the largest sum of the sizes of phi's terms so far, to which its round-off is relative.
    """

    def __init__(self, f: Callable[..., Any], xs: Leaves, k: int, t: Any, gs: Leaves) -> None:
        self.f, self.xs, self.k, self.t, self.gs = f, xs, k, t, gs
        self.size = 0.0

    def __call__(self, s: float) -> float:
        moved = list(self.xs)
        moved[self.k] = _like(np.asarray(moved[self.k]) + s * self.t, moved[self.k])
        try:
            with np.errstate(all="ignore"):
                value, size = _pair(self.gs, list(self.f(*moved)))
        except (ArithmeticError, ValueError):  # out of the domain: the interval is too long
            return float("nan")
        self.size = max(self.size, size if np.isfinite(size) else 0.0)
        return value
