"""What is told to people who lack an extra: the command of whatever made their environment."""

from __future__ import annotations

import importlib.metadata
import json
import sys
from pathlib import Path

import pytest

from diffkit.errors import how_to_get


class Installed:
    """An installed diffkit, of which no more is known than where it came from."""

    def __init__(self, origin: dict[str, object] | None) -> None:
        self.origin = origin

    def read_text(self, name: str) -> str | None:
        return json.dumps(self.origin) if self.origin is not None and name == "direct_url.json" else None


WHEEL = {"url": "file:///w/diffkit-0.1.0-py3-none-any.whl", "archive_info": {}}
CLONE = {"url": "file:///home/ada/diff%20kit", "dir_info": {"editable": True}}


@pytest.mark.parametrize(
    ("file", "text", "origin", "said"),
    [
        ("", "", WHEEL, 'pip install "diffkit[x] @ file:///w/diffkit-0.1.0-py3-none-any.whl"'),
        ("pyvenv.cfg", "home = /usr\nversion = 3.13\n", CLONE, 'pip install -e "/home/ada/diff kit[x]"'),
        ("pyvenv.cfg", "home = /usr\nuv = 0.13\n", CLONE, 'uv pip install -e "/home/ada/diff kit[x]"'),
        ("pipx_metadata.json", "{}", WHEEL, f'pipx install --force "diffkit[x] @ {WHEEL["url"]}"'),
        ("uv-receipt.toml", "", WHEEL, f'uv tool install --force "diffkit[x] @ {WHEEL["url"]}"'),
        ("pipx_metadata.json", "{}", None, "install diffkit again, from where it came, with its extra [x]"),
    ],
)
def test_an_extra_is_got_from_where_diffkit_came_by_what_made_the_environment(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    file: str,
    text: str,
    origin: dict[str, object] | None,
    said: str,
) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setattr(importlib.metadata, "distribution", lambda name: Installed(origin))
    if file:
        (tmp_path / file).write_text(text)
    assert how_to_get("x") == said
