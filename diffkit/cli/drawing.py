"""``diffkit draw``, ``step`` and ``source``: a program's trace as a picture, a page, a program."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from diffkit.cli.inputs import ProgramCommand, inputs_argument, program_argument, read_program
from diffkit.cli.output import check_output
from diffkit.errors import InputError
from diffkit.files import write_atomically

__all__ = ["draw", "source", "step"]

_TRACE_VIEWS = ("primal", "tangent", "adjoint", "both", "circuit")
_EXPRESSION_VIEWS = ("dag", "tree")


@click.command(
    cls=ProgramCommand,
    epilog="""\b
Examples:
  diffkit draw two_outputs --view both -o two_outputs.svg
  diffkit draw logistic_map 0.3 length=3 --view adjoint -o graph.tex
  diffkit draw logistic_map length=6 --group iteration -o loop.svg
  diffkit draw log_product --view tree -o tree.svg
  diffkit draw mine.py:f 1.5 2 --view both -o f.svg
  diffkit draw sum_times | dot -Tpdf > graph.pdf
""",
)
@program_argument
@inputs_argument
@click.option(
    "--view",
    type=click.Choice([*_TRACE_VIEWS, *_EXPRESSION_VIEWS]),
    default="primal",
    show_default=True,
    help="The program, its tangents, its adjoint program, both side by side, or each adjoint under its value "
    "(circuit); or its expression, as a shared graph (dag) or as a tree.",
)
@click.option("--direction", type=click.Choice(["right", "down"]), help="Where the drawing runs to.")
@click.option("--group", type=click.Choice(["call", "iteration"]), help="Boxes around calls or iterations.")
@click.option("--start", metavar="NAME", multiple=True, help="Draw only what this value reaches; repeatable.")
@click.option("--end", metavar="NAME", multiple=True, help="Draw only what reaches this value; repeatable.")
@click.option(
    "-o", "--output", metavar="FILE", help="FILE.svg, .png, .pdf, .dot, .mmd (Mermaid), .tex (TikZ) or .html."
)
def draw(
    program: str,
    inputs: tuple[str, ...],
    view: str,
    direction: str | None,
    group: str | None,
    start: tuple[str, ...],
    end: tuple[str, ...],
    output: str | None,
) -> None:
    """Draw the graph of PROGRAM at its sample inputs, or at INPUTs. Without -o, print the DOT text."""
    from diffkit.graphs import draw as draw_graph

    p, args = read_program(program, inputs)
    check_output(output, (".svg", ".png", ".pdf", ".dot", ".mmd", ".tex", ".html"))
    if view in _EXPRESSION_VIEWS:
        expression = p.expression
        if expression is None or isinstance(expression, tuple):
            reason = "has several outputs" if expression is not None else "has no expression of its own"
            raise InputError(f"{program} {reason}; draw its trace with --view primal")
        drawing = draw_graph(expression, view=view, direction=direction)
    else:
        drawing = draw_graph(
            p, *args, view=view, direction=direction, group=group, start=start or None, end=end or None
        )
    if output is None:
        click.echo(drawing.dot.rstrip("\n"))
    else:
        click.echo(f"wrote {drawing.save(output)}")


@click.command(
    cls=ProgramCommand,
    epilog="""\b
Examples:
  diffkit step two_outputs -o two_outputs.html
  diffkit step sum_times -2 5 -4 -o circuit.html
  diffkit step mine.py:f 1.5 2
""",
)
@program_argument
@inputs_argument
@click.option("-o", "--output", metavar="FILE", help="The page, FILE.html; PROGRAM.html by default.")
def step(program: str, inputs: tuple[str, ...], output: str | None) -> None:
    """Write a page that steps through PROGRAM: values forward, adjoints back."""
    from diffkit.graphs import stepper

    p, args = read_program(program, inputs)
    target = Path(output or f"{p.name}.html")
    if target.suffix != ".html":
        raise InputError(f"the page is an HTML file, FILE.html, not {str(target)!r}")
    click.echo(f"wrote {stepper(p, *args).save(target)}")


def _list_passes(context: click.Context, option: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        from diffkit.autodiff.code.passes import PASSES

        width = max(map(len, PASSES))
        for name, p in PASSES.items():
            click.echo(f"{name:<{width}}  {p.summary}" + (f". {p.changes}" if p.changes else ""))
        context.exit()


@click.command(
    cls=ProgramCommand,
    epilog="""\b
Examples:
  diffkit source two_outputs --adjoint
  diffkit source logistic_map length=3 --adjoint --passes constants,dead
  diffkit source mine.py:f 1.5 2
  diffkit source neuron_loss --adjoint -o gradient.py
""",
)
@program_argument
@inputs_argument
@click.option("--adjoint", is_flag=True, help="The joint program of the value and the gradient.")
@click.option("--passes", metavar="NAME,...", default="", help="Simplifying passes to apply, in order.")
@click.option(
    "--list-passes",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_list_passes,
    help="List the passes and exit.",
)
@click.option(
    "--table/--no-table", default=True, show_default=True, help="Print each line's value, beside it or below."
)
@click.option("-o", "--output", metavar="FILE", help="Write the program alone to FILE.py, ready to run.")
def source(
    program: str, inputs: tuple[str, ...], adjoint: bool, passes: str, table: bool, output: str | None
) -> None:
    """Print the trace of PROGRAM as Python source, with the value of each line."""
    from diffkit.autodiff.code.listing import source_listing
    from diffkit.autodiff.core.trace import trace

    check_output(output, (".py",))
    p, args = read_program(program, inputs)
    t = trace(p)(*args)
    if adjoint:
        t = t.adjoint(*t.unit_cotangents())
    names = [name.strip() for name in passes.split(",") if name.strip()]
    listing = source_listing(t, passes=names)
    if output is not None:
        click.echo(f"wrote {write_atomically(Path(output), str(listing.source))}")
        return
    if not table:
        click.echo(listing.text.rstrip("\n"))
    elif max(map(len, listing.beside.splitlines())) <= shutil.get_terminal_size().columns:
        click.echo(listing.beside)
    else:
        click.echo(f"{listing.text.rstrip()}\n\n{listing.table.text()}")
    if names:
        before, after = len(source_listing(t).table), len(listing.table)
        click.echo(f"\n{before} rows, after {', '.join(names)}: {after}")
