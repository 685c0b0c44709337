"""Where the functions of a program are to be had: under which name in NumPy, or from which module.

Emitted source calls them by that name, so that it runs as it stands.
"""

from __future__ import annotations

import functools
import inspect
import sys
from typing import Any

import numpy as np

from diffkit.autodiff.code.helpers import public_home
from diffkit.autodiff.recording.ieee import ufunc_of_numbers
from diffkit.autodiff.recording.tracer import UFUNCS, Primitive

_MODULES = {"np": np, "np.linalg": np.linalg, "np.fft": np.fft}


def ufunc_of(fun: Primitive) -> Any:
    """The ufunc that a primitive stands for; None if for none."""
    if (known := ufunc_of_numbers(fun)) is not None:
        return known
    for ufunc, primitive in UFUNCS.items():
        if primitive is fun:
            return ufunc
    return None


def numpy_path(compute: object) -> str | None:
    """``np.linalg.det``: where the very function is to be had, or the one that this is a quicker form of."""
    name = getattr(compute, "__name__", "")
    for path, module in _MODULES.items():
        found = getattr(module, name, None) if name else None
        if found is not None and found in (compute, getattr(compute, "__wrapped__", None)):
            return f"{path}.{name}"
    return None


def original(compute: object) -> Any:
    """The function that is called on plain values, under what lets it be called on nodes."""
    return getattr(compute, "__wrapped__", compute)


@functools.lru_cache(maxsize=4096)
def import_of(fun: Primitive) -> tuple[str, str] | None:
    """The module and the name in it that a primitive is to be had by, without diffkit."""
    if fun.builtin:
        special = sys.modules.get("scipy.special")
        ufunc = getattr(special, fun.name, None)
        if ufunc is not None and UFUNCS.get(ufunc) is fun:
            return "scipy.special", fun.name
        function = original(fun.compute)
        family = getattr(function, "__self__", None)  # norm.logpdf is a method of scipy.stats.norm
        name = getattr(family, "name", "")
        if family is not None and getattr(sys.modules.get("scipy.stats"), name, None) is family:
            return "scipy.stats", f"{name}.{function.__name__}"
        package = public_home(function)
        return (package, function.__name__) if package else None
    raw = getattr(fun, "__wrapped__", None)
    module_name, name = getattr(raw, "__module__", None), getattr(raw, "__qualname__", "")
    if module_name in (None, "__main__") or not all(
        map(str.isidentifier, f"{module_name}.{name}".split("."))
    ):
        return None
    home = sys.modules.get(module_name)  # nothing is imported, and so executed, to find out
    return (module_name, name) if getattr(home, name, None) is fun else None


@functools.cache
def default_of(function: str, keyword: str) -> Any:
    """What a function of NumPy takes for a keyword that it is not given."""
    path, _, name = function.rpartition(".")
    try:
        return inspect.signature(getattr(_MODULES[path], name)).parameters[keyword].default
    except (ValueError, TypeError, KeyError, AttributeError):
        return inspect.Parameter.empty
