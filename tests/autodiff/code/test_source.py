"""Emitted source is a program: it runs as it stands, computes the trace's bits, and is clean code."""

from __future__ import annotations

import collections
import enum
import math
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import diffkit as dk
from diffkit.autodiff.bits import same_bits
from diffkit.autodiff.code.listing import source_listing
from diffkit.autodiff.code.literals import array_literal, literal, subscript
from diffkit.autodiff.code.passes import PASSES
from diffkit.autodiff.code.source import trace_source
from diffkit.containers import flatten


def assert_same(got, want):
    found, structure = flatten(got)
    expected, expected_structure = flatten(want)
    assert structure == expected_structure
    for a, b in zip(found, expected, strict=True):
        assert same_bits(_python(a), _python(b)), (a, b)


def _python(value):
    """A seed that is NumPy's float64 is written as 1.0: the bits are the same, and that is what counts."""
    return float(value) if type(value) is np.float64 else value


def traces_of(program):
    """The trace of a program, the joint program, and what each is called with and computes."""
    t = dk.trace(program)(*program.args)
    given_args = [a for a in program.args if not (isinstance(a, np.ndarray) and a.dtype.kind == "i")]
    yield t, given_args, t.value
    cotangents = () if len(t.outputs) == 1 else (tuple(1.0 for _ in t.outputs),)
    adjoint = t.adjoint(*cotangents)
    yield adjoint, given_args, (t.value, None)


@pytest.mark.parametrize("name", dk.programs.names())
def test_programs_of_the_lectures_to_the_bit(name):
    for t, args, (want) in traces_of(dk.programs.get(name)):
        got = t.source().function()(*args)
        if isinstance(want, tuple) and want[-1] is None:
            value, gradient = got
            assert_same(value, want[0])
            for a, b in zip(flatten(gradient)[0], t.outputs, strict=True):
                assert same_bits(_python(a), _python(b.value if t.owns(b) else b))
        else:
            assert_same(got, want)


def test_everything_passes_the_linter(tmp_path):
    ruff = shutil.which("ruff") or shutil.which("ruff", path=str(sys.prefix) + "/bin")
    if ruff is None:
        pytest.skip("ruff is not installed")
    for program in dk.programs.all_programs():
        for k, (t, _, _) in enumerate(traces_of(program)):
            for passes in ([], ["inline"], list(PASSES)):
                source = trace_source(t, passes=passes)
                (tmp_path / f"{program.name}_{k}_{len(passes)}.py").write_text(source, encoding="utf-8")
    t = dk.trace(lambda l, O: l * O if l > 0 else O)(2.0, 3.0)  # noqa: E741
    (tmp_path / "look_alike.py").write_text(t.adjoint().source(), encoding="utf-8")
    checked = subprocess.run(
        [ruff, "check", "--isolated", "--select=E,F,W,B,C4,SIM", "--line-length=88", str(tmp_path)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout


def test_it_runs_without_diffkit(tmp_path):
    """A program of elementary functions needs NumPy and nothing else."""
    t = dk.trace(dk.programs.digit_classifier)(*dk.programs.digit_classifier.args)
    (tmp_path / "digits.py").write_text(t.source("digits"))
    script = "import sys, digits; assert 'diffkit' not in sys.modules; print(digits.digits.__name__)"
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "digits"


def test_sections_and_what_is_kept():
    t = dk.trace(dk.programs.two_outputs)(2.0, 3.0)
    source = t.adjoint((1.0, 1.0)).source()
    lines = [line.strip() for line in source.splitlines()]
    assert lines.index("# the program itself") < lines.index("# the reverse sweep")
    assert "a = x1 * x2  # kept for the reverse sweep" in lines
    assert "y1 = math.sin(a)" in lines
    assert "def two_outputs_adjoint(x1, x2, y1_bar=1.0, y2_bar=1.0):" in lines
    assert "x1_bar = a_bar * x2" in lines
    assert lines[-1] == "return (y1, y2), (x1_bar, x2_bar)"


def test_second_order_comes_from_the_same_rules():
    def f(x):
        return np.sin(x) * x

    second = dk.trace(f)(0.7).adjoint().adjoint()
    value, (by_x, _) = second.source().function()(0.7, 1.0)
    assert value == pytest.approx(math.cos(0.7) * 0.7 + math.sin(0.7), rel=1e-15)
    assert by_x == pytest.approx(2 * math.cos(0.7) - 0.7 * math.sin(0.7), rel=1e-15)


# -- paths ------------------------------------------------------------------------------------------------


def absolute(x):
    if x > 0:
        return x
    return -x


def test_another_branch_is_refused():
    for t in (
        dk.trace(absolute)(2.0),
        dk.trace(absolute)(2.0).adjoint(),
        dk.trace(absolute)(2.0).adjoint().adjoint(),
    ):
        run = t.source().function()
        args = [n.value for n in t.inputs]
        run(*args)
        with pytest.raises(
            AssertionError, match=r"another branch is taken here: test_source.py:\d+: if x > 0:"
        ):
            run(-1.0, *args[1:])


def test_another_index_is_refused():
    def largest(x):
        return x[np.argmax(x)] * x[x > 0][0]

    run = dk.trace(largest)(np.array([1.0, 3.0, -1.0])).source().function()
    assert run(np.array([2.0, 4.0, -1.0])) == 8.0
    for other in ([5.0, 4.0, -1.0], [1.0, 3.0, 1.0]):
        with pytest.raises(AssertionError, match="another index"):
            run(np.array(other))


def test_another_order_is_refused_by_the_gradient_of_a_sort():
    t = dk.trace(lambda x: np.sum(np.sort(x) * np.array([1.0, 10.0])))(np.array([3.0, 1.0]))
    run = t.adjoint().source().function()
    assert_same(run(np.array([5.0, 2.0]))[1], np.array([10.0, 1.0]))
    with pytest.raises(AssertionError):
        run(np.array([2.0, 5.0]))


# -- names and arguments ----------------------------------------------------------------------------------

Layer = collections.namedtuple("Layer", "w b")


def test_nested_arguments_keep_their_nesting():
    def f(p, q):
        return {"sum": p["layers"][0].w * q + p["layers"][0].b, "list": [p["x"], (q,)], "name": "f"}

    p = {"layers": [Layer(2.0, 3.0)], "x": 1.0}
    t = dk.trace(f)(p, 5.0)
    source = t.source()
    assert "def f(p, q):" in source
    assert 'p_layers_0_w = p["layers"][0].w' in source
    assert source.function()(p, 7.0) == {"sum": 17.0, "list": [1.0, (7.0,)], "name": "f"}
    loss = dk.trace(lambda p: p["layers"][0].w * p["x"])(p)
    value, gradient = loss.adjoint().source().function()(p)
    assert value == 2.0
    assert gradient == {"layers": [Layer(1.0, 0.0)], "x": 2.0}


def test_names_that_python_or_the_linter_would_not_take():
    scope = {"np": np}
    exec(
        "def λ(α, class_, l, np_, _x):\n    lambda_ = α * l\n    Δ = lambda_ + class_\n    é = Δ * np_\n"
        "    float_ = é + _x\n    return float_",
        scope,
    )
    args = (2.0, 3.0, 5.0, 7.0, 11.0)
    source = dk.trace(scope["λ"])(*args).source()
    assert source.split('"""')[2].isascii()  # all but the docstring
    assert "def lambda_(alpha, class_, l_1, np_, _x):" in source
    assert "Delta = lambda_ + class_" in source
    assert source.function()(*args) == scope["λ"](*args)
    assert dk.trace(lambda *x: x[0] * x[1])(2.0, 3.0).source("1 bad name").function()(2.0, 3.0) == 6.0


def test_a_variable_may_be_called_as_a_module_or_a_helper_is():
    def f(math, np_, scatter, K1):
        np = np_ * math
        z = dk.numpy.sin(np) + scatter[0] * K1
        return z * np

    args = (0.5, 2.0, dk.numpy.array([1.0, 2.0]), 3.0)
    t = dk.trace(f)(*args)
    assert_same(t.source().function()(*args), t.value)
    assert_same(t.adjoint().source().function()(*args)[0], t.value)


def test_nothing_that_was_given_becomes_code():
    """Keys, classes and names have texts of their own; none of them is ever a part of the program's."""

    class Key(str):
        def __repr__(self):
            return "1 / 0"  # raises, where it is executed

        __str__ = __repr__

    class Colour(enum.Enum):
        RED = 1

    kind = type("A\nraise SystemExit\n", (float,), {})
    pair = collections.namedtuple("pair", ["w", "class"], rename=True)
    pair.__name__ = "pair\nraise SystemExit\n"

    def f(p, q):
        return {Key("out"): p[Key("k")] * p[Colour.RED] * kind(3.0) + p[np.int64(1)] * p['a"];']}, pair(
            q[1], q[0]
        )

    f.__name__ = 'f"""\nraise SystemExit\n"""\\'
    args = ({Key("k"): 2.0, Colour.RED: 5.0, np.int64(1): 7.0, 'a"];': 0.5}, pair(3.0, 4.0))
    t = dk.trace(f)(*args)
    for trace in (t, t.adjoint(({"out": 1.0}, pair(1.0, 0.0)))):
        source = trace.source()
        scope = dict(source.bindings)
        exec(str(source), scope)
        got = scope[source.name](*args)
        assert flatten(got if trace is t else got[0])[0] == flatten(t.value)[0] == [33.5, 4.0, 3.0]


@pytest.mark.parametrize(
    "p",
    [
        collections.OrderedDict(b=2.0, a=3.0),
        collections.defaultdict(float, {"b": 2.0, "a": 3.0}),
        collections.namedtuple("ab", "b a")(2.0, 3.0),
    ],
    ids=lambda p: type(p).__name__,
)
def test_containers_of_the_standard_library_run_as_they_stand(p):
    def f(p):
        b, a = p if isinstance(p, tuple) else p.values()
        return b * a

    source = dk.trace(f)(p).adjoint().source()
    scope = {}
    exec(str(source), scope)
    value, gradient = scope[source.name](p)
    assert value == 6.0
    assert list(gradient if isinstance(p, tuple) else gradient.values()) == [3.0, 2.0]
    assert type(gradient).__name__ == type(p).__name__


def test_a_program_may_be_called_as_a_function_that_it_calls():
    @dk.primitive
    def cube(x):
        return x**3

    dk.defvjp(cube, lambda g, ans, x: g * 3.0 * x**2)
    source = dk.trace(lambda x: cube(x) + 1.0)(2.0).source("cube")
    assert source.function()(2.0) == 9.0


# -- values -----------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(
    st.floats() | st.complex_numbers() | st.integers() | st.text() | st.none() | st.booleans() | st.binary()
)
def test_literals_are_exact(value):
    text = literal(value)
    assert same_bits(eval(text, {"math": math, "np": np}), value)


@pytest.mark.parametrize(
    "value",
    [
        np.float32(0.1), np.float16(0.1), np.float64(math.inf), np.int8(-3), np.uint64(2**63), np.bool_(True),
        np.complex64(1 - 2j), np.zeros((2, 3)), np.ones(3, np.float32), np.full((2, 2), -0.0), np.array(1.5),
        np.array([0.1, math.nan, -math.inf]), np.array([[1, 2], [3, 4]]), np.array([True, False]),
        np.zeros((0, 3)), np.array([1 + 2j, 3.0]), np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.broadcast_to(2.0, (2, 3)), np.full(5000, 3.0), np.array([0.1], np.float32), np.array([5], "i2"),
        (1, [2.0, "a"], {"k": None}), slice(1, None, -1), np.dtype(np.float32), np.float32, float, ...,
    ],
    ids=repr,
)  # fmt: skip
def test_other_literals_are_exact(value):
    text = literal(value)
    back = eval(text, {"math": math, "np": np})
    assert type(back) is type(value) or isinstance(value, np.dtype)
    if isinstance(value, np.ndarray):
        assert same_bits(back, value)
        assert back.flags.f_contiguous == value.flags.f_contiguous
    else:
        assert back == value


def test_what_has_no_literal():
    for value in (
        object(),
        np.arange(1001.0),
        np.longdouble(1),
        np.array([None]),
        np.arange(8.0).reshape(2, 4)[:, ::2],
    ):
        assert literal(value) is None
    assert literal((1.0, object())) is None
    assert array_literal(np.arange(5.0), 4) is None
    assert [subscript(i) for i in (3, np.int64(3), slice(None), (..., None, 1))] == [
        "3",
        "3",
        ":",
        "..., None, 1",
    ]


def test_long_arrays_and_nameless_functions_are_bound_by_name():
    weights = np.linspace(0.0, 1.0, 2000)

    @dk.primitive
    def cube(x):
        return x**3

    t = dk.trace(lambda x: np.sum(cube(x) * weights))(np.ones(2000))
    source = t.source()
    assert set(source.bindings) == {"cube", "K1"}
    assert np.array_equal(source.bindings["K1"], weights)
    assert "# K1: array (2000,), not written out here" in source
    assert_same(source.function()(np.full(2000, 2.0)), np.sum(np.full(2000, 8.0) * weights))
    for known, missing in (({}, "cube, K1"), ({"cube": cube}, "K1"), ({"K1": weights}, "cube")):
        with pytest.raises(NameError, match=rf"does not write out {missing}: define .* source\.function\(\)"):
            exec(str(source), dict(known))


def test_many_values_that_are_not_written_out():
    arrays = [np.linspace(1.0, k, 2000) for k in range(2, 42)]
    t = dk.trace(lambda x, _missing: sum(np.sum(x * a) for a in arrays) * _missing)(2.0, 3.0)
    source = t.source()
    assert max(map(len, source.splitlines())) <= 88
    assert_same(source.function()(4.0, 5.0), t.replay(4.0, 5.0))
    with pytest.raises(NameError, match=r"write out K2, K3, .*, K40:"):
        exec(str(source), {"K1": arrays[0]})


@pytest.mark.parametrize("most", [10_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_the_length_is_that_of_the_program(most):
    def f(x, rows):
        for _ in range(rows // 3):
            x = np.sin(x) * 1.01 + 0.1
        return x

    def per_row(rows):
        t = dk.trace(f)(0.3, rows)
        return np.array([len(p.source()) / len(p) for p in (t, t.adjoint())])

    assert (per_row(1_000) < [25, 33]).all()
    assert (per_row(most) < per_row(1_000) * 1.2).all()


def test_scalars_by_math_and_their_ends_by_numpy():
    with np.errstate(all="ignore"):
        assert "math.log(x)" in dk.trace(np.log)(2.0).source()
        at_zero = dk.trace(np.log)(0.0).source()
        assert "float(np.log(x))" in at_zero
        assert at_zero.function()(0.0) == -math.inf
    assert "np.log(x)" in dk.trace(np.log)(np.float64(2.0)).source()


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.sampled_from("+-*/@^nm"), min_size=1, max_size=12), st.floats(0.5, 2.0), st.floats(-2.0, -0.5)
)
def test_brackets_are_where_they_must_be(symbols, x, y):
    """However rows are written into each other, the order of operations stays."""

    def f(x, y):
        stack = [x, y, 1.5, -2.0]
        for k, s in enumerate(symbols):
            a, b = stack[-1 - k % 2], stack[-2]
            stack.append(
                {
                    "+": a + b,
                    "-": b - a,
                    "*": a * b,
                    "/": a / (b * b + 1.0),
                    "n": -a,
                    "m": -(b - a) * -2.0,
                }.get(s)
                if s not in "@^"
                else (a * a + 1.0) ** -2
                if s == "^"
                else 2.0 ** -abs(a)
            )
        return stack[-1] - stack[-2]

    t = dk.trace(f)(x, y)
    for trace in (t, t.adjoint()):
        expected = trace.source().function()(x, y)
        assert_same(trace_source(trace, passes=["inline"]).function()(x, y), expected)


# -- length and listing -----------------------------------------------------------------------------------


def test_long_programs_take_time_in_proportion():
    def chain(x, n):
        for _ in range(n):
            x = x * 1.000001 + 1e-9
        return x

    times = []
    for n in (2_000, 16_000):
        t = dk.trace(chain)(1.0, n)
        started = time.perf_counter()
        run = t.source().function()
        times.append(time.perf_counter() - started)
        assert run(2.0) == chain(2.0, n)
    assert times[1] < 8 * times[0] * 4  # eight times the rows; four for a busy machine


def test_the_listing_numbers_the_lines_of_the_table():
    listing = source_listing(
        dk.trace(dk.programs.neuron_loss)(0.5, 2.0, -0.5, 1.0).adjoint(), passes=["dead"]
    )
    lines = listing.text.splitlines()
    for record in listing.table.records():
        if record["line"] is not None:
            assert lines[record["line"] - 1].split()[:3] == [str(record["line"]), record["name"], "="]
    assert listing.table.records()[0] == {"line": None, "name": "w", "value": "0.5"}
    with pytest.raises(dk.InputError, match="no pass 'ded'"):
        source_listing(dk.trace(np.sin)(1.0), passes=["ded"])
