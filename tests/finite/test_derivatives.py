"""Derivatives against closed forms: every form, order, derivative, dtype and kind of argument."""

import math
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diffkit import programs
from diffkit.errors import DomainError, InputError
from diffkit.finite import derivative, directional, gradient, hessian, jacobian, stencil

Point = namedtuple("Point", "x y")

FUNCTIONS = {
    "sin": (np.sin, lambda x, n: np.sin(x + n * np.pi / 2)),
    "exp": (np.exp, lambda x, n: np.exp(x)),
    "log": (np.log, lambda x, n: (-1) ** (n - 1) * math.factorial(n - 1) / x**n),
    "reciprocal": (lambda x: 1 / x, lambda x, n: (-1) ** n * math.factorial(n) / x ** (n + 1)),
}


class Counted:
    """A function that knows how often it was called."""

    def __init__(self, f):
        self.f, self.calls, self.points = f, 0, []

    def __call__(self, x):
        self.calls += 1
        self.points.append(x)
        return self.f(x)


# -- one variable -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize(
    ("form", "order"),
    [(f, p) for f in ("forward", "backward") for p in (1, 2, 3, 4)] + [("central", p) for p in (2, 4, 6)],
)
def test_every_form_order_and_derivative(name, n, form, order):
    f, closed = FUNCTIONS[name]
    x = 1.7
    estimate = derivative(f, x, form, order=order, n=n, full=True)
    error = abs(estimate.value - closed(x, n))
    assert type(estimate.value) is float
    assert error <= 5 * estimate.error
    # What double precision allows: round-off to the power p / (n + p), times constants of the formula.
    assert error <= 2e3 * float(stencil(form, n, order).magnification) * 2.2e-16 ** (order / (n + order))
    assert (estimate.form, estimate.order, estimate.n) == (form, order, n)


@pytest.mark.parametrize("form", ["forward", "backward", "central"])
@pytest.mark.parametrize("order", [2, 4])
def test_the_truncation_error_is_what_the_stencil_says(form, order):
    x, h = 0.7, 2.0**-6
    made = stencil(form, 1, order)
    error = derivative(np.exp, x, form, h, order) - math.exp(x)
    assert error == pytest.approx(float(made.leading) * math.exp(x) * h**order, rel=0.06)


@given(st.lists(st.integers(-9, 9), min_size=1, max_size=6), st.integers(-8, 8))
@settings(max_examples=60)
def test_exact_on_polynomials_up_to_the_order(coefficients, x):
    p = np.polynomial.Polynomial(coefficients)
    for form, order in (("forward", 5), ("backward", 5), ("central", 6)):
        assert derivative(p, float(x), form, 0.5, order) == pytest.approx(p.deriv()(x), rel=1e-9, abs=1e-7)


def test_any_offsets():
    assert derivative(np.sin, 1.0, [-1, 0, 2, 5], order=3) == pytest.approx(math.cos(1.0), rel=1e-9)
    assert derivative(np.sin, 1.0, (0.5, -1, 3), n=2) == pytest.approx(-math.sin(1.0), rel=1e-3)


def test_the_plain_call_prints_a_number():
    assert repr(derivative(np.sin, 0.0, h=0.5)) == "0.958851077208406"
    assert type(derivative(math.sin, 1)) is float
    assert type(derivative(np.sin, np.float64(1))) is float
    assert derivative(np.sin, np.array(1.0)).shape == ()


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.longdouble])
def test_dtypes_are_kept(dtype):
    x = dtype(1)
    for form in ("forward", "central"):
        got = derivative(np.sin, x, form)
        assert np.asarray(got).dtype == dtype
        assert float(got) == pytest.approx(math.cos(1), rel=10 * float(np.finfo(dtype).eps) ** 0.5)
    assert gradient(lambda v: (v * v).sum(), np.ones(3, dtype)).dtype == dtype
    assert jacobian(lambda v: v * v, np.ones(3, dtype)).dtype == dtype
    assert hessian(lambda v: (v * v).sum(), np.ones(3, dtype)).dtype == dtype


def test_float32_is_computed_with_a_step_for_float32():
    estimate = derivative(np.sin, np.float32(1), full=True)
    assert 1e-3 < estimate.h < 3e-2
    assert abs(float(estimate.value) - math.cos(1)) < 1e-4


def test_functions_with_several_results():
    out = derivative(lambda t: {"p": np.array([t, t * t]), "q": (t**3, np.float64(2.0))}, 2.0, h=2.0**-10)
    np.testing.assert_allclose(out["p"], [1, 4], rtol=1e-10)
    assert out["q"] == pytest.approx((12, 0), abs=1e-5)


def test_functions_that_return_ints_or_nothing_or_a_lower_precision():
    assert derivative(lambda x: 3, 1.0) == 0.0
    assert derivative(lambda x: int(x), 1.5, h=1.0) == 1.0
    assert jacobian(lambda v: v[:0], np.ones(3), h=0.5).shape == (0, 3)
    low = derivative(lambda x: np.float32(np.sin(x)), 1.0, full=True)
    assert type(low.value) is float
    assert 1e-3 < low.h < 1e-1
    assert abs(low.value - math.cos(1)) < 3 * low.error < 1e-3
    assert gradient(lambda p: p["b"] ** 2, {"a": np.zeros(0), "b": 1.0}, h=0.5)["b"] == 2.0


@pytest.mark.parametrize(
    ("x", "scale"), [(1.0, 1e300), (1.0, 1e-300), (1e300, 2.0), (5e-324, 2.0), (-1e150, 1e150)]
)
def test_numbers_at_the_ends_of_the_range(x, scale):
    assert derivative(lambda t: scale * t, x) == pytest.approx(scale, rel=1e-6)


@pytest.mark.parametrize("x", [700.0, 709.7, -700.0])
def test_values_at_the_ends_of_the_range(x):
    estimate = derivative(np.exp, x, full=True)
    assert abs(estimate.value - math.exp(x)) <= 3 * estimate.error < 1e-8 * math.exp(x)


def test_elementwise_at_an_array():
    x = np.linspace(0.1, 3, 7).reshape(7, 1)
    f = Counted(np.sin)
    got = derivative(f, x, h=1e-5)
    assert got.shape == x.shape
    np.testing.assert_allclose(got, np.cos(x), atol=1e-9)
    assert f.calls == 3  # two points of the stencil, and one that tells whether f is elementwise
    np.testing.assert_allclose(derivative(np.log, np.array([1e-6, 1.0, 1e6])), [1e6, 1.0, 1e-6], rtol=1e-6)


def test_elementwise_at_very_many_points():
    x = np.linspace(0.1, 3, 20000)
    estimate = derivative(np.sin, x, full=True)
    assert np.all(np.abs(estimate.value - np.cos(x)) < 3 * estimate.error)
    assert estimate.error.max() < 1e-9


def test_elementwise_refuses_what_is_not():
    with pytest.raises(InputError, match=r"elementwise functions; f maps array \(3,\) to another shape"):
        derivative(np.sum, np.ones(3))
    with pytest.raises(InputError, match="depends on other elements of x: use jacobian"):
        derivative(np.cumsum, np.arange(3.0))


def test_complex_functions():
    z = 0.3 + 0.4j
    got = derivative(np.exp, z)
    assert type(got) is complex
    assert got == pytest.approx(np.exp(z), rel=1e-8)
    assert derivative(lambda t: np.exp(1j * t), 0.5) == pytest.approx(1j * np.exp(0.5j), rel=1e-8)
    np.testing.assert_allclose(gradient(lambda v: np.sum(v**3), np.array([z, 1j])), [3 * z**2, -3], rtol=1e-8)
    assert jacobian(lambda v: v * v, np.array([z, 1j], np.complex64)).dtype == np.complex64


@pytest.mark.parametrize("f", [abs, np.conj, lambda z: z.real * 1j, lambda z: z * np.conj(z)])
def test_functions_that_are_not_holomorphic_are_refused(f):
    with pytest.raises(InputError, match="not holomorphic"):
        derivative(f, 0.3 + 0.4j)


# -- several variables ------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["forward", "backward", "central"])
@pytest.mark.parametrize("n", [1, 2, 7])
def test_the_cost_of_a_gradient_is_exact(form, n):
    f = Counted(lambda x: np.sum(x**2))
    gradient(f, np.ones(n), form, h=1e-6)
    expected = 2 * n if form == "central" else n + 1
    assert f.calls == expected
    f.calls = 0
    estimate = gradient(f, np.ones(n), form, full=True)
    assert f.calls == estimate.evaluations
    assert estimate.evaluations - estimate.measuring == expected
    assert estimate.measuring < 60


def test_the_measuring_costs_the_same_for_any_number_of_variables():
    costs = {gradient(lambda x: np.sum(np.sin(x)), np.ones(n), full=True).measuring for n in (1, 10, 300)}
    assert max(costs) <= 45


def test_one_call_for_all_points():
    f = Counted(lambda X: np.sum(X**3, axis=-1))
    x = np.linspace(1, 2, 1000)
    got = gradient(f, x, h=1e-5, vectorized=True)
    assert f.calls == 1
    assert f.points[0].shape == (2000, 1000)
    np.testing.assert_allclose(got, 3 * x**2, rtol=1e-8)
    np.testing.assert_allclose(got, gradient(lambda x: np.sum(x**3), x, h=1e-5), rtol=1e-7)


@pytest.mark.parametrize("operator", [derivative, jacobian])
def test_vectorized_scalars_and_jacobians(operator):
    assert operator(np.sin, 1.0, vectorized=True) == pytest.approx(math.cos(1))
    x = np.array([2.0, 3.0])
    J = jacobian(lambda X: np.stack([X[:, 0] * X[:, 1], X[:, 1]], axis=1), x, vectorized=True)
    np.testing.assert_allclose(J, [[3, 2], [0, 1]], atol=1e-8)
    H = hessian(lambda X: X[:, 0] ** 2 * X[:, 1], x, vectorized=True)
    np.testing.assert_allclose(H, [[6, 4], [4, 0]], atol=1e-5)


def test_vectorized_containers():
    def f(batch):
        return np.sum(batch["w"] ** 2, axis=(1, 2)) * batch["b"]

    got = gradient(f, {"w": np.ones((2, 2)), "b": 3.0}, vectorized=True)
    np.testing.assert_allclose(got["w"], 6 * np.ones((2, 2)), rtol=1e-8)
    assert got["b"] == pytest.approx(4)
    assert type(got["b"]) is float


def test_workers():
    x = np.array([0.5, 1.5, 2.5])
    expected = gradient(cubes, x, h=1e-4)
    with ThreadPoolExecutor(2) as pool:
        np.testing.assert_array_equal(gradient(cubes, x, h=1e-4, workers=pool.map), expected)
    np.testing.assert_array_equal(gradient(cubes, x, h=1e-4, workers=map), expected)


@pytest.mark.filterwarnings("ignore:os.fork")  # of JAX, where another test has loaded it
@pytest.mark.slow
def test_worker_processes():
    x = np.array([0.5, 1.5, 2.5])
    np.testing.assert_array_equal(gradient(cubes, x, h=1e-4, workers=2), gradient(cubes, x, h=1e-4))


def cubes(x):
    return np.sum(x**3)


def test_containers_come_back_as_they_went_in():
    x = {"p": Point(np.array([[1.0, 2.0]]), 3.0), "q": [np.float32(4.0), (5,)]}

    def f(v):
        return np.sum(v["p"].x ** 2) + v["p"].y * v["q"][0] + v["q"][1][0] ** 2

    got = gradient(f, x)
    assert isinstance(got["p"], Point)
    np.testing.assert_allclose(got["p"].x, [[2, 4]], rtol=1e-6)
    assert got["p"].y == pytest.approx(4, rel=1e-6)
    assert got["q"][0].dtype == np.float32
    assert got["q"][0] == pytest.approx(3, rel=1e-3)
    assert got["q"][1][0] == pytest.approx(10, rel=1e-6)


def test_jacobian_blocks_are_outputs_by_inputs():
    def f(v):
        return {"a": np.outer(v[0], v[0]), "b": v[1] ** 2}

    x = (np.array([1.0, 2.0]), 3.0)
    J = jacobian(f, x, h=2.0**-10)
    assert J["a"][0].shape == (2, 2, 2)
    assert J["a"][1].shape == (2, 2)
    assert J["b"][0].shape == (2,)
    assert J["b"][1] == pytest.approx(6)
    np.testing.assert_allclose(J["a"][0][0, 1], [2, 1])


@pytest.mark.parametrize("shape", [(), (1,), (4,), (2, 3)])
def test_jacobian_shapes(shape):
    x = np.linspace(1, 2, max(1, math.prod(shape))).reshape(shape)
    J = jacobian(lambda v: np.stack([v, v**2]), x, h=2.0**-12)
    assert J.shape == (2, *shape, *shape)
    diagonal = np.einsum("kii->ki", J.reshape(2, x.size, x.size))
    np.testing.assert_allclose(diagonal[1], 2 * x.reshape(-1), rtol=1e-9)
    assert np.count_nonzero(np.abs(J) > 1e-9) == 2 * x.size


def test_the_gradient_of_the_helmholtz_energy_by_every_form():
    x = np.linspace(0.1, 0.2, 5) / 2
    expected = gradient(programs.helmholtz, x, "complex")
    for form, rtol in (("forward", 1e-6), ("backward", 1e-6), ("central", 1e-8)):
        np.testing.assert_allclose(gradient(programs.helmholtz, x, form), expected, rtol=rtol)
    np.testing.assert_allclose(gradient(programs.helmholtz, x, order=4), expected, rtol=1e-10)


@pytest.mark.parametrize(
    ("form", "count"),
    [("central", lambda n: 2 * n * n + 1), ("forward", lambda n: 1 + 2 * n + n * (n - 1) // 2)],
)
@pytest.mark.parametrize("n", [1, 2, 5])
def test_hessians_and_their_cost(form, count, n):
    A = np.arange(n * n, dtype=float).reshape(n, n)
    f = Counted(lambda x: x @ A @ x / 2 + np.sum(x**3))
    x = np.linspace(0.5, 1.5, n)
    H = hessian(f, x, form, h=2.0**-12)
    assert f.calls == count(n)
    np.testing.assert_array_equal(H, H.T)
    np.testing.assert_allclose(H, (A + A.T) / 2 + 6 * np.diag(x), atol=1e-6 if form == "central" else 1e-2)


def test_hessian_orders_steps_and_containers():
    def f(v):
        return np.exp(v["a"]) * np.sin(v["b"][0]) * v["b"][1]

    x = {"a": 0.5, "b": np.array([0.3, 2.0])}
    H = hessian(f, x, order=4)
    e, s, c = math.exp(0.5), math.sin(0.3), math.cos(0.3)
    assert H["a"]["a"] == pytest.approx(e * s * 2, rel=1e-7)
    np.testing.assert_allclose(H["a"]["b"], [e * c * 2, e * s], rtol=1e-7)
    np.testing.assert_allclose(H["b"]["a"], H["a"]["b"])
    np.testing.assert_allclose(H["b"]["b"], [[-e * s * 2, e * c], [e * c, 0]], rtol=1e-7, atol=1e-7)
    full = hessian(f, x, full=True)
    assert abs(full.value["a"]["a"] - e * s * 2) < 10 * full.error["a"]["a"]
    assert hessian(np.cos, 0.0) == pytest.approx(-1, rel=1e-6)


def test_directional():
    x, v = {"w": np.array([1.0, 2.0]), "b": 0.5}, {"w": np.array([1.0, -1.0]), "b": 2.0}

    def f(p):
        return np.sum(p["w"] ** 3) * p["b"]

    g = gradient(f, x, order=4)
    expected = g["w"] @ v["w"] + g["b"] * v["b"]
    assert directional(f, x, v) == pytest.approx(expected, rel=1e-8)
    counted = Counted(f)
    directional(counted, x, v, "forward", h=1e-6)
    assert counted.calls == 2
    assert directional(lambda x: x @ x, np.ones(3), np.ones(3), n=2) == pytest.approx(6, rel=1e-5)
    with pytest.raises(InputError, match="v is zero"):
        directional(f, x, {"w": np.zeros(2), "b": 0.0})
    with pytest.raises(InputError, match="nested and shaped like x"):
        directional(f, x, 1.0)
    got = directional(lambda X: np.sum(X**2, axis=1), np.ones(3), np.arange(3.0), vectorized=True)
    assert got == pytest.approx(6)


# -- steps ------------------------------------------------------------------------------------------


@given(st.floats(1e-3, 1e6), st.floats(1e-9, 1e-3))
def test_steps_are_what_x_really_moves_by(x, h):
    used = derivative(lambda t: t * t, x, "forward", h * x, full=True).h
    assert (x + used) - x == used
    chosen = derivative(np.log, x, "forward", full=True).h
    assert (x + chosen) - x == chosen
    assert math.frexp(chosen)[0] == 0.5  # a power of two


def test_a_linear_function_has_no_error_at_all_with_such_steps():
    for h in (1e-1, 1e-3, 1e-7):
        assert derivative(lambda x: 3 * x, 0.7, "forward", h) == pytest.approx(3, abs=1e-15 / h)


@pytest.mark.parametrize(
    ("f", "x", "slope"),
    [
        (np.log, 1e-8, 1e8),  # a step for |x| = 1 would leave the domain
        (lambda x: np.sin(1e5 * x), 1.0, 1e5 * math.cos(1e5)),  # or alias
        (np.tan, 1.57, 1 / math.cos(1.57) ** 2),  # close to a pole
        (lambda x: 1 / x, 1e-4, -1e8),
        (lambda x: x**3, 1e10, 3e20),
        (np.cos, 1e-10, -1e-10),
        (lambda x: (x - 1) ** 2 + 1e6, 1.5, 1.0),
        (lambda x: 5.0 + 0 * x, 1.0, 0.0),
    ],
)
def test_chosen_steps_fit_the_function(f, x, slope):
    estimate = derivative(f, x, full=True)
    assert abs(estimate.value - slope) <= max(3 * estimate.error, 1e-9 * abs(slope))
    assert estimate.error <= max(1e-6 * abs(slope), 1e-4 if slope == 1.0 else 1e-9)


def test_the_chosen_step_is_near_the_best():
    f = lambda x: programs.logistic_map(x, form="closed")  # noqa: E731
    assert 1e-9 < derivative(f, 0.2, "forward", full=True).h < 4e-9
    assert 2e-7 < derivative(f, 0.2, "central", full=True).h < 8e-7


def test_steps_for_functions_whose_curvatures_cancel_along_a_line():
    for f, slope in (
        (lambda v: v[0] * v[1], [2.0, 1.0]),
        (lambda v: v[0] ** 2 - v[1] ** 2, [2.0, -4.0]),
        (lambda v: (v[0] - v[1]) ** 2, [-2.0, 2.0]),
    ):
        np.testing.assert_allclose(gradient(f, np.array([1.0, 2.0]), "forward"), slope, atol=3e-7)


def test_steps_for_each_variable():
    x = {"a": 1.0, "b": np.array([2.0, 3.0])}
    h = {"a": 0.5, "b": np.array([0.25, 0.125])}
    estimate = gradient(lambda p: p["a"] ** 3 + np.sum(p["b"] ** 3), x, h=h, full=True)
    assert estimate.h["a"] == 0.5
    assert estimate.h["b"].tolist() == [0.25, 0.125]
    assert estimate.value["a"] == 3 + 0.5**2


# -- bounds -----------------------------------------------------------------------------------------


def test_bounds_switch_the_form_near_an_edge():
    seen = Counted(lambda x: np.sum(np.sqrt(x)))
    x = np.array([0.0 + 1e-9, 0.5, 1.0])
    estimate = gradient(seen, x, h=np.array([1e-10, 1e-5, 1e-5]), bounds=(0.0, 1.0), full=True)
    assert estimate.switched == {"x[2]": "backward"}
    points = np.array(seen.points)
    assert points.min() >= 0
    assert points.max() <= 1
    np.testing.assert_allclose(estimate.value, 0.5 / np.sqrt(x), rtol=1e-2)


@pytest.mark.parametrize("x", [0.0, 1.0, 1e-12, 0.3])
@pytest.mark.parametrize("form", ["forward", "backward", "central"])
def test_f_is_never_asked_outside_the_bounds(x, form):
    def f(t):
        assert 0 <= t <= 1, t
        return t**2 + t

    estimate = derivative(f, x, form, bounds=(0, 1), full=True)
    assert estimate.value == pytest.approx(2 * x + 1, rel=1e-6)


def test_bounds_for_each_variable_and_elementwise():
    x = {"a": 1.0, "b": 2.0}
    got = gradient(
        lambda p: p["a"] * p["b"], x, bounds=({"a": 1.0, "b": -9.0}, {"a": 5.0, "b": 9.0}), full=True
    )
    assert got.switched == {"x['a']": "forward"}
    assert got.value == pytest.approx({"a": 2.0, "b": 1.0})
    got = derivative(np.sqrt, np.array([1.0, 4.0]), bounds=(1.0, None))
    np.testing.assert_allclose(got, [0.5, 0.25], rtol=1e-6)


@pytest.mark.parametrize(
    ("x", "h", "bounds", "message"),
    [
        (2.0, 1e-3, (0.0, 1.0), "x = 2 is not inside its bounds, 0 to 1"),
        (0.5, 0.9, (0.0, 1.0), "h = 0.9 is too large at x = 0.5: no form of this stencil stays"),
    ],
)
def test_out_of_bounds(x, h, bounds, message):
    with pytest.raises(DomainError, match=message):
        derivative(np.sin, x, h=h, bounds=bounds)
    with pytest.raises(InputError, match="bounds must be a pair"):
        derivative(np.sin, 0.5, bounds=3)


# -- that an error in the code would show ------------------------------------------------------------


@pytest.mark.parametrize("factor", [1.001, 0.999])
def test_a_weight_off_by_a_thousandth_is_seen(factor):
    got = derivative(lambda x: factor * np.sin(x), 1.0)
    assert abs(got - math.cos(1.0)) > 1e-4


def test_directional_within_bounds():
    x, v = np.array([0.0, 1.0]), np.array([1.0, -2.0])
    box = (0.0, [5.0, 1.0])

    def f(p):
        assert (p >= 0).all()
        assert p[1] <= 1
        return p[0] ** 3 + np.sqrt(4 - p[1]) * p[0] + p[1] ** 2

    exact = np.sqrt(3) - 4
    estimate = directional(f, x, v, bounds=box, full=True)  # the line may only go forward
    assert abs(estimate.value - exact) < 10 * estimate.error < 1e-6
    assert list(estimate.switched.values()) == ["forward"]
    assert directional(f, x, v, bounds=box, h=2.0**-12) == pytest.approx(exact, rel=1e-6)
    with pytest.raises(DomainError, match="leaves the bounds on both sides"):
        directional(f, x, np.array([1.0, 1.0]), bounds=box)
