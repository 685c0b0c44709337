"""What goes wrong while a method runs, as a sentence with the user's own line."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from diffkit.errors import DiffkitError
from diffkit.time_limit import within

T = TypeVar("T")

_LIBRARIES = (str(Path(__file__).parents[1]), str(Path(np.__file__).parent))
_PROGRAMS = str(Path(__file__).parents[1] / "programs.py")


class Failed(Exception):
    """A method that can't do a program, with the reason as a sentence."""


def attempt(run: Callable[[], T], what: str, seconds: float) -> T:
    """The result of ``run()``, with NumPy's warnings off.

    Args:
        run: a function without arguments.
        what: names the work in the sentence about a limit: "reverse mode".
        seconds: how long it may take.

    Raises:
        Failed: whatever ``run`` raised, as one sentence; or the time was over.
    """

    def quietly() -> T:
        with np.errstate(all="ignore"):
            return run()

    try:
        return within(seconds, quietly, what)
    except DiffkitError as error:
        raise Failed(str(error)) from error
    except (Exception, SystemExit) as error:
        raise Failed(f"{type(error).__name__}: {_first_line(error)}{place_of(error)}") from error


def place_of(error: BaseException) -> str:
    """The user's line that an error came out of, as `` (mine.py, line 3)``; "" if there is none."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith((*_LIBRARIES, "<")) or frame.filename == _PROGRAMS
    ]
    return f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""


def _first_line(error: Any) -> str:
    return str(error).strip().partition("\n")[0]
