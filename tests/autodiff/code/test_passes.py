"""Each pass by itself: what it changes in the program, and that it changes no bit (or where it does)."""

from __future__ import annotations

import numpy as np
import pytest

import diffkit as dk
from diffkit.autodiff.bits import same_bits
from diffkit.autodiff.code.passes import EXACT, PASSES, apply_passes
from diffkit.autodiff.code.program import program_of
from diffkit.autodiff.code.source import trace_source
from diffkit.containers import flatten


def joint(name):
    program = dk.programs.get(name)
    t = dk.trace(program)(*program.args)
    return t.adjoint(*(() if len(t.outputs) == 1 else ((1.0,) * len(t.outputs),)))


def run(t, passes):
    source = trace_source(t, passes=passes)
    args = [n.value for n in t.primal.inputs]
    found = flatten(source.function()(*args))[0]
    # A seed that is NumPy's float64 is written as 1.0: the bits are the same, and that is what counts.
    return [float(v) if type(v) is np.float64 else v for v in found]


@pytest.mark.parametrize("name", dk.programs.names())
@pytest.mark.parametrize("passes", [*([n] for n in EXACT), [*EXACT], [*EXACT, *EXACT]], ids=" ".join)
def test_exact_passes_change_no_bit(name, passes):
    t = joint(name)
    assert all(map(same_bits, run(t, passes), run(t, [])))


@pytest.mark.parametrize("name", dk.programs.names())
def test_the_others_change_as_much_as_they_say(name):
    """Zeros may change their sign, powers of Python floats their last bit."""
    t = joint(name)
    for a, b in zip(run(t, ["zeros"]), run(t, []), strict=True):
        if a is not None:
            assert np.array_equal(a, b)
    for a, b in zip(run(t, ["powers"]), run(t, []), strict=True):
        if a is not None:
            np.testing.assert_array_max_ulp(np.asarray(a), np.asarray(b), maxulp=16)


def test_zeros_may_change_a_sign():
    t = dk.trace(lambda x: x + 0.0)(-0.0)
    assert same_bits(trace_source(t).function()(-0.0), 0.0)
    assert same_bits(trace_source(t, passes=["zeros"]).function()(-0.0), -0.0)
    assert "sign of a zero" in PASSES["zeros"].changes


def statements(f, args, *passes, adjoint=False):
    t = dk.trace(f)(*args)
    source = trace_source(t.adjoint() if adjoint else t, passes=passes)
    return [
        line.strip()
        for line in source.splitlines()
        if (" = " in line or "return" in line) and '"""' not in line
    ]


def test_dead():
    def f(x):
        unused = x * 2.0
        also = unused + 1.0  # noqa: F841
        if x > 1.0:  # a decision is not dead
            return x
        return -x

    assert statements(f, (2.0,))[0] == "unused = x * 2.0"
    assert statements(f, (2.0,), "dead") == ["v3 = x > 1.0", "return x"]


def test_common():
    def f(x, y):
        return np.sin(x) * y + np.sin(x) * y

    assert statements(f, (1.0, 2.0), "common") == [
        "v1 = math.sin(x)", "v2 = v1 * y", "v5 = v2 + v2", "return v5",
    ]  # fmt: skip
    assert len(statements(lambda x: x * 0.0 + x * -0.0, (1.0,), "common")) == 4  # two different zeros
    assert len(statements(lambda x: x * 1 + x * 1.0, (1.0,), "common")) == 4


def test_minus_one_times_an_array():
    x, ones = np.array([1.0, 0.0, -2.0]), -np.ones(3)
    assert statements(lambda x: x * ones, (x,), "identities")[0] == "v1 = -x"
    assert statements(lambda x: x * -np.ones((2, 3)), (x,), "identities")[0] != "v1 = -x"
    assert statements(lambda x: x * -np.ones(3), (x.astype(np.float32),), "identities")[0] != "v1 = -x"


def test_a_users_function_is_not_merged():
    seen = []

    @dk.primitive
    def note(x):
        seen.append(x)
        return x * 1.0

    t = dk.trace(lambda x: note(x) + note(x))(1.0)
    seen.clear()
    trace_source(t, passes=list(EXACT)).function()(2.0)
    assert seen == [2.0, 2.0]


def test_seeds_and_constants():
    def f(x):
        return np.sum(x) * 3.0

    assert statements(f, (np.ones(2),), "dead", adjoint=True)[-2] == "x_bar = np.broadcast_to(v1_bar, (2,))"
    text = trace_source(dk.trace(f)(np.ones(2)).adjoint(), passes=["seeds", "constants", "dead"])
    assert "def f_adjoint(x):" in text
    assert (
        "np.float64(3.0)" in text
        or "np.full(2, 3.0)" in text
        or "broadcast_to(np.float64(3.0), (2,))" in text
    )


@pytest.mark.parametrize(
    ("f", "expected"),
    [
        (lambda x: x * 1.0, "return x"),
        (lambda x: 1 * x, "return x"),
        (lambda x: x / 1, "return x"),
        (lambda x: x**1, "return x"),
        (lambda x: +x, "return x"),
        (lambda x: np.negative(-x), "return x"),
        (lambda x: x * -1.0, "v1 = -x"),
        (lambda x: x * 1.5, "v1 = x * 1.5"),
        (lambda x: 1.0 / x, "v1 = 1.0 / x"),
        (lambda x: 1.0**x, "v1 = 1.0**x"),
    ],
)
def test_identities(f, expected):
    assert expected in statements(f, (2.0,), "identities", "dead")


def test_identities_keep_dtype_shape_and_memory():
    x = np.ones(2, np.float32)
    assert "x * np.float64(1.0)" in statements(lambda x: x * np.float64(1.0), (x,), "identities")[0]
    assert "v1 = x * K1" in statements(lambda x: x * np.ones((3, 2)), (np.ones(2),), "identities")
    # An answer that is a new array stays one, and is not the argument itself.
    assert statements(lambda x: x * 1.0, (np.ones(2),), "identities")[0] == "v1 = x * 1.0"


def test_powers():
    assert statements(lambda x: x**2, (3.0,), "powers")[0] == "v1 = x * x"
    assert statements(lambda x: x**3, (3.0,), "powers")[0] == "v1 = x**3"
    assert statements(lambda n, x: x**2.0, (3.0, np.ones(2)), "powers")[0] == "v1 = x * x"


def test_broadcasts():
    def f(x):
        return np.sum(x * x)

    assert "x_bar" in statements(f, (np.ones(3),), adjoint=True)[-2]
    text = trace_source(dk.trace(f)(np.ones(3)).adjoint(), passes=["broadcasts", "dead"])
    assert "broadcast_to" not in text
    single = trace_source(dk.trace(f)(np.ones(3, np.float32)).adjoint(), passes=["broadcasts", "dead"])
    assert same_bits(single.function()(np.ones(3, np.float32))[1], np.full(3, 2.0, np.float32))
    kept = trace_source(dk.trace(np.sum)(np.ones(3)).adjoint(), passes=["broadcasts", "dead"])
    assert "broadcast_to" in kept  # here it is what gives the answer its shape


def test_inline():
    assert statements(lambda x: np.sin(x) * np.cos(x), (1.0,), "inline") == [
        "v3 = math.sin(x) * math.cos(x)", "return v3",
    ]  # fmt: skip
    assert statements(lambda x: (x + 1.0) * (x - 1.0) ** 2, (3.0,), "inline") == [
        "v4 = (x + 1.0) * (x - 1.0) ** 2", "return v4",
    ]  # fmt: skip


def test_passes_go_by_name():
    program = program_of(dk.trace(np.sin)(1.0))
    with pytest.raises(dk.InputError, match="there is no pass 'deaf'; there are seeds, constants"):
        apply_passes(program, ["deaf"])
    with pytest.raises(dk.InputError, match="list of names"):
        apply_passes(program, "dead")
    assert list(PASSES) == [p.name for p in PASSES.values()]


@pytest.mark.parametrize(
    ("exponent", "x", "written"),
    [
        (2, 3.0, True),
        (2.0, 3.0, True),
        (2, np.array([1.5, -2.0]), True),
        (3, 3.0, False),
        (np.array([2.0, 2.0]), np.array([1.5, -2.0]), False),
        (np.array([2.0, 3.0]), np.array([1.5, -2.0]), False),
        (np.array([[2.0], [2.0]]), np.array([1.5, -2.0]), False),  # its shape is more than x's
        (np.full((2, 2), 2.0), 3.0, False),
        (True, 3.0, False),
        (2.0 + 1e-15, 3.0, False),
    ],
)
@pytest.mark.parametrize("power", [lambda x, n: x**n, np.power], ids=["infix", "ufunc"])
def test_powers_are_written_as_products_where_the_exponent_is_the_number_two(exponent, x, written, power):
    t = dk.trace(lambda x: power(x, exponent))(x)
    source = trace_source(t, passes=["powers"])
    assert ("x * x" in source) is written
    for program in (source, trace_source(t, passes=[*EXACT, "powers"])):
        answer = program.function()(x)
        assert np.shape(answer) == np.shape(t.value)
        np.testing.assert_allclose(answer, t.value, rtol=1e-15)
    adjoint = t.adjoint(np.ones(np.shape(t.value)) if np.ndim(t.value) else 1.0)
    plain, short = (flatten(trace_source(adjoint, passes=p).function()(x))[0] for p in ([], ["powers"]))
    for a, b in zip(plain, short, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-15)
