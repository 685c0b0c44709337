"""What a function depends on besides its arguments: noticed if it changes, named if it can't be watched.

A compiled function is only right for as long as everything that it was made of stays as it was. This
module walks from a function to all that its code refers to (variables of enclosing functions, globals,
default values, attributes of objects, and the same for the functions that it calls) and takes a
:class:`Watch`, which tells whether anything of that has changed since.

>>> scale = [2.0]
>>> def f(x):
...     return scale[0] * x
>>> watch = Watch(f)
>>> watch.unchanged()
True
>>> scale[0] = 3.0
>>> watch.unchanged(), watch.changes()
(False, ["the global variable 'scale'"])
"""

from __future__ import annotations

import array
import builtins
import collections
import datetime
import functools
import io
import random
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import (
    BuiltinFunctionType,
    CodeType,
    FrameType,
    FunctionType,
    GeneratorType,
    MemberDescriptorType,
    MethodType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import Any, NamedTuple

import numpy as np

from diffkit.autodiff.program import same_bits
from diffkit.autodiff.sites import belongs_to_diffkit
from diffkit.autodiff.tracer import Primitive
from diffkit.errors import TraceError

__all__ = ["Watch", "snapshot", "witnessed"]

_STANDARD = (sysconfig.get_paths()["stdlib"], str(Path(np.__file__).parent.parent), "<frozen")
_BY_IDENTITY = (type, ModuleType, BuiltinFunctionType, WrapperDescriptorType, np.ufunc, np.dtype, Primitive)
_SAME_FOR_EVER = (
    bool,
    int,
    float,
    complex,
    str,
    bytes,
    type(None),
    type,
    ModuleType,
    BuiltinFunctionType,
    FunctionType,
    CodeType,
)
"""What is as it was if it is the same object. (A function's own variables are watched beside it.)"""

_DEPTH = 8
"""How deep containers and objects are looked into."""

Check = Callable[[Any], bool]


def is_library(code: CodeType) -> bool:
    """Whether code is Python's, an installed package's or diffkit's, and not the user's own."""
    return code.co_filename.startswith(_STANDARD) or belongs_to_diffkit(code)


# -- the value of one variable ----------------------------------------------------------------------------


def snapshot(value: Any, mentioned: frozenset[str] = frozenset(), depth: int = 0) -> Check:
    """A check whether a value is what this one is now, to the last bit.

    Arrays and containers are compared by what is in them; of objects, the attributes in ``mentioned``;
    functions, classes and modules by identity.

    Raises:
        TraceError: for what is used up by being used: a generator, an open file.

    >>> check = snapshot({"a": np.zeros(2)})
    >>> check({"a": np.zeros(2)}), check({"a": np.ones(2)}), check({})
    (True, False, False)
    """
    kind = type(value)
    if value is None or kind in (bool, int, str, bytes, float, complex):
        return lambda v: type(v) is kind and same_bits(v, value)
    if isinstance(value, np.generic):
        return lambda v: same_bits(v, value)
    if kind is np.ndarray and not value.dtype.hasobject:
        return _array_check(value)
    if isinstance(value, np.random.Generator):
        state = _state_of(value)
        return lambda v: v is value and _state_of(v) == state
    if isinstance(value, GeneratorType | io.IOBase) or (
        hasattr(kind, "__next__") and hasattr(kind, "__iter__")
    ):
        raise TraceError(
            f"the function to compile uses a {kind.__name__}, which is used up by being used: what it gave "
            "while the function was traced would be given for ever. Read it first, and pass what it gave as "
            "an argument."
        )
    if depth < _DEPTH:
        if isinstance(value, list | tuple):
            return _sequence_check(value, [snapshot(v, mentioned, depth + 1) for v in value])
        if isinstance(value, dict):
            return _dict_check(value, {k: snapshot(v, mentioned, depth + 1) for k, v in value.items()})
        if isinstance(value, collections.deque | array.array | bytearray):
            parts = _sequence_check(list(value), [snapshot(v, mentioned, depth + 1) for v in value])
            return lambda v: type(v) is kind and parts(list(v))
        if isinstance(value, set | frozenset):
            members = frozenset(value)
            return lambda v: type(v) is kind and v == members
        if isinstance(value, Primitive):
            vjps, jvps = value.vjps, value.jvps
            return lambda v: v is value and v.vjps is vjps and v.jvps is jvps
        if not isinstance(value, (*_BY_IDENTITY, FunctionType, MethodType)):
            checks = {k: snapshot(v, mentioned, depth + 1) for k, v in _attributes(value, mentioned).items()}
            return lambda v: v is value and all(hasattr(v, k) and c(getattr(v, k)) for k, c in checks.items())
    if isinstance(value, MethodType):
        owner, function = value.__self__, value.__func__
        return lambda v: type(v) is MethodType and v.__self__ is owner and v.__func__ is function
    return lambda v: v is value


def _array_check(array: np.ndarray) -> Check:
    dtype, shape, data = array.dtype, array.shape, array.tobytes()
    if not array.flags.writeable and array.flags.owndata:
        return lambda v: (
            v is array
            or (type(v) is np.ndarray and v.dtype == dtype and v.shape == shape and v.tobytes() == data)
        )
    return lambda v: type(v) is np.ndarray and v.dtype == dtype and v.shape == shape and v.tobytes() == data


def _sequence_check(value: Any, checks: list[Check]) -> Check:
    kind, n = type(value), len(value)
    return lambda v: (
        type(v) is kind and len(v) == n and all(c(part) for c, part in zip(checks, v, strict=True))
    )


def _dict_check(value: Any, checks: dict[Any, Check]) -> Check:
    kind, keys = type(value), list(value)  # the order counts: a program may go through it
    return lambda v: type(v) is kind and list(v) == keys and all(c(v[k]) for k, c in checks.items())


def _state_of(generator: np.random.Generator) -> str:
    return repr(generator.bit_generator.state)


def _attributes(value: Any, mentioned: frozenset[str]) -> dict[str, Any]:
    """An object's own attributes among those mentioned, in its dictionary or in slots."""
    own = getattr(value, "__dict__", {})
    kind = type(value)
    return {
        name: getattr(value, name)
        for name in sorted(mentioned)
        if (name in own or isinstance(getattr(kind, name, None), MemberDescriptorType))
        and hasattr(value, name)
    }


# -- all that a function refers to ------------------------------------------------------------------------


class _Place(NamedTuple):
    """A variable: what it is, what it belongs to, and the expression that reads it."""

    what: str
    owner: Any
    access: str

    def get(self) -> Any:
        """Its value."""
        return eval(self.access.format("owner"), {"owner": self.owner})


class Watch:
    """Everything that a function's code refers to, as it is now.

    Args:
        function: the function.

    Raises:
        TraceError: if it refers to something that is used up by being used.
    """

    def __init__(self, function: Any) -> None:
        self.mentioned: set[str] = set()
        self._seen: set[int] = set()
        self._alive: list[Any] = []  # an id is only good for as long as its object is
        self._places: list[_Place] = []
        self._objects: list[Any] = []
        self._place("the function", (function,), "{}[0]")
        before = -1
        while before != len(self._seen):  # names found in one method lead to others
            before = len(self._seen)
            for value in list(self._objects):
                for attribute in _attributes(value, frozenset(self.mentioned)).values():
                    self._walk(attribute)
                self._walk_class(type(value))
        names = frozenset(self.mentioned)
        self.checks = [(place, snapshot(place.get(), names)) for place in self._places]
        self.unchanged = self._compiled()

    def _compiled(self) -> Callable[[], bool]:
        """All checks as one expression: a call of a compiled function waits for it."""
        scope: dict[str, Any] = {}
        conditions = []
        for k, (place, check) in enumerate(self.checks):
            text = place.access.format(f"o{k}")
            value = place.get()
            scope |= {f"o{k}": place.owner, f"c{k}": check, f"v{k}": value}
            quick = f"{text} is v{k} or " if isinstance(value, _SAME_FOR_EVER) else ""
            conditions.append(f"({quick}c{k}({text}))")
        body = " and ".join(conditions) or "True"
        missing = "(AttributeError, IndexError, KeyError, ValueError)"  # a variable is gone
        text = f"def unchanged():\n  try: return {body}\n  except {missing}: return False\n"
        exec(compile(text, "<watch>", "exec"), scope)
        unchanged: Callable[[], bool] = scope["unchanged"]
        return unchanged

    def changes(self) -> list[str]:
        """What has changed, in words."""
        found = []
        for place, check in self.checks:
            try:
                same = check(place.get())
            except (AttributeError, IndexError, KeyError, ValueError):
                same = False
            if not same:
                found.append(place.what)
        return found

    def _walk(self, value: Any) -> None:
        # Functions hang on functions, so this goes as deep as calls are nested, and no deeper.
        if id(value) in self._seen or isinstance(value, ModuleType):
            return
        if isinstance(value, FunctionType):
            self._remember(value)
            self._walk_function(value)
        elif isinstance(value, MethodType):
            self._place(f"the object whose method {value.__name__} is", value, "{}.__self__")
            self._walk(value.__func__)
        elif isinstance(value, functools.partial):
            self._remember(value)
            for k in range(len(value.args)):
                self._place("an argument of a functools.partial", value, f"{{}}.args[{k}]")
            for key in value.keywords:
                self._place(f"the argument {key} of a functools.partial", value, f"{{}}.keywords[{key!r}]")
            self._place("the function of a functools.partial", value, "{}.func")
        elif isinstance(value, staticmethod | classmethod):
            self._walk(value.__func__)
        elif isinstance(value, property):
            self._walk(value.fget)
        elif isinstance(value, Primitive):
            self._remember(value)
            self._walk(getattr(value, "raw", None))
        elif isinstance(value, list | tuple):
            self._remember(value)
            for part in value:
                self._walk(part)
        elif isinstance(value, dict):
            self._remember(value)
            for part in list(value.values()):
                self._walk(part)
        elif isinstance(value, type):
            self._remember(value)
            if not _is_library_class(value):
                for part in list(vars(value).values()):
                    self._walk(part)
        elif hasattr(value, "__wrapped__"):  # functools.lru_cache, another compiled function
            self._remember(value)
            self._place("the function that another wraps", value, "{}.__wrapped__")
        elif _is_library_class(type(value)):
            for part in list(getattr(value, "__dict__", {}).values()):
                if isinstance(part, FunctionType):  # numpy.vectorize
                    self._walk(part)
        elif hasattr(value, "__dict__") or hasattr(type(value), "__slots__"):
            self._remember(value)
            self._objects.append(value)
            self._walk(vars(type(value)).get("__call__"))

    def _walk_class(self, kind: type) -> None:
        """The attributes that an object has from its class: methods, and values shared by all objects."""
        for name in sorted(self.mentioned & set(dir(kind))):
            key = f"{id(kind)}.{name}"
            if key not in self.mentioned and hasattr(kind, name):
                self.mentioned.add(key)
                self._place(f"{kind.__name__}.{name}", kind, f"{{}}.{name}")

    def _remember(self, value: Any) -> None:
        self._seen.add(id(value))
        self._alive.append(value)

    def _place(self, what: str, owner: Any, access: str) -> None:
        place = _Place(what, owner, access)
        self._places.append(place)
        self._walk(place.get())

    def _walk_function(self, function: FunctionType) -> None:
        code = function.__code__
        for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
            try:
                cell.cell_contents  # noqa: B018
            except ValueError:
                continue  # not given a value yet
            self._place(f"the variable {name!r} around {function.__name__}", cell, "{}.cell_contents")
        if function.__defaults__:
            self._place(f"the defaults of {function.__name__}", function, "{}.__defaults__")
        if function.__kwdefaults__:
            self._place(f"the defaults of {function.__name__}", function, "{}.__kwdefaults__")
        for name in function.__dict__:
            self._place(f"{function.__name__}.{name}", function, f"{{}}.__dict__[{name!r}]")
        if is_library(code):
            return
        self._place(f"the code of {function.__name__}", function, "{}.__code__")
        scope = function.__globals__
        for name in _names_in(code):
            self.mentioned.add(name)
            if name not in scope or f"{id(scope)}.{name}" in self.mentioned:
                continue
            self.mentioned.add(f"{id(scope)}.{name}")
            self._place(f"the global variable {name!r}", scope, f"{{}}[{name!r}]")
            value = scope[name]
            if isinstance(value, ModuleType) and _is_own_module(value):
                for attribute in _names_in(code):
                    if attribute in vars(value):
                        self._place(f"{value.__name__}.{attribute}", value, f"{{}}.{attribute}")


def _names_in(code: CodeType) -> Iterator[str]:
    """The globals and attributes that code mentions, in the functions inside it too."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names_in(constant)


def _is_library_class(kind: type) -> bool:
    module = sys.modules.get(kind.__module__)
    if module is None or kind.__module__ in ("builtins", "diffkit.programs"):
        return kind.__module__ == "builtins"
    return not _is_own_module(module)


def _is_own_module(module: ModuleType) -> bool:
    """Whether a module is the user's own: not Python's, no installed package, not diffkit's."""
    file = getattr(module, "__file__", None)
    if file is None:
        return module.__name__ == "__main__"
    return not file.startswith(_STANDARD) and module.__name__.split(".")[0] != "diffkit"


# -- what happens during one run --------------------------------------------------------------------------

_IMPURE: dict[Any, str] = {
    builtins.print: "prints",
    builtins.input: "reads input",
    builtins.open: "opens a file",
    io.open: "opens a file",
    time.time: "asks for the time",
    time.time_ns: "asks for the time",
    time.perf_counter: "asks for the time",
    time.monotonic: "asks for the time",
}


def witnessed(run: Callable[[], Any]) -> tuple[Any, list[str]]:
    """What ``run`` returns, and what it did besides that a compiled program would not do again.

    Draws from the global random generators of NumPy and Python, printing, reading and writing files and
    asking for the time are seen, if the user's own code does them; what a library does by itself is not.

    >>> witnessed(lambda: np.random.rand() > 2.0)
    (False, ["draws from NumPy's global random generator"])
    """
    seen: dict[str, None] = {}

    def profile(frame: FrameType, event: str, called: Any) -> None:
        if event != "c_call" or is_library(frame.f_code):
            return
        try:
            what = _IMPURE.get(called, "")
        except TypeError:  # methods of what can't be hashed
            what = ""
        owner = getattr(called, "__self__", None)
        if isinstance(owner, random.Random):
            what = "draws from Python's random generator"
        elif isinstance(owner, io.IOBase):
            what = f"calls {called.__name__} on a file"
        elif owner is datetime.datetime and called.__name__ in ("now", "utcnow", "today"):
            what = "asks for the time"
        if what:
            seen[what] = None

    legacy = _numpy_state()
    standard = random.getstate()
    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        answer = run()
    finally:
        sys.setprofile(before)
    if _numpy_state() != legacy:
        seen["draws from NumPy's global random generator"] = None
    if random.getstate() != standard:
        seen["draws from Python's random generator"] = None
    return answer, list(seen)


def _numpy_state() -> tuple[Any, ...]:
    name, key, *rest = np.random.get_state()  # noqa: NPY002 (it is the global generator that is asked for)
    return (name, np.asarray(key).tobytes(), *rest)
