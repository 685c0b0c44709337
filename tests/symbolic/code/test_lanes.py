"""Families as vectors: the same values as one by one, whatever is alike, and wherever it is used."""

import itertools

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Rational, symbols

from diffkit.expressions import intern
from diffkit.symbolic import FAMILIES, evaluate, gradient, lambdify
from diffkit.symbolic.code.lanes import in_lanes

N = 60  # long enough to be quicker in vectors
XS, YS = symbols(f"x1:{N + 1}"), symbols(f"y1:{N + 1}")
S, T = symbols("s t")
SYMBOLS = [*XS, *YS, S, T]
POINT = [0.3 + 0.01 * k for k in range(2 * N)] + [1.5, -0.7]
ELEMENTWISE = [
    sympy.sin,
    sympy.exp,
    sympy.log,
    sympy.sqrt,
    sympy.erf,
    sympy.gamma,
    sympy.Abs,
    sympy.sign,
    lambda v: v**2,
    lambda v: 1 / v,
    lambda v: v ** Rational(3, 2),
    lambda v: 1 / sympy.sqrt(v + 3),
    lambda v: 2**v,
    lambda v: sympy.Heaviside(v - 1),
    lambda v: sympy.Max(v, Rational(1, 2)),
    lambda v: sympy.Piecewise((v, v > 1), (v**2, True)),  # one by one: conditions are no lanes
]


def agrees(roots, point=POINT):
    """The function of floats, of vectors, and of lists; their common value."""
    plain = lambdify(SYMBOLS, roots)
    vectors = lambdify([XS, list(YS), S, T], roots)
    expected = evaluate(roots, dict(zip(SYMBOLS, point, strict=True)))
    got = plain(*point)
    assert got == pytest.approx(expected, rel=1e-10, abs=1e-12, nan_ok=True)
    xs, ys = point[:N], point[N : 2 * N]
    assert vectors(np.array(xs), ys, *point[2 * N :]) == pytest.approx(got, rel=1e-12, nan_ok=True)
    return plain


@pytest.mark.parametrize("f", ELEMENTWISE)
def test_a_function_of_each(f):
    agrees([f(v * S) + T for v in XS])


@st.composite
def families(draw):
    """Roots of which many are alike: built in a few steps, each on all lanes at once."""
    pool, scalars = [list(XS), list(YS)], [S, T, sympy.Integer(2), sympy.sqrt(2), sympy.pi]
    for _ in range(draw(st.integers(2, 6))):
        a, b = draw(st.sampled_from(pool)), draw(st.sampled_from(pool))
        c = draw(st.sampled_from(scalars))
        step = draw(st.integers(0, 7))
        if step == 0:
            pool.append([draw(st.just(f))(v) for f in [draw(st.sampled_from(ELEMENTWISE))] for v in a])
        elif step == 1:
            pool.append([u * v for u, v in zip(a, b, strict=False)])
        elif step == 2:
            pool.append([u + c * v for u, v in zip(a, b, strict=False)])
        elif step == 3:
            pool.append([Rational(k + 1, 7) * u for k, u in enumerate(a)])
        elif step == 4:
            scalars.append(sympy.Add(*[u * v for u, v in zip(a, b, strict=False)]) / N)
        elif step == 5:
            pool.append([u - v for u, v in zip(draw(st.permutations(a)), b, strict=False)])
        elif step == 6:
            pool.append([a[k + 1] - b[k] ** 2 for k in range(min(len(a), len(b)) - 1)])
        elif step == 7:
            rows = draw(st.sampled_from([2, N]))
            pool.append(
                [sympy.Add(*[Rational(1, 1 + i + j) * u for j, u in enumerate(a)]) for i in range(rows)]
            )
    last = pool[-1]
    return draw(st.sampled_from([last, [*last, scalars[-1]], [scalars[-1], last[0]], last[::-1] + last[:3]]))


@given(families(), st.booleans())
@settings(max_examples=25, deadline=None)
def test_families_of_every_kind(roots, flat):
    if not flat:
        agrees(roots)
    else:  # as one sum: its terms are lanes
        agrees([sympy.Add(*roots, evaluate=False)])


def test_values_at_the_edges_are_those_of_one_by_one():
    roots = [sympy.log(v * S) / (v - T) for v in XS]
    point = [0.0, -1.0, 1.0, 1e308] * (N // 4) + [1.0] * N + [10.0, 1.0]
    f = agrees(roots, point)
    assert f.lanes
    assert not np.isfinite(f(*point)[:4]).any()


def test_what_is_written():
    f = lambdify([XS, S], [sympy.log(S * v) + S for v in XS])
    assert f.lanes == "def program(x, s):\n    return (s + np_log(s*x)).tolist()\n"
    total = lambdify([XS, YS, S], sympy.Add(*[-S * u * v for u, v in zip(XS, YS, strict=True)]))
    assert total.lanes == "def program(x, y, s):\n    return -np_float(np_dot(s*x, y))\n"
    assert "np_" not in total.source
    assert f(np.ones(N), 1.0) == [1.0] * N


def test_a_number_apart_from_its_kind():
    """A symbol in other company is no lane: R and T beside the mole fractions."""
    family = FAMILIES["Helmholtz energy"]
    xs, expr = family.variables(40), family.expression(40)
    f = lambdify([xs, *symbols("R T")], sympy.Array(gradient(expr, xs)))
    assert f.lanes.count("np_log") == 1
    assert "R*T" in f.lanes
    point = np.linspace(0.001, 0.02, 40)
    expected = evaluate(
        gradient(expr, xs), dict(zip([*xs, *symbols("R T")], [*point, 2.0, 3.0], strict=True))
    )
    assert f(point, 2.0, 3.0) == pytest.approx(expected, rel=1e-12)


def test_where_there_are_no_lanes():
    assert lambdify(XS[:5], [sympy.sin(v) for v in XS[:5]]).lanes is None  # too few
    k = sympy.Symbol("k", integer=True)
    inside = [sympy.Sum(sympy.sin(v * k), (k, 1, 3)) for v in XS]
    assert lambdify(XS, inside).lanes is None  # an index has no value outside of its Sum
    deep = intern(XS[0])
    for _ in range(100):
        deep = sympy.sin(deep, evaluate=False)
    assert lambdify(XS[0], deep).lanes is None  # a chain has no two that are alike
    named = sympy.Function("np_dot")
    f = lambdify(XS, [named(v) for v in XS], functions={"np_dot": lambda v: v + 1})
    assert f.lanes is None
    assert f(*[1.0] * N) == [2.0] * N


def test_the_same_root_many_times():
    roots = [intern(sympy.exp(v)) for v in XS]
    point = [0.1 * k for k in range(N)]
    f = lambdify([XS], [*roots[:1] * 30, sympy.Add(*roots)])
    assert f(point) == pytest.approx([1.0] * 30 + [float(np.exp(point).sum())])
    twice = lambdify([XS], [roots[3]] * 30)
    assert twice(point) == pytest.approx([np.exp(0.3)] * 30)


def test_a_users_function_stands_between_lanes():
    g = sympy.Function("g")
    seen = []
    f = lambdify([XS, S], [g(S) * sympy.exp(v) for v in XS], functions={"g": lambda v: seen.append(v) or v})
    assert f.lanes
    assert f(np.zeros(N), 3.0) == [3.0] * N
    assert seen == [3.0]


def test_finding_lanes_takes_linear_time():
    """Counted in NumPy operations and stacks of the program, not in seconds."""

    def length(n):
        xs = [intern(v) for v in symbols(f"x1:{n + 1}")]
        roots = [intern(sympy.exp(v) * a) for v, a in zip(xs, xs[1:] + xs[:1], strict=True)]
        return len(str(in_lanes(roots, xs).roots[0].args))

    assert length(400) < 2.5 * length(200)


def test_results_from_several_vectors_are_joined_and_not_taken_out_one_by_one():
    """The gradient of Rosenbrock's valley: its ends are built otherwise than what is between."""
    xs = sympy.symbols("x0:100")
    valley = sum(100 * (b - a**2) ** 2 + (1 - a) ** 2 for a, b in itertools.pairwise(xs))
    slopes = gradient(valley, xs)
    program = lambdify([xs], sympy.Array(slopes))
    assert "np_join" in program.lanes
    assert program.lanes.count("np_item") < 20
    at = np.random.default_rng(5).uniform(-2, 2, 100)
    a, b = at[:-1], at[1:]
    expected = np.zeros(100)
    expected[:-1] = -400 * a * (b - a**2) - 2 * (1 - a)
    expected[1:] += 200 * (b - a**2)
    assert program(at) == pytest.approx(expected, rel=1e-12)
    assert evaluate(slopes, dict(zip(xs, at, strict=True))) == pytest.approx(list(expected), rel=1e-12)
