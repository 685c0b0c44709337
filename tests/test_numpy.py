"""dk.numpy: NumPy under another name, with arrays of traced values."""

import numpy
import pytest

import diffkit as dk
import diffkit.numpy as np


def test_it_is_numpy_for_all_else():
    assert np.sin is numpy.sin
    assert np.linalg is numpy.linalg
    assert np.float32 is numpy.float32
    assert np.pi == numpy.pi
    assert np.random.default_rng is numpy.random.default_rng
    assert set(numpy.__all__) - {"test"} <= set(np.__all__)
    assert set(dir(numpy)) <= set(dir(np))
    for name in numpy.__all__:
        assert hasattr(np, name)
    with pytest.raises(AttributeError):
        np.unheard_of  # noqa: B018


def test_plain_values_give_what_numpy_gives():
    for value in (3.0, [1, 2], [[1.0, 2.0], [3.0, 4.0]], numpy.arange(3), "text", [[]]):
        for ours, theirs in [(np.array, numpy.array), (np.asarray, numpy.asarray)]:
            numpy.testing.assert_array_equal(ours(value), theirs(value))
            assert ours(value).dtype == theirs(value).dtype
    x = numpy.arange(3.0)
    assert np.asarray(x) is x
    assert np.array(x) is not x
    assert np.array(x, copy=None) is x
    assert np.array([1, 2], dtype=numpy.float32, ndmin=2).shape == (1, 2)
    assert np.full(2, 3).dtype == int
    assert np.full_like(x, 2).tolist() == [2.0, 2.0, 2.0]


def test_arrays_of_traced_values():
    t = dk.trace(lambda x, y: np.array([[x, y, 1.0], [y, 2, x]]))(2.0, 3.0)
    assert t.value.tolist() == [[2.0, 3.0, 1.0], [3.0, 2.0, 2.0]]
    assert [row.fun.name for row in t.nodes] == ["input", "input", "stack", "reshape"]
    rows = dk.trace(lambda x: np.array([x, 2 * x]))(numpy.arange(2.0))
    assert rows.value.tolist() == [[0.0, 1.0], [0.0, 2.0]]
    assert dk.trace(lambda x: np.array([[x, 1.0], x * numpy.ones(2)]))(3.0).value.tolist() == [[3, 1], [3, 3]]
    with pytest.raises(ValueError, match="same shape"):
        dk.trace(lambda x: np.array([x, [x, x]]))(3.0)


def test_the_type_is_the_one_that_was_asked_for():
    t = dk.trace(lambda x: np.array([x, 1], dtype=np.float32))(2.0)
    assert t.value.dtype == numpy.float32
    assert type(t.pull_back(numpy.ones(2, numpy.float32))) is float
    single = numpy.float32(2.0)
    for f in (lambda x: np.array([x, 1]), lambda x: np.array([x, x]), lambda x: np.array([x, 1.0])):
        assert dk.trace(f)(single).value.dtype == f(single).dtype
    assert dk.trace(lambda x: np.full(2, x, np.float32))(2.0).value.dtype == numpy.float32


def test_asarray_hands_back_what_is_traced():
    seen = []

    def f(x):
        seen.append(
            (np.asarray(x) is x, np.asanyarray(x) is x, np.array(x, copy=False) is x, np.array(x) is x)
        )
        return np.sum(np.ascontiguousarray(x))

    dk.grad(f)(numpy.ones(2))
    assert seen == [(True, True, True, False)]


def test_plain_numpy_refuses_and_points_here():
    with pytest.raises(dk.TraceError, match=r"dk\.numpy\.array"):
        dk.grad(lambda x: numpy.sum(numpy.array([x, x])))(1.0)


def test_from_numpy_import_star_style():
    names = {}
    exec("from diffkit.numpy import *", names)
    assert names["array"] is np.array
    assert names["sin"] is numpy.sin
