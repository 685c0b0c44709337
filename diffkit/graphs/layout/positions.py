"""Where everything in a drawing stands: boxes, arrows, clusters."""

from __future__ import annotations

from dataclasses import dataclass

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Box:
    """A node's place: centre, width and height; y grows downwards."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Curve:
    """An edge's course: the control points of a chain of cubic Bézier curves.

    Attributes:
        points: 1 + 3 n control points, in the order of the layers.
        tip: where the arrow's head points; it stands at the end of ``points``, or at its beginning
            if ``back``.
        back: see ``tip``.
        label: where its label stands, or None: the middle of its left side in a drawing that points down,
            since it stands to the right of the arrow there; its centre in one to the right.
    """

    points: tuple[Point, ...]
    tip: Point | None
    back: bool
    label: Point | None


@dataclass(frozen=True, slots=True)
class Layout:
    """The places of everything in a drawing.

    Attributes:
        width, height: the size of the drawing.
        boxes: by node id.
        curves: one per edge of the graph, in order.
        clusters: by the cluster's name.
    """

    width: float
    height: float
    boxes: dict[str, Box]
    curves: tuple[Curve, ...]
    clusters: dict[str, Box]
