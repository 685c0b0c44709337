"""SciPy's side of tracing: its ufuncs get their rules when the first is met, its functions a pointer.

Nothing here imports SciPy before the user does.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

TO_LOAD: dict[str, Callable[[], object]] = {}
"""What registers the rules of a module of SciPy, put here by ``rules/``; gone once it has been called."""


def load_rules() -> bool:
    """Registers the rules of SciPy's special functions, if SciPy's are in use; whether it did so now."""
    if "scipy.special" not in sys.modules or "scipy.special" not in TO_LOAD:
        return False
    TO_LOAD.pop("scipy.special")()
    return True


def advice(frame: FrameType) -> tuple[str, str, FrameType] | None:
    """What to say when a function of SciPy makes a plain array of a traced value.

    Args:
        frame: where the array was asked for.

    Returns:
        What was called, what to write instead, and the user's frame; None if it was not SciPy.
    """
    called = ""
    user: FrameType | None = frame
    while user is not None and user.f_globals.get("__name__", "").split(".")[0] in ("scipy", "numpy"):
        called = _public_name(user) or called
        user = user.f_back
    if not called.startswith("scipy.") or user is None:
        return None
    if _has_mirror(called):
        module = called.rpartition(".")[0]
        instead = f"call diffkit.{called} in its place, which is traced, or import diffkit.{module}"
    else:
        instead = "write it with functions that are traced, or wrap it with dk.primitive and give its rule"
    return called, instead, user


def _public_name(frame: FrameType) -> str:
    """The name by which users know the function that runs in a frame: ``scipy.linalg.sqrtm``."""
    module, name = frame.f_globals.get("__name__", ""), frame.f_code.co_name
    distribution = type(frame.f_locals.get("self")).__name__.removesuffix("_gen")
    if hasattr(sys.modules.get("scipy.stats"), distribution) and not name.startswith("_"):
        return f"scipy.stats.{distribution}.{name}"
    decorated = [f for f in frame.f_locals.values() if hasattr(f, "__code__")]
    for home, known in [(module, name), *((f.__module__, f.__name__) for f in decorated)]:
        package = ".".join(str(home).split(".")[:2])
        if _runs(getattr(sys.modules.get(package), known, None), frame):
            return f"{package}.{known}"
    return ""


def _runs(function: Any, frame: FrameType) -> bool:
    """Whether a public function is what runs in a frame, itself or under a decorator."""
    while function is not None:
        if getattr(function, "__code__", None) is frame.f_code:
            return True
        function = getattr(function, "__wrapped__", None)
    return False


def _has_mirror(called: str) -> bool:
    _, package, *names = called.split(".")
    try:
        found: Any = importlib.import_module(f"diffkit.scipy.{package}")
        for name in names:
            found = getattr(found, name)
    except (ImportError, AttributeError):
        return False
    return hasattr(found, "is_mirror")
