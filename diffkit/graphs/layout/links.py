"""Light lines across a joined drawing: from a primal value to each adjoint that reads it.

The layout engine is told nothing of them, for they would pull its layers apart. So each is led past
everything else here: of some hundreds of curves the one that runs into the fewest boxes, and then labels.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from diffkit.graphs.layout.positions import Box, Point

Floats = NDArray[np.float64]

_BOX, _LABEL = 400.0, 15.0
"""What a line may grow longer by, in points, for one sample less in a box, or in a label."""

_BENDS = ((0.5, 0.5), (0.2, 0.5), (0.5, 0.2), (0.2, 0.2), (0.9, 0.3), (0.3, 0.9))
"""How far the inner control points of a curve lie from its ends, as parts of the way across."""

_LANES = np.linspace(0.03, 0.97, 25)
"""Where a line may go from frame to frame, as parts of the drawing's extent."""


def lead_past(
    a: Box, b: Box, boxes: Sequence[Box], labels: Sequence[Box], drawing: Box, border: float, direction: str
) -> tuple[Point, ...]:
    """The control points of a line that leaves one box and enters another across the layers.

    Args:
        a: where it begins, on the primal side.
        b: where it ends, on the adjoint side.
        boxes: all that it should not run behind, ``a`` and ``b`` among them.
        labels: what it should rather not cross.
        drawing: what it should stay in.
        border: where the primal side ends, along the axis across.
        direction: of the drawing, "right" or "down".
    """
    across = 1 if direction == "right" else 0  # the axis from the primal side to the adjoint one
    way = np.zeros(2)
    way[across] = 1.0 if (b.x, b.y)[across] >= (a.x, a.y)[across] else -1.0
    best, least = np.empty((0, 2)), np.inf
    for candidates in (_middle_to_middle, _side_to_side, _by_a_lane):  # the plain ones first
        curves = candidates(a, b, way, drawing, border)
        points = _samples(curves)
        outside = points.shape[1] - _inside(points, [drawing], -12.0)  # clear of the frame
        hits = _BOX * (_inside(points, boxes, 0.0) + outside) + _LABEL * _inside(points, labels, 2.0)
        costs = hits + np.linalg.norm(np.diff(points, axis=1), axis=2).sum(axis=1)
        k = int(np.argmin(costs))
        if costs[k] < least:
            best, least = curves[k], float(costs[k])
        if hits[k] == 0 or (candidates is _side_to_side and hits[k] < _BOX):
            break
    return tuple((float(x), float(y)) for x, y in best)


def _middle_to_middle(a: Box, b: Box, way: Floats, drawing: Box, border: float) -> Floats:
    return np.array([_curve(_ends(a, way)[0], _ends(b, -way)[0], *_BENDS[0], way)])


def _side_to_side(a: Box, b: Box, way: Floats, drawing: Box, border: float) -> Floats:
    return np.array(
        [
            _curve(start, end, *bends, way)
            for start, end, bends in itertools.product(_ends(a, way), _ends(b, -way), _BENDS)
        ]
    )


def _by_a_lane(a: Box, b: Box, way: Floats, drawing: Box, border: float) -> Floats:
    """Two curves each, which meet on the border between the sides."""
    curves = []
    low = np.array((drawing.x - drawing.width / 2, drawing.y - drawing.height / 2))
    extent = np.array((drawing.width, drawing.height))
    for lane in _LANES:
        meeting = np.where(way == 0, low + lane * extent, border)
        for start, end in itertools.product(_ends(a, way), _ends(b, -way)):
            first = _curve(start, (meeting, -way), 0.5, 0.5, way)
            curves.append(first[:-1] + _curve((meeting, way), end, 0.5, 0.5, way))
    return np.array(curves)


def _ends(box: Box, towards: Floats) -> list[tuple[Floats, Floats]]:
    """Points of a box's border, each with the way out: on the side towards the other box, and beside it."""
    centre, half = np.array((box.x, box.y)), np.array((box.width, box.height)) / 2
    beside = np.abs(towards[::-1])
    facing = [(centre + half * (towards + part * beside), towards) for part in (0.0, -0.6, 0.6)]
    return facing + [(centre + half * side, side) for side in (beside, -beside)]


def _curve(
    start: tuple[Floats, Floats], end: tuple[Floats, Floats], near: float, far: float, way: Floats
) -> list[Floats]:
    """A cubic curve that leaves both ends in their directions."""
    (p, out), (q, back) = start, end
    reach = max(20.0, abs(float((q - p) @ way)))
    return [p, p + near * reach * out, q + far * reach * back, q]


_T = np.linspace(0.0, 1.0, 33)[:-1]
_BERNSTEIN = np.stack([(1 - _T) ** 3, 3 * _T * (1 - _T) ** 2, 3 * _T**2 * (1 - _T), _T**3])


def _samples(curves: Floats) -> Floats:
    """Points on curves of 1 + 3 n control points each, without the ends."""
    pieces = range(0, curves.shape[1] - 1, 3)
    points = [np.einsum("pt,cpd->ctd", _BERNSTEIN, curves[:, k : k + 4]) for k in pieces]
    return np.concatenate(points, axis=1)[:, 1:]


def _inside(points: Floats, boxes: Sequence[Box], margin: float) -> Floats:
    """For each curve, how many of its points lie in boxes that are enlarged by a margin."""
    x, y = points[..., 0], points[..., 1]
    found = np.zeros(len(points))
    for box in boxes:  # one by one: all at once would take much memory
        near = (np.abs(x - box.x) < box.width / 2 + margin) & (np.abs(y - box.y) < box.height / 2 + margin)
        found += np.count_nonzero(near, axis=1)
    return found
