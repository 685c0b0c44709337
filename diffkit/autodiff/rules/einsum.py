"""Einstein summation: a row has the operands as its arguments, and the subscripts as a keyword.

The VJP of an operand is again an einsum: of the answer's cotangent and the other operands.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from diffkit.autodiff.core.fit import sum_to_shape
from diffkit.autodiff.recording.tracer import Primitive
from diffkit.autodiff.rules.call_forms import as_array, plain_arguments
from diffkit.autodiff.rules.register import LINEAR, define, fit
from diffkit.typing import Value

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def _labels(subscripts: str, ndims: Sequence[int]) -> tuple[list[str], str]:
    """The labels of each operand and of the answer, with ellipsis and arrow written out.

    >>> _labels("...ij,jk", (3, 2))
    (['Zij', 'jk'], 'Zik')
    """
    left, arrow, right = subscripts.replace(" ", "").partition("->")
    inputs = left.split(",")
    hidden = [
        ndim - len(labels.replace("...", "")) if "..." in labels else 0
        for labels, ndim in zip(inputs, ndims, strict=True)
    ]
    free = [c for c in reversed(_LETTERS) if c not in subscripts]
    dots = "".join(free[: max(hidden)])
    out = [labels.replace("...", dots[len(dots) - n :]) for labels, n in zip(inputs, hidden, strict=True)]
    if arrow:
        return out, right.replace("...", dots)
    every = "".join(inputs).replace(".", "")
    return out, dots + "".join(sorted(c for c in set(every) if every.count(c) == 1))


class _Pullback(NamedTuple):
    """The einsum that gives the cotangent of one operand.

    Its operands are the answer's cotangent, the other operands, and an identity for each label that
    occurs twice in this one: it reads a diagonal, so the second gets a label of its own, tied to the first.
    """

    formula: str
    own: str  # the operand's labels, each once
    kept: str  # those of them that come out; the others are summed over in this operand alone
    ties: tuple[int, ...]  # the places in ``own`` of the labels that an identity ties to an earlier one


@lru_cache(maxsize=1024)
def _pullback(k: int, subscripts: str, ndims: tuple[int, ...]) -> _Pullback:
    inputs, output = _labels(subscripts, ndims)
    free = (c for c in _LETTERS if c not in "".join(inputs))
    own, ties, tied = "", [], []
    for place, label in enumerate(inputs[k]):
        if label in own:
            fresh = next(free)
            ties.append(place)
            tied.append(label + fresh)
            label = fresh
        own += label
    terms = [output, *inputs[:k], *inputs[k + 1 :], *tied]
    kept = "".join(c for c in own if c in "".join(terms))
    return _Pullback(f"{','.join(terms)}->{kept}", own, kept, tuple(ties))


def pullback_subscripts(k: int, subscripts: str, operands: Sequence[Any]) -> str | None:
    """The subscripts of the einsum of the answer's cotangent and the other operands that pulls back to one.

    None where it takes more than that: a label that one operand has twice, or that it alone has.

    >>> pullback_subscripts(1, "ij,jk", (np.ones((2, 3)), np.ones((3, 4))))
    'ik,ij->jk'
    """
    pull = _pullback(k, subscripts, tuple(np.ndim(v) for v in operands))
    return pull.formula if pull.kept == pull.own and not pull.ties else None


def _einsum_vjp(k: int, g: Value, ans: Value, *operands: Any, subscripts: str, **kwargs: Any) -> Any:
    x = operands[k]
    shape = np.shape(x)
    pull = _pullback(k, subscripts, tuple(np.ndim(v) for v in operands))
    identities = [np.eye(shape[place], dtype=getattr(x, "dtype", None)) for place in pull.ties]
    c = np.einsum(pull.formula, g, *operands[:k], *operands[k + 1 :], *identities, **kwargs)
    if pull.kept != pull.own:  # the cotangent is the same all along the axes that are summed over in x alone
        c = np.reshape(c, [c.shape[pull.kept.index(a)] if a in pull.kept else 1 for a in pull.own])
    if c.shape == shape:
        return fit(c, x)
    return fit(np.broadcast_to(sum_to_shape(c, _ones_of(shape, c.shape)), shape), x)


def _ones_of(shape: tuple[int, ...], given: tuple[int, ...]) -> tuple[int, ...]:
    """``given``, with 1 where ``shape`` has it: einsum broadcasts such axes."""
    return tuple(1 if n == 1 else m for n, m in zip(shape, given, strict=True))


def _einsum_entry(fun: Primitive) -> Any:
    def einsum(*operands: Any, out: None = None, optimize: Any = False, **kwargs: Any) -> Any:
        if not isinstance(operands[0], str):
            operands = _in_letters(operands)
        if optimize is not False:
            kwargs["optimize"] = optimize
        return fun(*map(as_array, operands[1:]), subscripts=operands[0], **kwargs)

    return einsum


def _in_letters(given: tuple[Any, ...]) -> tuple[Any, ...]:
    """The form ``einsum(x, [0, 1], y, [1, 2], [0, 2])`` as one with letters."""

    def text(sublist: Any) -> str:
        return "".join("..." if k is Ellipsis else _LETTERS[k] for k in plain_arguments(sublist))

    operands, lists = given[: len(given) // 2 * 2 : 2], given[1::2]
    formula = ",".join(map(text, lists))
    return (formula + (f"->{text(given[-1])}" if len(given) % 2 else ""), *operands)


define(
    np.einsum,
    [_einsum_vjp],
    [LINEAR],
    variadic=True,
    entry=_einsum_entry,
    compute=lambda *operands, subscripts, **kwargs: np.einsum(subscripts, *operands, **kwargs),
)
