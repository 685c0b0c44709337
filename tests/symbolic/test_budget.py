"""What would never end, or fill the memory, is refused with what to do instead; what is only long is done."""

import math
import sys
import time
from fractions import Fraction

import mpmath
import numpy as np
import pytest
import sympy
from sympy import Integer, symbols

from diffkit.errors import DomainError, InputError
from diffkit.expressions import add, call, intern, multiply, power
from diffkit.symbolic import BudgetError, diff, evaluate, lambdify, size, steps, straight_line
from diffkit.time_limit import within

x, y = symbols("x y", real=True)
i, j, n = symbols("i j n", integer=True)
LONG = sympy.Sum(x**i, (i, 1, 10**9))
NESTED = sympy.Sum(x * i + j, (i, 1, 10**4), (j, 1, 10**4))


# -- Sums and Products --------------------------------------------------------------------------------


@pytest.mark.parametrize("expr", [LONG, NESTED, sympy.Product(x + i, (i, 1, 10**9))], ids=str)
@pytest.mark.parametrize(
    "compute",
    [
        lambda expr: evaluate(expr, {x: 0.5}),
        lambda expr: evaluate(expr, {x: 0.5}, precision=30),
        lambda expr: evaluate(expr, {x: 1}, exact=True),
        lambda expr: lambdify([x], expr)(0.5),
    ],
    ids=["floats", "digits", "exact", "lambdify"],
)
def test_more_terms_than_can_be_added_one_by_one(expr, compute):
    with pytest.raises(BudgetError, match=r"have more than 10{1,2}(,000)+ terms: choose fewer"):
        compute(expr)


def test_a_function_counts_its_terms_anew_at_each_call():
    f = lambdify([x, n], sympy.Sum(x * i, (i, 1, n)))
    for _ in range(3):
        assert f(2.0, 400_000) == 2.0 * 400_000 * 400_001 / 2
    with pytest.raises(BudgetError, match="a range has 1,000,000,000, from 1 to 1000000000"):
        f(2.0, 10**9)
    with pytest.raises(BudgetError, match="more than 10,000,000 terms"):
        f(np.array([2.0]), 10**9)
    assert f(2.0, 3) == 12.0


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        (sympy.Sum(1 / i**2, (i, 1, 10**6)), math.pi**2 / 6 - 1e-6 + 5e-13),
        (sympy.Sum(x / i * (-1) ** (i + 1), (i, 1, 10**5)), 0.5 * (math.log(2) - 5e-6 + 2.5e-11)),
        (sympy.Sum(sympy.Piecewise((x * i, i < 5), (0, True)), (i, 0, 10**5)), 5.0),
        (sympy.Product(1 + x / i, (i, 1, 10**5)), math.exp(math.lgamma(100001.5) - math.lgamma(100001)
                                                          - math.lgamma(1.5))),
        (sympy.Sum(x * i + j, (i, 1, j), (j, 1, 1000)), 0.25 * (333833500 + 500500) + 333833500),
        (sympy.Sum(sympy.KroneckerDelta(i, 70000) * i * x, (i, 1, 10**5)), 35000.0),
    ],
    ids=str,
)  # fmt: skip
def test_long_sums_are_computed_in_blocks(expr, expected):
    assert evaluate(expr, {x: 0.5}) == pytest.approx(expected, rel=1e-9)
    xs = np.array([[0.5], [0.25]])
    both = np.broadcast_to(evaluate(expr, {x: xs}), (2, 1))
    assert both[0, 0] == pytest.approx(expected, rel=1e-9)
    assert both[1, 0] == pytest.approx(evaluate(expr, {x: 0.25}), rel=1e-12)


def test_blocks_are_for_double_precision_and_for_what_computes_arrays():
    """NumPy's alone: a user's function may take but one number, and single precision stays single."""
    f = sympy.Function("f")
    expr = sympy.Sum(f(x * i), (i, 1, 200))
    assert evaluate(expr, {x: 0.01}, functions={"f": math.sin}) == pytest.approx(
        sum(math.sin(0.01 * k) for k in range(1, 201)), rel=1e-12
    )
    assert evaluate(sympy.Sum(x * i, (i, 1, 200)), {x: np.float32(1)}).dtype == np.float32
    a = sympy.IndexedBase("a")
    values = {a[k]: 1.0 * k for k in range(200)}
    assert evaluate(sympy.Sum(a[i], (i, 0, 199)), values) == 19900.0


def test_exact_sums_are_halved_so_that_long_numbers_are_few():
    value = evaluate(sympy.Product(x + i, (i, 1, 20_000)), {x: 0}, exact=True)
    assert value == math.factorial(20_000)
    assert evaluate(sympy.Sum(1 / (x + i), (i, 0, 99)), {x: 1}, exact=True) == sum(
        Fraction(1, k) for k in range(1, 101)
    )
    with pytest.raises(BudgetError, match="more than 100,000 terms"):
        evaluate(sympy.Sum(x**i, (i, 1, 50_000)), {x: 3}, exact=True)  # 2 billion digits


@pytest.mark.parametrize("high", [sympy.oo, -sympy.oo])
def test_infinite_sums(high):
    expr = sympy.Sum(x / i**2, (i, 1, n))
    with pytest.raises(DomainError, match="is infinite, and its terms are taken one by one"):
        evaluate(expr, {x: 1.0, n: high})
    with pytest.raises(DomainError, match="is infinite"):
        lambdify([x, n], expr)(1.0, float(high))
    assert str(diff(sympy.Sum(x**i, (i, 1, sympy.oo)), x)) == "Sum(i*x**(i - 1), (i, 1, oo))"
    assert "sum over a range" in steps(sympy.Sum(x**i, (i, 1, sympy.oo)), x).text(simplified=False)


# -- powers and large numbers -------------------------------------------------------------------------

HUGE = [
    (multiply(x, power(7, 10**8)), math.inf),
    (multiply(x, power(7, 10**400)), math.inf),
    (multiply(x, power(7, -(10**400))), 0.0),
    (multiply(x, power(power(power(7, 100), 100), 10**6)), math.inf),
    (multiply(x, power(2, power(2, 2**40))), math.inf),
    (power(x, 10**400), 0.0),
    (power(x, -(10**400)), math.inf),
    (intern(sympy.Sum(i ** (10**6) * x, (i, 1, 100))), math.inf),
]


@pytest.mark.parametrize(("expr", "expected"), HUGE, ids=lambda e: str(e)[:30])
def test_powers_that_are_too_long_to_write_out(expr, expected):
    f = lambdify([x], expr)
    assert evaluate(expr, {x: 0.5}) == f(0.5) == expected
    assert f(np.array([0.5])).tolist() == [expected]
    assert size(expr).dag < 10
    assert size(diff(expr, x, 3)).dag < 60
    assert "return" in straight_line(expr)


def test_integers_given_to_a_function_are_floats():
    assert lambdify([x], x ** (10**9))(2) == math.inf
    assert lambdify([x, n], x**n)(3, 10**9) == math.inf
    assert lambdify([[x, y], n], x**n * y)([1.0, 2.0], 3) == 2.0
    assert type(lambdify([x], x**2)(3)) is float


@pytest.mark.parametrize(
    "k",
    [7**5117, 10**4300, 10**4300 - 1, 10**5000, 10**5000 + 1, 2**40_000],
    ids=["7", "10", "9", "0", "1", "2"],
)
def test_sizes_of_numbers_that_python_does_not_write(k):
    before = sys.get_int_max_str_digits()
    measured = [size(Integer(k)), size(x / Integer(k)), size(Integer(-k) * x), size(x ** Integer(k))]
    texts = [steps(x ** Integer(k), x).text(), steps(x * Integer(k), x).latex()]
    try:
        sys.set_int_max_str_digits(0)
        assert [m.characters for m in measured] == [len(str(k)) + more for more in (0, 2, 3, 3)]
    finally:
        sys.set_int_max_str_digits(before)
    assert all(len(text) < 1000 for text in texts)


@pytest.mark.parametrize(
    ("expr", "value"),
    [
        (sympy.exp(sympy.exp(sympy.exp(x))), 10),
        (sympy.sin(sympy.exp(sympy.exp(x))), 20),
        (sympy.sin(x ** (10**9)), 3),
        (sympy.gamma(x), 10**1000),
        (x**y, 3),
    ],
    ids=lambda e: str(e)[:30],
)
def test_numbers_of_which_mpmath_would_need_millions_of_digits(expr, value):
    with pytest.raises(BudgetError, match="of a number with more than 900 digits before the point"):
        evaluate(expr, {x: value, y: Integer(10) ** 1000}, precision=20)


def test_precision_has_an_end():
    with pytest.raises(BudgetError, match="a power of a number with more than 900 digits"):
        evaluate(power(x, 10 ** (10**4)), {x: 3}, precision=20)
    with pytest.raises(BudgetError, match=r"at most 10,000 digits.*got precision=1,000,000"):
        evaluate(sympy.sin(x), {x: 2}, precision=10**6)
    with mpmath.workdps(2010):
        assert abs(evaluate(sympy.sqrt(x), {x: 2}, precision=2000) - mpmath.sqrt(2)) < mpmath.mpf(10) ** -2000


# -- orders, and what is not evaluated ----------------------------------------------------------------


def test_derivatives_of_high_order():
    assert diff(x**3, x, 10**9) == diff(y, x, 10**9) == diff(x**3, (x, 10**9), y) == 0
    assert evaluate(diff(x**5 * y**2, x, 2, y, 1, (x, 1)), {x: 2, y: 3}, exact=True) == 60 * 4 * 6
    assert diff(x**2, x, 0) == x**2


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_derivatives_of_high_order_that_grow(mode):
    with pytest.raises(BudgetError, match=r"up to order \d+ hold \d[\d,]+ operands in all"):
        diff(sympy.sin(x) * sympy.exp(x), x, 10**9, mode=mode)


def test_a_deep_expression_is_no_high_order():
    deep = x
    for _ in range(2000):
        deep = add(multiply(deep, deep), 1)
    assert size(diff(deep, x, 2)).dag > 10_000


def test_a_matrix_is_differentiated_in_one_sweep(is_linear):
    shared = {k: intern(x) for k in (10, 200, 400)}
    for k in shared:
        for _ in range(k):
            shared[k] = call("sin", shared[k])
    matrices = {k: sympy.Matrix(k, 1, [multiply(e, m) for m in range(k)]) for k, e in shared.items()}
    assert is_linear(lambda k: diff(matrices[k], x), 200)
    for mode in ("forward", "reverse"):
        got = diff(sympy.Matrix([[x * y, 3], [sympy.sin(x), x**2]]), x, mode=mode)
        assert got == sympy.Matrix([[y, 0], [sympy.cos(x), 2 * x]])


def test_simplifying_a_matrix_has_one_budget():
    hard = sympy.Matrix(30, 30, lambda a, b: sympy.sin(x) ** (a + 2) * sympy.cos(x * b) ** 3)
    with pytest.raises(BudgetError, match="simplifying the 900 derivatives by simplify took longer"):
        diff(hard, x, simplify=True, seconds=0.2)


f = sympy.Function("f")


@pytest.mark.parametrize(
    "expr",
    [
        sympy.Integral(sympy.exp(-(x**2) * y), (x, 0, 1)),
        sympy.Limit(sympy.sin(x) / x, x, 0),
        sympy.Derivative(f(x), x),
        diff(f(x**2), x),
    ],
    ids=str,
)
@pytest.mark.parametrize(
    "compute",
    [
        lambda e: evaluate(e, {y: 1.0, x: 2.0}, functions={"f": math.sin}),
        lambda e: lambdify([x, y], e, functions={"f": math.sin}),
        straight_line,
    ],
    ids=["evaluate", "lambdify", "straight_line"],
)
def test_what_is_not_evaluated_has_no_value(expr, compute):
    with pytest.raises(InputError, match=r"has no value as it stands; evaluate it first, with .doit\(\)"):
        compute(expr)


def test_a_value_can_be_given_for_a_derivative():
    derivative = sympy.Derivative(f(x), x)
    expr = diff(f(x) ** 2, x)
    assert evaluate(expr, {f(x): 2.0, derivative: 3.0}) == 12.0
    assert lambdify([f(x), derivative], expr)(2.0, 3.0) == 12.0


def test_after_a_limit_python_runs_as_before():
    """What was thrown is not left half thrown: a profiler would then never come to an end."""
    with pytest.raises(BudgetError):
        within(0.05, lambda: sum(1 for _ in iter(int, 1)), "counting")
    assert within(10, lambda: 42, "multiplying") == 42


@pytest.mark.skipif(not hasattr(time, "pthread_getcpuclockid"), reason="no clock of a thread's work here")
def test_of_the_processors_time_waiting_is_not_counted():
    assert within(0.1, lambda: time.sleep(0.5), "waiting", worked=True) is None
    with pytest.raises(BudgetError, match=r"counting took longer than 0.05 s"):
        within(0.05, lambda: sum(1 for _ in iter(int, 1)), "counting", worked=True)
    calls = []
    sys.setprofile(lambda frame, event, arg: calls.append(event))
    try:
        total = sum((lambda k: k)(k) for k in range(100))
    finally:
        sys.setprofile(None)
    assert total == 4950
    assert len(calls) < 1000
