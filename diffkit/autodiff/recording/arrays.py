"""What stands in for an array while a program runs: it points to a row, and can be pointed to a newer one.

Rows never change. An array does: ``y[2] = v`` makes a row "y with y[2] replaced", and from then on all that
share y's memory, y itself and its views, stand for what that row holds. What was computed before keeps the
row that it read. So the rows are the program without assignments that an in-place program amounts to.

**Memory.** The arrays that share memory share a :class:`Memory`: the row that holds all of it at present. A
view knows the steps by which it was taken (an index, a transposition), and takes them again after a change.

**Cost.** A row that copied n numbers for each of n writes would make a loop quadratic. So the numbers are
kept once, in a buffer that is written in place, and a row that is superseded before anybody needed all of it
has no value of its own (``Node.value`` makes it, if a table asks). Whoever needs the whole gets the buffer
itself, and the next write makes a copy of it first. Reading elements or a slice of a buffer copies those.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from types import CodeType, FrameType
from typing import Any, NoReturn

import numpy as np
from numpy import ndarray

from diffkit.autodiff.recording.array_conversions import ArrayConversions
from diffkit.autodiff.recording.array_methods import ArrayMethods
from diffkit.autodiff.recording.array_operators import ArrayOperators
from diffkit.autodiff.recording.infix import NUMBERS, PENDING
from diffkit.autodiff.recording.memory import GETITEM, PARTS, READ, Form, Memory, TakenAgain, Views, copy_of
from diffkit.autodiff.recording.node import Node, Recording, refuse_pickling
from diffkit.autodiff.recording.places import index_of, is_basic, is_element
from diffkit.autodiff.recording.primitive import NO_KWARGS, InPlace, Primitive
from diffkit.autodiff.recording.refusals import (
    raise_closed,
    raise_no_attribute,
    raise_object_array,
)
from diffkit.sites import describe_site, owner

__all__ = [
    "GETITEM",
    "READ",
    "SETITEM",
    "TRACED",
    "Array",
    "Memory",
    "is_traced",
    "own",
    "plain",
    "plain_index",
    "stand_in",
    "wrapped",
]


def _replaced(base: Any, value: Any, index: Any) -> Any:
    """A copy of an array with what an index shows replaced."""
    copy = copy_of(base)
    if type(value) in TRACED and type(copy) is ndarray:
        copy = Array(copy)
    copy[index] = value
    return copy


def _assign(base: ndarray, value: Any, index: Any) -> None:
    base[index] = value


SETITEM = InPlace("setitem", _replaced, _assign)
"""``base`` with ``base[index]`` replaced; the arguments are the base, the value and the index."""


def _write(memory: Memory, fun: InPlace, index: Any, value: Any, code: CodeType, at: int) -> None:
    """Performs ``fun.write`` on a memory and records it."""
    given = value.row if type(value) is Array else value
    tip = memory.tip
    of_tip = tip.recording if type(tip) is Node else None
    of_value = given.recording if type(given) is Node else None
    recording: Recording
    if of_value is None and of_tip is None:
        fun.write(memory.own(), given, index)
        memory.version += 1
        return
    if of_value is None or (of_tip is not None and of_tip.level >= of_value.level):
        assert of_tip is not None
        recording, base, buffer = of_tip, tip, memory.own()
    else:  # what there was is constant to the trace that the value is of
        recording = of_value
        if of_tip is None:
            base, buffer = recording.constants.keep(memory.data), memory.data.copy("K")
        else:
            base, buffer = stand_in(memory.lend()), stand_in(tip)
    if recording.rows is None:
        raise_closed(recording.owner, describe_site(code, at))
    number = given.value if of_value is recording else stand_in(given) if of_value else given
    if type(number) in TRACED and type(buffer) is ndarray:
        buffer = Array(buffer)
    if type(index) is not int:
        index = recording.constants.keep_any(index)
    if type(buffer) is Array:
        buffer.write(index, number, code, at, fun)
    else:
        fun.write(buffer, number, index)
    if of_value is None:
        given = recording.constants.keep_any(given)
    elif of_value is not recording:
        given = number
    row = Node(recording, fun, (base, given, index), NO_KWARGS, None, code, at)
    del row.value
    if memory.form is None:
        memory.form = Form(buffer)
    row.form = memory.form
    memory.tip = row
    memory.buffer = buffer
    memory.version += 1


class Array(ArrayMethods, ArrayOperators, ArrayConversions, Views):
    """The stand-in for an array: what a traced program has in hand.

    Attributes:
        node: the row that it stood for when it was last read; a plain array, if it is not traced.
        memory: what it shares with its views; None as long as it has none and nobody has written to it.
        path: the steps by which it is taken from the whole, if it is a view.
        seen: the version of the memory that ``node`` is of.
    """

    __slots__ = ("memory", "node", "path", "place", "seen")
    __array_priority__ = 1000.0

    path: Any
    seen: int
    place: tuple[CodeType, int]

    def __init__(self, node: Any) -> None:
        self.node = node
        self.memory: Memory | None = None

    # -- what it stands for ---------------------------------------------------------------------------

    @property
    def row(self) -> Any:
        """The row that it stands for now; a plain array, if it is not traced."""
        memory = self.memory
        if memory is None or memory.version == self.seen:
            return self.node
        self.node = self._read_again(memory) if self.path else memory.lend()
        self.seen = memory.version
        return self.node

    @property
    def recording(self) -> Recording | None:
        """The recording that the row is of; None if it is not traced."""
        memory = self.memory
        row = self.node if memory is None else memory.tip
        return row.recording if type(row) is Node else None

    @property
    def value(self) -> Any:
        """The value of the row that it stands for now."""
        row = self.row
        return row.value if type(row) is Node else row

    @property
    def data(self) -> Any:
        """The numbers at present, to be looked at, not to be kept."""
        memory = self.memory
        if memory is None or memory.version == self.seen:
            return self.node.value if type(self.node) is Node else self.node
        view = memory.data
        for fun, args, kwargs in self.steps():
            view = fun.compute(view, *args, **kwargs)
        return view

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of the axes."""
        memory = self.memory
        if memory is None or memory.version == self.seen:
            node = self.node
            return node.value.shape if type(node) is Node else node.shape  # type: ignore[no-any-return]
        return self.data.shape  # type: ignore[no-any-return]

    def _share(self) -> Memory:
        """The memory, which others will share."""
        if self.memory is None:
            self.memory = Memory(self.node)
            self.path = ()
            self.seen = 0
        return self.memory

    def view_by(self, fun: Primitive, args: tuple[Any, ...], kwargs: dict[str, Any], node: Any) -> Array:
        """A view of it: ``node``, or None if that is made when it is asked for, is the row."""
        view = Array(node)
        memory = self.memory
        view.memory = memory = self._share() if memory is None else memory
        view.path = self.path, fun, args, kwargs
        view.seen = memory.version if node is not None else -1
        return view

    def _read_again(self, memory: Memory) -> Any:
        """The row of a view, after its memory was written to."""
        code, at = getattr(self, "place", None) or _here(sys._getframe(1))
        before, fun, args, _ = self.path
        if fun is GETITEM and not before:
            return _read(memory, args[0], code, at)
        window = self.window()
        if window is not None:
            return _read(memory, index_of(window, memory.data.shape), code, at)
        row = memory.lend()
        for fun, args, kwargs in self.steps():
            if type(fun) is TakenAgain and type(row) is Node:
                row = fun.program(stand_in(row), *args, **kwargs).row
            elif type(row) is Node:
                row = Node(
                    row.recording,
                    fun,
                    (row, *args),
                    kwargs,
                    fun.compute(row.value, *args, **kwargs),
                    code,
                    at,
                )
            else:
                row = fun.compute(row, *args, **kwargs)
        return row

    def alias(self) -> Array:
        """An array of its own with the same numbers."""
        return Array(self.row)

    # -- reading and writing ----------------------------------------------------------------------------

    def __getitem__(self, index: Any) -> Any:
        frame = sys._getframe(1)
        return self.read(index, frame.f_code, frame.f_lasti)

    def read(self, index: Any, code: CodeType, at: int) -> Any:
        """``array[index]``, recorded at a line of the program."""
        kind = type(index)
        if kind is not int and kind is not slice:
            index = plain_index(index)
        memory = self.memory
        if memory is None or memory.buffer is None:
            row = self.row
            if type(row) is not Node:
                value = row[index]
                return (
                    self.view_by(GETITEM, (index,), NO_KWARGS, value)
                    if _is_view(value, row)
                    else wrapped(value)
                )
            data = row.value
            value = data[index]
            if kind is not int and kind is not slice:
                index = row.recording.constants.keep_any(index)
            node = Node(row.recording, GETITEM, (row, index), NO_KWARGS, value, code, at)
            if type(value) in NUMBERS:
                return node
            if _is_view(value, data):
                return self.view_by(GETITEM, (index,), NO_KWARGS, node)
            return stand_in(node)
        if is_basic(index) and not is_element(index, self.ndim):
            view = self.view_by(GETITEM, (index,), NO_KWARGS, None)
            view.place = code, at
            return view
        row = _read(memory, self.in_the_whole(index), code, at)
        return stand_in(row) if type(row) is Node else wrapped(row)

    def __setitem__(self, index: Any, value: Any) -> None:
        frame = sys._getframe(1)
        self.write(index, value, frame.f_code, frame.f_lasti)

    def write(self, index: Any, value: Any, code: CodeType, at: int, fun: InPlace = SETITEM) -> None:
        """``array[index] = value``, recorded at a line of the program."""
        index = plain_index(index)
        memory = self._share()
        if type(value) is Array and value.memory is memory:
            if self._is_own(index, value):
                return
            if self._is_torn(index, value) and self.write_as(lambda a, b: _assign(a, b, index), value):
                return
        if type(value) not in TRACED and isinstance(value, list | tuple):
            value = Array.from_list(value)
        names = [step[0].name for step in self.steps()] if self.path else []
        if not _READ_ONLY.isdisjoint(names):
            raise ValueError("assignment destination is read-only")
        place = self.in_the_whole(index)
        if not memory.data.shape and fun is SETITEM and PARTS.isdisjoint(names):
            if not np.size(np.zeros(())[place]):  # a mask that is False
                return
            # It takes the place of all there is; of a number itself, NumPy makes no array without axes.
            made: Any = np.reshape(np.reshape(value, 1), ())
            if np.can_cast(made.dtype, memory.data.dtype, "same_kind"):
                made = made if made.dtype == memory.data.dtype else made.astype(memory.data.dtype)
                memory.replace(made.row if type(made) is Array else made)
                return
        if not PARTS.isdisjoint(names) and memory.data.dtype.kind == "c":
            value = self._with_other_part(memory, place, value, names)
        _write(memory, fun, place, value, code, at)

    def _with_other_part(self, memory: Memory, place: Any, value: Any, names: list[str]) -> Any:
        """The complex numbers whose real or imaginary part is to become ``value``."""
        before: Any = self._whole()[place]
        return value + 1j * before.imag if "real" in names else before.real + 1j * value

    def _whole(self) -> Array:
        """All that its memory holds."""
        whole = Array(None)
        whole.memory, whole.path, whole.seen = self._share(), (), -1
        return whole

    def write_as(self, write: Callable[[ndarray, ndarray], None], value: Any) -> bool:
        """Writes what it shares memory with as NumPy does, element by element; False if it shares none."""
        origins = self.origins(write, value)
        if origins is not None:
            numbers: Any = np.ravel(self._whole())[origins]
            for fun, _, _ in self.steps():
                numbers = fun(numbers) if fun.name in PARTS else numbers
            self[...] = numbers
        return origins is not None

    from_list: Callable[[Any], Any]
    """What makes an array of a list that may hold traced values; put here by the file that has the rule."""

    def _is_own(self, index: Any, value: Array) -> bool:
        """Whether it is there already: A[k] += v writes into the view A[k], and then assigns that."""
        if not value.path:
            return False
        if index is Ellipsis and value.path == self.path:
            return True
        before, fun, args, _ = value.path
        return before is self.path and fun is GETITEM and is_basic(index) and repr(args[0]) == repr(index)

    def _is_torn(self, index: Any, value: Array) -> bool:
        """Whether NumPy reads what it has written: along one axis, by other steps (a[::2] = a[:3])."""
        if not is_basic(index):
            return False
        here, there = plain(self.data)[index], plain(value.data)
        if np.ndim(here) != 1 or not there.ndim:
            return False
        step, other = here.strides[0], there.strides[-1]
        return bool(step * other > 0 and step != other)

    def assign(self, value: Any, code: CodeType, at: int) -> None:
        """``array[...] = value``, where value is new: of the same shape and dtype, nothing is copied."""
        row = value.row if type(value) is Array else value
        memory = self._share()
        data = self.data
        if (
            not self.path
            and type(row) is Node
            and row.recording is self.recording
            and type(row.value) in _ARRAYS  # what NumPy computes without axes is a number
            and _alike(row.value, data)
        ):
            memory.replace(row)
        else:
            self.write(Ellipsis, value, code, at)

    def update(self, new: Any, name: str, frame: FrameType) -> None:
        """The memory gets the numbers of an array that was computed for it: by ``y += v``, or ``out=y``."""
        data, dtype = self.data, np.result_type(new)
        shape = np.broadcast_shapes(np.shape(new), data.shape)
        if shape != data.shape:
            raise ValueError(
                f"non-broadcastable output operand with shape {data.shape} doesn't match the broadcast "
                f"shape {shape}"
            )
        if not np.can_cast(dtype, data.dtype, "same_kind"):
            raise TypeError(
                f"Cannot cast ufunc {name!r} output from {dtype!r} to {data.dtype!r} with casting rule "
                "'same_kind'"
            )
        if dtype != data.dtype:
            new = np.asarray(new).astype(data.dtype) if type(new) not in TRACED else new.astype(data.dtype)
        self.assign(new, frame.f_code, frame.f_lasti)

    def __len__(self) -> int:
        return len(self.data)

    def __iter__(self) -> Iterator[Any]:
        if not self.shape:
            raise TypeError("iteration over a 0-d array")
        code, at = _here(sys._getframe(1))
        return (self.read(k, code, at) for k in range(len(self)))

    def __contains__(self, item: Any) -> bool:
        return bool(np.any(self == item))

    # -- Python's protocols --------------------------------------------------------------------------

    def __copy__(self) -> Array:
        return self.alias()

    def __deepcopy__(self, memo: dict[int, Any]) -> Array:
        return self.alias()

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        refuse_pickling(sys._getframe(1))

    __hash__ = None  # type: ignore[assignment]

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        """What ``isinstance`` asks where ``type(x)`` does not settle it; see :class:`Node`."""
        return Array if owner(sys._getframe(1).f_code.co_filename) == "diffkit" else ndarray

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("_") or name in ("place", "known_window", "known_places"):
            raise AttributeError(name)
        raise_no_attribute(name, sys._getframe(1))


TRACED = frozenset({Node, Array})
PENDING.add(Array)


def is_traced(value: Any) -> bool:
    """Whether a value is a traced number or array."""
    return type(value) in TRACED


def stand_in(node: Node) -> Any:
    """What a program is given for a row: the row itself for a number, else an :class:`Array`."""
    kind = type(node.value)
    if kind in NUMBERS:
        return node
    if kind is ndarray:
        if node.value.dtype.hasobject:
            raise_object_array(node.site)
        return Array(node)
    return Array(node) if kind is Array or isinstance(node.value, ndarray) else node


def wrapped(value: Any) -> Any:
    """A plain value that came of an array which is not traced, but may be written traced values into."""
    return Array(value) if type(value) is ndarray and value.dtype.kind in "fc" else value


def own(value: Any) -> Any:
    """The same numbers in an array of its own, where it is a view of another."""
    return value.alias() if type(value) is Array else value


def plain(value: Any) -> Any:
    """The number or array inside any nesting of traced values."""
    while type(value) in TRACED:
        value = value.value
    return value


def plain_index(index: Any) -> Any:
    """An index with no traced values in it: those that it has are decided."""
    kind = type(index)
    if kind in TRACED:
        return index.concrete()
    if kind is tuple:
        return tuple([plain_index(part) for part in index])
    if kind is list:
        return [plain_index(part) for part in index]
    return index


def _read(memory: Memory, index: Any, code: CodeType, at: int) -> Any:
    """A row that reads from what was written to; what it reads is a copy, so that the buffer stays ours."""
    value = memory.data[index]
    tip = memory.tip
    if type(value) is ndarray and memory.buffer is not None:
        value = value.copy()
    if type(tip) is not Node:
        return value
    if type(value) is Array:
        value = value.alias()
    index = tip.recording.constants.keep_any(index)
    return Node(
        tip.recording,
        READ if memory.buffer is not None else GETITEM,
        (tip, index),
        NO_KWARGS,
        value,
        code,
        at,
    )


def _is_view(value: Any, whole: Any) -> bool:
    """Whether an array that was made of another shares its memory."""
    if type(value) is ndarray:
        base = value.base
        return base is not None and bool(base is whole or base is whole.base)
    return type(value) is Array and value.memory is not None and bool(value.memory is whole.memory)


_READ_ONLY = {"broadcast_to", "diagonal", "diag", "sliding_window_view"}
"""The views that can't be written to, by the names of what gives them."""


_ARRAYS: frozenset[type] = frozenset({ndarray, Array})


def _alike(one: Any, other: Any) -> bool:
    return bool(getattr(one, "shape", None) == other.shape and getattr(one, "dtype", None) == other.dtype)


def _here(frame: FrameType) -> tuple[CodeType, int]:
    return frame.f_code, frame.f_lasti


Primitive.stand_in = stand_in
