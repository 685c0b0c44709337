"""The rules of scipy.linalg, through diffkit.scipy.linalg."""

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

scipy_linalg = pytest.importorskip("scipy.linalg")
sl = importlib.import_module("diffkit.scipy.linalg")

MODULES = {"diffkit.autodiff.rules.scipy.linalg"}

rng = np.random.default_rng(2)


def real(*shape):
    return np.round(rng.normal(size=shape), 2)


def cplx(*shape):
    return real(*shape) + 1j * real(*shape)


A, C = real(3, 3) + 2 * np.eye(3), cplx(3, 3) + 2 * np.eye(3)
B, V, CB = real(3, 2), real(3), cplx(3, 2)
BAND = real(4, 5) + np.array([0.0, 0.0, 4.0, 0.0])[:, None]
SPD = A @ A.T + np.eye(3)


def triangular(a, b, **options):
    """To second order for some of the ways: the others differ in the place of a transpose."""
    order = 2 if options.get("unit_diagonal") is options.get("lower", False) and b.ndim == 2 else 1
    return case(lambda np, a, b: sl.solve_triangular(a, b, **options), a, b, order=order)


def herm(a):
    return (a + np.conj(a.T)) / 2


CASES = {
    f"solve_triangular {name} trans={trans} lower={lower} unit={unit}": triangular(
        a, b, trans=trans, lower=lower, unit_diagonal=unit
    )
    for name, a, b in (("matrix", A, B), ("vector", A, V), ("complex", C, CB))
    for trans in (0, "T", "C")
    for lower in (False, True)
    for unit in ((False, True) if name == "matrix" else (lower,))
} | {
    "solve_triangular": triangular(A, B),
    "cho_solve": case(lambda np, a, b: sl.cho_solve((np.linalg.cholesky(herm(a)), True), b), SPD, B),
    "cho_solve upper": case(lambda np, c, b: sl.cho_solve((c, False), b), A, V),
    "cho_solve complex": case(lambda np, c, b: sl.cho_solve((c, True), b), C, CB),
    "cho_factor": case(lambda np, a, b: sl.cho_solve(sl.cho_factor(herm(a)), b), SPD, B),
    "cholesky": case(lambda np, a: sl.cholesky(herm(a)), SPD),
    "solve_banded": case(lambda np, ab, b: sl.solve_banded((1, 2), ab, b), BAND, real(5, 2)),
    "solve_banded vector": case(lambda np, ab, b: sl.solve_banded((1, 2), ab, b), BAND, real(5)),
    "solve_banded low": case(lambda np, ab, b: sl.solve_banded((3, 0), ab, b), BAND[[2, 1, 0, 3]], real(5)),
    "solve_sylvester": case(lambda np, a, b, q: sl.solve_sylvester(a, b, q), A, A[:2, :2], real(3, 2)),
    "solve_sylvester complex": case(
        lambda np, a, b, q: sl.solve_sylvester(a, b, q), C, C[:2, :2], cplx(3, 2)
    ),
    "sqrtm": case(lambda np, a: sl.sqrtm(a), SPD),
    "sqrtm complex": case(lambda np, a: sl.sqrtm(a), C),
    "expm": case(lambda np, a: sl.expm(a), A / 2),
    "expm stack": case(lambda np, a: sl.expm(a), np.stack([A, A.T]) / 2),
    "expm complex": case(lambda np, a: sl.expm(a), C / 2),
    "inv": case(lambda np, a: sl.inv(a, check_finite=False), A),
    "det": case(lambda np, a: sl.det(a), A),
    "norm": case(lambda np, a: sl.norm(a, ord=1, axis=0), A, order=1),
    "solve": case(lambda np, a, b: sl.solve(a, b), A, B),
}
TRIANGULAR = [name for name in CASES if name.startswith("solve_triangular ")]


@pytest.mark.parametrize("name", CASES)
def test_both_modes_to_second_order(name):
    check_derivatives(CASES[name])


@pytest.mark.parametrize("name", CASES)
def test_value_and_single_precision(name):
    check_value(CASES[name])
    check_single_precision(CASES[name])


@pytest.mark.parametrize(
    "name",
    ["solve_triangular", "solve_banded", "solve_sylvester", "sqrtm", "expm", TRIANGULAR[-1], TRIANGULAR[7]],
)
def test_a_rule_off_by_a_thousandth_is_caught(name, monkeypatch):
    assert check_that_wrong_rules_are_caught(CASES[name], MODULES, monkeypatch) >= 2


@pytest.mark.parametrize(
    ("name", "args", "options"),
    [
        ("solve_triangular", (A, B), {}),
        ("solve_triangular", (A, V), {"lower": True}),
        ("solve_triangular", (A, B), {"trans": 1, "lower": True}),
        ("solve_banded", ((1, 2), BAND, real(5)), {}),
        ("solve_sylvester", (A, A[:2, :2], real(3, 2)), {}),
        ("sqrtm", (SPD,), {}),
    ],
)
def test_agrees_with_autograd(name, args, options):
    pytest.importorskip("autograd")
    theirs = getattr(importlib.import_module("autograd.scipy.linalg"), name)
    make_vjp = importlib.import_module("autograd").make_vjp
    ours = getattr(sl, name)
    for k in range(len(args)):
        if isinstance(args[k], tuple):
            continue
        vjp, value = make_vjp(lambda *a: theirs(*a, **options), k)(*args)
        g = cotangents_of(value)
        got = dk.make_vjp(lambda *a: ours(*a, **options), k)(*args)[0](g)
        np.testing.assert_allclose(got, vjp(g), rtol=1e-10, atol=1e-12)


def test_plain_values_go_to_scipy():
    for name, args in [
        ("solve_triangular", (A, B)),
        ("sqrtm", (SPD,)),
        ("expm", (A,)),
        ("lu", (A,)),
        ("solve_banded", ((1, 2), BAND, V[[0, 1, 2, 0, 1]])),
    ]:
        np.testing.assert_array_equal(getattr(sl, name)(*args)[0], getattr(scipy_linalg, name)(*args)[0])
    assert sl.lu is scipy_linalg.lu
    assert "solve_triangular" in dir(sl)


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("solve_triangular", lambda a: scipy_linalg.solve_triangular(a, np.ones(3))),
        ("sqrtm", lambda a: scipy_linalg.sqrtm(a)),
        ("solve_sylvester", lambda a: scipy_linalg.solve_sylvester(a, A, A)),
        ("cho_solve", lambda a: scipy_linalg.cho_solve((a, True), np.ones(3))),
        ("expm", lambda a: scipy_linalg.expm(a)),
    ],
)
def test_scipy_s_own_function_names_its_mirror(name, call):
    with pytest.raises(
        TraceError, match=rf"scipy\.linalg\.{name} was called.*call diffkit\.scipy\.linalg\.{name}"
    ):
        dk.grad(lambda a: np.sum(call(a)))(A)


def test_scipy_s_functions_without_a_mirror_say_so():
    with pytest.raises(TraceError, match=r"scipy\.linalg\.logm was called .*test_linalg\.py.*dk\.primitive"):
        dk.grad(lambda a: np.sum(scipy_linalg.logm(a)))(A)


def test_options_without_a_rule_are_refused():
    with pytest.raises(NoRuleError, match="assume_a"):
        dk.grad(lambda a: np.sum(sl.solve(a, V, assume_a="pos")))(SPD)
