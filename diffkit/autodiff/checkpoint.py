"""Trading time for memory: a segment of a program that is traced again when its derivative is asked for.

A reverse sweep needs the values of all rows, so its memory grows with the length of the program. A
checkpointed segment is one row: only its arguments are kept, and the sweep runs it once more to have
its rows again, for as long as it takes to pass them. Memory is then that of the longest segment, and
the cost one further evaluation (Griewank and Walther, *Evaluating Derivatives*, 2008, chapter 12).
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any

from diffkit.autodiff.bits import same_bits
from diffkit.autodiff.core.leaves import zeros_like
from diffkit.autodiff.core.record import record
from diffkit.autodiff.core.trace import WengertList
from diffkit.autodiff.recording.tracer import Primitive, apply, is_traced, plain
from diffkit.containers import Structure, flatten
from diffkit.errors import TraceError


def checkpoint(f: Callable[..., Any]) -> Callable[..., Any]:
    """f, recorded as one row, with its own rows recomputed during a sweep.

    It works in both modes and nested to any depth. Arguments and answers may be nested
    containers. What is differentiated must come in as an argument, not from around f.

    Args:
        f: a function of positional arguments.

    Returns:
        A function of the same arguments and answer, which a trace records as one row.

    f is run again for each sweep, and must compute the same then: what varies (a loop's variable, random
    numbers) is to be an argument.

    Raises:
        TraceError: if f uses a traced value that is not among its arguments, or gives another answer when
            it is run again.

    >>> import numpy as np
    >>> from diffkit.autodiff.operators import grad
    >>> from diffkit.autodiff.views import trace
    >>> def segment(x):
    ...     for _ in range(100):
    ...         x = np.sin(x)
    ...     return x
    >>> len(trace(segment)(1.0)), len(trace(checkpoint(segment))(1.0))
    (101, 2)
    >>> grad(checkpoint(segment))(1.0) == grad(segment)(1.0)
    True
    """

    @functools.wraps(f)
    def checkpointed(*args: Any, **kwargs: Any) -> Any:
        leaves, structure = flatten((args, kwargs))
        nested: list[Structure] = []  # how the answer is: known once f has run
        answer = _apply_segment(f, structure, nested, leaves, sys._getframe(1))
        return nested[0].unflatten([answer] if nested[0].is_leaf else list(answer))

    return checkpointed


def _apply_segment(
    f: Callable[..., Any],
    structure: Structure,
    nested: list[Structure],
    leaves: Sequence[Any],
    frame: FrameType,
) -> Any:
    """Records one call of f, as a function of the leaves of its arguments to those of its answer."""
    name = getattr(f, "__name__", "segment")

    def run(*leaves: Any) -> Any:
        args, kwargs = structure.unflatten(leaves)
        answer, nested[:] = _leaves_and_structure(f(*args, **kwargs))
        return answer[0] if nested[0].is_leaf else tuple(answer)

    def compute(*leaves: Any) -> Any:
        if any(map(is_traced, leaves)):  # of an outer trace, where it is a row as well
            return _apply_segment(f, structure, nested, leaves, sys._getframe())
        answer = run(*leaves)
        if any(map(is_traced, flatten(answer)[0])):
            raise TraceError(
                f"the checkpointed function {name} uses a traced value that is not one of its "
                "arguments: pass it as an argument, so that its derivative is found"
            )
        return answer

    def recorded(ans: Any, leaves: tuple[Any, ...]) -> WengertList:
        t = record(run, leaves, {})
        # A trace has the math module's bits where a plain run has NumPy's, so that is the second to be asked.
        if not _same(t.value, ans) and not _same(run(*map(plain, leaves)), ans):
            raise TraceError(
                f"the checkpointed function {name} gave another answer when it was run again for the sweep: "
                "something that it uses has changed since, like a loop's variable, an array that is updated, "
                f"or random numbers. Pass that as an argument: checkpoint({name})(x, k)"
            )
        return t

    def vjp(g: Any, ans: Any, *leaves: Any) -> tuple[Any, ...]:
        pulled = recorded(ans, leaves).pull_back(g)
        return (pulled,) if len(leaves) == 1 else tuple(pulled)

    def jvp(tangents: tuple[Any, ...], ans: Any, *leaves: Any) -> Any:
        given = [zeros_like(x) if t is None else t for t, x in zip(tangents, leaves, strict=True)]
        return recorded(ans, leaves).push_forward(*given)

    fun = Primitive(name, compute, joint=True)
    fun.line = None  # the name may be one of the table's, the function is another
    fun.vjps, fun.jvps = (vjp,), (jvp,)
    return apply(fun, tuple(leaves), {}, frame)


def _same(answer: Any, again: Any) -> bool:
    """Whether two answers, a number or array or a tuple of them, are the same to the last bit."""
    pairs = zip(flatten(answer)[0], flatten(again)[0], strict=True)
    return all(same_bits(plain(a), plain(b)) for a, b in pairs)


def _leaves_and_structure(answer: Any) -> tuple[list[Any], list[Structure]]:
    leaves, structure = flatten(answer)
    return leaves, [structure]
