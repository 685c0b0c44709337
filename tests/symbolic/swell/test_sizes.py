"""Sizes against SymPy's own counts where those finish, and against closed forms where they don't."""

import numpy as np
import pytest
import sympy
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sympy import Rational, S, symbols
from sympy.core.function import _coeff_isneg

from diffkit.errors import InputError
from diffkit.expressions import add, apply, call, intern, multiply, negative, subtract
from diffkit.symbolic import FAMILIES, diff, gradient, size

x, y, z = symbols("x y z")


def by_sympy(expr):
    tree = sum(1 for _ in sympy.preorder_traversal(expr))
    return tree, sympy.count_ops(expr), len(sympy.sstr(expr, order="none"))


def ours(expr):
    measured = size(expr)
    return measured.tree, measured.tree_operations, measured.characters


FIXED = [
    x, S(3), S(-3), S(2) / 3, -S(2) / 3, sympy.pi, sympy.E, -x, x - y, -x - y, -x + y, x / y, 1 / x, -1
    / x, 3 / x, -x / 2, 3 * x / 2, x / (2 * y), 2 / (3 * x * y), x**2, x**-2, y / x**2, 1 / (x * y),
    sympy.sqrt(x), 1 / sympy.sqrt(x), y / sympy.sqrt(x), x**y, x ** (-y), z * x ** (-y), 2 ** (-x), S(1)
    / 2**x, (x + y) ** 2 / (x - y), -(x + y) / z, sympy.exp(-x), y * sympy.exp(-x), -sympy.exp(-x) / 3,
    sympy.exp(x) * x**2, sympy.Max(x, y, z), sympy.Min(x, 2), sympy.Heaviside(x), sympy.Piecewise((x, x
    > 0), (-y, True)), sympy.Sum(x**z, (z, 1, 5)), sympy.atan2(y, x), sympy.Function("f")(x, -y),
    sympy.Function("f")(x).diff(x), x * (y + 1) * (z - 2), (x * y) ** 3, (-x) ** y, sympy.Mul(-1,
    sympy.Mul(x, y, evaluate=False), evaluate=False), 1 / (x + y) / (x - y), sympy.Product(x, (x, 1,
    y)),
]  # fmt: skip


@pytest.mark.parametrize("expr", FIXED, ids=str)
def test_sizes_are_sympy_s(expr):
    assert ours(expr) == by_sympy(expr)


@st.composite
def expressions(draw, depth=4):
    if depth == 0 or draw(st.integers(0, 6)) == 0:
        return draw(st.sampled_from([x, y, z, S(2), S(-3), Rational(1, 2), Rational(-2, 3), sympy.pi]))
    a, b = draw(expressions(depth=depth - 1)), draw(expressions(depth=depth - 1))
    make = draw(
        st.sampled_from(
            [
                lambda: a + b,
                lambda: a * b,
                lambda: a - b,
                lambda: a / sympy.log(b + 7),
                lambda: a ** draw(st.sampled_from([2, 3, Rational(1, 2)])),
                lambda: sympy.sin(a),
                lambda: sympy.exp(a),
                lambda: sympy.log(a + y),
            ]
        )
    )
    return make()


def multiplied_out(expr):
    """Whether count_ops multiplies a number into a sum, as in 2*(x + y)/z, before it counts."""
    return any(
        product.args[0].is_Rational and any(a.is_Add or (a.is_Pow and a.base.is_Add) for a in product.args)
        for product in expr.atoms(sympy.Mul)
    )


def put_below_the_line(expr):
    """Whether count_ops finds that an exponent without a minus is a negative number, as in x*exp(-4 - pi).

    It then counts x/exp(4 + pi). Whether a number is negative is asked of no expression here: that takes
    evaluating it, and may recurse.
    """
    factors = (f for product in expr.atoms(sympy.Mul) for f in product.args)
    exponents = (f.as_base_exp()[1] for f in factors if f.is_Pow or isinstance(f, sympy.exp))
    return any(e.is_negative and not _coeff_isneg(e) for e in exponents)


@given(expressions())
@example((x + y) * sympy.exp(-4 - sympy.pi))
@example(x * sympy.exp(sympy.sin(sympy.exp(sympy.pi))))
@settings(max_examples=150, deadline=None)
def test_sizes_are_sympy_s_for_what_sympy_builds(expr):
    if not expr.has(S.NaN, S.ComplexInfinity, S.ImaginaryUnit):
        mine, theirs = ours(expr), by_sympy(expr)
        assert (mine[0], mine[2]) == (theirs[0], theirs[2])
        assert mine[1] == theirs[1] or multiplied_out(expr) or put_below_the_line(expr)


@given(expressions())
@settings(max_examples=60, deadline=None)
def test_the_text_of_an_unevaluated_derivative_has_the_length_that_is_told(expr):
    if not expr.has(S.NaN, S.ComplexInfinity, S.ImaginaryUnit):
        for mode in ("forward", "reverse"):
            d = diff(expr, x, mode=mode)
            assert size(d).characters == len(sympy.sstr(d, order="none"))
            assert size(d).tree == sum(1 for _ in sympy.preorder_traversal(d))


@pytest.mark.parametrize("n", [3, 4, 5, 6])
def test_sympy_s_derivative_of_the_logistic_map(n):
    iterate = x
    for _ in range(n - 1):
        iterate = 4 * iterate * (1 - iterate)
    assert size(sympy.diff(iterate, x)).tree == {3: 44, 4: 166, 5: 530, 6: 1538}[n]


@pytest.mark.parametrize("n", [2, 3, 4, 7, 20, 300])
def test_closed_forms_of_the_logistic_map(n):
    f = FAMILIES["logistic map"].expression(n)
    assert size(f).tree == 2 ** (n + 2) - 7
    assert (size(f).dag, size(f).operations) == (4 * n, 3 * n - 3)
    forward, reverse = (size(diff(f, intern(x), mode=mode)) for mode in ("forward", "reverse"))
    assert forward.dag == reverse.dag == 9 * n - 8
    assert forward.tree == (4 * n - 5) * 2**n + 1
    assert forward.operations == 8 * n - 12
    assert reverse.operations == 7 * n - 10
    if n > 10:
        assert abs(reverse.tree / (4 * 4**n / 3) - 1) < 0.01


@pytest.mark.parametrize("k", [1, 2, 3, 8, 100])
def test_closed_forms_of_the_soft_relu_nest(k):
    family = FAMILIES["soft ReLU"]
    measured = size(diff(family.expression(k + 1), *family.variables(k + 1)))
    assert measured.tree == 12 * k**2 + 10 * k - 3  # quadratic: each level is used once
    assert (measured.dag, measured.operations) == (10 * k + 2, 9 * k - 3)


@pytest.mark.parametrize("k", [1, 2, 3, 6])
def test_sympy_s_own_derivative_of_the_soft_relu_nest(k):
    from diffkit.symbolic.swell.growth import evaluated

    measured = size(sympy.diff(evaluated(FAMILIES["soft ReLU"].expression(k + 1)), "w"))
    assert (measured.tree, measured.dag) == (12 * k**2 + 8 * k - 2, 8 * k + 3)


@pytest.mark.parametrize("n", [3, 10, 100])
def test_all_partials_of_a_product(n):
    family = FAMILIES["product"]
    partials = gradient(family.expression(n), family.variables(n))
    assert size(partials).operations == 3 * n - 6


def test_operations_are_a_program_s_lines():
    assert size(subtract(x, y)).operations == 1
    assert size(negative(x)).operations == 1
    assert size(x / y).operations == size(1 / x).operations == 1
    assert size(sympy.sqrt(x)).operations == size(x**-2).operations == size(2 * x).operations == 1
    shared = call("sin", x)
    assert size(add(shared, multiply(shared, shared))).operations == 3
    assert size([shared, multiply(shared, 2)]).operations == 2
    assert size(apply("expit", x)).operations == 4  # -x, exp, 1 + ., 1 / .
    assert size(add(x, negative(y))).operations + size(negative(y)).operations == 2
    assert size([subtract(x, y), negative(y)]).operations == 2


def test_a_matrix_is_measured_together():
    matrix = sympy.Matrix([[x * y, sympy.sin(x * y)]])
    assert size(matrix).operations == 2
    assert size(matrix).tree == 3 + 4


def test_text_is_refused():
    with pytest.raises(InputError, match="text is not evaluated"):
        size("x + 1")


def test_ten_thousand_levels_and_their_6000_digits(is_linear):
    d = diff(FAMILIES["logistic map"].expression(10_000), intern(x), mode="reverse")
    measured = size(d)
    assert measured.dag == 89_992
    assert measured.tree.bit_length() > 20_000
    assert measured.characters > measured.tree
    assert repr(measured).startswith("Size(tree=5.31e+6020, dag=89992, operations=69990, tree_operations=")
    levels = {n: diff(FAMILIES["logistic map"].expression(n), intern(x)) for n in (10, 500, 1000)}
    assert is_linear(lambda n: repr(size(levels[n])), 500)


def test_several_expressions_are_measured_together_whatever_holds_them():
    both = [x * y, sympy.sin(x * y)]
    expected = size(both)
    assert (expected.tree, expected.dag, expected.operations, expected.characters) == (7, 4, 2, 3 + 8)
    for holder in (tuple, sympy.Tuple.fromiter, np.array, sympy.Array, sympy.Matrix):
        assert size(holder(both)) == expected
        assert hash(size(holder(both))) == hash(expected)
    assert size([x]) == size(x) != size([x, x])
    assert (size([]).tree, size([]).depth) == (0, 0)


def test_conditions_have_a_size_though_no_derivative():
    for condition in (x < 1, sympy.And(x < 1, y > 2 + x)):
        measured = size(condition)
        assert measured.tree == sum(1 for _ in sympy.preorder_traversal(condition))
        assert measured.characters == len(sympy.sstr(condition, order="none"))
    assert size(x + y < 1).operations == 1  # a comparison is no arithmetic


@pytest.mark.parametrize("what", [{x}, {x: 1}, None, 1j, [[x]], sympy.Interval(0, x)])
def test_what_is_no_expression_has_no_size(what):
    with pytest.raises(InputError, match="expected a"):
        size(what)


def test_only_what_is_asked_for_is_measured(monkeypatch):
    """The texts' lengths take longest by far, and nobody who wants the operations waits for them."""
    from diffkit.symbolic.swell import sizes

    monkeypatch.setattr(sizes.Lengths, "measure", lambda *_: pytest.fail("nobody asked for characters"))
    measured = size(diff(FAMILIES["logistic map"].expression(100), intern(x)))
    assert (measured.dag, measured.operations) == (892, 788)
    assert measured.tree.bit_length() > 100
    with pytest.raises(pytest.fail.Exception):
        _ = measured.characters


HALVES = [S(-1) / 2, sympy.Float(-0.5), sympy.Float(0.5), sympy.Float(-2.5), S(-2), S(2), sympy.Float(-2.0)]


@pytest.mark.parametrize("c", HALVES, ids=str)
@pytest.mark.parametrize(
    "make",
    [
        lambda c: x**c,
        lambda c: y * x**c,
        lambda c: -(x**c),
        lambda c: 3 * x**c,
        lambda c: y * z**2 * x**c,
        lambda c: y * x**c / z,
        lambda c: y * sympy.exp(c * x),
        lambda c: c * x,
        lambda c: c * x / y,
        lambda c: c - x,
        lambda c: x + c,
        lambda c: (x + y) ** c * z,
    ],
)
def test_signs_of_numbers_of_every_kind_are_counted_as_sympy_counts_them(make, c):
    expr = make(c)
    mine, theirs = ours(expr), by_sympy(expr)
    assert mine == theirs
