"""What a function can't be given, or give, to be differentiated, and what to write instead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import is_dataclass
from typing import Any, NoReturn

import numpy as np

from diffkit.autodiff.recording.refusals import raise_closed
from diffkit.autodiff.recording.tracer import Node, Recording, plain
from diffkit.containers import flatten, paths
from diffkit.errors import InputError, TraceError


def refuse_shared(array: Any, args: tuple[Any, ...], names: Sequence[str], owner: str) -> None:
    """Refuses to have changed an array that was given twice: each argument has a stand-in of its own."""
    holders: list[str] = []
    for name, arg in zip(names, args, strict=True):
        leaves, structure = flatten(arg)
        for leaf, path in zip(leaves, [name] if structure.is_leaf else paths(structure, name), strict=True):
            both = type(leaf) is type(array) is np.ndarray
            if leaf is array or (both and np.shares_memory(leaf, array)):
                holders.append(path)
    if len(holders) > 1:
        raise TraceError(
            f"{owner} changes in place what it was given twice, as {holders[0]} and as {holders[1]}, which "
            "share memory: traced, each is an array of its own, and that is another program. Pass a copy, "
            "a.copy(), as one of them."
        )


def refuse_output(output: Any, recording: Recording) -> None:
    """Refuses an answer that no sweep can start from: a row of a closed recording, an array of objects."""
    if type(output) is Node:
        if output.recording.rows is None and output.recording is not recording:
            raise_closed(output.recording.owner, f"{recording.owner} returned it")
    elif isinstance(output, np.ndarray) and output.dtype.hasobject:
        raise TraceError(
            f"{recording.owner} returned an object array, whose elements no sweep can see: build it with "
            "np.stack or dk.numpy.array, and without dtype=object"
        )


def refuse_argument(leaf: Any, where: str, owner: str) -> NoReturn:
    """Refuses an argument by which nothing is differentiated."""
    raise InputError(_not_differentiable(plain(leaf), where, owner))


def _not_differentiable(leaf: Any, where: str, owner: str) -> str:
    if isinstance(leaf, int) and not isinstance(leaf, bool):
        return f"{where} of {owner} is the integer {leaf}; derivatives are by floats: write {leaf}.0"
    if isinstance(leaf, np.ndarray | np.generic) and leaf.dtype.kind in "iub":
        return (
            f"{where} of {owner} is an array of dtype {leaf.dtype}; derivatives are with respect to floats: "
            "write it with a decimal point, or .astype(float)"
        )
    if isinstance(leaf, np.ndarray) and leaf.dtype == object:
        return f"{where} of {owner} is an object array; derivatives need an array of floats: .astype(float)"
    message = (
        f"{where} of {owner} is {leaf!r} ({type(leaf).__name__}); derivatives are with respect to floats"
    )
    if is_dataclass(leaf):
        message += ", arrays, and lists, dicts and named tuples of them: pass dataclasses.asdict of it"
    return message
