"""Limits: on time (:mod:`diffkit.time_limit`), and on the terms of Sums."""

from __future__ import annotations

import math
import threading
from typing import Any

import numpy as np

from diffkit.errors import DomainError, InputError
from diffkit.time_limit import BudgetError, within

__all__ = ["BudgetError", "Terms", "within"]


_FARTHEST = 2**63  # no range begins or ends beyond


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
    diffkit.time_limit.BudgetError: the Sums and Products have more than 1,000 terms: ...
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
        if any(end % 1 for end in (low, high)):
            raise DomainError(f"a Sum or Product runs over integers, but its limits are {low} and {high}")
        if max(abs(low), abs(high)) > _FARTHEST:
            raise BudgetError(self._too_many())
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
