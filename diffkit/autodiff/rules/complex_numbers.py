"""Complex numbers: parts, conjugate, angle and absolute value.

The convention is autograd's. A complex number is two real ones; cotangents and tangents are paired by
Re(g * t), so the gradient of a real loss L by z = x + iy is dL/dx - i dL/dy, and the VJP of a holomorphic
function is g * f'(z), the same text as for real numbers: the calculus table serves both. What is here
is what is not holomorphic, and what needs care on a branch cut.

**On a branch cut** a function has no derivative, but one from each side. NumPy's functions take a zero's
sign for the side (Kahan, 1987): np.arccos(2+0j) is the limit from above the cut, np.arccos(2-0j) that from
below. The derivative is from the same side as the value.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from diffkit.autodiff.recording.tracer import FUNCTIONS, UFUNCS, Primitive
from diffkit.autodiff.rules.call_forms import decided
from diffkit.autodiff.rules.decisions import stays_complex
from diffkit.autodiff.rules.elementwise import with_rules
from diffkit.autodiff.rules.matrices import is_complex, plain
from diffkit.autodiff.rules.register import composite, define, fit
from diffkit.errors import NoRuleError
from diffkit.typing import ArrayValue, Value


def _over_square(x: Value, z: Value) -> Any:
    """x / |z|^2, and 0 at z = 0."""
    square = np.real(z) ** 2 + np.imag(z) ** 2
    return x / np.where(np.equal(square, 0.0), np.inf, square)


def _turning(z: Value) -> Any:
    """The derivative of the angle in the pairing Re(g * t): -i / z, which is 0 for real numbers."""
    return _over_square(-1j * np.conj(z), z)


def _angle_vjp(g: Value, ans: Value, z: Value, deg: bool = False) -> Any:
    return fit(g * _turning(z) * (180.0 / np.pi if deg else 1.0), z)


def _angle_jvp(t: Value, ans: Value, z: Value, deg: bool = False) -> Any:
    return np.real(t * _turning(z)) * (180.0 / np.pi if deg else 1.0)


def _like(c: Value, z: Any) -> Any:
    """A contribution in the type of the number or array that it belongs to."""
    return fit(c, z) + 0j if type(z) is complex else fit(c, z)


define(np.angle, [_angle_vjp], [_angle_jvp])
define(np.real, [lambda g, ans, z: _like(g, z)], [lambda t, ans, z: np.real(t)])
define(np.imag, [lambda g, ans, z: _like(-1j * g, z)], [lambda t, ans, z: np.imag(t)])


def _conjugate(z: Any) -> Any:
    return z.conjugate() if type(z) is complex else z if type(z) is float else np.conjugate(z)


UFUNCS[np.conjugate] = Primitive("conjugate", _conjugate)
UFUNCS[np.conjugate].vjps = (lambda g, ans, z: np.conj(g),)
UFUNCS[np.conjugate].jvps = (lambda t, ans, z: np.conj(t),)


@composite(np.real_if_close)
def _real_if_close(a: Value, tol: float = 100) -> Any:
    return a if decided(stays_complex, a, tol=tol) else np.real(a)


FUNCTIONS[np.iscomplexobj] = lambda x: np.iscomplexobj(plain(x))
FUNCTIONS[np.isrealobj] = lambda x: np.isrealobj(plain(x))


# -- absolute values --------------------------------------------------------------------------------------


def _towards(z: Value, ans: Value) -> Any:
    """The derivative of |z| in the pairing Re(g * t): conj(z) / |z|, and 0 at z = 0."""
    return np.conj(z) / np.where(np.equal(ans, 0.0), np.inf, ans)


def _care_for_complex(fun: Primitive) -> None:
    """Gives a function whose line in the table is for real numbers the rules for complex ones as well."""
    ((on_array,), (on_array_t,)) = fun.vjps, fun.jvps
    ((on_float,), (on_float_t,)) = fun.float_vjps, fun.float_jvps
    assert on_array
    assert on_array_t
    assert on_float
    assert on_float_t

    def complex_vjp(g: Value, ans: Value, z: Value) -> Any:
        return _like(g * _towards(z, ans), z)

    def complex_jvp(t: Value, ans: Value, z: Value) -> Any:
        return np.real(t * _towards(z, ans))

    def vjp(g: Value, ans: Value, z: ArrayValue) -> Any:
        return complex_vjp(g, ans, z) if z.dtype.kind == "c" else on_array(g, ans, z)

    def jvp(t: Value, ans: Value, z: ArrayValue) -> Any:
        return complex_jvp(t, ans, z) if z.dtype.kind == "c" else on_array_t(t, ans, z)

    def float_vjp(g: Value, ans: Value, z: Any) -> Any:
        return complex_vjp(g, ans, z) if type(z) is complex else on_float(g, ans, z)

    def float_jvp(t: Value, ans: Value, z: Any) -> Any:
        return complex_jvp(t, ans, z) if type(z) is complex else on_float_t(t, ans, z)

    fun.vjps, fun.jvps, fun.float_vjps, fun.float_jvps = (vjp,), (jvp,), (float_vjp,), (float_jvp,)


_care_for_complex(with_rules(np.absolute))


_sign = UFUNCS[np.sign].compute


def _sign_of_real(x: Any) -> Any:
    if type(x) is not float and is_complex(x):
        raise NoRuleError(
            "np.sign of a complex number is z / |z|, which is not constant, and has no derivative rule here: "
            "write z / np.abs(z)"
        )
    return _sign(x)


UFUNCS[np.sign].compute = _sign_of_real


# -- branch cuts ------------------------------------------------------------------------------------------
# The texts of the table lose the sign of a zero: 1 - z**2 is -3+0j for z = 2+0j as for 2-0j, since
# 0 - 0 and 0 + 0 are both +0. The same formulas with the difference taken the other way round keep it.

_ON_THE_SIDE_OF_THE_VALUE: dict[np.ufunc, Callable[[Any], Any]] = {
    np.arcsin: lambda z: 1 / np.sqrt(-(z * z - 1)),
    np.arccos: lambda z: -1 / np.sqrt(-(z * z - 1)),
    np.arcsinh: lambda z: 1 / np.sqrt(z * z - (-1)),
    np.arccosh: lambda z: 1 / (np.sqrt(z - 1) * np.sqrt(z - (-1))),
}


def _care_for_the_cut(fun: Primitive, derivative: Callable[[Any], Any]) -> None:
    ((on_real,), (on_real_t,)) = fun.vjps, fun.jvps
    assert on_real
    assert on_real_t

    def vjp(g: Value, ans: Value, z: Value) -> Any:
        return _like(g * derivative(z), z) if is_complex(z) else on_real(g, ans, z)

    def jvp(t: Value, ans: Value, z: Value) -> Any:
        return t * derivative(z) if is_complex(z) else on_real_t(t, ans, z)

    fun.vjps, fun.jvps = (vjp,), (jvp,)


for _ufunc, _derivative in _ON_THE_SIDE_OF_THE_VALUE.items():
    _care_for_the_cut(with_rules(_ufunc), _derivative)
