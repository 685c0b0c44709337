"""SciPy for traced values: drop-in namespaces for what has derivative rules.

SciPy's special functions are mostly ufuncs and take traced values as they are: ``scipy.special.erf(x)``
differentiates as it stands. Its other functions turn a traced value into an array. Here each of those
has a stand-in under SciPy's own name, which on plain values is the function itself; all other names are
SciPy's. So it is enough to change the import:

>>> import numpy as np
>>> import diffkit as dk
>>> import diffkit.scipy.stats as stats
>>> dk.grad(lambda mu: stats.norm.logpdf(2.0, loc=mu))(0.5)
1.5

SciPy is imported when one of the modules is.
"""

import importlib
from typing import Any

__all__ = ["integrate", "linalg", "signal", "special", "stats"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return importlib.import_module(f"diffkit.scipy.{name}")
    raise AttributeError(f"module 'diffkit.scipy' has no attribute {name!r}; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    return __all__
