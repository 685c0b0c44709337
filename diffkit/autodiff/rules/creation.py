"""New arrays, made while a function is traced, to which traced values may be written.

NumPy has no hook in ``np.zeros(3)``, nor in ``y[0] = x`` for the array that comes of it. ``diffkit.numpy``
has these functions in place of NumPy's, so that a program that fills a table is traced as it stands.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from diffkit.autodiff.recording.refusals import is_recording
from diffkit.autodiff.recording.tracer import wrapped


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
        array = function(*args, **kwargs)
        return wrapped(array) if is_recording() else array

    return made


CREATION = (
    "zeros ones empty eye identity tri linspace logspace geomspace zeros_like ones_like empty_like copy "
    "fromfunction"
).split()
"""The names of NumPy's functions that make arrays of numbers."""
