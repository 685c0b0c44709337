"""diffkit: differentiation taught by doing it three ways on the same program.

>>> import diffkit as dk
>>> import numpy as np
>>> dk.grad(lambda x: np.sin(x) * x)(2.0)
0.0770037537313969

This is the front door: it hands on the names that ``__init__.pyi`` lists and defines nothing. Each
is imported when it is first used, so that ``import diffkit`` is quick whatever a program needs of it.
"""

import lazy_loader

_attached, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    try:
        return _attached(name)
    except AttributeError:
        import difflib  # only for who has mistyped

        near = difflib.get_close_matches(name, __all__, n=2)
        near += [f"{room}.{name}" for room in ("finite", "symbolic") if name in dir(_attached(room))]
        hint = f"; did you mean {' or '.join(near)}?" if near else f"; dir({__name__}) lists its names"
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}{hint}") from None
