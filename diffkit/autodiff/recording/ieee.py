"""What an operator gives where Python's floats raise and NumPy's have inf or nan.

A trace has Python floats where the program, run plainly, has NumPy's: ``np.exp(x)`` of a float, say, for
that is several times as fast. The two differ where an operation has no ordinary answer: Python's
``1.0 / 0.0`` raises, NumPy's is inf; Python's ``(-1.0) ** 0.5`` is complex, NumPy's nan. So there it is asked
whose number the program has: NumPy's if a function of NumPy's made it, or an operator of such a one. Then,
and where a derivative rule calculates, the answer is NumPy's, by a row of its own kind (:func:`by_numpy`).
"""

from __future__ import annotations

import functools
import os
from types import FrameType
from typing import Any

import numpy as np

from diffkit.autodiff.recording.primitive import ASTYPE, BY_UFUNC, NO_KWARGS, UFUNCS, Primitive
from diffkit.sites import belongs_to_diffkit

OPERATORS: set[Primitive] = set()
"""Python's operators. NumPy's functions that do the same share them, with other keywords: ``BY_UFUNC``."""

_UFUNCS: dict[Primitive, np.ufunc] = {}


def ufunc_of_numbers(fun: Primitive) -> np.ufunc | None:
    """The ufunc of a primitive that :func:`by_numpy` made; None for any other."""
    return _UFUNCS.get(fun)


@functools.cache
def by_numpy(fun: Primitive) -> Primitive:
    """An operator's primitive with NumPy's answers on Python's numbers, and the same derivatives."""
    ufunc: np.ufunc = next(u for u, known in UFUNCS.items() if known is fun)

    def compute(x: Any, y: Any) -> Any:
        z = ufunc(x, y)
        pythons = (
            isinstance(z, np.generic) and not isinstance(x, np.generic) and not isinstance(y, np.generic)
        )
        return z.item() if pythons else z

    fun.complete_rules()
    made = Primitive(fun.name, compute, constant=fun.constant)
    for rules in ("vjps", "jvps", "float_vjps", "float_jvps"):
        given = getattr(fun, rules)
        setattr(made, rules, _or_nan(given) if ufunc is np.power else given)
    _UFUNCS[made] = ufunc
    return made


def _or_nan(rules: tuple[Any, ...]) -> tuple[Any, ...]:
    """Rules of a power that give nan where it is nan: Python's power in them would be complex there."""

    def or_nan(rule: Any) -> Any:
        def run(d: Any, ans: Any, *args: Any, **kwargs: Any) -> Any:
            number = ans
            while hasattr(number, "fun"):
                number = number.value
            # Asked of the answer itself, so that a recorded sweep holds it as a decision; arrays take powers
            # as NumPy does.
            is_nan = isinstance(number, float) and bool(ans != ans)
            return d * ans if is_nan else rule(d, ans, *args, **kwargs)

        return rule and run

    return tuple(map(or_nan, rules))


def answer(
    fun: Primitive, args: tuple[Any, ...], kwargs: Any, frame: FrameType, error: ArithmeticError | None
) -> Any:
    """What stands for an operation that has raised, or has a complex answer to real numbers.

    Args:
        fun: the operator's primitive.
        args: its operands.
        kwargs: its keywords, by which an operator is told from NumPy's function.
        frame: where it was called.
        error: what it raised; None if it had a complex answer.

    Returns:
        The recorded answer of NumPy's; NotImplemented if the program has Python's numbers there, and so the
        complex one.

    Raises:
        ArithmeticError: that error, if the program has Python's numbers there, and so raises it as well.
    """
    by_rule = _is_rule(frame)
    numpys = (
        kwargs is BY_UFUNC
        or (by_rule and error is not None)
        or (not is_recording(frame) and any(map(_is_numpys, args)))
    )
    if fun not in OPERATORS or not numpys:
        if error is None:
            return NotImplemented
        raise error
    if not by_rule:
        return Primitive.apply(by_numpy(fun), args, NO_KWARGS, frame)
    with np.errstate(all="ignore"):
        return Primitive.apply(by_numpy(fun), args, NO_KWARGS, frame)


def _is_rule(frame: FrameType) -> bool:
    """Whether a derivative rule, or a sweep, calculates there."""
    name = str(frame.f_globals.get("__name__"))
    return belongs_to_diffkit(frame.f_code) and not (is_recording(frame) or name in _REPLAYING)


_REPLAYING = ("diffkit.autodiff.core.trace", "diffkit.autodiff.core.adjoint")
"""Who does the program's own operations again, on other numbers."""


def is_recording(frame: FrameType) -> bool:
    """Whether it does an operation on the values of an outer trace: then who called knows whose they are."""
    return os.path.dirname(frame.f_code.co_filename) == _RECORDERS


_RECORDERS = os.path.dirname(__file__)


def _is_numpys(value: Any) -> bool:
    """Whether a number is NumPy's in the program, though the trace may have a Python float for it."""
    asked, seen = [value], set()
    while asked:
        value = asked.pop()
        fun = getattr(value, "fun", None)
        if not isinstance(fun, Primitive):
            if isinstance(value, np.generic | np.ndarray) or hasattr(value, "memory"):
                return True
            continue
        if value.index in seen:
            continue
        seen.add(value.index)
        if isinstance(value.value, np.generic | np.ndarray):
            return True
        if fun in OPERATORS and value.kwargs is not BY_UFUNC:
            asked += value.args
        elif fun.name == "input":
            asked.append(value.value)
        elif fun.builtin and fun.name != "part" and not (fun is ASTYPE and isinstance(value.args[1], type)):
            return True  # x.item() is one of Python's
    return False
