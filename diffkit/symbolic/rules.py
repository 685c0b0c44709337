"""What each SymPy class contributes to the chain rule.

A node of an expression is read as a :class:`Rule`: the operands that it depends on, and for each of
them the term of the chain rule, *factor times partial derivative*. Forward mode calls the term with
a tangent and adds over the operands; reverse mode calls the same term with an adjoint and hands the
result to the operand. So one text of the table of :mod:`diffkit.calculus` serves both.

SymPy writes x - y as x + (-1)*y and x/y as x*y**(-1); reading puts that right, and splits products
of many factors, so that what is applied is the table's line for negative, divide, sqrt and so on.

>>> import sympy
>>> x, y, t = sympy.symbols("x y t")
>>> rule = read(intern(x / y), Context((x,)))
>>> rule.name, rule.operands, rule.term(0, t)
('divide', (x,), t/y)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import sympy
from sympy import S
from sympy.concrete.expr_with_limits import ExprWithLimits
from sympy.core.function import AppliedUndef

from diffkit.calculus import ELEMENTARY, SPECIAL, Elementary, chain
from diffkit.errors import InputError, NoRuleError
from diffkit.expressions import (
    NAMES,
    Expression,
    add,
    call,
    derivative,
    intern,
    piecewise,
    post_order,
    product,
    rebuild,
    substitute,
    subtract,
)

__all__ = ["Context", "Rule", "defrule", "read"]

# Every expression here is interned already, so the operations need not see to that.
multiply, negative, total = NAMES["multiply"], NAMES["negative"], NAMES["total"]
_ZERO, _ONE, _MINUS_ONE = (intern(v) for v in (S.Zero, S.One, S.NegativeOne))


class Rule:
    """A node's part in the chain rule.

    Attributes:
        name: the rule's name: a line of the table, or ``sum``, ``product``, ``piecewise``, ...
        node: the expression that it differentiates.
        operands: the expressions that the node depends on, of those that depend on the variables.
        term: ``term(k, factor)`` is ``factor`` times the partial derivative by ``operands[k]``.
        line: the line of the table, if it is one.
        arguments: that line's arguments in the node, active or not.
    """

    __slots__ = ("arguments", "line", "name", "node", "operands", "term")

    def __init__(
        self,
        name: str,
        node: Expression,
        operands: tuple[Expression, ...],
        term: Callable[[int, Expression], Expression],
        line: Elementary | None = None,
        arguments: tuple[Expression, ...] = (),
    ) -> None:
        self.name = name
        self.node = node
        self.operands = operands
        self.term = term
        self.line = line
        self.arguments = arguments

    def pushforward(self, tangents: Sequence[Expression]) -> Expression:
        """The node's tangent from those of its operands."""
        if len(tangents) == 1:
            return self.term(0, tangents[0]) if tangents[0] is not _ZERO else _ZERO
        return total([self.term(k, t) for k, t in enumerate(tangents) if t is not _ZERO])

    def pullback(self, adjoint: Expression) -> list[Expression]:
        """What the node hands to each operand's adjoint."""
        return [self.term(k, adjoint) for k in range(len(self.operands))]


class Context:
    """The variables of a differentiation, and what in an expression depends on them.

    Args:
        variables: interned symbols, or what SymPy lets one differentiate by (``_diff_wrt``).
    """

    def __init__(self, variables: Sequence[Expression]) -> None:
        self.variables = tuple(intern(v) for v in variables)
        self.active: set[int] = {id(v) for v in self.variables}
        self._known: set[int] = set(self.active)
        self._complex: set[int] = set()
        self._keep: list[Expression] = []
        self._indexed = {v.base: v for v in self.variables if isinstance(v, sympy.Indexed)}

    def explore(self, *roots: Expression) -> None:
        """Marks what depends on the variables below ``roots``."""
        active, known, tainted = self.active, self._known, self._complex
        self._keep.extend(roots)  # identities stay valid while their owner lives
        for node in post_order(*roots):
            key = id(node)
            if key in known:
                continue
            known.add(key)
            args = node._args
            if not args:
                if node is S.ImaginaryUnit or getattr(node, "is_real", None) is False:
                    tainted.add(key)
                continue
            if tainted and any(id(a) in tainted for a in args):
                tainted.add(key)
            if type(node) not in _PLAIN and self._indexed and isinstance(node, sympy.Indexed):
                live = _deltas(node, self)[0] != ()
            elif type(node) not in _PLAIN and isinstance(node, _SCOPED):
                live = bool(self.within(node))
            else:
                live = not active.isdisjoint(map(id, args))
            if live:
                active.add(key)

    def note(self, node: Expression) -> Expression:
        """Marks an expression made while reading as one that depends on the variables."""
        self._keep.append(node)
        self._known.add(id(node))
        self.active.add(id(node))
        return node

    def of(self, nodes: Sequence[Expression]) -> list[Expression]:
        """Those of ``nodes`` that depend on the variables."""
        active = self.active
        return [n for n in nodes if id(n) in active]

    def is_complex(self, node: Expression) -> bool:
        """Whether the imaginary unit, or a symbol that is declared not real, occurs in it."""
        return id(node) in self._complex

    def within(self, node: Expression) -> tuple[Expression, ...]:
        """The variables that occur free in a Sum, Product, Derivative or Subs."""
        found: set[int] = set()
        seen: set[tuple[int, frozenset[int]]] = set()
        variables = {id(v) for v in self.variables}
        stack: list[tuple[Expression, frozenset[int]]] = [(node, frozenset())]
        while stack:
            item, bound = stack.pop()
            if (id(item), bound) in seen:
                continue
            seen.add((id(item), bound))
            if id(item) in variables and bound.isdisjoint(id(a) for a in post_order(item)):
                found.add(id(item))
                continue
            if self._indexed and isinstance(item, sympy.Indexed):
                found.update(id(v) for v in _deltas(item, self)[0])
            if isinstance(item, sympy.Subs):
                body, indices, point = item._args
                stack.append((point, bound))
                stack.append((body, bound | {id(i) for i in indices._args}))
                continue
            if isinstance(item, ExprWithLimits):
                bound = bound | {id(limit._args[0]) for limit in item._args[1:]}
            stack.extend((a, bound) for a in item._args)
        return tuple(v for v in self.variables if id(v) in found)


_PLAIN = frozenset({sympy.Add, sympy.Mul, sympy.Pow})
_SCOPED: tuple[type, ...] = (ExprWithLimits, sympy.Derivative, sympy.Subs)


# -- the user's own rules -----------------------------------------------------------------------------

_registered: dict[Any, Callable[[Expression, Context], Rule]] = {}


def defrule(head: Any, *partials: str | Callable[..., Any] | None) -> None:
    """Says what the partial derivatives of a SymPy function are.

    Args:
        head: the function's class: ``sympy.LambertW``, an undefined ``Function("f")``, or one's own.
        partials: one per argument. A text in the table's grammar, over the arguments ``x`` (of one),
            ``x, y`` (of two), ``x, y, z`` (of three), or ``x1, x2, ...``, and ``ans``, the function's
            value; or a callable ``partial(ans, *args)``; or None for an argument by which the
            function is never differentiated, such as the order of a Bessel function.

    Raises:
        InputError: for a head that is no SymPy class, or a text that does not parse.

    >>> import sympy
    >>> from diffkit.symbolic import diff
    >>> x = sympy.Symbol("x")
    >>> defrule(sympy.LambertW, "ans / (x * (1 + ans))")
    >>> diff(sympy.LambertW(x**2), x)
    ((2*x)*LambertW(x**2))/((x**2*(LambertW(x**2) + 1)))
    """
    if not isinstance(head, type) or not issubclass(head, sympy.Basic):
        raise InputError(
            f"expected a SymPy function's class to define a rule for, such as sympy.LambertW, got {head!r}"
        )
    if not partials:
        raise InputError(f"expected one partial derivative per argument of {head.__name__}, got none")
    names = _argument_names(len(partials))
    for text in partials:
        if isinstance(text, str):
            try:
                derivative(text, ("g", "ans", *names))
            except (SyntaxError, KeyError) as error:
                raise InputError(f"{text!r} is not an expression in {', '.join(names)}, ans") from error

    def reading(node: Expression, context: Context) -> Rule:
        args = node._args
        if len(args) != len(partials):
            raise NoRuleError(
                f"{head.__name__} has a rule for {len(partials)} arguments, but is used with {len(args)}"
            )

        def term(k: int, factor: Expression) -> Expression:
            partial = partials[places[k]]
            if partial is None:
                raise NoRuleError(
                    f"{head.__name__} has no rule for the derivative by its argument number {places[k] + 1}"
                )
            if isinstance(partial, str):
                read_text = derivative(chain("g", partial), ("g", "ans", *names))
                return read_text(factor, node, *args)
            return multiply(factor, partial(node, *args))

        places = [k for k, a in enumerate(args) if id(a) in context.active]
        return Rule(head.__name__, node, tuple(args[k] for k in places), term)

    _registered[head] = reading


def _argument_names(count: int) -> tuple[str, ...]:
    return tuple("xyz"[:count]) if count <= 3 else tuple(f"x{k}" for k in range(1, count + 1))


# -- reading ------------------------------------------------------------------------------------------


def read(node: Expression, context: Context) -> Rule:
    """The rule that differentiates a node (interned, and active in ``context``).

    Raises:
        NoRuleError: for a head without a rule, by name.
        InputError: where the rule needs real numbers and the expression says otherwise.
    """
    if id(node) not in context._known:
        context.explore(node)
    cls = type(node)
    reading = _registered.get(cls) or _READINGS.get(cls)
    if reading is not None:
        return reading(node, context)
    line = _lines().get(cls)
    if line is not None:
        if cls in _REAL_ONLY and context.is_complex(node):
            raise InputError(
                f"the derivative of {cls.__name__} is that for real numbers, but its argument holds a symbol "
                "that is declared not real, or the imaginary unit; declare the symbols with real=True"
            )
        return _table_rule(line, node, node._args, context)
    for kind, reading in _KINDS:
        if isinstance(node, kind):
            return reading(node, context)
    raise NoRuleError(_no_rule(node))


def _no_rule(node: Expression) -> str:
    name = type(node).__name__
    if isinstance(node, sympy.Integral):
        return (
            f"the expression holds an unevaluated {name}, which has no rule; "
            "evaluate it with .doit() first, or define a rule with diffkit.symbolic.defrule"
        )
    if isinstance(node, sympy.MatrixExpr):
        return (
            f"{name} is a matrix expression, which has no rule; write the matrix out with .as_explicit(), "
            "and it is differentiated element by element"
        )
    return (
        f"there is no rule for the derivative of {name}; define one with "
        f"diffkit.symbolic.defrule({name}, partial, ...), one partial derivative per argument"
    )


_SHARED = ("erfi", "erfinv", "erfcinv")  # SciPy's special functions that SymPy has under the same name


@cache
def _lines() -> dict[Any, Elementary]:
    """The lines of the table by the SymPy class of their form."""
    lines: dict[Any, Elementary] = {}
    for line in (*ELEMENTARY.values(), *(SPECIAL[name] for name in _SHARED)):
        cls = getattr(sympy, line.head or "", None)
        if isinstance(cls, type):
            lines.setdefault(cls, line)
    return lines


_REAL_ONLY = frozenset(
    {sympy.Abs, sympy.sign, sympy.Max, sympy.Min, sympy.floor, sympy.ceiling, sympy.Heaviside}
)


@cache
def _term_of(line: Elementary, k: int) -> Callable[..., Expression]:
    """The k-th term of the chain rule of a line, as a function of (g, ans, *arguments)."""
    return derivative(line.chained(k, "g"), ("g", "ans", *line.arguments))


def _table_rule(line: Elementary, node: Expression, args: tuple[Expression, ...], context: Context) -> Rule:
    active = context.active
    if len(args) == 1:
        read_text = _term_of(line, 0)
        return Rule(line.name, node, args, lambda _, g: read_text(g, node, *args), line, args)
    places = [k for k, a in enumerate(args) if id(a) in active]
    texts = [_term_of(line, k) for k in places]
    operands = tuple([args[k] for k in places])
    return Rule(line.name, node, operands, lambda k, g: texts[k](g, node, *args), line, args)


def _read_add(node: Expression, context: Context) -> Rule:
    return Rule("sum", node, tuple(context.of(node._args)), lambda _, g: g)


_NEGATIVE, _DIVIDE, _MULTIPLY = ELEMENTARY["negative"], ELEMENTARY["divide"], ELEMENTARY["multiply"]
_POWER, _SQRT, _EXP = ELEMENTARY["power"], ELEMENTARY["sqrt"], ELEMENTARY["exp"]


def _read_mul(node: Expression, context: Context) -> Rule:
    args = node._args
    if len(args) == 2:
        a, b = args
        if a is _MINUS_ONE:
            return Rule("negative", node, (b,), lambda _, g: negative(g), _NEGATIVE, (b,))
        if a.is_Number and not b.is_Pow:
            return _scaled(node, a, b)
        if b.is_Pow and b._args[1] is _MINUS_ONE:
            return _table_rule(_DIVIDE, node, (a, b._args[0]), context)
        if a.is_Pow and a._args[1] is _MINUS_ONE:
            return _table_rule(_DIVIDE, node, (b, a._args[0]), context)
        return _table_rule(_MULTIPLY, node, args, context)
    live = context.of(args)
    if len(live) < len(args):  # the constant factors step aside
        rest = [a for a in args if id(a) not in context.active]
        return _scaled(node, product(rest), context.note(product(live)))
    return _wide_product(node, args)


def _scaled(node: Expression, constant: Expression, other: Expression) -> Rule:
    if constant is _MINUS_ONE:
        return Rule("negative", node, (other,), lambda _, g: negative(g), _NEGATIVE, (other,))
    return Rule("multiply", node, (other,), lambda _, g: multiply(g, constant), _MULTIPLY, (constant, other))


def _wide_product(node: Expression, factors: tuple[Expression, ...]) -> Rule:
    """A product of n >= 3 factors: each partial is (all before) * (all after), 3n - 6 products in all.

    Speelpenning's example: without the running products, the n partials would take n (n - 2).
    """
    others: list[Expression] = []

    def term(k: int, factor: Expression) -> Expression:
        if not others:
            before, after = [factors[0]], [factors[-1]]
            for f in factors[1:-2]:
                before.append(multiply(before[-1], f))
            for f in reversed(factors[2:-1]):
                after.append(multiply(f, after[-1]))
            after.reverse()
            others.append(multiply(factors[1], after[0]) if len(factors) > 2 else factors[1])
            others.extend(multiply(b, a) for b, a in zip(before, after, strict=True))
            others.append(multiply(before[-1], factors[-2]))
        return multiply(factor, others[k])

    return Rule("product", node, factors, term)


def _read_pow(node: Expression, context: Context) -> Rule:
    base, exponent = node._args
    if exponent is _MINUS_ONE:
        return _table_rule(_DIVIDE, node, (_ONE, base), context)
    if exponent is S.Half:
        return _table_rule(_SQRT, node, (base,), context)
    if base is S.Exp1:
        return _table_rule(_EXP, node, (exponent,), context)
    return _table_rule(_POWER, node, (base, exponent), context)


def _read_extremum(node: Expression, context: Context) -> Rule:
    """Max or Min of any number of arguments, two at a time, so that every tie is shared."""
    if context.is_complex(node):
        raise InputError(
            f"{type(node).__name__} compares real numbers, but a symbol in it is declared not real, or it "
            "holds the imaginary unit"
        )
    cls, args = type(node), node._args
    line = _lines()[cls]
    if len(args) == 2:
        return _table_rule(line, node, args, context)
    first = call(cls, *args[:2])
    for a in args[2:-1]:
        context.explore(first)
        first = call(cls, first, a)
    context.explore(first)
    return _table_rule(line, node, (first, args[-1]), context)


class _Piecewise(Rule):
    """The pieces are differentiated, the conditions kept: at a boundary, the piece that holds there."""

    __slots__ = ("pieces",)

    def __init__(self, node: Expression, context: Context) -> None:
        self.pieces = [(p._args[0], p._args[1]) for p in node._args]
        operands = tuple(dict.fromkeys(context.of([value for value, _ in self.pieces])))
        super().__init__("piecewise", node, operands, self._term)

    def _term(self, k: int, factor: Expression) -> Expression:
        return self.pullback(factor)[k]

    def pushforward(self, tangents: Sequence[Expression]) -> Expression:
        by = dict(zip(self.operands, tangents, strict=True))
        new = [(by.get(value, _ZERO), condition) for value, condition in self.pieces]
        if all(value is _ZERO for value, _ in new):
            return _ZERO
        return piecewise(*new)

    def pullback(self, adjoint: Expression) -> list[Expression]:
        # What is left of the adjoint goes down the list of conditions: each takes it or passes it on,
        # so that the work is linear in the number of pieces.
        shares: dict[Expression, list[Expression]] = {o: [] for o in self.operands}
        left = adjoint
        for value, condition in self.pieces:
            always = condition is sympy.true
            if value in shares:
                share = left if always else piecewise((left, condition), (0, True))
                shares[value].append(share)
            if always:
                break
            left = piecewise((0, condition), (left, True))
        return [total(shares[o]) for o in self.operands]


def _partials_rule(
    name: str, node: Expression, operands: tuple[Expression, ...], partial: Callable[[int], Expression]
) -> Rule:
    return Rule(name, node, operands, lambda k, g: multiply(g, partial(k)))


def _limits(node: Expression, context: Context) -> tuple[tuple[Expression, ...], Context]:
    """The variables that a Sum or Product depends on, and the context of its body."""
    variables = context.within(node)
    inner = Context(variables)
    for limit in node.limits:
        if len(limit) != 3:
            raise InputError(
                f"{type(node).__name__} over {limit[0]} has no range; give it as ({limit[0]}, a, b)"
            )
        inner.explore(*(intern(bound) for bound in limit[1:]))
        if inner.of([intern(bound) for bound in limit[1:]]):
            raise NoRuleError(
                f"a limit of the {type(node).__name__} over {limit[0]} depends on the variable; "
                "the number of terms is an integer and has no derivative"
            )
    return variables, inner


# Templates of the two classes, whose nodes carry more than their arguments.
_i = sympy.Dummy("i", integer=True)
_SUM, _PRODUCT = intern(sympy.Sum(_i, (_i, 1, 2))), intern(sympy.Product(_i, (_i, 1, 2)))


def _read_sum(node: Expression, context: Context) -> Rule:
    from diffkit.symbolic.differentiation import reverse_sweep

    variables, inner = _limits(node, context)
    partials: list[Expression] = []

    def partial(k: int) -> Expression:
        if not partials:
            inner.explore(node._args[0])
            bodies = reverse_sweep([node._args[0]], inner, [_ONE])
            partials.extend(rebuild(node, [b, *node._args[1:]]) if b is not _ZERO else b for b in bodies)
        return partials[k]

    return _partials_rule("sum over a range", node, variables, partial)


def _read_product(node: Expression, context: Context) -> Rule:
    """d prod f(i) = sum over j of f'(j) * (product below j) * (product above j): good at f = 0 too."""
    from diffkit.symbolic.differentiation import reverse_sweep

    variables, inner = _limits(node, context)
    body, *inner_limits, (index, low, high) = node._args
    if inner_limits:
        body = rebuild(node, [body, *inner_limits])
    partials: list[Expression] = []

    def partial(k: int) -> Expression:
        if not partials:
            inner.explore(body)
            j = intern(sympy.Dummy(index.name, integer=True))

            def over(first: Expression, last: Expression) -> Expression:
                return rebuild(_PRODUCT, [body, intern(sympy.Tuple(index, first, last))])

            around = multiply(over(low, subtract(j, 1)), over(add(j, 1), high))
            for slope in reverse_sweep([body], inner, [_ONE]):
                term = multiply(around, substitute(slope, {index: j}))
                limits = intern(sympy.Tuple(j, low, high))
                partials.append(rebuild(_SUM, [term, limits]) if term is not _ZERO else _ZERO)
        return partials[k]

    return _partials_rule("product over a range", node, variables, partial)


def _read_undefined(node: Expression, context: Context) -> Rule:
    """f(u): SymPy's Derivative(f(u), u), or Subs of it where u is no symbol."""
    places = [k for k, a in enumerate(node._args) if id(a) in context.active]

    def partial(k: int) -> Expression:
        try:
            return intern(node.fdiff(places[k] + 1))
        except RecursionError:
            raise NoRuleError(
                f"the argument of the undefined function {type(node).__name__} is nested too deeply for "
                "SymPy's Subs; define its derivative with diffkit.symbolic.defrule"
            ) from None

    return _partials_rule("undefined function", node, tuple(node._args[k] for k in places), partial)


def _read_formal(node: Expression, context: Context) -> Rule:
    """Derivative and Subs of undefined functions, which stay formal: SymPy raises the order."""
    for inner in post_order(node):
        if isinstance(inner, sympy.Derivative) and not isinstance(inner.expr, AppliedUndef):
            raise NoRuleError(
                "the expression holds an unevaluated Derivative; evaluate it with .doit() first "
                "(only derivatives of undefined functions such as f(x) stay formal)"
            )
    variables = context.within(node)
    return _partials_rule("formal derivative", node, variables, lambda k: intern(node.diff(variables[k])))


def _deltas(node: Expression, context: Context) -> tuple[tuple[Expression, ...], list[Expression]]:
    """The variables that an indexed symbol may be, and 1 or 0 as the indices agree."""
    operands, partials = [], []
    for v in context.variables:
        if isinstance(v, sympy.Indexed) and v.base == node.base and len(v.indices) == len(node.indices):
            agree = sympy.Mul(
                *[sympy.KroneckerDelta(a, b) for a, b in zip(node.indices, v.indices, strict=True)]
            )
            if agree != 0:
                operands.append(v)
                partials.append(intern(agree))
    return tuple(operands), partials


def _read_indexed(node: Expression, context: Context) -> Rule:
    operands, partials = _deltas(node, context)
    return _partials_rule("indexed symbol", node, operands, partials.__getitem__)


def _read_polygamma(node: Expression, context: Context) -> Rule:
    order, x = node._args
    if id(order) in context.active:
        raise NoRuleError("there is no rule for the derivative of polygamma by its order")
    return _partials_rule("polygamma", node, (x,), lambda _: call("polygamma", order + 1, x))


_READINGS: dict[Any, Callable[[Expression, Context], Rule]] = {
    sympy.Add: _read_add,
    sympy.Mul: _read_mul,
    sympy.Pow: _read_pow,
    sympy.Max: _read_extremum,
    sympy.Min: _read_extremum,
    sympy.Mod: lambda node, context: _table_rule(ELEMENTARY["remainder"], node, node._args, context),
    sympy.Piecewise: _Piecewise,
    sympy.Sum: _read_sum,
    sympy.Product: _read_product,
    sympy.Derivative: _read_formal,
    sympy.Subs: _read_formal,
    sympy.Indexed: _read_indexed,
    sympy.polygamma: _read_polygamma,
}

_KINDS: list[tuple[type, Callable[[Expression, Context], Rule]]] = [(AppliedUndef, _read_undefined)]

# SymPy's functions beyond the table, which is NumPy's.
defrule(sympy.asech, "-1 / (x * sqrt(1 - x**2))")
defrule(sympy.acsch, "-1 / (x**2 * sqrt(1 + 1 / x**2))")
