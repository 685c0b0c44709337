"""Calls of NumPy that are not plain: a ufunc's methods and keywords, ``out=``, what is not traced yet."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any

import numpy as np

from diffkit.autodiff.recording.arrays import TRACED, Array, plain, plain_index, wrapped
from diffkit.autodiff.recording.primitive import FUNCTIONS, NO_KWARGS, UFUNCS, Primitive
from diffkit.autodiff.recording.refusals import raise_no_rule, refuse, refuse_keyword, refuse_plain_output
from diffkit.autodiff.recording.scipy_calls import load_rules
from diffkit.autodiff.recording.tracer import SEVERAL, apply, call_handler, nodes_in


def all_untraced(args: Any, kwargs: dict[str, Any]) -> bool:
    return all(n.recording is None for n in nodes_in((tuple(args), tuple(kwargs.values()))))


def untraced(value: Any) -> Any:
    if type(value) is Array:
        return value.row
    if isinstance(value, dict):
        return {k: untraced(v) for k, v in value.items()}
    return type(value)(map(untraced, value)) if type(value) in SEVERAL else value


def wrapped_all(value: Any) -> Any:
    return type(value)(map(wrapped_all, value)) if type(value) in SEVERAL else wrapped(value)


def _ufunc_name(ufunc: np.ufunc) -> str:
    name = ufunc.__name__
    if getattr(np, name, None) is ufunc:
        return f"np.{name}"
    special = sys.modules.get("scipy.special")
    return f"scipy.special.{name}" if getattr(special, name, None) is ufunc else name


def unusual_ufunc(
    ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any], frame: FrameType
) -> Any:
    """The calls of a ufunc that are not plain: its methods, its keywords, and those without a rule."""
    fun = UFUNCS.get(ufunc)
    if fun is None and load_rules():
        fun = UFUNCS.get(ufunc)
    name = _ufunc_name(ufunc)
    if method == "at":
        return FUNCTIONS[np.ufunc.at](ufunc, *inputs)
    out = kwargs.pop("out", None)
    where = kwargs.pop("where", True)
    if where is not True and method == "__call__" and fun is not None:
        return _where(fun, inputs, out, where, name, frame)
    if where is not True:
        refuse_keyword(name, "where", frame)
    called = ufunc if method == "__call__" else getattr(ufunc, method)
    if called in FUNCTIONS and (fun is None or called is not ufunc or kwargs):
        answer = call_handler(FUNCTIONS[called], inputs, kwargs, frame)
    elif fun is None and all_untraced(inputs, kwargs):
        answer = wrapped_all(called(*untraced(inputs), **untraced(kwargs)))
    elif fun is None:
        raise_no_rule(name + ("" if called is ufunc else f".{method}"), frame)
    elif called is not ufunc:
        if all_untraced(inputs, kwargs):
            answer = wrapped_all(called(*untraced(inputs), **untraced(kwargs)))
        else:
            answer = call_handler(FUNCTIONS[getattr(np.ufunc, method)], (ufunc, *inputs), kwargs, frame)
    else:
        dtype = kwargs.pop("dtype", None)
        rest = [k for k, v in kwargs.items() if (k, v) != ("casting", "same_kind") and v is not None]
        if rest:
            refuse(
                f"{name} was called with {', '.join(rest)}= on traced values", "leave the keyword out", frame
            )
        answer = apply(fun, inputs, NO_KWARGS, frame)
        if dtype is not None:
            answer = answer.astype(dtype)
    return answer if out is None else to_output(out, answer, name, frame)


def _where(fun: Primitive, inputs: tuple[Any, ...], out: Any, where: Any, name: str, frame: FrameType) -> Any:
    """``np.divide(a, b, out=y, where=mask)``: only where the mask holds is anything computed, and written."""
    target = out[0] if type(out) is tuple else out
    if target is None:
        refuse_keyword(name, "where", frame)
    if type(target) is not Array:
        refuse_plain_output(name, frame)
    mask = np.broadcast_to(plain_index(where), target.shape)
    parts = [np.broadcast_to(a, target.shape)[mask] if np.ndim(a) else a for a in inputs]
    target.write(mask, apply(fun, tuple(parts), NO_KWARGS, frame), frame.f_code, frame.f_lasti)
    return target


@functools.cache
def _place_of_out(function: Callable[..., Any]) -> int | None:
    """Where among the positional parameters of a NumPy function ``out`` stands; None if nowhere."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except ValueError:
        return {"dot": 2, "concatenate": 2}.get(function.__name__)
    names = [p.name for p in parameters if p.kind is not p.KEYWORD_ONLY]
    return names.index("out") if "out" in names else None


def without_out(
    function: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]
) -> tuple[Any, Sequence[Any], dict[str, Any]]:
    """The array that a call is to write its answer to, and the call without it."""
    if "out" in kwargs:
        out = kwargs["out"]
        return out, args, {k: v for k, v in kwargs.items() if k != "out"}
    place = _place_of_out(function)
    if place is None or len(args) <= place:
        return None, args, kwargs
    names = [p.name for p in inspect.signature(function).parameters.values()] if len(args) > place + 1 else []
    rest = dict(zip(names[place + 1 :], args[place + 1 :], strict=False))
    return args[place], args[:place], {**rest, **kwargs}


def to_output(out: Any, answer: Any, name: str, frame: FrameType) -> Any:
    """Writes an answer to where it was asked for, and returns that."""
    if type(out) is tuple:
        if len(out) == 1:
            return to_output(out[0], answer, name, frame)
        shape = np.broadcast_shapes(*(o.shape for o in out if o is not None))
        return tuple(
            (a if np.shape(a) == shape else np.broadcast_to(a, shape))
            if o is None
            else to_output(o, a, name, frame)
            for o, a in zip(out, answer, strict=True)
        )
    if out is None:
        return answer
    if type(out) is not Array:
        if type(answer) in TRACED and answer.recording is not None:
            refuse_plain_output(name, frame)
        out[...] = plain(answer)
        return out
    out.update(answer, name.removeprefix("np."), frame)
    return out
