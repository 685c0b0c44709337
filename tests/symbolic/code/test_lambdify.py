"""Functions of floats, vectors and arrays: what they take, what they return, and how they fail."""

import threading
import warnings

import numpy as np
import pytest
import sympy
from sympy import symbols

from diffkit.errors import InputError
from diffkit.symbolic import FAMILIES, diff, evaluate, gradient, lambdify

x, y = symbols("x y")


def test_shapes_of_the_result():
    assert lambdify([x], [x, 2 * x])(1.0) == [1.0, 2.0]
    matrix = lambdify([x, y], sympy.Matrix([[x, y], [x * y, 1]]))
    assert matrix(2.0, 3.0).tolist() == [[2.0, 3.0], [6.0, 1.0]]
    assert matrix(np.array([1.0, 2.0]), 3.0).shape == (2, 2, 2)
    assert lambdify(x, x**2)(np.array([1, 2])).dtype == float


def test_bad_arguments():
    with pytest.raises(InputError, match="y is not among the arguments"):
        lambdify([x], x + y)
    with pytest.raises(InputError, match="different symbols"):
        lambdify([x, x], x)
    with pytest.raises(InputError, match="expected symbols"):
        lambdify(["x"], x)
    for given in ({x, y}, 3, None):  # a set has no order
        with pytest.raises(InputError, match="expected symbols, in the order of the function's parameters"):
            lambdify(given, x)
    with pytest.raises(InputError, match="got the expression y"):
        lambdify([x], x)(y)


def test_the_helmholtz_gradient():
    family = FAMILIES["Helmholtz energy"]
    n = 10  # long enough for a product with the matrix of constants
    xs, f = family.variables(n), family.expression(n)
    constants = [sympy.Symbol("R"), sympy.Symbol("T")]
    point = [0.1 + 0.02 * k for k in range(n)]
    compiled = lambdify([*xs, *constants], gradient(f, xs))
    got = compiled(*point, 2.0, 3.0)
    values = dict(zip([*xs, *constants], [*point, 2.0, 3.0], strict=True))
    assert "times(m1, " in compiled.source
    shapes = [matrix.shape for matrix in compiled.constants.values()]
    assert shapes == [(n + 1, n), (n, n + 1)]  # b*x below A*x; its transpose, with b's part of each row
    assert compiled.source.count(" = times(") == 2  # b*x with its first row, 1*x1 + ..., and b transposed
    assert not any(line.split(" = ")[-1].isidentifier() for line in compiled.source.splitlines())
    by_arrays = compiled(*[np.array([p, p]) for p in point], 2.0, 3.0)
    assert [a[1] for a in by_arrays] == pytest.approx(got, rel=1e-12)
    by_forward = [evaluate(diff(f, s), values) for s in xs]
    assert got == pytest.approx(by_forward, rel=1e-12)
    step = 1e-6
    for k, s in enumerate(xs):
        up, down = (evaluate(f, {**values, s: point[k] + e}) for e in (step, -step))
        assert got[k] == pytest.approx((up - down) / (2 * step), rel=1e-7)


# -- vectors as arguments -----------------------------------------------------------------------------

XS = symbols("x1:4")
VECTORS = [[[1.0, 2.0, 3.0]], [(1, 2, 3)], [np.array([1.0, 2.0, 3.0])], [np.array([1, 2, 3], np.int32)]]


@pytest.mark.parametrize("given", VECTORS)
@pytest.mark.parametrize("argument", [list(XS), XS, sympy.Matrix(XS), sympy.Tuple(*XS), np.array(XS)])
def test_a_list_of_symbols_is_one_argument(argument, given):
    f = lambdify([argument, y], [XS[0] * XS[1] * y, XS[2] + y])
    assert f(*given, 10.0) == [20.0, 13.0]
    assert "[x1, x2, x3] = x" in f.source


def test_a_sum_over_the_elements_of_a_vector_is_written_out():
    a, i = sympy.IndexedBase("a"), sympy.Symbol("i", integer=True)
    expr = sympy.Sum(a[i] ** 2, (i, 0, 2))
    f = lambdify([[a[0], a[1], a[2]]], [expr.doit(), diff(expr.doit(), a[1])])
    assert f(np.array([1.0, 2.0, 3.0])) == [14.0, 4.0]
    with pytest.raises(InputError, match=r"a\[3\] is not among the arguments"):
        lambdify([[a[0], a[1]]], a[0] + a[3])


def test_vectors_of_arrays():
    f = lambdify([XS, y], sympy.Array([XS[0] + y, XS[1] * XS[2]]))
    got = f(np.arange(6.0).reshape(3, 2), np.array([10.0, 20.0]))
    assert got.tolist() == [[10.0, 21.0], [8.0, 15.0]]
    assert lambdify([XS], XS[0] * 2)(np.array([1, 2, 3], np.float32)).dtype == np.float32
    assert f([1.0, 2.0, 3.0], 1.0).tolist() == [2.0, 6.0]


def test_where_floats_overflow_vectors_do_as_arrays_do():
    f = lambdify([XS], [sympy.log(XS[0]), sympy.exp(XS[1]), 1 / XS[2]])
    assert f([0.0, 1000.0, 0.0]) == [-np.inf, np.inf, np.inf]


def test_the_name_of_a_vector_is_taken_by_nothing_else():
    a, a1 = symbols("a a1")
    f = lambdify([a, [a1, y]], a + a1 * y)
    assert f(1.0, [2.0, 3.0]) == 7.0


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ([1.0, 2.0], r"expected 3 values for \(x1, ..., x3\).*got an array of shape \(2,\)"),
        (1.0, r"got an array of shape \(\)"),
        ([np.zeros(2), np.zeros(3), 1.0], "got what makes no array"),
    ],
)
def test_a_vector_of_another_length(given, text):
    with pytest.raises(InputError, match=text):
        lambdify([XS, y], XS[0] * y)(given, 1.0)


def test_a_wrong_number_of_arguments():
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'y'"):
        lambdify([XS, y], XS[0] * y)([1.0, 2.0, 3.0])
    with pytest.raises(InputError, match="different symbols"):
        lambdify([XS, XS[0]], XS[0])


# -- side by side -------------------------------------------------------------------------------------


def test_no_warnings_in_threads_and_none_swallowed_elsewhere():
    xs = symbols("x:60")
    f = lambdify([xs], [sympy.log(v) / v for v in xs])
    assert f.lanes
    outcomes = []

    def run():
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            outcomes.append((f(np.zeros(60)), len(caught)))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == [([-np.inf] * 60, 0)] * 4
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        np.log(np.zeros(1))
