"""Complex numbers: autograd's convention, on parts, angles, absolute values and holomorphic functions."""

import numpy as np
import pytest
from rule_checks import (
    case,
    check_against_autograd,
    check_derivatives,
    check_single_precision,
    check_that_wrong_rules_are_caught,
    check_value,
)

import diffkit as dk
from diffkit.errors import NoRuleError

MODULES = {"diffkit.autodiff.rules.complex_numbers"}

Z = np.array([[0.3 + 0.7j, -1.2 + 0.4j], [0.6 - 0.5j, -0.4 - 0.9j]])
W = np.array([0.5 - 0.2j, 1.1 + 0.8j])
X = np.array([[0.4, -0.7], [1.3, -0.2]])

CASES = {
    "real": case(lambda np, z: np.real(z), Z),
    "real of real": case(lambda np, z: np.real(z), X),
    "imag": case(lambda np, z: np.imag(z), Z),
    "conj": case(lambda np, z: np.conj(z), Z),
    "conj of real": case(lambda np, z: np.conj(z), X),
    "angle": case(lambda np, z: np.angle(z), Z),
    "angle deg": case(lambda np, z: np.angle(z, deg=True), Z, autograd=False),
    "abs": case(lambda np, z: np.abs(z), Z),
    "abs of real": case(lambda np, z: np.abs(z), X),
    "operator abs": case(lambda np, z: abs(z), Z, autograd=False),
    "attributes": case(lambda np, z: z.real * z.imag + np.real(z.conj()), Z, autograd=False),
    "real_if_close": case(lambda np, z: np.real_if_close(z), Z),
    "real_if_close, real": case(lambda np, x: np.real_if_close(x + 0j), X),
    "real number": case(lambda np, z: np.real(z) * np.imag(z), 0.3 + 0.4j),
    "conj number": case(lambda np, z: np.conj(z) * z, 0.3 + 0.4j),
    "abs number": case(lambda np, z: np.abs(z), 0.3 + 0.4j),
    "angle number": case(lambda np, z: np.angle(z), 0.3 + 0.4j),
    "abs of a float": case(lambda np, x: np.abs(x), -0.7),
    "real loss": case(lambda np, z: np.sum(np.abs(np.exp(z * (1 + 2j))) ** 2), Z),
    "polar": case(lambda np, r, phi: r * np.exp(1j * phi), X, X.T.copy()),
    "mixed sum": case(lambda np, x, z: x + z, X, Z),
    "mixed product": case(lambda np, x, z: x * z, X, Z),
    "mixed quotient": case(lambda np, x, z: z / x, X, Z),
    "mixed product, broadcast": case(lambda np, x, z: x * z, X[0], Z),
    "mixed product of numbers": case(lambda np, x, z: x * z, 0.3, 0.5 - 0.4j),
    "mixed difference of numbers": case(lambda np, x, z: x - z, 0.3, 0.5 - 0.4j),
    "mixed matmul": case(lambda np, x, z: np.matmul(x, z), X, Z),
    "matmul": case(lambda np, a, b: np.matmul(a, b), Z, Z.T.copy()),
    "matmul vector": case(lambda np, a, b: np.matmul(a, b), Z, W),
    "power": case(lambda np, z, w: z**w, Z, W),
    "power of real": case(lambda np, z, x: z**x, Z, X),
    "square": case(lambda np, z: z**2, Z),
    "divide": case(lambda np, z, w: z / w, Z, W),
} | {
    name: case(lambda np, z, name=name: getattr(np, name)(z), Z, autograd=name not in ("positive", "arccosh"))
    for name in (
        "sin cos tan sinh cosh tanh arcsin arccos arctan arcsinh arccosh arctanh exp exp2 expm1 log log2 "
        "log10 log1p sqrt square reciprocal negative positive"
    ).split()
}


@pytest.mark.parametrize("name", CASES)
def test_both_modes_to_second_order(name):
    check_derivatives(CASES[name])


@pytest.mark.parametrize("name", CASES)
def test_value_and_single_precision(name):
    check_value(CASES[name])
    if np.ndim(CASES[name].args[0]):
        check_single_precision(CASES[name])


@pytest.mark.parametrize("name", [n for n in CASES if CASES[n].autograd])
def test_agrees_with_autograd(name):
    check_against_autograd(CASES[name])


@pytest.mark.parametrize(
    "name", ["real", "imag", "conj", "angle", "angle deg", "abs", "abs of real", "abs number"]
)
def test_a_rule_off_by_a_thousandth_is_caught(name, monkeypatch):
    assert check_that_wrong_rules_are_caught(CASES[name], MODULES, monkeypatch) == 2


def test_the_convention():
    # The gradient of a real loss is dL/dx - i dL/dy.
    z = 0.3 + 0.7j
    assert dk.grad(lambda z: np.real(z) * 2.0 + np.imag(z) * 3.0)(z) == 2.0 - 3.0j
    assert dk.grad(lambda z: np.abs(z) ** 2)(z) == pytest.approx(2 * z.conjugate())
    assert dk.holomorphic_grad(lambda z: z**3)(z) == pytest.approx(3 * z**2)


def test_types_of_python_numbers():
    assert type(dk.grad(np.real)(0.5 + 1j)) is complex
    assert type(dk.grad(np.abs)(0.5 + 1j)) is complex
    assert type(dk.grad(lambda x: np.abs(x * (1 + 1j)))(0.5)) is float
    assert type(dk.grad(np.abs)(-0.5)) is float
    assert dk.grad(np.abs)(-0.5) == -1.0


def test_at_zero():
    assert dk.grad(np.abs)(0.0 + 0j) == 0.0
    assert dk.grad(np.angle)(0.0 + 0j) == 0.0
    gradient = dk.elementwise_grad(np.abs)(np.array([0.0 + 0j, 3 + 4j]))
    np.testing.assert_allclose(gradient, [0.0, 0.6 - 0.8j])


def test_whether_a_traced_value_is_complex():
    seen = []

    def f(z):
        seen.append((np.iscomplexobj(z), np.isrealobj(z)))
        return np.sum(np.abs(z))

    dk.grad(f)(Z)
    dk.grad(f)(X)
    assert seen == [(True, False), (False, True)]


def test_the_sign_of_a_complex_number_is_refused():
    with pytest.raises(NoRuleError, match=r"z / np\.abs"):
        dk.grad(lambda z: np.abs(np.sum(np.sign(z))))(Z)
    assert dk.grad(lambda x: np.sum(np.sign(x) * x))(X[0]).tolist() == [1.0, -1.0]


# -- branch cuts ------------------------------------------------------------------------------------------

ON_CUTS = [(name, complex(x, y)) for name in ("arcsin", "arccos") for x in (2.0, -2.0) for y in (0.0, -0.0)]
ON_CUTS += [("arcsinh", complex(x, y)) for x in (0.0, -0.0) for y in (2.0, -2.0)]
ON_CUTS += [("arccosh", complex(x, y)) for x in (0.5, -0.5, -2.0) for y in (0.0, -0.0)]
ON_CUTS += [(name, complex(-2.0, y)) for name in ("sqrt", "log", "log10") for y in (0.0, -0.0)]
ON_CUTS += [("arctanh", complex(x, y)) for x in (2.0, -2.0) for y in (0.0, -0.0)]
ON_CUTS += [("arctan", complex(x, y)) for x in (0.0, -0.0) for y in (2.0, -2.0)]


@pytest.mark.parametrize(("name", "z"), ON_CUTS)
def test_on_a_branch_cut_the_derivative_is_from_the_side_that_the_value_is_from(name, z):
    function = getattr(np, name)
    # Into the side that the signs of the zeros name, where the function is smooth.
    into = complex(0.0, np.copysign(1.0, z.imag)) if z.imag == 0 else complex(np.copysign(1.0, z.real), 0.0)
    h = 1e-5
    one_sided = (-3 * function(z) + 4 * function(z + h * into) - function(z + 2 * h * into)) / (2 * h * into)
    first = dk.holomorphic_grad(function)
    assert first(z) == pytest.approx(complex(one_sided), rel=1e-7)
    assert dk.make_jvp(function)(z)(1.0 + 0.0j)[1] == pytest.approx(complex(first(z)), rel=1e-15)
    assert dk.holomorphic_grad(lambda w: np.sum(function(w)))(np.array([z]))[0] == pytest.approx(
        complex(first(z)), rel=1e-14
    )
    assert dk.holomorphic_grad(first)(z) == pytest.approx(
        complex(dk.holomorphic_grad(first)(z + 1e-9 * into))
    )
