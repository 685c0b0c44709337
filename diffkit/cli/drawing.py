"""``diffkit draw``, ``step`` and ``source``: a program's trace as a picture, a page, a program."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from diffkit.cli.inputs import ProgramCommand, checked, inputs_argument, program_argument, read_program
from diffkit.cli.output import check_output, echo, json_option, terminal_width, wrote
from diffkit.errors import InputError
from diffkit.files import write_atomically
from diffkit.tables import to_json

if TYPE_CHECKING:
    from diffkit.graphs import Drawing
    from diffkit.programs import Program

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
@json_option
def draw(
    program: str,
    inputs: tuple[str, ...],
    view: str,
    direction: str | None,
    group: str | None,
    start: tuple[str, ...],
    end: tuple[str, ...],
    output: str | None,
    as_json: bool,
) -> None:
    """Draw the graph of PROGRAM at its sample inputs, or at INPUTs. Without -o, print the DOT text."""
    p, args = read_program(program, inputs)
    check_output(output, (".svg", ".png", ".pdf", ".dot", ".mmd", ".tex", ".html"))
    with checked(p, args):
        _draw(program, p, args, view, direction, group, start, end, output, as_json)


def _draw(
    program: str,
    p: Program,
    args: tuple[Any, ...],
    view: str,
    direction: str | None,
    group: str | None,
    start: tuple[str, ...],
    end: tuple[str, ...],
    output: str | None,
    as_json: bool,
) -> None:
    from diffkit.graphs import draw as draw_graph

    if view in _EXPRESSION_VIEWS:
        expression = p.expression
        if expression is None:
            from diffkit.autodiff.views import trace

            expression = trace(p)(*args).to_sympy()
        if isinstance(expression, tuple | list) or np.shape(expression):
            raise InputError(f"{program} has several outputs; draw its trace with --view primal")
        drawing = draw_graph(expression, view=view, direction=direction)
    else:
        drawing = draw_graph(
            p, *args, view=view, direction=direction, group=group, start=start or None, end=end or None
        )
    if output is not None:
        wrote(drawing.save(output), as_json)
    elif as_json:
        echo(to_json(_as_data(drawing)))
    else:
        echo(drawing.dot.rstrip("\n"))


def _as_data(drawing: Drawing) -> dict[str, Any]:
    """The graph as nodes and edges with their lines of text."""
    graph = drawing.graph
    return {
        "title": graph.title,
        "view": graph.view,
        "nodes": [
            {"id": n.id, "kind": n.kind, "part": n.part, "text": [x.text for x in n.labels]}
            for n in graph.nodes
        ],
        "edges": [
            {"from": e.tail, "to": e.head, "kind": e.kind, "text": [x.text for x in e.labels]}
            for e in graph.edges
        ],
    }


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
@json_option
def step(program: str, inputs: tuple[str, ...], output: str | None, as_json: bool) -> None:
    """Write a page that steps through PROGRAM: values forward, adjoints back."""
    from diffkit.graphs import stepper

    p, args = read_program(program, inputs)
    target = Path(output or f"{p.name}.html")
    if target.suffix != ".html":
        raise InputError(f"the page is an HTML file, FILE.html, not {str(target)!r}")
    with checked(p, args):
        wrote(stepper(p, *args).save(target), as_json)


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
@json_option
def source(
    program: str,
    inputs: tuple[str, ...],
    adjoint: bool,
    passes: str,
    table: bool,
    output: str | None,
    as_json: bool,
) -> None:
    """Print the trace of PROGRAM as Python source, with the value of each line."""
    from diffkit.autodiff.code.listing import source_listing
    from diffkit.autodiff.views import trace

    check_output(output, (".py",))
    p, args = read_program(program, inputs)
    names = [name.strip() for name in passes.split(",") if name.strip()]
    with checked(p, args):
        t = trace(p)(*args)
        if adjoint:
            t = t.adjoint(*t.unit_cotangents())
        listing = source_listing(t, passes=names)
    if output is not None:
        wrote(write_atomically(Path(output), str(listing.source)), as_json)
        return
    if as_json:
        echo(to_json({"source": str(listing.source), "rows": listing.table.records()}))
    elif not table:
        echo(listing.text.rstrip("\n"))
    elif max(map(len, listing.beside.splitlines())) <= terminal_width():
        echo(listing.beside)
    else:
        echo(f"{listing.text.rstrip()}\n\n{listing.table.text(terminal_width())}")
    if names and not as_json:
        before, after = len(source_listing(t).table), len(listing.table)
        echo(f"\n{before} rows, after {', '.join(names)}: {after}")
