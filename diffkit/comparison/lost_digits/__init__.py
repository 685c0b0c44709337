"""Where tracing itself loses digits: the error of a value and its derivatives, row by row.

Read :mod:`~diffkit.comparison.lost_digits.row_errors` first, which takes the error of a program apart;
then :mod:`~diffkit.comparison.lost_digits.of_program`, which applies it to a program and to its adjoint
program.
"""

from diffkit.comparison.lost_digits.of_program import accuracy
from diffkit.comparison.lost_digits.report import Accuracy
from diffkit.comparison.lost_digits.row_errors import Analysis, RowAccuracy

__all__ = ["Accuracy", "Analysis", "RowAccuracy", "accuracy"]
