"""Trace-based automatic differentiation: record a NumPy program, then sweep down or up its trace."""

from diffkit.autodiff import rules as _rules  # noqa: F401  (registers the derivative rules)
