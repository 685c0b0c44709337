"""Small changes of single statements: what a student may have meant in place of what stands there.

It reads code and runs none, in the process with limits that parses what students hand in
(:mod:`diffkit.grading.inside.opening`). Each change touches one statement and leaves all line breaks where
they are, so that line numbers stay. The first rank has slips (a sign, an operator, an axis, a transpose, one
variable for another); the second a factor forgotten or a term; the third what is rarer.

>>> found = edits(["def f(g, y):\\n    return g * y"], [[0, 2]], [], rank=1)["edits"]
>>> ("g / y" in [e["text"].replace("(", "").replace(")", "") for e in found], {e["line"] for e in found})
(True, {2})
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

Change = tuple[ast.AST, str, int, str]
"""A node, what stands in its place, the rank, and what the change is, in words."""

MOST = 700
"""Changes of one statement, of each rank."""

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


def edits(
    parts: Sequence[str], lines: Sequence[Sequence[int]], seen: Sequence[Sequence[Any]], rank: int
) -> dict[str, Any]:
    """The changes of the statements that stand in some lines.

    Args:
        parts: the texts of the submission: a script's, or those of a notebook's cells.
        lines: which lines were run, as [part, line].
        seen: what was seen of their variables: [part, line, name, shape].
        rank: of which rank the changes are.

    Returns:
        "statements", one for each that was run: [part, first line, last line, the name of the function,
        [variable, start, end] of what is assigned to one, first and last line of the top-level statement].
        "edits", each with the number of its "statement", its first "line", the place of the top-level
        statement ("part", "top", as first and last line), "start" and "end" of what is replaced, in bytes of
        the part, the "text" for it, its "rank", and "what" it is.
    """
    found: list[dict[str, Any]] = []
    statements: list[list[Any]] = []
    for number, text in enumerate(parts):
        wanted = {line for part, line in lines if part == number}
        source = _Source(text)
        for top in source.tree.body:
            for owner, statement in _statements(top, top):
                span = statement.lineno, _last_line(statement)
                if not wanted.intersection(range(span[0], span[1] + 1)):
                    continue
                name = getattr(owner, "name", "")
                statements.append([number, *span, name, source.assigned(statement), source.lines_of(top)])
                within = range(owner.lineno, owner.end_lineno + 1)
                shapes = {n: shape for part, at, n, shape in seen if part == number and at in within}
                scope = _Scope(owner, shapes)
                scope.items = sorted({source.of(n) for n in ast.walk(owner) if _is_item(n)})[:30]
                scope.used = {
                    source.of(n) for n in ast.walk(statement) if isinstance(n, ast.Name | ast.Attribute)
                }
                at = {"statement": len(statements) - 1, "line": span[0], "part": number}
                at["top"] = source.lines_of(top)
                found += [{**at, **change} for change in _of_statement(source, statement, scope, rank)]
    counts: Counter[int] = Counter()
    for each in found:  # the first of each statement come first, for when there are too many
        each["number"] = counts[each["statement"]]
        counts[each["statement"]] += 1
    return {"statements": statements, "edits": sorted(found, key=lambda each: int(each["number"]))}


def _is_item(node: Any) -> bool:
    return isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load)


class _Source:
    def __init__(self, text: str) -> None:
        self.text, self.tree = text, ast.parse(text)
        self.encoded = text.encode()
        self.starts = [0]
        for line in text.encode().splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line))

    def lines_of(self, node: Any) -> list[int]:
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
        return [first, node.end_lineno]

    def span(self, node: Any) -> tuple[int, int]:
        """Offsets in bytes."""
        return (
            self.starts[node.lineno - 1] + node.col_offset,
            self.starts[node.end_lineno - 1] + node.end_col_offset,
        )

    def assigned(self, statement: Any) -> list[Any] | None:
        """Of a plain assignment, the variable and where the value stands."""
        if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
            target = statement.targets[0]
            plain = isinstance(target, ast.Name) or (
                isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name)
            )
            return [self.of(target), *self.span(statement.value)] if plain else None
        return None

    def of(self, node: Any) -> str:
        start, end = self.span(node)
        return self.encoded[start:end].decode()


class _Scope:
    """What can be named in a function: its variables, and what they hold that was seen."""

    def __init__(self, owner: Any, shapes: dict[str, list[int]]) -> None:
        names: dict[str, None] = {}
        for node in ast.walk(owner):
            if isinstance(node, ast.arg) or (isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)):
                names[node.arg if isinstance(node, ast.arg) else node.id] = None
        for name in shapes:
            if "." in name and "[" not in name and name.split(".")[0] in names:
                names[name] = None
        names.pop("self", None)
        self.names = [n for n in names if n in shapes] if shapes else list(names)
        self.shapes = shapes
        self.used: set[str] = set()
        self.items: list[str] = []
        self.numbers = [n for n in self.names if shapes.get(n) == []][:6]

    def like(self, name: str) -> list[str]:
        """The other variables that could stand in a variable's place."""
        mine = self.shapes.get(name)
        return [n for n in self.names if n != name and (mine is None or self.shapes.get(n) == mine)]

    def beside(self, target: str) -> list[str]:
        """The variables that can be multiplied into a variable without making it larger."""
        mine = self.shapes.get(target)
        fitting = [n for n in self.names if mine is None or _fits(self.shapes.get(n), mine)]
        return sorted((n for n in fitting if n != target), key=lambda n: n not in self.used)


def _fits(shape: list[int] | None, whole: list[int]) -> bool:
    if shape is None:
        return True
    pairs = zip(reversed(shape), reversed(whole), strict=False)
    return len(shape) <= len(whole) + 1 and all(a == b or 1 in (a, b) for a, b in pairs)


def _last_line(statement: Any) -> int:
    """The last line of a statement, or of its header."""
    body = getattr(statement, "body", None)
    if isinstance(body, list) and body:
        return max(int(statement.lineno), int(body[0].lineno) - 1)
    return int(statement.end_lineno)


def _statements(node: Any, owner: Any) -> Iterator[tuple[Any, Any]]:
    """All statements below a top-level one, each with the function that it stands in."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        owner = node
    elif not isinstance(node, ast.ClassDef):
        yield owner, node
    for name in ("body", "orelse", "finalbody"):
        inner = getattr(node, name, None)
        for child in inner if isinstance(inner, list) else []:
            yield from _statements(child, owner)
    for handler in getattr(node, "handlers", []):
        for child in handler.body:
            yield from _statements(child, owner)


def _of_statement(source: _Source, statement: Any, scope: _Scope, wanted: int) -> Iterator[dict[str, Any]]:
    made: set[tuple[int, int, str]] = set()
    for node, text, rank, what in _changes(source, statement, scope):
        if rank != wanted or len(made) >= MOST:
            continue
        start, end = source.span(node)
        lost = source.encoded[start:end].count(b"\n")
        if "\n" in text:
            text = " ".join(text.split("\n"))
        if lost:  # line breaks stay, inside of brackets
            text = f"({text}" + "\n" * lost + ")"
        key = start, end, text
        if key in made:
            continue
        made.add(key)
        yield {"start": start, "end": end, "text": text, "rank": rank, "what": what}


def _changes(source: _Source, statement: Any, scope: _Scope) -> Iterator[Change]:
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
        yield from _expression(source, statement.value, scope, target)
        yield from _renamed(statement, value, scope)
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


def _renamed(statement: Any, value: str, scope: _Scope) -> Iterator[Change]:
    """One variable for another wherever it stands in the statement."""
    for name in sorted(scope.used):
        pattern = rf"(?<![\w.]){re.escape(name)}(?!\w)"
        if len(re.findall(pattern, value)) > 1:
            for other in scope.like(name):
                text = re.sub(pattern, lambda _, other=other: other, value)  # type: ignore[misc]
                yield statement.value, text, 2, f"{other} in place of {name}"


def _missing_terms(statement: Any, value: str, target: str, scope: _Scope) -> Iterator[Change]:
    for name in scope.beside(target):
        for sign in "+-":
            yield statement.value, f"({value}) {sign} {name}", 2, f"the term {name} is missing"
            for size in scope.numbers:
                for op in "/*":
                    term = f"{name} {op} {size}"
                    yield statement.value, f"({value}) {sign} {term}", 3, f"the term {term} is missing"


def _expression(source: _Source, root: Any, scope: _Scope, target: str) -> Iterator[Change]:
    for node, role in _nodes(root, "term"):
        yield from _of_node(source, node, role, scope)
        if role == "term":
            yield from _of_term(source, node, scope, target)


def _subscripts(source: _Source, target: Any, scope: _Scope) -> Iterator[Change]:
    for node in ast.walk(target):
        if isinstance(node, ast.Subscript):
            for inner, _ in _nodes(node.slice, "index"):
                yield from _of_node(source, inner, "index", scope)


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
        if isinstance(node.func, ast.Attribute) and not _is_module(node.func.value):
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
        if not _is_module(node.value) and node.attr == "T":
            yield from _nodes(node.value, "factor")
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


def _is_module(node: Any) -> bool:
    return isinstance(node, ast.Name) and node.id in ("np", "numpy", "math")


def _of_node(source: _Source, node: Any, role: str, scope: _Scope) -> Iterator[Change]:
    of = source.of
    if isinstance(node, ast.BinOp):
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
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield node, f"({of(node.operand)})", 1, "without the minus"
    elif isinstance(node, ast.Call):
        yield from _of_call(source, node)
    elif isinstance(node, ast.Constant) and type(node.value) in (int, float):
        c: Any = node.value
        values = [c + 1, c - 1, -c]
        if role != "index":
            values += [2 * c, c / 2, *([1 / c] if c else []), 1 - c, c - 0.5, c + 0.5, -c - 1, 2 * c + 1]
        for value in values:
            place = " in an index" if role == "index" else ""
            yield node, f"({value!r})", 1, f"{value!r} in place of {c!r}{place}"
        if role == "index" and isinstance(c, int):
            yield node, "None", 2, "None in place of the number"
    elif isinstance(node, ast.Constant) and node.value is None and role == "index":
        for value in ("0", "1"):
            yield node, value, 2, f"{value} in place of None"
    elif isinstance(node, ast.Name | ast.Attribute):
        yield from _of_name(source, node, role, scope)
    elif isinstance(node, ast.Tuple | ast.List):
        texts = [of(e) for e in node.elts]
        brackets = "[]" if isinstance(node, ast.List) else "()"
        for i in range(len(texts)):
            for j in range(i + 1, min(len(texts), i + 6)):
                order = [*texts]
                order[i], order[j] = texts[j], texts[i]
                yield (
                    node,
                    f"{brackets[0]}{', '.join(order)}{brackets[1]}" if role != "index" else ", ".join(order),
                    1,
                    "another order",
                )
    elif isinstance(node, ast.Compare) and len(node.ops) == 1:
        for symbol in COMPARED.get(type(node.ops[0]), ()):
            yield (
                node,
                f"({of(node.left)} {symbol} {of(node.comparators[0])})",
                1,
                f"{symbol} in the condition",
            )
    elif isinstance(node, ast.Subscript):
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


def _moved(source: _Source, node: Any, step: int) -> str:
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


def _of_call(source: _Source, node: Any) -> Iterator[Change]:
    of = source.of
    name = node.func.attr if isinstance(node.func, ast.Attribute) else of(node.func)
    of_module = isinstance(node.func, ast.Attribute) and _is_module(node.func.value)
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


def _of_name(source: _Source, node: Any, role: str, scope: _Scope) -> Iterator[Change]:
    text = source.of(node)
    if isinstance(node, ast.Attribute) and node.attr == "T":
        yield node, f"({source.of(node.value)})", 1, "not transposed"
    if _is_module(node) or (isinstance(node, ast.Attribute) and _is_module(node.value)):
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
        yield node, f"({text} > 0)", 3, f"{text} > 0"
        for name in scope.beside(text):
            yield node, f"({text} - {name})", 3, f"{text} less {name}"
            yield node, f"({text} + {name})", 3, f"{text} and {name}"


def _of_term(source: _Source, node: Any, scope: _Scope, target: str) -> Iterator[Change]:
    text = source.of(node)
    yield node, f"(-({text}))", 1, "a minus before it"
    for factor in ("* 2", "/ 2"):
        yield node, f"(({text}) {factor})", 1, f"{factor.replace(' ', '')}"
    for name in scope.beside(target):
        products = [f"* {name}", f"/ {name}"]
        forms = [f"* (1 - {name})", f"* (1 - {name} ** 2)", f"/ {name} ** 2", f"* {name} ** 2"]
        forms += [f"* {name} * (1 - {name})", f"* ({name} > 0)", f"* (1 + {name})", f"* np.exp({name})"]
        for form in products + forms:
            said = form.replace("* ", "times ", 1).replace("/ ", "divided by ", 1)
            yield node, f"(({text}) {form})", 2 if name in scope.used or form in products else 3, said
    for item in scope.items:
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
    for function in ("sqrt", "exp", "log", "tanh", "abs", "sign"):
        yield node, f"np.{function}({text})", 3, f"{function} of it"
    yield node, f"(1 / ({text}))", 3, "one over it"
    yield node, f"(({text}) ** 2)", 3, "squared"
    if not isinstance(node, ast.Name):
        yield node, f"({text}).T", 2, "transposed"
