"""``scipy.stats`` for traced values; what has no rule here is SciPy's own.

>>> import numpy as np
>>> import diffkit as dk
>>> from diffkit.scipy.stats import norm, poisson
>>> dk.grad(lambda mu: np.sum(norm.logpdf(np.array([1.0, 2.0]), loc=mu)))(0.5)
2.0
>>> dk.grad(lambda rate: poisson.logpmf(3, rate))(2.0)
0.5
"""

import sys
from typing import Any

import scipy.stats

from diffkit.autodiff.rules.scipy.stats import FUNCTIONS

__all__ = list(scipy.stats.__all__)

# A distribution is imported as a module would be: import diffkit.scipy.stats.norm as norm
sys.modules.update(
    {f"{__name__}.{name}": f for name, f in FUNCTIONS.items() if hasattr(f, "is_distribution")}
)


def __getattr__(name: str) -> Any:
    return FUNCTIONS[name] if name in FUNCTIONS else getattr(scipy.stats, name)


def __dir__() -> list[str]:
    return dir(scipy.stats)
