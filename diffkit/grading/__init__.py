"""Grading students' derivative rules, and checking one's own.

>>> import numpy as np
>>> import diffkit as dk
>>> dk.grading.check_vjp(lambda g, ans, x: 2 * g * x, np.square, np.array([0.5, -1.0])).passed
True

The path of a submission: an :mod:`exercise <diffkit.grading.exercises.exercise>` draws instances; of each,
:mod:`trials` makes a request (:mod:`protocol`) and the truth (:mod:`truth`); the
:mod:`student_side` performs the request; :mod:`checks` compares; :mod:`diagnosis` finds the kind of
mistake. The names are listed in ``__init__.pyi`` and imported when they are first used, so that a
worker that runs students' code does not hold what knows the answers.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
