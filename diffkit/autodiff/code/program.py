"""A trace on its way to source: rows that passes can drop, merge and replace.

A :class:`CodeProgram` has what is needed to write a trace as code and nothing of how it was recorded. Its
rows refer to each other directly. Passes (``passes.py``) turn a program into another one.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from types import CodeType
from typing import Any

import numpy as np

from diffkit.autodiff.core.adjoint import AdjointProgram
from diffkit.autodiff.core.record import CALLER
from diffkit.autodiff.core.trace import WengertList
from diffkit.autodiff.recording.tracer import INPUT, Decision, Node, Primitive, is_deferred
from diffkit.containers import Structure
from diffkit.sites import belongs_to_diffkit

VIEWS = frozenset(
    "reshape ravel squeeze expand_dims transpose matrix_transpose swapaxes moveaxis flip fliplr flipud rot90 "
    "broadcast_to diagonal real imag getitem part conjugate".split()
)
"""Functions whose answer may share the memory of their first argument."""


@dataclass(slots=True, eq=False)
class CodeRow:
    """One row of a program.

    Attributes:
        fun: the primitive that computes it; ``INPUT`` for an argument.
        args: rows and constants.
        kwargs: constants.
        value: what it was when the program was traced: an example of its type and shape.
        name: what it is called.
        reverse: whether it belongs to the reverse sweep.
        by_numpy: whether the function itself calls NumPy here, and no rule or inner trace does: then a
            Python float gets NumPy's bits where the function is run, and those of ``math`` in a trace.
    """

    fun: Primitive
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    value: Any
    name: str
    reverse: bool = False
    by_numpy: bool = False

    def given(self, args: tuple[Any, ...]) -> CodeRow:
        """The row with other arguments."""
        return CodeRow(self.fun, args, self.kwargs, self.value, self.name, self.reverse, self.by_numpy)

    @property
    def rows(self) -> list[CodeRow]:
        """The rows among the arguments."""
        return [a for a in self.args if type(a) is CodeRow]


@dataclass(frozen=True, slots=True)
class Guard:
    """What a row must be for the program to hold: the trace decided by it.

    Attributes:
        row: the row.
        value: what it was: a bool, an integer, or an array used as an index or mask.
        kind: "branch", "index" or "loop", as in :class:`~diffkit.autodiff.recording.tracer.Decision`.
        site: the user's line.
    """

    row: CodeRow
    value: Any
    kind: str
    decision: Decision

    @property
    def site(self) -> str:
        """The line of the user's program that decided, or that computed what was decided by."""
        own = belongs_to_diffkit(self.decision.code)
        return self.decision.node.site if own else self.decision.site


@dataclass(slots=True)
class CodeProgram:
    """The rows of a trace, what they are given and what they return.

    Attributes:
        name: what to call the function.
        rows: inputs first, then in the order in which they are computed.
        inputs: the rows that are arguments.
        outputs: rows and constants, one per leaf of what is returned.
        structure: how the outputs are nested.
        guards: decisions, in order.
        kept: the rows of the primal part that the reverse sweep reads.
        seeds: inputs with a value that they usually have: the cotangents.
        summary: one line that says what it computes.
        inline: rows that are written where they are used, by ``id``, and not given a name.
        pinned: rows, by ``id``, that are computed even if nothing uses them: the shape of one may be what
            the program depends on.
    """

    name: str
    rows: list[CodeRow]
    inputs: list[CodeRow]
    outputs: list[Any]
    structure: Structure
    guards: list[Guard]
    kept: frozenset[int] = frozenset()
    seeds: list[CodeRow] = field(default_factory=list)
    summary: str = ""
    inline: frozenset[int] = frozenset()
    pinned: frozenset[int] = frozenset()

    def with_rows(self, rows: list[CodeRow], new: dict[int, Any]) -> CodeProgram:
        """The program with other rows. ``new`` tells, by ``id``, what stands for a row that is gone."""

        def now(value: Any) -> Any:
            return new.get(id(value), value) if type(value) is CodeRow else value

        def moved(ids: frozenset[int]) -> frozenset[int]:
            if not ids or not new:
                return ids
            return frozenset([id(now(r)) for r in self.rows if id(r) in ids])

        guards = [replace(g, row=now(g.row)) for g in self.guards if type(now(g.row)) is CodeRow]
        return replace(
            self,
            rows=rows,
            outputs=[now(o) for o in self.outputs],
            guards=guards,
            kept=moved(self.kept),
            pinned=moved(self.pinned),
        )

    def given_away(self) -> set[int]:
        """The rows, by ``id``, whose memory an output shares: whoever called may change it in place."""
        found = set()
        for value in self.outputs:
            while type(value) is CodeRow:
                found.add(id(value))
                value = value.args[0] if value.fun.name in VIEWS and value.args else None
        return found

    def uses(self) -> dict[int, int]:
        """How often each row is used, by ``id``: as an argument, an output or a guard."""
        counts: dict[int, int] = {}
        used: Iterable[Any] = [a for row in self.rows for a in row.args]
        for value in [*used, *self.outputs, *(g.row for g in self.guards)]:
            if type(value) is CodeRow:
                counts[id(value)] = counts.get(id(value), 0) + 1
        return counts


def program_of(t: WengertList) -> CodeProgram:
    """A trace as a program; of an adjoint program, the joint one, of the value and the gradient."""
    adjoint = t if isinstance(t, AdjointProgram) else None
    names = t.names
    recording = t.recording
    rows: list[CodeRow] = []
    for n in t.nodes:
        fun = n.fun
        own = [rows[a.index] if type(a) is Node and a.recording is recording else a for a in n.args]
        args = tuple(own) if fun is not INPUT else ()
        reverse = adjoint is not None and adjoint.is_adjoint(n)
        value = n.form.example() if is_deferred(n) else n.value
        rows.append(CodeRow(fun, args, n.kwargs, value, names[n.index], reverse, not _is_own(n.code)))

    def now(value: Any) -> Any:
        return rows[value.index] if t.owns(value) else value

    guards = [
        Guard(row, d.value, d.kind, d)
        for value, d in _decisions(t)
        if type(row := rows[value.index] if t.owns(value) else value) is CodeRow
    ]
    inputs = [rows[n.index] for n in t.inputs]
    outputs = [now(o) for o in t.outputs]
    at = ", ".join(f"{r.name} = {_brief(r.value)}" for r in inputs[:4]) + ", ..." * (len(inputs) > 4)
    if adjoint is None:
        summary = f"What {t.name} computes, as traced at {at}" + "." * (at[-3:] != "...")
        return CodeProgram(t.name, rows, inputs, outputs, t.out_structure, guards, summary=summary)
    primal = adjoint.primal
    values = [now(adjoint.primal_rows[o.index]) if primal.owns(o) else o for o in primal.outputs]
    gradient = t.out_structure
    if gradient.size != len(outputs):  # an argument that is no input has None for a gradient
        given = iter(outputs)
        outputs = [next(given) if primal.owns(a) else None for a in primal.arguments]
    nested = Structure(tuple, (0, 1), (primal.out_structure, gradient), len(values) + len(outputs))
    inputs_of_primal = inputs[: len(primal.inputs)]
    seeds = inputs[len(primal.inputs) :]
    at = ", ".join(f"{r.name} = {_brief(r.value)}" for r in inputs_of_primal[:4])
    at += ", ..." * (len(inputs_of_primal) > 4)
    return CodeProgram(
        t.name,
        rows,
        inputs,
        [*values, *outputs],
        nested,
        guards,
        kept=frozenset(id(rows[n.index]) for n in adjoint.kept()),
        seeds=seeds,
        summary=f"The value and the gradient of {primal.name}, as traced at {at}" + "." * (at[-3:] != "..."),
    )


def _decisions(t: WengertList) -> list[tuple[Any, Decision]]:
    """The decisions of a trace and, for an adjoint program, those of the trace that it replays."""
    replayed = _decisions(t.primal) if isinstance(t, AdjointProgram) else []
    own = [(d.node, d) for d in t.decisions if t.owns(d.node)]
    return [(t.primal_rows[n.index], d) for n, d in replayed if t.primal.owns(n)] + own  # type: ignore[attr-defined]


@functools.lru_cache(maxsize=4096)
def _is_own(code: CodeType) -> bool:
    """Whether diffkit calls NumPy there of itself; when what is traced is np.sin, ``record`` does."""
    return belongs_to_diffkit(code) and code is not CALLER


def _brief(value: Any) -> str:
    shape = np.shape(value)
    return f"array {shape}" if shape else f"{value:.6g}"
