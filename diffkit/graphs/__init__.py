"""Drawings of traces and expressions, and the page that steps through a program."""

from diffkit.graphs.abilities import capabilities
from diffkit.graphs.drawing import Drawing, draw
from diffkit.graphs.page.stepper import Stepper, stepper

__all__ = ["Drawing", "Stepper", "capabilities", "draw", "stepper"]


def __dir__() -> list[str]:
    return __all__
