"""What the lesson scripts use, and how lessons are found, run and made into pages.

A lesson is a script ``lessons/NN_slug.py`` in percent format: it opens as a notebook, runs as a
program, and through ``diffkit lesson``. From here it takes :func:`fast` (smaller sizes, for CI),
:func:`save` (a figure into ``figures/``), :func:`predict` (a question to the reader),
:func:`seconds` (how long something takes) and :func:`digits` (pictures to learn from).
"""

from __future__ import annotations

from diffkit.lessons.digits import digits
from diffkit.lessons.running import Lesson, find, lessons, listing, run, run_all
from diffkit.lessons.site import make_site
from diffkit.lessons.support import drawn_in, fast, figures_folder, predict, save, seconds

__all__ = [
    "Lesson",
    "digits",
    "drawn_in",
    "fast",
    "figures_folder",
    "find",
    "lessons",
    "listing",
    "make_site",
    "predict",
    "run",
    "run_all",
    "save",
    "seconds",
]
