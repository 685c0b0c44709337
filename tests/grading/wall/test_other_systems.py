"""What students and teams can do on Windows and macOS, by a Python that has lost what those do not have."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap

import pytest

WINDOWS = """
import os, select, signal, socket, sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name in ("resource", "fcntl", "pwd", "grp", "termios", "pty"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())
for name in ("fork", "forkpty", "geteuid", "getuid", "killpg", "set_blocking", "wait4", "waitid", "setsid",
             "chown", "O_NONBLOCK", "O_CLOEXEC", "O_PATH", "setresuid", "setgroups"):
    if hasattr(os, name):
        delattr(os, name)
for module, names in ((select, ("poll", "epoll")), (signal, ("pthread_kill", "SIGXCPU")),
                      (socket, ("AF_UNIX", "send_fds", "recv_fds"))):
    for name in names:
        if hasattr(module, name):
            delattr(module, name)
def no_select(*_): raise OSError("an operation was attempted on something that is not a socket")
select.select = no_select
"""

MACOS = """
import os, platform, resource, sys, sysconfig
sysconfig.get_config_vars()
def refuse(which, limits, original=resource.setrlimit):
    if which == resource.RLIMIT_AS:
        raise ValueError("current limit exceeds maximum limit")
    return original(which, limits)
resource.setrlimit = refuse
if hasattr(os, "waitid"):
    del os.waitid
sys.platform = "darwin"
platform.system = lambda: "Darwin"
"""

ASSIGNMENT = """
import numpy as np
from diffkit.grading import Case, Exercise, draws
def swish(x, beta=1.0):
    "x times the sigmoid of beta x."
    return x / (1 + np.exp(-beta * x))
def cube(x):
    "x cubed."
    return x ** 3
exercises = [Exercise(f, [Case("ordinary", draws.normal("n"))]) for f in (swish, cube)]
"""

RIGHT = """
import numpy as np
def swish_vjp(g, ans, x, beta=1.0):
    s = 1 / (1 + np.exp(-beta * x))
    return g * (s + beta * x * s * (1 - s))
"""


@pytest.fixture
def diffkit(tmp_path):
    (tmp_path / "hw.py").write_text(ASSIGNMENT)

    def run(system, *arguments, **files):
        for name, text in files.items():
            (tmp_path / f"{name}.py").write_text(RIGHT + textwrap.dedent(text))
        (tmp_path / "site").mkdir(exist_ok=True)
        (tmp_path / "site" / "sitecustomize.py").write_text(system)
        path = os.pathsep.join([str(tmp_path / "site"), *(p for p in sys.path if p)])
        return subprocess.run(
            [sys.executable, "-m", "diffkit", *arguments],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": path, "PYTHONSAFEPATH": "1"},
            capture_output=True,
            text=True,
            timeout=200,
        )

    return run


@pytest.mark.parametrize("system", [WINDOWS, MACOS], ids=["windows", "macos"])
def test_a_student_checks_a_right_and_a_wrong_answer(diffkit, system):
    done = diffkit(
        system, "check", "hw.py", "mine.py", mine="def cube_vjp(g, ans, x):\n    return g * 2 * x\n"
    )
    assert "✓ swish" in done.stdout, done.stdout + done.stderr
    assert "✗ cube" in done.stdout
    assert (done.returncode, done.stderr) == (1, "")
    done = diffkit(
        system, "check", "hw.py", "mine.py", mine="def cube_vjp(g, ans, x):\n    return 3 * g * x**2\n"
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout


@pytest.mark.parametrize("system", [WINDOWS], ids=["windows"])
@pytest.mark.parametrize(
    ("code", "said"),
    [
        (
            "def cube_vjp(g, ans, x):\n    import os; os._exit(3)\n",
            "the process ended before it had answered",
        ),
        ("def cube_vjp(g, ans, x):\n    while True: print('x' * 10000)\n", "printed more than"),
        ("def cube_vjp(g, ans, x):\n    return 1 / 0\n", "ZeroDivisionError"),
        ("raise ValueError('mine')\n", "mine"),
    ],
)
def test_what_goes_wrong_there_is_told(diffkit, system, code, said):
    done = diffkit(system, "check", "hw.py", "mine.py", mine=code)
    assert said in done.stdout, done.stdout + done.stderr
    assert (done.returncode, done.stderr) == (1, "")


def test_a_loop_without_end_is_ended(diffkit, tmp_path):
    (tmp_path / "hw.py").write_text(
        ASSIGNMENT + "from diffkit.grading import Limits\nlimits = Limits(wall_time=2.0)\n"
    )
    done = diffkit(
        WINDOWS, "check", "hw.py", "mine.py", mine="def cube_vjp(g, ans, x):\n    while True: pass\n"
    )
    assert "took longer than 2 seconds" in done.stdout, done.stdout + done.stderr
    assert "✓ swish" in done.stdout


@pytest.mark.parametrize("system", [WINDOWS, MACOS], ids=["windows", "macos"])
def test_a_class_is_graded_on_linux_and_the_rest_is_not_bound_to_it(diffkit, system, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "ann.py").write_text(RIGHT)
    done = diffkit(system, "grade", "hw.py", "in")
    assert done.returncode == 2
    assert "has no walls for it" in done.stderr
    assert "use Linux" in done.stderr
    assert "WSL" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    for arguments in (
        ("--scaffold", "hw.py", "-o", "starter.py"),
        ("--bundle", "gradescope", "hw.py", "-o", "hw.zip"),
    ):
        done = diffkit(system, "grade", *arguments)
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
    done = diffkit(system, "grade", "--self-test", "hw.py", "--only", "cube")
    assert (done.returncode, done.stderr) == (0, ""), done.stdout


def test_what_needs_none_of_it_works_on_windows(diffkit):
    for arguments in (("compare", "two_outputs"), ("source", "two_outputs"), ("doctor",)):
        done = diffkit(WINDOWS, *arguments)
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "PROCESS ONLY" in done.stdout
    walls = json.loads(diffkit(WINDOWS, "doctor", "--json").stdout)["walls"]
    assert [wall["stands here"] for wall in walls] == ["no", "no", "no", "yes"]
