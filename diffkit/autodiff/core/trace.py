"""The trace (Wengert list) as data: the straight-line program that a function performed on given inputs.

>>> from diffkit.autodiff.core.record import record
>>> import numpy as np
>>> t = record(lambda x1, x2: np.log(x1) + x1 * x2 - np.sin(x2), (2.0, 5.0), {})
>>> len(t)
7
>>> t.value
11.652071455223084
>>> t.pull_back(1.0)  # one reverse sweep: both partial derivatives
(5.5, 1.7163378145367738)
>>> t.push_forward(1.0, 0.0)  # one forward sweep: the derivative along x1
5.5

A trace can be replayed on other inputs, on nodes of another trace, or on SymPy symbols; recording the
reverse sweep gives the adjoint program, which is again a trace. What users meet as ``dk.Trace`` is this with
views of it: tables, source, a SymPy expression (``autodiff/views.py``).
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from diffkit.autodiff.core import quick, sweeps
from diffkit.autodiff.core.leaves import copied, like, ones_like, own, still, zeros_like
from diffkit.autodiff.core.names import name_rows
from diffkit.autodiff.recording.failures import Failure
from diffkit.autodiff.recording.tracer import INPUT, Decision, Node, Recording, plain
from diffkit.containers import LEAF, Structure, describe, paths
from diffkit.errors import InputError


class WengertList:
    """The rows of one run of a function, in the order in which they were computed.

    Attributes:
        nodes: all rows, inputs first.
        recording: what wrote them down; it tells its own rows from those of other traces.
        decisions: where the program asked for a traced value (a branch, an index): the trace holds
            for other inputs only if they decide alike.
        inputs: the rows of the traced inputs, one per float or array among the arguments.
        outputs: the function's answers; a row, or a plain value where the answer does not depend
            on an input.
        arguments: every leaf of the arguments; a row where it is traced.
        in_structure, out_structure: how the arguments (as a tuple) and the answer are nested.
        name: the function's name.
        counted: variables of which an input is the first value: see :func:`~.names.name_rows`.
        failure: of a function that failed and was to be traced as far as it ran, what failed; else None.
    """

    counted: tuple[str, ...] = ()
    failure: Failure | None = None

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
        self.arguments = arguments
        self.in_structure = in_structure
        self.out_structure = out_structure

    def __len__(self) -> int:
        return len(self.nodes)

    def __repr__(self) -> str:
        inputs, rows = len(self.inputs), len(self)
        return f"<trace of {self.name}: {inputs} input{'s' * (inputs != 1)}, {rows} row{'s' * (rows != 1)}>"

    @property
    def value(self) -> Any:
        """What the function returned; its arrays are copies, for the sweeps read the trace's own."""
        return self.out_structure.unflatten([copied(self.value_of(o)) for o in self.outputs])

    def owns(self, value: Any) -> bool:
        """Whether a value is a row of this trace."""
        return type(value) is Node and value.recording is self.recording

    def value_of(self, value: Any) -> Any:
        """What a row of this trace computed; any other value as it is."""
        return value.value if self.owns(value) else value

    @functools.cached_property
    def names(self) -> list[str]:
        """A name for every row, all different: the user's variable where there is one, else v1, v2, ..."""
        return name_rows(self.nodes, self.counted)

    # -- reverse --------------------------------------------------------------------------------------

    def pull_back(self, *cotangents: Any) -> Any:
        """The vector-Jacobian product: one reverse sweep, the cotangents of the arguments.

        The answer is nested like the arguments: alone for one argument, a tuple for several.
        """
        return self.arguments_from(self.input_adjoints(self.seeds(cotangents)))

    def input_adjoints(self, seeds: Mapping[int, Any]) -> list[Any]:
        """The adjoints of the inputs, given those of some rows: each an array of its own."""
        adjoints = quick.reverse_sweep(self.nodes, self.recording, seeds)
        return own(
            [zeros_like(n.value) if adjoints[n.index] is None else adjoints[n.index] for n in self.inputs]
        )

    def adjoints(self, *cotangents: Any) -> list[Any]:
        """One reverse sweep: the adjoint of every row, None where no output depends on it.

        Args:
            cotangents: one per output, of its shape; a single scalar output defaults to 1.0.

        Raises:
            InputError: if they do not fit the outputs.
        """
        return sweeps.reverse_sweep(self.nodes, self.recording, self.seeds(cotangents))

    def observed(self, seeds: Mapping[int, Any], observe: sweeps.Observer) -> list[Any]:
        """The same, from seeds by row, with every contribution shown to ``observe``."""
        return sweeps.reverse_sweep(self.nodes, self.recording, seeds, observe)

    def seeds(self, cotangents: Sequence[Any]) -> dict[int, Any]:
        """Cotangents by row: checked, and added up where two outputs are the same row."""
        self._refuse_failed()
        if not cotangents:
            cotangents = self.default_cotangent()
        given = self._leaves(cotangents, self.out_structure, "cotangent")
        seeds: dict[int, Any] = {}
        for k, (leaf, output) in enumerate(zip(given, self.outputs, strict=True)):
            if self.owns(output):
                seed = like(leaf, output.value, functools.partial(self._output_path, k))
                seeds[output.index] = seed if output.index not in seeds else seeds[output.index] + seed
        return seeds

    def _refuse_failed(self) -> None:
        """Refuses a sweep from the outputs of a function that has not come to any."""
        if self.failure is not None:
            raise InputError(
                f"{self.name} failed ({self.failure.site}), so that it has no output to sweep back from: "
                f"{self.failure.message}"
            )

    def unit_cotangents(self) -> tuple[Any, ...]:
        """Ones for every output, the seeds of the gradient of their sum: for drawings and listings.

        >>> import diffkit as dk
        >>> dk.trace(lambda x: (x, [2 * x]))(3.0).unit_cotangents()
        ((np.float64(1.0), [np.float64(1.0)]),)
        """
        return (self.out_structure.unflatten([ones_like(plain(o)) for o in self.outputs]),)

    def default_cotangent(self) -> tuple[Any, ...]:
        """1 for the only output, which must be a single number.

        Raises:
            InputError: if it is not.
        """
        self._refuse_failed()
        if len(self.outputs) == 1 and np.size(plain(self.outputs[0])) == 1:
            return self.unit_cotangents()
        raise InputError(
            f"{self.name} returns {describe(self.value)}: give one cotangent for each output, of its shape"
        )

    def arguments_from(self, leaves: list[Any]) -> Any:
        """Values for the traced inputs, nested like the arguments; None stands for what is constant."""
        if self.in_structure.children == (LEAF,):
            return leaves[0] if leaves else None
        given = iter(leaves)
        nested = self.in_structure.unflatten([next(given) if self.owns(a) else None for a in self.arguments])
        return nested[0] if len(nested) == 1 else nested

    # -- forward --------------------------------------------------------------------------------------

    def push_forward(self, *tangents: Any) -> Any:
        """The Jacobian-vector product: one forward sweep, the tangents of the outputs."""
        return self.out_structure.unflatten(self.pushed_forward(self._by_row(tangents)))

    def output_tangents(self, swept: Sequence[Any]) -> list[Any]:
        """The tangents of the outputs, given those of all rows: each an array of its own."""
        found = [swept[o.index] if self.owns(o) else None for o in self.outputs]
        return own(
            [still(self.value_of(o)) if t is None else t for t, o in zip(found, self.outputs, strict=True)]
        )

    def tangents(self, *tangents: Any) -> list[Any]:
        """One forward sweep: the tangent of every row, None where it depends on no tangent.

        Args:
            tangents: one per argument, of its shape.
        """
        return sweeps.forward_sweep(self.nodes, self.recording, self._by_row(tangents))

    def _by_row(self, tangents: Sequence[Any]) -> dict[int, Any]:
        given = self._leaves(tangents, self.in_structure, "tangent")
        return {
            a.index: like(leaf, a.value, functools.partial("the tangent of {}".format, a.args[0]))
            for leaf, a in zip(given, self.arguments, strict=True)
            if self.owns(a)
        }

    def pushed_forward(self, tangents: Mapping[int, Any]) -> list[Any]:
        """The tangents of the outputs, given those of some inputs, by row."""
        return self.output_tangents(quick.forward_sweep(self.nodes, self.recording, tangents))

    def unit_tangents(self) -> tuple[Any, ...]:
        """The direction of the first input: ones there, zeros elsewhere.

        >>> import diffkit as dk
        >>> dk.trace(lambda x, y: x * y)(3.0, 4.0).unit_tangents()
        (np.float64(1.0), np.float64(0.0))
        """
        first = self.inputs[0]
        directions = [
            (np.ones_like if a is first else np.zeros_like)(plain(a))[()] if self.owns(a) else a
            for a in self.arguments
        ]
        nested: tuple[Any, ...] = self.in_structure.unflatten(directions)
        return nested

    # -- the trace as a program -----------------------------------------------------------------------

    def replay(self, *args: Any) -> Any:
        """Performs the recorded operations on other inputs, without asking the function again.

        Args:
            args: arguments nested like the ones that were traced: floats, arrays, nodes of another
                trace, object arrays of symbols. Arguments that were constants are ignored.

        Returns:
            What the function would return if it took the same path.

        >>> import diffkit as dk
        >>> t = dk.trace(lambda x: x * x + 1.0)(3.0)
        >>> t.replay(5.0)
        26.0
        """
        given = self.in_structure.leaves_of(tuple(args), "arguments")
        values: list[Any] = [None] * len(self.nodes)
        for leaf, argument in zip(given, self.arguments, strict=True):
            if self.owns(argument):
                values[argument.index] = leaf
        for row in self.nodes:
            if row.fun is not INPUT:
                own_args = [values[a.index] if self.owns(a) else a for a in row.args]
                values[row.index] = row.fun(*own_args, **row.kwargs)
        return self.out_structure.unflatten([values[o.index] if self.owns(o) else o for o in self.outputs])

    # -- what is given for the arguments or the outputs -------------------------------------------------

    def _leaves(self, given: Sequence[Any], structure: Structure, what: str) -> list[Any]:
        """The leaves of one value per argument (or output), each nested like it."""
        if len(given) == 1 and structure is self.out_structure:
            return structure.leaves_of(given[0], what)
        if structure.container is tuple and len(given) == len(structure.children):
            return structure.leaves_of(tuple(given), f"{what}s")
        expected = len(structure.children) if structure.container is tuple else 1
        raise InputError(f"{self.name} takes {expected} {what}{'s' * (expected != 1)}, but {len(given)} came")

    def _output_path(self, k: int) -> str:
        return f"the cotangent of {paths(self.out_structure, 'the output')[k]}"
