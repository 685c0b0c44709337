"""dk.numpy: NumPy under another name, with arrays of traced values."""

import array
import math

import numpy
import pytest

import diffkit as dk
import diffkit.numpy as np
from diffkit.errors import TraceError


def test_it_is_numpy_for_all_else():
    assert np.sin.__wrapped__ is numpy.sin
    assert np.add.reduce([1, 2]) == 3
    assert np.linalg.LinAlgError is numpy.linalg.LinAlgError
    assert np.float32 is numpy.float32
    assert np.pi == numpy.pi
    assert np.random.default_rng is numpy.random.default_rng
    assert set(numpy.__all__) - {"test"} <= set(np.__all__)
    assert set(dir(numpy)) <= set(dir(np))
    for name in numpy.__all__:
        assert hasattr(np, name)
    with pytest.raises(AttributeError):
        np.unheard_of  # noqa: B018


def test_plain_values_give_what_numpy_gives():
    for value in (3.0, [1, 2], [[1.0, 2.0], [3.0, 4.0]], numpy.arange(3), "text", [[]]):
        for ours, theirs in [(np.array, numpy.array), (np.asarray, numpy.asarray)]:
            numpy.testing.assert_array_equal(ours(value), theirs(value))
            assert ours(value).dtype == theirs(value).dtype
    x = numpy.arange(3.0)
    assert np.asarray(x) is x
    assert np.array(x) is not x
    assert np.array(x, copy=None) is x
    assert np.array([1, 2], dtype=numpy.float32, ndmin=2).shape == (1, 2)
    assert np.full(2, 3).dtype == int
    assert np.full_like(x, 2).tolist() == [2.0, 2.0, 2.0]


def test_arrays_of_traced_values():
    t = dk.trace(lambda x, y: np.array([[x, y, 1.0], [y, 2, x]]))(2.0, 3.0)
    assert t.value.tolist() == [[2.0, 3.0, 1.0], [3.0, 2.0, 2.0]]
    assert [row.fun.name for row in t.nodes] == ["input", "input", "stack", "reshape"]
    rows = dk.trace(lambda x: np.array([x, 2 * x]))(numpy.arange(2.0))
    assert rows.value.tolist() == [[0.0, 1.0], [0.0, 2.0]]
    assert dk.trace(lambda x: np.array([[x, 1.0], x * numpy.ones(2)]))(3.0).value.tolist() == [[3, 1], [3, 3]]
    with pytest.raises(ValueError, match="same shape"):
        dk.trace(lambda x: np.array([x, [x, x]]))(3.0)


def test_the_type_is_the_one_that_was_asked_for():
    t = dk.trace(lambda x: np.array([x, 1], dtype=np.float32))(2.0)
    assert t.value.dtype == numpy.float32
    assert type(t.pull_back(numpy.ones(2, numpy.float32))) is float
    single = numpy.float32(2.0)
    for f in (lambda x: np.array([x, 1]), lambda x: np.array([x, x]), lambda x: np.array([x, 1.0])):
        assert dk.trace(f)(single).value.dtype == f(single).dtype
    assert dk.trace(lambda x: np.full(2, x, np.float32))(2.0).value.dtype == numpy.float32


def test_asarray_hands_back_what_is_traced():
    seen = []

    def f(x):
        seen.append(
            (np.asarray(x) is x, np.asanyarray(x) is x, np.array(x, copy=False) is x, np.array(x) is x)
        )
        return np.sum(np.ascontiguousarray(x))

    dk.grad(f)(numpy.ones(2))
    assert seen == [(True, True, True, False)]


def test_plain_numpy_refuses_and_points_here():
    with pytest.raises(dk.TraceError, match=r"dk\.numpy\.array"):
        dk.grad(lambda x: numpy.sum(numpy.array([x, x])))(1.0)


def test_from_numpy_import_star_style():
    names = {}
    exec("from diffkit.numpy import *", names)
    assert names["array"] is np.array
    assert names["sin"] is np.sin


def g(f, x):
    return dk.grad(f)(x)


@pytest.mark.parametrize(
    ("f", "expected"),
    [
        (lambda x: np.sum([x, x * x]), 7.0),
        (lambda x: np.max([x, 0.0]), 1.0),
        (lambda x: np.dot([x, x], [2.0, 5.0]), 7.0),
        (lambda x: np.trace(np.diag([x, 2 * x])), 3.0),
        (lambda x: np.exp([0 * x, x])[1], numpy.exp(3.0)),
        (lambda x: np.add([x, 1.0], (2.0, x))[1], 1.0),
        (lambda x: np.mean(a=[[x, 1.0], [x, x]]), 0.75),
        (lambda x: np.vstack([[x, 1.0], [0.0, x]])[1, 1], 1.0),
        (lambda x: np.append([1.0], [x, [2 * x]][0])[1], 1.0),
        (lambda x: np.linalg.det([[x, 1.0], [2.0, x]]), 6.0),
        (lambda x: np.real(np.fft.fft([x, 1.0, x])[0]), 2.0),
        (lambda x: np.where([True, False], [x, 1.0], 0.0)[0], 1.0),
        (lambda x: np.sum(np.reshape(x * np.ones(6), (np.argmax([0, x]) + 1, 3))[1]), 3.0),
        (lambda x: np.r_[x, 0:3, [2 * x]][4], 2.0),
        (lambda x: np.r_["-1", x * np.ones((2, 1)), np.zeros((2, 1))][1, 0], 1.0),
        (lambda x: np.c_[[x, 1.0], [2.0, x]][1, 1], 1.0),
        (lambda x: np.arange(x, 10.0, 2.0)[-1], 1.0),
        (lambda x: np.sum(np.arange(0.0, 1.0, x / 12)), 6.0 / 12),
        (lambda x: sum(v * i[0] for i, v in np.ndenumerate([1.0, x, x])), 3.0),
        (lambda x: (x * np.arange(3.0))[np.lexsort((x * np.ones(3), [x, -x, 0.0]))][2], 0.0),
        (lambda x: np.make_diagonal(x * np.ones((2, 3)))[1, 2, 2], 1.0),
        (lambda x: np.make_diagonal(x * np.ones(2), offset=1)[1, 0], 1.0),
    ],
)  # fmt: skip
def test_lists_of_traced_values_are_taken_by_every_function(f, expected):
    numpy.testing.assert_allclose(g(f, 3.0), expected, rtol=1e-14)
    assert dk.trace(f)(3.0).value == f(3.0)


LEFT_OUT = {"empty_like", "lexsort", "multi_dot", "sort_complex"}
"""Of no value, of lists of arrays, and without a rule."""


def test_every_function_takes_a_list_for_its_array():
    """Each that takes an array alone; what NumPy says of the list, the trace says."""
    tried = 0
    for owner, theirs in ((np, numpy), (np.linalg, numpy.linalg), (np.fft, numpy.fft)):
        for name in theirs.__all__:
            if not isinstance(getattr(theirs, name), numpy.ufunc | type(numpy.sum)):
                continue
            for given in ([0.3, 0.2], [[0.3, 0.2], [0.2, 0.5]]):
                with numpy.errstate(all="ignore"):
                    try:
                        expected = getattr(theirs, name)(given)
                    except Exception:  # no function of one array
                        continue
                    if name in LEFT_OUT or not isinstance(expected, numpy.ndarray | numpy.generic):
                        continue
                    f = getattr(owner, name)
                    t = dk.trace(lambda *v, f=f, given=given: f(nested(v, given)))(*flat(given))
                numpy.testing.assert_allclose(t.value, expected, rtol=1e-13, atol=1e-15, err_msg=name)
                tried += 1
    assert tried > 250


def nested(values, like):
    values = iter(values)
    return [[next(values) for _ in row] if isinstance(row, list) else next(values) for row in like]


def flat(given):
    return numpy.ravel(given).tolist()


def test_rows_of_lists_stand_in_the_users_line():
    def f(x):
        total = np.sum([x, x])
        return total

    t = dk.trace(f)(2.0)
    assert t.names == ["x", "total", "total_2"]
    assert all("np.sum([x, x])" in row.site for row in t.nodes[1:])


def test_modules_are_imported_by_their_names():
    import diffkit.numpy.linalg as la
    import diffkit.numpy.random as npr
    from diffkit.numpy.fft import fft

    assert la.norm is np.linalg.norm
    assert npr is np.random
    assert npr.Generator is numpy.random.Generator
    assert fft is np.fft.fft


def test_compiled_programs_of_the_namespace():
    c = dk.compile(lambda x: np.sum(np.sin([x, 2 * x])) + np.r_[x, 1.0][0])
    for x in (0.5, 0.5, 0.7):
        assert c(x) == numpy.sum(numpy.sin([x, 2 * x])) + x
    assert c.stats.hits == 2


NEW = {
    "tile": lambda: np.tile([1.0, 2.0], 3),
    "repeat": lambda: np.repeat(1.0, 3),
    "concatenate": lambda: np.concatenate([[1.0], GIVEN]),
    "where": lambda: np.where(GIVEN > 2.0, GIVEN, 0.0),
    "product": lambda: np.outer(GIVEN, GIVEN)[0],
    "ufunc": lambda: np.sqrt(GIVEN),
    "sorted": lambda: np.sort(GIVEN),
    "padded": lambda: np.pad(GIVEN, 1),
    "rolled": lambda: np.roll(GIVEN, 1),
    "window": lambda: np.hamming(4),
    "powers": lambda: np.vander([1.0, 2.0])[0],
    "solved": lambda: np.linalg.solve(np.eye(3), GIVEN),
    "transformed": lambda: np.fft.irfft(GIVEN),
    "drawn": lambda: np.random.rand(3),
    "drawn normally": lambda: np.random.normal(0.0, 1.0, 3),
    "read": lambda: np.loadtxt(["1 2 3"]),
    "iterated": lambda: np.fromiter(range(3), float),
    "a view of a new one": lambda: np.reshape(np.tile(GIVEN, 2), (2, 3))[1],
}
GIVEN = numpy.array([1.0, 4.0, 9.0])
BUFFER = array.array("d", [1.0, 4.0, 9.0])


@pytest.mark.parametrize("make", NEW.values(), ids=NEW)
def test_traced_values_are_written_to_whatever_array_is_new(make):
    def f(x):
        table = make()
        table[1] = x * x
        return np.sum(np.sin(table)) - np.sum(np.sin(table[2:])) - np.sin(table[0])

    assert dk.grad(f)(0.3) == pytest.approx(math.cos(0.09) * 0.6, rel=1e-13)
    assert type(make()) is numpy.ndarray  # no longer, once nothing is traced


SHARED = {
    "itself": lambda: np.atleast_1d(GIVEN),
    "reshaped": lambda: np.reshape(GIVEN, (3, 1)),
    "raveled": lambda: np.ravel(GIVEN),
    "asarray": lambda: np.asarray(GIVEN),
    "flipped": lambda: np.flip(GIVEN),
    "of a list": lambda: np.broadcast_arrays(GIVEN, 1.0)[0],
    "without axes": lambda: np.squeeze(GIVEN[None]),
    "its real part": lambda: np.real(GIVEN),
    "out": lambda: np.add(GIVEN, 0.0, out=GIVEN),
    "a part": lambda: np.split(GIVEN, 3)[0],
    "bytes": lambda: np.frombuffer(bytearray(GIVEN.tobytes())),
    "broadcast": lambda: np.broadcast_to(GIVEN, (2, 3)),
    "diagonal": lambda: np.diagonal(GIVEN[None]),
    "a buffer": lambda: np.asarray(memoryview(BUFFER)),
    "one number for several": lambda: np.broadcast_to([1.0], (3,)),
}


@pytest.mark.parametrize("show", SHARED.values(), ids=SHARED)
def test_the_callers_arrays_are_never_written_to(show):
    def f(x):
        table = show()
        table[0] = x
        return np.sum(table)

    before = GIVEN.copy()
    with pytest.raises((TraceError, ValueError)):
        dk.grad(f)(0.3)
    assert (before == GIVEN).all()
    assert BUFFER.tolist() == [1.0, 4.0, 9.0]


def test_named_fields_hold_no_traced_values():
    with pytest.raises(TypeError, match="make an array for each field"):
        dk.grad(lambda x: np.sum(np.array([(x, 1.0)], [("u", float), ("v", float)])["u"]))(2.0)
