"""Arrays of precise numbers, and NumPy's functions on them."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from diffkit.precise.functions import MPMATH
from diffkit.precise.number import Precise, apply


class PreciseArray(np.ndarray[Any, Any]):
    """An object array of Precise numbers, which NumPy's functions take as they take floats.

    Plain object arrays do arithmetic already, and call methods for one-argument functions; this
    adds the functions for which NumPy has no object loop (``logaddexp``, ``isfinite``), SciPy's,
    and the commonest linear algebra.
    """

    __array_priority__ = 10.0

    # An object array's own .real is the array itself and its .imag is zero, whatever it holds.

    @property  # type: ignore[misc]
    def real(self) -> Any:
        """The real parts."""
        return unwrapped(np.asarray(np.frompyfunc(lambda x: x.real, 1, 1)(self.view(np.ndarray))))

    @property  # type: ignore[misc]
    def imag(self) -> Any:
        """The imaginary parts."""
        return unwrapped(np.asarray(np.frompyfunc(lambda x: x.imag, 1, 1)(self.view(np.ndarray))))

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return run_ufunc(ufunc, method, inputs, kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        ours = _OURS.get(function)
        if ours is not None:
            return ours(*args, **kwargs)
        # Scalars become arrays first, so that all the arguments are ndarrays and NumPy goes ahead.
        return unwrapped(
            super().__array_function__(
                function,
                [kind for kind in types if kind is not Precise],
                as_arrays(args),
                as_arrays(kwargs),
            )
        )


def as_arrays(value: Any) -> Any:
    """The same nesting of arguments with each Precise number as an array without axes."""
    if type(value) is Precise:
        return _array_of(value)
    if type(value) in (list, tuple):
        return type(value)(as_arrays(entry) for entry in value)
    if type(value) is dict:
        return {key: as_arrays(entry) for key, entry in value.items()}
    return value


def _array_of(number: Precise) -> PreciseArray:
    array = np.empty((), dtype=object)
    array[()] = number
    return array.view(PreciseArray)


def _plain(value: Any) -> Any:
    if type(value) is Precise:
        return _array_of(value).view(np.ndarray)
    return value.view(np.ndarray) if isinstance(value, PreciseArray) else value


def unwrapped(result: Any) -> Any:
    """Object arrays as PreciseArrays, those without axes as the number inside."""
    if isinstance(result, np.ndarray) and result.dtype == object:
        return result[()] if result.ndim == 0 else result.view(PreciseArray)
    if isinstance(result, (tuple, list)) and not isinstance(result, str):
        parts, kind = [unwrapped(part) for part in result], type(result)
        return kind(*parts) if hasattr(kind, "_make") else kind(parts)
    return result


def _heaviside(x: Any, y: Any) -> Any:
    return y * 0 + (x > 0) if x != 0 else y


def _copysign(x: Any, y: Any) -> Any:
    return abs(x) if y >= 0 else -abs(x)


_PREDICATES = frozenset({"isnan", "isinf", "isfinite", "signbit"})
_METHODS = frozenset({*MPMATH, *_PREDICATES, "rint", "trunc", "floor", "ceil", "sign", "reciprocal"})


@cache
def _elementwise(name: str, arity: int) -> Any:
    """NumPy's function by its name, as a function on objects; None if NumPy's own object loop serves."""
    if name == "heaviside":
        return np.frompyfunc(_heaviside, 2, 1)
    if name == "copysign":
        return np.frompyfunc(_copysign, 2, 1)
    name = {"degrees": "rad2deg", "radians": "deg2rad", "psi": "digamma", "loggamma": "gammaln"}.get(
        name, name
    )
    if name not in _METHODS:
        return None

    def call(*arguments: Any) -> Any:
        if any(type(a) is Precise for a in arguments):
            if name in MPMATH:
                return apply(name, *arguments)
            return getattr(arguments[0], name)()
        # An array may hold plain numbers between the precise ones: the zeros of np.zeros_like.
        return getattr(Precise(arguments[0]), name)(*arguments[1:])

    return np.frompyfunc(call, arity, 1)


def run_ufunc(ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    name = ufunc.__name__
    run = _elementwise(name, ufunc.nin) or ufunc
    if "out" in kwargs:
        kwargs["out"] = tuple(_plain(each) for each in kwargs["out"])
    result = getattr(run, method)(*[_plain(each) for each in inputs], **kwargs)
    if name in _PREDICATES:
        return np.asarray(result, dtype=bool)[()]
    if "out" in kwargs and result is not None:
        return unwrapped(np.asarray(result)) if isinstance(result, np.ndarray) else result
    return unwrapped(result)


def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """np.linalg.norm for the vector norms 1, 2, inf and the Frobenius norm."""
    x = np.asarray(x)
    if ord in (None, 2, "fro") and not (ord == 2 and x.ndim != 1 and axis is None):
        return np.sqrt(np.sum(np.abs(x).view(PreciseArray) ** 2, axis=axis, keepdims=keepdims))
    if x.ndim == 1 or isinstance(axis, int):
        if ord == 1:
            return np.sum(np.abs(x), axis=axis, keepdims=keepdims)
        if ord == np.inf:
            return np.max(np.abs(x), axis=axis, keepdims=keepdims)
    raise NotImplementedError(f"np.linalg.norm with ord={ord!r} of an array {x.shape} at high precision")


def _eliminate(a: Any, b: Any) -> tuple[Any, Any, list[Any]]:
    """Gauss-Jordan elimination: the identity, the solution of a x = b, and the signed pivots."""
    a, b = np.array(a, dtype=object), np.array(b, dtype=object)
    if a.ndim != 2 or a.shape[0] != a.shape[1]:
        raise NotImplementedError(f"linear algebra at high precision takes one square matrix, got {a.shape}")
    pivots: list[Any] = []
    for k in range(len(a)):
        p = k + int(np.argmax(np.abs(a[k:, k])))
        if a[p, k] == 0:
            return a, None, [*pivots, a[p, k]]
        pivots.append(a[p, k] if p == k else -a[p, k])
        if p != k:
            a[[k, p]], b[[k, p]] = a[[p, k]], b[[p, k]]
        b[k], a[k] = b[k] / a[k, k], a[k] / a[k, k]
        for i in range(len(a)):
            if i != k:
                b[i], a[i] = b[i] - a[i, k] * b[k], a[i] - a[i, k] * a[k]
    return a, b, pivots


def _solve(a: Any, b: Any) -> Any:
    solution = _eliminate(a, b)[1]
    if solution is None:
        raise np.linalg.LinAlgError("Singular matrix")
    return unwrapped(solution)


def _inv(a: Any) -> Any:
    return _solve(a, np.eye(len(a), dtype=int).astype(object))


def _det(a: Any) -> Any:
    return math.prod(_eliminate(a, np.zeros(len(a), dtype=object))[2])


def _cholesky(a: Any) -> Any:
    a = np.array(a, dtype=object)
    lower = np.zeros(a.shape, dtype=object)
    for i in range(len(a)):
        for j in range(i + 1):
            rest = a[i, j] - lower[i, :j] @ lower[j, :j] if j else a[i, j]
            if i == j and not rest > 0:
                raise np.linalg.LinAlgError("Matrix is not positive definite")
            lower[i, j] = _root(rest) if i == j else rest / lower[j, j]
    return unwrapped(lower)


def _root(x: Any) -> Any:
    return np.sqrt(x) if type(x) is Precise else np.sqrt(Precise(x))


def _angle(z: Any, deg: bool = False) -> Any:
    angle = np.arctan2(np.imag(z), np.real(z))
    return np.rad2deg(angle) if deg else angle


def _slogdet(a: Any) -> Any:
    determinant = _det(a)
    return np.sign(determinant), np.log(abs(determinant))


_OURS: dict[Any, Callable[..., Any]] = {
    np.angle: _angle,
    np.linalg.cholesky: _cholesky,
    np.linalg.norm: _norm,
    np.linalg.solve: _solve,
    np.linalg.inv: _inv,
    np.linalg.det: _det,
    np.linalg.slogdet: _slogdet,
}


# -- a number alone takes part in NumPy's protocols as an array without axes -------------------------


def _array_ufunc(self: Precise, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
    return run_ufunc(ufunc, method, inputs, kwargs)


def _array_function(self: Precise, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
    return unwrapped(function(*as_arrays(args), **as_arrays(kwargs)))


def _array_method(self: Precise, name: str) -> Any:
    """The methods of arrays, which NumPy's scalars have too: programs call .sum() or .T on them."""
    if name.startswith("_") or not hasattr(np.ndarray, name):
        raise AttributeError(f"a Precise number has no {name!r}")
    return getattr(as_arrays(self), name)


Precise.__array_ufunc__ = _array_ufunc
Precise.__array_function__ = _array_function
Precise.__getattr__ = _array_method
