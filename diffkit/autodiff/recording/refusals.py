"""What can't be traced, and what to write instead: every refusal names the user's own line."""

from __future__ import annotations

import dis
import re
import threading
from collections.abc import Callable
from types import FrameType, FunctionType
from typing import Any, NoReturn

import numpy as np

from diffkit.errors import NoRuleError, TraceError
from diffkit.sites import belongs_to_libraries, called_text, describe_site, owner, users_frame


def site_of(frame: FrameType) -> str:
    """The line of the user's program that is being run, found past those of diffkit and of libraries."""
    here = users_frame(frame)
    return describe_site(here.f_code, here.f_lasti)


class _Open(threading.local):
    """The refusals of the recordings that are open in this thread."""

    def __init__(self) -> None:
        self.all: list[Refusals] = []


_open = _Open()


class Refusals:
    """What was refused while a function was recorded: it is raised again if the function went on without it.

    ``try: y = float(x)``, ``except TypeError: y = other(x)`` would take the other way, which the function
    does not take when it is not traced.
    """

    __slots__ = ("first",)

    def __init__(self) -> None:
        self.first: Exception | None = None
        _open.all.append(self)

    def stop(self) -> None:
        """The recording is over."""
        still_open = _open.all
        if still_open and still_open[-1] is self:
            still_open.pop()
        elif self in still_open:
            still_open.remove(self)

    def raise_swallowed(self) -> None:
        """Raises the first refusal, which the function has caught."""
        if self.first is not None:
            error, self.first = self.first, None
            raise type(error)(
                f"{error} The function caught this, and went another way than it goes when it is not traced."
            )

    def raise_behind(self, error: Exception) -> None:
        """Raises the refusal that an error came of: C code that is refused a number may go on with any."""
        if self.first is not None and not isinstance(error, (TraceError, NoRuleError)):
            raise self.first from error


def is_recording() -> bool:
    """Whether a function is being recorded in this thread."""
    return bool(_open.all)


def raised(error: Exception) -> NoReturn:
    """Raises a refusal, and notes it for the case that the function catches it."""
    for refusals in _open.all:
        refusals.first = refusals.first or error
    raise error


def refuse(what: str, instead: str, frame: FrameType) -> NoReturn:
    """Raises a TraceError that says what happened, where, and what to write instead."""
    raised(TraceError(f"{what} ({site_of(frame)}): {instead}."))


_MADE_HERE = (
    "make that array, of floats, with diffkit.numpy (import diffkit.numpy as np) inside the function that "
    "is differentiated and in its thread; of one that comes from outside, begin with a copy, "
    "dk.numpy.array(a)"
)


def refuse_plain_output(name: str, frame: FrameType) -> NoReturn:
    """Refuses to write traced values into an array that NumPy made, which can't keep them."""
    refuse(
        f"{name} was to write traced values into a plain array, which can't hold them",
        _MADE_HERE,
        frame,
    )


def raise_no_rule(name: str, frame: FrameType) -> NoReturn:
    """Refuses a function that has no derivative rule, by name and line."""
    raised(
        NoRuleError(
            f"{name} was called on a traced value, but diffkit has no derivative rule for it "
            f"({site_of(frame)}). Write it with functions that have one, or wrap it "
            f"with dk.primitive and give its rule with dk.defvjp."
        )
    )


def raise_closed(owner: str, site: str) -> NoReturn:
    """Refuses a node whose trace is over."""
    raise TraceError(
        f"a traced value was used after the trace of {owner} had closed "
        f"({site}): it was stored somewhere while that function ran. Return it from the "
        "function instead; its derivative would be wrong here, without a sign of it."
    )


def raise_object_array(site: str) -> NoReturn:
    """Refuses an array of Python objects: its elements' derivatives can't be seen from outside."""
    raised(
        TraceError(
            f"an operation on traced values gave an object array ({site}): derivatives need arrays of "
            "floats. Build it with np.stack or dk.numpy.array, and without dtype=object."
        )
    )


def refuse_keyword(name: str, keyword: str, frame: FrameType) -> NoReturn:
    """Refuses ``out=``, ``where=`` and the like, with what to write instead."""
    instead = {
        "where": "choose with np.where",
        "initial": "combine it with the answer",
        "out": "use the answer (a = a + x for a += x)",
    }
    refuse(
        f"{name} was called with {keyword}= on traced values",
        f"leave {keyword}= out, and {instead.get(keyword, 'do without it')}",
        frame,
    )


_CONVERSIONS = {
    "float": "leave the value as it is, and use numpy's functions (np.sin for math.sin)",
    "int": "take its real part first",
    "complex": "multiply by 1j, or add 0j, instead",
}


def refuse_conversion(kind: str, frame: FrameType) -> NoReturn:
    """Refuses to make a plain number of a traced value, which would lose its derivative.

    NumPy asks for a float, too, when a traced value is assigned to an element of a plain array.
    """
    refuse_assignment(frame)
    here = users_frame(frame)
    name = called_text(here.f_code, here.f_lasti)
    called = _look_up(name, here)
    if isinstance(getattr(called, "__self__", None), np.ndarray):  # a.fill(x)
        refuse_plain_output(name, here)
    if called is np.fromiter:
        refuse(f"{name} was to make a plain array of traced values", "write dk.numpy.array([...])", here)
    also = " or a function of the math module" if kind == "float" else ""
    refuse(f"{kind}(){also} was called on a traced value", _CONVERSIONS[kind], frame)


def refuse_array(frame: FrameType) -> NoReturn:
    """Refuses to make a plain array of traced values, by the name of what the user called.

    NumPy asks for one when it meets traced values inside a list, which its functions do not look into.
    """
    here = users_frame(frame)
    refuse_assignment(here)
    name = called_text(here.f_code, here.f_lasti)
    called = _look_up(name, here)
    module = getattr(called, "__module__", None) or type(called).__module__
    if called in _WRITING:
        refuse_writing(name, here)
    if isinstance(called, np.vectorize) or called is np.vectorize:
        what, instead = (
            f"{name} was given a traced value",
            "call the function on each: np.stack([f(t) for t in x])",
        )
    elif called in (np.array, np.asarray, np.asanyarray, np.ascontiguousarray):
        what = f"{name} was to make a plain array of traced values"
        instead = "write dk.numpy.array, which is traced, or np.stack for a list of values of one shape"
    elif isinstance(called, type) and issubclass(called, np.generic):
        what, instead = f"{name}() was called on a traced value", "leave it as it is, or use x.astype"
    elif isinstance(getattr(called, "__self__", None), np.random.RandomState | np.random.Generator):
        what = f"{name} was given a traced value as a parameter"
        instead = (
            "draw numbers that do not depend on it, and shift and scale them: m + s * np.random.normal()"
        )
    elif module.startswith("numpy.testing"):
        what = f"{name} was given a traced array, of which NumPy's tests make a plain one"
        instead = "compare outside the function that is differentiated"
    elif module.startswith("numpy.polynomial"):
        what = f"{name} was given traced values, of which np.polynomial makes plain arrays"
        instead = "use np.polyval, np.polyfit and their like, which have the highest power first"
    elif called is np.nditer or module.startswith("numpy.ma"):
        what = f"{name} was given traced values, of which it makes plain arrays"
        whole = "operations on whole arrays" if called is np.nditer else "np.where(mask, x, 0.0)"
        instead = f"use {whole}, or a loop over np.ndindex(x.shape) and x[index]"
    elif called in (np.arange, np.ndenumerate):
        what = f"{name} was given a traced value, which NumPy does not pass on"
        instead = f"write dk.numpy.{called.__name__}, which takes it"
    elif called is np.lib.stride_tricks.as_strided:
        what = f"{name} was given a traced array, of which it sees memory and no elements"
        instead = "use np.lib.stride_tricks.sliding_window_view, x[::k], or an array of indices, x[index]"
    elif module.split(".")[0] == "numpy":
        what = (
            f"{name} was given a list of traced values, or one as a parameter, which NumPy does not pass on"
        )
        instead = (
            "diffkit.numpy takes lists of them in every function (import diffkit.numpy as np); by such a "
            "parameter nothing is differentiated"
        )
    else:
        what = "a traced value was to become a plain array"
        instead = (
            "build arrays with np.stack, np.concatenate, dk.numpy.array or dk.numpy.full, which are traced"
        )
    refuse(what, instead, here)


def refuse_writing(name: str, frame: FrameType) -> NoReturn:
    """Refuses a function that writes traced values into a plain array; ``np.full`` does so of itself."""
    here = users_frame(frame)
    text = called_text(here.f_code, here.f_lasti)
    called = _look_up(text, here)
    if called not in (np.full, np.full_like):
        refuse_plain_output(name, frame)
    refuse(
        f"{text} was to make a plain array of a traced value",
        f"write dk.numpy.{called.__name__}, which is traced",
        here,
    )


_WRITING = (
    np.full,
    np.full_like,
    np.copyto,
    np.put,
    np.place,
    np.putmask,
    np.put_along_axis,
    np.fill_diagonal,
)


def _look_up(name: str, frame: FrameType) -> Any:
    """What a dotted name means in a frame; None if nothing."""
    first, *rest = name.split(".")
    if not all(map(str.isidentifier, (first, *rest))):
        return None
    found = frame.f_locals.get(first, frame.f_globals.get(first))
    for part in rest:
        found = getattr(found, part, None)
    if isinstance(found, FunctionType) and owner(found.__code__.co_filename) == "diffkit":
        return getattr(found, "__wrapped__", found)  # diffkit.numpy's name for a function of NumPy's
    return found


def raise_no_attribute(name: str, frame: FrameType) -> NoReturn:
    """Says of an attribute that a traced value doesn't have it, and whether an array would."""
    more = ", though an array has: leave it out, or compute it with NumPy's functions"
    known = more if hasattr(np.ndarray, name) else ""
    raise AttributeError(f"a traced value has no attribute {name!r} ({site_of(frame)}){known}")


def explained(error: Exception, follow: Callable[[], bool]) -> Exception:
    """An error from inside a traced function, as the refusal that lies behind it; else the error itself.

    NumPy wraps what a traced value answers on being assigned to an element of an array; and what it
    says of an array that the trace has made read-only does not name what the user did.

    Args:
        error: the error.
        follow: has such arrays followed from the next call on, and tells whether there are any.
    """
    if isinstance(error.__cause__, TraceError):
        return error.__cause__
    read_only = isinstance(error, ValueError) and re.search("read-only|writeable|writable", str(error))
    if read_only and follow():
        return TraceError(
            f"an array was to be changed in place that the trace refers to ({_raised_at(error)}), which this "
            "function had left as it was before. Call it once more: from now on a change of arrays of that "
            "shape is followed. Or change a copy, a.copy()."
        )
    return error


def _raised_at(error: Exception) -> str:
    """The user's line in which an error was raised."""
    here = error.__traceback__
    while here is not None and here.tb_next and not belongs_to_libraries(here.tb_next.tb_frame.f_code):
        here = here.tb_next
    return site_of(here.tb_frame) if here is not None else "unknown line"


def refuse_assignment(frame: FrameType) -> None:
    """Says so if the instruction is ``a[i] = ...``, with a plain array a."""
    if dis.opname[frame.f_code.co_code[frame.f_lasti]] in ("STORE_SUBSCR", "STORE_SLICE"):
        refuse(
            "a traced value was assigned into a plain array, which can't hold it",
            _MADE_HERE,
            frame,
        )


def qualified_name(function: Callable[..., Any]) -> str:
    """A function's name as users write it: np.linalg.det.

    >>> import numpy as np
    >>> qualified_name(np.linalg.det)
    'np.linalg.det'
    """
    module = getattr(function, "__module__", "") or ""
    name = getattr(function, "__name__", repr(function))
    module = module.replace("numpy.lib.scimath", "numpy.emath").replace("numpy", "np", 1)
    return f"{module}.{name}" if module else name
