"""Random expressions over all operators and postfixes: emitted code has the bits of the function.

What can go wrong in a printer is a bracket: ``(x**2)[1:]`` is another program than ``x**2[1:]``. So the
expressions here put every operator under every other, and before every index, attribute and method.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import diffkit as dk
from diffkit.autodiff.bits import same_bits

SCOPE = {
    "np": np,
    "W": np.linspace(-1.0, 1.5, 9).reshape(3, 3),
    "K": np.array([2, 0, 1]),
    "B": np.array([True, False, True]),
}
LEAVES = {
    "matrix": ("X", "X", "W", "X[::-1]"),
    "vector": ("v", "v", "K", "W[1]"),
    "number": ("s", "s", "2", "-2", "0.5", "-1.5", "3.0", "np.float64(-1.5)"),
}
ELEMENTWISE = "+ - * / // % ** < <= > >= == !=".split()
PREFIX = (
    "-{}",
    "+{}",
    "abs{}",
    "np.sin{}",
    "np.square{}",
    "np.where({} > 0.7, {}, s)",
    "np.where(B, {}, -0.5)",
)
FROM_MATRIX = {
    "matrix": """[::-1] [...] [[2,0,2]] [:,K] [:,::-1] .T .mT .real .reshape(3,3) .reshape(9,1)[:3]
        .reshape(3,3,order="F") .astype(float) .astype(np.float32) .cumsum(0) .swapaxes(0,1) .clip(-1,2)
        .transpose() .max(axis=0,keepdims=True)[[0,0,0]] .squeeze() [None,:,:][0] .copy()""".split(),
    "vector": """[0] [-1] [:,1] [1,::-1] .sum(0) .max(axis=1) .T[0] .diagonal() .ravel()[2:5]
        .reshape(-1)[::3]""".split(),
    "number": "[0,1] .sum() .T[2][0] .mean() .flatten()[4] .item(3)".split(),
}
FROM_VECTOR = {
    "vector": """[::-1] [K] [[1,1,0]] [...] .T .real .astype(float) .cumsum() .reshape(3,1)[:,0]
        .clip(-1,1)""".split(),
    "number": "[0] [-1] .sum() .max()".split(),
}
"""What may stand after an expression, by what it makes of it. All of it fits with all else."""


def _grown(shape):
    """Expressions of a shape, from smaller ones."""
    e = {kind: st.deferred(lambda kind=kind: EXPRESSIONS[kind]) for kind in LEAVES}
    kinds = {"matrix": tuple(LEAVES), "vector": ("vector", "number"), "number": ("number",)}[shape]
    other = st.sampled_from(kinds).flatmap(e.__getitem__)
    pairs = st.tuples(e[shape], other) | st.tuples(other, e[shape])
    ways = [
        st.sampled_from(LEAVES[shape]),
        st.tuples(pairs, st.sampled_from(ELEMENTWISE)).map(lambda t: f"({t[0][0]} {t[1]} {t[0][1]})"),
    ]
    if shape != "number":
        ways.append(
            st.tuples(st.sampled_from(PREFIX), e[shape]).map(lambda t: t[0].replace("{}", f"({t[1]})"))
        )
        ways.append(st.tuples(e[shape], e["matrix"]).map(lambda t: f"({t[0]} @ {t[1]})"))
    for source, after in (("matrix", FROM_MATRIX), ("vector", FROM_VECTOR)):
        if shape in after:
            ways.append(st.tuples(e[source], st.sampled_from(after[shape])).map(lambda t: f"({t[0]}){t[1]}"))
    return st.one_of(ways)


EXPRESSIONS = {shape: _grown(shape) for shape in LEAVES}
expressions = st.one_of(*EXPRESSIONS.values()).filter(lambda text: 12 < len(text) < 200)


def function_of(text):
    """The expression as a function of a matrix, a vector and a number."""
    return eval(f"lambda X, v, s: {text}", SCOPE)


def points(seed):
    """Ones, so that what is compiled there has no telling values; then a point with signs, and a tame one."""
    rng = np.random.default_rng(seed)
    yield np.ones((3, 3)), np.ones(3), 1.0
    yield rng.normal(size=(3, 3)), rng.normal(size=3), rng.normal()
    yield rng.uniform(0.5, 2.0, (3, 3)), rng.uniform(0.5, 2.0, 3), 1.25


def outcome(f, args):
    """What a call gives: its answer, or the kind of its error."""
    try:
        return f(*args)
    except (ArithmeticError, ValueError, TypeError, IndexError) as error:
        return type(error).__name__


def alike(a, b):
    """The same bits; a traced number may be a Python float where NumPy's is a float64."""
    if isinstance(a, str) or isinstance(b, str):
        return a == b
    if np.ndim(a) == 0 and not isinstance(a, np.ndarray):
        a, b = np.asarray(a)[()], np.asarray(b)[()]
    return same_bits(a, b)


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=400, deadline=None, derandomize=True)
@given(expressions)
def test_compiled_expressions_have_the_bits_of_the_function(text):
    f = function_of(text)
    calls = list(points(len(text)))
    expected = [outcome(f, args) for args in calls]
    if any(isinstance(e, str) for e in expected):
        return  # shapes that don't fit
    compiled = dk.compile(f)
    for _ in range(2):
        for args, want in zip(calls, expected, strict=True):
            assert same_bits(compiled(*args), want), text


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=400, deadline=None, derandomize=True)
@given(expressions)
def test_emitted_source_has_the_bits_of_the_trace(text):
    f = function_of(text)
    calls = list(points(len(text)))
    if any(isinstance(outcome(f, args), str) for args in calls):
        return
    t = dk.trace(f)(*calls[0])
    for passes in ([], ["identities", "signs", "common", "dead", "inline"]):
        written = t.source(passes=passes).function()
        for args in calls:
            want = outcome(t.replay, args)
            assert alike(outcome(written, args), want), text
