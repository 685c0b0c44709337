"""SciPy's special functions: every line of the table by differences, and the functions that are no ufuncs."""

import importlib
import subprocess
import sys

import numpy as np
import pytest
from rule_checks import (
    Case,
    case,
    check_derivatives,
    check_single_precision,
    check_value,
    cotangents_of,
)

import diffkit as dk
from diffkit.calculus import ALIASES, ELEMENTARY, SPECIAL
from diffkit.errors import NoRuleError, TraceError

scipy_special = pytest.importorskip("scipy.special")
special = importlib.import_module("diffkit.scipy.special")
rules = importlib.import_module("diffkit.autodiff.rules.scipy.special")

X = np.array([0.3, 0.7, 0.45])
Y = np.array([[0.4], [0.8]])
WIDE = np.array([-1.3, 0.4, 2.2])

POINTS = {
    "erf": (WIDE,), "erfc": (WIDE,), "erfcx": (WIDE,), "erfi": (WIDE,), "dawsn": (WIDE,), "ndtr": (WIDE,),
    "log_ndtr": (np.array([-40.0, -1.3, 3.0]),), "log_expit": (WIDE,), "expit": (WIDE,),
    "gamma": (WIDE,), "rgamma": (WIDE,), "digamma": (WIDE,), "gammaln": (WIDE,), "psi": (WIDE,),
    "polygamma": (2, X + 1), "zeta": (2.5, X + 1), "gammainc": (1.7, X), "gammaincc": (1.7, X),
    "xlogy": (X, Y), "xlog1py": (X, Y), "rel_entr": (X, Y), "kl_div": (X, Y), "beta": (X, Y),
    "betaln": (X, Y), "betainc": (1.5, 2.5, X),
    "jv": (1.5, X + 1), "jn": (2, X + 1), "yn": (2, X + 1), "yv": (1.5, X + 1),
    "iv": (2, X), "ive": (2, X + 1), "kv": (2, X + 1), "kve": (1.5, X + 1), "i0e": (WIDE,), "i1e": (WIDE,),
}  # fmt: skip
"""Where to look; by default at X. Orders and the shapes of incomplete integrals are plain numbers."""

KNOWN = {name for name in (*SPECIAL, *ELEMENTARY, *ALIASES, "jn") if hasattr(scipy_special, name)}
NAMES = sorted(name for name in KNOWN if name in SPECIAL or not hasattr(np, name))


def of(name):
    fun, args = getattr(special, name), POINTS.get(name, (X,))
    traced = [a for a in args if isinstance(a, np.ndarray)]
    constants = [a for a in args if not isinstance(a, np.ndarray)]
    return Case(lambda np, *values: fun(*constants, *values), tuple(traced))


CASES = {name: of(name) for name in NAMES if name != "gammasgn"} | {
    "logsumexp": case(lambda np, x: special.logsumexp(x), WIDE),
    "logsumexp axis": case(lambda np, x: special.logsumexp(x, axis=0), X * Y),
    "logsumexp axes": case(lambda np, x: special.logsumexp(x, axis=(0, 1), keepdims=True), X * Y),
    "logsumexp b": case(lambda np, x: special.logsumexp(x, axis=1, b=np.array([0.5, 2.0, 1.5])), X * Y),
    "softmax": case(lambda np, x: special.softmax(x), WIDE),
    "softmax axis": case(lambda np, x: special.softmax(x, axis=-1), X * Y),
    "log_softmax": case(lambda np, x: special.log_softmax(x), WIDE),
    "log_softmax axis": case(lambda np, x: special.log_softmax(x, axis=0), X * Y),
    "multigammaln": case(lambda np, a: special.multigammaln(a, 3), X + 2),
    "multigammaln 1": case(lambda np, a: special.multigammaln(a, 1), 2.5),
    "both arguments broadcast": case(lambda np, x, y: special.xlogy(x, y) * special.beta(x, y), X, Y),
    "scalar": case(lambda np, x: special.erfinv(x) * special.gammainc(2.0, x), 0.4),
    "logsumexp by b": case(lambda np, x, b: special.logsumexp(x, axis=1, b=b), X * Y, X + 0.5),
    "logsumexp, sign": case(
        lambda np, x, b: special.logsumexp(x, b=b, keepdims=True, return_sign=True),
        X,
        np.array([0.5, -2.0, 0.1]),
    ),
    "complex": case(lambda np, z: special.erf(z) * special.ndtr(z), 0.4 + X * 1j),
    # Their second derivatives are zeta functions, which SciPy has for real arguments only.
    "complex gamma": case(lambda np, z: special.gamma(z) + special.loggamma(z), 0.4 + X * 1j, order=1),
}


@pytest.mark.parametrize("name", CASES)
def test_both_modes_to_second_order(name):
    check_derivatives(CASES[name])
    check_value(CASES[name])


@pytest.mark.parametrize("name", [n for n in CASES if np.ndim(CASES[n].args[0])])
def test_single_precision(name):
    if name == "yn":
        pytest.skip("SciPy itself gives yn in double precision for an integer order")
    check_single_precision(CASES[name])


@pytest.mark.parametrize(
    "name", [*(n for n in NAMES if n != "gammasgn"), "logsumexp", "softmax", "log_softmax"]
)
def test_a_rule_off_by_a_thousandth_is_caught(name, monkeypatch):
    c = CASES[name]
    (row,) = [r for r in dk.trace(c.on_numpy())(*c.args).nodes if r.fun.name not in ("input", "part")]
    fun = row.fun
    for mode, field in (("rev", "vjps"), ("fwd", "jvps")):
        for k, rule in enumerate(getattr(fun, field)):
            if rule is None or not isinstance(row.args[k], dk.Node):
                continue
            wrong = list(getattr(fun, field))
            wrong[k] = lambda *a, rule=rule, **kw: 1.001 * rule(*a, **kw)
            with monkeypatch.context() as patch:
                patch.setattr(fun, field, tuple(wrong))
                with pytest.raises(dk.autodiff.check.GradientError):
                    dk.check_grads(c.on_numpy(), modes=(mode,), order=1, seed=5)(*c.args)


AUTOGRAD = (
    "beta betainc betaln polygamma psi digamma gamma gammaln gammainc gammaincc rgamma j0 y0 j1 y1 jn yn "
    "i0 i1 iv ive erf erfc erfinv erfcinv logit expit logsumexp"
).split()


@pytest.mark.parametrize("name", AUTOGRAD)
def test_agrees_with_autograd(name):
    pytest.importorskip("autograd")
    theirs = getattr(importlib.import_module("autograd.scipy.special"), name)
    make_vjp = importlib.import_module("autograd").make_vjp
    args = POINTS.get(name, (X,))
    for k, x in enumerate(args):
        if isinstance(x, np.ndarray):
            vjp, value = make_vjp(theirs, k)(*args)
            g = cotangents_of(value)
            got = dk.make_vjp(getattr(special, name), k)(*args)[0](g)
            np.testing.assert_allclose(got, vjp(g), rtol=1e-9, atol=1e-11)


def test_scipy_s_own_ufuncs_take_traced_values_without_the_mirror():
    program = """
import sys
import numpy as np
import diffkit as dk
assert "scipy" not in sys.modules
import scipy.special
assert abs(dk.grad(scipy.special.erf)(0.5) - 2 / np.sqrt(np.pi) * np.exp(-0.25)) < 1e-15
assert dk.grad(scipy.special.xlogy, 1)(3.0, 2.0) == 1.5
assert abs(dk.grad(dk.grad(scipy.special.digamma))(1.0) + 2.4041138063191886) < 1e-14  # -2 zeta(3)
"""
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True)


def test_diffkit_does_not_import_scipy():
    program = """
import sys
import diffkit as dk
import numpy as np
dk.grad(np.tanh)(0.5)
dk.scipy
assert "scipy" not in sys.modules
dk.scipy.special
assert "scipy.special" in sys.modules and "scipy.stats" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_tail_where_the_naive_form_has_no_digits():
    # The hazard of the normal distribution tends to -x, with relative error 1 / x^2.
    assert dk.grad(special.log_ndtr)(-1e5) == pytest.approx(1e5, rel=2e-10)
    assert dk.grad(special.log_ndtr)(-1e5) / 1e5 - 1 == pytest.approx(1e-10, rel=1e-4)
    assert dk.grad(special.log_ndtr)(40.0) == pytest.approx(0.0, abs=1e-300)


def test_conventions():
    assert dk.grad(special.xlogy, (0, 1))(0.0, 0.0) == (0.0, 0.0)
    assert dk.grad(special.xlogy, (0, 1))(0.0, 2.0) == (pytest.approx(np.log(2.0)), 0.0)
    assert dk.grad(lambda x: special.gammasgn(x) * x)(-0.5) == -1.0
    assert type(dk.grad(special.erfinv)(0.5)) is float
    assert type(dk.deriv(special.betaln)(0.5, 2.0)) is float


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda a: special.gammainc(a, 0.5), "gammainc .* argument a"),
        (lambda n: special.jv(n, 0.5), "jv .* argument n"),
        (lambda n: special.polygamma(n, 0.5), "polygamma .* argument n"),
    ],
)
def test_what_has_no_closed_form_is_refused(call, name):
    for operator in (dk.grad, dk.deriv):
        with pytest.raises(NoRuleError, match=name):
            operator(call)(2.0)


def test_scipy_s_functions_that_are_no_ufuncs_name_their_mirrors():
    for name in ("logsumexp", "softmax", "log_softmax"):
        with pytest.raises(
            TraceError, match=rf"scipy\.special\.{name} .*call diffkit\.scipy\.special\.{name}"
        ):
            dk.grad(lambda x, name=name: np.sum(getattr(scipy_special, name)(x)))(WIDE)
    with pytest.raises(NoRuleError, match="wofz"):
        dk.grad(lambda x: np.abs(scipy_special.wofz(x)))(0.5)


def test_the_table_names_each_function_once_and_scipy_has_it():
    assert not SPECIAL.keys() & {*ELEMENTARY, *ALIASES}
    assert all(hasattr(scipy_special, name) for name in SPECIAL)


def test_plain_values_go_to_scipy():
    assert special.erf is scipy_special.erf
    assert special.airy is scipy_special.airy
    np.testing.assert_array_equal(special.logsumexp(WIDE), scipy_special.logsumexp(WIDE))
    value, sign = special.logsumexp(WIDE, b=-1, return_sign=True)
    assert sign == -1
    assert value == scipy_special.logsumexp(WIDE)


def test_source_imports_the_functions_of_scipy():
    t = dk.trace(lambda x: np.sum(scipy_special.i0(x) * scipy_special.erf(x)))(np.array([0.3, 1.2]))
    scope: dict[str, object] = {"__name__": "a_file_of_its_own"}
    source = t.adjoint().source()
    exec(compile(str(source), "program.py", "exec"), scope)
    value, gradient = scope[source.name](np.array([0.3, 1.2]))
    assert value == t.value
    np.testing.assert_array_equal(gradient, t.pull_back())
