"""The rules that Python floats take are those that arrays take, line by line of the calculus table."""

import math

import numpy as np
import pytest

import diffkit as dk
from diffkit.autodiff.recording.tracer import UFUNCS
from diffkit.autodiff.rules.elementwise import above, where

# Only NumPy's: SciPy's are there as well once something has loaded them, and have tests of their own.
LINES = {
    u.__name__: f
    for u, f in UFUNCS.items()
    if f.line is not None and not f.constant and getattr(np, u.__name__, None) is u
}
POINTS = [(0.3, 0.7), (1.7, 1.2), (-0.4, 2.3), (2.0, 2.0)]


@pytest.mark.parametrize("name", sorted(LINES))
def test_floats_and_arrays_agree(name):
    fun = LINES[name]
    ufunc = next(u for u, f in UFUNCS.items() if f is fun)
    fun.complete_rules()
    tried = 0
    for point in POINTS:
        args = point[: len(fun.line.arguments)]
        with np.errstate(all="ignore"):
            value = ufunc(*map(np.float64, args))
        if not np.isfinite(value):
            continue
        for k in range(len(args)):
            on_float = dk.grad(ufunc, k)(*args)
            on_array = dk.elementwise_grad(ufunc, k)(*[np.array([a]) for a in args])
            if not np.isfinite(on_array[0]):
                continue
            assert type(on_float) is float
            assert on_float == pytest.approx(on_array[0], rel=1e-13, abs=1e-15)
            assert type(dk.deriv(ufunc, k)(*args)) is float
            assert dk.deriv(ufunc, k)(*args) == pytest.approx(on_array[0], rel=1e-13, abs=1e-15)
            tried += 1
    assert tried or name == "arccosh"


@pytest.mark.parametrize(
    ("f", "x", "slope"),
    [
        (np.log, 0.0, math.inf),
        (np.sqrt, 0.0, math.inf),
        (np.reciprocal, 1e-200, -math.inf),
        (np.arcsin, 1.0, math.inf),
        (lambda x: 1.0 / x, 1e-170, -math.inf),
        (np.exp, 720.0, math.inf),
        (lambda x: x**0.5, 0.0, math.inf),
        (lambda x: x**0, 0.0, 0.0),
        (lambda x: x**1, 0.0, 1.0),
        (lambda x: x**2, 0.0, 0.0),
        (lambda x: 0.0**x, 2.0, 0.0),
        (np.abs, 0.0, 0.0),
        (lambda x: np.maximum(x, 0.0), 0.0, 0.5),
        (lambda x: np.minimum(0.0, x), 0.0, 0.5),
    ],
)
def test_where_python_raises_numpys_answer_is_taken(f, x, slope):
    with np.errstate(all="ignore"):
        assert dk.grad(f)(x) == slope
        assert dk.deriv(f)(x) == slope


def test_above_keeps_the_narrower_dtype():
    for dtype in (np.float16, np.float32, np.float64):
        found = above(np.array([1.0, 2.0, 3.0], dtype), 2.0)
        assert found.dtype == dtype
        np.testing.assert_array_equal(found, [0.0, 0.5, 1.0])
    assert dk.elementwise_grad(lambda x: np.maximum(x, 2.0))(np.float32(3.0)).dtype == np.float32
    np.testing.assert_array_equal(above(np.array([np.inf, -np.inf]), np.array([np.inf, 0.0])), [0.5, 0.0])


def test_where_chooses_at_once_by_a_number():
    assert where(0.0, "a", "b") == "b"
    np.testing.assert_array_equal(where(np.array([0.0, 3.0]), 1.0, 2.0), [2.0, 1.0])
