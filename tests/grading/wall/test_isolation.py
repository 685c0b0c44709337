"""The walls themselves, each without the others, and what an isolation gives back."""

from __future__ import annotations

import ast
import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from diffkit.errors import InputError
from diffkit.grading.exercises.limits import Limits
from diffkit.grading.inside.confinement import landlock_version
from diffkit.grading.inside.frames import write_frame
from diffkit.grading.inside.protocol import Point, Request, Step, Target, pack_array, unpack_array
from diffkit.grading.wall.conversation import converse
from diffkit.grading.wall.isolation import Isolation, IsolationError
from diffkit.grading.wall.sandbox import (
    HERE,
    Users,
    bubblewrap_command,
    why_no_bubblewrap,
    why_no_users,
)

needs_bubblewrap = pytest.mark.skipif(bool(why_no_bubblewrap()), reason=why_no_bubblewrap())
needs_users = pytest.mark.skipif(bool(why_no_users()), reason=why_no_users())
SANDBOXES = [
    "off",
    pytest.param("bubblewrap", marks=needs_bubblewrap),
    pytest.param("user", marks=needs_users),
]


def square(name: str = "square", x: float = 3.0) -> Request:
    points = (Point((pack_array(x),), (), pack_array(x * x), (0,)),)
    steps = (Step("g", "backward", 0, 0, 0),)
    return Request(Target(name, "vjp", (f"{name}_vjp",)), points, ((pack_array(0.5),),), steps)


RULE = "def {0}_vjp(g, ans, x):\n    {1}\n    return 2 * g * x\n"


@pytest.fixture(params=SANDBOXES)
def isolation(request):
    with Isolation(Limits(wall_time=1.0), request.param) as isolation:
        yield isolation


def answer(response) -> float:
    return float(unpack_array(response.steps[0].values[0].array))


def test_answers_come_back_as_numbers(isolation: Isolation) -> None:
    run = isolation.run(RULE.format("square", "print('at', x)"), "a.py", [square(), square(x=-2.0)])
    assert [answer(r) for r in run.responses] == [3.0, -2.0]
    assert run.printed == "at 3.0\nat -2.0\n"
    assert run.load_failure is None


def test_what_honest_code_does_works(isolation: Isolation) -> None:
    code = """
import concurrent.futures, pathlib, pickle, random, tempfile, unittest
from dataclasses import dataclass
import numpy.ma, numpy.testing
@dataclass
class Point:
    x: float
with tempfile.TemporaryDirectory() as folder:
    (pathlib.Path(folder) / "x").write_text("hi")
with open("notes.txt", "w") as file:
    file.write("mine")
with concurrent.futures.ThreadPoolExecutor(2) as pool:
    print(list(pool.map(abs, [-1, -2])), Point(1.5))
print(numpy.random.default_rng(0).integers(10), numpy.fft.fft([1.0]), numpy.linalg.inv([[2.0]]))
"""
    run = isolation.run(code, "a.py", [])
    assert run.load_failure is None
    assert run.printed.startswith("[1, 2] Point(x=1.5)")


ORDINARY = """
abc argparse array ast asyncio bisect calendar cmath collections collections.abc concurrent.futures
contextlib copy csv dataclasses datetime decimal difflib doctest dis enum fractions functools gc glob
graphlib hashlib heapq importlib.util inspect io itertools json keyword locale logging math
multiprocessing numbers operator os pathlib pickle platform pprint queue random re secrets shutil signal
socket sqlite3 ssl statistics string struct subprocess symtable sys tempfile textwrap threading time
timeit tokenize traceback types typing unittest unittest.mock urllib.request uuid warnings weakref
xml.etree.ElementTree zipfile zlib numpy.fft numpy.lib.stride_tricks numpy.linalg numpy.ma
numpy.polynomial numpy.random numpy.testing numpy.typing
""".split()


def test_the_whole_standard_library_and_numpy_can_be_imported(isolation: Isolation) -> None:
    run = isolation.run("".join(f"import {name}\n" for name in ORDINARY), "a.py", [])
    assert (run.load_failure, run.printed) == (None, "")


def test_asynchronous_code_runs_as_far_as_it_needs_no_network(isolation: Isolation) -> None:
    code = """
import asyncio
async def f():
    return 1
try:
    f().send(None)
except StopIteration as end:
    print(end.value)
"""
    assert isolation.run(code, "a.py", []).printed == "1\n"


@pytest.mark.slow
@pytest.mark.parametrize("sandbox", SANDBOXES)
def test_packages_come_with_what_they_require(sandbox: str) -> None:
    pytest.importorskip("matplotlib")
    pytest.importorskip("scipy")
    code = """
import matplotlib.pyplot as plt, scipy.optimize, scipy.stats
figure, axes = plt.subplots()
axes.plot([1, 2], [3, 4])
axes.set_title("$x^2$")
plt.savefig("figure.png")
plt.show()
print(round(scipy.optimize.brentq(lambda x: x**2 - 2, 0, 2), 4))
"""
    with Isolation(sandbox=sandbox, packages=("matplotlib", "scipy")) as isolation:
        run = isolation.run(code, "a.py", [])
        assert (run.load_failure, run.printed) == (None, "1.4142\n")
        assert isolation.run("import autograd", "a.py", []).load_failure is not None


def test_a_package_that_cannot_be_imported_is_named() -> None:
    with pytest.raises(IsolationError, match=r"could not import nonesuch \(No module named 'nonesuch'\)"):
        Isolation(sandbox="off", packages=("nonesuch",)).__enter__()


def test_a_failure_names_the_line(isolation: Isolation) -> None:
    run = isolation.run("def square_vjp(g, ans, x):\n    return g * X\n", "a.py", [square()])
    failure = run.responses[0].steps[0].failure
    assert failure is not None
    assert (failure.kind, failure.where) == ("NameError", "line 2: return g * X")


def test_a_notebooks_failure_names_cell_and_line(isolation: Isolation) -> None:
    rule = "def square_vjp(g: Later, ans, x):\n    return g * X"
    cells = ["from __future__ import annotations", "K = 2\n", rule]
    failure = isolation.run(cells, "a.ipynb", [square()]).responses[0].steps[0].failure
    assert failure is not None
    assert failure.where == "cell 3, line 2: return g * X"
    failure = isolation.run([*cells, "\nK = = 3"], "a.ipynb", [square()]).load_failure
    assert failure is not None
    assert failure.message == "invalid syntax (cell 4, line 2)"
    failure = isolation.run([*cells, "\n\nK / 0"], "a.ipynb", [square()]).load_failure
    assert failure is not None
    assert failure.where == "cell 4, line 3: K / 0"


def test_what_was_answered_before_the_end_counts(isolation: Isolation) -> None:
    code = (
        RULE.format("one", "pass") + RULE.format("two", "import os; os._exit(0)") + RULE.format("three", "")
    )
    run = isolation.run(code, "a.py", [square(n) for n in ("one", "two", "two", "three")])
    assert [r.failure is None for r in run.responses] == [True, False, False, True]
    assert answer(run.responses[3]) == 3.0


def test_the_clock_starts_anew_with_each_exercise(isolation: Isolation) -> None:
    slow = "import time; time.sleep(0.6)"
    names = ("one", "two", "three")
    run = isolation.run("".join(RULE.format(n, slow) for n in names), "a.py", [square(n) for n in names])
    assert [answer(r) for r in run.responses] == [3.0, 3.0, 3.0]


def test_a_restarted_template_goes_on(isolation: Isolation) -> None:
    isolation.run(RULE.format("square", ""), "a.py", [square()])
    first = isolation._template
    isolation.close()
    run = isolation.run(RULE.format("square", ""), "a.py", [square()])
    assert answer(run.responses[0]) == 3.0
    assert isolation._template is not first


def test_a_template_that_dies_is_replaced_and_nobody_notices(isolation: Isolation) -> None:
    isolation.run("", "a.py", [])
    assert isolation._template is not None
    os.kill(isolation._template.pid, signal.SIGKILL)
    assert answer(isolation.run(RULE.format("square", ""), "a.py", [square()]).responses[0]) == 3.0


def test_what_is_killed_from_outside_is_run_again_and_then_not_graded(
    isolation: Isolation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the kernel does for want of memory: a fault of the machine's, and none of the submission's."""
    isolation.run("", "a.py", [])
    assert isolation._template is not None
    stop = threading.Event()

    def kill(once: bool) -> None:
        while not stop.wait(0.01):
            template = isolation._template
            for pid in descendants(template.pid) if template is not None else ():  # it may be between two
                with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has ended since
                    if b"worker.py" in Path(f"/proc/{pid}/cmdline").read_bytes() and not descendants(pid):
                        os.kill(pid, signal.SIGKILL)
                        if once:
                            return

    slow = "import time\ntime.sleep(0.3)\n" + RULE.format("square", "")
    killer = threading.Thread(target=kill, args=(True,))
    killer.start()
    run = isolation.run(slow, "a.py", [square()])
    killer.join()
    assert answer(run.responses[0]) == 3.0
    killer = threading.Thread(target=kill, args=(False,))
    killer.start()
    with pytest.raises(IsolationError, match=r"killed by somebody|was lost while|could not be started"):
        isolation.run(slow, "a.py", [square()])
    stop.set()
    killer.join()


def test_a_package_is_there_only_if_it_is_allowed() -> None:
    pytest.importorskip("scipy")
    code = "import scipy.special\n" + RULE.format("square", "")
    for sandbox in ["off", "bubblewrap"] if not why_no_bubblewrap() else ["off"]:
        with Isolation(sandbox=sandbox) as without, Isolation(sandbox=sandbox, packages=("scipy",)) as given:
            failure = without.run(code, "a.py", [square()]).load_failure
            assert failure is not None
            assert failure.kind in ("ModuleNotFoundError", "PermissionError")
            assert answer(given.run(code, "a.py", [square()]).responses[0]) == 3.0


def test_asks_for_a_sandbox_that_there_is() -> None:
    with pytest.raises(InputError, match="sandbox is 'jail', but must be one of auto"):
        Isolation(sandbox="jail")


def test_two_graders_never_share_users() -> None:
    users = [Users() for _ in range(5)]
    ids = [{each.killer, *(each.next() for _ in range(100))} for each in users]
    assert len(set.union(*ids)) == 5 * 64
    number = users[0].killer
    users[0].release()
    assert Users().killer == number


# -- nothing stays behind -----------------------------------------------------------------------------------


def descendants(pid: int) -> set[int]:
    found: set[int] = set()
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid and fields[0] != "Z":
            child = int(status.parent.name)
            found |= {child} | descendants(child)
    return found


def alive(pids: set[int]) -> set[int]:
    return {p for p in pids if Path(f"/proc/{p}").exists() and "Z" not in state(p)}


def state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "Z"


@pytest.mark.parametrize("sandbox", SANDBOXES)
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_no_process_outlives_a_killed_grader(sandbox: str, number: int) -> None:
    program = f"""
import sys, time
from diffkit.grading.wall.isolation import Isolation
with Isolation(sandbox={sandbox!r}) as isolation:
    print("running", flush=True)
    isolation.run("import time\\ntime.sleep(60)", "a.py", [])
"""
    grader = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert grader.stdout is not None
    grader.stdout.readline()
    deadline = time.monotonic() + 10
    while len(below := descendants(grader.pid)) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(below) >= 2  # the template, and the child that sleeps
    grader.send_signal(number)
    grader.wait()
    grader.stdout.close()
    while alive(below) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not alive(below)


def test_the_pieces_of_a_folder_are_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = set(Path("/tmp").glob("submission-*"))
    with Isolation(sandbox="off") as isolation:
        isolation.run("open('left', 'w').write('x')\nimport os\nos._exit(0)", "a.py", [])
    assert set(Path("/tmp").glob("submission-*")) <= before


# -- each wall by itself, without the guard in the interpreter ---------------------------------

TRIES = """
import os, socket
def attempt(name, action):
    try:
        action()
        print(name, "done")
    except OSError as error:
        print(name, "refused")
attempt("read", lambda: open("/etc/passwd").read())
attempt("assignment", lambda: os.stat({here!r}))
attempt("write", lambda: open("/usr/lib/x", "w"))
attempt("root", lambda: os.mkdir("/x"))
attempt("site", lambda: open("/opt/site/x", "w"))
attempt("dev", lambda: open("/dev/shm/x", "w"))
attempt("mount", lambda: os.mknod("/tmp/disk", 0o60600, os.makedev(8, 0)))
attempt("network", lambda: socket.create_connection(("127.0.0.1", {port}), 1))
attempt("own", lambda: open("own", "w").write("x"))
"""


@pytest.fixture
def port():
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@needs_bubblewrap
def test_bubblewrap_shows_no_files_and_no_network(port: int) -> None:
    tries = TRIES.format(here=str(Path(__file__)), port=port)
    tries += "print(sorted(p for p in os.listdir('/proc') if p.isdigit()), os.getpid())\n"
    tries += "print(*[line for line in open('/proc/self/status') if line.startswith('CapEff')])\n"
    tries += "os.kill(1, 9)\nprint('still there')\n"
    command = bubblewrap_command({}, False, program=[str(Path(sys.executable).resolve()), "-S", "-c", tries])
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    lines = done.stdout.splitlines()
    assert lines[:9] == [
        *("read refused", "assignment refused", "write refused", "root refused", "site refused"),
        *("dev refused", "mount refused", "network refused", "own done"),
    ], done
    assert lines[9] == "['1'] 1"
    assert lines[10].split() == ["CapEff:", "0000000000000000"]
    assert lines[-1] == "still there"  # no signal ends the first process of a name space


@pytest.mark.skipif(landlock_version() < 4, reason="the kernel has no Landlock that knows TCP")
def test_landlock_shows_no_files_and_no_network(tmp_path: Path, port: int) -> None:
    setup = f"from diffkit.grading.inside import confinement\nconfinement._landlock({str(tmp_path)!r})\n"
    tries = TRIES.format(here=str(Path(__file__)), port=port).replace("os.stat", "os.listdir")
    signals = f"attempt('signal', lambda: os.kill({os.getpid()}, 0))\n"
    done = subprocess.run(
        [sys.executable, "-c", setup + tries + signals],
        capture_output=True, text=True, timeout=20, cwd=tmp_path, check=False,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    assert lines[:6] == [
        *("read refused", "assignment refused", "write refused", "root refused", "site refused"),
        "dev refused",
    ], done
    assert lines[7:9] == ["network refused", "own done"]
    if landlock_version() >= 6:
        assert lines[9] == "signal refused"


def test_a_worker_holds_nothing_that_knows_a_derivative(isolation: Isolation) -> None:
    code = """
import gc
found = {t.__module__ for t in object.__subclasses__() if t.__module__.startswith("diffkit")}
found |= {getattr(f, "__module__", None) or "" for f in gc.get_objects() if callable(f)}
print(sorted(name for name in found if name.startswith("diffkit")))
"""
    printed = isolation.run(code, "a.py", []).printed
    found = set(ast.literal_eval(printed))
    assert "diffkit.grading.inside.protocol" in found
    assert all(name.startswith("diffkit.grading.inside.") for name in found)


def test_what_is_loaded_beside_student_code_imports_nothing_of_diffkit_outside() -> None:
    for path in HERE.glob("*.py"):
        tree = ast.parse(path.read_text())
        imported = {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
        imported |= {n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
        outside = {name for name in imported if name.startswith("diffkit") and "grading.inside" not in name}
        assert not outside, path


@pytest.mark.parametrize(("waited", "end"), [(5.0, "done"), (0.0, "time")])
def test_waiting_for_a_processor_is_not_the_submissions_time(waited: float, end: str) -> None:
    """The time runs out; the process could have run and had no processor, or it had one."""
    (theirs, to), (back, answers), (output, printed) = os.pipe(), os.pipe(), os.pipe()
    write_frame(answers, b"ready")
    write_frame(answers, b"")  # it is loaded

    def ask() -> float:
        write_frame(answers, b"the answer")  # which comes now, and counts only if there is time left
        return waited

    heard = converse(b"", [b"?"], [0], 1, Limits(wall_time=0.05), (to, back, output), ask)
    assert heard.end == end
    assert len(heard.frames) == (3 if end == "done" else 2)
    for pipe in (theirs, to, back, answers, output, printed):
        os.close(pipe)


def test_how_long_a_process_has_waited_is_asked_of_the_kernel() -> None:
    with Isolation(Limits(wall_time=0.2), sandbox="off") as isolation:
        asked: list[float] = []
        ask = isolation._waited
        isolation._waited = lambda: asked.append(ask()) or asked[-1]  # type: ignore[func-returns-value, method-assign]
        run = isolation.run("import time\ntime.sleep(60)", "a.py", [square()])
    assert run.load_failure is not None
    assert run.load_failure.kind == "TimeLimit"
    assert asked
    assert all(seconds >= 0 for seconds in asked)
