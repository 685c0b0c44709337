"""``check_vjp``: the checks of the grader for one rule of one's own, at one instance, in this process.

>>> import numpy as np
>>> check_vjp(lambda g, ans, x: g * np.cos(x), np.sin, np.array([0.5, 2.0])).passed
True
>>> x, y = np.array([[1.0, 2.0], [3.0, -4.0]]), np.array([[0.5, 2.0], [1.0, -4.0]])
>>> verdict = check_vjp(lambda g, ans, x, y: (g @ y, x.T @ g), np.matmul, x, y)
>>> verdict.passed, verdict.diagnosis.name, verdict.diagnosis.arguments
(False, 'missing transpose', ('x1',))
"""

from __future__ import annotations

import math
import secrets
import time
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from diffkit.errors import DiffkitError, InputError
from diffkit.grading.draws import Draw
from diffkit.grading.exercises.exercise import Case, Exercise, Instance, random_seed
from diffkit.grading.inside.student_side import perform
from diffkit.grading.judging.answered import answered
from diffkit.grading.judging.black_box import MeasuredTruth
from diffkit.grading.judging.results import FAILED, INCONCLUSIVE, CheckResult, Verdict
from diffkit.grading.judging.trials import Trial, trial
from diffkit.grading.judging.truth import ROUNDING, Linearize, Seeds, Truth, traced
from diffkit.grading.marking import grade

Array = np.ndarray[Any, Any]

JITTERED = 4
"""How many points around the given one a diagnosis is tried on."""


WIDTHS = (0.15, 0.01, 1e-4)
"""How far around, relative to the numbers; a function may be defined in a small neighbourhood only."""

SINGLE_ROUNDING = 32 * float(np.finfo(np.float32).eps)
"""The relative error allowed in single precision: less generous, or it would hide mistakes."""


def check_vjp(
    vjp: Callable[..., Any],
    fun: Callable[..., Any],
    *args: Any,
    argnum: int | tuple[int, ...] | None = None,
    seed: int | None = None,
    **kwargs: Any,
) -> Verdict:
    """Checks a rule ``vjp(g, ans, *args, **kwargs)`` of a function at one point.

    Beside the values, it checks what a comparison of numbers alone misses: shapes and dtypes, linearity
    in g, inputs changed in place, and the second call. The truth comes from a trace of ``fun``; if no
    trace can enter it, from extrapolated differences with an estimate of their error. At a
    kink any valid subgradient passes, and where the truth is not known well enough the check says
    "inconclusive". The kind of mistake is looked for during 10 seconds at most: a rule that is too slow to be
    called at further points in that time is told so.

    Args:
        vjp: the rule. It returns one cotangent, or a tuple of one for each differentiated argument.
        fun: the function that it is the rule of. Its answer is a real number or array.
        *args: the point: numbers and arrays.
        argnum: which arguments are differentiated by; all that hold floats by default.
        seed: what the cotangents are drawn from; a fresh one by default. The verdict holds it.
        **kwargs: keyword arguments, for ``fun`` and ``vjp`` alike.

    Returns:
        A :class:`~diffkit.grading.judging.results.Verdict`: ``.passed``, ``.checks``, ``.diagnosis``; as
        text, a report with the expected and the given numbers side by side.

    Raises:
        InputError: if there is nothing to differentiate by, or ``fun`` does not return real numbers.

    >>> wrong = check_vjp(
    ...     lambda g, ans, x, y: (g * y, g * x), np.multiply, np.ones((2, 3)), np.ones(3), seed=1
    ... )
    >>> wrong.passed, wrong.diagnosis.name
    (False, 'broadcast not summed')
    >>> import math
    >>> check_vjp(lambda g, ans, x: g / (2 * ans), lambda x: math.sqrt(float(x)), 2.0).passed
    True
    """
    if seed is None:
        seed = secrets.randbelow(2**32)
    rng = np.random.default_rng(seed)
    places = _places(args, argnum)
    ans = _value(fun, args, kwargs)
    single = any(np.asarray(args[k]).dtype == np.float32 for k in places)
    rounding = SINGLE_ROUNDING if single else ROUNDING
    exercise = _exercise(vjp, fun, args, kwargs, places)
    submission = types.SimpleNamespace(rule=vjp)
    linearize, measured = _linearization(fun, args, kwargs, places, ans)

    def truth(instance: Instance) -> Truth:
        point = tuple(_double(a) if k in places else a for k, a in enumerate(instance.args))
        seeds: Seeds = tuple(s.astype(float) for s in instance.seeds)
        if measured:
            return MeasuredTruth(fun, point, kwargs, places, instance.ans, seeds, rounding)
        return Truth(linearize, point, kwargs, places, instance.ans, seeds, 0.0, rounding, fun)

    def asked(point: Sequence[Any], partner: Instance | None, number: int) -> Trial:
        instance = _instance(rng, point, kwargs, _value(fun, point, kwargs), number, partner)
        return trial(exercise, truth, instance, full=number == 0)

    def jittered(number: int, width: float = WIDTHS[0]) -> Trial | None:
        point = [_moved(rng, a, width) if k in places else a for k, a in enumerate(args)]
        try:
            found = asked(point, None, number)
        except (DiffkitError, ValueError, ArithmeticError):
            return None
        return found if np.isfinite(found.instance.ans).all() else None

    beside = next(filter(None, (jittered(1, width) for width in WIDTHS)), None)
    first = asked(args, beside.instance if beside is not None else None, 0)
    start = time.monotonic()
    response = perform(submission, first.request, Exception)
    a_call = (time.monotonic() - start) / len(first.request.steps)
    verdict = grade(exercise, [first], [response], seed=seed, diagnose=False)
    if verdict.passed:
        return verdict
    if not measured and _disputed(fun, first, rounding):
        return _inconclusive(verdict)
    from diffkit.grading.diagnosis import Budget, diagnose, unfinished
    from diffkit.grading.diagnosis.budget import SECONDS

    budget, enough = Budget(math.inf, SECONDS), True
    found = [answered(exercise, first, response)]
    for number in range(1, JITTERED + 1):
        near = beside if number == 1 else jittered(number)
        if near is None:
            continue
        if budget.spent + len(near.request.steps) * a_call > budget.seconds:
            enough = False  # a rule as slow as this is not called again
            break
        found.append(answered(exercise, near, perform(submission, near.request, Exception)))
    diagnosis = diagnose(exercise, found, budget)
    if diagnosis is None and not enough:
        diagnosis = unfinished()
    return replace(verdict, diagnosis=diagnosis)


def _places(args: Sequence[Any], argnum: int | tuple[int, ...] | None) -> tuple[int, ...]:
    floats = [k for k, a in enumerate(args) if np.asarray(a).dtype.kind == "f"]
    if argnum is None:
        if not floats:
            raise InputError("none of the arguments holds floats: nothing to differentiate by (1.0, not 1)")
        return tuple(floats)
    wanted = argnum if isinstance(argnum, tuple) else (argnum,)
    for k in wanted:
        if not isinstance(k, int) or not -len(args) <= k < len(args):
            raise InputError(f"argnum is {k!r}, but there are {len(args)} arguments")
        if k % len(args) not in floats:
            given = type(args[k]).__name__
            raise InputError(
                f"argument {k} is {given} and holds no real floats: pass 1.0 for 1, or astype(float)"
            )
    return tuple(k % len(args) for k in wanted)


def _value(fun: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Array:
    with np.errstate(all="ignore"):
        value = fun(*args, **kwargs)
    array = np.asarray(value)
    if array.dtype.kind not in "fiu" or isinstance(value, tuple | list):
        name = getattr(fun, "__name__", "fun")
        raise InputError(
            f"{name} must return one real number or array to be checked, not {type(value).__name__}"
        )
    return array.astype(float) if array.dtype.kind != "f" else array


def _exercise(
    vjp: Callable[..., Any],
    fun: Callable[..., Any],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    places: tuple[int, ...],
) -> Exercise:
    draws = [Draw(_always(a), k in places) for k, a in enumerate(args)]
    name = getattr(vjp, "__name__", "rule")
    return Exercise(
        fun,
        [Case("the given point", *draws, **dict(kwargs))],
        name if name.isidentifier() else "rule",
        defines=("rule",),
        hint_level=3,
    )


def _always(value: Any) -> Callable[[Any, Any], Any]:
    return lambda rng, sizes: value


def _instance(
    rng: np.random.Generator,
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    ans: Array,
    number: int,
    partner: Instance | None,
) -> Instance:
    g, other = (random_seed(rng, ans).astype(ans.dtype) for _ in range(2))
    name = "the given point" if number == 0 else "a point nearby"
    return Instance(name, number, tuple(args), kwargs, ans, (g,), (other,), True, partner)


def _moved(rng: np.random.Generator, value: Any, width: float) -> Any:
    """A point nearby, with zeros and signs where they were."""
    factor = rng.uniform(1 - width, 1 + width, np.shape(value))
    if isinstance(value, np.ndarray):
        return (value * factor).astype(value.dtype)
    return type(value)(value * factor)


def _linearization(
    fun: Callable[..., Any],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    places: tuple[int, ...],
    ans: Array,
) -> tuple[Linearize, bool]:
    """How the truth is found: by a trace if one can enter, else by differences (True)."""
    linearize = traced(fun, places)
    try:
        with np.errstate(all="ignore"):
            linearize(tuple(map(_double, args)), kwargs)((np.ones(ans.shape),))
    except Exception:  # whatever a function does that is not made for traced values
        return linearize, True
    return linearize, False


def _double(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind == "f":
        return value.astype(float)
    return value


def _disputed(fun: Callable[..., Any], first: Trial, rounding: float) -> bool:
    """Whether differences of the function contradict the trace: a rule of the user's own may be wrong."""
    truth = first.truths[0]
    if truth.kinked or sum(np.size(truth.args[k]) for k in truth.differentiated) > 200:
        return False
    seeds = first.seeds[0]
    other = MeasuredTruth(fun, truth.args, truth.kwargs, truth.differentiated, truth.ans, seeds, rounding)
    if other.kinked:
        return False
    pairs = zip(truth(seeds), other(seeds), truth.tolerance(seeds), other.tolerance(seeds), strict=True)
    return any(np.any(np.abs(a - b) > s + t) for a, b, s, t in pairs)


def _inconclusive(verdict: Verdict) -> Verdict:
    text = "a trace of the function and differences of its values contradict each other"
    checks = [
        CheckResult(c.name, INCONCLUSIVE, text)
        if c.name in ("values", "second use") and c.status == FAILED
        else c
        for c in verdict.checks
    ]
    return replace(verdict, checks=tuple(checks))
