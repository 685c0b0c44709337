"""A program as a function that checks whether it may be called, and computes: what ``dk.compile`` calls.

The function takes a call's positional and keyword arguments and gives :data:`MISS` unless they have the
structure, types, dtypes and shapes that were traced, its constants are what they were, and the program
decides as it did then. What it checks, it checks as soon as that is known, in straight-line code.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from diffkit.autodiff.bits import same_bits
from diffkit.autodiff.code.identifiers import identifiers
from diffkit.autodiff.code.in_place import assignment, overwriting
from diffkit.autodiff.code.program import VIEWS, CodeProgram, CodeRow, Guard
from diffkit.autodiff.code.row_expressions import Writer
from diffkit.autodiff.compiled.entry import MISS, OWN_NAMES, Entry
from diffkit.autodiff.recording.constants import copied_as_laid_out
from diffkit.autodiff.recording.tracer import GETITEM, INPUT, PART, UFUNCS, InPlace
from diffkit.containers import Structure, flatten


class Emitted:
    """An emitted function and its text.

    Attributes:
        run: ``run(args, kwargs)``, the answer or ``MISS``.
        text: its source.
        rows: how many rows of the trace it computes.
    """

    __slots__ = ("rows", "run", "text")

    def __init__(self, run: Callable[..., Any], text: str, rows: int) -> None:
        self.run = run
        self.text = text
        self.rows = rows


def emit(
    program: CodeProgram,
    arguments: Sequence[Any],
    structure: Structure,
    answer: object,
    roots: Sequence[Any],
    *,
    keywords: bool = False,
    mentioned: frozenset[str] = frozenset(),
) -> Emitted:
    """Compiles a program.

    Args:
        program: the program.
        arguments: the leaves of the arguments: rows, and constants.
        structure: how they were nested: a tuple of the positional arguments and, if there are any, the
            dictionary of the keyword arguments.
        answer: what the function itself returned, whose types are those that a call returns.
        roots: what each output shares its memory with in the trace, as :func:`root_of` tells.
        keywords: whether there are keyword arguments.
        mentioned: the attributes that the function reads, to be compared in objects among the constants.
    """
    computed = [r for r in program.rows if r.fun is not INPUT]
    found, taken = identifiers([*OWN_NAMES, *(r.name for r in program.rows)])
    names = {id(r): name for r, name in zip(program.rows, found[len(OWN_NAMES) :], strict=True)}
    varying = {id(r) for r in computed if may_vary(r)}  # checked once they are there, so they need a name
    writer = Writer(names, taken | {"np", "math"}, program.inline - varying, quick=True)
    lines = Entry(writer, mentioned).check(arguments, structure, keywords)
    guards: dict[int, list[Guard]] = {}
    for guard in program.guards:
        guards.setdefault(id(guard.row), []).append(guard)
    for row in program.inputs:
        for guard in guards.get(id(row), ()):
            lines.append(_decided(guard, writer))
    read_last = _read_last(program, writer.inline)
    in_place = overwriting(program, writer.inline)
    free: list[str] = []
    for row in computed:
        if id(row) in writer.inline:
            continue
        done = read_last.get(id(row), [])
        if type(row.fun) is InPlace:
            if id(row) in in_place:  # it has the name of what it writes into, which is not free then
                names[id(row)] = names[id(row.args[0])]
                done = [i for i in done if i != id(row.args[0])]
            elif free:
                names[id(row)] = free.pop()
            lines += assignment(row, names[id(row)], writer, in_place=id(row) in in_place)
            free += [names[i] for i in done]
        else:
            text = writer.expression(row)[0]
            free += [names[i] for i in done]
            if free:
                names[id(row)] = free.pop()
            lines.append(f"{names[id(row)]} = {text}")
        if id(row) in varying:
            lines.append(_alike(row, writer))
        for guard in guards.get(id(row), ()):
            lines.append(_decided(guard, writer))
    lines.append(f"return {_returned(program, answer, roots, writer)}")
    text = "def run(args, kwargs):\n" + "".join([f"    {line}\n" for line in lines])
    scope: dict[str, Any] = {"np": np, "math": math, "MISS": MISS}
    scope |= {name: _of_its_own(value) for name, value in writer.bound.items()}
    exec(compile(text, f"<compiled {program.name}>", "exec"), scope)
    return Emitted(scope["run"], text, len(computed))


def _read_last(program: CodeProgram, inline: frozenset[int]) -> dict[int, list[int]]:
    """For each statement, the rows that it is the last to read, all by ``id``: their names are free then.

    A value is gone as soon as its name is used again, so its memory is soon used again, too, while it is
    in the processor's cache. On the adjoint of a long scalar program that saves a tenth of the time.
    """
    read: dict[int, list[int]] = {}  # by a row that is written where it is used
    last: dict[int, int] = {}
    for row in program.rows:
        operands: list[int] = []
        for a in row.args:
            if type(a) is CodeRow and a.fun is not INPUT:
                operands += read[id(a)] if id(a) in inline else [id(a)]
        if id(row) in inline:
            read[id(row)] = operands
        else:
            last.update(dict.fromkeys(operands, id(row)))
    returned = {id(output) for output in program.outputs}
    found: dict[int, list[int]] = {}
    for row_id, statement in last.items():
        if row_id not in returned:
            found.setdefault(statement, []).append(row_id)
    return found


def _of_its_own(value: Any) -> Any:
    """A constant that nobody else can change: the checks compare with what it was."""
    if type(value) in (list, tuple):
        return type(value)(map(_of_its_own, value))
    if not isinstance(value, np.ndarray):
        return value
    if value.size > 1 and not any(value.strides):  # broadcast: one number in memory
        return np.broadcast_to(value.flat[0], value.shape)
    return copied_as_laid_out(value)


# -- the path ---------------------------------------------------------------------------------------------


def _decided(guard: Guard, writer: Writer) -> str:
    """Gives up if the program would decide otherwise here."""
    name = writer.operand(guard.row)
    if isinstance(guard.value, bool | np.bool_):
        return f"if {'not ' if guard.value else ''}{name}: return MISS"
    if isinstance(guard.value, int | np.integer):
        return f"if {name} != {int(guard.value)}: return MISS"
    return f"if not {writer.bind('unchanged', _exactly(_of_its_own(guard.value)))}({name}): return MISS"


def _exactly(value: object) -> Callable[[Any], bool]:
    return lambda given: same_bits(given, value)


_SAME_SHAPE_ALWAYS = frozenset(
    """
    matmul less less_equal greater greater_equal equal not_equal logical_and logical_or logical_xor
    logical_not sum mean prod max min amax amin var std cumsum cumprod sort argsort argmax argmin
    dot inner outer vdot tensordot einsum reshape ravel squeeze expand_dims transpose
    matrix_transpose swapaxes moveaxis flip fliplr flipud roll rot90 broadcast_to copy where astype
    scatter concatenate stack tile repeat diag diagonal tril triu getitem part floor_divide clip
    real imag conjugate angle isnan isinf isfinite inv det solve cholesky
    """.split()
)
"""Functions whose answers' shapes and dtypes follow from those of their arguments (and from constants)."""


_POWER = UFUNCS[np.power]


def may_vary(row: CodeRow) -> bool:
    """Whether the type or shape of a row can be another although those of the arguments are the same."""
    fun = row.fun
    if not fun.builtin:
        return True
    if fun is _POWER:  # a negative float to a broken power is a complex number
        exponent = row.args[1]
        whole = not isinstance(exponent, CodeRow | np.ndarray) and exponent == int(exponent.real)
        return type(row.value) is float and not whole
    return (
        fun.line is None
        and fun.name not in _SAME_SHAPE_ALWAYS
        and not fun.by_place
        and fun not in (GETITEM, PART)
    )


_FLOATS_MAY_FAIL = frozenset(UFUNCS[u] for u in (np.divide, np.floor_divide, np.remainder, np.power))
_MAY_FAIL = frozenset("inv solve cholesky eig eigh eigvals eigvalsh svd pinv lstsq tensorinv".split())


def may_fail(row: CodeRow) -> bool:
    """Whether computing a row can raise an error: 1 / 0.0 does, and a matrix without an inverse.

    Such a row is computed even if nothing uses it: f raises there, or goes another way.
    """
    if row.fun in _FLOATS_MAY_FAIL:
        return type(row.value) in (float, complex)
    return row.fun.name in _MAY_FAIL


def _alike(row: CodeRow, writer: Writer) -> str:
    name, value = writer.names[id(row)], row.value
    if isinstance(value, np.ndarray):
        dtype = writer.bind("dtype", value.dtype)
        same = f"{name}.shape == {value.shape} and {name}.dtype == {dtype}"
        return f"if not (type({name}) is np.ndarray and {same}): return MISS"
    if isinstance(value, tuple | list):
        return f"if not {writer.bind('alike', _like_parts(value))}({name}): return MISS"
    kind = type(value)
    return f"if type({name}) is not {writer.bind(kind.__name__, kind)}: return MISS"


def _like_parts(value: Any) -> Callable[[Any], bool]:
    shapes = [(np.shape(v), np.asarray(v).dtype) for v in value]
    return lambda given: [(np.shape(v), np.asarray(v).dtype) for v in given] == shapes


# -- what is returned -------------------------------------------------------------------------------------


def root_of(value: object) -> Any:
    """The row (or constant) whose memory a value may share."""
    while type(value) is CodeRow and value.fun.name in VIEWS and value.args:
        value = value.args[0]
    return id(value)


def _returned(program: CodeProgram, answer: object, roots: Sequence[Any], writer: Writer) -> str:
    """The outputs, nested and typed like the function's own answer, none sharing memory that it did not."""
    given: dict[Any, Any] = {}  # the memory that is given away, and what it was in the trace
    inputs = {id(r) for r in program.inputs}
    texts = []
    for output, expected, before in zip(program.outputs, flatten(answer)[0], roots, strict=True):
        text = writer.operand(output)
        value = output.value if type(output) is CodeRow else output
        root = root_of(output)
        if isinstance(value, np.ndarray):
            shared = type(output) is not CodeRow or (root in inputs and before not in inputs)
            if shared or given.setdefault(root, before) != before:
                text = writer.before(output, ".copy()")
        texts.append(_typed(text, value, expected, writer))
    parts = iter(texts)

    def nested(structure: Structure) -> str:
        kind = structure.container
        if kind is None:
            return next(parts)
        inner = [nested(child) for child in structure.children]
        if structure.factory is not None:
            keys = writer.bind("K", structure.keys)
            factory = writer.bind("factory", structure.factory)
            return f"{writer.bind(kind.__name__, kind)}({factory}, zip({keys}, ({', '.join(inner)},)))"
        if issubclass(kind, dict):
            keyed = zip(structure.keys, inner, strict=True)
            made = "{" + ", ".join(f"{writer.constant(k)}: {text}" for k, text in keyed) + "}"
            return made if kind is dict else f"{writer.bind(kind.__name__, kind)}({made})"
        if hasattr(kind, "_make"):
            return f"{writer.bind(kind.__name__, kind)}({', '.join(inner)})"
        made = (
            f"({', '.join(inner)}{',' if len(inner) == 1 else ''})"
            if kind is tuple
            else f"[{', '.join(inner)}]"
        )
        return made if kind in (list, tuple) else f"{writer.bind(kind.__name__, kind)}({made})"

    return nested(program.structure)


def _typed(text: str, value: object, expected: object, writer: Writer) -> str:
    """The text, made of the type that the function's own answer has.

    NumPy's functions make float64 of a Python float, for one, which in a trace stays what it is.
    """
    if type(value) is type(expected):
        return text
    if isinstance(expected, float | int | complex | np.generic):
        return f"{writer.bind(type(expected).__name__, type(expected))}({text})"
    if type(expected) is np.ndarray:
        return f"np.asarray({text})"
    return text
