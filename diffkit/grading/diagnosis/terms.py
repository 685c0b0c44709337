"""The terms of a tangent: a JVP of several arguments is a sum, and usually one term of it is wrong.

What remains of the student's numbers when the other arguments' right terms are taken away is looked at as
a rule of one argument.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from diffkit.grading.diagnosis.evidence import Observation
from diffkit.grading.judging.truth import Seeds

Array = np.ndarray[Any, Any]


@dataclass(eq=False)
class Term(Observation):
    """An observation of one argument's term; ``part`` is that argument, and ``seeds`` its tangent alone."""

    def pull(
        self,
        args: Sequence[Any] | None = None,
        seeds: Seeds | None = None,
        kwargs: Mapping[str, Any] | None = None,
        part: int | None = None,
    ) -> Array | None:
        """The term in an experiment: the other arguments' tangents are 0."""
        given = self.args if args is None else args
        (tangent,) = self.seeds if seeds is None else seeds
        whole = tuple(
            np.asarray(tangent) if k == self.part else np.zeros(np.shape(given[place]))
            for k, place in enumerate(self.exercise.differentiated)
        )
        return super().pull(args, whole, kwargs, part=0)


def terms(seen: Sequence[Observation], k: int) -> list[Observation]:
    """The observations of a JVP as those of its k-th argument's term; [] where that can't be told."""
    found: list[Observation] = []
    for o in seen:
        if o.given.shape != o.right.shape:
            return []
        held = {field.name: getattr(o, field.name) for field in fields(o)}
        term = Term(**{**held, "part": k, "seeds": (o.seeds[k],)})
        right = term.pull()
        if right is None:
            return []
        term.right, term.given = right, o.given - (o.right - right)
        found.append(term)
    return found
