"""NumPy, drop-in: the same names, with what NumPy's protocols cannot reach put right.

A program written with ``import numpy as np`` is traced as it stands, but for what makes an array of
traced values: NumPy has no hook in ``np.array([x, y])``. With ``import diffkit.numpy as np`` (or
``dk.numpy``) these functions work too. All other names are NumPy's own.

>>> import diffkit.numpy as np
>>> from diffkit import grad
>>> grad(lambda x: np.sum(np.array([x, x * x, 1.0])))(3.0)
7.0
>>> grad(lambda x: np.full(3, x) @ np.arange(3.0))(1.0)
3.0
"""

from __future__ import annotations

from typing import Any

import numpy

from diffkit.autodiff.recording.tracer import nodes_in as _nodes_in
from diffkit.autodiff.rules.construction import array as _array
from diffkit.autodiff.rules.construction import full, full_like
from diffkit.autodiff.rules.cumulative import logcumsumexp
from diffkit.autodiff.rules.register import is_node as _is_node

__all__ = [*(name for name in numpy.__all__ if name != "test"), "logcumsumexp"]

# Straight in the module, so that np.sin is found as quickly as in NumPy. The test runner is not ours.
_ours = {"full": full, "full_like": full_like, "logcumsumexp": logcumsumexp, "test": None}
globals().update({name: getattr(numpy, name) for name in numpy.__all__ if name not in _ours})


def __getattr__(name: str) -> Any:
    return getattr(numpy, name)


def __dir__() -> list[str]:
    return sorted({*dir(numpy), "logcumsumexp"})


def _is_traced(value: Any) -> Any:
    return next(_nodes_in(value), None) is not None


def array(object: Any, dtype: Any = None, *, copy: Any = True, ndmin: int = 0, **kwargs: Any) -> Any:
    """``numpy.array``, of traced values too.

    Args:
        object: a number or array, or a nested list of them, traced or not.
        dtype, copy, ndmin, kwargs: as for ``numpy.array``.

    >>> import diffkit as dk
    >>> dk.jacobian(lambda x: array([[x[0], x[1]], [x[0] * x[1], 1.0]]))(numpy.array([2.0, 3.0]))
    array([[[1., 0.],
            [0., 1.]],
           [[3., 2.],
            [0., 0.]]])
    """
    if not _is_traced(object):
        return numpy.array(object, dtype, copy=copy, ndmin=ndmin, **kwargs)
    if _is_node(object) and not copy and dtype is None and numpy.ndim(object) >= ndmin:
        return object
    return _array(object, dtype, ndmin)


def asarray(a: Any, dtype: Any = None, **kwargs: Any) -> Any:
    """``numpy.asarray``, of traced values too; a traced array is handed back as it is.

    >>> asarray([1.0, 2.0])
    array([1., 2.])
    """
    return array(a, dtype, copy=None, **kwargs) if _is_traced(a) else numpy.asarray(a, dtype, **kwargs)


def asanyarray(a: Any, dtype: Any = None, **kwargs: Any) -> Any:
    """``numpy.asanyarray``, of traced values too."""
    return array(a, dtype, copy=None) if _is_traced(a) else numpy.asanyarray(a, dtype, **kwargs)


def ascontiguousarray(a: Any, dtype: Any = None, **kwargs: Any) -> Any:
    """``numpy.ascontiguousarray``, of traced values too."""
    if not _is_traced(a):
        return numpy.ascontiguousarray(a, dtype, **kwargs)
    return array(a, dtype, copy=None, ndmin=1)
