"""What each SymPy class contributes to the chain rule.

A node of an expression is read as a :class:`Rule`: the operands that it depends on, and for each of
them the term of the chain rule, *factor times partial derivative*. Forward mode calls the term with
a tangent and adds over the operands; reverse mode calls the same term with an adjoint and hands the
result to the operand. So one text of the table of :mod:`diffkit.calculus` serves both.

SymPy writes x - y as x + (-1)*y and x/y as x*y**(-1); reading puts that right, and splits products
of many factors, so that what is applied is the table's line for negative, divide, sqrt and so on.

>>> import sympy
>>> from diffkit.expressions import intern
>>> from diffkit.symbolic.sweeps import context_of
>>> x, y, t = sympy.symbols("x y t")
>>> rule = read(intern(x / y), context_of([x]))
>>> rule.name, rule.operands, rule.term(0, t)
('divide', (x,), t/y)
"""

from diffkit.symbolic.rules.context import Context
from diffkit.symbolic.rules.dispatch import defrule, read
from diffkit.symbolic.rules.rule import Rule

__all__ = ["Context", "Rule", "defrule", "read"]
