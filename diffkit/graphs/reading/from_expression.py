"""A SymPy expression as a graph: as the tree that it prints as, or as the DAG that it is.

A tree repeats a subexpression wherever it is used, so it shows expression swell; the shared DAG has
each subexpression once, as a trace has each value once.

>>> from sympy import Symbol, sin
>>> x = Symbol("x")
>>> tree, dag = (from_expression(sin(x) * (1 + sin(x)), view=v) for v in ("tree", "dag"))
>>> len(tree.nodes), len(dag.nodes)
(7, 5)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import sympy
from sympy.functions.elementary.piecewise import ExprCondPair
from sympy.printing.pretty.pretty_symbology import greek_unicode

from diffkit.autodiff.notation.row_texts import Math
from diffkit.autodiff.notation.symbols import split_name
from diffkit.errors import InputError
from diffkit.expressions import intern, post_order, tree_sizes
from diffkit.graphs.model import Edge, Graph, Label, Node

_LARGEST = 1000

_SIGNS: dict[Any, tuple[str, str]] = {
    sympy.Add: ("+", "+"),
    sympy.Mul: ("×", r"\times"),
    sympy.Pow: ("^", r"\wedge"),
    sympy.Max: ("max", r"\max"),
    sympy.Min: ("min", r"\min"),
    sympy.Abs: ("|·|", r"|\cdot|"),
    sympy.Eq: ("=", "="),
    sympy.Ne: ("≠", r"\ne"),
    sympy.Lt: ("<", "<"),
    sympy.Le: ("≤", r"\le"),
    sympy.Gt: (">", ">"),
    sympy.Ge: ("≥", r"\ge"),
    ExprCondPair: ("if", r"\text{if}"),
}

_OPERANDS = {"^": ("base", "exponent")}
"""What the arrows of a sign carry, to its operands in order; "left" and "right" those of other signs in which
the order matters. A layout is free to put the exponent before the base, and letters may be the user's own."""


def _symbol(name: str) -> str:
    """``β₁`` for beta_1."""
    parts = split_name(name)
    return parts._replace(base=greek_unicode.get(parts.base, parts.base)).text()


def _label(node: Any) -> Math:
    if not node.args:
        latex = sympy.latex(node)
        text = _symbol(str(node)) if node.is_Symbol else greek_unicode.get(str(node), str(node))
        return Math(text.replace("-", "−") if node.is_number else text, latex)
    sign = _SIGNS.get(node.func)
    if sign:
        return Math(*sign)
    name = node.func.__name__
    return Math(name, rf"\mathrm{{{name}}}".replace("_", r"\_"))


def from_expression(
    expr: Any, *, view: str = "dag", direction: str | None = None, force: bool = False
) -> Graph:
    """The graph of an expression, or of several.

    Args:
        expr: a SymPy expression, or a sequence of them, which share a DAG.
        view: "dag", the shared one; "tree"; or "both", the tree beside the DAG, with what the tree repeats in
            one colour.
        direction: "right" or "down", the default, as SymPy's own trees are drawn.
        force: draw more than 1,000 nodes.

    Raises:
        InputError: for what is no expression, or more nodes than can be read.
    """
    roots = [intern(e) for e in (expr if isinstance(expr, Sequence | sympy.Tuple) else [expr])]
    order = post_order(*roots)
    sizes = tree_sizes(order)
    parts = ("tree", "dag") if view == "both" else (view,)
    shared = parts == ("dag",)
    total = len(order) if shared else sum(sizes[id(r)] for r in roots)
    if total > _LARGEST and not (force and total <= 20 * _LARGEST):
        other = f"; as the shared DAG (view='dag') it has {len(order):,}" if not shared else ""
        insist = "" if total > 20 * _LARGEST else ", or insist with force=True"
        raise InputError(
            f"the {'DAG' if shared else 'tree'} has {_count(total)} nodes, more than anybody can read{other}"
            f"{'. Draw a part of it' if shared else ''}{insist}"
        )
    tips = {id(n): str(n) if sizes[id(n)] < 40 else "" for n in order}
    kinds = {"tree": "tree", "dag": "shared DAG"}
    nodes: list[Node] = []
    edges: list[Edge] = []
    groups = {}
    for part in parts:
        more, links = (_dag if part == "dag" else _tree)(roots, order, tips, len(nodes))
        if view == "both":
            name = f"{kinds[part]}: {len(more)} nodes"
            groups[name] = name
            more = [replace(n, group=name) for n in more]
        nodes, edges = nodes + more, edges + links
    if view == "both":
        again = repeated_parts(roots, order)
        inside = {id(n) for part in again for n in post_order(part) if n.args}
        marks = [*_repeated_in_tree(roots, set(map(id, again))), *(id(n) in inside for n in reversed(order))]
        nodes = [replace(n, repeated=mark) for n, mark in zip(nodes, marks, strict=True)]
    text = ", ".join(str(r) if sizes[id(r)] < 40 else "an expression" for r in roots)
    title = f"{text}, as a {' beside its '.join(kinds[part] for part in parts)}"
    look = "dag" if shared else "tree"
    return Graph(tuple(nodes), tuple(edges), title, look, direction or "down", groups)


def repeated_parts(roots: Sequence[Any], order: Sequence[Any]) -> list[Any]:
    """The subexpressions of several symbols that the tree has more than once, the largest first.

    Args:
        roots: interned expressions.
        order: all that is in them, operands first.
    """
    times = dict.fromkeys(map(id, order), 0)
    for r in roots:
        times[id(r)] += 1
    for node in reversed(order):
        for a in node.args:
            times[id(a)] += times[id(node)]
    return [n for n in reversed(order) if n.args and times[id(n)] > 1]


def _repeated_in_tree(roots: Sequence[Any], again: set[int]) -> Iterator[bool]:
    """Whether each node of the tree belongs to a part that is repeated; a node comes before its operands."""
    stack = [(r, False) for r in reversed(roots)]
    while stack:
        node, inside = stack.pop()
        inside = inside or id(node) in again
        yield inside
        stack += [(a, inside) for a in reversed(node.args)]


def _count(n: int) -> str:
    return f"{n:,}" if n < 10**9 else f"about 10^{len(str(n)) - 1}"


def _dag(
    roots: list[Any], order: list[Any], tips: dict[int, str], first: int
) -> tuple[list[Node], list[Edge]]:
    uses: dict[int, int] = {}
    for node in order:
        for a in node.args:
            uses[id(a)] = uses.get(id(a), 0) + 1
    top = {id(r) for r in roots}
    names = {id(node): f"n{k}" for k, node in enumerate(reversed(order), start=first)}
    nodes = []
    for node in reversed(order):
        count = uses.get(id(node), 0)
        nodes.append(_node(names[id(node)], node, id(node) in top, count if node.args else 0, tips[id(node)]))
    edges = [
        _edge(names[id(node)], names[id(a)], node, k)
        for node in reversed(order)
        for k, a in enumerate(node.args)
    ]
    return nodes, edges


def _tree(
    roots: list[Any], order: list[Any], tips: dict[int, str], first: int
) -> tuple[list[Node], list[Edge]]:
    nodes: list[Node] = []
    edges: list[Edge] = []
    stack: list[tuple[Any, str, Any, int]] = [(r, "", None, 0) for r in reversed(roots)]
    while stack:
        node, parent, above, k = stack.pop()
        name = f"n{first + len(nodes)}"
        nodes.append(_node(name, node, not parent, 0, tips[id(node)]))
        if parent:
            edges.append(_edge(parent, name, above, k))
        stack += [(a, name, node, k) for k, a in reversed(list(enumerate(node.args)))]
    return nodes, edges


def _edge(parent: str, name: str, node: Any, k: int) -> Edge:
    ordered = node.is_Pow or isinstance(node, sympy.Lt | sympy.Le | sympy.Gt | sympy.Ge)
    words = _OPERANDS.get(_SIGNS[node.func][0], ("left", "right")) if ordered else ()
    labels = (Label(Math(words[k], rf"\text{{{words[k]}}}"), "partial"),) if ordered else ()
    return Edge(parent, name, "flow", labels, key=f"{parent[1:]}.{k}")


def _node(name: str, node: Any, root: bool, uses: int, tip: str) -> Node:
    labels = [Label(_label(node), "formula")]
    if uses > 1:
        text = f"used {uses} times"
        labels.append(Label(Math(text, rf"\text{{{text}}}"), "note"))
    kind = (
        "output"
        if root and node.args
        else "operation"
        if node.args
        else "input"
        if node.is_Symbol
        else "leaf"
    )
    return Node(name, kind, tuple(labels), tip=tip)
