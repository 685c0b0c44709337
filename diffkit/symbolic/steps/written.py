"""An expression as a person would write it, as text and in LaTeX."""

from __future__ import annotations

from collections import Counter
from typing import Any

import sympy
from sympy import S
from sympy.core.function import AppliedUndef
from sympy.printing.latex import LatexPrinter
from sympy.printing.str import StrPrinter

from diffkit.expressions import Expression, count_nodes, intern, post_order, power, product, rebuild, total
from diffkit.symbolic.swell.sizes import size

FAR = 2000  # nodes of a tree are counted so far
_WIDEST = 160  # characters of an expression that is shown; a longer one is described


def shown(expr: Expression, *, bracket: bool = False) -> str:
    """An expression as text, or the description of a long one."""
    if _too_wide(expr):
        return f"[{type(expr).__name__} of {_nodes(expr)}]"
    text = single_brackets(_Text().doprint(flat(_primed(intern(expr)))))
    is_power = expr.is_Pow and expr._args[1] is not S.Half
    return f"({text})" if bracket and (expr.is_Add or expr.is_Mul or is_power) else text


def single_brackets(text: str) -> str:
    """SymPy writes what is divided by a product as x/((2*y)); one pair of brackets says the same."""
    start = text.find("/((")
    while start >= 0:
        depth, ends = 0, []
        for k in range(start + 1, len(text)):
            depth += {"(": 1, ")": -1}.get(text[k], 0)
            if text[k] == ")" and depth < 2:
                ends.append(k)
            if depth == 0:
                break
        if len(ends) == 2 and ends[1] == ends[0] + 1:
            text = text[: start + 1] + text[start + 2 : ends[1]] + text[ends[1] + 1 :]
        start = text.find("/((", start + 1)
    return text


def _too_wide(expr: Expression) -> bool:
    return count_nodes(expr, _WIDEST) == _WIDEST or size(expr).characters > _WIDEST


def _nodes(expr: Expression) -> str:
    count = count_nodes(expr, FAR)
    return f"{count:,}{'+' if count == FAR else ''} nodes"


def in_latex(expr: Expression) -> str:
    if _too_wide(expr):
        return rf"[\text{{{_nodes(expr)}}}]"
    return str(_Latex().doprint(flat(_primed(intern(expr)))))


def _primed(expr: Expression) -> Expression:
    """f'(x**2) for the derivative of f at x**2, which SymPy writes as a Subs."""
    new: dict[int, Expression] = {}
    for node in post_order(expr):
        fresh = rebuild(node, [new[id(a)] for a in node._args]) if node._args else node
        if isinstance(node, sympy.Subs) and len(node.variables) == 1:
            body, (letter,) = node.expr, node.variables
            one = isinstance(body, sympy.Derivative) and isinstance(body.expr, AppliedUndef)
            if one and body.expr.args == (letter,) and body.variable_count[0][1].is_Integer:
                name = body.expr.func.__name__ + "'" * int(body.variable_count[0][1])
                fresh = rebuild(intern(sympy.Function(name)(letter)), [new[id(node._args[2]._args[0])]])
        new[id(node)] = fresh
    return new[id(expr)]


class _Text(StrPrinter):  # type: ignore[misc]
    """SymPy's printer, but 1/x**2 for x**(-2), and 2.0 for 2.00000000000000."""

    def _print_Pow(self, expr: Expression, rational: bool = False) -> str:
        base, exponent = expr._args
        if exponent.is_Integer and exponent.p < -1:
            return f"1/{self._print(rebuild(expr, [base, intern(-exponent)]))}"
        return str(super()._print_Pow(expr, rational))

    def _print_Float(self, expr: Expression) -> str:
        short = repr(float(expr))
        return short if expr._prec == 53 else str(super()._print_Float(expr))


class _Latex(LatexPrinter):  # type: ignore[misc]
    """SymPy's printer, which stumbles over the power of a Piecewise."""

    def _print_Piecewise(self, expr: Expression, exp: Any = None) -> str:
        cases = str(super()._print_Piecewise(expr))
        return cases if exp is None else rf"\left({cases}\right)^{{{exp}}}"


def flat(expr: Expression, *, sums: bool = False) -> Expression:
    """Products of products as one, and sums of sums if asked for, as a person would write them.

    SymPy would write -1*(2*x) as (-1) 2 x, and (u + v) + w with its brackets.
    """
    new: dict[int, Expression] = {}
    for node in post_order(expr):
        args = [new[id(a)] for a in node._args]
        if node.is_Mul:
            new[id(node)] = _one_product([f for a in args for f in (a._args if a.is_Mul else [a])])
        elif node.is_Pow and args[1] is S.NegativeOne and args[0].is_Pow and args[0]._args[1].is_Integer:
            base, exponent = args[0]._args
            new[id(node)] = power(base, intern(-exponent))
        elif node.is_Add and sums:
            new[id(node)] = total([t for a in args for t in (a._args if a.is_Add else [a])])
        else:
            new[id(node)] = rebuild(node, args) if args else node
    return new[id(expr)]


def _one_product(factors: list[Expression]) -> Expression:
    """With one sign, and what is divided by twice as a square below the line."""
    above = [f for f in factors if f is not S.NegativeOne and not _is_reciprocal(f)]
    if sum(f is S.NegativeOne for f in factors) % 2:
        first = next((k for k, f in enumerate(above) if f.is_Number), None)
        coefficient = S.One if first is None else above.pop(first)
        above.insert(0, intern(-coefficient))
    below = Counter(f._args[0] for f in factors if _is_reciprocal(f))
    return product([*above, *(power(base, intern(-count)) for base, count in below.items())])


def _is_reciprocal(factor: Expression) -> bool:
    return bool(factor.is_Pow and factor._args[1] is S.NegativeOne)
