"""What can't be traced, and what to write instead: every refusal names the user's own line."""

from __future__ import annotations

import dis
import re
from collections.abc import Callable
from types import FrameType
from typing import Any, NoReturn

import numpy as np

from diffkit.errors import NoRuleError, TraceError
from diffkit.sites import belongs_to_libraries, called_text, describe_site, users_frame

__all__ = [
    "explained",
    "qualified_name",
    "raise_closed",
    "raise_no_attribute",
    "raise_no_rule",
    "raise_object_array",
    "refuse",
    "refuse_array",
    "refuse_conversion",
    "refuse_keyword",
    "site_of",
]


def site_of(frame: FrameType) -> str:
    """The line of the user's program that is being run, found past those of diffkit and of libraries."""
    here = users_frame(frame)
    return describe_site(here.f_code, here.f_lasti)


def refuse(what: str, instead: str, frame: FrameType) -> NoReturn:
    """Raises a TraceError that says what happened, where, and what to write instead."""
    raise TraceError(f"{what} ({site_of(frame)}): {instead}.")


def raise_no_rule(name: str, frame: FrameType) -> NoReturn:
    """Refuses a function that has no derivative rule, by name and line."""
    raise NoRuleError(
        f"{name} was called on a traced value, but diffkit has no derivative rule for it "
        f"({site_of(frame)}). Write it with functions that have one, or wrap it "
        f"with dk.primitive and give its rule with dk.defvjp."
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
    raise TraceError(
        f"an operation on traced values gave an object array ({site}): derivatives need arrays of floats. "
        "Build it with np.stack or dk.numpy.array, and without dtype=object."
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
    "int": "use np.floor to keep it traced, or pass the integer as an argument of its own",
    "complex": "multiply by 1j, or add 0j, instead",
    "round": "use np.round to keep it traced, or pass the integer as an argument of its own",
    "math.floor": "use np.floor, which is traced",
    "math.ceil": "use np.ceil, which is traced",
    "math.trunc": "use np.trunc, which is traced",
}


def refuse_conversion(kind: str, frame: FrameType) -> NoReturn:
    """Refuses to make a plain number of a traced value, which would lose its derivative.

    NumPy asks for a float, too, when a traced value is assigned to an element of a plain array.
    """
    _refuse_assignment(frame)
    also = " or a function of the math module" if kind == "float" else ""
    refuse(f"{kind}(){also} was called on a traced value", _CONVERSIONS[kind], frame)


def refuse_array(frame: FrameType) -> NoReturn:
    """Refuses to make a plain array of traced values, by the name of what the user called.

    NumPy asks for one when it meets traced values inside a list, which its functions do not look into.
    """
    here = users_frame(frame)
    _refuse_assignment(here)
    name = called_text(here.f_code, here.f_lasti)
    called = _look_up(name, here)
    module = getattr(called, "__module__", None) or type(called).__module__
    if isinstance(called, np.vectorize) or called is np.vectorize:
        what, instead = (
            f"{name} was given a traced value",
            "call the function on each: np.stack([f(t) for t in x])",
        )
    elif called in (np.array, np.asarray, np.asanyarray, np.ascontiguousarray):
        what = f"{name} was to make a plain array of traced values"
        instead = "write dk.numpy.array, which is traced, or np.stack for a list of values of one shape"
    elif called in (np.full, np.full_like):
        what = f"{name} was to make a plain array of a traced value"
        instead = f"write dk.numpy.{called.__name__}, which is traced"
    elif isinstance(called, type) and issubclass(called, np.generic):
        what, instead = f"{name}() was called on a traced value", "leave it as it is, or use x.astype"
    elif isinstance(getattr(called, "__self__", None), np.random.RandomState | np.random.Generator):
        what = f"{name} was given a traced value as a parameter"
        instead = (
            "draw numbers that do not depend on it, and shift and scale them: m + s * np.random.normal()"
        )
    elif module.split(".")[0] == "numpy":
        what = (
            f"{name} was given a list of traced values, or one as a parameter, which NumPy does not pass on"
        )
        instead = f"make an array of a list first: {name}(np.stack(...)), or dk.numpy.array for nested lists"
    else:
        what = "a traced value was to become a plain array"
        instead = (
            "build arrays with np.stack, np.concatenate, dk.numpy.array or dk.numpy.full, which are traced"
        )
    refuse(what, instead, here)


def _look_up(name: str, frame: FrameType) -> Any:
    """What a dotted name means in a frame; None if nothing."""
    first, *rest = name.split(".")
    if not all(map(str.isidentifier, (first, *rest))):
        return None
    found = frame.f_locals.get(first, frame.f_globals.get(first))
    for part in rest:
        found = getattr(found, part, None)
    return found


def raise_no_attribute(name: str, frame: FrameType) -> NoReturn:
    """Says of an attribute that a traced value doesn't have it, and whether an array would."""
    more = ", though an array has: leave it out, or compute it with NumPy's functions"
    known = more if hasattr(np.ndarray, name) else ""
    raise AttributeError(f"a traced value has no attribute {name!r} ({site_of(frame)}){known}")


def explained(error: Exception, locked: bool) -> Exception:
    """An error from inside a traced function, as the refusal that lies behind it; else the error itself.

    NumPy wraps what a traced value answers on being assigned to an element of an array; and what it
    says of an object array that holds traced values, or of an array that the trace has made read-only,
    does not name what the user did.

    Args:
        error: the error.
        locked: whether the trace has made arrays read-only.
    """
    if isinstance(error.__cause__, TraceError):
        return error.__cause__
    if "of type Node which has no callable" in str(error):
        return TraceError(
            f"a NumPy function was called on an object array of traced values ({_raised_at(error)}): build "
            "the array with np.stack or dk.numpy.array, and without dtype=object."
        )
    if locked and isinstance(error, ValueError) and re.search("read-only|writeable|writable", str(error)):
        return TraceError(
            f"an array was to be changed in place that the trace refers to ({_raised_at(error)}): the "
            "derivative would be that of another program. Make a new array (a = a + x for a += x), or change "
            "a copy, a.copy()."
        )
    return error


def _raised_at(error: Exception) -> str:
    """The user's line in which an error was raised."""
    here = error.__traceback__
    while here is not None and here.tb_next and not belongs_to_libraries(here.tb_next.tb_frame.f_code):
        here = here.tb_next
    return site_of(here.tb_frame) if here is not None else "unknown line"


def _refuse_assignment(frame: FrameType) -> None:
    """Says so if the instruction is ``a[i] = ...``, with a plain array a."""
    if dis.opname[frame.f_code.co_code[frame.f_lasti]] in ("STORE_SUBSCR", "STORE_SLICE"):
        refuse(
            "a traced value was assigned into a plain array",
            "collect the values in a list and build the array with np.stack or dk.numpy.array",
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
