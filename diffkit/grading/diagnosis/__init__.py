"""What kind of mistake it is: found by experiment, named only if it reproduces the student's numbers.

:mod:`finding` goes about it: what the :mod:`calls` show by themselves (inputs changed, another answer the
second time), then for each of the :mod:`parts` the hypotheses of :mod:`experiments`, :mod:`words`,
:mod:`paths`, :mod:`numerics`, :mod:`engines` and :mod:`search`, simplest first, and what is :mod:`remaining`.
A hypothesis is named if it reproduces what was given on every instance that it says anything about, and
on three at least on which it differs from the truth (:mod:`agreement`). All of it has a :mod:`budget` of
time.
"""

from diffkit.grading.diagnosis.budget import Budget
from diffkit.grading.diagnosis.finding import diagnose, unfinished

__all__ = ["Budget", "diagnose", "unfinished"]
