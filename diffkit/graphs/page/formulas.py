"""The symbolic row of the live page: each derivative as a formula, and all of them as JavaScript.

The formulas come from :mod:`diffkit.symbolic`; they are made a program by tracing them, so that the page
computes their values with the emitter that writes the trace itself.
"""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from diffkit.autodiff.code.javascript import javascript
from diffkit.autodiff.code.program import program_of
from diffkit.autodiff.recording.tracer import plain
from diffkit.autodiff.views import Trace, trace
from diffkit.containers import flatten

if TYPE_CHECKING:
    from diffkit.programs import Program

_MOST_INPUTS, _MOST_ROWS = 24, 80
"""Numbers among the inputs, and rows, beyond which a formula for each entry of the Jacobian is no help."""

_MOST_NODES = 20_000
"""Nodes of all formulas' trees beyond which they are not evaluated."""

_WRITTEN = 45
"""Nodes of an expression's tree beyond which its text is left out: nobody reads it."""


@dataclass(frozen=True, slots=True)
class Formulas:
    """The entries of the Jacobian in symbols.

    Attributes:
        script: the JavaScript function ``formulas`` of all numbers among the inputs, flat; it returns
            ``out``, the entries: for each output in turn its derivative by each input.
        written: an entry's formula as MathML, "" for one that is too long.
        sizes: an entry's nodes as a tree and as a graph, and its operations.
        refused: why there are none, with empty lists; "" otherwise.
    """

    script: str = ""
    written: tuple[str, ...] = ()
    sizes: tuple[tuple[int, int, int], ...] = ()
    refused: str = ""


def formulas(t: Trace) -> Formulas:
    """The derivatives of a trace's outputs by its inputs as formulas.

    Args:
        t: the trace; of a program that branches, the formulas are those of its path.

    Returns:
        The formulas. Where there are none, why: too many numbers, a function without a symbolic form.

    >>> from diffkit import programs
    >>> found = formulas(trace(programs.two_outputs)(2.0, 3.0))
    >>> found.sizes[0], found.written[0][:60]
    ((6, 5, 3), '<mrow><msub><mi>x</mi><mi>2</mi></msub><mo>&InvisibleTimes;<')
    >>> formulas(trace(np.sum)(np.ones(100))).refused
    'with 100 numbers among the inputs there are too many formulas'
    """
    import sympy

    from diffkit import symbolic

    count = sum(np.size(plain(row.value)) for row in t.inputs)
    if count > _MOST_INPUTS:
        return Formulas(refused=f"with {count:,} numbers among the inputs there are too many formulas")
    if len(t) > _MOST_ROWS:
        return Formulas(refused=f"with {len(t)} rows the formulas are too long")
    symbols = _symbols(t)
    flat = [s for given in symbols for s in np.ravel(np.asarray(given, dtype=object))]
    try:
        answer = t.to_sympy(*_as_arguments(t, symbols), path=True)
        outputs = [e for leaf in flatten(answer)[0] for e in np.ravel(np.asarray(leaf, dtype=object))]
        entries = [e for output in outputs for e in symbolic.gradient(sympy.sympify(output), flat)]
        sizes = [symbolic.size(entry) for entry in entries]
        if (nodes := sum(s.tree for s in sizes)) > _MOST_NODES:  # SymPy walks the tree: it would never end
            return Formulas(refused=f"written out they have {nodes:.1g} nodes".replace("e+", "e"))
        values = [float(v) for row in t.inputs for v in np.ravel(plain(row.value))]
        computed = sympy.lambdify(flat, entries, modules="numpy", cse=True)
        script = javascript(program_of(trace(computed)(*values)), "formulas")
    except Exception as error:  # of SymPy's, too: its printers and lambdify know no infinities
        return Formulas(refused=str(error).partition("\n")[0] or type(error).__name__)
    written = [_written(e) if s.tree <= _WRITTEN else "" for e, s in zip(entries, sizes, strict=True)]
    return Formulas(script, tuple(written), tuple((s.tree, s.dag, s.operations) for s in sizes))


def _symbols(t: Trace) -> list[Any]:
    """Real symbols called as the page calls the inputs, no two alike; arrays of them for arrays."""
    import sympy

    found: list[Any] = []
    taken: set[str] = set()
    for row in t.inputs:
        name, shape = re.sub(r"\W+", "_", t.names[row.index]).strip("_"), np.shape(plain(row.value))
        array = np.empty(shape, dtype=object)
        for index in np.ndindex(shape):
            text = "_".join([name, *(str(k) for k in index)])
            while text in taken:
                text += "_"
            taken.add(text)
            array[index] = sympy.Symbol(text, real=True)
        found.append(array if shape else array[()])
    return found


def _as_arguments(t: Trace, symbols: list[Any]) -> Any:
    """Symbols nested as the arguments are; what is not differentiated by stays."""
    given = iter(symbols)
    return t.in_structure.unflatten([next(given) if t.owns(a) else a for a in t.arguments])


def _written(expression: Any) -> str:
    from sympy.printing.mathml import mathml

    return str(mathml(expression, printer="presentation"))


def swell(program: Program, deepest: int = 6) -> tuple[str, list[tuple[int, int, int]]]:
    """How the derivative's formula grows with a program's depth or length.

    Args:
        program: one of the lectures', with a keyword ``depth`` or ``length`` and an expression.
        deepest: the last depth.

    Returns:
        The keyword's name, and for each depth the derivative's nodes as a tree and as a graph, by the
        first input; "" and nothing for a program that has none.

    >>> from diffkit import programs
    >>> swell(programs.soft_relu, 3)
    ('depth', [(1, 19, 12), (2, 55, 21), (3, 107, 30)])
    >>> swell(programs.log_product)
    ('', [])
    """
    import sympy

    from diffkit import symbolic

    parameters = inspect.signature(program.function).parameters
    keyword = next((k for k in ("depth", "length") if k in parameters), "")
    if not keyword or program.expression is None:
        return "", []
    x = sympy.Symbol(next(iter(program.inputs)), real=True)
    rows = []
    for depth in range(1, deepest + 1):
        size = symbolic.size(symbolic.diff(program.with_(**{keyword: depth}).expression, x))
        rows.append((depth, size.tree, size.dag))
    return keyword, rows
