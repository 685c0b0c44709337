"""Numbers in NumPy's words, with names for the matrices' traces, determinants and elements in them."""

from __future__ import annotations

import keyword
from collections.abc import Collection
from typing import Any

import sympy
from sympy.printing.codeprinter import PrintMethodNotImplementedError
from sympy.printing.numpy import NumPyPrinter

from diffkit.errors import NoRuleError
from diffkit.symbolic.matrices import algebra
from diffkit.symbolic.matrices.reading import short

SUM, PRODUCT, ATOM = 1, 2, 3  # how strongly a piece of source binds


def binding(e: Any) -> int:
    """How strongly what is printed of a number binds."""
    if e.is_Symbol or isinstance(e, sympy.Function) or (e.is_Integer and e >= 0):
        return ATOM
    return PRODUCT if e.is_Pow or e.is_Mul or e.is_Number else SUM


def only_in_calls(part: Any, e: Any) -> bool:
    """Whether it stands in ``e`` only as a function's argument, with brackets around it already."""
    if e == part or not e.has(part):
        return bool(e != part)
    inside = e.args if not isinstance(e, sympy.Function) else [a for a in e.args if a != part]
    return all(only_in_calls(part, a) for a in inside)


def in_scalar(e: Any, s: Any) -> bool:
    stack = [e]
    while stack:
        part = stack.pop()
        if part == s:
            return True
        if not isinstance(part, algebra.ATOMS):
            stack.extend(part.args)
    return False


def identifier(name: str) -> str:
    made = "".join(c if c.isalnum() or c == "_" else "_" for c in name)
    return made if made.isidentifier() and not keyword.iskeyword(made) and made != "np" else f"_{made}"


class _Printer(NumPyPrinter):  # type: ignore[misc]
    """SymPy's, with names put in for what is computed elsewhere."""

    def __init__(self, names: dict[Any, str], functions: Collection[str]) -> None:
        settings = {"fully_qualified_modules": True, "allow_unknown_functions": False}
        super().__init__({**settings, "user_functions": {name: name for name in functions}})
        self._names = names

    def _print_Max(self, expr: Any) -> str:
        return self._nested("np.maximum", expr.args)

    def _print_Min(self, expr: Any) -> str:
        return self._nested("np.minimum", expr.args)

    def _nested(self, name: str, args: Any) -> str:
        first, *rest = args
        return f"{name}({self._print(first)}, {self._nested(name, rest)})" if rest else self._print(first)

    def _print_Heaviside(self, expr: Any) -> str:
        return f"np.heaviside({self._print(expr.args[0])}, {self._print(sympy.Rational(1, 2))})"

    def _print(self, expr: Any, **kwargs: Any) -> Any:
        if isinstance(expr, sympy.Basic) and expr in self._names:
            return self._names[expr]
        return super()._print(expr, **kwargs)


def printed(e: Any, names: dict[Any, str], functions: Collection[str] = ()) -> str:
    """A number in NumPy's words.

    Args:
        e: a scalar expression.
        names: what is computed elsewhere, symbols among it, by what it is.
        functions: the undefined functions that are called by their names.

    Raises:
        NoRuleError: for a function that NumPy has not.
    """
    try:
        return str(_Printer(names, functions).doprint(sympy.sympify(e))).replace("numpy.", "np.")
    except PrintMethodNotImplementedError as error:
        raise NoRuleError(f"NumPy has no function for a part of {short(e)}: {error}") from error
