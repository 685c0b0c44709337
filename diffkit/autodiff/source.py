"""A trace as Python source: a program to read, and to run as it stands.

>>> from diffkit.autodiff.trace import trace
>>> def f(x1, x2):
...     a = x1 * x2
...     y = np.sin(a) + x2
...     return y
>>> print(trace(f)(2.0, 3.0).adjoint().source(), end="")
import math
<BLANKLINE>
<BLANKLINE>
def f_adjoint(x1, x2, y_bar=1.0):
    \"\"\"The value and the gradient of f, as traced at x1 = 2, x2 = 3.\"\"\"
    # the program itself
    a = x1 * x2  # kept for the reverse sweep
    v2 = math.sin(a)
    y = v2 + x2
    # the reverse sweep
    v4 = math.cos(a)
    a_bar = y_bar * v4
    x1_bar = a_bar * x2
    x2_bar_part = a_bar * x1
    x2_bar = y_bar + x2_bar_part
    return y, (x1_bar, x2_bar)

There is one statement for each row of the trace. It computes what the trace computed, to the bit: on
Python floats the trace uses the ``math`` module, so the source does. A branch that the program took
becomes an ``assert``, for on another path the source would not be that program. Values that can't be
written out (a long array, a function without a name) are bound by name; :attr:`Source.bindings` has them,
and a text that is run without them says which it needs.

**Length.** A text is as long as its program, and no shorter than its rows: there is no limit at which it
is cut. A statement takes a name or at most 80 characters for each of its row's arguments, a branch two
lines; of the constants, each array is written once if it has at most a thousand elements, and else bound.
So the length is proportional to the number of rows and arguments, and to the constants (but for the digits
of the names: a row of a chain takes 24 characters in a program of a thousand rows, 28 in one of a hundred
thousand), and so is the time that the text takes to write.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections import OrderedDict, defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from diffkit.autodiff.expressions import Writer
from diffkit.autodiff.literals import literal
from diffkit.autodiff.naming import identifier, identifiers
from diffkit.autodiff.passes import apply_passes
from diffkit.autodiff.program import Guard, Program, Row, program_of
from diffkit.autodiff.trace import Trace
from diffkit.autodiff.tracer import INPUT
from diffkit.containers import Structure, describe, paths

__all__ = ["Source", "source_of", "trace_source"]

WIDTH = 84
"""Characters in a statement; with its indentation, a line has at most 88."""
_INDENT = "    "


class Source(str):
    """The text of a program, which knows what it is not able to write out.

    Attributes:
        name: the name of the function that it defines.
        bindings: values by the names that the text has for them: run it with these as globals.
        lines: for each row of the program, by ``id``, the number of its line and the name it has there.
        program: the program whose text it is.
    """

    __slots__ = ("bindings", "lines", "name", "program")
    name: str
    bindings: dict[str, Any]
    lines: dict[int, tuple[int, str]]
    program: Program

    def function(self) -> Any:
        """The function that the text defines, ready to be called.

        >>> from diffkit.autodiff.trace import trace
        >>> trace(lambda x: x * x)(3.0).source().function()(5.0)
        25.0
        """
        scope: dict[str, Any] = dict(self.bindings)
        exec(compile(str(self), f"<source of {self.name}>", "exec"), scope)
        return scope[self.name]


def trace_source(t: Trace, name: str | None = None, passes: Sequence[str] = ()) -> Source:
    """The source of a trace; of an adjoint program, that of the value and the gradient.

    Args:
        t: the trace.
        name: what to call the function; by default, the traced function's name.
        passes: names of passes (see :mod:`diffkit.autodiff.passes`), applied in this order.

    Raises:
        InputError: for a pass that does not exist.

    >>> from diffkit.autodiff.trace import trace
    >>> print(trace(lambda x: np.sum(np.exp(x)))(np.array([0.0, 1.0])).source("total"))
    import numpy as np
    <BLANKLINE>
    <BLANKLINE>
    def total(x):
        \"\"\"What <lambda> computes, as traced at x = array (2,).\"\"\"
        v1 = np.exp(x)
        v2 = np.sum(v1)
        return v2
    """
    return source_of(apply_passes(program_of(t), passes), t, name)


def source_of(program: Program, t: Trace, name: str | None = None) -> Source:
    """The text of a program that was made of the trace ``t``."""
    function = identifier(
        name or ("f" + program.name[8:] if program.name[:8] == "<lambda>" else program.name)
    )
    parameters = _Parameters(program, t)
    found, taken = identifiers([*parameters.roots, *(r.name for r in program.rows if r.fun is not INPUT)])
    names = dict(
        zip((id(r) for r in program.rows if r.fun is not INPUT), found[len(parameters.roots) :], strict=True)
    )
    nested = parameters.name_inputs(found, taken, names)
    taken |= {"np", "math", "namedtuple", "_missing", function}
    writer = Writer(names, taken, program.inline)
    unpacked = [f"{name} = {root}{_way(steps, writer)}" for name, root, steps in nested]
    body, placed = _body(program, writer)
    returned = f"return {_nested(program.structure, program.outputs, writer)}"
    body = [*unpacked, *body, *_wrapped(returned)]

    signature = parameters.signature(found, names, writer)
    constants, comments = _constants(writer)
    bindings = {
        k: v for k, v in writer.bound.items() if k not in writer.imports and k not in _written(constants)
    }
    text = "\n".join([*constants, signature, *body])
    head: list[str] = []
    if re.search(r"\bmath\.", text):
        head.append("import math")
    if re.search(r"\bnamedtuple\(", text):
        head.append("from collections import namedtuple")
    third_party = ["import numpy as np"] if re.search(r"\bnp\.", text) else []
    third_party += sorted(writer.imports.values())
    head += ([""] if head and third_party else []) + third_party
    if comments or constants:
        head += ([""] if head else []) + comments + _demanded(list(bindings)) + constants
    head += ["", ""] if head else []
    head.append(f"def {function}({signature}):")
    head += _docstring(program.summary)
    made = Source("\n".join([*head, *(_INDENT + line for line in body), ""]))
    made.name = function
    made.bindings = bindings
    above = "\n".join(head).count("\n") + 1 + len(unpacked)
    made.lines = {row: (above + line, names[row]) for row, line in placed.items()}
    made.program = program
    return made


# -- parameters -------------------------------------------------------------------------------------------

_Steps = tuple[tuple[type, int, Any], ...]
"""The way to a leaf of a nested argument: at each step the container, the position and the key."""


def _steps(structure: Structure) -> list[_Steps]:
    """The way to each leaf."""
    if structure.container is None:
        return [()]
    return [
        ((structure.container, k, key), *further)
        for k, (key, child) in enumerate(zip(structure.keys, structure.children, strict=True))
        for further in _steps(child)
    ]


def _way(steps: _Steps, writer: Writer) -> str:
    """The text that goes there. A key is written as a literal or bound by name: its repr is anyone's."""
    return "".join(
        f"[{writer.constant(key)}]"
        if issubclass(container, dict)
        else f".{key}"
        if hasattr(container, "_make") and identifier(key) == key
        else f"[{k}]"
        for container, k, key in steps
    )


class _Parameters:
    """The function's parameters: one per argument that was traced, then the cotangents."""

    def __init__(self, program: Program, t: Trace) -> None:
        from diffkit.autodiff.adjoint import AdjointTrace

        primal = t.primal if isinstance(t, AdjointTrace) else t
        self.inputs: list[list[tuple[Row, _Steps]]] = []  # per parameter: its leaves, and the way to each
        self.roots: list[str] = []
        rows = iter(program.inputs)
        arguments = iter(primal._arguments)
        for child in primal.in_structure.children:
            ways = zip(_steps(child), paths(child, ""), strict=True)
            leaves = [(next(rows), *way) for way in ways if primal.owns(next(arguments))]
            if leaves:
                row, _, called = leaves[0]
                self.roots.append(row.name.removesuffix(called))
                self.inputs.append([(row, steps) for row, steps, _ in leaves])
        self.seeds = [s for s in rows if s in program.seeds]
        self.roots += [s.name for s in self.seeds]

    def name_inputs(
        self, found: list[str], taken: set[str], names: dict[int, str]
    ) -> list[tuple[str, str, _Steps]]:
        """Names for the inputs' rows; for those in nested arguments also which argument, and the way."""
        nested = []
        alone: list[list[tuple[Row, _Steps]]] = [[(s, ())] for s in self.seeds]
        for root, leaves in zip(found, [*self.inputs, *alone], strict=False):
            for row, steps in leaves:
                if not steps:
                    names[id(row)] = root
                    continue
                plain = base = identifier(row.name)
                number = 1
                while plain in taken:
                    number += 1
                    plain = f"{base}_{number}"
                taken.add(plain)
                names[id(row)] = plain
                nested.append((plain, root, steps))
        return nested

    def signature(self, found: list[str], names: dict[int, str], writer: Writer) -> str:
        """The parameters as text; a cotangent has the one that was traced for a default."""
        given = found[: len(self.inputs)]
        for seed in self.seeds:
            value = seed.value
            plain = float(value) if type(value) is np.float64 else value
            default = literal(plain) if type(plain) in (float, complex) else writer.bind("K", value)
            given.append(f"{names[id(seed)]}={default}")
        text = ", ".join(given)
        if len(text) <= WIDTH - 30:
            return text
        inner = textwrap.wrap(text + ",", WIDTH - 4, break_long_words=False, break_on_hyphens=False)
        return "\n" + "\n".join(_INDENT + line for line in inner) + "\n"


# -- statements -------------------------------------------------------------------------------------------


def _body(program: Program, writer: Writer) -> tuple[list[str], dict[int, int]]:
    """The statements of the rows, and at which of them each row stands, by ``id``."""
    lines: list[str] = []
    placed: dict[int, int] = {}
    uses = program.uses()
    guards: dict[int, list[Guard]] = {}
    for guard in program.guards:
        guards.setdefault(id(guard.row), []).append(guard)
    for guard in (g for r in program.inputs for g in guards.get(id(r), ())):
        lines += _assertion(guard, writer)
    sections = any(r.reverse for r in program.rows)
    section: bool | None = None
    for row in program.rows:
        if row.fun is INPUT or id(row) in writer.inline:
            continue
        if sections and row.reverse is not section:
            section = row.reverse
            lines.append("# the reverse sweep" if section else "# the program itself")
        name = writer.names[id(row)]
        text, _ = writer.expression(row)
        comment = "kept for the reverse sweep" if id(row) in program.kept and not row.reverse else ""
        if not uses.get(id(row)):
            comment = "noqa: F841 (nothing uses it)"
        placed[id(row)] = len(lines) + 1
        statement = f"{name} = {text}"
        if comment and len(statement) + len(comment) + 4 <= WIDTH:
            lines.append(f"{statement}  # {comment}")
        else:
            unused = "noqa" in comment
            lines += [f"# {comment}"] if comment and not unused else []
            first, *rest = _wrapped(statement)
            lines += [f"{first}  # noqa: F841" if unused else first, *rest]
        for guard in guards.get(id(row), ()):
            lines += _assertion(guard, writer)
    return lines, placed


def _assertion(guard: Guard, writer: Writer) -> list[str]:
    """What must hold for the program to be that of the traced path."""
    name = writer.operand(guard.row)
    if isinstance(guard.value, bool | np.bool_):
        condition = name if guard.value else f"not {writer.operand(guard.row, 5)}"
    elif not isinstance(guard.value, int | np.integer):
        condition = f"np.array_equal({name}, {writer.constant(guard.value)})"
    else:
        condition = f"{name} == {int(guard.value)}"
    what = "another branch" if guard.kind != "index" else "another index"
    site = guard.site if guard.site.isascii() else guard.site.encode("ascii", "replace").decode()
    message = literal(f"{what} is taken here: {site}") or ""
    line = f"assert {condition}, {message}"
    return [line] if len(line) <= WIDTH else [f"assert {condition}, (", f"{_INDENT}{_cut(message)}", ")"]


def _cut(message: str) -> str:
    return message if len(message) < WIDTH - 8 else f"{message[: WIDTH - 13]}...{message[0]}"


def _wrapped(statement: str) -> list[str]:
    """A statement on one line, or on several between its last brackets, or between some of its own."""
    if len(statement) <= WIDTH or "'" in statement or '"' in statement:
        return [statement]
    head, text = re.fullmatch(r"(\w+ = |return )(.*)", statement, re.DOTALL).groups()  # type: ignore[union-attr]
    opening = re.search(r"[(\[{]", text)
    if opening and _closes(text[opening.start() :]):
        return [head + text[: opening.end()], *_filled(text[opening.end() : -1]), text[-1]]
    return [f"{head}(", *_filled(text), ")"]


def _closes(text: str) -> bool:
    """Whether the bracket that opens the text is closed by its last character."""
    depth = 0
    for k, character in enumerate(text):
        depth += (character in "([{") - (character in ")]}")
        if depth == 0:
            return k == len(text) - 1
    return False


def _filled(text: str) -> list[str]:
    return [
        _INDENT + line
        for line in textwrap.wrap(text, WIDTH - 4, break_long_words=False, break_on_hyphens=False)
    ]


def _nested(structure: Structure, leaves: Sequence[Any], writer: Writer) -> str:
    """The text of what is returned: the outputs, nested as the function nested them."""
    texts = iter([writer.operand(leaf) for leaf in leaves])

    def container(kind: type) -> str:
        if kind in (OrderedDict, defaultdict):
            return writer.imported("collections", kind.__name__, kind)
        return writer.bind(identifier(kind.__name__), kind)

    def factory(part: Structure) -> str:
        return f"{writer.constant(part.factory)}, " if issubclass(part.container or dict, defaultdict) else ""

    def text(part: Structure, outermost: bool = False) -> str:
        if part.container is None:
            return next(texts)
        inner = [text(child) for child in part.children]
        if issubclass(part.container, dict):
            made = (
                "{"
                + ", ".join(
                    f"{literal(k) or writer.constant(k)}: {t}" for k, t in zip(part.keys, inner, strict=True)
                )
                + "}"
            )
            return made if part.container is dict else f"{container(part.container)}({factory(part)}{made})"
        if hasattr(part.container, "_make"):
            return f"{container(part.container)}({', '.join(inner)})"
        if issubclass(part.container, list):
            return f"[{', '.join(inner)}]"
        if outermost and len(inner) > 1:
            return ", ".join(inner)
        return f"({', '.join(inner)},)" if len(inner) == 1 else f"({', '.join(inner)})"

    whole = text(structure, outermost=True)
    return whole if len(whole) <= WIDTH - 7 or whole[-1] in "]}" else f"({whole})"


# -- around the function ----------------------------------------------------------------------------------


def _constants(writer: Writer) -> tuple[list[str], list[str]]:
    """The values that the rows refer to by name: those that can be written out, and words on the others."""
    statements, comments = [], []
    for name, value in writer.bound.items():
        if name in writer.imports:
            continue
        text = literal(value) if not callable(value) else _named_tuple(value)
        if text is not None:
            statements += _wrapped(f"{name} = {text}")
        else:
            what = "a function" if callable(value) else describe(value)
            comments.append(_one_line(f"# {name}: {what}, not written out here; .bindings have it."))
    return statements, comments


_MISSING = (
    "f\"this text does not write out {', '.join(_missing)}: define what is missing\"",
    '" before it runs, as exec(source, dict(source.bindings)) does, or call"',
    '" source.function()"',
)


def _demanded(names: list[str]) -> list[str]:
    """The statement that says which of the values that are not written out are missing."""
    if not names:
        return []
    listed = ", ".join(f'"{name}"' for name in names)
    opening, closing = "if _missing := [name for name in [", "] if name not in globals()]:"
    whole = opening + listed + closing
    return [
        *([whole] if len(whole) <= WIDTH else [opening, *_filled(listed), closing]),
        f"{_INDENT}raise NameError(",
        *[_INDENT * 2 + line for line in _MISSING],
        f"{_INDENT})",
    ]


def _named_tuple(value: Any) -> str | None:
    """A class of named tuples that no module has, made anew."""
    if isinstance(value, type) and issubclass(value, tuple) and hasattr(value, "_fields"):
        rename = ", rename=True" if any(field[0] == "_" for field in value._fields) else ""
        return f'namedtuple("{identifier(value.__name__)}", {json.dumps(list(value._fields))}{rename})'
    return None


def _written(constants: list[str]) -> set[str]:
    return {line.split(" = ")[0] for line in constants if re.match(r"\w+ = ", line)}


def _docstring(summary: str) -> list[str]:
    text = _one_line(summary).replace('"', "'")
    lines = [line.replace("\\", "\\\\") for line in textwrap.wrap(text, WIDTH - 10)]
    if len(lines) == 1:
        return [f'{_INDENT}"""{lines[0]}"""']
    return [f'{_INDENT}"""{lines[0]}', *(_INDENT + line for line in lines[1:]), f'{_INDENT}"""']


def _one_line(text: str) -> str:
    """Text without what could end a comment, or hide in one."""
    return "".join(c if c.isprintable() else " " for c in text)
