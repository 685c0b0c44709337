"""Where a gradient that is not finite comes from: what ``check="nan"`` of grad says."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, NoReturn

import numpy as np

from diffkit.autodiff.core.scatter import dense
from diffkit.autodiff.core.trace import WengertList
from diffkit.autodiff.recording.tracer import plain
from diffkit.errors import DomainError


def refuse_non_finite(t: WengertList, adjoints: list[Any], seeds: Mapping[int, Any]) -> None:
    """Raises if one of the inputs' adjoints is not finite, and names the row that made the first such one.

    Args:
        t: the trace.
        adjoints: those of its inputs.
        seeds: what they were computed from.

    Raises:
        DomainError: with the function, the line and its argument's value.

    >>> from diffkit.autodiff.views import trace
    >>> t = trace(lambda x: np.sqrt(x * x))(0.0)
    >>> refuse_non_finite(t, t.input_adjoints({2: 1.0}), {2: 1.0})
    Traceback (most recent call last):
    ...
    diffkit.errors.DomainError: the gradient of <lambda> is not finite, although its value is: the
    derivative of sqrt by v1 = 0.0 is inf (...
    """
    if all(map(_is_finite, adjoints)):
        return
    for row in t.nodes:
        if not _is_finite(row.value):
            raise DomainError(
                f"{t.name} computed a value that is not finite, {row.fun.name} = {_short(row.value)} "
                f"({row.site}), so its gradient is not finite either"
            )
    with np.errstate(all="ignore"):
        t.observed(seeds, functools.partial(_look, t))
    raise AssertionError("a second sweep of the same trace was finite")


def _look(t: WengertList, source: int, k: int, target: int, contribution: Any, total: Any) -> None:
    """Observes the sweep and stops at the first contribution that is not finite."""
    if not _is_finite(contribution):
        _name(t, source, k, target, contribution)
    if not _is_finite(total):
        raise DomainError(
            f"the gradient of {t.name} is not finite, although its value is: what several uses of "
            f"{t.names[target]} add up to is {_short(total)} ({t.nodes[target].site})"
        )


def _name(t: WengertList, source: int, k: int, target: int, contribution: Any) -> NoReturn:
    row, argument = t.nodes[source], t.nodes[target]
    raise DomainError(
        f"the gradient of {t.name} is not finite, although its value is: the derivative of "
        f"{row.fun.name} by {t.names[target]} = {_short(argument.value)} is {_short(contribution)} "
        f"({row.site}). If this branch is not the one that counts, keep its argument away from there with "
        "np.where before the call, not after it."
    )


def _numbers(value: Any) -> Any:
    """The numbers of a value or an adjoint, whatever form it has."""
    return plain(dense(value))


def _is_finite(value: Any) -> bool:
    value = _numbers(value)
    if isinstance(value, tuple | list):
        return all(map(_is_finite, value))
    array = np.asarray(value)
    return array.dtype.kind not in "fc" or bool(np.isfinite(array).all())


def _short(value: Any) -> str:
    """A number, or those elements of an array that are not finite, else its shape."""
    array = np.asarray(_numbers(value))
    if array.ndim == 0:
        return str(array[()])
    found = np.argwhere(~np.isfinite(array))
    if len(found):
        where = tuple(int(i) for i in found[0])
        return f"{array[where]} at {list(where)} of {array.shape}"
    return f"an array {array.shape}"
