"""What the house weighs, and what holds it up: ``python tests/house.py``.

It prints loops among the imports, arrows that run up inside a room, file names that stand in several rooms,
how many parameters are of type Any, which public names say too little, and how many lines of code there are.
It fails on loops, on arrows that run up, and on public names without the docstring that the house asks for.

Imports count wherever they stand, in functions and under TYPE_CHECKING too. In a room (a package), its files
and folders are seen as one point each; an arrow runs up if what it points to leads back.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import io
import re
import sys
import tokenize
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "diffkit"
PUBLIC = ("diffkit", "diffkit.finite", "diffkit.symbolic", "diffkit.grading")

Arrows = dict[str, set[str]]


def imports() -> Arrows:
    """The modules that each module of the package imports, anywhere in it."""
    import grimp  # comes with import-linter, in the extra "lint"; what else stands here needs none

    graph = grimp.build_graph("diffkit", exclude_type_checking_imports=False, cache_dir=None)
    return {module: set(graph.find_modules_directly_imported_by(module)) for module in graph.modules}


def reached(arrows: Arrows, start: str) -> set[str]:
    """All that can be reached from a point, itself only if a loop leads back to it."""
    seen: set[str] = set()
    waiting = list(arrows.get(start, ()))
    while waiting:
        here = waiting.pop()
        if here not in seen:
            seen.add(here)
            waiting += arrows.get(here, ())
    return seen


def loops(arrows: Arrows) -> list[list[str]]:
    """The groups of points that lead to one another."""
    downs = {point: reached(arrows, point) for point in arrows}
    groups = {frozenset(b for b in down if a in downs.get(b, ())) for a, down in downs.items() if a in down}
    return sorted(sorted(group) for group in groups)


def rooms(arrows: Arrows) -> dict[str, Arrows]:
    """By package: the arrows between its files and folders, each folder seen as one point."""
    packages = {module.rpartition(".")[0] for module in arrows} - {""}
    inside: dict[str, Arrows] = {}
    for room in sorted(packages):
        seen: Arrows = defaultdict(set)
        for module, imported in arrows.items():
            for other in imported:
                a, b = _child(room, module), _child(room, other)
                if a and b and a != b:
                    seen[a].add(b)
        inside[room] = dict(seen)
    return inside


def running_up(inside: Arrows) -> list[tuple[str, str]]:
    """Of the arrows in a room, those to what leads back."""
    return sorted((a, b) for a, to in inside.items() for b in to if a in reached(inside, b))


def _child(room: str, module: str) -> str | None:
    """The file or folder of a room that a module lies in; the room's own ``__init__`` is none of them."""
    return module[len(room) + 1 :].partition(".")[0] if module.startswith(room + ".") else None


def sources() -> dict[Path, str]:
    return {file: file.read_text(encoding="utf-8") for file in sorted(PACKAGE.rglob("*.py"))}


def shared_names(files: dict[Path, str]) -> dict[str, list[str]]:
    """File names that stand in more than one of the package's rooms."""
    places = defaultdict(set)
    for file in files:
        parts = file.relative_to(PACKAGE).parts
        if file.stem not in ("__init__", "__main__"):
            places[file.stem].add(parts[0] if len(parts) > 1 else "diffkit")
    return {name: sorted(found) for name, found in sorted(places.items()) if len(found) > 1}


def code_lines(text: str) -> int:
    """Lines that hold code: without blank lines, comments and docstrings."""
    tree = ast.parse(text)
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings: set[int] = set()
    for node in ast.walk(tree):
        for statement in getattr(node, "body", ()) if isinstance(node, documented) else ():
            if isinstance(statement, ast.Expr) and isinstance(getattr(statement.value, "value", None), str):
                docstrings |= set(range(statement.lineno, (statement.end_lineno or 0) + 1))
    silent = (
        tokenize.COMMENT,
        tokenize.NL,
        tokenize.NEWLINE,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.ENDMARKER,
    )
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in silent:
            lines |= set(range(token.start[0], token.end[0] + 1))
    return len(lines - docstrings)


def any_share(texts: list[str]) -> tuple[int, int]:
    """How many parameters are of type Any, and how many there are (``self`` and ``cls`` apart)."""
    of_any = count = 0
    for text in texts:
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
                annotations = [ast.unparse(a.annotation) for a in given if a.annotation is not None]
                count += len(annotations)
                of_any += annotations.count("Any")
    return of_any, count


def public_names() -> Iterator[tuple[str, Any]]:
    """The public functions and classes, each once, with the name that a user writes."""
    seen: set[int] = set()
    for room in PUBLIC:
        module = importlib.import_module(room)
        for name in module.__all__:
            value = getattr(module, name)
            if (inspect.isfunction(value) or inspect.isclass(value)) and id(value) not in seen:
                seen.add(id(value))
                yield f"{room.replace('diffkit', 'dk', 1)}.{name}", value


def what_is_missing(value: Any) -> list[str]:
    """What the docstring of a public name does not say, of what the house asks for."""
    text = inspect.getdoc(value) or ""
    missing = [] if re.search(r"^\s*>>> ", text, re.M) else ["an example that runs"]
    if inspect.isclass(value):
        if not issubclass(value, Exception) and not re.search(r"^(Args|Attributes):", text, re.M):
            missing.append("Args or Attributes")
        return missing if not issubclass(value, Exception) else ([] if text else ["a docstring"])
    parameters = [p for p in inspect.signature(value).parameters if p not in ("self", "cls")]
    if parameters and not re.search(r"^(Args):", text, re.M):
        missing.append("Args")
    else:
        told = {
            name.strip(" *")
            for names in re.findall(r"^    ([\w*, ]+):", text, re.M)
            for name in names.split(",")
        }
        missing += [f"Args of {name}" for name in parameters if name not in told]
    nothing = inspect.signature(value).return_annotation in ("None", None)
    if not nothing and not re.search(r"^(Returns|Yields):", text, re.M):
        missing.append("Returns")
    if parameters and not re.search(r"^Raises:", text, re.M):
        missing.append("Raises")
    return missing


def main() -> int:
    arrows, files = imports(), sources()
    failures = 0

    found = loops(arrows)
    print(f"loops of imports: {len(found)}")
    for loop in found:
        print("   ", " <-> ".join(module.removeprefix("diffkit.") for module in loop))
    failures += len(found)

    print(f"{'room':24} {'seen':>5} {'arrows':>7} {'run up':>7}")
    for room, inside in rooms(arrows).items():
        points = set(inside) | {b for to in inside.values() for b in to}
        up = running_up(inside)
        failures += len(up)
        print(f"{room:24} {len(points):5} {sum(map(len, inside.values())):7} {len(up):7}")
        for a, b in up:
            print(f"    {a} -> {b}")

    shared = shared_names(files)
    print(f"file names in several rooms: {len(shared)}")
    for name, places in shared.items():
        print(f"    {name}: {', '.join(places)}")

    by_room = defaultdict(list)
    for file, text in files.items():
        by_room[(*file.relative_to(PACKAGE).parts[:-1], "diffkit")[0]].append(text)
    print(f"{'room':24} {'code lines':>10} {'of type Any':>14}")
    for room, texts in [*by_room.items(), ("all", list(files.values()))]:
        of_any, count = any_share(texts)
        share = f"{of_any} of {count}"
        print(f"{room:24} {sum(map(code_lines, texts)):10} {share:>14}")

    names = list(public_names())
    silent = {name: missing for name, value in names if (missing := what_is_missing(value))}
    print(f"public names: {len(names)}, that say too little: {len(silent)}")
    for name, missing in silent.items():
        print(f"    {name}: {', '.join(missing)}")
    failures += len(silent)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
