"""Symbolic differentiation of SymPy expressions, and the measures of expression swell.

>>> import sympy
>>> from diffkit import symbolic
>>> x = sympy.Symbol("x")
>>> symbolic.diff(sympy.log(1 + sympy.exp(x)), x)
exp(x)/(exp(x) + 1)
"""

from diffkit.symbolic.budget import BudgetError
from diffkit.symbolic.code.lambdify import lambdify
from diffkit.symbolic.code.straight_line import straight_line
from diffkit.symbolic.differentiation import diff, gradient, hessian, jacobian, jvp, vjp
from diffkit.symbolic.matrices.own_rules import defmatrixrule
from diffkit.symbolic.rules import defrule
from diffkit.symbolic.steps.derivation import Derivation, Step, steps
from diffkit.symbolic.swell.families import FAMILIES, Family
from diffkit.symbolic.swell.growth import swell
from diffkit.symbolic.swell.sizes import Size, size
from diffkit.symbolic.values.evaluation import evaluate

__all__ = [
    "FAMILIES",
    "BudgetError",
    "Derivation",
    "Family",
    "Size",
    "Step",
    "defmatrixrule",
    "defrule",
    "diff",
    "evaluate",
    "gradient",
    "hessian",
    "jacobian",
    "jvp",
    "lambdify",
    "size",
    "steps",
    "straight_line",
    "swell",
    "vjp",
]


def __dir__() -> list[str]:
    return __all__
