"""An expression as a straight-line program: a line for every shared part, and Python that runs.

The text of an expression as a tree can be exponentially longer than the program that computes it;
here each shared subexpression has a name, is computed once, and is used by that name.

>>> import sympy
>>> from diffkit.symbolic import diff
>>> x = sympy.Symbol("x")
>>> u = sympy.exp(-(x**2))
>>> print(straight_line([u, diff(u, x)]))
v1 = exp(-x**2)
return v1, -(2*x)*v1
>>> f = lambdify([x], [u, diff(u, x)])
>>> f(1.0)
[0.36787944117144233, -0.7357588823428847]
"""

from __future__ import annotations

import keyword
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import sympy
from sympy import S
from sympy.matrices.expressions.matexpr import MatrixElement

from diffkit.errors import DomainError, InputError
from diffkit.expressions import Expression, intern, post_order
from diffkit.symbolic.evaluation import (
    FLOATS,
    NUMPY,
    RANGES,
    Arithmetic,
    depending,
    implementation,
    integers,
    special,
)

__all__ = ["lambdify", "straight_line"]

# How tightly a piece of text binds, as in Python.
_COMPARE, _SUM, _PRODUCT, _SIGN, _POWER, _ATOM = range(6)

_ROOTS = (S.Half, -S.Half)
_WIDTH = 90  # a longer line is broken by naming a part of it
_NEST = 40  # parentheses within parentheses; Python's parser allows 200
_TERMS = 40  # of a sum or product on one line: Python compiles longer ones by recursion

_RELATIONS = {
    sympy.StrictLessThan: "<",
    sympy.LessThan: "<=",
    sympy.StrictGreaterThan: ">",
    sympy.GreaterThan: ">=",
    sympy.Equality: "==",
    sympy.Unequality: "!=",
}
_NAMED_NUMBERS = {S.Pi: "pi", S.Exp1: "e", S.Infinity: "inf", S.NaN: "nan"}


class _Text:
    """A piece of Python, how tightly it binds, and how deeply it nests."""

    __slots__ = ("binds", "nest", "text")

    def __init__(self, text: str, binds: int = _ATOM, nest: int = 0) -> None:
        self.text, self.binds, self.nest = text, binds, nest

    def within(self, level: int) -> str:
        """The text as an operand that has to bind at least as tightly as ``level``."""
        return self.text if self.binds >= level else f"({self.text})"


class _Names:
    """Names for the parts of a program, none of them used twice."""

    def __init__(self, taken: Iterable[str]) -> None:
        self.taken = (
            set(taken)
            | set(NUMPY)
            | {"times", "integers", "prod", "pow"}
            | set(_NAMED_NUMBERS.values())
            | set(keyword.kwlist)
        )
        self.next: Counter[str] = Counter()

    def fresh(self, stem: str) -> str:
        while True:
            self.next[stem] += 1
            name = f"{stem}{self.next[stem]}"
            if name not in self.taken:
                return name

    def like(self, symbol: Any) -> str:
        """A name for a symbol: its own where Python allows that."""
        name = re.sub(r"\W+", "_", str(symbol)).strip("_") or "x"
        if name[0].isdigit():
            name = f"x{name}"
        if name in self.taken:
            name = self.fresh(f"{name}_")
        self.taken.add(name)
        return name


class _Writer:
    """Writes the program of one function body; a Sum within it has a body, and a writer, of its own."""

    def __init__(
        self,
        names: _Names,
        known: Mapping[int, _Text],
        heads: dict[str, Any],
        matrices: dict[str, Any] | None = None,
    ) -> None:
        self.names = names
        self.texts = dict(known)
        self.heads = heads  # the SymPy functions that occur, by name
        self.matrices = matrices  # those of constants, by name; None to write every sum out
        self.rows: dict[int, _Row] = {}
        self.lines: list[str] = []

    def write(self, roots: Sequence[Expression]) -> list[_Text]:
        """The roots' texts; the lines before them are added to ``lines``."""
        if self.matrices is not None:
            self.rows = _rows(roots)
        order = self._order(roots)
        uses = Counter(id(a) for node in order for a in self._parts(node))
        uses.update(id(r) for r in roots)
        for node in order:
            text = self._text(node)
            shared = uses[id(node)] > 1 and bool(node._args)
            if shared or len(text.text) > _WIDTH or text.nest > _NEST:
                text = self._named(text)
            self.texts[id(node)] = text
        return [self.texts[id(r)] for r in roots]

    def _order(self, roots: Sequence[Expression]) -> list[Expression]:
        order: list[Expression] = []
        done = set(self.texts)
        stack = list(reversed(roots))
        while stack:
            node = stack[-1]
            if id(node) in done:
                stack.pop()
                continue
            pending = [a for a in self._parts(node) if id(a) not in done]
            if pending:
                stack.extend(reversed(pending))
            else:
                stack.pop()
                done.add(id(node))
                order.append(node)
        return order

    def _parts(self, node: Expression) -> Sequence[Expression]:
        row = self.rows.get(id(node))
        return _parts(node) if row is None else [*row.matrix.operands, *row.rest]

    def _product_by_matrix(self, row: _Row) -> _Text:
        """One row of a matrix of constants times a vector; the first that is met writes them all."""
        assert self.matrices is not None
        matrix = row.matrix
        if not matrix.names:
            name = self.names.fresh("m")
            self.matrices[name] = np.array(matrix.coefficients)
            matrix.names = [self.names.fresh("v") for _ in matrix.coefficients]
            vector = ", ".join(self.texts[id(operand)].text for operand in matrix.operands)
            self.lines.append(f"{', '.join(matrix.names)} = times({name}, ({vector}))")
        return _Text(matrix.names[row.place])

    def _named(self, text: _Text) -> _Text:
        name = self.names.fresh("v")
        self.lines.append(f"{name} = {text.text}")
        return _Text(name)

    def _text(self, node: Expression) -> _Text:
        if not node._args or isinstance(node, sympy.Indexed | MatrixElement):
            return self._leaf(node)
        if node.is_Add:
            return self._sum(node)
        if node.is_Mul:
            return self._product(node._args)
        if node.is_Pow:
            return self._power(*node._args)
        if isinstance(node, RANGES):
            return self._over_range(node)
        if type(node) in _RELATIONS:
            left, right = (self.texts[id(a)] for a in node._args)
            sides = f"{left.within(_SUM)} {_RELATIONS[type(node)]} {right.within(_SUM)}"
            return _Text(sides, _COMPARE, max(left.nest, right.nest))
        parts = [self.texts[id(a)] for a in _parts(node)]
        self.heads[type(node).__name__] = node.func
        return _Text(
            f"{type(node).__name__}({', '.join(p.text for p in parts)})",
            nest=1 + max(p.nest for p in parts),
        )

    def _leaf(self, node: Expression) -> _Text:
        if node.is_Rational:
            if node.q == 1:
                return _Text(str(node.p), _ATOM if node.p >= 0 else _SIGN)
            return _Text(f"{node.p}/{node.q}", _PRODUCT)
        if node.is_Float:
            value = repr(float(node))
            return _Text(value, _SIGN if value[0] == "-" else _ATOM)
        if node is S.NegativeInfinity:
            return _Text("-inf", _SIGN)
        if node in _NAMED_NUMBERS:
            return _Text(_NAMED_NUMBERS[node])
        if node is sympy.true or node is sympy.false:
            return _Text(str(node))
        if not node._args and node.is_number:
            return _Text(repr(float(node)))
        raise InputError(f"{node} is not among the arguments; add it to their list")

    def _sum(self, node: Expression) -> _Text:
        row = self.rows.get(id(node))
        pieces = [] if row is None else [("+", self._product_by_matrix(row))]
        for term in node._args if row is None else row.rest:
            known = self.texts[id(term)]
            if term.is_Mul and term._args[0].is_Rational and term._args[0].p < 0 and known.binds < _ATOM:
                coefficient, *rest = term._args
                positive = [] if coefficient is S.NegativeOne else [intern(-coefficient)]
                for p in positive:
                    self.texts.setdefault(id(p), self._leaf(p))
                pieces.append(("-", self._product((*positive, *rest))))
            elif known.text[0] == "-" and term.is_Number:
                pieces.append(("-", _Text(known.text[1:], _PRODUCT)))
            else:
                pieces.append(("+", known))
        sign, first = pieces[0]
        text = first.within(_SUM) if sign == "+" else f"-{first.within(_SIGN)}"
        return self._joined(text, [(f" {s} ", t) for s, t in pieces[1:]], _PRODUCT, _SUM, first.nest)

    def _joined(
        self, text: str, rest: Sequence[tuple[str, _Text]], operand: int, result: int, nest: int
    ) -> _Text:
        """Terms or factors from left to right, a long row of them in several lines."""
        count = 0
        for sign, piece in rest:
            count += 1
            nest = max(nest, piece.nest)
            text += sign + piece.within(operand)
            if count == _TERMS or len(text) > 6 * _WIDTH:
                text, count = self._named(_Text(text)).text, 0
        return _Text(text, result, nest + 1)

    def _product(self, factors: Sequence[Expression]) -> _Text:
        # A reciprocal that has a name is multiplied by; any other is divided by.
        above, below = [], []
        for f in factors:
            if f.is_Pow and f._args[1] is S.NegativeOne and self.texts[id(f)].binds < _ATOM:
                below.append(self.texts[id(f._args[0])])
            else:
                above.append(f)
        sign = ""
        if len(above) > 1 and above[0] is S.NegativeOne:
            sign, above = "-", above[1:]
        texts = [self.texts[id(f)] for f in above] or [_Text("1")]
        first, *others = texts
        head = sign + first.within(_SIGN if sign else _PRODUCT)
        over = self._joined(head, [("*", t) for t in others], _SIGN, _PRODUCT, first.nest)
        if not below:
            return over if len(texts) > 1 else _Text(over.text, _SIGN if sign else first.binds, first.nest)
        under = self._joined(
            below[0].within(_SIGN), [("*", t) for t in below[1:]], _SIGN, _PRODUCT, below[0].nest
        )
        if len(below) == 1:
            under = below[0]
        return _Text(f"{over.within(_PRODUCT)}/{under.within(_SIGN)}", _PRODUCT, over.nest + under.nest)

    def _power(self, base: Expression, exponent: Expression) -> _Text:
        b = self.texts[id(base)]
        if exponent is S.NegativeOne:
            return _Text(f"1/{b.within(_SIGN)}", _PRODUCT, b.nest + 1)
        if exponent is S.Half:
            return _Text(f"sqrt({b.text})", nest=b.nest + 1)
        if exponent == -S.Half:
            return _Text(f"1/sqrt({b.text})", _PRODUCT, b.nest + 1)
        if exponent.is_Integer and exponent.p >= 0:
            return _Text(f"{b.within(_ATOM)}**{exponent.p}", _POWER, b.nest + 1)
        if exponent.is_Integer:
            return _Text(f"1/{b.within(_ATOM)}**{-exponent.p}", _PRODUCT, b.nest + 1)
        e = self.texts[id(exponent)]
        return _Text(f"pow({b.text}, {e.text})", nest=1 + max(b.nest, e.nest))

    def _over_range(self, node: Expression) -> _Text:
        """A loop over a function of the index; what does not depend on the index stays outside."""
        body, limits = node._args[0], node._args[1:]
        inside = depending(node)
        known = {key: text for key, text in self.texts.items() if key not in inside}
        for limit in limits:
            known[id(limit._args[0])] = _Text(self.names.like(limit._args[0]))
        writer = _Writer(self.names, known, self.heads)
        (result,) = writer.write([body])
        indices = ", ".join(known[id(limit._args[0])].text for limit in limits)
        name = self.names.fresh("term")
        self.lines.append(f"def {name}({indices}):")
        self.lines += [f"    {line}" for line in [*writer.lines, f"return {result.text}"]]
        loops = ""
        for limit in reversed(limits):
            ends = _Writer(self.names, known, self.heads)
            low, high = ends.write(limit._args[1:])
            if ends.lines:
                raise InputError(
                    f"the limits {limit} depend on another index in too long a way to be written"
                )
            loops += f" for {known[id(limit._args[0])].text} in integers({low.text}, {high.text})"
        combine = "sum" if isinstance(node, sympy.Sum) else "prod"
        return _Text(f"{combine}({name}({indices}){loops})", nest=2)


class _Matrix:
    """Sums of constant multiples of the same operands: a matrix times a vector."""

    def __init__(self, operands: Sequence[Expression]) -> None:
        self.operands = operands
        self.coefficients: list[list[float]] = []
        self.names: list[str] = []  # of the product's elements, once it is written


class _Row:
    """A sum as one row of such a matrix, and the terms that are left over."""

    def __init__(self, matrix: _Matrix, rest: Sequence[Expression]) -> None:
        self.matrix, self.rest = matrix, rest
        self.place = len(matrix.coefficients)


_SHORTEST_ROW = 8  # terms; shorter sums are quicker written out


def _rows(roots: Sequence[Expression]) -> dict[int, _Row]:
    """The long sums whose terms are constant multiples of the same operands, by identity."""
    found: dict[tuple[int, ...], list[tuple[Expression, list[Expression], list[Expression]]]] = {}
    for node in post_order(*roots):
        if node.is_Add and len(node._args) >= _SHORTEST_ROW:
            terms = [t for t in node._args if t.is_Mul and len(t._args) == 2 and t._args[0].is_Number]
            if len(terms) >= _SHORTEST_ROW:
                taken = {id(t) for t in terms}
                rest = [t for t in node._args if id(t) not in taken]
                found.setdefault(tuple(id(t._args[1]) for t in terms), []).append((node, terms, rest))
    rows: dict[int, _Row] = {}
    for group in found.values():
        if len(group) > 1:
            matrix = _Matrix([t._args[1] for t in group[0][1]])
            for node, terms, rest in group:
                rows[id(node)] = _Row(matrix, rest)
                matrix.coefficients.append([float(t._args[0]) for t in terms])
    return rows


def _times_scalars(matrix: Any, vector: tuple[float, ...]) -> Any:
    return (matrix @ np.array(vector)).tolist()


def _times_arrays(matrix: Any, vector: tuple[Any, ...]) -> Any:
    stacked = np.stack(np.broadcast_arrays(*vector))
    return np.tensordot(matrix.astype(stacked.dtype), stacked, 1)


def _parts(node: Expression) -> Sequence[Expression]:
    """The operands that have to be written before a node."""
    if isinstance(node, sympy.Piecewise):
        return [part for piece in node._args for part in piece._args]
    if isinstance(node, sympy.Indexed | MatrixElement):
        return []
    if isinstance(node, RANGES):
        inside = depending(node)
        free: dict[int, Expression] = {}
        for inner in post_order(node):
            if id(inner) in inside:
                free.update((id(a), a) for a in inner._args if id(a) not in inside)
        return [a for a in free.values() if not isinstance(a, sympy.Tuple)]
    if node.is_Pow and (node._args[1].is_Integer or node._args[1] in _ROOTS):
        return [node._args[0]]
    return list(node._args)


# -- the public functions -----------------------------------------------------------------------------


def _roots(exprs: Any) -> tuple[list[Expression], Any]:
    if isinstance(exprs, sympy.MatrixBase):
        return [intern(e) for e in exprs], exprs.shape
    if isinstance(exprs, list | tuple):
        return [intern(e) for e in exprs], list
    return [intern(exprs)], None


def _free(roots: Sequence[Expression]) -> list[Expression]:
    """The symbols that occur, by name; the indices of a Sum are its own."""
    bound = {
        limit._args[0] for node in post_order(*roots) if isinstance(node, RANGES) for limit in node._args[1:]
    }
    symbols = {node for node in post_order(*roots) if node.is_Symbol and node not in bound}
    return sorted(symbols, key=lambda s: (str(s), s._hashable_content().__repr__()))


def straight_line(exprs: Any) -> str:
    """The expressions as a program: one line for each shared part, then what is returned.

    Args:
        exprs: an expression, a list of them, or a matrix.

    Raises:
        InputError: for what is no expression.

    >>> import sympy
    >>> x = sympy.Symbol("x")
    >>> l = 4 * x * (1 - x)
    >>> print(straight_line(4 * l * (1 - l)))
    v1 = 1 - x
    return 16*x*v1*(1 - 4*x*v1)
    """
    roots, _ = _roots(exprs)
    names = _Names(())
    writer = _Writer(names, {id(s): _Text(names.like(s)) for s in _free(roots)}, {})
    results = ", ".join(r.text for r in writer.write(roots))
    return "\n".join([*writer.lines, f"return {results}"])


def lambdify(args: Any, exprs: Any, *, functions: Mapping[str, Callable[..., Any]] | None = None) -> Any:
    """The expressions as a Python function, straight-line, with every shared node computed once.

    Called with floats it computes with :mod:`math`, with arrays by NumPy, which broadcasts them.
    Where ``math`` would raise (log of 0, overflow), the answer is NumPy's: nan or infinity.

    Args:
        args: the symbols, in the order of the function's parameters; one, or a list.
        exprs: an expression, a list of them (the function returns a list), or a matrix (it returns
            an array of its shape, before the broadcast ones).
        functions: what undefined functions compute, by name.

    Returns:
        A function; its attribute ``source`` is the program. Long sums of constant multiples of the
        same operands are computed together, as ``times(matrix, vector)``; those matrices are in its
        attribute ``constants``, by name.

    Raises:
        InputError: for a symbol that is not among the arguments, and for names that occur twice.
        NoRuleError: for a function that nothing computes.

    >>> import sympy
    >>> x, y = sympy.symbols("x y")
    >>> f = lambdify([x, y], sympy.log(x) / y)
    >>> f(1.0, 2.0), f(np.array([1.0, np.e]), 2.0), f(0.0, 1.0)
    (0.0, array([0. , 0.5]), -inf)
    """
    symbols = [args] if isinstance(args, sympy.Basic) else list(args)
    for symbol in symbols:
        if not isinstance(symbol, sympy.Expr) or not (
            symbol.is_Symbol or getattr(symbol, "_diff_wrt", False)
        ):
            raise InputError(f"expected symbols as the function's arguments, got {symbol!r}")
    symbols = [intern(symbol) for symbol in symbols]
    if len(set(symbols)) < len(symbols):
        raise InputError(f"expected different symbols as the function's arguments, got {symbols}")
    roots, shape = _roots(exprs)
    names = _Names(())
    texts = {id(symbol): _Text(names.like(symbol)) for symbol in symbols}
    parameters = ", ".join(text.text for text in texts.values())
    heads: dict[str, Any] = {}
    matrices: dict[str, Any] = {}
    writer = _Writer(names, texts, heads, matrices)
    results = [r.text for r in writer.write(roots)]
    result = results[0] if shape is None else f"[{', '.join(results)}]"
    body = "\n    ".join([*writer.lines, f"return {result}"])
    source = f"def program({parameters}):\n    {body}\n"
    code = compile(source, "<diffkit.symbolic.lambdify>", "exec")

    def namespace(arithmetic: Arithmetic, basics: Mapping[str, Any]) -> Any:
        space = {**arithmetic.functions, **basics, **matrices, "integers": integers, "prod": math.prod}
        for name, head in heads.items():
            space[name] = implementation(head, arithmetic, functions or {})
        exec(code, space)
        return space["program"]

    by_math = namespace(_MATH, _CONSTANTS | {"sqrt": math.sqrt, "pow": math.pow, "times": _times_scalars})
    by_numpy = namespace(FLOATS, _CONSTANTS | {"sqrt": np.sqrt, "pow": np.power, "times": _times_arrays})
    is_scalar = {float, int}.issuperset

    def compiled(*values: Any) -> Any:
        if is_scalar(map(type, values)):
            try:
                return by_math(*values)
            except (ValueError, ZeroDivisionError, OverflowError, DomainError):
                with np.errstate(all="ignore"):
                    outcome = by_numpy(*map(np.float64, values))
                return [float(v) for v in outcome] if shape is not None else float(outcome)
        return by_numpy(*map(FLOATS.convert, values))

    function: Any = compiled if not isinstance(shape, tuple) else _shaped(compiled, shape)
    function.source = source
    function.constants = matrices
    return function


_CONSTANTS: dict[str, Any] = {"pi": math.pi, "e": math.e, "inf": math.inf, "nan": math.nan}


def _shaped(function: Callable[..., Any], shape: tuple[int, ...]) -> Callable[..., Any]:
    def matrix(*values: Any) -> Any:
        elements = np.broadcast_arrays(*function(*values))
        return np.stack(elements).reshape(*shape, *elements[0].shape)

    return matrix


def _inverse_of(function: Callable[[float], float]) -> Callable[[float], float]:
    return lambda x: 1 / function(x)


def _at_inverse(function: Callable[[float], float]) -> Callable[[float], float]:
    return lambda x: function(1 / x)


_MATH = Arithmetic(
    {
        **FLOATS.functions,
        **{
            start + name + end: getattr(math, start + name + end)
            for start in ("", "a")
            for name in ("sin", "cos", "tan")
            for end in ("", "h")
        },
        **{name: getattr(math, name) for name in ("exp", "log", "erf", "erfc", "gamma", "floor", "atan2")},
        **{
            name: _inverse_of(getattr(math, f))
            for name, f in (("cot", "tan"), ("sec", "cos"), ("csc", "sin"))
        },
        **{
            name: _inverse_of(getattr(math, f))
            for name, f in (("coth", "tanh"), ("sech", "cosh"), ("csch", "sinh"))
        },
        **{
            name: _at_inverse(getattr(math, f))
            for name, f in (("acot", "atan"), ("asec", "acos"), ("acsc", "asin"))
        },
        **{
            name: _at_inverse(getattr(math, f))
            for name, f in (("acoth", "atanh"), ("asech", "acosh"), ("acsch", "asinh"))
        },
        "loggamma": math.lgamma,
        "digamma": special("digamma"),
        "Abs": abs,
        "ceiling": math.ceil,
        "Max": max,
        "Min": min,
        "sign": lambda x: (x > 0) - (x < 0),
        "Heaviside": lambda x, at_zero: 1.0 if x > 0 else at_zero if x == 0 else 0.0,
        "Mod": lambda x, y: x - y * math.floor(x / y),
        "KroneckerDelta": lambda i, j: 1.0 if i == j else 0.0,
        "And": lambda *conditions: all(conditions),
        "Or": lambda *conditions: any(conditions),
        "Not": lambda condition: not condition,
    },
    FLOATS.convert,
    FLOATS.constant,
)
