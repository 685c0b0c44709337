"""Where tracing itself loses digits: the error of a value and its derivatives, row by row.

Read :mod:`~diffkit.comparison.accuracy.row_errors` first, which takes the error of a program apart;
then :mod:`~diffkit.comparison.accuracy.of_program`, which applies it to a program and to its adjoint
program.
"""

from diffkit.comparison.accuracy.of_program import accuracy
from diffkit.comparison.accuracy.report import Accuracy
from diffkit.comparison.accuracy.row_errors import Analysis, RowAccuracy

__all__ = ["Accuracy", "Analysis", "RowAccuracy", "accuracy"]
