"""What kind of mistake it is: found by experiment, named only if it reproduces the student's numbers.

:mod:`one_mistake` goes about it: what the :mod:`calls` show by themselves (inputs changed, another answer the
second time), then for each of the cotangents the :mod:`hypotheses` of :mod:`experiments`, :mod:`paths`,
:mod:`numerics`, :mod:`engine_mistakes`, :mod:`missing_factor`, simplest first, and what is :mod:`remaining`.
A hypothesis is named if it reproduces what was given on every instance that it says anything about, and
on three at least on which it differs from the truth (:mod:`agreement`). All of it has a :mod:`budget` of
time.
"""

from diffkit.grading.diagnosis.budget import Budget
from diffkit.grading.diagnosis.one_mistake import diagnose, unfinished

__all__ = ["Budget", "diagnose", "unfinished"]
