"""``diffkit swell`` and ``diffkit error``: where symbolic differentiation and finite differences break."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import numpy as np

from diffkit.cli.inputs import (
    LimitingCommand,
    ProgramCommand,
    inputs_argument,
    program_argument,
    read_program,
)
from diffkit.cli.named_function import find_function, is_user_file
from diffkit.cli.output import (
    TABLE_ENDINGS,
    check_output,
    echo,
    format_option,
    json_option,
    show,
    terminal_width,
    wrote,
)
from diffkit.comparison.point import sentences_at
from diffkit.comparison.problem import Problem
from diffkit.containers import flatten
from diffkit.errors import DomainError, InputError
from diffkit.programs import Program
from diffkit.progress import progress

_MOST_ROWS = 1000
PLOT_ENDINGS = (".svg", ".png", ".pdf")


@click.command(
    cls=ProgramCommand,
    epilog="""\b
Examples:
  diffkit error logistic_map form=closed
  diffkit error two_outputs --by x2 --output 2 --form forward
  diffkit error logistic_map --form forward --form central -o curve.svg
  diffkit error mine.py:f 1.5 2 --by x
""",
)
@program_argument
@inputs_argument
@click.option("--by", metavar="NAME", help="The input to differentiate by; needed if there are several.")
@click.option("--output", "output_number", type=click.IntRange(1), default=1, show_default=True,
              help="Which of several outputs, from 1.")  # fmt: skip
@click.option(
    "--form",
    "forms",
    multiple=True,
    type=click.Choice(["forward", "backward", "central", "complex"]),
    help="Repeatable. [default: the first three]",
)
@click.option("--parts", is_flag=True, help="Print every h with its four parts, not just the summary.")
@format_option
@click.option("-o", "file", metavar="FILE", help="A plot (.svg, .png, .pdf) or a table (.md, .csv, ...).")
def error(
    program: str,
    inputs: tuple[str, ...],
    by: str | None,
    output_number: int,
    forms: tuple[str, ...],
    parts: bool,
    format_: str,
    file: str | None,
) -> None:
    """Sweep the step h of a difference formula for PROGRAM, and take its error apart."""
    from diffkit import finite

    p, args = read_program(program, inputs)
    check_output(file, PLOT_ENDINGS + TABLE_ENDINGS)
    f, x = _along(p, args, by, output_number - 1)
    _refuse_point(f, x)
    sweeps = [finite.error_sweep(f, x, form) for form in forms or ("forward", "backward", "central")]
    if file is not None and Path(file).suffix in PLOT_ENDINGS:
        what = f"{p.name}, output {output_number}" if output_number > 1 else p.name
        title = f"{what} at {by or next(iter(p.inputs))} = {x:g}"
        wrote(finite.error_curve(*sweeps, title=title).save(file), format_ == "json")
        return
    show([s.table if parts else s.summary for s in sweeps], format_, file)


def _refuse_point(f: Callable[[Any], Any], x: float) -> None:
    """Refuses a point at which there is no derivative to have an error, with what `compare` says of it."""
    with np.errstate(all="ignore"):
        problem = Problem(Program(f, {"x": x}, None), (x,))  # which has the input's own name
        sentences = sentences_at(problem)
    if sentences:
        raise DomainError(sentences[0])


def _along(
    program: Program, args: tuple[Any, ...], by: str | None, output: int
) -> tuple[Callable[[Any], Any], float]:
    """The program as a function of one of its scalar inputs."""
    names = list(program.inputs)
    scalars = [n for n, a in zip(names, args, strict=True) if isinstance(a, float)]
    if by is None and len(scalars) == 1 and len(names) == 1:
        by = scalars[0]
    if by not in scalars:
        given = f"not {by!r}" if by else "which --by names"
        raise InputError(
            f"error needs one number to differentiate {program.name} by, {given}: "
            + (f"one of {', '.join(scalars)}" if scalars else "all its inputs are arrays")
        )
    position = names.index(by)
    with np.errstate(all="ignore"):
        count = len(Problem(program, args).y)
    if output >= count:
        raise InputError(f"{program.name} has {count} outputs, but --output is {output + 1}")

    def along(t: Any) -> Any:
        answer = program(*args[:position], t, *args[position + 1 :])
        if count == 1:
            return answer
        return [entry for leaf in flatten(answer)[0] for entry in np.ravel(leaf)][output]

    along.__name__ = program.name
    along.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(by or "x", inspect.Parameter.POSITIONAL_OR_KEYWORD)]
    )
    return along, float(args[position])


@click.command(
    cls=LimitingCommand,
    epilog="""\b
Examples:
  diffkit swell logistic_map -n 8
  diffkit swell soft_relu -n 20 -o swell.svg
  diffkit swell logistic_map -n 10000 --every 1000
  diffkit swell mine.py:step -n 8
""",
)
@click.argument("family", metavar="[FAMILY]", default="logistic_map")
@click.option("-n", "--depth", type=click.IntRange(1, 10**6), default=8, show_default=True,
              help="The last row.")  # fmt: skip
@click.option(
    "--every", type=click.IntRange(1), default=1, show_default=True, help="Only every so many rows."
)
@click.option("--all", "everything", is_flag=True, help="Every measure, and the formulas: a wide table.")
@format_option
@click.option("-o", "file", metavar="FILE", help="A plot (.svg, .png, .pdf) or a table (.md, .csv, ...).")
def swell(
    family: str, depth: int, every: int, everything: bool, format_: str, file: str | None, limit: float
) -> None:
    """Measure how the derivative of an iterated function grows: as a tree, as a graph, as a trace.

    FAMILY is one of the lectures', or a function of your own of one variable, iterated: FILE.py:FUNCTION.
    """
    from diffkit.comparison.growth import growth

    check_output(file, PLOT_ENDINGS + TABLE_ENDINGS)
    if depth // every > _MOST_ROWS:
        raise InputError(
            f"a table of {depth // every:,} rows is too long; take only some of them, as in "
            f"--every {depth // 10}"
        )
    # SymPy's own diff gives up long before a hundred.
    measures = None if everything else ["tree", *(["sympy"] if depth <= 100 else []), "forward"]
    iterated = find_function(family) if is_user_file(family) else family
    with progress(len(range(every, depth + 1, every)) + (every > 1), "growing") as advance:
        table = growth(
            iterated, depth, every=every, measures=measures, limit=limit,
            progress=lambda k: advance(f"n = {k:,}", 1),
        )  # fmt: skip
    if file is not None and Path(file).suffix in PLOT_ENDINGS:
        from diffkit.plots import swell_curve

        wrote(swell_curve(table, title=family).save(file), format_ == "json")
        return
    show([table], format_, file)


@click.command(
    cls=ProgramCommand,
    epilog="""\b
Examples:
  diffkit accuracy neuron_loss
  diffkit accuracy soft_relu 1000 1 0
  diffkit accuracy mine.py:f 1e-8 0.5 -o digits.svg
""",
)
@program_argument
@inputs_argument
@json_option
@click.option(
    "-o", "file", metavar="FILE", help="A drawing of the digits lost on each edge: FILE.svg, .png, ..."
)
def accuracy(program: str, inputs: tuple[str, ...], as_json: bool, file: str | None) -> None:
    """Measure where tracing itself loses digits: the error of PROGRAM's value and derivatives, row by row."""
    from diffkit.comparison.lost_digits import accuracy as measure

    check_output(file, (".svg", ".png", ".pdf", ".dot", ".mmd", ".tex", ".html"))
    p, args = read_program(program, inputs)
    result = measure(p, *args)
    if file is not None:
        wrote(result.draw().save(file), as_json)
        return
    echo(result.json() if as_json else result.text(terminal_width()))
