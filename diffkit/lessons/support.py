"""What a lesson script needs: whether it is in a hurry, where its figures go, a question to the reader."""

from __future__ import annotations

import html
import json
import os
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from diffkit.errors import InputError
from diffkit.files import write_atomically

FAST = "DIFFKIT_FAST"
"""The environment variable by which ``diffkit lesson --fast`` tells a script to hurry."""

FIGURES = "DIFFKIT_FIGURES"
"""The environment variable with the folder for figures."""


def fast() -> bool:
    """Whether the lesson should take smaller sizes."""
    return os.environ.get(FAST, "") not in ("", "0")


def figures_folder() -> Path:
    """Where figures go: ``$DIFFKIT_FIGURES``, else ``figures/`` in the clone or, outside it, in this folder.

    So a copy of a lesson that was made elsewhere, to be changed, leaves the clone's figures alone.
    """
    if os.environ.get(FIGURES):
        return Path(os.environ[FIGURES])
    clone, here = Path(__file__).parents[2], Path.cwd()
    in_clone = (clone / "lessons").is_dir() and here.is_relative_to(clone)
    return (clone if in_clone else here) / "figures"


def save(figure: Any, name: str) -> None:
    """Saves a figure, a drawing or a step-through page into the figures' folder, and shows it or says where.

    Args:
        figure: a plot, a drawing, a step-through page, or a Matplotlib figure.
        name: the file's name, with its ending.

    An SVG also holds, unseen, what is drawn in it: see :func:`drawn_in`.

    Raises:
        InputError: if the folder can't be made or written.
    """
    folder = figures_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"can't make the folder {str(folder)!r}: {(error.strerror or '').lower()}"
        ) from error
    if hasattr(figure, "savefig"):
        from diffkit.plots import Plot

        figure = Plot(figure)
    path = folder / name
    figure.save(path)
    if path.suffix == ".svg":
        _say_what_is_drawn(path, figure)
    if not _show(figure, file=f"{folder.name}/{name}", title=_title(figure)):
        print(f"wrote {folder.name}/{name}")


def _say_what_is_drawn(path: Path, figure: Any) -> None:
    """Writes into an SVG file what it shows: the DOT text of a drawing, the series of a plot.

    Where things go is for a version of Graphviz or Matplotlib to say, so files that show the same may
    differ; by this text one can tell that they do show the same.
    """
    if hasattr(figure, "dot"):
        text = figure.dot
    else:
        text = json.dumps(figure.series(), default=str, separators=(",", ":"))
        text = re.sub(r"-?\d+\.\d+(e[+-]?\d+)?", lambda number: f"{float(number[0]):.7g}", text)
    svg = path.read_text(encoding="utf-8").rstrip()
    start = svg.rindex("</svg>")
    write_atomically(
        path, f'{svg[:start]}<metadata id="drawn">{html.escape(text, quote=False)}</metadata>\n</svg>\n'
    )


def drawn_in(path: str | os.PathLike[str]) -> str | list[dict[str, Any]]:
    """What an SVG file that :func:`save` wrote shows: a drawing's DOT text, or a plot's series.

    Raises:
        InputError: if the file does not say.
    """
    svg = Path(path).read_text(encoding="utf-8")
    found = re.search(r'<metadata id="drawn">(.*?)</metadata>', svg, re.DOTALL)
    if found is None:
        raise InputError(f"{str(path)!r} does not say what is drawn in it; lessons write it with `save`")
    text = html.unescape(found[1])
    return json.loads(text) if text.startswith("[") else text


def _title(figure: Any) -> str:
    """What a drawing or a plot is of, in one line."""
    if isinstance(getattr(figure, "title", None), str):
        return str(figure.title)
    if hasattr(figure, "figure"):
        titles = [figure.figure.get_suptitle(), *(axes.get_title("left") for axes in figure.figure.axes)]
        return ", ".join(title for title in titles if title)
    return ""


def _show(figure: Any, **about: str) -> bool:
    """Shows a figure below the cell, where there are cells; the site reads what is said ``about`` it."""
    interactive = sys.modules.get("IPython")
    if interactive is None or interactive.get_ipython() is None:
        return False
    interactive.display.display(figure, metadata={"diffkit": about})
    return True


def seconds(run: Callable[[], Any], repeats: int | None = None) -> float:
    """The least time, in seconds, that ``run()`` took in several runs: the one that was disturbed least.

    Args:
        run: a function without arguments.
        repeats: how many runs; 9 by default, 3 in fast mode.

    >>> seconds(lambda: sum(range(1000))) < 1
    True
    """
    times = []
    for _ in range(repeats or (3 if fast() else 9)):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


class _Question:
    """A question in a notebook or on a page: the answer opens on a click."""

    def __init__(self, question: str, answer: Any) -> None:
        self.question, self.answer = question, answer

    def __repr__(self) -> str:
        return f"Predict: {self.question}"

    def _repr_html_(self) -> str:
        question, answer = html.escape(self.question), html.escape(str(self.answer))
        return (
            f'<details class="predict"><summary><b>Predict:</b> {question}</summary>'
            f"<p>Answer: {answer}</p></details>"
        )


def predict(question: str, answer: Any, *also: str) -> None:
    """Asks the reader to predict a result before it is shown.

    In a terminal it waits for an answer and says whether it was right. In a notebook and on the site
    the answer opens on a click. Elsewhere, as in a test, it prints both.

    Args:
        question: one sentence.
        answer: the result, as the lesson has measured it: a number, which counts as right within 5 %; a
            list or tuple of them, such as a shape; or a word or two.
        also: other answers that are right.

    >>> predict("How many rows has the trace of x * x + x?", 3)
    Predict: How many rows has the trace of x * x + x?
    Answer: 3
    """
    answer = f"{answer:.4g}" if isinstance(answer, float) else answer
    if _show(_Question(question, answer), question=question, answer=str(answer)):
        return
    print(f"Predict: {question}")
    if sys.stdin is not None and sys.stdin.isatty() and not fast():
        try:
            given = input("> ").strip()
        except EOFError:  # Ctrl-D: no answer
            given = ""
            print()
        right = any(_agrees(given, one) for one in (answer, *also))
        print("Right." if right else f"It is {answer}.")
    else:
        print(f"Answer: {answer}")


def _agrees(given: str, answer: Any) -> bool:
    """Whether what was typed is right, however it is spelled: (2,3), 2 x 3, 1/2, 1 538, 0,96, 40 %, row."""
    said, right = _plain(given), _plain(str(answer))
    words, wanted = (re.findall(r"[^\s,()\[\]]+", text) for text in (said, right))
    if words and (words == wanted or (words == wanted[:1] and words[0] in ("yes", "no"))):
        return True
    expected = _numbers(right)
    if not expected or not re.fullmatch(r"[-+\d.,e()\[\] /x^%*]*", right):
        return False
    if len(expected) == 1:
        said = re.sub(r"(?<=\d)[,_ ](?=\d{3}(?!\d))", "", said)  # 1,538 and 1 538
        said = re.sub(r"(?<=\d),(?=\d)", ".", said)  # 0,96
    numbers, units = _numbers(said), (1.0, 100.0) if "%" in said and "%" not in right else (1.0,)
    return len(numbers) == len(expected) and any(
        all(abs(n / unit - e) <= 0.05 * abs(e) for n, e in zip(numbers, expected, strict=True))
        for unit in units
    )


def _plain(text: str) -> str:
    """Without capitals, articles, quotes and what else people do not type."""
    text = re.sub(r"\b(?:a|an|the)\b|['\"`]|[.!]+$", "", text.strip().casefold())
    for typed, meant in (("×", "x"), ("−", "-"), ("²", "^2"), ("³", "^3"), ("**", "^")):
        text = text.replace(typed, meant)
    return re.sub(r"\s*([(),;\[\]x^])\s*", r"\1", " ".join(text.split()))


def _numbers(text: str) -> list[float]:
    """The numbers in a text; a fraction and a power are one."""
    one = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?"
    found = []
    for a, sign, b in re.findall(rf"({one})(?:([/^])({one}))?", text):
        try:
            found.append(float(a) / float(b) if sign == "/" else float(a) ** float(b or 1))
        except (ZeroDivisionError, OverflowError):
            return []
    return found
