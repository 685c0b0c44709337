"""A row as a Python expression that computes what the trace computed, to the bit.

Operators are written as operators, NumPy's functions by their names. On Python floats the trace uses
the ``math`` module, so that is what is written there. A function that is ours alone is written out
(``code/helpers.py``). One that neither can be imported nor is ours is bound: the text has a name for it,
and :attr:`Writer.bound` the function.
"""

from __future__ import annotations

import functools
import math
import operator
import re
import sys
from collections.abc import Callable, Mapping
from types import FunctionType
from typing import Any

import numpy as np

from diffkit.autodiff.code.helpers import definition, is_helper
from diffkit.autodiff.code.identifiers import identifier
from diffkit.autodiff.code.literals import literal, subscript
from diffkit.autodiff.code.origins import default_of, import_of, numpy_path, original, ufunc_of
from diffkit.autodiff.code.program import CodeRow
from diffkit.autodiff.recording import ieee
from diffkit.autodiff.recording.tracer import GETITEM, PART, READ, UFUNCS, Primitive
from diffkit.autodiff.rules import elementwise

COMPARE, SUM, PRODUCT, UNARY, POWER, ATOM = 1, 2, 3, 4, 5, 6
"""How tightly an expression binds."""

_INFIX: dict[Callable[..., Any], tuple[str, int]] = {
    operator.add: ("+", SUM),
    operator.sub: ("-", SUM),
    operator.mul: ("*", PRODUCT),
    operator.truediv: ("/", PRODUCT),
    operator.floordiv: ("//", PRODUCT),
    operator.mod: ("%", PRODUCT),
    operator.matmul: ("@", PRODUCT),
    operator.pow: ("**", POWER),
    operator.lt: ("<", COMPARE),
    operator.le: ("<=", COMPARE),
    operator.gt: (">", COMPARE),
    operator.ge: (">=", COMPARE),
    operator.eq: ("==", COMPARE),
    operator.ne: ("!=", COMPARE),
}
_PREFIX: dict[Callable[..., Any], str] = {operator.neg: "-", operator.pos: "+"}

_FLOAT_TEXTS = {
    name: f"math.{function_name}"
    for name, function in elementwise._FLOAT_NAMES.items()
    if getattr(math, function_name := getattr(function, "__name__", ""), None) is function
}
"""What computes an elementwise function on a Python float."""

Form = Callable[["Writer", CodeRow], tuple[str, int]]


class Writer:
    """Writes expressions, and gathers what they need.

    Args:
        names: what rows are called, by ``id``.
        taken: names that are in use.
        inline: rows that are written where they are used, by ``id``, in place of a name.
        quick: whether to write what runs quickest where the same bits are to be had in two ways, and not
            what reads best.

    Attributes:
        bound: names for values that are not written out: arrays, functions, objects.
        imports: those of them that can be imported, with the line that does it.
        definitions: those of them that are functions of ours, written out, each after what it calls.
    """

    def __init__(
        self,
        names: dict[int, str],
        taken: set[str],
        inline: frozenset[int] = frozenset(),
        *,
        quick: bool = False,
    ) -> None:
        self.names = names
        self.quick = quick
        self.taken = taken
        self.inline = inline
        self.bound: dict[str, Any] = {}
        self.imports: dict[str, str] = {}
        self.definitions: dict[str, str] = {}
        self._bound_by_id: dict[tuple[str, int], str] = {}

    # -- operands ---------------------------------------------------------------------------------------

    def operand(self, value: object, above: int = 0) -> str:
        """An argument as text, in brackets if it binds no tighter than ``above``."""
        if type(value) is CodeRow:
            if id(value) not in self.inline:
                return self.names[id(value)]
            text, binds = self.expression(value)
            return text if binds > above else f"({text})"
        kind = type(value)
        if kind is float or kind is int:
            text = literal(value) or ""
            return f"({text})" if text[0] == "-" and above >= UNARY else text
        return self.constant(value)

    def before(self, value: object, postfix: str) -> str:
        """An argument before an index, an attribute or a method, which bind tighter than any operator."""
        return self.operand(value, ATOM - 1) + postfix

    def constant(self, value: object) -> str:
        """A constant: a literal if it is short, else a name that is bound to it."""
        if value is None or value is True or value is False:
            return str(value)
        number = isinstance(value, np.ndarray) and value.ndim == 0 and not self.quick
        if number or not _holds_array(value):
            text = literal(value)
            if text is not None and len(text) <= 80:
                return text
        return self.bind("K", value)

    def bind(self, name: str, value: object) -> str:
        """A name for a value; the same one for the same object."""
        key = (name, id(value))
        if key not in self._bound_by_id:
            start = 1 if name == "K" else 0
            text = name + ("1" if start else "")
            while text in self.taken:
                start += 1
                text = f"{name}{start + (not start)}"
            self.taken.add(text)
            self.bound[text] = value
            self._bound_by_id[key] = text
        return self._bound_by_id[key]

    def imported(self, module: str, name: str, value: object) -> str:
        """A name for a value that is to be had from a module."""
        text = self.bind(name, value)
        self.imports[text] = f"from {module} import {name}" + (f" as {text}" if text != name else "")
        return text

    def defined(self, function: FunctionType) -> str:
        """A name for a function of ours that is written out."""
        text = self.bind(function.__name__.strip("_"), function)
        if not self.quick and text not in self.definitions:
            self.definitions[text] = ""  # while it is being written: it may call itself
            try:
                written = definition(function, text, self.defined)
            except ValueError:  # it calls what can't be written out, so it stays bound
                written = ""
            del self.definitions[text]
            if written:
                self.definitions[text] = written
        return text

    # -- rows -------------------------------------------------------------------------------------------

    def expression(self, row: CodeRow) -> tuple[str, int]:
        """A row as text, and how tightly that binds."""
        return _form(row.fun)(self, row)

    def call(self, function: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str:
        """The text of a call."""
        given = [self.operand(a) for a in args]
        for k, v in kwargs.items():
            default = default_of(function, k)
            if type(v) is not type(default) or v != default:
                bare = k == "shape" and len(given) == len(args)  # as everybody writes it
                given.append(self.keyword(v) if bare else f"{k}={self.keyword(v)}")
        return f"{function}({', '.join(given)})"

    def keyword(self, value: object) -> str:
        """A keyword's value."""
        return self.constant(value)


def _holds_array(value: object) -> bool:
    if isinstance(value, tuple | list):
        return any(map(_holds_array, value))
    return isinstance(value, np.ndarray)


# -- forms ------------------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=4096)
def _form(fun: Primitive) -> Form:
    """How the rows of a primitive are written."""
    compute = fun.compute
    if fun in (PART, GETITEM, READ):
        return _subscripted
    if compute in _INFIX:
        return functools.partial(_infix, *_INFIX[compute])
    if compute in _PREFIX:
        return functools.partial(_prefix, _PREFIX[compute])
    if compute is operator.abs:
        return functools.partial(_called, "abs")
    if fun.name in _SPECIAL and fun is _special_primitive(fun.name):
        return _SPECIAL[fun.name]
    ufunc = ufunc_of(fun)
    if ufunc is not None and getattr(compute, "__module__", "") in (elementwise.__name__, ieee.__name__):
        on_float = _FLOAT_TEXTS.get(fun.line.name, "") if fun.line else ""
        return functools.partial(_elementwise, f"np.{ufunc.__name__}", on_float)
    if fun is UFUNCS[np.conjugate]:
        return _conjugated
    if fun is UFUNCS[np.sign]:  # of real numbers, so NumPy's
        return functools.partial(_elementwise, "np.sign", "")
    path = numpy_path(compute)
    if path:
        return functools.partial(_called, path)
    return functools.partial(_called_by_name, fun)


_SIMPLE = re.compile(r"-?[\w.]+")
"""An operand around which linters want no space: x**2."""


def _infix(symbol: str, binds: int, writer: Writer, row: CodeRow) -> tuple[str, int]:
    # A power binds its right side tighter than its left, comparisons don't chain, the rest goes left first.
    left, right = row.args
    if symbol == "**":
        base, exponent = writer.operand(left, POWER), writer.operand(right, UNARY - 1)
        space = "" if _SIMPLE.fullmatch(base) and _SIMPLE.fullmatch(exponent) else " "
        return f"{base}{space}**{space}{exponent}", binds
    left_above = binds if binds == COMPARE else binds - 1
    return f"{writer.operand(left, left_above)} {symbol} {writer.operand(right, binds)}", binds


def _prefix(symbol: str, writer: Writer, row: CodeRow) -> tuple[str, int]:
    return symbol + writer.operand(row.args[0], UNARY), UNARY


def _called(function: str, writer: Writer, row: CodeRow) -> tuple[str, int]:
    return writer.call(function, row.args, row.kwargs), ATOM


def _elementwise(function: str, on_float: str, writer: Writer, row: CodeRow) -> tuple[str, int]:
    """A function that keeps Python floats what they are: by ``math`` where that has it."""
    values = [a.value if type(a) is CodeRow else a for a in row.args]
    if type(row.value) is not float or not all(isinstance(v, float | int) for v in values):
        return writer.call(function, row.args, row.kwargs), ATOM
    finite = math.isfinite(row.value) or not all(map(math.isfinite, values))
    by_numpy = writer.quick and row.by_numpy  # compiled code has the bits of the function, not its trace
    if on_float and len(values) == 1 and type(values[0]) is float and not by_numpy:
        if finite:
            return writer.call(on_float, row.args, row.kwargs), ATOM
        if writer.quick:  # for other numbers too: by math, and where that raises by NumPy
            return writer.call(writer.bind(identifier(row.fun.name), row.fun.compute), row.args, {}), ATOM
    return f"float({writer.call(function, row.args, row.kwargs)})", ATOM


def _conjugated(writer: Writer, row: CodeRow) -> tuple[str, int]:
    z = row.args[0]
    kind = type(z.value if type(z) is CodeRow else z)
    if kind is float:
        return writer.operand(z, ATOM - 1), ATOM
    return (
        writer.before(z, ".conjugate()") if kind is complex else f"np.conjugate({writer.operand(z)})"
    ), ATOM


def _subscripted(writer: Writer, row: CodeRow) -> tuple[str, int]:
    whole, index = row.args
    return writer.before(whole, f"[{index_text(writer, index)}]"), ATOM


def index_text(writer: Writer, index: object) -> str:
    """What stands between the brackets."""
    text = subscript(index)
    return text if text is not None and len(text) <= 80 else _bound_index(writer, index)


def _bound_index(writer: Writer, index: object) -> str:
    """An index with arrays in it: those by name, what is around them as it is."""
    if type(index) is not tuple:
        return writer.constant(index)
    parts = [subscript(part) or writer.constant(part) for part in index]
    return ", ".join(parts) + ("," if len(parts) == 1 else "")


def _called_by_name(fun: Primitive, writer: Writer, row: CodeRow) -> tuple[str, int]:
    """A user's primitive, or what NumPy has no function for: imported, or written out, or else bound."""
    imported = import_of(fun)
    if imported:
        module, path = imported
        name, *methods = path.split(".")
        value = getattr(sys.modules[module], name) if methods else fun.compute
        called = ".".join([writer.imported(module, name, value), *methods])
        return writer.call(called, row.args, row.kwargs), ATOM
    helper = original(fun.compute)
    if is_helper(helper):
        return writer.call(writer.defined(helper), row.args, row.kwargs), ATOM
    return writer.call(writer.bind(identifier(fun.name), fun.compute), row.args, row.kwargs), ATOM


# -- primitives whose call is not that of a NumPy function ----------------------------------------------


def _astype(writer: Writer, row: CodeRow) -> tuple[str, int]:
    x, dtype = row.args
    value = x.value if type(x) is CodeRow else x
    if isinstance(dtype, type):
        return writer.before(x, ".item()"), ATOM
    text = writer.constant(np.dtype(dtype))
    if hasattr(value, "astype"):
        return writer.before(x, f".astype({text})"), ATOM
    return f"np.{np.dtype(dtype).type.__name__}({writer.operand(x)})", ATOM


def _joined(function: str, writer: Writer, row: CodeRow) -> tuple[str, int]:
    """A function whose arrays come in a list."""
    arrays = ", ".join(writer.operand(a) for a in row.args)
    rest = "".join(f", {k}={writer.keyword(v)}" for k, v in row.kwargs.items())
    return f"{function}([{arrays}]{rest})", ATOM


def _einsum(writer: Writer, row: CodeRow) -> tuple[str, int]:
    kwargs = dict(row.kwargs)
    subscripts = writer.constant(kwargs.pop("subscripts"))
    operands = ", ".join(writer.operand(a) for a in row.args)
    rest = "".join(f", {k}={writer.keyword(v)}" for k, v in kwargs.items())
    return f"np.einsum({subscripts}, {operands}{rest})", ATOM


def _transpose(writer: Writer, row: CodeRow) -> tuple[str, int]:
    if all(v is None for v in row.kwargs.values()) and _is_array(row):
        return writer.before(row.args[0], ".T"), ATOM
    return writer.call("np.transpose", row.args, row.kwargs), ATOM


def _swapaxes(writer: Writer, row: CodeRow) -> tuple[str, int]:
    if sorted(row.kwargs.values()) == [-2, -1] and len(row.args) == 1 and _is_array(row):
        return writer.before(row.args[0], ".T" if np.ndim(row.value) == 2 else ".mT"), ATOM
    return writer.call("np.swapaxes", row.args, row.kwargs), ATOM


def _reshape(writer: Writer, row: CodeRow) -> tuple[str, int]:
    kwargs = dict(row.kwargs)
    shape = row.args[1] if len(row.args) == 2 else kwargs.pop("shape", None)
    lengths = shape if isinstance(shape, tuple) else (shape,)
    plain = kwargs.pop("order", "C") == "C" and not kwargs and all(type(n) is int for n in lengths)
    if lengths and plain and _is_array(row):
        return writer.before(row.args[0], f".reshape({', '.join(map(str, lengths))})"), ATOM
    return writer.call("np.reshape", row.args, row.kwargs), ATOM


def _is_array(row: CodeRow) -> bool:
    x = row.args[0]
    return isinstance(x.value if type(x) is CodeRow else x, np.ndarray)


_REDUCTIONS = {"sum": "np.add", "prod": "np.multiply", "max": "np.maximum", "min": "np.minimum"}


def _reduced(name: str, writer: Writer, row: CodeRow) -> tuple[str, int]:
    """A sum and its like, which NumPy's function of that name hands on to a ufunc's ``reduce``."""
    if not (writer.quick and _is_array(row) and row.kwargs.keys() <= {"axis", "keepdims"}):
        return writer.call(f"np.{name}", row.args, row.kwargs), ATOM
    x = row.args[0]
    if (x.value if type(x) is CodeRow else x).dtype.kind not in "fc":
        return writer.call(f"np.{name}", row.args, row.kwargs), ATOM
    return writer.call(f"{_REDUCTIONS[name]}.reduce", row.args, {"axis": None, **row.kwargs}), ATOM


def _scatter(writer: Writer, row: CodeRow) -> tuple[str, int]:
    """Its third argument is there for its shape and dtype: those are what is written."""
    g, index, like = row.args
    value = like.value if type(like) is CodeRow else like
    given = np.zeros_like(value)
    if type(like) is CodeRow and type(value) is np.ndarray:
        zeros = f"np.zeros_like({writer.operand(like)})"
    elif isinstance(given, np.ndarray) and given.flags.c_contiguous:
        zeros = literal(given) or writer.constant(given)
    else:
        zeros = writer.constant(given)
    index_text = subscript(index)
    index_text = writer.constant(index) if index_text is None or len(index_text) > 60 else literal(index)
    name = writer.defined(original(_special_primitive("scatter").compute))
    return f"{name}({writer.operand(g)}, {index_text}, {zeros})", ATOM


_SPECIAL: dict[str, Form] = {
    "astype": _astype,
    "reshape": _reshape,
    "concatenate": functools.partial(_joined, "np.concatenate"),
    "stack": functools.partial(_joined, "np.stack"),
    "einsum": _einsum,
    "scatter": _scatter,
    "transpose": _transpose,
    "swapaxes": _swapaxes,
    **{name: functools.partial(_reduced, name) for name in _REDUCTIONS},
}


@functools.cache
def _special_primitive(name: str) -> Primitive:
    """The primitive that a form in ``_SPECIAL`` is for; a user's may have the same name."""
    if name in ("astype", "scatter"):
        from diffkit.autodiff.rules import indexing, shaping

        return shaping.astype if name == "astype" else indexing.scatter
    from diffkit.autodiff.recording.tracer import FUNCTIONS

    entry: Any = FUNCTIONS[getattr(np, name)]
    if isinstance(entry, Primitive):
        return entry
    found = [c.cell_contents for c in entry.__closure__ or () if isinstance(c.cell_contents, Primitive)]
    return found[0]
