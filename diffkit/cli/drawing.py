"""``diffkit draw``, ``step``, ``explore``, ``source``: a program's trace as a picture, a page, a program."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click
import numpy as np
from click.core import ParameterSource

from diffkit.cli.inputs import (
    LimitingCommand,
    ProgramCommand,
    checked,
    inputs_argument,
    program_argument,
    read_program,
)
from diffkit.cli.numbers import read_value
from diffkit.cli.output import check_output, echo, json_option, terminal_width, wrote
from diffkit.errors import InputError, NoRuleError, TraceError, how_to_get
from diffkit.files import write_atomically
from diffkit.tables import to_json
from diffkit.time_limit import within

if TYPE_CHECKING:
    from diffkit.autodiff.views import Trace
    from diffkit.graphs import Drawing, Stepper
    from diffkit.programs import Program

_TRACE_VIEWS = ("primal", "tangent", "adjoint", "both", "circuit")
_EXPRESSION_VIEWS = ("dag", "tree")


_seed_option = click.option(
    "--seed",
    metavar="NUMBER",
    multiple=True,
    help="An output's seed, one option per output: --seed 1 --seed 0 is the gradient of the first. Ones by "
    "default: the gradient of their sum.",
)
_tangent_option = click.option(
    "--tangent",
    metavar="NUMBER",
    multiple=True,
    help="How fast an input moves, one option per input. By default the first input moves, by 1.",
)
_digits_option = click.option(
    "--digits", type=click.IntRange(1, 17), help="Digits of numbers; by default four, and more where needed."
)


def _given(texts: tuple[str, ...], like: tuple[Any, ...], what: str) -> tuple[Any, ...] | None:
    """Seeds or tangents as they were given, one per output or input, of its shape; None for none given."""
    if not texts:
        return None
    if len(texts) != len(like):
        raise InputError(f"one {what} is given for each of {len(like)}, but there are {len(texts)}: {texts}")
    values = [read_value(text, what) for text in texts]
    return tuple(
        np.asarray(value, float) if np.ndim(of) else value for value, of in zip(values, like, strict=True)
    )


@click.command(
    cls=ProgramCommand,
    epilog="""\b
Examples:
  diffkit draw two_outputs --view both -o two_outputs.svg
  diffkit draw two_outputs --view both --seed 1 --seed 0 -o first_row.svg
  diffkit draw logistic_map 0.3 length=3 --view adjoint -o graph.tex
  diffkit draw logistic_map length=6 --group iteration -o loop.svg
  diffkit draw log_product --view tree -o tree.svg
  diffkit draw helmholtz --slide -o slide.svg
  diffkit draw two_outputs --view both --slide --frames -o steps.pdf
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
@_seed_option
@_tangent_option
@_digits_option
@click.option(
    "--local/--no-local", default=True, show_default=True, help="Local derivatives on the program's arrows."
)
@click.option("--slide", is_flag=True, help="For a slide of 16 to 9: long programs wrapped, the type large.")
@click.option(
    "--frames", is_flag=True, help="The build-up, with -o: a page of FILE.pdf or one FILE-NN.svg a step."
)
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
    seed: tuple[str, ...],
    tangent: tuple[str, ...],
    digits: int | None,
    local: bool,
    slide: bool,
    frames: bool,
    output: str | None,
    as_json: bool,
) -> None:
    """Draw the graph of PROGRAM at its sample inputs, or at INPUTs. Without -o, print the DOT text."""
    p, args = read_program(program, inputs)
    check_output(output, (".svg", ".png", ".pdf", ".dot", ".mmd", ".tex", ".html"))
    if frames and output is None:
        raise InputError("the frames of a build-up are files: name them with -o FILE.pdf or -o FILE.svg")
    size = "slide" if slide else "page"
    failed = _as_far_as_it_runs(p, args)
    with contextlib.nullcontext() if failed else checked(p, args):
        if view in _EXPRESSION_VIEWS and failed is None:
            drawing = _drawn_expression(p, args, view, direction, size)
        else:
            from diffkit.autodiff.views import trace
            from diffkit.graphs import draw as draw_graph

            view = "primal" if view in _EXPRESSION_VIEWS else view
            t = failed or trace(p)(*args)
            drawing = draw_graph(
                t,
                view=view,
                direction=direction,
                group=group,
                start=start or None,
                end=end or None,
                cotangents=None if failed else _given(seed, tuple(t.outputs), "seed"),
                tangents=_given(tangent, args, "tangent"),
                digits=digits,
                local_derivatives=local,
                size=size,
            )
        if output is not None:
            wrote(drawing.save(output, frames=frames), as_json)
        elif as_json:
            echo(to_json(_as_data(drawing)))
        else:
            echo(drawing.dot.rstrip("\n"))
    if failed is not None:
        _end_as_it_did(failed, p, args)


def _as_far_as_it_runs(p: Program, args: tuple[Any, ...]) -> Trace | None:
    """The trace up to the operation that fails; None if none does, or if that is for want of a rule."""
    from diffkit.autodiff.views import trace

    with np.errstate(all="ignore"):
        t = trace(p, partial=True)(*args)
    failed = t.failure is not None and not isinstance(t.failure.error, TraceError | NoRuleError)
    return t if failed else None


def _end_as_it_did(failed: Trace, p: Program, args: tuple[Any, ...]) -> NoReturn:
    """Raises what the program raised; if that is arithmetic, with what there is to say of the point."""
    assert failed.failure is not None
    error = failed.failure.error
    with checked(p, args) if isinstance(error, ArithmeticError) else contextlib.nullcontext():
        raise error


def _drawn_expression(
    p: Program, args: tuple[Any, ...], view: str, direction: str | None, size: str
) -> Drawing:
    from diffkit.graphs import draw as draw_graph

    expression = p.expression
    if expression is None:
        from diffkit.autodiff.views import trace

        expression = trace(p)(*args).to_sympy()
    return draw_graph(expression, view=view, direction=direction, size=size)


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
  diffkit step two_outputs --seed 1 --seed 0 -o first_row.html
  diffkit step two_outputs --mode forward --tangent 0 --tangent 1
  diffkit step mine.py:f 1.5 2
""",
)
@program_argument
@inputs_argument
@click.option(
    "--mode",
    type=click.Choice(["reverse", "forward"]),
    default="reverse",
    show_default=True,
    help="The pass.",
)
@_seed_option
@_tangent_option
@click.option("-o", "--output", metavar="FILE", help="The page, FILE.html; PROGRAM.html by default.")
@json_option
def step(
    program: str,
    inputs: tuple[str, ...],
    mode: str,
    seed: tuple[str, ...],
    tangent: tuple[str, ...],
    output: str | None,
    as_json: bool,
) -> None:
    """Write a page that steps through PROGRAM: values forward, adjoints back."""
    from diffkit.graphs import Stepper

    def page_of(_: Program, t: Trace, **given: Any) -> Stepper:
        return Stepper(t, mode, **given)

    _write_page(page_of, program, inputs, seed, tangent, output, as_json)


@click.command(
    cls=LimitingCommand,
    epilog="""\b
Examples:
  diffkit explore                              an editor for any NumPy function, and its live page
  diffkit explore mine.py:f 1.5 2              the same, beginning with a function of your own
  diffkit explore two_outputs -o page.html     the page alone, as a file
  diffkit explore --gallery pages              the pages of all programs, with pictures
""",
)
@click.argument("program", metavar="[PROGRAM]", required=False)
@inputs_argument
@_seed_option
@_tangent_option
@click.option("-o", "--output", metavar="FILE", help="Write the page to FILE.html, and serve nothing.")
@click.option("--gallery", metavar="FOLDER", help="Write the pages of all the lectures' programs there.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="Serve there. [default: any that is free]"
)
@click.option("--browser/--no-browser", default=True, show_default=True, help="Open the page.")
@json_option
def explore(
    program: str | None,
    inputs: tuple[str, ...],
    seed: tuple[str, ...],
    tangent: tuple[str, ...],
    output: str | None,
    gallery: str | None,
    port: int,
    browser: bool,
    as_json: bool,
    limit: float,
) -> None:
    """Move PROGRAM's inputs, in a page where values, both sweeps and all methods follow; or type your own.

    The page is served to this machine alone, with an editor, until Ctrl-C; what is typed there runs here.
    """
    if gallery is not None:
        from diffkit.graphs.page.gallery import gallery as write_gallery

        if program or output:
            raise InputError("--gallery writes the pages of all programs: give no program and no --output")
        write_gallery(gallery)
        wrote(Path(gallery) / "index.html", as_json)
    elif output is not None or as_json or seed or tangent:
        from diffkit.graphs import Explorer

        if program is None:
            raise InputError("which program's page? diffkit explore two_outputs -o two_outputs.html")
        name = program  # for the checker: it is known here
        what = "diffkit explore"

        def page_of(p: Program, t: Trace, **given: Any) -> Stepper:
            return Explorer(t, program=p, **given)

        within(limit, lambda: _write_page(page_of, name, inputs, seed, tangent, output, as_json), what)
    else:
        default = click.get_current_context().get_parameter_source("limit") is ParameterSource.DEFAULT
        _serve(program, inputs, port, browser, 10.0 if default else limit)


def _serve(program: str | None, inputs: tuple[str, ...], port: int, browser: bool, limit: float) -> None:
    """Serves the editor until Ctrl-C."""
    import asyncio
    import webbrowser

    try:
        from diffkit.cli.editor.server import Editor, serve
        from diffkit.cli.editor.text import BEGINNING, text_of
    except ImportError:
        raise InputError(
            f"serving the editor needs Tornado: {how_to_get('serve')}; "
            "or write the page alone with -o page.html"
        ) from None
    name, (source, given) = "", BEGINNING
    if program is not None:
        p, args = read_program(program, inputs)
        name, (source, given) = p.name, text_of(p, args)

    def ready(address: str) -> None:
        echo(f"{address}\nThis address is yours alone. Ctrl-C ends it.")
        if browser:
            webbrowser.open(address)

    with contextlib.suppress(KeyboardInterrupt):
        try:
            asyncio.run(serve(Editor(source, given, name, limit), port, ready))
        except OSError as error:
            raise InputError(f"port {port} can't be served: {error.strerror}") from None


def _write_page(
    page_of: Callable[..., Stepper],
    program: str,
    inputs: tuple[str, ...],
    seed: tuple[str, ...],
    tangent: tuple[str, ...],
    output: str | None,
    as_json: bool,
) -> None:
    from diffkit.autodiff.views import trace

    p, args = read_program(program, inputs)
    target = Path(output or f"{p.name}.html")
    if target.suffix != ".html":
        raise InputError(f"the page is an HTML file, FILE.html, not {str(target)!r}")
    with checked(p, args) as notes:
        t = trace(p)(*args)
        seeds = _given(seed, tuple(t.outputs), "seed")
        page = page_of(p, t, cotangents=seeds, tangents=_given(tangent, args, "tangent"), notes=notes)
        wrote(page.save(target), as_json)


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
    failed = _as_far_as_it_runs(p, args)
    if failed is not None:
        shown = failed.primal_table()
        echo(shown.json() if as_json else shown.text(terminal_width()))
        _end_as_it_did(failed, p, args)
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
