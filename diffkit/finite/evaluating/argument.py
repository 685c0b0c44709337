"""The point x as difference formulas need it: one flat vector, whatever containers it came in."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from diffkit.containers import describe, flatten, paths
from diffkit.errors import DomainError, InputError


class Argument:
    """The point x as a flat vector, and back.

    Attributes:
        flat: all the numbers of x, in order, in the widest of their dtypes.
        structure: how they were nested.
        dtypes: one for each leaf; whole numbers count as float64.
        shapes: one for each leaf.

    Raises:
        InputError: if a leaf is not a number or an array of numbers, or there is none.
    """

    def __init__(self, x: Any, name: str = "x") -> None:
        leaves, self.structure = flatten(x)
        self.name = name
        self.kinds: list[str] = []
        arrays = []
        for path, leaf in zip(paths(self.structure, name), leaves, strict=True):
            arrays.append(_float_array(leaf, path))
            # np.float64 is a Python float as well, and is handed on as one: that is quicker
            is_python = isinstance(leaf, (int, float, complex))
            self.kinds.append("array" if isinstance(leaf, np.ndarray) else "python" if is_python else "numpy")
        self.dtypes = [a.dtype for a in arrays]
        self.shapes = [a.shape for a in arrays]
        self.sizes = [a.size for a in arrays]
        self.flat = np.concatenate([a.reshape(-1) for a in arrays]) if arrays else np.zeros(0)
        if not self.flat.size:
            raise InputError(f"{name} has no numbers to differentiate by: got {describe(x)}")
        if not np.isfinite(self.flat).all():
            at = int(np.flatnonzero(~np.isfinite(self.flat))[0])
            raise DomainError(f"{self.coordinate_name(at)} is {self.flat[at]}: there is no derivative there")

    @property
    def is_scalar(self) -> bool:
        """Whether x is one bare number."""
        return self.structure.is_leaf and self.shapes[0] == ()

    @property
    def is_complex(self) -> bool:
        """Whether any of x is complex."""
        return self.flat.dtype.kind == "c"

    def real_dtype(self, k: int) -> np.dtype[Any]:
        """The dtype of steps in a leaf."""
        return np.finfo(self.dtypes[k]).dtype

    @cached_property
    def epsilon(self) -> np.ndarray[Any, Any]:
        """The machine epsilon of each coordinate's dtype."""
        eps = [np.finfo(d).eps for d in self.dtypes]
        return np.repeat(np.array(eps, dtype=self.flat.real.dtype), self.sizes)

    @cached_property
    def spacing(self) -> np.ndarray[Any, Any]:
        """The distance from each coordinate to the next number of its dtype."""
        parts = [
            np.spacing(np.abs(p).astype(self.real_dtype(k))) for k, p in enumerate(self.parts(self.flat))
        ]
        return np.concatenate([p.reshape(-1) for p in parts])

    def parts(self, flat: np.ndarray[Any, Any]) -> list[np.ndarray[Any, Any]]:
        """A flat vector cut into the leaves' stretches; further axes follow."""
        if len(self.sizes) == 1:
            return [flat]
        return np.split(flat, np.cumsum(self.sizes)[:-1])

    def rounded(self, flat: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Each coordinate rounded to its own leaf's dtype."""
        if len(set(self.dtypes)) == 1:
            return flat
        kinds = zip(self.parts(flat), self.dtypes, strict=True)
        return np.concatenate([p.astype(d).astype(flat.dtype) for p, d in kinds])

    def coordinate_name(self, i: int) -> str:
        """What the user would call the i-th coordinate: ``x['w'][2, 0]``."""
        for path, size, shape in zip(paths(self.structure, self.name), self.sizes, self.shapes, strict=True):
            if i < size:
                index = np.unravel_index(i, shape)
                return path + (f"[{', '.join(map(str, index))}]" if shape else "")
            i -= size
        raise IndexError(i)

    def build(self, flat: np.ndarray[Any, Any]) -> Any:
        """The argument with these numbers, in its own containers and dtypes."""
        if self.structure.is_leaf:
            return self._leaf(0, flat)
        return self.structure.unflatten([self._leaf(k, p) for k, p in enumerate(self.parts(flat))])

    def _leaf(self, k: int, numbers: np.ndarray[Any, Any]) -> Any:
        if self.kinds[k] == "python":
            return numbers[0].item()
        array = numbers.astype(self.dtypes[k], copy=False).reshape(self.shapes[k])
        return array if self.kinds[k] == "array" else array[()]

    def build_batch(self, points: np.ndarray[Any, Any]) -> Any:
        """Many arguments stacked on a first axis, from points (N, coordinates)."""
        leaves = [
            part.T.astype(dtype, copy=False).reshape(len(points), *shape)
            for part, dtype, shape in zip(self.parts(points.T), self.dtypes, self.shapes, strict=True)
        ]
        return self.structure.unflatten(leaves)

    def like(self, value: Any, name: str) -> np.ndarray[Any, Any]:
        """Real numbers for each coordinate, from one number, or a value nested and shaped like x.

        Raises:
            InputError: if ``value`` is neither.
        """
        if isinstance(value, (int, float)):
            return np.full(self.flat.shape, float(value))
        try:
            if np.ndim(value) == 0 and not isinstance(value, dict):
                return np.full(self.flat.shape, float(value))
            leaves = self.structure.leaves_of(value, name)
            return np.concatenate(
                [
                    np.broadcast_to(np.asarray(leaf, dtype=float), shape).reshape(-1)
                    for leaf, shape in zip(leaves, self.shapes, strict=True)
                ]
            )
        except (TypeError, ValueError):
            raise InputError(
                f"{name} must be one number, or numbers nested and shaped like {self.name}, which is "
                f"{describe(self.build(self.flat))}; got {describe(value)}"
            ) from None

    def shaped(self, columns: np.ndarray[Any, Any], dtypes: bool = True) -> Any:
        """Numbers along the coordinates (the last axis), in x's containers, shapes and dtypes."""
        leaves = []
        for k, part in enumerate(self.parts(columns.T)):
            part = part.T
            array = part.reshape(columns.shape[:-1] + self.shapes[k])
            if dtypes:
                array = array.astype(_kept_dtype(self.dtypes[k], array.dtype), copy=False)
            if array.ndim == 0 and self.kinds[k] != "array":
                array = array.item() if self.kinds[k] == "python" else array[()]
            leaves.append(array)
        return self.structure.unflatten(leaves)


def _kept_dtype(wanted: np.dtype[Any], found: np.dtype[Any]) -> np.dtype[Any]:
    """The caller's dtype, made complex if the values are."""
    return np.result_type(wanted, np.complex64) if found.kind == "c" and wanted.kind != "c" else wanted


def _float_array(leaf: Any, path: str) -> np.ndarray[Any, Any]:
    try:
        array = np.asarray(leaf)
    except Exception:
        array = np.asarray(None)
    if array.dtype.kind in "iu":
        return array.astype(float)
    if array.dtype.kind not in "fc":
        raise InputError(
            f"{path} is {describe(leaf)}: expected a float or an array of floats. Hold other arguments "
            "fixed by writing lambda x: f(x, ...)"
        )
    return array.copy()
