"""Symbolic differentiation of SymPy expressions, and the measures of expression swell.

>>> import sympy
>>> from diffkit import symbolic
>>> x = sympy.Symbol("x")
>>> symbolic.diff(sympy.log(1 + sympy.exp(x)), x)
exp(x)/(exp(x) + 1)
"""

from diffkit.symbolic.budget import BudgetError
from diffkit.symbolic.compiled import lambdify
from diffkit.symbolic.derivation import Derivation, Step, steps
from diffkit.symbolic.differentiation import diff, gradient, hessian, jacobian, jvp, vjp
from diffkit.symbolic.evaluation import evaluate
from diffkit.symbolic.families import FAMILIES, Family
from diffkit.symbolic.rules import defrule
from diffkit.symbolic.sizes import Size, size
from diffkit.symbolic.source import straight_line
from diffkit.symbolic.swelling import swell

__all__ = [
    "FAMILIES",
    "BudgetError",
    "Derivation",
    "Family",
    "Size",
    "Step",
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
