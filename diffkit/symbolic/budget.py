"""Limits: on the time of what may never end, such as ``sympy.simplify``, and on the terms of Sums."""

from __future__ import annotations

import ctypes
import math
import threading
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from diffkit.errors import DiffkitError, DomainError, InputError

__all__ = ["BudgetError", "Terms", "within"]

T = TypeVar("T")


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


class Terms(threading.local):
    """The terms of the Sums and Products in one computation, which are counted as their ranges are read.

    Args:
        most: how many there may be.

    >>> terms = Terms(1000)
    >>> terms.integers(1, 3), terms.integers(0.0, 900.0)
    (range(1, 4), range(0, 901))
    >>> terms.integers(1, 100)
    Traceback (most recent call last):
        ...
    diffkit.symbolic.budget.BudgetError: the Sums and Products have more than 1,000 terms: ...
    """

    def __init__(self, most: int) -> None:
        self.most = self.left = most

    def start(self) -> None:
        """Forgets what has been counted: a new computation begins."""
        self.left = self.most

    def spend(self, count: int) -> None:
        """Counts some more.

        Raises:
            BudgetError: if they are too many.
        """
        self.left -= count
        if self.left < 0:
            raise BudgetError(self._too_many())

    def integers(self, low: Any, high: Any) -> range:
        """The integers from low to high, which a Sum or Product runs over.

        Raises:
            InputError: for limits that are arrays.
            DomainError: for limits that are infinite or no integers.
            BudgetError: if there are too many of them.
        """
        if any(np.ndim(end) for end in (low, high)):
            raise InputError("a Sum or Product runs over integers, but one of its limits is an array")
        if any(abs(end) == math.inf for end in (low, high)):
            raise DomainError(
                f"a Sum or Product from {low} to {high} is infinite, and its terms are taken one by one; "
                "choose a last term, or let SymPy find a closed form, with .doit()"
            )
        if not all(end == math.floor(end) for end in (low, high)):
            raise DomainError(f"a Sum or Product runs over integers, but its limits are {low} and {high}")
        values = range(int(low), int(high) + 1)
        if values.stop - values.start > self.left:
            raise BudgetError(
                f"{self._too_many()}; a range has {values.stop - values.start:,}, from {values.start} to "
                f"{values.stop - 1}"
            )
        self.left -= len(values)
        return values

    def _too_many(self) -> str:
        return (
            f"the Sums and Products have more than {self.most:,} terms: choose fewer, or let SymPy find a "
            "closed form, with .doit()"
        )
