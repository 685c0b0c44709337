"""The quick sweeps give what the plain ones give, to the last bit, and raise what they raise."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy_cases import FAMILIES
from rule_checks import cotangents_of

import diffkit as dk
from diffkit.autodiff.bits import same_bits
from diffkit.autodiff.core import quick, sweeps
from diffkit.autodiff.core.record import record
from diffkit.autodiff.recording.tracer import INPUT, plain
from diffkit.containers import flatten

LINES = [
    pytest.param(c, id=f"{name}-{k}")
    for functions in FAMILIES.values()
    for name, lines in functions.items()
    for k, c in enumerate(lines)
]
MODES = ("reverse", "forward")


def sweep(how, mode, t, seeds):
    """The derivative of every row, or what was raised."""
    try:
        return getattr(how, f"{mode}_sweep")(t.nodes, t.recording, seeds)
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def seeds_of(t, mode):
    """Random cotangents by row, or random tangents."""
    if mode == "reverse":
        return t.seeds((cotangents_of(t.out_structure.unflatten([plain(o) for o in t.outputs])),))
    return {n.index: cotangents_of(plain(n)) for n in t.inputs}


def assert_same(found, expected):
    if isinstance(expected, str):
        assert found == expected
        return
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        assert (a is None) == (b is None)
        for p, q in zip(flatten(a)[0], flatten(b)[0], strict=True):
            assert same_bits(plain(p), plain(q)), (p, q)


def assert_alike(f, args):
    """Both modes, on values and on nodes of an outer trace: the answers must come by the same operations."""
    places = [k for k, a in enumerate(args) if np.asarray(a).dtype.kind in "fc"]
    t = record(f, args, {}, places)
    for mode in MODES:
        assert_same(sweep(quick, mode, t, seeds_of(t, mode)), sweep(sweeps, mode, t, seeds_of(t, mode)))
        quickly, plainly = (recorded(how, mode, f, args, places) for how in (quick, sweeps))
        assert used(quickly) == used(plainly)
        assert_same(quickly.outputs, plainly.outputs)


BY_PLACES = ("scatter", "add", "getitem", "setitem")
"""How adjoints at some places of an array are added up: quickly in place, plainly each as an array."""


def used(t):
    """How often each function is called on the way to the trace's outputs, but for ``BY_PLACES``."""
    needed = {o.index for o in t.outputs if t.owns(o)}
    for row in reversed(t.nodes):
        if row.index in needed:
            needed.update(p.index for p in row.parents)
    return Counter(t.nodes[k].fun for k in needed if t.nodes[k].fun.name not in BY_PLACES)


def recorded(how, mode, f, args, places):
    """The trace of a sweep."""

    def derivative(*args):
        t = record(f, args, {}, places)
        found = sweep(how, mode, t, seeds_of(t, mode))
        return found if isinstance(found, str) else [d for d in found if d is not None]

    return record(derivative, args, {}, places)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("c", LINES)
def test_every_rule(c):
    assert_alike(c.on_numpy(), c.args)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("c", LINES)
def test_a_rule_that_fails_is_answered_alike(c, monkeypatch):
    """Each function of the program in turn has no rules, or rules that raise what is looked out for."""

    def raising(error):
        def rule(*args, **kwargs):
            raise error("as if it could not")

        return rule

    t = dk.trace(c.on_numpy())(*c.args)
    for fun in {row.fun for row in t.nodes if row.fun is not INPUT and not row.fun.constant}:
        fun.complete_rules()
        count = len(fun.vjps)
        for rules in (
            (),
            *((raising(e),) * count for e in (ValueError, ZeroDivisionError, IndexError, KeyError)),
        ):
            if fun.variadic or fun.joint:
                rules = rules or (raising(ValueError),)
            with monkeypatch.context() as patch:
                for field in ("vjps", "jvps", "float_vjps", "float_jvps"):
                    patch.setattr(fun, field, rules)
                if fun.line is not None:
                    patch.setattr(fun, "line", None)
                for mode in MODES:
                    seeds = seeds_of(t, mode)
                    assert_same(sweep(quick, mode, t, seeds), sweep(sweeps, mode, t, seeds))


FUNCTIONS = [np.sin, np.exp, np.log, np.sqrt, np.tanh, np.absolute, np.negative, lambda a: a, lambda a: 3.0]
OPERATORS = [
    lambda a, b: a + b,
    lambda a, b: a * b,
    lambda a, b: a - 2.0,
    lambda a, b: 1.0 / b,
    lambda a, b: a / b,
    lambda a, b: a**b,
    np.maximum,
    np.arctan2,
    lambda a, b: np.sum(dk.numpy.array([a, b, 1.0])),
    lambda a, b: np.sum(dk.numpy.array([a, b])[np.array([0, 1, 1])]),
    lambda a, b: dk.numpy.array([a, b])[0] * np.split(dk.numpy.array([a, b]), 2)[1][0],
    lambda a, b: a if a > b else b,
]
STEPS = st.tuples(st.integers(0, 30), st.integers(0, 30), st.integers(0, 30))
NUMBERS = st.sampled_from([0.0, -0.0, 1.0, -1.0, 0.5, 2.0, -3.0, 1e300, math.inf, math.nan])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", [float, np.float32, np.float64])
@settings(max_examples=120, deadline=None)
@given(steps=st.lists(STEPS, min_size=1, max_size=12), numbers=st.lists(NUMBERS, min_size=2, max_size=2))
def test_random_programs(kind, steps, numbers):
    """Also where a rule divides by zero, and where a value is used often, or never."""
    every = [*FUNCTIONS, *OPERATORS]

    def program(x, y):
        pool = [x, y]
        for which, i, j in steps:
            f, a, b = every[which % len(every)], pool[i % len(pool)], pool[j % len(pool)]
            pool.append(f(a) if f in FUNCTIONS else f(a, b))
        return pool[-1], pool[len(pool) // 2]

    args = tuple(kind(n) for n in numbers)
    try:
        record(program, args, {})
    except (ArithmeticError, ValueError, TypeError):
        return  # not a program at this point: arctan2 of a number that has become complex, say
    assert_alike(program, args)


def test_users_rules():
    @dk.primitive
    def both(x, y):
        return x * y, x + y

    dk.defvjp(both, lambda g, ans, x, y: g[0] * y + g[1], lambda g, ans, x, y: g[0] * x + g[1])
    assert_alike(lambda x, y: np.multiply(*both(x, y)), (2.0, 3.0))
    assert_alike(lambda x, y: np.sum(both(x, y)[1]) * x[0], (np.ones(2), np.ones(2)))

    @dk.primitive
    def ill_shaped(x):
        return np.sum(x)

    dk.defvjp(ill_shaped, lambda g, ans, x: g)
    assert_alike(lambda x: ill_shaped(x) * 2.0, (np.ones(2),))
