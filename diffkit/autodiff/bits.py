"""Whether two values are the same to the last bit."""

from __future__ import annotations

from typing import Any

import numpy as np


def same_bits(a: Any, b: Any) -> bool:
    """Whether two numbers or arrays are the same to the last bit, signs of zeros included.

    All NaNs count as the same one, since processors don't agree on the bits of those that they make.

    >>> same_bits(0.0, -0.0), same_bits(np.nan, -np.nan), same_bits(1.0, np.float64(1.0))
    (False, True, False)
    """
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray | np.generic):
        if a.dtype != b.dtype or a.shape != b.shape:
            return False
        return bool(a.tobytes() == b.tobytes() or (a.dtype.kind in "fc" and _same_numbers(a, b)))
    if isinstance(a, float):
        return bool(a.hex() == b.hex())
    if isinstance(a, complex):
        return same_bits(a.real, b.real) and same_bits(a.imag, b.imag)
    return bool(a == b)


def _same_numbers(a: np.ndarray | np.generic, b: np.ndarray | np.generic) -> bool:
    if a.dtype.kind == "c":
        return _same_numbers(a.real, b.real) and _same_numbers(a.imag, b.imag)
    equal = (a == b) & (np.signbit(a) == np.signbit(b))
    return bool(np.all(equal | (np.isnan(a) & np.isnan(b))))
