"""Drawings of traces and expressions, and the page that steps through a program."""

from diffkit.graphs.abilities import capabilities
from diffkit.graphs.drawing import Drawing, draw

__all__ = ["Drawing", "capabilities", "draw"]
