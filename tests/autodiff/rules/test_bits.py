"""The value of a trace is NumPy's to the last bit, and of its type, also where a function is a program here.

A compiled function returns what the trace computes, and whoever compares the two for equality should find it.
Python floats are left out: on them a trace uses the math module, whose last bits are not always NumPy's.
"""

import numpy as np
import pytest
from numpy_cases import FAMILIES

import diffkit as dk
from diffkit.autodiff.bits import same_bits
from diffkit.containers import flatten

LINES = [
    pytest.param(c, id=f"{name}-{k}")
    for functions in FAMILIES.values()
    for name, lines in functions.items()
    for k, c in enumerate(lines)
    if all(isinstance(a, np.ndarray) for a in c.args)
]


def points(args):
    """The case's own point, and three near it."""
    rng = np.random.default_rng(3)
    for spread in (0.0, 0.1, 0.1, 0.3):
        yield [a + spread * rng.random(np.shape(a)).astype(a.real.dtype) for a in args]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("c", LINES)
def test_the_bits_are_numpys(c):
    f = c.on_numpy()
    for args in points(c.args):
        try:
            expected = f(*args)
        except (ValueError, ArithmeticError, np.linalg.LinAlgError):
            continue
        for a, b in zip(flatten(expected)[0], flatten(dk.trace(f)(*args).value)[0], strict=True):
            assert same_bits(a, b), (a, b)
