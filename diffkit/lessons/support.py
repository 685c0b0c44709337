"""What a lesson script needs: whether it is in a hurry, and where its figures go."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from diffkit.errors import InputError

__all__ = ["FAST", "FIGURES", "fast", "figures_folder", "save"]

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


def save(figure: Any, name: str) -> Path:
    """Saves a figure, a drawing or a step-through page into the figures' folder, and says where.

    Args:
        figure: a Matplotlib figure, a :class:`diffkit.Drawing`, or anything with ``save(path)``.
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
    path = folder / name
    if hasattr(figure, "savefig"):
        from diffkit import plots

        plots.save(figure, path)
    else:
        figure.save(path)
    print(f"wrote {folder.name}/{name}")
    return path
