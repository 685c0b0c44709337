"""The grammar of the calculus table's texts, and what is done with a text.

A text, ``"-x / ans"``, is a small part of Python: names, numbers, ``pi``, the operators ``+ - * / **`` and
calls (`diffkit.calculus` says of which functions). Here it is chained with a factor, its names are replaced,
its constant parts are computed, and it is made a Python function, whatever its names are to mean: NumPy's
functions, mpmath's, or those that build SymPy expressions.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

ARITHMETIC: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
"""What the operators with two operands do."""


def chain(factor: str, partial: str) -> str:
    """``factor`` times ``partial``, without the multiplications by 1 and the double fractions.

    >>> chain("g", "1"), chain("g", "-1"), chain("g", "1 / x"), chain("g", "y")
    ('g', '-g', 'g / x', 'g * y')
    """
    return ast.unparse(_times(ast.parse(factor, mode="eval").body, ast.parse(partial, mode="eval").body))


def _times(factor: ast.expr, partial: ast.expr) -> ast.expr:
    match partial:
        case ast.Constant(value=1):
            return factor
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return ast.UnaryOp(ast.USub(), _times(factor, inner))
        case ast.BinOp(left=numerator, op=ast.Div(), right=denominator):
            return ast.BinOp(_times(factor, numerator), ast.Div(), denominator)
    return ast.BinOp(factor, ast.Mult(), partial)


def rename(text: str, names: Mapping[str, str]) -> str:
    """The text with its names replaced, bracketed where that is needed: for labels.

    >>> rename("y * cos(x)", {"x": "x1 + x2", "y": "v3"})
    'v3 * cos(x1 + x2)'
    """
    trees = {name: ast.parse(new, mode="eval").body for name, new in names.items()}

    class Renamer(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.expr:
            return trees.get(node.id, node)

    return ast.unparse(Renamer().visit(ast.parse(text, mode="eval")))


_OPERATORS: dict[type[ast.AST], str] = {
    ast.Add: "add",
    ast.Sub: "subtract",
    ast.Mult: "multiply",
    ast.Div: "divide",
    ast.Pow: "power",
    ast.USub: "negative",
}


class _OperatorsAsCalls(ast.NodeTransformer):
    """Writes ``x * y`` as ``multiply(x, y)`` and ``2`` as ``number(2)``, for readers with no operators."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        return _call(_OPERATORS[type(node.op)], node.left, node.right)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        self.generic_visit(node)
        return _call(_OPERATORS[type(node.op)], node.operand)

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        return _call("number", node)


def _call(name: str, *arguments: ast.expr) -> ast.Call:
    return ast.Call(ast.Name(name, ast.Load()), list(arguments), [])


def compile_text(
    text: str,
    parameters: Sequence[str],
    names: Mapping[str, Any],
    *,
    operators: bool = True,
) -> Callable[..., Any]:
    """A text of the table as a Python function of ``parameters``.

    Args:
        text: an expression in the table's grammar.
        parameters: the names that are bound at the call, in order.
        names: what the other names mean: ``{"cos": numpy.cos, ...}``.
        operators: whether ``+ - * / **`` stay Python's operators. If not, they become calls of
            ``names["add"]``, ``["subtract"]``, ``["multiply"]``, ``["divide"]``, ``["power"]``,
            ``["negative"]``, and each number a call of ``names["number"]``: the SymPy reading.

    >>> import math
    >>> compile_text("y * cos(x)", ["x", "y"], {"cos": math.cos})(0.0, 3.0)
    3.0
    """
    body: ast.expr = ast.parse(text, mode="eval").body
    if not operators:
        body = _OperatorsAsCalls().visit(body)
    arguments = ast.arguments(
        posonlyargs=[], args=[ast.arg(p) for p in parameters], kwonlyargs=[], kw_defaults=[], defaults=[]
    )
    function = ast.fix_missing_locations(ast.Expression(ast.Lambda(arguments, body)))
    compiled: Callable[..., Any] = eval(compile(function, f"<calculus: {text}>", "eval"), dict(names))
    return compiled


class _Folder(ast.NodeTransformer):
    """Computes what has only numbers in it."""

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        constant = isinstance(node, ast.Call | ast.BinOp | ast.UnaryOp) and not any(
            isinstance(part, ast.Name) and not hasattr(math, part.id) for part in ast.walk(node)
        )
        return ast.Constant(eval(ast.unparse(node), dict(vars(math)))) if constant else node


@cache
def folded(text: str) -> str:
    """The text with its constant parts as numbers.

    For arrays that matters: NumPy's sqrt(2) is a scalar of double precision, which makes an array of
    single precision double; Python's number leaves it as it is.

    >>> folded("exp(-x**2 / 2) / sqrt(2 * pi)")
    'exp(-x ** 2 / 2) / 2.5066282746310002'
    """
    return ast.unparse(_Folder().visit(ast.parse(text, mode="eval")))


@cache
def functions_in(text: str) -> frozenset[str]:
    """The names of the functions that a text calls.

    >>> sorted(functions_in("2 / sqrt(pi) * exp(-x**2)"))
    ['exp', 'sqrt']
    """
    calls = (node for node in ast.walk(ast.parse(text, mode="eval")) if isinstance(node, ast.Call))
    return frozenset(ast.unparse(call.func) for call in calls)
