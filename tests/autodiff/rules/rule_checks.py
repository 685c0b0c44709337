"""What the tests of the rules share: a case is a program of NumPy and a point, checked in every way."""

from __future__ import annotations

import functools
import importlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import diffkit as dk
from diffkit.autodiff.check import GradientError
from diffkit.containers import flatten

FACTOR = 1.001


@dataclass
class Case:
    """``f(np, *args)``; autograd runs it too, with its own np, if it has the rules.

    ``order`` is 1 for piecewise linear functions, whose second derivative is 0.
    """

    f: Any
    args: tuple[Any, ...]
    autograd: bool = True
    order: int = 2

    def on_numpy(self):
        return functools.partial(self.f, np)


def case(f, *args, autograd=True, order=2):
    return Case(f, args, autograd, order)


def check_derivatives(c):
    """Both modes, to second order, against differences of values."""
    f = c.on_numpy()
    f.__name__ = "program"
    dk.check_grads(f, order=c.order, seed=7)(*c.args)


def check_value(c):
    """Tracing does not change the value, its dtype or its shape."""
    plain = flatten(c.f(np, *c.args))[0]
    traced = flatten(dk.trace(c.on_numpy())(*c.args).value)[0]
    for a, b in zip(plain, traced, strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-13, atol=1e-14)
        assert np.asarray(a).dtype == np.asarray(b).dtype
        assert np.shape(a) == np.shape(b)


def cotangents_of(value, seed=3):
    """Random cotangents in the structure of a value."""
    rng = np.random.default_rng(seed)
    leaves, structure = flatten(value)

    def one(leaf):
        g = rng.normal(size=np.shape(leaf))
        if np.iscomplexobj(leaf):
            g = g + 1j * rng.normal(size=np.shape(leaf))
        return np.asarray(g, dtype=np.asarray(leaf).dtype)[()]

    return structure.unflatten([one(leaf) for leaf in leaves])


def check_against_autograd(c):
    """The VJP of every argument, with the same random cotangent."""
    pytest.importorskip("autograd")
    anp, make_vjp = importlib.import_module("autograd.numpy"), importlib.import_module("autograd").make_vjp
    for k, x in enumerate(c.args):
        if np.asarray(x).dtype.kind not in "fc":
            continue
        theirs, value = make_vjp(functools.partial(c.f, anp), k)(*c.args)
        g = cotangents_of(value)
        ours, _ = dk.make_vjp(c.on_numpy(), k)(*c.args)
        np.testing.assert_allclose(ours(g), theirs(g), rtol=1e-8, atol=1e-9)


def check_single_precision(c):
    """float32 in, float32 out, in both modes, and close to double precision."""
    if not all(np.asarray(a).dtype.kind in "fc" for a in c.args):
        return
    small = {"f": np.float32, "c": np.complex64}
    args = tuple(np.asarray(a).astype(small[np.asarray(a).dtype.kind]) for a in c.args)
    f = c.on_numpy()
    value = f(*args)
    g = cotangents_of(value)
    vjp, _ = dk.make_vjp(f, tuple(range(len(args))))(*args)
    double, _ = dk.make_vjp(f, tuple(range(len(args))))(*c.args)
    for got, expected, x in zip(vjp(g), double(cotangents_of(f(*c.args))), args, strict=True):
        assert np.asarray(got).dtype == x.dtype
        np.testing.assert_allclose(
            got, expected, rtol=2e-2, atol=2e-3 * (np.max(np.abs(expected), initial=1))
        )
    tangent = dk.make_jvp(f, tuple(range(len(args))))(*args)(args)[1]
    for t, v in zip(flatten(tangent)[0], flatten(value)[0], strict=True):
        assert np.asarray(t).dtype == np.asarray(v).dtype


def primitives_in(c, modules):
    """The primitives that the case's trace uses and whose rules stand in one of the modules."""
    found = {}
    for row in dk.trace(c.on_numpy())(*c.args).nodes:
        fun = row.fun
        if not fun.constant and fun.name not in ("input", "part"):
            fun.complete_rules()
            if any(getattr(r, "__module__", "") in modules or _wraps(r, modules) for r in fun.vjps if r):
                found[fun.name] = fun
    return list(found.values())


def _wraps(rule, modules):
    return getattr(getattr(rule, "__wrapped__", None), "__module__", "") in modules


def scaled(rule, by=FACTOR):
    """A rule times a factor."""

    def wrong(*args, **kwargs):
        answer = rule(*args, **kwargs)
        return tuple(by * part for part in answer) if isinstance(answer, tuple) else by * answer

    return wrong


def check_that_wrong_rules_are_caught(c, modules, monkeypatch):
    """Each rule of each primitive in turn, multiplied by 1.001, must fail the check of derivatives."""
    tried = 0
    for fun in primitives_in(c, modules):
        for mode, field in (("rev", "vjps"), ("fwd", "jvps")):
            for k, rule in enumerate(getattr(fun, field)):
                if rule is None or not _is_differentiated(c, fun, k):
                    continue
                rules = list(getattr(fun, field))
                rules[k] = scaled(rule)
                with monkeypatch.context() as patch:
                    patch.setattr(fun, field, tuple(rules))
                    on_floats = list(getattr(fun, "float_" + field))
                    on_floats[k] = scaled(on_floats[k])
                    patch.setattr(fun, "float_" + field, tuple(on_floats))
                    with pytest.raises(GradientError):
                        dk.check_grads(c.on_numpy(), modes=(mode,), order=1, seed=11)(*c.args)
                tried += 1
    return tried


def _is_differentiated(c, fun, k):
    rows = dk.trace(c.on_numpy())(*c.args).nodes
    return any(
        row.fun is fun and (fun.variadic or (k < len(row.args) and isinstance(row.args[k], dk.Node)))
        for row in rows
    )
