"""Sums and Products over ranges: values against what SymPy multiplies out, and work that is counted."""

from fractions import Fraction

import pytest
import sympy
from sympy import S, Symbol, symbols

from diffkit.errors import NoRuleError
from diffkit.expressions import add, call, intern, multiply, post_order, rebuild, subtract
from diffkit.symbolic import diff, evaluate, gradient, size
from diffkit.symbolic.rules import ranges

x, y, z = symbols("x y z", real=True)
MODES = ["forward", "reverse"]
i, j, k, n = symbols("i j k n", integer=True)


def nest(cls, levels, innermost, high=3):
    """Sums or Products of n levels, each of them using its index, built without SymPy's own walks."""
    expr = intern(innermost)
    join = multiply if cls is sympy.Sum else add
    for level in range(levels):
        index = Symbol(f"i{level}", integer=True)
        template = intern(cls(index, (index, 1, high)))
        expr = rebuild(template, [join(expr, intern(index)), template.args[1]])
    return expr


def test_a_products_derivative_is_the_same_each_time():
    i, k = symbols("i k", integer=True)
    inner = sympy.Product(k * x + i, (i, 1, 2))
    expr = sympy.Product(x + i + inner, (i, 1, 3))
    for mode in ("forward", "reverse"):
        once, again = diff(expr, x, mode=mode), diff(expr, x, mode=mode)
        assert once is again
        second = diff(expr, x, 2, mode=mode)
        for order, ours in ((1, once), (2, second)):
            theirs = sympy.diff(by_writing_out(expr), x, order).subs({x: S(7) / 10, k: S(13) / 10})
            got = evaluate(ours, {x: Fraction(7, 10), k: Fraction(13, 10)}, exact=True)
            assert got == Fraction(int(theirs.p), int(theirs.q))


def test_nested_sums_agree_with_sympy():
    expr = nest(sympy.Sum, 3, x**2 * y)
    for v in (x, y):
        for mode in ("forward", "reverse"):
            difference = diff(expr, v, mode=mode).doit() - sympy.diff(expr.doit(), v)
            assert sympy.expand(difference) == 0


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_sums_nested_thousands_deep(mode):
    derivative = diff(nest(sympy.Sum, 2000, x**2), x, mode=mode)
    assert size(derivative).dag == 8005
    body = derivative
    while isinstance(body, sympy.Sum):
        body = next(a for a in body.args[0].args if not a.is_Symbol)
    assert body == 2 * x


def test_the_time_for_nested_sums_is_linear(monkeypatch):
    """Counted in nodes that are visited: twice as deep, twice as many."""
    from diffkit.symbolic.rules import context

    visited = 0
    walk = context.post_order

    def counting(*roots, **options):
        nonlocal visited
        found = walk(*roots, **options)
        visited += len(found)
        return found

    monkeypatch.setattr(context, "post_order", counting)
    counts = []
    for levels in (100, 200, 400):
        visited = 0
        diff(nest(sympy.Sum, levels, x**2), x)
        counts.append(visited)
    assert counts[2] < 2.1 * counts[1] < 4.41 * counts[0]


def test_an_index_of_the_same_name_hides_the_variable():
    inner = sympy.Sum(x * y, (x, 1, 3))
    expr = sympy.Sum(inner * x + k * x, (k, 1, 2))
    for v in (x, y):
        assert sympy.simplify(diff(expr, v).doit() - sympy.diff(expr.doit(), v)) == 0
    assert diff(inner, x) == 0


def test_an_index_that_hides_the_variable_hides_it_from_the_limits_within():
    inner = sympy.Sum(y * k, (k, 1, x))
    expr = sympy.Sum(inner, (x, 1, 3)) * x
    for mode in MODES:
        by_x, by_y = gradient(expr, [x, y], mode=mode)
        assert evaluate([by_x, by_y], {x: 5, y: 2}, exact=True) == [20, 50]
        with pytest.raises(NoRuleError, match="limit of the Sum over k depends"):
            gradient(inner * x, [x, y], mode=mode)
    with pytest.raises(NoRuleError, match="limit of the Sum over x depends"):
        diff(sympy.Sum(y, (x, 1, x)), x)


# -- products ------------------------------------------------------------------------------------------

PRODUCTS = [
    sympy.Product(x - i, (i, 1, 4)),
    sympy.Product((x - i) * (y + i), (i, 0, 3)),
    sympy.Product(x + i * j, (i, 1, j), (j, 1, 3)),  # limits that use an outer index
    sympy.Product(x + i * j - k, (i, j, k), (j, 1, k), (k, 1, 3)),
    sympy.Product(sympy.Product(x + i * j - 2, (i, j, 3)) - y, (j, 1, 3)),
    sympy.Product(x + sympy.Product(x - i * j * k, (i, 1, 2)) + sympy.Sum(x**i * j, (i, 1, k)), (j, 1, 2),
                  (k, 1, 2)),
    sympy.Product(x - i, (i, 1, 0)) * x,  # empty
    sympy.Product(x - i, (i, 3, 1)) * x + y,
    sympy.Product(sympy.Product(x - i, (i, 2, j)) + x, (j, 1, 3)),  # the first of the inner ones is empty
    sympy.Product(x + i * sympy.Product(x * i - y, (i, 1, 2)), (i, 1, 3)),  # the same index within
    sympy.Sum(sympy.Product(x * i - sympy.Sum(x**j, (j, 1, i)), (i, 1, k)), (k, 1, 3)),
    x * sympy.Product(x, (i, 1, 3)),
]  # fmt: skip
POINTS = [(Fraction(2, 3), Fraction(5, 7)), (Fraction(2), Fraction(-1)), (Fraction(1), Fraction(3))]


def by_writing_out(expr):
    """What a range stands for, every term and factor written out."""
    if not isinstance(expr, sympy.Sum | sympy.Product):
        return expr.func(*[by_writing_out(a) for a in expr.args]) if expr.args else expr
    body, *inner, (index, low, high) = expr.args
    body = expr.func(body, *inner) if inner else body
    pieces = [by_writing_out(_at(body, index, value)) for value in range(int(low), int(high) + 1)]
    return (sympy.Add if isinstance(expr, sympy.Sum) else sympy.Mul)(*pieces)


def _at(expr, index, value):
    """``expr`` with a value in place of the index, where that is free."""
    if expr == index:
        return sympy.Integer(value)
    if not expr.args:
        return expr
    if not isinstance(expr, sympy.Sum | sympy.Product):
        return expr.func(*[_at(a, index, value) for a in expr.args])
    limits, hidden = [], False
    for own, low, high in reversed(expr.limits):
        ends = (low, high) if hidden else (_at(low, index, value), _at(high, index, value))
        limits.insert(0, (own, *ends))
        hidden = hidden or own == index
    return expr.func(expr.function if hidden else _at(expr.function, index, value), *limits)


@pytest.mark.parametrize("longest", [0, 30, 200])
@pytest.mark.parametrize("expr", PRODUCTS, ids=str)
def test_products_agree_with_what_they_stand_for(expr, longest, monkeypatch):
    """At points where factors are zero as well; with the index replaced, and bound by a sum of one term."""
    monkeypatch.setattr(ranges, "_LONG", longest)
    plain = by_writing_out(expr)
    for mode in MODES:
        for order in (1, 2):
            ours, theirs = diff(expr, x, order, mode=mode), sympy.diff(plain, x, order)
            for a, b in POINTS:
                expected = sympy.Rational(theirs.subs({x: S(a), y: S(b)}))
                got = evaluate(ours, {x: a, y: b}, exact=True)
                assert got == Fraction(int(expected.p), int(expected.q))
    both = gradient(expr, [x, y])
    a, b = POINTS[0]
    for derivative, v in zip(both, (x, y), strict=True):
        expected = sympy.Rational(sympy.diff(plain, v).subs({x: S(a), y: S(b)}))
        assert evaluate(derivative, {x: a, y: b}, exact=True) == expected


@pytest.mark.parametrize("longest", [0, 200])
def test_sympy_multiplies_them_out_to_the_same(longest, monkeypatch):
    monkeypatch.setattr(ranges, "_LONG", longest)
    for expr in PRODUCTS[:3]:
        assert sympy.expand(diff(expr, x).doit() - sympy.diff(by_writing_out(expr), x)) == 0


def test_a_short_derivative_is_written_at_the_other_index():
    derivative = diff(sympy.Product(x * i, (i, 1, n)), x)
    (other, low, high), both = derivative.args[1], derivative.args[0]
    assert (low, high, other.name) == (1, n, "i'")
    around, factor = both.args
    assert factor is other
    assert [p.args[1].args for p in around.args] == [(i, 1, subtract(other, 1)), (i, add(other, 1), n)]
    assert (
        str(derivative)
        == "Sum(_i'*(Product(i*x, (i, 1, _i' - 1))*Product(i*x, (i, _i' + 1, n))), (_i', 1, n))"
    )


@pytest.mark.parametrize("mode", MODES)
def test_products_nested_a_thousand_deep(mode, is_linear):
    nests = {levels: nest(sympy.Product, levels, x**2) for levels in (10, 200, 400, 1000)}
    assert is_linear(lambda levels: diff(nests[levels], x, mode=mode), 200)
    assert is_linear(lambda levels: diff(nests[levels], x, 2, mode=mode), 200)
    assert size(diff(nests[1000], x, mode=mode)).dag < 17 * 1000
    assert diff(nests[1000], x, mode=mode) is diff(nests[1000], x, mode=mode)


@pytest.mark.parametrize("cls", [sympy.Sum, sympy.Product])
def test_two_variables_of_which_the_inside_has_one(cls, is_linear):
    nests = {levels: multiply(nest(cls, levels, x**2), y) for levels in (10, 200, 400)}
    assert is_linear(lambda levels: gradient(nests[levels], [x, y]), 200)


@pytest.mark.parametrize("mode", MODES)
def test_what_many_sums_share_is_differentiated_once(mode, is_linear):
    def sums(count):
        """As many Sums as the function that is in all of them is deep."""
        shared = multiply(i, x)
        for _ in range(count):
            shared = call("sin", shared)
        template = intern(sympy.Sum(i, (i, 1, 3)))
        made = [rebuild(template, [add(shared, m), template.args[1]]) for m in range(count)]
        return intern(sympy.Add(*made, evaluate=False))

    made = {count: sums(count) for count in (10, 300, 600)}
    assert is_linear(lambda count: diff(made[count], x, mode=mode), 300)
    assert len(post_order(diff(made[300], x, mode=mode))) < 15 * 300
