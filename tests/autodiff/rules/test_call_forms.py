"""All the ways of calling a NumPy function, and those that are refused."""

import numpy as np
import pytest

import diffkit as dk
from diffkit.errors import NoRuleError, TraceError

A = np.array([[0.5, -1.2, 2.0], [1.7, 0.3, -0.9]])
V = np.array([0.7, -1.3, 2.1, 0.4])


def rows(f, *args):
    """The functions on the trace, with their positional arguments counted and their keywords."""
    return [
        (row.fun.name, len(row.args), row.kwargs)
        for row in dk.trace(f)(*args).nodes
        if row.fun.name != "input"
    ]


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.sum(x, 1),
        lambda x: np.sum(x, axis=1),
        lambda x: np.sum(a=x, axis=1),
        lambda x: np.sum(axis=1, a=x),
        lambda x: np.sum(x, 1, None, None),
        lambda x: np.sum(x, axis=1, out=None, dtype=None),
        lambda x: np.sum(x, axis=1, initial=np._NoValue, where=np._NoValue),
        lambda x: x.sum(1),
        lambda x: x.sum(axis=1),
        lambda x: np.add.reduce(x, 1),
    ],
)
def test_a_row_has_one_form_however_it_was_called(f):
    assert rows(f, A) == [("sum", 1, {"axis": 1})] or rows(f, A) == [
        ("sum", 1, {"axis": 1, "keepdims": False})
    ]


def test_differentiable_arguments_given_by_keyword_stand_by_position():
    assert rows(lambda x: np.dot(b=x, a=np.ones(2)), A) == [("dot", 2, {})]
    assert dk.grad(lambda y: np.dot(a=[1.0, 2.0], b=y))(np.zeros(2)).tolist() == [1.0, 2.0]
    assert dk.grad(lambda y: np.interp(0.5, xp=[0.0, 1.0], fp=y))(np.zeros(2)).tolist() == [0.5, 0.5]
    assert dk.grad(lambda y: np.sum(np.where(A > 0, 0.0, y)))(3.0) == 2.0


def test_lists_beside_traced_values():
    assert dk.grad(lambda x: np.dot(x, [1.0, 2.0]))(np.zeros(2)).tolist() == [1.0, 2.0]
    assert dk.grad(lambda x: np.sum(np.outer([1.0, 2.0], x)))(np.zeros(2)).tolist() == [3.0, 3.0]
    mixed = dk.grad(lambda x, y: np.dot(x, [y, 2.0]), argnum=(0, 1))(np.ones(2), 3.0)
    assert mixed[0].tolist() == [3.0, 2.0]
    assert mixed[1] == 1.0


def test_traced_integers_and_masks_are_decided():
    def f(x):
        order = np.argsort(x)
        return np.sum(np.take(x, order[:2])) + np.sum(np.roll(x, np.argmax(x))[:1]) + np.sum(x[x > 0])

    expected = np.sum(np.sort(V)[:2]) + np.roll(V, 2)[0] + np.sum(V[V > 0])
    t = dk.trace(f)(V)
    assert t.value == pytest.approx(expected)
    assert len(t.decisions) == 3
    dk.check_grads(f)(V)


@pytest.mark.parametrize(
    ("f", "keyword"),
    [
        (lambda x: np.sum(x, out=np.zeros(())), "out="),
        (lambda x: np.sum(x, 0, None, np.zeros(3)), "out="),
        (lambda x: np.sum(x, where=A > 0), "where="),
        (lambda x: np.max(x, initial=3.0), "initial="),
        (lambda x: np.sin(x, where=A > 0), "where="),
        (lambda x: np.add.reduce(x, initial=3.0), "initial="),
        (lambda x: np.add.reduce(x, where=A > 0), "where="),
    ],
)
def test_where_and_initial_are_refused_with_the_line(f, keyword):
    with pytest.raises(TraceError) as caught:
        dk.grad(f)(A)
    assert keyword in str(caught.value)
    assert "test_call_forms.py:" in str(caught.value)


@pytest.mark.parametrize(
    "f",
    [
        lambda x, out: np.add(x, 1.0, out=out),
        lambda x, out: np.multiply(x, x, out),
        lambda x, out: np.median(x, 0, out[0]),
        lambda x, out: np.nansum(x, 1, None, out[:, 0]),
        lambda x, out: np.clip(x, 0.0, 1.0, out=out),
        lambda x, out: np.clip(x, 0.0, 1.0, out),
        lambda x, out: np.concatenate([x[:1], x[1:]], 0, out),
        lambda x, out: np.stack([x[0], x[1]], 0, out),
        lambda x, out: np.add.reduce(x, 0, None, out[1]),
        lambda x, out: x.sum(0, out=out[1]),
        lambda x, out: np.cumsum(x, 1, None, out),
        lambda x, out: np.take(x, [0, 0], 0, out),
        lambda x, out: np.dot(x, np.eye(3), out),
        lambda x, out: np.round(x, 1, out),
    ],
)
def test_an_array_to_write_to(f):
    """By name or by position it gets the answer, and is what is returned."""

    def written(x):
        out = np.zeros_like(x)
        answer = f(x, out)
        return answer, out

    with pytest.raises(TraceError, match=r"plain array, .*test_call_forms\.py:.*import diffkit.numpy as np"):
        dk.trace(lambda x: f(x, np.zeros((2, 3))))(A)
    for found, expected in zip(dk.trace(written)(A).value, written(A), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-15)
    dk.check_grads(lambda x: written(x)[1])(A)


def test_a_traced_float_by_which_a_function_is_not_differentiated_is_refused():
    with pytest.raises(TraceError, match=r"np\.unwrap was given a traced value as period=.*call_forms\.py"):
        dk.grad(lambda p: np.sum(np.unwrap(p * V, period=p)))(3.0)
    with pytest.raises(NoRuleError, match=r"np\.pad is not differentiated by constant_values"):
        dk.grad(lambda x: np.sum(np.pad(x * V, 1, constant_values=x)))(3.0)
    with pytest.raises(NoRuleError, match=r"np\.pad is not differentiated by end_values"):
        dk.grad(lambda x: np.sum(np.pad(x * V, 1, "linear_ramp", end_values=x)))(3.0)
    with pytest.raises(NoRuleError, match="mode that is a function"):
        dk.grad(lambda x: np.sum(np.pad(x, 1, mode=lambda row, width, axis, options: row)))(V)
    with pytest.raises(NoRuleError, match="not differentiated by their weights"):
        dk.grad(lambda w: np.sum(np.histogram2d(V, V, weights=w)[0]))(V)
    with pytest.raises(NoRuleError, match=r"np\.emath\.arccos is not differentiated outside -1 to 1"):
        dk.grad(lambda x: np.sum(np.real(np.emath.arccos(x))))(V + 2.0)


def test_full_of_a_traced_value_points_to_the_one_that_can():
    with pytest.raises(TraceError, match=r"test_call_forms\.py:\d+.*dk\.numpy\.full"):
        dk.trace(lambda x: np.full((2,), x[0, 0]))(A)
    with pytest.raises(TraceError, match=r"test_call_forms\.py:\d+.*dk\.numpy\.full"):
        dk.trace(lambda x: np.full_like(A, x[0, 0]))(A)


def test_ufuncs_and_their_methods():
    assert dk.grad(lambda x: np.add.reduce(x))(V).tolist() == [1.0] * 4
    assert dk.grad(lambda x: np.sum(np.maximum.reduce(x, axis=None)))(A).tolist() == [[0, 0, 1], [0, 0, 0]]
    assert dk.grad(lambda x: np.add.reduce(x, 0, float, None, True)[0])(V).tolist() == [1.0] * 4
    assert dk.grad(lambda x: np.add.reduce(x, initial=None, where=True))(V).tolist() == [1.0] * 4
    for f in (np.add.reduce, np.maximum.reduce, np.multiply.accumulate):
        assert dk.trace(lambda x, f=f: f(x, dtype=np.float32))(V).value.dtype == np.float32
    with pytest.raises(NoRuleError, match=r"np\.arctan2\.accumulate"):
        dk.grad(lambda x: np.sum(np.arctan2.accumulate(x)))(V)
    assert dk.trace(lambda x: np.add(x, 1, dtype=np.float32))(V).value.dtype == np.float32


def test_shapes_and_dtypes_are_no_rows():
    def f(x):
        assert (np.shape(x), np.ndim(x), np.size(x), np.size(x, 1), len(x)) == ((2, 3), 2, 6, 3, 2)
        assert np.result_type(x, 1.0) == np.dtype(float)
        assert not np.iscomplexobj(x)
        assert isinstance(np.zeros_like(x), np.ndarray)
        assert np.full_like(x, 3.0)[0, 0] == np.ones_like(x)[0, 0] * 3.0
        return np.sum(x)

    assert [name for name, _, _ in rows(f, A)] == ["sum"]


def test_an_ordinary_program_with_functions_whose_derivative_is_zero():
    def f(x):
        n = np.count_nonzero(x > 0) + np.sum(np.isfinite(x)) + np.argmax(x)
        if np.any(x > 2.0) and np.all(np.isclose(x, x)) and np.allclose(x, x) and np.array_equal(x, x):
            x = x * 2.0
        k = int(np.searchsorted([0.0, 1.0], 0.5)) + np.digitize(0.5, [0.0, 1.0])
        near = np.round(x, 1) + np.around(x) + np.sign(x) + np.rint(x) + np.trunc(x) + np.ceil(x)
        places = np.nonzero(x > 0)[0], np.flatnonzero(x > 0), np.argwhere(x > 0)[:, 0]
        picked = x[places[0]] * x[places[1]] + x[places[2]]
        counted = np.histogram(x)[0].sum() + np.histogram2d(x, x)[0].sum() + np.histogramdd((x, x))[0].sum()
        return np.sum(x * n) + np.sum(near) * k + np.sum(picked) + counted

    dk.check_grads(f)(np.array([0.73, -1.34, 2.13, 0.46]))
    n = 3 + 4 + 2
    expected = 2.0 * (n + np.where(V > 0, 2 * (2.0 * V) + 1.0, 0.0))
    np.testing.assert_allclose(dk.grad(f)(V), expected)
