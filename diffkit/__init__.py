"""diffkit: differentiation taught by doing it three ways on the same program.

>>> import diffkit as dk
>>> import numpy as np
>>> dk.grad(lambda x: np.sin(x) * x)(2.0)
0.0770037537313969

This is the front door: it hands on names and defines nothing. Each is imported when it is first
used, so that ``import diffkit`` is quick whatever a program needs of it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_NAMES = {
    "diffkit.autodiff.operators": [
        "deriv",
        "elementwise_grad",
        "grad",
        "grad_and_aux",
        "hessian",
        "hessian_tensor_product",
        "hessian_vector_product",
        "holomorphic_grad",
        "jacobian",
        "make_ggnvp",
        "make_hvp",
        "make_jvp",
        "make_vjp",
        "tensor_jacobian_product",
        "value_and_grad",
        "vector_jacobian_product",
    ],
    "diffkit.autodiff.trace": ["Trace", "trace"],
    "diffkit.autodiff.tracer": ["Node"],
    "diffkit.autodiff.custom": ["defjvp", "deflinear", "defvjp", "primitive"],
    "diffkit.autodiff.checkpoint": ["checkpoint"],
    "diffkit.autodiff.check": ["check_grads"],
    "diffkit.autodiff.compiled": ["compile"],
    "diffkit.comparison": ["Comparison", "compare"],
    "diffkit.graphs": ["Drawing", "draw", "stepper"],
    "diffkit.tables": ["Table"],
    "diffkit.errors": ["DiffkitError", "DomainError", "InputError", "NoRuleError", "TraceError"],
}

_MODULES = [
    "autodiff",
    "calculus",
    "finite",
    "grading",
    "graphs",
    "numpy",
    "plots",
    "precise",
    "programs",
    "symbolic",
    "tables",
]

_HOME = {name: module for module, names in _NAMES.items() for name in names}

__all__ = sorted([*_HOME, *(m for m in _MODULES if m not in _HOME)])  # noqa: PLE0605

if TYPE_CHECKING:
    from diffkit import (
        autodiff,
        calculus,
        finite,
        grading,
        graphs,
        numpy,
        plots,
        precise,
        programs,
        symbolic,
        tables,
    )
    from diffkit.autodiff.check import check_grads
    from diffkit.autodiff.checkpoint import checkpoint
    from diffkit.autodiff.compiled import compile
    from diffkit.autodiff.custom import defjvp, deflinear, defvjp, primitive
    from diffkit.autodiff.operators import (
        deriv,
        elementwise_grad,
        grad,
        grad_and_aux,
        hessian,
        hessian_tensor_product,
        hessian_vector_product,
        holomorphic_grad,
        jacobian,
        make_ggnvp,
        make_hvp,
        make_jvp,
        make_vjp,
        tensor_jacobian_product,
        value_and_grad,
        vector_jacobian_product,
    )
    from diffkit.autodiff.trace import Trace, trace
    from diffkit.autodiff.tracer import Node
    from diffkit.comparison import Comparison, compare
    from diffkit.errors import DiffkitError, DomainError, InputError, NoRuleError, TraceError
    from diffkit.graphs import Drawing, draw, stepper
    from diffkit.tables import Table


def __getattr__(name: str) -> Any:
    if name in _HOME:
        value = getattr(importlib.import_module(_HOME[name]), name)
        globals()[name] = value
        return value
    if name in _MODULES:
        return importlib.import_module(f"diffkit.{name}")
    raise AttributeError(f"module 'diffkit' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
