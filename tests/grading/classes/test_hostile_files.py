"""Files that are made to bring down whoever opens them: one refused submission each, never the run."""

from __future__ import annotations

import io
import json
import os
import resource
import socket
import subprocess
import zipfile

import pytest

from diffkit.grading.classes.submissions import find_submissions, read_submission, violations
from diffkit.grading.draws import normal
from diffkit.grading.exercises.exercise import Case, Exercise
from diffkit.grading.reports.pages import file_name
from diffkit.grading.wall.opener import Opener

PACKINGS = [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]


def bomb(packing: int, name: str, size: int) -> bytes:
    """A zip of some kilobytes that unpacks to much more than is read."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", packing) as archive, archive.open(name, "w", force_zip64=True) as file:
        for _ in range(size >> 24):
            file.write(b" " * (1 << 24))
    return data.getvalue()


@pytest.fixture(scope="module", params=PACKINGS, ids=["deflate", "bzip2", "lzma"])
def packed(request) -> bytes:
    return bomb(request.param, "a.py", 1 << 27)


def largest() -> int:
    """The most memory that this process has had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def test_a_bomb_of_every_packing_is_one_refused_submission(tmp_path, packed) -> None:
    (tmp_path / "ann.zip").write_bytes(packed)
    (tmp_path / "bob.py").write_text("x = 1\n")
    before = largest()
    ann, bob = find_submissions(tmp_path)
    assert "larger than" in ann.problem or "more memory" in ann.problem
    assert (bob.code, bob.problem) == ("x = 1\n", "")
    assert largest() - before < 100 << 20


def test_damage_of_every_kind_is_said_to_be_damage(tmp_path, packed) -> None:
    small = io.BytesIO()
    packing = zipfile.ZipFile(io.BytesIO(packed)).infolist()[0].compress_type
    with zipfile.ZipFile(small, "w", packing) as archive:
        archive.writestr("a.py", "x = 1\n" * 500)
    good = small.getvalue()
    (tmp_path / "a.zip").write_bytes(good)
    assert read_submission(tmp_path / "a.zip").code == "x = 1\n" * 500
    for k in range(0, len(good), 3):
        (tmp_path / "a.zip").write_bytes(good[:k] + bytes([good[k] ^ 0xFF]) + good[k + 1 :])
        found = read_submission(tmp_path / "a.zip")
        said = ("the zip ", "the file is not UTF-8", "the file takes more memory")
        assert found.problem.startswith(said) or found.code, k


def notebook(code: str, **more) -> str:
    return json.dumps({"cells": [{"cell_type": "code", "source": code, **more}]})


FILES = {
    "many cells.ipynb": json.dumps({"cells": [{"cell_type": "code", "source": "x"}] * 500_000}),
    "deep.ipynb": '{"cells": ' + "[" * 1_000_000,
    "deep code.ipynb": notebook("x = " + "(" * 100_000),
    "a long sum.ipynb": notebook("x = 1" + " + 1" * 200_000),
    "one long line.ipynb": notebook("!" * 1_000_000),
    "backtracking.ipynb": notebook("\n".join(["x " + " " * 20_000 + "= y ="] * 10)),
    "surrogates.ipynb": '{"cells": [{"cell_type": "code", "source": "x = \'\\ud800\'"}]}',
    "a number.ipynb": '{"cells": ' + "9" * 1_000_000 + "}",
    "too large.ipynb": " " * ((32 << 20) + 1),
    "many names.zip": "".join(f"{k}" for k in range(10)),
}


@pytest.mark.parametrize("name", FILES)
def test_an_odd_notebook_is_read_or_refused(tmp_path, name) -> None:
    (tmp_path / name).write_text(FILES[name])
    before = largest()
    found = read_submission(tmp_path / name)
    assert found.problem or found.code
    assert len(found.code) <= (1 << 20) + 2
    assert largest() - before < 300 << 20


def test_a_notebook_with_its_figures_is_read(tmp_path) -> None:
    """Its code is small, its pictures are not."""
    figures = [{"output_type": "display_data", "data": {"image/png": "A" * (10 << 20)}}]
    (tmp_path / "a.ipynb").write_text(notebook("x = 1", outputs=figures))
    assert read_submission(tmp_path / "a.ipynb").cells == ("x = 1",)


def test_a_zip_of_zips_and_of_many_names(tmp_path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("inner.zip", bomb(zipfile.ZIP_DEFLATED, "a.py", 1 << 26))
    assert (
        read_submission(tmp_path / "a.zip").problem
        == "the zip holds no scripts or notebooks; one file is needed"
    )
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        for k in range(20_000):
            archive.writestr(f"{k}/" * 10 + "a.py", "")
    assert "20000 scripts" in read_submission(tmp_path / "b.zip").problem
    with zipfile.ZipFile(tmp_path / "c.zip", "w") as archive:
        archive.writestr("../../escaped.py", "x = 1\n")
    assert read_submission(tmp_path / "c.zip").problem
    assert not (tmp_path.parent.parent / "escaped.py").exists()


def test_what_is_no_file_stops_nobody(tmp_path) -> None:
    os.mkfifo(tmp_path / "fifo.py")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket.py"))
    (tmp_path / "folder.py").mkdir()
    (tmp_path / "loop.py").symlink_to(tmp_path / "loop.py")
    (tmp_path / "zero.py").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "folder.py" / "fifo.py")
    deep = tmp_path / "deep"
    deep.mkdir()
    here = os.open(deep, os.O_RDONLY)
    for _ in range(2000):
        os.mkdir("d" * 20, dir_fd=here)
        inner = os.open("d" * 20, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)
    (tmp_path / "ok.py").write_text("x = 1\n")
    found = {s.student: s for s in find_submissions(tmp_path)}
    subprocess.run(["rm", "-rf", str(deep)], check=True)  # pytest's own clearing nests too deep for Python
    assert found.pop("ok").problem == ""
    assert len(found) == 6
    assert all(s.problem for s in found.values())


def test_devices_are_no_submissions() -> None:
    for device in ("/dev/zero", "/dev/null", "/dev/tty", "/proc/self/mem"):
        assert read_submission(device).problem


def test_every_submission_has_a_name_and_a_page_of_its_own(tmp_path) -> None:
    taken = file_name("o'neil")
    for name in ("ann.py", "ann.ipynb", "ann.py.zip", "ANN.py", "o'neil.py", f"{taken}.py", f"{taken}.ipynb"):
        (tmp_path / name).write_text("x = 1\n")
    (tmp_path / "ann.py.py").mkdir()
    (tmp_path / "ann").mkdir()
    (tmp_path / f"{'x' * 200}1.py").write_text("")
    (tmp_path / f"{'x' * 200}2.py").write_text("")
    (tmp_path / "e\u0301.py").write_text("")
    (tmp_path / "\u00e9.py").write_text("")
    (tmp_path / "\u212a.py").write_text("")  # the sign for kelvin, whose small letter is k
    (tmp_path / "k.py").write_text("")
    students = [s.student for s in find_submissions(tmp_path)]
    assert len(students) == 15
    assert len(set(students)) == 15
    assert len({file_name(s).casefold() for s in students}) == 15


def test_what_is_forbidden_is_looked_for_where_it_can_do_no_harm() -> None:
    exercise = Exercise(abs, [Case("a", normal("n"))], name="f", arguments=("x",), forbidden=("cosh",))
    before = largest()
    (found,) = violations("x = " + "-" * 100_000 + "1\ncosh(x)\n", [exercise]).values()
    assert found in ([], ["it takes too much memory or time to parse"])
    (found,) = violations("cosh;" * 200_000, [exercise]).values()
    assert found == ["line 1 uses cosh, which is not allowed"]
    assert largest() - before < 200 << 20


def test_an_opener_that_is_killed_is_replaced() -> None:
    with Opener() as opener:
        assert opener.opened("a.py", b"x")["code"] == "x"
        assert opener._process is not None
        opener._process.kill()
        assert opener.opened("a.py", b"y")["code"] == "y"


@pytest.mark.parametrize(
    ("code", "seen"),
    [
        (
            "return g * (multiply(x + h, y) - multiply(x - h, y)) / (2 * h)",
            "a difference quotient of multiply",
        ),
        ("return np.imag(f(x + 1e-200j)) / 1e-200, f(x + 1e-200j).imag / 1e-200", "a complex step?"),
        ("import jax.numpy as jnp", "imports jax.numpy"),
        ("from torch.autograd import grad", "imports torch.autograd"),
        ("return getattr(np, 'co' + 'sh')(x)", "a name put together at run time"),
        ("exec('import ' + 'torch')", "calls exec"),
        ("f = sys._getframe()", "uses _getframe"),
        ("return scipy.optimize.approx_fprime(x, f)", "uses approx_fprime"),
        ("return np.where(x > 0, g, 0.0), (g - ans) / (y - x), getattr(ctx, 'saved')", ""),
    ],
)
def test_what_a_team_may_want_to_look_at(code, seen) -> None:
    with Opener() as opener:
        found = opener.looks([f"import numpy as np\ndef f_vjp(g, ans, x, y):\n    {code}\n"])
    assert (seen in " ".join(found)) if seen else found == []
