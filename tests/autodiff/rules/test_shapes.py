"""Every function that has rules, at arguments of every shape: what a rule gives has its argument's shape.

A rule that forgets to undo a broadcast gives a wrong gradient without a word, or an error much later.
So no case is written by hand here: the tables say which functions there are, and NumPy what it takes.
"""

import copy
import itertools
import warnings

import numpy as np
import pytest

import diffkit as dk
import diffkit.scipy.linalg
import diffkit.scipy.special
from diffkit.autodiff.core.rows import pulled_back
from diffkit.autodiff.core.sweeps import reverse_sweep
from diffkit.autodiff.recording.tracer import FUNCTIONS, PART, UFUNCS
from diffkit.containers import flatten

pytestmark = pytest.mark.filterwarnings("ignore")

SHAPES = (None, (), (1,), (3,), (1, 3), (3, 1), (3, 3), (2, 3, 3), (2, 3, 4))
LEFT_OUT = {np.empty_like}


def name_of(function):
    owner = getattr(function, "__self__", function)  # np.add.outer
    return f"{getattr(function, '__module__', None) or owner}.{function.__name__}"


TABLE = {name_of(f): f for f in (*FUNCTIONS, *UFUNCS) if f not in LEFT_OUT}


def values(rng):
    return [rng.uniform(0.2, 0.8) if s is None else np.asarray(rng.uniform(0.2, 0.8, s)) for s in SHAPES]


def like(value, rng):
    """A direction of a value's type, shape and dtype."""
    t = np.asarray(rng.normal(size=np.shape(value)), getattr(value, "dtype", float))
    return t if isinstance(value, np.ndarray) else type(value)(t)


def check(function, args, rng):
    """Whether NumPy and the trace both have an answer of floats; if so, that shapes and modes agree."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = flatten(function(*copy.deepcopy(args)))[0]  # a second array may be written to
            t = dk.trace(function)(*args)
    except Exception:  # arguments that do not fit: of no interest here
        return False
    value = flatten(t.value)[0]
    if not all(np.asarray(v).dtype.kind in "fc" for v in value):
        return False
    for found, v in zip(value, expected, strict=True):
        assert np.shape(found) == np.shape(v)
        np.testing.assert_allclose(found, v, rtol=1e-9, atol=1e-12)
    if not all(map(t.owns, t.outputs)):
        return False
    cotangents = [like(v, rng) for v in value]
    try:
        adjoints = reverse_sweep(t.nodes, t.recording, t.seeds([t.out_structure.unflatten(cotangents)]))
    except dk.NoRuleError:
        return False
    for row in t.nodes:
        g = adjoints[row.index]
        if g is None or isinstance(row.value, tuple | list):
            continue
        assert np.shape(g) == np.shape(row.value), row
        for _, parent, c in () if row.fun is PART else pulled_back(row, t.recording, g):
            if not isinstance(c, tuple | list):
                c = c.dense() if hasattr(c, "dense") else c
                assert np.shape(c) == np.shape(t.nodes[parent].value), row
    tangents = [like(a, rng) for a in args]
    pushed = flatten(t.push_forward(*tangents))[0]
    left = sum(np.sum(np.real(p * g)) for p, g in zip(pushed, cotangents, strict=True))
    pulled = [adjoints[n.index] for n in t.inputs]
    right = sum(np.sum(np.real(g * d)) for g, d in zip(pulled, tangents, strict=True) if g is not None)
    if np.isfinite(left) and np.isfinite(right):
        assert left == pytest.approx(right, rel=1e-8, abs=1e-8)
    return True


@pytest.mark.parametrize("name", sorted(TABLE))
def test_adjoints_have_the_shapes_of_what_they_belong_to(name):
    rng = np.random.default_rng(5)
    pool = values(rng)
    for args in [*((a,) for a in pool), *itertools.product(pool, pool)]:
        check(TABLE[name], args, rng)


def test_most_functions_have_an_answer():
    rng = np.random.default_rng(5)
    pool = values(rng)
    pairs = [*((a,) for a in pool), *itertools.product(pool, pool)]
    answered = [name for name, f in TABLE.items() if any(check(f, args, rng) for args in pairs[:30])]
    assert len(answered) > 250


def test_a_triangle_of_a_vector():
    W = np.arange(9.0).reshape(3, 3)
    for function, expected in ((np.triu, [0.0, 5.0, 15.0]), (np.tril, [9.0, 11.0, 8.0])):
        f = lambda x, function=function: np.sum(function(x) * W)  # noqa: E731
        np.testing.assert_array_equal(dk.grad(f)(np.ones(3)), expected)
        np.testing.assert_array_equal(dk.jacobian(f, mode="forward")(np.ones(3)), expected)
