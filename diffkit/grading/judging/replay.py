"""A program performed again from its trace, with something changed on the way.

Experiments need programs that nobody wrote: one in which a path carries no derivative, or in which
every step is off by a rounding error. A trace holds what was done, row by row, so that it can be done
again with a change, and differentiated as any program can.

>>> import numpy as np
>>> t = recorded(lambda x: np.sin(x) * x, (2.0,), {}, (0,))
>>> program = replayed(t, at_result=lambda row, value: -value if row.fun.name == "sin" else value)
>>> bool(program(2.0) == -np.sin(2.0) * 2.0)
True
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from diffkit.autodiff.core.record import record
from diffkit.autodiff.core.trace import WengertList
from diffkit.autodiff.recording.tracer import Node


def recorded(
    function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], places: tuple[int, ...]
) -> WengertList:
    """The trace of a function at a point."""
    return record(function, tuple(args), dict(kwargs), list(places))


def is_row(value: Any, t: WengertList) -> bool:
    """Whether an argument of a row is a row of the trace."""
    return type(value) is Node and t.owns(value)


def replayed(
    t: WengertList,
    at_argument: Callable[[Node, int, Any], Any] | None = None,
    at_result: Callable[[Node, Any], Any] | None = None,
) -> Callable[..., Any]:
    """The program of a trace, as a function of its inputs.

    Args:
        t: the trace.
        at_argument: takes a row, the number of one of its arguments, and what would be handed to it,
            to what is handed to it.
        at_result: takes a row and what it computed to what is kept.

    Raises:
        ValueError: when called, if a row has several answers.
    """
    inputs = {node.index: k for k, node in enumerate(t.inputs)}

    def program(*args: Any) -> Any:
        computed: list[Any] = []
        for row in t.nodes:
            if row.index in inputs:
                computed.append(args[inputs[row.index]])
                continue
            if isinstance(row.value, tuple | list):
                raise ValueError(f"{row.fun.name} has several answers")
            given = []
            for k, a in enumerate(row.args):
                value = computed[a.index] if is_row(a, t) else a
                given.append(at_argument(row, k, value) if at_argument and is_row(a, t) else value)
            result = row.fun(*given, **row.kwargs)
            computed.append(at_result(row, result) if at_result else result)
        (output,) = t.outputs
        return computed[output.index] if is_row(output, t) else output

    return program


def shaken(t: WengertList, rng: np.random.Generator, size: float) -> Callable[..., Any]:
    """The program of a trace with every result off by a random relative error of this size.

    What a program's result then changes by is its sensitivity to rounding, measured (Vignes, 1993).
    """

    def off(row: Node, value: Any) -> Any:
        if np.asarray(row.value).dtype.kind not in "fc":
            return value
        return value * (1 + size * rng.choice([-1.0, 1.0], np.shape(row.value)))

    return replayed(t, at_result=off)
