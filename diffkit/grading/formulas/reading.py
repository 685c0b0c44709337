"""A student's formula from text: a tree of known names and operators, which is never run.

>>> import ast
>>> ast.unparse(read("2x·cos(x²)", ["x"]))
'2 * x * cos(x ** 2)'
>>> read("__import__('os')", ["x"])
Traceback (most recent call last):
    ...
diffkit.errors.InputError: '__import__' is no name of this exercise; its variables are x
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from diffkit.errors import InputError

LONGEST = 1000
"""Characters that a formula may have."""

DEEPEST = 60
"""How deep it may nest."""

CONSTANTS = ("pi", "e", "E")

FUNCTIONS = {
    **{name: name for name in "sin cos tan cot sec csc sinh cosh tanh exp log sqrt cbrt sign".split()},
    **{name: name for name in "asin acos atan asinh acosh atanh log2 log10".split()},
    **{f"arc{name}": f"a{name}" for name in "sin cos tan sinh cosh tanh".split()},
    "ln": "log",
    "abs": "Abs",
    "Abs": "Abs",
    "absolute": "Abs",
}
"""The functions by the names that students write, with SymPy's name (or the reader's)."""

_PARTS = (ast.Constant, ast.Name, ast.Load, ast.UnaryOp, ast.BinOp, ast.Call, ast.unaryop, ast.operator)
_SIGNS = {"−": "-", "–": "-", "·": "*", "×": "*", "⋅": "*", "÷": "/", "^": "**", "π": " pi ", "√": "sqrt"}
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
_TOKEN = re.compile(r"\s*(\d+\.?\d*(?:[eE][-+]?\d+(?!\w))?|\.\d+|[^\W\d]\w*|\*\*|[-+*/()])")
_PREFIX = re.compile(r"\b(?:np|numpy|sp|sympy|math)\s*\.\s*")


def read(text: str, names: Sequence[str], longest: int = LONGEST, deepest: int = DEEPEST) -> ast.expr:
    """The tree of a formula: numbers, ``names``, constants, functions of one argument, and ``+ - * / **``.

    ``^``, ``2x``, ``x sin(x)``, ``(x+1)(x-1)``, ``e^x``, ``ln``, ``x²``, ``np.sin`` and a left side such as
    ``f'(x) =`` are read as they are meant. ``1/2x`` is read from the left, as ``(1/2)·x``.

    Args:
        text: what the student wrote.
        names: the variables.
        longest: how many characters it may have.
        deepest: how deep it may nest.

    Raises:
        InputError: for what is no such formula, with the part that isn't.
    """
    if not isinstance(text, str):
        raise InputError(f'a formula is a text, as "2x", not {text!r}')
    if len(text) > longest:
        raise InputError(f"a formula of {len(text):,} characters; at most {longest:,} are read")
    left, equals, right = text.partition("=")
    body = right if equals and re.fullmatch(r"[\w'’/() ]{1,30}", left) else text
    body = _PREFIX.sub("", body)
    body = re.sub(r"[⁰¹²³⁴⁵⁶⁷⁸⁹]+", lambda m: f"**{m[0].translate(_RAISED)}", body)
    for sign, meant in _SIGNS.items():
        body = body.replace(sign, meant)
    plain = _multiplied(_tokens(body, names), names)
    try:
        tree = ast.parse(plain, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise InputError(
            f"{text.strip()!r} can't be read as a formula: look at its brackets and operators"
        ) from None
    _checked(tree, deepest)
    return tree


def _tokens(text: str, names: Sequence[str]) -> list[str]:
    known = sorted({*names, *CONSTANTS, *FUNCTIONS}, key=len, reverse=True)
    several = re.compile("|".join(map(re.escape, known)))
    tokens: list[str] = []
    place, text = 0, text.rstrip()
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise InputError(f'"{text[place:].lstrip()[0]}" has no place in a formula')
        place, token = match.end(), match[1]
        if not (token[0].isalpha() or token[0] == "_") or token in known:
            tokens.append(token)
            continue
        parts = several.findall(token)  # xsin is x·sin
        if "".join(parts) != token:
            raise InputError(f"{token!r} is no name of this exercise; its variables are {', '.join(names)}")
        tokens += parts
    return tokens


def _multiplied(tokens: list[str], names: Sequence[str]) -> str:
    """The tokens with the products written that are only meant, functions under one name each."""
    written: list[str] = []
    before = ""
    for token in tokens:
        function = before in FUNCTIONS and before not in names
        if function and token != "(":
            raise InputError(f"write {before}(...), with brackets around what it is taken of")
        ends = before != "" and (before[0].isalnum() or before[0] in "._)") and not function
        if ends and (token == "(" or token[0].isalnum() or token[0] in "._"):
            written.append("*")
        written.append(FUNCTIONS[token] if token in FUNCTIONS and token not in names else token)
        before = token
    if before in FUNCTIONS and before not in names:
        raise InputError(f"write {before}(...), with brackets around what it is taken of")
    return " ".join(written)


def _checked(tree: ast.expr, deepest: int) -> None:
    level: list[ast.AST] = [tree]
    for _ in range(deepest):
        for node in level:
            if not isinstance(node, _PARTS) or (isinstance(node, ast.Call) and len(node.args) != 1):
                raise InputError("a formula has numbers, variables, + - * / ^ and functions of one argument")
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        if not level:
            return
    raise InputError(f"a formula that nests deeper than {deepest} levels")
