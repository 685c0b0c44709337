"""The time that one diagnosis may take.

A diagnosis works on answers that were recorded, so that a slow rule of a student's does not slow it: what
it runs is the exercise's own function, a few times for each experiment. The clock is looked at before each
of them. One that has begun can't be stopped, so none is begun that would not end in time if it took as
long as the longest so far.
"""

from __future__ import annotations

import time
from collections.abc import Callable

__all__ = ["SECONDS", "Budget", "OutOfTime"]

SECONDS = 10.0
"""The seconds that a diagnosis may take. An unrecognised mistake usually takes 0.2."""


class OutOfTime(Exception):
    """The time is spent."""


class Budget:
    """A time to spend, from now on.

    >>> ticks = iter(range(10))
    >>> budget = Budget(3.0, lambda: float(next(ticks)))
    >>> budget.check(), budget.check()
    (None, None)
    >>> budget.check()
    Traceback (most recent call last):
    ...
    diffkit.grading.diagnosis.budget.OutOfTime: of 3 s, 3 are spent, and an experiment takes up to 1 s
    """

    def __init__(self, seconds: float = SECONDS, clock: Callable[[], float] | None = None) -> None:
        self.seconds = seconds
        self._clock = clock or time.monotonic
        self._start = self._clock()
        self._last = self._longest = 0.0

    @property
    def spent(self) -> float:
        """The seconds since it was made."""
        return self._clock() - self._start

    def check(self) -> None:
        """Looks at the clock, before an experiment.

        Raises:
            OutOfTime: if the time is spent, or would be before the end of another such experiment.
        """
        spent = self.spent
        self._longest, self._last = max(self._longest, spent - self._last), spent
        if spent + self._longest > self.seconds:
            took = f"{spent:.3g} are spent, and an experiment takes up to {self._longest:.3g} s"
            raise OutOfTime(f"of {self.seconds:g} s, {took}")
