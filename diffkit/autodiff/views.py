"""The trace that users meet: the data of ``autodiff/core/`` with every way to look at it.

>>> import numpy as np
>>> t = trace(lambda x1, x2: np.log(x1) + x1 * x2 - np.sin(x2))(2.0, 5.0)
>>> t
<trace of <lambda>: 2 inputs, 7 rows>
>>> t.to_sympy()
(x1*x2 + log(x1)) - sin(x2)
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, Self

from diffkit.autodiff.code.source import Source, trace_source
from diffkit.autodiff.core.adjoint import AdjointProgram, record_adjoint
from diffkit.autodiff.core.record import record
from diffkit.autodiff.core.trace import WengertList
from diffkit.autodiff.notation.evaluation_tables import adjoint_table, primal_table, tangent_table
from diffkit.autodiff.notation.formulas import with_digits
from diffkit.tables import Table


class Trace(WengertList):
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
        failure: with ``partial=True``, what failed and where; None for a function that did not fail.

    >>> from diffkit import trace
    >>> recorded = trace(lambda x, y: (x + y) * y)(2.0, 3.0)
    >>> recorded.inputs, recorded.nodes[2:]
    ([Node(2.0, input), Node(3.0, input)], [Node(5.0, add), Node(15.0, multiply)])
    >>> recorded.adjoint().outputs
    [Node(3.0, multiply), Node(8.0, add)]
    """

    @classmethod
    def of(cls, data: WengertList) -> Self:
        """The same trace, with its views."""
        viewed = cls.__new__(cls)
        vars(viewed).update(vars(data))
        return viewed

    def adjoint(self, *cotangents: Any) -> AdjointTrace:
        """The adjoint program: the trace of this trace's replay followed by its reverse sweep.

        Its inputs are this trace's inputs and then the cotangents (1.0 for a single scalar output
        if none are given); its outputs are the adjoints of the inputs. It is itself a trace: it can
        be replayed, drawn, printed as source, and swept again for second derivatives.

        Args:
            cotangents: one per output, of its shape.

        Raises:
            InputError: if they do not fit the outputs.
        """
        return AdjointTrace.of(record_adjoint(self, cotangents or self.default_cotangent()))

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
        from diffkit.autodiff.to_sympy import trace_to_sympy  # imports SymPy, which takes its time

        return trace_to_sympy(self, symbols, path=path)

    def source(self, name: str | None = None, passes: Sequence[str] = ()) -> Source:
        """The trace as Python source that runs as it stands; see :mod:`diffkit.autodiff.code.source`.

        Args:
            name: what to call the function; by default, the traced function's name.
            passes: the names of simplifying passes, applied in this order; see
                :data:`diffkit.autodiff.code.passes.PASSES`.
        """
        return trace_source(self, name, passes)

    def primal_table(self, *, digits: int | None = None) -> Table:
        """One row per step: its name, what it computes, in words and in numbers.

        Args:
            digits: of numbers; by default six, and more in a value of which more is needed to compute
                what comes of it. So in all tables of a trace.
        """
        with with_digits(digits):
            return primal_table(self)

    def tangent_table(self, *tangents: Any, digits: int | None = None) -> Table:
        """The forward primal trace beside the forward tangent trace (Baydin et al. 2018, Table 2)."""
        with with_digits(digits):
            return tangent_table(self, tangents)

    def adjoint_table(self, *cotangents: Any, digits: int | None = None) -> Table:
        """The forward primal trace beside the reverse adjoint trace (Baydin et al. 2018, Table 3)."""
        with with_digits(digits):
            return adjoint_table(self, cotangents)

    def _repr_html_(self) -> str | None:
        """What a notebook shows: the primal table of a short trace; of a long one its ``repr``."""
        return self.primal_table().html() if len(self) <= 60 else None


class AdjointTrace(Trace, AdjointProgram):
    """An adjoint program, with the same views; its attributes are those of :class:`AdjointProgram`."""


def trace(f: Callable[..., Any], *, partial: bool = False) -> Callable[..., Trace]:
    """``trace(f)(*args, **kwargs)`` runs f on the arguments and returns its :class:`Trace`.

    Floats and arrays of floats among the positional arguments become inputs; integers, strings and
    keyword arguments are constants.

    Args:
        f: a NumPy function.
        partial: whether a function that fails half-way is traced as far as it ran: its trace has no outputs,
            and ``failure`` says which operation failed, on what, and in which line.

    Returns:
        A function of f's arguments that returns the trace of that run.

    Raises:
        InputError: if no argument is a float or an array of floats; for operands whose shapes do not fit.

    >>> t = trace(lambda x, y: (x + y) * x)(2.0, 3.0)
    >>> [row.fun.name for row in t.nodes]
    ['input', 'input', 'add', 'multiply']
    """

    @functools.wraps(f)
    def traced(*args: Any, **kwargs: Any) -> Trace:
        return Trace.of(record(f, args, kwargs, partial=partial))

    return traced
