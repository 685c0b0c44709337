"""The error of the complex step, taken apart: no subtraction, no V."""

import math
from fractions import Fraction

import numpy as np
import pytest

from diffkit.errors import DomainError, InputError
from diffkit.finite import PARTS, ErrorSweep, error_sweep
from diffkit.programs import logistic_map


def factored(x):
    return logistic_map(x, form="closed")


FUNCTIONS = {
    "sin": (np.sin, 1.0, math.cos(1.0)),
    "exp": (np.exp, 0.3, math.exp(0.3)),
    "log": (np.log, 0.7, 1 / 0.7),
    "sqrt": (np.sqrt, 2.0, 0.5 / math.sqrt(2)),
    "reciprocal": (lambda x: 1 / x, 0.3, -1 / 0.09),
    "cube": (lambda x: x**3, 1.1, 3.63),
    "logistic": (factored, 0.2, 708288 / 78125),
    "tanh": (np.tanh, 0.5, 1 / math.cosh(0.5) ** 2),
    "Squire and Trapp": (
        lambda x: np.exp(x) / np.sqrt(np.sin(x) ** 3 + np.cos(x) ** 3), 1.5, 4.05342789389862),
    "large x": (np.sin, 1000.5, math.cos(1000.5)),
}  # fmt: skip


@pytest.fixture(scope="module")
def sweep():
    return error_sweep(factored, 0.2, "complex")


def test_the_known_function(sweep):
    assert isinstance(sweep, ErrorSweep)
    assert sweep.form == "complex"
    assert sweep.observed_order == pytest.approx(2, abs=0.01)
    assert sweep.roundoff_slope == pytest.approx(0, abs=0.05)  # level, where a difference has -1
    assert np.all(np.abs(sweep.error[sweep.h < sweep.predicted_h]) < 2e-14)
    assert sweep.best_error < 2e-15
    assert 1 / 4 < sweep.best_h / sweep.predicted_h < 4
    assert sweep.predicted_h == pytest.approx(math.sqrt(6 * 2.22e-16 * 9.0660864 / 3948.87), rel=1e-3)
    # f(x + i h) turns the sign of h**2: the truncation is a central difference's with the other sign.
    assert float(sweep.at(1e-4).truncation) == pytest.approx(6.581e-6, rel=2e-4)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_parts_sum_to_the_total(name):
    f, x, slope = FUNCTIONS[name]
    hs = [1e-200, 1e-100, 1e-30, 1e-14, 1e-8, 1e-4, 1e-2]
    sweep = error_sweep(f, x, "complex", hs=hs)
    for p in sweep.parts:
        rest = p.error - (p.truncation + p.step + p.rounding + p.arithmetic)
        assert abs(float(rest)) <= 1e-28 * max(1e-10, abs(float(p.error)))
        assert p.step.value == 0
    expected = [f(complex(x, h)).imag / h for h in hs]
    np.testing.assert_array_equal(sweep.value, expected)
    np.testing.assert_allclose(sweep.value[:5], slope, rtol=1e-12)
    # The leading term of the Taylor series, an independent way, down to 1e-400.
    for h, p in zip(hs[:5], sweep.parts[:5], strict=True):
        ratio = p.truncation / (Fraction(h) ** 2 * Fraction(-sweep.leading) / 6)
        assert float(ratio) == pytest.approx(1, rel=1e-6)
    assert sweep.evaluations == len(hs) + sweep.noise_estimate.evaluations + 1


def test_the_bound(sweep):
    assert np.all(sweep.bound_ratio <= 1 + 1e-9)
    assert sweep.bound_ratio[np.argmin(np.abs(sweep.h - 1e-5))] == pytest.approx(1, abs=1e-3)


def test_float32():
    sweep = error_sweep(np.exp, np.float32(0.5), "complex")
    assert sweep.value.dtype == np.float32
    assert sweep.best_error < 3e-7
    assert sweep.observed_order == pytest.approx(2, abs=0.05)


def test_a_formula_without_truncation():
    sweep = error_sweep(lambda x: x * x, 0.3, "complex", hs=np.logspace(-20, -1, 20))
    assert all(float(p.truncation) == 0 for p in sweep.parts)
    assert sweep.predicted_h == math.inf
    assert sweep.predicted_error < 1e-15
    assert "Im f(x + i h) / h" in str(sweep)


def test_tables_and_the_exact_derivative():
    sweep = error_sweep(np.sin, 1.0, "complex", exact=np.cos, hs=[1e-3, 1e-2, 1e-1])
    assert sweep.table.columns == ["h", "error", *PARTS, "bound", "largest"]
    assert sweep.table["largest"] == ["truncation"] * 3


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: error_sweep(np.abs, 1.0, "complex"), InputError, r"np\.abs drops the imaginary part"),
        (lambda: error_sweep(lambda x: max(x, 0.0), 1.0, "complex"), InputError, "branches on a comparison"),
        (lambda: error_sweep(math.sin, 1.0, "complex"), InputError, "takes no complex numbers"),
        (lambda: error_sweep(np.sin, 1.0, "complex", n=2), InputError, "first derivative only"),
        (lambda: error_sweep(np.sin, 1.0, "complex", order=4), InputError, "order 2"),
        (lambda: error_sweep(np.sin, 1.0, "complex", hs=[-1.0]), InputError, "hs must be positive"),
        (lambda: error_sweep(np.sin, 1j, "complex"), InputError, "one finite float"),
        (
            lambda: error_sweep(lambda x: 1 / (x - 1) ** 2, 2.0, "complex", hs=[1e300]),
            DomainError,
            "f (is|fails)",
        ),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call()
