"""The adjoint program: a reverse sweep, recorded.

The rules are made of traced operations, so a sweep over nodes of an outer trace writes itself down.
:func:`record_adjoint` replays a trace on such nodes and sweeps it: what it records is the joint
program of the value and the gradient. It remembers what each row is for, so that drawings, tables
and emitted source can tell the primal part from the adjoints, a contribution from a sum.

>>> import diffkit as dk
>>> program = dk.trace(lambda x: x * x)(3.0).adjoint()
>>> [(row.fun.name, role.kind) for row, role in zip(program.nodes, program.roles)]
[('input', 'primal'), ('input', 'cotangent'), ('multiply', 'primal'),
 ('multiply', 'contribution'), ('multiply', 'contribution'), ('add', 'sum')]
>>> program.value
6.0
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

from diffkit.autodiff.core.leaves import zeros_like
from diffkit.autodiff.core.names import distinct
from diffkit.autodiff.core.scatter import Parts
from diffkit.autodiff.core.sweeps import reverse_sweep
from diffkit.autodiff.core.trace import WengertList
from diffkit.autodiff.recording.tracer import INPUT, Node, Recording, is_traced, row_of, stand_in
from diffkit.containers import LEAF, Structure, flatten


@dataclass(frozen=True, slots=True)
class Role:
    """What a row of an adjoint program is for.

    Attributes:
        kind: "primal" (it computes a row of the primal trace), "cotangent" (a seed, an input),
            "contribution" (it computes a VJP, or a step of one) or "sum" (it adds up contributions
            where a value fans out).
        primal: the row of the primal trace that it computes, or to whose adjoint it belongs; for a
            cotangent the output's row, or -1 where the output does not depend on an input.
    """

    kind: str
    primal: int


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one use of a value gives to the value's adjoint: the VJP of row ``source`` by argument ``k``.

    Attributes:
        source: the row of the primal trace that used the value.
        k: as which argument.
        target: the row of the value.
        value: the contribution: a row of the adjoint program, or a constant. It may be the adjoint
            of ``source`` itself, as for an addition, which hands its adjoint on as it is.
    """

    source: int
    k: int
    target: int
    value: Any


class AdjointProgram(WengertList):
    """An adjoint program: a trace whose rows know what they are for.

    Attributes:
        primal: the trace that was swept.
        roles: one :class:`Role` per row.
        primal_rows: per row of the primal trace, its row here (or a constant).
        adjoint_rows: per row of the primal trace, its adjoint: a row here, a constant, or None where
            no output depends on it.
        contributions: in the order in which the sweep made them.
        cotangents: the rows of the seeds.
    """

    primal: WengertList
    roles: list[Role]
    primal_rows: list[Any]
    adjoint_rows: list[Any]
    contributions: list[Contribution]
    cotangents: list[Node]

    @functools.cached_property
    def names(self) -> list[str]:
        """A name for every row, all different: of an adjoint, after the value that it belongs to (x_bar)."""
        return distinct(self.nodes, self._wanted_names())

    def _wanted_names(self) -> list[str | None]:
        """A complete adjoint is x_bar; one contribution to it x_bar_part, some of them added up x_bar_sum.

        The steps of a VJP, such as the cos(x) of a sine, are operations like those of the program itself.
        """
        primal = self.primal.names
        names: list[str | None] = []
        complete: dict[int, int] = {}  # the rows that are a complete adjoint, and of what
        for index, adjoint in enumerate(self.adjoint_rows):
            if self.owns(adjoint):
                complete.setdefault(adjoint.index, index)
        parts = {c.value.index for c in self.contributions if self.owns(c.value)}
        for row, role in zip(self.nodes, self.roles, strict=True):
            if row.fun is INPUT:
                names.append(str(row.args[0]))
            elif role.kind == "primal":
                names.append(primal[role.primal])
            elif row.index in complete:
                names.append(f"{primal[complete[row.index]]}_bar")
            elif role.kind == "sum":
                names.append(f"{primal[role.primal]}_bar_sum")
            else:
                names.append(f"{primal[role.primal]}_bar_part" if row.index in parts else None)
        return names

    def is_adjoint(self, row: Node) -> bool:
        """Whether a row belongs to the reverse sweep."""
        return self.roles[row.index].kind in ("contribution", "sum", "cotangent")

    def kept(self) -> list[Node]:
        """The rows of the primal part that the reverse sweep reads, and so must keep in memory."""
        used = {p.index for row in self.nodes if self.is_adjoint(row) for p in row.parents}
        return [n for n in self.nodes if n.index in used and not self.is_adjoint(n)]


def record_adjoint(t: WengertList, cotangents: tuple[Any, ...]) -> AdjointProgram:
    """Records the replay of ``t`` followed by its reverse sweep from ``cotangents``."""
    with Recording(f"the adjoint of {t.name}") as outer, Recording(t.name) as inner:
        return _record(t, cotangents, outer, inner)


def _record(
    t: WengertList, cotangents: tuple[Any, ...], outer: Recording, inner: Recording
) -> AdjointProgram:
    """The same: the replay's rows are recorded by ``inner``, their values, and the sweep, by ``outer``."""
    roles: list[Role] = []

    def give_roles(kind: str, primal: int, source: int | None = None) -> None:
        """The rows that have come since are for this; they stand where the row ``source`` stands."""
        assert outer.rows is not None
        site = t.nodes[primal if source is None else source]
        for row in outer.rows[len(roles) :]:
            row.code, row.at = site.code, site.at
            roles.append(Role(kind, primal))

    inputs = []
    for n in t.inputs:
        inputs.append(outer.input(n.value, t.names[n.index]))
        give_roles("primal", n.index)
    output_name = dict(zip(map(id, t.outputs), _output_names(t), strict=True))
    seeds: dict[int, Any] = {}
    seed_rows = []
    for index, seed in t.seeds(cotangents).items():
        row = outer.input(seed, f"{output_name[id(t.nodes[index])]}_bar")
        give_roles("cotangent", index)
        seeds[index] = stand_in(row)
        seed_rows.append(row)

    copies: list[Any] = [None] * len(t.nodes)
    given = iter(inputs)
    for n in t.nodes:
        if n.fun is INPUT:
            copies[n.index] = stand_in(inner.input(stand_in(next(given)), n.args[0]))
        else:
            args = [copies[a.index] if t.owns(a) else a for a in n.args]
            copies[n.index] = n.fun(*args, **n.kwargs)
            if is_traced(copies[n.index]):
                row_of(copies[n.index].value)  # a view of what was written to is a row once it is read
        give_roles("primal", n.index)
    rows = inner.close()
    contributions: list[Contribution] = []

    def observe(source: int, k: int, target: int, contribution: Any, total: Any) -> None:
        if type(contribution) is Parts:  # of a row with several answers: the adjoint of one of them
            (contribution,) = contribution.by_place.values()
        contribution, total = row_of(contribution), row_of(total)
        contributions.append(Contribution(source, k, target, contribution))
        assert outer.rows is not None
        is_sum = total is not contribution and type(total) is Node and total.index == len(outer.rows) - 1
        if is_sum:
            last = outer.rows.pop()
            give_roles("contribution", target, source)
            outer.rows.append(last)
            give_roles("sum", target, source)
        else:
            give_roles("contribution", target, source)

    adjoints = reverse_sweep(rows, inner, seeds, observe)
    nodes, decisions = outer.close(), outer.take_decisions()
    adjoint_rows = [row_of(a) for a in adjoints]
    of_inputs = [
        zeros_like(n.value) if adjoints[n.index] is None else adjoint_rows[n.index] for n in t.inputs
    ]
    outputs, outputs_structure = flatten(t.arguments_from(of_inputs))  # None stands for what is constant
    leaves = [*inputs, *seed_rows]
    structure = Structure(tuple, tuple(range(len(leaves))), (LEAF,) * len(leaves), len(leaves))

    # What does not depend on an input has no place among the outputs of the structure.
    out = AdjointProgram(
        nodes, outer, decisions, leaves, outputs, leaves, structure, outputs_structure, f"{t.name}_adjoint"
    )
    out.primal = t
    out.roles = roles
    out.primal_rows = [row_of(r.value) for r in rows]
    out.adjoint_rows = adjoint_rows
    out.contributions = contributions
    out.cotangents = seed_rows
    return out


def _output_names(t: WengertList) -> list[str]:
    return [t.names[o.index] if t.owns(o) else f"y{k + 1}" for k, o in enumerate(t.outputs)]
