"""Every rule for NumPy's functions: value, dtype, both modes, second order, single precision."""

import numpy as np
import pytest
from numpy_cases import FAMILIES
from rule_checks import check_derivatives, check_single_precision, check_value, cotangents_of

import diffkit as dk
from diffkit.containers import flatten

LINES = [
    pytest.param(c, id=f"{name}-{k}")
    for functions in FAMILIES.values()
    for name, lines in functions.items()
    for k, c in enumerate(lines)
]


@pytest.mark.parametrize("c", LINES)
def test_tracing_changes_neither_value_nor_type(c):
    check_value(c)


@pytest.mark.parametrize("c", LINES)
def test_both_modes_to_second_order(c):
    check_derivatives(c)


@pytest.mark.parametrize("c", LINES)
def test_single_precision_stays_single(c):
    small = {"f": np.float32, "c": np.complex64}
    args = [np.asarray(a).astype(small[np.asarray(a).dtype.kind]) for a in c.args]
    plain, traced = c.f(np, *args), dk.trace(c.on_numpy())(*args).value
    for expected, found in zip(flatten(plain)[0], flatten(traced)[0], strict=True):
        assert np.result_type(found) == np.result_type(expected)
    check_single_precision(c)


@pytest.mark.parametrize("c", LINES)
def test_the_trace_can_be_replayed_and_so_can_its_adjoint(c):
    t = dk.trace(c.on_numpy())(*c.args)
    g = cotangents_of(t.value)
    assert_same(t.replay(*c.args), t.value)
    assert_same(t.adjoint(g).value, t.pull_back(g))


def assert_same(found, expected):
    for a, b in zip(flatten(found)[0], flatten(expected)[0], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14)
        assert np.shape(a) == np.shape(b)
