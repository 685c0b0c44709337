"""Numbers as they are written on a command line: ``2``, ``1/3``, ``pi/4``, ``[0.5, -1]``."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable
from typing import Any

from diffkit.errors import InputError
from diffkit.grammar import ARITHMETIC

_CONSTANTS = {"pi": math.pi, "e": math.e, "tau": math.tau}
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    name: getattr(math, name) for name in ("sqrt", "exp", "log", "sin", "cos", "tan", "radians")
}
_UNARY: dict[type, Callable[[Any], Any]] = {ast.UAdd: operator.pos, ast.USub: operator.neg}


def read_value(text: str, what: str) -> Any:
    """A number, a list, tuple or dictionary of them, or a text in quotes; else the text as it is.

    Args:
        text: what was written; arithmetic with pi, e and tau, and sqrt, exp, log, sin, cos, tan, radians.
        what: names it in errors.

    Raises:
        InputError: for a decimal comma, a unit, or arithmetic without a result.

    >>> read_value("1/4", "x"), read_value("[pi, -2e3]", "x"), read_value("nearest", "x")
    (0.25, [3.141592653589793, -2000.0], 'nearest')
    >>> read_value("1,5", "x")
    Traceback (most recent call last):
    diffkit.errors.InputError: x is '1,5': write 1.5 with a point, or (1, 5) for two numbers
    """
    text = text.strip()
    try:
        tree = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        _refuse_unit(text, what)
        return text
    if isinstance(tree, ast.Tuple) and not text.startswith("("):
        point = text.replace(",", ".", 1)
        raise InputError(
            f"{what} is {text!r}: write {point} with a point, or ({text.replace(',', ', ')}) for two numbers"
        )
    try:
        return _value(tree)
    except _NotANumber:
        _refuse_unit(text, what)
        return text
    except (ArithmeticError, ValueError, TypeError) as error:
        raise InputError(f"{what} is {text!r}, which has no value: {error}") from None


class _NotANumber(Exception):
    """What is written is no arithmetic on numbers."""


_LARGEST_POWER = 10_000


def _value(node: ast.expr) -> Any:
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name) and node.id in _CONSTANTS:
        return _CONSTANTS[node.id]
    if isinstance(node, ast.List):
        return [_value(entry) for entry in node.elts]
    if isinstance(node, ast.Tuple):
        return tuple(_value(entry) for entry in node.elts)
    if isinstance(node, ast.Dict) and all(key is not None for key in node.keys):
        return {_value(k): _value(v) for k, v in zip(node.keys, node.values, strict=True) if k is not None}
    if isinstance(node, ast.UnaryOp) and type(node.op) in _UNARY:
        return _UNARY[type(node.op)](_number(node.operand))
    if isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC:
        left, right = _number(node.left), _number(node.right)
        if isinstance(node.op, ast.Pow) and abs(right) > _LARGEST_POWER:
            raise OverflowError("the power is too large")
        return ARITHMETIC[type(node.op)](left, right)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
        function = _FUNCTIONS.get(node.func.id)
        if function is not None:
            return function(*map(_number, node.args))
    raise _NotANumber


def _number(node: ast.expr) -> Any:
    value = _value(node)
    if isinstance(value, bool) or not isinstance(value, int | float | complex):
        raise _NotANumber
    return value


def _refuse_unit(text: str, what: str) -> None:
    """Refuses ``90deg``, ``5 %`` and ``3 m``, which only look like numbers with something after them."""
    head = text.rstrip("%°").rstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZµ").strip()
    unit = text[len(head) :].strip()
    if not head or not unit or unit in ("j", "J"):
        return
    try:
        float(head)
    except ValueError:
        return
    instead = {"%": f"{head}/100", "deg": f"radians({head})", "°": f"radians({head})"}.get(unit)
    raise InputError(
        f"{what} is {text!r}: units are not read; write a plain number" + (f", {instead}" if instead else "")
    )
