"""Functions of SciPy that NumPy's protocols do not reach, and what stands for them in ``diffkit.scipy``.

A ufunc, or a function of NumPy, hands a traced argument to us. An ordinary function of SciPy turns it into
an array. So each that has rules here has a mirror, to be called in its place: on plain values it is the
function itself.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any

from diffkit.autodiff.recording.primitive import Rule
from diffkit.autodiff.recording.tracer import Primitive, apply, call_handler, nodes_in
from diffkit.autodiff.rules.call_forms import Arrangement
from diffkit.autodiff.rules.register import reentrant


def mirrored(
    function: Callable[..., Any], vjps: Sequence[Rule | None], jvps: Sequence[Rule | None], *, name: str = ""
) -> Callable[..., Any]:
    """What stands for a function of SciPy: a primitive, with a rule per leading positional argument.

    The primitive is the answer's attribute ``primitive``.
    """
    fun = Primitive(name or function.__name__, function)
    fun.vjps, fun.jvps = tuple(vjps), tuple(jvps)
    reentrant(fun)

    @functools.wraps(function)
    def mirror(*args: Any, **kwargs: Any) -> Any:
        if not _is_traced(args, kwargs):
            return function(*args, **kwargs)
        frame = sys._getframe(1)
        args, kwargs = Arrangement(function, len(fun.vjps))(args, kwargs, frame)
        return apply(fun, args, kwargs, frame)

    mirror.primitive = fun  # type: ignore[attr-defined]
    mirror.is_mirror = True  # type: ignore[attr-defined]
    return mirror


def program(function: Callable[..., Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorates a program of functions that have rules, which stands for a function of SciPy."""

    def decorate(run: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def mirror(*args: Any, **kwargs: Any) -> Any:
            if not _is_traced(args, kwargs):
                return function(*args, **kwargs)
            frame: FrameType = sys._getframe(1)
            return call_handler(run, args, kwargs, frame)

        mirror.is_mirror = True  # type: ignore[attr-defined]
        return mirror

    return decorate


def _is_traced(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    return next(nodes_in((args, tuple(kwargs.values()))), None) is not None
