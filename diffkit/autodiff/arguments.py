"""What the differential operators are given, and which answers they take.

**Answers that are no floats.** An integer or a bool that is computed from an argument (``x > 0``,
``np.argmax(x)``, ``x.astype(int)``) moves in jumps or not at all. Its derivative would be 0 wherever
there is one, and whoever asks for it has as a rule forgotten something. So the operators refuse it
(``make_vjp``, ``make_jvp`` and a trace itself, whose cotangents and tangents are the caller's, take it
for a constant). Floats that move in jumps have the derivative 0 that is right almost everywhere:
``np.floor(x)``, ``np.sign(x)``, ``np.mean(x > 0)``. So has a constant, be it 0 or 0.0: a branch may
well return it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeGuard

import numpy as np

from diffkit.autodiff.core.record import record
from diffkit.autodiff.core.trace import WengertList
from diffkit.autodiff.recording.tracer import plain
from diffkit.autodiff.same_program import hold_against_plain_run
from diffkit.containers import describe, flatten, paths
from diffkit.errors import AnswerError, InputError

Argnum = int | tuple[int, ...] | list[int]
Function = Callable[..., Any]


def is_several(argnum: Argnum) -> TypeGuard[tuple[int, ...] | list[int]]:
    """Whether a derivative by several arguments is asked for, and so a tuple."""
    return isinstance(argnum, tuple | list)


def record_by(f: Function, argnum: Argnum, args: tuple[Any, ...], kwargs: dict[str, Any]) -> WengertList:
    """The trace of a call, with the arguments that are differentiated by as its inputs.

    Raises:
        InputError: if ``argnum`` is no place of an argument.
        TraceError: if the function is seen to be another program when it is traced.
    """
    places = [argnum] if type(argnum) is int and 0 <= argnum < len(args) else _places(f, argnum, args, kwargs)
    t = record(f, args, kwargs, places)
    hold_against_plain_run(f, args, kwargs, places, t)
    return t


def _places(f: Function, argnum: Argnum, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[int]:
    """The places of the arguments that are differentiated by."""
    argnums: Any = argnum if is_several(argnum) else (argnum,)
    for k in argnums:
        if not isinstance(k, int | np.integer) or isinstance(k, bool):
            raise InputError(f"argnum is an int, or a tuple or list of ints, not {argnum!r}")
        if not -len(args) <= k < len(args):
            name = getattr(f, "__name__", "the function")
            hint = ": give by position what you differentiate by" if kwargs else ""
            raise InputError(
                f"argnum is {k}, but {name} was called with {len(args)} positional arguments{hint}"
            )
    places = [k % len(args) for k in argnums]
    if len(set(places)) < len(places):
        raise InputError(f"argnum names an argument twice: {argnum!r}")
    return places


def answer_by(argnum: Argnum, pulled: Any) -> Any:
    """A derivative by one argument stands alone; by a tuple or list of one, it is a tuple of one."""
    return (pulled,) if is_several(argnum) and len(argnum) == 1 else pulled


def directions_by(argnum: Argnum, given: tuple[Any, ...]) -> tuple[Any, ...]:
    """One tangent per argument: for several arguments they are given as one tuple, or one by one."""
    as_one = is_several(argnum) and len(given) == 1 and isinstance(given[0], tuple | list)
    return tuple(given[0]) if as_one and len(given[0]) == len(argnum) else given  # type: ignore[arg-type]


def refuse_discrete(t: WengertList, operator: str) -> None:
    """Refuses answers that are integers or bools and were computed from what is differentiated by."""
    for k, output in enumerate(t.outputs):
        value: Any = plain(output)
        if type(value) is float or not t.owns(output):
            continue
        kind = np.asarray(value).dtype.kind
        if kind in "iub":
            where = paths(t.out_structure, "the answer")[k]
            shown = (
                f"the {'bool' if kind == 'b' else 'integer'} {value}"
                if not np.ndim(value)
                else describe(value)
            )
            raise AnswerError(
                f"{operator} needs answers that are floats, but {where} of {t.name} is {shown} "
                f"({output.site}). It moves in jumps or not at all, so its derivative says nothing. Return "
                "the float that it was made from (np.floor and np.round keep floats, with derivative 0), or "
                "leave it out of the answer (grad_and_aux takes what is not differentiated beside it)."
            )


def scalar_output(t: WengertList, operator: str) -> Any:
    """The trace's answer, which has to be one real number, in an array of any shape if it likes."""
    value: Any = plain(t.outputs[0]) if t.outputs else None
    if t.out_structure.is_leaf and (type(value) is float or isinstance(value, np.floating)):
        return value
    if not t.out_structure.is_leaf or np.size(value) != 1:
        raise AnswerError(
            f"{operator} needs a function with one number as its answer, but {t.name} returned "
            f"{describe(_plain_leaves(t.value))}. Sum it up, or use jacobian or elementwise_grad."
        )
    if not isinstance(value, int | complex | np.generic | np.ndarray):
        raise AnswerError(f"{operator} needs a number as the answer, but {t.name} returned {value!r}")
    if np.iscomplexobj(value):
        raise AnswerError(
            f"{operator} needs a real answer, but {t.name} returned the complex number {value}. "
            "Take its real part, or use holomorphic_grad."
        )
    refuse_discrete(t, operator)
    return value


def _plain_leaves(value: Any) -> Any:
    """A container of values with every node replaced by the number or array in it."""
    leaves, structure = flatten(value)
    return structure.unflatten([plain(leaf) for leaf in leaves])


def one(value: Any) -> Any:
    """1, of the type of a number, or of the shape and dtype of an array."""
    if getattr(value, "shape", ()):
        return np.ones_like(value)
    return value.dtype.type(1) if hasattr(value, "dtype") else type(value)(1)
