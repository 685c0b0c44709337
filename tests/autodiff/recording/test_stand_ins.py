"""What a program has in hand: a traced float answers as a float does, a traced array as an array, and what
the program decides by one is noted."""

import collections
import numbers

import numpy as np
import pytest

import diffkit as dk
import diffkit.numpy as dnp
from diffkit.errors import NoRuleError, TraceError

X = np.array([3.1, 1.2, 2.4])
Y = np.array([10.0, 20.0, 30.0])


# -- a number is no array ---------------------------------------------------------------------------------

ARRAY_LIKE = [
    "__len__",
    "__iter__",
    "__getitem__",
    "__setitem__",
    "__iadd__",
    "shape",
    "dtype",
    "T",
    "sum",
    "fill",
]


def seen(f, x):
    """What f says of x when it is traced."""
    found = []
    dk.trace(lambda x: found.append(f(x)) or x)(x)
    return found[0]


@pytest.mark.parametrize("x", [2.0, 2.0 + 1.0j, np.float64(2.0), np.array(2.0), np.array([2.0, 3.0])])
def test_a_stand_in_has_what_its_value_has(x):
    for name in ARRAY_LIKE:
        assert seen(lambda x, name=name: hasattr(x, name), x) == hasattr(x, name), name
    for kind in (
        float,
        complex,
        np.ndarray,
        np.float64,
        numbers.Real,
        numbers.Complex,
        collections.abc.Iterable,
    ):
        assert seen(lambda x, kind=kind: isinstance(x, kind), x) == isinstance(x, kind), kind


def test_what_numbers_have():
    assert dk.grad(lambda x: x.real * x.conjugate() if x.is_integer() else 0.0 * x)(3.0) == 6.0
    assert dk.grad(lambda x: x.sum() * x.item() * x[()])(np.float64(2.0)) == 12.0
    assert seen(len, X) == 3
    with pytest.raises(TypeError, match="no len"):
        seen(len, 2.0)


# -- sets and dictionaries --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (lambda x: x[0] if np.argmax(x) in {0, 1} else x[1], X),
        (lambda x: x * 3 if x in {1.0, 2.0} else 0 * x, 2.0),
        (lambda x: {2.0: 5.0}.get(x, 0.0) * x, 2.0),
        (lambda x: len({x, x * 1.0, 2.0}) * x, 2.0),
        (lambda x: {0: x[0], 1: x[1]}[np.argmax(x)], X),
        (lambda x: collections.Counter([x[0] > 1, x[1] > 1, x[2] > 1])[True] * x[0], X),
    ],
)
def test_keys_go_by_value(f, x):
    t = dk.trace(f)(x)
    assert t.value == f(x)
    assert t.decisions
    c = dk.compile(f)
    for point in (x, x, x + 1.0, x):
        assert c(point) == f(point)


def test_rows_of_a_finished_trace_are_themselves():
    rows = dk.trace(lambda x: x * x + x * x)(2.0).nodes
    assert len(set(rows)) == len(rows) == 4


def test_arrays_are_not_hashable():
    with pytest.raises(TypeError, match="unhashable"):
        dk.trace(lambda x: {x: 1})(X)


# -- refusals that the function catches -------------------------------------------------------------------


def _float(x):
    try:
        return float(x) * 3
    except TypeError:
        return -x


def _asarray(x):
    try:
        return np.sum(np.asarray(x * np.ones(2), float))
    except (TypeError, ValueError):
        return x * 0.0


def _no_rule(x):
    try:
        return np.sum(np.setxor1d(x * np.ones(2), [1.0]))
    except Exception:
        return x


def _assigned(x):
    y = np.zeros(2)
    try:
        y[0] = x
    except (TypeError, ValueError):
        return 2.0 * x
    return np.sum(y)


@pytest.mark.parametrize("f", [_float, _asarray, _no_rule, _assigned])
def test_a_refusal_that_is_caught_is_raised_again(f):
    for derivative in (dk.grad(f), dk.trace(f), dk.grad(dk.grad(f)), dk.compile(f)):
        with pytest.raises(
            (TraceError, NoRuleError), match=r"test_stand_ins\.py:.*function caught this"
        ) as caught:
            derivative(2.0)
        assert "another way" in str(caught.value)


def test_an_error_of_the_users_own_is_not_a_refusal():
    def f(x):
        try:
            if x > 1:
                raise TypeError("mine")
        except TypeError:
            return x * x
        return x

    assert dk.grad(f)(2.0) == 4.0


# -- decisions --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.sum(x * Y[np.argsort(x)]),
        lambda x: np.sum(x) * np.sum(Y[x > 1.5]),
        lambda x: np.sum(x * Y[np.floor(x).astype(int) - 1]),
        lambda x: np.sum(x * Y[np.searchsorted(Y, 8 * x)]),
        lambda x: np.sum(x) * np.sum(Y[np.where(x > 1)]),
        lambda x: x[int(np.argmax(x))] ** 2,
        lambda x: int(x[0] > 1) * x[0] + float(x[1] > 5) * x[1],
        lambda x: x[0] ** int(np.round(x[1])),
        lambda x: np.sum(np.repeat(x, int(np.argmin(x)) + 1)),
        lambda x: complex(x[0] > 1).real * x[2],
        lambda x: round(np.argmax(x)) * x[1] + x[0],
    ],
)
def test_discrete_values_are_decisions(f):
    expected = [(f(X + d) - f(X - d)) / 2e-5 for d in 1e-5 * np.eye(3)]
    np.testing.assert_allclose(dk.grad(f)(X), expected, rtol=1e-8, atol=1e-8)
    t = dk.trace(f)(X)
    assert t.decisions
    c = dk.compile(f)
    for x in (X, X[::-1].copy(), X + 0.1, X):
        np.testing.assert_allclose(c(x), f(x), rtol=1e-14)


def _masked_assignment(x):
    o = np.ones(3)
    o[x > 2] = 2.0
    return np.sum(o * x)


def test_a_plain_array_is_written_at_traced_places():
    np.testing.assert_array_equal(dk.grad(_masked_assignment)(X), [2.0, 1.0, 2.0])


# -- arrays made while a function is traced ----------------------------------------------------------------


@pytest.mark.parametrize(
    "make",
    [
        lambda np: np.zeros(3),
        lambda np: np.ones((3,)),
        lambda np: np.full(3, 2.0),
        lambda np: np.empty(3) * 0.0,
        lambda np: np.eye(3)[0],
        lambda np: np.array([1.0, 2.0, 3.0]),
        lambda np: np.asarray([1.0, 2.0, 3.0]),
        lambda np: np.arange(3.0),
        lambda np: np.linspace(0.0, 1.0, 3),
        lambda np: np.zeros(3) + 0.5,
        lambda np: np.zeros((3, 2)).T[0],
        lambda np: np.copy(Y),
        lambda np: np.zeros_like(Y),
    ],
)
def test_arrays_that_can_be_written_to(make):
    def f(x, np=dnp):
        u = make(np)
        u[0] = x[0] * x[1]
        u[1:] += x[1:]
        return np.sum(u * u)

    assert type(make(dnp)) is np.ndarray  # outside a trace they are NumPy's own
    assert dk.trace(f)(X).value == f(X, np)
    expected = [(f(X + d, np) - f(X - d, np)) / 2e-5 for d in 1e-5 * np.eye(3)]
    np.testing.assert_allclose(dk.grad(f)(X), expected, rtol=1e-8, atol=1e-8)


def test_integers_stay_plain():
    assert seen(lambda x: type(dnp.zeros(3, int)), X) is np.ndarray
    assert seen(lambda x: type(dnp.arange(3)), X) is np.ndarray


def test_under_plain_numpy_what_is_made_of_a_traced_array_accepts_assignment():
    def f(x):
        y, z, w = np.zeros_like(x), x.copy(), np.empty_like(x)
        y[0], z[1], w[:] = x[1], x[0] * x[2], x
        return np.sum(y * z * w) + np.sum(np.full_like(x, x[0]))

    expected = [(f(X + d) - f(X - d)) / 2e-5 for d in 1e-5 * np.eye(3)]
    np.testing.assert_allclose(dk.grad(f)(X), expected, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x[:1].item() ** 2,
        lambda x: x.sum().item() * x.reshape(1, 2).item(0, 1),
        lambda x: x.reshape(1, 2).item(1) * 3.0,
        lambda x: x.tolist()[0] * sum(x.reshape(2, 1).tolist()[1]),
    ],
)
def test_item_and_tolist_give_numbers_of_pythons(f):
    x = np.array([1.5, -0.5])
    expected = [(f(x + d) - f(x - d)) / 2e-6 for d in 1e-6 * np.eye(2)]
    t = dk.trace(f)(x)
    assert type(t.value) is type(f(x)) is float
    assert t.nodes[-1].site.startswith("test_stand_ins.py")
    np.testing.assert_allclose(dk.grad(f)(x), expected, atol=1e-9)
    np.testing.assert_allclose(t.adjoint().source().function()(x)[1], expected, atol=1e-9)
    assert type(dk.compile(f)(x)) is float
    np.testing.assert_allclose(dk.hessian(f)(x), dk.jacobian(dk.grad(f), mode="reverse")(x))


def test_what_item_gives_divides_as_python_does():
    with pytest.raises(ZeroDivisionError):
        dk.trace(lambda x: 1.0 / x.item())(np.zeros(1))
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        assert dk.trace(lambda x: 1.0 / x[0])(np.zeros(1)).value == np.inf


def test_whose_code_asks_is_told_by_its_file_and_not_by_what_its_module_is_called():
    """A module of the user's whose name begins like the package's is the user's: x is a float there."""
    module: dict[str, object] = {"__name__": "diffkit.mine"}
    text = "def f(x):\n    return x * x if isinstance(x, float) and not hasattr(x, 'sum') else 0.0 * x\n"
    exec(compile(text, "/home/ada/mine.py", "exec"), module)
    assert dk.grad(module["f"])(3.0) == 6.0
    exec(
        compile(text.replace("float", "np.ndarray").replace("not ", ""), "/home/ada/mine.py", "exec"),
        {**module, "np": np},
        module,
    )
    assert dk.grad(lambda x: np.sum(module["f"](x)))(np.ones(2)).tolist() == [2.0, 2.0]
