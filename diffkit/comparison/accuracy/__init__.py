"""Where tracing itself loses digits: the error of a value and its derivatives, row by row.

Read :mod:`~diffkit.comparison.accuracy.rows` first, which takes the error of a straight-line program apart;
then :mod:`~diffkit.comparison.accuracy.measuring`, which applies it to a program and to its adjoint
program.
"""

from diffkit.comparison.accuracy.measuring import accuracy
from diffkit.comparison.accuracy.result import Accuracy
from diffkit.comparison.accuracy.rows import Analysis, RowAccuracy

__all__ = ["Accuracy", "Analysis", "RowAccuracy", "accuracy"]
