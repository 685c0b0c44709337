"""numpy.emath: roots, logarithms and the like, which turn complex where no real answer is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from diffkit.autodiff.rules.call_forms import as_array, decided
from diffkit.autodiff.rules.decisions import any_beyond_one, any_negative
from diffkit.autodiff.rules.register import composite, is_node
from diffkit.autodiff.rules.shaping import cast
from diffkit.errors import NoRuleError
from diffkit.typing import Value


def _given(x: Value) -> Any:
    """As NumPy's own, these take a plain number for an array, with an array's dtype."""
    x = as_array(x)
    return x if is_node(x) else np.asarray(x)


def _complex_if(test: Callable[[Any], bool], x: Value) -> Any:
    """x, as complex numbers if it is real and the test holds."""
    x = _given(x)
    if np.iscomplexobj(x) or not decided(test, x):
        return x
    return cast(x, np.result_type(x, np.complex64))


def _extended(function: Callable[..., Any], plain: Callable[..., Any], test: Callable[[Any], bool]) -> None:
    @composite(function)
    def _of_complex(x: Value) -> Any:
        return plain(_complex_if(test, x))


_extended(np.emath.sqrt, np.sqrt, any_negative)
_extended(np.emath.log, np.log, any_negative)
_extended(np.emath.log2, np.log2, any_negative)
_extended(np.emath.log10, np.log10, any_negative)
_extended(np.emath.arctanh, np.arctanh, any_beyond_one)


def _within_one(function: Callable[..., Any], plain: Callable[..., Any]) -> None:
    @composite(function)
    def _of_real(x: Value) -> Any:
        x = _given(x)
        if not np.iscomplexobj(x) and decided(any_beyond_one, x):
            raise NoRuleError(
                f"np.emath.{plain.__name__} is not differentiated outside -1 to 1, where it has its branch "
                f"cut: give np.{plain.__name__} complex numbers, on the side of it that is meant"
            )
        return plain(x)


_within_one(np.emath.arccos, np.arccos)
_within_one(np.emath.arcsin, np.arcsin)


@composite(np.emath.logn)
def _logn(n: Value, x: Value) -> Any:
    return np.log(_complex_if(any_negative, x)) / np.log(_complex_if(any_negative, n))


@composite(np.emath.power)
def _power(x: Value, p: Any) -> Any:
    x, p = _complex_if(any_negative, x), _given(p)
    return np.power(x, p * 1.0 if np.result_type(p).kind in "iu" and decided(any_negative, p) else p)
