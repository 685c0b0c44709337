"""``scipy.signal`` for traced values; what has no rule here is SciPy's own.

>>> import numpy as np
>>> import diffkit as dk
>>> from diffkit.scipy.signal import convolve
>>> dk.grad(lambda k: convolve(np.array([1.0, 2.0, 3.0]), k)[1])(np.array([1.0, 1.0]))
array([2., 1.])
"""

from typing import Any

import scipy.signal

from diffkit.autodiff.rules.scipy.signal import FUNCTIONS

__all__ = list(scipy.signal.__all__)


def __getattr__(name: str) -> Any:
    return FUNCTIONS[name] if name in FUNCTIONS else getattr(scipy.signal, name)


def __dir__() -> list[str]:
    return dir(scipy.signal)
