"""``scipy.special`` for traced values; what has no rule here is SciPy's own.

>>> import numpy as np
>>> import diffkit as dk
>>> from diffkit.scipy.special import logsumexp
>>> dk.grad(lambda x: logsumexp(x))(np.array([0.0, 0.0]))
array([0.5, 0.5])
"""

from typing import Any

import scipy.special

from diffkit.autodiff.rules.scipy.special import FUNCTIONS

__all__ = list(scipy.special.__all__)


def __getattr__(name: str) -> Any:
    return FUNCTIONS[name] if name in FUNCTIONS else getattr(scipy.special, name)


def __dir__() -> list[str]:
    return dir(scipy.special)
