"""The reference's answers as a submission: a script that looks up what it is asked for.

A reference knows derivatives, so it can't be where submissions run. Its answers can: they are computed here,
for all that will be asked, and written into a script in the style of the exercise, by the inputs that they
belong to. The script then goes the way that every submission goes, through sandbox, wire and checks.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from diffkit.grading.exercises.exercise import Exercise
from diffkit.grading.inside.protocol import unpack
from diffkit.grading.judging.trials import Trial
from diffkit.grading.self_test import right_engines as engines


def key_of(*values: Any) -> str:
    """Values as a text, the same here and in the script: numbers by all their digits, whatever holds them."""
    parts: list[Any] = []
    for value in values:
        if isinstance(value, dict):
            parts.append(sorted((repr(k), key_of(v)) for k, v in value.items()))
        elif isinstance(value, (list, tuple)):
            parts.append([key_of(v) for v in value])
        elif isinstance(value, (np.ndarray, np.generic, float, int)):
            parts.append((np.shape(value), np.asarray(value).tolist()))
        else:
            parts.append(value)
    return repr(parts)


_HEAD = '''from __future__ import annotations

import numpy as np

nan, inf = float("nan"), float("inf")


{key_of}

def found(table, *asked):
    """The answer to a question; arrays, a tuple of them where there are several."""
    answers = [np.array(v, dtype=t).reshape(s)[()] for t, s, v in table[key_of(*asked)]]
    return answers[0] if len(answers) == 1 else tuple(answers)


class Made:
    def __init__(self, *made):
        self.made = dict(zip({constructor}, made))
        self.held = dict(zip({parameters}, made[len({constructor}):]))

    def whole(self, given):
        rest = iter(given)
        return tuple(self.held[n] if n in self.held else next(rest) for n in {arguments})


VALUES = {values}

DERIVATIVES = {derivatives}

'''

_BODIES = {
    "vjp": """
def {0}(g, ans, *args, **kwargs):
    return found(DERIVATIVES, g, args, kwargs)
""",
    "partials": """
class {0}(Made):
    def func(self, *args, **kwargs):
        return found(VALUES, args, kwargs | self.made)

    def grads(self, *args, **kwargs):
        return found(DERIVATIVES, np.ones_like(self.func(*args, **kwargs)), args, kwargs | self.made)
""",
    "op": """
class {0}(Made):
    def compute(self, *args, **kwargs):
        self.kwargs = kwargs | self.made
        return found(VALUES, args, self.kwargs)

    def gradient(self, out_grad, node):
        return found(DERIVATIVES, out_grad, node.inputs, self.kwargs)
""",
    "gate": """
class {0}(Made):
    def forward(self, *args, **kwargs):
        self.asked = self.whole(args) if self.held else args, kwargs | self.made
        return found(VALUES, *self.asked)

    def backward(self, g):
        return found(DERIVATIVES, g, *self.asked)
""",
    "pair": """
def {0}(*args, **kwargs):
    return found(VALUES, args, kwargs), (args, kwargs)


def {1}(dout, cache):
    return found(DERIVATIVES, dout, *cache)
""",
    "value_and_gradient": """
def {0}(*args, **kwargs):
    value = found(VALUES, args, kwargs)
    return value, found(DERIVATIVES, np.ones_like(value), args, kwargs)
""",
    "context": """
class {0}:
    @staticmethod
    def forward(ctx, *args, **kwargs):
        ctx.save_for_backward(args, kwargs)
        return found(VALUES, args, kwargs)

    @staticmethod
    def backward(ctx, g):
        return found(DERIVATIVES, g, *ctx.saved_tensors)
""",
    "defvjp": """
def {0}(*args, **kwargs):
    raise NotImplementedError


def one(k):
    def rule(g, ans, *args, **kwargs):
        answer = found(DERIVATIVES, g, args, kwargs)
        return answer[k] if isinstance(answer, tuple) else answer

    return rule


{1} = {{{0}: [one(k) for k in range({count})]}}
""",
}
_BODIES["jvp"] = _BODIES["vjp"]


def recorded_submission(exercise: Exercise, trials: Sequence[Trial]) -> str:
    """The text of a submission with the reference's answers to all that the trials ask.

    Args:
        exercise: the exercise, in the style that is wanted.
        trials: what :func:`~diffkit.grading.judging.trials.prepare` made of it, in this style.
    """
    if exercise.style == "engine":
        text = Path(engines.__file__).read_text(encoding="utf-8")
        return text + "".join(
            f"\n\n{name} = Value\n" for name in exercise.defines if not hasattr(engines, name)
        )
    values: dict[str, Any] = {}
    derivatives: dict[str, Any] = {}
    for each in trials:
        for step in each.request.steps:
            point = each.request.points[step.point]
            args = tuple(map(unpack, point.args))
            kwargs = {name: unpack(value) for name, value in point.kwargs}
            values.setdefault(key_of(args, kwargs), [_literal(each.truths[step.point].ans)])
            if step.action == "backward":
                seeds = each.seeds[step.seed]
                asked = seeds[0] if len(seeds) == 1 else tuple(seeds)
                right, _ = each.right(step)
                derivatives.setdefault(key_of(asked, args, kwargs), [_literal(c) for c in right])
    head = _HEAD.format(
        constructor=exercise.constructor,
        parameters=exercise.parameters,
        arguments=exercise.arguments,
        key_of=inspect.getsource(key_of),
        values=_lines(values),
        derivatives=_lines(derivatives),
    )
    return head + _BODIES[exercise.style].format(*exercise.defines, count=len(exercise.differentiated))


def _literal(value: Any) -> tuple[str, tuple[int, ...], Any]:
    array = np.asarray(value)
    return array.dtype.str, array.shape, array.tolist()


def _lines(table: Mapping[str, Any]) -> str:
    return "{\n" + "".join(f"    {key!r}: {value!r},\n" for key, value in table.items()) + "}"
