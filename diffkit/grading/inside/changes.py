"""What may have been meant in place of a statement, and of the expressions in it.

The first rank has slips (a sign, an operator, an axis, one variable for another); the second a factor
forgotten or a term; the third what is rarer.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any

from diffkit.grading.inside.expression_changes import Change, of_node, of_term
from diffkit.grading.inside.statements import Scope, Source, is_module


def changes(source: Source, statement: Any, scope: Scope) -> Iterator[Change]:
    of = source.of
    if isinstance(statement, ast.Assign | ast.AugAssign | ast.AnnAssign) and statement.value is not None:
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        target = of(targets[0])
        value = of(statement.value)
        if isinstance(statement, ast.AugAssign):
            op = {ast.Add: "-=", ast.Sub: "+=", ast.Mult: "/=", ast.Div: "*="}.get(type(statement.op))
            if op:
                yield statement, f"{target} {op} {value}", 1, "the operator"
            yield statement, f"{target} = {value}", 1, "assigned, not added"
            yield statement, "pass", 2, "this should not be done"
        elif isinstance(targets[0], ast.Tuple):
            names = targets[0].elts
            for i in range(len(names)):
                for j in range(i + 1, len(names)):
                    order = [*names]
                    order[i], order[j] = names[j], names[i]
                    yield targets[0], ", ".join(map(of, order)), 1, "another order"
        else:
            if isinstance(targets[0], ast.Subscript):
                yield statement, "pass", 2, "this should not be done"
            yield statement, f"{target} += {value}", 1, "added, not assigned"
            yield statement, f"{target} = {target} + ({value})", 1, "added, not assigned"
            yield statement, f"{target} = {target} - ({value})", 2, "subtracted, not assigned"
        for each in targets:
            yield from _subscripts(source, each, scope)
        yield from _renamed(statement, value, scope)
        yield from _expression(source, statement.value, scope, target)
        if isinstance(statement, ast.Assign) and not isinstance(targets[0], ast.Tuple):
            yield from _missing_terms(statement, value, target, scope)
    elif isinstance(statement, ast.Return | ast.Expr) and statement.value is not None:
        yield from _expression(source, statement.value, scope, "")
    elif isinstance(statement, ast.For):
        backwards = isinstance(statement.iter, ast.Call) and of(statement.iter.func) == "reversed"
        if not backwards:
            yield statement.iter, f"reversed({of(statement.iter)})", 1, "backwards"
        yield from _expression(source, statement.iter, scope, "")
    elif isinstance(statement, ast.If | ast.While):
        yield statement.test, f"not ({of(statement.test)})", 1, "the opposite condition"
        yield from _expression(source, statement.test, scope, "")


def _renamed(statement: Any, value: str, scope: Scope) -> Iterator[Change]:
    """One variable for another wherever it stands in the statement."""
    elements = [item for item in scope.items if item.endswith("]")]
    for name in [*sorted(scope.used), *elements]:
        pattern = rf"(?<![\w.]){re.escape(name)}(?!\w)"
        if len(re.findall(pattern, value)) > 1:
            for other in scope.names[:30] if name in elements else scope.like(name):
                text = re.sub(pattern, lambda _, other=other: other, value)  # type: ignore[misc]
                yield statement.value, text, 2, f"{other} in place of {name}"


def _missing_terms(statement: Any, value: str, target: str, scope: Scope) -> Iterator[Change]:
    for name in scope.beside(target):
        for sign in "+-":
            yield statement.value, f"({value}) {sign} {name}", 2, f"the term {name} is missing"
            for size in scope.numbers:
                for op in "/*":
                    term = f"{name} {op} {size}"
                    yield statement.value, f"({value}) {sign} {term}", 3, f"the term {term} is missing"


def _expression(source: Source, root: Any, scope: Scope, target: str) -> Iterator[Change]:
    for node, role in _nodes(root, "term"):
        yield from of_node(source, node, role, scope, target)
        if role == "term":
            yield from of_term(source, node, scope, target)


def _subscripts(source: Source, target: Any, scope: Scope) -> Iterator[Change]:
    for node in ast.walk(target):
        if isinstance(node, ast.Subscript):
            for inner, _ in _nodes(node.slice, "index"):
                yield from of_node(source, inner, "index", scope)


def _nodes(node: Any, role: str) -> Iterator[tuple[Any, str]]:
    """The expressions in an expression. Role "term" is what may lack a factor: no factor itself."""
    yield node, role
    if isinstance(node, ast.BinOp):
        inner = "term" if isinstance(node.op, ast.Add | ast.Sub | ast.MatMult) else "factor"
        inner = inner if role != "index" else role
        yield from _nodes(node.left, inner)
        yield from _nodes(node.right, "exponent" if isinstance(node.op, ast.Pow) else inner)
    elif isinstance(node, ast.UnaryOp):
        yield from _nodes(node.operand, role if role == "index" else "factor")
    elif isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute) and not is_module(node.func.value):
            yield from _nodes(
                node.func.value, "term" if node.func.attr in ("sum", "mean", "dot") else "factor"
            )
        for argument in node.args:
            yield from _nodes(argument, "term" if role != "index" else role)
        for keyword in node.keywords:
            yield from _nodes(keyword.value, "index")
    elif isinstance(node, ast.Tuple | ast.List):
        for element in node.elts:
            yield from _nodes(element, role)
    elif isinstance(node, ast.Subscript):
        yield from _nodes(node.value, "factor")
        yield from _nodes(node.slice, "index")
    elif isinstance(node, ast.Slice):
        for bound in (node.lower, node.upper, node.step):
            if bound is not None:
                yield from _nodes(bound, "index")
    elif isinstance(node, ast.Attribute):
        if not is_module(node.value) and node.attr == "T":
            yield from _nodes(node.value, role if role == "term" else "factor")
    elif isinstance(node, ast.Compare):
        for operand in (node.left, *node.comparators):
            yield from _nodes(operand, "operand")
    elif isinstance(node, ast.IfExp):
        for each in (node.test, node.body, node.orelse):
            yield from _nodes(each, "term")
    elif isinstance(node, ast.Lambda):
        yield from _nodes(node.body, "term")
    elif isinstance(node, ast.GeneratorExp | ast.ListComp):
        yield from _nodes(node.elt, "term")
