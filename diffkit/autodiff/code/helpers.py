"""Functions of diffkit's own as text, so that emitted source runs where there is no diffkit.

Some rows call what neither NumPy nor SciPy has: ``scattered``, the decisions of rules. Each is a function
of plain values at the top of its module; it is written out without annotations, and so are those that it
calls.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Callable
from types import FunctionType, ModuleType
from typing import Any

from diffkit.autodiff.code.lines import docstring
from diffkit.autodiff.code.literals import literal
from diffkit.sites import belongs_to_diffkit


def is_helper(function: object) -> bool:
    """Whether a function can be written out: one of diffkit's, at the top of its module.

    >>> from diffkit.autodiff.rules.decisions import any_nan
    >>> is_helper(any_nan), is_helper(len), is_helper(lambda: 0)
    (True, False, False)
    """
    return (
        type(function) is FunctionType
        and belongs_to_diffkit(function.__code__)
        and getattr(sys.modules.get(function.__module__), function.__qualname__, None) is function
    )


def public_home(function: object) -> str | None:
    """The package that a function of NumPy or SciPy is to be had from under its own name.

    >>> import scipy.linalg
    >>> public_home(scipy.linalg.solve_triangular)
    'scipy.linalg'
    """
    name, parts = getattr(function, "__name__", ""), str(getattr(function, "__module__", "")).split(".")
    if parts[0] not in ("numpy", "scipy"):
        return None
    for count in range(1, len(parts) + 1):
        home = ".".join(parts[:count])
        if getattr(sys.modules.get(home), name, None) is function:
            return home
    return None


def definition(function: FunctionType, name: str, name_of: Callable[[FunctionType], str]) -> str:
    """The text of a function of ours.

    Args:
        function: one that :func:`is_helper`.
        name: what it is called in the text.
        name_of: gives the name of another such function, which the text will have as well.

    >>> from diffkit.autodiff.rules.decisions import any_nan
    >>> print(definition(any_nan, "any_nan", lambda f: f.__name__))
    def any_nan(a):
        \"\"\"Whether an element is NaN.\"\"\"
        return np.any(np.isnan(a))
    """
    tree = ast.parse(inspect.getsource(function)).body[0]
    assert isinstance(tree, ast.FunctionDef)
    _Bare({}).visit(tree)  # what annotations mention is not needed
    named: dict[str, ast.expr] = {function.__name__: ast.Name(name)}
    for used in {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}:
        value: Any = function.__globals__.get(used)
        if is_helper(value) and value is not function:
            named[used] = ast.Name(name_of(value))
        elif used in function.__globals__ and not isinstance(value, ModuleType | FunctionType):
            text = literal(value)
            if text is None:
                raise ValueError(f"{function.__qualname__} uses {used}, which can't be written out")
            named[used] = ast.parse(text, mode="eval").body
    imports = [ast.Import([ast.alias(module)]) for module in sorted(_modules(tree, function))]
    tree = _Bare(named).visit(tree)
    tree.name = name
    summary = ast.get_docstring(tree)
    tree.body[: int(summary is not None)] = imports
    signature, *body = ast.unparse(ast.fix_missing_locations(tree)).split("\n")
    return "\n".join([signature, *(docstring(summary.partition("\n")[0]) if summary else []), *body])


def _modules(tree: ast.FunctionDef, function: FunctionType) -> set[str]:
    """The modules that a function calls by their dotted names; NumPy and math are imported anyway."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            *modules, _ = ast.unparse(node).split(".")
            home = function.__globals__.get(modules[0])
            if isinstance(home, ModuleType) and modules[0] not in ("np", "math"):
                found.add(".".join(modules))
    return {m for m in found if m in sys.modules and not any(o.startswith(m + ".") for o in found)}


class _Bare(ast.NodeTransformer):
    """Takes annotations and decorators away, and puts in what names stand for."""

    def __init__(self, named: dict[str, ast.expr]) -> None:
        self.named = named

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns, node.decorator_list = None, []
        return self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        assert isinstance(node.target, ast.Name)
        value = node.value and self.visit(node.value)
        return value and ast.Assign(targets=[node.target], value=value, lineno=node.lineno)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return self.named.get(node.id, node)
