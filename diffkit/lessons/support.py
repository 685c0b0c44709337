"""What a lesson script needs: whether it is in a hurry, where its figures go, a question to the reader."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from diffkit.errors import InputError

__all__ = ["FAST", "FIGURES", "fast", "figures_folder", "predict", "save"]

FAST = "DIFFKIT_FAST"
"""The environment variable by which ``diffkit lesson --fast`` tells a script to hurry."""

FIGURES = "DIFFKIT_FIGURES"
"""The environment variable with the folder for figures."""


def fast() -> bool:
    """Whether the lesson should take smaller sizes."""
    return os.environ.get(FAST, "") not in ("", "0")


def figures_folder() -> Path:
    """Where figures go: ``$DIFFKIT_FIGURES``, else ``figures/`` in the clone, else in this folder."""
    if os.environ.get(FIGURES):
        return Path(os.environ[FIGURES])
    clone = Path(__file__).parents[2]
    return (clone if (clone / "lessons").is_dir() else Path.cwd()) / "figures"


def save(figure: Any, name: str) -> None:
    """Saves a figure, a drawing or a step-through page into the figures' folder, and says where.

    Args:
        figure: a plot, a drawing, a step-through page, or a Matplotlib figure.
        name: the file's name, with its ending.

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
    figure.save(folder / name)
    print(f"wrote {folder.name}/{name}")
    _show(figure)


def _show(figure: Any) -> None:
    """Shows a figure below the cell, where there are cells."""
    interactive = sys.modules.get("IPython")
    if interactive is not None and interactive.get_ipython() is not None:
        interactive.display.display(figure)


def predict(question: str, answer: Any) -> None:
    """Asks the reader to predict a result before it is shown.

    In a terminal it waits for an answer and says whether it was right; elsewhere, as in a notebook
    or a test, it prints the question with the answer below.

    Args:
        question: one sentence.
        answer: the result, as the lesson has measured it; numbers count as right within 5 %.

    >>> predict("How many rows has the trace of x * x + x?", 3)
    Predict: How many rows has the trace of x * x + x?
    Answer: 3
    """
    print(f"Predict: {question}")
    if sys.stdin is not None and sys.stdin.isatty() and not fast():
        given = input("> ").strip()
        print("Right." if _agrees(given, answer) else f"It is {answer}.")
    else:
        print(f"Answer: {answer}")


def _agrees(given: str, answer: Any) -> bool:
    try:
        return abs(float(given) - float(answer)) <= 0.05 * abs(float(answer))
    except (TypeError, ValueError):
        return given.casefold() == str(answer).casefold()
