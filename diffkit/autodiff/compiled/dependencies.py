"""What a function depends on besides its arguments: noticed if it changes.

A compiled function is only right for as long as everything that it was made of stays as it was. This
module walks from a function to all that its code refers to (variables of enclosing functions, globals,
default values, attributes of objects, modules that it imports, and the same for the functions that it
calls) and takes a :class:`Watch`, which tells whether anything of that has changed since.

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

import collections
import dis
import functools
import sys
from collections.abc import Callable, Iterator
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple

from diffkit.autodiff.compiled.snapshots import attributes, snapshot
from diffkit.autodiff.recording.tracer import Primitive
from diffkit.sites import belongs_to_libraries, owner

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

_NOT_WALKED = frozenset({"__init__", "__new__", "__repr__", "__str__", "__init_subclass__", "__del__"})
"""What a class has that an operation on its finished objects does not call."""


_MADE_BY_A_CLASS_STATEMENT = 1 << 9
"""The bit of a class's flags that CPython calls Py_TPFLAGS_HEAPTYPE."""


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
        function: the function, or an object whose methods may be called.
        mentioned: names of attributes that other code reads, which may be of objects found here.

    Attributes:
        mentioned: those names, and those that the code found here reads.
        imports: names of modules that the code imports and that nobody has imported yet.
        catches: whether the code may catch errors.

    Raises:
        TraceError: if it refers to something that is used up by being used.
    """

    def __init__(self, function: object, mentioned: frozenset[str] = frozenset()) -> None:
        self.mentioned: set[str] = set(mentioned)
        self.imports: set[str] = set()
        self.catches = False
        self._known: set[str] = set()  # places that have been noted
        self._seen: set[int] = set()
        self._alive: list[Any] = []  # an id is only good for as long as its object is
        self._places: list[_Place] = []
        self._objects: list[Any] = []
        self._place("the function", (function,), "{}[0]")
        before = (-1, -1)
        while before != (len(self._seen), len(self.mentioned)):  # names found in one method lead to others
            before = (len(self._seen), len(self.mentioned))
            for value in list(self._objects):
                for attribute in attributes(value, frozenset(self.mentioned)).values():
                    self._walk(attribute)
                self._walk_class(value if isinstance(value, type) else type(value))
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

    def _walk(self, value: object) -> None:
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
            if not value.builtin:
                for rule in (*value.vjps, *value.jvps):
                    self._walk(rule)
        elif isinstance(value, list | tuple | set | frozenset | collections.deque):
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
                self._objects.append(value)
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

    def _walk_class(self, kind: type) -> None:
        """The attributes that an object has from its class: methods, and values shared by all objects."""
        names = self.mentioned & set(dir(kind))
        for base in kind.__mro__:  # what operators, calls, loops and with statements go through
            if not _is_library_class(base):
                special = {n for n, part in vars(base).items() if n[:2] == "__" == n[-2:] and callable(part)}
                names |= special - _NOT_WALKED
        for name in sorted(names - {"__dict__", "__class__"}):
            if self._is_new(kind, name) and hasattr(kind, name):
                self._place(f"{kind.__name__}.{name}", kind, f"{{}}.{name}")

    def _is_new(self, owner: object, name: str) -> bool:
        key = f"{id(owner)}.{name}"
        new = key not in self._known
        self._known.add(key)
        return new

    def _remember(self, value: object) -> None:
        self._seen.add(id(value))
        self._alive.append(value)

    def _place(self, what: str, owner: object, access: str) -> None:
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
        wrapped = function.__dict__.get("__wrapped__")
        for name, value in function.__dict__.items():
            if getattr(wrapped, name, None) is value and _is_library_class(type(wrapped)):
                continue  # functools.wraps copied it from an object that is looked into itself
            self._place(f"{function.__name__}.{name}", function, f"{{}}.__dict__[{name!r}]")
        if belongs_to_libraries(code):
            return
        self._place(f"the code of {function.__name__}", function, "{}.__code__")
        scope = function.__globals__
        names = _names_in(code)
        self.mentioned |= names.mentioned
        self.catches |= names.catches
        for name in sorted(names.variables):
            if name in scope:
                if self._is_new(scope, name):
                    self._place(f"the global variable {name!r}", scope, f"{{}}[{name!r}]")
                self._walk_module(scope[name], names.mentioned)
            elif self._is_new(scope, name):  # a builtin's name, or one that is not given a value yet
                self._place(f"the global variable {name!r}", scope, f"{{}}.get({name!r})")
        for name in sorted(names.imports):
            own = [name, f"{scope.get('__package__')}.{name}".strip(".")]  # from . import, from .name import
            found = [sys.modules[module] for module in own if module in sys.modules]
            for module in found:
                self._walk_module(module, names.mentioned)
            if not found:
                self.imports.add(name)

    def _walk_module(self, module: object, names: frozenset[str]) -> None:
        """What is mentioned of a module of the user's own, and of the modules in it."""
        if not isinstance(module, ModuleType) or not _is_own_module(module):
            return
        for name in sorted(names & vars(module).keys()):
            if self._is_new(module, name):
                self._place(f"{module.__name__}.{name}", module, f"{{}}.{name}")
                self._walk_module(getattr(module, name), names)


_OF_GLOBALS = frozenset("LOAD_GLOBAL LOAD_NAME LOAD_FROM_DICT_OR_GLOBALS STORE_GLOBAL DELETE_GLOBAL".split())
"""The instructions that read or change global variables (or may, in the body of a class)."""


class _Names(NamedTuple):
    """What a piece of code, and the functions inside it, refer to by name."""

    variables: frozenset[str]
    imports: frozenset[str]
    mentioned: frozenset[str]  # all of these, attributes, and strings that could be the name of one
    catches: bool  # whether an error may be caught there, by except or with


@functools.lru_cache(maxsize=1024)
def _names_in(code: CodeType) -> _Names:
    variables, imports, mentioned, catches = set(), set(), set(code.co_names), False
    for instruction in dis.get_instructions(code):
        if instruction.opname in _OF_GLOBALS:
            variables.add(instruction.argval)
        elif instruction.opname == "IMPORT_NAME":
            imports.add(instruction.argval)
            mentioned.update(instruction.argval.split("."))
        catches |= instruction.opname == "PUSH_EXC_INFO"
    for constant in _constants_in(code.co_consts):
        if isinstance(constant, CodeType):
            inner = _names_in(constant)
            variables |= inner.variables
            imports |= inner.imports
            mentioned |= inner.mentioned
            catches |= inner.catches
        elif isinstance(constant, str) and constant.isidentifier():  # getattr(model, "scale")
            mentioned.add(constant)
    if "globals" in variables:  # globals()["scale"]
        variables |= mentioned
    return _Names(frozenset(variables), frozenset(imports), frozenset(mentioned), catches)


def _constants_in(constants: tuple[Any, ...]) -> Iterator[Any]:
    for constant in constants:
        if isinstance(constant, tuple):
            yield from _constants_in(constant)
        else:
            yield constant


def is_users_object(value: object) -> bool:
    """Whether a value is an object of a class of the user's own, or something that can be called."""
    return callable(value) or not _is_library_class(type(value))


def _is_library_class(kind: type) -> bool:
    if kind.__module__ == "builtins":  # or the class was made by exec, in a scope without a name
        return not kind.__flags__ & _MADE_BY_A_CLASS_STATEMENT
    module = sys.modules.get(kind.__module__)
    return module is not None and not _is_own_module(module)


def _is_own_module(module: ModuleType) -> bool:
    """Whether a module is the user's own: not Python's, no installed package, not diffkit's."""
    file = getattr(module, "__file__", None)
    if file is None:
        return module.__name__ == "__main__"
    return owner(file) == "user"
