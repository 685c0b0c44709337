"""SymPy expressions as a shared graph: built once each, never flattened, never simplified.

SymPy's own constructors tidy what they are given: ``4*l*(1 - l)`` loses the product ``4*l`` in a
flat ``Mul``, so the next iterate no longer contains the previous one, and what a student wrote is
not what is differentiated. The constructors here build the same SymPy classes as they are asked
to, with three habits:

- **Interned**: the same operation on the same operands is the same object (hash-consing, Filliâtre
  and Conchon, ML Workshop 2006), so sharing is seen by identity, in constant time.
- **Folded only at 0 and 1** (``0 + x``, ``1 * x``, ``0 * x``, ``x**1``), and between rational numbers.
- **Hashed at creation**, operands first, so that no later ``hash`` or ``==`` walks down a deep
  expression. Every walk here keeps its own stack; nothing recurses, whatever the depth.

>>> from sympy import Symbol
>>> x = Symbol("x")
>>> multiply(multiply(4, x), subtract(1, x))
(4*x)*(1 - x)
>>> multiply(4, x) is multiply(4, x)
True

:class:`SymbolicNumber` lets ordinary NumPy code run on such expressions.
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from functools import cache, reduce
from numbers import Integral, Rational
from pathlib import Path
from typing import Any, ClassVar, TypeAlias

import numpy as np
import sympy
from sympy import S
from sympy.core.function import Application
from sympy.core.operations import LatticeOp
from sympy.functions.elementary.piecewise import ExprCondPair

from diffkit.calculus import ALIASES, ELEMENTARY, Elementary, compile_text
from diffkit.errors import InputError, NoRuleError, TraceError

__all__ = [
    "NAMES",
    "SymbolicNumber",
    "add",
    "apply",
    "call",
    "count_nodes",
    "derivative",
    "divide",
    "intern",
    "multiply",
    "negative",
    "number",
    "piecewise",
    "post_order",
    "power",
    "product",
    "rebuild",
    "substitute",
    "subtract",
    "total",
]

Expression: TypeAlias = Any
"""A SymPy object. SymPy publishes no types that mypy could check."""

# -- the intern table ---------------------------------------------------------------------------------

_nodes: dict[tuple[Any, ...], Expression] = {}  # (class, id of each operand) -> the node
_leaves: dict[tuple[Any, ...], Expression] = {}  # (class, leaf) -> the leaf
_sweep_at = _SMALLEST_SWEEP = 500_000

_new = object.__new__


def _sweep() -> None:
    """Forgets the nodes that only the table still holds.

    SymPy's classes can't be referred to weakly, so the table holds its nodes, and this stands in
    for weak references. Operands are always older than what is built on them, so one pass from
    the youngest to the oldest finds every node that is free. Called when the table has doubled.
    """
    global _sweep_at
    keys = list(_nodes)
    _nodes[()] = object()  # measures how many references a node has that only the table holds
    for key in reversed([*keys, ()]):
        node = _nodes[key]
        references = sys.getrefcount(node)
        if key == ():
            free = references
        if references <= free:
            del _nodes[key]
    _sweep_at = max(_SMALLEST_SWEEP, 2 * len(_nodes))


def _leaf(leaf: Expression) -> Expression:
    # 1 == 1.0 for some versions of SymPy, and two Floats of different precision may be equal.
    key = (type(leaf), leaf, leaf._prec) if leaf.is_Float else (type(leaf), leaf)
    known = _leaves.get(key)
    if known is not None:
        return known
    if getattr(leaf, "is_commutative", None) is False:
        raise InputError(
            f"{leaf} does not commute; diffkit differentiates real scalars, for which a*b = b*a. "
            f"Declare it as Symbol({str(leaf)!r})"
        )
    return _leaves.setdefault(key, leaf)


def _node(cls: Any, args: tuple[Expression, ...], like: Expression | None = None) -> Expression:
    """The one node of class ``cls`` on interned operands."""
    key = (cls, *map(id, args))
    node = _nodes.get(key)
    if node is not None:
        return node
    if like is not None:
        node = _clone(like, args)
    else:
        node = _new(cls)
        node._assumptions = cls.default_assumptions
        node._mhash = None
        node._args = args
        if cls in _COMMUTATIVE:
            node.is_commutative = True
        elif issubclass(cls, Application):
            _finish(node, cls, args)
    hash(node)  # now, while every operand has its own: so that it never has to recurse
    if len(_nodes) >= _sweep_at:
        _sweep()
    return _nodes.setdefault(key, node)


_COMMUTATIVE = frozenset({sympy.Add, sympy.Mul, sympy.Pow})


def _finish(node: Expression, cls: Any, args: tuple[Expression, ...]) -> None:
    """What SymPy's function classes set beside the arguments."""
    if issubclass(cls, LatticeOp):  # Max, Min, And, Or
        node._argset = frozenset(args)
        if issubclass(cls, sympy.Expr):
            node.is_commutative = True
    elif cls is not sympy.Piecewise:
        node.nargs = _arities(cls)


@cache
def _arities(cls: Any) -> Any:
    """The ``nargs`` that SymPy gives each application of a function class."""
    arities = getattr(cls, "_nargs", None)
    return sympy.FiniteSet(*arities) if arities else S.Naturals0


def _clone(like: Expression, args: tuple[Expression, ...]) -> Expression:
    """A copy of a node of whatever class, on other operands, past its constructor."""
    node = _new(type(like))
    for cls in type(like).__mro__:
        for slot in cls.__dict__.get("__slots__", ()):
            if hasattr(like, slot):
                setattr(node, slot, getattr(like, slot))
    if hasattr(like, "__dict__"):
        node.__dict__.update(like.__dict__)
    node._args = args
    node._mhash = None
    if hasattr(like, "_argset"):
        node._argset = frozenset(args)
    return node


def rebuild(node: Expression, args: Sequence[Expression]) -> Expression:
    """The node of the same class on other (interned) operands, unevaluated.

    >>> x, y = sympy.symbols("x y")
    >>> rebuild(sympy.sin(x), [intern(y)])
    sin(y)
    """
    args = tuple(args)
    if len(args) == len(node._args) and all(map(operator.is_, args, node._args)):
        return node
    return _node(type(node), args, like=node)


def _is_interned(expr: Expression) -> bool:
    if expr._args:
        return _nodes.get((type(expr), *map(id, expr._args))) is expr
    return _leaves.get((type(expr), expr, expr._prec) if expr.is_Float else (type(expr), expr)) is expr


def intern(expr: Any) -> Expression:
    """The shared graph of an expression: equal subexpressions become the same object.

    Numbers and :class:`SymbolicNumber` are taken as well. Linear in the number of distinct objects.

    Raises:
        InputError: for text (which is never evaluated), for symbols that don't commute, and for
            what is no expression.

    >>> x = sympy.Symbol("x")
    >>> e = intern(sympy.Add(sympy.sin(x), sympy.Mul(2, sympy.sin(x), evaluate=False), evaluate=False))
    >>> e.args[0] is e.args[1].args[1]
    True
    """
    if isinstance(expr, SymbolicNumber):
        return expr.expr
    if not isinstance(expr, sympy.Basic):
        return number(expr)
    if _is_interned(expr):
        return expr
    memo: dict[int, Expression] = {}
    for node in post_order(expr):
        if not node._args:
            memo[id(node)] = _leaf(node)
            continue
        args = tuple([memo[id(a)] for a in node._args])
        key = (type(node), *map(id, args))
        known = _nodes.get(key)
        if known is None:
            same = all(map(operator.is_, args, node._args))
            known = _nodes.setdefault(key, node) if same else _node(type(node), args, like=node)
            hash(known)
        memo[id(node)] = known
    if len(_nodes) >= _sweep_at:
        _sweep()
    return memo[id(expr)]


def post_order(*roots: Expression) -> list[Expression]:
    """The distinct objects below ``roots`` and themselves, operands before what uses them.

    >>> x = sympy.Symbol("x")
    >>> post_order(sympy.sin(x) + 2)
    [2, x, sin(x), sin(x) + 2]
    """
    order: list[Expression] = []
    seen: set[int] = set()
    stack: list[Expression] = list(reversed(roots))
    while stack:
        node = stack.pop()
        if node is None:  # everything below the next one is done
            order.append(stack.pop())
            continue
        if id(node) in seen:
            continue
        seen.add(id(node))
        args = node._args
        if args:
            stack += (node, None)
            stack += args[::-1]
        else:
            order.append(node)
    return order


def substitute(expr: Expression, values: dict[Expression, Expression]) -> Expression:
    """The expression with some of its leaves or subexpressions replaced; nothing is evaluated.

    >>> x, y = sympy.symbols("x y")
    >>> substitute(multiply(x, subtract(1, x)), {x: y})
    y*(1 - y)
    """
    root = intern(expr)
    known = {id(intern(old)): intern(new) for old, new in values.items()}
    for node in post_order(root):
        if id(node) not in known:
            known[id(node)] = rebuild(node, [known[id(a)] for a in node._args])
    return known[id(root)]


# -- numbers ------------------------------------------------------------------------------------------

_ZERO, _ONE, _MINUS_ONE, _HALF = (_leaf(v) for v in (S.Zero, S.One, S.NegativeOne, S.Half))


def number(value: Any) -> Expression:
    """A Python or NumPy number as a SymPy number.

    Integers and fractions stay exact. A float that is a short dyadic fraction (0.5, -3.25, 2.0)
    becomes that fraction; any other becomes a ``Float`` of its 53 bits.

    Raises:
        InputError: for text, complex numbers, arrays, and what is no number.

    >>> number(0.5), number(3), number(Fraction(2, 6)), number(0.1)
    (1/2, 3, 1/3, 0.100000000000000)
    """
    if isinstance(value, sympy.Basic):
        return intern(value)
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value.item()
    if isinstance(value, bool | np.bool_ | Integral):
        return _leaf(sympy.Integer(int(value)))
    if isinstance(value, Rational):
        return _leaf(sympy.Rational(int(value.numerator), int(value.denominator)))
    if isinstance(value, float | np.floating):
        return _leaf(_from_float(float(value)))
    if isinstance(value, str):
        raise InputError(
            f"expected an expression, got the text {value!r}; text is not evaluated here. "
            "Build the expression from symbols, as in x = Symbol('x'); x**2"
        )
    raise InputError(
        f"expected a real number or a SymPy expression, got {_short(value)} ({type(value).__name__})"
    )


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _from_float(value: float) -> Expression:
    if value - value != 0:
        return sympy.Float(value)  # inf and nan
    exact = Fraction(value)
    if exact.denominator <= 1024 and abs(exact.numerator) < 2**53:
        return sympy.Rational(exact.numerator, exact.denominator)
    return sympy.Float(value)


# -- operations ---------------------------------------------------------------------------------------
# The underscored ones take interned expressions, and are what the rules run on.


def _binary(cls: Any, a: Expression, b: Expression) -> Expression:
    node = _nodes.get((cls, id(a), id(b)))
    return node if node is not None else _node(cls, (a, b))


def _add(a: Expression, b: Expression) -> Expression:
    if a is _ZERO:
        return b
    if b is _ZERO:
        return a
    if a.is_Rational and b.is_Rational:
        return _leaf(a + b)
    return _binary(sympy.Add, a, b)


def _negative(a: Expression) -> Expression:
    if a.is_Number:
        return _leaf(-a)
    return _binary(sympy.Mul, _MINUS_ONE, a)


def _subtract(a: Expression, b: Expression) -> Expression:
    return _add(a, _negative(b))


def _multiply(a: Expression, b: Expression) -> Expression:
    if a is _ONE:
        return b
    if b is _ONE:
        return a
    if a is _ZERO or b is _ZERO:
        return _ZERO
    if b.is_Number:
        if a.is_Rational and b.is_Rational:
            return _leaf(a * b)
        if not a.is_Number:
            a, b = b, a  # a coefficient stands in front, where SymPy looks for it
    return _binary(sympy.Mul, a, b)


def _power(a: Expression, b: Expression) -> Expression:
    if b is _ONE:
        return a
    if b is _ZERO:
        return _ONE
    if b.is_Integer and a.is_Rational and a is not _ZERO and abs(b.p) <= 16:
        return _leaf(a**b)
    return _binary(sympy.Pow, a, b)


def _divide(a: Expression, b: Expression) -> Expression:
    if b.is_Rational and b is not _ZERO:
        if a.is_Rational:
            return _leaf(a / b)
        if b is _ONE:
            return a
    return _multiply(a, _power(b, _MINUS_ONE) if not b.is_Rational else _reciprocal(b))


def _reciprocal(b: Expression) -> Expression:
    return _binary(sympy.Pow, b, _MINUS_ONE) if b is _ZERO else _leaf(1 / b)


def _total(terms: Sequence[Expression]) -> Expression:
    terms = [t for t in terms if t is not _ZERO]
    if len(terms) <= 2:
        return reduce(_add, terms, _ZERO)
    return _node(sympy.Add, tuple(terms))


def _product(factors: Sequence[Expression]) -> Expression:
    factors = [f for f in factors if f is not _ONE]
    if _ZERO in factors:
        return _ZERO
    if len(factors) <= 2:
        return reduce(_multiply, factors, _ONE)
    if not factors[0].is_Number:
        factors.sort(key=lambda f: not f.is_Number)
    return _node(sympy.Mul, tuple(factors))


def add(a: Any, b: Any) -> Expression:
    """a + b.

    >>> add(0, sympy.Symbol("x"))
    x
    """
    return _add(intern(a), intern(b))


def negative(a: Any) -> Expression:
    """-a, as SymPy writes it: ``Mul(-1, a)``."""
    return _negative(intern(a))


def subtract(a: Any, b: Any) -> Expression:
    """a - b, as SymPy writes it: ``Add(a, Mul(-1, b))``."""
    return _subtract(intern(a), intern(b))


def multiply(a: Any, b: Any) -> Expression:
    """a * b, a number first.

    >>> multiply(sympy.Symbol("x"), 3).args
    (3, x)
    """
    return _multiply(intern(a), intern(b))


def divide(a: Any, b: Any) -> Expression:
    """a / b, as SymPy writes it: ``Mul(a, Pow(b, -1))``.

    >>> x, y = sympy.symbols("x y")
    >>> divide(x, y), divide(1, y).args
    (x/y, (y, -1))
    """
    return _divide(intern(a), intern(b))


def power(a: Any, b: Any) -> Expression:
    """a ** b.

    >>> power(sympy.Symbol("x"), 1)
    x
    """
    return _power(intern(a), intern(b))


def total(terms: Iterable[Any]) -> Expression:
    """The sum of any number of terms, as one node."""
    return _total([intern(t) for t in terms])


def product(factors: Iterable[Any]) -> Expression:
    """The product of any number of factors, as one node."""
    return _product([intern(f) for f in factors])


def call(head: Any, *args: Any) -> Expression:
    """A SymPy function, by class or by name, applied to expressions without evaluating it.

    Raises:
        InputError: for a name that SymPy has no function for.

    >>> call("cos", 0), call(sympy.Function("f"), sympy.Symbol("x"))
    (cos(0), f(x))
    """
    if isinstance(head, str):
        found = getattr(sympy, head, None)
        if not (isinstance(found, type) and issubclass(found, sympy.Basic)):
            raise InputError(f"SymPy has no function named {head!r}")
        head = found
    operands = [intern(a) for a in args]
    if head in (sympy.Max, sympy.Min) or head in _COMMUTATIVE - {sympy.Pow}:
        operands.sort(key=lambda a: not a.is_Number)
    return _node(head, tuple(operands))


def piecewise(*pieces: tuple[Any, Any]) -> Expression:
    """``Piecewise`` of (expression, condition) pairs, as given: no piece is dropped or merged.

    >>> x = sympy.Symbol("x")
    >>> piecewise((x, x > 0), (0, True))
    Piecewise((x, x > 0), (0, True))
    """
    pairs = []
    for value, condition in pieces:
        truth = sympy.true if condition is True else sympy.false if condition is False else condition
        pairs.append(_node(ExprCondPair, (intern(value), intern(truth))))
    return _node(sympy.Piecewise, tuple(pairs))


# -- the table's texts, read as expressions -----------------------------------------------------------


def _head(cls: Any) -> Callable[..., Expression]:
    return lambda *args: _node(cls, args)


def _above(x: Expression, y: Expression) -> Expression:
    """1 where x > y, 0 where x < y, 1/2 where they are equal."""
    return _node(sympy.Heaviside, (_subtract(x, y), _HALF))


def _where(c: Expression, a: Expression, b: Expression) -> Expression:
    return piecewise((b, _node(sympy.Eq, (c, _ZERO))), (a, True))


def _extremum(cls: Any) -> Callable[..., Expression]:
    return lambda x, y: call(cls, x, y)


_CLASSES = {
    name: getattr(sympy, name)
    for name in [
        *("exp", "log", "sin", "cos", "tan", "cot", "sec", "csc"),
        *("asin", "acos", "atan", "acot", "asec", "acsc", "atan2"),
        *("sinh", "cosh", "tanh", "coth", "sech", "csch"),
        *("asinh", "acosh", "atanh", "acoth", "asech", "acsch"),
        *("Abs", "sign", "floor", "ceiling", "Heaviside"),
        *("erf", "erfc", "erfi", "erfinv", "erfcinv", "gamma", "loggamma", "digamma", "polygamma"),
    ]
}

NAMES: dict[str, Any] = {
    "number": lambda value: number(value),
    "add": _add,
    "subtract": _subtract,
    "multiply": _multiply,
    "divide": _divide,
    "power": _power,
    "negative": _negative,
    "total": lambda terms: _total(terms),
    "sqrt": lambda x: _power(x, _HALF),
    "cbrt": lambda x: _power(x, number(Fraction(1, 3))),
    "above": _above,
    "where": _where,
    "Max": _extremum(sympy.Max),
    "Min": _extremum(sympy.Min),
    "pi": _leaf(S.Pi),
    **{name: _head(cls) for name, cls in _CLASSES.items()},
}
"""What the names in the table's texts mean, as functions of expressions that are interned already."""


def _line_of(name: str) -> Elementary:
    line = ELEMENTARY.get(ALIASES.get(name, name))
    if line is None:
        raise NoRuleError(
            f"{name} is not in the table of elementary functions, so it has no expression; "
            "the names are NumPy's, such as 'sin', 'arctan2', 'maximum'"
        )
    return line


@cache
def _form(line: Elementary) -> Callable[..., Expression]:
    read: Callable[..., Expression] = compile_text(line.form, line.arguments, NAMES, operators=False)
    return read


def apply(name: str, *args: Any) -> Expression:
    """An elementary function, by its name in NumPy or scipy.special, applied to expressions.

    Raises:
        NoRuleError: for a name that is not in the table.
        InputError: for a wrong number of arguments.

    >>> x, y = sympy.symbols("x y")
    >>> apply("log2", x), apply("maximum", x, y), apply("arctan2", y, x), apply("expit", x)
    (log(x)/log(2), Max(x, y), atan2(y, x), 1/(1 + exp(-x)))
    """
    line = _line_of(name)
    if len(args) != len(line.arguments):
        raise InputError(f"{name} takes {', '.join(line.arguments)}; got {len(args)} arguments")
    return _form(line)(*[intern(a) for a in args])


@cache
def derivative(text: str, parameters: tuple[str, ...]) -> Callable[..., Expression]:
    """A derivative text of the table as a function on interned expressions.

    >>> x, t = (intern(sympy.Symbol(name)) for name in "xt")
    >>> derivative("t * cos(x)", ("t", "x"))(t, x)
    t*cos(x)
    """
    read: Callable[..., Expression] = compile_text(text, parameters, NAMES, operators=False)
    return read


# -- NumPy code on expressions ------------------------------------------------------------------------


def _user_line() -> str:
    """Where, outside diffkit and NumPy, the running program stands: 'file.py, line 3'."""
    here = str(Path(__file__).parent)
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(here):
        frame = frame.f_back
    return f"{Path(frame.f_code.co_filename).name}, line {frame.f_lineno}"


def _operator(name: str, *, reflected: bool = False) -> Any:
    def method(self: SymbolicNumber, other: Any) -> Any:
        if isinstance(other, np.ndarray):
            return NotImplemented  # NumPy comes back with one element at a time
        try:
            operand = intern(other)
        except InputError:
            return NotImplemented
        a, b = (operand, self.expr) if reflected else (self.expr, operand)
        return SymbolicNumber(NAMES[name](a, b) if name in NAMES else apply(name, a, b))

    return method


def _refuse(what: str) -> Any:
    def method(self: SymbolicNumber, *others: Any) -> Any:
        raise TraceError(
            f"{what} needs the value of {_short(self)} ({_user_line()}), but a symbol has none: the path "
            "would depend on it. Write the branches as one expression (np.maximum, np.absolute, "
            "sympy.Piecewise), or take the expression of one path by tracing at a point"
        )

    return method


class SymbolicNumber:
    """An expression that NumPy code can compute with, alone or in an object array.

    The operators and every elementary function build interned, unevaluated expressions; comparing
    one, or asking for its truth or its value, raises.

    Args:
        expr: a SymPy expression or a number.

    Raises:
        TraceError: when a value is needed: in ``if``, ``while``, ``<``, ``float()``, an index.

    >>> x = SymbolicNumber.wrap(sympy.symbols("x1 x2"))
    >>> np.sum(np.sin(x) ** 2)
    SymbolicNumber(sin(x1)**2 + sin(x2)**2)
    >>> np.dot(x, x).expr
    x1*x1 + x2*x2
    >>> if x[0] > 0:
    ...     pass
    Traceback (most recent call last):
        ...
    diffkit.errors.TraceError: x > y needs the value of SymbolicNumber(x1) ...
    """

    __slots__ = ("expr",)

    expr: Expression

    def __init__(self, expr: Any) -> None:
        self.expr = intern(expr)

    @staticmethod
    def wrap(values: Any) -> Any:
        """Expressions or numbers, in whatever nesting of lists, as one object array of SymbolicNumber."""
        array = np.asarray(values, dtype=object)
        wrapped = np.empty(array.shape, dtype=object)
        for index, value in np.ndenumerate(array):
            wrapped[index] = SymbolicNumber(value)
        return wrapped if array.ndim else wrapped[()]

    @staticmethod
    def unwrap(values: Any) -> Any:
        """The expressions: of one SymbolicNumber or number, or of an array of them (same shape)."""
        if isinstance(values, np.ndarray | list | tuple):
            array = np.asarray(values, dtype=object)
            plain = np.empty(array.shape, dtype=object)
            for index, value in np.ndenumerate(array):
                plain[index] = intern(value)
            return plain
        return intern(values)

    def __repr__(self) -> str:
        return f"SymbolicNumber({_bounded(self.expr)})"

    def __hash__(self) -> int:
        return hash(self.expr)

    __add__, __radd__ = _operator("add"), _operator("add", reflected=True)
    __sub__, __rsub__ = _operator("subtract"), _operator("subtract", reflected=True)
    __mul__, __rmul__ = _operator("multiply"), _operator("multiply", reflected=True)
    __truediv__, __rtruediv__ = _operator("divide"), _operator("divide", reflected=True)
    __pow__, __rpow__ = _operator("power"), _operator("power", reflected=True)
    __mod__, __rmod__ = _operator("remainder"), _operator("remainder", reflected=True)

    def __neg__(self) -> SymbolicNumber:
        return SymbolicNumber(_negative(self.expr))

    def __pos__(self) -> SymbolicNumber:
        return self

    def __abs__(self) -> SymbolicNumber:
        return SymbolicNumber(apply("absolute", self.expr))

    def __floor__(self) -> SymbolicNumber:  # np.floor asks by this name
        return SymbolicNumber(apply("floor", self.expr))

    def __ceil__(self) -> SymbolicNumber:
        return SymbolicNumber(apply("ceil", self.expr))

    def conjugate(self) -> SymbolicNumber:
        """Itself: it stands for a real number."""
        return self

    __bool__ = _refuse("a branch (if, while, and, or, not)")
    __lt__, __le__ = _refuse("x < y"), _refuse("x <= y")
    __gt__, __ge__ = _refuse("x > y"), _refuse("x >= y")
    __eq__, __ne__ = _refuse("x == y"), _refuse("x != y")
    __float__, __int__ = _refuse("float()"), _refuse("int()")
    __index__, __complex__ = _refuse("an index or a loop count"), _refuse("complex()")

    __array_priority__: ClassVar[float] = 1000.0

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        """NumPy's functions called on a SymbolicNumber itself, two-argument ones included."""
        name = ufunc.__name__
        if method != "__call__" or options or ALIASES.get(name, name) not in ELEMENTARY:
            if name in _COMPARISONS:
                _refuse(_COMPARISONS[name])(self)
            return NotImplemented

        def one(*elements: Any) -> SymbolicNumber:
            return SymbolicNumber(apply(name, *elements))

        if any(isinstance(i, np.ndarray | list | tuple) for i in inputs):
            return np.frompyfunc(one, len(inputs), 1)(*[_as_objects(i) for i in inputs])
        return one(*inputs)


_COMPARISONS = {
    "less": "x < y",
    "less_equal": "x <= y",
    "greater": "x > y",
    "greater_equal": "x >= y",
    "equal": "x == y",
    "not_equal": "x != y",
}


def _as_objects(value: Any) -> Any:
    """An object array, a single element as one of no dimensions, so that NumPy broadcasts it."""
    if isinstance(value, np.ndarray | list | tuple):
        return np.asarray(value, dtype=object)
    array = np.empty((), dtype=object)
    array[()] = value
    return array


def _elementwise(name: str) -> Callable[[SymbolicNumber], SymbolicNumber]:
    def method(self: SymbolicNumber) -> SymbolicNumber:
        return SymbolicNumber(apply(name, self.expr))

    method.__name__ = name
    method.__doc__ = f"``{name}`` of the expression; NumPy's loop over an object array calls this."
    return method


for _name in [*ELEMENTARY, *ALIASES]:
    if len(_line_of(_name).arguments) == 1:
        setattr(SymbolicNumber, _name, _elementwise(_name))


# -- showing ------------------------------------------------------------------------------------------


def count_nodes(root: Expression, limit: int) -> int:
    """The number of nodes of the tree, counted no further than ``limit``.

    >>> count_nodes(sympy.Symbol("x") ** 2, 100)
    3
    """
    count, stack = 0, [root]
    while stack and count < limit:
        count += 1
        stack.extend(stack.pop()._args)
    return count


def _bounded(expr: Expression, nodes: int = 60) -> str:
    """The expression as text if that is short, else the start of a description."""
    if count_nodes(expr, nodes + 1) > nodes:
        return f"{type(expr).__name__} of more than {nodes} nodes"
    return str(expr)
