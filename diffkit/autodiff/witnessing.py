"""What a function does while it runs, besides computing: a compiled program would not do it again."""

from __future__ import annotations

import builtins
import datetime
import io
import logging
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from types import BuiltinFunctionType, CodeType, FrameType
from typing import Any

import numpy as np

from diffkit.autodiff.sites import belongs_to_diffkit
from diffkit.autodiff.watching import is_library

__all__ = ["caught_errors", "witnessed"]

_OPENS = "opens a file"
_DRAWS = "draws random numbers from the system"
_ANYWHERE: dict[Any, str] = {builtins.open: _OPENS, io.open: _OPENS, os.urandom: _DRAWS}
"""Functions written in C that neither the user's code may call nor a library that it calls."""

_CALLED: dict[Any, str] = {
    builtins.print: "prints",
    builtins.input: "reads input",
    os.system: "runs another program",
    **{
        getattr(time, name): "asks for the time"
        for name in (
            "time time_ns perf_counter perf_counter_ns monotonic monotonic_ns process_time thread_time "
            "localtime gmtime ctime strftime"
        ).split()
    },
}
"""Functions written in C that the user's own code may not call."""

_ENTERED: dict[CodeType, str] = {
    logging.Logger._log.__code__: "logs",
    subprocess.Popen.__init__.__code__: "runs another program",
    type(os.environ).__getitem__.__code__: "reads the environment",
    np.seterr.__code__: "changes NumPy's error settings",
    random.SystemRandom.getrandbits.__code__: _DRAWS,  # so does np.random.default_rng()
    random.SystemRandom.random.__code__: _DRAWS,
}
"""Functions written in Python that it may not call, by whatever way."""


def witnessed(run: Callable[[], Any]) -> tuple[Any, list[str]]:
    """What ``run`` returns, and what it did besides that a compiled program would not do again.

    Draws from the global random generators of NumPy and Python, printing and logging, reading and
    writing files, reading the environment, asking for the time, running other programs and having NumPy
    raise its warnings are seen, if the user's own code does them, or calls a library that does. What a
    library does of itself (importing modules, say) is not.

    >>> witnessed(lambda: np.random.rand() > 2.0)
    (False, ["draws from NumPy's global random generator"])
    """
    seen: dict[str, None] = {}

    def profile(frame: FrameType, event: str, called: Any) -> None:
        what = ""
        if event == "call":
            what = _ENTERED.get(frame.f_code, "")
            what = what if what and _is_for_the_user(frame.f_back) else _raising(frame)
        elif event == "c_call":
            if type(called) is BuiltinFunctionType and called in _ANYWHERE:
                what = _ANYWHERE[called] if _is_for_the_user(frame) else ""
            elif not is_library(frame.f_code):
                what = _what_it_does(called)
        if what:
            seen[what] = None

    legacy = _numpy_state()
    standard = random.getstate()
    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        answer = run()
    finally:
        sys.setprofile(before)
    if _numpy_state() != legacy:
        seen["draws from NumPy's global random generator"] = None
    if random.getstate() != standard:
        seen["draws from Python's random generator"] = None
    return answer, list(seen)


def _what_it_does(called: Any) -> str:
    owner = getattr(called, "__self__", None)
    if isinstance(owner, random.Random):
        return "draws from Python's random generator"
    if isinstance(owner, io.IOBase):
        return f"calls {called.__name__} on a file"
    if owner is datetime.datetime and called.__name__ in ("now", "utcnow", "today"):
        return "asks for the time"
    try:
        return _CALLED.get(called, "")
    except TypeError:  # methods of what can't be hashed
        return ""


def _raising(frame: FrameType) -> str:
    """Whether NumPy is being told to raise an error (or call a function) where it would warn."""
    caller = frame.f_back
    if frame.f_code is not np.errstate.__enter__.__code__ or caller is None or is_library(caller.f_code):
        return ""  # (np.linalg does so, for itself)
    settings = _settings(frame.f_locals["self"])
    return "makes NumPy raise errors (np.errstate)" if settings & {"raise", "call"} else ""


def _settings(state: np.errstate) -> set[str]:
    """What an ``np.errstate`` does in any case: "raise", "ignore", ..."""
    names = ("_all", "_divide", "_over", "_under", "_invalid")
    return {value for name in names if isinstance(value := getattr(state, name, None), str)}


def _is_for_the_user(frame: FrameType | None) -> bool:
    """Whether the user's own code called this, perhaps through a library; and not Python or diffkit."""
    while frame is not None and is_library(frame.f_code):
        file = frame.f_code.co_filename
        if belongs_to_diffkit(frame.f_code) or "importlib" in file or file.endswith(_OF_ITSELF):
            return False
        frame = frame.f_back
    return frame is not None


_OF_ITSELF = ("linecache.py", "warnings.py", "tokenize.py", "traceback.py", "inspect.py")
"""Modules of Python that read files when it reports something."""


# -- errors that the function catches ---------------------------------------------------------------------

_BY_TYPE = (AttributeError, TypeError, StopIteration, GeneratorExit, NotImplementedError)
"""Errors that follow from the kinds of the operands, which a compiled program checks anyhow."""


def caught_errors(run: Callable[[], Any]) -> tuple[Any, bool]:
    """What ``run`` returns, and whether an operation on traced values failed and the user's code caught that.

    ``try: y = 1 / x``, ``except ZeroDivisionError: y = 0.0`` is a branch, but the trace has no row that
    it was decided by: the row that failed is none.
    """
    failed: list[BaseException] = []
    caught = False

    def local(frame: FrameType, event: str, arg: Any) -> Any:
        nonlocal caught
        if event == "exception" and not isinstance(arg[1], _BY_TYPE):
            if belongs_to_diffkit(frame.f_code):
                failed.append(arg[1])
            elif not is_library(frame.f_code) and any(arg[1] is error for error in failed):
                caught = True
        return local

    def entered(frame: FrameType, event: str, arg: Any) -> Any:
        frame.f_trace_lines = False
        return local

    before = sys.gettrace()
    sys.settrace(entered)
    try:
        answer = run()
    finally:
        sys.settrace(before)
        failed.clear()
    return answer, caught


def _numpy_state() -> tuple[Any, ...]:
    name, key, *rest = np.random.get_state()  # noqa: NPY002 (it is the global generator that is asked for)
    return (name, np.asarray(key).tobytes(), *rest)
