"""NumPy, drop-in: the same names, with what NumPy's protocols cannot reach put right.

A program written with ``import numpy as np`` is traced as it stands, but for what makes an array of
traced values: NumPy has no hook in ``np.array([x, y])``, nor in any other function that is given a list
of numbers. With ``import diffkit.numpy as np`` (or ``dk.numpy``) all of them take lists and tuples of traced
values, those of ``np.linalg`` and ``np.fft`` too, and so do ``np.r_`` and ``np.c_``. All else is NumPy's own.

>>> import diffkit.numpy as np
>>> from diffkit import grad
>>> grad(lambda x: np.sum(np.array([x, x * x, 1.0])))(3.0)
7.0
>>> grad(lambda x: np.full(3, x) @ np.arange(3.0))(1.0)
3.0
>>> grad(lambda x: np.linalg.norm([x, 4.0]))(3.0)
0.6
>>> grad(lambda x: np.sum(np.r_[x, 0:3, x * x]))(3.0)
7.0
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy

from diffkit.autodiff.recording.tracer import HANDING_ON as _HANDING_ON
from diffkit.autodiff.recording.tracer import call_handler as _call_handler
from diffkit.autodiff.recording.tracer import nodes_in as _nodes_in
from diffkit.autodiff.rules.construction import array as _array
from diffkit.autodiff.rules.construction import full, full_like
from diffkit.autodiff.rules.construction import list_as_array as _list_as_array
from diffkit.autodiff.rules.construction import stepped as _stepped
from diffkit.autodiff.rules.creation import CREATION as _CREATION
from diffkit.autodiff.rules.creation import to_be_written as _to_be_written
from diffkit.autodiff.rules.creation import written_to as _written_to
from diffkit.autodiff.rules.cumulative import logcumsumexp
from diffkit.autodiff.rules.diagonals import make_diagonal
from diffkit.autodiff.rules.joining import Joined as _Joined
from diffkit.autodiff.rules.register import is_node as _is_node

_EXTRA = ("logcumsumexp", "make_diagonal")
__all__ = [*(name for name in numpy.__all__ if name != "test"), *_EXTRA]
_HANDING_ON.add(id(globals()))

_DISPATCHING = (numpy.ufunc, type(numpy.sum))
_DRAWING = type(numpy.random.rand)
"""Of the functions that draw random numbers from the one state that they share."""
_OF_ARRAYS = frozenset(
    "concatenate concat stack vstack row_stack hstack dstack column_stack multi_dot lexsort "
    "select choose piecewise histogramdd".split()
)
"""Functions that are given a list of arrays (or of what else is no numbers), not a list for an array."""


def _taking_lists(function: Any) -> Any:
    """The function, with lists of traced values among its arguments made arrays, and new ones to write to."""
    if function is numpy.block:  # nested lists are what it is about
        return function
    each = function.__name__ in _OF_ARRAYS

    def converted(value: Any, frame: Any) -> Any:
        if not isinstance(value, list | tuple) or not _is_traced(value):
            return value
        parts = value if each else [value]
        # A tuple, for NumPy's lexsort hands on what is in one, and not what is in a list.
        made = tuple([_call_handler(_list_as_array, (part,), {}, frame) for part in parts])
        return made if each else made[0]

    @functools.wraps(function, updated=())
    def call(*args: Any, **kwargs: Any) -> Any:
        for a in args:
            if type(a) is list or type(a) is tuple:
                frame = sys._getframe(1)
                args = tuple([converted(value, frame) for value in args])
                break
        if kwargs:
            frame = sys._getframe(1)
            kwargs = {name: converted(value, frame) for name, value in kwargs.items()}
        answer = function(*args, **kwargs)
        if type(answer) is numpy.ndarray:
            return _written_to(answer, (*args, *kwargs.values()))
        return answer

    if isinstance(function, numpy.ufunc):  # what a program may ask of one
        for name in ("accumulate", "at", "identity", "nargs", "nin", "nout", "outer", "reduce", "reduceat"):
            setattr(call, name, getattr(function, name))
    return call


def _drop_in(module: ModuleType) -> ModuleType:
    """A module of NumPy's whose functions take lists, to be imported by its name here."""
    name = f"{__name__}.{module.__name__.rpartition('.')[2]}"
    made = ModuleType(name, module.__doc__)
    for key, value in vars(module).items():
        if key[:2] != "__":
            setattr(made, key, _taking_lists(value) if isinstance(value, _DISPATCHING) else value)
    made.__all__ = module.__all__  # type: ignore[attr-defined]
    return made


_ours = {
    "full": full,
    "full_like": full_like,
    "logcumsumexp": logcumsumexp,
    "make_diagonal": make_diagonal,
    "test": None,  # the test runner is not ours
}
for _name in numpy.__all__:  # straight in the module, so that np.sin is found as quickly as in NumPy
    _value = getattr(numpy, _name)
    if _name not in _ours:
        globals()[_name] = _taking_lists(_value) if isinstance(_value, _DISPATCHING) else _value
for _name in (*_CREATION, "full", "full_like"):
    globals()[_name] = _to_be_written(globals()[_name])
linalg, fft, random = _drop_in(numpy.linalg), _drop_in(numpy.fft), _drop_in(numpy.random)
for _name in numpy.random.__all__:
    if isinstance(getattr(random, _name), _DRAWING):
        setattr(random, _name, _to_be_written(getattr(random, _name)))
for _module in (linalg, fft, random):  # so that "import diffkit.numpy.random as npr" finds it
    sys.modules[f"{__name__}.{_module.__name__.rpartition('.')[2]}"] = _module
r_, c_ = _Joined(numpy.r_), _Joined(numpy.c_)


def __getattr__(name: str) -> Any:
    return getattr(numpy, name)


def __dir__() -> list[str]:
    return sorted({*dir(numpy), *_EXTRA})


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
        return _written_to(numpy.array(object, dtype, copy=copy, ndmin=ndmin, **kwargs), (object,))
    if _is_node(object) and not copy and dtype is None and numpy.ndim(object) >= ndmin:
        return object
    return _call_handler(_array, (object, dtype, ndmin), {}, sys._getframe(1))


def asarray(a: Any, dtype: Any = None, **kwargs: Any) -> Any:
    """``numpy.asarray``, of traced values too; a traced array is handed back as it is.

    >>> asarray([1.0, 2.0])
    array([1., 2.])
    """
    if _is_traced(a):
        return array(a, dtype, copy=None, **kwargs)
    return _written_to(numpy.asarray(a, dtype, **kwargs), (a,))


def asanyarray(a: Any, dtype: Any = None, **kwargs: Any) -> Any:
    """``numpy.asanyarray``, of traced values too."""
    return (
        array(a, dtype, copy=None)
        if _is_traced(a)
        else _written_to(numpy.asanyarray(a, dtype, **kwargs), (a,))
    )


def ascontiguousarray(a: Any, dtype: Any = None, **kwargs: Any) -> Any:
    """``numpy.ascontiguousarray``, of traced values too."""
    if not _is_traced(a):
        return _written_to(numpy.ascontiguousarray(a, dtype, **kwargs), (a,))
    return array(a, dtype, copy=None, ndmin=1)


def arange(*args: Any, **kwargs: Any) -> Any:
    """``numpy.arange``, of traced numbers too; how many come of them is decided by their values.

    >>> from diffkit import grad
    >>> grad(lambda step: numpy.sum(arange(0.0, 1.0, step)))(0.25)
    6.0
    """
    traced = _is_traced((*args, *kwargs.values()))
    return _stepped(*args, **kwargs) if traced else _to_be_written(numpy.arange)(*args, **kwargs)


def ndenumerate(arr: Any) -> Iterator[tuple[tuple[int, ...], Any]]:
    """``numpy.ndenumerate``, of a traced array too: each index and the element there.

    >>> list(ndenumerate(numpy.array([[1.0, 2.0]])))
    [((0, 0), np.float64(1.0)), ((0, 1), np.float64(2.0))]
    """
    arr = asarray(arr)
    return ((index, arr[index]) for index in numpy.ndindex(*numpy.shape(arr)))
