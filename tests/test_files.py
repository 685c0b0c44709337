"""Files are written whole or not at all."""

import os

import pytest

from diffkit.errors import InputError
from diffkit.files import write_atomically


def test_replaces_the_old_file(tmp_path) -> None:
    target = tmp_path / "a.txt"
    write_atomically(target, "old")
    write_atomically(target, "new ū")
    assert target.read_text(encoding="utf-8") == "new ū"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_failure_leaves_the_old_file_and_no_rest(tmp_path) -> None:
    target = tmp_path / "folder"
    target.mkdir()
    (target / "kept").write_text("kept")
    with pytest.raises(InputError, match="can't write"):
        write_atomically(target, b"data")
    assert os.listdir(tmp_path) == ["folder"]
    assert (target / "kept").read_text() == "kept"
