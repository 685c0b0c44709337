"""Families of expressions whose derivatives grow, each in its own way.

A family gives an expression for every n = 1, 2, ...; :func:`diffkit.symbolic.swell` measures them.
The growth is known in closed form for some (n >= 2, forward mode; the tests assert it):

- logistic map: 9 n - 8 distinct nodes and 8 n - 12 operations; as a tree, (4 n - 5) 2**n + 1 nodes.
  Reverse mode has as many distinct nodes, 7 n - 10 operations, and a tree that grows like (4/3) 4**n.
- soft ReLU by w, with k = n - 1 levels: 10 k + 2 distinct nodes and 9 k - 3 operations; as a tree,
  12 k**2 + 10 k - 3 nodes. That is quadratic, not exponential: each level is used once.
- product of n variables, all partials in reverse mode: 3 n - 6 operations.

>>> logistic_map.expression(3)
(4*((4*x)*(1 - x)))*(1 - 4*x*(1 - x))
>>> logistic_map_factored.expression(4)
64*x*(1 - 2*x)**2*(1 - x)*(8*x**2 - 8*x + 1)**2
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sympy
from sympy import Symbol

from diffkit.errors import InputError
from diffkit.expressions import (
    Expression,
    SymbolicNumber,
    add,
    apply,
    call,
    divide,
    intern,
    multiply,
    number,
    product,
    subtract,
    total,
)


@dataclass(frozen=True)
class Family:
    """An expression for every n >= 1, and the symbols that it is differentiated by.

    Attributes:
        name: what it is called.
        expression: the n-th expression.
        variables: the symbols for the n-th; several mean the whole gradient.
        summary: one line.

    >>> from diffkit.symbolic import swell
    >>> powers = Family("powers", lambda n: (_x + 1) ** n, lambda n: [_x], "1 + x to the n")
    >>> swell(powers, 3)["f tree"]
    [3, 5, 5]
    """

    name: str
    expression: Callable[[int], Expression]
    variables: Callable[[int], Sequence[Expression]]
    summary: str = ""


_x, _w, _b = (intern(Symbol(name)) for name in "xwb")


def iterated(step: Callable[[Any], Any], start: Any = _x) -> Family:
    """The family start, step(start), step(step(start)), ...

    Args:
        step: the next iterate from the one before; any arithmetic, NumPy's functions included.
        start: the first one, a symbol.

    Raises:
        InputError: if ``step`` returns no expression.

    >>> import numpy as np
    >>> iterated(lambda l: np.sin(l) ** 2).expression(3)
    sin(sin(x)**2)**2
    """
    first = intern(start)
    iterates = [first]

    def expression(n: int) -> Expression:
        while len(iterates) < n:
            iterates.append(intern(step(SymbolicNumber(iterates[-1]))))
        return iterates[n - 1]

    name = getattr(step, "__name__", "iterate")
    symbol = first if first.is_Symbol else min(first.free_symbols, key=str, default=_x)
    return Family(name if name != "<lambda>" else "iterate", expression, lambda n: [symbol])


def _sigmoid(z: Expression) -> Expression:
    return apply("expit", z)


logistic_map = Family(
    "logistic map",
    iterated(lambda l: 4 * l * (1 - l)).expression,  # noqa: E741  (the lecture calls it l)
    lambda n: [_x],
    "l(1) = x, l(n+1) = 4 l(n) (1 - l(n))",
)


def _factored(n: int) -> Expression:
    # 1 - l(n+1) = (1 - 2 l(n))**2, so each iterate is a product over those before it.
    if n == 1:
        return _x
    x, iterate, squares = sympy.Symbol("x"), sympy.Symbol("x"), []
    for _ in range(n - 2):
        squares.append(sympy.expand(1 - 2 * iterate) ** 2)
        iterate = sympy.expand(4 * iterate * (1 - iterate))
    return intern(sympy.Integer(4) ** (n - 1) * x * (1 - x) * sympy.Mul(*squares))


logistic_map_factored = Family(
    "logistic map, factored",
    _factored,
    lambda n: [_x],
    "the closed forms of the iterates: x, 4 x (1 - x), 16 x (1 - x) (1 - 2 x)**2, ...",
)
soft_relu = Family(
    "soft ReLU",
    iterated(lambda y: apply("log", add(1, apply("exp", add(multiply(_w, y), _b))))).expression,
    lambda n: [_w],
    "y(1) = x, y(n+1) = log(1 + exp(w y(n) + b)), by w",
)
sigmoid_chain = Family(
    "sigmoid chain",
    iterated(lambda y: _sigmoid(multiply(_w, y))).expression,
    lambda n: [_w],
    "y(1) = x, y(n+1) = sigma(w y(n)), by w",
)
f_sin_f = Family(
    "f sin f",
    iterated(lambda f: f * f.sin()).expression,
    lambda n: [_x],
    "f(1) = x, f(n+1) = f(n) sin f(n)",
)


def _xs(n: int) -> list[Expression]:
    return [intern(Symbol(f"x{k}")) for k in range(1, n + 1)]


product_of_variables = Family(
    "product",
    lambda n: product(_xs(n)),
    _xs,
    "x1 x2 ... xn, by every variable (Speelpenning's example)",
)


def _network(n: int, width: int = 2) -> Expression:
    inputs = _xs(width)
    for _ in range(n):
        rows = [[Symbol(f"w{r}{c}") for c in range(1, width + 1)] for r in range(1, width + 1)]
        inputs = [_sigmoid(total([multiply(w, y) for w, y in zip(row, inputs, strict=True)])) for row in rows]
    return total(inputs)


sigmoid_network = Family(
    "sigmoid network",
    _network,
    lambda n: [intern(Symbol("w11"))],
    "n layers of two sigmoids with the same weights in each, by the first weight",
)


def _helmholtz(n: int) -> Expression:
    xs = _xs(n)
    a = [[number(sympy.Rational(1, 1 + i + j)) for j in range(n)] for i in range(n)]
    b = [number(sympy.Rational(1, 2 * n + i)) for i in range(n)]
    root2 = apply("sqrt", 2)
    bx = total([multiply(c, x) for c, x in zip(b, xs, strict=True)])
    ax = [total([multiply(c, x) for c, x in zip(row, xs, strict=True)]) for row in a]
    xax = total([multiply(x, y) for x, y in zip(xs, ax, strict=True)])
    ideal = total([multiply(x, apply("log", divide(x, subtract(1, bx)))) for x in xs])
    ratio = divide(
        add(1, multiply(add(1, root2), bx)),
        add(1, multiply(subtract(1, root2), bx)),
    )
    excess = multiply(divide(xax, multiply(apply("sqrt", 8), bx)), call("log", ratio))
    return subtract(multiply(Symbol("R") * Symbol("T"), ideal), excess)


helmholtz = Family(
    "Helmholtz energy",
    _helmholtz,
    _xs,
    "the free energy of a mixture of n fluids (Baydin et al., JMLR 18, section 5), by every x",
)

FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        logistic_map,
        logistic_map_factored,
        soft_relu,
        sigmoid_chain,
        f_sin_f,
        product_of_variables,
        sigmoid_network,
        helmholtz,
    )
}
"""The families by name."""


def family_of(iterate: Any) -> Family:
    """A family from what a user gives: one, its name, a step, or a list of expressions."""
    if isinstance(iterate, Family):
        return iterate
    if isinstance(iterate, str):
        if iterate not in FAMILIES:
            raise InputError(f"no family {iterate!r}; there are {', '.join(map(repr, FAMILIES))}")
        return FAMILIES[iterate]
    if isinstance(iterate, list | tuple) and iterate:
        given = [intern(e) for e in iterate]
        symbols = sorted(set().union(*(e.free_symbols for e in given)), key=str)
        return Family("given", lambda n: given[n - 1], lambda n: symbols[:1] or [_x])
    if callable(iterate):
        return iterated(iterate)
    raise InputError(
        f"expected a family, its name, a function from one iterate to the next, or a list of expressions, "
        f"got {iterate!r}"
    )
