"""Loads the tracer before any test module, whichever file is named first.

Its modules register themselves with one another. pytest executes a module that it collects from its file;
were ``pytest diffkit/autodiff/recording/infix.py`` to do that before the package is imported, there would be
two of it.
"""

import diffkit.autodiff  # noqa: F401

try:
    import hypothesis
except ImportError:  # whoever runs doctests only has no need of it
    pass
else:
    hypothesis.settings.register_profile("any machine", deadline=None)  # a busy one is no failure
    hypothesis.settings.load_profile("any machine")
