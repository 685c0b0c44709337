"""Compiled gradients of every NumPy function: the bits of the gradients themselves, at other values too.

The other values have another order, zeros and other signs, so that rules which go by values take other
paths: a compiled program that had missed one would be stale.
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy_cases import FAMILIES

import diffkit as dk
from diffkit.autodiff.bits import same_bits
from diffkit.containers import flatten

CASES = [
    pytest.param(case, id=f"{name}-{k}")
    for functions in FAMILIES.values()
    for name, cases in functions.items()
    for k, case in enumerate(cases)
]


def is_float(value):
    return isinstance(value, float | complex) or (isinstance(value, np.ndarray) and value.dtype.kind in "fc")


def weighed(outputs):
    """One number of all that a function returned."""
    total = 0.0
    for leaf in flatten(outputs)[0]:
        kind = getattr(leaf, "dtype", np.dtype(float)).kind
        if kind in "fc":
            real = np.real(leaf) + np.imag(leaf) if kind == "c" else leaf
            shape = np.shape(real)
            total = total + np.sum(
                real * np.cos(np.arange(1.0, 1.0 + np.prod(shape, dtype=int))).reshape(shape)
            )
    return total


def others(args):
    def changed(change):
        return tuple(change(a) if is_float(a) else a for a in args)

    rng = np.random.default_rng(11)
    yield changed(lambda a: np.flip(a).copy() if np.ndim(a) else -a)
    yield changed(
        lambda a: np.where(rng.random(np.shape(a)) < 0.4, 0.0, a).astype(a.dtype) if np.ndim(a) else a
    )
    yield changed(lambda a: a * 1.7)


def outcome(f, args):
    try:
        return f(*args)
    except Exception as error:
        return type(error).__name__


def agree(a, b):
    """Equal bits; but a plain sweep gathers what is read at one index in place, a recorded one in a sum."""
    if same_bits(a, b) or (not np.ndim(a) and same_bits(complex(a), complex(b))):
        return True
    if not (np.all(np.isfinite(a)) and np.all(np.isfinite(b))):
        return np.iscomplexobj(a) != np.iscomplexobj(b)  # a negative float to a broken power
    return np.ndim(a) > 0 and np.allclose(a, b, rtol=1e-15, atol=1e-16)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", CASES)
def test_compiled_gradient(case):
    f = case.on_numpy()
    argnums = tuple(k for k, a in enumerate(case.args) if is_float(a))
    both = dk.value_and_grad(lambda *args: weighed(f(*args)), argnums)
    compiled = dk.compile(both)
    points = [case.args, *others(case.args)]
    for args in [*points, *points]:
        want, got = outcome(both, args), outcome(compiled, args)
        expected, structure = flatten(want)
        found, found_structure = flatten(got)
        assert structure == found_structure
        if isinstance(want, str):
            assert got == want
        else:
            assert all(map(agree, expected, found)), (want, got)
