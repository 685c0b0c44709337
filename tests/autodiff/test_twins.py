"""The ways to write one thing give one derivative: every operand, spelling, order and nesting of them.

Products and quotients of two operands are written as an operator, as a ufunc and its keywords, as other
functions of NumPy's, in place, and as functions of the user's own. Whatever holds of one way holds of all:
each test here runs the whole table, with the traced value on either side.
"""

from __future__ import annotations

import numpy as np
import pytest

import diffkit as dk
from diffkit.errors import TraceError


def _primitive(give_rules, rules):
    @dk.primitive
    def product(a, b):
        return a * b

    give_rules(product, *rules)
    return product


by_vjps = _primitive(dk.defvjp, [lambda g, ans, a, b: g * b, lambda g, ans, a, b: g * a])
by_jvps = _primitive(dk.defjvp, [lambda t, ans, a, b: t * b, lambda t, ans, a, b: a * t])
by_linearity = _primitive(dk.deflinear, [])
checkpointed = dk.checkpoint(lambda a, b: a * b)


def _in_place(a, b):
    y = a + 0.0 * b
    y *= b
    return y


def _into_an_output(a, b):
    y = 0.0 * a + 0.0 * b
    return np.multiply(a, b, out=y) if np.ndim(y) else np.multiply(a, b)


PRODUCTS = {
    "infix": lambda a, b: a * b,
    "ufunc": np.multiply,
    "ufunc, dtype": lambda a, b: np.multiply(a, b, dtype=float),
    "in place": _in_place,
    "out": _into_an_output,
    "einsum": lambda a, b: np.einsum("...,...->...", a, b),
    "outer": lambda a, b: np.diagonal(np.outer(a, b)),
    "outer, keywords": lambda a, b: np.diagonal(np.outer(b=b, a=a)),
    "list": lambda a, b: np.prod(np.stack([a, b]), axis=0),
    "where": lambda a, b: np.where(np.abs(b) > 0.0, a * b, a),
    "primitive by VJPs": by_vjps,
    "primitive by JVPs": by_jvps,
    "primitive by linearity": by_linearity,
    "primitive, keyword": lambda a, b: by_vjps(a, b=b),
    "primitive, keywords": lambda a, b: by_jvps(b=b, a=a),
    "checkpoint": checkpointed,
    "checkpoint, keyword": lambda a, b: checkpointed(a, b=b),
    "compiled": dk.compile(lambda a, b: a * b),
}
QUOTIENTS = {
    "infix": lambda a, b: a / b,
    "ufunc": np.divide,
    "ufunc, dtype": lambda a, b: np.divide(a, b, dtype=float),
    "power": lambda a, b: a * b**-1.0,
    "power ufunc": lambda a, b: np.multiply(a, np.power(b, -1.0)),
    "logarithms": lambda a, b: np.exp(np.subtract(np.log(a), np.log(b))),
    "solve": lambda a, b: np.linalg.solve(np.diag(np.atleast_1d(b)), np.atleast_1d(a)),
}


WAYS = [
    *((f"product, {name}", way, lambda u, v: u * v, lambda u, v: 1.0) for name, way in PRODUCTS.items()),
    *(
        (f"quotient, {name}", way, lambda u, v: u / v, lambda u, v: -1 / v**2)
        for name, way in QUOTIENTS.items()
    ),
]
EVERY_WAY = pytest.mark.parametrize(
    ("way", "value", "mixed"), [w[1:] for w in WAYS], ids=[w[0] for w in WAYS]
)

FIRST = pytest.mark.parametrize("first", [True, False], ids=["first", "second"])


def _ordered(way, first, a, b):
    """The way with a as its first operand, or as its second."""
    return way(a, b) if first else way(b, a)


def by_x(operator, f, x):
    """The derivative of sum(f) for an elementwise f, whatever the operator: entry by entry."""
    if operator is dk.deriv:
        return dk.make_jvp(f)(x)(np.ones(np.shape(x)) if np.ndim(x) else 1.0)[1]
    return operator(lambda x: np.sum(f(x)))(x)


NESTED = [(outer, inner) for outer in (dk.grad, dk.deriv) for inner in (dk.grad, dk.deriv)]


@EVERY_WAY
@FIRST
@pytest.mark.parametrize("shape", [(), (2,)], ids=["number", "array"])
def test_nested_derivatives_do_not_confuse_their_variables(way, value, mixed, first, shape):
    x, y = np.full(shape, 2.0)[()] + 0.0, np.full(shape, 3.0)[()] + 0.0
    if not shape:
        x, y = 2.0, 3.0
    # d/dx d/dy of f(x^2, y^2) is f_uv(x^2, y^2) 2x 2y
    u, v = (x**2, y**2) if first else (y**2, x**2)
    expected = mixed(u, v) * 4.0 * x * y
    for outer, inner in NESTED:

        def slope(x, inner=inner):
            return by_x(inner, lambda y: _ordered(way, first, x * x, y * y), y)

        got = by_x(outer, slope, x)
        np.testing.assert_allclose(got, expected, rtol=1e-12, err_msg=f"{outer.__name__} {inner.__name__}")


KINDS = {
    "array": (lambda c: c.__setitem__(slice(None), 100.0), np.array),
    "array, in place": (lambda c: c.__imul__(100.0), np.array),
    "part of an array": (lambda c: c.base.__setitem__(slice(None), 100.0), lambda c: np.array([c, c])[0]),
    "whole numbers": (lambda c: c.__setitem__(slice(None), 100), lambda c: np.array(c, int)),
}


@EVERY_WAY
@FIRST
@pytest.mark.parametrize("kind", KINDS)
def test_a_constant_changed_after_its_use_counts_as_it_was(way, value, mixed, first, kind):
    change, make = KINDS[kind]
    x = np.array([1.5, 2.5])
    before = make([2.0, 4.0])

    def f(x, changed=True):
        c = make([2.0, 4.0])
        y = _ordered(way, first, x, c)
        if changed:
            change(c)
        return y

    expected = f(x, changed=False)
    weights = np.array([1.0, -2.0])
    u, v = (x, before) if first else (before, x)
    slope = (value(u + 1e-20j, v) if first else value(u, v + 1e-20j)).imag / 1e-20
    np.testing.assert_allclose(f(x), expected)
    np.testing.assert_allclose(dk.grad(lambda x: np.sum(weights * f(x)))(x), weights * slope, rtol=1e-12)
    np.testing.assert_allclose(dk.make_jvp(f)(x)(weights)[1], weights * slope, rtol=1e-12)
    t = dk.trace(f)(x)
    np.testing.assert_allclose(t.replay(x), expected, rtol=1e-15)
    # as the second operand of a derivative that is differentiated in turn
    hessian = dk.hessian(lambda x: np.sum(f(x)))(x)
    assert np.allclose(hessian, dk.hessian(lambda x: np.sum(f(x, changed=False)))(x), rtol=1e-12)


LARGE = 1000


@EVERY_WAY
@FIRST
def test_a_large_constant_can_not_be_changed_once_it_is_used(way, value, mixed, first):
    def f(x):
        c = np.full(LARGE, 2.0)
        y = _ordered(way, first, x, c)
        c *= 100.0
        return np.sum(y)

    x = np.linspace(1.0, 2.0, LARGE)
    # Who keeps a copy of it, or what was computed of it, may as well let it be changed.
    expected = 2.0 if value(6.0, 2.0) == 12.0 else 0.5 if first else -2.0 / x**2
    refused = None
    try:
        got = dk.grad(f)(x)
    except TraceError as error:
        got, refused = expected * np.ones(LARGE), error
    np.testing.assert_allclose(got, expected * np.ones(LARGE), rtol=1e-12)
    assert refused is None or "changed in place" in str(refused)
