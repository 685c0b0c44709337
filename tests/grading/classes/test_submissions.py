"""Finding and reading submissions, whatever students hand in."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest

from diffkit.errors import InputError
from diffkit.grading.classes.submissions import find_submissions, read_submission, violations
from diffkit.grading.draws import normal
from diffkit.grading.exercises.exercise import Case, Exercise


def notebook(*cells: str | list[str], **more) -> str:
    code = [{"cell_type": "code", "source": cell} for cell in cells]
    return json.dumps({"cells": [{"cell_type": "markdown", "source": "# words"}, *code], **more})


def write(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("a.py", b"x = 1\n", "x = 1\n"),
        ("a.py", "\ufeffx = 'é'\n".encode(), "x = 'é'\n"),
        ("a.py", b"x = 1\r\ny = 2\r\n", "x = 1\ny = 2\n"),
        ("a.py", b"# coding: latin-1\nx = '\xe9'\n", "# coding: latin-1\nx = 'é'\n"),
    ],
)
def test_reads_a_script_as_python_does(tmp_path, name, data, code) -> None:
    found = read_submission(write(tmp_path / name, data))
    assert (found.code, found.problem) == (code, "")


@pytest.mark.parametrize(
    ("name", "data", "problem"),
    [
        ("a.py", b"x = '\xff'\n", "the file is not UTF-8 text"),
        ("a.py", b"# coding: nonsense\n", "the file is not UTF-8 text"),
        ("a.py", b"x" * ((1 << 20) + 1), "the file is larger than 1,048,576 bytes"),
        ("a.ipynb", b"", "the file is not a Jupyter notebook"),
        ("a.ipynb", b"x = 1", "the file is not a Jupyter notebook"),
        ("a.ipynb", b"[]", "the file is not a Jupyter notebook"),
        ("a.ipynb", b'{"cells": 3}', "the file is not a Jupyter notebook"),
        ("a.ipynb", b'{"cells": [{"cell_type": "code", "source": 3}]}', "the file is not a Jupyter notebook"),
        ("a.ipynb", b"[" * 900_000, "the file is not a Jupyter notebook"),
        ("a.ipynb", b"\xff\xfe", "the file is not UTF-8 text"),
    ],
)  # fmt: skip
def test_says_what_is_wrong_with_a_file(tmp_path, name, data, problem) -> None:
    assert read_submission(write(tmp_path / name, data)).problem == problem


def test_what_is_no_file(tmp_path) -> None:
    assert read_submission(tmp_path / "none.py").problem == "there is no such file"
    (tmp_path / "folder.py").mkdir()
    assert read_submission(tmp_path / "folder.py").problem == "there is no such file"
    os.mkfifo(tmp_path / "pipe.py")  # reading it would wait for ever
    assert read_submission(tmp_path / "pipe.py").problem == "there is no such file"


def run(path: Path) -> dict:
    space: dict = {}
    exec(read_submission(path).code, space)
    return space


def test_a_notebooks_cells_run_one_after_the_other(tmp_path) -> None:
    path = write(tmp_path / "a.ipynb", notebook("x = 1", ["y = x + 1\n", "z = 3"]))
    space = run(path)
    assert (space["y"], space["z"]) == (2, 3)


def test_leaves_out_what_only_ipython_understands(tmp_path) -> None:
    cells = [
        "%matplotlib inline\nx = 1\n!pip install torch",
        "%%bash\nrm -rf /",
        "%%time\ny = 2",
        "if x:\n    %timeit x\n    z = 3",
        "files = !ls\nw = (7\n % 4)",
        "np.sin?\n?np\nv = 5",
    ]
    space = run(write(tmp_path / "a.ipynb", notebook(*cells)))
    assert {k: space[k] for k in "xyzv"} == {"x": 1, "y": 2, "z": 3, "v": 5}


def test_a_remainder_at_the_start_of_a_line_is_no_magic(tmp_path) -> None:
    assert run(write(tmp_path / "a.ipynb", notebook("x = (7\n     % 4)")))["x"] == 3


def test_finds_files_and_folders(tmp_path) -> None:
    write(tmp_path / "ann.py", "a")
    write(tmp_path / "bob.ipynb", notebook("b"))
    write(tmp_path / "cid" / "work.py", "c")
    write(tmp_path / ".hidden.py", "")
    write(tmp_path / "_notes.py", "")
    write(tmp_path / "readme.txt", "")
    found = {s.student: s for s in find_submissions(tmp_path)}
    assert list(found) == ["ann", "bob", "cid"]
    assert found["cid"].path.name == "work.py"
    assert all(not s.problem for s in found.values())


def test_two_files_of_one_name_are_two_students(tmp_path) -> None:
    for name in ("ann.py", "ann.ipynb"):
        write(tmp_path / name, notebook("x"))
    write(tmp_path / "bob.py", "b")
    assert [s.student for s in find_submissions(tmp_path)] == ["ann.ipynb", "ann.py", "bob"]


def test_follows_no_links(tmp_path) -> None:
    secret = write(tmp_path / "secret.py", "answers")
    folder = tmp_path / "subs"
    write(folder / "bob" / "x.txt", "")
    (folder / "ann.py").symlink_to(secret)
    (folder / "bob" / "work.py").symlink_to(secret)
    (folder / "cid").symlink_to(tmp_path, target_is_directory=True)
    for found in find_submissions(folder):
        assert "link" in found.problem
        assert found.code == ""


@pytest.mark.parametrize(
    ("files", "count"), [([], "no"), (["a.py", "b.py"], "2"), (["a.py", "b.ipynb"], "2")]
)
def test_a_folder_holds_one_file(tmp_path, files, count) -> None:
    (tmp_path / "ann").mkdir()
    for name in files:
        write(tmp_path / "ann" / name, "")
    (found,) = find_submissions(tmp_path)
    assert found.problem == f"the folder holds {count} scripts or notebooks; one file is needed"


def test_no_folder_and_no_submissions(tmp_path) -> None:
    with pytest.raises(InputError, match="there is no folder"):
        find_submissions(tmp_path / "none")
    with pytest.raises(InputError, match="has no submissions"):
        find_submissions(tmp_path)


def test_the_digest_tells_codes_and_problems_apart(tmp_path) -> None:
    one, other = write(tmp_path / "a.py", "x = 1"), write(tmp_path / "b.py", "x = 2")
    assert read_submission(one).digest != read_submission(other).digest
    same = write(tmp_path / "c.py", "x = 1")
    assert read_submission(one).digest == read_submission(same).digest
    assert (
        read_submission(tmp_path / "none.py").digest != read_submission(write(tmp_path / "e.py", "")).digest
    )


def exercise(**rules) -> Exercise:
    return Exercise(np.sin, [Case("a", normal("n"))], arguments=("x",), **rules)


@pytest.mark.parametrize(
    ("code", "rules", "said"),
    [
        ("import numpy as np", {"allowed_imports": ("numpy",)}, []),
        ("import numpy.linalg", {"allowed_imports": ("numpy",)}, []),
        ("import os, numpy", {"allowed_imports": ("numpy",)}, ["line 1 imports os; allowed is numpy"]),
        ("\nfrom os import path", {"allowed_imports": ()}, ["line 2 imports os; allowed is nothing"]),
        ("from . import x", {"allowed_imports": ()}, ["line 1 imports .; allowed is nothing"]),
        ("np.einsum('i', x)", {"forbidden": ("einsum",)}, ["line 1 uses einsum, which is not allowed"]),
        ("from numpy import dot", {"forbidden": ("dot",)}, ["line 1 uses dot, which is not allowed"]),
        ("import numpy.linalg", {"forbidden": ("linalg",)}, ["line 1 uses linalg, which is not allowed"]),
        ("eval('1')", {"forbidden": ("eval",)}, ["line 1 uses eval, which is not allowed"]),
        ("import os", {}, []),
        ("syntax error", {"forbidden": ("x",)}, []),
        ("x = " + "(" * 3000, {"forbidden": ("x",)}, []),
        ("\0", {"forbidden": ("x",)}, []),
    ],
)  # fmt: skip
def test_rules_on_imports_and_names(code, rules, said) -> None:
    assert violations(code, [exercise(**rules)]) == {"sin": said}


def test_lists_only_some_of_many_violations() -> None:
    assert len(violations("import os\n" * 1000, [exercise(allowed_imports=())])["sin"]) == 5


def test_a_notebooks_empty_cells_are_not_counted(tmp_path) -> None:
    path = write(tmp_path / "a.ipynb", notebook("x = 1", "", "  \n", "%%time\ny = 2"))
    found = read_submission(path)
    assert found.cells == ("x = 1", "\ny = 2")
    assert found.source == found.cells
    other = read_submission(write(tmp_path / "b.ipynb", notebook("x = 1\n\n\ny = 2")))
    assert found.digest != other.digest  # where its failures are is part of what is reported


def test_a_script_is_run_as_one(tmp_path) -> None:
    found = read_submission(write(tmp_path / "a.py", "x = 1\n"))
    assert (found.cells, found.source) == ((), "x = 1\n")


def zip_of(path: Path, files: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


def test_a_zip_with_one_file_is_read(tmp_path) -> None:
    junk = {"__MACOSX/._hw.py": "\0", "hw/.ipynb_checkpoints/hw.ipynb": "{}", "hw/data.csv": "1"}
    zip_of(tmp_path / "ann.zip", {"hw/hw.py": "x = 1\n", **junk})
    zip_of(tmp_path / "bob.zip", {"hw.ipynb": notebook("x = 2")})
    (tmp_path / "cid").mkdir()
    zip_of(tmp_path / "cid" / "hand-in.zip", {"a.py": "x = 3\n"})
    found = find_submissions(tmp_path)
    assert [(s.student, s.code.strip(), s.path.name, s.problem) for s in found] == [
        ("ann", "x = 1", "hw.py", ""),
        ("bob", "x = 2", "hw.ipynb", ""),
        ("cid", "x = 3", "a.py", ""),
    ]


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ({}, "the zip holds no scripts or notebooks; one file is needed"),
        ({"a.py": "", "b.py": ""}, "the zip holds 2 scripts or notebooks; one file is needed"),
        ({"a.py": "#" * (1 << 26)}, "the file is larger than 1,048,576 bytes"),
    ],
)
def test_a_zip_without_one_file_is_refused(tmp_path, files, problem) -> None:
    assert read_submission(zip_of(tmp_path / "a.zip", files)).problem == problem


@pytest.mark.parametrize("data", [b"", b"PK\3\4", b"x" * 100])
def test_what_is_no_zip(tmp_path, data) -> None:
    (tmp_path / "a.zip").write_bytes(data)
    assert read_submission(tmp_path / "a.zip").problem.startswith("the zip is damaged")


def test_a_damaged_zip(tmp_path) -> None:
    path = zip_of(tmp_path / "a.zip", {"a.py": "x = 1\n" * 1000})
    data = bytearray(path.read_bytes())
    data[40:60] = bytes(20)
    path.write_bytes(data)
    assert read_submission(path).problem.startswith("the zip is damaged")
