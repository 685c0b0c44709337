"""The rules of scipy.signal and scipy.integrate, through diffkit.scipy."""

import importlib

import numpy as np
import pytest
from rule_checks import (
    case,
    check_derivatives,
    check_single_precision,
    check_that_wrong_rules_are_caught,
    check_value,
    cotangents_of,
)

import diffkit as dk
from diffkit.errors import NoRuleError, TraceError

scipy_signal = pytest.importorskip("scipy.signal")
scipy_integrate = pytest.importorskip("scipy.integrate")
signal = importlib.import_module("diffkit.scipy.signal")
integrate = importlib.import_module("diffkit.scipy.integrate")

rng = np.random.default_rng(4)


def real(*shape):
    return np.round(rng.normal(size=shape), 2)


def cplx(*shape):
    return real(*shape) + 1j * real(*shape)


# -- convolution ------------------------------------------------------------------------------------------

CONVOLUTIONS = (
    {
        f"{name} of {a.shape} and {b.shape}, {mode}": case(
            lambda np, a, b, name=name, mode=mode: getattr(signal, name)(a, b, mode), a, b
        )
        for name in ("convolve", "correlate")
        for a, b in [(real(5), real(3)), (real(3), real(6)), (real(4, 5), real(2, 3))]
        for mode in ("full", "same", "valid")
    }
    | {
        f"convolve by {method}": case(
            lambda np, a, b, m=method: signal.convolve(a, b, method=m), real(6), real(3)
        )
        for method in ("direct", "fft")
    }
    | {
        "fftconvolve": case(lambda np, a, b: signal.fftconvolve(a, b, "same"), real(6), real(3)),
        "convolve complex": case(lambda np, a, b: signal.convolve(a, b), cplx(4), cplx(3)),
        "correlate complex": case(lambda np, a, b: signal.correlate(a, b), cplx(4), cplx(3)),
        "convolve mixed": case(lambda np, a, b: signal.convolve(a, b), real(4), cplx(3)),
    }
)


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_convolutions_to_second_order(name):
    check_derivatives(CONVOLUTIONS[name])
    check_value(CONVOLUTIONS[name])
    check_single_precision(CONVOLUTIONS[name])


@pytest.mark.parametrize("name", ["convolve of (5,) and (3,), same", "convolve of (3,) and (6,), valid"])
def test_a_rule_off_by_a_thousandth_is_caught(name, monkeypatch):
    modules = {"diffkit.autodiff.rules.scipy.signal"}
    assert check_that_wrong_rules_are_caught(CONVOLUTIONS[name], modules, monkeypatch) == 4


@pytest.mark.parametrize("mode", ["full", "valid"])
def test_convolve_agrees_with_autograd(mode):
    pytest.importorskip("autograd")
    theirs = importlib.import_module("autograd.scipy.signal").convolve
    make_vjp = importlib.import_module("autograd").make_vjp
    args = (real(5, 4), real(3, 2))
    for k in (0, 1):
        vjp, value = make_vjp(lambda a, b: theirs(a, b, mode=mode), k)(*args)
        g = cotangents_of(value)
        got = dk.make_vjp(lambda a, b: signal.convolve(a, b, mode=mode), k)(*args)[0](g)
        np.testing.assert_allclose(got, vjp(g), atol=1e-13)


# autograd's own examples: images and filters, by channel.
ALONG = [
    ((real(2, 3, 6, 5), real(3, 4, 3, 2)), ([2, 3], [2, 3]), ([1], [0])),
    ((real(6, 2), real(4, 3)), ([0], [0]), ([], [])),
    ((real(3, 5), real(5, 2, 3)), ([0], [2]), ([1], [0])),
]


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize(("args", "axes", "dot_axes"), ALONG)
def test_convolutions_along_some_axes(args, axes, dot_axes, mode):
    def f(np, a, b):
        return signal.convolve(a, b, axes=axes, dot_axes=dot_axes, mode=mode)

    pytest.importorskip("autograd")
    theirs = importlib.import_module("autograd.scipy.signal").convolve
    expected = theirs(*args, axes=axes, dot_axes=dot_axes, mode=mode)
    np.testing.assert_allclose(f(np, *args), expected, atol=1e-13)
    check_derivatives(case(f, *args, order=1))
    check_single_precision(case(f, *args))


def test_plain_values_go_to_scipy():
    a, b = real(5), real(3)
    np.testing.assert_array_equal(signal.convolve(a, b), scipy_signal.convolve(a, b))
    assert signal.butter is scipy_signal.butter
    with pytest.raises(TraceError, match=r"call diffkit\.scipy\.signal\.convolve"):
        dk.grad(lambda a: np.sum(scipy_signal.convolve(a, b)))(a)


# -- differential equations -------------------------------------------------------------------------------

TIGHT = {"rtol": 1e-11, "atol": 1e-11}
TIMES = np.array([0.0, 0.3, 0.5, 1.2])


def pendulum(y, t, friction, gravity):
    return [y[1], -friction * y[1] - gravity * np.sin(y[0]) + 0.1 * t]


def decay(y, t, rate):
    return -rate * y


def lotka_volterra(y, t, p):
    return np.stack([p["a"] * y[0] - p["b"][0] * y[0] * y[1], p["b"][1] * y[0] * y[1] - y[1]])


def test_the_solution_of_a_linear_equation_has_its_known_derivatives():
    def end(y0, t, rate):
        return integrate.odeint(decay, y0, t, (rate,), **TIGHT)[-1, 0]

    t = np.array([0.5, 0.75, 1.5])
    y = 2.0 * np.exp(-0.7)
    of_y0, of_t, of_rate = dk.grad(end, (0, 1, 2))(2.0, t, 0.7)
    assert of_y0 == pytest.approx(np.exp(-0.7), rel=1e-8)
    np.testing.assert_allclose(of_t, [0.7 * y, 0.0, -0.7 * y], rtol=1e-8, atol=1e-9)
    assert of_rate == pytest.approx(-y, rel=1e-8)
    assert type(of_y0) is type(of_rate) is float
    # d2/drate2 = y, by every mixture of modes.
    assert dk.grad(dk.grad(end, 2), 2)(2.0, t, 0.7) == pytest.approx(y, rel=1e-6)
    assert dk.deriv(dk.grad(end, 2), 2)(2.0, t, 0.7) == pytest.approx(y, rel=1e-6)
    assert dk.deriv(dk.deriv(end, 2), 2)(2.0, t, 0.7) == pytest.approx(y, rel=1e-6)
    assert dk.grad(dk.deriv(end, 2), 2)(2.0, t, 0.7) == pytest.approx(y, rel=1e-6)


@pytest.mark.parametrize("options", [{}, {"tfirst": True}])
def test_both_modes_against_differences(options):
    f = (lambda t, y, *args: pendulum(y, t, *args)) if options else pendulum

    def path(y0, t, friction, gravity):
        return integrate.odeint(f, y0, t, (friction, gravity), **TIGHT, **options)

    args = (np.array([0.5, -0.2]), TIMES, 0.3, 2.0)
    tangents = (np.array([0.3, -1.0]), np.array([0.2, -0.1, 0.4, 0.3]), 0.7, -0.4)
    h = 1e-4
    moved = [[a + s * h * u for a, u in zip(args, tangents, strict=True)] for s in (1, -1, 2, -2)]
    one, back, two, twice = (path(*m) for m in moved)
    expected = (8 * (one - back) - (two - twice)) / (12 * h)
    value, tangent = dk.make_jvp(path, (0, 1, 2, 3))(*args)(tangents)
    np.testing.assert_allclose(value, path(*args))
    np.testing.assert_allclose(tangent, expected, atol=1e-6)
    g = rng.normal(size=value.shape)
    pulled = dk.make_vjp(path, (0, 1, 2, 3))(*args)[0](g)
    pairing = sum(np.sum(c * u) for c, u in zip(pulled, tangents, strict=True))
    assert pairing == pytest.approx(np.sum(g * expected), abs=1e-6)
    assert pairing == pytest.approx(np.sum(g * tangent), abs=1e-7)


def test_odeint_agrees_with_autograd():
    pytest.importorskip("autograd")
    anp, autograd = importlib.import_module("autograd.numpy"), importlib.import_module("autograd")
    theirs = importlib.import_module("autograd.scipy.integrate").odeint

    def f(y, t, a, b):
        return anp.array([a * y[1], -b * y[0] + 0.1 * t])

    args = (np.array([0.5, -0.2]), TIMES, (1.5, 0.4))
    g = rng.normal(size=(4, 2))
    for k in (0, 1, 2):
        expected = autograd.make_vjp(lambda y0, t, p: theirs(f, y0, t, p, **TIGHT), k)(*args)[0](g)
        ours = dk.make_vjp(lambda y0, t, p: integrate.odeint(g_of, y0, t, p, **TIGHT), k)(*args)[0](g)
        np.testing.assert_allclose(ours, expected, rtol=1e-7, atol=1e-8)


def g_of(y, t, a, b):
    return [a * y[1], -b * y[0] + 0.1 * t]


def test_parameters_in_containers():
    p = {"a": 1.1, "b": np.array([0.4, 0.3]), "name": "prey", "n": 2}
    path = lambda p: np.sum(integrate.odeint(lotka_volterra, [1.0, 0.5], TIMES, (p,), **TIGHT))  # noqa: E731
    gradient = dk.grad(lambda a, b: path(p | {"a": a, "b": b}), (0, 1))(p["a"], p["b"])
    h = 1e-5
    by_a = (path(p | {"a": 1.1 + h}) - path(p | {"a": 1.1 - h})) / (2 * h)
    assert gradient[0] == pytest.approx(by_a, abs=1e-6)
    assert gradient[1].shape == (2,)


def test_one_time_only():
    g = dk.grad(lambda y: np.sum(integrate.odeint(decay, y, [0.0], (1.0,))))(np.array([1.0, 2.0]))
    np.testing.assert_allclose(g, [1.0, 1.0])


def test_what_odeint_refuses():
    with pytest.raises(TraceError, match=r"not among its arguments.*args="):
        dk.grad(lambda a: integrate.odeint(lambda y, t, b: -a * b * y, 1.0, TIMES, (a,))[-1, 0])(0.5)
    with pytest.raises(NoRuleError, match="full_output"):
        dk.grad(lambda a: integrate.odeint(decay, a, TIMES, (1.0,), full_output=True)[0][-1, 0])(0.5)
    with pytest.raises(TraceError, match=r"call diffkit\.scipy\.integrate\.odeint"):
        dk.grad(lambda a: scipy_integrate.odeint(decay, a, TIMES, (1.0,))[-1, 0])(0.5)


def test_dynamics_that_are_others_at_the_sweep():
    def f(rate):
        ends = [
            integrate.odeint(lambda y, t, r: -r * k * y, 1.0, TIMES, (rate,), **TIGHT)[-1, 0]  # noqa: B023
            for k in (1.0, 2.0)
        ]
        return ends[0] + ends[1]

    for derivative in (dk.grad(f), dk.deriv(f), dk.grad(dk.grad(f))):
        with pytest.raises(TraceError, match=r"another solution .* in args="):
            derivative(0.5)


def test_plain_odeint_is_scipy_s():
    ours = integrate.odeint(decay, 1.0, TIMES, (0.5,), full_output=True)
    theirs = scipy_integrate.odeint(decay, 1.0, TIMES, (0.5,), full_output=True)
    np.testing.assert_array_equal(ours[0], theirs[0])


def test_a_wrong_rule_of_odeint_is_caught(monkeypatch):
    rules = importlib.import_module("diffkit.autodiff.rules.scipy.integrate")
    fun = rules._odeint

    def slopes():
        f = lambda rate: integrate.odeint(decay, 1.0, TIMES, (rate,), **TIGHT)[-1, 0]  # noqa: E731
        return dk.grad(f)(0.7), dk.deriv(f)(0.7)

    exact = -1.2 * np.exp(-0.7 * 1.2)
    assert slopes() == pytest.approx((exact, exact), rel=1e-7)
    vjp, jvp = fun.vjps[0], fun.jvps[0]
    with monkeypatch.context() as patch:
        for name in ("vjps", "float_vjps"):
            patch.setattr(fun, name, (lambda *a, **k: tuple(1.001 * c for c in vjp(*a, **k)),))
        for name in ("jvps", "float_jvps"):
            patch.setattr(fun, name, (lambda *a, **k: 1.001 * jvp(*a, **k),))
        assert slopes() == pytest.approx((1.001 * exact, 1.001 * exact), rel=1e-7)
