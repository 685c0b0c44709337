"""Precise numbers agree with exact fractions, with mpmath, and with NumPy run on floats."""

import math
from fractions import Fraction

import mpmath
import numpy as np
import pytest
import scipy.special
from hypothesis import given
from hypothesis import strategies as st

from diffkit.calculus import ELEMENTARY
from diffkit.errors import InputError
from diffkit.precise import Precise, PreciseArray, evaluate, reference_derivative

finite = st.floats(allow_nan=False, allow_infinity=False, width=32)


def close(a, b, digits=45):
    mp = mpmath.mp.clone()
    mp.dps = digits + 20
    value = a.value
    got = mp.mpf(value.numerator) / value.denominator if a.exact else mp.mpf(value)
    return abs(got - b) <= abs(b) * mp.mpf(10) ** -digits


# -- arithmetic -------------------------------------------------------------------------------------


@given(finite, finite)
def test_rational_operations_are_exact(a, b):
    p, q, s, t = Precise(a), Precise(b), Fraction(a), Fraction(b)
    assert (p + q).value == s + t
    assert (p - b).value == s - t
    assert (a * q).value == s * t
    assert (p**3).value == s**3
    assert (p < q, p == q, p >= q) == (a < b, a == b, a >= b)
    assert float(p) == a
    if b != 0:
        assert (p / q).value == s / t
        assert (p // q).value == s // t
        assert (p % q).value == s % t
        assert (1 / q).value == 1 / t
        assert (q**-2).value == t**-2


def test_division_by_zero_is_as_in_numpy():
    one, zero = Precise(1.0), Precise(0.0)
    assert float(one / zero) == math.inf
    assert float(-one / 0.0) == -math.inf
    assert math.isnan(float(zero / zero))
    assert float(zero**-1) == math.inf
    assert float(zero**0.5) == 0.0
    assert float(zero**0) == 1.0


def test_outside_the_real_domain_is_nan_and_not_complex():
    for value in (np.sqrt(Precise(-1)), np.log(Precise(-1)), np.arcsin(Precise(2)), Precise(-8) ** (1 / 3)):
        assert math.isnan(float(value))
    assert float(np.log(Precise(0))) == -math.inf
    assert complex(np.sqrt(Precise(-1 + 0j))) == 1j


def test_roots_of_squares_stay_exact():
    assert np.sqrt(Precise("9/4")).value == Fraction(3, 2)
    assert (Precise("9/4") ** 0.5).value == Fraction(3, 2)
    assert not np.sqrt(Precise(2)).exact


def test_fractions_do_not_fill_the_memory():
    x = Precise(0.2)
    for _ in range(40):
        x = 4 * x * (1 - x)
    assert not x.exact


@pytest.mark.parametrize("text", ["0.1", "1/3", "-2.5e-3"])
def test_text_is_read_exactly(text):
    assert Precise(text).value == Fraction(text)


def test_what_is_no_number_is_refused():
    with pytest.raises(InputError, match="'one' is not a number"):
        Precise("one")
    with pytest.raises(TypeError):
        Precise(1.0) + "one"


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64, np.longdouble])
def test_floats_of_every_width_are_taken_exactly(kind):
    x = kind(1) / kind(3)
    assert Precise(x).value == Fraction(*map(int, x.as_integer_ratio()))
    assert evaluate(lambda v: v, np.array([x]))[0].value == Fraction(*map(int, x.as_integer_ratio()))
    inexact = evaluate(lambda v: v, x, exact=False)
    assert close(inexact, mpmath.mpf(0) + Fraction(*map(int, x.as_integer_ratio())), 15)


# -- NumPy's functions ------------------------------------------------------------------------------

POINTS = {"arccosh": 1.7, "logit": 0.3, "asec": 1.7, "acsc": 1.7, "acoth": 1.7}
SPECIAL = {"expit", "logit", "erf", "erfc", "gamma", "gammaln", "digamma"}


def function(name):
    return getattr(scipy.special, name) if name in SPECIAL else getattr(np, name)


@pytest.mark.parametrize("name", [line.name for line in ELEMENTARY.values() if line.numpy])
def test_every_elementary_function_by_numpy_on_scalars_and_arrays(name):
    x = POINTS.get(name, 0.3)
    inputs = [x, 0.7][: len(ELEMENTARY[name].arguments)]
    expected = float(function(name)(*inputs))
    scalar = function(name)(*map(Precise, inputs))
    array = function(name)(*[evaluate(lambda v: v, np.array([v, v])) for v in inputs])
    assert isinstance(scalar, Precise)
    assert isinstance(array, PreciseArray)
    assert float(scalar) == pytest.approx(expected, rel=4e-16 * 8)
    assert array.tolist() == [scalar, scalar]
    plain = np.array([Precise(v) for v in inputs[:1]], dtype=object)
    if len(inputs) == 1 and name not in SPECIAL:
        assert function(name)(plain)[0] == scalar


@pytest.mark.parametrize("name", [line.name for line in ELEMENTARY.values() if not line.numpy])
def test_functions_that_numpy_lacks_are_methods(name):
    x = POINTS.get(name, 0.3)
    head = ELEMENTARY[name].head or name
    assert float(getattr(Precise(x), name)()) == pytest.approx(float(getattr(mpmath, head)(x)), rel=1e-14)


@pytest.mark.parametrize("x", [0.3, 1.7, -0.4, 1e-20, 40.0])
@pytest.mark.parametrize("name", ["exp", "sin", "tanh", "arctan", "expm1", "log1p", "arcsinh", "erf"])
def test_sixty_digits_by_mpmath(name, x):
    mp = mpmath.mp.clone()
    mp.dps = 90
    names = {"arctan": "atan", "arcsinh": "asinh"}
    assert close(getattr(Precise(x), name)(), getattr(mp, names.get(name, name))(mp.mpf(x)), 58)


def test_stable_functions_hold_where_the_naive_ones_overflow():
    assert float(np.logaddexp(Precise(1000.0), 0.0)) == 1000.0
    assert float(np.logaddexp(Precise(-math.inf), Precise(2.0))) == 2.0
    assert float(np.log(1 + np.exp(Precise(1000.0)))) == 1000.0
    assert float(np.logaddexp2(Precise(3.0), 3.0)) == pytest.approx(4.0)


X = np.array([[0.5, -1.25, 2.0], [3.0, 0.75, -0.5]])
V = np.array([0.25, -0.5, 1.5])
SQUARE = np.array([[0.0, 2.0, 1.0], [1.0, 0.5, -1.0], [2.0, 1.0, 3.0]])

PROGRAMS = {
    "branch": lambda x: x * x if x[0, 0] > 0 else -x,
    "loop": lambda x: next(
        y for y in iter(lambda c=[x[0, 0]]: c.__setitem__(0, c[0] * 2) or c[0], None) if y > 9
    ),
    "where": lambda x: np.where(x > 0, x, 0.1 * x),
    "maximum": lambda x: np.maximum(x, 0.0),
    "float on the left": lambda x: np.float64(2.0) * x[0, 0] + V[0] - x[1, 1],
    "array times scalar": lambda x: V * x[0, 0] + x[0, 1],
    "sum": lambda x: np.sum(x, axis=0),
    "mean": lambda x: np.mean(x, axis=1, keepdims=True),
    "var": lambda x: np.var(x, axis=0),
    "std": lambda x: x.std(),
    "max": lambda x: np.max(x, axis=1),
    "min": lambda x: x.min(),
    "prod": lambda x: np.prod(x),
    "cumsum": lambda x: np.cumsum(x, axis=1),
    "sort": lambda x: np.sort(x, axis=1),
    "argmax": lambda x: x[np.argmax(x, axis=0), np.arange(3)],
    "dot": lambda x: np.dot(x, V),
    "matmul": lambda x: x @ x.T,
    "float matrix first": lambda x: X.T @ x,
    "float32 matrix first": lambda x: X.T.astype(np.float32) @ x,
    "outer": lambda x: np.outer(x[0], V),
    "einsum": lambda x: np.einsum("ij,kj->ik", x, x),
    "tensordot": lambda x: np.tensordot(x, V, axes=1),
    "fancy": lambda x: x[[0, 1, 1], [2, 0, 2]],
    "mask": lambda x: x[x > 0],
    "abs": lambda x: np.abs(x),
    "clip": lambda x: np.clip(x, -1.0, 1.0),
    "stack": lambda x: np.stack([x[0], V]),
    "stack of scalars": lambda x: np.stack([x[0, 0], x[1, 1]]),
    "array of scalars": lambda x: np.exp(np.array([x[0, 0], x[1, 1]])),
    "concatenate": lambda x: np.concatenate([x, X]),
    "zeros_like": lambda x: np.exp(np.zeros_like(x) + np.zeros_like(x)),
    "fill": lambda x: (y := np.zeros_like(x), y.__setitem__((0, 0), x[1, 1]), np.sin(y))[2],
    "in place": lambda x: (y := x.copy(), y.__iadd__(1.0), y)[2],
    "out": lambda x: np.multiply(x, 2.0, out=np.empty_like(x)),
    "softmax": lambda x: np.exp(x - np.max(x)) / np.sum(np.exp(x - np.max(x))),
    "logaddexp": lambda x: np.logaddexp(x, 0.0),
    "logaddexp.reduce": lambda x: np.logaddexp.reduce(x, axis=1),
    "expit": lambda x: scipy.special.expit(x),
    "tanh": lambda x: np.tanh(x),
    "log1p": lambda x: np.log1p(x**2),
    "power": lambda x: np.abs(x) ** x,
    "power of a float": lambda x: 2.0**x,
    "isfinite": lambda x: np.where(np.isfinite(x), x, 0.0),
    "sign": lambda x: np.sign(x) * np.floor(x) + np.ceil(x) * np.rint(x),
    "heaviside": lambda x: np.heaviside(x, 0.5) * np.copysign(2.0, x),
    "arctan2": lambda x: np.arctan2(x, V) + np.hypot(1.0, x),
    "remainder": lambda x: np.mod(x, 0.7) + x // 0.3,
    "norm": lambda x: np.linalg.norm(x) + np.linalg.norm(x, axis=0) + np.linalg.norm(x[0], 1),
    "solve": lambda x: np.linalg.solve(SQUARE * x[0, 0], V),
    "inv": lambda x: np.linalg.inv(SQUARE + x[0, 0]),
    "det": lambda x: np.linalg.det(SQUARE * x[0, 0]),
    "slogdet": lambda x: np.linalg.slogdet(SQUARE * x[0, 0])[1],
    "transpose and reshape": lambda x: x.T.reshape(-1)[::-1],
    "int powers": lambda x: sum(x[0, 1] ** k for k in range(4)),
    "real and imaginary parts": lambda x: np.real(np.exp(1j * x)) + np.exp(1j * x).imag * 2,
    "parts of a scalar": lambda x: np.real(np.exp(1j * x[0, 0])) + np.imag(np.exp(1j * x[0, 0])) * 2,
    "angle": lambda x: np.angle(np.exp(1j * x) * 2.0),
    "cholesky": lambda x: np.linalg.cholesky(x.T @ x + 9 * np.eye(3)),
    "divmod": lambda x: divmod(x[1, 0], 0.7)[1],
    "methods of a scalar": lambda x: (x[0] @ V).sum() * x[0, 0].mean() + x[1, 1].T,
    "reshape of a scalar": lambda x: np.sin(x[0, 0].reshape(-1)),
    "diff": lambda x: np.diff(x, axis=1),
    "trace": lambda x: np.trace(x @ x.T),
    "data-dependent count": lambda x: sum(x[0, 0] for _ in range(int(x[1, 0]))),
}


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("exact", [True, False])
def test_programs_run_unchanged(name, exact):
    f = PROGRAMS[name]
    got = np.asarray(evaluate(f, X.copy(), exact=exact), dtype=object).astype(float)
    np.testing.assert_allclose(got, f(X.copy()), rtol=3e-15, atol=1e-15)


ONE_ARGUMENT = {"rgamma", "ndtr", "log_ndtr", "erfinv", "entr", "i0", "i1", "j0", "j1", "log_expit"}
TWO_ARGUMENTS = {"beta", "betaln", "gammainc", "gammaincc", "xlogy", "xlog1py", "rel_entr", "iv", "jv"}


@pytest.mark.parametrize("name", sorted(ONE_ARGUMENT | TWO_ARGUMENTS))
def test_special_functions_beyond_the_table(name):
    inputs = [0.3, 0.7] if name in TWO_ARGUMENTS else [0.3]
    f = getattr(scipy.special, name)
    assert float(f(*map(Precise, inputs))) == pytest.approx(float(f(*inputs)), rel=1e-13)


def test_truth_values_stay_bools():
    assert evaluate(lambda x: x > 1, 0.5) is False
    assert evaluate(lambda x: x > 1, np.array([0.5, 2.0])).tolist() == [False, True]


def test_containers_ints_and_texts_go_through():
    def f(model, mode, n):
        assert isinstance(n, int)
        assert mode == "sum"
        return {"loss": sum(model["w"]) * n, "last": [model["b"][-1]]}

    out = evaluate(f, {"w": [0.1, 0.2], "b": np.array([0.5, 0.75])}, "sum", 3)
    assert out["loss"].value == 3 * (Fraction(0.1) + Fraction(0.2))
    assert out["last"] == [Precise(0.75)]


def test_complex_numbers():
    z = 0.5 + 0.25j
    out = evaluate(lambda z: np.exp(z) * np.conjugate(z) + abs(z) + z.real, z)
    assert complex(out) == pytest.approx(np.exp(z) * np.conj(z) + abs(z) + z.real)
    assert complex(evaluate(lambda z: np.sum(z * z), np.array([z, 1j]))) == pytest.approx(z * z - 1)


def test_the_argument_is_not_touched():
    x = np.array([1.0, 2.0])

    def f(v):
        v[0] = 5.0
        return v.sum()

    assert float(evaluate(f, x)) == 7.0
    assert x.tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("f", "reason"),
    [
        (lambda x: math.sin(x), "Use NumPy's functions instead of math's"),
        (lambda x: np.array([x, 0.0], dtype=float), "would lose its precision"),
        (lambda x: (y := np.zeros(2), y.__setitem__(0, x))[0], "storing into np.zeros"),
        (lambda x: 1 // 0, "ZeroDivisionError.*line .* of test_precise.py"),
        (lambda x: np.linalg.norm(np.array([[x, x], [x, x]]), 2), "can't be run"),
        (lambda x: np.logaddexp(np.array([x, x]), 0.0), "np.stack and np.asanyarray will do"),
    ],
)
def test_a_program_that_cannot_run_says_why(f, reason):
    with pytest.raises(InputError, match=reason):
        evaluate(f, 0.5)


def test_what_a_number_does_not_have():
    with pytest.raises(AttributeError, match="no 'sine'"):
        Precise(1.0).sine  # noqa: B018


def test_showing():
    assert repr(Precise("1/3")) == "Precise(1/3)"
    assert f"{Precise('1/3'):.3f}" == "0.333"
    assert str(np.exp(Precise(1, digits=12))) == "2.71828182846"
    assert round(Precise("2.5")) == 2
    assert (math.floor(Precise("-2.5")), math.ceil(Precise("-2.5")), int(Precise("-2.5"))) == (-3, -2, -2)
    assert float(round(Precise("2.345"), 2)) == 2.34


# -- the reference derivative -----------------------------------------------------------------------

CLOSED_FORMS = [
    (np.sin, lambda mp, x: mp.cos(x), 1.0),
    (np.sin, lambda mp, x: mp.cos(x), 1e10),
    (np.log, lambda mp, x: 1 / x, 1e-30),
    (lambda x: 1.0 + x, lambda mp, x: mp.mpf(1), 1e-200),
    (lambda x: x**2, lambda mp, x: 2 * x, 1e150),
    (lambda x: x**2, lambda mp, x: mp.mpf(0), 0.0),
    (np.tanh, lambda mp, x: 1 / mp.cosh(x) ** 2, 20.0),
    (lambda x: 1 / x, lambda mp, x: -1 / x**2, 1e-8),
    (lambda x: np.exp(-x * x), lambda mp, x: -2 * x * mp.exp(-x * x), 0.7),
    (scipy.special.expit, lambda mp, x: 1 / (2 + mp.exp(x) + mp.exp(-x)), -3.0),
]


@pytest.mark.parametrize(("f", "df", "x"), CLOSED_FORMS)
def test_reference_derivatives_hold_fifty_digits(f, df, x):
    mp = mpmath.mp.clone()
    mp.dps = 80
    reference = reference_derivative(f, [x])
    assert close(reference.partials[0, 0], df(mp, mp.mpf(x)), 50)
    assert reference.kinks == ()
    assert reference.evaluations in (3, 5, 7)


def test_a_rule_off_by_a_thousandth_would_be_seen():
    reference = reference_derivative(np.sin, [1.0])
    assert not close(reference.partials[0, 0], mpmath.cos(1) * 1.001, 4)


def test_a_jacobian_in_chosen_columns():
    def f(model, n):
        return [np.tanh(model["w"] @ model["x"]) * n, model["b"] * model["b"]]

    model = {"w": np.array([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]]), "x": np.array([1.0, -1.0, 2.0]), "b": 3.0}
    full = reference_derivative(f, [model, 2], names=["model", "n"])
    assert full.partials.shape == (3, 10)
    assert full.names[5] == "model['w'][1, 2]"
    assert full.names[-1] == "model['b']"
    assert float(full.partials[2, 9]) == 6.0
    slopes = 2 * (1 - np.tanh(model["w"] @ model["x"]) ** 2)
    np.testing.assert_allclose(full.floats()[:2, 6:9], slopes[:, None] * model["w"], rtol=1e-14)
    part = reference_derivative(f, [model, 2], coordinates=[9, 4])
    assert part.names == ("x0['b']", "x0['w'][1, 1]")
    assert (part.floats() == full.floats()[:, [9, 4]]).all()
    assert part.evaluations == 5


@pytest.mark.parametrize(
    ("f", "x", "sides"),
    [
        (np.abs, 0.0, (-1.0, 1.0)),
        (lambda x: np.maximum(x, 2.0 * x), 0.0, (1.0, 2.0)),
        (lambda x: x if x < 1.0 else 3 * x - 2, 1.0, (1.0, 3.0)),
    ],
)
def test_kinks_are_told(f, x, sides):
    (kink,) = reference_derivative(f, [x], names=["x"]).kinks
    assert (kink.left, kink.right) == pytest.approx(sides, abs=1e-12)
    assert kink.name == "x"


def test_edges_and_jumps_are_told():
    (kink,) = reference_derivative(np.sqrt, [0.0]).kinks
    assert math.isnan(kink.left)
    assert kink.right > 1e10
    assert reference_derivative(lambda x: np.heaviside(x, 1.0), [0.0]).kinks


WITHOUT_A_DERIVATIVE = [
    (np.sqrt, 0.0, "infinite", "the slope is infinite (from the right), and f has no values on the left"),
    (np.cbrt, 0.0, "infinite", "the slope is infinite"),
    (lambda x: np.sqrt(abs(x)), 0.0, "infinite", "the slope is infinite (a cusp)"),
    (lambda x: np.sqrt(x) if x > 0 else x, 0.0, "infinite", "infinite on one side; from the left it is 1"),
    (np.arcsin, 1.0, "infinite", "the slope is infinite (from the left), and f has no values on the right"),
    (lambda x: x * np.log(x) if x != 0 else x, 0.0, "infinite", "the slope is infinite (from the right)"),
    (lambda x: x**x, 0.0, "infinite", "the slope is infinite (from the right)"),
    (lambda x: x**1.5, 0.0, "edge", "f has no values on the left; from the right it is 0"),
    (np.floor, 2.0, "jump", "f jumps"),
    (lambda x: 5.0 if x == 0 else x, 0.0, "jump", "f jumps"),
    (
        lambda x: x * np.sin(1 / x) if x != 0 else x,
        0.0,
        "unsettled",
        "the difference quotients have no limit",
    ),
    (lambda x: np.sqrt(-x * x), 0.0, "isolated", "f has no values beside it"),
]


@pytest.mark.parametrize(("f", "x", "kind", "said"), WITHOUT_A_DERIVATIVE)
def test_a_point_without_a_derivative_says_why(f, x, kind, said):
    (kink,) = reference_derivative(f, [x], names=["x"]).kinks
    assert kink.kind == kind
    assert kink.sentence(x).startswith(f"no derivative at x = {x:g}: ")
    assert said in kink.sentence(x)


def test_a_steep_slope_is_none_that_is_infinite():
    reference = reference_derivative(lambda x: 1e20 * x, [1.0])
    assert reference.kinks == ()
    assert float(reference.partials[0, 0]) == 1e20


@pytest.mark.parametrize(
    "f", [lambda x: x**3, lambda x: np.cos(x), lambda x: abs(x) ** 1.5, lambda x: 0.0 * x]
)
def test_a_flat_spot_is_no_kink(f):
    reference = reference_derivative(f, [0.0])
    assert reference.kinks == ()
    assert abs(float(reference.partials[0, 0])) < 1e-30


def test_holomorphic_functions():
    z = 0.3 + 0.4j
    assert reference_derivative(np.exp, [z]).floats()[0, 0] == pytest.approx(np.exp(z), rel=1e-15)


def test_bad_input():
    with pytest.raises(InputError, match="numbers from 0 to 0"):
        reference_derivative(np.sin, [1.0], coordinates=[1])
    with pytest.raises(InputError, match="nothing to differentiate by"):
        reference_derivative(np.sin, [1])
    with pytest.raises(InputError, match="digits must be at least 1"):
        evaluate(np.sin, 1.0, digits=0)
