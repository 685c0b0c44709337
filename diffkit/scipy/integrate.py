"""``scipy.integrate`` for traced values; what has no rule here is SciPy's own.

>>> import numpy as np
>>> import diffkit as dk
>>> from diffkit.scipy.integrate import odeint
>>> def decayed(rate):
...     return odeint(lambda y, t, rate: -rate * y, 1.0, np.array([0.0, 1.0]), (rate,))[-1, 0]
>>> round(dk.grad(decayed)(2.0), 6)  # the derivative of exp(-rate)
-0.135335
"""

from typing import Any

import scipy.integrate

from diffkit.autodiff.rules.scipy.integrate import FUNCTIONS

__all__ = list(scipy.integrate.__all__)


def __getattr__(name: str) -> Any:
    return FUNCTIONS[name] if name in FUNCTIONS else getattr(scipy.integrate, name)


def __dir__() -> list[str]:
    return dir(scipy.integrate)
