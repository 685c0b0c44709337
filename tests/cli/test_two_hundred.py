"""Two hundred functions through every command: each says what it must, and no traceback reaches a person."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import pytest

from tests.cli.two_hundred import FUNCTIONS, KINDS, source

TEXT, LISTED = source()
COMMANDS = {
    "compare": ("--no-times",),
    "error": ("--form", "central"),
    "accuracy": (),
    "source": (),
    "draw": (),
    "step": ("-o", "page.html"),
    "swell": ("-n", "3"),
}
"""Each command with the options that it is run with."""

QUICK = ("compare", "source")
CASES = [
    pytest.param(
        command, *case, id=f"{command} {case[1]}", marks=[] if command in QUICK else [pytest.mark.slow]
    )
    for command in COMMANDS
    for case in LISTED
]


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("two_hundred")
    (folder / "mine.py").write_text(TEXT, encoding="utf-8")
    return folder


def test_there_are_two_hundred_of_every_kind() -> None:
    assert len(LISTED) >= 200
    assert set(FUNCTIONS) == set(KINDS)


@pytest.mark.parametrize(("command", "kind", "name", "inputs"), CASES)
def test_what_is_said(
    diffkit, mine: Path, monkeypatch: pytest.MonkeyPatch, command: str, kind: str, name: str, inputs: str
) -> None:
    monkeypatch.chdir(mine)
    monkeypatch.setattr(sys, "path", list(sys.path))
    limit = "0.5" if kind == "hangs" else "60"
    given = () if command == "swell" else (inputs,)
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        done = diffkit(command, f"mine.py:{name}", *given, "--limit", limit, *COMMANDS[command])
    said = " ".join(f"{done.out} {done.err}".split())
    assert "Traceback" not in said
    assert "fault of diffkit" not in said
    assert done.status in (0, 2)
    assert all(len(line) <= 80 for line in done.out.splitlines()) or command in ("source", "draw")
    expected = KINDS[kind]
    if command == "compare":
        assert done.status == expected.status
        assert expected.compare in said
    elif command in ("draw", "step", "source"):
        assert done.status == expected.others or expected.others is None
        assert expected.said in said
    elif command == "error" and kind not in ("smooth", "prints", "no formula", "not traced"):
        assert done.status == 2  # no derivative there that could have an error, and the same reason
        assert (expected.said or expected.compare) in said
    elif command == "accuracy" and expected.status == 2:
        assert done.status == 2
        assert expected.compare in said
