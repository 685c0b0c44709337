"""The time that one diagnosis may take.

A diagnosis works on answers that were recorded, so that a slow rule of a student's does not slow it: what
it runs is the exercise's own function, a few times for each experiment. The clock is looked at before each
of them; one that has begun is finished.
"""

from __future__ import annotations

import time
from collections.abc import Callable

__all__ = ["SECONDS", "Budget", "OutOfTime"]

SECONDS = 10.0
"""After so many seconds no further experiment is begun. An unrecognised mistake usually takes 0.2."""


class OutOfTime(Exception):
    """The time is spent."""


class Budget:
    """A time to spend, from now on.

    >>> ticks = iter(range(10))
    >>> budget = Budget(2.0, lambda: float(next(ticks)))
    >>> budget.check(), budget.check()
    (None, None)
    >>> budget.check()
    Traceback (most recent call last):
    ...
    diffkit.grading.diagnosis.budget.OutOfTime: 2 s are spent
    """

    def __init__(self, seconds: float = SECONDS, clock: Callable[[], float] | None = None) -> None:
        self.seconds = seconds
        self._clock = clock or time.monotonic
        self._start = self._clock()

    @property
    def spent(self) -> float:
        """The seconds since it was made."""
        return self._clock() - self._start

    def check(self) -> None:
        """Looks at the clock.

        Raises:
            OutOfTime: if the time is spent.
        """
        if self.spent > self.seconds:
            raise OutOfTime(f"{self.seconds:g} s are spent")
