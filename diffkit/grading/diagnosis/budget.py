"""The work that one diagnosis may do.

A diagnosis works on answers that were recorded, so that a slow rule of a student's does not slow it: what it
runs is the exercise's own function and its derivative, a few times for each experiment. What is counted is
not the time, which a busy machine takes more of, but the calls that Python makes on the way: the same for the
same answers wherever and whenever they are graded, so that a mistake that is named once is always named. The
calls of an experiment are counted when it is first made, and charged each time.
"""

from __future__ import annotations

import contextlib
import math
import sys
import time
from collections.abc import Callable
from typing import Any

WORK = 16_000_000
"""The calls that a diagnosis may make, some sixteen seconds of them.

A mistake in an engine that nothing explains takes seven million, one in an elementwise rule a tenth of that.
"""

SECONDS = 10.0
"""The seconds for a rule of one's own, whose function may do as much as it likes in one call."""


class Exhausted(Exception):
    """The work that was allowed for is done."""


class Budget:
    """Work to be done, and, for who waits for it, time to do it in.

    Args:
        work: how many calls may be made; with infinity they need not be counted.
        seconds: how long it may take; no experiment is begun that would not end in time if it took as
            long as the longest so far. By default there is no such limit.
        clock: gives the time in seconds.

    >>> budget = Budget(work=100)
    >>> budget.spend(60)
    >>> budget.spend(60)
    Traceback (most recent call last):
    diffkit.grading.diagnosis.budget.Exhausted: 120 calls are more than 100
    """

    def __init__(
        self, work: float = WORK, seconds: float = math.inf, clock: Callable[[], float] | None = None
    ) -> None:
        self.work, self.seconds = work, seconds
        self.done = 0
        self._clock = clock or time.monotonic
        self._start = self._clock()
        self._last = self._longest = 0.0

    @property
    def spent(self) -> float:
        """The seconds since it was made."""
        return self._clock() - self._start

    def spend(self, work: int = 1) -> None:
        """Takes work from the budget, before it is done.

        Args:
            work: how many calls.

        Raises:
            Exhausted: if there is not so much left, or not enough time for another such experiment.
        """
        self.done += work
        if self.done > self.work:
            raise Exhausted(f"{self.done:,} calls are more than {self.work:,g}")
        if self.seconds == math.inf:
            return
        spent = self.spent
        self._longest, self._last = max(self._longest, spent - self._last), spent
        if spent + self._longest > self.seconds:
            raise Exhausted(f"of {self.seconds:g} s, {spent:.3g} are spent")


def calls_of(run: Callable[[], object]) -> int:
    """How many calls a function makes, of functions in Python and in C; whatever it raises is of no matter.

    It is run twice: what the first time sets up for good would be counted for whoever comes first.

    >>> 10 < calls_of(lambda: [abs(-k) for k in range(10)]) < 20
    True
    """
    calls = 0

    def count(frame: Any, event: str, argument: Any) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    with contextlib.suppress(Exception):
        run()
    before = sys.getprofile()
    sys.setprofile(count)
    try:
        with contextlib.suppress(Exception):
            run()
    finally:
        sys.setprofile(before)
    return calls
