"""Powers at zero, as the table has them: 0 where log(0) or 1/0 would meet a factor 0.

The derivatives of x**y are y*x**(y - 1) and log(x)*x**y. Where x or y is 0, these read as 0*inf, and a
computer says nan; the table's stable forms say 0, which tracing computes. So the products are evaluated in
that form, while they are written as in a book.
"""

from __future__ import annotations

from collections.abc import Sequence

import sympy

from diffkit.expressions import NAMES, Expression, post_order, rebuild
from diffkit.expressions.operations import MINUS_ONE, ONE


def stable_at_zero(roots: Sequence[Expression]) -> list[Expression]:
    """The expressions with these products in the form that has a value at 0.

    >>> from diffkit.expressions import intern
    >>> x, y = sympy.symbols("x y")
    >>> stable_at_zero([intern(x**y * sympy.log(x)), intern(sympy.log(x) * y)])
    [x**y*log(Piecewise((1, Eq(x, 0)), (x, True))), y*log(x)]
    """
    order = post_order(*roots)
    open_powers = _open_powers(order)
    if not open_powers:
        return list(roots)
    new: dict[int, Expression] = {}
    for node in order:
        args = [new[id(a)] for a in node._args]
        if node.is_Mul:
            args = [_stable(f, a, node._args, open_powers) for f, a in zip(node._args, args, strict=True)]
        new[id(node)] = rebuild(node, args) if args else node
    return [new[id(root)] for root in roots]


def _open_powers(order: Sequence[Expression]) -> set[int]:
    """The ids of the powers whose base may be 0 and whose exponent varies; operands come first in the order.

    SymPy's own ``is_number`` and ``is_nonzero`` are not asked of anything but a symbol: they walk an
    expression as its tree, which has 2**n nodes where the shared one has n.
    """
    varying: set[int] = set()
    for node in order:
        if node.is_Symbol or any(id(a) in varying for a in node._args):
            varying.add(id(node))
    return {id(node) for node in order if node.is_Pow and all(id(a) in varying for a in node._args)}


def _stable(
    factor: Expression, now: Expression, factors: Sequence[Expression], open_powers: set[int]
) -> Expression:
    """A factor of a product, in the form that has a value at 0 if the others make the product 0 there."""
    if type(factor) is sympy.log:
        x = factor._args[0]
        is_base = any(id(f) in open_powers and f._args[0] is x for f in factors)
        if is_base and not (x.is_Symbol and x.is_nonzero):
            y = now._args[0]
            return NAMES["log"](NAMES["where"](y, y, ONE))
    elif id(factor) in open_powers:
        terms = factor._args[1]
        y = terms._args[1 - terms._args.index(MINUS_ONE)] if _is_one_less(terms) else None
        if y is not None and any(f is y for f in factors):
            less = now._args[1]
            return NAMES["lowered"](now._args[0], less._args[1 - less._args.index(MINUS_ONE)])
    return now


def _is_one_less(exponent: Expression) -> bool:
    return exponent.is_Add and len(exponent._args) == 2 and MINUS_ONE in exponent._args
