"""Quotients at points where a formula has 0 / 0 and the derivative that is wanted is 0.

**Convention.** A length (a norm, a standard deviation) has a cone's tip at 0, and no derivative. What is
taken there is 0, the centre of its subgradients, as for ``abs``; PyTorch takes it, too. So a square of a
length, which has the derivative 0 there, gets it. A *second* derivative goes through the tip of the first
and is nan: there it can't be told whether it has a limit. The logarithm of a sum of exponentials that are
all 0 is minus infinity, from where no finite change leads away: its derivatives are 0.

A program recorded where none of this happens has the plain formulas, and a decision that says so.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from diffkit.autodiff.recording.primitive import Primitive
from diffkit.autodiff.rules.call_forms import decided
from diffkit.autodiff.rules.decisions import any_minus_inf
from diffkit.autodiff.rules.elementwise import with_rules
from diffkit.autodiff.rules.register import fit, reentrant
from diffkit.typing import Value


def over_length(x: Value, length: Any) -> Any:
    """x / length, and 0 where the length is 0.

    >>> over_length(np.array([3.0, 0.0]), np.array([5.0, 0.0]))
    array([0.6, 0. ])
    """
    return x / length if decided(np.all, length) else ratio(x, length)


def _ratio(a: Value, b: Value) -> Any:
    zero = np.equal(b, 0.0)
    return np.where(zero, 0.0, a / np.where(zero, 1.0, b))[()]


ratio = reentrant(Primitive("ratio", _ratio))
"""a / b, and 0 where b is 0; its derivatives are those of a / b, nan and inf there."""
ratio.vjps = (
    lambda g, ans, a, b: fit(np.divide(g, b), a),
    lambda g, ans, a, b: fit(np.divide(-g * ans, b), b),
)
ratio.jvps = (
    lambda t, ans, a, b: np.divide(t, b),
    lambda t, ans, a, b: np.divide(-t * ans, b),
)

root = reentrant(Primitive("root", np.sqrt))
"""The square root of a sum of squares: its derivative is 0 at 0, where all of these are 0."""
root.vjps = (lambda g, ans, x: fit(g * ratio(0.5, ans), x),)
root.jvps = (lambda t, ans, x: t * ratio(0.5, ans),)


def root_of_squares(x: Value) -> Any:
    """The square root, and :data:`root` where an element is 0."""
    return np.sqrt(x) if decided(np.all, x) else root(x)


def exp_of_difference(x: Value, total: Any, base: Value | None = None) -> Any:
    """exp(x - total), and 0 where the total is minus infinity: the share of exp(x) in a sum of exponentials.

    Args:
        x: logarithms.
        total: the logarithm of the sum that they are part of.
        base: of the logarithms, if not e.

    >>> exp_of_difference(-np.inf, np.array([0.0, -np.inf]))
    array([0., 0.])
    """
    if decided(any_minus_inf, total):
        total = np.maximum(total, np.finfo(np.result_type(total)).min)
    return np.exp(x - total) if base is None else np.power(base, x - total)


def _guard(ufunc: np.ufunc, base: Value | None = None) -> None:
    """Gives logaddexp and logaddexp2 their weights where both arguments are minus infinity."""
    fun = with_rules(ufunc)

    def guarded(rule: Any, k: int, *, forward: bool) -> Any:
        def run(d: Value, ans: Value, *args: Any) -> Any:
            if not decided(any_minus_inf, ans):
                return rule(d, ans, *args)
            c = d * exp_of_difference(args[k], ans, base)
            return c if forward else fit(c, args[k])

        return run

    def on_floats(rule: Any) -> Any:
        return lambda d, ans, *args: 0.0 if ans == -math.inf else rule(d, ans, *args)

    fun.vjps = tuple(guarded(rule, k, forward=False) for k, rule in enumerate(fun.vjps))
    fun.jvps = tuple(guarded(rule, k, forward=True) for k, rule in enumerate(fun.jvps))
    fun.float_vjps = tuple(map(on_floats, fun.float_vjps))
    fun.float_jvps = tuple(map(on_floats, fun.float_jvps))


_guard(np.logaddexp)
_guard(np.logaddexp2, 2)
