"""The missing factor, found by search: "your answer is the right one divided by ans".

The ratio of the student's numbers to the right ones is compared, entry by entry, with simple
expressions in g, the arguments and the answer; so is the ratio to g alone, which is the local
derivative that the student used, and the difference, which is a surplus or missing term.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from diffkit.grading.diagnosis.evidence import Hypothesis, Observation, close

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

Form = tuple[str, Callable[[Array], Array], str]
"""A quantity, a function of it, and both in words."""

CONSTANTS = (1.0, -1.0, 2.0, -2.0, 0.5, -0.5)


def _factor(o: Observation, name: str, form: Callable[[Array], Array]) -> Array | None:
    v = o.quantities.get(name)
    if v is None:
        return None
    factor = form(v)
    return factor if np.isfinite(factor).all() else None


def factors(first: Observation) -> Iterator[tuple[str, str, Hypothesis]]:
    """Expressions by which the right answer is multiplied, and local derivatives used in its place.

    There are thousands: all are compared with the first observation's numbers at once.
    """
    if first.given.shape != first.right.shape:
        return
    forms, table = _table(first)
    for start in (_right, _cotangent, _averaged):
        begun = start(first)
        if begun is None:
            continue
        for constant in CONSTANTS:
            with np.errstate(all="ignore"):
                rows = constant * begun.ravel() * table
            for k in np.flatnonzero(_near(first, rows)):
                name, form, text = forms[k]
                words = ("" if constant == 1 else f"{constant:g} times ") + text
                what = "missing factor" if start is _right else _other_operand(first, name, form, constant)
                yield what, words, _scaled(start, constant, [forms[k]])


def _table(o: Observation) -> tuple[list[Form], Array]:
    """Every form of every quantity, and their values, a row each; those that are finite."""
    simplest_first = [(name, text) for text in FORMS for name in o.quantities]
    forms = [(name, FORMS[text], text.format(v=name)) for name, text in simplest_first]
    with np.errstate(all="ignore"):
        table = np.array([form(o.quantities[name]).ravel() for name, form, _ in forms])
    usable = np.isfinite(table).all(axis=1)
    return [f for f, ok in zip(forms, usable, strict=True) if ok], table[usable]


def _near(o: Observation, rows: Array) -> Array:
    """Which rows are worth a closer look: nearly the student's numbers, where those are finite."""
    given = o.given.ravel()
    finite = np.isfinite(given)
    allowed = (
        1e-6 * np.abs(given[finite]).max(initial=0.0)
        + 2 * np.broadcast_to(o.tolerance, o.right.shape).ravel()[finite]
    )
    with np.errstate(all="ignore"):
        return np.asarray(np.all(np.abs(rows[:, finite] - given[finite]) <= allowed, axis=1))


def _other_operand(o: Observation, name: str, form: Callable[[Array], Array], constant: float) -> str:
    """The same formula may be right for another quantity: then that is what was confused."""
    for other, v in o.quantities.items():
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
    forms, table = _table(first)
    telling = np.all(table != 0, axis=1) & (np.ptp(table, axis=1) > 1e-6 * np.abs(table).max(axis=1))
    forms, table = [f for f, ok in zip(forms, telling, strict=True) if ok], table[telling]
    for name, start in (
        ("missing factor", _right),
        ("wrong local derivative", _cotangent),
        ("wrong local derivative", _averaged),
    ):
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


def _scalars(o: Observation, constant: float) -> Iterator[Form]:
    """What a constant may be: an expression in the answer, if that is one number, or in a keyword."""
    for name, v in o.quantities.items():
        if v.size and np.ptp(v) == 0:
            for text, form in FORMS.items():
                with np.errstate(all="ignore"):
                    if close(form(v.flat[0]), constant, 1e-8):
                        yield name, form, text.format(v=name)


def _right(o: Observation) -> Array | None:
    return o.right


def _cotangent(o: Observation) -> Array | None:
    fits = len(o.seeds) == 1 and o.g.shape in (o.right.shape, ())
    return np.array(np.broadcast_to(o.g, o.right.shape)) if fits else None


def _averaged(o: Observation) -> Array | None:
    """What each entry gets of g if the answer is a mean of terms, one for each entry, as losses are."""
    if len(o.seeds) != 1 or o.ans.shape or not o.right.shape or not o.right.size:
        return None
    return np.full(o.right.shape, o.g / o.right.size)


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
