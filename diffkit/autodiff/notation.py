"""Rows of a trace in mathematical notation, for tables and drawings: as Unicode text and as LaTeX.

Formulas and derivatives are the texts of the calculus table, with the row's own names put in: an
edge says ``∂a/∂x₁ = x₂`` because the table's line of ``multiply`` says ``"y"``. The array functions,
which have no line there, have theirs in :data:`ARRAY_TEXTS`: what they are, and their pullback, in
the same grammar with a few words more (``x @ y`` for a matrix product, ``T(x)`` for a transpose).

A bar is an adjoint and a dot a tangent, as in Griewank and Walther, *Evaluating Derivatives* (2008).

>>> from diffkit.autodiff.trace import trace
>>> t = trace(lambda x1, x2: np.sin(x1 * x2))(2.0, 3.0)
>>> n = Notation(t)
>>> [n.equation(row).text for row in t.nodes[2:]]
['v₁ = x₁·x₂', 'v₂ = sin(v₁)']
>>> n.partial(t.nodes[3], 0).text, n.contribution(t.nodes[3], 0).text
('cos(v₁)', 'v̄₂·cos(v₁)')
>>> n.contribution(t.nodes[3], 0).latex
'\\\\bar{v}_{2} \\\\cos(v_{1})'
"""

from __future__ import annotations

import ast
import functools
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from diffkit.autodiff.sweeps import reverse_sweep, zeros_like
from diffkit.autodiff.trace import Trace, is_differentiable, plain
from diffkit.autodiff.tracer import GETITEM, INPUT, PART, Node, Recording
from diffkit.calculus import chain
from diffkit.tables import latex_escape

__all__ = [
    "ARRAY_TEXTS",
    "ArrayText",
    "Math",
    "Notation",
    "absent",
    "dimensions",
    "local_derivatives",
    "number_text",
    "type_text",
    "value_text",
    "write",
]


class Math(NamedTuple):
    """A formula, written twice: as Unicode text, and as LaTeX for math mode."""

    text: str
    latex: str


class _Piece(NamedTuple):
    """A formula on its way into a larger one: how tightly it binds, and whether it is an array."""

    text: str
    latex: str
    binds: int
    array: bool = False


_SUM, _NEGATIVE, _PRODUCT, _POWER, _ATOM = 1, 2, 3, 4, 5


# -- numbers and names -----------------------------------------------------------------------------------

_SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def number_text(value: Any, digits: int = 4) -> str:
    """A number in a few digits, with a true minus sign.

    >>> number_text(-12.0), number_text(0.1 + 0.2), number_text(1.5e-7), number_text(1 + 2j)
    ('−12', '0.3', '1.5e−7', '1+2j')
    """
    value = plain(value)
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    number = complex(value) if np.iscomplexobj(value) else float(value)
    text = f"{number + 0.0:.{digits}g}"  # -0.0 + 0.0 is 0.0
    text = re.sub(r"e([+-])0*(\d)", lambda m: "e" + ("-" if m[1] == "-" else "") + m[2], text)
    return text.replace("-", "−")


def _number(value: Any) -> _Piece:
    text = number_text(value)
    latex = text.replace("−", "-")
    if "e" in latex and latex.strip("-")[0].isdigit():
        mantissa, exponent = latex.split("e")
        latex = rf"{mantissa} \times 10^{{{exponent}}}"
    elif "inf" in latex or "nan" in latex:
        latex = latex.replace("inf", r"\infty").replace("nan", r"\mathrm{nan}")
    binds = _NEGATIVE if text.startswith("−") else _SUM if "j" in text else _ATOM
    return _Piece(text, latex, binds)


_NUMBERED = re.compile(r"([^\W\d_])(\d+)|([^\W\d_]+)_(\d+)")
_IDENTIFIER = re.compile(r"[^\W\d]\w*")


class _Name(NamedTuple):
    """A name in its parts: the letters that a bar goes over, an index below, and what follows."""

    base: str
    below: str
    rest: str

    def text(self, mark: str = "") -> str:
        """With a combining mark over the base; an overline joins over several letters."""
        if mark == BAR and len(self.base) > 1:
            mark = OVERLINE
        base = self.base if not mark else unicodedata.normalize("NFC", "".join(c + mark for c in self.base))
        return base + self.below.translate(_SUBSCRIPTS) + self.rest

    def latex(self, mark: str = "") -> str:
        if len(self.base) == 1 and self.base.isalpha():
            base = self.base
        else:
            base = rf"\mathrm{{{latex_escape(self.base)}}}"
        if mark:
            command = r"\dot" if mark == DOT else r"\bar" if len(self.base) == 1 else r"\overline"
            base = f"{command}{{{base}}}"
        rest = rf"\texttt{{{latex_escape(self.rest)}}}" if self.rest else ""
        return base + (f"_{{{self.below}}}" if self.below else "") + rest


BAR = "\u0304"
DOT = "\u0307"
OVERLINE = "\u0305"


def _split_name(name: str) -> _Name:
    """``x1`` and ``l_2`` have an index; ``p['w']`` is p and what follows; others are as they are."""
    numbered = _NUMBERED.fullmatch(name)
    if numbered:
        return _Name(numbered[1] or numbered[3], numbered[2] or numbered[4], "")
    start = _IDENTIFIER.match(name)
    if start and (start.end() == len(name) or name[start.end()] in "[."):
        return _Name(start[0], "", visible(name[start.end() :]))
    return _Name(visible(name), "", "")


def visible(text: str) -> str:
    r"""Text on one line, with control characters written out.

    >>> visible("a\nb")
    'a\\nb'
    """
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


# -- texts of the calculus table, written as mathematics ---------------------------------------------------

_OPERATORS: dict[type, tuple[str, int]] = {
    ast.Add: ("+", _SUM),
    ast.Sub: ("−", _SUM),
    ast.Mult: ("·", _PRODUCT),
    ast.Div: ("/", _PRODUCT),
    ast.MatMult: (" ", _PRODUCT),
    ast.Pow: ("^", _POWER),
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


def write(text: str, names: Mapping[str, _Piece]) -> Math:
    """A text of the calculus table, with names put in, as mathematics.

    >>> x = _Piece("x₁", "x_{1}", _ATOM)
    >>> write("-1 / sqrt(1 - x**2)", {"x": x})
    Math(text='−1/√(1 − x₁²)', latex='-\\\\frac{1}{\\\\sqrt{1 - x_{1}^{2}}}')
    >>> write("y * x**(y - 1)", {"x": x, "y": _number(2.0)}).text
    '2·x₁'
    """
    piece = _piece(_fold(_parse(text), names), names)
    return Math(piece.text, piece.latex)


@functools.lru_cache(maxsize=4096)
def _parse(text: str) -> ast.expr:
    """A text of the table, taken apart. It is shared, so nothing may change it."""
    return ast.parse(text, mode="eval").body


_CONSTANT = re.compile(r"−?\d+(\.\d+)?")


def _fold(tree: ast.expr, names: Mapping[str, _Piece]) -> ast.expr:
    """Puts in constants that are numbers, and does the arithmetic that this leaves: x**(2 - 1) is x.

    The texts are short lines of a table, so walking down them may recurse.
    """
    match tree:
        case ast.Name(id=name) if name in names and _CONSTANT.fullmatch(names[name].text):
            value = float(names[name].text.replace("−", "-"))
            return ast.Constant(int(value) if value == int(value) else value)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            inner = _fold(operand, names)
            return ast.UnaryOp(ast.USub(), inner)
        case ast.Call(func=func, args=args):
            return ast.Call(func, [_fold(a, names) for a in args], [])
        case ast.BinOp(left=left, op=op, right=right):
            a, b = _fold(left, names), _fold(right, names)
            match a, op, b:
                case ast.Constant(value=int() | float() as p), ast.Sub(), ast.Constant(value=1) if p >= 1:
                    return ast.Constant(round(p - 1, 10))
                case (_, ast.Pow(), ast.Constant(value=1)) | (_, ast.Mult(), ast.Constant(value=1)):
                    return a
                case (ast.Constant(value=1), ast.Mult(), _):
                    return b
            return ast.BinOp(a, op, b)
    return tree


def _piece(tree: ast.expr, names: Mapping[str, _Piece]) -> _Piece:
    match tree:
        case ast.Constant(value=value):
            return _number(value)
        case ast.Name(id="pi"):
            return _Piece("π", r"\pi", _ATOM)
        case ast.Name(id=name):
            return names[name]
        case ast.UnaryOp(operand=operand):
            p = _bracketed(_piece(operand, names), _PRODUCT)
            return _Piece(f"−{p.text}", f"-{p.latex}", _NEGATIVE, p.array)
        case ast.Call(func=ast.Name(id=function), args=args):
            return _call(function, [_piece(a, names) for a in args])
        case ast.BinOp(left=left, op=op, right=right):
            return _operation(op, _piece(left, names), _piece(right, names))
    raise AssertionError(f"not in the grammar of the calculus table: {ast.unparse(tree)}")


def _bracketed(p: _Piece, least: int) -> _Piece:
    """In brackets, unless it binds at least so tightly."""
    return p if p.binds >= least else _Piece(f"({p.text})", rf"\left({p.latex}\right)", _ATOM, p.array)


def _operation(op: ast.operator, a: _Piece, b: _Piece) -> _Piece:
    symbol, binds = _OPERATORS[type(op)]
    array = a.array or b.array
    if isinstance(op, ast.Pow):
        a = _bracketed(a, _ATOM)
        if re.fullmatch(r"−?\d+", b.text):
            text = a.text + b.text.replace("−", "-").translate(_SUPERSCRIPTS)
        else:
            text = f"{a.text}^{_bracketed(b, _ATOM).text}"
        return _Piece(text, f"{a.latex}^{{{b.latex}}}", _POWER, array)
    if isinstance(op, ast.Add | ast.Sub):
        b = _bracketed(b, _NEGATIVE + (isinstance(op, ast.Sub) or b.binds == _NEGATIVE))
        return _Piece(
            f"{a.text} {symbol} {b.text}", f"{a.latex} {symbol.replace('−', '-')} {b.latex}", binds, array
        )
    if isinstance(op, ast.Div):
        a = _bracketed(a, _NEGATIVE)
        sign, numerator = ("-", a.latex[1:]) if a.binds == _NEGATIVE else ("", a.latex)
        latex = rf"{sign}\frac{{{numerator}}}{{{b.latex}}}"
        binds = _NEGATIVE if a.binds == _NEGATIVE else _PRODUCT
        return _Piece(f"{a.text}/{_bracketed(b, _POWER).text}", latex, binds, array)
    a, b = _bracketed(a, _NEGATIVE), _bracketed(b, _PRODUCT)
    binds = _NEGATIVE if a.binds == _NEGATIVE else _PRODUCT
    if isinstance(op, ast.MatMult):
        return _Piece(f"{a.text} {b.text}", rf"{a.latex}\,{b.latex}", binds, True)
    if a.array and b.array:  # the elementwise product, which is not the matrix product
        return _Piece(f"{a.text} ⊙ {b.text}", rf"{a.latex} \odot {b.latex}", binds, True)
    number = _CONSTANT.fullmatch(a.text) and b.latex.startswith("\\")
    times = r" \cdot " if number or b.latex[:1].isdigit() or b.latex.startswith(r"\frac{") else " "
    return _Piece(f"{a.text}·{b.text}", a.latex + times + b.latex, binds, array)


def _call(function: str, args: list[_Piece]) -> _Piece:
    function = _RENAMED.get(function, function)
    array = any(a.array for a in args)
    first = args[0]
    match function:
        case "T":
            p = _bracketed(first, _ATOM)
            return _Piece(f"{p.text}ᵀ", rf"{p.latex}^{{\top}}", _ATOM, True)
        case "sqrt":
            inner = first.text if first.binds == _ATOM and "(" not in first.text else f"({first.text})"
            return _Piece(f"√{inner}", rf"\sqrt{{{first.latex}}}", _ATOM, array)
        case "Abs":
            return _Piece(f"|{first.text}|", rf"\left|{first.latex}\right|", _ATOM, array)
        case "above":  # Iverson's bracket
            return _Piece(
                f"[{first.text} > {args[1].text}]", f"[{first.latex} > {args[1].latex}]", _ATOM, array
            )
        case "spread":  # a sum hands its adjoint to each element
            p = _bracketed(first, _PRODUCT)
            return _Piece(f"{p.text} to each", rf"{p.latex} \text{{ to each}}", _SUM, True)
        case "total":
            p = _bracketed(first, _PRODUCT)
            return _Piece(f"Σ {p.text}", rf"\sum {p.latex}", _PRODUCT)
        case "inner":
            a, b = (_bracketed(p, _PRODUCT) for p in args)
            return _Piece(f"{a.text}·{b.text}", rf"{a.latex} \cdot {b.latex}", _PRODUCT)
    command = rf"\{function}" if function in _LATEX_FUNCTIONS else rf"\mathrm{{{latex_escape(function)}}}"
    return _Piece(
        f"{function}({', '.join(a.text for a in args)})",
        f"{command}({', '.join(a.latex for a in args)})",
        _ATOM,
        array,
    )


# -- functions of arrays ------------------------------------------------------------------------------


class ArrayText(NamedTuple):
    """How a function of arrays is written, and its pullback by each argument.

    The arguments are x, y, z in order, g is the cotangent, ans the answer.

    Attributes:
        form: the function.
        vjps: one text per argument.
    """

    form: str
    vjps: tuple[str, ...]


def _product(row: Node) -> ArrayText:
    """Matrix products by the dimensions of their operands; numerator layout."""
    a, b = (dimensions(v) for v in row.args[:2])
    if a == 1 and b == 1:
        return ArrayText("inner(x, y)", ("g * y", "g * x"))
    if a == 0 or b == 0:
        return ArrayText("x * y", ("g * y", "g * x"))
    if b == 1:
        return ArrayText("x @ y", ("g @ T(y)", "T(x) @ g"))
    if a == 1:
        return ArrayText("x @ y", ("y @ g", "x @ T(g)"))
    return ArrayText("x @ y", ("g @ T(y)", "T(x) @ g"))


ARRAY_TEXTS: dict[str, ArrayText | Callable[[Node], ArrayText]] = {
    "matmul": _product,
    "dot": _product,
    "inner": ArrayText("inner(x, y)", ("g @ y", "g @ x")),
    "outer": ArrayText("x @ T(y)", ("g @ y", "T(g) @ x")),
    "sum": ArrayText("total(x)", ("spread(g)",)),
    "mean": ArrayText("mean(x)", ("spread(g / n)",)),
    "max": ArrayText("Max(x)", ("g_where_attained",)),
    "min": ArrayText("Min(x)", ("g_where_attained",)),
    "transpose": ArrayText("T(x)", ("T(g)",)),
    "reshape": ArrayText("reshape(x)", ("reshape(g)",)),
    "ravel": ArrayText("ravel(x)", ("reshape(g)",)),
    "broadcast_to": ArrayText("broadcast(x)", ("total(g)",)),
    "astype": ArrayText("astype(x)", ("astype(g)",)),
    "where": ArrayText("where(x, y, z)", ("0", "g_where_true", "g_where_false")),
    "real": ArrayText("Re(x)", ("g",)),
    "conjugate": ArrayText("conj(x)", ("conj(g)",)),
}
"""The functions of arrays that the lectures use. Any other is written by its name."""


class Notation:
    """Writes the rows of one trace, their derivatives and their adjoints.

    Args:
        t: the trace.
    """

    def __init__(self, t: Trace) -> None:
        self.trace = t
        self._names = [_split_name(name) for name in t.names]
        seen: dict[str, int] = {}
        for k, name in enumerate(self._names):  # x1 and x_1 must not both become x₁
            if seen.setdefault(name.text(), k) != k:
                other = seen[name.text()]
                for j in (k, other):
                    self._names[j] = _Name(visible(t.names[j]), "", "")

    # -- names --

    def name(self, row: Node) -> Math:
        """``v₁``."""
        n = self._names[row.index]
        return Math(n.text(), n.latex())

    def bar(self, row: Node) -> Math:
        """``v̄₁``, the adjoint."""
        n = self._names[row.index]
        return Math(n.text(BAR), n.latex(BAR))

    def dot(self, row: Node) -> Math:
        """``v̇₁``, the tangent."""
        n = self._names[row.index]
        return Math(n.text(DOT), n.latex(DOT))

    def _symbol(self, row: Node, math: Math, array: bool | None = None) -> _Piece:
        is_array = dimensions(row.value) > 0 if array is None else array
        return _Piece(math.text, math.latex, _ATOM, is_array)

    # -- what a row computes --

    def equation(self, row: Node) -> Math:
        """``v₁ = x₁·x₂``; the name alone for an input."""
        name = self.name(row)
        if row.fun is INPUT:
            return name
        formula = self.formula(row)
        return Math(f"{name.text} = {formula.text}", f"{name.latex} = {formula.latex}")

    def formula(self, row: Node) -> Math:
        """``x₁·x₂``: what the row computes, of its arguments' names."""
        return self._formula(row, lambda k, a: self._symbol(a, self.name(a)))

    def formula_in_numbers(self, row: Node) -> Math | None:
        """``2·3``, or None where an argument is an array of more than a few elements."""
        if any(_size(a) > 3 for a in row.args if self.trace.owns(a)):
            return None
        return self._formula(row, lambda k, a: _constant(a.value))

    def _dotted_at(self, place: int) -> Callable[[int, Node], _Piece]:
        """The arguments' names, with a dot over the one at that place: f(ẋ) of a linear f."""
        return lambda k, a: self._symbol(a, self.dot(a) if k == place else self.name(a))

    def _formula(self, row: Node, symbol: Callable[[int, Node], _Piece]) -> Math:
        pieces = [symbol(k, a) if self.trace.owns(a) else _constant(a) for k, a in enumerate(row.args)]
        fun = row.fun
        if fun is GETITEM:
            index = visible(_index_text(row.args[1]))
            p = _bracketed(pieces[0], _ATOM)
            return Math(f"{p.text}[{index}]", rf"{p.latex}[\texttt{{{latex_escape(index)}}}]")
        if fun is PART:
            return Math(f"{pieces[0].text}[{row.args[1]}]", f"{pieces[0].latex}[{row.args[1]}]")
        if fun.name in _INFIX and len(pieces) == 2:
            symbol_text, command = _INFIX[fun.name]
            a, b = pieces
            return Math(f"{a.text} {symbol_text} {b.text}", f"{a.latex} {command} {b.latex}")
        if fun.line is not None:
            return _literally(fun.line.form, dict(zip(fun.line.arguments, pieces, strict=False)))
        known = _array_text(row)
        if known is not None:
            return _literally(known.form, dict(zip("xyz", pieces, strict=False)))
        parts = [p.text for p in pieces]
        parts += [f"{key}={visible(_short(value))}" for key, value in row.kwargs.items()]
        latex = [p.latex for p in pieces]
        latex += [rf"\texttt{{{latex_escape(part)}}}" for part in parts[len(latex) :]]
        name = visible(fun.name)
        return Math(f"{name}({', '.join(parts)})", rf"\mathrm{{{latex_escape(name)}}}({', '.join(latex)})")

    # -- derivatives --

    def _numbers_for(self, row: Node, g: Any) -> dict[str, _Piece]:
        """The same in numbers, g being the row's adjoint."""
        values = [_constant(a) for a in row.args]
        arguments = row.fun.line.arguments if row.fun.line is not None else tuple("xyz")
        names = dict(zip(arguments, values, strict=False))
        return {**names, "ans": _constant(row.value), "g": _constant(g)}

    def contribution_in_numbers(self, row: Node, k: int, g: Any) -> Math | None:
        """``1·3``: the contribution with the row's adjoint g put in; None for arrays."""
        line = row.fun.line
        if line is None or k >= len(line.partials) or any(dimensions(a) for a in (*row.args, row.value)):
            return None
        tree = _fold(_parse(chain("g", line.partials[k])), self._names_for(row))
        piece = _piece(tree, self._numbers_for(row, g))
        return Math(piece.text, piece.latex)

    def tangent_in_numbers(self, row: Node, tangents: Sequence[Any]) -> Math | None:
        """``1·3 + 0·2``: the row's tangent with its arguments' tangents put in; None for arrays."""
        line = row.fun.line
        if line is None or any(dimensions(a) for a in (*row.args, row.value)):
            return None
        terms = []
        for k, a in enumerate(row.args):
            if self.trace.owns(a) and tangents[a.index] is not None and line.partials[k] != "0":
                tree = _parse(chain("t", line.partials[k]))
                numbers = {**self._numbers_for(row, 0.0), "t": _constant(tangents[a.index])}
                terms.append(_piece(_fold(tree, self._names_for(row)), numbers))
        if not terms:
            return None
        total = functools.reduce(_plus, terms)
        return Math(total.text, total.latex)

    def _names_for(self, row: Node) -> dict[str, _Piece]:
        """What the names in a text of the calculus table stand for at this row."""
        pieces = [self._symbol(a, self.name(a)) if self.trace.owns(a) else _constant(a) for a in row.args]
        arguments = row.fun.line.arguments if row.fun.line is not None else tuple("xyz")
        names = dict(zip(arguments, pieces, strict=False))
        names["ans"] = self._symbol(row, self.name(row))
        bar = self.bar(row)
        names["g"] = self._symbol(row, bar)
        names["n"] = _Piece("n", "n", _ATOM)
        for word in ("attained", "true", "false"):
            names[f"g_where_{word}"] = _Piece(
                f"{bar.text} where {word}", rf"{bar.latex} \text{{ where {word}}}", _SUM, True
            )
        return names

    def partial_name(self, row: Node, k: int) -> Math:
        """``∂v₁/∂x₁``."""
        a, b = self.name(row), self.name(row.args[k])
        return Math(f"∂{a.text}/∂{b.text}", rf"\partial {a.latex}/\partial {b.latex}")

    def partial(self, row: Node, k: int) -> Math | None:
        """The row's partial derivative by its k-th argument, ``x₂``; None if it has no line in the table."""
        line = row.fun.line
        if row.fun.constant:
            return Math("0", "0")
        if line is None or k >= len(line.partials):
            return None
        return write(line.partials[k], self._names_for(row))

    def contribution(self, row: Node, k: int) -> Math:
        """What the row hands back to its k-th argument, ``v̄₁·x₂``: its adjoint times the partial."""
        names = self._names_for(row)
        line = row.fun.line
        if line is not None and k < len(line.partials):
            return self._summed(row, k, _written(chain("g", line.partials[k]), names))
        known = _array_text(row)
        if known is not None and k < len(known.vjps):
            return self._summed(row, k, _written(known.vjps[k], names))
        bar = self.bar(row)
        if row.fun is GETITEM:
            index = visible(_index_text(row.args[1]))
            return Math(
                f"{bar.text} at [{index}]", rf"{bar.latex} \text{{ at }} [\texttt{{{latex_escape(index)}}}]"
            )
        if row.fun is PART:
            return bar
        if row.fun.variadic:
            return Math(f"part {k + 1} of {bar.text}", rf"\text{{part {k + 1} of }} {bar.latex}")
        name = visible(row.fun.name)
        return Math(
            f"VJP of {name}: {bar.text}", rf"\mathrm{{vjp}}_{{\mathrm{{{latex_escape(name)}}}}}({bar.latex})"
        )

    def _summed(self, row: Node, k: int, piece: _Piece) -> Math:
        """With the sum over the axes along which the argument was broadcast."""
        stretched = _size(row.value) > _size(row.args[k])
        elementwise = row.fun.line is not None and dimensions(row.value) > 0
        if elementwise and stretched:
            p = _bracketed(piece, _PRODUCT)
            return Math(f"Σ {p.text}", rf"\sum {p.latex}")
        return Math(piece.text, piece.latex)

    def tangent(self, row: Node, active: Callable[[Node], bool]) -> Math:
        """The row's tangent in terms of those of its arguments: ``ẋ₁·x₂ + ẋ₂·x₁``.

        Args:
            row: the row.
            active: whether a row has a tangent; the others' terms are left out.
        """
        if row.fun.name in ("max", "min", "where"):
            return self._chosen_tangent(row, active)
        terms: list[_Piece] = []
        line = row.fun.line
        for k, a in enumerate(row.args):
            if not (self.trace.owns(a) and active(a)) or row.fun.constant:
                continue
            dot = self.dot(a)
            if line is not None and k < len(line.partials):
                if line.partials[k] != "0":
                    names = {**self._names_for(row), "t": self._symbol(a, dot)}
                    terms.append(_written(chain("t", line.partials[k]), names))
            elif line is None and (_array_text(row) or row.fun is GETITEM or row.fun is PART):
                terms.append(_Piece(*self._formula(row, self._dotted_at(k)), _PRODUCT))
            else:
                name = visible(row.fun.name)
                terms.append(
                    _Piece(
                        f"JVP of {name}: {dot.text}",
                        rf"\mathrm{{jvp}}_{{\mathrm{{{latex_escape(name)}}}}}({dot.latex})",
                        _SUM,
                    )
                )
        if not terms:
            return Math("0", "0")
        total = functools.reduce(_plus, terms)
        return Math(total.text, total.latex)

    def _chosen_tangent(self, row: Node, active: Callable[[Node], bool]) -> Math:
        """Of functions that hand on what they choose: ``where(c, ẋ, ẏ)``, ``ẋ where attained``."""
        if row.fun.name != "where":
            dot = self.dot(row.args[0])
            return Math(f"{dot.text} where attained", rf"{dot.latex} \text{{ where attained}}")
        first = row.args[0]
        parts = [self.name(first) if self.trace.owns(first) else Math(*_constant(first)[:2])]
        parts += [self.dot(a) if self.trace.owns(a) and active(a) else Math("0", "0") for a in row.args[1:]]
        return Math(
            f"where({', '.join(p.text for p in parts)})",
            rf"\mathrm{{where}}({', '.join(p.latex for p in parts)})",
        )


def _plus(p: _Piece, q: _Piece) -> _Piece:
    if q.binds == _NEGATIVE and q.text.startswith("−"):
        return _Piece(f"{p.text} − {q.text[1:]}", f"{p.latex} - {q.latex[1:]}", _SUM, p.array)
    return _operation(ast.Add(), p, q)


def _literally(text: str, names: Mapping[str, _Piece]) -> Math:
    """A form as it stands: 2·3 is not 6."""
    piece = _piece(_parse(text), names)
    return Math(piece.text, piece.latex)


def _written(text: str, names: Mapping[str, _Piece]) -> _Piece:
    return _piece(_fold(_parse(text), names), names)


_INFIX = {
    "less": ("<", "<"),
    "less_equal": ("≤", r"\le"),
    "greater": (">", ">"),
    "greater_equal": ("≥", r"\ge"),
    "equal": ("=", "="),
    "not_equal": ("≠", r"\ne"),
    "logical_and": ("and", r"\wedge"),
    "logical_or": ("or", r"\vee"),
}


def _array_text(row: Node) -> ArrayText | None:
    known = ARRAY_TEXTS.get(row.fun.name)
    return known(row) if callable(known) and not isinstance(known, ArrayText) else known


def _short(value: Any, most: int = 24) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= most else text[: most - 1] + "…"


def _index_text(index: Any) -> str:
    """An index as a program writes it: ``0``, ``:, 1``, ``mask``."""
    if isinstance(index, tuple):
        return ", ".join(map(_index_text, index))
    if isinstance(index, slice):
        parts = ["" if p is None else str(p) for p in (index.start, index.stop)]
        return ":".join(parts + ([str(index.step)] if index.step is not None else []))
    if index is Ellipsis:
        return "..."
    if isinstance(index, np.ndarray):
        return "mask" if index.dtype.kind == "b" else _short(str(index.tolist()))
    return _short(str(index))


def _constant(value: Any) -> _Piece:
    """A constant as an argument: a number, a short vector, or the shape of a larger array."""
    value = plain(value)
    if isinstance(value, np.ndarray | np.generic) and np.ndim(value) == 0:
        value = np.asarray(value).item()
    if isinstance(value, bool | int | float | complex):
        return _number(value)
    if isinstance(value, np.ndarray) and value.dtype.kind in "biufc":
        if value.ndim == 1 and value.size <= 3:
            parts = [_number(v) for v in value.tolist()]
            return _Piece(
                f"[{', '.join(p.text for p in parts)}]", f"[{', '.join(p.latex for p in parts)}]", _ATOM, True
            )
        text, latex = ("×".join(map(str, value.shape)), r" \times ".join(map(str, value.shape)))
        return _Piece(f"const[{text}]", rf"\mathrm{{const}}_{{{latex}}}", _ATOM, True)
    text = visible(_short(value))
    return _Piece(text, rf"\texttt{{{latex_escape(text)}}}", _ATOM)


def value_text(value: Any) -> str:
    """A value in a node: a number, a short vector, or nothing where only its shape can be told.

    >>> value_text(0.5), value_text(np.array([1.0, -2.0])), value_text(np.zeros((3, 2)))
    ('0.5', '[1, −2]', '')
    """
    value = plain(value)
    if isinstance(value, tuple | list):
        return f"{len(value)} parts"
    if np.ndim(value) == 0:
        return number_text(value)
    if np.ndim(value) == 1 and np.size(value) <= 4:
        return f"[{', '.join(number_text(v, 3) for v in value)}]"
    return ""


def type_text(value: Any) -> str:
    """``(3, 2) float64`` for an array; "" for a float."""
    value = plain(value)
    if isinstance(value, tuple | list) or np.ndim(value) == 0:
        return ""
    return f"({', '.join(map(str, np.shape(value)))}{',' * (np.ndim(value) == 1)}) {value.dtype}"


def absent(value: Any) -> str:
    """What is shown for a derivative that no path leads to: 0; a dash where there can be none.

    >>> absent(2.0), absent(True)
    ('0', '–')
    """
    if not isinstance(plain(value), tuple | list) and not is_differentiable(value):
        return "–"
    return value_text(zeros_like(value)) or type_text(value)


def dimensions(value: Any) -> int:
    """The number of axes of a value; 1 for the several answers of an svd.

    >>> dimensions(2.0), dimensions(np.zeros((3, 2))), dimensions((np.zeros(2), 1.0))
    (0, 2, 1)
    """
    value = plain(value)
    return 1 if isinstance(value, tuple | list) else np.ndim(value)


def _size(value: Any) -> float:
    """The number of elements, more than can be shown for several answers."""
    value = plain(value)
    return float("inf") if isinstance(value, tuple | list) else np.size(value)


def local_derivatives(row: Node) -> list[Any]:
    """The numbers on the edges into a row: its partial derivative by each argument, where all are scalars.

    The row alone is recorded and swept once, so these are what a sweep multiplies by.

    Returns:
        Per argument the derivative; 0.0 where the function has none by it; None where the argument is a
        constant, or it or the row is an array.

    >>> from diffkit.autodiff.trace import trace
    >>> t = trace(lambda x, y: x / y)(6.0, 2.0)
    >>> local_derivatives(t.nodes[2])
    [0.5, -1.5]
    """
    value = plain(row.value)
    if isinstance(value, tuple | list) or np.ndim(value):
        return [None] * len(row.args)
    alone = Recording(row.fun.name)
    args = [
        alone.input(plain(a), "x") if type(a) is Node and a.recording is row.recording else a
        for a in row.args
    ]
    answer = row.fun(*args, **row.kwargs)
    rows = alone.close()
    if type(answer) is not Node:
        return [None] * len(row.args)
    adjoints = reverse_sweep(rows, alone, {answer.index: np.ones_like(value)[()].item()})
    return [_number_of(adjoints[a.index], a.value) if type(a) is Node else None for a in args]


def _number_of(derivative: Any, value: Any) -> Any:
    if dimensions(value):
        return None
    if derivative is None:
        return 0.0
    return np.asarray(plain(derivative)).item()
