"""``compile``: a function as emitted source, called straight after the first call.

>>> import numpy as np
>>> from diffkit.autodiff.operators import grad
>>> def f(x):
...     return x * x if x > 0 else -x
>>> g = compile(grad(f))
>>> g(3.0), g(4.0), g(-1.0), g(-2.0)
(6.0, 8.0, -1.0, -1.0)
>>> g.stats
Stats(hits=2, traced=2, plain=0, paths=2)
"""

from __future__ import annotations

import contextlib
import functools
import gc
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from diffkit.autodiff.code.passes import EXACT, apply_passes, inlined
from diffkit.autodiff.code.program import program_of
from diffkit.autodiff.compiled.dependencies import Watch, is_users_object
from diffkit.autodiff.compiled.emission import Emitted, emit, may_fail, may_vary, root_of
from diffkit.autodiff.compiled.entry import MISS
from diffkit.autodiff.compiled.equal_answers import agree, refuse_unlike
from diffkit.autodiff.compiled.side_effects import caught_errors, witnessed
from diffkit.autodiff.compiled.snapshots import snapshot
from diffkit.autodiff.core.record import parameter_names, record
from diffkit.autodiff.core.trace import WengertList
from diffkit.autodiff.recording.tracer import Node, is_traced
from diffkit.containers import flatten
from diffkit.errors import InputError, TraceError

LONGEST = 1_000_000
"""Rows in the longest program that is compiled unless told otherwise."""


class Stats(NamedTuple):
    """How a compiled function's calls were answered.

    Attributes:
        hits: by emitted code.
        traced: by the function itself, which was then traced and compiled.
        plain: by the function itself, because the call can't be compiled: its arguments were traced
            values of another trace, or an operation has no answer on plain numbers (1 / 0.0).
        paths: programs that are kept now.
    """

    hits: int
    traced: int
    plain: int
    paths: int


def compile(f: Callable[..., Any], *, paths: int = 64, longest: int = LONGEST) -> Compiled:
    """``f`` as emitted source, traced once for each kind of call.

    The first call of each kind runs f, traces it, writes the trace as Python source and compiles that;
    later calls run the compiled source. All return what f returns, to the last bit and of the same types.
    (Except that a derivative by an array which is read at repeated indices in several places may be
    summed in another order.)

    A kind of call is the nesting of the arguments; the types, dtypes and shapes of their floats and
    arrays of floats; the values of all else (integers, strings, integer arrays, objects); and the path:
    whatever f decides by a traced value (``if x > 0``, the end of a loop, an index) is checked by the
    compiled source as it goes, and a call that decides otherwise is traced anew.

    What f computes must follow from its arguments. The following is noticed:

    - Variables around f, globals, default values, attributes of objects and classes, functions that are
      called, rules of primitives, modules that are imported: when anything has changed that f refers to,
      f is traced anew. Arrays among them are compared with what they were at each call, which takes time
      in proportion to their size: make large ones read-only (``data.flags.writeable = False``), and it is
      enough that they are the same arrays; or pass them as arguments, whose shape and dtype are compared.
    - f changes something of this itself, or an argument, draws from a random generator, prints or logs,
      opens a file, reads the environment, asks for the time, runs another program, or has NumPy raise
      errors by ``np.errstate``: refused by name.
    - f gives another answer when it is traced than when it is run: refused.
    - f catches an error that one of its operations raises (1 / 0): such a call is left to f.

    It can't be noticed if f depends on something that its code does not name: what an extension module or
    an installed package keeps to itself, what a server sends, elements deeper than eight containers,
    attributes by computed names (``getattr(model, "w" + k)``), whether two arguments are the same object
    (``x is y``). Of warnings, those are given again that come from NumPy's operations. A function that
    returns anything but numbers, arrays, strings and None, nested, can't be compiled.

    A function of Python floats that calls ``np.sin`` and its like gets NumPy's bits, and so takes
    NumPy's time for them; its derivatives use the ``math`` module, as all traces do, and are faster.

    Several threads may call a compiled function. It can be pickled if f can, without its programs.

    Args:
        f: a function, or an operator's result: ``compile(grad(f))``.
        paths: how many programs are kept; the one that was not used for longest goes first.
        longest: rows of the longest program that is compiled.

    Returns:
        A function of f's arguments and answer.

    Raises:
        InputError: if f is not callable. A call raises it for a program longer than ``longest``.
        TraceError: (a call) for a function that is not the same program at each call.

    >>> from diffkit.autodiff.jacobians import hessian
    >>> compile(hessian(lambda x: np.sum(x**3)))(np.array([1.0, 2.0]))
    array([[ 6.,  0.],
           [ 0., 12.]])

    A change of what f refers to is seen, and what f does besides computing is refused:

    >>> scale = 2.0
    >>> g = compile(lambda x: scale * x)
    >>> first = g(3.0)
    >>> scale = 5.0
    >>> first, g(3.0)
    (6.0, 15.0)
    >>> compile(lambda x: x * np.random.rand())(1.0)
    Traceback (most recent call last):
    ...
    diffkit.errors.TraceError: <lambda> draws from NumPy's global random generator; a compiled ...
    """
    if not callable(f):
        raise InputError(f"compile takes a function, but was given {f!r}")
    if not isinstance(paths, int) or paths < 1:
        raise InputError(f"paths is how many programs to keep, at least 1, not {paths!r}")
    return Compiled(f, paths, longest)


class Compiled:
    """A function and the programs that it was traced to. See :func:`compile`.

    Attributes:
        function: the function itself.
        stats: how calls were answered so far.
    """

    def __init__(self, function: Callable[..., Any], paths: int, longest: int) -> None:
        self.function = function
        self.paths = paths
        self.longest = longest
        self._programs: dict[Callable[..., Any], Emitted] = {}
        self._runs: list[Callable[..., Any]] = []  # their functions, most recently used first
        self._watch: Watch | None = None
        self._catches = False
        self._unchanged: Callable[[], bool] = _never
        self._changing = threading.RLock()  # f may call itself, compiled
        self._hits = self._traced = self._plain = 0
        self._name: str = getattr(function, "__name__", "the function")
        functools.update_wrapper(self, function, updated=())  # its attributes are its own

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._unchanged():
            runs = self._runs
            for run in runs:
                try:
                    answer = run(args, kwargs)
                except Exception:  # whatever it is, f itself raises it again, or has an answer
                    continue
                if answer is not MISS:
                    if run is not runs[0]:
                        self._bring_forward(run)
                    self._hits += 1
                    return answer
        with self._changing:
            return self._first_call(args, kwargs)

    def _bring_forward(self, run: Callable[..., Any]) -> None:
        with self._changing:
            if run in self._programs:  # another thread may have dropped it
                self._runs = [run, *(r for r in self._runs if r is not run)]

    def __reduce__(self) -> Any:
        found: Any = sys.modules.get(self.__module__)
        path = getattr(self, "__qualname__", "")
        for name in path.split("."):
            found = getattr(found, name, None)
        if found is self:  # f was decorated, and this has its name
            return path
        return functools.partial(compile, paths=self.paths, longest=self.longest), (self.function,)

    def __repr__(self) -> str:
        return f"<compiled {self._name}: {len(self._runs)} programs>"

    def __get__(self, instance: object, owner: object = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    @property
    def stats(self) -> Stats:
        """How calls were answered so far."""
        return Stats(self._hits, self._traced, self._plain, len(self._runs))

    @property
    def sources(self) -> list[str]:
        """The text of each program that is kept, the most recently used first."""
        with self._changing:
            return [self._programs[run].text for run in self._runs]

    def clear(self) -> None:
        """Forgets all programs."""
        with self._changing:
            self._runs, self._programs = [], {}

    # -- a call that no program is for ----------------------------------------------------------------

    def _first_call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        leaves = flatten((args, kwargs))[0]
        if any(map(is_traced, leaves)):
            self._plain += 1
            return self.function(*args, **kwargs)
        names = self._look_around([leaf for leaf in leaves if is_users_object(leaf)])
        same_arguments = [snapshot(value, names) for value in (*args, kwargs)]
        answer, impure = witnessed(lambda: self.function(*args, **kwargs))
        same = [same(value) for same, value in zip(same_arguments, (*args, kwargs), strict=True)]
        self._refuse_if(impure, [k for k, unchanged in enumerate(same) if not unchanged], args)
        try:
            emitted = self._traced_and_emitted(args, kwargs, answer, names)
            if emitted is None or not agree(answer, emitted.run(args, kwargs), self._name):
                self._plain += 1
                return answer
        except (ArithmeticError, ValueError) as error:
            if isinstance(error, InputError):
                raise
            self._plain += 1
            return answer
        self._traced += 1
        self._runs = [emitted.run, *self._runs[: self.paths - 1]]
        self._programs = {run: self._programs.get(run, emitted) for run in self._runs}
        return answer

    def _look_around(self, objects: list[Any]) -> frozenset[str]:
        """Notes what f refers to; if that has changed, the programs so far are for something else.

        Returns:
            The names of attributes that f reads, or a method of an object that it is given.
        """
        if self._watch is None or not self._watch.unchanged():
            self.clear()
            self._watch = Watch(self.function)
        names, catches = frozenset(self._watch.mentioned), self._watch.catches
        before = None
        while names != before:  # what one of them reads may be of another
            before = names
            for value in objects:
                found = Watch(value, names)
                names |= found.mentioned
                catches |= found.catches
        self._catches = catches
        if not names <= self._watch.mentioned:
            self._watch = Watch(self.function, names)
        self._unchanged = self._watch.unchanged
        return names

    def _refuse_if(self, impure: list[str], changed: list[int], args: tuple[Any, ...]) -> None:
        assert self._watch is not None
        around = self._watch.changes()
        if around:
            self._watch, self._unchanged = None, _never
        elif any(module in sys.modules for module in self._watch.imports):  # imported by this call
            self._watch = Watch(self.function, frozenset(self._watch.mentioned))
            self._unchanged = self._watch.unchanged
        if changed:
            names = [*parameter_names(self.function, len(args)), "a keyword"]
            raise TraceError(
                f"{self._name} changes what it was given for {' and '.join(names[k] for k in changed)}, "
                "and a compiled program would not: make a new array (or list, or object) and return that."
            )
        if around:
            raise TraceError(
                f"{self._name} changes {', '.join(around)} while it runs, and a compiled program would not: "
                "pass it as an argument and return the new value."
            )
        if impure:
            raise TraceError(
                f"{self._name} {' and '.join(impure)}; a compiled program would not do so again. "
                "Do it outside, and pass what comes of it as an argument."
            )

    def _traced_and_emitted(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], answer: object, names: frozenset[str]
    ) -> Emitted | None:
        """The program of this call; None if it hangs on an error that f catches."""
        f = _by_position(self.function) if kwargs else self.function
        given = (*args, kwargs) if kwargs else args
        caught = False
        if self._catches:  # else there is no need to look, which takes as long as to trace
            t, caught = caught_errors(lambda: record(f, given, {}))
        else:
            t = record(f, given, {})
        if caught:
            return None
        refuse_unlike(answer, t.value, self._name)
        return self._emitted(t, answer, keywords=bool(kwargs), mentioned=names)

    def _emitted(
        self,
        t: WengertList,
        answer: object,
        *,
        keywords: bool = False,
        mentioned: frozenset[str] = frozenset(),
    ) -> Emitted:
        if len(t) > self.longest:
            raise InputError(
                f"the trace of {t.name} has {len(t):,} rows, more than the {self.longest:,} that are "
                "compiled: compile a part of it (one step of the loop), or give compile a larger longest="
            )
        for output in t.outputs:
            if not _can_be_returned(output):
                raise TraceError(
                    f"{t.name} returned a {type(output).__name__}, which can't be compiled: compile a "
                    "function that returns numbers or arrays, such as the call of what it returns"
                )
        with _no_collection():
            program = program_of(t)
            roots = [root_of(output) for output in program.outputs]
            by_index = dict(zip((n.index for n in t.inputs), program.inputs, strict=True))
            arguments = [by_index[a.index] if t.owns(a) else a for a in t.arguments]
            pinned = frozenset(id(row) for row in program.rows if may_vary(row) or may_fail(row))
            done = inlined(apply_passes(replace(program, pinned=pinned), COMPILED), 40)
            return emit(
                done, arguments, t.in_structure, answer, roots, keywords=keywords, mentioned=mentioned
            )


COMPILED = tuple(name for name in EXACT if name not in ("seeds", "inline"))
"""The passes that compiled programs go through, before long expressions are made of their rows."""


@contextlib.contextmanager
def _no_collection() -> Iterator[None]:
    """Garbage is not collected: a program being written has none, and looking for it takes half the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _never() -> bool:
    return False


def _by_position(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, taking the dictionary of its keyword arguments as the last positional one."""

    def called(*given: Any) -> Any:
        *positional, keywords = given
        return function(*positional, **keywords)

    called.__name__ = getattr(function, "__name__", "the function")
    return called


def _can_be_returned(output: object) -> bool:
    return (
        type(output) is Node
        or output is None
        or isinstance(output, bool | int | float | complex | str | bytes | np.ndarray | np.generic)
    )
