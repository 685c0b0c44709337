"""SciPy's own tests of its finite differences, asked of diffkit: run from where SciPy is installed.

Each name that their modules take from SciPy is replaced by the same call of diffkit. A test that asks for
what diffkit's interface has not is left out; the others must pass, but for those named here.
"""

import inspect
import warnings

import numpy as np
import pytest

from diffkit import finite
from diffkit.errors import DomainError, InputError

stats = pytest.importorskip("scipy.stats")
numdiff = pytest.importorskip("scipy.optimize.tests.test__numdiff")
differentiate = pytest.importorskip("scipy.differentiate.tests.test_differentiate")


class NotOurs(Exception):
    """The test asks for something that diffkit's interface has not."""


FORMS = {"2-point": "forward", "3-point": "central", "cs": "complex"}


def approx_derivative(fun, x0, method="3-point", rel_step=None, abs_step=None, f0=None,
                      bounds=(-np.inf, np.inf), sparsity=None, as_linear_operator=False,
                      args=(), kwargs=None, workers=None, **more):  # fmt: skip
    if sparsity is not None or as_linear_operator or more.pop("full_output", False):
        raise NotOurs("sparse matrices, linear operators")
    if method not in FORMS:
        raise ValueError(method)
    x = np.atleast_1d(np.asarray(x0))
    x = x if x.dtype.kind == "f" else x.astype(float)
    h = rel_step if rel_step is None else np.abs(rel_step) * np.fmax(np.abs(x), (x == 0))
    h = h if abs_step is None else np.abs(abs_step)
    if h is not None and np.shape(h) == (1,):
        h = float(h[0])
    shape = []

    def f(v):
        out = np.asarray(fun(v, *args, **(kwargs or {})))
        shape.append(out.shape)
        return out if out.ndim else out[()]

    free = method == "cs" or all(np.isinf(b).all() for b in bounds)
    inside = None if free else tuple(np.broadcast_to(b, x.shape) for b in bounds)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = finite.jacobian(f, x, FORMS[method], h, bounds=inside, workers=workers and map)
    except (InputError, DomainError) as error:
        raise ValueError(str(error)) from error
    return found.reshape(found.shape[-1]) if found.shape[0] == 1 and found.ndim == 2 and len(x) > 1 else found


OTHERWISE = {
    "test_bound_switches": "a step of one's own that does not fit the bounds is refused, not made smaller",
    "test_non_numpy": "math.exp takes no complex numbers: the complex step is refused, not replaced",
    "test_scalar_scalar_abs_step": "the rounding of a step of 1e-8 is left in, to the luck of 1e-9",
    "test_tight_bounds": "a forward difference in 5e-9 of room is good to 9e-6, not 1e-6",
    "test_wrong_dimensions": "a matrix as result has a Jacobian too",
}
"""Where diffkit does otherwise, and why."""


def cases_of(module):
    for name, member in vars(module).items():
        if inspect.isclass(member) and name.startswith("Test"):
            for method in dir(member):
                if method.startswith("test"):
                    why = OTHERWISE.get(method) if name == "TestApproxDerivativesDense" else None
                    marks = pytest.mark.xfail(strict=True, reason=why) if why else ()
                    yield pytest.param(member, method, id=f"{name}.{method}", marks=marks)


@pytest.mark.parametrize(("case", "name"), list(cases_of(numdiff)))
def test_approx_derivative(case, name, monkeypatch):
    monkeypatch.setattr(numdiff, "approx_derivative", approx_derivative)
    here = case()
    if hasattr(here, "setup_method"):
        here.setup_method()
    try:
        getattr(here, name)()
    except NotOurs as reason:
        pytest.skip(str(reason))


class Result:
    """What SciPy's functions return, with diffkit's derivative in it."""

    def __init__(self, estimate):
        self.df = self.ddf = np.asarray(estimate.value)[()]
        self.error = np.asarray(estimate.error)[()]
        self.success = np.isfinite(self.error)


def derivative(f, x):
    x = np.asarray(x)
    return Result(finite.derivative(f, x if x.ndim else x[()], order=8, full=True))


@pytest.mark.parametrize("x", [0.6, np.linspace(-0.05, 1.05, 10)], ids=["number", "array"])
def test_derivative_basic(x, monkeypatch):
    monkeypatch.setattr(differentiate, "derivative", derivative)
    differentiate.TestDerivative().test_basic(x, np)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", stats._distr_params.distcont, ids=lambda case: case[0])
def test_derivative_accuracy(case, monkeypatch):
    """The slope of every continuous distribution's function is its density, to 1e-7 and 1e-10."""
    monkeypatch.setattr(differentiate, "derivative", derivative)
    differentiate.TestDerivative().test_accuracy(case)


@pytest.mark.parametrize("name", ["f1", "f2", "f3", "f4", "f5", "rosen"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_jacobian_examples(name, dtype, monkeypatch):
    monkeypatch.setattr(
        differentiate, "jacobian", lambda f, x: Result(finite.jacobian(f, x, order=8, full=True))
    )
    case = differentiate.TestJacobian
    case().test_examples(dtype, (), vars(case)[name], np)


def test_hessian_example(monkeypatch):
    monkeypatch.setattr(
        differentiate, "hessian", lambda f, x: Result(finite.hessian(f, x, order=6, full=True))
    )
    differentiate.TestHessian().test_example((), np)
