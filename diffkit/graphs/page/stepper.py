"""``dk.stepper``: a page that steps through a program, forward and back. One file, no network.

The picture is laid out once, here; the page only writes texts into it and lights parts of it. Every
step is replayed from the beginning, so that going back, the slider and a link to a step are the same thing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, replace
from html import escape
from importlib import resources
from pathlib import Path
from typing import Any

from diffkit.autodiff.notation.row_texts import Math, Notation
from diffkit.autodiff.recording.tracer import INPUT
from diffkit.autodiff.views import AdjointTrace, Trace, trace
from diffkit.errors import InputError
from diffkit.files import write_atomically
from diffkit.graphs.formats.svg import to_svg
from diffkit.graphs.layout.layout_engines import lay_out
from diffkit.graphs.metrics import text_width
from diffkit.graphs.model import Graph, Label
from diffkit.graphs.page.played_steps import (
    UNKNOWN,
    Frame,
    adjoint_steps,
    details,
    primal_steps,
    shown,
    tangent_steps,
)
from diffkit.graphs.reading.from_trace import default_cotangents, from_trace

LARGEST = 200
"""Rows beyond which nobody steps through a program."""


class Stepper:
    """A page that steps through a program.

    Attributes:
        trace: the program.
        steps: what the page plays.
        mode: "reverse" or "forward".
        cotangents: the seeds, one per output.
        notes: what there is to say of the point, a sentence each.
    """

    def __init__(
        self,
        t: Trace,
        mode: str = "reverse",
        cotangents: Sequence[Any] | None = None,
        tangents: Sequence[Any] | None = None,
        direction: str | None = None,
        engine: str = "auto",
        notes: Sequence[str] = (),
    ) -> None:
        if mode not in ("reverse", "forward"):
            raise InputError(f'the mode is "reverse" or "forward", not {mode!r}')
        self._refuse_long(t)
        self.trace = t
        self.mode = mode
        self.notes = tuple(notes)
        self.notation = Notation(t)
        self.engine = engine
        self._direction = direction
        self._adjoint: AdjointTrace | None = None
        self.cotangents = default_cotangents(t) if cotangents is None else tuple(cotangents)
        self._tangents = t.unit_tangents() if tangents is None else tuple(tangents)
        primal = primal_steps(t, self.notation)
        if mode == "reverse":
            self._adjoint = t.adjoint(*self.cotangents)
            self.steps = primal + adjoint_steps(t, self.notation, self._adjoint)
        else:
            self.steps = primal + tangent_steps(t, self.notation, self._tangents)

    def _refuse_long(self, t: Trace) -> None:
        if len(t) > LARGEST:
            raise InputError(
                f"{t.name} has {len(t)} rows, too many to step through (at most {LARGEST}); draw it instead"
            )

    def __repr__(self) -> str:
        return f"<stepper of {self.trace.name}, {self.mode} mode: {len(self.steps)} steps>"

    def _initial(self) -> dict[str, str]:
        """What the slots show before the first step: dashes, never zeros."""
        n = self.notation
        mark = n.bar if self.mode == "reverse" else n.dot
        slots = {f"v{row.index}": UNKNOWN for row in self.trace.nodes}
        return slots | {f"d{row.index}": f"{mark(row).text} = {UNKNOWN}" for row in self.trace.nodes}

    def _graph(self) -> tuple[Graph, Graph]:
        """The graph at the end, and the same with the longest text that each slot ever shows."""
        view = "circuit" if self.mode == "reverse" else "tangent"
        graph = from_trace(
            self.trace,
            view,
            direction=self._direction,
            cotangents=self.cotangents,
            tangents=self._tangents,
        )
        initial = self._initial()
        ever: dict[str, list[str]] = {slot: [text] for slot, text in initial.items()}
        for step in self.steps:
            for slot, text in step.slots.items():
                ever[slot].append(text)
        final, longest = [], []
        for node in graph.nodes:
            row = self.trace.nodes[node.row]
            kind = "adjoint" if self.mode == "reverse" else "tangent"
            formula = [label for label in node.labels if label.kind == "formula"]
            slots = (f"v{row.index}", "value"), (f"d{row.index}", kind)
            notes = [label for label in node.labels if label.kind == "note"]

            def labels(choose: Any, first: Any = formula, slots: Any = slots) -> list[Label]:
                return [*first, *(Label(Math(choose(ever[s]), ""), k, s) for s, k in slots)]

            final.append(replace(node, labels=(*labels(lambda texts: texts[-1]), *notes)))
            widest = labels(lambda texts: max(texts, key=lambda text: text_width(text, 15)))
            longest.append(replace(node, labels=(*widest, *notes)))
        return replace(graph, nodes=tuple(final)), replace(graph, nodes=tuple(longest))

    def html(self) -> str:
        """The page."""
        final, longest = self._graph()
        layout = lay_out(longest, self.engine)
        parts = self._parts() | {
            "SVG": to_svg(final, layout, reversible=True),
            "BASIS": f"{min(1100.0, max(360.0, layout.width)):.0f}",
            "WIDTH": f"{layout.width:.0f}",
            "RATIO": f"{layout.width / layout.height:.3f}",
        }
        page = dense("stepper.html")
        # One pass, so that no text of the user's is taken for a placeholder.
        pieces = page.split("%%")
        return "".join(parts[p] if k % 2 else p for k, p in enumerate(pieces))

    def _parts(self) -> dict[str, str]:
        """What stands in the page, but for the picture, by the names of the places."""
        state = self._initial()
        for step in self.steps:
            state |= step.slots
        inputs = ", ".join(f"{self.notation.name(r).text} = {shown(r.value)}" for r in self.trace.inputs)
        return {
            "TITLE": escape(f"{self.trace.name}, step by step"),
            "INPUTS": escape(inputs),
            "NOTES": "".join(f'<p class="note" role="note">{escape(note)}</p>\n' for note in self.notes),
            "SWEEP": "Adjoint" if self.mode == "reverse" else "Tangent",
            "TABLE": "\n".join(self._table_row(row.index, state) for row in self.trace.nodes),
            "LAST": str(len(self.steps)),
            "DATA": _json(self._data()),
            **dict.fromkeys(("KIND", "PANE", "MODES", "LIVE"), ""),
        }

    def _data(self) -> dict[str, Any]:
        """What the page's script reads."""
        return {
            "initial": self._initial(),
            "steps": [_compact(step) for step in self.steps],
            "rows": details(self.trace, self.notation, self._adjoint),
        }

    def _table_row(self, index: int, state: dict[str, str]) -> str:
        row = self.trace.nodes[index]
        name = self.notation.equation(row).text
        kind = "given" if row.fun is INPUT else "computed"
        return (
            f'<tr data-row="{index}" class="{kind}"><td>{escape(name)}</td>'
            f'<td data-slot="v{index}">{escape(state[f"v{index}"])}</td>'
            f'<td data-slot="d{index}">{escape(state[f"d{index}"])}</td></tr>'
        )

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Writes the page, whole or not at all.

        Raises:
            InputError: for a name that does not end in .html, or a path that can't be written.
        """
        if Path(path).suffix not in (".html", ".htm"):
            raise InputError(f"the page is an HTML file, so a name that ends in .html, not {str(path)!r}")
        return write_atomically(path, self.html())

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """What a notebook shows: the page in a frame of its own. Never raises."""
        try:
            frame = (
                f'<iframe srcdoc="{escape(self.html())}" style="width:100%;height:46rem;border:0"></iframe>'
            )
            return {"text/html": frame, "text/plain": repr(self)}
        except Exception as error:
            return {"text/plain": f"{self!r}\nno page: {error}"}


def dense(file: str) -> str:
    """The text of a file of this folder without indentation and lines of comment: a third less of a page."""
    text = resources.files(__package__).joinpath(file).read_text(encoding="utf-8")
    lines = (line.strip() for line in text.splitlines())
    return "".join(f"{line}\n" for line in lines if line and not line.startswith("//"))


def _compact(step: Frame) -> dict[str, Any]:
    return {key: value for key, value in asdict(step).items() if value not in ("", ())}


def _json(data: Any) -> str:
    """JSON that can stand inside a script element, whatever strings are in it."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    for c in "<>&\u2028\u2029":
        text = text.replace(c, f"\\u{ord(c):04x}")
    return text.encode("utf-8", "replace").decode()


def trace_of(what: Any, args: Sequence[Any]) -> Trace:
    """The trace of a function at inputs; a trace itself.

    Raises:
        InputError: for what is neither, and for inputs beside a trace.
    """
    if isinstance(what, Trace):
        if args:
            raise InputError(
                "a trace is stepped through at the inputs that it was recorded at; give no others"
            )
        return what
    if callable(what):
        return trace(what)(*args)
    raise InputError(f"expected a function or a trace to step through, not {what!r}")
