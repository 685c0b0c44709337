"""Passes: small changes to a program, each with a name, to be switched on one by one.

Each says whether it changes results. Most don't, by a single bit; :data:`PASSES` has them all:

>>> for name, p in PASSES.items():
...     print(f"{name:10} {p.summary}")
seeds      cotangents become the numbers that they were
constants  rows of constants only are computed once and for all
identities x * 1, x / 1, x ** 1, +x and -(-x) are x; x * -1 is -x
signs      x + -y is x - y, -x + y is y - x, x - -y is x + y
zeros      x + 0 and x - 0 are x
powers     x ** 2 is x * x
broadcasts an array is not broadcast where an operator does so by itself
common     rows that compute the same are merged
dead       rows that nothing uses are dropped
inline     a row that is used once is written where it is used

>>> from diffkit.autodiff.views import trace
>>> t = trace(lambda x: np.sin(x) * x)(2.0).adjoint()
>>> from diffkit.autodiff.code.source import trace_source
>>> print(trace_source(t, "f", passes=["seeds", "identities", "dead", "inline"]))
import math
<BLANKLINE>
<BLANKLINE>
def f(x):
    \"\"\"The value and the gradient of <lambda>, as traced at x = 2.\"\"\"
    # the program itself
    v1 = math.sin(x)  # kept for the reverse sweep
    v2 = v1 * x
    # the reverse sweep
    x_bar = v1 + x * math.cos(x)
    return v2, x_bar
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from diffkit.autodiff.code.program import CodeProgram, CodeRow
from diffkit.autodiff.recording.tracer import (
    FUNCTIONS,
    GETITEM,
    INPUT,
    PART,
    READ,
    UFUNCS,
    InPlace,
    Primitive,
)
from diffkit.errors import InputError

Replace = Callable[[CodeRow], Any]


@dataclass(frozen=True, slots=True)
class Pass:
    """A change to a program, by name.

    Attributes:
        name: what it is called.
        run: the change.
        summary: what it does, in one line.
        changes: how results can differ, and why; "" if they don't, by a single bit.
    """

    name: str
    run: Callable[[CodeProgram], CodeProgram]
    summary: str
    changes: str = ""


PASSES: dict[str, Pass] = {}
"""All passes by name, in an order in which they go well."""


def apply_passes(program: CodeProgram, names: Sequence[str]) -> CodeProgram:
    """The program after the passes of these names, in this order.

    Raises:
        InputError: for a name that is none; it lists those that are.
    """
    if isinstance(names, str):
        raise InputError(f"passes are given as a list of names, like [{names!r}], not as one string")
    for name in names:
        if name not in PASSES:
            raise InputError(f"there is no pass {name!r}; there are {', '.join(PASSES)}")
        program = PASSES[name].run(program)
    return program


def _pass(
    name: str, summary: str, changes: str = ""
) -> Callable[[Callable[[CodeProgram], CodeProgram]], Any]:
    def register(run: Callable[[CodeProgram], CodeProgram]) -> Callable[[CodeProgram], CodeProgram]:
        PASSES[name] = Pass(name, run, summary, changes)
        return run

    return register


def _replaced(program: CodeProgram, instead: Replace) -> CodeProgram:
    """The program with what ``instead`` gives in place of each row: the row itself, another, a constant.

    ``instead`` is given the row with its arguments already replaced.
    """
    new: dict[int, Any] = {}
    rows = []
    for row in program.rows:
        current = row
        for a in row.args:
            if id(a) in new:
                current = row.given(tuple([new.get(id(a), a) for a in row.args]))
                break
        answer = instead(current)
        if type(answer) is CodeRow and (answer is current or answer.name == current.name):
            rows.append(answer)
        if answer is not row:
            new[id(row)] = answer
            if current is not row:
                new[id(current)] = answer
    return program.with_rows(rows, new) if new else program


@functools.cache
def _arithmetic() -> dict[Primitive, str]:
    """The primitives that the passes know by name."""
    names = ("positive", "negative", "add", "subtract", "multiply", "divide", "power")
    return {UFUNCS[getattr(np, name)]: name for name in names}


# -- the passes -------------------------------------------------------------------------------------------


@_pass("seeds", "cotangents become the numbers that they were")
def _seeds(program: CodeProgram) -> CodeProgram:
    seeds = {id(s) for s in program.seeds}
    done = _replaced(program, lambda row: row.value if id(row) in seeds else row)
    inputs = [r for r in program.inputs if id(r) not in seeds]
    return replace(done, inputs=inputs, seeds=[])


@_pass("constants", "rows of constants only are computed once and for all")
def _constants(program: CodeProgram) -> CodeProgram:
    def instead(row: CodeRow) -> Any:
        for a in row.args:
            if type(a) is CodeRow:
                return row
        return row.value if row.fun.builtin and row.fun is not INPUT else row

    return _replaced(program, instead)


@_pass("identities", "x * 1, x / 1, x ** 1, +x and -(-x) are x; x * -1 is -x")
def _identities(program: CodeProgram) -> CodeProgram:
    known = _arithmetic()
    exposed = program.given_away()
    given_away = {r.name for r in program.rows if id(r) in exposed}

    def alike(row: CodeRow, x: object) -> bool:
        return _alike(row, x, row.name in given_away)

    def instead(row: CodeRow) -> Any:
        name = known.get(row.fun)
        if name is None or name == "add" or name == "subtract":
            return row
        x = row.args[0]
        if name == "positive":
            return x if alike(row, x) else row
        if name == "negative":
            twice = type(x) is CodeRow and x.fun is row.fun and alike(row, x.args[0])
            return x.args[0] if twice else row
        y = row.args[1]
        if type(y) is not CodeRow and _is_number(y, 1) and alike(row, x):
            return x
        if name != "multiply":
            return row
        if type(x) is not CodeRow and _is_number(x, 1) and alike(row, y):
            return y
        other, factor = (y, x) if type(y) is CodeRow else (x, y)
        if type(factor) is not CodeRow and _is_number(factor, -1) and _alike(row, other, given_away=False):
            return replace(row, fun=UFUNCS[np.negative], args=(other,))
        return row

    return _replaced(program, instead)


@_pass("signs", "x + -y is x - y, -x + y is y - x, x - -y is x + y")
def _signs(program: CodeProgram) -> CodeProgram:
    known = _arithmetic()

    def opposite(a: object) -> Any:
        return (
            a.args[0] if type(a) is CodeRow and known.get(a.fun) == "negative" and _kind(a) in "fc" else None
        )

    def instead(row: CodeRow) -> Any:
        name = known.get(row.fun)
        if name != "add" and name != "subtract":
            return row
        x, y = row.args
        bare = opposite(y)
        if bare is not None:
            other = np.subtract if name == "add" else np.add
            return replace(row, fun=UFUNCS[other], args=(x, bare))
        bare = opposite(x) if name == "add" else None
        return row if bare is None else replace(row, fun=UFUNCS[np.subtract], args=(y, bare))

    return _replaced(program, instead)


@_pass(
    "zeros",
    "x + 0 and x - 0 are x",
    "0.0 + x is 0.0 where x is -0.0, so the sign of a zero may change; no other result does.",
)
def _zeros(program: CodeProgram) -> CodeProgram:
    known = _arithmetic()
    exposed = program.given_away()
    given_away = {r.name for r in program.rows if id(r) in exposed}

    def instead(row: CodeRow) -> Any:
        name = known.get(row.fun)
        if name != "add" and name != "subtract":
            return row
        x, y = row.args
        if _is_number(y, 0) and _alike(row, x, row.name in given_away):
            return x
        if _is_number(x, 0) and name == "add" and _alike(row, y, row.name in given_away):
            return y
        return row

    return _replaced(program, instead)


@_pass(
    "powers",
    "x ** 2 is x * x",
    "A product is rounded correctly, a library's power nearly: on Python floats the last bit may differ, "
    "on arrays nothing does, since NumPy squares by a product itself.",
)
def _powers(program: CodeProgram) -> CodeProgram:
    known = _arithmetic()

    def instead(row: CodeRow) -> Any:
        if known.get(row.fun) == "power" and type(row.args[0]) is CodeRow:
            x, y = row.args
            if type(y) in (int, float) and y == 2 and _kind(x) in "fc":
                return replace(row, fun=UFUNCS[np.multiply], args=(x, x))
        return row

    return _replaced(program, instead)


_BROADCASTING = ("add", "subtract", "multiply", "divide", "equal", "not_equal")


@_pass("broadcasts", "an array is not broadcast where an operator does so by itself")
def _broadcasts(program: CodeProgram) -> CodeProgram:
    operators = {UFUNCS[getattr(np, name)] for name in _BROADCASTING}
    shaping = FUNCTIONS[np.broadcast_to]

    def bare(row: CodeRow, k: int) -> Any:
        a = row.args[k]
        if type(a) is not CodeRow or a.fun is not shaping:
            return a
        x, other = a.args[0], row.args[1 - k]
        before = x.value if type(x) is CodeRow else x
        # A Python float would not keep the dtype that its array had.
        if getattr(before, "dtype", None) != a.value.dtype:
            return a
        beside = other.value if type(other) is CodeRow else other
        fits = np.broadcast_shapes(np.shape(before), np.shape(beside)) == np.shape(row.value)
        return x if fits else a

    def instead(row: CodeRow) -> Any:
        if row.fun not in operators:
            return row
        x = bare(row, 0)
        now = row if x is row.args[0] else replace(row, args=(x, row.args[1]))
        y = bare(now, 1)
        return now if y is now.args[1] else replace(now, args=(now.args[0], y))

    return _replaced(program, instead)


@_pass("common", "rows that compute the same are merged")
def _common(program: CodeProgram) -> CodeProgram:
    known: dict[Any, CodeRow] = {}

    def instead(row: CodeRow) -> Any:
        if row.fun is INPUT or not row.fun.builtin:
            return row
        key: Any = (row.fun, row.by_numpy, *map(_key, row.args))
        if row.kwargs:
            key = (key, tuple((k, _key(v)) for k, v in row.kwargs.items()))
        return known.setdefault(key, row)

    return _replaced(program, instead)


@_pass("dead", "rows that nothing uses are dropped")
def _dead(program: CodeProgram) -> CodeProgram:
    needed = {id(o) for o in program.outputs if type(o) is CodeRow}
    needed |= {id(g.row) for g in program.guards} | program.pinned
    rows = []
    for row in reversed(program.rows):
        if id(row) in needed or row.fun is INPUT:
            rows.append(row)
            needed.update([id(a) for a in row.args if type(a) is CodeRow])
    return program.with_rows(rows[::-1], {})


_LONGEST_INLINE = 4
"""Operations in the longest expression that the pass ``inline`` writes."""


@_pass("inline", "a row that is used once is written where it is used")
def _inline(program: CodeProgram) -> CodeProgram:
    return inlined(program, _LONGEST_INLINE)


def inlined(program: CodeProgram, longest: int) -> CodeProgram:
    """The pass ``inline``, with expressions of at most ``longest`` operations."""
    uses = program.uses()
    fixed = {id(o) for o in program.outputs} | {id(g.row) for g in program.guards}
    sizes: dict[int, int] = {}
    inline: set[int] = set()
    for row in program.rows:
        size = 1
        for a in row.args:
            once = type(a) is CodeRow and a.fun is not INPUT and uses.get(id(a)) == 1 and id(a) not in fixed
            once = once and type(a.fun) is not InPlace  # which is a statement
            # A part of the program itself stays there: the reverse sweep reads it where it is kept.
            if once and a.reverse is row.reverse and size + sizes[id(a)] <= longest:
                inline.add(id(a))
                size += sizes[id(a)]
        sizes[id(row)] = size
    return replace(program, inline=frozenset(inline))


EXACT = tuple(name for name, p in PASSES.items() if not p.changes)
"""The passes that don't change a bit of the results."""


# -- what the passes ask ----------------------------------------------------------------------------------


def _kind(x: object) -> str:
    value = x.value if type(x) is CodeRow else x
    return np.asarray(value).dtype.kind


def _is_number(value: object, number: int) -> bool:
    """Whether a constant is this number, or an array of nothing else."""
    if type(value) in (int, float, complex):
        return bool(value == number)
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in "fciu":
        return bool(np.all(value == number))
    return False


def _alike(row: CodeRow, x: object, given_away: bool) -> bool:
    """Whether x can stand for the row: a row of the same type, shape and dtype, laid out alike in memory.

    (A product of matrices, for one, goes through other routines for another layout, to other last bits.)
    If the row's memory is given away, x must have memory of its own: whoever changes an answer in
    place must not change an argument by that.
    """
    if type(x) is not CodeRow or type(row.value) is not type(x.value):
        return False
    if not isinstance(x.value, np.ndarray):
        return True
    if row.value.shape != x.value.shape or row.value.dtype != x.value.dtype:
        return False
    if row.value.strides != x.value.strides:
        return False
    return not given_away or (x.fun not in (INPUT, GETITEM, PART, READ) and x.value.base is None)


def _key(value: object) -> Any:
    """What two arguments have in common if they are the same."""
    if type(value) is CodeRow:
        return id(value)
    if type(value) is float:
        return struct.pack("d", value)
    if isinstance(value, int | str | None):
        return type(value), value
    if isinstance(value, tuple | list):
        return type(value), tuple(map(_key, value))
    if isinstance(value, slice):
        return slice, _key((value.start, value.stop, value.step))
    if isinstance(value, np.ndarray) and value.size <= 64 and value.dtype != object:
        return value.dtype.str, value.shape, value.flags.c_contiguous, value.tobytes()
    if isinstance(value, np.generic):
        return type(value), value.tobytes()
    return "object", id(value)
