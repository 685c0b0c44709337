"""The right answer at a point, how far a right program may be off it, and what a kink allows.

The truth is a linear function of the cotangent: diffkit's traced method gives it, or a reference of
the course team's own (:mod:`diffkit.grading.judging.black_box` does for functions that no trace can enter).

**How far off.** Two right programs that add in another order differ by rounding, and by more the
worse the point is conditioned. Each is at best the exact answer for inputs that are off by a rounding
error (a backward stable one; Higham, Accuracy and Stability of Numerical Algorithms, 1.5), so the
truth is recomputed with every number among the inputs moved by a relative 2^-30 at random, and the
largest change, scaled down to the machine's precision, is the size of error to allow for. The results
of the intermediate steps are moved likewise, since a right formula may subtract large ones.

**Kinks.** Right beside a kink the function is smooth, and what is valid at it is the convex hull of
the derivatives around (Clarke, Optimization and Nonsmooth Analysis, 2.5). Whether there is a
kink is found by looking: derivatives at two distances, a thousandth of each other, differ by as much.

>>> import numpy as np
>>> x, g = np.array([2.0, 0.0]), (np.array([1.0, 1.0]),)
>>> truth = Truth(traced(np.abs, (0,)), (x,), {}, (0,), np.abs(x), g)
>>> truth.kinked
True
>>> sorted({tuple(piece[0].tolist()) for piece in truth.pieces(g)})
[(1.0, -1.0), (1.0, 1.0)]
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from diffkit.errors import DiffkitError

Array = np.ndarray[Any, Any]
Seeds = tuple[Array, ...]
Pull = Callable[[Seeds], tuple[Array, ...]]
Linearize = Callable[[Sequence[Any], Mapping[str, Any]], Pull]

EPS = float(np.finfo(float).eps)

ROUNDING = 256 * EPS
"""The relative error allowed to a right program at a well-conditioned point, 6e-14.

A sum of n terms is off by at most n eps; exercises have some tens of terms.
"""

MOVE = 2.0**-30
"""How far inputs are moved to see the conditioning: far above rounding, far below curvature."""

BESIDE = 2.0**-30
"""The distance, relative to the numbers, at which one looks for the other side of a kink."""

SAMPLES = 3


def traced(function: Callable[..., Any], differentiated: tuple[int, ...]) -> Linearize:
    """The linearisation by diffkit's traced method: reverse mode."""
    from diffkit.autodiff.operators import make_vjp

    make = make_vjp(function, differentiated)

    def linearize(args: Sequence[Any], kwargs: Mapping[str, Any]) -> Pull:
        vjp, value = make(*args, **kwargs)
        kind = np.asarray(value).dtype

        def pull(seeds: Seeds) -> tuple[Array, ...]:
            return tuple(np.asarray(c) for c in vjp(seeds[0].astype(kind, copy=False)[()]))

        return pull

    return linearize


def traced_forward(function: Callable[..., Any], differentiated: tuple[int, ...]) -> Linearize:
    """The linearisation by diffkit's traced method: forward mode, for JVP rules."""
    from diffkit.autodiff.operators import make_jvp

    make = make_jvp(function, differentiated)

    def linearize(args: Sequence[Any], kwargs: Mapping[str, Any]) -> Pull:
        jvp = make(*args, **kwargs)
        return lambda seeds: (np.asarray(jvp(tuple(s[()] for s in seeds))[1]),)

    return linearize


def own_rule(
    function: Callable[..., Any], rule: Callable[..., Any], differentiated: tuple[int, ...]
) -> Linearize:
    """The linearisation by a rule ``vjp(g, ans, *args, **kwargs)`` of the course team's own."""

    def linearize(args: Sequence[Any], kwargs: Mapping[str, Any]) -> Pull:
        ans = function(*args, **kwargs)

        def pull(seeds: Seeds) -> tuple[Array, ...]:
            given = rule(seeds[0], ans, *args, **kwargs)
            parts = given if isinstance(given, tuple | list) else (given,)
            return tuple(np.asarray(c) for c in parts)

        return pull

    return linearize


class Truth:
    """The derivative at a point.

    Args:
        linearize: gives the derivative at a point as a function of the seeds.
        args, kwargs: the point.
        differentiated: which arguments are differentiated by.
        ans: the forward function's value.
        seeds: any seeds of the right shapes.
        rtol: a tolerance relative to the largest entry, where the measured one is not wanted.
        rounding: the relative error allowed at a well-conditioned point.
        function: the forward function, if a trace can enter it: then the sensitivity of its steps to
            rounding is measured too.
    """

    def __init__(
        self,
        linearize: Linearize,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        differentiated: tuple[int, ...],
        ans: Any,
        seeds: Seeds,
        rtol: float = 0.0,
        rounding: float = ROUNDING,
        function: Callable[..., Any] | None = None,
    ) -> None:
        self.linearize = linearize
        self.args = tuple(args)
        self.kwargs = kwargs
        self.differentiated = differentiated
        self.ans = np.asarray(ans)
        self.seed_shapes = tuple(np.shape(s) for s in seeds)
        self.rtol = rtol
        self.rounding = rounding
        self.function = function
        self._sizes: dict[tuple[bytes, ...], list[float]] = {}
        self._pieces: dict[tuple[bytes, ...], list[tuple[Array, ...]]] = {}

    def at(self, args: Sequence[Any], kwargs: Mapping[str, Any] | None = None) -> Pull:
        """The derivative at another point."""
        with np.errstate(all="ignore"):
            pull = self.linearize(args, self.kwargs if kwargs is None else kwargs)

        return _quiet(pull)

    @cached_property
    def _pull(self) -> Pull:
        return self.at(self.args)

    def __call__(self, seeds: Seeds) -> tuple[Array, ...]:
        """The right answer for these seeds."""
        return self._pull(seeds)

    @cached_property
    def _moved(self) -> list[Pull]:
        """The derivative at inputs that are off by a relative 2^-30, by programs of which every step is."""
        found = []
        rng = np.random.default_rng(20260)
        for _ in range(SAMPLES):
            args = [
                a * (1 + MOVE * rng.choice([-1.0, 1.0], np.shape(a))) if k in self.differentiated else a
                for k, a in enumerate(self.args)
            ]
            found.append(self.at(args))
            found += self._shaken(args, rng)
        return found

    def _shaken(self, args: Sequence[Any], rng: np.random.Generator) -> list[Pull]:
        """The derivative by a program of which every step is off, if the function can be replayed."""
        if self.function is None:
            return []
        from diffkit.grading.judging.replay import recorded, shaken

        try:
            with np.errstate(all="ignore"):
                t = recorded(self.function, args, self.kwargs, self.differentiated)
                program = shaken(t, rng, MOVE)
                pull = traced(program, tuple(range(len(t.inputs))))(
                    [args[k] for k in self.differentiated], {}
                )
                pull(self.probe)
        except (DiffkitError, ValueError, TypeError):  # several answers, or no float in it
            return []
        return [_quiet(pull)]

    def tolerance(self, seeds: Seeds) -> tuple[Array, ...]:
        """How far each entry of a right answer may be off."""
        right = self(seeds)
        spread = [np.zeros(np.shape(c)) for c in right]
        if not self.kinked:
            rng = np.random.default_rng(20261)  # begun anew, so that it matters not what was asked before
            for pull in self._moved:
                moved = pull(tuple(s * (1 + MOVE * rng.choice([-1.0, 1.0], np.shape(s))) for s in seeds))
                spread = [
                    np.fmax(most, np.abs(m - c) / MOVE)
                    for most, m, c in zip(spread, moved, right, strict=True)
                ]
        return tuple(
            max(self.rounding, self.rtol) * (_largest(c) + 2 * most) + self.rounding * floor
            for c, most, floor in zip(right, spread, self.natural_sizes(seeds), strict=True)
        )

    def natural_sizes(self, seeds: Seeds) -> list[float]:
        """The sizes that the results have by the sizes of answer and inputs alone: g ans / x, at most g.

        Where all of a derivative is far smaller (a saturated tanh), a right formula such as 1 - ans**2
        is off by a rounding error of 1, not of the result.
        """
        key = tuple(s.tobytes() for s in seeds)
        if key not in self._sizes:  # the same seeds are asked of a whole class
            self._sizes[key] = self._natural_sizes(seeds)
        return self._sizes[key]

    def _natural_sizes(self, seeds: Seeds) -> list[float]:
        sizes = [_largest(self.args[k]) or 1.0 for k in self.differentiated]
        change = _largest(self.ans)
        if len(seeds) == len(sizes) and self.seed_shapes != (self.ans.shape,):
            natural = [sum(_largest(s) * change / size for s, size in zip(seeds, sizes, strict=True))]
        else:
            natural = [_largest(seeds[0]) * change / size for size in sizes]
        most = max(map(_largest, seeds), default=0.0)
        return [min(size, most) if np.isfinite(size) else 0.0 for size in natural]

    at_kink = 1e-6
    """How far an answer may be off what is valid at a kink, relative to the largest entry."""

    # -- kinks ------------------------------------------------------------------------------------------

    def _beside(self, distance: float, signs: Sequence[Array]) -> Pull:
        moved = []
        for k, a in enumerate(self.args):
            if k not in self.differentiated:
                moved.append(a)
                continue
            whole = _largest(a) or 1.0
            size = np.where(a == 0, whole, np.abs(a))
            moved.append(a + distance * size * signs[k])
        return self.at(moved)

    def _directions(self, count: int) -> list[list[Array]]:
        rng = np.random.default_rng(7)
        return [
            [rng.uniform(0.2, 1.0, np.shape(a)) * rng.choice([-1.0, 1.0], np.shape(a)) for a in self.args]
            for _ in range(count)
        ]

    @cached_property
    def probe(self) -> Seeds:
        """Seeds to look for kinks with: of unequal sizes, so that jumps do not cancel."""
        rng = np.random.default_rng(11)
        return tuple(rng.uniform(0.5, 2.0, shape) for shape in self.seed_shapes)

    @cached_property
    def kinked(self) -> bool:
        """Whether the derivative jumps at this point."""
        right = self(self.probe)
        noise = [ROUNDING * size for size in self.natural_sizes(self.probe)]
        for signs in self._directions(4):
            far = self._beside(BESIDE, signs)(self.probe)
            near = self._beside(BESIDE / 1024, signs)(self.probe)
            for c, f, n, least in zip(right, far, near, noise, strict=True):
                jump, before = np.abs(n - c), np.abs(f - c)
                seen = np.isfinite(jump) & (jump > 1e-7 * max(_largest(c), _largest(n)) + least)
                if np.any(seen & (jump > 0.25 * before)):
                    return True
                if np.any(np.isnan(c) & np.isfinite(n)):
                    return True
        return False

    @cached_property
    def _neighbours(self) -> list[Pull]:
        return [self._beside(BESIDE, signs) for signs in self._directions(48)]

    def pieces(self, seeds: Seeds) -> list[tuple[Array, ...]]:
        """The derivatives of the smooth pieces that meet here; what is valid is their convex hull."""
        key = tuple(s.tobytes() for s in seeds)
        if key not in self._pieces:
            self._pieces[key] = self._found_pieces(seeds)
        return self._pieces[key]

    def _found_pieces(self, seeds: Seeds) -> list[tuple[Array, ...]]:
        found: list[tuple[Array, ...]] = []
        for pull in self._neighbours:
            piece = pull(seeds)
            if all(np.isfinite(c).all() for c in piece) and not any(_same(piece, p) for p in found):
                found.append(piece)
        return found


def _quiet(pull: Pull) -> Pull:
    def quiet(seeds: Seeds) -> tuple[Array, ...]:
        with np.errstate(all="ignore"):
            return pull(seeds)

    return quiet


def _largest(value: Any) -> float:
    size = np.abs(np.asarray(value, dtype=float)) if np.size(value) else np.zeros(1)
    size = size[np.isfinite(size)]
    return float(size.max()) if size.size else 0.0


def _same(a: tuple[Array, ...], b: tuple[Array, ...]) -> bool:
    return all(
        bool(np.all(np.abs(p - q) <= 1e-7 * max(_largest(p), _largest(q)))) for p, q in zip(a, b, strict=True)
    )
