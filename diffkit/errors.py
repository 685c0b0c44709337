"""The errors that diffkit raises, each also the built-in kind that a caller would catch.

Every message says what was given, what was expected and, where it is known, the line of the
user's own program; the command line prints it as one sentence and exits with status 2.
"""

from __future__ import annotations


class DiffkitError(Exception):
    """The base of all errors that diffkit raises on purpose."""


class InputError(DiffkitError, ValueError):
    """An argument that does not fit: an unknown name, a wrong count, text where a number belongs."""


class AnswerError(InputError, TypeError):
    """An answer that a differential operator does not take: a vector, a complex number, an integer."""


class DomainError(InputError):
    """A point at which the function has no value, or a step that leaves its domain."""


class TraceError(DiffkitError, TypeError):
    """A program that cannot be traced as it stands, with the line at which that shows."""


class NoRuleError(DiffkitError, NotImplementedError):
    """A function without a derivative rule, by name, with the way to add one."""


def how_to_get(extra: str) -> str:
    """How to install what comes with an extra: from where diffkit was installed, which may be no index.

    Args:
        extra: its name in pyproject.toml.

    >>> "lessons" in how_to_get("lessons")
    True
    """
    import importlib.metadata
    import json
    import urllib.parse
    import urllib.request

    try:
        origin = json.loads(importlib.metadata.distribution("diffkit").read_text("direct_url.json") or "{}")
    except (importlib.metadata.PackageNotFoundError, ValueError):
        origin = {}
    url = origin.get("url", "")
    if "dir_info" in origin and url.startswith("file:"):
        folder = urllib.request.url2pathname(urllib.parse.urlsplit(url).path)
        editable = "-e " if origin["dir_info"].get("editable") else ""
        return f'{_installer()} {editable}"{folder}[{extra}]"'
    if url and "archive_info" in origin:
        return f'{_installer()} "diffkit[{extra}] @ {url}"'
    return f"install diffkit again, from where it came, with its extra [{extra}]"


def _installer() -> str:
    """The command that installs into this environment: those that uv and pipx make have no pip."""
    import sys
    from pathlib import Path

    here = Path(sys.prefix)
    if (here / "pipx_metadata.json").exists():
        return "pipx install --force"
    if (here / "uv-receipt.toml").exists():
        return "uv tool install --force"
    made_by = here / "pyvenv.cfg"
    return "uv pip install" if made_by.exists() and "\nuv = " in made_by.read_text() else "pip install"
