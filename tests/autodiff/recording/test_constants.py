"""Plain arrays that a program changes in place while it is traced: the derivative is of what it computed."""

import array

import numpy as np
import pytest

import diffkit as dk
from diffkit.errors import NoRuleError, TraceError

X = np.array([1.5, -0.5, 2.0, 0.25])
LARGE = 1000


def _a_buffer_filled_anew(x):
    weights, total = np.zeros(4), 0.0
    for k in range(3):
        weights[k] = k + 1.0
        total = total + np.sum(x**2 * weights)
    return total


def _a_state_updated(x):
    state, total = np.ones(4), 0.0
    for _ in range(3):
        total = total + np.dot(x, state) * np.sum(x)
        state *= 0.5
        state += 0.1
    return total


def _an_index(x):
    places = np.array([0, 1])
    y = x[places]
    places += 2
    return np.prod(y) * np.prod(x[places])


def _part_of_an_index(x):
    places = np.array([0, 1])
    y = np.reshape(x, (2, 2))[places, :]
    places[:] = 0
    return np.sum(y**3)


def _a_mask(x):
    mask = np.array([True, False, True, True])
    y = np.where(mask, x**2, x)
    mask[:] = False
    return np.sum(y)


def _a_row_of_a_table(x):
    table, total = np.zeros((3, 4)), 0.0
    for k in range(3):
        table[k] = k + 1.0
        total = total + np.sum(np.tanh(x * table[k]))
    table[:] = 0.0
    return total


def _a_list(x):
    rows = np.ones((2, 4))
    y = np.stack([x, rows[0], x * rows[1]])
    rows[:] = 7.0
    return np.sum(y * y)


def _a_keyword(x):
    counts = np.array([1, 2, 0, 3])
    y = np.repeat(x, counts)
    counts[:] = 1
    return np.sum(y**2)


@dk.primitive
def scaled(x, by):
    return float(np.sum(x * by))


dk.defvjp(scaled, lambda g, ans, x, by: g * by, None)


def _an_argument_of_a_primitive(x):
    by = np.array([1.0, 2.0, 3.0, 4.0])
    y = scaled(x, by) ** 2
    by[:] = 0.0
    return y


PROGRAMS = [
    _a_buffer_filled_anew,
    _a_state_updated,
    _an_index,
    _part_of_an_index,
    _a_mask,
    _a_row_of_a_table,
    _a_list,
    _a_keyword,
    _an_argument_of_a_primitive,
]


@pytest.mark.parametrize("f", PROGRAMS)
def test_the_derivative_is_of_the_numbers_that_the_rows_had(f):
    expected = [(f(X + d) - f(X - d)) / 2e-5 for d in 1e-5 * np.eye(4)]
    np.testing.assert_allclose(dk.grad(f)(X), expected, rtol=1e-8)
    np.testing.assert_allclose(dk.make_jvp(f)(X)(X)[1], X @ expected, rtol=1e-8)
    t = dk.trace(f)(X)
    assert t.replay(2.0 * X) == pytest.approx(f(2.0 * X))
    dk.check_grads(f)(X)


def _updated(x):
    c = np.ones(LARGE)
    y = np.sum(x[0] * c)
    c *= 2.0
    return y


def _assigned(x):
    c = np.ones((2, LARGE))
    y = np.sum(x[0] * c[0])
    c[0, 0] = 2.0
    return y


def _sorted(x):
    c = np.arange(LARGE)[::-1] * 0.5
    y = np.sum(x[0] * c)
    c.sort()
    return y + x[1] * c[0]


def _drawn(x):
    c = np.ones(LARGE)
    y = np.sum(x[0] * c)
    np.random.default_rng(0).standard_normal(out=c)
    return y


def test_arrays_are_writeable_again_when_the_trace_is_complete():
    whole = np.ones((3, LARGE))
    before = whole[1]
    fixed = np.ones(LARGE)
    fixed.flags.writeable = False

    def f(x):
        total = np.sum(x[0] * whole[0]) + np.sum(x[1] * before) + np.sum(x[2] * whole.T) + x[3] * fixed[0]
        return total + dk.grad(lambda s: np.sum(s * whole * fixed))(x[0])

    def fails(x):
        raise ZeroDivisionError(np.sum(x[0] * whole))

    dk.grad(f)(X)
    with pytest.raises(ZeroDivisionError):
        dk.grad(fails)(X)
    assert whole.flags.writeable
    assert before.flags.writeable
    assert not fixed.flags.writeable
    before[:] = whole[0, 0] = 5.0


@pytest.mark.parametrize(
    "c",
    [
        np.broadcast_to(np.ones(LARGE), (3, LARGE)),
        np.broadcast_arrays(np.ones(LARGE), np.ones((3, 1)))[0],
        np.frombuffer(bytes(8 * LARGE)),
        np.frombuffer(bytearray(8 * LARGE)),
        np.asfortranarray(np.ones((30, 40)))[::2, ::-1],
    ],
    ids=["repeated", "repeated in two", "bytes", "a buffer", "every other"],
)
def test_large_arrays_of_every_kind(c):
    expected = np.sum(c)
    np.testing.assert_array_equal(dk.grad(lambda x: np.sum(x[0] * c) + np.sum(c * x[1]))(X)[:2], expected)


def test_an_error_of_the_programs_own_about_a_fixed_array_stays_what_it_is():
    fixed = np.ones(3)
    fixed.flags.writeable = False

    def f(x):
        fixed[0] = 2.0
        return np.sum(x)

    with pytest.raises(ValueError, match="read-only"):
        dk.grad(f)(X)


def test_rows_that_use_the_same_array_have_the_same_copy():
    c = np.ones(4)
    t = dk.trace(lambda x: np.sum(x * c) + np.sum(c / x))(X)
    first, second = (a for row in t.nodes for a in row.args if type(a) is np.ndarray)
    assert first is second
    assert first is not c


# -- what the operators hand out ---------------------------------------------------------------------------


def test_answers_may_be_changed_in_place():
    vjp, value = dk.make_vjp(np.exp)(X)
    value -= 1.0  # a residual, say
    np.testing.assert_allclose(vjp(np.ones(4)), np.exp(X))
    jvp = dk.make_jvp(np.exp)(X)
    value, _ = jvp(X)
    value[:] = 0.0
    np.testing.assert_allclose(jvp(X), (np.exp(X), X * np.exp(X)))
    hvp, gradient = dk.make_hvp(lambda x: np.sum(np.exp(x)))(X)
    gradient *= -0.1
    np.testing.assert_allclose(hvp(X), X * np.exp(X))
    x = X.copy()
    value = dk.make_vjp(lambda x: x)(x)[1]
    value[:] = 0.0
    np.testing.assert_array_equal(x, X)


def test_arrays_are_writeable_again_when_a_sweep_that_is_recorded_fails():
    @dk.primitive
    def without_rule(x):
        return np.sin(x)

    data = np.ones((100, 100))
    t = dk.trace(lambda x: (data @ without_rule(x)).sum())(np.ones(100))
    with pytest.raises(NoRuleError):
        t.adjoint()
    assert data.flags.writeable


# -- what NumPy reads beside arrays, and views taken before ------------------------------------------------


def _with(kind):
    def f(x):
        numbers = kind([1.0, 2.0, 3.0, 4.0])
        y = np.sum(x**2 * numbers) + np.multiply(x, numbers) @ x
        numbers[0] = 100.0
        return y

    return f


class _Own(np.ndarray):
    pass


@pytest.mark.parametrize(
    "kind",
    [
        list,
        lambda v: array.array("d", v),
        lambda v: np.array(v).view(_Own),
        lambda v: memoryview(np.array(v)),
    ],
)
def test_other_kinds_of_constants(kind):
    f = _with(kind)
    expected = [(f(X + d) - f(X - d)) / 2e-5 for d in 1e-5 * np.eye(4)]
    np.testing.assert_allclose(np.asarray(dk.grad(f)(X)), expected, rtol=1e-8)


def _through_a_view(x):
    state = np.ones(LARGE)
    view = state[:]
    y = np.sum(x[0] * state)
    view *= 5.0
    return y


def _through_a_window(x):
    u = np.ones((40, 40))
    inside, total = u[1:-1, 1:-1], 0.0
    for _ in range(3):
        total = total + np.sum(x[0] * u)
        inside += 1.0
    return total


def _through_a_memoryview(x):
    state = np.ones(LARGE)
    view = memoryview(state)
    y = np.sum(x[0] * state)
    view[0] = 5.0
    return y


LARGE_ONES = [_updated, _assigned, _sorted, _drawn, _through_a_view, _through_a_window, _through_a_memoryview]


@pytest.mark.parametrize("f", LARGE_ONES)
def test_a_large_array_that_changes_is_followed_at_each_call(f):
    expected = [(f(X + d) - f(X - d)) / 2e-5 for d in 1e-5 * np.eye(4)]
    for _ in range(3):
        np.testing.assert_allclose(dk.grad(f)(X), expected, rtol=1e-8)
    np.testing.assert_allclose(dk.make_jvp(f)(X)(X)[1], X @ expected, rtol=1e-8)
    np.testing.assert_allclose(dk.hessian(f)(X), np.zeros((4, 4)), atol=1e-12)
    assert dk.trace(f)(X).replay(2.0 * X) == pytest.approx(f(2.0 * X))


def test_a_large_array_that_a_later_call_changes_is_followed_from_the_next_on():
    def f(x, change):
        c = np.ones(LARGE)
        y = np.sum(x[0] * c)
        if change:
            c *= 2.0
        return y

    assert dk.grad(f)(X, False)[0] == LARGE
    with pytest.raises(TraceError, match=r"changed in place .*\(test_constants\.py:\d+: .*a\.copy\(\)"):
        dk.grad(f)(X, True)
    for change in (True, False, True):
        assert dk.grad(f)(X, change)[0] == LARGE


def test_a_large_array_that_stays_is_not_copied_in_later_calls():
    data = np.ones((100, 100))

    def f(x):
        return np.sum(data @ x)

    x = np.ones(100)
    for _ in range(3):
        t = dk.trace(f)(x)
    assert t.nodes[1].args[0] is data
    fixed = np.ones((100, 100))
    fixed.flags.writeable = False
    assert dk.trace(lambda x: fixed @ x)(x).nodes[1].args[0] is fixed
