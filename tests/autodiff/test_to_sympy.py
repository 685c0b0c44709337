"""Expressions from traces: what they say, and that they compute what the program computes."""

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

import diffkit as dk
from diffkit.errors import InputError, NoRuleError, TraceError

x, y = sympy.symbols("x y")


def evaluates_to(f, *args):
    """The trace's expression, at the trace's inputs, gives the trace's value."""
    t = dk.trace(f)(*args)
    expression = t.to_sympy(path=True)
    names = dict(zip([t.names[n.index] for n in t.inputs], [n.value for n in t.inputs], strict=True))
    numbers = {}
    for name, value in names.items():
        for index, number in np.ndenumerate(value):
            numbers[sympy.Symbol("_".join([name, *map(str, index)]))] = number
    leaves = np.asarray(expression, dtype=object).ravel()
    got = [float(sympy.sympify(e).subs(numbers).evalf()) for e in leaves]
    np.testing.assert_allclose(got, np.ravel(np.asarray(t.value, float)), rtol=1e-12, atol=1e-15)


A = np.array([[0.3, -1.2, 2.0], [0.7, 0.1, -0.4]])
B = np.array([0.5, -0.3, 0.8])


def test_the_operations_are_kept_one_for_one():
    t = dk.trace(lambda x: 4.0 * x * (1.0 - x))(0.3)
    assert str(t.to_sympy(x)) == "(4*x)*(1 - x)"
    twice = dk.trace(lambda x: (x + 1.0) * (x + 1.0))(0.3).to_sympy(x)
    assert len(twice.args) == 2


def test_default_symbols_are_called_after_the_inputs():
    t = dk.trace(lambda params, z: params["w"][1] * z + params["b"])({"w": np.ones(2), "b": 0.5}, 2.0)
    assert str(t.to_sympy()) == "params_b + params_w_1*z" or t.to_sympy() == sympy.sympify(
        "params_w_1*z + params_b"
    )


def test_symbols_may_be_given():
    f = dk.trace(lambda v, n, c: np.sum(v) ** n * c)(np.ones(2), 3, 0.5)
    assert sympy.expand(f.to_sympy([x, y], None, 2)) == sympy.expand(2 * (x + y) ** 3)
    assert sympy.expand(f.to_sympy(sympy.Matrix([x, y]), y) - (x + y) ** 3 * y) == 0
    with pytest.raises(InputError, match=r"v has shape \(2,\), but symbols of shape \(3,\)"):
        f.to_sympy([x, y, x], 3, x)


@pytest.mark.parametrize(
    "f",
    [
        lambda a: np.sum(np.sin(a) * a),
        lambda a: np.dot(a, B),
        lambda a: a @ B,
        lambda a: a.T @ a,
        lambda a: np.mean(a, axis=0),
        lambda a: a.sum(axis=1, keepdims=True) / 3,
        lambda a: np.max(a, axis=0),
        lambda a: np.min(a),
        lambda a: np.max(a, axis=1, keepdims=True) - a,
        lambda a: np.reshape(a, (3, 2))[1],
        lambda a: a[:, ::-1][0, [0, 0, 2]],
        lambda a: np.concatenate([a[0], B]),
        lambda a: np.stack([a[0], a[1] * 2.0]),
        lambda a: np.maximum(a, 0.2),
        lambda a: np.minimum(a, B),
        lambda a: np.abs(a) ** 1.5,
        lambda a: np.sqrt(np.abs(a)) + np.log1p(np.exp(-a)),
        lambda a: np.where(a > 0, a, np.exp(a) - 1.0),
        lambda a: np.where(np.logical_and(a > 0, a < 1), a, 3.0),
        lambda a: (a > 0) * a,
        lambda a: np.arctan2(a, B),
        lambda a: np.logaddexp(a, 0.0),
        lambda a: a**2 / (1.0 + a**2),
        lambda a: a % 1.0,
        lambda a: -np.floor(a) + np.sign(a),
    ],
)
def test_the_expression_computes_what_the_program_computes(f):
    evaluates_to(f, A)


def test_an_adjoint_program_has_an_expression():
    t = dk.trace(lambda x: np.sin(x) * x)(0.3)
    gradient = t.adjoint().to_sympy(x, 1)
    assert sympy.simplify(gradient - (x * sympy.cos(x) + sympy.sin(x))) == 0
    indexed = dk.trace(lambda a: a[0] * a[1])(np.array([2.0, 3.0])).adjoint()
    assert [str(e) for e in indexed.to_sympy([x, y], 1)] == ["y", "x"]


def test_containers_of_answers_and_constants():
    t = dk.trace(lambda x: {"a": [x * x, 5.0], "b": (x,)})(2.0)
    found = t.to_sympy(x)
    assert str(found) == "{'a': [x*x, 5.0], 'b': (x,)}"


def test_a_branch_is_refused_by_line():
    def huber(x):
        if abs(x) < 1.0:
            return x * x
        return 2.0 * abs(x) - 1.0

    t = dk.trace(huber)(0.5)
    with pytest.raises(TraceError, match=r"test_to_sympy.py:\d+: if abs\(x\) < 1.0"):
        t.to_sympy(x)
    assert str(t.to_sympy(x, path=True)) == "x*x"


def test_an_index_is_a_decision_too():
    t = dk.trace(lambda a: a[np.argmax(a)] ** 2)(A[0])
    with pytest.raises(TraceError, match="used a traced value as an index"):
        t.to_sympy()
    assert str(t.to_sympy(path=True)) == "a_2**2"


def test_a_piecewise_constant_function_is_part_of_the_path():
    t = dk.trace(lambda x: x * np.rint(x))(1.2)
    with pytest.raises(TraceError, match=r"rint was called.*path=True"):
        t.to_sympy()
    assert float(t.to_sympy(path=True).subs({"x": 3})) == 3.0


def test_a_function_without_a_symbolic_form_is_refused_by_line():
    lgamma = dk.primitive(lambda x: float(x) ** 2)
    t = dk.trace(lambda x: lgamma(x))(1.2)
    with pytest.raises(NoRuleError, match=r"can't be performed on symbols \(test_to_sympy.py:\d+"):
        t.to_sympy()


def test_a_special_function_without_a_formula_is_not_to_be_written_with_sums():
    from scipy import special

    for f in (special.j1, lambda v: special.gammainc(2.0, v), special.i0):
        with pytest.raises(NoRuleError, match=r"has a derivative here, but no formula.*Differentiate the tr"):
            dk.trace(f)(1.2).to_sympy()


def test_a_special_function_that_sympy_has_is_written_with_it():
    from scipy import special

    t = dk.trace(lambda v: special.jv(1, v) * special.expi(v) + special.ellipk(v))(0.2)
    x = sympy.Symbol("x")
    assert str(t.to_sympy(x)) == "Ei(x)*besselj(1, x) + elliptic_k(x)"


def test_a_primitive_of_operators_is_performed():
    cube = dk.primitive(lambda x: x * x * x)
    assert str(dk.trace(cube)(2.0).to_sympy(x)) == "x*(x*x)"


def test_a_long_chain_does_not_recurse():
    def logistic(x):
        for _ in range(2000):
            x = 4.0 * x * (1.0 - x)
        return x

    assert dk.symbolic.size(dk.trace(logistic)(0.3).to_sympy()).dag > 2000


@given(
    st.recursive(st.just("x") | st.just("y"), lambda inner: st.tuples(st.sampled_from("+-*"), inner, inner))
)
def test_random_polynomials(tree):
    def build(tree, a, b):
        if isinstance(tree, str):
            return a if tree == "x" else b
        left, right = build(tree[1], a, b), build(tree[2], a, b)
        return left + right if tree[0] == "+" else left - right if tree[0] == "-" else left * right

    t = dk.trace(lambda a, b: build(tree, a, b) * 1.0)(0.5, -2.0)
    assert sympy.Poly(t.to_sympy(x, y).doit(), x, y) == sympy.Poly(build(tree, x, y), x, y)
