"""The derivative rules, VJP and JVP side by side, one file per family of functions.

``import diffkit.autodiff.rules`` registers them all. A rule's signature is ``vjp(g, ans, *args,
**kwargs)`` or ``jvp(t, ans, *args, **kwargs)``; rules are made of operators and NumPy calls only, so
that a sweep can itself be traced.
"""

import functools
import importlib

from diffkit.autodiff.recording.scipy_calls import TO_LOAD
from diffkit.autodiff.rules import (
    complex_numbers,
    construction,
    convolution,
    counting,
    cumulative,
    diagonals,
    differences,
    einsum,
    elementwise,
    emath,
    extending,
    fft,
    in_place,
    indexing,
    joining,
    linalg,
    nans,
    norms,
    padding,
    pointwise,
    polynomials,
    products,
    reductions,
    shaping,
    sorting,
    spectral,
    statistics,
    ufunc_methods,
)

__all__ = [
    "complex_numbers",
    "construction",
    "convolution",
    "counting",
    "cumulative",
    "diagonals",
    "differences",
    "einsum",
    "elementwise",
    "emath",
    "extending",
    "fft",
    "in_place",
    "indexing",
    "joining",
    "linalg",
    "nans",
    "norms",
    "padding",
    "pointwise",
    "polynomials",
    "products",
    "reductions",
    "shaping",
    "sorting",
    "spectral",
    "statistics",
    "ufunc_methods",
]

TO_LOAD["scipy.special"] = functools.partial(importlib.import_module, "diffkit.autodiff.rules.scipy.special")
