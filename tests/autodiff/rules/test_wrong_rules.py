"""A rule that is a little off, negated, or puts its answer in the wrong places must be caught.

Each rule of each primitive that stands for a NumPy function is spoilt in turn, and some line of the
systematic test has to fail.
"""

import functools
from collections.abc import Sequence

import numpy as np
import pytest
from numpy_cases import FAMILIES

import diffkit as dk
from diffkit.autodiff.check import GradientError
from diffkit.autodiff.recording.tracer import UFUNCS, Node
from diffkit.autodiff.rules.register import DEFINED
from diffkit.containers import flatten

FIELDS = {"vjps": "rev", "float_vjps": "rev", "jvps": "fwd", "float_jvps": "fwd"}


def every(change):
    """``change`` applied to each array of a rule's answer, written out if it is not yet."""

    def changed(answer):
        if isinstance(answer, Sequence):
            return tuple(map(changed, answer))
        if answer is None:
            return None
        return change(answer.dense() if hasattr(answer, "dense") else answer)

    return changed


MISTAKES = {
    "times 1.001": every(lambda c: c * 1.001),
    "negated": every(lambda c: -c),
    "turned round": every(lambda c: np.flip(c) if np.ndim(c) else c),
}


@functools.cache
def uses():
    """By primitive, field and argument: the lines of the systematic test in which that rule is applied."""
    found = {}
    for functions in FAMILIES.values():
        for lines in functions.values():
            for c in lines:
                for row in dk.trace(c.on_numpy())(*c.args).nodes:
                    if row.fun.constant or row.fun.name in ("input", "part"):
                        continue
                    row.fun.complete_rules()
                    given = range(len(row.args)) if not (row.fun.variadic or row.fun.joint) else ()
                    places = {k for k in given if type(row.args[k]) is Node} or {0}
                    for field in FIELDS:
                        if field.startswith("float") == (type(row.value) is float):
                            for k in places:
                                rules = getattr(row.fun, field)
                                if k < len(rules) and rules[k] is not None:
                                    found.setdefault((row.fun, field, k), []).append(c)
    return found


@functools.cache
def by_name():
    """The same by a name that tells the test."""
    return {f"{fun.name}.{field}[{k}]": (fun, field, k) for fun, field, k in uses()}


@pytest.mark.parametrize("mistake", MISTAKES)
@pytest.mark.parametrize("name", sorted(by_name()))
def test_a_spoilt_rule_is_caught(name, mistake, monkeypatch):
    fun, field, k = by_name()[name]
    rules = list(getattr(fun, field))
    right, differs = rules[k], []

    def wrong(*args, **kwargs):
        answer = right(*args, **kwargs)
        spoilt = MISTAKES[mistake](answer)
        written_out = every(lambda c: c)(answer)
        pairs = zip(flatten(spoilt)[0], flatten(written_out)[0], strict=True)
        differs.append(any(np.any(np.asarray(a != b)) for a, b in pairs if type(a) is not Node))
        return spoilt

    rules[k] = wrong
    monkeypatch.setattr(fun, field, tuple(rules))
    for c in uses()[fun, field, k]:
        try:
            dk.check_grads(c.on_numpy(), modes=(FIELDS[field],), order=1, seed=11)(*c.args)
        except GradientError:
            return
    assert not any(differs), f"{name}, {mistake}, passes unseen"
    assert mistake == "turned round", f"{name} was not applied to anything but zeros"


def test_every_rule_for_numpy_has_a_line():
    applied = {fun for fun, _, _ in uses()}
    elsewhere = ("numpy.linalg", "numpy.fft", "scipy")  # those have tests of their own
    defined = {
        fun for function, fun in DEFINED.items() if not (function.__module__ or "").startswith(elsewhere)
    }
    ufuncs = {fun for ufunc, fun in UFUNCS.items() if getattr(np, ufunc.__name__, None) is ufunc}
    assert sorted(fun.name for fun in (defined | ufuncs) - applied if not fun.constant) == []


def test_every_rule_that_there_is_was_applied():
    """Not only in one mode, or by one argument."""
    applied = {(fun, field, k) for fun, field, k in uses()}
    missing = [
        f"{fun.name}.{field}[{k}]"
        for fun in {fun for fun, _, _ in uses()}
        for field in ("vjps", "jvps")
        for k, rule in enumerate(getattr(fun, field))
        if rule is not None and (fun, field, k) not in applied
    ]
    assert missing == []
