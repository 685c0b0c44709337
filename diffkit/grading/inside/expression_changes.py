"""What may have been meant in place of an expression: each change with its rank, and what it is in words."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import Any

from diffkit.grading.inside.statements import Scope, Source, is_module

Change = tuple[ast.AST, str, int, str]
"""A node, what stands in its place, the rank, and what the change is, in words."""

FUNCTIONS = (
    {"sum", "mean"},
    {"sum", "cumsum"},
    {"max", "min"},
    {"maximum", "minimum"},
    {"exp", "log"},
    {"sin", "cos"},
    {"sinh", "cosh", "tanh"},
    {"zeros_like", "ones_like"},
    {"zeros", "ones"},
    {"argmax", "argmin"},
    {"sqrt", "square"},
    {"hstack", "vstack"},
)
UNARY = {
    "exp",
    "log",
    "sqrt",
    "square",
    "tanh",
    "abs",
    "sign",
    "mean",
    "sum",
    "negative",
    "transpose",
    "copy",
}
SWAPPED: dict[type[ast.operator], tuple[str, ...]] = {
    ast.Mult: ("/",),
    ast.Div: ("*",),
    ast.Add: ("-",),
    ast.Sub: ("+",),
    ast.FloorDiv: ("/",),
}
COMPARED: dict[type[ast.cmpop], tuple[str, ...]] = {
    ast.Gt: ("<", ">="),
    ast.Lt: (">", "<="),
    ast.GtE: (">", "<="),
    ast.LtE: ("<", ">="),
    ast.Eq: ("!=",),
    ast.NotEq: ("==",),
}


def of_node(source: Source, node: Any, role: str, scope: Scope, target: str = "") -> Iterator[Change]:
    """The changes of an expression as a whole, by its kind and its place: in a sum, a product, an index."""
    of = source.of
    if isinstance(node, ast.BinOp):
        yield from _of_operation(source, node)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield node, f"({of(node.operand)})", 1, "without the minus"
    elif isinstance(node, ast.Call):
        yield from _of_call(source, node)
        head = of(node.func)
        for other in sorted(scope.callees - {head}) if head in scope.callees else ():
            given = of(node)[len(head) :]
            yield node, other + given, 1, f"{other} in place of {head}"
    elif isinstance(node, ast.Constant) and type(node.value) in (int, float):
        yield from _of_number(node, role)
    elif isinstance(node, ast.Constant) and node.value is None and role == "index":
        for value in ("0", "1"):
            yield node, value, 2, f"{value} in place of None"
    elif isinstance(node, ast.Name | ast.Attribute):
        yield from _of_name(source, node, role, scope)
    elif isinstance(node, ast.Tuple | ast.List):
        yield from _of_sequence(source, node, role)
    elif isinstance(node, ast.Compare) and len(node.ops) == 1:
        left, right = of(node.left), of(node.comparators[0])
        for symbol in COMPARED.get(type(node.ops[0]), ()):
            yield node, f"({left} {symbol} {right})", 1, f"{symbol} in the condition"
    elif isinstance(node, ast.Subscript):
        yield from _of_subscript(source, node)
        if role in ("term", "factor"):
            for other in [*scope.beside(target), *scope.items]:
                if other != of(node):
                    rank = 1 if other in scope.shapes else 2
                    yield node, other, rank, f"{other} in place of {of(node)}"
    if role in ("term", "factor") and isinstance(node, ast.Name | ast.Subscript | ast.Attribute | ast.Call):
        text = of(node)
        yield node, f"({text})[:, None]", 3, f"{text}[:, None]"
        yield node, f"({text})[None, :]", 3, f"{text}[None, :]"
    if isinstance(node, ast.Slice) and node.step is None and (node.lower is None) != (node.upper is None):
        bound = of(node.lower or node.upper)
        yield node, f":{bound}" if node.lower is not None else f"{bound}:", 1, "the other part of it"
    if role == "index" and isinstance(node, ast.Slice) and node.lower is None and node.upper is None:
        for n in [n for n in scope.shapes or scope.names if "." not in n][:12]:
            yield node, f"np.arange(len({n}))", 3, "each row's own, in place of :"


def _of_operation(source: Source, node: ast.BinOp) -> Iterator[Change]:
    of = source.of
    left, right = of(node.left), of(node.right)
    for op in SWAPPED.get(type(node.op), ()):
        yield node, f"(({left}) {op} ({right}))", 1, f"{op} in place of the operator"
    if isinstance(node.op, ast.Mult | ast.Div | ast.Add | ast.Sub):
        yield node, f"({left})", 1, f"without {right}"
        yield node, f"({right})", 1, f"without {left}"
        yield node, f"(-({right}))", 2, f"-{right} alone"
    if isinstance(node.op, ast.Div | ast.Sub | ast.Pow):
        yield node, f"(({right}) {_symbol(node.op)} ({left}))", 1, "exchanged"
    if isinstance(node.op, ast.Div):
        yield node, f"(({left}) / ({right}) ** 2)", 1, f"divided by ({right})**2"
    if isinstance(node.op, ast.Add | ast.Sub):
        yield node, f"(({left}) * ({right}))", 2, "multiplied"
    if isinstance(node.op, ast.Mult):
        yield from _regrouped(source, node)
        yield node, f"(({left}) + ({right}))", 2, "added"
        yield node, f"(({left}) - ({right}))", 2, "subtracted"
        yield node, f"(({left}) @ ({right}))", 2, "a matrix product"
    if isinstance(node.op, ast.MatMult):
        yield node, f"(({left}) * ({right}))", 2, "entry by entry"
        products = [f"({left}).T @ ({right})", f"({left}) @ ({right}).T", f"({right}) @ ({left})"]
        products += [f"({right}).T @ ({left})", f"({right}) @ ({left}).T"]
        for product in products:
            yield node, f"({product})", 1, f"{product.replace('(', '').replace(')', '')}"
    if isinstance(node.op, ast.Pow):
        yield node, f"({left})", 1, f"without the power {right}"
        inner = node.left
        if isinstance(inner, ast.BinOp) and isinstance(inner.op, ast.Add | ast.Sub):
            a, b, sign = of(inner.left), of(inner.right), _symbol(inner.op)
            yield node, f"(({a}) {sign} ({b}) ** {right})", 1, f"the power belongs to {b}"
            yield node, f"(({a}) ** {right} {sign} ({b}) ** {right})", 2, "the power belongs to each"


def _regrouped(source: Source, node: ast.BinOp) -> Iterator[Change]:
    """A factor after brackets that belongs into them: a * (1 - b) * c for a * (1 - b * c)."""
    of, before = source.of, ""
    inner: Any = node.left
    if isinstance(inner, ast.BinOp) and isinstance(inner.op, ast.Mult):
        inner, before = inner.right, f"({of(inner.left)}) * "
    if isinstance(inner, ast.BinOp) and isinstance(inner.op, ast.Add | ast.Sub):
        a, b, sign = of(inner.left), of(inner.right), _symbol(inner.op)
        yield node, f"({before}({a} {sign} {b} * {of(node.right)}))", 1, "the brackets reach further"


def _of_number(node: ast.Constant, role: str) -> Iterator[Change]:
    c: Any = node.value
    values = [c + 1, c - 1, -c]
    if role != "index":
        values += [2 * c, c / 2, *([1 / c] if c else []), 1 - c, c - 0.5, c + 0.5, -c - 1, 2 * c + 1]
    for value in values:
        place = " in an index" if role == "index" else ""
        yield node, f"({value!r})", 1, f"{value!r} in place of {c!r}{place}"
    if role == "index" and isinstance(c, int):
        yield node, "None", 2, "None in place of the number"


def _of_sequence(source: Source, node: ast.Tuple | ast.List, role: str) -> Iterator[Change]:
    texts = [source.of(e) for e in node.elts]
    brackets = ("", "") if role == "index" else ("[", "]") if isinstance(node, ast.List) else ("(", ")")
    for i in range(len(texts)):
        for j in range(i + 1, min(len(texts), i + 6)):
            order = [*texts]
            order[i], order[j] = texts[j], texts[i]
            yield node, ", ".join(order).join(brackets), 1, "another order"


def _of_subscript(source: Source, node: ast.Subscript) -> Iterator[Change]:
    of = source.of
    yield node, f"({of(node.value)})", 2, "the whole of it"
    dims = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    for step in (1, -1, 2, -2):
        moved = [_moved(source, d, step) for d in dims]
        if any(m != of(d) for m, d in zip(moved, dims, strict=True)):
            yield node, f"{of(node.value)}[{', '.join(moved)}]", 2, "another part of it"
    for k, d in enumerate(dims):
        if isinstance(d, ast.Slice) and d.step is not None:
            plain = [of(e) for e in dims]
            plain[k] = ":".join(of(b) if b is not None else "" for b in (d.lower, d.upper))
            yield node, f"{of(node.value)}[{', '.join(plain)}]", 2, "not turned round"
    plain = [":" if isinstance(d, ast.Slice) and d.step is not None else of(d) for d in dims]
    yield node, f"{of(node.value)}[{', '.join(plain)}]", 2, "not turned round"


def _moved(source: Source, node: Any, step: int) -> str:
    """A slice moved by a number of places."""
    if not isinstance(node, ast.Slice) or (node.lower is None and node.upper is None):
        return source.of(node)
    bounds = []
    for bound in (node.lower, node.upper):
        try:
            value = ast.literal_eval(bound) if bound is not None else 0
        except ValueError:
            return source.of(node)
        bounds.append(str(value + step) if value + step else "")
    return ":".join(bounds)


def _symbol(op: ast.operator) -> str:
    return {ast.Div: "/", ast.Sub: "-", ast.Add: "+", ast.Pow: "**"}[type(op)]


def _of_call(source: Source, node: Any) -> Iterator[Change]:
    of = source.of
    name = node.func.attr if isinstance(node.func, ast.Attribute) else of(node.func)
    of_module = isinstance(node.func, ast.Attribute) and is_module(node.func.value)
    method = isinstance(node.func, ast.Attribute) and not of_module
    arguments = [of(a) for a in node.args]
    keywords = [(k.arg, of(k.value)) for k in node.keywords if k.arg]
    head = of(node.func)

    def call(function: str, given: Sequence[str], named: Sequence[tuple[str, str]]) -> str:
        return f"{function}({', '.join([*given, *(f'{k}={v}' for k, v in named)])})"

    for family in FUNCTIONS:
        if name in family:
            for other in sorted(family - {name}):
                start = head[: len(head) - len(name)]
                yield node, call(start + other, arguments, keywords), 1, f"{other} in place of {name}"
    if name in UNARY:
        inner = of(node.func.value) if method else (arguments[0] if arguments else "")
        if inner:
            yield node, f"({inner})", 1, f"without {name}"
    reduces = name in ("sum", "mean", "max", "min", "prod", "var", "std")
    if reduces:
        given = dict(keywords)
        first = arguments[: 0 if method else 1]
        placed = len(arguments) > len(first)
        axis = arguments[len(first)] if placed else given.get("axis")
        kept = given.get("keepdims")
        for new in (None, "0", "1", "-1", "2", "(0, 1)"):
            for keep in (None, "True"):
                if (new, keep) != (axis, kept):
                    named: list[tuple[str, str]] = [("axis", new)] if new is not None else []
                    named += [("keepdims", keep)] if keep else []
                    rank = 1 if (new == axis) != (keep == kept) and new not in ("2", "(0, 1)") else 2
                    said = ", ".join(f"{k}={v}" for k, v in named) or "over all"
                    yield node, call(head, first, named), rank, said
    for k in range(len(arguments)):
        if len(arguments) > 1:
            rest = [a for j, a in enumerate(arguments) if j != k]
            yield node, call(head, rest, keywords), 1, f"without {arguments[k]}"
        for j in range(k + 1, len(arguments)):
            order = [*arguments]
            order[k], order[j] = arguments[j], arguments[k]
            yield node, call(head, order, keywords), 1, "arguments exchanged"
    if name == "range" and len(arguments) == 1:
        yield node, f"range(1, {arguments[0]})", 1, "from 1 on"
    if name == "reversed" and len(arguments) == 1:
        yield node, arguments[0], 1, "forwards"
    if name == "dot" and method and len(arguments) == 1:
        a, b = of(node.func.value), arguments[0]
        for product in (f"({a}).T.dot({b})", f"({a}).dot(({b}).T)", f"({b}).dot({a})", f"({b}).T.dot({a})"):
            yield node, product, 1, product.replace("(", "").replace(")", "")


def _of_name(source: Source, node: Any, role: str, scope: Scope) -> Iterator[Change]:
    text = source.of(node)
    if isinstance(node, ast.Attribute) and node.attr == "T":
        yield node, f"({source.of(node.value)})", 1, "not transposed"
    if is_module(node) or (isinstance(node, ast.Attribute) and is_module(node.value)):
        return
    others = scope.like(text)
    if role == "index":
        others = [n for n in others if scope.shapes.get(n, []) == []]
        for moved in ("+ 1", "- 1"):
            yield node, f"{text} {moved}", 1, f"{text} {moved}"
    if role != "index":
        for item in scope.items:
            yield node, item, 2, f"{item} in place of {text}"
    for name in others:
        yield node, name, 1, f"{name} in place of {text}"
    shaped = [n for n in scope.names if n not in others and n != text]
    for name in shaped if role != "index" else []:
        yield node, name, 3, f"{name} in place of {text}"
    if role in ("term", "factor"):
        yield node, f"({text} ** 2)", 2, f"{text}**2"
        yield node, f"({text}).T", 2, f"{text}.T"
        yield node, f"np.sqrt({text})", 2, f"the root of {text}"
        yield node, f"(1 - {text})", 2, f"1 - {text}"
        yield node, f"(1 - {text} ** 2)", 2, f"1 - {text}**2"
        yield node, f"({text} ** 3)", 3, f"{text}**3"
        yield node, f"np.exp({text})", 3, f"exp({text})"
        yield node, f"np.log({text})", 3, f"log({text})"
        yield node, f"np.tanh({text})", 3, f"tanh({text})"
        yield node, f"({text} > 0)", 3, f"{text} > 0"
        for name in scope.beside(text):
            yield node, f"({text} - {name})", 3, f"{text} less {name}"
            yield node, f"({text} + {name})", 3, f"{text} and {name}"


def of_term(source: Source, node: Any, scope: Scope, target: str) -> Iterator[Change]:
    text = source.of(node)
    yield node, f"(-({text}))", 1, "a minus before it"
    for factor in ("* 2", "/ 2"):
        yield node, f"(({text}) {factor})", 1, f"{factor.replace(' ', '')}"
    for function in ("sqrt", "exp", "log", "tanh", "abs", "sign"):
        yield node, f"np.{function}({text})", 3, f"{function} of it"
    for size in scope.numbers:
        yield node, f"(({text}) / np.sqrt({size}))", 3, f"divided by np.sqrt({size})"
    for name in scope.beside(text if text in scope.shapes else target):
        products = [f"* {name}", f"/ {name}"]
        forms = [f"* (1 - {name})", f"* (1 - {name} ** 2)", f"/ {name} ** 2", f"* {name} ** 2"]
        forms += [f"* {name} * (1 - {name})", f"* ({name} > 0)", f"* (1 + {name})", f"* np.exp({name})"]
        for form in products + forms:
            said = form.replace("* ", "times ", 1).replace("/ ", "divided by ", 1)
            yield node, f"(({text}) {form})", 2 if name in scope.used or form in products else 3, said
    for item in [*scope.items, *scope.elements]:
        if item not in scope.used:
            yield node, f"(({text}) * {item})", 2, f"times {item}"
    for name in list(scope.names)[:8]:
        sizes = [f"len({name})"] + [f"{name}.shape[{k}]" for k in range(1, len(scope.shapes.get(name, [])))]
        for size in sizes if scope.shapes.get(name) else []:
            yield node, f"(({text}) / {size})", 3, f"divided by {size}"
            yield node, f"(({text}) * {size})", 3, f"times {size}"
    for wrap in ("axis=0", "axis=1", "axis=0, keepdims=True", "axis=1, keepdims=True"):
        yield node, f"np.sum({text}, {wrap})", 2, f"summed with {wrap}"
        yield node, f"np.mean({text}, {wrap})", 3, f"the mean with {wrap}"
    yield node, f"np.sum({text})", 3, "summed"
    yield node, f"(1 / ({text}))", 3, "one over it"
    yield node, f"(({text}) ** 2)", 3, "squared"
    if not isinstance(node, ast.Name):
        yield node, f"({text}).T", 2, "transposed"
