"""The grader beside other gradient checkers, on one collection of right and wrong rules.

Run ``python tests/benchmarks/test_grading.py`` for the whole table: kill rate, false-alarm rate
(ordinary inputs, kinks, extreme scales), and the share of mistakes that are named rightly. Checkers
that are not installed are left out and named.

What a checker is given: the same rules, wrapped as its library wants them, at the same instances that
diffkit's ladder draws (but for empty ones), with the library's own defaults for steps and tolerances. A
right rule counts as failed if the checker objects to it at any instance. A wrong rule counts as killed
if the checker objects to it at an instance at which it does not object to the right rule: who
rejects everything has found nothing.
"""

from __future__ import annotations

import functools
import sys
import time
import types
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))

from diffkit.grading import catalogue
from diffkit.grading.exercises.starter import scaffold
from diffkit.grading.inside.student_side import load, perform
from diffkit.grading.judging.trials import prepare
from diffkit.grading.marking import grade
from diffkit.grading.self_test.in_process import grade_in_process
from diffkit.tables import Table
from tests.grading.collection.held_out import HELD_OUT
from tests.grading.collection.right import RIGHT
from tests.grading.collection.styled import STYLED
from tests.grading.collection.unseen import UNSEEN
from tests.grading.collection.wrong import WRONG

SEED = 1
KINDS = {
    "kinks": ("kink", "ties"),
    "extreme": ("large", "tiny", "saturated", "overflowing", "unlike sizes", "large base", "tiny base"),
}


class Objection(Exception):
    """A checker says that a rule is wrong."""


# -- the checkers: each takes exercise, instance and rule, and raises if it objects ------------------------


def _forward(exercise: Any, instance: Any) -> Callable[..., Any]:
    """The forward function of the differentiated arguments alone."""

    def f(*held: Any) -> Any:
        args = list(instance.args)
        for k, a in zip(exercise.differentiated, held, strict=True):
            args[k] = a
        return exercise.function(*args, **instance.kwargs)

    return f


def _backward(exercise: Any, instance: Any, rule: Any) -> Callable[..., tuple[Any, ...]]:
    def b(g: Any, ans: Any, *held: Any) -> tuple[Any, ...]:
        args = list(instance.args)
        for k, a in zip(exercise.differentiated, held, strict=True):
            args[k] = a
        given = rule(g, ans, *args, **instance.kwargs)
        if not isinstance(given, tuple | list):
            given = (given,)
        return tuple(c for c in given if c is not None)

    return b


def _held(exercise: Any, instance: Any) -> list[Any]:
    return [np.array(instance.args[k]) for k in exercise.differentiated]


def by_torch(exercise: Any, instance: Any, rule: Any) -> None:
    import torch

    f, b = _forward(exercise, instance), _backward(exercise, instance, rule)

    class Function(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, *held: Any) -> Any:
            ctx.held = [h.detach().numpy().copy() for h in held]
            ctx.ans = np.asarray(f(*ctx.held))
            return torch.from_numpy(ctx.ans.copy())

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            given = b(g.numpy().copy(), ctx.ans.copy(), *[h.copy() for h in ctx.held])
            found = tuple(torch.from_numpy(np.array(c)) for c in given)
            return found if len(found) > 1 else found[0]

    inputs = tuple(torch.from_numpy(h).requires_grad_() for h in _held(exercise, instance))
    torch.autograd.gradcheck(Function.apply, inputs)


def by_autograd(exercise: Any, instance: Any, rule: Any) -> None:
    from autograd.extend import defvjp, primitive
    from autograd.test_util import check_grads

    f, b = _forward(exercise, instance), _backward(exercise, instance, rule)
    wrapped = primitive(f)
    held = _held(exercise, instance)

    def of_part(part: int) -> Any:
        return lambda ans, *args: lambda g: b(g, ans, *args)[part]

    defvjp(wrapped, *[of_part(part) for part in range(len(held))])
    for argnum in range(len(held)):  # its default is argument 0 alone
        check_grads(wrapped, argnum, modes=["rev"], order=1)(*held)


def by_jax(exercise: Any, instance: Any, rule: Any) -> None:
    import jax
    from jax.test_util import check_grads

    jax.config.update("jax_enable_x64", True)
    f, b = _forward(exercise, instance), _backward(exercise, instance, rule)
    held = _held(exercise, instance)
    like = jax.ShapeDtypeStruct(instance.ans.shape, np.float64)

    def numpy_f(*args: Any) -> Any:
        return np.asarray(f(*[np.array(a) for a in args]), dtype=float)

    @jax.custom_vjp
    def wrapped(*args: Any) -> Any:
        return jax.pure_callback(numpy_f, like, *args)

    def forward(*args: Any) -> Any:
        ans = wrapped(*args)
        return ans, (ans, args)

    def backward(kept: Any, g: Any) -> Any:
        ans, args = kept
        given = b(np.array(g), np.array(ans), *[np.array(a) for a in args])
        return tuple(jax.numpy.asarray(np.asarray(c)) for c in given)

    wrapped.defvjp(forward, backward)
    check_grads(wrapped, tuple(held), order=1, modes=["rev"])


def by_scipy(exercise: Any, instance: Any, rule: Any) -> None:
    """check_grad returns a 2-norm and leaves the verdict to its user: here 1e-4, relative and absolute."""
    from scipy.optimize import check_grad

    f, b = _forward(exercise, instance), _backward(exercise, instance, rule)
    held = _held(exercise, instance)
    cuts = np.cumsum([h.size for h in held])[:-1]

    def parts(x: Any) -> list[Any]:
        return [p.reshape(h.shape) for p, h in zip(np.split(x, cuts), held, strict=True)]

    def scalar(x: Any) -> float:
        return float(np.sum(instance.seeds[0] * f(*parts(x))))

    def gradient(x: Any) -> Any:
        given = b(instance.seeds[0], np.asarray(f(*parts(x))), *parts(x))
        return np.concatenate([np.ravel(c) for c in given]).astype(float)

    x = np.concatenate([h.ravel() for h in held])
    if not x.size:
        return
    off = check_grad(scalar, gradient, x)
    if not off <= 1e-4 * (1 + np.linalg.norm(gradient(x))):
        raise Objection(f"check_grad gives {off}")


def _objects(check: Callable[..., None], name: str, instance: Any, rule: Any) -> bool:
    try:
        with np.errstate(all="ignore"):
            check(catalogue.exercise(name), instance, rule)
    except Exception:  # an objection in whatever form; an exception of the rule is one as well
        return True
    return False


@functools.cache
def _instances(name: str) -> list[Any]:
    found = catalogue.exercise(name).instances(SEED, draws=1)
    return [i for i in found if all(np.size(a) for a in i.args)]


@functools.cache
def _usable(check: Callable[..., None], name: str) -> list[Any]:
    """The instances at which a checker accepts a right rule."""
    rule = next(rule for n, _, rule in RIGHT if n == name)
    return [i for i in _instances(name) if not _objects(check, name, i, rule)]


def _kills(check: Callable[..., None], name: str, rule: Any) -> bool:
    return any(_objects(check, name, i, rule) for i in _usable(check, name))


def _fails(check: Callable[..., None], name: str, rule: Any, only: tuple[str, ...]) -> bool:
    return any(_objects(check, name, i, rule) for i in _instances(name) if i.name in only)


def by_diffkit(name: str, rule: Any, only: tuple[str, ...] = (), diagnose: bool = False) -> Any:
    exercise = catalogue.exercise(name)
    trials = _trials(name, 4 if diagnose else 1)
    if only:
        trials = [t for t in trials if t.instance.name in only]
    submission = types.SimpleNamespace(**{exercise.defines[0]: rule})
    responses = [perform(submission, t.request, Exception) for t in trials]
    return grade(exercise, trials, responses, seed=SEED, diagnose=diagnose)


@functools.cache
def _trials(name: str, draws: int) -> Any:
    return prepare(catalogue.exercise(name), SEED, draws=draws)


OTHERS = {
    "torch gradcheck": ("torch", by_torch),
    "autograd check_grads": ("autograd", by_autograd),
    "JAX check_grads": ("jax", by_jax),
    "SciPy check_grad": ("scipy", by_scipy),
}


def main(names: list[str]) -> None:
    """Prints the table."""
    import importlib.util

    warnings.simplefilter("ignore")
    collections = [[w for w in c if not names or w[0] in names] for c in (WRONG, HELD_OUT)]
    rights = [r for r in RIGHT if not names or r[0] in names]
    rows: list[list[Any]] = []

    def alarms(failed: Callable[[str, Any, tuple[str, ...]], bool]) -> list[str]:
        found = []
        ordinary = {c.name for n, *_ in rights for c in catalogue.exercise(n).ladder}
        ordinary -= {name for kind in KINDS.values() for name in kind}
        for only in (tuple(ordinary), *KINDS.values()):
            having = [r for r in rights if any(c.name in only for c in catalogue.exercise(r[0]).ladder)]
            found.append(f"{sum(failed(n, rule, only) for n, _, rule in having)} of {len(having)}")
        return found

    def share(count: int, whole: Sequence[Any]) -> str:
        return f"{count} of {len(whole)}"

    start = time.perf_counter()
    killed, named = [], []
    for collection in collections:
        verdicts = [(by_diffkit(n, rule, diagnose=True), expected) for n, _, rule, expected in collection]
        killed.append(share(sum(not v.passed for v, _ in verdicts), collection))
        rightly = sum(v.diagnosis is not None and v.diagnosis.name in expected for v, expected in verdicts)
        named.append(share(rightly, collection))
    seconds = time.perf_counter() - start
    mine = alarms(lambda n, rule, only: not by_diffkit(n, rule, only).passed)
    rows.append(["diffkit", *killed, *mine, *named, seconds])
    for label, (module, check) in OTHERS.items():
        if importlib.util.find_spec(module) is None:
            rows.append([label, "not installed", *[None] * 7])
            continue
        start = time.perf_counter()
        found = [share(sum(_kills(check, name, rule) for name, _, rule, _ in c), c) for c in collections]
        seconds = time.perf_counter() - start
        failed = alarms(functools.partial(_fails, check))
        rows.append([label, *found, *failed, None, None, seconds])
    columns = ["checker", "killed", "held-out killed", "alarms: ordinary", "at kinks", "extreme"]
    columns += ["named rightly", "held-out named", "seconds"]
    wrong, held_out = map(len, collections)
    print(Table(columns, rows, caption=f"{wrong} + {held_out} wrong rules, {len(rights)} right ones"))
    if not names:
        print(by_style(STYLED, "held-out submissions in the other seven styles"))
        print(by_style(UNSEEN, "unseen submissions in all eight styles"))


def by_style(collection: Sequence[tuple[str, str, str, str, set[str]]], what: str) -> Table:
    """Wrong submissions in the styles that the other checkers don't know: killed and named rightly."""
    rows = []
    for style in dict.fromkeys(each[1] for each in collection):
        mine = [each for each in collection if each[1] == style]
        killed = named = 0
        for name, _, _, text, expected in mine:
            exercise = catalogue.exercise(name, style=style)
            verdict = grade_in_process(exercise, load(text, "submission.py", "styled_submission"), SEED)
            killed += not verdict.passed
            named += verdict.diagnosis is not None and verdict.diagnosis.name in expected
        rows.append([style, len(mine), killed, named])
    rows.append(["all", *(sum(row[k] for row in rows) for k in (1, 2, 3))])
    return Table(["style", "submissions", "killed", "named rightly"], rows, caption=what)


# -- timings ----------------------------------------------------------------------------------------------


def test_grading_one_exercise(benchmark: Any) -> None:
    """The comparison of one submission's answers, once the trials of the class are made."""
    rule = next(rule for name, _, rule in RIGHT if name == "multiply")
    _trials("multiply", 4)
    verdict = benchmark(by_diffkit, "multiply", rule, (), False)
    assert verdict.passed


def test_preparing_an_exercise(benchmark: Any) -> None:
    benchmark(prepare, catalogue.exercise("multiply"), SEED)


@pytest.mark.parametrize("name", ["matmul", "softmax"])
def test_naming_a_mistake(benchmark: Any, name: str) -> None:
    rule = next(rule for n, _, rule, _ in WRONG if n == name)
    verdict = benchmark(by_diffkit, name, rule, (), True)
    assert verdict.diagnosis is not None


def test_writing_a_starter_file(benchmark: Any) -> None:
    benchmark(scaffold, [catalogue.exercise(name) for name in catalogue.names()])


if __name__ == "__main__":
    main(sys.argv[1:])
