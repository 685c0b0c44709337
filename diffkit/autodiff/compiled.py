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

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from diffkit.autodiff.emission import MISS, Emitted, emit, may_vary, root_of
from diffkit.autodiff.passes import EXACT, apply_passes, inlined
from diffkit.autodiff.program import program_of
from diffkit.autodiff.trace import Trace, record
from diffkit.autodiff.tracer import Node
from diffkit.autodiff.watching import Watch, witnessed
from diffkit.containers import flatten
from diffkit.errors import InputError, TraceError

__all__ = ["Compiled", "Stats", "compile"]

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
    later calls run the compiled source. All get the bits that the trace has (on Python floats a trace
    computes sin by ``math.sin``, which may differ from NumPy's in the last one).

    A kind of call is the nesting of the arguments, the types, dtypes and shapes of their floats and
    arrays of floats, the values of all else (integers, strings, integer arrays, keyword arguments), and
    the path: whatever f decides by a traced value (``if x > 0``, the end of a loop, an index) is checked
    by the compiled source as it goes, and a call that decides otherwise is traced anew.

    What f computes must follow from its arguments. The following is noticed:

    - Variables around f, globals, default values, attributes of objects that f or a function that it
      calls refers to: when one has changed, f is traced anew. Arrays among them are compared with what
      they were at each call, which takes time in proportion to their size: pass large ones as
      arguments, of which only shape and dtype are compared.
    - f changes something of this itself, draws from a random generator, prints, reads or writes a file,
      or asks for the time: refused by name.
    - f gives another answer when it is traced than when it is run: refused.

    It can't be noticed if f depends on something that its code does not refer to: data that an
    extension module keeps, the environment, the content of a file that a library reads, elements
    deeper than eight containers, attributes by computed names. A value of an output that is not a
    number, an array, a string or None can't be compiled.

    Args:
        f: a function, or an operator's result: ``compile(grad(f))``.
        paths: how many programs are kept; the one that was not used for longest goes first.
        longest: rows of the longest program that is compiled.

    Raises:
        InputError: if f is not callable. A call raises it for a program longer than ``longest``.
        TraceError: (a call) for a function that is not the same program at each call.

    >>> from diffkit.autodiff.operators import hessian
    >>> compile(hessian(lambda x: np.sum(x**3)))(np.array([1.0, 2.0]))
    array([[ 6.,  0.],
           [ 0., 12.]])
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
        self._programs: list[Emitted] = []
        self._runs: list[Callable[..., Any]] = []  # the same, most recently used first
        self._watch: Watch | None = None
        self._unchanged: Callable[[], bool] = lambda: False
        self._hits = self._traced = self._plain = 0
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
                        self._runs = [run, *(r for r in runs if r is not run)]
                    self._hits += 1
                    return answer
        return self._first_call(args, kwargs)

    def __repr__(self) -> str:
        return f"<compiled {getattr(self.function, '__name__', self.function)}: {len(self._runs)} programs>"

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    @property
    def stats(self) -> Stats:
        """How calls were answered so far."""
        return Stats(self._hits, self._traced, self._plain, len(self._runs))

    @property
    def sources(self) -> list[str]:
        """The text of each program that is kept, the most recently used first."""
        by_run = {p.run: p.text for p in self._programs}
        return [by_run[run] for run in self._runs]

    def clear(self) -> None:
        """Forgets all programs."""
        self._runs, self._programs = [], []

    # -- a call that no program is for ----------------------------------------------------------------

    def _first_call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        leaves = flatten((args, kwargs))[0]
        if any(type(leaf) is Node for leaf in leaves):
            self._plain += 1
            return self.function(*args, **kwargs)
        self._look_around()
        answer, impure = witnessed(lambda: self.function(*args, **kwargs))
        self._refuse_if(impure)
        try:
            t = record(self.function, args, kwargs)
            emitted = self._emitted(t, args, kwargs, answer)
            again = emitted.run(args, kwargs)
        except (ArithmeticError, ValueError) as error:
            if isinstance(error, InputError):
                raise
            self._plain += 1
            return answer
        if again is MISS or not self._agree(answer, again):
            self._plain += 1
            return answer
        self._traced += 1
        self._programs = [p for p in self._programs if p.run in self._runs[: self.paths - 1]] + [emitted]
        self._runs = [emitted.run, *self._runs[: self.paths - 1]]
        return again

    def _look_around(self) -> None:
        """Notes what f refers to; if that has changed, the programs so far are for something else."""
        if self._watch is None or not self._watch.unchanged():
            self.clear()
            self._watch = Watch(self.function)
            self._unchanged = self._watch.unchanged

    def _refuse_if(self, impure: list[str]) -> None:
        name = getattr(self.function, "__name__", "the function")
        assert self._watch is not None
        changed = self._watch.changes()
        self._watch = self._watch if not changed else None
        if changed:
            raise TraceError(
                f"{name} changes {', '.join(changed)} while it runs, and a compiled program would not: "
                "pass it as an argument and return the new value."
            )
        if impure:
            raise TraceError(
                f"{name} {' and '.join(impure)}; a compiled program would not do so again. Do it outside, "
                "and pass what comes of it as an argument."
            )

    def _emitted(self, t: Trace, args: tuple[Any, ...], kwargs: dict[str, Any], answer: Any) -> Emitted:
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
        program = program_of(t)
        roots = [root_of(output) for output in program.outputs]
        by_index = dict(zip((n.index for n in t.inputs), program.inputs, strict=True))
        arguments = [by_index[a.index] if t.owns(a) else a for a in t._arguments]
        pinned = frozenset(id(row) for row in program.rows if may_vary(row))
        done = inlined(apply_passes(replace(program, pinned=pinned), COMPILED), 40)
        assert self._watch is not None
        mentioned = frozenset(self._watch.mentioned)
        return emit(done, arguments, t.in_structure, kwargs, answer, roots, mentioned)

    def _agree(self, answer: Any, again: Any) -> bool:
        """Whether the function and its trace computed the same.

        Where one has no number and the other does (a negative number to a broken power), the function is
        left to itself. If both have numbers and they differ, it is refused: it is not one program.
        """
        expected, structure = flatten(answer)
        got, got_structure = flatten(again)
        if structure == got_structure:
            if all(map(_close, expected, got)):
                return True
            if not all(map(_is_finite, [*expected, *got])):
                return False
        name = getattr(self.function, "__name__", "the function")
        raise TraceError(
            f"{name} returned {_short(answer)} when it was run and {_short(again)} when it was traced, "
            "on the same arguments: it depends on something besides them (random numbers, a counter, the "
            "time), or changes an array that it has used. Pass that as an argument, or make a new array."
        )


COMPILED = tuple(name for name in EXACT if name not in ("seeds", "inline"))
"""The passes that compiled programs go through, before long expressions are made of their rows."""


def _can_be_returned(output: Any) -> bool:
    return (
        type(output) is Node
        or output is None
        or isinstance(output, bool | int | float | complex | str | bytes | np.ndarray | np.generic)
    )


def _close(a: Any, b: Any) -> bool:
    """Whether two runs of one program gave the same, allowing for sums in another order."""
    if not isinstance(a, np.ndarray | np.generic | float | complex):
        return type(a) is type(b) and bool(a == b)
    one, other = np.asarray(a), np.asarray(b)
    kind = np.result_type(one.dtype, other.dtype)
    if one.shape != other.shape or kind.kind not in "fc":
        return bool(np.array_equal(one, other))
    tolerance = 1e3 * np.finfo(kind).eps
    return bool(np.allclose(one, other, rtol=tolerance, atol=tolerance, equal_nan=True))


def _is_finite(value: Any) -> bool:
    numeric = (
        isinstance(value, np.ndarray | np.generic | float | complex) and np.asarray(value).dtype.kind in "fc"
    )
    return not numeric or bool(np.all(np.isfinite(value)))


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
