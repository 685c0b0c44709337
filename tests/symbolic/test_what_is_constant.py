"""A node is a constant only if that is proven; what is not real, or does not commute, is told by name."""

import pytest
import sympy
from sympy import Derivative, Function, I, Product, Subs, Sum, Symbol, symbols
from sympy.physics.quantum import Operator
from sympy.physics.quantum.boson import BosonOp
from sympy.physics.quantum.fermion import FermionOp

from diffkit.errors import InputError, NoRuleError
from diffkit.expressions import intern, substitute
from diffkit.symbolic import diff, gradient, hessian, steps

x, y, t = symbols("x y t")
i, j, k = symbols("i j k", integer=True)
f, g = Function("f"), Function("g")
MODES = ["forward", "reverse"]
pytestmark = pytest.mark.parametrize("mode", MODES)


@pytest.mark.parametrize(
    "expr",
    [
        sympy.integrate(1 / (x**5 - x + 1), x),  # a RootSum, which shows no operands
        Function("F", args=(x, y))(),
        sympy.sin(2 * Function("F", args=(x, y))()) * y,
    ],
    ids=str,
)
def test_what_hides_the_variable_is_refused_by_name(expr, mode):
    with pytest.raises(NoRuleError, match=r"(RootSum|F) depends on x, but does not show where"):
        diff(expr, x, mode=mode)
    with pytest.raises(NoRuleError, match="depends on x"):
        steps(expr, x)
    assert diff(expr, t, mode=mode) == 0


def test_what_is_bound_is_constant(mode):
    assert diff(sympy.Limit(sympy.sin(x) / x, x, 0), x, mode=mode) == 0
    assert diff(y * sympy.Limit(sympy.sin(x) / x, x, 0), y, mode=mode) == sympy.Limit(sympy.sin(x) / x, x, 0)
    with pytest.raises(NoRuleError, match="Limit is unevaluated"):
        diff(sympy.Limit(sympy.sin(x * y) / x, x, 0), y, mode=mode)


DECLARED = [Symbol("z", complex=True), Symbol("w", imaginary=True), Symbol("v", real=False)]
REAL_ONLY = [sympy.conjugate, sympy.re, sympy.im, sympy.Abs, sympy.sign, sympy.Heaviside, sympy.floor]


@pytest.mark.parametrize("z", DECLARED, ids=str)
@pytest.mark.parametrize("head", REAL_ONLY, ids=str)
def test_functions_of_real_numbers_ask_for_real_variables(head, z, mode):
    for expr in (head(z, evaluate=False), head(x * z + 1, evaluate=False)):
        for variable in (z, x):
            if expr.has(variable):
                with pytest.raises(InputError, match=r"declared not real|compares real numbers"):
                    diff(expr, variable, mode=mode)


@pytest.mark.parametrize("z", DECLARED, ids=str)
def test_complex_variables_have_complex_derivatives(z, mode):
    for expr in (z**3, sympy.exp(I * z) / z, sympy.sin(z) * sympy.log(z)):
        assert sympy.simplify(diff(expr, z, mode=mode) - sympy.diff(expr, z)) == 0


def test_the_modulus_of_a_complex_number_is_a_real_constant(mode):
    z = DECLARED[0]
    assert diff(sympy.Abs(x * sympy.Abs(z), evaluate=False), x, mode=mode).subs({x: 2, z: 3}) == 3


@pytest.mark.parametrize(
    ("expr", "name"),
    [
        (Function("A", commutative=False)(t) * Function("B", commutative=False)(t), "A"),
        (Function("A", commutative=False)(t) ** 2, "A"),
        (sympy.exp(t * BosonOp("b")), "b"),
        (t * FermionOp("c"), "c"),
        (sympy.sin(t) * Operator("H"), "H"),
        (Symbol("s", commutative=False) * t, "s"),
        (sympy.conjugate(BosonOp("b")) * t, "b"),
    ],
    ids=str,
)
def test_what_does_not_commute_is_refused_by_name(expr, name, mode):
    with pytest.raises(InputError, match=rf"{name}(\(t\))? does not commute"):
        diff(expr, t, mode=mode)


q, c, a = map(sympy.IndexedBase, "qca")


@pytest.mark.parametrize(
    ("expr", "same"),
    [
        (Sum(c[i] * q[i], (i, 1, 3)), Sum(c[j] * q[j], (j, 1, 3))),
        (Sum(q[i] ** 2 * Sum(q[i], (i, 1, 2)), (i, 1, 4)), Sum(q[j] ** 2 * Sum(q[k], (k, 1, 2)), (j, 1, 4))),
        (Product(q[i], (i, 1, 3)), Product(q[j], (j, 1, 3))),
        (Sum(f(i) * q[i], (i, 1, 3)) + q[i] * i, Sum(f(j) * q[j], (j, 1, 3)) + q[i] * i),
    ],
    ids=str,
)
@pytest.mark.parametrize("at", [1, 2, 3])
def test_a_bound_index_is_renamed_where_it_would_capture(expr, same, at, mode):
    """The element that is differentiated by is q[i] from outside, whatever the index of the Sum is called."""
    ours, theirs = (diff(e, q[i], mode=mode).doit().subs(i, at).doit() for e in (expr, same))
    assert sympy.expand(ours - theirs) == 0
    written = same.doit().subs(i, at) if not isinstance(same, sympy.Add) else None
    if written is not None:
        assert sympy.expand(ours - sympy.diff(written.doit(), q[at])) == 0


def test_a_function_of_an_index_may_be_the_variable(mode):
    expr = Sum(g(j) ** 2, (j, 1, 3))
    for variable in (g(1), g(2), g(4)):
        assert diff(expr, variable, mode=mode).doit() == sympy.diff(expr.doit(), variable)
    captured = diff(expr, g(j), mode=mode)
    assert captured.doit().subs(j, 2).doit() == 2 * g(2)
    assert diff(g(i) * g(2), g(2), mode=mode) == g(i)  # outside of Sums they are different functions' values


def test_mixed_partial_derivatives_are_the_same_in_either_order(mode):
    one, other = Derivative(f(x, y), x, y), Derivative(f(x, y), y, x)
    assert diff(one, other, mode=mode) == diff(other, one, mode=mode) == 1
    assert sympy.expand(diff(one**2 * y, other, mode=mode) - 2 * one * y) == 0
    assert sympy.expand(gradient(one * other, [other], mode=mode)[0] - 2 * one) == 0
    assert diff(one, Derivative(f(x, y), x), mode=mode) == 0


def test_an_index_has_no_derivative(mode):
    with pytest.raises(NoRuleError, match=r"the index of a\[2\*x\] depends on the variable"):
        diff(a[2 * x] * x, x, mode=mode)
    with pytest.raises(NoRuleError, match="KroneckerDelta is a function of integers"):
        diff(sympy.KroneckerDelta(x, 1), x, mode=mode)


def test_unevaluated_derivatives_are_evaluated_first(mode):
    for expr in (
        Derivative(sympy.sin(x * y), x),
        Derivative(f(x) * sympy.sin(x * y), x, y),
        Derivative(sympy.exp(x * y), (x, 2)) * y,
        Subs(sympy.sin(x * t), t, x**2 * y),
    ):
        for variable in (x, y):
            difference = diff(expr, variable, mode=mode) - sympy.diff(expr.doit(), variable)
            assert sympy.simplify(difference.doit()) == 0
    with pytest.raises(NoRuleError, match="whose order k is no number"):
        diff(Derivative(sympy.sin(x), (x, k)), x, mode=mode)


def test_of_arrays_every_element_is_differentiated(mode):
    array = sympy.Array([[x * y, sympy.sin(x)], [1, x**2]])
    assert diff(array, x, mode=mode) == sympy.Array([[y, sympy.cos(x)], [0, 2 * x]])
    with pytest.raises(InputError, match=r"got a Tuple; use jacobian\(list\(expr\), xs\)"):
        diff(sympy.Tuple(x, x**2), x, mode=mode)


def test_second_derivatives_by_elements_with_an_index(mode):
    expr = Sum(c[i] * q[i] ** 3, (i, 1, 2))
    second = hessian(expr, [q[i]], mode=mode)[0, 0]
    assert sympy.expand(second.doit().subs(i, 2).doit() - 6 * c[2] * q[2]) == 0


def test_an_element_of_an_array_of_expressions(mode):
    array = sympy.ImmutableDenseNDimArray([[x, y], [x * y, sympy.sin(x)]])
    element = diff(array[i, j], x, mode=mode)
    for place, expected in zip(((0, 0), (0, 1), (1, 0), (1, 1)), (1, 0, y, sympy.cos(x)), strict=True):
        assert element.subs({i: place[0], j: place[1]}) == expected


def test_a_derivative_at_another_point_is_another(mode):
    """SymPy compares a Subs by what it holds beside its operands, which a copy has to learn anew."""
    f, x, z = Function("f"), *map(intern, symbols("x z"))
    at_x = diff(f(x**2), x, mode=mode)
    at_z = substitute(at_x, {x: z})
    assert at_x.subs(x, z).doit() == at_z.doit() != at_x.doit()
    (one,), (other,) = (e.atoms(Subs) for e in (at_x, at_z))
    assert one != other
    assert sympy.simplify(one - other) != 0


def test_an_element_of_a_matrix_may_be_any_of_it(mode):
    """Those of a Sum over their indices were constants, by an element with free ones."""
    i, j, k, m, n = symbols("i j k m n", integer=True)
    x, a = (sympy.MatrixSymbol(name, k, k) for name in "XA")
    trace = Sum(a[i, j] * x[j, i], (i, 0, k - 1), (j, 0, k - 1))
    agree = sympy.KroneckerDelta(j, m) * sympy.KroneckerDelta(i, n)
    assert diff(trace, x[m, n], mode=mode).doit() == Sum(a[i, j] * agree, (i, 0, k - 1), (j, 0, k - 1)).doit()
    y = sympy.MatrixSymbol("Y", 3, 3)
    assert diff(Sum(y[i, j] ** 2, (i, 0, 2), (j, 0, 2)), y[0, 1], mode=mode).doit() == 2 * y[0, 1]
    assert diff(x[0, 0] * x[0, 1], x[0, 1], mode=mode) == x[0, 0]
    assert diff(x[i, 0], x[j, 1], mode=mode) == 0


@pytest.mark.parametrize(
    ("expr", "says"),
    [
        (sympy.nan, "nan has no derivative"),
        (sympy.zoo, "zoo has no derivative"),
        (sympy.Lambda(Symbol("x"), Symbol("x") ** 2), "a function|the function"),
        (sympy.Poly(Symbol("x") ** 2), "as_expr"),
    ],
)
def test_what_has_no_value_has_no_derivative(mode, expr, says):
    with pytest.raises(InputError, match=says):
        diff(expr, Symbol("x"), mode=mode)


def test_what_is_kept_unevaluated_is_differentiated(mode):
    x = Symbol("x")
    kept = diff(sympy.UnevaluatedExpr(x**2) * x, x, mode=mode)
    assert (kept.doit() - 3 * x**2).expand() == 0
    for expr in (sympy.UnevaluatedExpr(x**2), Derivative(x**2, x), Subs(x**2, x, 2 * x)):
        assert "= ," not in steps(expr * x, x).text()
