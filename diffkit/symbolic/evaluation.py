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
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import cache, reduce
from typing import Any

import mpmath
import numpy as np
import sympy
from sympy import S
from sympy.core.function import Application
from sympy.matrices.expressions.matexpr import MatrixElement

from diffkit.errors import DomainError, InputError, NoRuleError
from diffkit.expressions import Expression, SymbolicNumber, intern, post_order
from diffkit.symbolic.budget import BudgetError

__all__ = ["depending", "evaluate", "implementation", "integers", "quotient"]


def quotient(factors: tuple[Expression, ...]) -> tuple[list[Expression], list[Expression]]:
    """The factors of a product as numerator and denominator: those written b**(-1) below the line."""
    above, below = [], []
    for f in factors:
        if f.is_Pow and f._args[1] is S.NegativeOne:
            below.append(f._args[0])
        else:
            above.append(f)
    return above, below


RANGES = (sympy.Sum, sympy.Product)


# -- arithmetics --------------------------------------------------------------------------------------


class Arithmetic:
    """Numbers and functions of one kind.

    Attributes:
        functions: what SymPy's classes mean, by the class's name.
        convert: a value that the user gives, as a number of this kind.
        constant: a SymPy number or constant (2/3, 0.1, pi, E) as a number of this kind.
    """

    def __init__(
        self,
        functions: Mapping[str, Callable[..., Any]],
        convert: Callable[[Any], Any],
        constant: Callable[[Expression], Any],
    ) -> None:
        self.functions = functions
        self.convert = convert
        self.constant = constant


def special(name: str) -> Callable[..., Any]:
    """A function of scipy.special, which is imported when it is first called."""

    def function(*args: Any) -> Any:
        try:
            import scipy.special
        except ImportError:
            raise InputError(f"evaluating {name} in floats needs SciPy: pip install diffkit[scipy]") from None
        return getattr(scipy.special, name)(*args)

    return function


def _chosen(*pieces: Any) -> Any:
    """The value of the first piece whose condition holds, elementwise; nan where none does."""
    values, conditions = pieces[0::2], pieces[1::2]
    shape = np.broadcast_shapes(*(np.shape(p) for p in pieces))
    if shape == ():
        return next((v for v, c in zip(values, conditions, strict=True) if c), math.nan)
    broadcast = [np.broadcast_to(p, shape) for p in pieces]
    return np.select(
        [np.asarray(c, bool) for c in broadcast[1::2]], [np.asarray(v) for v in broadcast[0::2]], np.nan
    )


NUMPY: dict[str, Callable[..., Any]] = {
    **{name: getattr(np, name) for name in ("exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh")},
    **{name: getattr(np, name) for name in ("sqrt", "sign", "floor")},
    **{f"a{name}": getattr(np, f"arc{name}") for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh")},
    "atan2": np.arctan2,
    "cot": lambda x: 1 / np.tan(x),
    "sec": lambda x: 1 / np.cos(x),
    "csc": lambda x: 1 / np.sin(x),
    "coth": lambda x: 1 / np.tanh(x),
    "sech": lambda x: 1 / np.cosh(x),
    "csch": lambda x: 1 / np.sinh(x),
    "acot": lambda x: np.arctan(1 / x),
    "asec": lambda x: np.arccos(1 / x),
    "acsc": lambda x: np.arcsin(1 / x),
    "acoth": lambda x: np.arctanh(1 / x),
    "asech": lambda x: np.arccosh(1 / x),
    "acsch": lambda x: np.arcsinh(1 / x),
    "Abs": np.abs,
    "ceiling": np.ceil,
    "Max": lambda *args: reduce(np.maximum, args),
    "Min": lambda *args: reduce(np.minimum, args),
    "Heaviside": lambda x, at_zero=0.5: np.heaviside(x, at_zero),
    "Mod": np.mod,
    "KroneckerDelta": lambda i, j: np.where(np.equal(i, j), 1.0, 0.0),
    **{name: special(name) for name in ("erf", "erfc", "erfi", "erfinv", "erfcinv", "gamma", "digamma")},
    "loggamma": special("gammaln"),
    "polygamma": lambda n, x: special("polygamma")(np.asarray(n).astype(int), x),
    "Piecewise": _chosen,
    "Equality": np.equal,
    "Unequality": np.not_equal,
    "StrictLessThan": np.less,
    "LessThan": np.less_equal,
    "StrictGreaterThan": np.greater,
    "GreaterThan": np.greater_equal,
    "And": lambda *args: reduce(np.logical_and, args),
    "Or": lambda *args: reduce(np.logical_or, args),
    "Not": np.logical_not,
}

_SCALAR: dict[str, Callable[..., Any]] = {
    "Piecewise": lambda *p: next((v for v, c in zip(p[0::2], p[1::2], strict=True) if c), math.nan),
    "Equality": operator.eq,
    "Unequality": operator.ne,
    "StrictLessThan": operator.lt,
    "LessThan": operator.le,
    "StrictGreaterThan": operator.gt,
    "GreaterThan": operator.ge,
    "And": lambda *args: all(args),
    "Or": lambda *args: any(args),
    "Not": operator.not_,
    "Max": max,
    "Min": min,
    "Abs": abs,
    "KroneckerDelta": lambda i, j: 1 if i == j else 0,
    "sign": lambda x: (x > 0) - (x < 0),
    "Heaviside": lambda x, at_zero: 1 if x > 0 else at_zero if x == 0 else 0,
    "Mod": lambda x, y: x - y * math.floor(x / y),
}

MPMATH: dict[str, Callable[..., Any]] = {
    **_SCALAR,
    **{name: getattr(mpmath, name) for name in ("exp", "log", "sqrt", "gamma", "loggamma", "digamma")},
    **{name: getattr(mpmath, name) for name in ("erf", "erfc", "erfi", "erfinv", "atan2", "floor")},
    **{
        start + name + end: getattr(mpmath, start + name + end)
        for start in ("", "a")
        for name in ("sin", "cos", "tan", "cot", "sec", "csc")
        for end in ("", "h")
    },
    "erfcinv": lambda x: mpmath.erfinv(1 - x),
    "polygamma": lambda n, x: mpmath.psi(int(n), x),
    "ceiling": mpmath.ceil,
    "Mod": lambda x, y: x - y * mpmath.floor(x / y),
}

FRACTIONS: dict[str, Callable[..., Any]] = {
    **_SCALAR,
    "floor": lambda x: Fraction(math.floor(x)),
    "ceiling": lambda x: Fraction(math.ceil(x)),
}


def _to_float(value: Any) -> Any:
    if isinstance(value, Fraction | sympy.Basic | mpmath.mpf):
        return float(value)
    array = np.asarray(value)
    if array.dtype.kind in "bui":
        array = array.astype(float)
    if array.dtype.kind not in "fc":
        raise InputError(f"expected a number or an array of numbers, got {value!r}")
    if array.ndim:
        return array
    return array.item() if not isinstance(value, np.generic) else array[()]


def _float_constant(constant: Expression) -> Any:
    if constant.is_Rational:
        return constant.p / constant.q
    return complex(constant) if constant is S.ImaginaryUnit else float(constant)


def _to_fraction(value: Any) -> Fraction:
    if isinstance(value, sympy.Rational):
        return Fraction(value.p, value.q)
    try:
        return Fraction(value.item() if isinstance(value, np.generic) else value)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"expected a finite number for exact evaluation, got {value!r}") from None


def _fraction_constant(constant: Expression) -> Fraction:
    if constant.is_Rational:
        return Fraction(constant.p, constant.q)
    if constant.is_Float:
        sign, mantissa, exponent, _ = constant._mpf_
        power_of_two = Fraction(2**exponent) if exponent >= 0 else Fraction(1, 2**-exponent)
        return (-int(mantissa) if sign else int(mantissa)) * power_of_two
    raise InputError(f"{constant} is not rational, so the expression has no exact value; use precision=")


def _to_mpf(value: Any) -> Any:
    if isinstance(value, Fraction):
        return mpmath.mpf(value.numerator) / value.denominator
    if isinstance(value, sympy.Basic):
        return _mpf_constant(value)
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, str):
        raise InputError(
            f"expected a number, got the text {value!r}; write Fraction({value!r}) for a decimal"
        )
    return mpmath.mpf(value)


def _mpf_constant(constant: Expression) -> Any:
    if constant.is_Rational:
        return mpmath.mpf(constant.p) / constant.q
    if constant.is_Float:
        return mpmath.mpf(constant._mpf_)
    return mpmath.mpf(constant._to_mpmath(mpmath.mp.prec))


FLOATS = Arithmetic(NUMPY, _to_float, _float_constant)
DIGITS = Arithmetic(MPMATH, _to_mpf, _mpf_constant)
EXACT = Arithmetic(FRACTIONS, _to_fraction, _fraction_constant)


@cache
def _by_sympy(head: Any) -> Callable[..., Any]:
    """A function that only SymPy can evaluate (a Lambert W, a Bessel function): its own ``evalf``."""

    def one(*args: Any) -> float:
        return float(head(*args).evalf())

    return lambda *args: np.vectorize(one, otypes=[float])(*args)[()]


def implementation(
    head: Any, arithmetic: Arithmetic, functions: Mapping[str, Callable[..., Any]]
) -> Callable[..., Any]:
    """What computes a SymPy function: the user's, the arithmetic's, or SymPy itself.

    Raises:
        NoRuleError: for an undefined function, by name.
    """
    name = head.__name__
    known = functions.get(name) or arithmetic.functions.get(name) or getattr(head, "_imp_", None)
    if known is not None:
        return known
    if isinstance(head, sympy.core.function.UndefinedFunction) or not issubclass(head, Application):
        raise NoRuleError(
            f"{name} has no value here; say what it computes, as in functions={{{name!r}: a Python function}}"
        )
    if arithmetic is EXACT:
        raise InputError(f"{name} has no exact rational value; use precision= for as many digits as you like")
    if arithmetic is DIGITS:
        return lambda *args: mpmath.mpf(head(*args).evalf(mpmath.mp.dps + 5)._to_mpmath(mpmath.mp.prec))
    return _by_sympy(head)


# -- the interpreter ----------------------------------------------------------------------------------


def _power(base: Any, exponent: Any) -> Any:
    if isinstance(base, Fraction):
        if exponent.denominator != 1:
            raise InputError(
                f"a power with the exponent {exponent} has no exact rational value; use precision="
            )
        return base ** int(exponent)
    return base**exponent


def interpret(
    root: Expression,
    known: dict[int, Any],
    arithmetic: Arithmetic,
    functions: Mapping[str, Callable[..., Any]],
) -> Any:
    """The value of ``root``, given those of its symbols (by identity); fills ``known`` in."""
    for node in _unknown(root, known):
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
                value = base**exponent.p
            else:
                value = _power(base, known[id(exponent)])
        elif isinstance(node, RANGES):
            value = _over_range(node, known, arithmetic, functions)
        elif not args or isinstance(node, sympy.Indexed | MatrixElement):
            value = _atom(node, arithmetic)
        elif isinstance(node, _GROUPS):
            continue
        else:
            if isinstance(node, sympy.Piecewise):
                flat = [part for piece in args for part in piece._args]
            else:
                flat = list(args)
            compute = implementation(node.func, arithmetic, functions)
            value = compute(*[known[id(a)] for a in flat])
        known[id(node)] = value
    return known[id(root)]


_GROUPS = (sympy.Tuple,)  # a piece with its condition, or the limits of a Sum: no value of their own


def _atom(node: Expression, arithmetic: Arithmetic) -> Any:
    if node is sympy.true or node is sympy.false:
        return node is sympy.true
    if not node._args and node.is_number:
        return arithmetic.constant(node)
    raise InputError(f"no value is given for {node}; add it to the values, as in {{{node}: 1.0}}")


def _unknown(root: Expression, known: dict[int, Any]) -> list[Expression]:
    """The nodes still to compute, operands first; a Sum's body is left to the Sum."""
    order, done, stack = [], set(known), [root]
    while stack:
        node = stack[-1]
        if id(node) in done:
            stack.pop()
            continue
        below = () if isinstance(node, sympy.Indexed | MatrixElement) else node._args
        if isinstance(node, RANGES):
            below = tuple(bound for limit in node._args[1:] for bound in limit._args[1:])
            indices = {id(limit._args[0]) for limit in node._args[1:]}
            if any(id(a) in indices for bound in below for a in post_order(bound)):
                below = ()  # nested limits are evaluated as the outer index takes its values
        pending = [a for a in below if id(a) not in done]
        if pending:
            stack.extend(reversed(pending))
        else:
            stack.pop()
            done.add(id(node))
            order.append(node)
    return order


def _over_range(
    node: Expression,
    known: dict[int, Any],
    arithmetic: Arithmetic,
    functions: Mapping[str, Callable[..., Any]],
) -> Any:
    """A Sum or Product, term by term; the last limit is the outermost."""
    combine, value = (operator.add, 0) if isinstance(node, sympy.Sum) else (operator.mul, 1)
    body, limits = node._args[0], node._args[1:]
    bound = depending(node)
    outer = {key: v for key, v in known.items() if key not in bound}

    def run(level: int, scope: dict[int, Any]) -> Any:
        if level < 0:
            return interpret(body, dict(scope), arithmetic, functions)
        index, *ends = limits[level]._args
        low, high = (interpret(end, dict(scope), arithmetic, functions) for end in ends)
        result = value
        for i in integers(low, high):
            result = combine(result, run(level - 1, {**scope, id(index): arithmetic.convert(i)}))
        return result

    return run(len(limits) - 1, outer)


def depending(node: Expression) -> set[int]:
    """What below a Sum or Product depends on its indices, or on those of one within it."""
    inner = post_order(node)
    bound = {id(limit._args[0]) for n in inner if isinstance(n, RANGES) for limit in n._args[1:]}
    for n in inner:
        if any(id(a) in bound for a in n._args):
            bound.add(id(n))
    return bound


def integers(low: Any, high: Any) -> range:
    """The integers from low to high, which a Sum or Product runs over."""
    if not all(abs(end) < math.inf and end == math.floor(end) for end in (low, high)):
        raise DomainError(f"a Sum or Product runs over integers, but its limits are {low} and {high}")
    return range(int(low), int(high) + 1)


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
        values: by symbol: numbers, or arrays, which broadcast. Floats stand for their exact binary
            value. A symbol that does not occur does no harm.
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
        BudgetError: when twenty times the precision asked for does not suffice.

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

    def compute(arithmetic: Arithmetic) -> list[Any]:
        known = {id(symbol): arithmetic.convert(value) for symbol, value in given.items()}
        try:
            return [interpret(root, known, arithmetic, functions) for root in roots]
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
            quiet = compute(_IEEE)
    return [v.item() if isinstance(v, np.generic) and not isinstance(v, np.float32) else v for v in quiet]


_IEEE = Arithmetic(
    NUMPY, lambda v: np.asarray(_to_float(v))[()], lambda c: np.asarray(_float_constant(c))[()]
)


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
