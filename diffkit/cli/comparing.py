"""``diffkit compare``: every method on one program, or on all of them."""

from __future__ import annotations

from pathlib import Path

import click

from diffkit import programs
from diffkit.cli.inputs import LimitingCommand, inputs_argument, read_program
from diffkit.cli.output import TABLE_ENDINGS, check_output, echo, format_option, note, output_option, show
from diffkit.comparison import METHODS, Comparison
from diffkit.comparison import compare as compare_methods
from diffkit.errors import InputError
from diffkit.progress import progress
from diffkit.tables import to_json


@click.command(
    cls=LimitingCommand,
    epilog="""\b
Examples:
  diffkit compare two_outputs
  diffkit compare two_outputs 2.5 1.0 --method "reverse mode" --method symbolic
  diffkit compare logistic_map x=0.3 length=10 -o swell.md
  diffkit compare mine.py:f 1.5 "w=[0.5, -1]"
  diffkit compare --all --draw figures
""",
)
@click.argument("program", metavar="[PROGRAM]", required=False)
@inputs_argument
@click.option("--all", "every", is_flag=True, help="All of the lectures' programs, at their sample inputs.")
@click.option("--list", "list_", is_flag=True, help="List the programs and exit.")
@click.option(
    "--method", "methods", metavar="METHOD", multiple=True, help=f"One of: {', '.join(METHODS)}; repeatable."
)
@click.option(
    "--draw",
    "folder",
    metavar="DIR",
    help="Also draw each program's primal and adjoint graph into DIR, as SVG.",
)
@click.option(
    "--times/--no-times",
    default=True,
    show_default=True,
    help="Measure times; without, all is the same anywhere.",
)
@format_option
@output_option
def compare(
    program: str | None,
    inputs: tuple[str, ...],
    every: bool,
    list_: bool,
    methods: tuple[str, ...],
    folder: str | None,
    times: bool,
    format_: str,
    output: str | None,
    limit: float,
) -> None:
    """Differentiate PROGRAM by every method; compare values, errors, cost and size.

    PROGRAM is one of the lectures' (--list), or a function of your own: FILE.py:FUNCTION.

    Without INPUTs the program's sample inputs are taken. They are numbers in order, or name=value;
    an array is written as a list, like "w=[0.5, -1]".
    """
    if list_:
        width = max(map(len, programs.names()))
        if format_ == "json":
            echo(to_json({p.name: p.summary for p in programs.all_programs()}))
        else:
            echo("\n".join(f"{p.name:<{width}}  {p.summary}" for p in programs.all_programs()))
        return
    if every == (program is not None):
        raise InputError("name one program, or give --all; `diffkit compare --list` lists them")
    chosen = (
        [(p, p.args) for p in programs.all_programs()] if every else [read_program(program or "", inputs)]
    )
    check_output(output, TABLE_ENDINGS)
    where = _folder(folder)
    results: list[Comparison] = []
    with progress(len(chosen) * (len(methods or METHODS) + 1), "comparing") as advance:
        for p, args in chosen:
            results.append(
                compare_methods(
                    p,
                    *args,
                    methods=methods or None,
                    times=times,
                    limit=limit,
                    progress=lambda step, name=p.name: advance(f"{name}: {step}", 1),  # type: ignore[misc]
                )
            )
            if where is not None:
                from diffkit.graphs import draw

                draw(p, *args, view="both").save(where / f"{p.name}.svg")
    show(results, format_, output)
    if where is not None:
        note(f"drew {len(chosen)} graphs into {where}")


def _folder(folder: str | None) -> Path | None:
    if folder is None:
        return None
    path = Path(folder)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"can't make the folder {folder!r}: {(error.strerror or str(error)).lower()}"
        ) from error
    return path
