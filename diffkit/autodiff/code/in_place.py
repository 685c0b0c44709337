"""Assignments in emitted code: written in place where nobody reads what was there before, else on a copy.

A row "u with u[1:-1] replaced" is a new array. Where the row is the last to read u, or a view of it, and u's
memory is the program's own, the same is to be had by writing into u.
"""

from __future__ import annotations

import numpy as np

from diffkit.autodiff.code.program import VIEWS, CodeProgram, CodeRow
from diffkit.autodiff.code.row_expressions import Writer, index_text
from diffkit.autodiff.recording.tracer import InPlace

_NEW = frozenset("copy concatenate stack where matmul dot scatter astype cumsum sort".split())
"""Functions whose answer is an array that nobody else has; those with a line in the table are others."""


def overwriting(program: CodeProgram, inline: frozenset[int]) -> frozenset[int]:
    """The rows, by ``id``, that can be written in place: nothing after them reads what they replace.

    Args:
        program: the program.
        inline: its rows that are written where they are used, and so read later than they stand.
    """
    owner: dict[int, int] = {}  # of each row, the row whose memory it may share
    read_by: dict[int, list[int]] = {}  # of a row that is written where it is used, what it reads
    last: dict[int, int] = {}
    for at, row in enumerate(program.rows):
        owners = [i for a in row.args if type(a) is CodeRow for i in read_by.get(id(a), [owner[id(a)]])]
        if id(row) in inline:
            read_by[id(row)] = owners
        else:
            last.update(dict.fromkeys(owners, at))
        whole = row.args[0] if row.args and row.fun.name in VIEWS else None
        owner[id(row)] = owner[id(whole)] if type(whole) is CodeRow else id(row)
    for output in program.outputs:
        if type(output) is CodeRow:
            last.update(dict.fromkeys(read_by.get(id(output), [owner[id(output)]]), len(program.rows)))
    return frozenset(
        id(row)
        for at, row in enumerate(program.rows)
        if type(row.fun) is InPlace
        and type(base := row.args[0]) is CodeRow
        and id(base) not in inline
        and owner[id(base)] == id(base)
        and last[id(base)] == at
        and (type(base.fun) is InPlace or (_is_array(base) and _is_new(base)))
    )


def _is_array(value: object) -> bool:
    """What NumPy computes of arrays without axes is a number, which can't be written to."""
    return isinstance(value.value if type(value) is CodeRow else value, np.ndarray)


def _is_new(row: CodeRow) -> bool:
    return row.fun.name in _NEW or row.fun.line is not None


def assignment(row: CodeRow, name: str, writer: Writer, *, in_place: bool) -> list[str]:
    """The statements of a row that replaces places of an array.

    Args:
        row: the row.
        name: what it is called; if it is written in place, the name of the array that it writes into.
        writer: writes its operands.
        in_place: whether it is.
    """
    base, value, index = row.args
    write = f"{name}[{index_text(writer, index)}] = {writer.operand(value)}"
    if in_place:
        return [write]
    is_array = (type(base) is CodeRow and type(base.fun) is InPlace) or _is_array(base)
    copy = writer.before(base, ".copy()") if is_array else f"np.array({writer.operand(base)})"
    return [f"{name} = {copy}", write]
