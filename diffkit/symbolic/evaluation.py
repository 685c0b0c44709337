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

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import reduce
from typing import Any

import mpmath
import numpy as np
import sympy
from sympy import S

from diffkit.errors import DomainError, InputError
from diffkit.expressions import Expression, SymbolicNumber, intern, rebuild
from diffkit.symbolic.arithmetics import DIGITS, EXACT, FLOATS, IEEE, Arithmetic, implementation
from diffkit.symbolic.budget import BudgetError
from diffkit.symbolic.parts import ELEMENTS, RANGES, Loop, Loops, integers, operands_first, parts, quotient

__all__ = ["evaluate"]

# -- the interpreter ----------------------------------------------------------------------------------


def _power(base: Any, exponent: Any) -> Any:
    if isinstance(base, Fraction):
        if exponent.denominator != 1:
            raise InputError(
                f"a power with the exponent {exponent} has no exact rational value; use precision="
            )
        return _whole_power(base, int(exponent))
    if isinstance(base, float) and base < 0 and isinstance(exponent, float) and not exponent.is_integer():
        return math.nan  # as for sqrt and log, and in NumPy; Python itself would go on in complex numbers
    return base**exponent


_DIGITS = 10_000_000  # of an exact power; Python would be busy for minutes with a longer one


def _whole_power(base: Any, exponent: int) -> Any:
    if isinstance(base, Fraction):
        bits = max(abs(base.numerator), base.denominator).bit_length() - 1
        if bits * abs(exponent) > 3.4 * _DIGITS:
            raise BudgetError(
                f"the exact value of a power with the exponent {exponent} has more than {_DIGITS:,} digits; "
                "use precision= for as many as you need"
            )
    return base**exponent


def interpret(
    order: Sequence[Expression],
    known: dict[int, Any],
    arithmetic: Arithmetic,
    functions: Mapping[str, Callable[..., Any]],
    loops: Loops,
) -> None:
    """Fills the values of nodes, operands first, into those that are ``known`` (by identity)."""
    for node in order:
        args = node._args
        if node.is_Add:
            value = reduce(operator.add, [known[id(a)] for a in args])
        elif node.is_Mul:
            above, below = quotient(args)
            value = reduce(operator.mul, [known[id(a)] for a in above]) if above else 1
            if below:
                value = value / reduce(operator.mul, [known[id(b)] for b in below])
        elif node.is_Pow:
            base, exponent = known[id(args[0])], args[1]
            if exponent is S.NegativeOne:
                value = 1 / base
            elif exponent is S.Half and "sqrt" in arithmetic.functions:
                value = arithmetic.functions["sqrt"](base)
            elif exponent.is_Integer:
                value = _whole_power(base, exponent.p)
            elif exponent.is_Rational:
                value = _power(base, arithmetic.constant(exponent))
            else:
                value = _power(base, known[id(exponent)])
        elif isinstance(node, RANGES):
            value = _over_range(node, known, arithmetic, functions, loops)
        elif isinstance(node, ELEMENTS):
            value = _element(node, known)
        elif not args:
            value = _atom(node, arithmetic)
        else:
            compute = implementation(node.func, arithmetic, functions)
            value = compute(*[known[id(a)] for a in parts(node)])
        known[id(node)] = value


def _atom(node: Expression, arithmetic: Arithmetic) -> Any:
    if node is sympy.true or node is sympy.false:
        return node is sympy.true
    if not node._args and node.is_number:
        return arithmetic.constant(node)
    raise InputError(f"no value is given for {node}; add it to the values, as in {{{node}: 1.0}}")


def _element(node: Expression, known: dict[int, Any]) -> Any:
    """a[i], given a[1], a[2], ... and the value of i."""
    base, *indices = node._args
    places = [known[id(index)] for index in indices]
    if not all(isinstance(p, int | float | Fraction | mpmath.mpf) and p == int(p) for p in places):
        raise InputError(f"{node} needs integers as indices, but they are {', '.join(map(str, places))}")
    element = rebuild(node, [base, *(intern(int(p)) for p in places)])
    if id(element) not in known:
        raise InputError(f"no value is given for {element}; add it to the values, as in {{{element}: 1.0}}")
    return known[id(element)]


def _over_range(
    node: Expression,
    known: dict[int, Any],
    arithmetic: Arithmetic,
    functions: Mapping[str, Callable[..., Any]],
    loops: Loops,
) -> Any:
    """A Sum or Product, term by term; what depends on its index is forgotten afterwards."""
    combine, result = (operator.add, 0) if isinstance(node, sympy.Sum) else (operator.mul, 1)
    loop: Loop = loops.of(node)
    low, high = (known[id(end)] for end in loop.ends)
    hidden = {key: known[key] for key in loop.keys if key in known}
    for i in integers(low, high):
        known[id(loop.index)] = arithmetic.convert(i)
        interpret(loop.inside, known, arithmetic, functions, loops)
        result = combine(result, known[id(loop.body)])
    for key in loop.keys:
        known.pop(key, None)
    known.update(hidden)
    return result


# -- the public function ------------------------------------------------------------------------------


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
        BudgetError: when twenty times the precision asked for does not suffice, when an exact power
            has more than ten million digits, or Sums nest in Sums more than some hundred deep.

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
        raise InputError(f"expected values by symbol, as in {{x: 1.0}}, got {values!r}")
    several = isinstance(expr, list | tuple | np.ndarray)
    roots = [intern(e) for e in (expr if several else [expr])]
    given = {_symbol(symbol): value for symbol, value in values.items()}
    functions = functions or {}
    loops = Loops(roots)
    order = operands_first(roots, {id(symbol) for symbol in given}, loops.parts)

    def compute(arithmetic: Arithmetic) -> list[Any]:
        known = {id(symbol): arithmetic.convert(value) for symbol, value in given.items()}
        try:
            interpret(order, known, arithmetic, functions, loops)
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
        raise InputError(f"expected values by symbol, as in {{x: 1.0}}, but one is for {symbol!r}")
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


def _agree(precision: int) -> Callable[[Any, Any], bool]:
    def agree(a: Any, b: Any) -> bool:
        if a == b or (mpmath.isnan(a) and mpmath.isnan(b)):
            return True
        return bool(abs(a - b) <= abs(b) * mpmath.mpf(10) ** (-precision - 2))

    return agree
