"""SciPy's special functions. Imported when one is first met, so that diffkit does not import SciPy.

Most are ufuncs, which hand a traced argument to us as NumPy's do, and their derivatives are lines of the
calculus table. The others are ordinary functions; ``diffkit.scipy.special`` has them, and the ufuncs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.special

from diffkit.autodiff.recording.tracer import UFUNCS, Primitive, is_traced
from diffkit.autodiff.rules.call_forms import as_array, decided
from diffkit.autodiff.rules.elementwise import where
from diffkit.autodiff.rules.reductions import spread
from diffkit.autodiff.rules.register import fit
from diffkit.autodiff.rules.removable_singularities import exp_of_difference
from diffkit.autodiff.rules.scipy.mirror import mirrored, program
from diffkit.calculus import ALIASES, ELEMENTARY, SPECIAL, Elementary
from diffkit.errors import NoRuleError
from diffkit.grammar import chain, compile_text, folded
from diffkit.typing import ArrayValue, Axis, Value

# -- lines of the calculus table --------------------------------------------------------------------------


def _refuse(line: Elementary, k: int) -> Callable[..., Any]:
    def rule(*_: Any) -> Any:
        raise NoRuleError(
            f"scipy.special.{line.name} has no derivative rule for its argument {line.arguments[k]}, by "
            "which it has no closed form: pass a plain number there, or give your own rule with dk.primitive"
        )

    rule.refuses = True  # type: ignore[attr-defined]
    return rule


def _rule(line: Elementary, k: int, factor: str, like: str) -> Callable[..., Any] | None:
    """The VJP (factor g, like the argument) or the JVP (factor t, like the answer) of a line."""
    partial = line.stable[k]
    if partial == "0":
        return None
    if not partial:
        return _refuse(line, k)
    text = f"fit({folded(chain(factor, partial))}, {like})"
    parameters = [factor, "ans", *line.arguments]
    names = {name: function(name) for name in compile(text, "", "eval").co_names if name not in parameters}
    return compile_text(text, parameters, names)


def _value(ufunc: np.ufunc) -> Callable[..., Any]:
    """The function on values; of Python floats it is a Python float."""

    def compute(*args: Any) -> Any:
        y = ufunc(*args)
        return float(y) if type(y) is np.float64 and all(type(a) in (float, int) for a in args) else y

    return compute


def _give_rules(fun: Primitive, line: Elementary) -> None:
    """Both modes' rules; compiled now, for they call each other's functions by name."""
    fun.line = line
    if line.piecewise_constant:
        fun.constant = True
        return
    each = range(len(line.arguments))
    fun.vjps = tuple(_rule(line, k, "g", line.arguments[k]) for k in each)
    fun.jvps = tuple(_rule(line, k, "t", "ans") for k in each)
    if line.name in SPECIAL:
        fun.float_vjps, fun.float_jvps = fun.vjps, fun.jvps


def function(name: str) -> Callable[..., Any]:
    """What a name in a text of the table means on arrays, traced or not.

    >>> function("j1") is scipy.special.j1
    True
    """
    if name in _HELPERS:
        return _HELPERS[name]
    if name not in SPECIAL and hasattr(np, name):
        return getattr(np, name)  # type: ignore[no-any-return]
    return FUNCTIONS.get(name) or getattr(scipy.special, name)


_HELPERS: dict[str, Callable[..., Any]] = {"fit": fit, "where": where}

FUNCTIONS: dict[str, Callable[..., Any]] = {}
"""The functions of scipy.special that are no ufuncs, by name: what stands for them."""


# -- functions that are no ufuncs -------------------------------------------------------------------------


def _weights(ans: ArrayValue, a: ArrayValue, axis: Any, b: Value, keepdims: bool) -> Any:
    """b exp(a - ans): what each element contributes to the sum of exponentials."""
    shares = exp_of_difference(a, spread(ans, a, axis, keepdims))
    return shares if b is None else b * shares


def _logsumexp_vjp(g: Any, ans: Any, a: Any, axis: Any = None, b: Any = None, keepdims: bool = False) -> Any:
    return fit(spread(g, a, axis, keepdims) * _weights(ans, a, axis, b, keepdims), a)


def _logsumexp_jvp(t: Any, ans: Any, a: Any, axis: Any = None, b: Any = None, keepdims: bool = False) -> Any:
    return np.sum(t * _weights(ans, a, axis, b, keepdims), axis=axis, keepdims=keepdims)


_logsumexp = mirrored(scipy.special.logsumexp, [_logsumexp_vjp], [_logsumexp_jvp])


@program(scipy.special.logsumexp)
def _logsumexp_of(
    a: Value, axis: Axis = None, b: Value | None = None, keepdims: bool = False, return_sign: bool = False
) -> Any:
    if not return_sign and not is_traced(b):
        options = {"axis": axis, "b": b, "keepdims": keepdims or None}
        return _logsumexp(a, **{name: option for name, option in options.items() if option is not None})
    a = as_array(a)
    largest = decided(np.max, a, axis=axis, keepdims=True)
    terms = np.exp(a - largest)
    total = np.sum(terms if b is None else b * terms, axis=axis, keepdims=True)
    answer = np.log(np.abs(total)) + largest
    if not keepdims:
        answer, total = (np.squeeze(v, axis) for v in (answer, total))
    return (answer, np.sign(total)) if return_sign else answer


def _softmax_rule(u: Value, ans: Value, x: Value, axis: Axis = None) -> Any:
    """The Jacobian is symmetric, so one rule serves both modes."""
    return fit(ans * (u - np.sum(u * ans, axis=axis, keepdims=True)), x)


def _log_softmax_vjp(g: Value, ans: Value, x: Value, axis: Axis = None) -> Any:
    return fit(g - np.exp(ans) * np.sum(g, axis=axis, keepdims=True), x)


def _log_softmax_jvp(t: Value, ans: Value, x: Value, axis: Axis = None) -> Any:
    return t - np.sum(np.exp(ans) * t, axis=axis, keepdims=True)


def _multigammaln_slope(a: Any, d: Any) -> Any:
    """The sum of digamma(a - j / 2) over j = 0, ..., d - 1."""
    return sum((scipy.special.digamma(a - j / 2) for j in range(1, int(d))), scipy.special.digamma(a))


FUNCTIONS |= {
    "logsumexp": _logsumexp_of,
    "softmax": mirrored(scipy.special.softmax, [_softmax_rule], [_softmax_rule]),
    "log_softmax": mirrored(scipy.special.log_softmax, [_log_softmax_vjp], [_log_softmax_jvp]),
    "multigammaln": mirrored(
        scipy.special.multigammaln,
        [lambda g, ans, a, d: fit(g * _multigammaln_slope(a, d), a)],
        [lambda t, ans, a, d: fit(t * _multigammaln_slope(a, d), ans)],
    ),
    "polygamma": mirrored(scipy.special.polygamma, [], []),
    "zeta": mirrored(scipy.special.zeta, [], []),
}

for _name in ("polygamma", "zeta"):
    _give_rules(FUNCTIONS[_name].primitive, SPECIAL[_name])  # type: ignore[attr-defined]
for _name in [*SPECIAL, *ELEMENTARY, *ALIASES]:
    _ufunc = getattr(scipy.special, _name, None)
    if isinstance(_ufunc, np.ufunc) and _ufunc not in UFUNCS:
        UFUNCS[_ufunc] = Primitive(_name, _value(_ufunc))
for _name in [*SPECIAL, *ELEMENTARY, *ALIASES]:
    _ufunc = getattr(scipy.special, _name, None)
    if isinstance(_ufunc, np.ufunc) and not UFUNCS[_ufunc].vjps:
        _give_rules(UFUNCS[_ufunc], (SPECIAL | ELEMENTARY)[ALIASES.get(_name, _name)])
