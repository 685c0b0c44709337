"""Interned construction, NumPy code on symbols, and the table's functions as expressions."""

import math
import pickle
from fractions import Fraction

import numpy as np
import pytest
import sympy
from sympy import S, Symbol, symbols

import diffkit.expressions.intern_table as table
from diffkit.calculus import ALIASES, ELEMENTARY
from diffkit.errors import InputError, NoRuleError, TraceError
from diffkit.expressions import (
    SymbolicNumber,
    add,
    apply,
    call,
    divide,
    intern,
    multiply,
    negative,
    number,
    piecewise,
    post_order,
    power,
    product,
    rebuild,
    substitute,
    subtract,
    total,
)

x, y, z = symbols("x y z")


def test_nothing_is_flattened_and_equal_nodes_are_one_object():
    inner = multiply(4, x)
    outer = multiply(inner, subtract(1, x))
    assert outer.args[0] is inner
    assert outer is multiply(multiply(4, x), subtract(1, x))
    assert add(add(x, y), z).args[0] is add(x, y)


@pytest.mark.parametrize(
    ("built", "expected"),
    [
        (lambda: add(0, x), x),
        (lambda: add(x, 0), x),
        (lambda: subtract(x, 0), x),
        (lambda: subtract(0, x), -x),
        (lambda: multiply(1, x), x),
        (lambda: multiply(x, 1), x),
        (lambda: multiply(x, 0), S.Zero),
        (lambda: divide(x, 1), x),
        (lambda: divide(0, x), S.Zero),
        (lambda: divide(1, x), 1 / x),
        (lambda: divide(x, 2), x / 2),
        (lambda: power(x, 1), x),
        (lambda: power(x, 0), S.One),
        (lambda: negative(3), S(-3)),
        (lambda: add(S(1) / 2, S(1) / 3), S(5) / 6),
        (lambda: power(2, -3), S(1) / 8),
        (lambda: total([]), S.Zero),
        (lambda: total([x, 0]), x),
        (lambda: product([]), S.One),
        (lambda: product([x, 0, y]), S.Zero),
        (lambda: product([x, 2, y]), 2 * x * y),
    ],
)
def test_folds_only_zero_one_and_rationals(built, expected):
    assert built() == expected


def test_what_is_not_folded():
    assert add(x, x).args == (x, x)
    assert multiply(2, multiply(3, x)).args == (2, 3 * x)
    assert negative(negative(x)).args == (-1, -x)
    assert subtract(x, x).args == (x, -x)
    assert power(power(x, 2), 3).args == (x**2, 3)
    assert power(0, -1).is_Pow  # 1/0 stays as written; evaluating it is where it fails
    assert isinstance(call("cos", 0), sympy.cos)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.5, S(1) / 2),
        (-3.25, S(-13) / 4),
        (2.0, S(2)),
        (np.float32(0.25), S(1) / 4),
        (np.int64(7), S(7)),
        (True, S(1)),
        (Fraction(2, 6), S(1) / 3),
        (np.array(3.0), S(3)),
        (0.1, sympy.Float(0.1)),
        (math.inf, S.Infinity),
    ],
)
def test_numbers(value, expected):
    assert number(value) == expected


def test_a_float_keeps_its_bits():
    assert Fraction(str(sympy.Rational(number(0.1)))) == Fraction(0.1)


@pytest.mark.parametrize("bad", ["x + 1", 1j, None, [1, 2], np.array([1.0, 2.0]), object()])
def test_what_is_no_expression_is_refused(bad):
    with pytest.raises(InputError, match="expected"):
        add(x, bad)


def test_text_is_not_evaluated():
    with pytest.raises(InputError, match="text is not evaluated"):
        intern("__import__('os').system('false')")


def test_symbols_that_do_not_commute_are_refused():
    with pytest.raises(InputError, match="does not commute"):
        intern(Symbol("A", commutative=False) * x)


def test_interning_shares_what_is_equal():
    left = sympy.sin(x) * y
    twin = pickle.loads(pickle.dumps(left))
    assert twin is not left
    assert intern(left) is intern(twin)
    shared = intern(sympy.Add(left, sympy.exp(twin), evaluate=False))
    assert len(post_order(shared)) == 6  # y, x, sin(x), the product, exp, the sum


@pytest.mark.parametrize(
    "expr",
    [
        x + 2 * y - z / 3,
        sympy.sqrt(x) * sympy.exp(-x) / y**2,
        sympy.Piecewise((x, x > 0), (y**2, sympy.And(x < -1, y > 0)), (0, True)),
        sympy.Sum(x**z / z, (z, 1, 5)) + sympy.Product(x + z, (z, 1, y)),
        sympy.Max(x, y, z) * sympy.Min(x, 2),
        sympy.Function("f")(x, y).diff(x) + sympy.Integral(sympy.sin(x), (x, 0, y)),
        sympy.Heaviside(x - y) + sympy.Abs(x) + sympy.sign(y),
    ],
)
def test_an_interned_expression_equals_the_original_and_can_be_rebuilt(expr):
    shared = intern(expr)
    assert shared == expr
    assert hash(shared) == hash(expr)
    assert str(shared) == str(expr)
    moved = substitute(shared, {x: Symbol("t")})
    assert moved == expr.subs(x, Symbol("t")) or moved.doit() == expr.subs(x, Symbol("t")).doit()
    assert substitute(moved, {Symbol("t"): x}) is shared


def test_nodes_serve_sympy_as_its_own_do():
    built = multiply(2, call("sin", add(x, 1)))
    made = 2 * sympy.sin(x + 1)
    assert built.subs(x, 0).doit() == 2 * sympy.sin(1)
    assert built.diff(x).doit() == made.diff(x)
    assert built.doit() == made
    assert sympy.lambdify(x, built)(0.5) == pytest.approx(2 * math.sin(1.5))
    assert call("sin", x).nargs == sympy.sin(x).nargs
    assert built.is_commutative
    assert sympy.latex(call("sin", x)) == sympy.latex(sympy.sin(x))


def test_rebuild_with_the_same_operands_is_the_same_node():
    node = call("sin", x)
    assert rebuild(node, [intern(x)]) is node


def test_depth_never_recurses():
    node = intern(x)
    for _ in range(50_000):
        node = call("sin", node)
    assert hash(node) == node._mhash
    assert intern(node) is node
    assert len(post_order(node)) == 50_001
    assert substitute(node, {x: y}) is not node
    assert repr(SymbolicNumber(node)) == "SymbolicNumber(sin of more than 60 nodes)"


def test_the_table_forgets_what_nobody_holds():
    kept = multiply(Symbol("kept"), add(Symbol("kept"), 3))
    dropped = Symbol("dropped")
    chain = multiply(dropped, add(dropped, 3))
    for _ in range(100):
        chain = call("sin", chain)
    before = len(table.nodes)
    table.sweep()
    held = len(table.nodes)
    del chain
    table.sweep()
    assert held <= before
    assert len(table.nodes) <= held - 102
    assert multiply(Symbol("kept"), add(Symbol("kept"), 3)) is kept


# -- the table as expressions -------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*ELEMENTARY, *ALIASES])
def test_every_function_of_the_table_has_an_expression_with_numpy_s_value(name):
    line = ELEMENTARY[ALIASES.get(name, name)]
    arguments = [Symbol(f"a{k}") for k in range(len(line.arguments))]
    point = [1.25, 0.75] if line.name in ("arccosh", "acoth", "asec", "acsc") else [0.4, 0.7]
    if line.name == "polygamma":
        point = [2, 0.7]
    values = dict(zip(arguments, point, strict=False))
    got = float(apply(name, *arguments).subs(values).evalf(30))
    special = pytest.importorskip("scipy.special")
    function = getattr(np, line.name, None) or getattr(special, line.name, None)
    if function is None:
        expected = float(getattr(sympy, line.head)(*values.values()).evalf(30))
    else:
        expected = float(function(*values.values()))
    assert got == pytest.approx(expected, rel=1e-14)


def test_apply_reports_bad_names_and_counts():
    with pytest.raises(NoRuleError, match="sinn"):
        apply("sinn", x)
    with pytest.raises(InputError, match="takes x, y; got 1"):
        apply("maximum", x)
    with pytest.raises(InputError, match="no function named 'sinn'"):
        call("sinn", x)


def test_piecewise_keeps_its_pieces():
    pieces = piecewise((x, x > 0), (x, x > 1), (0, True))
    assert len(pieces.args) == 3
    assert pieces.subs(x, 2).doit() == 2


# -- NumPy code on symbols ----------------------------------------------------------------------------


def test_numpy_code_runs_on_symbols():
    s = SymbolicNumber.wrap([x, y])
    assert [e.expr for e in np.sin(np.array([SymbolicNumber(x)], dtype=object))] == [sympy.sin(x)]
    assert np.sum(s).expr == x + y
    assert np.dot(s, s).expr is add(multiply(x, x), multiply(y, y))
    assert (np.array([[1, 2], [3, 4]]) @ s)[1].expr == 3 * x + 4 * y
    assert np.mean(s).expr == divide(add(x, y), 2)
    assert np.prod(s).expr == x * y
    assert (2.0 * s - 1)[0].expr == subtract(multiply(2, x), 1)
    assert np.outer(s, s).shape == (2, 2)


@pytest.mark.parametrize("name", [n for n in ELEMENTARY if len(ELEMENTARY[n].arguments) == 1])
def test_every_one_argument_function_is_a_method(name):
    assert getattr(SymbolicNumber(x), name)().expr is apply(name, x)
    # NumPy squares an object by multiplying, and finds its sign by comparing.
    if hasattr(np, name) and name not in ("square", "sign"):
        array = getattr(np, name)(SymbolicNumber.wrap([x]))
        assert SymbolicNumber.unwrap(array)[0] is apply(name, x)


def test_operators():
    a, b = SymbolicNumber(x), SymbolicNumber(y)
    assert (a + b).expr is add(x, y)
    assert (1 + a).expr is add(1, x)
    assert (a - 2).expr is subtract(x, 2)
    assert (2 - a).expr is subtract(2, x)
    assert (a * y).expr is multiply(x, y)
    assert (a / b).expr is divide(x, y)
    assert (1 / a).expr is divide(1, x)
    assert (a**2).expr is power(x, 2)
    assert (2**a).expr is power(2, x)
    assert (-a).expr is negative(x)
    assert (+a).expr is intern(x)
    assert abs(a).expr is apply("absolute", x)
    assert (a % b).expr is apply("remainder", x, y)
    assert (np.float64(2.5) * a).expr is multiply(S(5) / 2, x)
    with pytest.raises(TypeError):
        a + "1"


def test_two_argument_functions_on_one_symbol():
    a = SymbolicNumber(x)
    assert np.maximum(a, 0.0).expr == sympy.Max(0, x)
    assert np.hypot(a, 3).expr is apply("hypot", x, 3)
    assert [e.expr for e in np.arctan2(a, np.array([1.0, 2.0]))] == [sympy.atan2(x, 1), sympy.atan2(x, 2)]


@pytest.mark.parametrize(
    "use",
    [
        lambda s: bool(s),
        lambda s: 1 if s > 0 else 2,
        lambda s: s <= 0,
        lambda s: s == 0,
        lambda s: s != 0,
        lambda s: s > 0,
        lambda s: float(s),
        lambda s: int(s),
        lambda s: range(s),
        lambda s: [1, 2, 3][s],
        lambda s: np.maximum(np.array([s]), 0),
        lambda s: np.less(s, 0),
        lambda s: np.array([s]) > 0,
        lambda s: np.max(np.array([s, s])),  # NumPy compares, but the line to mend is the user's
        lambda s: math.sin(s),
    ],
)
def test_asking_for_a_value_raises_with_the_line(use):
    with pytest.raises(TraceError, match=r"test_expressions\.py, line \d+.*a symbol has none"):
        use(SymbolicNumber(x))


def test_wrap_and_unwrap_keep_the_shape():
    wrapped = SymbolicNumber.wrap([[x, 1], [y, 0.5]])
    assert wrapped.shape == (2, 2)
    assert SymbolicNumber.unwrap(wrapped).tolist() == [[x, 1], [y, S(1) / 2]]
    assert SymbolicNumber.unwrap(SymbolicNumber.wrap(x)) == x
