"""User primitives: both modes, several answers, nested, and refused where their rules are wrong."""

import math

import numpy as np
import pytest

import diffkit as dk
from diffkit.errors import InputError, NoRuleError, TraceError


def sine():
    """sin, in a way that can't be traced: through math, on elements."""

    @dk.primitive
    def my_sin(x):
        return np.vectorize(math.sin)(x) if isinstance(x, np.ndarray) else math.sin(x)

    return my_sin


def test_the_other_mode_follows_from_a_vjp():
    f = sine()
    dk.defvjp(f, lambda g, ans, x: g * np.cos(x))
    dk.check_grads(f, order=3)(0.4)
    dk.check_grads(lambda x: f(x) * x, order=3)(np.array([0.4, -1.0]))


def test_the_other_mode_follows_from_a_jvp():
    f = sine()
    dk.defjvp(f, lambda t, ans, x: t * np.cos(x))
    dk.check_grads(f, order=3)(0.4)
    dk.check_grads(lambda x: f(x) * x, order=3)(np.array([0.4, -1.0]))


def test_a_mode_per_argument():
    f = dk.primitive(lambda x, y: float(x) * float(y) ** 2)
    dk.defvjp(f, lambda g, ans, x, y: g * y**2)
    dk.defjvp(f, lambda t, ans, x, y: t * 2.0 * x * y, argnums=(1,))
    dk.check_grads(f)(1.5, 0.7)


def test_nested_derivatives_do_not_confuse_perturbations():
    f = sine()
    dk.defvjp(f, lambda g, ans, x: g * np.cos(x))
    for outer in (dk.grad, dk.deriv):
        for inner in (dk.grad, dk.deriv):
            # d/dx [x d/dy sin(x + y)] at y = 1: cos(x + 1) - x sin(x + 1)
            got = outer(lambda x, inner=inner: x * inner(lambda y: f(x + y))(1.0))(0.5)
            assert got == pytest.approx(math.cos(1.5) - 0.5 * math.sin(1.5), rel=1e-12)


def test_several_answers():
    @dk.primitive
    def polar(x, y):
        return math.hypot(x, y), math.atan2(y, x)

    dk.defvjp(
        polar,
        lambda g, ans, x, y: g[0] * x / ans[0] - g[1] * y / ans[0] ** 2,
        lambda g, ans, x, y: g[0] * y / ans[0] + g[1] * x / ans[0] ** 2,
    )
    dk.check_grads(lambda x, y: polar(x, y)[0] * polar(x, y)[1])(0.3, 1.2)
    dk.check_grads(lambda x, y: polar(x, y)[1])(0.3, 1.2)  # one answer unused
    dk.check_grads(lambda x, y: list(polar(x, y)))(0.3, 1.2)


def test_several_answers_from_a_jvp():
    @dk.primitive
    def powers(x):
        return x**2, x**3

    dk.defjvp(powers, lambda t, ans, x: (2.0 * x * t, 3.0 * x**2 * t))
    dk.check_grads(lambda x: powers(x)[0] * powers(x)[1])(np.array([0.3, 1.2]))


def test_keywords_and_traced_keywords():
    @dk.primitive
    def scaled(x, factor=2.0, *, times=1):
        return x * factor**times

    dk.defvjp(
        scaled,
        lambda g, ans, x, factor, times=1: g * factor**times,
        lambda g, ans, x, factor, times=1: g * x * times * factor ** (times - 1.0),
    )
    assert dk.grad(lambda x: scaled(x, 3.0, times=2))(1.0) == 9.0
    assert dk.grad(lambda c: scaled(2.0, factor=c, times=2))(3.0) == 12.0
    with pytest.raises(TraceError, match="can't be given by position"):
        dk.grad(lambda n: scaled(2.0, 3.0, times=n))(1.0)


def test_complex_and_single_precision_follow_by_transposing():
    f = dk.primitive(np.exp)
    dk.defvjp(f, lambda g, ans, z: g * ans)
    dk.check_grads(lambda z: f(z) * z)(np.array([0.3 + 1j, -0.2 - 0.4j]))
    dk.check_grads(lambda z: f(z) * z)(np.array([0.3, -0.2], np.float32))


def test_a_rule_in_double_precision_keeps_the_arguments_dtype():
    f = dk.primitive(lambda x: x * x)
    dk.defvjp(f, lambda g, ans, x: g * (2.0 * x.astype(np.float64)))
    got = dk.grad(lambda x: np.sum(f(x)))(np.ones(2, np.float32))
    assert got.dtype == np.float32


def test_zero_derivatives():
    f = dk.primitive(lambda x, k: x * k)
    dk.defvjp(f, lambda g, ans, x, k: g * k, None)
    assert dk.grad(f, argnum=(0, 1))(2.0, 3.0) == (3.0, 0.0)
    assert dk.deriv(f, argnum=1)(2.0, 3.0) == 0.0


def test_linear_in_each_argument():
    f = dk.primitive(lambda x, y: np.sum(x * y[::-1]))
    dk.deflinear(f)
    dk.check_grads(f)(np.array([1.0, 2.0]), np.array([0.3, -0.4]))
    one = dk.primitive(lambda x, n: n * x)
    dk.deflinear(one, argnums=(0,))
    assert dk.grad(one)(1.0, 4) == 4.0
    with pytest.raises(NoRuleError, match="no vjp rule for its argument 1"):
        dk.grad(one, argnum=1)(1.0, 4.0)


def test_linear_and_not_traceable_needs_a_vjp():
    f = dk.primitive(lambda x: float(x) * 3.0)
    dk.deflinear(f)
    assert dk.deriv(f)(1.0) == 3.0
    with pytest.raises(TraceError, match=r"float\(\)"):
        dk.grad(f)(1.0)
    dk.defvjp(f, lambda g, ans, x: 3.0 * g)
    assert dk.grad(f)(1.0) == 3.0


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (lambda g, ans, x: 1.0, r"rule of argument 0 of total returned shape \(\), .* has shape \(3,\)"),
        (lambda g, ans, x: None, "returned None"),
        (lambda g, ans, x: [1.0, 2.0, 3.0], "returned \\[1.0"),
        (lambda ans, x, _=None: lambda g: g, "returned a function"),
    ],
)
def test_a_vjp_of_the_wrong_shape_is_refused_by_name(rule, message):
    @dk.primitive
    def total(x):
        return np.sum(x)

    dk.defvjp(total, rule)
    with pytest.raises(TraceError, match=message):
        dk.grad(lambda x: 2.0 * total(x))(np.ones(3))


def test_a_jvp_of_the_wrong_shape_or_structure_is_refused_by_name():
    f = dk.primitive(lambda x: x * np.ones(2))
    dk.defjvp(f, lambda t, ans, x: t)
    with pytest.raises(TraceError, match=r"jvp rule of argument 0 of <lambda> returned shape \(\)"):
        dk.deriv(f)(1.0)
    pair = dk.primitive(lambda x: (x, x))
    dk.defjvp(pair, lambda t, ans, x: t)
    with pytest.raises(TraceError, match="must return 2 parts"):
        dk.deriv(lambda x: pair(x)[0])(1.0)


def test_a_function_without_rules_is_refused_by_name():
    f = dk.primitive(math.lgamma)
    with pytest.raises(NoRuleError, match="lgamma"):
        dk.grad(f)(1.0)
    with pytest.raises(NoRuleError, match="lgamma"):
        dk.deriv(f)(1.0)


def test_traced_values_in_a_list_are_refused():
    f = dk.primitive(lambda xs: sum(xs))
    with pytest.raises(TraceError, match="argument 0 of <lambda> is a list of traced values"):
        dk.grad(lambda x: f([x, x]))(1.0)


def test_a_traced_value_from_around_the_function_is_refused():
    def f(x):
        scaled = dk.primitive(lambda y: y * x)
        dk.defvjp(scaled, lambda g, ans, y: g * x)
        return scaled(x)

    with pytest.raises(TraceError, match="not one of its arguments"):
        dk.grad(f)(2.0)


def test_what_is_no_primitive_is_refused():
    def cube(x):
        return x**3

    with pytest.raises(InputError, match=r"dk.primitive\(cube\)"):
        dk.defvjp(cube, lambda g, ans, x: g)
    with pytest.raises(InputError, match="2 rules came"):
        dk.defvjp(sine(), None, None, argnums=(0,))
    with pytest.raises(InputError, match="is vjp"):
        dk.defvjp(sine(), 3.0)
    with pytest.raises(InputError, match="no rule came"):
        dk.defjvp(sine())
    with pytest.raises(InputError, match="makes a primitive of a function"):
        dk.primitive(3)


def in_place(d, ans, x):
    d *= 3.0
    return d


@pytest.mark.parametrize("give_rule", [dk.defvjp, dk.defjvp])
@pytest.mark.parametrize(
    ("f", "factor"),
    [
        (lambda run, x: (run(x) + x) * x, 8.0),
        # What the rule is given is another row's derivative too: the addition hands on one and the same.
        (lambda run, x: run(x) + x, 4.0),
        (lambda run, x: x + run(x), 4.0),
        (lambda run, x: run(x) + run(x), 6.0),
        (lambda run, x: run(x + 0.0) - (x + 0.0), 2.0),
        (lambda run, x: run(run(x)) + run(x), 12.0),
    ],
)
def test_a_rule_may_change_what_it_is_given_in_place(give_rule, f, factor):
    tripled = dk.primitive(lambda x: 3.0 * x)
    give_rule(tripled, in_place)
    x = np.array([1.0, 2.0])
    expected = factor * (x if factor == 8.0 else np.ones(2))
    np.testing.assert_array_equal(dk.grad(lambda x: np.sum(f(tripled, x)))(x), expected)
    direction = np.array([1.0, -3.0])
    pushed = dk.make_jvp(lambda x: f(tripled, x))(x)(direction)[1]
    np.testing.assert_array_equal(pushed, expected * direction)
    np.testing.assert_array_equal(direction, [1.0, -3.0])


@pytest.mark.parametrize("name", ["sin", "exp", "log", "multiply"])
def test_a_name_of_the_table_is_not_taken_for_its_function(name):
    """As in test_checkpoint.py: the calculus table's formula belongs to NumPy's function, not to the name."""

    def function(x):
        return 3.0 * x

    function.__name__ = name
    tripled = dk.primitive(function)
    dk.defvjp(tripled, lambda g, ans, x: 3.0 * g)
    t = dk.trace(lambda x: tripled(x) + 1.0)(2.0)
    assert f"VJP of {name}: " in str(t.adjoint_table())
    assert f"JVP of {name}: " in str(t.tangent_table(1.0))
    assert dk.deriv(tripled)(2.0) == dk.grad(tripled)(2.0) == 3.0


@pytest.mark.parametrize("first", ["vjp", "linear"])
def test_a_given_rule_stands_whether_it_comes_before_or_after_the_linearity(first):
    """The function can't be traced, so that its transpose is no substitute for the rule that was given."""
    tripled = dk.primitive(lambda x: float(x) * 3.0)
    if first == "linear":
        dk.deflinear(tripled)
    dk.defvjp(tripled, lambda g, ans, x: 3.0 * g)
    if first == "vjp":
        dk.deflinear(tripled)
    assert dk.grad(tripled)(1.0) == dk.deriv(tripled)(1.0) == 3.0


def test_what_stands_before_a_traced_keyword_has_its_default():
    @dk.primitive
    def power(x, n=2.0, factor=1.0):
        return factor * x**n

    dk.defvjp(
        power,
        lambda g, ans, x, n, factor: g * factor * n * x ** (n - 1.0),
        None,
        lambda g, ans, x, n, factor: g * x**n,
    )
    assert dk.grad(lambda c: power(3.0, factor=c))(5.0) == 9.0  # n is left out, and stands in between
    assert dk.grad(lambda x: power(factor=5.0, x=x))(3.0) == 30.0
    assert dk.deriv(lambda c: power(3.0, factor=c))(5.0) == 9.0
    assert dk.grad(lambda x: power(factor=x, n=3.0, x=x))(2.0) == 32.0
