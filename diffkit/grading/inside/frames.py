"""Messages on a pipe: a length in eight bytes, and so many bytes.

>>> import os
>>> read, write = os.pipe()
>>> write_frame(write, b"hello")
>>> read_frame(read)
b'hello'
>>> write_frame(write, b"x" * 100)
>>> import time
>>> read_frame_before(time.monotonic() + 1, read, largest=10)
Traceback (most recent call last):
OSError: a frame of 100 bytes is longer than the 10 that are read
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import time
from collections.abc import Sequence


def as_bytes(fd: int) -> None:
    """What goes through this descriptor is bytes: Windows would change line ends, and end at Ctrl-Z."""
    with contextlib.suppress(ImportError):
        import msvcrt

        msvcrt.setmode(fd, os.O_BINARY)  # type: ignore[attr-defined]


def write_frame(fd: int, data: bytes) -> None:
    """Writes a frame, whole."""
    _whole(fd, len(data).to_bytes(8, "big") + data)


def read_frame(fd: int) -> bytes | None:
    """The next frame from a side that is trusted, or None at the end."""
    try:
        return _exactly(fd, int.from_bytes(_exactly(fd, 8), "big"))
    except ConnectionError:
        return None


def read_frame_before(deadline: float | None, fd: int, largest: int = 1 << 20) -> bytes:
    """The next frame, if all of it comes before the deadline; None waits for ever.

    Raises:
        OSError: if it does not, or it says that it is longer than ``largest``, or the other side has
            gone.
    """
    size = int.from_bytes(_exactly(fd, 8, deadline), "big")
    if size > largest:
        raise OSError(f"a frame of {size} bytes is longer than the {largest} that are read")
    return _exactly(fd, size, deadline)


def send_with_files(to: socket.socket, data: bytes, files: Sequence[int]) -> None:
    """Writes a frame that comes with open files; the other side gets descriptors of its own for them."""
    socket.send_fds(to, [len(data).to_bytes(8, "big")], files)
    _whole(to.fileno(), data)


def receive_with_files(of: socket.socket) -> tuple[bytes, list[int]] | None:
    """The next frame from a side that is trusted, with its files, or None at the end."""
    size, files, _, _ = socket.recv_fds(of, 8, 8)
    if len(size) < 8:
        return None
    return _exactly(of.fileno(), int.from_bytes(size, "big")), files


def _whole(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def _exactly(fd: int, size: int, deadline: float | None = None) -> bytes:
    parts = []
    while size:
        if deadline is not None and not select.select([fd], [], [], max(0.0, deadline - time.monotonic()))[0]:
            raise TimeoutError("no answer in time")
        part = os.read(fd, min(size, 1 << 20))
        if not part:
            raise ConnectionError("the other side has gone")
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
