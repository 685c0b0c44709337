"""The value of an expression at a point: in floats or arrays, to any number of digits, or exactly.

An expression is evaluated over its shared graph, every distinct node once, without recursion, in
one of three arithmetics: NumPy's, mpmath's, or that of fractions.

>>> import sympy
>>> x = sympy.Symbol("x")
>>> evaluate(sympy.sqrt(x), {x: 2})
1.4142135623730951
>>> print(mpmath.nstr(evaluate(sympy.sqrt(x), {x: 2}, precision=30), 30))
1.41421356237309504880168872421
>>> evaluate(x**2 / 3, {x: 2}, exact=True)
Fraction(4, 3)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import sympy

from diffkit.errors import DomainError, InputError
from diffkit.expressions import Expression, SymbolicNumber, intern, short
from diffkit.symbolic.budget import BudgetError
from diffkit.symbolic.values.arithmetics import DIGITS, EXACT, FLOATS, IEEE, Arithmetic
from diffkit.symbolic.values.interpreter import Interpreter
from diffkit.symbolic.values.powers import stable_at_zero
from diffkit.symbolic.values.prerequisites import Loops, operands_first


def evaluate(
    expr: Any,
    values: Mapping[Any, Any],
    *,
    precision: int | None = None,
    exact: bool = False,
    functions: Mapping[str, Callable[..., Any]] | None = None,
) -> Any:
    """The value of an expression where its symbols have the given values.

    Args:
        expr: a SymPy expression of any depth, or a list or matrix of them.
        values: by symbol, or by element such as a[1]: numbers, or arrays, which broadcast. Floats stand
            for their exact binary value. A symbol that does not occur does no harm.
        precision: a number of decimal digits: the result is an mpmath number that is right to that
            many, because it is computed with more and more digits until two results agree.
        exact: fractions throughout; only for rational operations.
        functions: what undefined functions, or SymPy's rarer ones, compute: ``{"f": math.sin}``.

    Returns:
        A float, an array (floats keep their precision, integers become float64), an ``mpf`` or a
        ``Fraction``; for a list or matrix, a list or an object array of its shape.

    Raises:
        InputError: for a symbol without a value, or what has no exact value.
        DomainError: where fractions or mpmath meet a division by zero.
        NoRuleError: for a function that nothing computes, by name.
        BudgetError: for Sums and Products of more terms than ten million (a hundred thousand in fractions
            or many digits), or nested more than some hundred deep; for exact powers of more than ten
            million digits; for a precision of more than ten thousand digits, or one that is not reached
            with twenty times as many, or a function where its argument has nine hundred before the point.

    >>> import sympy
    >>> x, y = sympy.symbols("x y")
    >>> evaluate(x / y, {x: 1.0, y: np.array([2.0, 4.0])})
    array([0.5 , 0.25])
    >>> evaluate([x, x**2], {x: 3}, exact=True)
    [Fraction(3, 1), Fraction(9, 1)]
    """
    if isinstance(expr, sympy.MatrixBase):
        array = np.empty(expr.shape, dtype=object)
        array.flat[:] = evaluate(list(expr), values, precision=precision, exact=exact, functions=functions)
        return array
    if exact and precision is not None:
        raise InputError("exact=True and precision= are two ways to evaluate; give one of them")
    if not isinstance(values, Mapping):
        raise InputError(f"expected values by symbol, as in {{x: 1.0}}, got {short(values)}")
    several = isinstance(expr, list | tuple | np.ndarray)
    roots = stable_at_zero([intern(e) for e in (expr if several else [expr])])
    given = {_symbol(symbol): value for symbol, value in values.items()}
    functions = functions or {}
    loops = Loops(roots)
    order = operands_first(roots, {id(symbol) for symbol in given}, loops.parts)

    def compute(arithmetic: Arithmetic) -> list[Any]:
        known = {id(symbol): arithmetic.convert(value) for symbol, value in given.items()}
        try:
            Interpreter(arithmetic, functions, loops).run(order, known)
            return [known[id(root)] for root in roots]
        except RecursionError:
            raise BudgetError(
                "the Sums and Products nest deeper than Python's recursion limit allows"
            ) from None
        except ZeroDivisionError:
            at = ", ".join(f"{symbol} = {value}" for symbol, value in given.items())
            raise DomainError(f"a division by zero at {at}") from None

    if precision is not None:
        results = _settled(compute, precision)
    elif exact:
        results = [Fraction(v) for v in compute(EXACT)]
    else:
        results = _floats(compute)
    return results if several else results[0]


def _symbol(symbol: Any) -> Expression:
    if isinstance(symbol, SymbolicNumber):
        return symbol.expr
    if isinstance(symbol, str) or not isinstance(symbol, sympy.Basic):
        raise InputError(f"expected values by symbol, as in {{x: 1.0}}, but one is for {short(symbol)}")
    return intern(symbol)


def _floats(compute: Callable[[Arithmetic], list[Any]]) -> list[Any]:
    """In floats, with inf and nan where IEEE arithmetic says so."""
    try:
        with np.errstate(all="raise"):
            quiet = compute(FLOATS)
    except (FloatingPointError, DomainError, OverflowError):
        with np.errstate(all="ignore"):
            quiet = compute(IEEE)
    return [v.item() if isinstance(v, np.generic) and not isinstance(v, np.float32) else v for v in quiet]


def _settled(compute: Callable[[Arithmetic], list[Any]], precision: int) -> list[Any]:
    """Results right to ``precision`` digits: more are used until two rounds agree."""
    if not isinstance(precision, int) or isinstance(precision, bool) or precision < 1:
        raise InputError(f"expected a number of digits of at least 1, got precision={precision!r}")
    if precision > _MOST_DIGITS:
        raise BudgetError(
            f"expected at most {_MOST_DIGITS:,} digits, which take seconds for most functions and minutes "
            f"for gamma, got precision={precision:,}"
        )
    digits, before = precision + 10, None
    while digits <= 20 * precision + 400:
        with mpmath.workdps(digits):
            now = [mpmath.mpmathify(v) for v in compute(DIGITS)]
            if before is not None and all(map(_agree(precision), before, now)):
                with mpmath.workdps(precision + 3):
                    return [+v for v in now]
        digits, before = 2 * digits, now
    raise BudgetError(
        f"{precision} digits are not reached with {digits // 2} digits of working precision: "
        "the expression loses nearly all of them, or is zero"
    )


_MOST_DIGITS = 10_000


def _agree(precision: int) -> Callable[[Any, Any], bool]:
    def agree(a: Any, b: Any) -> bool:
        if a == b or (mpmath.isnan(a) and mpmath.isnan(b)):
            return True
        return bool(abs(a - b) <= abs(b) * mpmath.mpf(10) ** (-precision - 2))

    return agree
