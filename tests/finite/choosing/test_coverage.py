"""How often the error is within its estimate: 40 functions at six points by each form, and why."""

from contextlib import suppress
from functools import cache

import mpmath
import numpy as np
import pytest

from diffkit.errors import InputError
from diffkit.finite import derivative, gradient

POINTS = (1e-9, 1e-3, 0.3, 0.7, 1.3, 5.0)

FUNCTIONS = {
    "sin": lambda m, x: m.sin(x),
    "cos": lambda m, x: m.cos(x),
    "exp": lambda m, x: m.exp(x),
    "log": lambda m, x: m.log(x),
    "sqrt": lambda m, x: m.sqrt(x),
    "tanh": lambda m, x: m.tanh(x),
    "sinh": lambda m, x: m.sinh(x),
    "1 / x": lambda m, x: 1 / x,
    "x**2": lambda m, x: x * x,
    "x**3": lambda m, x: x**3,
    "x**1.5": lambda m, x: x * m.sqrt(x),
    "x**x": lambda m, x: m.exp(x * m.log(x)),
    "log(1 + x)": lambda m, x: m.log(1 + x),
    "exp(x) - 1": lambda m, x: m.exp(x) - 1,
    "sqrt(1 + x) - 1": lambda m, x: m.sqrt(1 + x) - 1,
    "(1 + x)**10 - 1": lambda m, x: (1 + x) ** 10 - 1,
    "1 / (1 + x) - 1": lambda m, x: 1 / (1 + x) - 1,
    "cosh(x) - 1": lambda m, x: m.cosh(x) - 1,
    "1 - cos": lambda m, x: 1 - m.cos(x),
    "log(cosh)": lambda m, x: m.log(m.cosh(x)),
    "softplus": lambda m, x: m.log(1 + m.exp(x)),
    "sigmoid": lambda m, x: 1 / (1 + m.exp(-x)),
    "Gauss": lambda m, x: m.exp(-x * x),
    "Runge": lambda m, x: 1 / (1 + 25 * x * x),
    "sin(100 x)": lambda m, x: m.sin(100 * x),
    "sin(10000 x)": lambda m, x: m.sin(10000 * x),
    "chirp": lambda m, x: m.cos(x**3),
    "wave": lambda m, x: m.sin(50 * x) * m.exp(-x * x),
    "x sin": lambda m, x: x * m.sin(x),
    "(x - 1)**9": lambda m, x: (x - 1) ** 9,
    "expanded": lambda m, x: ((x - 3) * x + 2) * x - 7,
    "1e6 + sin": lambda m, x: 10**6 + m.sin(x),
    "1e10 + sin": lambda m, x: 10**10 + m.sin(x),
    "large": lambda m, x: 10**10 * m.cos(x),
    "small": lambda m, x: m.cos(x) / 10**10,
    "exp(sin)": lambda m, x: m.exp(m.sin(x)),
    "sin cos": lambda m, x: m.sin(x) * m.cos(3 * x),
    "sin(1 / x)": lambda m, x: m.sin(1 / (x + 0.5)),
    "logistic map": lambda m, x: 64 * x * (1 - x) * (1 - 2 * x) ** 2 * (1 - 8 * x + 8 * x * x) ** 2,
    "tan": lambda m, x: m.tan(x / 4),
}


@cache
def truth(name, x, n):
    with mpmath.workdps(100):
        h = mpmath.mpf(10) ** -30 if n == 1 else None
        return mpmath.diff(lambda t: FUNCTIONS[name](mpmath, t), mpmath.mpf(x), n, **({"h": h} if h else {}))


@pytest.mark.parametrize(
    ("form", "order", "n"),
    [
        ("forward", None, 1),
        ("backward", None, 1),
        ("central", None, 1),
        ("central", 4, 1),
        ("forward", 2, 1),
        ("richardson", None, 1),
        ("complex", None, 1),
        ("central", None, 2),
        ("richardson", None, 2),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_at_least_99_of_100_and_none_by_ten_times(form, order, n):
    beyond = []
    for name, f in FUNCTIONS.items():
        for x in POINTS:
            estimate = derivative(lambda t, f=f: f(np, t), x, form, order=order, n=n, full=True)
            off = abs(mpmath.mpf(estimate.value) - truth(name, x, n))
            if off > estimate.error:
                beyond.append((name, x, float(off / estimate.error) if estimate.error else np.inf))
    assert len(beyond) <= 0.01 * len(FUNCTIONS) * len(POINTS), beyond
    assert all(times <= 10 for _, _, times in beyond), beyond


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_function_is_said_to_drop_its_imaginary_part(name):
    for x in POINTS:
        slope = derivative(lambda t: FUNCTIONS[name](np, t), x, "complex")
        assert abs(slope - truth(name, x, 1)) <= 1e-11 * abs(truth(name, x, 1)) + 1e-14


CANCELLING = {
    "(1 - cos(x)) / x**2": lambda m, x: (1 - m.cos(x)) / x**2,
    "(exp(x) - 1) / x": lambda m, x: (m.exp(x) - 1) / x,
    "log(1 + x) / x": lambda m, x: m.log(1 + x) / x,
    "(x - sin(x)) / x**3": lambda m, x: (x - m.sin(x)) / x**3,
    "root of a quadratic": lambda m, x: (-1 + m.sqrt(1 + 4 * x)) / (2 * x),
    "sinh(x) / x": lambda m, x: (m.exp(x) - m.exp(-x)) / (2 * x),
    "x / (exp(x) - 1)": lambda m, x: x / (m.exp(x) - 1),
    "((1 + x)**3 - 1) / x": lambda m, x: ((1 + x) ** 3 - 1) / x,
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("form", ["forward", "backward", "central", "richardson", "complex"])
@pytest.mark.parametrize("name", CANCELLING)
def test_rounding_that_stands_still_on_a_narrow_grid_is_rounding(name, form):
    """1 + x stays the same between two neighbours of a small x, and so does what is lost in it: 1e-7 of f."""
    f = CANCELLING[name]
    for x in (3e-3, 1e-4, 1e-6):
        with suppress(InputError if form == "complex" else ()):  # at the last, it has no digit left
            estimate = derivative(lambda t: f(np, t), x, form, full=True)
            with mpmath.workdps(100):
                exact = mpmath.diff(lambda t: f(mpmath, t), mpmath.mpf(x), h=mpmath.mpf(10) ** -30)
            assert abs(estimate.value - exact) <= 10 * estimate.error


@pytest.mark.parametrize("k", [1e8, 1e9, 1e10])
def test_a_small_fast_oscillation_is_no_rounding(k):
    """It looks as rounding does on wide grids; but it nowhere jumps."""
    for x in (1e-4, 0.3, 2.0):
        estimate = derivative(lambda t: 1 + t * t + 1e-6 * np.sin(k * t), x, full=True)
        with mpmath.workdps(50):
            exact = 2 * mpmath.mpf(x) + mpmath.mpf(1e-6) * k * mpmath.cos(k * mpmath.mpf(x))
        assert abs(estimate.value - exact) <= estimate.error <= 1e-3 * abs(exact)


# -- refinements of the search: each of these fails without one of them ----------------------------------


def test_along_a_line_curvatures_work_against_each_other():
    """What leads the error along three lines is doubled for each variable: 99.0 % without that."""
    rng, within = np.random.default_rng(7), []
    for _ in range(300):
        a = rng.normal(size=(k := int(rng.integers(2, 9)), k))
        a, x = a + a.T, rng.normal(size=k)
        estimate = gradient(lambda v, a=a: v @ a @ v / 2, x, "forward", full=True)
        within += list(np.abs(estimate.value - a @ x) <= estimate.error)
    assert np.mean(within) >= 0.995


def test_an_oscillation_agrees_with_itself_by_chance():
    """Slopes from the same values must agree too: 95 % without that."""
    rng, within = np.random.default_rng(3), []
    for _ in range(400):
        k, phase, size = 10 ** rng.uniform(1, 7), rng.uniform(0, 6.3), 10 ** rng.uniform(-3, 0)
        x = rng.uniform(-2, 2)
        estimate = derivative(
            lambda t, k=k, p=phase, a=size: a * np.sin(k * t + p) + t * t, x, order=4, full=True
        )
        off = abs(estimate.value - size * k * np.cos(k * x + phase) - 2 * x)
        within.append(off <= 2 * estimate.error + 1e-16 * k * k * size * abs(x))
    assert np.mean(within) >= 0.99


@pytest.mark.filterwarnings("ignore::diffkit.finite.DifferenceWarning")
def test_steps_that_are_made_wider_stay_within_bounds():
    """Steps are rounded to powers of two: with all of the room, not half of it, one of 18 leaves it."""
    rng = np.random.default_rng(1)
    for _ in range(150):
        low, high = -(10.0 ** rng.uniform(-6, 1, 2)), 10.0 ** rng.uniform(-6, 1, 2)
        x, k = rng.uniform(-0.9, 0.9, 2) * np.fmin(-low, high), 10 ** rng.uniform(0, 6)

        def f(v, low=low, high=high, k=k):
            assert np.all((v >= low) & (v <= high)), v
            return np.sin(k * v[0]) + 1e-3 * v[1] ** 3 + v[1]

        estimate = gradient(f, x, bounds=(low, high), full=True)
        slopes = [k * np.cos(k * x[0]), 3e-3 * x[1] ** 2 + 1]
        assert np.all(np.abs(estimate.value - slopes) <= 2 * estimate.error)
