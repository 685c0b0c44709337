"""The row of a trace, which for a number is also what stands in for it while a program runs.

**Nested derivatives.** A derivative of a derivative traces the inner one while the outer trace is
still open, so a row's value may itself be a traced value of an outer recording. Every recording has a
``level``, larger the later it was opened. An operation is recorded on the innermost recording among
its arguments; arguments from outer ones are constants there. To compute the value it does the same
operation on the values, and where those are traced that is recorded further out in turn. This
keeps d/dx [x * d/dy (x + y)] from mixing its two perturbations (Siskind and Pearlmutter, 2005).

**Decisions.** A comparison gives a row too. Where Python then needs a plain bool, an index or a
mask (``if x > 0``), the value is handed out and written down as a decision: the path that the
trace took holds for other inputs only as long as they decide alike.
"""

from __future__ import annotations

import itertools
import math
import operator
import sys
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any, NamedTuple, NoReturn, cast

import numpy as np
from numpy import ndarray

from diffkit.autodiff.recording.array_methods import ArrayMethods
from diffkit.autodiff.recording.constants import UNCHANGING, Constants
from diffkit.autodiff.recording.infix import NUMBERS, NumberOperators
from diffkit.autodiff.recording.primitive import NO_KWARGS, UFUNCS, InPlace, Primitive
from diffkit.autodiff.recording.refusals import (
    Refusals,
    raise_closed,
    raise_no_attribute,
    refuse,
    refuse_assignment,
    refuse_conversion,
    site_of,
)
from diffkit.sites import describe_site, owner


class Decision(NamedTuple):
    """A place where the program asked for a traced value itself, and so chose its path.

    ``kind`` is "branch" (a bool was needed), "index" (an integer, or an array used as an index or
    mask) or "loop" (a bool needed by ``while``).
    """

    node: Node
    value: Any
    kind: str
    code: CodeType
    at: int

    @property
    def site(self) -> str:
        """Where that was: ``file.py:12: if x > 0:``."""
        return describe_site(self.code, self.at)


_levels = itertools.count(1)


class Recording(Refusals):
    """The rows of a trace while they are being written.

    ``rows`` is None once the recording is closed. Nodes point to their recording and not to the
    finished trace, so that a trace and its nodes make no reference cycle and are freed at once.
    """

    __slots__ = ("constants", "decisions", "level", "owner", "rows")

    def __init__(self, owner: str = "a function", function: Any = None) -> None:
        Refusals.__init__(self)  # super() would take as long as all of it
        self.level = next(_levels)
        self.rows: list[Node] | None = []
        self.decisions: list[Decision] = []
        self.constants = Constants(getattr(function, "__code__", owner))
        self.owner = owner

    def __enter__(self) -> Recording:
        return self

    def __exit__(self, *error: object) -> None:
        if self.rows is not None:  # what was recorded has raised, and nobody closed
            self.constants.release()
            self.stop()

    def input(self, value: Any, name: str) -> Node:
        """Appends an input row."""
        return Node(self, INPUT, (name,), NO_KWARGS, value, _INPUT_CODE, 0)

    def close(self) -> list[Node]:
        """Ends the recording and hands over its rows; a node used after this raises."""
        rows, self.rows = self.rows, None
        assert rows is not None
        self.constants.release()
        self.stop()
        return rows

    def take_decisions(self) -> list[Decision]:
        """Hands over the decisions, which point to nodes, so that no reference cycle stays behind."""
        decisions, self.decisions = self.decisions, []
        return decisions


_INPUT_CODE = (lambda: None).__code__
"""The place in the code that input rows name; they have none of their own."""


class _NoMethod(AttributeError, TypeError):
    """What ``hasattr`` takes for a no, and a program that asks by trying for Python's own refusal."""


class _OfNumPy:
    """A method that NumPy's numbers have and Python's have not, nor says ``hasattr`` that they have it."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    def __get__(self, node: Any, owner: Any = None) -> Any:
        if node is not None and not isinstance(plain_number(node), np.generic):
            raise _NoMethod("'Node' object is not subscriptable")
        return self.function.__get__(node, owner)


class Node(NumberOperators):
    """A row of a trace, and the stand-in for its value, if that is a number, while the program runs.

    Attributes:
        value: what the row computed: a float, a complex number, an array, or a traced value of an outer
            recording. Where the row is an array with a place written to, and nobody has asked for the
            whole, it is made when it is asked for.
        fun: the :class:`Primitive` that computed it.
        args, kwargs: what it was given; arguments that were traced are nodes.
        parents: those arguments that are nodes of the same trace, in order, repeats kept.
        index: its place in the trace.
        form: the shape and dtype of an array with a place written to; else not set.

    A row of a scalar program takes 220 bytes, its value included (measured with tracemalloc, Python
    3.11, 64 bit); a sweep adds 20. A row of an array program takes as much and the array.

    >>> from diffkit import trace
    >>> (row,) = trace(lambda x: x * x + x)(3.0).outputs
    >>> row.value, row.fun.name, row.index, row.parents
    (12.0, 'add', 2, (Node(9.0, multiply), Node(3.0, input)))
    """

    __slots__ = ("args", "at", "code", "form", "fun", "index", "kwargs", "recording", "value")

    form: Any

    # NumPy must hand every operation to us, arrays on the left-hand side included.
    __array_priority__ = 1000.0

    def __init__(
        self,
        recording: Recording,
        fun: Primitive,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        value: Any,
        code: CodeType,
        at: int,
    ) -> None:
        rows = recording.rows
        if rows is None:
            raise_closed(recording.owner, site_of(sys._getframe(1)))
        self.recording = recording
        self.fun = fun
        self.args = args
        self.kwargs = kwargs
        self.value = value
        self.code = code
        self.at = at
        self.index = len(rows)
        rows.append(self)

    @property
    def parents(self) -> tuple[Node, ...]:
        """The arguments that are nodes of the same trace, in order, repeats kept."""
        recording = self.recording
        return tuple(a for a in self.args if type(a) is Node and a.recording is recording)

    @property
    def recipe(self) -> tuple[Primitive, Any, tuple[Any, ...], dict[str, Any], tuple[int, ...]]:
        """What a backward pass reads of a row, in autograd's order: fun, value, args, kwargs, argnums.

        The args are plain values here; ``argnums`` are the places in them of :attr:`parents`.

        >>> from diffkit import trace
        >>> fun, value, args, kwargs, argnums = trace(lambda x: 2.0 * x)(3.0).nodes[-1].recipe
        >>> fun.name, value, args, kwargs, argnums
        ('multiply', 6.0, (2.0, 3.0), {}, (1,))
        """
        recording = self.recording
        argnums = tuple(k for k, a in enumerate(self.args) if type(a) is Node and a.recording is recording)
        args = tuple(a.value if k in argnums else a for k, a in enumerate(self.args))
        return self.fun, self.value, args, self.kwargs, argnums

    @property
    def site(self) -> str:
        """Where the user's program did this: ``file.py:12: y = x * x``."""
        return describe_site(self.code, self.at)

    @property
    def data(self) -> Any:
        """The value, as what :class:`ArrayMethods` looks at."""
        return self.value

    def __repr__(self) -> str:
        return f"Node({self.value!r}, {self.fun.name})"

    def __format__(self, spec: str) -> str:
        return format(self.value, spec) if spec else repr(self)

    def __copy__(self) -> Node:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Node:
        return self  # a row is never changed, and a copy of it would be a row of no trace

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        refuse_pickling(sys._getframe(1))

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        """What ``isinstance`` asks where ``type(x)`` does not settle it.

        To a program a node is what it stands in for: ``isinstance(x, float)`` goes the way that it goes
        without a trace. diffkit's own code has to tell a node from a number, and is told that it is one.
        """
        asked_by = sys._getframe(1).f_code.co_filename
        return Node if owner(asked_by) == "diffkit" else type(plain_number(self))

    # -- where Python needs the value itself ----------------------------------------------------------

    def decide(self, value: Any, kind: str, frame: FrameType) -> Any:
        """Writes down that the program goes by a value of this row."""
        if self.recording.rows is None:
            raise_closed(self.recording.owner, site_of(frame))
        self.recording.decisions.append(Decision(self, value, kind, frame.f_code, frame.f_lasti))
        return value

    def __bool__(self) -> bool:
        return bool(self.decide(bool(self.value), "branch", sys._getframe(1)))

    def __index__(self) -> int:
        return int(self.decide(operator.index(self.value), "index", sys._getframe(1)))

    def concrete(self, kind: str = "index", frame: FrameType | None = None) -> Any:
        """The plain value, written down as a decision; for indices, masks and shapes."""
        value = self.value
        if hasattr(type(value), "concrete"):
            value = value.concrete(kind, frame)
        return self.decide(value, kind, frame or sys._getframe(1))

    def __hash__(self) -> int:
        """A set or a dictionary goes by the value: a decision. A row of a finished trace is itself."""
        if self.recording.rows is None:
            return object.__hash__(self)
        return hash(self.concrete("index", sys._getframe(1)))

    def is_discrete(self) -> bool:
        """Whether no derivative is lost with it: an integer, a bool, or what is piecewise constant."""
        if self.fun.constant:
            return True
        value = plain_number(self)
        return isinstance(value, int) or (
            isinstance(value, np.generic | np.ndarray) and value.dtype.kind in "iub"
        )

    def __float__(self) -> float:
        if not self.is_discrete():
            refuse_conversion("float", sys._getframe(1))
        return float(self.concrete("index", sys._getframe(1)))

    def __int__(self) -> int:
        return self._whole(np.trunc, int, sys._getframe(1))

    def __complex__(self) -> complex:
        if not self.is_discrete():
            refuse_conversion("complex", sys._getframe(1))
        return complex(self.concrete("index", sys._getframe(1)))

    def __round__(self, digits: Any = None) -> Any:
        if digits is not None and not self.is_discrete():
            return np.round(self, digits)
        return self._whole(np.rint, round, sys._getframe(1))

    def __floor__(self) -> int:
        return self._whole(np.floor, math.floor, sys._getframe(1))

    def __ceil__(self) -> int:
        return self._whole(np.ceil, math.ceil, sys._getframe(1))

    def __trunc__(self) -> int:
        return self._whole(np.trunc, math.trunc, sys._getframe(1))

    def _whole(self, ufunc: np.ufunc, plainly: Any, frame: FrameType) -> int:
        """A whole number by which the program goes: it moves in jumps, so no derivative is lost."""
        number = plain_number(self)
        if isinstance(number, complex):
            refuse_conversion("int", frame)
        refuse_assignment(frame)  # into an array of integers
        whole = int(plainly(number))
        row = self if self.is_discrete() else Primitive.apply(UFUNCS[ufunc], (self,), NO_KWARGS, frame)
        row.concrete("index", frame)
        return whole

    def as_integer_ratio(self) -> NoReturn:
        """Refused: a fraction of Python's integers has no derivative."""
        refuse_conversion("float", sys._getframe(1))

    # -- what a number has ----------------------------------------------------------------------------

    @property
    def real(self) -> Any:
        """The real part."""
        return np.real(self)

    @property
    def imag(self) -> Any:
        """The imaginary part."""
        return np.imag(self)

    def conjugate(self) -> Any:
        """The complex conjugate."""
        return np.conjugate(self)

    def is_integer(self) -> Any:
        """Whether the number is a whole one: a decision."""
        return np.equal(np.floor(self), self)

    @_OfNumPy
    def __getitem__(self, index: Any) -> Any:
        """``x[()]`` is x; with other indices, ``x[None]``, it is an array without axes."""
        if type(index) is tuple and not index:
            return self
        return np.reshape(np.reshape(self, (1,)), ())[index]

    def __getattr__(self, name: str) -> Any:
        if name == "value":  # the slot is empty: a place was written to, and nobody has needed the whole
            self.value = value = _written(self)
            return value
        if name.startswith("_"):  # asked by Python, NumPy or a notebook, which go on without it
            raise AttributeError(name)
        inside = owner(sys._getframe(1).f_code.co_filename) == "diffkit"
        if name in _METHODS and (inside or isinstance(plain_number(self), _WITH_METHODS)):
            return _METHODS[name].__get__(self, Node)
        return raise_no_attribute(name, sys._getframe(1))


NUMBERS.add(Node)
UNCHANGING.add(Node)


def refuse_pickling(frame: FrameType) -> NoReturn:
    """Refuses to pickle a traced value."""
    refuse(
        "a traced value was to be pickled",
        "pickle plain values, or a trace's program, the text that t.source() is",
        frame,
    )


def plain_number(value: Any) -> Any:
    """The number inside any nesting of traced numbers; any other value as it is."""
    while type(value) is Node:
        value = value.value
    return value


_METHODS = vars(ArrayMethods)
_WITH_METHODS = (np.generic, ndarray, bool)  # np.greater gives a bool of NumPy's, x > 0 one of Python's
_VALUE = vars(Node)["value"]


def is_deferred(node: Node) -> bool:
    """Whether the value of a row is yet to be made."""
    try:
        _VALUE.__get__(node)
    except AttributeError:
        return True
    return False


def _written(node: Node) -> Any:
    """The value of a row that is an array with places written to: the last that is known, written anew."""
    later = []
    while is_deferred(node):
        later.append(node)
        node = node.args[0]
        if type(node) is not Node:
            break
    first = later[-1]
    base = node.value if type(node) is Node and node.recording is first.recording else node
    value = base.alias() if hasattr(type(base), "alias") else base.copy()
    for row in reversed(later):
        v = row.args[1]
        cast(InPlace, row.fun).write(
            value, v.value if type(v) is Node and v.recording is row.recording else v, *row.args[2:]
        )
    return value


def _no_value(*args: Any, **kwargs: Any) -> NoReturn:
    raise AssertionError("an input row has no function to compute")


INPUT = Primitive("input", _no_value)
PART = Primitive("part", lambda parts, k: parts[k])
