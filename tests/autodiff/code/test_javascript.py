"""Emitted JavaScript, run by Node: what it computes is what the library computes."""

import json
import re
import shutil
import subprocess

import numpy as np
import pytest

import diffkit as dk
from diffkit import programs
from diffkit.autodiff.code.javascript import javascript, runtime, sweeps
from diffkit.autodiff.code.program import program_of
from diffkit.errors import InputError

NODE = shutil.which("node")
needs_node = pytest.mark.skipif(NODE is None, reason="Node is not installed")

_PRINT = """
const plain = x => x === null || typeof x === "boolean" ? x
  : typeof x === "number" ? (Number.isFinite(x) ? x : String(x)) : Array.from(x, plain);
console.log(JSON.stringify(RUNS.map(([f, ...xs]) => {
  const answer = {values, adjoints, tangents}[f](...xs);
  return Object.fromEntries(Object.entries(answer).map(([k, list]) => [k, list.map(plain)]));
})));
"""


def run(text, runs):
    """What the functions in a text answer, each run a function's name and its arguments."""
    given = json.dumps(
        [
            [f, *(np.asarray(x, float).ravel().tolist() if np.ndim(x) else float(x) for x in xs)]
            for f, *xs in runs
        ]
    )
    whole = f'"use strict";\n{runtime()}\n{text}\nconst RUNS = {given};\n{_PRINT}'
    done = subprocess.run([NODE], input=whole, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


def close(found, expected):
    """Lists of rows, equal to twelve digits of the largest number in them; nothing and zero are the same."""
    assert len(found) == len(expected)
    expected = [None if e is None else np.ravel(np.asarray(e, float)) for e in expected]
    numbers = np.concatenate([e for e in expected if e is not None] or [np.zeros(1)])
    size = np.max(np.abs(numbers[np.isfinite(numbers)]), initial=0.0)
    for a, b in zip(found, expected, strict=True):
        a = np.zeros(1 if b is None else b.size) if a is None else np.asarray(a, object).ravel().astype(float)
        b = np.zeros(a.size) if b is None else b
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14 * size, equal_nan=True)


def settings(t, rng, count):
    """Inputs near those of a trace that keep to its path."""
    found = [[n.value for n in t.inputs]]
    while len(found) < count:
        found.append([n.value * (1 + 0.1 * rng.uniform(-1, 1, np.shape(n.value))) for n in t.inputs])
    return found


def check_sweeps(f, args, count=20, seed=5):
    """The three functions against the library's own sweeps over a fresh trace at each setting."""
    rng = np.random.default_rng(seed)
    t = dk.trace(f)(*args)
    text = sweeps(t, t.unit_cotangents())
    runs, truth = [], []
    for inputs in settings(t, rng, count):
        given = iter(inputs)
        nested = [next(given) if t.owns(a) else a for a in t.arguments]
        at = dk.trace(f)(*t.in_structure.unflatten(nested))
        if [n.fun.name for n in at.nodes] != [n.fun.name for n in t.nodes]:
            continue
        cotangents = t.out_structure.unflatten([rng.normal(size=np.shape(at.value_of(o))) for o in t.outputs])
        adjoint = at.adjoint(cotangents)
        seeds = [s.value for s in adjoint.cotangents]
        tangents = [rng.normal(size=np.shape(x)) for x in inputs]
        given = iter(tangents)
        directions = t.in_structure.unflatten([next(given) if t.owns(a) else a for a in t.arguments])
        runs += [["values", *inputs], ["adjoints", *inputs, *seeds], ["tangents", *inputs, *tangents]]
        value = lambda a, p=adjoint: a.value if p.owns(a) else a  # noqa: E731
        truth.append(
            (
                [n.value for n in at.nodes],
                [value(a) for a in adjoint.adjoint_rows],
                [value(c.value) for c in adjoint.contributions],
                at.tangents(*directions),
            )
        )
    answers = run(text, runs)
    assert len(truth) >= count // 2, "hardly any setting keeps to the path"
    for k, (rows, bars, parts, dots) in enumerate(truth):
        values, adjoints, tangents = answers[3 * k : 3 * k + 3]
        assert values["left"] == adjoints["left"] == []
        close(values["rows"], rows)
        close(adjoints["rows"], rows)
        close(adjoints["bars"], bars)
        close(adjoints["parts"], parts)
        close(tangents["dots"], dots)


@needs_node
@pytest.mark.parametrize("name", programs.names())
def test_values_and_both_sweeps_of_the_lectures_programs(name):
    p = programs.get(name)
    check_sweeps(p, p.args)


def _array(*shape, seed=3):
    return np.random.default_rng(seed).uniform(0.2, 1.8, shape)


def _newton(x):
    y = 1.0
    while abs(y * y - x) > 0.05:
        y = (y + x / y) / 2
    return y


_OF_ONE = (
    "sqrt cbrt exp exp2 expm1 log log2 log10 log1p sin cos tan arcsin arccos arctan sinh cosh tanh arcsinh "
    "arctanh fabs absolute sign floor ceil reciprocal square deg2rad rad2deg rint negative positive"
).split()
_OF_TWO = (
    "add subtract multiply divide power hypot logaddexp logaddexp2 arctan2 maximum minimum heaviside "
    "remainder copysign"
).split()

OTHERS = {
    "every function of one number": (lambda x: [getattr(np, name)(x) for name in _OF_ONE], (0.4,)),
    "of elements": (
        lambda x: np.sqrt(x) * np.exp2(-x) + np.log1p(x) / np.cosh(x) - np.abs(np.sin(x) - 0.5) ** 1.5,
        (_array(2, 3),),
    ),
    "every function of two numbers": (lambda x, y: [getattr(np, n)(x, y) for n in _OF_TWO], (1.3, 0.8)),
    "powers": (lambda x: [x**0, x**1, x**2, x**3, x**-1, x**0.5, x**-2.5, 2**x, x**x], (1.7,)),
    "branches": (lambda x, y: x * y if x > y else x - y, (2.0, 1.0)),
    "a loop that decides": (_newton, (2.0,)),
    "broadcasting": (lambda a, b, c: (a * b + c) / (a - c), (_array(3, 1), _array(1, 4, seed=4), -1.5)),
    "reductions": (
        lambda a: (
            *(np.sum(a, axis=0), np.mean(a, axis=(0, 2)), np.max(a, axis=1), np.min(a), np.mean(a)),
            np.sum(a, axis=1, keepdims=True) * a,
        ),
        (_array(2, 3, 4),),
    ),
    "moves": (
        lambda a, b: (
            *(a.T @ b, a[::-1, 1], a[[0, 0, 2]] * b[0], np.concatenate([a, b], axis=1), np.stack([a, b])),
            *(
                np.roll(a, 1, axis=0),
                a.reshape(2, 6) * 2,
                np.repeat(a, 2, axis=1),
                np.flip(a),
                np.ravel(b)[2],
            ),
            *(np.swapaxes(a, 0, 1)[1:3], np.squeeze(a[:1]), np.expand_dims(a, 1) * 1.0, np.tril(a @ b.T)),
            *(np.diag(a @ b.T), np.diag(b[0]), a[..., None, 0], b[a[:, 0] > 0]),
        ),
        (_array(3, 4), _array(3, 4, seed=6)),
    ),
    "products": (
        lambda a, b, v: (
            *(a @ b, a @ v, v @ b, v @ v, np.dot(a, b), np.outer(v, v), np.inner(a, a)),
            *(
                np.tensordot(a, b, axes=1),
                np.einsum("ij,jk,k->i", a, b, v),
                np.trace(a @ b),
                np.linalg.norm(v),
            ),
            *(
                np.stack([a, b]) @ b,
                a @ np.stack([b, a]),
                np.stack([a, b]) @ np.stack([b, a]),
                np.dot(v, 2.0),
            ),
        ),
        (_array(3, 3), _array(3, 3, seed=7), _array(3, seed=8)),
    ),
}


@needs_node
@pytest.mark.parametrize("name", OTHERS)
def test_values_and_both_sweeps_of_what_numpy_has(name):
    f, args = OTHERS[name]
    check_sweeps(f, args, count=6)


@needs_node
def test_a_decision_that_comes_out_differently_is_told():
    def f(x, y):
        if x > y:
            return x * y
        return x - y

    t = dk.trace(f)(2.0, 1.0)
    text = sweeps(t, t.unit_cotangents())
    stays, leaves = run(text, [["values", 3.0, 1.0], ["values", 1.0, 3.0]])
    assert (stays["left"], leaves["left"]) == ([], [0])
    assert "if x > y" in program_of(t).guards[0].site


@needs_node
def test_inf_and_nan_come_out_as_numpy_has_them():
    t = dk.trace(lambda x: (1 / x, np.log(x), np.sqrt(x) * 2))(2.0)
    text = sweeps(t, t.unit_cotangents())
    zero, negative = run(text, [["values", 0.0], ["values", -1.0]])
    assert zero["rows"][1:] == ["Infinity", "-Infinity", 0, 0]
    assert negative["rows"][1:] == [-1, "NaN", "NaN", "NaN"]


@pytest.mark.parametrize(
    ("f", "args", "what"),
    [
        (lambda a: np.linalg.solve(a, a[0]), (np.eye(2),), "there is no solve there"),
        (lambda x: x * np.ones(2, np.float32), (np.ones(2, np.float32),), "numbers are float32"),
        (lambda x: np.real(x * 1j), (1.0,), "numbers are complex128"),
        (lambda x: np.fft.fft(x).real, (np.ones(4),), "can't be said in JavaScript"),
        (dk.primitive(lambda x: x * 2), (1.0,), "a function of its own"),
    ],
)
def test_a_row_that_javascript_cannot_say_is_refused_by_name(f, args, what):
    with pytest.raises(InputError, match=re.escape(what)) as error:
        javascript(program_of(dk.trace(f)(*args)))
    assert str(error.value).startswith("row ")


def test_names_that_mean_something_to_javascript_are_changed():
    def f(new, var, left):
        this = new * var
        return this + left

    text = javascript(program_of(dk.trace(f)(1.0, 2.0, 3.0)))
    assert "function f(new_, var_, left_)" in text
    assert "const this_ = new_ * var_;" in text


@needs_node
def test_long_constants_are_written_exactly_and_once_in_each_function():
    weights = np.random.default_rng(0).normal(size=40)
    t = dk.trace(lambda x: (weights * x, np.cos(weights * x)))(0.3)
    text = sweeps(t, t.unit_cotangents())
    assert text.count(repr(float(weights[7]))) == 3
    (answer,) = run(text, [["values", 0.7]])
    np.testing.assert_array_equal(answer["rows"][1], weights * 0.7)
