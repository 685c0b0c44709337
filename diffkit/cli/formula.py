"""``diffkit formula``: a derivative as one formula in matrices, of a typed expression or of a program."""

from __future__ import annotations

import click

from diffkit.cli.inputs import ProgramCommand, inputs_argument
from diffkit.cli.named_function import is_user_file
from diffkit.cli.output import echo
from diffkit.cli.user_file import read_own
from diffkit.errors import InputError


@click.command(
    cls=ProgramCommand,
    epilog="""\b
Examples:
  diffkit formula "v.T @ (W @ y + b)" --by W
  diffkit formula "norm(y - X @ w)**2 / 2" --by w --source
  diffkit formula "logdet(S) + x.T @ inv(S) @ x" --by S --assume "symmetric S"
  diffkit formula mine.py:loss "X=[[1,2],[3,4]]" "w=[1,1]"
""",
)
@click.argument("expression", metavar="EXPRESSION|FILE.py:FUNCTION")
@inputs_argument
@click.option("--by", "names", multiple=True, metavar="NAME", help="What to differentiate by. [default: all]")
@click.option(
    "--scalar", "scalars", multiple=True, metavar="NAME", help="A name that is a number. Repeatable."
)
@click.option("--assume", multiple=True, metavar="'PROPERTY NAME'",
              help="symmetric, diagonal, orthogonal or positive_definite. Repeatable.")  # fmt: skip
@click.option("--layout", type=click.Choice(["gradient", "numerator"]), default="gradient", show_default=True)
@click.option("--latex", "as_latex", is_flag=True, help="LaTeX in place of text.")
@click.option("--source", "as_source", is_flag=True, help="NumPy source in place of the derivation.")
def formula(
    expression: str,
    inputs: tuple[str, ...],
    names: tuple[str, ...],
    scalars: tuple[str, ...],
    assume: tuple[str, ...],
    layout: str,
    as_latex: bool,
    as_source: bool,
) -> None:
    """The derivative of EXPRESSION, or of a function in a file, as one formula in matrices, with the steps.

    In an expression, capitals are matrices, other names columns; @ is the matrix product, * that of elements.
    """
    if is_user_file(expression):
        _of_program(expression, inputs, names, as_latex, as_source)
        return
    if inputs:
        raise InputError(f"expected one expression, in quotes; got {inputs[0]!r} after it")
    _of_text(expression, names, scalars, assume, layout, as_latex, as_source)


def _of_program(
    program: str, inputs: tuple[str, ...], names: tuple[str, ...], as_latex: bool, as_source: bool
) -> None:
    from diffkit.comparison.matrix_formula import formula as formula_of

    read, values = read_own(program, inputs)
    found = formula_of(read.function, *values)
    if names:
        unknown = [name for name in names if name not in found.derivatives]
        if unknown:
            raise InputError(
                f"{unknown[0]} is no input with a derivative; there are {', '.join(found.derivatives)}"
            )
        found.derivatives = {name: found.derivatives[name] for name in names}
    echo(found.source().rstrip() if as_source else found.latex() if as_latex else found.text())


def _of_text(
    expression: str,
    names: tuple[str, ...],
    scalars: tuple[str, ...],
    assume: tuple[str, ...],
    layout: str,
    as_latex: bool,
    as_source: bool,
) -> None:
    from sympy import And, Q

    from diffkit.symbolic.matrices.from_text import parse
    from diffkit.symbolic.matrices.source import inputs_of, source
    from diffkit.symbolic.matrices.steps import matrix_steps

    expr, symbols = parse(expression, scalars)
    facts = []
    for fact in assume:
        what, _, name = fact.partition(" ")
        if what not in ("symmetric", "diagonal", "orthogonal", "positive_definite") or name not in symbols:
            raise InputError(
                f"expected a property and a name, as in 'symmetric {next(iter(symbols))}', got {fact!r}"
            )
        facts.append(getattr(Q, what)(symbols[name]))
    unknown = [name for name in names if name not in symbols]
    if unknown:
        raise InputError(f"{unknown[0]} does not occur in {expression}; there are {', '.join(symbols)}")
    for count, name in enumerate(names or symbols):
        derivation = matrix_steps(expr, symbols[name], layout, And(*facts))
        if not derivation.check():
            raise InputError(f"the derivation by {name} does not hold at random matrices, and is not shown")
        if count:
            echo("")
        if as_source:
            echo(source([derivation.result], inputs_of(expr), f"d_{name}").rstrip())
        else:
            echo(derivation.latex() if as_latex else derivation.text())
