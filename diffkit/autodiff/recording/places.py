"""Which places of an array a view of it shows: basic indices, composed.

``A[1:][::2][0]`` is ``A[1]``. A view that was taken by basic indices is a *window*: per axis of the whole
array an integer, where one place was chosen, or ``(start, step, count)``; None where an axis was added.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

Window = tuple[Any, ...]

_INTEGERS = (int, np.integer)


def is_basic(index: Any) -> bool:
    """Whether an index only selects a view, so that no element can occur in it twice."""
    kind = type(index)
    if kind is int or kind is slice:
        return True
    parts = index if kind is tuple else (index,)
    return all(
        p is None or p is Ellipsis or (isinstance(p, (int, slice, np.integer)) and type(p) is not bool)
        for p in parts
    )


def is_element(index: Any, ndim: int) -> bool:
    """Whether a basic index shows a single number of an array."""
    parts = index if type(index) is tuple else (index,)
    return len(parts) == ndim and all(isinstance(p, _INTEGERS) for p in parts)


def whole(shape: Sequence[int]) -> Window:
    """The window that shows all.

    >>> whole((2, 3))
    ((0, 1, 2), (0, 1, 3))
    """
    return tuple((0, 1, n) for n in shape)


def narrowed(window: Window, index: Any) -> Window | None:
    """What a basic index shows of what a window shows; None where that is no window.

    Raises:
        IndexError: if the index is beyond the window.

    >>> narrowed(narrowed(whole((6,)), slice(1, None)), slice(None, None, -2))
    ((5, -2, 3),)
    """
    parts = list(index) if type(index) is tuple else [index]
    axes = sum(type(entry) is not int for entry in window)
    given = sum(p is not None and p is not Ellipsis for p in parts)
    if given > axes:
        raise IndexError(f"too many indices for array: array is {axes}-dimensional, but {given} were indexed")
    fill = [slice(None)] * (axes - given)
    if Ellipsis in [p for p in parts if p is None or p is Ellipsis]:
        k = next(k for k, p in enumerate(parts) if p is Ellipsis)
        parts[k : k + 1] = fill
    else:
        parts += fill
    shown: list[Any] = []
    for entry in window:
        if type(entry) is int:
            shown.append(entry)
            continue
        while parts[0] is None:
            shown.append(parts.pop(0))
        part = parts.pop(0)
        start, step, count = entry or (0, 1, 1)
        if isinstance(part, _INTEGERS):
            k = int(part)
            if not -count <= k < count:
                raise IndexError(f"index {k} is out of bounds for an axis with size {count}")
            if entry is not None:
                shown.append(start + step * (k % count))
            continue
        places = range(*part.indices(count))
        if entry is None:
            if len(places) != 1:
                return None
            shown.append(None)
        else:
            shown.append((start + step * places.start, step * places.step, len(places)))
    return (*shown, *parts)


def index_of(window: Window, shape: Sequence[int]) -> Any:
    """The index of the whole array, of the given shape, by which a window is read and written.

    >>> index_of(((1, 1, 4), (0, 1, 3)), (6, 3)), index_of((2, (5, -1, 6)), (3, 6))
    (slice(1, 5, None), (2, slice(None, None, -1)))
    """
    axis = 0
    parts: list[Any] = []
    for entry in window:
        if entry is None:
            parts.append(None)
            continue
        parts.append(entry if type(entry) is int else _slice(entry, shape[axis]))
        axis += 1
    while parts and parts[-1] == slice(None):
        parts.pop()
    if not parts:
        return Ellipsis
    return parts[0] if len(parts) == 1 else tuple(parts)


def _slice(shown: tuple[int, int, int], n: int) -> slice:
    start, step, count = shown
    if not count:
        return slice(0, 0)
    stop: int | None = start + step * count
    if step > 0:
        if stop is not None and stop >= n:
            stop = None
        return slice(start or None, stop, None if step == 1 else step)
    return slice(None if start == n - 1 else start, None if stop is not None and stop < 0 else stop, step)


def last_to_write(index: Any, shape: Any) -> Any:
    """Which elements of what is assigned stay: where an index occurs twice, the last. True if all do.

    >>> last_to_write([0, 2, 0], (3,))
    array([False,  True,  True])
    """
    if is_basic(index) or not _may_repeat(index):
        return True
    size = int(np.prod(shape))
    at = np.arange(size).reshape(shape)[index]
    turns = np.arange(at.size).reshape(at.shape)
    latest = np.empty(size, int)
    latest[at] = turns
    stays = latest[at] == turns
    return True if np.all(stays) else stays


def _may_repeat(index: Any) -> bool:
    parts = index if type(index) is tuple else (index,)
    return any(isinstance(p, list | np.ndarray) and np.asarray(p).dtype.kind != "b" for p in parts)
