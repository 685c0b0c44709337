"""Runs one typed program, in a process of its own: ``python -m diffkit.cli.editor.worker``.

It is started before it is needed, so that what a run takes is not the import of diffkit; reads one job from
its standard input, writes to its standard output that it is ready, and the answers (a line of JSON each), and
ends. So programs share nothing, and one that can't be stopped is killed with its process.
"""

from __future__ import annotations

import ast
import contextlib
import inspect
import io
import json
import linecache
import os
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from diffkit import symbolic
from diffkit.autodiff.views import Trace, trace
from diffkit.comparison.matrix_formula import formula
from diffkit.comparison.pages import notes_at
from diffkit.errors import DiffkitError, InputError
from diffkit.graphs.page.explorer import Explorer
from diffkit.programs import Program
from diffkit.time_limit import BudgetError, within

FILE = "<program>"
"""What the typed text is called where lines are told."""

_MOST_PRINTED = 4000
_MEMORY = 4 * 2**30
"""Bytes that a typed program may ask for, where the system can limit it: a huge array is an error."""


def answers(job: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What came of a job: first the page, or what is wrong; then, after a page, the texts beside it.

    Args:
        job: ``source``, the text; ``inputs``, the text of a call's arguments; ``function``, which one is
            traced, if the text defines it, and else the last; ``moved``, the inputs' numbers (one flat list
            per traced input) if they have been moved since; ``limit``, seconds.

    Yields:
        ``page``, the live page, with its ``name``, and ``refused``, why it only steps; or ``error``, with
        ``line`` where it is known. ``printed`` is what the program printed. Then the texts ``source`` (of
        the adjoint program), ``formula`` and ``steps``.

    >>> page, texts = answers({"source": "def f(x, y): return x * y", "inputs": "2, y=3"})
    >>> page["name"], "window.diffkit" in page["page"], texts["formula"].splitlines()[0]
    ('f', True, 'f = x*y')
    >>> [wrong] = answers({"source": "def f(x): return x +", "inputs": "2"})
    >>> wrong["line"]
    1
    """
    source, limit = job["source"], float(job.get("limit", 10))
    linecache.cache[FILE] = (len(source), None, source.splitlines(keepends=True), FILE)
    printed = io.StringIO()
    told: dict[str, Any] = {}
    run: _Run | None = None
    try:
        with contextlib.redirect_stdout(printed), warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            run = within(limit, lambda: _Run(job), "the program")
        for text in dict.fromkeys(str(w.message) for w in warned):
            print(f"warning: {text}", file=printed)
        told = {"name": run.page.trace.name, "page": run.html, "refused": run.page.refused}
    except BudgetError as error:
        told = {"error": f"{error}. Does it end?", "line": _line(error)}
    except MemoryError as error:
        wrong = f"the program asks for more than {_MEMORY // 2**30} GB: make its arrays smaller"
        told = {"error": wrong, "line": _line(error)}
    except SyntaxError as error:
        told = {"error": str(error.msg), "line": error.lineno}
    except DiffkitError as error:
        told = {"error": str(error), "line": _line(error)}
    except (Exception, SystemExit) as error:
        told = {"error": f"{type(error).__name__}: {error}", "line": _line(error)}
    yield told | {"printed": printed.getvalue()[:_MOST_PRINTED]}
    if run is not None:
        yield run.texts()


def _line(error: BaseException) -> int | None:
    """The innermost line of the typed text that an error came through; None if it came through none."""
    while True:
        lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == FILE]
        if lines or (error.__cause__ or error.__context__) is None:
            return lines[-1] if lines else None
        error = error.__cause__ or error.__context__  # type: ignore[assignment]


class _Run:
    """A typed program, traced, and its page."""

    def __init__(self, job: dict[str, Any]) -> None:
        function, names = _function(job["source"], job.get("function", ""))
        self.program, self.args = _called(function, job.get("inputs", ""), names)
        t = trace(self.program)(*self.args)
        if job.get("moved") is not None:
            self.args = _moved(t, job["moved"])
            t = trace(self.program)(*self.args)
        self.page = Explorer(t, notes=notes_at(self.program, self.args))
        self.html = self.page.html()

    def texts(self) -> dict[str, str]:
        """What stands beside the page, each within some seconds."""
        t = self.page.trace
        return {
            "source": _text(lambda: t.adjoint(*self.page.cotangents).source()),
            "formula": _text(lambda: str(formula(self.program, *self.args))),
            "steps": _text(lambda: _steps(t)),
        }


def _function(source: str, wanted: str) -> tuple[Callable[..., Any], dict[str, Any]]:
    """The function of that name, else the last that the text defines; and all its names.

    Raises:
        InputError: if it defines none.
    """
    defined = [n.name for n in ast.parse(source, FILE).body if isinstance(n, ast.FunctionDef)]
    if not defined:
        raise InputError("define a function: def f(x): return x * x. The last one is traced")
    names: dict[str, Any] = {"__name__": FILE, "np": np}
    exec(compile(source, FILE, "exec"), names)
    return names[wanted if wanted in defined else defined[-1]], names


def _called(
    function: Callable[..., Any], inputs: str, names: dict[str, Any]
) -> tuple[Program, tuple[Any, ...]]:
    """The function with what is given by name only, and its other arguments: as typed, else the defaults.

    Integers are read as floats, unless the parameter's default is an integer (a length, a count).
    """
    try:
        given, named = eval(f"(lambda *args, **kwargs: (args, kwargs))({inputs})", names)
    except Exception as error:
        wrong = f"the inputs are written as in a call, 1.5, w=np.ones(3); got {inputs!r}: {error}"
        raise InputError(wrong) from None
    signature = inspect.signature(function)
    try:
        bound = signature.bind(*given, **named)
    except TypeError as error:
        example = ", ".join(f"{name}=1.5" for name in signature.parameters)
        raise InputError(f"{error}. Write the inputs as in a call: {example}") from None
    bound.apply_defaults()
    args: list[Any] = []
    for name, value in bound.arguments.items():
        parameter = signature.parameters[name]
        values = value if parameter.kind is parameter.VAR_POSITIONAL else [value]
        count = type(parameter.default) is int
        if parameter.kind not in (parameter.KEYWORD_ONLY, parameter.VAR_KEYWORD):
            args += [float(v) if type(v) is int and not count else v for v in values]
    return Program(function, {}, None, bound.kwargs), tuple(args)


def _moved(t: Trace, moved: list[Any]) -> tuple[Any, ...]:
    """The arguments with the traced inputs' numbers replaced."""
    values = iter(moved)
    leaves = []
    for leaf in t.arguments:
        if t.owns(leaf):
            number = np.asarray(next(values), float)
            leaves.append(number.reshape(np.shape(leaf.value)) if np.ndim(leaf.value) else float(number[0]))
        else:
            leaves.append(leaf)
    return tuple(t.in_structure.unflatten(leaves))


def _text(make: Callable[[], str]) -> str:
    """A text beside the page, or why there is none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # they have been told with the page
            return within(5, make, "this")
    except Exception as error:
        return f"There is none: {error}"


def _steps(t: Trace) -> str:
    answer = t.to_sympy()
    outputs = list(answer) if isinstance(answer, tuple | list) else [answer]
    return "\n\n".join(
        str(symbolic.steps(output, symbol))
        for output in outputs
        for symbol in sorted(output.free_symbols, key=str)[:4]
    )


def main() -> None:
    """Reads a job, writes its answer. What the program itself writes to standard output is kept apart."""
    reply = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        # Of what is written to: the layout engine reserves much more than it ever uses.
        resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY, resource.getrlimit(resource.RLIMIT_DATA)[1]))
    list(
        answers({"source": "def f(x): return x * x", "inputs": "1"})
    )  # so that all is loaded when a job comes
    print("{}", file=reply, flush=True)
    text = sys.stdin.readline()
    for told in answers(json.loads(text)) if text else ():
        print(json.dumps(told), file=reply, flush=True)


if __name__ == "__main__":
    main()
