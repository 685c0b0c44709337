"""A program on arrays as a formula in matrices: its value and its derivative by each input.

>>> import numpy as np
>>> def loss(X, w, y):
...     return np.mean((y - X @ w) ** 2)
>>> found = formula(loss, np.ones((4, 2)), np.ones(2), np.zeros(4))
>>> print(found.text())
loss = ((y - X w)ᵀ (y - X w))/4
dloss/dX = -1/2 (y - X w) wᵀ
dloss/dw = -1/2 Xᵀ (y - X w)
dloss/dy = 1/2 (y - X w)
(gradient layout: the gradient has the variable's shape)
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import sympy
from sympy import MatrixSymbol

from diffkit.autodiff.jacobians import jacobian
from diffkit.autodiff.notation.row_texts import Notation
from diffkit.autodiff.operators import grad
from diffkit.autodiff.recording.tracer import INPUT
from diffkit.autodiff.views import trace
from diffkit.comparison.matrix_rows import NotAMatrixFormula, Value, perform
from diffkit.errors import InputError, NoRuleError
from diffkit.expressions import number
from diffkit.symbolic.matrices import notation
from diffkit.symbolic.matrices.algebra import is_scalar
from diffkit.symbolic.matrices.derivatives import LAYOUTS, derivative_of
from diffkit.symbolic.matrices.facts import session
from diffkit.symbolic.matrices.source import function, source


@dataclass
class MatrixFormula:
    """A program's value and derivatives as formulas, each checked against the traced numbers.

    Attributes:
        name: the program's.
        value: a SymPy expression in the inputs' symbols; arrays of one axis are columns.
        derivatives: by input name: gradients of a number, in the input's shape; Jacobians of a column.
        symbols: the inputs' symbols, by name.
        constants: what the program brought along itself, by symbol.
        parts: what the program has names for, by formula.
        error: the largest relative difference from the traced numbers.

    >>> import numpy as np
    >>> found = formula(lambda A, x: A @ x, np.ones((2, 3)), np.ones(3))
    >>> found.value, found.derivatives, found.error
    (A*x, {'x': A}, 0.0)
    """

    name: str
    value: Any
    derivatives: dict[str, Any]
    symbols: dict[str, Any]
    constants: dict[Any, Any] = field(default_factory=dict)
    parts: dict[Any, Any] = field(default_factory=dict)
    error: float = 0.0

    @property
    def layout(self) -> str:
        """What layout the derivatives are in."""
        if is_scalar(self.value):
            return LAYOUTS["gradient"]
        return "numerator layout: a row per element of the value, a column per element of the input"

    def _shown(self) -> tuple[list[tuple[str, Any]], Any, dict[str, Any]]:
        """What the program has a name for, as that name: the parts that occur, the value, the derivatives."""
        kept: list[tuple[str, Any]] = []
        shown = [_with(self.parts, e) for e in (self.value, *self.derivatives.values())]
        wanted = {s.name for e in shown for s in e.free_symbols}
        names = list(self.parts.items())
        for k in reversed(range(len(names))):
            e, symbol = names[k]
            if symbol.name in wanted:
                inside = _with(dict(names[:k]), e)
                kept.insert(0, (symbol.name, inside))
                wanted |= {s.name for s in inside.free_symbols}
        return kept, shown[0], dict(zip(self.derivatives, shown[1:], strict=True))

    def text(self) -> str:
        """The formulas as lines; what the program itself has a name for stands by its name."""
        parts, value, derivatives = self._shown()
        lines = [f"{name} = {notation.text(e)}" for name, e in parts]
        lines += [f"{self.name} = {notation.text(value)}"]
        lines += [f"d{self.name}/d{x} = {notation.text(e)}" for x, e in derivatives.items()]
        return "\n".join([*lines, f"({self.layout})"])

    __str__ = text

    def latex(self) -> str:
        r"""The formulas as the lines of an ``aligned`` environment, to be put between ``\[`` and ``\]``."""
        name = rf"\mathrm{{{self.name}}}".replace("_", r"\_")
        parts, value, derivatives = self._shown()
        lines = [rf"{sympy.latex(sympy.Symbol(part))} &= {notation.latex(e)}" for part, e in parts]
        lines += [rf"{name} &= {notation.latex(value)}"]
        for x, e in derivatives.items():
            symbol = sympy.latex(sympy.Symbol(x))
            lines.append(rf"\frac{{\partial {name}}}{{\partial {symbol}}} &= {notation.latex(e)}")
        return "\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}"

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"

    def source(self) -> str:
        """NumPy source of value and derivatives, what they share computed once."""
        args = [*self.symbols.values(), *self.constants]
        return source([self.value, *self.derivatives.values()], args, self.name)


def formula(f: Callable[..., Any], *args: Any) -> MatrixFormula:
    """The program's value, and its derivative by each input, as formulas in matrices.

    The program is traced at the given inputs; each formula is evaluated there and held against the traced
    value and gradient before it is returned.

    Args:
        f: a function of numbers, vectors and matrices that returns one of them.
        args: its inputs: numbers, and arrays of floats of one axis or two.

    Returns:
        A MatrixFormula: of a number, the gradients by all inputs; of a column, the Jacobians by the inputs
        of one column.

    Raises:
        NoRuleError: by the row that is no matrix formula, with its line, if there is one.
        InputError: for inputs of more than two axes, or several outputs.

    >>> import numpy as np
    >>> def energy(x, A):
    ...     return x @ A @ x
    >>> print(formula(energy, np.ones(2), np.eye(2)).text().splitlines()[2])
    denergy/dA = x xᵀ
    """
    t = trace(f)(*args)
    if len(t.outputs) != 1 or not t.owns(t.outputs[0]):
        raise InputError(f"expected a program with one output that depends on its inputs, got {t.name}")
    with session(True):
        reader = _Reader(t)
        whole = reader.values[t.outputs[0].index]
        value = whole.expr
        derivatives = {}
        if is_scalar(value) or value.shape[1] == 1:
            for name, x in reader.symbols.items():
                if is_scalar(value) or not isinstance(x, MatrixSymbol) or x.shape[1] == 1:
                    derivatives[name] = derivative_of(value, x, "gradient")
    found = MatrixFormula(
        t.name if t.name.isidentifier() else "f",
        value,
        derivatives,
        reader.symbols,
        reader.constants,
        reader.parts,
    )
    found.error = _checked(found, f, args, t)
    return found


class _Reader:
    """The rows of a trace as formulas, one after the other."""

    def __init__(self, t: Any) -> None:
        self.trace = t
        self.symbols: dict[str, Any] = {}
        self.constants: dict[Any, Any] = {}
        self.values: list[Any] = []
        self.parts: dict[Any, Any] = {}
        wanted, output = _needed(t), t.outputs[0].index
        for row in t.nodes:
            value = self._row(row) if row.index in wanted else None
            self.values.append(value)
            name = t.names[row.index]
            if value is not None and row.fun is not INPUT and row.index != output and not _automatic(name):
                self._note(name, value.expr)

    def _note(self, name: str, e: Any) -> None:
        """Remembers what the program itself has a name for, if it is no mere symbol or number."""
        if e.args and not isinstance(e, MatrixSymbol | sympy.Tuple) and e not in self.parts:
            symbol = sympy.Symbol(name, real=True) if is_scalar(e) else MatrixSymbol(name, *e.shape)
            if symbol not in self.parts.values() and name not in self.symbols:
                self.parts[e] = symbol

    def _row(self, row: Any) -> Value:
        if row.fun is INPUT:
            return self._input(row)
        arrays = [
            self.values[a.index] if self.trace.owns(a) else self._constant(a, row, k)
            for k, a in enumerate(row.args)
        ]
        shape = np.shape(row.value)
        try:
            if len(shape) > 2:
                raise NotAMatrixFormula(f"it has {len(shape)} axes, and a matrix has two")
            return perform(row.fun.name, row.fun.line, arrays, row.kwargs, shape)
        except NotAMatrixFormula as reason:
            shown = Notation(self.trace).equation(row).text
            raise NoRuleError(
                f"{self.trace.name} is no matrix formula: in the row {shown}, {reason}"
            ) from None

    def _input(self, row: Any) -> Value:
        name, shape = self.trace.names[row.index], np.shape(row.value)
        if len(shape) > 2:
            raise InputError(f"expected numbers, vectors and matrices, got {name} of {len(shape)} axes")
        symbol = _symbol(name, shape)
        self.symbols[name] = symbol
        return Value(symbol, len(shape))

    def _constant(self, value: Any, row: Any, place: int) -> Any:
        """A number as it is, an array as a matrix with a name; what is neither (an axis, an index) itself."""
        if (
            row.fun.line is None
            and not isinstance(value, np.ndarray)
            and (place > 0 and row.fun.name not in ("matmul", "dot", "multiply", "solve", "inner", "outer"))
        ):
            return value
        if np.ndim(value) == 0 and not isinstance(value, str | slice | type(None)):
            return Value(number(value), 0)
        if isinstance(value, np.ndarray) and value.ndim <= 2:
            for symbol, known in self.constants.items():
                if known is value:
                    return Value(symbol, value.ndim)
            symbol = _symbol(f"C{len(self.constants) + 1}", value.shape)
            self.constants[symbol] = value
            return Value(symbol, value.ndim)
        return value


def _automatic(name: str) -> bool:
    return re.fullmatch(r"v\d+", name) is not None or not name.isidentifier()


def _with(names: dict[Any, Any], e: Any) -> Any:
    """The formula with the parts that have names by these, the largest first."""
    for part, symbol in reversed(names.items()):
        if e.has(part):
            e = e.xreplace({part: symbol})
    return e


def _needed(t: Any) -> set[int]:
    """The rows that the output depends on."""
    needed = {t.outputs[0].index, *(n.index for n in t.inputs)}
    for row in reversed(t.nodes):
        if row.index in needed:
            needed.update(a.index for a in row.args if t.owns(a))
    return needed


def _symbol(name: str, shape: tuple[int, ...]) -> Any:
    if not shape:
        return sympy.Symbol(name, real=True)
    return MatrixSymbol(name, shape[0], shape[1] if len(shape) == 2 else 1)


def _checked(found: MatrixFormula, f: Callable[..., Any], args: tuple[Any, ...], t: Any) -> float:
    """The largest relative difference between the formulas' numbers and the traced ones."""
    given = [_two_axes(n.value) for n in t.inputs] + [_two_axes(c) for c in found.constants.values()]
    symbols = [*found.symbols.values(), *found.constants]
    truth: dict[str, Any] = {}
    places = [k for k, a in enumerate(t.arguments) if t.owns(a)]
    if len(t.arguments) == len(args):
        by = tuple(places)
        operator = grad if is_scalar(found.value) else jacobian
        truth = dict(zip(found.symbols, operator(f, by)(*args), strict=True))
    worst = 0.0
    for name, e in [("", found.value), *found.derivatives.items()]:
        mine = np.asarray(function([e], symbols)(*given), float)
        exact = np.asarray(t.value if name == "" else truth[name], float) if name == "" or truth else mine
        error = float(np.max(np.abs(mine.reshape(-1) - exact.reshape(-1)), initial=0.0))
        error /= max(float(np.max(np.abs(exact), initial=0.0)), 1e-6)
        if error > 1e-7:
            what = f"d{found.name}/d{name}" if name else found.name
            raise NoRuleError(
                f"{what} as a formula, {notation.text(e)}, differs from the traced one by {error:.1e} and is "
                "not shown; at these inputs it may be far from regular"
            )
        worst = max(worst, error)
    return worst


def _two_axes(value: Any) -> Any:
    array = np.asarray(value, float)
    return array[:, None] if array.ndim == 1 else array if array.ndim else float(array)
