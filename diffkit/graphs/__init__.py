"""Drawings of traces and expressions, and the page that steps through a program."""

from diffkit.graphs.abilities import capabilities
from diffkit.graphs.drawing import Drawing, draw
from diffkit.graphs.layout.layout_engines import lay_out_with
from diffkit.graphs.matrix_picture import MatrixPicture, draw_matrix
from diffkit.graphs.page.explorer import Explorer
from diffkit.graphs.page.stepper import Stepper
from diffkit.graphs.text_picture import TextPicture, draw_text

__all__ = [
    "Drawing",
    "Explorer",
    "MatrixPicture",
    "Stepper",
    "TextPicture",
    "capabilities",
    "draw",
    "draw_matrix",
    "draw_text",
    "lay_out_with",
]


def __dir__() -> list[str]:
    return __all__
