"""A limit on the time of a computation that may never end, such as ``sympy.simplify``."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from diffkit.errors import DiffkitError

__all__ = ["BudgetError", "within"]

T = TypeVar("T")


class BudgetError(DiffkitError, TimeoutError):
    """A step that did not finish within the time, depth or memory that it was given."""


class _Stop(SystemExit):
    """Thrown into the computing thread; not an Exception, so that nothing there catches it.

    It is thrown again until the thread has ended, so one may arrive when the thread is already on
    its way out. There Python passes over a SystemExit, and would report any other.
    """


def within(seconds: float, compute: Callable[[], T], what: str) -> T:
    """The result of ``compute()`` if it comes in time.

    It runs in a thread of its own, which is stopped when the time is over: Python can throw an
    exception into another thread between two of its instructions, which SymPy, being Python,
    never keeps waiting for long.

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
    diffkit.symbolic.budget.BudgetError: waiting took longer than 0.05 s, and was stopped
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
    thread.join(seconds)
    if thread.is_alive() and not outcome:
        while thread.is_alive():
            ctypes.pythonapi.PyThreadState_SetAsyncExc(
                ctypes.c_ulong(thread.ident or 0), ctypes.py_object(_Stop)
            )
            thread.join(0.05)
        if "value" not in outcome:
            raise BudgetError(f"{what} took longer than {seconds:g} s, and was stopped")
    error = outcome.get("error")
    if isinstance(error, RecursionError):
        raise BudgetError(f"{what} nests deeper than Python's recursion limit allows") from None
    if error is not None:
        raise error
    value: T = outcome["value"]
    return value
