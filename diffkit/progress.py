"""Progress bars for long work, on standard error and only where somebody watches."""

from __future__ import annotations

import contextlib
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

    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(
        *columns, TimeElapsedColumn(), console=console, transient=True, disable=not console.is_terminal
    ) as bars:
        task = bars.add_task(what, total=total)

        def advance(description: str, steps: int = 0) -> None:
            bars.update(task, description=description, advance=steps)

        yield advance
