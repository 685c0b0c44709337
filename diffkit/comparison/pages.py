"""``dk.explore`` and ``dk.stepper``: a program as a page, with what there is to say of its point.

The pages themselves are :mod:`diffkit.graphs.page`'s. What they say of a kink, a jump or a point outside the
domain is what the comparison finds out, in its words.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from diffkit.autodiff.views import Trace
from diffkit.comparison.point import sentences_at
from diffkit.comparison.problem import Problem
from diffkit.graphs.page.explorer import Explorer
from diffkit.graphs.page.stepper import Stepper, trace_of
from diffkit.programs import Program


def explore(
    what: Any,
    *args: Any,
    cotangents: Sequence[Any] | None = None,
    tangents: Sequence[Any] | None = None,
    direction: str | None = None,
    engine: str = "auto",
) -> Explorer:
    """A page that computes a program again wherever its inputs are moved to: values, adjoints, tangents.

    One file, which asks for nothing: sliders and boxes for inputs, seeds and directions, the graph with the
    contribution on each wire, the table, and the derivative by five methods beside the error of the
    differences against their step. It steps as :func:`stepper` does. Its numbers
    are those of the path that was traced: it says so where a decision would come out differently.

    Args:
        what: a function, or a :class:`~diffkit.autodiff.views.Trace`.
        args: the inputs to begin with, for a function.
        cotangents: the seeds to begin with, one per output, of its shape; ones by default.
        tangents: the directions to begin with, one per argument; by default that of the first input.
        direction: "right" or "down".
        engine: what lays the graph out; see :func:`~diffkit.graphs.drawing.draw`.

    Returns:
        An Explorer: the page, which can be saved; ``.refused`` says why it can't compute anew, if it can't.

    Raises:
        InputError: for what is no program, or one of more than 400 rows: 1,000 where a loop is rolled, 200
            where the page only steps.

    >>> explore(lambda x, y: (x + y) * y, 2.0, 3.0)
    <page of <lambda>: 9 steps, 2 inputs to move>
    >>> explore(np.linalg.det, np.eye(2)).refused
    "row v1 = det(...) can't be said in JavaScript: there is no det there"
    """
    program = what if isinstance(what, Program) else None
    t = trace_of(what, args)
    return Explorer(t, cotangents, tangents, direction, engine, program, notes_at(what, args))


def stepper(
    what: Any,
    *args: Any,
    mode: str = "reverse",
    cotangents: Sequence[Any] | None = None,
    tangents: Sequence[Any] | None = None,
    direction: str | None = None,
    engine: str = "auto",
) -> Stepper:
    """A page that steps through a program: values forward, then adjoints back, or tangents forward.

    Args:
        what: a function, or a :class:`~diffkit.autodiff.views.Trace`.
        args: the inputs, for a function.
        mode: "reverse" for adjoints, "forward" for tangents.
        cotangents: the seeds, one per output, of its shape; ones by default.
        tangents: one per argument, of its shape; by default the direction of the first input.
        direction: "right" or "down".
        engine: what lays the graph out; see :func:`~diffkit.graphs.drawing.draw`.

    Returns:
        A Stepper: a page, which a notebook shows and which can be saved, and its steps as data.

    Raises:
        InputError: for another mode, what is no program, or one of more than 200 rows.

    >>> page = stepper(lambda x, y: (x + y) * y, 2.0, 3.0)
    >>> page
    <stepper of <lambda>, reverse mode: 9 steps>
    >>> page.steps[-1].formula, page.steps[-1].result
    ('ȳ = ȳ + v̄₁·∂v₁/∂y = ȳ + v̄₁ = 5 + 3', '8')
    """
    t = trace_of(what, args)
    return Stepper(t, mode, cotangents, tangents, direction, engine, notes_at(what, args))


def notes_at(what: Any, args: Sequence[Any]) -> list[str]:
    """What there is to say of a function at its inputs; nothing of a trace, whose function may be gone.

    >>> notes_at(np.abs, (0.0,))
    ['no derivative at x = 0: from the left it is -1, from the right 1']
    """
    if isinstance(what, Trace):
        return []
    with np.errstate(all="ignore"), warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")  # what f prints and warns was told when it was traced
        try:
            return sentences_at(Problem(what, tuple(args), real=False))
        except (Exception, SystemExit):  # it can be traced, and not run on floats, or not again
            return []
