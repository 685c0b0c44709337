"""Lines of the calculus table written as mathematics: as Unicode text and as LaTeX.

A line is a small Python expression (``-1 / sqrt(1 - x**2)``). It is taken apart, the names in it are given
to what stands for them in a trace, and it is put together again with as few brackets as its operators
need. The texts of array functions are in the same grammar, with a few words more: ``x @ y`` for a matrix
product, ``T(x)`` for a transpose, ``total(x)`` for a sum.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import re
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from typing import Any, NamedTuple

import numpy as np

from diffkit.autodiff.recording.tracer import plain
from diffkit.errors import InputError
from diffkit.tables import latex_escape


class Math(NamedTuple):
    """A formula, written twice: as Unicode text, and as LaTeX for math mode."""

    text: str
    latex: str


class Piece(NamedTuple):
    """A formula on its way into a larger one: how tightly it binds, and whether it is an array."""

    text: str
    latex: str
    binds: int
    array: bool = False


SUM, NEGATIVE, PRODUCT, POWER, ATOM = 1, 2, 3, 4, 5


# -- numbers ----------------------------------------------------------------------------------------------

_SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


_DIGITS: ContextVar[int] = ContextVar("digits", default=4)


def shown_digits() -> int:
    """How many digits a number is shown with where nothing asks for more."""
    return _DIGITS.get()


@contextlib.contextmanager
def with_digits(digits: int | None) -> Iterator[None]:
    """Within, numbers are shown with so many digits; as before for None.

    Raises:
        InputError: for no number from 1 to 17.
    """
    if digits is None:
        yield
        return
    if isinstance(digits, bool) or not isinstance(digits, int) or not 1 <= digits <= 17:
        raise InputError(f"numbers are shown with 1 to 17 digits, not {digits!r}")
    before = _DIGITS.set(digits)
    try:
        yield
    finally:
        _DIGITS.reset(before)


def number_text(value: Any, digits: int | None = None) -> str:
    """A number in a few digits, with a true minus sign: as many as :func:`with_digits` says, or four.

    >>> number_text(-12.0), number_text(0.1 + 0.2), number_text(1.5e-7), number_text(1 + 2j)
    ('−12', '0.3', '1.5e−7', '1+2j')
    """
    value = plain(value)
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    number = complex(value) if np.iscomplexobj(value) else float(value)
    text = f"{number + 0.0:.{digits or shown_digits()}g}"  # -0.0 + 0.0 is 0.0
    text = re.sub(r"e([+-])0*(\d)", lambda m: "e" + ("-" if m[1] == "-" else "") + m[2], text)
    return text.replace("-", "−")


def number_piece(value: object, digits: int | None = None) -> Piece:
    # What was written by hand is written out: 1.000000001 is no 1.
    by_hand = digits is None and isinstance(value, float) and 6 < len(repr(value)) <= 12
    text = number_text(value, 12 if by_hand else digits)
    latex = text.replace("−", "-")
    if "e" in latex and latex.strip("-")[0].isdigit():
        mantissa, exponent = latex.split("e")
        latex = rf"{mantissa} \times 10^{{{exponent}}}"
    elif "inf" in latex or "nan" in latex:
        latex = latex.replace("inf", r"\infty").replace("nan", r"\mathrm{nan}")
    binds = NEGATIVE if text.startswith("−") else SUM if "j" in text else ATOM
    return Piece(text, latex, binds)


def visible(text: str) -> str:
    r"""Text on one line, with control characters written out.

    >>> visible("a\nb")
    'a\\nb'
    """
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


# -- from a line to a formula -------------------------------------------------------------------------------

_OPERATORS: dict[type, tuple[str, int]] = {
    ast.Add: ("+", SUM),
    ast.Sub: ("−", SUM),
    ast.Mult: ("·", PRODUCT),
    ast.Div: ("/", PRODUCT),
    ast.MatMult: (" ", PRODUCT),
    ast.Pow: ("^", POWER),
}

_LATEX_FUNCTIONS = frozenset(
    "sin cos tan cot sec csc sinh cosh tanh coth arcsin arccos arctan log exp max min gcd".split()
)
_RENAMED = {
    "Max": "max",
    "Min": "min",
    "asin": "arcsin",
    "acos": "arccos",
    "atan": "arctan",
    "ceiling": "ceil",
    "loggamma": "log gamma",
    "Heaviside": "heaviside",
}


def write(text: str, names: Mapping[str, Piece]) -> Math:
    """A text of the calculus table, with names put in, as mathematics.

    >>> x = Piece("x₁", "x_{1}", ATOM)
    >>> write("-1 / sqrt(1 - x**2)", {"x": x})
    Math(text='−1/√(1 − x₁²)', latex='-\\\\frac{1}{\\\\sqrt{1 - x_{1}^{2}}}')
    >>> write("y * x**(y - 1)", {"x": x, "y": number_piece(2.0)}).text
    '2·x₁'
    """
    piece = piece_of(fold(parse(text), names), names)
    return Math(piece.text, piece.latex)


@functools.lru_cache(maxsize=4096)
def parse(text: str) -> ast.expr:
    """A text of the table, taken apart. It is shared, so nothing may change it."""
    return ast.parse(text, mode="eval").body


_CONSTANT = re.compile(r"−?\d+(\.\d+)?")


def fold(tree: ast.expr, names: Mapping[str, Piece]) -> ast.expr:
    """Puts in constants that are numbers, and does the arithmetic that this leaves: x**(2 - 1) is x.

    The texts are short lines of a table, so walking down them may recurse.
    """
    match tree:
        case ast.Name(id=name) if name in names and _CONSTANT.fullmatch(names[name].text):
            value = float(names[name].text.replace("−", "-"))
            return ast.Constant(int(value) if value == int(value) else value)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            inner = fold(operand, names)
            return ast.UnaryOp(ast.USub(), inner)
        case ast.Call(func=func, args=args):
            return ast.Call(func, [fold(a, names) for a in args], [])
        case ast.BinOp(left=left, op=op, right=right):
            a, b = fold(left, names), fold(right, names)
            match a, op, b:
                case ast.Constant(value=int() | float() as p), ast.Sub(), ast.Constant(value=1) if p >= 1:
                    return ast.Constant(round(p - 1, 10))
                case (_, ast.Pow(), ast.Constant(value=1)) | (_, ast.Mult(), ast.Constant(value=1)):
                    return a
                case (ast.Constant(value=1), ast.Mult(), _):
                    return b
            return ast.BinOp(a, op, b)
    return tree


def piece_of(tree: ast.expr, names: Mapping[str, Piece]) -> Piece:
    match tree:
        case ast.Constant(value=value):
            return number_piece(value)
        case ast.Name(id="pi"):
            return Piece("π", r"\pi", ATOM)
        case ast.Name(id=name):
            return names[name]
        case ast.UnaryOp(operand=operand):
            p = bracketed(piece_of(operand, names), PRODUCT)
            return Piece(f"−{p.text}", f"-{p.latex}", NEGATIVE, p.array)
        case ast.Call(func=ast.Name(id=function), args=args):
            return _call(function, [piece_of(a, names) for a in args])
        case ast.BinOp(left=left, op=op, right=right):
            return operation(op, piece_of(left, names), piece_of(right, names))
    raise AssertionError(f"not in the grammar of the calculus table: {ast.unparse(tree)}")


def bracketed(p: Piece, least: int) -> Piece:
    """In brackets, unless it binds at least so tightly."""
    return p if p.binds >= least else Piece(f"({p.text})", rf"\left({p.latex}\right)", ATOM, p.array)


def operation(op: ast.operator, a: Piece, b: Piece) -> Piece:
    symbol, binds = _OPERATORS[type(op)]
    array = a.array or b.array
    if isinstance(op, ast.Pow):
        a = bracketed(a, ATOM)
        if re.fullmatch(r"−?\d+", b.text):
            text = a.text + b.text.replace("−", "-").translate(_SUPERSCRIPTS)
        else:
            text = f"{a.text}^{bracketed(b, ATOM).text}"
        return Piece(text, f"{a.latex}^{{{b.latex}}}", POWER, array)
    if isinstance(op, ast.Add | ast.Sub):
        b = bracketed(b, NEGATIVE + (isinstance(op, ast.Sub) or b.binds == NEGATIVE))
        return Piece(
            f"{a.text} {symbol} {b.text}", f"{a.latex} {symbol.replace('−', '-')} {b.latex}", binds, array
        )
    if isinstance(op, ast.Div):
        a = bracketed(a, NEGATIVE)
        sign, numerator = ("-", a.latex[1:]) if a.binds == NEGATIVE else ("", a.latex)
        latex = rf"{sign}\frac{{{numerator}}}{{{b.latex}}}"
        binds = NEGATIVE if a.binds == NEGATIVE else PRODUCT
        return Piece(f"{a.text}/{bracketed(b, POWER).text}", latex, binds, array)
    a, b = bracketed(a, NEGATIVE), bracketed(b, PRODUCT)
    binds = NEGATIVE if a.binds == NEGATIVE else PRODUCT
    if isinstance(op, ast.MatMult):
        return Piece(f"{a.text} {b.text}", rf"{a.latex}\,{b.latex}", binds, True)
    if a.array and b.array:  # the elementwise product, which is not the matrix product
        return Piece(f"{a.text} ⊙ {b.text}", rf"{a.latex} \odot {b.latex}", binds, True)
    number = _CONSTANT.fullmatch(a.text) and b.latex.startswith("\\")
    times = r" \cdot " if number or b.latex[:1].isdigit() or b.latex.startswith(r"\frac{") else " "
    return Piece(f"{a.text}·{b.text}", a.latex + times + b.latex, binds, array)


def _call(function: str, args: list[Piece]) -> Piece:
    function = _RENAMED.get(function, function)
    array = any(a.array for a in args)
    first = args[0]
    match function:
        case "T":
            p = bracketed(first, ATOM)
            if p.text.endswith("⁻¹"):
                return Piece(p.text[:-1] + "ᵀ", p.latex[: -len("{-1}")] + r"{-\top}", ATOM, True)
            return Piece(f"{p.text}ᵀ", rf"{p.latex}^{{\top}}", ATOM, True)
        case "inv":
            p = bracketed(first, ATOM)
            return Piece(f"{p.text}⁻¹", f"{p.latex}^{{-1}}", ATOM, True)
        case "eye":
            return Piece("I", "I", ATOM, True)
        case "trace":
            return Piece(f"tr({first.text})", rf"\operatorname{{tr}}({first.latex})", ATOM)
        case "sqrt":
            inner = first.text if first.binds == ATOM and "(" not in first.text else f"({first.text})"
            return Piece(f"√{inner}", rf"\sqrt{{{first.latex}}}", ATOM, array)
        case "Abs":
            return Piece(f"|{first.text}|", rf"\left|{first.latex}\right|", ATOM, array)
        case "above":  # Iverson's bracket
            return Piece(
                f"[{first.text} > {args[1].text}]", f"[{first.latex} > {args[1].latex}]", ATOM, array
            )
        case "spread":  # a sum hands its adjoint to each element
            p = bracketed(first, PRODUCT)
            return Piece(f"{p.text} to each", rf"{p.latex} \text{{ to each}}", SUM, True)
        case "total":
            p = bracketed(first, PRODUCT)
            return Piece(f"Σ {p.text}", rf"\sum {p.latex}", PRODUCT)
        case "inner":
            a, b = (bracketed(p, PRODUCT) for p in args)
            return Piece(f"{a.text}·{b.text}", rf"{a.latex} \cdot {b.latex}", PRODUCT)
    command = rf"\{function}" if function in _LATEX_FUNCTIONS else rf"\mathrm{{{latex_escape(function)}}}"
    return Piece(
        f"{function}({', '.join(a.text for a in args)})",
        f"{command}({', '.join(a.latex for a in args)})",
        ATOM,
        array,
    )


def plus(p: Piece, q: Piece) -> Piece:
    if q.binds == NEGATIVE and q.text.startswith("−"):
        return Piece(f"{p.text} − {q.text[1:]}", f"{p.latex} - {q.latex[1:]}", SUM, p.array)
    return operation(ast.Add(), p, q)


def literally(text: str, names: Mapping[str, Piece]) -> Math:
    """A form as it stands: 2·3 is not 6."""
    piece = piece_of(parse(text), names)
    return Math(piece.text, piece.latex)


def written(text: str, names: Mapping[str, Piece]) -> Piece:
    return piece_of(fold(parse(text), names), names)
