"""diffkit: differentiation taught by doing it three ways on the same program.

>>> import diffkit as dk
>>> import numpy as np
>>> dk.grad(lambda x: np.sin(x) * x)(2.0)
0.0770037537313969

This is the front door: it hands on the names that ``__init__.pyi`` lists and defines nothing. Each
is imported when it is first used, so that ``import diffkit`` is quick whatever a program needs of it.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__version__ = "0.1.0"
