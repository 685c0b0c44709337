"""The errors that diffkit raises, each also the built-in kind that a caller would catch.

Every message says what was given, what was expected and, where it is known, the line of the
user's own program; the command line prints it as one sentence and exits with status 2.
"""

from __future__ import annotations

__all__ = ["AnswerError", "DiffkitError", "DomainError", "InputError", "NoRuleError", "TraceError"]


class DiffkitError(Exception):
    """The base of all errors that diffkit raises on purpose."""


class InputError(DiffkitError, ValueError):
    """An argument that does not fit: an unknown name, a wrong count, text where a number belongs."""


class AnswerError(InputError, TypeError):
    """An answer that a differential operator does not take: a vector, a complex number, an integer."""


class DomainError(InputError):
    """A point at which the function has no value, or a step that leaves its domain."""


class TraceError(DiffkitError, TypeError):
    """A program that cannot be traced as it stands, with the line at which that shows."""


class NoRuleError(DiffkitError, NotImplementedError):
    """A function without a derivative rule, by name, with the way to add one."""
