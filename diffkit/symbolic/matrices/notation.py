"""Matrix formulas as a textbook prints them, in text and in LaTeX.

>>> from sympy import MatrixSymbol
>>> X, w, y = MatrixSymbol("X", 9, 2), MatrixSymbol("w", 2, 1), MatrixSymbol("y", 9, 1)
>>> text(-2 * X.T * (y - X * w))
'-2 Xᵀ (y - X w)'
>>> latex((X.T * X).inv())
'\\\\left(X^{\\\\top} X\\\\right)^{-1}'
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sympy
from sympy import MatrixBase, MatrixSymbol, S
from sympy.matrices.expressions.applyfunc import ElementwiseApplyFunction
from sympy.matrices.expressions.diagonal import DiagonalMatrix, DiagonalOf
from sympy.matrices.expressions.matexpr import MatrixElement

from diffkit.symbolic.matrices import algebra
from diffkit.symbolic.matrices.algebra import is_scalar
from diffkit.symbolic.matrices.own_rules import OWN
from diffkit.symbolic.matrices.vectorised import is_commutation, is_vec

_SUM, _PRODUCT, _POWER, _ATOM = 1, 2, 3, 4
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class _Style:
    """The signs of one way to write."""

    symbol: Callable[[Any], str]
    scalar: Callable[[Any, dict[Any, str]], str]
    power: Callable[[str, str], str]
    transposed: str
    elementwise: str
    kronecker: str
    brackets: tuple[str, str]
    call: Callable[[str, str], str]


def _text_power(base: str, exponent: str) -> str:
    plain = exponent.lstrip("-").isdigit()
    return base + (exponent.translate(_SUPERSCRIPTS) if plain else f"^({exponent})")


_TEXT = _Style(
    symbol=str,
    scalar=lambda e, names: sympy.sstr(e.xreplace({a: sympy.Symbol(n) for a, n in names.items()})),
    power=_text_power,
    transposed="ᵀ",
    elementwise=" ⊙ ",
    kronecker=" ⊗ ",
    brackets=("(", ")"),
    call=lambda name, inner: f"{name}({inner})",
)
_LATEX = _Style(
    symbol=lambda e: str(sympy.latex(sympy.Symbol(e.name))),
    scalar=lambda e, names: str(_latex_with(e, names)),
    power=lambda base, exponent: f"{base}^{{{exponent}}}",
    transposed=r"^{\top}",
    elementwise=r" \odot ",
    kronecker=r" \otimes ",
    brackets=(r"\left(", r"\right)"),
    call=lambda name, inner: rf"\operatorname{{{name}}}\left({inner}\right)",
)


def _latex_with(e: Any, names: dict[Any, str]) -> str:
    stand_ins = {a: sympy.Dummy(f"a{k}") for k, a in enumerate(names)}
    shown = {stand_ins[a]: n for a, n in names.items()}
    return str(sympy.latex(e.xreplace(stand_ins), symbol_names=shown))


def text(e: Any) -> str:
    """The formula in Unicode."""
    return _write(e, _TEXT)[0]


def latex(e: Any) -> str:
    """The formula in LaTeX, without dollars."""
    return _write(e, _LATEX)[0]


def _bracketed(e: Any, style: _Style, least: int) -> str:
    written, binds = _write(e, style)
    return f"{style.brackets[0]}{written}{style.brackets[1]}" if binds < least else written


def _write(e: Any, style: _Style) -> tuple[str, int]:
    if type(e) in OWN:
        return style.call(type(e).__name__, ", ".join(_write(a, style)[0] for a in e.args)), _ATOM
    if is_scalar(e):
        return _scalar(e, style)
    if isinstance(e, MatrixSymbol):
        return style.symbol(e), _ATOM
    for head, writing in _WRITINGS.items():
        if isinstance(e, head):
            return writing(e, style)
    return (sympy.sstr(e) if style is _TEXT else str(sympy.latex(e))), _ATOM


def _scalar(e: Any, style: _Style) -> tuple[str, int]:
    if isinstance(e, sympy.Trace):
        rows = algebra.coefficient_and_factors(e.arg)[1][0].shape[0]
        inner, binds = _write(e.arg, style)
        return (inner, binds) if rows == 1 else (style.call("tr", inner), _ATOM)
    if isinstance(e, sympy.Determinant):
        return style.call("det", _write(e.arg, style)[0]), _ATOM
    if isinstance(e, MatrixElement):
        return f"{_bracketed(e.parent, style, _ATOM)}[{e.i}, {e.j}]", _ATOM
    names = {a: _inside(a, e, style) for a in e.atoms(*algebra.ATOMS)}
    names |= {s: style.symbol(s) for s in e.free_symbols if style is _LATEX and isinstance(s, sympy.Symbol)}
    outer = [a for a in names if not any(a is not b and b.has(a) for b in names)]
    return style.scalar(e, {a: names[a] for a in outer}), _binding(e)


def _inside(atom: Any, e: Any, style: _Style) -> str:
    """A part of a number, bracketed but where a function's own brackets are around it."""
    free = _only_in_calls(atom, e) or (e.is_Add and atom in e.args)
    return _bracketed(atom, style, _SUM if free else _ATOM)


def _only_in_calls(atom: Any, e: Any) -> bool:
    if e == atom:
        return False
    if isinstance(e, sympy.Function) and atom in e.args:
        return True
    return all(_only_in_calls(atom, a) for a in e.args if a.has(atom)) and bool(e.args)


def _binding(e: Any) -> int:
    if e.is_Add:
        return _SUM
    if (
        e.is_Mul
        or (e.is_Number and (e < 0 or not e.is_Integer))
        or (e.is_Pow and e.exp.is_number and e.exp < 0)
    ):
        return _PRODUCT
    return _POWER if e.is_Pow else _ATOM


def _sum(e: Any, style: _Style) -> tuple[str, int]:
    written = [_bracketed(a, style, _SUM) for a in e.args]
    ordered = sorted(written, key=lambda term: term.startswith("-"))
    return " + ".join(ordered).replace("+ -", "- "), _SUM


def _product(e: Any, style: _Style) -> tuple[str, int]:
    coefficient, factors = algebra.coefficient_and_factors(e)
    body = " ".join(_bracketed(f, style, _PRODUCT + (len(factors) > 1)) for f in factors)
    if coefficient is S.One:
        return body, _PRODUCT
    if len(factors) == 1 and _write(factors[0], style)[1] < _POWER:
        body = (
            f"{style.brackets[0]}{body}{style.brackets[1]}"
            if not body.startswith(style.brackets[0])
            else body
        )
    if coefficient is S.NegativeOne:
        return f"-{body}", _PRODUCT
    shown, binds = _scalar(coefficient, style)
    if binds == _SUM:
        shown = f"{style.brackets[0]}{shown}{style.brackets[1]}"
    return f"{shown} {body}", _PRODUCT


def _hadamard(e: Any, style: _Style) -> tuple[str, int]:
    return style.elementwise.join(_bracketed(a, style, _POWER) for a in e.args), _PRODUCT


def _transpose(e: Any, style: _Style) -> tuple[str, int]:
    return _bracketed(e.arg, style, _ATOM) + style.transposed, _ATOM


def _inverse(e: Any, style: _Style) -> tuple[str, int]:
    return _raised(e.arg, S.NegativeOne, style)


def _raised(base: Any, exponent: Any, style: _Style) -> tuple[str, int]:
    if isinstance(base, sympy.Transpose):
        inner = _bracketed(base.arg, style, _ATOM)
        if exponent == -1:
            return inner + ("⁻ᵀ" if style is _TEXT else r"^{-\top}"), _ATOM
        whole = f"{style.brackets[0]}{inner}{style.transposed}{style.brackets[1]}"
        return style.power(whole, str(exponent) if style is _TEXT else sympy.latex(exponent)), _ATOM
    shown = str(exponent) if style is _TEXT else str(sympy.latex(exponent))
    return style.power(_bracketed(base, style, _ATOM), shown), _ATOM


def _applied(e: Any, style: _Style) -> tuple[str, int]:
    function, inner = e.args
    body = function.expr.xreplace({function.variables[0]: algebra.U})
    least = _SUM if _only_in_calls(algebra.U, body) else _ATOM
    if least == _ATOM and _only_in_calls(algebra.U, body.xreplace({-algebra.U: algebra.U})):
        least = _PRODUCT  # exp(-R w)
    names = {algebra.U: _bracketed(inner, style, least)}
    atoms = body.atoms(*algebra.ATOMS)
    names |= {a: _bracketed(a, style, _ATOM) for a in atoms}
    binds = _binding(body)
    return style.scalar(body, names), binds if binds != _POWER else _PRODUCT


def _elementwise_power(e: Any, style: _Style) -> tuple[str, int]:
    base = _bracketed(e.args[0], style, _ATOM)
    if style is _TEXT:
        return f"{base}^∘{_bracketed(e.args[1], style, _POWER)}", _POWER
    return rf"{base}^{{\circ {sympy.latex(e.args[1])}}}", _POWER


def _named(name: str, argument: Callable[[Any], Any]) -> Callable[[Any, _Style], tuple[str, int]]:
    return lambda e, style: (style.call(name, _write(argument(e), style)[0]), _ATOM)


def _constant(name: str, bold: str) -> Callable[[Any, _Style], tuple[str, int]]:
    """1 of a column, 1ᵀ of a row; 0 and I."""

    def write(e: Any, style: _Style) -> tuple[str, int]:
        shown = name if style is _TEXT else rf"\mathbf{{{bold}}}"
        if name == "𝟏" and e.shape[0] == 1:
            return shown + style.transposed, _ATOM
        if name == "𝟏" and e.shape[1] != 1:
            return f"{shown} {shown}{style.transposed}", _PRODUCT
        return shown, _ATOM

    return write


def _by_elements(e: Any, style: _Style) -> tuple[str, int]:
    """vec(C), the commutation matrix, and the matrix with one element 1."""
    if is_vec(e):
        return style.call("vec", _write(e.lamda.expr.parent, style)[0]), _ATOM
    if is_commutation(e):
        return "K", _ATOM
    return (sympy.sstr(e) if style is _TEXT else str(sympy.latex(e))), _ATOM


def _explicit(e: Any, style: _Style) -> tuple[str, int]:
    return (str(e.tolist()) if style is _TEXT else str(sympy.latex(e))), _ATOM


_WRITINGS: dict[Any, Callable[[Any, _Style], tuple[str, int]]] = {
    MatrixBase: _explicit,
    sympy.MatAdd: _sum,
    sympy.MatMul: _product,
    sympy.HadamardProduct: _hadamard,
    sympy.HadamardPower: _elementwise_power,
    ElementwiseApplyFunction: _applied,
    sympy.Transpose: _transpose,
    sympy.Inverse: _inverse,
    sympy.MatPow: lambda e, style: _raised(e.base, e.exp, style),
    sympy.DiagMatrix: _named("diag", lambda e: e.args[0]),
    DiagonalOf: _named("diagonal", lambda e: e.arg),
    DiagonalMatrix: lambda e, style: (
        f"I{style.elementwise}{_bracketed(e.arg, style, _POWER)}",
        _PRODUCT,
    ),
    sympy.KroneckerProduct: lambda e, style: (
        style.kronecker.join(_bracketed(a, style, _POWER) for a in e.args),
        _PRODUCT,
    ),
    sympy.OneMatrix: _constant("𝟏", "1"),
    sympy.ZeroMatrix: _constant("0", "0"),
    sympy.Identity: lambda e, style: ("I", _ATOM),
    sympy.FunctionMatrix: _by_elements,
}
