"""Writing files so that nothing is ever half written."""

from __future__ import annotations

import os
from pathlib import Path

from diffkit.errors import InputError


def write_atomically(path: str | os.PathLike[str], data: str | bytes) -> Path:
    """Writes a file whole or not at all: to a neighbour first, which then takes its name.

    Raises:
        InputError: if the folder does not exist or can't be written.
    """
    target = Path(path)
    neighbour = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        neighbour.write_bytes(data.encode() if isinstance(data, str) else data)
        os.replace(neighbour, target)
    except OSError as error:
        neighbour.unlink(missing_ok=True)
        raise InputError(f"can't write {str(path)!r}: {(error.strerror or str(error)).lower()}") from error
    return target
