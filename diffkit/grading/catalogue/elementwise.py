"""Elementwise operations: arithmetic, elementary functions, activations."""

from __future__ import annotations

from typing import Any

import numpy as np

from diffkit.grading.catalogue.entries import binary, enter, unary
from diffkit.grading.draws import at, away_from_zero, between, normal, positive, scaled
from diffkit.grading.exercises.exercise import Case

Array = Any


def add(x: Array, y: Array) -> Array:
    """x + y, elementwise, with broadcasting."""
    return x + y


def subtract(x: Array, y: Array) -> Array:
    """x - y, elementwise, with broadcasting."""
    return x - y


def multiply(x: Array, y: Array) -> Array:
    """x * y, elementwise, with broadcasting."""
    return x * y


def divide(x: Array, y: Array) -> Array:
    """x / y, elementwise, with broadcasting."""
    return x / y


def power(x: Array, y: Array) -> Array:
    """x to the y for positive x, elementwise, with broadcasting."""
    return x**y


def int_power(x: Array, n: int = 3) -> Array:
    """x to the n, a whole number, elementwise."""
    return x**n


def negative(x: Array) -> Array:
    """-x, elementwise."""
    return -x


def exp(x: Array) -> Array:
    """e to the x, elementwise."""
    return np.exp(x)


def log(x: Array) -> Array:
    """The natural logarithm, elementwise."""
    return np.log(x)


def sqrt(x: Array) -> Array:
    """The square root, elementwise."""
    return np.sqrt(x)


def sin(x: Array) -> Array:
    """The sine, elementwise."""
    return np.sin(x)


def cos(x: Array) -> Array:
    """The cosine, elementwise."""
    return np.cos(x)


def tanh(x: Array) -> Array:
    """The hyperbolic tangent, elementwise."""
    return np.tanh(x)


def square(x: Array) -> Array:
    """x squared, elementwise."""
    return x * x


def reciprocal(x: Array) -> Array:
    """1 / x, elementwise."""
    return 1.0 / x


def rad2deg(x: Array) -> Array:
    """Radians as degrees, elementwise."""
    return np.rad2deg(x)


def sigmoid(x: Array) -> Array:
    """The logistic sigmoid 1 / (1 + exp(-x)), elementwise."""
    return 0.5 * (np.tanh(0.5 * x) + 1.0)


def relu(x: Array) -> Array:
    """max(x, 0), elementwise."""
    return np.maximum(x, 0.0)


def leaky_relu(x: Array, slope: float = 0.1) -> Array:
    """x where x > 0, else slope * x, elementwise."""
    return np.where(x > 0, x, slope * x)


def softplus(x: Array) -> Array:
    """log(1 + exp(x)), elementwise."""
    return np.logaddexp(x, 0.0)


def gelu(x: Array) -> Array:
    """x (1 + erf(x / sqrt 2)) / 2, elementwise."""
    from scipy.special import erf

    return 0.5 * x * (1.0 + erf(x * 0.5**0.5))


def absolute(x: Array) -> Array:
    """The absolute value, elementwise."""
    return np.abs(x)


def maximum(x: Array, y: Array) -> Array:
    """The larger of x and y, elementwise, with broadcasting."""
    return np.maximum(x, y)


def clip(x: Array, low: float = -1.0, high: float = 1.0) -> Array:
    """x held between low and high, elementwise."""
    return np.minimum(np.maximum(x, low), high)


def _summed_to(c: Array, like: Array) -> Array:
    """Sums over the axes along which an argument was broadcast."""
    c = np.asarray(c)
    axes = tuple(range(c.ndim - np.ndim(like)))
    c = c.sum(axis=axes)
    stretched = tuple(k for k, n in enumerate(np.shape(like)) if n == 1 != c.shape[k])
    return c.sum(axis=stretched, keepdims=True)


# Wrong answers for the self-test: whatever else a ladder misses, it has to see these.


def product_not_summed(g: Array, ans: Array, x: Array, y: Array) -> tuple[Array, Array]:
    return g * y, g * x


def product_by_its_own_factor(g: Array, ans: Array, x: Array, y: Array) -> tuple[Array, Array]:
    return _summed_to(g * x, x), _summed_to(g * y, y)


def product_without_g(g: Array, ans: Array, x: Array, y: Array) -> tuple[Array, Array]:
    return _summed_to(y * np.ones_like(g), x), _summed_to(x * np.ones_like(g), y)


def quotient_not_summed(g: Array, ans: Array, x: Array, y: Array) -> tuple[Array, Array]:
    return g / y, -g * x / y**2


def quotient_with_y_not_squared(g: Array, ans: Array, x: Array, y: Array) -> tuple[Array, Array]:
    return _summed_to(g / y, x), _summed_to(-g * x / y, y)


def quotient_with_the_sign_lost(g: Array, ans: Array, x: Array, y: Array) -> tuple[Array, Array]:
    return _summed_to(g / y, x), _summed_to(g * x / y**2, y)


def _saturated(*more: float) -> Case:
    return Case("saturated", at(-40.0, -5.0, 0.5, 3.0, 38.0, *more))


_OVERFLOWING = Case("overflowing", at(-1000.0, -0.5, 1.0, 900.0))
_KINK = Case("kink", at(0.0, -1.5, 2.0))

enter(add, binary(normal, normal))
enter(subtract, binary(normal, normal))
enter(
    multiply,
    binary(normal, normal, Case("unlike sizes", scaled(normal("n"), 1e8), scaled(normal("n"), 1e-8))),
    wrong=(product_not_summed, product_by_its_own_factor, product_without_g),
)
enter(
    divide,
    binary(normal, away_from_zero, Case("unlike sizes", normal("n"), scaled(away_from_zero("n"), 1e8))),
    wrong=(quotient_not_summed, quotient_with_y_not_squared, quotient_with_the_sign_lost),
)
enter(
    power,
    binary(
        positive,
        lambda axes: between(-2.0, 3.0, axes),
        Case("large base", scaled(positive("n"), 1e6), between(-2.0, 3.0, "n")),
        Case("tiny base", scaled(positive("n"), 1e-6), between(-2.0, 3.0, "n")),
        large=None,
        tiny=None,
    ),
)
enter(
    int_power,
    [
        Case("cube", normal("n"), n=3),
        Case("square", normal("nm"), n=2),
        Case("first power", normal("n"), n=1),
        Case("power 0", normal("n"), n=0),
        Case("negative power", away_from_zero("n"), n=-2),
        Case("0-d", normal(""), n=3),
        Case("large", scaled(normal("n"), 1e6), n=3),
        Case("tiny", scaled(normal("n"), 1e-6), n=3),
    ],
)
enter(negative, unary(normal))
enter(exp, unary(normal, Case("large", at(-300.0, 20.0, 300.0)), large=None))
enter(log, unary(positive))
enter(sqrt, unary(positive))
enter(sin, unary(normal, large=100.0))
enter(cos, unary(normal, large=100.0))
enter(tanh, unary(normal, _saturated(), _OVERFLOWING, large=None))
enter(square, unary(normal))
enter(reciprocal, unary(away_from_zero))
enter(rad2deg, unary(normal))
enter(sigmoid, unary(normal, _saturated(), _OVERFLOWING, large=None))
enter(relu, unary(normal, _KINK))
enter(
    leaky_relu,
    [
        *unary(normal, _KINK),
        Case("other slope", normal("nm"), slope=0.3),
        Case("negative slope", normal("nm"), slope=-0.5),
    ],
)
enter(softplus, unary(normal, _saturated(), _OVERFLOWING, large=None))
enter(gelu, unary(normal, Case("saturated", at(-6.0, -2.0, 0.5, 7.0)), large=None))
enter(absolute, unary(normal, _KINK), "abs")
enter(maximum, binary(normal, normal, Case("ties", at(1.0, -1.0, 1.0, 2.5), at(1.0, 1.0, 1.0, 1.0))))
enter(
    clip,
    [
        *unary(normal),
        Case("kink", at(-1.0, 1.0, 0.5, 2.0)),
        Case("other bounds", normal("nm"), low=0.5, high=2.0),
        Case("wide bounds", normal("nm"), low=-2.0, high=2.5),
    ],
)
