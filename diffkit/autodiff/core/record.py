"""From a function to its trace: it is run once, on nodes that stand in for its numbers and arrays.

>>> t = record(lambda x, y: (x + y) * x, (2.0, 3.0), {})
>>> [row.fun.name for row in t.nodes]
['input', 'input', 'add', 'multiply']
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import is_dataclass, replace
from types import FunctionType
from typing import Any

import numpy as np

from diffkit.autodiff.core.leaves import is_differentiable
from diffkit.autodiff.core.trace import WengertList
from diffkit.autodiff.recording.failures import Failure, failure_of, shape_error
from diffkit.autodiff.recording.refusals import explained, raise_closed
from diffkit.autodiff.recording.tracer import Array, Node, Recording, plain, stand_in
from diffkit.containers import LEAF, Structure, describe, flatten, paths
from diffkit.errors import InputError, TraceError

_ONE_LEAF = Structure(tuple, (0,), (LEAF,), 1)
"""How the arguments are nested of a function that is differentiated by one array or number."""


def parameter_names(f: Callable[..., Any], count: int) -> list[str]:
    """The names of a function's first ``count`` positional parameters; x1, x2, ... where it has none."""
    if type(f) is FunctionType and f.__code__.co_argcount >= count and not hasattr(f, "__wrapped__"):
        return list(f.__code__.co_varnames[:count])  # as the signature would say, in a fiftieth of the time
    try:
        parameters = inspect.signature(f).parameters.values()
    except (TypeError, ValueError):
        parameters = ()  # type: ignore[assignment]
    names: list[str] = []
    for p in parameters:
        if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD):
            names.append(p.name)
        elif p.kind is p.VAR_POSITIONAL:
            names += [f"{p.name}[{k}]" for k in range(count - len(names))]
    return names[:count] + [f"x{k + 1}" for k in range(len(names), count)]


def record(
    f: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    argnums: Sequence[int] | None = None,
    partial: bool = False,
) -> WengertList:
    """Runs ``f`` and records what it does to its arguments.

    Args:
        f: the function.
        args, kwargs: what it is called with; keyword arguments are never traced.
        argnums: the positional arguments to trace, every leaf of which must be a float or an array of
            floats. None traces every such leaf there is and takes the others as constants.
        partial: of a function that fails, give the rows up to there, with what failed (``failure``) and no
            outputs.

    Raises:
        InputError: for an argument that can't be traced; for operands whose shapes do not fit.
    """
    owner = getattr(f, "__name__", type(f).__name__)
    recording = Recording(owner, f)
    try:
        return _record(f, args, kwargs, argnums, recording, partial)
    finally:
        if recording.rows is not None:  # an argument was refused
            recording.close()


def _record(
    f: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    argnums: Sequence[int] | None,
    recording: Recording,
    partial: bool,
) -> WengertList:
    owner = recording.owner
    traced = range(len(args)) if argnums is None else argnums
    names: list[str] | None = None
    new_args = list(args)
    structures: list[Structure] = []
    leaves: list[Any] = []
    inputs: list[Node] = []
    arrays: list[tuple[Any, Array]] = []  # as they were given, and what stands for them
    for position in traced:
        given, structure = flatten(args[position])
        structures.append(structure)
        where: list[str] | None = None
        for k, leaf in enumerate(given):
            wanted = is_differentiable(leaf)
            if where is None and (wanted or argnums is not None):
                names = names or parameter_names(f, len(args))
                where = [names[position]] if structure.is_leaf else paths(structure, names[position])
            if where is not None and wanted:
                original = leaf
                leaf = recording.input(leaf.alias() if type(leaf) is Array else leaf, where[k])
                given[k] = stand = stand_in(leaf)
                if type(stand) is Array:
                    arrays.append((original, stand))
                inputs.append(leaf)
            elif where is not None and argnums is not None:
                raise InputError(_not_differentiable(leaf, where[k], owner))
            leaves.append(leaf)
        new_args[position] = structure.unflatten(given)
    if argnums is None and not inputs:
        raise InputError(
            f"none of the arguments of {owner} is a float or an array of floats: {describe(args)}. "
            "Integers are taken as constants: write 2.0 for 2."
        )
    failure: Failure | None = None
    try:
        answer = f(*new_args, **kwargs)
        outputs, out_structure = ([answer], LEAF) if type(answer) is Node else flatten(answer)
        outputs = [_returned(o, recording) if type(o) is Array else o for o in outputs]
    except Exception as error:
        told = error
        if isinstance(error, TypeError | ValueError | SystemError):
            told = explained(error, recording.constants.follow)
            if told is error:
                recording.raise_behind(error)
                told = shape_error(error)
        failure = failure_of(error) if partial else None
        if failure is None:
            raise told from error.__cause__
        failure, outputs, out_structure = replace(failure, error=told), *flatten(())
    finally:
        rows, decisions = recording.close(), recording.take_decisions()
    if failure is None:
        recording.raise_swallowed()
    for original, stand in arrays:
        if stand.memory is not None and stand.memory.version:
            _refuse_shared(original, args, f)
    for output in outputs:
        if type(output) is Node:
            if output.recording.rows is None and output.recording is not recording:
                raise_closed(output.recording.owner, f"{owner} returned it")
        elif isinstance(output, np.ndarray) and output.dtype.hasobject:
            raise TraceError(
                f"{owner} returned an object array, whose elements no sweep can see: build it with np.stack "
                "or dk.numpy.array, and without dtype=object"
            )
    in_structure = _ONE_LEAF
    if structures != [LEAF]:
        in_structure = Structure(tuple, tuple(range(len(structures))), tuple(structures), len(leaves))
    made = WengertList(
        rows, recording, decisions, inputs, outputs, leaves, in_structure, out_structure, owner
    )
    made.counted = getattr(f, "counted", ())
    made.failure = failure
    return made


CALLER = _record.__code__
"""The code that calls the function: of a row that stands there, the function itself is what was called."""


def _refuse_shared(array: Any, args: tuple[Any, ...], f: Callable[..., Any]) -> None:
    """Refuses to have changed an array that was given twice: each argument has a stand-in of its own."""
    holders: list[str] = []
    for name, arg in zip(parameter_names(f, len(args)), args, strict=True):
        leaves, structure = flatten(arg)
        for leaf, path in zip(leaves, [name] if structure.is_leaf else paths(structure, name), strict=True):
            both = type(leaf) is type(array) is np.ndarray
            if leaf is array or (both and np.shares_memory(leaf, array)):
                holders.append(path)
    if len(holders) > 1:
        owner = getattr(f, "__name__", type(f).__name__)
        raise TraceError(
            f"{owner} changes in place what it was given twice, as {holders[0]} and as {holders[1]}, which "
            "share memory: traced, each is an array of its own, and that is another program. Pass a copy, "
            "a.copy(), as one of them."
        )


def _returned(array: Array, recording: Recording) -> Any:
    """What a function returned, as an output of its trace: a row, or what is constant to it."""
    row = array.row
    if type(row) is not Node:
        return row.copy()
    if row.recording is recording:
        return row
    if row.recording.rows is None:
        raise_closed(row.recording.owner, f"{recording.owner} returned it")
    return array.alias()


def _not_differentiable(leaf: Any, where: str, owner: str) -> str:
    leaf = plain(leaf)
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
