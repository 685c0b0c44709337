"""The error taken apart: the lecture's known answers, and the parts that add up."""

import math
from fractions import Fraction

import numpy as np
import pytest
import scipy.special

from diffkit import programs
from diffkit.errors import DomainError, InputError
from diffkit.finite import PARTS, NoiseWarning, error_sweep
from diffkit.finite.error.regimes import fit_line, running_median, steady_run
from diffkit.precise import evaluate
from diffkit.programs import logistic_map


def factored(x):
    return logistic_map(x, form="closed")


def expanded():
    """The coefficients of the fourth iterate, highest power first."""
    p = np.polynomial.Polynomial([0, 1])
    for _ in range(3):
        p = 4 * p * (1 - p)
    return [float(c) for c in p.coef[::-1]]


def horner(x):
    value = 0.0
    for c in expanded():
        value = value * x + c
    return value


FORMS = {"forward": None, "backward": None, "central": None}


@pytest.fixture(scope="module")
def sweeps():
    return {form: error_sweep(factored, 0.2, form) for form in FORMS}


# -- the lecture's known answers ----------------------------------------------------------------------


def test_the_exact_derivative(sweeps):
    assert evaluate(factored, Fraction(1, 5)).value == evaluate(logistic_map, Fraction(1, 5)).value
    at_a_fifth = error_sweep(factored, 0.2, exact=Fraction(708288, 78125), hs=[1e-3])
    assert at_a_fifth.exact.value == Fraction(708288, 78125)
    # 0.2 is not 1/5 in binary, and the derivative there differs by as much as f'' times that.
    assert float(sweeps["central"].exact) == pytest.approx(708288 / 78125, abs=2e-15)


@pytest.mark.parametrize(
    ("form", "order", "slope"),
    [("forward", 1, 1), ("backward", 1, 1), ("central", 2, 2), ("forward", 2, 2), ("central", 4, 4),
     ("central", 6, 6)],
)  # fmt: skip
def test_observed_orders(form, order, slope):
    sweep = error_sweep(factored, 0.2, form, order=order)
    assert sweep.observed_order == pytest.approx(slope, abs=0.01)
    assert sweep.roundoff_slope == pytest.approx(-1, abs=0.07)
    assert sweep.order_fit.residual < 0.02
    assert sweep.order_fit.high / sweep.order_fit.low > 50  # found over a decade and a half at least


@pytest.mark.parametrize(("form", "h"), [("forward", 2.0e-9), ("backward", 2.0e-9), ("central", 3.7e-7)])
def test_predicted_steps(sweeps, form, h):
    assert sweeps[form].predicted_h == pytest.approx(h, rel=0.03)


@pytest.mark.parametrize(
    ("form", "h", "error"),
    [("forward", 1.3e-9, 3.3e-8), ("backward", 1.6e-9, 7.7e-8), ("central", 3.6e-7, 2.0e-10)],
)
def test_best_steps_by_running_median(sweeps, form, h, error):
    sweep = sweeps[form]
    assert sweep.best_h == pytest.approx(h, rel=0.04)
    assert sweep.best_error == pytest.approx(error, rel=0.03)
    assert 1 / 3 < sweep.best_h / sweep.predicted_h < 3


def test_the_least_error_of_all_is_luck(sweeps):
    h, error = sweeps["central"].luckiest
    assert h == pytest.approx(sweeps["central"].best_h / 10, rel=0.01)
    assert error < sweeps["central"].best_error / 4


def test_parts_at_given_steps(sweeps):
    coarse = sweeps["forward"].at(1e-4)
    assert float(coarse.truncation) == pytest.approx(3.363e-3, rel=2e-4)
    assert float(sweeps["central"].at(1e-4).truncation) == pytest.approx(-6.581e-6, rel=2e-4)
    fine = sweeps["forward"].at(1e-10)
    assert float(fine.step) == pytest.approx(7.5e-7, rel=0.01)
    assert float(fine.rounding) == pytest.approx(-3.8e-7, rel=0.02)
    sizes = {part: abs(float(getattr(fine, part))) for part in PARTS}
    assert max(sizes, key=sizes.get) == "step"
    assert sizes["arithmetic"] < 1e-15
    least = error_sweep(factored, 0.2, "forward", hs=[1e-17]).parts[0]
    assert float(least.step) == pytest.approx(-9.066, rel=1e-3)  # x + h == x: the whole derivative is lost
    assert least.rounding.value == least.arithmetic.value == 0


def test_powers_of_two_make_no_step_error():
    sweep = error_sweep(factored, 0.2, "forward", hs=2.0 ** -np.arange(4, 54))
    assert all(p.step.value == 0 for p in sweep.parts)
    assert any(p.step.value != 0 for p in error_sweep(factored, 0.2, "forward", hs=[1e-4, 1e-5]).parts)


def test_subtraction_and_division_contribute_almost_nothing(sweeps):
    for sweep in sweeps.values():
        assert np.abs(sweep.arithmetic).max() < 2e-15
        assert np.median(np.abs(sweep.arithmetic)) < 1e-4 * np.median(np.abs(sweep.rounding))


def test_the_order_of_evaluation_matters():
    hs = np.logspace(-13, -10, 61)
    sizes = [
        np.median(np.abs(error_sweep(f, 0.2, "forward", hs=hs).error))
        for f in (factored, logistic_map, horner)
    ]
    assert sizes == pytest.approx([1.4e-5, 9.6e-5, 1.3e-3], rel=0.05)
    assert sizes[2] > 90 * sizes[0]


def test_the_bound(sweeps):
    for sweep in sweeps.values():
        ratio = sweep.bound_ratio
        assert np.all(ratio <= 1 + 1e-9)
        assert ratio[np.argmin(np.abs(sweep.h - 1e-5))] == pytest.approx(1, abs=1e-3)
    near = [
        sweeps["forward"].bound_ratio[np.argmin(np.abs(sweeps["forward"].h - h))] for h in (0.1, 0.01, 1e-4)
    ]
    assert near == pytest.approx([0.27, 0.81, 0.998], abs=0.01)
    wide = error_sweep(factored, 0.2, "central", order=4)
    made = wide.stencil
    expected = abs(float(made.leading / made.remainder))
    assert wide.bound_ratio[np.argmin(np.abs(wide.h - 1e-5))] == pytest.approx(expected, rel=1e-3)


# -- the parts add up -------------------------------------------------------------------------------

TWENTY = {
    "sin": (np.sin, 1.0, math.cos(1.0)),
    "exp": (np.exp, 0.3, math.exp(0.3)),
    "log": (np.log, 0.7, 1 / 0.7),
    "sqrt": (np.sqrt, 2.0, 0.5 / math.sqrt(2)),
    "tanh": (np.tanh, 0.5, 1 / math.cosh(0.5) ** 2),
    "reciprocal": (lambda x: 1 / x, 0.3, -1 / 0.09),
    "cube": (lambda x: x**3, 1.1, 3.63),
    "rational": (lambda x: (x * x - 1) / (x * x + 2), 0.9, 6 * 0.9 / (0.81 + 2) ** 2),
    "logistic": (logistic_map, 0.2, 708288 / 78125),
    "logistic, factored": (factored, 0.2, 708288 / 78125),
    "logistic, Horner": (horner, 0.2, 708288 / 78125),
    "soft ReLU": (lambda x: np.log1p(np.exp(2 * x + 1)), 0.4, 2 / (1 + math.exp(-1.8))),
    "logaddexp": (lambda x: np.logaddexp(x, 0.5), 0.4, 1 / (1 + math.exp(0.1))),
    "erf": (scipy.special.erf, 0.4, 2 / math.sqrt(math.pi) * math.exp(-0.16)),
    "gamma": (scipy.special.gamma, 2.5, scipy.special.gamma(2.5) * scipy.special.digamma(2.5)),
    "power": (lambda x: x**1.7, 1.3, 1.7 * 1.3**0.7),
    "arctan": (np.arctan, 3.0, 0.1),
    "branch": (lambda x: x * x if x > 1 else np.sin(x), 0.5, math.cos(0.5)),
    "loop": (lambda x: sum(x**k / math.factorial(k) for k in range(9)), 0.5, math.exp(0.5)),
    "array inside": (lambda x: np.sum(np.stack([x, x * x, np.cos(x)]) ** 2), 0.6,
                     1.2 + 4 * 0.6**3 - 2 * math.cos(0.6) * math.sin(0.6)),
    "large x": (np.sin, 1000.5, math.cos(1000.5)),
}  # fmt: skip


@pytest.mark.parametrize("name", TWENTY)
@pytest.mark.parametrize("form", ["forward", "central"])
def test_the_four_parts_sum_to_the_total(name, form):
    f, x, slope = TWENTY[name]
    sweep = error_sweep(f, x, form, hs=np.logspace(-14, -2, 13))
    for p in sweep.parts:
        rest = p.error - (p.truncation + p.step + p.rounding + p.arithmetic)
        assert abs(float(rest)) <= 1e-28 * max(1e-10, abs(float(p.error)))
    np.testing.assert_allclose(sweep.truncation + sweep.roundoff, sweep.error, rtol=1e-12, atol=1e-18)
    np.testing.assert_array_equal(
        sweep.value.astype(float), [_by_hand(f, x, h, form) for h in sweep.h.tolist()]
    )
    np.testing.assert_allclose(sweep.value - sweep.error, slope, rtol=1e-7)
    # Truncation, an independent way: the leading term of the Taylor series.
    leading = float(sweep.stencil.leading) * sweep.leading * sweep.h**sweep.stencil.order
    np.testing.assert_allclose(sweep.truncation[:8], leading[:8], rtol=1e-4)


def _by_hand(f, x, h, form):
    if form == "forward":
        return (f(x + h) - f(x)) / h
    return (f(x + h) - f(x - h)) / (2 * h)


def test_rational_functions_are_exact_fractions():
    sweep = error_sweep(lambda x: (x - 1) / (x + 2), 0.25, "central", exact=lambda x: 3 / (x + 2) ** 2)
    for p in sweep.parts:
        assert all(getattr(p, name).exact for name in ("error", *PARTS))
        assert p.error.value == p.truncation.value + p.step.value + p.rounding.value + p.arithmetic.value


def test_the_derivative_may_be_given_or_found():
    for exact in (None, np.cos, math.cos(1.0)):
        sweep = error_sweep(np.sin, 1.0, "central", exact=exact, hs=[1e-2, 1e-3, 1e-4])
        assert float(sweep.exact) == pytest.approx(math.cos(1.0), rel=1e-16)
        assert sweep.truncation == pytest.approx(-math.cos(1.0) / 6 * sweep.h**2, rel=1e-4)
    wrong = error_sweep(np.sin, 1.0, "central", exact=lambda x: 1.001 * np.cos(x), hs=[1e-2, 1e-3, 1e-4])
    assert abs(wrong.truncation[0]) > 5e-4


# -- other derivatives, dtypes, shapes of curve -----------------------------------------------------------


@pytest.mark.parametrize("n", [2, 3])
def test_higher_derivatives(n):
    sweep = error_sweep(np.exp, 0.5, "central", n=n)
    assert sweep.observed_order == pytest.approx(2, abs=0.03)
    assert sweep.roundoff_slope == pytest.approx(-n, abs=0.15)
    assert 1 / 8 < sweep.best_h / sweep.predicted_h < 8


def test_float32_in_its_own_arithmetic():
    sweep = error_sweep(np.sin, np.float32(1.0))
    assert sweep.value.dtype == np.float32
    assert sweep.h[0] == pytest.approx(1e-8)
    assert sweep.observed_order == pytest.approx(2, abs=0.05)
    assert 1 / 5 < sweep.best_h / sweep.predicted_h < 5
    assert sweep.best_h > 1e-3


def test_offsets_of_ones_own():
    sweep = error_sweep(np.exp, 0.0, [-1, 0, 2])
    assert sweep.form == "custom"
    assert sweep.observed_order == pytest.approx(2, abs=0.02)


def test_a_formula_without_truncation_error():
    sweep = error_sweep(lambda x: x * x, 0.3, "central")
    assert all(p.truncation.value == 0 for p in sweep.parts)
    assert sweep.order_fit is None
    assert math.isnan(sweep.observed_order)
    assert sweep.predicted_h == math.inf
    assert "no such regime" in str(sweep)


def test_the_default_steps_end_where_f_ends():
    sweep = error_sweep(np.log, 0.01)
    assert 5e-3 < sweep.h[-1] < 0.01
    with pytest.raises(DomainError, match=r"f is nan at x = -0.0[0-9]*, a point of the stencil for h = 0.02"):
        error_sweep(np.log, 0.01, hs=[1e-3, 0.02])


def test_tables():
    sweep = error_sweep(np.sin, 1.0, "forward", hs=[1e-10, 1e-2])
    table = sweep.table
    assert table.columns == ["h", "error", *PARTS, "bound", "largest"]
    assert all(abs(t) <= b * (1 + 1e-12) for t, b in zip(table["truncation"], table["bound"], strict=True))
    assert table["largest"][1] == "truncation"
    assert "observed order" in sweep.summary.text()
    assert "<table" in sweep._repr_html_()
    assert sweep.evaluations == 2 * 2 + sweep.noise_estimate.evaluations + 1


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: error_sweep(math.sin, 1.0), InputError, "Use NumPy's functions instead of math's"),
        (lambda: error_sweep(np.sin, np.ones(2)), InputError, "x must be one finite float"),
        (lambda: error_sweep(np.sin, math.inf), InputError, "x must be one finite float"),
        (lambda: error_sweep(np.sin, 1.0, hs=[0.0, 1.0]), InputError, "hs must be positive"),
        (lambda: error_sweep(np.sin, 1.0, hs=[]), InputError, "hs must be positive steps, got none"),
        (lambda: error_sweep(lambda x: np.stack([x, x]), 1.0), InputError, "one real number as result"),
        (lambda: error_sweep(lambda x: np.exp(1j * x), 1.0), InputError, "one real number as result"),
        (lambda: error_sweep(np.sin, 1.0, "sideways"), InputError, "unknown form"),
        (lambda: error_sweep(lambda x: math.nan, 1.0), DomainError, "no values beside x"),
    ],
)
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_noise_is_warned_of():
    rng = np.random.default_rng(0)

    def f(x):
        return x * x + 1e-6 * rng.random()

    with pytest.warns(NoiseWarning, match="f is not deterministic"):
        error_sweep(f, 1.0, hs=[1e-3, 1e-2, 1e-1])


# -- finding the regimes ----------------------------------------------------------------------------


def test_regimes_of_a_made_up_curve():
    h = np.logspace(-12, 0, 241)
    jitter = 10 ** (0.5 * np.random.default_rng(3).standard_normal(h.size))
    error = 2 * h**3 + 1e-18 / h * jitter
    fit = steady_run(h[h > 1e-4], error[h > 1e-4])
    assert fit.slope == pytest.approx(3, abs=0.02)
    left = fit_line(h[h < 1e-6], error[h < 1e-6])
    assert left.slope == pytest.approx(-1, abs=0.05)
    assert 0.3 < left.residual < 0.7


def test_a_running_median_is_not_taken_in_by_luck():
    h = np.logspace(-3, 0, 61)
    error = np.where(np.arange(61) == 30, 1e-20, 1e-3 + h)
    assert running_median(h, error)[30] > 1e-3


def test_too_few_points_make_no_line():
    assert fit_line(np.array([1.0, 2.0]), np.array([1.0, 2.0])) is None
    assert fit_line(np.array([1.0, 2.0, 3.0]), np.array([1.0, 0.0, 2.0])) is None
    assert steady_run(np.array([]), np.array([])) is None


def test_the_sweep_of_a_program_with_parameters():
    f = lambda x: programs.soft_relu(x, 0.5, 0.2, depth=3)  # noqa: E731
    sweep = error_sweep(f, 1.0, "forward")
    assert sweep.observed_order == pytest.approx(1, abs=0.02)


def test_the_result_keeps_the_order_of_the_steps():
    hs = [1e-4, 1e-10, 2.0**-33, 1e-2]
    for form in ("forward", "complex"):
        given, back = error_sweep(np.sin, 0.7, form, hs=hs), error_sweep(np.sin, 0.7, form, hs=hs[::-1])
        assert given.h.tolist() == hs
        assert given.error.tolist() == back.error[::-1].tolist()
        assert given.bound.tolist() == back.bound[::-1].tolist()
        assert given.best_h == back.best_h
        assert [given.largest_part(i) for i in range(4)] == [back.largest_part(3 - i) for i in range(4)]
    shuffled = np.random.default_rng(0).permutation(np.logspace(-15, -1, 85))
    one, other = error_sweep(np.exp, 1.0, hs=shuffled), error_sweep(np.exp, 1.0, hs=np.sort(shuffled))
    assert one.observed_order == other.observed_order
    assert one.roundoff_slope == pytest.approx(other.roundoff_slope)
    assert one.predicted_h == other.predicted_h
