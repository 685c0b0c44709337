"""From a function to its trace: it is run once, on nodes that stand in for its numbers and arrays.

>>> t = record(lambda x, y: (x + y) * x, (2.0, 3.0), {})
>>> [row.fun.name for row in t.nodes]
['input', 'input', 'add', 'multiply']
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import replace
from types import FunctionType
from typing import Any, NamedTuple

from diffkit.autodiff.core.leaves import is_differentiable
from diffkit.autodiff.core.trace import WengertList
from diffkit.autodiff.recording.arguments_refused import refuse_argument, refuse_output, refuse_shared
from diffkit.autodiff.recording.failures import Failure, failure_of, misfit_error
from diffkit.autodiff.recording.refusals import explained, raise_closed
from diffkit.autodiff.recording.tracer import Array, Node, Recording, stand_in
from diffkit.containers import LEAF, Structure, describe, flatten, paths
from diffkit.errors import InputError

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
    given = _traced(f, args, argnums, recording)
    failure: Failure | None = None
    try:
        outputs, out_structure = _run(f, given.args, kwargs, recording)
    except Exception as error:
        told = _told(error, recording)
        failure = failure_of(error) if partial else None
        if failure is None:
            raise told from error.__cause__
        failure, outputs, out_structure = replace(failure, error=told), *flatten(())
    finally:
        rows, decisions = recording.close(), recording.take_decisions()
    if failure is None:
        recording.raise_swallowed()
    for original, stand in given.arrays:
        if stand.memory is not None and stand.memory.version:
            refuse_shared(original, args, parameter_names(f, len(args)), owner)
    for output in outputs:
        refuse_output(output, recording)
    structures = given.structures
    in_structure = _ONE_LEAF
    if structures != [LEAF]:
        in_structure = Structure(tuple, tuple(range(len(structures))), tuple(structures), len(given.leaves))
    made = WengertList(
        rows, recording, decisions, given.inputs, outputs, given.leaves, in_structure, out_structure, owner
    )
    made.counted = getattr(f, "counted", ())
    made.failure = failure
    return made


class _Given(NamedTuple):
    """The arguments as the function gets them, and what of them is traced."""

    args: list[Any]
    structures: list[Structure]
    leaves: list[Any]
    inputs: list[Node]
    arrays: list[tuple[Any, Array]]  # as they were given, and what stands for them


def _traced(
    f: Callable[..., Any], args: tuple[Any, ...], argnums: Sequence[int] | None, recording: Recording
) -> _Given:
    """Puts stand-ins for the numbers and arrays among the arguments, an input row for each."""
    given = _Given(list(args), [], [], [], [])
    names: list[str] | None = None
    for position in range(len(args)) if argnums is None else argnums:
        leaves, structure = flatten(args[position])
        given.structures.append(structure)
        where: list[str] | None = None
        for k, leaf in enumerate(leaves):
            wanted = is_differentiable(leaf)
            if where is None and (wanted or argnums is not None):
                names = names or parameter_names(f, len(args))
                where = [names[position]] if structure.is_leaf else paths(structure, names[position])
            if where is not None and wanted:
                row = recording.input(leaf.alias() if type(leaf) is Array else leaf, where[k])
                leaves[k] = stand = stand_in(row)
                if type(stand) is Array:
                    given.arrays.append((leaf, stand))
                given.inputs.append(row)
                leaf = row
            elif where is not None and argnums is not None:
                refuse_argument(leaf, where[k], recording.owner)
            given.leaves.append(leaf)
        given.args[position] = structure.unflatten(leaves)
    if argnums is None and not given.inputs:
        raise InputError(
            f"none of the arguments of {recording.owner} is a float or an array of floats: {describe(args)}. "
            "Integers are taken as constants: write 2.0 for 2."
        )
    return given


def _run(
    f: Callable[..., Any], args: list[Any], kwargs: dict[str, Any], recording: Recording
) -> tuple[list[Any], Structure]:
    """What the function returns: rows and constants, and how they are nested."""
    answer = f(*args, **kwargs)
    outputs, structure = ([answer], LEAF) if type(answer) is Node else flatten(answer)
    return [_returned(o, recording) if type(o) is Array else o for o in outputs], structure


CALLER = _run.__code__
"""The code that calls the function: of a row that stands there, the function itself is what was called."""


def _told(error: Exception, recording: Recording) -> Exception:
    """The error as the user is told it: a refusal that it was made of, operands by name and shape."""
    if not isinstance(error, TypeError | ValueError | SystemError):
        return error
    told = explained(error, recording.constants.follow)
    if told is error:
        recording.raise_behind(error)
        told = misfit_error(error)
    return told


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
