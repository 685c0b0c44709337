"""What a function does while it runs, besides computing: a compiled program would not do it again."""

from __future__ import annotations

import builtins
import datetime
import dis
import io
import logging
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from types import CodeType, FrameType, TracebackType
from typing import Any

import numpy as np

from diffkit.sites import belongs_to_diffkit, belongs_to_libraries, called_text

_DRAWS = "draws random numbers from the system"
_open, _urandom = builtins.open, os.urandom
_CALLED: dict[Any, str] = {
    _open: "opens a file",
    _urandom: _DRAWS,
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
"""Functions written in C that the user's own code may not call; the first two through no library, either."""

_ERRSTATE = np.errstate.__enter__.__code__
_ENTERED: dict[int, str] = {
    id(_ERRSTATE): "makes NumPy raise errors (np.errstate)",
    id(logging.Logger._log.__code__): "logs",
    id(subprocess.Popen.__init__.__code__): "runs another program",
    id(type(os.environ).__getitem__.__code__): "reads the environment",
    id(np.seterr.__code__): "changes NumPy's error settings",
    id(random.SystemRandom.getrandbits.__code__): _DRAWS,  # so does np.random.default_rng()
    id(random.SystemRandom.random.__code__): _DRAWS,
}
"""Functions written in Python that it may not call, by whatever way: by the id of their code."""


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
    is_users = _users_code()

    def profile(frame: FrameType, event: str, called: object) -> None:  # must be quick: every call comes here
        what = ""
        if event == "c_call":
            if is_users(frame.f_code):
                what = _what_it_does(called)
            elif called is _open or called is _urandom:
                what = _what_it_does(called) if _is_for_the_user(frame) else ""
        elif event == "call" and id(frame.f_code) in _ENTERED and _is_for_the_user(frame.f_back):
            harmless = frame.f_code is _ERRSTATE and not _raises_errors(frame)
            what = "" if harmless else _ENTERED[id(frame.f_code)]
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
    if isinstance(owner, io.IOBase):
        return f"calls {called.__name__} on a file"
    if owner is datetime.datetime and called.__name__ in ("now", "utcnow", "today"):
        return "asks for the time"
    try:
        return _CALLED.get(called, "")
    except TypeError:  # methods of what can't be hashed
        return ""


def _raises_errors(frame: FrameType) -> bool:
    """Whether the user's own code tells NumPy to raise an error (or call a function) where it would warn.

    NumPy does so itself, in np.linalg.
    """
    own = frame.f_back is not None and not belongs_to_libraries(frame.f_back.f_code)
    return own and not _settings(frame.f_locals["self"]).isdisjoint({"raise", "call"})


def _settings(state: np.errstate) -> set[str]:
    """What an ``np.errstate`` does in any case: "raise", "ignore", ..."""
    names = ("_all", "_divide", "_over", "_under", "_invalid")
    return {value for name in names if isinstance(value := getattr(state, name, None), str)}


def _is_for_the_user(frame: FrameType | None) -> bool:
    """Whether the user's own code called this, perhaps through a library; and not Python or diffkit."""
    while frame is not None and belongs_to_libraries(frame.f_code):
        file = frame.f_code.co_filename
        if belongs_to_diffkit(frame.f_code) or "importlib" in file or file.endswith(_OF_ITSELF):
            return False
        if _seeds(frame):
            return False
        frame = frame.f_back
    return frame is not None and not _seeds(frame)


def _seeds(frame: FrameType) -> bool:
    """Whether it makes a generator of a seed: NumPy draws one from the system first, and throws it away."""
    code, at = frame.f_code, frame.f_lasti
    instruction = code.co_code[at : at + 2]
    name = called_text(code, at).rpartition(".")[2]
    return (
        name in ("RandomState", "MT19937")
        and dis.opname[instruction[0]].startswith("CALL")
        and instruction[1] > 0
    )


_OF_ITSELF = ("linecache.py", "warnings.py", "tokenize.py", "traceback.py", "inspect.py")
"""Modules of Python that read files when it reports something."""


def _users_code() -> Callable[[CodeType], bool]:
    """A quick test whether code is the user's own. (A code object takes long to hash.)"""
    known: dict[int, tuple[CodeType, bool]] = {}

    def is_users(code: CodeType) -> bool:
        found = known.get(id(code))
        if found is None:
            found = known[id(code)] = code, not belongs_to_libraries(code)
        return found[1]

    return is_users


# -- errors that the function catches ---------------------------------------------------------------------

_BY_TYPE = (AttributeError, TypeError, StopIteration, GeneratorExit, NotImplementedError)
"""Errors that follow from the kinds of the operands, which a compiled program checks anyhow."""


def caught_errors(run: Callable[[], Any]) -> tuple[Any, bool]:
    """What ``run`` returns, and whether an operation on traced values failed and the user's code caught that.

    ``try: y = 1 / x``, ``except ZeroDivisionError: y = 0.0`` is a branch, but the trace has no row that
    it was decided by: the row that failed is none.
    """
    caught = False
    is_users = _users_code()

    def local(frame: FrameType, event: str, arg: Any) -> Any:
        nonlocal caught
        if event == "exception" and not isinstance(arg[1], _BY_TYPE):
            caught = caught or _comes_from_diffkit(arg[2])
        return local

    def entered(frame: FrameType, event: str, arg: object) -> Any:
        if not is_users(frame.f_code):
            return None
        frame.f_trace_lines = False
        return local

    before = sys.gettrace()
    sys.settrace(entered)
    try:
        answer = run()
    finally:
        sys.settrace(before)
    return answer, caught


def _comes_from_diffkit(traceback: TracebackType | None) -> bool:
    while traceback is not None:
        if belongs_to_diffkit(traceback.tb_frame.f_code):
            return True
        traceback = traceback.tb_next
    return False


def _numpy_state() -> tuple[Any, ...]:
    name, key, *rest = np.random.get_state()  # noqa: NPY002 (it is the global generator that is asked for)
    return (name, np.asarray(key).tobytes(), *rest)
