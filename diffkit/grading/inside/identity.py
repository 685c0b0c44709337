"""Objects of a submission that are numbered, so that no verdict depends on where in memory they are.

An object without a hash of its own is hashed by its address, and a set of such objects (the parents of a
node, what a sweep has visited) is walked in the order of their hashes. What a class that adds in that order
gives is then another number each time, and a mistake that shows in one order and hides in another is found by
chance. So the classes that a submission writes without a base get one: its hash goes by the order in
which objects are hashed first. The orders of sets still differ from one set to the next, as they do in any
Python; but the same submission meets the same ones whenever, and wherever, it is graded.
"""

from __future__ import annotations

import builtins
import itertools
import weakref
from typing import Any

_counter = itertools.count(1)
_numbers: dict[int, tuple[Any, int]] = {}


class Numbered:
    """The base of a submission's classes: hashed by number, and equal to nothing but itself.

    >>> one, two = Numbered(), Numbered()
    >>> hash(one) == hash(one) != hash(two)
    True
    """

    __slots__ = ()

    def __hash__(self) -> int:
        inherited = super().__hash__
        if getattr(inherited, "__objclass__", None) is not object:  # of another base: class V(Mixin, float)
            return _hash_of(inherited, self)
        known = _numbers.get(id(self))
        if known is None or known[0]() is not self:  # it is new, where another one was perhaps
            known = _numbers[id(self)] = _reference(self), next(_counter)
        return _spread(known[1])


def _spread(number: int) -> int:
    """A number's bits mixed, so that sets have their members in any order (Steele et al., SplitMix, 2014)."""
    mixed = number * 0x9E3779B97F4A7C15 % 2**64
    mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB % 2**64
    return (mixed ^ mixed >> 31) >> 4  # as positive as Python's own


def _hash_of(inherited: Any, value: Any) -> int:
    if inherited is None:
        raise TypeError(f"unhashable type: {type(value).__name__!r}")
    return int(inherited())


def _reference(value: Any) -> Any:
    """A weak reference; of what allows none, a class with ``__slots__``, a strong one."""
    try:
        return weakref.ref(value)
    except TypeError:
        return lambda: value


def numbering_builtins() -> dict[str, Any]:
    """Python's builtins, with classes that have no base made :class:`Numbered`."""
    build = builtins.__build_class__

    def numbered(body: Any, name: str, *bases: Any, **keywords: Any) -> Any:
        plain = bases in ((), (object,)) and "metaclass" not in keywords
        return build(body, name, *((Numbered,) if plain else bases), **keywords)

    return {**vars(builtins), "__build_class__": numbered}
