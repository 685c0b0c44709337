"""The trace (Wengert list): the straight-line program that a function performed on given inputs.

>>> import numpy as np
>>> t = trace(lambda x1, x2: np.log(x1) + x1 * x2 - np.sin(x2))(2.0, 5.0)
>>> len(t)
7
>>> t.value
11.652071455223084
>>> t.pull_back(1.0)  # one reverse sweep: both partial derivatives
(5.5, 1.7163378145367738)
>>> t.push_forward(1.0, 0.0)  # one forward sweep: the derivative along x1
5.5

A trace can be replayed on other inputs, on nodes of another trace, or on SymPy symbols; recording
the reverse sweep gives the adjoint program, which is again a trace.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import is_dataclass
from types import FunctionType
from typing import TYPE_CHECKING, Any

import numpy as np

from diffkit.autodiff.core.leaves import is_differentiable, like, ones_like, own, still
from diffkit.autodiff.core.sweeps import copied, forward_sweep, reverse_sweep, zeros_like
from diffkit.autodiff.recording.refusals import explained, raise_closed
from diffkit.autodiff.recording.tracer import INPUT, Decision, Node, Recording, plain
from diffkit.containers import LEAF, Structure, describe, flatten, paths
from diffkit.errors import InputError, TraceError

if TYPE_CHECKING:
    from diffkit.autodiff.code.source import Source
    from diffkit.autodiff.core.adjoint import AdjointTrace
    from diffkit.tables import Table

__all__ = ["Trace", "is_differentiable", "parameter_names", "plain", "record", "trace"]


class Trace:
    """The rows of one run of a function, in the order in which they were computed.

    Attributes:
        nodes: all rows, inputs first.
        inputs: the rows of the traced inputs, one per float or array among the arguments.
        outputs: the function's answers; a row, or a plain value where the answer does not depend
            on an input.
        decisions: where the program asked for a traced value (a branch, an index): the trace holds
            for other inputs only if they decide alike.
        name: the function's name.
        in_structure, out_structure: how the arguments (as a tuple) and the answer are nested.
    """

    def __init__(
        self,
        nodes: list[Node],
        recording: Recording,
        decisions: list[Decision],
        inputs: list[Node],
        outputs: list[Any],
        arguments: list[Any],
        in_structure: Structure,
        out_structure: Structure,
        name: str,
    ) -> None:
        self.nodes = nodes
        self.recording = recording
        self.inputs = inputs
        self.outputs = outputs
        self.decisions = decisions
        self.name = name
        self._arguments = arguments  # every leaf of the arguments; a Node where it is traced
        self.in_structure = in_structure
        self.out_structure = out_structure

    def __len__(self) -> int:
        return len(self.nodes)

    def __repr__(self) -> str:
        inputs, rows = len(self.inputs), len(self)
        return f"<trace of {self.name}: {inputs} input{'s' * (inputs != 1)}, {rows} row{'s' * (rows != 1)}>"

    def _repr_html_(self) -> str | None:
        """What a notebook shows: the primal table of a short trace; of a long one its ``repr``."""
        return self.primal_table().html() if len(self) <= 60 else None

    @property
    def value(self) -> Any:
        """What the function returned; its arrays are copies, for the sweeps read the trace's own."""
        return self.out_structure.unflatten([copied(self._plain(o)) for o in self.outputs])

    def owns(self, value: Any) -> bool:
        """Whether a value is a row of this trace."""
        return type(value) is Node and value.recording is self.recording

    def _plain(self, value: Any) -> Any:
        return value.value if self.owns(value) else value

    @functools.cached_property
    def names(self) -> list[str]:
        """A name for every row, all different: the user's variable where there is one, else v1, v2, ..."""
        from diffkit.autodiff.core.names import name_rows

        return name_rows(self)

    # -- sweeps ---------------------------------------------------------------------------------------

    def adjoints(self, *cotangents: Any) -> list[Any]:
        """One reverse sweep: the adjoint of every row, None where no output depends on it.

        Args:
            cotangents: one per output, of its shape; a single scalar output defaults to 1.0.

        Raises:
            InputError: if they do not fit the outputs.
        """
        return reverse_sweep(self.nodes, self.recording, self.seeds(cotangents))

    def seeds(self, cotangents: Sequence[Any]) -> dict[int, Any]:
        """Cotangents by row: checked, and added up where two outputs are the same row."""
        if not cotangents:
            cotangents = self._default_cotangent()
        given = self._leaves(cotangents, self.out_structure, "cotangent")
        seeds: dict[int, Any] = {}
        for k, (leaf, output) in enumerate(zip(given, self.outputs, strict=True)):
            if self.owns(output):
                seed = like(leaf, output.value, functools.partial(self._output_path, k))
                seeds[output.index] = seed if output.index not in seeds else seeds[output.index] + seed
        return seeds

    def unit_cotangents(self) -> tuple[Any, ...]:
        """Ones for every output, the seeds of the gradient of their sum: for drawings and listings.

        >>> trace(lambda x: (x, [2 * x]))(3.0).unit_cotangents()
        ((np.float64(1.0), [np.float64(1.0)]),)
        """
        return (self.out_structure.unflatten([ones_like(plain(o)) for o in self.outputs]),)

    def unit_tangents(self) -> tuple[Any, ...]:
        """The direction of the first input: ones there, zeros elsewhere.

        >>> trace(lambda x, y: x * y)(3.0, 4.0).unit_tangents()
        (np.float64(1.0), np.float64(0.0))
        """
        first = self.inputs[0]
        directions = [
            (np.ones_like if a is first else np.zeros_like)(plain(a))[()] if self.owns(a) else a
            for a in self._arguments
        ]
        nested: tuple[Any, ...] = self.in_structure.unflatten(directions)
        return nested

    def _default_cotangent(self) -> tuple[Any, ...]:
        if len(self.outputs) == 1 and np.size(plain(self.outputs[0])) == 1:
            return self.unit_cotangents()
        raise InputError(
            f"{self.name} returns {describe(self.value)}: give one cotangent for each output, of its shape"
        )

    def pull_back(self, *cotangents: Any) -> Any:
        """The vector-Jacobian product: one reverse sweep, the cotangents of the arguments.

        The answer is nested like the arguments: alone for one argument, a tuple for several.
        """
        return self.arguments_from(self.input_adjoints(self.seeds(cotangents)))

    def input_adjoints(self, seeds: Mapping[int, Any]) -> list[Any]:
        """The adjoints of the inputs, given those of some rows: each an array of its own."""
        adjoints = reverse_sweep(self.nodes, self.recording, seeds)
        return own(
            [zeros_like(n.value) if adjoints[n.index] is None else adjoints[n.index] for n in self.inputs]
        )

    def tangents(self, *tangents: Any) -> list[Any]:
        """One forward sweep: the tangent of every row, None where it depends on no tangent.

        Args:
            tangents: one per argument, of its shape.
        """
        given = self._leaves(tangents, self.in_structure, "tangent")
        by_row = {
            a.index: like(leaf, a.value, functools.partial("the tangent of {}".format, a.args[0]))
            for leaf, a in zip(given, self._arguments, strict=True)
            if self.owns(a)
        }
        return forward_sweep(self.nodes, self.recording, by_row)

    def push_forward(self, *tangents: Any) -> Any:
        """The Jacobian-vector product: one forward sweep, the tangents of the outputs."""
        return self.out_structure.unflatten(self.output_tangents(self.tangents(*tangents)))

    def output_tangents(self, swept: Sequence[Any]) -> list[Any]:
        """The tangents of the outputs, given those of all rows: each an array of its own."""
        found = [swept[o.index] if self.owns(o) else None for o in self.outputs]
        return own(
            [still(self._plain(o)) if t is None else t for t, o in zip(found, self.outputs, strict=True)]
        )

    def arguments_from(self, leaves: list[Any]) -> Any:
        """Values for the traced inputs, nested like the arguments; None stands for what is constant."""
        if self.in_structure.children == (LEAF,):
            return leaves[0] if leaves else None
        given = iter(leaves)
        nested = self.in_structure.unflatten([next(given) if self.owns(a) else None for a in self._arguments])
        return nested[0] if len(nested) == 1 else nested

    def _output_path(self, k: int) -> str:
        return f"the cotangent of {paths(self.out_structure, 'the output')[k]}"

    def _leaves(self, given: Sequence[Any], structure: Structure, what: str) -> list[Any]:
        """The leaves of one value per argument (or output), each nested like it."""
        if len(given) == 1 and structure is self.out_structure:
            return structure.leaves_of(given[0], what)
        if structure.container is tuple and len(given) == len(structure.children):
            return structure.leaves_of(tuple(given), f"{what}s")
        expected = len(structure.children) if structure.container is tuple else 1
        raise InputError(f"{self.name} takes {expected} {what}{'s' * (expected != 1)}, but {len(given)} came")

    # -- the trace as a program -----------------------------------------------------------------------

    def replay(self, *args: Any) -> Any:
        """Performs the recorded operations on other inputs, without asking the function again.

        Args:
            args: arguments nested like the ones that were traced: floats, arrays, nodes of another
                trace, object arrays of symbols. Arguments that were constants are ignored.

        Returns:
            What the function would return if it took the same path.

        >>> t = trace(lambda x: x * x + 1.0)(3.0)
        >>> t.replay(5.0)
        26.0
        """
        given = self.in_structure.leaves_of(tuple(args), "arguments")
        values: list[Any] = [None] * len(self.nodes)
        for leaf, argument in zip(given, self._arguments, strict=True):
            if self.owns(argument):
                values[argument.index] = leaf
        self._replay_rows(values)
        return self.out_structure.unflatten([values[o.index] if self.owns(o) else o for o in self.outputs])

    def _replay_rows(self, values: list[Any]) -> None:
        recording = self.recording
        for row in self.nodes:
            if row.fun is INPUT:
                continue
            args = [values[a.index] if type(a) is Node and a.recording is recording else a for a in row.args]
            values[row.index] = row.fun(*args, **row.kwargs)

    def adjoint(self, *cotangents: Any) -> AdjointTrace:
        """The adjoint program: the trace of this trace's replay followed by its reverse sweep.

        Its inputs are this trace's inputs and then the cotangents (1.0 for a single scalar output
        if none are given); its outputs are the adjoints of the inputs. It is itself a trace: it can
        be replayed, drawn, printed as source, and swept again for second derivatives.
        """
        from diffkit.autodiff.core.adjoint import record_adjoint

        return record_adjoint(self, cotangents or self._default_cotangent())

    def to_sympy(self, *symbols: Any, path: bool = False) -> Any:
        """The SymPy expression that this trace computes, its operations kept one for one.

        Args:
            symbols: one per argument: a SymPy symbol (or expression) for a scalar, a nested list or
                object array of them for an array. By default symbols with the inputs' names, with
                indices for arrays.
            path: accept that the expression holds only for inputs which take the same branches.

        Raises:
            TraceError: if the program branched on a traced value and ``path`` is False.
        """
        from diffkit.autodiff.to_sympy import trace_to_sympy

        return trace_to_sympy(self, symbols, path=path)

    def source(self, name: str | None = None, passes: Sequence[str] = ()) -> Source:
        """The trace as Python source that runs as it stands; see :mod:`diffkit.autodiff.code.source`.

        Args:
            name: what to call the function; by default, the traced function's name.
            passes: the names of simplifying passes, applied in this order; see
                :data:`diffkit.autodiff.code.passes.PASSES`.
        """
        from diffkit.autodiff.code.source import trace_source

        return trace_source(self, name, passes)

    # -- the trace as a table -------------------------------------------------------------------------

    def primal_table(self) -> Table:
        """One row per step: its name, what it computes, in words and in numbers."""
        from diffkit.autodiff.notation.evaluation_tables import primal_table

        return primal_table(self)

    def tangent_table(self, *tangents: Any) -> Table:
        """The forward primal trace beside the forward tangent trace (Baydin et al. 2018, Table 2)."""
        from diffkit.autodiff.notation.evaluation_tables import tangent_table

        return tangent_table(self, tangents)

    def adjoint_table(self, *cotangents: Any) -> Table:
        """The forward primal trace beside the reverse adjoint trace (Baydin et al. 2018, Table 3)."""
        from diffkit.autodiff.notation.evaluation_tables import adjoint_table

        return adjoint_table(self, cotangents)


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
) -> Trace:
    """Runs ``f`` and records what it does to its arguments.

    Args:
        f: the function.
        args, kwargs: what it is called with; keyword arguments are never traced.
        argnums: the positional arguments to trace, every leaf of which must be a float or an array of
            floats. None traces every such leaf there is and takes the others as constants.

    Raises:
        InputError: for an argument that can't be traced.
    """
    owner = getattr(f, "__name__", type(f).__name__)
    recording = Recording(owner)
    traced = range(len(args)) if argnums is None else argnums
    names: list[str] | None = None
    new_args = list(args)
    structures: list[Structure] = []
    leaves: list[Any] = []
    inputs: list[Node] = []
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
                leaf = given[k] = recording.input(leaf, where[k])
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
    try:
        answer = f(*new_args, **kwargs)
    except (TypeError, ValueError) as error:
        raise explained(error, recording.constants.any_locked) from error.__cause__
    finally:
        rows, decisions = recording.close(), recording.take_decisions()
    outputs, out_structure = ([answer], LEAF) if type(answer) is Node else flatten(answer)
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
    return Trace(rows, recording, decisions, inputs, outputs, leaves, in_structure, out_structure, owner)


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


def trace(f: Callable[..., Any]) -> Callable[..., Trace]:
    """``trace(f)(*args, **kwargs)`` runs f on the arguments and returns its :class:`Trace`.

    Floats and arrays of floats among the positional arguments become inputs; integers, strings and
    keyword arguments are constants.

    Raises:
        InputError: if no argument is a float or an array of floats.

    >>> t = trace(lambda x, y: (x + y) * x)(2.0, 3.0)
    >>> [row.fun.name for row in t.nodes]
    ['input', 'input', 'add', 'multiply']
    """

    @functools.wraps(f)
    def traced(*args: Any, **kwargs: Any) -> Trace:
        return record(f, args, kwargs)

    return traced
