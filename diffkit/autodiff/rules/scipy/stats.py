"""scipy.stats: densities and distribution functions, by their variable and their parameters.

A distribution of a real variable has a location and a scale, so with z = (x - loc) / scale all of its
functions follow from two things: the derivative of the logarithm of the standard density by z, its score,
and by each shape parameter. They are one line each, in the grammar of the calculus table. The distribution
function has the density for its derivative; by a shape parameter it has no closed form, and asking
raises. Outside the support the derivative is 0.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.special
import scipy.stats

from diffkit.autodiff.recording.tracer import Primitive, apply, nodes_in
from diffkit.autodiff.rules.call_forms import as_array, decided, plain
from diffkit.autodiff.rules.register import fit, reentrant
from diffkit.autodiff.rules.scipy.mirror import program
from diffkit.autodiff.rules.scipy.special import function
from diffkit.errors import NoRuleError
from diffkit.grammar import compile_text, folded
from diffkit.typing import ArrayValue, Value

_REAL, _POSITIVE = (-np.inf, np.inf), (0.0, np.inf)


@dataclass(frozen=True)
class Family:
    """A family of distributions.

    Attributes:
        name: SciPy's.
        shapes: the shape parameters, in SciPy's order.
        score: d log density / dz, a text in z and the shape parameters.
        by_shape: d log density by each shape parameter, likewise.
        support: the values of z that the variable takes.
        discrete: whether the variable is an integer; then there is no scale, and no derivative by it.
    """

    name: str
    shapes: tuple[str, ...]
    score: str
    by_shape: tuple[str, ...]
    support: tuple[float, float]
    discrete: bool = False


def _family(
    call: str, score: str, *by_shape: str, support: tuple[float, float] = _REAL, discrete: bool = False
) -> Family:
    name, _, shapes = call.rstrip(")").partition("(")
    return Family(name, tuple(s.strip() for s in shapes.split(",") if s), score, by_shape, support, discrete)


# fmt: off
_FAMILIES = [
    _family("norm()",      "-z"),
    _family("t(df)",       "-(df + 1) * z / (df + z**2)",
            "(digamma((df + 1) / 2) - digamma(df / 2) - 1 / df - log1p(z**2 / df)"
            " + (df + 1) * z**2 / (df * (df + z**2))) / 2"),
    _family("gamma(a)",    "(a - 1) / where(a - 1, z, 1) - 1",
            "log(z) - digamma(a)",    support=_POSITIVE),
    _family("chi2(df)",    "(df / 2 - 1) / where(df - 2, z, 1) - 1 / 2",
            "(log(z / 2) - digamma(df / 2)) / 2",    support=_POSITIVE),
    _family("beta(a, b)",  "(a - 1) / where(a - 1, z, 1) - (b - 1) / where(b - 1, 1 - z, 1)",
            "log(z) - digamma(a) + digamma(a + b)",
            "log1p(-z) - digamma(b) + digamma(a + b)",    support=(0.0, 1.0)),
    _family("poisson(mu)", "",
            "z / mu - 1",    support=_POSITIVE, discrete=True),
]
# fmt: on


# -- the rules of a family --------------------------------------------------------------------------------


def _compiled(text: str, family: Family) -> Callable[..., Any]:
    parameters = ["z", *family.shapes]
    names = {n: function(n) for n in compile(text, "", "eval").co_names if n not in parameters}
    return compile_text(folded(text), parameters, names)


class OfSciPy:
    """What takes traced values in place of a distribution of SciPy; what is not given here is SciPy's."""

    is_distribution = True
    _scipy: Any

    def __getattr__(self, name: str) -> Any:
        if name == "_scipy":  # while a copy is being made
            raise AttributeError(name)
        return getattr(self._scipy, name)

    def __call__(self, *args: Any, **kwargs: Any) -> Frozen:
        return Frozen(self, args, kwargs)


class Distribution(OfSciPy):
    """A distribution of SciPy whose densities and distribution functions take traced values.

    All else is SciPy's distribution's.

    >>> import diffkit as dk
    >>> dk.grad(lambda s: FUNCTIONS["norm"].logpdf(1.0, scale=s))(2.0)
    -0.375
    """

    def __init__(self, family: Family) -> None:
        self._family = family
        self._scipy = getattr(scipy.stats, family.name)
        self._score = _compiled(family.score, family) if family.score else None
        self._by_shape = [_compiled(text, family) for text in family.by_shape]
        density = "pmf" if family.discrete else "pdf"
        for kind in (density, "log" + density, "cdf", "logcdf", "sf", "logsf"):
            setattr(self, kind, self._mirror(kind))
        self._density: Callable[..., Any] = getattr(self, density)
        self._log_density: Callable[..., Any] = getattr(self, "log" + density)

    def _mirror(self, kind: str) -> Callable[..., Any]:
        """One of the distribution's functions, as users call it."""
        family, on_scipy = self._family, getattr(self._scipy, kind)
        names = ["k" if family.discrete else "x", *family.shapes, "loc"] + ["scale"] * (not family.discrete)
        defaults = {"loc": 0.0, "scale": 1.0}
        positional = functools.partial(inspect.Parameter, kind=inspect.Parameter.POSITIONAL_OR_KEYWORD)
        signature = inspect.Signature(
            [positional(n, default=defaults.get(n, inspect.Parameter.empty)) for n in names]
        )

        def compute(*args: Any) -> Any:
            y = on_scipy(*args)
            return float(y) if type(y) is np.float64 and all(type(a) in (float, int) for a in args) else y

        fun = reentrant(Primitive(f"{family.name}.{kind}", compute))
        fun.compute.__wrapped__ = on_scipy  # type: ignore[attr-defined]
        rules = [self._rules(kind, k, name) for k, name in enumerate(names)]
        fun.vjps, fun.jvps = tuple(r[0] for r in rules), tuple(r[1] for r in rules)

        @functools.wraps(on_scipy)
        def call(*args: Any, **kwargs: Any) -> Any:
            if next(nodes_in((args, tuple(kwargs.values()))), None) is None:
                return on_scipy(*args, **kwargs)
            bound = signature.bind(*args, **kwargs)
            bound.apply_defaults()
            return apply(fun, tuple(map(as_array, bound.args)), {}, sys._getframe(1))

        call.is_mirror = True  # type: ignore[attr-defined]
        call.primitive = fun  # type: ignore[attr-defined]
        return call

    def _rules(self, kind: str, k: int, name: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
        """The VJP and the JVP by one argument: both multiply by the same derivative."""

        def vjp(g: Value, ans: Value, *args: Any) -> Any:
            return fit(g * self._derivative(kind, name, ans, args), args[k])

        def jvp(t: Value, ans: Value, *args: Any) -> Any:
            return fit(t * self._derivative(kind, name, ans, args), ans)

        return vjp, jvp

    def _derivative(self, kind: str, name: str, ans: Value, args: tuple[Any, ...]) -> Any:
        family = self._family
        if self._is_unknown(kind, name):
            raise NoRuleError(
                f"scipy.stats.{family.name}.{kind} has no derivative rule for its argument {name}, by which "
                "it has no closed form: pass a plain number there"
            )
        if family.discrete:
            return self._by_mean(kind, ans, *args)
        x, *shapes, loc, scale = args
        z = (x - loc) / scale
        if kind in ("pdf", "logpdf"):
            slope = self._of_log_density(name, z, shapes) / (1.0 if name in family.shapes else scale)
            return ans * slope if kind == "pdf" else slope
        log_density = self._log_density(*args)
        slope = np.exp(log_density - ans) if kind.startswith("log") else np.exp(log_density)
        toward = slope if name == "x" else -slope if name == "loc" else -z * slope
        return toward if kind.endswith("cdf") else -toward

    def _is_unknown(self, kind: str, name: str) -> bool:
        if self._family.discrete:
            return name in ("k", "loc")
        return name in self._family.shapes and kind.endswith(("cdf", "sf"))

    def _of_log_density(self, name: str, z: Value, shapes: list[Any]) -> Any:
        """The derivative of log density, times the scale if it is by x, loc or scale; 0 off the support."""
        low, high = self._family.support
        inside: Any = True
        if self._family.support != _REAL:
            inside = np.logical_and(np.greater_equal(z, low), np.less_equal(z, high))
            z = np.where(inside, z, 0.5)
        if name in self._family.shapes:
            slope = self._by_shape[self._family.shapes.index(name)](z, *shapes)
        else:
            assert self._score is not None
            score = self._score(z, *shapes)
            slope = score if name == "x" else -score if name == "loc" else -(1.0 + z * score)
        return slope if inside is True else np.where(inside, slope, 0.0)

    def _by_mean(self, kind: str, ans: Value, k: Value, mu: Value, loc: Any) -> Any:
        """The derivatives of the Poisson distribution's functions by mu."""
        if "pmf" in kind:
            slope = self._of_log_density("mu", k - loc, [mu])
            return ans * slope if kind == "pmf" else slope
        log_mass = self._log_density(np.floor(k), mu, loc)
        slope = np.exp(log_mass - ans) if kind.startswith("log") else np.exp(log_mass)
        return -slope if kind.endswith("cdf") else slope


class Frozen:
    """A distribution with its parameters given: ``norm(0.0, s).logpdf(x)``, of traced values too."""

    def __init__(self, distribution: OfSciPy, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.dist, self.args, self.kwds = distribution, args, kwargs

    def __getattr__(self, name: str) -> Any:
        if name == "dist":  # while a copy is being made
            raise AttributeError(name)
        function = getattr(self.dist, name)
        if not hasattr(function, "is_mirror"):
            return getattr(self.dist._scipy(*self.args, **self.kwds), name)

        def frozen(*variables: Any, **kwargs: Any) -> Any:
            return function(*variables, *self.args, **self.kwds, **kwargs)

        return frozen


# -- distributions of vectors -----------------------------------------------------------------------------


def _as_matrix(cov: ArrayValue, n: int) -> Any:
    """SciPy's ways to give a covariance: a variance, the variances, or the matrix."""
    if cov.ndim == 2:
        return cov
    return cov * np.eye(n) if cov.ndim == 0 else cov[:, None] * np.eye(n)


def _number_as_array(value: Value) -> Any:
    return np.asarray(value) if next(nodes_in(value), None) is None else as_array(value)


def _normal_parameters(mean: ArrayValue, cov: ArrayValue) -> tuple[Any, Any]:
    cov = _number_as_array(1.0 if cov is None else cov)
    mean = None if mean is None else np.reshape(_number_as_array(mean), (-1,))
    n = cov.shape[0] if cov.ndim else 1 if mean is None else mean.shape[0]
    return np.zeros(n) if mean is None else mean, _as_matrix(cov, n)


def _outside(x: Value, mean: Value, cov: Value, allow_singular: bool) -> Any:
    """Where the density of a normal distribution is zero."""
    from scipy.stats import multivariate_normal

    density = multivariate_normal.logpdf(x, mean, cov, allow_singular=allow_singular)
    return np.isneginf(density)


def _beyond_round_off(w: Value) -> Any:
    """Which eigenvalues are not zero, by SciPy's own threshold."""
    return w > np.finfo(float).eps * 1e6 * np.max(np.abs(w))


def _mvn_logpdf(x: Value, mean: Any = None, cov: Any = 1, allow_singular: bool = False) -> Any:
    # SciPy checks the arguments, and raises what it raises on plain values.
    nowhere = decided(_outside, *map(as_array, (x, mean, cov)), allow_singular=allow_singular)
    x = _number_as_array(x)
    mean, cov = _normal_parameters(mean, cov)
    d = np.reshape(x, (-1, mean.shape[0])) - mean
    if allow_singular:
        inverse = np.linalg.pinv(cov, hermitian=True)
        w = np.linalg.eigvalsh(cov)
        kept = decided(_beyond_round_off, w)
        rank, log_det = int(np.sum(kept)), np.sum(np.log(w[kept]))
        distance = np.sum(d * (d @ inverse), axis=-1)
    else:
        rank, log_det = mean.shape[0], np.linalg.slogdet(cov)[1]
        distance = np.sum(d * np.linalg.solve(cov, d.T).T, axis=-1)
    density = -0.5 * (rank * np.log(2 * np.pi) + log_det + distance)
    density = np.where(np.reshape(nowhere, (-1,)), -np.inf, density)
    return np.reshape(density, np.shape(nowhere))


def _mvn_entropy(mean: Any = None, cov: Any = 1) -> Any:
    mean, cov = _normal_parameters(mean, cov)
    return 0.5 * (cov.shape[0] * (1.0 + np.log(2 * np.pi)) + np.linalg.slogdet(cov)[1])


def _dirichlet_logpdf(x: ArrayValue, alpha: ArrayValue) -> Any:
    scipy.stats.dirichlet.logpdf(plain(as_array(x)), plain(as_array(alpha)))  # checks the arguments
    x, alpha = _number_as_array(x), _number_as_array(alpha)
    if x.shape[0] + 1 == alpha.shape[0]:
        x = np.concatenate([x, 1.0 - np.sum(x, axis=0, keepdims=True)])
    powers = np.reshape(alpha - 1.0, (-1,) + (1,) * (x.ndim - 1))
    return np.sum(scipy.special.xlogy(powers, x), axis=0) - _log_beta(alpha)


def _log_beta(alpha: Value) -> Any:
    return np.sum(scipy.special.gammaln(alpha)) - scipy.special.gammaln(np.sum(alpha))


def _dirichlet_entropy(alpha: ArrayValue) -> Any:
    alpha = _number_as_array(alpha)
    total = np.sum(alpha)
    spread = (total - alpha.shape[0]) * scipy.special.digamma(total)
    return _log_beta(alpha) + spread - np.sum((alpha - 1.0) * scipy.special.digamma(alpha))


class VectorDistribution(OfSciPy):
    """A distribution of vectors; the functions that are given here take traced values."""

    def __init__(self, name: str, programs: dict[str, Callable[..., Any]]) -> None:
        self._scipy = getattr(scipy.stats, name)
        for kind, run in programs.items():
            setattr(self, kind, program(getattr(self._scipy, kind))(run))


FUNCTIONS: dict[str, Any] = {family.name: Distribution(family) for family in _FAMILIES} | {
    "multivariate_normal": VectorDistribution(
        "multivariate_normal",
        {
            "logpdf": _mvn_logpdf,
            "pdf": lambda *args, **kwargs: np.exp(_mvn_logpdf(*args, **kwargs)),
            "entropy": _mvn_entropy,
        },
    ),
    "dirichlet": VectorDistribution(
        "dirichlet",
        {
            "logpdf": _dirichlet_logpdf,
            "pdf": lambda *args: np.exp(_dirichlet_logpdf(*args)),
            "entropy": _dirichlet_entropy,
        },
    ),
}
"""What stands for distributions of scipy.stats, by name."""
