"""``check_formula``: whether a formula is the derivative of another, and by which slip it isn't.

>>> check_formula("2x cos(x^2)", of="sin(x^2)", by="x").passed
True
>>> print(check_formula("cos(x^2)", of="sin(x^2)", by="x"))
wrong: inner derivative forgotten, at sin(x**2); at x = ... yours is ..., right is ...
"""

from __future__ import annotations

import ast
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from typing import Any

import mpmath
import sympy

from diffkit.errors import InputError
from diffkit.grading.formulas.reading import CONSTANTS, FUNCTIONS, read
from diffkit.grading.formulas.slips import slips
from diffkit.grading.formulas.values import at
from diffkit.grammar import ARITHMETIC
from diffkit.symbolic import diff
from diffkit.time_limit import BudgetError, within

SECONDS = 3.0
"""Of the processor, that a proof, and the search for a slip, may take each."""

_OURS = 100_000, 200
"""Characters and levels that a derivative of ours may have."""

_FEWEST = 3
"""Points at which both must have a value before they are called equal."""

_Point = dict[str, Fraction]


@dataclass(frozen=True)
class FormulaVerdict:
    """What ``check_formula`` found.

    Attributes:
        passed: whether the answer is the derivative.
        how: ``"proof"`` if the difference was simplified to 0, ``"samples"`` if both agree to 25 digits
            at exact rational points; of a wrong answer, ``"samples"``, as one point refutes.
        slips: what was done wrong: the names of all slips that make just this answer, or none.
        part: the part of the formula at which the first of them happened.
        point: values of the variables where the two differ.
        given, right: their values there; ``given`` is None where the answer has none.

    >>> check_formula("3x", of="x^3", by="x").slips
    ()
    """

    passed: bool
    how: str
    slips: tuple[str, ...] = ()
    part: str | None = None
    point: dict[str, Fraction] | None = None
    given: float | None = None
    right: float | None = None

    def __str__(self) -> str:
        if self.passed:
            return f"right, by {self.how}"
        named = f"{' or '.join(self.slips)}, at {self.part}; " if self.slips else ""
        where = ", ".join(f"{name} = {value}" for name, value in (self.point or {}).items())
        yours = "has no value" if self.given is None else f"is {self.given:.4g}"
        return f"wrong: {named}at {where} yours {yours}, right is {self.right:.4g}"


def check_formula(answer: str, *, of: str, by: str, names: tuple[str, ...] = ()) -> FormulaVerdict:
    """Whether ``answer`` is the derivative of the formula ``of`` by the variable ``by``.

    The answer is read into a tree of known names and is never run, so any text may be given. It is held
    against the derivative at exact rational points, in 80 digits; one that agrees is proved if SymPy can.

    Args:
        answer: what the student wrote, in Python's, SymPy's or a calculator's way, as ``"2x cos(x^2)"``.
        of: the formula that is differentiated, of real numbers.
        by: the variable.
        names: the other variables, or constants with a name.

    Returns:
        Whether it is, and if not, the slips that make just this answer and a point where the two differ.

    Raises:
        InputError: for text that can't be read, with the part and what to write instead.

    >>> check_formula("1/x", of="ln(a x)", by="x", names=("a",)).how
    'proof'
    >>> check_formula("2 x sin(x)", of="x^2 sin(x)", by="x").slips
    ('product rule with one term',)
    """
    variables = (by, *names)
    for name in variables:
        if not name.isidentifier() or name in FUNCTIONS:
            raise InputError(f"{name!r} can't be the name of a variable here")
    student = read(answer, variables)
    symbols = {name: sympy.Symbol(name, real=True) for name in variables}
    forward = _symbolic(read(of, variables), symbols)
    derivative = diff(forward, symbols[by])
    points = _points(variables, f"{answer} {of}")
    samples = list(_values(_tree(derivative, variables), points))
    if len(samples) < _FEWEST:
        raise InputError(f"the derivative of {of!r} has no value at the points tried: choose another formula")
    found = _differs(student, samples)
    if found is None:
        return FormulaVerdict(True, _how(student, derivative, symbols))
    point, given, right = found
    made, part = _slips(student, forward, symbols[by], samples)
    shown = None if given is None else float(given)
    return FormulaVerdict(False, "samples", made, part, point, shown, float(right))


def _points(names: tuple[str, ...], seed: str) -> Iterator[_Point]:
    """Rationals of either sign, of the unit interval, and larger ones: somewhere a formula has a value.

    They follow from the texts, so that a verdict is the same every time, and their denominators are many, so
    that no answer can be made wrong everywhere but there.
    """
    draw = random.Random(seed)
    for low, high in [(1.0, 2.5), (-4.0, 4.0), (0.02, 0.98), (1.1, 3.0)] * 4:
        below = [draw.randint(101, 999) for _ in names]
        yield {n: Fraction(round(draw.uniform(low, high) * d), d) for n, d in zip(names, below, strict=True)}


def _tree(expr: Any, names: tuple[str, ...]) -> ast.expr:
    """A derivative of ours as the tree of a formula; it may well be longer than what is read of a student."""
    return read(str(expr), names, *_OURS)


def _values(tree: ast.expr, points: Iterable[_Point]) -> Iterator[tuple[_Point, Any]]:
    """The points at which a formula has a value, each with it."""
    for point in points:
        if (value := at(tree, point)) is not None:
            yield point, value


def _differs(student: ast.expr, samples: list[tuple[_Point, Any]]) -> tuple[_Point, Any, Any] | None:
    agreed, without = 0, None
    for point, right in samples:
        given = at(student, point)
        if given is None:
            without = without or (point, None, right)
        elif not _close(given, right):
            return point, given, right
        else:
            agreed += 1
    return None if agreed >= _FEWEST else without


def _close(a: Any, b: Any) -> bool:
    return bool(abs(a - b) <= mpmath.mpf(10) ** -25 * max(abs(a), abs(b), mpmath.mpf(10) ** -10))


def _symbolic(tree: ast.expr, symbols: dict[str, Any]) -> Any:
    """The tree in SymPy; only of formulas whose values are of moderate size, or a course's own."""
    match tree:
        case ast.Constant(value=int() | float() as number):
            return sympy.Rational(str(number))
        case ast.Name(id=name) if name in symbols:
            return symbols[name]
        case ast.Name(id=name) if name in CONSTANTS:
            return sympy.pi if name == "pi" else sympy.E
        case ast.UnaryOp(op=op, operand=inner):
            return _symbolic(inner, symbols) * (-1 if isinstance(op, ast.USub) else 1)
        case ast.BinOp(left=left, op=op, right=right):
            return ARITHMETIC[type(op)](_symbolic(left, symbols), _symbolic(right, symbols))
        case ast.Call(func=ast.Name(id=("log2" | "log10") as name), args=[inner]):
            return sympy.log(_symbolic(inner, symbols)) / sympy.log(int(name[3:]))
        case ast.Call(func=ast.Name(id=name), args=[inner]):
            return getattr(sympy, name)(_symbolic(inner, symbols))
    raise InputError("this is no formula of numbers, variables and functions")


def _how(student: ast.expr, derivative: Any, symbols: dict[str, Any]) -> str:
    def proved() -> bool:
        return bool(sympy.simplify(_symbolic(student, symbols) - derivative) == 0)

    try:
        return "proof" if within(SECONDS, proved, "the proof", worked=True) else "samples"
    except BudgetError:
        return "samples"


def _slips(
    student: ast.expr, forward: Any, x: Any, samples: list[tuple[_Point, Any]]
) -> tuple[tuple[str, ...], str | None]:
    """The slips that make just this answer, at every point, and the part where the first of them happened."""
    points = [point for point, _ in samples]

    def search() -> dict[str, str]:
        found: dict[str, str] = {}
        for name, part, wrong in slips(forward, x):
            if name in found:
                continue
            try:
                tree = _tree(wrong, tuple(points[0]))
            except InputError:  # a slip may make what is no formula, as 1/0
                continue
            first = list(islice(_values(tree, points), _FEWEST))  # most slips are told apart there
            if len(first) < _FEWEST or _differs(student, first) is not None:
                continue
            if _differs(student, list(_values(tree, points))) is None:
                found[name] = str(part)
        return found

    try:
        found = within(SECONDS, search, "the search for a slip", worked=True)
    except BudgetError:
        return (), None
    return tuple(found), next(iter(found.values()), None)
