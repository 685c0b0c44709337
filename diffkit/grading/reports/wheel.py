"""The installed diffkit as a wheel, so that a grading container installs what its team has tested."""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import diffkit
from diffkit.errors import InputError


def zipped(files: Mapping[str, bytes], programs: Sequence[str] = ()) -> bytes:
    """A zip of files, the same bytes each time.

    >>> zipped({"a": b"1", "b": b"2"}) == zipped({"a": b"1", "b": b"2"})
    True
    """
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
            info.external_attr = (0o755 if name in programs else 0o644) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    return out.getvalue()


def own_wheel() -> tuple[str, bytes]:
    """The name and the bytes of a wheel of diffkit as it is installed here (PyPA's "Binary distribution
    format").

    Raises:
        InputError: if diffkit was not installed, only put on the path.
    """
    try:
        installed = importlib.metadata.distribution("diffkit")
    except importlib.metadata.PackageNotFoundError:
        raise InputError(
            f"a bundle holds diffkit as installed, and {Path(diffkit.__file__).parent} is only on Python's "
            "path: install it first, with pip"
        ) from None
    version = diffkit.__version__
    package = Path(diffkit.__file__).parent
    files = {
        f"diffkit/{path.relative_to(package).as_posix()}": path.read_bytes()
        for path in sorted(package.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc"
    }
    info = f"diffkit-{version}.dist-info"
    wheel = "Wheel-Version: 1.0\nGenerator: diffkit\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    files |= {
        f"{info}/METADATA": (installed.read_text("METADATA") or "").encode(),
        f"{info}/WHEEL": wheel.encode(),
        f"{info}/entry_points.txt": (installed.read_text("entry_points.txt") or "").encode(),
    }
    lines = [f"{name},sha256={_digest(data)},{len(data)}\n" for name, data in files.items()]
    files[f"{info}/RECORD"] = "".join([*lines, f"{info}/RECORD,,\n"]).encode()
    return f"diffkit-{version}-py3-none-any.whl", zipped(files)


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
