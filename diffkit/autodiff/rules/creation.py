"""New arrays, made while a function is traced, to which traced values may be written.

NumPy has no hook in ``np.zeros(3)``, nor in ``y[0] = x`` for the array that comes of it. ``diffkit.numpy``
has these functions in place of NumPy's, so that a program that fills a table is traced as it stands.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy import ndarray

from diffkit.autodiff.recording.refusals import is_recording
from diffkit.autodiff.recording.tracer import wrapped


def written_to(answer: Any, given: Iterable[Any]) -> Any:
    """What a function of NumPy's answered, so that traced values can be written to it if it is a new array.

    Args:
        answer: whatever came back.
        given: what the function was given; an answer that shares memory with one of these arrays is handed
            back as it is: the caller's arrays are never changed. (Of those in a list NumPy makes copies.)

    >>> import diffkit as dk
    >>> import numpy as np
    >>> def edges(x, inside=(1.0, 2.0)):
    ...     row = written_to(np.tile(inside, 2), (inside, 2))
    ...     row[0] = row[-1] = x
    ...     return row
    >>> dk.jacobian(edges)(3.0)
    array([1., 0., 0., 1.])
    """
    if type(answer) is not ndarray or not is_recording() or not answer.flags.writeable:
        return answer
    whole = answer
    while type(whole.base) is ndarray:
        whole = whole.base
    if whole.base is not None:  # the memory is another object's
        return answer
    shared = any(isinstance(value, ndarray) and np.may_share_memory(value, whole) for value in given)
    return answer if shared else wrapped(answer)


def to_be_written(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, whose arrays of floats accept traced values while a function is traced.

    >>> import diffkit as dk
    >>> import numpy as np
    >>> def powers(x):
    ...     table = to_be_written(np.zeros)(3)
    ...     table[0] = 1.0
    ...     for k in range(2):
    ...         table[k + 1] = x * table[k]
    ...     return table
    >>> dk.jacobian(powers)(3.0), to_be_written(np.zeros)(1)
    (array([0., 1., 6.]), array([0.]))
    """

    @functools.wraps(function)
    def made(*args: Any, **kwargs: Any) -> Any:
        return written_to(function(*args, **kwargs), (*args, *kwargs.values()))

    return made


CREATION = (
    "zeros ones empty eye identity tri linspace logspace geomspace zeros_like ones_like empty_like copy "
    "fromfunction fromiter fromstring fromfile fromregex loadtxt genfromtxt load blackman hanning hamming "
    "bartlett kaiser require asfortranarray asarray_chkfinite"
).split()
"""The names of NumPy's functions that make arrays of numbers: of shapes, lists and files, and copies."""
