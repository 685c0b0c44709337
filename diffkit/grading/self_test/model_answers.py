"""Submissions made from a rule, in every style: what the self-test hands in.

>>> import numpy as np
>>> from diffkit.grading import catalogue
>>> gate = submission(catalogue.exercise("square", style="gate"), lambda g, ans, x: 2 * g * x).Square()
>>> gate.forward(np.array([3.0])), gate.backward(np.array([0.5]))
(array([9.]), array([3.]))
"""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

import numpy as np

from diffkit.grading.exercises.exercise import Exercise
from diffkit.grading.judging.trials import linearization
from diffkit.grading.self_test import right_engines as engines

Rule = Callable[..., Any]


def model_answer(exercise: Exercise) -> Any:
    """A submission that gives the reference's own answers."""
    if exercise.style == "engine":
        own = {name: engines.Value for name in exercise.defines if not hasattr(engines, name)}
        return types.SimpleNamespace(**vars(engines), **own)
    linearize = linearization(exercise)

    def rule(g: Any, ans: Any, *args: Any, **kwargs: Any) -> Any:
        seeds = tuple(map(np.asarray, g)) if isinstance(g, tuple) else (np.asarray(g),)
        answer = linearize(args, kwargs)(seeds)
        return answer if len(answer) > 1 else answer[0]

    return submission(exercise, rule)


def submission(exercise: Exercise, rule: Rule) -> Any:
    """A submission in the exercise's style that answers by ``rule(g, ans, *args, **kwargs)``."""
    return _MAKERS[exercise.style](exercise, rule)


def _plain_rule(exercise: Exercise, rule: Rule) -> Any:
    return types.SimpleNamespace(**{exercise.defines[0]: rule})


def _made(exercise: Exercise) -> type[Any]:
    """A class that keeps the keyword arguments that it is made of."""

    class Made:
        def __init__(self, *made: Any) -> None:
            self.made = dict(zip(exercise.constructor, made, strict=False))
            self.held = dict(zip(exercise.parameters, made[len(exercise.constructor) :], strict=False))

        def whole(self, given: tuple[Any, ...]) -> tuple[Any, ...]:
            """All arguments: those that are given, and those that it holds."""
            rest = iter(given)
            return tuple(self.held[n] if n in self.held else next(rest) for n in exercise.arguments)

    return Made


def _partials(exercise: Exercise, rule: Rule) -> Any:
    class Operation(_made(exercise)):  # type: ignore[misc]
        def func(self, *args: Any, **kwargs: Any) -> Any:
            return exercise.function(*args, **kwargs, **self.made)

        def grads(self, *args: Any, **kwargs: Any) -> Any:
            ans = np.asarray(exercise.function(*args, **kwargs, **self.made))
            return rule(np.ones_like(ans), ans, *args, **kwargs, **self.made)

    return types.SimpleNamespace(**{exercise.defines[0]: Operation})


def _gate(exercise: Exercise, rule: Rule) -> Any:
    class Gate(_made(exercise)):  # type: ignore[misc]
        def forward(self, *args: Any, **kwargs: Any) -> Any:
            self.args, self.kwargs = self.whole(args) if self.held else args, kwargs | self.made
            self.ans = exercise.function(*self.args, **self.kwargs)
            return self.ans

        def backward(self, g: Any) -> Any:
            return rule(g, self.ans, *self.args, **self.kwargs)

    return types.SimpleNamespace(**{exercise.defines[0]: Gate})


def _op(exercise: Exercise, rule: Rule) -> Any:
    class Op(_made(exercise)):  # type: ignore[misc]
        def compute(self, *args: Any, **kwargs: Any) -> Any:
            self.kwargs = kwargs | self.made
            return exercise.function(*args, **self.kwargs)

        def gradient(self, out_grad: Any, node: Any) -> Any:
            return rule(out_grad, node.cached_data, *node.inputs, **self.kwargs)

    return types.SimpleNamespace(**{exercise.defines[0]: Op})


def _pair(exercise: Exercise, rule: Rule) -> Any:
    def forward(*args: Any, **kwargs: Any) -> Any:
        ans = exercise.function(*args, **kwargs)
        return ans, (ans, args, kwargs)

    def backward(dout: Any, cache: Any) -> Any:
        ans, args, kwargs = cache
        return rule(dout, ans, *args, **kwargs)

    return types.SimpleNamespace(**dict(zip(exercise.defines, (forward, backward), strict=True)))


def _value_and_gradient(exercise: Exercise, rule: Rule) -> Any:
    def both(*args: Any, **kwargs: Any) -> Any:
        ans = exercise.function(*args, **kwargs)
        return ans, rule(np.ones_like(ans), ans, *args, **kwargs)

    return types.SimpleNamespace(**{exercise.defines[0]: both})


def _context(exercise: Exercise, rule: Rule) -> Any:
    class Function:
        @staticmethod
        def forward(ctx: Any, *args: Any, **kwargs: Any) -> Any:
            ans = exercise.function(*args, **kwargs)
            ctx.save_for_backward(ans, *args)
            ctx.kwargs = kwargs
            return ans

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return rule(g, *ctx.saved_tensors, **ctx.kwargs)

    return types.SimpleNamespace(**{exercise.defines[0]: Function})


def _registered(exercise: Exercise, rule: Rule) -> Any:
    def one(part: int) -> Rule:
        def rule_of_part(g: Any, ans: Any, *args: Any, **kwargs: Any) -> Any:
            answer = rule(g, ans, *args, **kwargs)
            return answer[part] if isinstance(answer, tuple | list) else answer

        return rule_of_part

    rules = tuple(one(part) for part in range(len(exercise.differentiated)))
    name, table = exercise.defines
    return types.SimpleNamespace(**{name: exercise.function, table: {name: rules}})


_MAKERS: dict[str, Callable[[Exercise, Rule], Any]] = {
    "vjp": _plain_rule,
    "jvp": _plain_rule,
    "partials": _partials,
    "gate": _gate,
    "op": _op,
    "pair": _pair,
    "value_and_gradient": _value_and_gradient,
    "context": _context,
    "defvjp": _registered,
}
