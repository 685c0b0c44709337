"""Whose code a line is: told by where its file lies, for every layout in which people install and write."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import numpy as np
import pytest

import diffkit as dk
from diffkit.sites import owner

PACKAGE = Path(dk.__file__).parent
PROGRAM = """
import numpy as np, diffkit as dk
k = 2.0
def f(x):
    z = x * k
    y = np.sin(z)
    return y
compiled, gradient = dk.compile(f), dk.compile(dk.grad(f))
compiled(1.0), gradient(1.0)
k = 3.0
assert compiled(1.0) == f(1.0), (compiled(1.0), f(1.0))
assert gradient(1.0) == dk.grad(f)(1.0)
print(dk.trace(f)(1.0).names)
"""


@pytest.mark.parametrize(
    "path",
    [
        f"{PACKAGE}_play.py",  # beside the package, its name begun alike
        f"{PACKAGE}.py",
        f"{PACKAGE}-homework/mine.py",
        f"{Path(np.__file__).parent}_groupies/core.py"
        if "site-packages" not in np.__file__
        else "/home/numpyro.py",
        f"{sysconfig.get_path('stdlib')}-homework/mine.py",
        str(PACKAGE / "lessons" / "scripts" / "03_programs_not_formulas.py"),
        str(PACKAGE / "lessons" / ".." / "lessons" / "scripts" / "03.py"),
        str(PACKAGE / "programs.py"),
        "<stdin>",
        "<ipython-input-3-0123456789ab>",
        "<doctest mine[0]>",
        "/home/me/project/mine.py",
        "mine.py",
    ],
)
def test_the_user_s_own(path: str) -> None:
    assert owner(path) == "user"


@pytest.mark.parametrize(
    ("path", "whose"),
    [
        (str(PACKAGE / "autodiff" / "operators.py"), "diffkit"),
        (str(PACKAGE / ".." / "diffkit" / "calculus.py"), "diffkit"),
        (str(PACKAGE / "lessons" / "running.py"), "diffkit"),
        ("<calculus: sin>", "diffkit"),
        (np.__file__, "library"),
        (os.__file__, "library"),
        (pytest.__file__, "library"),
        ("<frozen importlib._bootstrap>", "library"),
        ("numpy/random/mtrand.pyx", "library"),
    ],
)
def test_diffkit_s_and_the_libraries(path: str, whose: str) -> None:
    assert owner(path) == whose


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "mine.py").symlink_to(PACKAGE / "calculus.py")
    (tmp_path / "theirs").symlink_to(PACKAGE)
    assert owner(str(tmp_path / "mine.py")) == "diffkit"
    assert owner(str(tmp_path / "theirs" / "errors.py")) == "diffkit"


def test_packages_put_beside_a_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``pip install --target .``: what has a record is a library, and what lies beside it is not."""
    (tmp_path / "theirs-1.0.dist-info").mkdir()
    record = "theirs/__init__.py,,\ntheirs-1.0.dist-info/RECORD,,\nalone.py,,\n../../bin/theirs,,\n"
    (tmp_path / "theirs-1.0.dist-info" / "RECORD").write_text(record)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert owner(str(tmp_path / "theirs" / "part.py")) == "library"
    assert owner(str(tmp_path / "alone.py")) == "library"
    assert owner(str(tmp_path / "mine.py")) == "user"
    assert owner(str(tmp_path / "theirs_and_mine.py")) == "user"


@pytest.mark.parametrize("name", ["my_play.py", "diffkit_play.py", "numpy_play.py"])
@pytest.mark.parametrize("beside", ["nothing", "diffkit", "installed packages"])
def test_a_changed_global_is_seen_wherever_the_program_lies(tmp_path: Path, name: str, beside: str) -> None:
    if beside == "diffkit":  # as in a clone
        (tmp_path / "diffkit").symlink_to(PACKAGE)
    if beside == "installed packages":  # as by --target
        (tmp_path / "numpy").symlink_to(Path(np.__file__).parent)
    script = tmp_path / name
    script.write_text(PROGRAM)
    path = os.pathsep.join([str(tmp_path), str(PACKAGE.parent)])
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path}
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "['x', 'z', 'y']\n"
