"""A trace as JavaScript: what a page needs to compute it again, and both its sweeps, at other inputs.

>>> from diffkit.autodiff.views import trace
>>> def f(x1, x2):
...     a = x1 * x2
...     return np.sin(a) + x2
>>> print(javascript(program_of(trace(f)(2.0, 3.0).adjoint())))
function f_adjoint(x1, x2, v3_bar) {
  const left = [];
  const a = x1 * x2;
  const v2 = Math.sin(a);
  const v3 = v2 + x2;
  const v4 = Math.cos(a);
  const a_bar = v3_bar * v4;
  const x1_bar = a_bar * x2;
  const x2_bar_part = a_bar * x1;
  const x2_bar = v3_bar + x2_bar_part;
  return {left, out: [v3, x1_bar, x2_bar]};
}

The adjoint is a trace too, and so are the tangents, both recorded from the rules of the one table of
calculus: JavaScript has none of its own. There is a statement for each row. A scalar is a number and an array
a list of its elements, row by row: shapes are known when the text is written, so that moving elements is a
list of their places, and a product of matrices a sum over strides. ``left`` has the numbers of the decisions
(:attr:`CodeProgram.guards`) that came out differently: what follows one is not what the function computes.

The text calls the few functions of :func:`runtime`, if there are arrays in it. A row that can't be said is
refused: an equation's solution, a special function, complex numbers, single precision.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from importlib import resources
from typing import Any

import numpy as np

from diffkit.autodiff.code.identifiers import identifier, identifiers
from diffkit.autodiff.code.javascript_arrays import MOVES, REDUCTIONS, contraction, moved, reduction
from diffkit.autodiff.code.javascript_numbers import ELEMENTWISE, number
from diffkit.autodiff.code.program import CodeProgram, CodeRow, Guard, program_of
from diffkit.autodiff.core.adjoint import record_adjoint
from diffkit.autodiff.core.record import record
from diffkit.autodiff.core.trace import WengertList
from diffkit.autodiff.operators import make_jvp
from diffkit.autodiff.recording.tracer import INPUT
from diffkit.errors import InputError

_RESERVED = frozenset(
    "abstract arguments boolean break byte case catch char const debugger default delete do double enum eval "
    "export extends false final float function goto implements instanceof int interface let long native new "
    "null out package private protected public short static super switch synchronized this throw throws "
    "transient true typeof undefined var void volatile Math Object Number Float64Array Infinity NaN left "
    "items each walk view take joined scatter fold contract same remainder logaddexp negative rint".split()
)
"""What JavaScript, or the text around, has a meaning for."""


def runtime() -> str:
    """The functions on arrays that an emitted program calls: text to stand before it."""
    return resources.files("diffkit.autodiff.code").joinpath("arrays.js").read_text(encoding="utf-8")


def javascript(
    program: CodeProgram, name: str | None = None, returned: Mapping[str, Sequence[Any]] | None = None
) -> str:
    """A program as a JavaScript function of its inputs (and seeds), in order.

    Args:
        program: the rows, of :func:`~diffkit.autodiff.code.program.program_of`.
        name: what to call the function; by default what the program is called.
        returned: lists of rows and constants by the names that the answer has them under; by default
            ``out``, the outputs.

    Raises:
        InputError: for a row that JavaScript can't say; it names the row and its line in the program.

    >>> from diffkit.autodiff.views import trace
    >>> javascript(program_of(trace(np.linalg.det)(np.eye(2))))
    Traceback (most recent call last):
    diffkit.errors.InputError: row v1 = det(...) can't be said in JavaScript: there is no det there
    """
    found, _ = identifiers([r.name for r in program.rows])
    names = {id(r): _not_reserved(n, found) for r, n in zip(program.rows, found, strict=True)}
    writer = _Writer(names)
    guards: dict[int, list[tuple[int, Guard]]] = {}
    for k, guard in enumerate(program.guards):
        guards.setdefault(id(guard.row), []).append((k, guard))
    body = ["const left = [];"]
    for row in program.rows:
        if row.fun is not INPUT:
            body.append(f"const {names[id(row)]} = {writer.expression(row)};")
        body += [f"if (!({writer.holds(g)})) left.push({k});" for k, g in guards.get(id(row), ())]
    lists = {"out": program.outputs} if returned is None else returned
    answer = ", ".join(f"{k}: [{', '.join(map(writer.operand, rows))}]" for k, rows in lists.items())
    body.append(f"return {{left, {answer}}};")
    parameters = ", ".join(names[id(r)] for r in program.inputs)
    called = _not_reserved(identifier(name or program.name), found)
    head = [f"function {called}({parameters}) {{"]
    return "\n".join([*writer.constants, *head, *(f"  {line}" for line in body), "}"])


def sweeps(t: WengertList, cotangents: tuple[Any, ...]) -> str:
    """The functions ``values``, ``adjoints`` and ``tangents`` of a trace, row by row.

    ``values(...inputs)`` has ``rows``; ``adjoints(...inputs, ...seeds)`` has ``rows``, ``bars`` (null where
    no output depends on the row) and ``parts``, the contributions in the order of the sweep; and
    ``tangents(...inputs, ...directions)`` has ``rows`` and ``dots``. Each has ``left``.

    Args:
        t: the trace.
        cotangents: seeds, of the outputs' shapes; the text is for all seeds.

    Raises:
        InputError: for a row that JavaScript can't say.
    """
    values = program_of(t)
    adjoint = record_adjoint(t, cotangents)
    back = program_of(adjoint)
    of_back = functools.partial(_rows_of, adjoint, back)
    tangent = tangent_program(t)
    forth = program_of(tangent)
    moving = [r for r in t.nodes if _moves(r.value)]
    count = len(moving)
    dots: list[Any] = [None] * len(t.nodes)
    for row, dot in zip(moving, forth.outputs[count:], strict=True):
        dots[row.index] = dot
    texts = [
        javascript(values, "values", {"rows": values.rows}),
        javascript(
            back,
            "adjoints",
            {
                "rows": of_back(adjoint.primal_rows),
                "bars": of_back(adjoint.adjoint_rows),
                "parts": of_back([c.value for c in adjoint.contributions]),
            },
        ),
        javascript(forth, "tangents", {"dots": dots}),
    ]
    return "\n".join(_own_constants(text, prefix) for text, prefix in zip(texts, "VBD", strict=True))


def _own_constants(text: str, prefix: str) -> str:
    """The constants of one function under names that the others don't use."""
    return re.sub(r"\bK_(\d+)\b", rf"{prefix}_\1", text)


def _rows_of(t: WengertList, program: CodeProgram, rows: Sequence[Any]) -> list[Any]:
    return [program.rows[r.index] if t.owns(r) else r for r in rows]


def _moves(value: object) -> bool:
    return np.asarray(value).dtype.kind == "f"


def tangent_program(t: WengertList) -> WengertList:
    """The forward sweep, recorded: a trace of the inputs' and then the directions' leaves.

    Its outputs are the rows of ``t`` that are real numbers, and then the tangents of them.
    """
    count = len(t.inputs)

    def rows(*leaves: Any) -> list[Any]:
        given = iter(leaves)
        values: list[Any] = []
        for n in t.nodes:
            args = [values[a.index] if t.owns(a) else a for a in n.args]
            values.append(next(given) if n.fun is INPUT else n.fun(*args, **n.kwargs))
        return [v for v, n in zip(values, t.nodes, strict=True) if _moves(n.value)]

    def swept(*leaves: Any) -> Any:
        places = tuple(range(count))
        return make_jvp(rows, argnum=places)(*leaves[:count])(leaves[count:])

    at = [n.value for n in t.inputs]
    directions = [np.ones_like(v)[()] for v in at]
    return record(swept, (*at, *directions), {})


class _Writer:
    """Writes rows as expressions, and gathers the arrays among the constants."""

    def __init__(self, names: dict[int, str]) -> None:
        self.names = names
        self.constants: list[str] = []
        self._known: dict[str, str] = {}

    def operand(self, value: Any) -> str:
        """A row by its name, a number as it is, an array of constants by a name of its own."""
        if type(value) is CodeRow:
            return self.names[id(value)]
        if value is None:
            return "null"
        return number(value) if np.ndim(value) == 0 else self.list(np.asarray(value).ravel().tolist())

    def list(self, numbers: Sequence[Any]) -> str:
        """A list of numbers: short ones as they are, long ones by name."""
        text = f"[{', '.join(map(number, numbers))}]"
        if len(text) <= 40:
            return text
        if text not in self._known:
            self._known[text] = f"K_{len(self._known) + 1}"
            self.constants.append(f"const {self._known[text]} = {text.replace(', ', ',')};")
        return self._known[text]

    def holds(self, guard: Guard) -> str:
        """Whether a decision comes out as it did."""
        value, name = guard.value, self.operand(guard.row)
        if isinstance(value, bool | np.bool_) and not np.ndim(guard.row.value):
            return name if value else f"!{name}"
        if np.ndim(value) == 0 and not np.ndim(guard.row.value):
            return f"{name} === {number(value)}"
        return f"same({name}, {self.list(np.asarray(value).ravel().tolist())})"

    def expression(self, row: CodeRow) -> str:
        """A row as an expression.

        Raises:
            InputError: if there is none.
        """
        try:
            if not row.fun.builtin:
                raise ValueError(f"{row.fun.name} is a function of its own")
            _plain(row)
            return _form(row.fun.name)(self, row)
        except ValueError as error:
            raise InputError(
                f"row {row.name} = {row.fun.name}(...) can't be said in JavaScript: {error}"
            ) from error


def _not_reserved(name: str, taken: Sequence[str]) -> str:
    while name in _RESERVED or re.fullmatch(r"K_\d+", name):
        name += "_"
        while name in taken:
            name += "_"
    return name


def _plain(row: CodeRow) -> None:
    """Raises ValueError for numbers other than JavaScript's: those of double precision."""
    for value in (row.value, *(a.value for a in row.rows)):
        if isinstance(value, tuple | list):
            raise ValueError("it has several answers")
        dtype = np.asarray(value).dtype
        if dtype != np.float64 and dtype.kind not in "bi":
            raise ValueError(f"its numbers are {dtype}")
    if np.asarray(row.value).dtype.kind == "i" and row.fun.name not in (*MOVES, "where", "astype"):
        raise ValueError("its answer is an integer, which does not overflow there as here")


def _form(name: str) -> Callable[[_Writer, CodeRow], str]:
    if name in ELEMENTWISE:
        return _elementwise
    if name in MOVES:
        return moved
    if name in REDUCTIONS:
        return reduction
    if name in _OWN:
        return _OWN[name]
    if name in ("matmul", "dot", "inner", "outer", "vdot", "tensordot", "einsum", "trace"):
        return contraction
    raise ValueError(f"there is no {name} there")


def _elementwise(writer: _Writer, row: CodeRow) -> str:
    if any(v is not None for v in row.kwargs.values()):
        raise ValueError(f"{', '.join(row.kwargs)} is not said there")
    form = ELEMENTWISE[row.fun.name]
    if np.asarray(row.value).dtype.kind == "b" and row.fun.name in ("add", "multiply"):
        form = ELEMENTWISE["logical_or" if row.fun.name == "add" else "logical_and"]
    args = row.args
    if row.fun.name == "power" and type(args[1]) is not CodeRow and np.ndim(args[1]) == 0:
        form = _POWERS.get(float(args[1]), form)
    shape = np.shape(row.value)
    if not shape:
        return form.format(*[_in_brackets(writer.operand(a)) for a in args])
    operands = []
    for a in args[: 1 + max(k for k in range(3) if f"{{{k}}}" in form)]:
        value = a.value if type(a) is CodeRow else a
        text = writer.operand(a)
        if np.shape(value) not in ((), shape):
            text = f"view({text}, {list(shape)}, {_broadcast_strides(np.shape(value), shape)})"
        operands.append(text)
    letters = "xyz"[: len(operands)]
    return f"each({row.value.size}, ({', '.join(letters)}) => {form.format(*letters)}, {', '.join(operands)})"


_POWERS = {2.0: "{0} * {0}", 1.0: "{0}", 0.5: "Math.sqrt({0})", -1.0: "1 / {0}"}
"""What NumPy does for these exponents."""


def _in_brackets(text: str) -> str:
    return f"({text})" if text[0] == "-" else text


def _broadcast_strides(shape: tuple[int, ...], wide: tuple[int, ...]) -> list[int]:
    places = np.arange(int(np.prod(shape))).reshape(shape)
    return [s // places.itemsize for s in np.broadcast_to(places, wide).strides]


def _scatter(writer: _Writer, row: CodeRow) -> str:
    g, index, like = row.args
    like = like.value if type(like) is CodeRow else like
    places = np.arange(np.size(like)).reshape(np.shape(like))[index]
    shape = np.shape(g.value if type(g) is CodeRow else g)
    where = np.broadcast_to(places, shape) if np.shape(places) != shape else places
    return f"scatter({writer.operand(g)}, {np.size(like)}, {writer.list(np.ravel(where).tolist())})"


def _astype(writer: _Writer, row: CodeRow) -> str:
    x = row.args[0]
    text = writer.operand(x)
    kind, was = np.asarray(row.value).dtype.kind, np.asarray(x.value if type(x) is CodeRow else x).dtype.kind
    if (kind == "b" and was != "b") or (kind == "i" and was == "f"):
        raise ValueError(f"it makes {np.asarray(row.value).dtype} of what is not")
    return text if np.shape(row.value) else f"Number({text})"


def _norm(writer: _Writer, row: CodeRow) -> str:
    x, *rest = row.args
    if any(r is not None and r is not False for r in (*rest, *row.kwargs.values())):
        raise ValueError("it is another norm than the Euclidean one")
    squares = f"each({np.size(x.value)}, x => x * x, {writer.operand(x)})"
    return f"Math.sqrt(fold({squares}, {np.size(x.value)}, (x, y) => x + y)[0])"


def _any_minus_inf(writer: _Writer, row: CodeRow) -> str:
    return f"items({writer.operand(row.args[0])}).some(x => x === -Infinity)"


_OWN: dict[str, Callable[[_Writer, CodeRow], str]] = {
    "scatter": _scatter,
    "astype": _astype,
    "norm": _norm,
    "any_minus_inf": _any_minus_inf,
}
