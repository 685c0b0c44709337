"""What the lesson scripts use, and how lessons are found, run and made into pages.

A lesson is a script ``lessons/NN_slug.py`` in percent format: it opens as a notebook, runs as a
program, and through ``diffkit lesson``. From here it takes :func:`fast` (smaller sizes, for CI) and
:func:`save` (a figure into ``figures/``).
"""

from __future__ import annotations

from diffkit.lessons.running import Lesson, find, listing, run, run_all
from diffkit.lessons.site import make_site
from diffkit.lessons.support import fast, figures_folder, predict, save

__all__ = [
    "Lesson",
    "fast",
    "figures_folder",
    "find",
    "listing",
    "make_site",
    "predict",
    "run",
    "run_all",
    "save",
]
