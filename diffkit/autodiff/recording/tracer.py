"""How a NumPy function is recorded: the node that stands in for a number, and what it does.

A function is run once on :class:`Node` objects in place of its floats and arrays. A node looks like
the value that it carries. Whatever is done to it (an operator, a ufunc, a NumPy function) goes
through :func:`apply`, which computes the value and appends a new node to the :class:`Recording`. The
rows come out in the order in which they were computed, which is already a topological order: no
sorting, no recursion, and a place in the list is a stable name.

**Nested derivatives.** A derivative of a derivative traces the inner one while the outer trace is
still open, so a node's value may itself be a node of an outer recording. Every recording has a
``level``, larger the later it was opened. An operation is recorded on the innermost recording among
its arguments; arguments from outer ones are constants there. To compute the value it does the same
operation on the values, and where those are outer nodes that is recorded further out in turn. This
keeps d/dx [x * d/dy (x + y)] from mixing its two perturbations (Siskind and Pearlmutter, 2005).

**Decisions.** A comparison gives a node too. Where Python then needs a plain bool, an index or a
mask (``if x > 0``), the value is handed out and written down as a decision: the path that the
trace took holds for other inputs only as long as they decide alike.
"""

from __future__ import annotations

import itertools
import operator
import sys
from collections.abc import Callable, Iterator, Sequence
from types import CodeType, FrameType
from typing import Any, NamedTuple, NoReturn

import numpy as np
from numpy import ndarray

from diffkit.autodiff.recording import methods
from diffkit.autodiff.recording.constants import Constants
from diffkit.autodiff.recording.infix import InfixOperators
from diffkit.autodiff.recording.methods import ArrayMethods
from diffkit.autodiff.recording.primitive import FUNCTIONS, NO_KWARGS, UFUNCS, Primitive
from diffkit.autodiff.recording.refusals import (
    qualified_name,
    raise_closed,
    raise_no_attribute,
    raise_no_rule,
    raise_object_array,
    refuse,
    refuse_array,
    refuse_conversion,
    refuse_keyword,
    site_of,
)
from diffkit.autodiff.recording.scipy_calls import advice, load_rules
from diffkit.sites import describe_site

__all__ = [
    "FUNCTIONS",
    "HANDING_ON",
    "UFUNCS",
    "Decision",
    "Node",
    "Primitive",
    "Recording",
    "apply",
    "plain",
    "refuse_keyword",
]


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
HANDING_ON = {id(vars(methods))}
"""The variables of modules, by ``id``, whose functions hand a call on: x.sum() calls np.sum(x)."""
_SEVERAL = (tuple, list)
"""What a function with several answers returns them in."""


class Recording:
    """The rows of a trace while they are being written.

    ``rows`` is None once the recording is closed. Nodes point to their recording and not to the
    finished trace, so that a trace and its nodes make no reference cycle and are freed at once.
    """

    __slots__ = ("constants", "decisions", "level", "owner", "rows")

    def __init__(self, owner: str = "a function") -> None:
        self.level = next(_levels)
        self.rows: list[Node] | None = []
        self.decisions: list[Decision] = []
        self.constants = Constants()
        self.owner = owner

    def __enter__(self) -> Recording:
        return self

    def __exit__(self, *error: object) -> None:
        self.constants.release()  # if what is recorded raises, nobody closes

    def input(self, value: Any, name: str) -> Node:
        """Appends an input row."""
        return Node(self, INPUT, (name,), NO_KWARGS, value, _INPUT_CODE, 0)

    def close(self) -> list[Node]:
        """Ends the recording and hands over its rows; a node used after this raises."""
        rows, self.rows = self.rows, None
        assert rows is not None
        self.constants.release()
        return rows

    def take_decisions(self) -> list[Decision]:
        """Hands over the decisions, which point to nodes, so that no reference cycle stays behind."""
        decisions, self.decisions = self.decisions, []
        return decisions


_INPUT_CODE = (lambda: None).__code__
"""The place in the code that input rows name; they have none of their own."""


class Node(ArrayMethods, InfixOperators):
    """A row of a trace, and the stand-in for its value while the program runs.

    Attributes:
        value: what the row computed: a float, a complex number, an array, or a node of an outer
            recording.
        fun: the :class:`Primitive` that computed it.
        args, kwargs: what it was given; arguments that were traced are nodes.
        parents: those arguments that are nodes of the same trace, in order, repeats kept.
        index: its place in the trace.

    A row of a scalar program takes 210 bytes, its value included (measured with tracemalloc, Python
    3.11, 64 bit); a sweep adds 20. A row of an array program takes as much and the array.
    """

    __slots__ = ("args", "at", "code", "fun", "index", "kwargs", "recording", "value")

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
        if type(value) is ndarray and value.dtype.hasobject:
            raise_object_array(describe_site(code, at))
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
    def site(self) -> str:
        """Where the user's program did this: ``file.py:12: y = x * x``."""
        return describe_site(self.code, self.at)

    def __repr__(self) -> str:
        return f"Node({self.value!r}, {self.fun.name})"

    def __format__(self, spec: str) -> str:
        return format(self.value, spec) if spec else repr(self)

    def __copy__(self) -> Node:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Node:
        return self  # a row is never changed, and a copy of it would be a row of no trace

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        refuse(
            "a traced value was to be pickled",
            "pickle plain values, or a trace's program, the text that t.source() is",
            sys._getframe(1),
        )

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        """What ``isinstance`` asks where ``type(x)`` does not settle it.

        To a program a node is what it stands in for: ``isinstance(x, float)`` goes the way that it goes
        without a trace. diffkit's own code has to tell a node from a number, and is told that it is one.
        """
        asked_by = sys._getframe(1).f_globals.get("__name__", "")
        return Node if asked_by.startswith("diffkit.") else type(plain(self))

    # -- where Python needs the value itself ----------------------------------------------------------

    def _decide(self, value: Any, kind: str, frame: FrameType) -> Any:
        if self.recording.rows is None:
            raise_closed(self.recording.owner, site_of(frame))
        self.recording.decisions.append(Decision(self, value, kind, frame.f_code, frame.f_lasti))
        return value

    def __bool__(self) -> bool:
        return bool(self._decide(bool(self.value), "branch", sys._getframe(1)))

    def __index__(self) -> int:
        return int(self._decide(operator.index(self.value), "index", sys._getframe(1)))

    def concrete(self, kind: str = "index") -> Any:
        """The plain value, written down as a decision; for indices, masks and shapes."""
        value = self.value
        while type(value) is Node:
            value = value.concrete(kind)
        return self._decide(value, kind, sys._getframe(1))

    def __float__(self) -> NoReturn:
        refuse_conversion("float", sys._getframe(1))

    def __int__(self) -> NoReturn:
        refuse_conversion("int", sys._getframe(1))

    def __complex__(self) -> NoReturn:
        refuse_conversion("complex", sys._getframe(1))

    def __array__(self, *args: Any, **kwargs: Any) -> NoReturn:
        from_scipy = advice(sys._getframe(1))
        if from_scipy:
            called, instead, frame = from_scipy
            refuse(
                f"{called} was called on a traced value, which SciPy turns into a plain array", instead, frame
            )
        refuse_array(sys._getframe(1))

    def __round__(self, digits: Any = None) -> NoReturn:
        refuse_conversion("round", sys._getframe(1))

    def __floor__(self) -> NoReturn:
        refuse_conversion("math.floor", sys._getframe(1))

    def __ceil__(self) -> NoReturn:
        refuse_conversion("math.ceil", sys._getframe(1))

    def __trunc__(self) -> NoReturn:
        refuse_conversion("math.trunc", sys._getframe(1))

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("_"):  # asked by Python, NumPy or a notebook, which go on without it
            raise AttributeError(name)
        raise_no_attribute(name, sys._getframe(1))

    def __setitem__(self, index: Any, value: Any) -> NoReturn:
        refuse(
            "a traced array was assigned into",
            "make a new array instead, with np.where, np.concatenate or np.stack",
            sys._getframe(1),
        )

    # -- indexing, and NumPy's protocols --------------------------------------------------------------

    def __getitem__(self, index: Any) -> Any:
        return apply(GETITEM, (self, plain_index(index)), NO_KWARGS, sys._getframe(1))

    def __len__(self) -> int:
        return len(self.value)

    def __iter__(self) -> Iterator[Any]:
        if not np.ndim(self.value):
            raise TypeError("iteration over a 0-d traced value")
        frame = sys._getframe(1)
        return (apply(GETITEM, (self, k), NO_KWARGS, frame) for k in range(len(self)))

    def __hash__(self) -> int:
        return id(self)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        fun = UFUNCS.get(ufunc)
        frame = sys._getframe(1)
        if id(frame.f_globals) in HANDING_ON:
            frame = frame.f_back or frame
        if fun is None or kwargs or method != "__call__":
            return _unusual_ufunc(ufunc, method, inputs, kwargs, frame)
        if len(inputs) == 1:  # these three are what apply does, at once
            value = fun.compute(self.value)
        elif len(inputs) == 2 and inputs[1] is self and type(inputs[0]) is not Node:
            value = fun.compute(inputs[0], self.value)
            if type(inputs[0]) is ndarray:
                inputs = (self.recording.constants.keep(inputs[0]), self)
        elif len(inputs) == 2 and inputs[0] is self and type(inputs[1]) is not Node:
            value = fun.compute(self.value, inputs[1])
            if type(inputs[1]) is ndarray:
                inputs = (self, self.recording.constants.keep(inputs[1]))
        else:
            return apply(fun, inputs, NO_KWARGS, frame)
        node = Node(self.recording, fun, inputs, NO_KWARGS, value, frame.f_code, frame.f_lasti)
        return node if type(value) is not tuple else unpack(node, frame)

    def __array_function__(
        self, function: Callable[..., Any], types: Any, args: Sequence[Any], kwargs: dict[str, Any]
    ) -> Any:
        handler = FUNCTIONS.get(function)
        frame = sys._getframe(1)
        if id(frame.f_globals) in HANDING_ON:
            frame = frame.f_back or frame
        if handler is None:
            raise_no_rule(qualified_name(function), frame)
        return call_handler(handler, tuple(args), kwargs, frame)


def apply(fun: Primitive, args: tuple[Any, ...], kwargs: dict[str, Any], frame: FrameType) -> Any:
    """Computes ``fun(*args, **kwargs)`` and, if an argument is a node, records it.

    ``frame`` is the user's: it tells the line and, later, the variable that the answer was given to.
    """
    recording: Recording | None = None
    values = list(args)
    for k, a in enumerate(args):
        if type(a) is Node:
            if recording is None:
                recording = a.recording
            elif a.recording is not recording:
                return _apply_to_mixed(fun, args, kwargs, frame)
            values[k] = a.value
    if recording is None:
        return fun.compute(*args, **kwargs)
    value = fun.compute(*values, **kwargs)
    if len(args) > 1 or kwargs:
        args, kwargs = recording.constants.keep_all(args, kwargs)
    node = Node(recording, fun, args, kwargs, value, frame.f_code, frame.f_lasti)
    return unpack(node, frame) if type(value) is not Node and isinstance(value, _SEVERAL) else node


Primitive.apply = apply


def _apply_to_mixed(fun: Primitive, args: tuple[Any, ...], kwargs: dict[str, Any], frame: FrameType) -> Any:
    """``apply`` for nodes of several recordings: the innermost records, the others are its constants."""
    recording = max((a.recording for a in args if type(a) is Node), key=lambda r: r.level)
    values = [a.value if type(a) is Node and a.recording is recording else a for a in args]
    value = fun.compute(*values, **kwargs)
    args, kwargs = recording.constants.keep_all(args, kwargs)
    node = Node(recording, fun, args, kwargs, value, frame.f_code, frame.f_lasti)
    return unpack(node, frame) if type(value) is not Node and isinstance(value, _SEVERAL) else node


def unpack(node: Node, frame: FrameType) -> Any:
    """The parts of a row with several answers (svd, split), each a row of its own."""
    parts = [
        Node(node.recording, PART, (node, k), NO_KWARGS, part, frame.f_code, frame.f_lasti)
        for k, part in enumerate(node.value)
    ]
    kind = type(node.value)
    return kind(*parts) if hasattr(kind, "_fields") else kind(parts)


def call_handler(
    handler: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], frame: FrameType
) -> Any:
    """Calls what stands for a NumPy function. Rows made inside it are given the user's line."""
    if type(handler) is Primitive:
        if (kwargs or len(args) > 1) and handler.arrange:
            args, kwargs = handler.arrange(args, kwargs, frame)
        return apply(handler, args, kwargs, frame)
    for keyword in ("out", "where"):
        if kwargs.get(keyword) is not None and kwargs[keyword] is not True:
            refuse_keyword(handler.__name__, keyword, frame)
    recordings = {id(n.recording): n.recording for n in nodes_in((args, tuple(kwargs.values())))}
    starts = [(r, len(r.rows)) for r in recordings.values() if r.rows is not None]
    answer = handler(*args, **kwargs)
    for recording, start in starts:
        for node in itertools.islice(recording.rows or (), start, None):
            node.code, node.at = frame.f_code, frame.f_lasti
    return answer


def plain(value: Any) -> Any:
    """The number or array inside any nesting of nodes."""
    while type(value) is Node:
        value = value.value
    return value


def nodes_in(value: Any) -> Iterator[Node]:
    """The nodes among a call's arguments, inside lists and tuples too."""
    if type(value) is Node:
        yield value
    elif isinstance(value, tuple | list):
        for item in value:
            yield from nodes_in(item)


def plain_index(index: Any) -> Any:
    """An index with no nodes in it: those that it has are decided."""
    if type(index) is Node:
        return index.concrete()
    if type(index) is tuple:
        return tuple(plain_index(part) for part in index)
    if type(index) is list:
        return [plain_index(part) for part in index]
    return index


# -- the primitives that Node itself needs; rules/ gives them their rules --------------------------------


def _no_value(*args: Any, **kwargs: Any) -> NoReturn:
    raise AssertionError("an input row has no function to compute")


INPUT = Primitive("input", _no_value)
PART = Primitive("part", lambda parts, k: parts[k])
GETITEM = Primitive("getitem", operator.getitem)


def _ufunc_name(ufunc: np.ufunc) -> str:
    name = ufunc.__name__
    if getattr(np, name, None) is ufunc:
        return f"np.{name}"
    special = sys.modules.get("scipy.special")
    return f"scipy.special.{name}" if getattr(special, name, None) is ufunc else name


def _unusual_ufunc(
    ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any], frame: FrameType
) -> Any:
    """The calls of a ufunc that are not plain: its methods, its keywords, and those without a rule."""
    fun = UFUNCS.get(ufunc)
    if fun is None and load_rules():
        fun = UFUNCS.get(ufunc)
    for keyword in ("out", "where"):
        if kwargs.get(keyword) is not None and kwargs[keyword] is not True:
            refuse_keyword(_ufunc_name(ufunc), keyword, frame)
    called = ufunc if method == "__call__" else getattr(ufunc, method)
    if called in FUNCTIONS and (fun is None or called is not ufunc or kwargs):
        return call_handler(FUNCTIONS[called], inputs, kwargs, frame)
    if fun is None or called is not ufunc:
        raise_no_rule(_ufunc_name(ufunc) + ("" if called is ufunc else f".{method}"), frame)
    if "dtype" in kwargs:
        answer = apply(fun, inputs, NO_KWARGS, frame)
        return answer.astype(kwargs["dtype"])
    rest = {k: v for k, v in kwargs.items() if k not in ("out", "where")}
    if rest:
        refuse(
            f"{_ufunc_name(ufunc)} was called with {', '.join(rest)}= on traced values",
            "leave the keyword out",
            frame,
        )
    return apply(fun, inputs, NO_KWARGS, frame)
