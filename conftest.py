"""Loads the tracer before any test module, whichever file is named first.

Its modules register themselves with one another. pytest executes a module that it collects from its file;
were ``pytest diffkit/autodiff/recording/infix.py`` to do that before the package is imported, there would be
two of it.
"""

import diffkit.autodiff  # noqa: F401
