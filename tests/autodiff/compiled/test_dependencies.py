"""A watch notices every change of what a function refers to, and nothing else."""

from __future__ import annotations

import array
import collections
import contextlib
import copy
import dataclasses
import functools
import types

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import diffkit as dk
from diffkit.autodiff.compiled.dependencies import Watch
from diffkit.autodiff.compiled.side_effects import witnessed
from diffkit.autodiff.compiled.snapshots import snapshot

_LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.complex_numbers()
    | st.lists(st.floats(), max_size=3).map(np.array)
)  # fmt: skip
_NESTED = st.recursive(
    _LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(), inner, max_size=3)
        | st.tuples(inner, inner)
        | st.frozensets(st.integers())
    ),
    max_leaves=8,
)


@given(_NESTED)
def test_a_copy_is_the_same(value):
    assert snapshot(value)(copy.deepcopy(value))


@given(_NESTED)
def test_another_value_is_not(value):
    check = snapshot(value)
    assert not check([value])
    assert not check({"value": value})


@pytest.mark.parametrize(
    ("value", "other"),
    [
        (0.0, -0.0), (1, 1.0), (1, True), (1.0, np.float64(1.0)), ((1,), [1]), (np.zeros(2), -np.zeros(2)),
        (np.zeros(2), np.zeros(2, np.float32)), (np.zeros((1, 2)), np.zeros((2, 1))),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ([1, [2]], [1, [3]]), (np.sin, np.cos), (abs, len), (float, int), (b"x", "x"),
    ],
)  # fmt: skip
def test_what_is_told_apart(value, other):
    assert snapshot(value)(value)
    assert not snapshot(value)(other)
    assert not snapshot(other)(value)


def test_a_generator_is_the_same_until_it_is_drawn_from():
    generator = np.random.default_rng(0)
    check = snapshot(generator)
    assert check(generator)
    generator.normal()
    assert not check(generator)


def test_what_is_used_up():
    for value in ((k for k in range(3)), iter([1, 2]), map(abs, [1])):
        with pytest.raises(dk.TraceError, match="used up"):
            snapshot(value)


def test_only_what_the_code_mentions_is_watched():
    class Model:
        def __init__(self):
            self.used, self.unused = [1.0], [2.0]

        def __call__(self, x):
            return self.used[0] * x

    model = Model()
    watch = Watch(model)
    model.unused[0] = 5.0
    assert watch.unchanged()
    model.used[0] = 5.0
    assert not watch.unchanged()
    assert watch.changes()


def test_a_partial_and_what_is_behind_an_operator():
    weights = np.ones(2)

    def f(w, x):
        return np.sum(w * x * weights)

    watch = Watch(dk.compile(dk.grad(functools.partial(f, weights))).function)
    assert watch.unchanged()
    weights[0] = 2.0
    assert not watch.unchanged()


def test_a_variable_that_is_gone():
    def outer():
        scale = 2.0

        def f(x):
            return scale * x

        def forget():
            nonlocal scale
            del scale

        return f, forget

    f, forget = outer()
    watch = Watch(f)
    forget()
    assert not watch.unchanged()
    assert watch.changes() == ["the variable 'scale' around f"]


def test_functions_that_call_each_other():
    def even(n):
        return n == 0 or odd(n - 1)

    def odd(n):
        return n != 0 and even(n - 1)

    assert Watch(even).unchanged()


def test_nothing_is_seen_in_a_pure_run():
    assert witnessed(lambda: np.sum(np.ones(3)))[1] == []


@dataclasses.dataclass(slots=True)
class Slotted:
    scale: float


def test_every_way_to_keep_state_is_seen():
    kept = {
        "slots": Slotted(1.0),
        "deque": collections.deque([1.0]),
        "array": array.array("d", [1.0]),
        "namespace": types.SimpleNamespace(scale=1.0),
        "dict": collections.defaultdict(list, a=[1.0]),
    }

    def change(name):
        value = kept[name]
        if isinstance(value, dict):
            value["a"].append(2.0)
        elif hasattr(value, "scale"):
            value.scale = 2.0
        else:
            value[0] = 2.0

    for name, value in kept.items():

        def f(x, value=value):
            return x * (value.scale if hasattr(value, "scale") else value[0])

        watch = Watch(f)
        assert watch.unchanged()
        change(name)
        assert not watch.unchanged(), name


def test_wrapped_functions_and_attributes_of_functions():
    scale = [1.0]

    @functools.lru_cache
    def helper(x):
        return x * scale[0]

    def f(x):
        return helper(x) * f.factor

    f.factor = 2.0
    for change in (lambda: scale.__setitem__(0, 3.0), lambda: setattr(f, "factor", 5.0)):
        watch = Watch(f)
        assert watch.unchanged()
        change()
        assert not watch.unchanged()

    vectorized = np.vectorize(lambda x: x * scale[0])
    watch = Watch(vectorized)
    assert watch.unchanged()
    scale[0] = 7.0
    assert not watch.unchanged()


def test_whether_errors_may_be_caught():
    def plain(x):
        return [v for v in (x,) if v]

    def tries(x):
        try:
            return 1.0 / x
        except:  # noqa: E722
            return x

    def suppresses(x):
        with contextlib.suppress(ZeroDivisionError):
            return 1.0 / x
        return x

    def calls(x):
        return tries(x)

    def inside(x):
        return (lambda: tries(x))()

    assert not Watch(plain).catches
    for f in (tries, suppresses, calls, inside, dk.grad(calls), functools.partial(calls)):
        assert Watch(f).catches
