"""``scipy.linalg`` for traced values; what has no rule here is SciPy's own.

>>> import numpy as np
>>> import diffkit as dk
>>> from diffkit.scipy.linalg import sqrtm
>>> dk.grad(lambda a: np.sum(sqrtm(a)))(np.diag([4.0, 9.0]))
array([[0.25      , 0.2       ],
       [0.2       , 0.16666667]])
"""

from typing import Any

import scipy.linalg

from diffkit.autodiff.rules.scipy.linalg import FUNCTIONS

__all__ = list(scipy.linalg.__all__)


def __getattr__(name: str) -> Any:
    return FUNCTIONS[name] if name in FUNCTIONS else getattr(scipy.linalg, name)


def __dir__() -> list[str]:
    return dir(scipy.linalg)
