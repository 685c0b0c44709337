"""A trace as Python source: a program to read, and to run as it stands.

>>> from diffkit.autodiff.views import trace
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
from collections import OrderedDict, defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from diffkit.autodiff.code.identifiers import identifier, identifiers
from diffkit.autodiff.code.in_place import assignment, overwriting
from diffkit.autodiff.code.lines import INDENT, WIDTH, docstring, filled, one_line, wrapped
from diffkit.autodiff.code.literals import literal
from diffkit.autodiff.code.passes import apply_passes
from diffkit.autodiff.code.program import CodeProgram, Guard, program_of
from diffkit.autodiff.code.row_expressions import Writer
from diffkit.autodiff.code.signature import Parameters, way_to
from diffkit.autodiff.core.trace import WengertList
from diffkit.autodiff.recording.tracer import INPUT, InPlace
from diffkit.containers import Structure, describe


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
    program: CodeProgram

    def function(self) -> Any:
        """The function that the text defines, ready to be called.

        >>> from diffkit.autodiff.views import trace
        >>> trace(lambda x: x * x)(3.0).source().function()(5.0)
        25.0
        """
        scope: dict[str, Any] = dict(self.bindings)
        exec(compile(str(self), f"<source of {self.name}>", "exec"), scope)
        return scope[self.name]


def trace_source(t: WengertList, name: str | None = None, passes: Sequence[str] = ()) -> Source:
    """The source of a trace; of an adjoint program, that of the value and the gradient.

    Args:
        t: the trace.
        name: what to call the function; by default, the traced function's name.
        passes: names of passes (see :mod:`diffkit.autodiff.code.passes`), applied in this order.

    Raises:
        InputError: for a pass that does not exist.

    >>> from diffkit.autodiff.views import trace
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


def source_of(program: CodeProgram, t: WengertList, name: str | None = None) -> Source:
    """The text of a program that was made of the trace ``t``."""
    function = identifier(
        name or ("f" + program.name[8:] if program.name[:8] == "<lambda>" else program.name)
    )
    parameters = Parameters(program, t)
    found, taken = identifiers([*parameters.roots, *(r.name for r in program.rows if r.fun is not INPUT)])
    names = dict(
        zip((id(r) for r in program.rows if r.fun is not INPUT), found[len(parameters.roots) :], strict=True)
    )
    nested = parameters.name_inputs(found, taken, names)
    taken |= {"np", "math", "namedtuple", "_missing", function}
    writer = Writer(names, taken, program.inline)
    unpacked = [f"{name} = {root}{way_to(steps, writer)}" for name, root, steps in nested]
    body, placed = _body(program, writer)
    returned = f"return {_nested(program.structure, program.outputs, writer)}"
    body = [*unpacked, *body, *wrapped(returned)]

    signature = parameters.signature(found, names, writer)
    constants, comments = _constants(writer)
    bindings = {
        k: v
        for k, v in writer.bound.items()
        if k not in writer.imports and k not in writer.definitions and k not in _written(constants)
    }
    text = "\n".join([*constants, *writer.definitions.values(), signature, *body])
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
    for helper in writer.definitions.values():
        head += [*([""] * 2 if head else []), *helper.splitlines()]
    head += ["", ""] if head else []
    head.append(f"def {function}({signature}):")
    head += docstring(program.summary)
    made = Source("\n".join([*head, *(INDENT + line for line in body), ""]))
    made.name = function
    made.bindings = bindings
    above = "\n".join(head).count("\n") + 1 + len(unpacked)
    made.lines = {row: (above + line, names[row]) for row, line in placed.items()}
    made.program = program
    return made


# -- statements -------------------------------------------------------------------------------------------


def _body(program: CodeProgram, writer: Writer) -> tuple[list[str], dict[int, int]]:
    """The statements of the rows, and at which of them each row stands, by ``id``."""
    lines: list[str] = []
    placed: dict[int, int] = {}
    uses = program.uses()
    guards: dict[int, list[Guard]] = {}
    for guard in program.guards:
        guards.setdefault(id(guard.row), []).append(guard)
    for guard in (g for r in program.inputs for g in guards.get(id(r), ())):
        lines += _assertion(guard, writer)
    in_place = overwriting(program, writer.inline)
    sections = any(r.reverse for r in program.rows)
    section: bool | None = None
    for row in program.rows:
        if row.fun is INPUT or id(row) in writer.inline:
            continue
        if sections and row.reverse is not section:
            section = row.reverse
            lines.append("# the reverse sweep" if section else "# the program itself")
        if type(row.fun) is InPlace:
            if id(row) in in_place:
                writer.names[id(row)] = writer.names[id(row.args[0])]
            placed[id(row)] = len(lines) + 1
            for part in assignment(row, writer.names[id(row)], writer, in_place=id(row) in in_place):
                lines += wrapped(part)
            for guard in guards.get(id(row), ()):
                lines += _assertion(guard, writer)
            continue
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
            first, *rest = wrapped(statement)
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
    return [line] if len(line) <= WIDTH else [f"assert {condition}, (", f"{INDENT}{_cut(message)}", ")"]


def _cut(message: str) -> str:
    return message if len(message) < WIDTH - 8 else f"{message[: WIDTH - 13]}...{message[0]}"


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
        if name in writer.imports or name in writer.definitions:
            continue
        text = literal(value) if not callable(value) else _named_tuple(value)
        if text is not None:
            statements += wrapped(f"{name} = {text}")
        else:
            what = "a function" if callable(value) else describe(value)
            comments.append(one_line(f"# {name}: {what}, not written out here; .bindings have it."))
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
        *([whole] if len(whole) <= WIDTH else [opening, *filled(listed), closing]),
        f"{INDENT}raise NameError(",
        *[INDENT * 2 + line for line in _MISSING],
        f"{INDENT})",
    ]


def _named_tuple(value: object) -> str | None:
    """A class of named tuples that no module has, made anew."""
    if isinstance(value, type) and issubclass(value, tuple) and hasattr(value, "_fields"):
        rename = ", rename=True" if any(field[0] == "_" for field in value._fields) else ""
        return f'namedtuple("{identifier(value.__name__)}", {json.dumps(list(value._fields))}{rename})'
    return None


def _written(constants: list[str]) -> set[str]:
    return {line.split(" = ")[0] for line in constants if re.match(r"\w+ = ", line)}
