"""What is asked of a submission: the steps of one instance, and what each of them should give.

:func:`prepare` makes them once for an exercise and a seed; their requests go to whoever runs the
submission, and :mod:`diffkit.grading.marking` compares what comes back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from diffkit.grading.exercises.exercise import DRAWS, Exercise, Instance
from diffkit.grading.exercises.styles import STYLES, Style
from diffkit.grading.inside.protocol import Point, Request, Step, pack, pack_array
from diffkit.grading.judging.truth import Linearize, Seeds, Truth, own_rule, traced, traced_forward

LARGEST_ROWS = 16
"""At a kink, the outputs are asked for one by one if there are no more than so many of them."""


@dataclass
class Trial:
    """An instance with the truth there and the request that was made of it.

    Attributes:
        truths: the truth at each of the request's points.
        seeds: the request's seeds as arrays.
        full: whether everything is asked, or only for one cotangent.
        expected, known: what has been computed of the right answers, and of whether those are known well
            enough to compare with, once for a class.
    """

    instance: Instance
    truths: list[Truth]
    seeds: list[Seeds]
    request: Request
    full: bool
    expected: dict[tuple[int, int], tuple[Any, Any]] = field(default_factory=dict)
    known: dict[tuple[int, int], bool] = field(default_factory=dict)

    def right(self, step: Step) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """The right answer to a step and how far each entry may be off; computed once."""
        key = (step.point, step.seed)
        if key not in self.expected:
            truth, seeds = self.truths[step.point], self.seeds[step.seed]
            self.expected[key] = truth(seeds), truth.tolerance(seeds)
        return self.expected[key]


def linearization(exercise: Exercise) -> Linearize:
    """How the truth of an exercise is computed."""
    if exercise.style == "jvp":
        return traced_forward(exercise.function, exercise.differentiated)
    if exercise.reference is not None:
        return own_rule(exercise.function, exercise.reference, exercise.differentiated)
    return traced(exercise.function, exercise.differentiated)


def sent(exercise: Exercise, request: Request) -> Request:
    """What is sent of a request: no value of a forward function that the students are to write."""
    if not STYLES[exercise.style].has_forward:
        return request
    return replace(request, points=tuple(replace(point, ans=None) for point in request.points))


def prepare(
    exercise: Exercise,
    seed: int,
    *,
    draws: int = DRAWS,
    visible_only: bool = False,
    known: Sequence[Trial] = (),
) -> list[Trial]:
    """The trials of an exercise, the same for the same seed.

    The first instance of each case is asked everything; the others are there for the values, and for a
    diagnosis to hold on.

    Args:
        exercise: the exercise.
        seed: what the instances are drawn from.
        draws: how many instances of each case.
        visible_only: leave out the hidden cases.
        known: trials of the same instances in another style, whose truths need not be computed again.

    Raises:
        InputError: if a case does not fit the forward function.
        NoRuleError, TraceError: if diffkit can't differentiate it and there is no ``reference``.
    """
    instances = [i for i in exercise.instances(seed, draws) if i.visible or not visible_only]
    linearize = linearization(exercise)
    replayable = exercise.function if exercise.reference is None and exercise.style != "jvp" else None

    # In forward mode the truth is another function.
    there = {
        _instance_key(i): t
        for each in known
        if "jvp" not in (exercise.style, each.request.target.style)
        for i, t in zip((each.instance, each.instance.partner), each.truths, strict=False)
        if i is not None
    }

    def truth(i: Instance) -> Truth:
        return there.get(_instance_key(i)) or Truth(
            linearize,
            i.args,
            i.kwargs,
            exercise.differentiated,
            i.ans,
            i.seeds,
            exercise.rtol,
            function=replayable,
        )

    return [trial(exercise, truth, instance, full=instance.number == 0) for instance in instances]


def _instance_key(instance: Instance) -> tuple[str, int, bool]:
    return instance.name, instance.number, instance.partner is None


def trial(exercise: Exercise, truth: Callable[[Instance], Truth], instance: Instance, *, full: bool) -> Trial:
    """The trial of one instance; ``truth`` gives the truth at an instance."""
    instances = [instance] + ([instance.partner] if instance.partner is not None and full else [])
    truths = list(map(truth, instances))
    seeds: list[Seeds] = [instance.seeds]
    steps: list[Step] = []
    style = STYLES[exercise.style]
    ask = _asker(style, steps)

    def asked(label: str, wanted: Seeds) -> None:
        seeds.append(wanted)
        ask(label, 0, len(seeds) - 1)

    ask("g", 0, 0)
    ask("again", 0, 0)
    if style.seed == "any":
        if full:
            other = instance.other_seeds
            asked("zero", tuple(s * 0 for s in instance.seeds))
            asked("minus", tuple(-s for s in instance.seeds))
            asked("twice", tuple(2 * s for s in instance.seeds))
            asked("other", other)
            asked("sum", tuple(s + t for s, t in zip(instance.seeds, other, strict=True)))
        if truths[0].kinked and exercise.style != "jvp" and 1 < instance.ans.size <= LARGEST_ROWS:
            for k in range(instance.ans.size):
                row = np.zeros(instance.ans.shape)
                row.flat[k] = 1.0
                asked(f"row {k}", (row,))
    if len(instances) == 2:
        seeds.append(instances[1].seeds)
        _second_use(style, steps, len(seeds) - 1)
    return Trial(
        instance,
        truths,
        seeds,
        Request(
            exercise.target,
            tuple(_point(exercise, i) for i in instances),
            tuple(tuple(map(pack_array, s)) for s in seeds),
            tuple(steps),
            exercise.forward == "own",
        ),
        full,
    )


def _asker(style: Style, steps: list[Step]) -> Callable[[str, int, int], None]:
    """Adds the steps of one question: on a handle that is kept, unless the style can be asked once."""

    def ask(label: str, point: int, seed: int) -> None:
        first = not any(s.action == "forward" for s in steps)
        handle = len(steps) if style.once else 0
        if style.has_forward and (first or style.once):
            steps.append(Step("forward", "forward", handle, point, -1))
        steps.append(Step(label, "backward", handle, point, seed))

    return ask


def _second_use(style: Style, steps: list[Step], seed: int) -> None:
    """A fresh object, two objects in turns, and the first object used again for other inputs."""
    fresh = [1001, 1002, 1003]
    if not style.has_forward:
        steps += [
            Step("second", "backward", 0, 1, seed),
            Step("back", "backward", 0, 0, 0),
        ]
        return
    steps += [
        Step("forward", "forward", fresh[0], 0, -1),
        Step("fresh", "backward", fresh[0], 0, 0),
        Step("forward", "forward", fresh[1], 0, -1),
        Step("forward", "forward", fresh[2], 1, -1),
        Step("interleaved", "backward", fresh[1], 0, 0),
        Step("second", "backward", fresh[2], 1, seed),
    ]
    if not style.once:
        steps += [Step("forward", "forward", 0, 1, -1), Step("reused", "backward", 0, 1, seed)]


def _point(exercise: Exercise, instance: Instance) -> Point:
    return Point(
        tuple(map(pack, instance.args)),
        tuple((name, pack(value)) for name, value in instance.kwargs.items()),
        pack(instance.ans),
        exercise.differentiated,
    )
