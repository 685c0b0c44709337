"""The missing factor, found by search: "your answer is the right one divided by ans".

The ratio of the student's numbers to the right ones is compared, entry by entry, with simple
expressions in g, the arguments and the answer; so is the ratio to g alone, which is the local
derivative that the student used, and the difference, which is a surplus or missing term.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from diffkit.grading.diagnosis.evidence import Hypothesis, Observation, close
from diffkit.grading.exercises import defaults

__all__ = ["constant_ratio", "epsilons", "factors", "fitted_factors"]

Array = np.ndarray[Any, Any]

FORMS: dict[str, Callable[[Array], Array]] = {
    "{v}": lambda v: v,
    "1 / {v}": lambda v: 1 / v,
    "{v} squared": lambda v: v * v,
    "1 / {v} squared": lambda v: 1 / (v * v),
    "1 + {v}": lambda v: 1 + v,
    "1 - {v}": lambda v: 1 - v,
    "1 / (1 + {v})": lambda v: 1 / (1 + v),
    "1 / (1 - {v})": lambda v: 1 / (1 - v),
    "{v} - 1": lambda v: v - 1,
    "{v} + 1 over {v}": lambda v: (v + 1) / v,
    "{v} - 1 over {v}": lambda v: (v - 1) / v,
    "the root of {v}": np.sqrt,
    "1 / the root of {v}": lambda v: 1 / np.sqrt(v),
    "|{v}|": np.abs,
    "1 / |{v}|": lambda v: 1 / np.abs(v),
    "the sign of {v}": np.sign,
    "exp({v})": np.exp,
    "exp(-{v})": lambda v: np.exp(-v),
    "1 - {v} squared": lambda v: 1 - v * v,
    "1 + {v} squared": lambda v: 1 + v * v,
    "{v} (1 - {v})": lambda v: v * (1 - v),
    "{v} (1 + {v})": lambda v: v * (1 + v),
    "log|{v}|": lambda v: np.log(np.abs(v)),
    "1 / log|{v}|": lambda v: 1 / np.log(np.abs(v)),
    "the sigmoid of {v}": lambda v: 1 / (1 + np.exp(-v)),
    "the sigmoid's derivative at {v}": lambda v: np.exp(-v) / (1 + np.exp(-v)) ** 2,
    "cos({v})": np.cos,
    "sin({v})": np.sin,
    "tan({v})": np.tan,
    "1 / tan({v})": lambda v: 1 / np.tan(v),
    "{v} cubed": lambda v: v**3,
    "1 / {v} cubed": lambda v: v**-3.0,
}

CONSTANTS = (1.0, -1.0, 2.0, -2.0, 0.5, -0.5)


def _quantities(o: Observation) -> dict[str, Array]:
    """What could stand beside an entry of the part: the arguments, the answer, keyword numbers, g."""
    found: dict[str, Any] = {"ans": o.ans, "g": o.g}
    for name, a in zip(o.exercise.arguments, o.args, strict=True):
        found[name] = np.asarray(a, dtype=float)
    for key, value in {**defaults(o.exercise.function), **o.truth.kwargs}.items():
        if isinstance(value, int | float) and not isinstance(value, bool) and key != "axis":
            found[key] = np.asarray(float(value))
    same = [(n, a) for n, a in found.items() if n in o.exercise.arguments and np.shape(a) == np.shape(o.x)]
    for (one, a), (two, b) in itertools.combinations(same, 2):
        found[f"{one} - {two}"] = a - b
    shape = o.right.shape
    usable = {}
    for name, v in found.items():
        try:
            usable[name] = np.array(np.broadcast_to(v, shape), dtype=float)
        except ValueError:
            continue
    return usable


def _factor(o: Observation, name: str, form: Callable[[Array], Array]) -> Array | None:
    v = _quantities(o).get(name)
    if v is None:
        return None
    factor = form(v)
    return factor if np.isfinite(factor).all() else None


def factors(first: Observation) -> Iterator[tuple[str, str, Hypothesis]]:
    """Expressions by which the right answer is multiplied, and local derivatives used in its place."""
    for constant in CONSTANTS:
        for name in _quantities(first):
            for text, form in FORMS.items():
                words = ("" if constant == 1 else f"{constant:g} times ") + text.format(v=name)

                def times(
                    o: Observation, name: str = name, form: Any = form, constant: float = constant
                ) -> Array | None:
                    factor = _factor(o, name, form)
                    return None if factor is None else constant * o.right * factor

                yield "missing factor", words, times
    if first.exercise.style == "jvp" or first.g.shape not in (first.right.shape, ()):
        return
    for constant in CONSTANTS:
        for name in _quantities(first):
            for text, form in FORMS.items():
                words = ("" if constant == 1 else f"{constant:g} times ") + text.format(v=name)

                def local(
                    o: Observation, name: str = name, form: Any = form, constant: float = constant
                ) -> Array | None:
                    factor = _factor(o, name, form)
                    if factor is None or o.g.shape not in (o.right.shape, ()):
                        return None
                    return constant * o.g * factor

                yield _other_operand(first, name, form, constant), words, local


def _other_operand(o: Observation, name: str, form: Callable[[Array], Array], constant: float) -> str:
    """The same formula may be right for another quantity: then that is what was confused."""
    for other, v in _quantities(o).items():
        if other not in (name, "g"):
            with np.errstate(all="ignore"):
                meant = constant * o.g * form(v)
            if np.isfinite(meant).all() and close(meant, o.right):
                return "ans for x" if "ans" in (name, other) else "operands swapped"
    return "wrong local derivative"


def fitted_factors(first: Observation) -> Iterator[tuple[str, str, Hypothesis]]:
    """A factor with a constant that is fitted, and the product of two: what is left to try."""
    if first.given.shape != first.right.shape or first.right.size < 3:
        return
    quantities = _quantities(first)
    forms = [(name, form, text.format(v=name)) for name in quantities for text, form in FORMS.items()]
    with np.errstate(all="ignore"):
        table = np.array([form(quantities[name]).ravel() for name, form, _ in forms])
        usable = np.isfinite(table).all(axis=1) & np.all(table != 0, axis=1)
        usable &= np.ptp(table, axis=1) > 1e-6 * np.abs(table).max(axis=1)
    forms, table = [f for f, ok in zip(forms, usable, strict=True) if ok], table[usable]
    for name, start in (("missing factor", _right), ("wrong local derivative", _cotangent)):
        begun = start(first)
        if begun is None or not np.all(begun):
            continue
        ratio = (first.given / begun).ravel()
        if not np.isfinite(ratio).all() or not np.all(ratio) or not len(table):
            continue
        left = ratio / table
        for k in np.flatnonzero(np.ptp(left, axis=1) <= 1e-8 * np.abs(left).max(axis=1)):
            constant = float(np.median(left[k]))
            for scalar in _scalars(first, constant):
                yield name, f"{scalar[2]} times {forms[k][2]}", _scaled(start, 1.0, [scalar, forms[k]])
            yield name, f"{constant:.6g} times {forms[k][2]}", _scaled(start, constant, [forms[k]])
        for i, rest in enumerate(left if first.right.size > 3 else ()):
            again = rest / table[i + 1 :]
            for j in np.flatnonzero(np.ptp(again, axis=1) <= 1e-8 * np.abs(again).max(axis=1)):
                pair = [forms[i], forms[i + 1 + j]]
                constant = float(np.median(again[j]))
                lead = "" if abs(constant - 1) < 1e-8 else f"{constant:.6g} times "
                yield name, f"{lead}{pair[0][2]} times {pair[1][2]}", _scaled(start, constant, pair)


Form = tuple[str, Callable[[Array], Array], str]


def _scalars(o: Observation, constant: float) -> Iterator[Form]:
    """What a constant may be: an expression in the answer, if that is one number, or in a keyword."""
    for name, v in _quantities(o).items():
        if v.size and np.ptp(v) == 0:
            for text, form in FORMS.items():
                with np.errstate(all="ignore"):
                    if close(form(v.flat[0]), constant, 1e-8):
                        yield name, form, text.format(v=name)


def _right(o: Observation) -> Array | None:
    return o.right


def _cotangent(o: Observation) -> Array | None:
    fits = o.exercise.style != "jvp" and o.g.shape in (o.right.shape, ())
    return np.array(np.broadcast_to(o.g, o.right.shape)) if fits else None


def _scaled(start: Hypothesis, constant: float, parts: list[Form]) -> Hypothesis:
    def predict(o: Observation) -> Array | None:
        answer = start(o)
        for name, form, _ in parts:
            factor = _factor(o, name, form)
            if factor is None or answer is None:
                return None
            answer = answer * factor
        return None if answer is None else constant * answer

    return predict


def constant_ratio(o: Observation) -> float | None:
    """The one number by which the right answer was multiplied, if it is one."""
    if o.given.shape != o.right.shape or not np.any(o.right) or not np.isfinite(o.given).all():
        return None
    right = np.where(np.isfinite(o.right), o.right, 0.0)
    ratio = float(np.sum(o.given * right) / np.sum(right * right))
    return ratio if ratio and close(o.given, ratio * right, atol=abs(ratio) * o.tolerance) else None


def epsilons(first: Observation) -> Iterator[tuple[str, str, Hypothesis]]:
    """An epsilon added to a denominator: to an argument, to the answer, or to the square of one."""
    powers = (1, 2)
    for name in _quantities(first):
        if name == "g":
            continue
        for power in powers:
            v = _quantities(first)[name] ** power
            with np.errstate(all="ignore"):
                implied = (
                    v * (first.right / first.given - 1)
                    if first.given.shape == first.right.shape
                    else v * np.nan
                )
            found = implied[np.isfinite(implied) & (implied != 0)]
            if not found.size:
                continue
            epsilon = _rounded(float(np.median(found)))
            if not 1e-14 < abs(epsilon) < 0.5:
                continue

            def predict(
                o: Observation, name: str = name, power: int = power, epsilon: float = epsilon
            ) -> Array | None:
                v = _quantities(o).get(name)
                return None if v is None else o.right * v**power / (v**power + epsilon)

            yield "epsilon misplaced", f"{epsilon:g} beside {name}", predict


def _rounded(epsilon: float) -> float:
    """A number to one digit: students' epsilons are powers of ten, or a half or twice one."""
    return float(f"{epsilon:.0e}")
