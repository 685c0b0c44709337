"""Whether a function does the same on traced values as it does on its own: held against a plain run.

A traced value answers as the number or array that it stands in for, but a program can tell them apart if it
asks for the type itself: ``type(x) is float``, a table of functions by type, an ``id``, a printed form. Such
a program may take another path when it is traced, and its derivative would be another program's. So the first
call of a function whose code has such a word in it, or that of a function which it calls, is followed by a
plain run. If the values differ, both runs are done again, instruction by instruction, and where the
paths part is what the error names. It is no fault if they don't, in a long program: there a last bit may have
grown. Nor is one found where two plain runs differ, as those of a function that draws random numbers do.

That costs one plain run at the first call, of such functions only; for all others, and all later calls, the
look into a table.
"""

from __future__ import annotations

import dis
import functools
import sys
from collections.abc import Callable, Iterator
from types import CodeType, FrameType, FunctionType, MethodType
from typing import Any

import numpy as np

from diffkit.autodiff.core.record import record
from diffkit.autodiff.core.trace import WengertList
from diffkit.autodiff.recording.tracer import is_traced, plain
from diffkit.containers import flatten
from diffkit.errors import TraceError
from diffkit.sites import describe_site, owner

_TELLING = frozenset({"type", "id", "repr", "str", "vars", "dir", "issubclass", "issubdtype", "__class__"})
"""Words by which a program can tell a traced value from a plain one."""

_MOST = 1_000_000
"""Instructions that are compared at most."""

_TOO_SHORT_FOR_CHAOS = 200
"""Rows over which a last bit does not grow to a millionth."""

_known: dict[int, CodeType] = {}
"""The code of functions that were looked at, by ``id``."""


def hold_against_plain_run(
    f: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    argnums: list[int],
    t: WengertList,
) -> None:
    """Refuses a trace that is another program than the function: see the module.

    Args:
        f: the function that was traced.
        args, kwargs: what it was called with.
        argnums: by which arguments it was traced.
        t: its trace.

    Raises:
        TraceError: naming the line at which both runs part.
    """
    function = f if type(f) is FunctionType else _function_of(f)
    if function is None or id(function.__code__) in _known:
        return
    _known[id(function.__code__)] = function.__code__
    if not _can_tell(function) or any(map(is_traced, flatten((args, kwargs))[0])):
        return
    run = functools.partial(f, *args, **kwargs)
    try:
        value = run()
        if _close(value, t.value):
            return
        plainly, again = _path(run), run()
    except Exception:  # it has no value on its own; that it has one when traced is another matter
        return
    if not _close(value, again):  # it is not the same program twice
        return
    traced = _path(lambda: record(f, args, kwargs, argnums))
    parted = next((k for k, (a, b) in enumerate(zip(plainly, traced, strict=False)) if a != b), None)
    if parted is not None:
        where = plainly[max(parted - 1, 0)]  # the last that they have in common
    elif len(t) <= _TOO_SHORT_FOR_CHAOS:
        where = next(step for step in plainly if _asks(*step))  # a function was looked up by type
    else:
        return
    raise TraceError(
        f"{t.name} is another program when it is traced: {_short(t.value)} comes of that, and "
        f"{_short(value)} of a plain run. They part at {describe_site(*where)}. A traced value is not of the "
        "type float or ndarray itself, though isinstance says so: ask isinstance(x, float), np.ndim(x) or "
        "np.issubdtype(np.result_type(x), np.floating)."
    )


@functools.lru_cache(maxsize=256)
def _asking(code: CodeType) -> frozenset[int]:
    """The instructions that look up a telling word."""
    return frozenset(i.offset for i in dis.get_instructions(code) if i.argval in _TELLING)


def _asks(code: CodeType, at: int) -> bool:
    return at in _asking(code)


def _function_of(f: Any) -> FunctionType | None:
    """The function with code that a callable is made of."""
    while not isinstance(f, FunctionType):
        if isinstance(f, functools.partial):
            f = f.func
        elif isinstance(f, MethodType):
            f = f.__func__
        else:
            return None
    return f


def _can_tell(function: FunctionType) -> bool:
    """Whether a telling word is in the code of a function, or of those that it calls by name."""
    asked: list[FunctionType] = [function]
    seen: set[int] = set()
    while asked:
        current = asked.pop()
        if id(current.__code__) in seen or owner(current.__code__.co_filename) != "user":
            continue
        seen.add(id(current.__code__))
        for code in _codes(current.__code__):
            if not _TELLING.isdisjoint(code.co_names):
                return True
            asked += [g for n in code.co_names if isinstance(g := current.__globals__.get(n), FunctionType)]
        for cell in current.__closure__ or ():
            try:
                inner = _function_of(cell.cell_contents)
            except ValueError:  # empty yet
                continue
            asked += [inner] if inner is not None else []
    return False


def _codes(code: CodeType) -> Iterator[CodeType]:
    """A code and those of the functions that are defined inside."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _path(run: Callable[[], Any]) -> list[tuple[CodeType, int]]:
    """The instructions of the user's code that a run passes, in order."""
    path: list[tuple[CodeType, int]] = []

    def local(frame: FrameType, event: str, arg: Any) -> Any:
        if event == "opcode" and len(path) < _MOST:
            path.append((frame.f_code, frame.f_lasti))
        return local

    def enter(frame: FrameType, event: str, arg: Any) -> Any:
        if owner(frame.f_code.co_filename) != "user":
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        return local

    before = sys.gettrace()
    sys.settrace(enter)
    try:
        run()
    finally:
        sys.settrace(before)
    return path


def _close(a: Any, b: Any) -> bool:
    """Whether two answers are the same but for round-off."""
    (one, structure), (other, other_structure) = flatten(a), flatten(b)
    return structure == other_structure and all(map(_close_numbers, one, other))


def _close_numbers(a: Any, b: Any) -> bool:
    a, b = plain(a), plain(b)
    if isinstance(a, np.ndarray | np.generic | float | complex | int):
        return np.shape(a) == np.shape(b) and bool(np.allclose(a, b, rtol=1e-6, atol=1e-9, equal_nan=True))
    return True


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
