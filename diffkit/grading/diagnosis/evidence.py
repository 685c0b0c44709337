"""What a diagnosis goes by: the student's numbers, the truth, and the means to experiment.

An :class:`Observation` is one part of one answer (the cotangent of x at one instance). A hypothesis
takes it to the numbers that a student with that misconception would have given.
"""

from __future__ import annotations

import itertools
import math
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from diffkit.grading.diagnosis.budget import Budget, calls_of
from diffkit.grading.exercises.exercise import Exercise, defaults
from diffkit.grading.judging.answered import Answered
from diffkit.grading.judging.answers import Answer
from diffkit.grading.judging.truth import Seeds, Truth

Array = np.ndarray[Any, Any]

MATCH = 1e-9
"""How closely a hypothesis has to reproduce the student's numbers, relative to the largest."""


def close(a: Any, b: Any, rtol: float = MATCH, atol: Any = 0.0) -> bool:
    """Whether two arrays have one shape and, to a tolerance relative to the largest entry, one content.

    Entries that are not finite must be so in both.
    """
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if a.shape != b.shape:
        return False
    finite = np.isfinite(b)
    if not np.array_equal(np.isfinite(a), finite):
        return False
    size = np.abs(b[finite]).max(initial=0.0)
    allowed = rtol * size + np.broadcast_to(np.asarray(atol, dtype=float), b.shape)[finite]
    return bool(np.all(np.abs(a[finite] - b[finite]) <= allowed))


_COSTS: weakref.WeakKeyDictionary[Truth, int] = weakref.WeakKeyDictionary()
"""The calls of an experiment, for each truth: the same trials serve a whole class."""


@dataclass(eq=False)
class Observation:
    """A part of an answer.

    Attributes:
        exercise: the exercise.
        part: which part; for rules in reverse mode, the argument ``exercise.differentiated[part]``.
        truth: the truth at the instance.
        seeds: what it was asked for.
        given: the student's numbers.
        right: the right ones.
        tolerance: how far they may be off.
        case: the name of the ladder's case.
        answer: the whole answer.
        budget: the work that may still be done in experiments.
    """

    exercise: Exercise
    part: int
    truth: Truth
    seeds: Seeds
    given: Array
    right: Array
    tolerance: Array
    case: str
    answer: Answer
    budget: Budget

    @property
    def args(self) -> tuple[Any, ...]:
        """The arguments."""
        return self.truth.args

    @property
    def ans(self) -> Array:
        """The forward function's value."""
        return self.truth.ans

    @property
    def g(self) -> Array:
        """The cotangent."""
        return self.seeds[0]

    @property
    def place(self) -> int:
        """The number of the argument that the part belongs to."""
        return self.exercise.differentiated[self.part]

    @property
    def x(self) -> Array:
        """That argument."""
        return np.asarray(self.args[self.place])

    @cached_property
    def wrong(self) -> bool:
        """Whether the part is wrong."""
        if self.given.shape != self.right.shape:
            return True
        with np.errstate(all="ignore"):
            return bool(
                np.any(~(np.abs(self.given - self.right) <= self.tolerance) & np.isfinite(self.right))
            )

    @property
    def cost(self) -> int:
        """The calls that an experiment makes: the function and its derivative, at the instance."""
        if self.budget.work == math.inf:
            return 1
        if self.truth not in _COSTS:
            _COSTS[self.truth] = calls_of(lambda: self.truth.at(self.truth.args)(self.truth.probe))
        return _COSTS[self.truth]

    def pull(
        self,
        args: Sequence[Any] | None = None,
        seeds: Seeds | None = None,
        kwargs: Mapping[str, Any] | None = None,
        part: int | None = None,
    ) -> Array | None:
        """The derivative in an experiment: other arguments, another cotangent; None if that can't be."""
        self.budget.spend(self.cost)
        try:
            pull = self.truth.at(self.args if args is None else args, kwargs)
            answer = pull(self.seeds if seeds is None else seeds)
        except Exception:  # shapes that do not fit together, and whatever else an experiment meets
            return None
        return np.asarray(answer[self.part if part is None else part])

    def forward(self, args: Sequence[Any], kwargs: Mapping[str, Any] | None = None) -> Array | None:
        """The forward function in an experiment."""
        self.budget.spend(self.cost)
        try:
            return self.exercise.value(args, self.truth.kwargs if kwargs is None else kwargs)
        except Exception:
            return None

    @cached_property
    def numbers(self) -> dict[str, Array]:
        """The arguments that are numbers, by name: not dicts of parameters, texts, slices."""
        named = {
            n: np.asarray(a)
            for n, a in zip(self.exercise.arguments, self.args, strict=True)
            if isinstance(a, np.ndarray | np.generic | float | int)
        }
        return {name: a for name, a in named.items() if a.dtype.kind in "biuf"}

    @cached_property
    def quantities(self) -> dict[str, Array]:
        """What could stand beside an entry of the part, in its shape: arguments, answer, keywords, g."""
        found: dict[str, Any] = {"ans": self.ans, "g": self.g}
        found |= {name: np.asarray(a, dtype=float) for name, a in self.numbers.items()}
        for key, value in {**defaults(self.exercise.function), **self.truth.kwargs}.items():
            if isinstance(value, int | float) and not isinstance(value, bool) and key != "axis":
                found[key] = np.asarray(float(value))
        arguments = self.exercise.arguments
        same = [(n, a) for n, a in found.items() if n in arguments and np.shape(a) == np.shape(self.x)]
        for (one, a), (two, b) in itertools.combinations(same, 2):
            found[f"{one} - {two}"] = a - b
        usable = {}
        for name, v in found.items():
            try:
                usable[name] = np.array(np.broadcast_to(v, self.right.shape), dtype=float)
            except ValueError:
                continue
        return usable

    @cached_property
    def jacobian(self) -> Array | None:
        """The Jacobian, answer's axes first; None if it is large, or of several arguments in forward mode."""
        if (self.x if self.exercise.style == "jvp" else self.ans).size > 64 or len(self.seeds) > 1:
            return None
        if self.exercise.style == "jvp":
            return self._by_columns()
        rows = []
        for k in range(self.ans.size):
            seed = np.zeros(self.ans.shape)
            seed.flat[k] = 1.0
            row = self.pull(seeds=(seed,))
            if row is None:
                return None
            rows.append(row)
        if not rows:
            return None
        return np.stack(rows).reshape((*self.ans.shape, *rows[0].shape))

    def _by_columns(self) -> Array | None:
        columns = []
        for k in range(self.x.size):
            seed = np.zeros(self.x.shape)
            seed.flat[k] = 1.0
            column = self.pull(seeds=(seed,))
            if column is None:
                return None
            columns.append(column)
        if not columns:
            return None
        return np.stack(columns, axis=-1).reshape((*self.ans.shape, *self.x.shape))


def negated(a: Array | None) -> Array | None:
    """Minus an array, if there is one."""
    return None if a is None else -a


Hypothesis = Callable[[Observation], Array | None]
"""Takes an observation to what a student with a misconception would have given; None if that says nothing."""

Family = Callable[[Observation], Iterator[tuple[str, str, Hypothesis]]]
"""Takes a first observation to hypotheses worth trying: the mistake's name, a detail, the hypothesis."""


def observations(exercise: Exercise, found: Sequence[Answered], budget: Budget) -> Iterator[Observation]:
    """The parts of all answers that can be looked at, smallest instance first."""
    for each in sorted(found, key=lambda e: e.instance.size or math.inf):
        if each.trial.truths[0].kinked:
            continue
        for step, answer in each.derivatives():
            if step.label != "g" or not answer.complete:
                continue
            truth, seeds = each.trial.truths[step.point], each.trial.seeds[step.seed]
            right, tolerance = each.trial.right(step)
            for part, (given, c, tol) in enumerate(zip(answer.arrays, right, tolerance, strict=True)):
                yield Observation(
                    exercise,
                    part,
                    truth,
                    seeds,
                    given,
                    np.asarray(c),
                    np.asarray(tol),
                    each.instance.name,
                    answer,
                    budget,
                )
