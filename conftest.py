"""Loads the tracer before any test module, whichever file is named first.

Its modules register themselves with one another. pytest executes a module that it collects from its file;
were ``pytest diffkit/autodiff/recording/infix.py`` to do that before the package is imported, there would be
two of it.
"""

import os

import diffkit.autodiff  # noqa: F401

try:
    import hypothesis
except ImportError:  # whoever runs doctests only has no need of it
    pass
else:
    # A busy machine is no failure; and examples drawn anew are for who looks for faults, not for a verdict
    # on a change that has none: DIFFKIT_DRAW_ANEW=1 draws them.
    anew = "DIFFKIT_DRAW_ANEW" in os.environ
    hypothesis.settings.register_profile("any machine", deadline=None, derandomize=not anew)
    hypothesis.settings.load_profile("any machine")
