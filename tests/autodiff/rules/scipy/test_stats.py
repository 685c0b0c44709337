"""Densities and distribution functions, through diffkit.scipy.stats."""

import copy
import importlib

import numpy as np
import pytest
from rule_checks import (
    case,
    check_derivatives,
    check_that_wrong_rules_are_caught,
    check_value,
    cotangents_of,
)

import diffkit as dk
from diffkit.errors import NoRuleError, TraceError

scipy_stats = pytest.importorskip("scipy.stats")
stats = importlib.import_module("diffkit.scipy.stats")

KINDS = ("pdf", "logpdf", "cdf", "logcdf", "sf", "logsf")
X = np.array([[0.3, 1.4, 0.9], [2.0, 0.6, 1.1]])
IN_UNIT = np.array([0.3, 0.7, 0.55])
LOC, SCALE = np.array([-0.2, 0.1, -0.4]), np.array([[1.3], [2.0]])
K = np.array([0, 2, 5])

CONTINUOUS = {
    "norm": (X, ()),
    "t": (X, (3.5,)),
    "gamma": (X, (1.7,)),
    "chi2": (X, (3.2,)),
    "beta": (IN_UNIT, (2.5, 1.3)),
}


def density(name, kind, x, shapes):
    """By x, location and scale; for densities by the shape parameters as well, which broadcast."""
    call = getattr(getattr(stats, name), kind)
    if kind in ("pdf", "logpdf"):
        arrays = [s + np.array([0.0, 0.3, 0.7]) for s in shapes]
        return case(lambda np, x, *parameters: call(x, *parameters), x, *arrays, LOC / 10, SCALE)
    return case(lambda np, x, loc, scale: call(x, *shapes, loc=loc, scale=scale), x, LOC / 10, SCALE)


CASES = {
    f"{name}.{kind}": density(name, kind, x, shapes)
    for name, (x, shapes) in CONTINUOUS.items()
    for kind in KINDS
}
CASES |= {
    f"poisson.{kind}": case(
        lambda np, mu, kind=kind: getattr(stats.poisson, kind)(K, mu), np.array([0.7, 2.5, 4.0])
    )
    for kind in ("pmf", "logpmf", "cdf", "logcdf", "sf", "logsf")
}

A = np.array([[1.0, 0.3, -0.5], [0.2, 1.5, 0.4], [-0.3, 0.1, 0.8]])
COV = A @ A.T
MEAN = np.array([0.1, -0.4, 0.7])
POINTS = np.array([[0.5, 0.3, 0.2], [-1.0, 0.2, 0.9]])
LOW_RANK = A[:, :2] @ A[:, :2].T
ALPHA = np.array([1.5, 2.5, 0.8])
SIMPLEX = np.array([0.2, 0.5, 0.3])


def sym(c):
    return (c + c.T) / 2


normal = stats.multivariate_normal
VECTORS = {
    "mvn.logpdf": case(lambda np, x, m, c: normal.logpdf(x, m, sym(c)), POINTS, MEAN, COV),
    "mvn.pdf": case(lambda np, x, m, c: normal.pdf(x, m, sym(c)), POINTS, MEAN, COV),
    "mvn.logpdf of one": case(lambda np, x, m, c: normal.logpdf(x, m, sym(c)), POINTS[0], MEAN, COV),
    "mvn.logpdf, variances": case(
        lambda np, x, m, c: normal.logpdf(x, m, c), POINTS, MEAN, np.array([1.0, 2.0, 0.5])
    ),
    "mvn.logpdf, variance": case(lambda np, x, m, c: normal.logpdf(x, m, c), POINTS, MEAN, 1.5),
    "mvn.logpdf, keywords": case(lambda np, x, c: normal.logpdf(x, cov=sym(c)), POINTS, COV),
    "mvn.logpdf of numbers": case(lambda np, x, m, c: normal.logpdf(x, m, c), X[0], 0.5, 1.5),
    "mvn.logpdf, singular": case(
        lambda np, x, b: normal.logpdf(np.matmul(b, x), cov=np.matmul(b, b.T), allow_singular=True),
        np.array([0.3, -0.8]),
        A[:, :2],
    ),
    "mvn.entropy": case(lambda np, c: normal.entropy(MEAN, sym(c)), COV),
    "mvn frozen": case(lambda np, x, m: normal(m, COV).logpdf(x), POINTS, MEAN),
    "dirichlet.logpdf": case(lambda np, a: stats.dirichlet.logpdf(SIMPLEX, a), ALPHA),
    "dirichlet.pdf": case(lambda np, a: stats.dirichlet.pdf(SIMPLEX, a), ALPHA),
    "dirichlet of the first two": case(lambda np, x, a: stats.dirichlet.logpdf(x, a), SIMPLEX[:2], ALPHA),
    "dirichlet of several": case(
        lambda np, a: stats.dirichlet.logpdf(np.stack([SIMPLEX, ALPHA / 4.8], 1), a), ALPHA
    ),
    "dirichlet.entropy": case(lambda np, a: stats.dirichlet.entropy(a), ALPHA),
}


@pytest.mark.parametrize("name", CASES)
def test_both_modes_to_second_order(name):
    check_derivatives(CASES[name])
    check_value(CASES[name])


@pytest.mark.parametrize("name", VECTORS)
def test_vectors_in_both_modes_to_second_order(name):
    check_derivatives(VECTORS[name])
    check_value(VECTORS[name])


@pytest.mark.parametrize("name", ["norm.logpdf", "gamma.pdf", "beta.cdf", "t.logsf"])
def test_gradients_keep_single_precision(name):
    c = CASES[name]
    args = [a.astype(np.float32) for a in c.args]
    value, double = c.f(np, *args), c.f(np, *c.args)
    gradients = dk.make_vjp(c.on_numpy(), tuple(range(len(args))))(*args)[0](np.ones_like(value))
    expected = dk.make_vjp(c.on_numpy(), tuple(range(len(args))))(*c.args)[0](np.ones_like(double))
    for got, want in zip(gradients, expected, strict=True):
        assert got.dtype == np.float32
        np.testing.assert_allclose(got, want, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", CASES)
def test_a_rule_off_by_a_thousandth_is_caught(name, monkeypatch):
    modules = {"diffkit.autodiff.rules.scipy.stats"}
    c = CASES[name]
    assert check_that_wrong_rules_are_caught(c, modules, monkeypatch) == 2 * len(c.args)


def _autograd_cases():
    for name, kinds in [
        ("norm", KINDS),
        ("t", ("pdf", "logpdf", "cdf", "logcdf")),
    ]:
        x, shapes = CONTINUOUS[name]
        for kind in kinds:
            # autograd has the distribution functions of t by x and loc only.
            by = [0, 2] if shapes and kind in ("cdf", "logcdf") else list(range(3 + len(shapes)))
            yield name, kind, (x, *shapes, 0.2, 1.3), by
    for name, kinds in [
        ("gamma", ("pdf", "logpdf", "cdf")),
        ("chi2", ("pdf", "logpdf", "cdf")),
        ("beta", ("pdf", "logpdf", "cdf")),
    ]:
        x, shapes = CONTINUOUS[name]
        for kind in kinds:
            by_shapes = kind != "cdf" and name != "chi2"
            if name == "chi2":
                shapes = (3.0,)  # autograd gives 0 where df is no integer
            yield name, kind, (x, *shapes), [0, *(range(1, 1 + len(shapes)) if by_shapes else ())]
    for kind in ("pmf", "logpmf", "cdf"):
        yield "poisson", kind, (K, np.array([0.7, 2.5, 4.0])), [1]
    for kind in ("pdf", "logpdf"):
        yield "multivariate_normal", kind, (POINTS, MEAN, COV), [0, 1, 2]
        yield "dirichlet", kind, (SIMPLEX, ALPHA), [0, 1]
    yield "multivariate_normal", "entropy", (MEAN, COV), [1]


@pytest.mark.parametrize(("name", "kind", "args", "by"), list(_autograd_cases()))
def test_agrees_with_autograd(name, kind, args, by):
    pytest.importorskip("autograd")
    theirs = getattr(importlib.import_module(f"autograd.scipy.stats.{name}"), kind)
    make_vjp = importlib.import_module("autograd").make_vjp
    for k in by:
        vjp, value = make_vjp(theirs, k)(*args)
        g = cotangents_of(value)
        got = dk.make_vjp(getattr(getattr(stats, name), kind), k)(*args)[0](g)
        np.testing.assert_allclose(got, vjp(g), rtol=1e-9, atol=1e-11)


def test_hand_computed():
    assert dk.grad(stats.norm.logpdf, (0, 1, 2))(3.0, 1.0, 2.0) == pytest.approx((-0.5, 0.5, 0.0))
    assert dk.grad(stats.poisson.logpmf, 1)(3, 2.0) == 0.5
    assert dk.grad(stats.gamma.logpdf)(2.0, 3.0) == pytest.approx(0.0)
    assert type(dk.grad(stats.norm.pdf)(0.5)) is float


def test_off_the_support_the_derivative_is_0():
    for name, x in [("gamma", -1.0), ("chi2", -1.0), ("beta", 1.5)]:
        shapes = CONTINUOUS[name][1]
        for kind in ("pdf", "logpdf", "cdf", "sf"):
            assert dk.grad(getattr(getattr(stats, name), kind))(x, *shapes) == 0.0
        assert dk.grad(stats.gamma.pdf, 1)(-1.0, 2.0) == 0.0


def test_a_flat_edge_has_its_derivative():
    # The densities of gamma(1), chi2(2) and beta(1, 1) are smooth where the support begins.
    assert dk.grad(stats.gamma.logpdf)(0.0, 1.0) == -1.0
    assert dk.grad(stats.chi2.logpdf)(0.0, 2.0) == -0.5
    assert dk.grad(stats.beta.logpdf)(0.0, 1.0, 1.0) == 0.0
    assert dk.grad(stats.beta.logpdf)(1.0, 1.0, 1.0) == 0.0


def test_frozen_distributions_and_the_rest_of_scipy():
    assert dk.grad(lambda m, s: stats.norm(m, scale=s).logpdf(3.0), (0, 1))(1.0, 2.0) == pytest.approx(
        (0.5, 0.0)
    )
    assert dk.grad(lambda x: stats.norm(1.0, 2.0).logpdf(x))(3.0) == -0.5
    frozen = stats.norm(1.0, 2.0)
    assert frozen.mean() == 1.0
    assert frozen.cdf(1.0) == copy.deepcopy(frozen).cdf(1.0) == 0.5
    assert frozen.rvs(size=3, random_state=0).shape == (3,)
    assert frozen.support() == (-np.inf, np.inf)
    x = dk.grad(lambda x: stats.multivariate_normal(MEAN, COV).logpdf(x))(POINTS[0])
    np.testing.assert_allclose(x, -np.linalg.solve(COV, POINTS[0] - MEAN))
    assert stats.norm.ppf(0.5) == 0.0
    assert stats.norm.logpdf(0.3) == scipy_stats.norm.logpdf(0.3)
    assert stats.multivariate_normal(MEAN, COV).logpdf(POINTS[0]) == scipy_stats.multivariate_normal(
        MEAN, COV
    ).logpdf(POINTS[0])
    assert stats.linregress is scipy_stats.linregress


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda a: stats.gamma.cdf(0.5, a), r"gamma\.cdf .* argument a"),
        (lambda df: stats.t.logsf(0.5, df), r"t\.logsf .* argument df"),
        (lambda k: stats.poisson.logpmf(k, 2.0), r"poisson\.logpmf .* argument k"),
    ],
)
def test_what_has_no_closed_form_is_refused(call, name):
    for operator in (dk.grad, dk.deriv):
        with pytest.raises(NoRuleError, match=name):
            operator(call)(3.0)


def test_scipy_s_own_distributions_name_their_mirrors():
    for call, name in [
        (lambda x: scipy_stats.norm.logpdf(x), "norm.logpdf"),
        (lambda x: scipy_stats.poisson.pmf(2, x), "poisson.pmf"),
        (lambda x: scipy_stats.multivariate_normal.logpdf(x), "multivariate_normal.logpdf"),
    ]:
        with pytest.raises(
            TraceError, match=rf"scipy\.stats\.{name} was .*call diffkit\.scipy\.stats\.{name}"
        ):
            dk.grad(call)(0.5)
    with pytest.raises(TraceError, match=r"scipy\.stats\.cauchy\.logpdf was .*dk\.primitive"):
        dk.grad(scipy_stats.cauchy.logpdf)(0.5)


def test_scipy_s_checks_of_arguments_still_hold():
    with pytest.raises(ValueError, match="simplex"):
        dk.grad(lambda a: stats.dirichlet.logpdf(np.array([0.5, 0.9, 0.3]), a))(ALPHA)
    with pytest.raises(np.linalg.LinAlgError):
        dk.grad(lambda m: normal.logpdf(POINTS[0], m, LOW_RANK))(MEAN)
    off = dk.make_vjp(lambda x: normal.logpdf(x, cov=np.diag([1.0, 1.0, 0.0]), allow_singular=True))(
        POINTS[0]
    )
    assert off[1] == -np.inf
