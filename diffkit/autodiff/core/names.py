"""Names for the rows of a trace: the user's own variables where the program names a value.

An input has its parameter's name. A row whose answer was given to a variable has the variable's
name, numbered where the variable was given several values, as in a loop (``l``, ``l_2``, ``l_3``).
All others are v1, v2, ... by their place among the operations. Adjoints are called after the value
that they belong to: ``x1_bar``.
"""

from __future__ import annotations

import itertools
import keyword
import re
import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING

from diffkit.autodiff.recording.tracer import INPUT, Node
from diffkit.sites import assigned_name, belongs_to_diffkit

if TYPE_CHECKING:
    from diffkit.autodiff.core.adjoint import AdjointTrace
    from diffkit.autodiff.core.trace import Trace

__all__ = ["identifier", "identifiers", "name_rows"]


def name_rows(t: Trace) -> list[str]:
    """A name for every row of a trace, all different.

    >>> from diffkit.autodiff.core.trace import trace
    >>> def f(x):
    ...     y = x * x
    ...     for _ in range(2):
    ...         y = y + 1.0
    ...     return 2.0 * y
    >>> trace(f)(3.0).names
    ['x', 'y', 'y_2', 'y_3', 'v4']
    """
    from diffkit.autodiff.core.adjoint import AdjointTrace

    wanted = _adjoint_names(t) if isinstance(t, AdjointTrace) else map(_primal_name, t.nodes)
    taken: dict[str, int] = {}  # each name, and the last number that was put behind it
    operations = itertools.count(1)
    names: list[str] = []
    for row, name in zip(t.nodes, wanted, strict=True):
        number = next(operations) if row.fun is not INPUT else 0
        names.append(_unused(name or f"v{number}", taken))
    return names


def _primal_name(row: Node) -> str | None:
    if row.fun is INPUT:
        return str(row.args[0])
    return None if belongs_to_diffkit(row.code) else assigned_name(row.code, row.at)


def _unused(name: str, taken: dict[str, int]) -> str:
    found = name
    while found in taken:
        taken[name] += 1
        found = f"{name}_{taken[name]}"
    taken[found] = 1
    return found


def _adjoint_names(t: AdjointTrace) -> list[str | None]:
    """A complete adjoint is x_bar; one contribution to it x_bar_part, some of them added up x_bar_sum.

    The steps of a VJP, such as the cos(x) of a sine, are operations like those of the program itself.
    """
    primal = t.primal.names
    names: list[str | None] = []
    complete: dict[int, int] = {}  # the rows that are a complete adjoint, and of what
    for index, adjoint in enumerate(t.adjoint_rows):
        if t.owns(adjoint):
            complete.setdefault(adjoint.index, index)
    parts = {c.value.index for c in t.contributions if t.owns(c.value)}
    for row, role in zip(t.nodes, t.roles, strict=True):
        if row.fun is INPUT:
            names.append(str(row.args[0]))
        elif role.kind == "primal":
            names.append(primal[role.primal])
        elif row.index in complete:
            names.append(f"{primal[complete[row.index]]}_bar")
        elif role.kind == "sum":
            names.append(f"{primal[role.primal]}_bar_sum")
        else:
            names.append(f"{primal[role.primal]}_bar_part" if row.index in parts else None)
    return names


# -- names in source --------------------------------------------------------------------------------------

_RESERVED = frozenset(
    [
        *keyword.kwlist,
        *keyword.softkwlist,
        *"abs bool complex dict float int len list math np slice tuple type".split(),
    ]
)
_LOOK_ALIKE = frozenset("lOI")
"""Letters that look like digits: linters refuse them as names on their own."""


def identifier(name: str) -> str:
    """A name that Python takes, in ASCII, for one that may be anything.

    Greek letters are spelled out, accents dropped, keywords followed by an underscore, and places in
    containers written with underscores.

    >>> [identifier(n) for n in ("x1", "λ", "p['w'][0]", "lambda", "l", "naïve", "Ω_bar", "±", "2x")]
    ['x1', 'lambda_', 'p_w_0', 'lambda_', 'l_1', 'naive', 'Omega_bar', 'v', 'v2x']
    """
    if name.isidentifier() and name.isascii() and name not in _RESERVED and name not in _LOOK_ALIKE:
        return name
    text = name if name.isascii() else "".join(map(_ascii, unicodedata.normalize("NFKD", name)))
    text = re.sub(r"\W+", "_", text, flags=re.ASCII)
    text = text.replace("__", "_") if text != name else text
    text = re.sub(r"_+$", "", text) if text != name else text
    text = text.lstrip("_") if text != name else text
    if not text:
        return "v"
    if text[0].isdigit():
        text = f"v{text}"
    if text in _LOOK_ALIKE:
        return f"{text}_1"
    return f"{text}_" if text in _RESERVED else text


def _ascii(letter: str) -> str:
    if letter.isascii():
        return letter
    words = unicodedata.name(letter, "").split()
    if words[:1] == ["GREEK"] and "LETTER" in words:
        spelled = words[words.index("LETTER") + 1].lower().replace("lamda", "lambda")
        return f"{spelled.capitalize() if letter.isupper() else spelled}_"
    return ""


def identifiers(names: Sequence[str]) -> tuple[list[str], set[str]]:
    """Identifiers for the names of a program's rows, all different; and the set of them.

    >>> identifiers(["l", "l_2", "x", "x", "λ_bar"])[0]
    ['l_1', 'l_2', 'x', 'x_2', 'lambda_bar']
    """
    taken: dict[str, int] = {}
    found = [_unused(identifier(name), taken) for name in names]
    return found, set(taken)
