"""Answers are equal to the rounding that they may be off by: right engines and rules pass in any order."""

from __future__ import annotations

import random
import types

import numpy as np
import pytest

from diffkit.grading import Case, Exercise, catalogue, draws
from diffkit.grading.self_test.in_process import grade_in_process

SETS = '''
class Value:
    """As the original micrograd has it: parents in a set, so that sums go by the addresses of objects."""

    def __init__(self, data, children=()):
        self.data, self.grad, self.children = data, 0, set(children)
        self.pass_on = lambda: None

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data + other.data, (self, other))

        def pass_on():
            self.grad += out.grad
            other.grad += out.grad

        out.pass_on = pass_on
        return out

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data * other.data, (self, other))

        def pass_on():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad

        out.pass_on = pass_on
        return out

    def __pow__(self, n):
        out = Value(self.data**n, (self,))

        def pass_on():
            self.grad += n * self.data ** (n - 1) * out.grad

        out.pass_on = pass_on
        return out

    def backward(self):
        order, seen = [], set()

        def build(node):
            if node not in seen:
                seen.add(node)
                for child in node.children:
                    build(child)
                order.append(node)

        build(self)
        self.grad = 1
        for node in reversed(order):
            node.pass_on()

    __radd__ = __add__
    __rmul__ = __mul__
    __neg__ = lambda self: self * -1
    __sub__ = lambda self, other: self + (-other)
    __rsub__ = lambda self, other: other + (-self)
    __truediv__ = lambda self, other: self * other**-1
    __rtruediv__ = lambda self, other: other * self**-1
'''


def test_an_engine_that_keeps_parents_in_a_set_passes_whatever_their_addresses():
    """Run as it stands, without the numbering of :mod:`diffkit.grading.inside.identity`."""
    exercise = catalogue.exercise("Value")
    for seed in range(3):
        junk = [object() for _ in range(random.randrange(10_000))]
        del junk[:: random.randrange(2, 7)]
        module = types.ModuleType("engine")
        exec(SETS, module.__dict__)
        verdict = grade_in_process(exercise, module, seed=seed, draws=2)
        assert verdict.passed, str(verdict)


def _in_any_order(rows):
    return sum(random.sample(list(rows), len(rows)))


def test_a_rule_that_adds_in_another_order_each_time_passes():
    def affine_vjp(g, ans, x, w, b):
        return g @ w.T, x.T @ g, _in_any_order(g)

    verdict = grade_in_process(catalogue.exercise("affine"), types.SimpleNamespace(affine_vjp=affine_vjp), 1)
    assert verdict.passed, str(verdict)


@pytest.mark.parametrize(("size", "passes"), [(1e-15, True), (1e-9, False), (0.1, False)])
def test_noise_passes_as_far_as_it_may_be_rounding(graded, size, passes):
    rng = np.random.default_rng(0)
    verdict = graded("square", lambda g, ans, x: 2 * g * x * (1 + size * rng.standard_normal(x.shape)))
    assert verdict.passed == passes
    if not passes:
        assert "another answer than the first" in verdict.check("contract").message
        assert verdict.diagnosis.name == "not repeatable"


def _normalised(x):
    return (x - x.mean(axis=0)) / np.sqrt(((x - x.mean(axis=0)) ** 2).mean(axis=0) + 1e-5)


def test_what_the_check_calls_linear_is_not_called_otherwise_by_the_diagnosis():
    """Of two rows the derivative is rounding noise, where the epsilon is left out."""

    def rule(g, ans, x):
        centred = x - x.mean(axis=0)
        spread = np.sqrt((centred**2).mean(axis=0))
        normal = centred / spread
        return (g - g.mean(axis=0) - normal * (g * normal).mean(axis=0)) / spread

    exercise = Exercise(_normalised, [Case("two rows", draws.normal("2n"))], "normalise")
    verdict = grade_in_process(exercise, types.SimpleNamespace(normalise_vjp=rule), seed=1)
    assert not verdict.passed
    assert verdict.check("linear").status == "passed"
    assert verdict.diagnosis is None or verdict.diagnosis.name not in ("not linear", "not repeatable")


def test_numbers_of_any_size_are_wrong_without_a_warning() -> None:
    largest = np.finfo(float).max
    rule = types.SimpleNamespace(tanh_vjp=lambda g, ans, x: np.full(np.shape(x), largest))
    assert grade_in_process(catalogue.exercise("tanh"), rule).score == 0
