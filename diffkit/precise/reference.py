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

__all__ = ["Kink", "Reference", "reference_derivative"]


@dataclass(frozen=True, slots=True)
class Kink:
    """A coordinate along which the one-sided derivatives differ.

    Attributes:
        coordinate: its number among the floats of the arguments.
        name: what the user would write: ``x[2]``.
        output: the number of the output that has the kink.
        left: the derivative from the left; nan where f has no value there.
        right: the derivative from the right.
    """

    coordinate: int
    name: str
    output: int
    left: float
    right: float


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
    (Kink(coordinate=0, name='x0', output=0, left=0.0, right=1.0),)
    """
    leaves, structure = flatten(tuple(args))
    if names is None:
        names = [f"x{k}" for k in range(len(args))]
    places, labels = _coordinates(leaves, structure, names)
    chosen = tuple(range(len(places)) if coordinates is None else [operator.index(c) for c in coordinates])
    if not places or any(not 0 <= c < len(places) for c in chosen):
        raise InputError(
            f"the arguments have {len(places)} floats to differentiate by; coordinates are numbers from 0 to "
            f"{len(places) - 1}, got {list(chosen)}"
            if places
            else "none of the arguments is a float or has floats in it: nothing to differentiate by"
        )
    k = digits // 2 + 5

    def outputs_at(home: Arithmetic, place: tuple[int, Any] | None, shift: Any) -> tuple[Any, list[Any]]:
        lifted = [lift(leaf, home) for leaf in leaves]
        if place is not None:
            leaf, index = place
            if isinstance(lifted[leaf], np.ndarray):
                lifted[leaf][index] = lifted[leaf][index] + shift
            else:
                lifted[leaf] = lifted[leaf] + shift
        result = run(f, structure.unflatten(lifted), home)
        return result, _flat_numbers(result, home)

    middles: dict[int, tuple[Any, list[Any]]] = {}
    columns, kinks, evaluations = [], [], 0
    for c in chosen:
        leaf, index = places[c]
        x = leaves[leaf][index] if isinstance(leaves[leaf], np.ndarray) else leaves[leaf]
        size = abs(complex(x))
        exponent = k + (max(0, math.ceil(-math.log10(size))) if 0 < size < 1 else 0)
        # Digits for h, for x beside h, and for the part that the subtraction takes.
        needed = digits + exponent + 35 + (math.ceil(2 * math.log10(size)) if size > 1 else 0)
        home = arithmetic(-(-needed // 25) * 25, False, True)
        if home.digits not in middles:
            middles[home.digits] = outputs_at(home, None, None)
        h = precise(home.mp.mpf(10) ** -exponent, home)
        middle = middles[home.digits][1]

        def one_sided(
            h: Any, home: Arithmetic = home, middle: list[Any] = middle, c: int = c
        ) -> list[tuple[Any, Any]]:
            above, below = (outputs_at(home, places[c], shift)[1] for shift in (h, -h))
            if not len(above) == len(below) == len(middle):
                raise InputError(f"f returns {len(middle)} numbers at the point, but another count beside it")
            return [((y - b) / h, (a - y) / h) for a, y, b in zip(above, middle, below, strict=True)]

        sides = one_sided(h)
        columns.append([(left + right) / 2 for left, right in sides])
        suspects = [m for m, (left, right) in enumerate(sides) if _differ(left, right, digits)]
        if suspects:  # where f is smooth, the difference is h f'' and goes away with h
            finer = one_sided(h / 2**40)
            evaluations += 2
        for m in suspects:
            left, right = finer[m]
            gap, before = abs(right - left), abs(sides[m][1] - sides[m][0])
            if not gap * 16 < before:
                kinks.append(Kink(c, labels[c], m, _as_float(left), _as_float(right)))
    value, middle = next(iter(middles.values())) if middles else outputs_at(arithmetic(digits), None, None)
    released = arithmetic(digits)
    partials = np.empty((len(middle), len(chosen)), dtype=object).view(PreciseArray)
    for j, column in enumerate(columns):
        partials[:, j] = [precise(released.mp.mpmathify(p.value), released) for p in column]
    out_leaves, out_structure = flatten(value)
    return Reference(
        partials=partials,
        value=out_structure.unflatten([release(leaf, released) for leaf in out_leaves]),
        coordinates=chosen,
        names=tuple(labels[c] for c in chosen),
        kinks=tuple(kinks),
        digits=digits,
        evaluations=evaluations + 2 * len(chosen) + len(middles),
    )


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


def _differ(left: Any, right: Any, digits: int) -> bool:
    """Whether one-sided differences differ by more than the step explains."""
    if left.isnan() or right.isnan() or left.isinf() or right.isinf():
        return True
    scale = max(abs(left), abs(right))
    return bool(abs(right - left) > scale * Fraction(1, 10 ** (digits // 5)))


def _as_float(number: Precise) -> float:
    return number.real._nearest_float()
