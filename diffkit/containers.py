"""Nested containers, taken apart into their leaves and put together again.

A function's argument may be a float, an array, or any nesting of lists, tuples, dictionaries and
named tuples of them: a model's parameters, say. Each differentiation method works on the flat list
of leaves and gives its answer back in the shape that it was asked in. Everything that is not one
of those containers is a leaf: a float, an array, None, a string, a traced node, a SymPy symbol.

>>> leaves, structure = flatten({"w": [1.0, 2.0], "b": 3.0})
>>> leaves
[1.0, 2.0, 3.0]
>>> structure
{'w': [*, *], 'b': *}
>>> structure.unflatten([10 * leaf for leaf in leaves])
{'w': [10.0, 20.0], 'b': 30.0}
>>> paths(structure, "model")
["model['w'][0]", "model['w'][1]", "model['b']"]
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from diffkit.errors import InputError


@dataclass(frozen=True, slots=True, repr=False)
class Structure:
    """How a value was nested: what is left of it when its leaves are taken out.

    Two structures are equal if they nest the same containers with the same keys in the same order,
    so that equal structures mean that leaves correspond one to one.

    Attributes:
        container: the container's type, or None for a leaf.
        keys: a dictionary's keys, a named tuple's field names, a list's or tuple's positions.
        children: the structures of the entries, in the order of ``keys``.
        size: the number of leaves.
        factory: the ``default_factory`` of a ``defaultdict``, else None.
    """

    container: Any
    keys: tuple[Any, ...]
    children: tuple[Structure, ...]
    size: int
    factory: Callable[[], Any] | None = None

    @property
    def is_leaf(self) -> bool:
        """Whether the value was a leaf, not a container."""
        return self.container is None

    def unflatten(self, leaves: Sequence[Any]) -> Any:
        """The value of this structure with the given leaves.

        Raises:
            InputError: if there are not exactly ``size`` leaves.

        >>> flatten((1.0, [2.0]))[1].unflatten(["a", "b"])
        ('a', ['b'])
        """
        if len(leaves) != self.size:
            raise InputError(f"{len(leaves)} leaves do not fill {self!r}, which has {self.size}")
        return leaves[0] if self.container is None else self._build(iter(leaves))

    def _build(self, leaves: Iterator[Any]) -> Any:
        if self.container is None:
            return next(leaves)
        entries = [child._build(leaves) for child in self.children]
        if self.factory is not None:
            return defaultdict(self.factory, zip(self.keys, entries, strict=True))
        if issubclass(self.container, dict):
            return self.container(zip(self.keys, entries, strict=True))
        if hasattr(self.container, "_make"):  # a named tuple takes its fields one by one
            return self.container._make(entries)
        return self.container(entries)

    def leaves_of(self, value: Any, name: str = "value") -> list[Any]:
        """The leaves of another value of this structure, in this structure's order.

        Dictionaries may come in any order: their entries are matched by key.

        Args:
            value: the value to take apart.
            name: what to call it in an error.

        Raises:
            InputError: naming the first place at which ``value`` is nested differently.

        >>> flatten({"w": 1.0, "b": 2.0})[1].leaves_of({"b": 20.0, "w": 10.0})
        [10.0, 20.0]
        """
        leaves: list[Any] = []
        self._match(value, name, leaves)
        return leaves

    def _match(self, value: Any, name: str, leaves: list[Any]) -> None:
        if self.container is None:
            leaves.append(value)
            return
        found = _open(value)
        fits = found is not None and found[0] is self.container and len(found[1]) == len(self.keys)
        if fits and issubclass(self.container, dict):
            fits = set(value) == set(self.keys)
        if not fits:
            raise InputError(f"{name} is nested differently: expected {self!r}, got {describe(value)}")
        for key, child in zip(self.keys, self.children, strict=True):
            step = _step(self.container, key)
            child._match(getattr(value, key) if step[0] == "." else value[key], name + step, leaves)

    def __repr__(self) -> str:
        return self._text(iter(["*"] * self.size))

    def _text(self, leaves: Iterator[str]) -> str:
        """The structure written out with a text for each leaf."""
        if self.container is None:
            return next(leaves)
        texts = [child._text(leaves) for child in self.children]
        kind = self.container
        if issubclass(kind, dict):
            inner = "{" + ", ".join(f"{k!r}: {t}" for k, t in zip(self.keys, texts, strict=True)) + "}"
            return inner if kind is dict else f"{kind.__name__}({inner})"
        if hasattr(kind, "_make"):
            fields = ", ".join(f"{k}={t}" for k, t in zip(self.keys, texts, strict=True))
            return f"{kind.__name__}({fields})"
        inner = ", ".join(texts)
        if issubclass(kind, list):
            inner = f"[{inner}]"
        else:
            inner = f"({inner},)" if len(texts) == 1 else f"({inner})"
        return inner if kind in (list, tuple) else f"{kind.__name__}({inner})"


LEAF = Structure(None, (), (), 1)
"""The structure of a bare leaf."""


def flatten(value: Any) -> tuple[list[Any], Structure]:
    """The leaves of a nested value, in order, and its structure.

    Lists, tuples, dictionaries (in insertion order) and named tuples, and subclasses of them, are
    containers. Everything else is a leaf; so is None, which JAX's trees leave out.

    >>> flatten(1.5)
    ([1.5], *)
    >>> flatten((1.0, None, {"w": ()}))
    ([1.0, None], (*, *, {'w': ()}))
    """
    if not isinstance(value, (list, tuple, dict)):  # the commonest case, so the first
        return [value], LEAF
    leaves: list[Any] = []
    return leaves, _flatten(value, leaves)


def _flatten(value: Any, leaves: list[Any]) -> Structure:
    found = _open(value)
    if found is None:
        leaves.append(value)
        return LEAF
    kind, keys, entries = found
    before = len(leaves)
    children = tuple([_flatten(entry, leaves) for entry in entries])
    factory = value.default_factory if isinstance(value, defaultdict) else None
    return Structure(kind, keys, children, len(leaves) - before, factory)


def _open(value: Any) -> tuple[type, tuple[Any, ...], Sequence[Any]] | None:
    """A container's type, keys and entries; None for a leaf."""
    kind = type(value)
    if isinstance(value, dict):
        return kind, tuple(value), list(value.values())
    if isinstance(value, tuple) and hasattr(kind, "_make"):
        return kind, kind._fields, value
    if isinstance(value, (list, tuple)):
        return kind, tuple(range(len(value))), value
    return None


def _step(container: type, key: Any) -> str:
    """How Python code reaches an entry: ``.w`` in a named tuple, else ``[key]``."""
    return f".{key}" if hasattr(container, "_make") else f"[{key!r}]"


def paths(structure: Structure, name: str) -> list[str]:
    """The user's own name for each leaf of a value called ``name``, in the order of the leaves.

    >>> paths(flatten([{"w": 1.0}, 2.0])[1], "x")
    ["x[0]['w']", 'x[1]']
    >>> paths(LEAF, "x")
    ['x']
    """
    if structure.container is None:
        return [name]
    return [
        path
        for key, child in zip(structure.keys, structure.children, strict=True)
        for path in paths(child, name + _step(structure.container, key))
    ]


def map_leaves(function: Callable[[Any], Any], value: Any) -> Any:
    """The same nesting with ``function`` applied to each leaf.

    >>> map_leaves(abs, {"w": [-1.0, 2.0], "b": -3.0})
    {'w': [1.0, 2.0], 'b': 3.0}
    """
    leaves, structure = flatten(value)
    return structure.unflatten([function(leaf) for leaf in leaves])


def describe(value: Any) -> str:
    """A nested value as an error message should show it: types and shapes, not numbers.

    >>> import numpy as np
    >>> describe((1.0, {"w": np.zeros((3, 2)), "n": np.float32(2), "id": "a"}))
    "(float, {'w': array (3, 2), 'n': float32, 'id': str})"
    >>> describe(np.zeros(3, dtype=int))
    'int64 array (3,)'
    """
    leaves, structure = flatten(value)
    return structure._text(iter([_describe_leaf(leaf) for leaf in leaves]))


def _describe_leaf(leaf: Any) -> str:
    shape, dtype = getattr(leaf, "shape", None), getattr(leaf, "dtype", None)
    if leaf is None:
        return "None"
    if not isinstance(shape, tuple) or dtype is None or (shape == () and not hasattr(leaf, "fill")):
        return type(leaf).__name__
    if shape == () and type(leaf).__name__ == str(dtype):  # a NumPy scalar
        return str(dtype)
    kind = "array" if str(dtype) == "float64" else f"{dtype} array"
    return f"{kind} {shape}"
