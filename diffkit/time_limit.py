"""A limit on the time of what may never end, such as ``sympy.simplify`` or a user's loop."""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from diffkit.errors import DiffkitError

__all__ = ["BudgetError", "within"]

T = TypeVar("T")

_PATIENCE = 1.0
"""Seconds after which a thread that can't be stopped is left behind: it sleeps, or catches everything."""


class BudgetError(DiffkitError, TimeoutError):
    """A step that does not finish within the time, depth, memory or number of terms that it is given."""


class _Stop(SystemExit):
    """Thrown into the computing thread; not an Exception, so that nothing there catches it.

    It is thrown again until the thread has ended, so one may arrive when the thread is already on
    its way out. There Python passes over a SystemExit, and would report any other.
    """


def within(seconds: float, compute: Callable[[], T], what: str) -> T:
    """The result of ``compute()`` if it comes in time.

    It runs in a thread of its own, which is stopped when the time is over: Python can throw an
    exception into another thread between two of its instructions, which code in Python, such as
    SymPy, never keeps waiting for long.

    Args:
        seconds: the time that it may take.
        compute: a function without arguments.
        what: names the computation in the error, as in "simplifying the derivative".

    Raises:
        BudgetError: if the time runs out, or the computation nests deeper than Python allows.

    >>> within(10, lambda: 6 * 7, "multiplying")
    42
    >>> within(0.05, lambda: [None for _ in iter(int, 1)], "waiting")
    Traceback (most recent call last):
        ...
    diffkit.time_limit.BudgetError: waiting took longer than 0.05 s, and was stopped
    """
    outcome: dict[str, Any] = {}

    def run() -> None:
        try:
            outcome["value"] = compute()
        except _Stop:
            outcome["stopped"] = True
        except BaseException as error:
            outcome["error"] = error

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        thread.join(seconds)
        late = thread.is_alive() and not outcome
    except BaseException:  # Ctrl-C: the work is stopped too
        _stop(thread)
        raise
    if late:
        _stop(thread)
        if "value" not in outcome:
            raise BudgetError(f"{what} took longer than {seconds:g} s, and was stopped")
    thread.join()
    error = outcome.get("error")
    if isinstance(error, RecursionError):
        raise BudgetError(f"{what} nests deeper than Python's recursion limit allows") from None
    if error is not None:
        raise error
    value: T = outcome["value"]
    return value


def _stop(thread: threading.Thread) -> None:
    end = time.monotonic() + _PATIENCE
    while thread.is_alive() and time.monotonic() < end:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(_Stop))
        thread.join(0.05)
