"""Rows of a trace in mathematical notation, for tables and drawings: as Unicode text and as LaTeX.

Formulas and derivatives are the texts of the calculus table, with the row's own names put in: an
edge says ``∂a/∂x₁ = x₂`` because the table's line of ``multiply`` says ``"y"``. The array functions,
which have no line there, have theirs in ``array_texts.py``. How a line becomes a formula is in
``formulas.py``, how a row's name is written in ``symbols.py``, its value in ``values.py``.

A bar is an adjoint and a dot a tangent, as in Griewank and Walther, *Evaluating Derivatives* (2008).

>>> from diffkit.autodiff.views import trace
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

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from diffkit.autodiff.core.sweeps import reverse_sweep
from diffkit.autodiff.core.trace import WengertList
from diffkit.autodiff.notation.array_texts import ARRAY_TEXTS, ArrayText, array_text
from diffkit.autodiff.notation.formulas import (
    ATOM,
    PRODUCT,
    SUM,
    Math,
    Piece,
    bracketed,
    fold,
    literally,
    number_text,
    parse,
    piece_of,
    plus,
    shown_digits,
    visible,
    write,
    written,
)
from diffkit.autodiff.notation.shown_digits import digits_by_row
from diffkit.autodiff.notation.symbols import BAR, DOT, Name, split_name
from diffkit.autodiff.notation.values import (
    absent,
    constant_piece,
    dimensions,
    index_text,
    short,
    size,
    type_text,
    value_text,
)
from diffkit.autodiff.recording.tracer import (
    GETITEM,
    INPUT,
    PART,
    READ,
    InPlace,
    Node,
    Primitive,
    Recording,
    plain,
    row_of,
    stand_in,
)
from diffkit.autodiff.rules.einsum import pullback_subscripts
from diffkit.grammar import chain
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


class Notation:
    """Writes the rows of one trace, their derivatives and their adjoints.

    Args:
        t: the trace.
    """

    def __init__(self, t: WengertList) -> None:
        self.trace = t
        self._names = [split_name(name) for name in t.names]
        seen: dict[str, int] = {}
        for k, name in enumerate(self._names):  # x1 and x_1 must not both become x₁
            if seen.setdefault(name.text(), k) != k:
                other = seen[name.text()]
                for j in (k, other):
                    self._names[j] = Name(visible(t.names[j]), "", "")

    @functools.cached_property
    def digits(self) -> list[int]:
        """How many digits each row's value is shown with."""
        return digits_by_row(self.trace)

    def value(self, row: Node) -> str:
        """The row's value, in digits enough for what reads it: 1.000000001 where 1e-9 of it is left."""
        digits = self.digits[row.index]
        return value_text(row.value, digits if digits > shown_digits() else None)

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

    def _symbol(self, row: Node, math: Math, array: bool | None = None) -> Piece:
        is_array = dimensions(row.value) > 0 if array is None else array
        return Piece(math.text, math.latex, ATOM, is_array)

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
        """``2·3``, or None where an argument is an array of more than a few elements, or no vector."""
        if any(size(a) > 3 or dimensions(a) > 1 for a in row.args if self.trace.owns(a)):
            return None
        return self._formula(row, lambda k, a: constant_piece(a.value, self.digits[a.index]))

    def _dotted_at(self, place: int) -> Callable[[int, Node], Piece]:
        """The arguments' names, with a dot over the one at that place: f(ẋ) of a linear f."""
        return lambda k, a: self._symbol(a, self.dot(a) if k == place else self.name(a))

    def _formula(self, row: Node, symbol: Callable[[int, Node], Piece]) -> Math:
        pieces = [symbol(k, a) if self.trace.owns(a) else constant_piece(a) for k, a in enumerate(row.args)]
        fun = row.fun
        if fun is GETITEM or fun is READ:
            return _at_index(pieces[0], row.args[1])
        if type(fun) is InPlace:
            whole, value = pieces[:2]
            place = _at_index(whole, row.args[2])
            return Math(
                f"{whole.text} with {place.text} = {value.text}",
                rf"{whole.latex} \text{{ with }} {place.latex} = {value.latex}",
            )
        if fun is PART:
            return Math(f"{pieces[0].text}[{row.args[1]}]", f"{pieces[0].latex}[{row.args[1]}]")
        if fun.name in _INFIX and len(pieces) == 2:
            symbol_text, command = _INFIX[fun.name]
            a, b = pieces
            return Math(f"{a.text} {symbol_text} {b.text}", f"{a.latex} {command} {b.latex}")
        if fun.line is not None:
            return literally(fun.line.form, dict(zip(fun.line.arguments, pieces, strict=False)))
        known = array_text(row)
        if known is not None:
            return literally(known.form, dict(zip("xyz", pieces, strict=False)))
        if fun.name == "einsum":
            return _einsum_of(row.kwargs["subscripts"], pieces)
        while pieces and (row.args[len(pieces) - 1] is None or row.args[len(pieces) - 1] is False):
            pieces.pop()  # options that were not taken
        return _call_of(fun.name, pieces, row.kwargs)

    # -- derivatives --

    def _numbers_for(self, row: Node, g: object) -> dict[str, Piece]:
        """The same in numbers, g being the row's adjoint."""
        values = [constant_piece(a) for a in row.args]
        arguments = row.fun.line.arguments if row.fun.line is not None else tuple("xyz")
        names = dict(zip(arguments, values, strict=False))
        return {**names, "ans": constant_piece(row.value), "g": constant_piece(g)}

    def contribution_in_numbers(self, row: Node, k: int, g: object) -> Math | None:
        """``1·3``: the contribution with the row's adjoint g put in; None for arrays."""
        line = row.fun.line
        if line is None or k >= len(line.partials) or any(dimensions(a) for a in (*row.args, row.value)):
            return None
        tree = fold(parse(chain("g", line.partials[k])), self._names_for(row))
        piece = piece_of(tree, self._numbers_for(row, g))
        return Math(piece.text, piece.latex)

    def tangent_in_numbers(self, row: Node, tangents: Sequence[Any]) -> Math | None:
        """``1·3 + 0·2``: the row's tangent with its arguments' tangents put in; None for arrays."""
        line = row.fun.line
        if line is None or any(dimensions(a) for a in (*row.args, row.value)):
            return None
        terms = []
        for k, a in enumerate(row.args):
            if self.trace.owns(a) and tangents[a.index] is not None and line.partials[k] != "0":
                tree = parse(chain("t", line.partials[k]))
                numbers = {**self._numbers_for(row, 0.0), "t": constant_piece(tangents[a.index])}
                terms.append(piece_of(fold(tree, self._names_for(row)), numbers))
        if not terms:
            return None
        total = functools.reduce(plus, terms)
        return Math(total.text, total.latex)

    def _names_for(self, row: Node) -> dict[str, Piece]:
        """What the names in a text of the calculus table stand for at this row."""
        pieces = [
            self._symbol(a, self.name(a)) if self.trace.owns(a) else constant_piece(a) for a in row.args
        ]
        arguments = row.fun.line.arguments if row.fun.line is not None else tuple("xyz")
        names = dict(zip(arguments, pieces, strict=False))
        names["ans"] = self._symbol(row, self.name(row))
        bar = self.bar(row)
        names["g"] = self._symbol(row, bar)
        names["n"] = Piece("n", "n", ATOM)
        for word in ("attained", "true", "false"):
            names[f"g_where_{word}"] = Piece(
                f"{bar.text} where {word}", rf"{bar.latex} \text{{ where {word}}}", SUM, True
            )
        return names

    def partial_name(self, row: Node, k: int) -> Math:
        """``∂v₁/∂x₁``; ``∂v₁/∂(1st)`` where x₁ stands in several places: by x₁ it would be their sum."""
        a, b = self.name(row), self.name(row.args[k])
        if sum(other is row.args[k] for other in row.args) > 1:
            place = ordinal(k + 1)
            b = Math(f"({place})", rf"(\text{{{place}}})")
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
            return self._summed(row, k, written(chain("g", line.partials[k]), names))
        known = array_text(row)
        if known is not None and k < len(known.vjps):
            return self._summed(row, k, written(known.vjps[k], names))
        bar = self.bar(row)
        if row.fun is GETITEM or row.fun is READ:
            index = visible(index_text(row.args[1]))
            return Math(
                f"{bar.text} at [{index}]", rf"{bar.latex} \text{{ at }} [\texttt{{{latex_escape(index)}}}]"
            )
        if type(row.fun) is InPlace:
            place = _at_index(Piece(bar.text, bar.latex, ATOM), row.args[2])
            if k == 1:
                return place
            return Math(
                f"{bar.text} with {place.text} = 0", rf"{bar.latex} \text{{ with }} {place.latex} = 0"
            )
        if row.fun is PART:
            return bar
        if row.fun.name == "einsum":
            return self._einsum_contribution(row, k)
        if row.fun.variadic:
            return Math(f"part {k + 1} of {bar.text}", rf"\text{{part {k + 1} of }} {bar.latex}")
        return self._pulled_back(row)

    def _pulled_back(self, row: Node) -> Math:
        """``VJP of svd: v̄₁``, where there is no short formula."""
        bar, name = self.bar(row), visible(row.fun.name)
        return Math(
            f"VJP of {name}: {bar.text}", rf"\mathrm{{vjp}}_{{\mathrm{{{latex_escape(name)}}}}}({bar.latex})"
        )

    def _einsum_contribution(self, row: Node, k: int) -> Math:
        """``einsum('i,j->ij', v̄₁, x)``: the answer's adjoint with the other operands."""
        subscripts = pullback_subscripts(k, row.kwargs["subscripts"], [plain(a) for a in row.args])
        if subscripts is None:
            return self._pulled_back(row)
        others = [
            self._symbol(a, self.name(a)) if self.trace.owns(a) else constant_piece(a)
            for j, a in enumerate(row.args)
            if j != k
        ]
        return _einsum_of(subscripts, [self._symbol(row, self.bar(row)), *others])

    def _summed(self, row: Node, k: int, piece: Piece) -> Math:
        """With the sum over the axes along which the argument was broadcast."""
        stretched = size(row.value) > size(row.args[k])
        elementwise = row.fun.line is not None and dimensions(row.value) > 0
        if elementwise and stretched:
            p = bracketed(piece, PRODUCT)
            return Math(f"Σ {p.text}", rf"\sum {p.latex}")
        return Math(piece.text, piece.latex)

    def tangent(self, row: Node, active: Callable[[Node], bool]) -> Math:
        """The row's tangent in terms of those of its arguments: ``ẋ₁·x₂ + ẋ₂·x₁``.

        Args:
            row: the row.
            active: whether a row has a tangent; the others' terms are left out.
        """
        if type(row.fun) is InPlace:
            return self._replaced_tangent(row, active)
        if row.fun.name in ("max", "min", "where"):
            return self._chosen_tangent(row, active)
        if row.fun.name in ("concatenate", "stack"):
            return self._joined_tangent(row, active)
        terms: list[Piece] = []
        line = row.fun.line
        for k, a in enumerate(row.args):
            if not (self.trace.owns(a) and active(a)) or row.fun.constant:
                continue
            dot = self.dot(a)
            if line is not None and k < len(line.partials):
                if line.partials[k] != "0":
                    names = {**self._names_for(row), "t": self._symbol(a, dot)}
                    terms.append(written(chain("t", line.partials[k]), names))
            elif line is None and (
                array_text(row) or row.fun in (GETITEM, PART, READ) or _is_linear(row.fun, k)
            ):
                terms.append(Piece(*self._formula(row, self._dotted_at(k)), PRODUCT))
            else:
                name = visible(row.fun.name)
                terms.append(
                    Piece(
                        f"JVP of {name}: {dot.text}",
                        rf"\mathrm{{jvp}}_{{\mathrm{{{latex_escape(name)}}}}}({dot.latex})",
                        SUM,
                    )
                )
        if not terms:
            return Math("0", "0")
        total = functools.reduce(plus, terms)
        return Math(total.text, total.latex)

    def _replaced_tangent(self, row: Node, active: Callable[[Node], bool]) -> Math:
        """``u̇ with u̇[1:-1] = v̇``."""
        dots = [self.dot(a) if self.trace.owns(a) and active(a) else Math("0", "0") for a in row.args[:2]]
        place = _at_index(Piece(*dots[0], ATOM), row.args[2])
        return Math(
            f"{dots[0].text} with {place.text} = {dots[1].text}",
            rf"{dots[0].latex} \text{{ with }} {place.latex} = {dots[1].latex}",
        )

    def _joined_tangent(self, row: Node, active: Callable[[Node], bool]) -> Math:
        """``stack(v̇₁, 0, ẋ)``: of functions that put their arguments side by side."""
        zero = Piece("0", "0", ATOM)
        dots = [self._symbol(a, self.dot(a)) if self.trace.owns(a) and active(a) else zero for a in row.args]
        return _call_of(row.fun.name, dots, row.kwargs)

    def _chosen_tangent(self, row: Node, active: Callable[[Node], bool]) -> Math:
        """Of functions that hand on what they choose: ``where(c, ẋ, ẏ)``, ``ẋ where attained``."""
        if row.fun.name != "where":
            dot = self.dot(row.args[0])
            return Math(f"{dot.text} where attained", rf"{dot.latex} \text{{ where attained}}")
        first = row.args[0]
        parts = [self.name(first) if self.trace.owns(first) else Math(*constant_piece(first)[:2])]
        parts += [self.dot(a) if self.trace.owns(a) and active(a) else Math("0", "0") for a in row.args[1:]]
        return Math(
            f"where({', '.join(p.text for p in parts)})",
            rf"\mathrm{{where}}({', '.join(p.latex for p in parts)})",
        )


def ordinal(n: int) -> str:
    """``1st``, ``2nd``, ``3rd``, ``4th``.

    >>> [ordinal(n) for n in (1, 2, 3, 4, 11, 22)]
    ['1st', '2nd', '3rd', '4th', '11th', '22nd']
    """
    teens = n // 10 % 10 == 1
    return f"{n}{'th' if teens else {1: 'st', 2: 'nd', 3: 'rd'}.get(n % 10, 'th')}"


def _is_linear(fun: Primitive, k: int) -> bool:
    """Whether a function is linear in an argument, so that its tangent is the function of the tangent."""
    rules = fun.jvps
    rule = rules[0] if fun.variadic and rules else rules[k] if k < len(rules) else None
    return getattr(rule, "is_linear", False)


def _call_of(name: str, pieces: Sequence[Piece], kwargs: Mapping[str, Any]) -> Math:
    """``cumsum(x, axis=0)``; options that are None or False were not taken, and are left out."""
    parts = [p.text for p in pieces]
    parts += [f"{k}={visible(short(v))}" for k, v in kwargs.items() if v is not None and v is not False]
    latex = [p.latex for p in pieces]
    latex += [rf"\texttt{{{latex_escape(part)}}}" for part in parts[len(latex) :]]
    name = visible(name)
    return Math(f"{name}({', '.join(parts)})", rf"\mathrm{{{latex_escape(name)}}}({', '.join(latex)})")


def _einsum_of(subscripts: str, pieces: Sequence[Piece]) -> Math:
    text = repr(short(subscripts))
    return _call_of("einsum", [Piece(text, rf"\texttt{{{latex_escape(text)}}}", ATOM), *pieces], {})


def _at_index(whole: Piece, index: object) -> Math:
    """``u[1:-1]``."""
    text = visible(index_text(index))
    p = bracketed(whole, ATOM)
    return Math(f"{p.text}[{text}]", rf"{p.latex}[\texttt{{{latex_escape(text)}}}]")


def local_derivatives(row: Node) -> list[Any]:
    """The numbers on the edges into a row: its partial derivative by each argument, where all are scalars.

    The row alone is recorded and swept once, so these are what a sweep multiplies by.

    Returns:
        Per argument the derivative; 0.0 where the function has none by it; None where the argument is a
        constant, or it or the row is an array.

    >>> from diffkit.autodiff.views import trace
    >>> t = trace(lambda x, y: x / y)(6.0, 2.0)
    >>> local_derivatives(t.nodes[2])
    [0.5, -1.5]
    """
    value = plain(row.value)
    if isinstance(value, tuple | list) or np.ndim(value):
        return [None] * len(row.args)
    with Recording(row.fun.name) as alone:
        args = [
            alone.input(plain(a), "x") if type(a) is Node and a.recording is row.recording else a
            for a in row.args
        ]
        answer = row_of(row.fun(*[stand_in(a) if type(a) is Node else a for a in args], **row.kwargs))
        rows = alone.close()
    if type(answer) is not Node:
        return [None] * len(row.args)
    adjoints = reverse_sweep(rows, alone, {answer.index: np.ones_like(value)[()].item()})
    return [_number_of(adjoints[a.index], a.value) if type(a) is Node else None for a in args]


def _number_of(derivative: object, value: object) -> Any:
    if dimensions(value):
        return None
    if derivative is None:
        return 0.0
    return np.asarray(plain(derivative)).item()
