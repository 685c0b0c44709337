"""The derivation of a derivative by a matrix: by differentials, rule by rule, each step checked.

>>> from sympy import MatrixSymbol

from diffkit.errors import DomainError
>>> W, y = MatrixSymbol("W", 3, 2), MatrixSymbol("y", 2, 1)
>>> b, v = MatrixSymbol("b", 3, 1), MatrixSymbol("v", 3, 1)
>>> print(matrix_steps(v.T * (W * y + b), W))
f = vᵀ (W y + b)
1 product: d(x @ y) = dx @ y + x @ dy
  d(vᵀ (W y + b)) = vᵀ d(W y + b)
2 sum: d(x + y) = dx + dy
  d(W y + b) = d(W y)
3 product: d(x @ y) = dx @ y + x @ dy
  d(W y) = dW y
so df = vᵀ dW y
turned so that dW stands last: df = tr(y vᵀ dW)
df/dW = v yᵀ
(gradient layout: the gradient has the variable's shape)
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import sympy
from sympy import MatrixSymbol

from diffkit.errors import DomainError
from diffkit.matrix_calculus import MATRIX
from diffkit.symbolic.matrices import algebra, notation
from diffkit.symbolic.matrices.algebra import is_scalar
from diffkit.symbolic.matrices.derivatives import LAYOUTS, checked_layout, derivative_of, variable
from diffkit.symbolic.matrices.facts import facts_of, session
from diffkit.symbolic.matrices.reading import read
from diffkit.symbolic.matrices.source import function, inputs_of
from diffkit.symbolic.matrices.sweeps import graph

_TITLES = {
    "matmul": "product",
    "hadamard": "elementwise product",
    "scale": "constant multiple",
    "inner": "inner product",
    "inv": "inverse",
    "det": "determinant",
    "logdet": "logarithm of a determinant",
    "diag": "diagonal matrix",
    "diagonal": "diagonal",
}
_SCHEMAS = {
    "sum": "d(x + y) = dx + dy",
    "elementwise": "d(f(x)) = f'(x) * dx",
    "elements": "the differential of each element",
    "kronecker": "d(x ⊗ y) = dx ⊗ y + x ⊗ dy",
    "power": "d(x^n) = sum over k of x^k @ dx @ x^(n - 1 - k)",
    "chain": "d(f(s)) = f'(s) * ds",
}


@dataclass(frozen=True)
class MatrixStep:
    """One rule applied to one part of the formula.

    Attributes:
        number: its place, from 1.
        rule: its name.
        schema: what it says, in letters: ``d(x @ y) = dx @ y + x @ dy``.
        before: the part that it differentiates.
        local: its differential in terms of those of its operands.
        operands: what these differentials, the symbols in ``local``, are of.
        after: its differential in terms of that of the variable.
    """

    number: int
    rule: str
    schema: str
    before: Any
    local: Any
    operands: dict[Any, Any]
    after: Any


class MatrixDerivation:
    """From an expression to its derivative. In a notebook it shows as LaTeX.

    Attributes:
        expr: the expression, as it was read.
        variable: what is differentiated by.
        differential: the expression's, in terms of ``change``, the variable's.
        change: the symbol dX.
        result: the derivative, the one that ``diff`` returns.
        layout: the layout of the result, ``"gradient"`` or ``"numerator"``.
        facts: what was assumed of the matrices, by symbol; what is drawn to check with has these properties.
    """

    def __init__(
        self,
        expr: Any,
        x: Any,
        steps: list[MatrixStep],
        differential: Any,
        change: Any,
        result: Any,
        layout: str,
        facts: Mapping[Any, frozenset[str]] | None = None,
    ) -> None:
        self.expr, self.variable, self.result, self.layout = expr, x, result, layout
        self.differential, self.change = differential, change
        self.facts = facts or {}
        self._steps = steps

    def __iter__(self) -> Iterator[MatrixStep]:
        return iter(self._steps)

    def __len__(self) -> int:
        return len(self._steps)

    @property
    def layout_text(self) -> str:
        """What the result's layout is, in words."""
        if isinstance(self.variable, MatrixSymbol) and is_scalar(self.expr):
            return LAYOUTS[self.layout]
        if isinstance(self.variable, MatrixSymbol):
            return "numerator layout: a row per element of the value, a column per element of the variable"
        return "the shape of the value"

    # -- checking --

    def check(self, seed: int = 0) -> bool:
        """Whether every step holds at random matrices, and the result with the last of them.

        A step's differential is compared with a difference quotient of its part of the formula, in the
        direction of random dX; the result with the differential.
        """
        return max(self.errors(seed)) < 1e-5

    def errors(self, seed: int = 0) -> list[float]:
        """The relative error of each step, and of the result at the end."""
        for first in (6, 2):  # tall matrices, and if these have no inverse of X^T X or the like, wide ones
            try:
                return self._errors(np.random.default_rng(seed), first)
            except np.linalg.LinAlgError:
                continue
        raise DomainError(
            f"{notation.text(self.expr)} has no value at random matrices: something has no inverse"
        )

    def _errors(self, rng: Any, first: int) -> list[float]:
        inputs = [s for s in inputs_of(self.expr) if s != self.variable]
        sizes: dict[Any, int] = {}
        values = {s: _drawn(s, sizes, rng, first, self.facts.get(s, ())) for s in [*inputs, self.variable]}
        direction = _drawn(self.change, sizes, rng, first, self.facts.get(self.variable, ()))
        found = []
        for step in self._steps:
            exact = self._evaluated(step.after, values, direction)
            found.append(_relative(exact, self._quotient(step.before, values, direction)))
        exact = self._evaluated(self.differential, values, direction)
        found.append(_relative(self._by_result(values, direction), exact))
        return found

    def _evaluated(self, e: Any, values: dict[Any, Any], direction: Any) -> Any:
        return function([e], [*values, self.change])(*values.values(), direction)

    def _quotient(self, e: Any, values: dict[Any, Any], direction: Any) -> Any:
        """The central difference of order four."""
        f, h = function([e], list(values)), 1e-3

        def at(k: int) -> Any:
            return f(*{**values, self.variable: values[self.variable] + k * h * direction}.values())

        return (8 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12 * h)

    def _by_result(self, values: dict[Any, Any], direction: Any) -> Any:
        slope = function([self.result], [*values])(*values.values())
        if not isinstance(self.variable, MatrixSymbol):
            return slope * direction
        if is_scalar(self.expr):
            return np.sum((slope.T if self.layout == "numerator" else slope) * direction)
        column = slope @ direction.reshape(-1, 1)
        return column.T if self.expr.shape[0] == 1 else column

    # -- how it is shown --

    def _lines(self, write: Any, d: Any) -> Iterator[tuple[MatrixStep, str, str]]:
        for step in self._steps:
            names = {symbol: d(e) for symbol, e in step.operands.items()}
            yield step, d(step.before), write(step.local, names)

    def text(self) -> str:
        """The steps as lines."""
        lines = [f"f = {notation.text(self.expr)}"]
        for step, left, right in self._lines(_text_with, _d_text):
            lines += [f"{step.number} {step.rule}: {step.schema}", f"  {left} = {right}"]
        dx = notation.text(self.change)
        lines.append(f"so df = {notation.text(self.differential)}")
        lines += [f"{self._reading_off(dx)}", f"{self._name()} = {notation.text(self.result)}"]
        return "\n".join([*lines, f"({self.layout_text})"])

    __str__ = text

    def _name(self) -> str:
        return f"df/d{self.variable}"

    def _reading_off(self, dx: str) -> str:
        if not isinstance(self.variable, MatrixSymbol):
            return f"read off what stands with {dx}"
        if not is_scalar(self.expr):
            return f"read off: df = J {dx}"
        with session(True):
            g = self.result if self.layout == "numerator" else algebra.transpose(self.result)
            inner = notation.text(algebra.product(g, self.change))
        rotated = inner if self.variable.shape[1] == 1 else f"tr({inner})"
        return f"turned so that {dx} stands last: df = {rotated}"

    def latex(self) -> str:
        r"""The steps as the lines of an ``aligned`` environment, to be put between ``\[`` and ``\]``."""
        lines = [rf"f &= {notation.latex(self.expr)}"]
        for step, left, right in self._lines(_latex_with, _d_latex):
            lines.append(rf"{left} &= {right} && \text{{{step.rule}}}")
        name = notation.latex(self.variable)
        lines.append(rf"df &= {notation.latex(self.differential)}")
        lines.append(rf"\frac{{\partial f}}{{\partial {name}}} &= {notation.latex(self.result)} && ")
        lines[-1] += rf"\text{{{self.layout_text}}}"
        return "\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}"

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"

    def html(self) -> str:
        """The steps as an ordered list."""
        rows = "".join(
            f"<li><b>{escape(step.rule)}</b> <code>{escape(step.schema)}</code><br>"
            f"<code>{escape(left)} = {escape(right)}</code></li>"
            for step, left, right in self._lines(_text_with, _d_text)
        )
        f = escape(notation.text(self.expr))
        return (
            f'<div class="diffkit-steps"><p><code>f = {f}</code></p><ol>{rows}</ol>'
            f"<p><code>df = {escape(notation.text(self.differential))}</code></p>"
            f"<p><code>{escape(self._name())} = {escape(notation.text(self.result))}</code> "
            f"({escape(self.layout_text)})</p></div>"
        )

    def __repr__(self) -> str:
        return f"<MatrixDerivation of {notation.text(self.expr)} by {self.variable}: {len(self)} steps>"


def _d_text(e: Any) -> str:
    shown = notation.text(e)
    return f"d{shown}" if shown.isalnum() else f"d({shown})"


def _d_latex(e: Any) -> str:
    shown = notation.latex(e)
    return f"d{shown}" if shown.isalnum() else rf"d\left({shown}\right)"


def _text_with(e: Any, names: dict[Any, str]) -> str:
    shown = notation.text(e)
    for symbol, name in names.items():
        shown = shown.replace(symbol.name, name)
    return shown


def _latex_with(e: Any, names: dict[Any, str]) -> str:
    shown = notation.latex(e)
    for symbol, name in names.items():
        shown = shown.replace(sympy.latex(sympy.Symbol(symbol.name)), name)
    return shown


def _drawn(symbol: Any, sizes: dict[Any, int], rng: Any, first: int, facts: Collection[str]) -> Any:
    """A random value, near a multiple of the identity if it is square, so that inverses exist."""
    if not isinstance(symbol, MatrixSymbol):
        return float(rng.uniform(0.5, 1.5))
    for size in symbol.shape:
        for s in sorted(size.free_symbols, key=str):
            sizes.setdefault(s, max(first - len(sizes), 2) if first > 2 else first + len(sizes))
    rows, columns = (int(size.subs(sizes)) for size in symbol.shape)
    value = rng.normal(size=(rows, columns))
    if rows != columns:
        return value
    value = value / 4 + 2 * np.eye(rows)
    if "orthogonal" in facts:
        return np.linalg.qr(value)[0]
    if "diagonal" in facts:
        return np.diag(np.diagonal(value))
    return (value + value.T) / 2 if "symmetric" in facts else value


def _relative(a: Any, b: Any) -> float:
    scale = max(float(np.max(np.abs(b))), 1.0)
    return float(np.max(np.abs(np.asarray(a) - np.asarray(b)))) / scale


def matrix_steps(expr: Any, x: Any, layout: str = "gradient", assumptions: Any = True) -> MatrixDerivation:
    """The derivation of ``diff(expr, x)`` by differentials.

    Raises:
        InputError, NoRuleError: as ``diff``.
    """
    checked_layout(layout)
    with session(assumptions):
        e, by = read(expr), variable(x)
        result = derivative_of(e, by, layout)
        change = MatrixSymbol(f"d{by}", *by.shape) if isinstance(by, MatrixSymbol) else sympy.Symbol(f"d{by}")
        steps, changes = [], {by: change}
        for node, pieces in graph(e, [by]):
            if node == by:
                continue
            changes[node] = algebra.add(*[p.push(changes[p.operand]) for p in pieces])
            stand_ins = {p.operand: _stand_in(p.operand, k) for k, p in enumerate(pieces)}
            local = algebra.add(*[p.push(stand_ins[p.operand]) for p in pieces], collect=False)
            operands = {symbol: operand for operand, symbol in stand_ins.items()}
            if not (isinstance(node, sympy.Trace) and _one_by_one(node.arg)):
                steps.append((pieces[0].rule, node, local, operands, changes[node]))
        made = [
            MatrixStep(k, _TITLES.get(rule, rule), _schema(rule), *rest)
            for k, (rule, *rest) in enumerate(reversed(steps), start=1)
        ]
        differential = changes.get(e, algebra.zeros(*algebra.shape(e)))
        facts = {s: facts_of(s) for s in (*inputs_of(e), by) if facts_of(s)}
    return MatrixDerivation(e, by, made, differential, change, result, layout, facts)


def _one_by_one(e: Any) -> bool:
    return bool(algebra.coefficient_and_factors(e)[1][0].shape[0] == 1)


def _schema(rule: str) -> str:
    if rule in MATRIX:
        return MATRIX[rule].schema
    return _SCHEMAS.get(rule, f"the rule that was given for {rule}")


def _stand_in(operand: Any, k: int) -> Any:
    name = f"δ{k}δ"
    return sympy.Symbol(name) if is_scalar(operand) else MatrixSymbol(name, *operand.shape)
