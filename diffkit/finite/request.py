"""What a caller of this room has asked for: one object for the arguments that all of its functions share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from diffkit.finite.choosing.plan import Bounds, Form
from diffkit.finite.evaluating.argument import Argument
from diffkit.finite.evaluating.function import Function


@dataclass(slots=True)
class Request:
    """A derivative that is wanted; the fields are :func:`~diffkit.finite.derivative`'s arguments."""

    f: Callable[[Any], Any]
    x: Any
    form: Form
    h: Any
    order: int | None
    n: int
    full: bool
    bounds: Bounds | None
    vectorized: bool
    workers: Any

    @property
    def plain(self) -> bool:
        """Whether only the formula is wanted, at a given step: see :mod:`~diffkit.finite.quick`."""
        simple = self.bounds is None and not self.vectorized and self.workers is None
        return simple and self.h is not None and not self.full

    def function(self) -> Function:
        """f at its point, ready to be run."""
        return Function(self.f, Argument(self.x), vectorized=self.vectorized, workers=self.workers)
