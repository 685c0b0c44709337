"""A limit on the time of what may never end, such as ``sympy.simplify`` or a user's loop."""

from __future__ import annotations

import contextlib
import ctypes
import signal
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from diffkit.errors import DiffkitError

T = TypeVar("T")

_AGAIN = 0.05
"""Seconds after which what caught everything is told again to stop."""

_WORST = 20
"""How many times its limit a computation may take by the clock, where the processor's time is limited."""

_PATIENCE = 1.0
"""Seconds after which what waits in C, such as a sleep, is interrupted as by Ctrl-C."""


class BudgetError(DiffkitError, TimeoutError):
    """A step that does not finish within the time, depth, memory or number of terms that it is given."""


class _Stop(SystemExit):
    """Thrown into the computing thread; not an Exception, so that nothing there catches it."""


def within(seconds: float, compute: Callable[[], T], what: str, *, worked: bool = False) -> T:
    """The result of ``compute()`` if it comes in time.

    It runs where it is called, so that its own errors and Ctrl-C are what they always are. A thread
    beside it waits, and when the time is over throws an exception into it, which Python does between two
    instructions; again and again, should it be caught.

    Args:
        seconds: the time that it may take.
        compute: a function without arguments.
        what: names the computation in the error, as in "simplifying the derivative".
        worked: count what the processor worked for this thread and not what it was kept waiting, so that the
            result does not depend on what else the machine does; where that can't be told, the clock counts.

    Raises:
        BudgetError: if the time runs out, or the computation nests deeper than Python allows.

    >>> within(10, lambda: 6 * 7, "multiplying")
    42
    >>> within(0.05, lambda: [None for _ in iter(int, 1)], "waiting")
    Traceback (most recent call last):
        ...
    diffkit.time_limit.BudgetError: waiting took longer than 0.05 s, and was stopped
    """
    watch = _Watch(worked)
    try:
        try:
            watch.start(seconds)
            value = compute()
        finally:
            watch.end()
    except RecursionError:
        raise BudgetError(f"{what} nests deeper than Python's recursion limit allows") from None
    except (_Stop, KeyboardInterrupt):
        watch.end()  # the first time, it may have been what was interrupted
        if not watch.fired:  # Ctrl-C, or the limit of a computation around this one
            raise
        raise BudgetError(f"{what} took longer than {seconds:g} s, and was stopped") from None
    return value


class _Watch:
    """Stops the thread that makes it when its time is over, until it is told that the work has ended."""

    def __init__(self, worked: bool) -> None:
        self.fired = False
        self._clock = _clock_of_this_thread() if worked else time.monotonic
        self._target = threading.get_ident()
        self._over = False
        self._since = 0.0
        self._woken = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.current_thread()

    def start(self, seconds: float) -> None:
        """The work begins. Where there are no threads, as in a browser's Python, nothing stops it."""
        watching = threading.Thread(target=self._wait, args=(seconds,), daemon=True)
        with contextlib.suppress(RuntimeError):
            watching.start()
            self._thread = watching

    def _wait(self, seconds: float) -> None:
        pause, latest = seconds, time.monotonic() + _WORST * seconds
        began = self._clock()
        while not self._woken.wait(pause):
            left = seconds - (self._clock() - began)
            if left > 0.0 and not self.fired and time.monotonic() < latest:
                pause = max(left, _AGAIN)
                continue
            with self._lock:
                if self._over:
                    return
                now = time.monotonic()
                self._since = self._since if self.fired else now
                self.fired, patient = True, now < self._since + _PATIENCE
                if patient or not _interrupt(self._target):
                    _throw(self._target, _Stop)
            pause = _AGAIN

    def end(self) -> None:
        """The work is done: nothing is thrown from here on, and what is under way is caught."""
        while True:
            try:
                with self._lock:
                    self._over = True
                self._woken.set()
                break
            except _Stop:  # it came while the lock was waited for
                continue
        if self.fired:
            try:  # taking it back, by None, would leave Python looking for one at every step from then on
                _throw(self._target, _Stop)
                while True:
                    pass
            except _Stop:
                pass
        if self._thread is not threading.current_thread():
            self._thread.join(_AGAIN)  # it has nothing more to do


def _clock_of_this_thread() -> Callable[[], float]:
    """The seconds that the processor has worked for this thread, as any thread may ask them."""
    if not hasattr(time, "pthread_getcpuclockid"):
        return time.monotonic
    clock = time.pthread_getcpuclockid(threading.get_ident())
    return lambda: time.clock_gettime(clock)


def _throw(thread: int, error: type[BaseException] | None) -> None:
    what = None if error is None else ctypes.py_object(error)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), what)


def _interrupt(thread: int) -> bool:
    """Ends a wait in C, if this is the main thread and Ctrl-C means what it usually does; whether it is."""
    if thread != threading.main_thread().ident or not hasattr(signal, "pthread_kill"):
        return False
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        return False
    _throw(thread, None)  # not both
    signal.pthread_kill(thread, signal.SIGINT)
    return True
