"""Every operator: what it says by closed forms, nested in any mixture, on every kind of argument."""

import dataclasses
import functools
import math
import numbers
from collections import namedtuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import diffkit as dk
from diffkit.errors import InputError
from tests.autodiff.closed_forms import X, cubic, cubic_gradient, cubic_hessian

Point = namedtuple("Point", "x y")


# -- one by one -------------------------------------------------------------------------------------------


def test_gradients():
    np.testing.assert_allclose(dk.grad(cubic)(X), cubic_gradient(X), rtol=1e-14)
    value, gradient = dk.value_and_grad(cubic)(X)
    assert value == cubic(X)
    np.testing.assert_allclose(gradient, cubic_gradient(X), rtol=1e-14)
    gradient, aux = dk.grad_and_aux(lambda x: (cubic(x), {"seen": x[0] * 2.0, "kind": "text"}))(X)
    np.testing.assert_allclose(gradient, cubic_gradient(X), rtol=1e-14)
    assert aux == {"seen": 0.6, "kind": "text"}


def test_argnum_as_an_int_a_tuple_and_from_the_end():
    def f(x, y, n):
        return x**2 * y**n

    assert dk.grad(f)(2.0, 3.0, 2) == 36.0
    assert dk.grad(f, 1)(2.0, 3.0, 2) == 24.0
    assert dk.grad(f, (0, 1))(2.0, 3.0, 2) == (36.0, 24.0)
    assert dk.grad(f, (1,))(2.0, 3.0, 2) == (24.0,)
    assert dk.grad(f, -2)(2.0, 3.0, 2) == 24.0
    assert dk.value_and_grad(f, (1, 0))(2.0, 3.0, 2) == (36.0, (24.0, 36.0))
    for twice in ((0, 0), (1, -2)):
        with pytest.raises(InputError, match="names an argument twice"):
            dk.grad(f, twice)(2.0, 3.0, 2)


def test_elementwise_and_deriv():
    np.testing.assert_allclose(dk.elementwise_grad(np.tanh)(X), 1 - np.tanh(X) ** 2, rtol=1e-14)
    np.testing.assert_allclose(dk.elementwise_grad(dk.elementwise_grad(np.sin))(X), -np.sin(X), rtol=1e-14)
    np.testing.assert_array_equal(
        dk.deriv(lambda t: np.stack([t**2, t**3, 1.0 + 0 * t]))(2.0), [4.0, 12.0, 0.0]
    )
    assert dk.deriv(dk.deriv(dk.deriv(np.sin)))(0.5) == pytest.approx(-math.cos(0.5), rel=1e-15)


def test_holomorphic():
    z = np.array([0.3 + 1.0j, -1.2j])
    np.testing.assert_allclose(
        dk.holomorphic_grad(lambda z: np.sum(np.exp(z) * z))(z), np.exp(z) * (1 + z), rtol=1e-13
    )
    with pytest.raises(InputError, match="complex argument"):
        dk.holomorphic_grad(np.sin)(1.0)


# -- containers and dtypes --------------------------------------------------------------------------------


def test_containers_in_and_out():
    params = {"w": [np.ones(2), 3.0], "p": Point(2.0, (1.0,))}

    def f(params):
        w, p = params["w"], params["p"]
        return np.sum(w[0]) * w[1] * p.x + p.y[0] ** 2

    got = dk.grad(f)(params)
    assert got["p"] == Point(6.0, (2.0,))
    assert isinstance(got["p"], Point)
    np.testing.assert_array_equal(got["w"][0], [6.0, 6.0])
    assert got["w"][1] == 4.0

    blocks = dk.jacobian(lambda p: {"a": p.x * p.y, "b": [p.x * np.ones(2)]})(Point(2.0, 3.0))
    assert blocks["a"] == Point(3.0, 2.0)
    np.testing.assert_array_equal(blocks["b"][0].x, [1.0, 1.0])
    np.testing.assert_array_equal(blocks["b"][0].y, [0.0, 0.0])

    vjp, _ = dk.make_vjp(lambda p: (p.x**2, {"y": p.y}))(Point(2.0, 3.0))
    assert vjp((1.0, {"y": 5.0})) == Point(4.0, 5.0)
    _, tangent = dk.make_jvp(lambda p: (p.x**2, {"y": p.y}))(Point(2.0, 3.0))(Point(1.0, 7.0))
    assert tangent == (4.0, {"y": 7.0})
    with pytest.raises(InputError, match="nested differently"):
        vjp((1.0, [5.0]))


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.complex128, np.float16])
def test_dtypes_are_kept(dtype):
    x = np.array([0.5, 1.5], dtype)

    def f(x):
        y = np.sum(np.exp(x) * x**2 / (1.0 + x))
        return np.real(y)

    assert dk.grad(f)(x).dtype == dtype
    assert dk.grad(lambda x: f(x) * np.float64(2.0))(x).dtype == dtype
    assert dk.make_jvp(lambda x: np.tanh(x) * 2.0)(x)(x)[1].dtype == dtype
    assert dk.elementwise_grad(lambda x: np.sqrt(x) * 3)(x).dtype == dtype
    assert dk.jacobian(lambda x: x * 2.0)(x).dtype == dtype
    scalar = dtype(0.5)
    assert dk.grad(lambda x: np.real(x * x))(scalar).dtype == dtype


def test_a_float_gives_a_float():
    for f in (np.sin, lambda x: x**2, lambda x: np.sum(x * np.ones(3)), lambda x: np.exp(x) * X[0]):
        assert type(dk.grad(f)(0.5)) is float
        assert type(dk.grad(dk.grad(f))(0.5)) is float


def test_a_gradient_is_an_array_of_its_own():
    x, y = np.ones(3), np.ones(3)
    gx, gy = dk.grad(lambda x, y: np.sum(x + y), (0, 1))(x, y)
    gx *= 5.0
    np.testing.assert_array_equal(gy, 1.0)
    seed = np.ones(3)
    vjp, _ = dk.make_vjp(lambda x: x)(x)
    vjp(seed)[0] = 7.0
    assert seed[0] == 1.0
    moved = dk.make_jvp(lambda x: x.T)(x)(seed)[1]
    moved[0] = 7.0
    assert seed[0] == 1.0


def test_an_answer_that_does_not_depend_on_the_argument():
    assert dk.grad(lambda x: 3.0)(1.0) == 0.0
    np.testing.assert_array_equal(dk.grad(lambda x: 3.0)(X), np.zeros(3))
    np.testing.assert_array_equal(dk.jacobian(lambda x: np.ones(2))(X), np.zeros((2, 3)))
    np.testing.assert_array_equal(dk.jacobian(lambda x: np.ones(2), mode="forward")(X), np.zeros((2, 3)))
    assert dk.deriv(lambda x: 3.0)(1.0) == 0.0
    np.testing.assert_array_equal(dk.hessian(lambda x: np.sum(x))(X), np.zeros((3, 3)))


def test_the_functions_name_and_docstring_are_kept():
    def loss(w):
        """A loss."""
        return w

    assert dk.grad(loss).__name__ == "loss"
    assert dk.grad(loss).__doc__ == "A loss."


def test_fan_out_and_a_value_used_twice_by_one_function():
    assert dk.grad(lambda x: x * x)(3.0) == 6.0
    assert dk.grad(lambda x: x + x)(3.0) == 2.0
    assert dk.grad(lambda x: (x + x) * (x + x))(1.0) == 8.0
    np.testing.assert_array_equal(dk.grad(lambda x: np.sum(np.stack([x, x])))(X), [2.0, 2.0, 2.0])


def test_a_fan_out_that_doubles_at_every_step_costs_no_more_than_the_steps():
    def f(x):
        for _ in range(200):
            x = x * 0.5 + x * 0.5
        return x

    assert dk.grad(f)(1.0) == 1.0


# -- nesting ----------------------------------------------------------------------------------------------

MODES = {"forward": dk.deriv, "reverse": dk.grad}


@pytest.mark.parametrize("inner", MODES)
@pytest.mark.parametrize("outer", MODES)
def test_perturbation_confusion(outer, inner):
    """d/dx [x d/dy (x + y)] is 1 (Siskind and Pearlmutter, 2005)."""
    outer, inner = MODES[outer], MODES[inner]
    assert outer(lambda x: x * inner(lambda y: x + y)(1.0))(1.0) == 1.0
    assert outer(lambda x: x * inner(lambda y: x * y)(2.0))(3.0) == 6.0
    assert outer(lambda x: x * inner(lambda y: x)(2.0))(3.0) == 0.0


@given(st.lists(st.sampled_from(sorted(MODES)), min_size=3, max_size=3))
def test_three_levels_deep(modes):
    """D_x [x D_y [x y D_z [x y z^2]]] at (2, 3, 5)."""
    dx, dy, dz = (MODES[m] for m in modes)

    def f(x):
        def g(y):
            return x * y * dz(lambda z: x * y * z**2)(5.0)  # x^2 y^2 * 10

        return x * dy(g)(3.0)  # x^3 * 20 y

    assert dx(f)(2.0) == pytest.approx(3 * 2.0**2 * 60.0, rel=1e-14)


@given(st.lists(st.sampled_from(sorted(MODES)), min_size=1, max_size=5))
def test_any_mixture_of_modes(modes):
    """The n-th derivative of exp(2x) is 2^n exp(2x)."""
    f = lambda x: np.exp(2.0 * x)  # noqa: E731
    for m in modes:
        f = MODES[m](f)
    assert f(0.3) == pytest.approx(2 ** len(modes) * math.exp(0.6), rel=1e-13)


def test_a_higher_order_function_in_an_inner_derivative():
    """A derivative taken of a function that closes over the outer variable, applied at it (curried)."""

    def f(x):
        return dk.grad(lambda y: dk.deriv(lambda z: z**2 * y * x)(x) * y)(x)

    # D_z z^2 y x at x is 2 x^2 y; times y: 2 x^2 y^2; D_y at x: 4 x^3; D_x: 12 x^2.
    assert dk.grad(f)(2.0) == pytest.approx(48.0)
    assert dk.deriv(f)(2.0) == pytest.approx(48.0)


def test_operators_within_operators():
    np.testing.assert_allclose(dk.jacobian(dk.grad(cubic))(X), cubic_hessian(X), rtol=1e-13)
    np.testing.assert_allclose(
        dk.jacobian(dk.jacobian(cubic, mode="forward"), mode="reverse")(X), cubic_hessian(X), rtol=1e-13
    )
    third = dk.jacobian(dk.hessian(cubic))(X)
    expected = np.zeros((3, 3, 3))
    for i in range(3):
        expected[i, i, i] = 6.0
        for j in range(3):
            for k in range(3):
                if len({i, j, k}) == 3:
                    expected[i, j, k] = 1.0
    np.testing.assert_allclose(third, expected, atol=1e-14)
    newton = dk.grad(lambda x: np.sum(dk.hessian_vector_product(cubic)(x, X)))(X)
    np.testing.assert_allclose(newton, np.einsum("ijk,j->k", expected, X), rtol=1e-12)
    assert dk.grad(lambda x: dk.value_and_grad(lambda y: y**3)(x)[1])(2.0) == 12.0


def test_a_solver_differentiated_through_its_steps():
    """Newton's method for sqrt(a), its own steps differentiated by an inner derivative."""

    def root(a):
        x = 1.0 + 0.0 * a
        for _ in range(6):
            x = x - (x * x - a) / dk.grad(lambda y: y * y - a)(x)
        return x

    assert dk.grad(root)(2.0) == pytest.approx(0.5 / math.sqrt(2.0), rel=1e-9)
    assert dk.deriv(dk.grad(root))(2.0) == pytest.approx(-0.25 * 2.0**-1.5, rel=1e-6)


def test_the_derivative_of_a_number_that_is_not_used_is_a_number():
    p = {"w": np.ones(2), "b": np.float64(2.0)}
    H = dk.hessian(lambda p: np.sum(p["w"] ** 2) * p["b"])(p)
    assert isinstance(H["b"]["b"], float)
    assert H["b"]["b"] == 0.0


# -- answers that are no floats ---------------------------------------------------------------------------

V = np.array([1.0, 3.0, 2.0])
DISCRETE = {
    "comparison": (lambda x: x > 0, 2.5),
    "equality": (lambda x: x == 0, 2.5),
    "argmax": (np.argmax, V),
    "any": (np.any, V),
    "count": (lambda v: np.sum(v > 1), V),
    "cast": (lambda v: v.astype(int)[0], V),
    "isnan": (np.isnan, 2.5),
}
AS_SCALAR = (dk.grad, dk.value_and_grad, dk.elementwise_grad, dk.jacobian, dk.hessian)


@pytest.mark.parametrize("operator", AS_SCALAR, ids=lambda operator: operator.__name__)
@pytest.mark.parametrize("name", DISCRETE)
def test_an_integer_or_bool_computed_from_the_argument_has_no_derivative(operator, name):
    f, x = DISCRETE[name]
    with pytest.raises(
        InputError, match=r"needs answers that are floats, but the answer of .* is the (bool|int)"
    ):
        operator(f)(x)


def test_the_refusal_names_the_answer_the_line_and_the_way_out():
    def accuracy(x):
        return {"loss": x * x, "right": x > 1}

    with pytest.raises(
        InputError, match=r"(?s)answer\['right'\] of accuracy.*\"right\": x > 1.*grad_and_aux"
    ):
        dk.jacobian(accuracy)(2.0)
    with pytest.raises(InputError, match="deriv needs"):
        dk.deriv(lambda x: x > 1)(2.0)


def test_the_refusal_of_grad_and_aux_names_the_users_function():
    def pair(x):
        return x > 1, x

    with pytest.raises(InputError, match="of pair is the bool"):
        dk.grad_and_aux(pair)(2.0)


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (np.floor, 2.5),
        (np.ceil, 2.5),
        (np.sign, 2.5),
        (np.round, 2.5),
        (np.trunc, 2.5),
        (lambda x: x // 1, 2.5),
        (lambda x: np.heaviside(x, 0.5), 2.5),
        (lambda v: np.mean(v > 1), V),
        (lambda v: 1.0, V),
        (lambda v: 0, V),
        (lambda v: v.size, V),
        (lambda x: 0 if x > 0 else x, 2.5),
    ],
)
def test_floats_that_move_in_jumps_and_constants_have_derivative_zero(f, x):
    value, gradient = dk.value_and_grad(f)(x)
    assert value == f(x)
    np.testing.assert_array_equal(gradient, np.zeros(np.shape(x)))
    np.testing.assert_array_equal(dk.jacobian(f)(x), np.zeros(np.shape(x)))
    assert np.asarray(dk.jacobian(f)(x)).dtype == float


def test_products_take_a_discrete_answer_for_a_constant():
    vjp, (_, place) = dk.make_vjp(lambda v: (v * v, np.argmax(v)))(V)
    assert place == 1
    np.testing.assert_array_equal(vjp((np.ones(3), 1.0)), 2 * V)
    value, tangent = dk.make_jvp(lambda v: v > 1)(V)(np.ones(3))
    np.testing.assert_array_equal(value, V > 1)
    assert tangent.dtype == float
    np.testing.assert_array_equal(tangent, np.zeros(3))


@pytest.mark.parametrize("x", [2.5, -0.5, -0.0, 1e300, -np.inf])
@pytest.mark.parametrize("f", [np.floor, np.ceil], ids=["floor", "ceil"])
def test_rounding_a_float_keeps_its_type_and_the_sign_of_zero(f, x):
    value = dk.trace(f)(x).value
    assert type(value) is float
    assert np.array_equal(value, f(x))
    assert np.signbit(value) == np.signbit(f(x))


# -- programs that ask what they were given ---------------------------------------------------------------


@functools.singledispatch
def _dispatched(x):
    return 0.0 * x


@_dispatched.register
def _(x: float):
    return x**3


def _matched(x):
    match x:
        case float():
            return x**3
        case _:
            return 0.0 * x


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x**3 if isinstance(x, float) else 0.0 * x,
        lambda x: x**3 if isinstance(x, int | float) else 0.0 * x,
        lambda x: x**3 if isinstance(x, numbers.Real) else 0.0 * x,
        lambda x: 0.0 * x if isinstance(x, np.ndarray) else x**3,
        _dispatched,
        _matched,
    ],
)
def test_isinstance_goes_the_way_that_it_goes_without_a_trace(f):
    assert f(2.0) == 8.0
    assert dk.grad(f)(2.0) == 12.0
    assert dk.deriv(f)(2.0) == 12.0
    assert dk.hessian(f)(2.0) == 12.0
    assert dk.compile(dk.grad(f))(2.0) == 12.0


def test_isinstance_sees_an_array_in_a_traced_array():
    def f(x):
        return np.sum(x**2) if isinstance(x, np.ndarray) and not isinstance(x, float) else 0.0

    np.testing.assert_array_equal(dk.grad(f)(np.array([1.0, 2.0])), [2.0, 4.0])
    np.testing.assert_array_equal(dk.hessian(f)(np.array([1.0, 2.0])), 2.0 * np.eye(2))


def test_answers_that_hold_more_than_numbers():
    for rest in (None, "seen", 3):
        assert dk.elementwise_grad(lambda x, rest=rest: [x * x, rest])(2.0) == 4.0


def test_a_dataclass_is_told_how_to_be_passed():
    @dataclasses.dataclass
    class Line:
        slope: float

    with pytest.raises(InputError, match=r"named tuples of them: pass dataclasses\.asdict of it"):
        dk.grad(lambda line: line.slope)(Line(2.0))
    assert dk.grad(lambda line: line["slope"] ** 2)(dataclasses.asdict(Line(2.0))) == {"slope": 4.0}


def test_what_comes_beside_the_value_is_plain():
    def f(x):
        y = x * x
        return np.sum(y), {"squares": y, "first": y[0], "name": "f"}

    gradient, aux = dk.grad_and_aux(f)(np.array([1.0, 3.0]))
    np.testing.assert_array_equal(gradient, [2.0, 6.0])
    assert type(aux["squares"]) is np.ndarray
    np.testing.assert_array_equal(np.sin(aux["squares"]), np.sin([1.0, 9.0]))
    assert type(aux["first"]) is np.float64
    assert aux["name"] == "f"


@pytest.mark.parametrize("answer", [lambda x: x, lambda x: (x, x, x), lambda x: {"value": x}])
def test_grad_and_aux_says_what_it_needs(answer):
    with pytest.raises(InputError, match="needs a function that returns a number and something else"):
        dk.grad_and_aux(answer)(1.0)
