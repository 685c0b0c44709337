"""SymPy expressions as a shared graph: built once each, never flattened, never simplified.

SymPy's own constructors tidy what they are given: ``4*l*(1 - l)`` loses the product ``4*l`` in a
flat ``Mul``, so the next iterate no longer contains the previous one, and what a student wrote is
not what is differentiated. The constructors here build the same SymPy classes as they are asked
to, with three habits:

- **Interned**: the same operation on the same operands is the same object (hash-consing, Filliâtre
  and Conchon, ML Workshop 2006), so sharing is seen by identity, in constant time.
- **Folded only at 0 and 1** (``0 + x``, ``1 * x``, ``0 * x``, ``x**1``), and between rational numbers.
- **Hashed at creation**, operands first, so that no later ``hash`` or ``==`` walks down a deep
  expression. Every walk here keeps its own stack; nothing recurses, whatever the depth.

>>> from sympy import Symbol
>>> x = Symbol("x")
>>> multiply(multiply(4, x), subtract(1, x))
(4*x)*(1 - x)
>>> multiply(4, x) is multiply(4, x)
True

:class:`SymbolicNumber` lets ordinary NumPy code run on such expressions.
"""

from __future__ import annotations

from diffkit.expressions.building import (
    add,
    call,
    divide,
    multiply,
    negative,
    piecewise,
    power,
    product,
    subtract,
    total,
)
from diffkit.expressions.intern_table import Expression
from diffkit.expressions.interning import (
    count_nodes,
    intern,
    number,
    post_order,
    rebuild,
    short,
    substitute,
    tree_sizes,
)
from diffkit.expressions.reading import NAMES, apply, class_of, derivative, has_expression
from diffkit.expressions.symbolic_number import SymbolicNumber

__all__ = [
    "NAMES",
    "Expression",
    "SymbolicNumber",
    "add",
    "apply",
    "call",
    "class_of",
    "count_nodes",
    "derivative",
    "divide",
    "has_expression",
    "intern",
    "multiply",
    "negative",
    "number",
    "piecewise",
    "post_order",
    "power",
    "product",
    "rebuild",
    "short",
    "substitute",
    "subtract",
    "total",
    "tree_sizes",
]
