"""What can go wrong with f is refused or warned of, each with its own words."""

import math

import numpy as np
import pytest

from diffkit.errors import DomainError, InputError
from diffkit.finite import (
    DifferenceWarning,
    NoiseWarning,
    derivative,
    directional,
    estimate_noise,
    gradient,
    hessian,
    jacobian,
)


@pytest.mark.parametrize("h", [0.0, -1e-3, math.nan, math.inf])
def test_steps_must_be_positive(h):
    with pytest.raises(InputError, match="the step h must be positive and finite"):
        derivative(np.sin, 1.0, h=h)


def test_steps_below_the_spacing_of_x():
    with pytest.raises(InputError, match=r"h = 1e-17 is below the spacing of floats at x = 1.*2.22e-16"):
        derivative(np.sin, 1.0, h=1e-17)
    with pytest.raises(InputError, match=r"at x\[1\] = 1e\+08"):
        gradient(np.sum, np.array([1.0, 1e8]), h=1e-9)
    with pytest.raises(InputError, match="below the spacing"):
        derivative(np.sin, np.float32(1), h=1e-9)


def test_steps_of_another_shape():
    with pytest.raises(
        InputError, match="h must be one number, or numbers nested and shaped like x, which is"
    ):
        gradient(np.sum, np.ones(3), h=np.ones(2))


def test_another_shape_beside_x():
    with pytest.raises(InputError, match=r"array \(2,\) at x = 1.5, but array \(1,\) at another point"):
        derivative(lambda x: np.ones(2 if x > 1 else 1), 1.0, h=0.5)
    with pytest.raises(InputError, match="but"):
        jacobian(lambda x: [1.0, 2.0] if x[0] > 1 else (1.0, 2.0), np.ones(2), h=0.5)


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (lambda x: np.add(x, 1, out=x).sum(), np.ones(3)),
        (lambda x: x.pop(), [1.0, 2.0]),
        (lambda x: x["w"].sort(), {"w": np.array([2.0, 1.0])}),
    ],
)
def test_f_that_changes_its_argument(f, x):
    with pytest.raises(InputError, match="f changes its argument"):
        jacobian(f, x, h=1e-3)


def test_the_callers_array_is_never_changed():
    x = np.ones(3)
    with pytest.raises(InputError):
        gradient(lambda v: np.add(v, 1, out=v).sum(), x)
    assert x.tolist() == [1, 1, 1]


def test_f_that_hands_out_the_same_buffer_each_time():
    buffer = np.zeros(2)

    def f(x):
        buffer[:] = x**2
        return buffer

    np.testing.assert_allclose(jacobian(f, np.array([1.0, 2.0]), h=2.0**-10), [[2, 0], [0, 4]])
    np.testing.assert_allclose(jacobian(lambda x: x, np.array([1.0, 2.0]), h=2.0**-10), np.eye(2))


def test_f_that_is_not_deterministic():
    rng = np.random.default_rng(0)

    def f(x):
        return x * x + 1e-6 * rng.standard_normal()

    with pytest.warns(NoiseWarning, match="f is not deterministic: two runs at the same point differ"):
        estimate = derivative(f, 1.0, full=True)
    assert estimate.h > 1e-3  # wide enough for the noise
    assert abs(estimate.value - 2) < 10 * estimate.error < 0.1


@pytest.mark.parametrize(
    "call",
    [
        lambda f: derivative(f, 1.0),
        lambda f: derivative(f, 1.0, "richardson"),
        lambda f: gradient(lambda v: f(v[0]) + v[1], np.array([1.0, 2.0])),
        lambda f: jacobian(lambda v: f(v), np.array([1.0, 2.0])),
        lambda f: hessian(lambda v: f(v[0]), np.array([1.0])),
        lambda f: directional(lambda v: f(v[0]), np.array([1.0]), np.array([1.0])),
        lambda f: derivative(f, 1.0, h=1e-2, full=True),
    ],
)
def test_noise_is_seen_wherever_f_is_measured(call):
    rng = np.random.default_rng(0)
    with pytest.warns(NoiseWarning, match=r"differ by .*e-0[67], and its noise is about") as caught:
        call(lambda x: x * x + 1e-6 * rng.random())
    assert {each.filename for each in caught} == {__file__}


@pytest.mark.parametrize(
    "call",
    [
        lambda f: derivative(f, np.array([1.0, 2.0])),
        lambda f: derivative(f, np.array([1.0, 2.0]), h=1e-2),
        lambda f: derivative(f, 1.0, "complex"),
    ],
)
@pytest.mark.filterwarnings("ignore::diffkit.finite.NoiseWarning")
def test_noise_is_the_reason_given_where_a_check_fails_for_it(call):
    rng = np.random.default_rng(0)
    with pytest.raises(InputError, match="f is not deterministic"):
        call(lambda x: x * x + 1e-3 * rng.random(np.shape(x)))


@pytest.mark.parametrize("x", [1.0, 1.5, 0.3])
@pytest.mark.parametrize("form", ["forward", "central", "richardson"])
def test_a_function_that_is_computed_in_single_precision(x, form):
    # Float64 in and out, but its values move in jumps of 6e-8, and stand still between.
    for f in (lambda t: float(np.float32(np.sin(t))), lambda t: round(math.sin(t), 6)):
        estimate = derivative(f, x, form, full=True)
        assert abs(estimate.value - math.cos(x)) <= 3 * estimate.error < 5e-3
        assert estimate.h > 1e-4


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (lambda v: ((v - 1) ** 2).sum(), np.ones(3)),
        (lambda v: v @ v, np.zeros(4)),
        (lambda v: 3.0, np.ones(2)),
    ],
)
def test_minima_where_f_is_zero_cost_little_and_raise_no_alarm(f, x):
    for form in ("forward", "central"):
        estimate = gradient(f, x, form, full=True)
        assert np.all(np.abs(estimate.value) <= 3 * estimate.error + 1e-30)
        assert np.all(estimate.error < 1e-7)
        assert estimate.evaluations <= 80


@pytest.mark.parametrize(
    ("f", "x", "h", "point"),
    [
        (np.log, 0.5, 1.0, r"f is (-inf|nan) at x = -0.5"),
        (math.log, 0.5, 1.0, r"f fails at x = -0.5: ValueError"),
        (lambda x: 1 / x, 1.0, 1.0, r"f fails at x = 0.0: ZeroDivisionError"),
    ],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_leaving_the_domain(f, x, h, point):
    with pytest.raises(DomainError, match=point):
        derivative(f, x, h=h)


def test_leaving_the_domain_in_a_worker():
    with pytest.raises(DomainError, match=r"f fails at x\[1\] = -0.5: ValueError"):
        gradient(lambda v: math.log(v[1]) + v[0], np.array([1.0, 0.5]), h=1.0, workers=map)
    # While f is measured, points outside its domain are only left out.
    got = gradient(lambda v: math.log(v[0]) + v[1], np.array([1e-6, 2.0]), workers=map)
    np.testing.assert_allclose(got, [1e6, 1.0], rtol=1e-6)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_the_point_is_named():
    with pytest.raises(DomainError, match=r"f is nan at x\['w'\]\[1\] = -0.5"):
        gradient(lambda p: np.sum(np.sqrt(p["w"])), {"w": np.array([2.0, 0.5])}, h=1.0)
    with pytest.raises(DomainError, match=r"at x\[0\] = 1.5, x\[1\] = -0.5"):
        hessian(lambda v: math.log(v[1]) if v[0] > 1 and v[1] < 0 else v[0], np.array([0.5, 0.5]), h=1.0)


def test_errors_of_f_itself_go_through():
    def f(x):
        raise KeyError("oops")

    with pytest.raises(KeyError, match="oops"):
        derivative(f, 1.0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: derivative(3.0, 1.0), "f must be a function, got float"),
        (lambda: derivative(np.sin, "1"), "x is str: expected a float"),
        (lambda: derivative(np.sin, True), "x is bool"),
        (lambda: gradient(np.sum, {"w": None}), r"x\['w'\] is None: expected a float"),
        (lambda: gradient(np.sum, []), "x has no numbers"),
        (lambda: gradient(np.sin, np.ones(2)), r"gradient needs .* one number .*f returns array \(2,\)"),
        (lambda: hessian(lambda v: v, np.ones(2)), "hessian needs a function with one number"),
        (lambda: derivative(sum, [1.0, 2.0]), "one variable; x is .*: use gradient"),
        (lambda: derivative(lambda x: None, 1.0), "None, where a number .* does it lack a return"),
        (lambda: derivative(lambda x: {}, 1.0), "f returns {}"),
        (lambda: derivative(np.sin, math.nan), "x is nan: there is no derivative"),
        (lambda: derivative(np.sin, 1.0, vectorized=True, workers=2), "give one of them"),
        (lambda: derivative(np.sin, 1.0, workers=0), "workers must be a number of processes"),
        (lambda: derivative(lambda x: x, 1.0, workers=2), "can't be sent to worker processes"),
        (
            lambda: gradient(np.sum, np.ones(3), vectorized=True),
            "as many results on its first axis",
        ),
        (lambda: derivative(np.exp, 1j, bounds=(0, 1)), "complex numbers have no order"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(InputError, match=message):
        call()


# -- where there is no derivative, and where it hides ----------------------------------------------


@pytest.mark.parametrize(
    ("f", "x", "form", "n", "what"),
    [
        (np.floor, 1.0, "central", 1, r"jumps at x = 1\.0.*like 1 / h\."),
        (np.floor, 1.0, "backward", 1, "jumps"),
        (np.floor, 1.0, "central", 3, r"jumps.*like 1 / h\*\*3\."),
        (lambda x: float(x != 0), 0.0, "central", 1, "jumps"),  # its central differences are all zero
        (lambda v: np.array([v * v, np.floor(v)]), 2.0, "central", 1, "jumps"),
        (np.sqrt, 0.0, "forward", 1, r"infinite slope at x = 0\.0.*like 1 / h\*\*0\.5\."),
        (np.arccos, 1.0, "backward", 1, "infinite slope"),
        (np.cbrt, 0.0, "central", 1, r"infinite slope.*like 1 / h\*\*0\.67"),
        (np.abs, 0.0, "central", 2, r"kink.*no derivative of order 2.*like 1 / h\."),
    ],
)
def test_where_f_jumps_or_is_infinitely_steep(f, x, form, n, what):
    with pytest.raises(DomainError, match=what):
        derivative(f, x, form, n=n)


def test_where_an_element_or_one_variable_jumps():
    with pytest.raises(DomainError, match=r"f jumps at x\[1\] = 1,"):
        derivative(np.floor, np.array([0.5, 1.0]))
    with pytest.raises(DomainError, match="f jumps at x,"):
        gradient(lambda v: v[0] + np.floor(v[1]), np.array([0.5, 2.0]))


def test_the_smooth_side_of_a_jump_and_what_is_only_steep():
    assert derivative(np.floor, 1.0, "forward") == 0
    assert derivative(np.abs, 0.0, "forward") == 1
    assert derivative(lambda x: np.tanh(1e6 * x), 0.0) == pytest.approx(1e6, rel=1e-12)
    assert derivative(np.sqrt, 1e-10) == pytest.approx(5e4, rel=1e-6)


def test_a_kink_promises_no_error():
    with pytest.warns(DifferenceWarning, match="no error can be promised .* f has a kink"):
        estimate = derivative(np.abs, 0.0, full=True)
    assert (estimate.value, estimate.error) == (0.0, math.inf)


@pytest.mark.parametrize("x", [1e6, 1e8, 1e10, 1e12])
@pytest.mark.parametrize("form", ["forward", "backward", "central"])
def test_the_scale_of_f_is_found_where_it_is_not_that_of_x(x, form):
    estimate = derivative(np.sin, x, form, full=True)
    assert estimate.h < 0.1
    assert abs(estimate.value - math.cos(x)) < 4 * estimate.error < 0.1


def test_an_oscillation_that_the_coarse_grid_meets_at_its_zeros():
    k = 2 * np.pi * 2**20
    assert derivative(lambda x: np.sin(k * x), 0.0) == pytest.approx(k, rel=1e-9)


# -- noise ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", [1e-3, 1e-8, 1e-12])
def test_noise_is_found_to_a_factor_of_a_few(level):
    rng = np.random.default_rng(7)
    noise = estimate_noise(lambda x: np.exp(x) + level * rng.standard_normal(), 0.5)
    assert noise.status == "found"
    assert level / 4 < noise.level < 4 * level
    assert noise.relative == pytest.approx(noise.level / math.exp(0.5), rel=1e-2)


def test_noise_in_many_variables_and_in_float32():
    noise = estimate_noise(lambda x: np.sum(np.sin(x)), np.linspace(0, 1, 50))
    assert 1e-16 < noise.level < 1e-13
    low = estimate_noise(lambda x: float(np.sin(np.float32(x)).astype(np.float32)) + 0.0, np.float32(1))
    assert 1e-9 < low.level < 1e-6


def test_the_order_of_evaluation_shows_in_the_noise():
    coefficients = np.polynomial.Polynomial([0, 1])
    for _ in range(3):
        coefficients = 4 * coefficients * (1 - coefficients)

    def horner(x):
        value = 0.0
        for c in coefficients.coef[::-1]:
            value = value * x + float(c)
        return value

    def factored(x):
        return 64 * x * (1 - x) * (1 - 2 * x) ** 2 * (1 - 8 * x + 8 * x**2) ** 2

    assert estimate_noise(horner, 0.2).level > 30 * estimate_noise(factored, 0.2).level


def test_a_constant_has_no_noise():
    noise = estimate_noise(lambda x: 3.0, 1.0)
    assert (noise.level, noise.status) == (0.0, "none")


def test_a_grid_too_wide_to_tell():
    assert estimate_noise(np.exp, 0.0, h=0.5).status == "h too large"
    with pytest.raises(InputError, match="4 points or more"):
        estimate_noise(np.exp, 0.0, points=3)
    with pytest.raises(InputError, match="h must be a positive number"):
        estimate_noise(np.exp, 0.0, h=-1.0)
    with pytest.raises(InputError, match="one number as result"):
        estimate_noise(np.exp, np.ones(2))
