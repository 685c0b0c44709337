"""Where functions are not smooth, meet zeros or NaN, or have nothing to work on; and complex numbers."""

import warnings

import numpy as np
import pytest

import diffkit as dk
from diffkit.errors import TraceError

V = np.array([0.7, -1.3, 2.1, 0.4])


def test_ties_share():
    assert dk.grad(np.max)(np.array([1.0, 3.0, 3.0])).tolist() == [0.0, 0.5, 0.5]
    assert dk.grad(lambda x: np.sum(np.min(x, axis=1)))(np.ones((1, 4))).tolist() == [[0.25] * 4]
    assert dk.deriv(lambda s: np.max(s * np.array([1.0, 1.0])))(2.0) == 1.0
    assert dk.grad(lambda x: np.clip(x, 1.0, 2.0))(1.0) == 0.5
    assert dk.grad(lambda x: np.ptp(x))(np.zeros(2)).tolist() == [0.0, 0.0]


def test_limits_that_cross_give_the_upper_one_as_numpy_does():
    f = lambda x, lo, hi: np.clip(x, lo, hi)  # noqa: E731
    assert f(0.0, 3.0, 1.0) == 1.0
    assert dk.grad(f, argnum=(0, 1, 2))(0.0, 3.0, 1.0) == (0.0, 0.0, 1.0)


@pytest.mark.parametrize("zeros", [[], [1], [1, 3], [0, 1, 2]])
def test_products_with_zeros(zeros):
    x = V.copy()
    x[zeros] = 0.0
    expected = [np.prod(np.delete(x, k)) for k in range(4)]
    np.testing.assert_allclose(dk.grad(np.prod)(x), expected)
    np.testing.assert_allclose(dk.jacobian(np.prod, mode="forward")(x), expected)
    second = [[np.prod(np.delete(x, [j, k])) * (j != k) for j in range(4)] for k in range(4)]
    np.testing.assert_allclose(dk.hessian(np.prod)(x), second, atol=1e-15)
    jacobian = [[np.prod(np.delete(x[: k + 1], j)) if j <= k else 0.0 for j in range(4)] for k in range(4)]
    np.testing.assert_allclose(dk.jacobian(np.cumprod, mode="reverse")(x), jacobian, atol=1e-15)
    np.testing.assert_allclose(dk.jacobian(np.cumprod, mode="forward")(x), jacobian, atol=1e-15)


def test_products_of_many_small_numbers_do_not_underflow_early():
    x = np.array([1e-200, 1e-200, 1e200, 3.0])
    np.testing.assert_allclose(dk.grad(lambda x: np.cumprod(x)[2])(x), [1.0, 1.0, 0.0, 0.0], atol=1e-300)


def test_logcumsumexp_where_exponentials_overflow():
    x = np.array([1000.0, 1001.0, -2000.0, 1001.0])
    weights = np.exp(x - 1001.0)
    np.testing.assert_allclose(
        dk.grad(lambda x: dk.numpy.logcumsumexp(x)[-1])(x), weights / weights.sum(), atol=1e-15
    )
    np.testing.assert_allclose(dk.numpy.logcumsumexp(x)[-1], 1001.0 + np.log(weights.sum()))
    assert np.isfinite(dk.hessian(lambda x: dk.numpy.logcumsumexp(x)[-1])(x)).all()


def test_nothing_flows_into_nan():
    x = np.array([1.0, np.nan, 3.0])
    assert dk.grad(np.nansum)(x).tolist() == [1.0, 0.0, 1.0]
    assert dk.grad(np.nanmean)(x).tolist() == [0.5, 0.0, 0.5]
    assert dk.grad(np.nanprod)(x).tolist() == [3.0, 0.0, 1.0]
    assert dk.grad(np.nanmax)(x).tolist() == [0.0, 0.0, 1.0]
    assert dk.grad(np.nanmedian)(x).tolist() == [0.5, 0.0, 0.5]
    np.testing.assert_allclose(dk.grad(np.nanstd)(x), [-0.5, 0.0, 0.5])
    assert dk.grad(lambda x: np.sum(np.nan_to_num(x)))(np.array([1.0, np.nan, np.inf])).tolist() == [1, 0, 0]
    assert dk.grad(lambda x: np.fmax(x, 2.0))(np.float64("nan")) == 0.0
    assert dk.grad(lambda y: np.fmax(np.nan, y))(2.0) == 1.0


def test_nan_comes_through_where_numpy_lets_it():
    x = np.array([[1.0, np.nan, 3.0], [1.0, 2.0, 4.0]])
    found = dk.trace(lambda x: np.median(x, axis=1))(x).value
    np.testing.assert_array_equal(found, np.median(x, axis=1))
    assert np.isnan(dk.trace(lambda x: np.quantile(x, 0.3))(x).value)


@pytest.mark.parametrize("f", [np.nanmax, np.nanmin])
def test_a_slice_of_nothing_but_nan_warns_as_numpy_does(f):
    x = np.array([[np.nan, np.nan], [1.0, 2.0]])
    with pytest.warns(RuntimeWarning, match="All-NaN"):
        value = dk.trace(lambda x: f(x, axis=1))(x).value
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        np.testing.assert_array_equal(value, f(x, axis=1))


def test_sinc_and_all_its_derivatives_at_and_near_zero():
    # The Taylor coefficients of sin(pi x) / (pi x) are exact.
    at_zero = [1.0, 0.0, -(np.pi**2) / 3, 0.0, np.pi**4 / 5, 0.0, -(np.pi**6) / 7]
    f = np.sinc
    for expected in at_zero:
        assert f(0.0) == pytest.approx(expected, abs=1e-13)
        f = dk.grad(f)


@pytest.mark.parametrize("order", range(6))
def test_sincs_derivatives_on_both_sides_of_where_the_series_ends(order):
    """It is summed up to |pi x| = order + 2: nearer and farther than that the digits must be there."""
    mpmath = pytest.importorskip("mpmath")
    f = np.sinc
    for _ in range(order):
        f = dk.deriv(f)
    end = (order + 2) / np.pi
    points = [1e-9, 1e-5, 1e-2, 0.3, 0.5 * end, 0.999 * end, 1.001 * end, 1.5 * end, 4.2, 50.5]
    with mpmath.workdps(60):
        for x in [*points, *(-p for p in points)]:
            series = mpmath.taylor(lambda u: mpmath.sinc(mpmath.pi * u), mpmath.mpf(x), order)
            exact = float(series[order] * mpmath.factorial(order))
            assert f(x) == pytest.approx(exact, rel=1e-13, abs=2e-15 * np.pi**order)


LINEAR_METHODS = {  # the slope by q of a quantile of n numbers, over the gap between two of them
    "linear": lambda n: n - 1.0,
    "hazen": lambda n: n,
    "weibull": lambda n: n + 1.0,
    "interpolated_inverted_cdf": lambda n: n,
    "median_unbiased": lambda n: n + 1 / 3,
    "normal_unbiased": lambda n: n + 1 / 4,
}


@pytest.mark.parametrize("method", LINEAR_METHODS)
@pytest.mark.parametrize("operator", [dk.grad, dk.deriv])
def test_quantiles_by_q_at_the_ends_and_beside_them(method, operator):
    sorted_ = np.array([-0.5, 1.0, 2.0, 3.5])
    slope = operator(lambda q: np.quantile(sorted_[[3, 1, 0, 2]], q, method=method))
    assert [slope(q) for q in (0.0, 1.0)] == [0.0, 0.0]  # beyond the ends it stays as it is
    for q in (1e-9, 1e-3, 0.01, 0.31, 0.61, 0.99, 0.999, 1 - 1e-9):
        step = min(1e-6, q / 4, (1 - q) / 4)
        moved = [np.quantile(sorted_, q + s, method=method) for s in (-step, step)]
        assert slope(q) == pytest.approx((moved[1] - moved[0]) / (2 * step), rel=1e-5, abs=1e-12)
    steepest = max(slope(q) for q in np.linspace(0.01, 0.99, 50))
    assert steepest == pytest.approx(1.5 * LINEAR_METHODS[method](4))


@pytest.mark.parametrize("order", [None, 1, 1.5, 2, 3, 4])
@pytest.mark.parametrize("dtype", [float, complex])
def test_norms_where_some_entries_or_all_are_zero(order, dtype):
    unit = (1 + 1j) / np.sqrt(2) if dtype is complex else -1.0
    for norm in (
        lambda x: np.linalg.norm(x, order),
        lambda x: np.sum(np.linalg.norm(x[None], order, axis=1)),
    ):
        gradient = dk.grad(norm)
        np.testing.assert_allclose(gradient(np.array([0, 3 * unit], dtype)), [0, np.conj(unit)], atol=1e-15)
        np.testing.assert_array_equal(gradient(np.zeros(2, dtype)), [0, 0])
        tangent = dk.make_jvp(norm)(np.array([0, 3 * unit], dtype))(np.array([0.0, unit], dtype))[1]
        assert tangent == pytest.approx(1.0)


def test_repeated_indices_add_up():
    x = np.array([1.0, 2.0, 3.0])
    assert dk.grad(lambda x: np.sum(x[[0, 0, 2]]))(x).tolist() == [2.0, 0.0, 1.0]
    assert dk.grad(lambda x: np.sum(np.take(x, [[1, 1], [1, 2]])))(x).tolist() == [0.0, 3.0, 1.0]
    assert dk.grad(lambda x: np.sum(np.repeat(x, [3, 0, 2])))(x).tolist() == [3.0, 0.0, 2.0]


def test_an_inner_derivative_of_reads_within_an_outer_one():
    # Here a traced adjoint meets one that is still put off, in both orders.
    def f(s):
        inner = dk.grad(lambda x: x[0] * s + x[1] + s * x[0] * x[1])
        return np.sum(inner(np.array([2.0, 3.0])) * dk.numpy.array([1.0, s]))

    # The inner gradient is (s + s x1, 1 + s x0) = (4 s, 1 + 2 s): f = 4 s + s + 2 s^2.
    assert dk.grad(f)(1.5) == pytest.approx(5.0 + 4.0 * 1.5)


def test_empty_arrays():
    empty = np.zeros((0, 3))
    for f in (np.sum, np.prod, np.ravel, np.sort, np.cumsum, np.cumprod, np.transpose, np.square):
        assert dk.grad(lambda x, f=f: np.sum(f(x)))(empty).shape == (0, 3)
    assert dk.grad(lambda x: np.sum(np.concatenate([x, np.ones((1, 3))])))(empty).shape == (0, 3)
    assert dk.grad(lambda x: np.sum(x @ np.ones((3, 2))))(empty).shape == (0, 3)
    assert dk.grad(lambda x: np.sum(np.max(x, axis=1)))(empty).shape == (0, 3)
    assert dk.grad(lambda x: np.sum(dk.numpy.logcumsumexp(x, axis=1)))(empty).shape == (0, 3)


def test_a_plain_list_beside_an_operator_is_an_array():
    one, two = [1.0, 2.0, 3.0, 4.0], [[1.0, 2.0], [0.0, 1.0], [2.0, 0.0], [1.0, 1.0]]
    for f in (
        lambda x: one @ x,
        lambda x: x @ tuple(one),
        lambda x: np.sum(x @ two),
        lambda x: np.sum(np.matmul(one, x) * x * one),
        lambda x: np.sum(one / x + (x - one)),
    ):
        dk.check_grads(f)(V)


def test_gradients_by_floats_are_floats():
    for f in (
        np.sum,
        np.mean,
        np.max,
        np.prod,
        np.sinc,
        lambda x: np.sum(np.cumsum(x)),
        lambda x: np.sum(dk.numpy.full(3, x)),
        lambda x: np.sum(np.linspace(0.0, x, 3)),
        lambda x: np.sum(np.stack([x, 2.0])),
        lambda x: np.dot(x, 3.0),
        lambda x: np.clip(x, 0.0, 9.0),
        lambda x: np.sum(np.where(V > 0, x, 0.0)),
    ):
        assert type(dk.grad(f)(1.5)) is float


def test_variance_of_complex_numbers_is_real():
    z = np.array([1.0 + 2.0j, -0.5j, 2.0])
    assert dk.trace(np.var)(z).value == pytest.approx(np.var(z))
    # The gradient of a real function of z is its derivative by x minus i times that by y.
    d = (z - z.mean()) * 2 / 3
    np.testing.assert_allclose(dk.grad(np.var)(z), np.conj(d))


def test_a_real_factor_of_a_complex_product_gets_a_real_gradient():
    gradient = dk.grad(lambda x: np.real(np.vdot(1j * x, np.array([1j, 2.0]))))(np.array([1.0, 2.0]))
    assert gradient.dtype == float
    np.testing.assert_allclose(gradient, [1.0, 0.0])


def test_meshgrid_and_friends_make_a_usual_program():
    def f(x, y):
        gx, gy = np.meshgrid(x, y, indexing="ij")
        surface = np.exp(-(gx**2)) * np.sin(gy)
        fx, fy = np.gradient(surface, x, y)
        return np.trapezoid(np.trapezoid(fx * fy, y, axis=1), x)

    dk.check_grads(f)(np.array([0.1, 0.5, 1.2]), np.array([0.3, 0.9, 1.0, 1.7]))


@pytest.mark.parametrize("order", ["C", "F", "A", "K"])
@pytest.mark.parametrize("which", ["C", "F", "every other", "backward", "transposed"])
def test_an_order_in_memory_is_that_of_the_array_and_not_of_its_cotangent(which, order):
    places = np.arange(12.0).reshape(3, 4)
    x = {
        "C": places,
        "F": np.asfortranarray(places),
        "every other": np.repeat(places, 2, axis=1)[:, ::2],
        "backward": np.asfortranarray(places)[::-1],
        "transposed": places.T,
    }[which]
    weights = np.arange(12.0) ** 2
    programs = [lambda x: np.ravel(x, order=order), lambda x: x.flatten(order)]
    if order != "K":  # which np.reshape does not take
        programs.append(lambda x: np.reshape(x, (2, 6), order=order)[[0, 1]].reshape(-1))
    for read in programs:
        # The elements are 0, 1, 2, ...: where each was read from can be told from what was read.
        expected = np.zeros(12)
        expected[read(x).astype(int)] = weights
        expected = expected[x.astype(int)]
        f = lambda x, read=read: np.sum(read(x) * weights)  # noqa: E731
        np.testing.assert_array_equal(dk.grad(f)(x), expected)
        for tangent in (np.ascontiguousarray(x), np.asfortranarray(x)):
            assert dk.make_jvp(f)(x)(tangent)[1] == pytest.approx(np.sum(expected * x))
        second = dk.hessian(lambda x, read=read: np.sum(read(x) ** 2 * weights))(x)
        np.testing.assert_array_equal(second.sum(axis=(2, 3)), 2 * expected)


def test_a_replay_reads_in_the_order_that_was_traced():
    t = dk.trace(lambda x: np.ravel(x, order="A"))(np.asfortranarray(np.ones((3, 4))))
    places = np.arange(12.0).reshape(3, 4)
    np.testing.assert_array_equal(t.replay(places), np.ravel(places, order="F"))


def test_an_order_in_memory_that_is_neither_is_refused():
    x = np.zeros((2, 3, 4)).transpose(1, 0, 2)
    with pytest.raises(TraceError, match=r'order="K" \(test_edge_cases\.py:\d+: .*: write order="C"'):
        dk.grad(lambda x: np.sum(np.ravel(x, order="K")))(x)


# -- lengths of 0, sums of exponentials that are all 0 ----------------------------------------------------

INF = np.inf
LENGTHS = [
    (np.linalg.norm, np.zeros(3)),
    (lambda x: np.linalg.norm(x, 3), np.zeros(3)),
    (lambda x: np.linalg.norm(x, "fro"), np.zeros((2, 2))),
    (lambda x: np.linalg.vector_norm(x), np.zeros((2, 2))),
    (np.std, np.ones(3)),
    (np.nanstd, np.array([1.0, np.nan, 1.0])),
    (lambda x: np.std(x, ddof=1), np.full(4, 0.7)),
]


@pytest.mark.parametrize(("length", "x"), LENGTHS)
def test_a_length_of_0_has_the_derivative_0_and_so_has_its_square(length, x):
    for f in (length, lambda x: length(x) ** 2, lambda x: length(x) * np.nansum(x)):
        for derivative in (dk.grad(f), dk.jacobian(f, mode="forward"), dk.compile(dk.grad(f))):
            np.testing.assert_array_equal(derivative(x), np.where(np.isnan(x), 0.0, np.zeros_like(x)))
    # It is a convention, which a second derivative would betray: that is nan, not 0.
    known = ~np.isnan(x).ravel()
    with np.errstate(all="ignore"):
        for f in (length, lambda x: length(x) ** 2):
            H = dk.hessian(f)(x).reshape(x.size, x.size)
            assert np.isnan(H[np.ix_(known, known)]).all()


def test_one_element_has_no_deviation_wherever_it_is():
    for x in (2.5, np.array([2.5])):
        for f in (np.std, lambda x: np.std(x) ** 2):
            for order in range(1, 4):
                f = dk.elementwise_grad(f)
                assert f(x) == 0.0, order


def test_pytorch_has_the_same_conventions():
    torch = pytest.importorskip("torch")
    for ours, theirs, x in (
        (np.linalg.norm, torch.linalg.norm, np.zeros(3)),
        (lambda x: np.linalg.norm(x, 3), lambda x: torch.linalg.vector_norm(x, 3), np.zeros(3)),
        (lambda x: np.std(x, ddof=1), torch.std, np.ones(3)),
        (np.std, lambda x: torch.std(x, correction=0), np.ones(1)),
    ):
        t = torch.tensor(x, requires_grad=True)
        theirs(t).backward()
        np.testing.assert_array_equal(dk.grad(ours)(x), t.grad.numpy())


def test_other_rows_of_a_norm_keep_their_derivatives():
    x = np.array([[0.0, 0.0], [3.0, 4.0]])
    f = lambda x: np.sum(np.linalg.norm(x, axis=1))  # noqa: E731
    for derivative in (dk.grad(f), dk.jacobian(f, mode="forward")):
        np.testing.assert_array_equal(derivative(x), [[0.0, 0.0], [0.6, 0.8]])
    compiled = dk.compile(dk.grad(f))  # where no row is 0, and then where one is, and back
    for point in (x + 1.0, x, x + 1.0, x):
        np.testing.assert_array_equal(compiled(point), dk.grad(f)(point))


def test_one_value_has_no_variance_with_one_degree_taken():
    with pytest.warns(RuntimeWarning):
        assert np.isnan(dk.grad(lambda x: np.var(x, ddof=1))(np.ones(1))).all()
    with pytest.warns(RuntimeWarning):
        assert np.isnan(dk.grad(lambda x: np.std(x, ddof=1))(np.ones(1))).all()


@pytest.mark.parametrize("add", [np.logaddexp, np.logaddexp2])
def test_logarithms_of_nothing(add):
    assert dk.grad(lambda x: add(add(-INF, -INF), x))(1.0) == 1.0
    assert dk.grad(lambda x: add(add(x, -INF), 1.0))(-INF) == 0.0
    for f in (lambda x: np.sum(add(x, x)), lambda x: np.sum(add(x, -INF))):
        for derivative in (dk.grad(f), dk.jacobian(f, mode="forward"), dk.compile(dk.grad(f))):
            np.testing.assert_array_equal(derivative(np.array([-INF, 0.0])), [0.0, 1.0])
    compiled = dk.compile(dk.grad(add))
    assert [compiled(x, -INF) for x in (0.5, -INF, 0.5, -INF)] == [1.0, 0.0, 1.0, 0.0]
    assert dk.grad(dk.grad(lambda x: add(x, x)))(-INF) == 0.0


def test_sums_of_exponentials_of_nothing():
    from diffkit.scipy.special import logsumexp

    x = np.array([[-INF, -INF], [0.0, 0.0]])
    f = lambda x: np.sum(logsumexp(x, axis=1)[1:])  # noqa: E731
    for derivative in (dk.grad(f), dk.jacobian(f, mode="forward")):
        np.testing.assert_allclose(derivative(x), [[0.0, 0.0], [0.5, 0.5]], rtol=1e-15)
    np.testing.assert_array_equal(dk.grad(logsumexp)(np.full(3, -INF)), np.zeros(3))
    np.testing.assert_array_equal(
        dk.grad(lambda x: dk.numpy.logcumsumexp(x)[-1])(np.array([-INF, 0.0])), [0, 1]
    )


def test_the_gradient_of_a_sum_of_many_is_an_array_of_ones_own():
    x = np.linspace(0.0, 1.0, 20_001)
    g = dk.grad(np.sum)(x)
    g += x  # it may be written to, each element on its own
    np.testing.assert_array_equal(g, 1.0 + x)
    np.testing.assert_array_equal(dk.grad(lambda x: np.sum(x) + np.sum(x * x[::-1]))(x), 1.0 + 2.0 * x[::-1])
    np.testing.assert_allclose(dk.grad(lambda x: np.mean(x**2))(x), 2.0 * x / 20_001, rtol=1e-14)
    v = np.ones(20_001)
    np.testing.assert_allclose(dk.hessian_vector_product(lambda x: np.sum(x**3))(x, v), 6.0 * x)
    written = dk.grad(lambda x: np.sum(_doubled_in_place(x)))(x)
    np.testing.assert_array_equal(written[[0, 1, 2, -1]], [0.0, 1.0, 1.0, 1.0])


def _doubled_in_place(x):
    y = x.copy()
    y[0] = 2.0
    return y
