"""A lesson read in a terminal: its text between its results, and what is said of a claim that has broken."""

from __future__ import annotations

import ast
import io
import re
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from diffkit.errors import DiffkitError, InputError
from diffkit.lessons.formulas import DISPLAYED, in_unicode


class BrokenClaim(DiffkitError, AssertionError):
    """A claim of a lesson that does not hold: which, what is seen now, and what the lesson says of it."""


def read_aloud(path: Path) -> None:
    """Runs a lesson as a program, and prints each of its texts before the code below it.

    Raises:
        BrokenClaim: if one of its assertions fails.
        InputError: if it fails otherwise, with its line.
    """
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source, str(path))
    _put_between(tree, texts(source))
    main, before = types.ModuleType("__main__"), sys.modules["__main__"]
    main.__dict__.update(__file__=str(path), _say=say)
    arguments = sys.argv[0]
    try:
        sys.modules["__main__"], sys.argv[0] = main, str(path)  # what runpy does, and processes rely on
        exec(compile(tree, str(path), "exec"), main.__dict__)
    except (DiffkitError, BrokenPipeError):  # they say what to do themselves; a pipe is the reader's to close
        raise
    except AssertionError as error:
        raise BrokenClaim(_about(error, path, source)) from error
    except Exception as error:
        here = _in_the_lesson(error, path)
        if here is None:
            raise
        line = source.splitlines()[here.tb_lineno - 1].strip()
        said = f"{path.name}, line {here.tb_lineno}: {type(error).__name__}: {error}, in `{line}`"
        raise InputError(said) from error
    finally:
        sys.modules["__main__"], sys.argv[0] = before, arguments


def texts(source: str) -> Iterator[tuple[int, str]]:
    """The text cells of a script in percent format, in Markdown, each with the line that it starts at."""
    cells = list(re.finditer(r"^# %%(?P<text> \[markdown\])?.*$", source, re.MULTILINE))
    for cell, end in zip(cells, [*(m.start() for m in cells[1:]), len(source)], strict=False):
        if cell["text"]:
            lines = source[cell.end() : end].splitlines()
            text = "\n".join(re.sub(r"^# ?", "", line) for line in lines if line.startswith("#"))
            yield source.count("\n", 0, cell.start()) + 1, text.strip()


def _put_between(tree: ast.Module, cells: Iterator[tuple[int, str]]) -> None:
    """A call that prints each text, before the first statement below it."""
    body, rest = [], tree.body
    for line, text in cells:
        above = [statement for statement in rest if statement.lineno < line]
        call = ast.parse(f"_say({text!r})").body[0]
        ast.increment_lineno(call, line - 1)
        body += [*above, call]
        rest = rest[len(above) :]
    tree.body = [*body, *rest]


def say(text: str) -> None:
    """Prints Markdown, wrapped to the terminal: headings, paragraphs, lists, tables and code."""
    from rich.console import Console
    from rich.markdown import Markdown

    page, styled = io.StringIO(), sys.stdout.isatty()
    width = min(Console().width, 100)
    console = Console(file=page, width=width, highlight=False, force_terminal=styled, safe_box=True)
    for part in re.split(r"^(#+ .*)$", text, flags=re.MULTILINE):
        if heading := re.match(r"(#+) (.*)", part):
            title = heading[2].replace("`", "")
            rule = ("=" if len(heading[1]) == 1 else "-") * min(len(title), width)
            console.print(f"\n{title}\n{rule}", style="bold", markup=False)
        elif part.strip():
            console.print()
            shown = DISPLAYED.sub(lambda formula: f"```text\n{in_unicode(formula[1])}\n```", part.strip())
            console.print(Markdown(shown, hyperlinks=False))
    print("\n".join(line.rstrip() for line in page.getvalue().splitlines()), end="\n\n")


def _about(error: AssertionError, path: Path, source: str) -> str:
    """What a reader who has changed a number needs: the claim, what is seen, and why it held."""
    here = _in_the_lesson(error, path)
    if here is None:
        return f"{path.name} asks for something that does not hold: {error}"
    line = here.tb_lineno
    claims = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Assert)]
    claim = next((node for node in claims if node.lineno <= line <= (node.end_lineno or 0)), None)
    if claim is None:
        return f"{path.name}, line {line}: {error}"
    said = [f"{path.name}, line {claim.lineno}: a claim of the lesson does not hold here."]
    said.append(f"The claim: {ast.unparse(claim.test)}")
    if seen := "; ".join(_seen(claim.test, here.tb_frame)):
        said.append(f"Seen now: {seen}")
    if claim.msg is not None:
        said.append(f"Why it held: {error}")
    else:
        above = [text for start, text in texts(source) if start < claim.lineno]
        prose = [
            p for text in reversed(above) for p in reversed(text.split("\n\n")) if p and p[0] not in "#|$"
        ]
        if prose:
            said.append("The lesson says above: " + re.sub(r"\*+", "", " ".join(prose[0].split())))
    said.append("If you changed a number above: was the claim about mathematics, or about the old number?")
    return "\n".join(said)


def _in_the_lesson(error: BaseException, path: Path) -> types.TracebackType | None:
    """Where in the lesson an error came up: the innermost of its own lines."""
    here, trace = None, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            here = trace
        trace = trace.tb_next
    return here


def _seen(test: ast.expr, frame: types.FrameType) -> Iterator[str]:
    """The values that a claim compares, as they are now."""
    if isinstance(test, ast.Compare):
        parts = [test.left, *test.comparators]
    elif isinstance(test, ast.Call):  # np.isclose(a, b, ...), all(...)
        parts = list(test.args)
    else:
        parts = [test]
    for part in parts:
        if isinstance(part, ast.Constant):
            continue
        try:
            value = eval(compile(ast.Expression(part), "<claim>", "eval"), frame.f_globals, frame.f_locals)
        except Exception:  # a claim that can't be taken apart is shown whole, above
            continue
        yield f"{ast.unparse(part)} is {_short(value)}"


def _short(value: Any) -> str:
    text = " ".join(f"{value:.6g}".split() if isinstance(value, float) else repr(value).split())
    return text if len(text) <= 80 else f"{text[:77]}..."
