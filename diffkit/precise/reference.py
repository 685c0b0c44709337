"""The derivative by its definition, to many digits: it knows no rule."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from diffkit.containers import Structure, flatten, paths
from diffkit.errors import InputError
from diffkit.precise.arrays import PreciseArray
from diffkit.precise.number import Arithmetic, Precise, arithmetic, precise
from diffkit.precise.running import lift, release, run


@dataclass(frozen=True, slots=True)
class Kink:
    """A coordinate along which there is no derivative, and why.

    Attributes:
        coordinate: its number among the floats of the arguments.
        name: what the user would write: ``x[2]``.
        output: the number of the output that has the kink.
        left: the derivative from the left; nan where f has no value there, or no limit.
        right: the derivative from the right.
        kind: "kink" (the one-sided derivatives differ), "jump", "infinite" (a slope that grows without
            bound), "edge" (f has values on one side only), "isolated" (on neither), "unsettled" (the
            difference quotients have no limit).
    """

    coordinate: int
    name: str
    output: int
    left: float
    right: float
    kind: str = "kink"

    def sentence(self, x: float, outputs: int = 1) -> str:
        """What is said of it, wherever it is met.

        >>> reference_derivative(np.sqrt, [0.0]).kinks[0].sentence(0.0)
        'no derivative at x0 = 0: the slope is infinite (from the right), and f has no values on the left'
        """
        where = f"{self.name} = {x:.6g}"
        of = f" of output {self.output + 1}" if outputs > 1 else ""
        side = "left" if math.isnan(self.left) else "right"
        why = {
            "kink": f"from the left it is {self.left:.6g}, from the right {self.right:.6g}",
            "jump": "f jumps",
            "isolated": "f has no values beside it",
            "unsettled": "the difference quotients have no limit",
        }.get(self.kind)
        if self.kind == "edge":
            held, other = (self.right, "right") if side == "left" else (self.left, "left")
            why = f"f has no values on the {side}; from the {other} it is {held:.6g}"
        elif self.kind == "infinite":
            why = "the slope is infinite"
            if math.isnan(self.left) or math.isnan(self.right):
                other = "right" if side == "left" else "left"
                why += f" (from the {other}), and f has no values on the {side}"
            elif not math.isfinite(self.left) and not math.isfinite(self.right) and self.left != self.right:
                why += " (a cusp)"
            elif math.isfinite(self.left) or math.isfinite(self.right):
                finite, other = (self.left, "left") if math.isfinite(self.left) else (self.right, "right")
                why += f" on one side; from the {other} it is {finite:.6g}"
        return f"no derivative{of} at {where}: {why}"


@dataclass(frozen=True, slots=True)
class Reference:
    """Derivatives to many digits.

    Attributes:
        partials: Precise numbers (outputs, coordinates): the Jacobian's chosen columns, outputs and
            inputs each counted flat. At a kink, the mean of the one-sided derivatives.
        value: f's result, in its own structure, as Precise numbers.
        coordinates: the chosen coordinates' numbers among all the floats of the arguments.
        names: what the user would call them: ``x``, ``x[1, 2]``, ``args[0]['w'][3]``.
        kinks: where the one-sided derivatives differ.
        digits: how many digits of ``partials`` hold.
        evaluations: how many times f was run.
    """

    partials: Any
    value: Any
    coordinates: tuple[int, ...]
    names: tuple[str, ...]
    kinks: tuple[Kink, ...]
    digits: int
    evaluations: int

    def floats(self) -> Any:
        """``partials`` correctly rounded: an array (outputs, coordinates), complex if any of it is."""
        kind = complex if any(p._complex for p in self.partials.flat) else float
        return self.partials.astype(kind)


def reference_derivative(
    f: Callable[..., Any],
    args: Sequence[Any],
    *,
    coordinates: Sequence[int] | None = None,
    digits: int = 50,
    names: Sequence[str] | None = None,
) -> Reference:
    """The Jacobian of f, correct to ``digits`` digits and independent of any derivative rule.

    Central differences with a step h of 10**-(digits/2 + 5) or less leave a truncation error of
    h**2 f'''/6; the arithmetic has so many digits more that subtraction and division lose none of
    those asked for.

    Args:
        f: the program.
        args: its arguments, as a sequence; integers and texts among them are held fixed.
        coordinates: which floats to differentiate by, counted through all the arguments in order;
            all of them by default. The cost is two runs of f for each, and one more.
        digits: how many digits to deliver, if f's first three derivatives are of like size.
        names: what to call the arguments in ``Reference.names``.

    Raises:
        InputError: if f can't be run on Precise numbers (with the reason), has no float argument,
            or ``coordinates`` names one that isn't there.

    >>> import numpy as np
    >>> reference_derivative(lambda x: np.sin(x), [1.0], digits=30).partials[0, 0]
    Precise(0.540302305868139717400936607...)
    >>> reference_derivative(lambda x: np.maximum(x, 0.0), [0.0]).kinks
    (Kink(coordinate=0, name='x0', output=0, left=0.0, right=1.0, kind='kink'),)
    """
    program = _Program(f, args, names)
    count = len(program.places)
    chosen = tuple(range(count) if coordinates is None else [operator.index(c) for c in coordinates])
    if not count:
        raise InputError(
            "none of the arguments is a float or has floats in it: there is nothing to differentiate by"
        )
    if any(not 0 <= c < count for c in chosen):
        raise InputError(
            f"the arguments have {count} floats to differentiate by; coordinates are numbers from 0 to "
            f"{count - 1}, got {list(chosen)}"
        )
    columns, kinks = [], []
    for c in chosen:
        home, h = _scaled(program.size(c), digits)
        sides = program.one_sided(c, h, home)
        columns.append([(left + right) / 2 for left, right in sides])
        suspects = [m for m, (left, right) in enumerate(sides) if _is_suspect(left, right, digits)]
        # Where f is smooth, the difference is h f'' and goes away with h; at a kink it stays.
        finer = [program.one_sided(c, h / 2**k, home) for k in (_FINER, 2 * _FINER)] if suspects else []
        for m in suspects:
            left, right = finer[0][m]
            gap, before = abs(right - left), abs(sides[m][1] - sides[m][0])
            *slopes, kind = _kind_of_kink(*zip(sides[m], finer[0][m], finer[1][m], strict=True))
            if kind != "kink" or (_differ(left, right, digits) and not gap * 16 < before):
                kinks.append(Kink(c, program.names[c], m, slopes[0], slopes[1], kind))
    released = arithmetic(digits)
    value = program.value(_scaled(program.size(chosen[0] if chosen else 0), digits)[0])
    outputs = len(_flat_numbers(value, released))
    partials = np.empty((outputs, len(chosen)), dtype=object).view(PreciseArray)
    for j, column in enumerate(columns):
        partials[:, j] = [precise(released.mp.mpmathify(p.value), released) for p in column]
    leaves, structure = flatten(value)
    return Reference(
        partials=partials,
        value=structure.unflatten([release(leaf, released) for leaf in leaves]),
        coordinates=chosen,
        names=tuple(program.names[c] for c in chosen),
        kinks=tuple(kinks),
        digits=digits,
        evaluations=program.evaluations,
    )


_FINER = 40
"""Each finer step is so many halvings smaller, so that what grows like 1/h is told from what stays."""


def _kind_of_kink(left: Sequence[Precise], right: Sequence[Precise]) -> tuple[float, float, str]:
    """The one-sided derivatives, and what they are together, from quotients at three ever finer steps."""
    sides = [_side(left), _side(right)]
    slopes, kinds = [slope for slope, _ in sides], {kind for _, kind in sides}
    if kinds == {"none"}:
        return math.nan, math.nan, "isolated"
    for kind in ("jump", "infinite", "unsettled"):
        if kind in kinds:
            return slopes[0], slopes[1], kind
    return slopes[0], slopes[1], "edge" if "none" in kinds else "kink"


def _side(quotients: Sequence[Precise]) -> tuple[float, str]:
    """A one-sided derivative, and whether its quotients settle, grow like 1/h, grow slower, or neither."""
    if not all(q.isfinite() for q in quotients):
        return math.nan, "none"
    first, second, third = (abs(q) for q in quotients)
    if abs(quotients[2] - quotients[1]) * 2**20 <= third:
        return _as_float(quotients[2]), "settled"
    if third * 2**20 < max(first, Fraction(1)):
        return 0.0, "settled"
    ahead = math.inf if quotients[2] > 0 else -math.inf
    if second > first * 2 ** (_FINER - 1):
        return ahead, "jump"
    growth = [second - first, third - second]
    if Fraction(0) < growth[0] <= growth[1] * 2:  # as log h does, or faster
        return ahead, "infinite"
    return math.nan, "unsettled"


def _scaled(size: float, digits: int) -> tuple[Arithmetic, Precise]:
    """The arithmetic and the step for a coordinate of this size.

    Beside x = 1e-30 a step must be smaller still; beside x = 1e30 the arithmetic must hold both x
    and the step. And it must have the digits that the subtraction takes.
    """
    exponent = digits // 2 + 5 + (math.ceil(-math.log10(size)) if 0 < size < 1 else 0)
    needed = digits + exponent + 35 + (math.ceil(2 * math.log10(size)) if size > 1 else 0)
    home = arithmetic(25 * math.ceil(needed / 25), False, True)
    return home, precise(home.mp.mpf(10) ** -exponent, home)


class _Program:
    """f and its arguments, run with one coordinate moved."""

    def __init__(self, f: Callable[..., Any], args: Sequence[Any], names: Sequence[str] | None) -> None:
        self.f = f
        self.leaves, self.structure = flatten(tuple(args))
        labels = [f"x{k}" for k in range(len(args))] if names is None else names
        self.places, self.names = _coordinates(self.leaves, self.structure, labels)
        self.evaluations = 0
        self._values: dict[int, Any] = {}

    def size(self, c: int) -> float:
        """The size of a coordinate."""
        leaf, index = self.places[c]
        x = self.leaves[leaf][index] if isinstance(self.leaves[leaf], np.ndarray) else self.leaves[leaf]
        return abs(complex(x))

    def value(self, home: Arithmetic) -> Any:
        """f's result at the point itself, run once for each arithmetic."""
        if home.digits not in self._values:
            self._values[home.digits] = self._run(home)
        return self._values[home.digits]

    def one_sided(self, c: int, h: Precise, home: Arithmetic) -> list[tuple[Any, Any]]:
        """The differences to the left and to the right along a coordinate, for each output."""
        middle = _flat_numbers(self.value(home), home)
        above, below = (_flat_numbers(self._run(home, c, shift), home) for shift in (h, -h))
        if not len(above) == len(below) == len(middle):
            raise InputError(f"f returns {len(middle)} numbers at the point, but another count beside it")
        return [((y - b) / h, (a - y) / h) for a, y, b in zip(above, middle, below, strict=True)]

    def _run(self, home: Arithmetic, c: int | None = None, shift: Any = None) -> Any:
        lifted = [lift(leaf, home) for leaf in self.leaves]
        if c is not None:
            leaf, index = self.places[c]
            if isinstance(lifted[leaf], np.ndarray):
                lifted[leaf][index] = lifted[leaf][index] + shift
            else:
                lifted[leaf] = lifted[leaf] + shift
        self.evaluations += 1
        return run(self.f, self.structure.unflatten(lifted), home)


def _coordinates(
    leaves: Sequence[Any], structure: Structure, names: Sequence[str]
) -> tuple[list[tuple[int, Any]], list[str]]:
    """Where each float of the arguments is, as (leaf, index in it), and its name."""
    places: list[tuple[int, Any]] = []
    labels: list[str] = []
    prefixes = [
        path for name, child in zip(names, structure.children, strict=True) for path in paths(child, name)
    ]
    for k, (leaf, prefix) in enumerate(zip(leaves, prefixes, strict=True)):
        if isinstance(leaf, np.ndarray):
            if leaf.dtype == object or np.issubdtype(leaf.dtype, np.inexact):
                for index in np.ndindex(leaf.shape):
                    places.append((k, index))
                    labels.append(prefix + (f"[{', '.join(map(str, index))}]" if index else ""))
        elif isinstance(leaf, (float, complex, np.inexact, Fraction, Precise)):
            places.append((k, ()))
            labels.append(prefix)
    return places, labels


def _flat_numbers(result: Any, home: Arithmetic) -> list[Any]:
    """All the numbers of a result, in order."""
    numbers: list[Any] = []
    for leaf in flatten(result)[0]:
        for entry in leaf.reshape(-1) if isinstance(leaf, np.ndarray) else [leaf]:
            number = home.lift(entry)
            if number is not None:
                numbers.append(precise(number, home))
    return numbers


def _is_suspect(left: Any, right: Any, digits: int) -> bool:
    """Whether one-sided differences differ, or are as large as over a jump or where a slope is infinite."""
    return _differ(left, right, digits) or bool(abs(left) > _STEEP)


_STEEP = 10**7


def _differ(left: Any, right: Any, digits: int) -> bool:
    """Whether one-sided differences differ by more than the step explains."""
    if left.isnan() or right.isnan() or left.isinf() or right.isinf():
        return True
    scale = max(abs(left), abs(right))
    return bool(abs(right - left) > scale * Fraction(1, 10 ** (digits // 5)))


def _as_float(number: Precise) -> float:
    return number.real._nearest_float()
