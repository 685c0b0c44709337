"""Signs of long work, on standard error and only where somebody watches: bars, and a line that counts."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Iterator
from typing import Protocol


class Advance(Protocol):
    """Moves a progress bar on."""

    def __call__(self, description: str, steps: int = 0) -> None: ...


@contextlib.contextmanager
def progress(total: int, what: str) -> Iterator[Advance]:
    """A progress bar of ``total`` steps, shown if standard error is a terminal.

    Yields:
        ``advance(description, steps=0)``: says what is being done, and moves on by ``steps``.

    >>> with progress(2, "working") as advance:
    ...     advance("first")
    ...     advance("second", 1)
    """
    if sys.stderr is None or not sys.stderr.isatty():  # None: a program without a console, on Windows
        yield lambda description, steps=0: None
        return
    # Imported here: most uses of diffkit show no bar, and rich takes a while to import.
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
    )

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    console = Console(stderr=True)
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as bars:
        task = bars.add_task(what, total=total)

        def advance(description: str, steps: int = 0) -> None:
            bars.update(task, description=description, advance=steps)

        yield advance


_over: threading.Event | None = None
"""Set when the line of :func:`waiting` has to go."""

_writing = threading.Lock()


@contextlib.contextmanager
def waiting(what: str, limit: float, after: float = 1.0) -> Iterator[None]:
    """A line that counts the seconds of work without countable steps, shown if standard error is a terminal.

    Args:
        what: names the work.
        limit: the seconds after which it will be stopped.
        after: the seconds before the line appears.

    >>> with waiting("diffkit accuracy", 60):
    ...     _ = sum(range(10))
    """
    global _over
    if not sys.stderr.isatty():
        yield
        return
    stream, before, over = sys.stderr, _over, threading.Event()

    def count() -> None:
        start, pause = time.monotonic(), after
        while not over.wait(pause):
            pause = 0.5
            seconds = time.monotonic() - start
            with _writing:
                if not over.is_set():
                    stream.write(f"\r{what}: {seconds:.0f} s; stopped at {limit:g} s, or by Ctrl-C ")
                    stream.flush()

    _over = over
    thread = threading.Thread(target=count, name="waiting", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ends_waiting()
        _over = before
        thread.join()


def ends_waiting() -> None:
    """Takes the line of :func:`waiting` away, before anything else is printed."""
    with _writing:
        if _over is not None and not _over.is_set():
            _over.set()
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
