"""One function, every method, one table.

>>> import diffkit as dk
>>> result = dk.compare(dk.programs.log_product)
>>> [row.method for row in result]
['symbolic', 'forward difference', 'backward difference', 'central difference',
 'forward mode', 'reverse mode']
>>> result["reverse mode"].value
array([[0.5       , 0.33333333]])
>>> result["central difference"].evaluations >= 4
True

Every method gives the whole Jacobian: a row per number that the function returns, a column per number
that it takes. Its error is measured against a reference of fifty digits which uses no derivative rule
at all: central differences of the program itself, run in an arithmetic of two hundred digits. And f's
values are held against each other, as floats, traced and in many digits: where they differ, f is not one
function, and no error is told.
"""

from diffkit.comparison.compare import compare
from diffkit.comparison.lost_digits import Accuracy, accuracy
from diffkit.comparison.matrix_formula import MatrixFormula, formula
from diffkit.comparison.methods import METHODS
from diffkit.comparison.pages import explore, stepper
from diffkit.comparison.result import Comparison, Row

__all__ = [
    "METHODS",
    "Accuracy",
    "Comparison",
    "MatrixFormula",
    "Row",
    "accuracy",
    "compare",
    "explore",
    "formula",
    "stepper",
]


def __dir__() -> list[str]:
    return __all__
