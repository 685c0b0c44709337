"""The derivative that errors are measured against, from the smallest inputs to the largest."""

from fractions import Fraction

import numpy as np
import pytest

from diffkit.finite import error_sweep
from diffkit.finite.error.parts import derivative_in_digits, exact_values

POINTS = [Fraction(10) ** k for k in (-300, -30, -9, -3, -1, 0, 1, 3, 9, 30, 200)]


@pytest.mark.parametrize("x", [*POINTS, *(-p for p in POINTS)], ids=lambda x: f"{float(x):.0e}")
@pytest.mark.parametrize(
    ("f", "scaled"),
    [
        # f, and f^(n)(x) x^n / f(x): whole numbers all of them
        (lambda x: 1 / x, {1: -1, 2: 2, 3: -6}),
        (lambda x: x**-2, {1: -2, 2: 6, 3: -24}),
        (lambda x: x**5, {1: 5, 2: 20, 3: 60}),
    ],
    ids=["1/x", "x^-2", "x^5"],
)
def test_the_step_goes_with_the_input(f, scaled, x):
    for n, expected in scaled.items():
        got = derivative_in_digits(f, x, n, 40)
        relative = got * x**n / f(x)
        assert abs(float(relative / expected - 1)) < 1e-16


@pytest.mark.parametrize("x", POINTS, ids=lambda x: f"{float(x):.0e}")
def test_of_functions_that_have_no_fractions_for_values(x):
    for n, expected in {1: 1, 2: -1, 3: 2}.items():
        assert float(derivative_in_digits(np.log, x, n, 40) * x**n) == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize("x", [1e-9, 2.0, 1e6, 1e22])
def test_of_functions_with_a_period(x):
    at = Fraction(*x.as_integer_ratio())
    for n, f in {1: np.cos, 2: lambda x: -np.sin(x), 3: lambda x: -np.cos(x)}.items():
        exact = float(exact_values(f, [at], 60)[0])
        assert float(derivative_in_digits(np.sin, at, n, 40)) == pytest.approx(exact, rel=1e-15)


@pytest.mark.parametrize("part", [Fraction(1, 10**30), Fraction(1, 10**9), Fraction(3, 2), Fraction(10**12)])
def test_at_complex_points_too(part):
    for real, imaginary in ((part, part), (part, Fraction(0)), (Fraction(0), part), (-part, part)):
        point = complex(real, imaginary)
        got = complex(derivative_in_digits(lambda z: 1 / z, (real, imaginary), 1, 40).value)
        assert got == pytest.approx(-1 / point**2, rel=1e-14)


@pytest.mark.parametrize("x", [1e-30, 1e-6, 0.3, 7.0, 1e12, 1e30])
def test_a_sweep_finds_the_derivative_at_points_of_every_size(x):
    sweep = error_sweep(np.log, x, "central", hs=[1e-3 * x, 1e-4 * x])
    # log((1 + d) / (1 - d)) / (2 d) - 1 = d^2 / 3 + ...
    np.testing.assert_allclose(np.abs(sweep.truncation) * x, [1e-6 / 3, 1e-8 / 3], rtol=1e-5)
