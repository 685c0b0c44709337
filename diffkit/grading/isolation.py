"""Running a submission's code where it can do no harm and knows no answers.

The grader holds the answers; a worker gets inputs only and sends raw numbers back. A worker is forked
from a warm template (:mod:`diffkit.grading.worker`) for one submission, with limits of time, memory,
processes, files and output, and everything it leaves behind is killed before its answers are looked at.
How it ended is never a verdict: what is missing is missing.

How high the wall is depends on the machine, and :attr:`Isolation.in_force` says it in a sentence:

- with bubblewrap: name spaces of its own, with no network, no processes but its own, and of the
  file system only Python's library and NumPy;
- as root without it: a user of its own for each worker;
- else: limits and a guard inside the interpreter, which stop accidents and casual attempts only.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import itertools
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from diffkit.errors import DiffkitError
from diffkit.grading import wire
from diffkit.grading.protocol import Failure, Request, Response
from diffkit.grading.worker import write_frame

__all__ = ["Isolation", "IsolationError", "Limits", "Run"]


class IsolationError(DiffkitError, OSError):
    """The template process could not be started, or did not answer."""


@dataclass(frozen=True)
class Limits:
    """What one submission may use.

    Attributes:
        wall_time: seconds by the clock, for all its exercises together.
        processor_time: seconds of computing.
        memory: bytes of address space.
        processes: processes and threads, where the operating system can count them.
        file_size: bytes of a file that it writes.
        output: bytes that it prints.
        answer: bytes of one response.
    """

    wall_time: float = 20.0
    processor_time: float = 20.0
    memory: int = 2 << 30
    processes: int = 64
    file_size: int = 1 << 20
    output: int = 1 << 20
    answer: int = 64 << 20


@dataclass(frozen=True)
class Run:
    """What came of one submission.

    Attributes:
        responses: one for each request, in order; where the worker gave none, a response with the
            reason as its failure.
        load_failure: what loading the submission raised, or None.
        printed: the beginning of what it printed.
        seconds: the time by the clock.
    """

    responses: tuple[Response, ...]
    load_failure: Failure | None = None
    printed: str = ""
    seconds: float = 0.0


_ENDS = {
    "time": ("TimeLimit", "took longer than {wall_time:g} seconds"),
    "died": ("Ended", "the process ended before it had answered (a limit of memory or time, or an exit)"),
    "output": ("OutputLimit", "printed more than {output:,} bytes"),
    "answer": ("AnswerLimit", "sent more than was asked for"),
    "garbled": ("Garbled", "wrote into the grader's channel something that is no answer"),
    "template": ("Ended", "brought down the process that runs submissions"),
}

_slots = itertools.count()
FIRST_USER = 61_000
"""User ids from here on are taken for workers, when the grader runs as root; nobody has them."""


class Isolation:
    """A warm template and the submissions that are run from it, one at a time.

    Args:
        limits: what each submission may use.
        sandbox: "auto" takes bubblewrap where it works; "off" does without.

    Raises:
        IsolationError: if no template can be started.

    >>> with Isolation() as isolation:
    ...     run = isolation.run("def square_vjp(g, ans, x): return 2 * g * x", "submission.py", [])
    >>> run.load_failure is None
    True
    """

    def __init__(self, limits: Limits | None = None, sandbox: str = "auto") -> None:
        self.limits = limits or Limits()
        self._slot = next(_slots)
        self._bubblewrap = sandbox == "auto" and bubblewrap_works()
        self._uid = FIRST_USER + self._slot if not self._bubblewrap and _can_drop_to_user() else None
        self._template: subprocess.Popen[bytes] | None = None
        # The requests of a class are the same for many; the request is kept so that its id stays its own.
        self._written: dict[int, tuple[Request, bytes]] = {}

    @property
    def in_force(self) -> str:
        """Which isolation is in force, in a sentence for the report."""
        if self._bubblewrap:
            return "bubblewrap: no network, no view of the file system, no other processes"
        if self._uid is not None:
            return "a user of its own for each worker, with limits; the network is not cut off"
        return "limits and a guard in the interpreter only: this stops accidents and casual cheating, no more"

    def __enter__(self) -> Isolation:
        self._start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the template and whatever it has started."""
        template, self._template = self._template, None
        if template is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(template.pid, signal.SIGKILL)
        for stream in (template.stdin, template.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        template.wait()

    # -- running ------------------------------------------------------------------------------------------

    def run(self, code: str, filename: str, requests: Sequence[Request]) -> Run:
        """Runs a submission and performs the requests on it.

        When its process ends early, what it has answered counts; the rest of the exercise that it was
        at is lost, and it is started again for the exercises after that.
        """
        responses: dict[int, Response] = {}
        pending = list(range(len(requests)))
        load_failure: Failure | None = None
        printed = ""
        started = time.monotonic()
        while True:
            end, frames, output = self._attempt(code, filename, [requests[k] for k in pending])
            printed = (printed + output)[:4000]
            if frames and frames[0]:
                load_failure = _read(frames[0]).failure
                break
            answered = [_read(frame) for frame in frames[1:]]
            responses |= dict(zip(pending, answered, strict=False))
            if not frames and pending:  # it ended while it was being loaded
                load_failure = self._reason(end)
                break
            rest = pending[len(answered) :]
            if end == "done" or not rest:
                break
            lost = requests[rest[0]].target
            failure = self._reason(end)
            for k in rest:
                if requests[k].target == lost:
                    responses[k] = Response(failure=failure)
            pending = [k for k in rest if requests[k].target != lost]
            if not pending:
                break
        missing = Response(failure=load_failure or self._reason("died"))
        return Run(
            tuple(responses.get(k, missing) for k in range(len(requests))),
            load_failure,
            printed,
            time.monotonic() - started,
        )

    def _reason(self, end: str) -> Failure:
        kind, text = _ENDS[end if end in _ENDS else "died"]
        return Failure(kind, text.format(**dataclasses.asdict(self.limits)))

    def _attempt(self, code: str, filename: str, requests: list[Request]) -> tuple[str, list[bytes], str]:
        """One child: how it ended, its frames (that of loading first), and what it printed."""
        if self._template is None:
            self._start()
        assert self._template is not None
        assert self._template.stdin is not None
        assert self._template.stdout is not None
        job = {
            "code": code,
            "filename": filename,
            "count": len(requests),
            "uid": self._uid,
            "limits": dataclasses.asdict(self.limits),
        }
        try:
            to, back = self._template.stdin.fileno(), self._template.stdout.fileno()
            write_frame(to, json.dumps(job).encode())
            for request in requests:
                write_frame(to, self._bytes_of(request))
            deadline = time.monotonic() + self.limits.wall_time + 5.0
            header = json.loads(_frame_before(deadline, back))
            frames = [_frame_before(deadline, back, self.limits.answer) for _ in range(int(header["count"]))]
            return str(header["end"]), frames, str(header["printed"])
        except (OSError, ValueError, KeyError, TypeError):
            # Whatever it was, nothing that this template says from now on can be believed.
            self.close()
            return "template", [], ""

    def _bytes_of(self, request: Request) -> bytes:
        if id(request) not in self._written:
            self._written[id(request)] = (request, wire.write(request))
        return self._written[id(request)][1]

    # -- the template ---------------------------------------------------------------------------------------

    def _start(self) -> None:
        environment = {
            "LANG": "C.UTF-8",
            "PATH": "/usr/bin:/bin",
            "OPENBLAS_NUM_THREADS": "1",
            "OMP_NUM_THREADS": "1",
            "PYTHONHASHSEED": "0",
        }
        if self._bubblewrap:
            command = bubblewrap_command({**environment, "DIFFKIT_SANDBOX": "bubblewrap"})
        else:
            worker = Path(__file__).parent / "worker.py"
            command = [sys.executable, "-I", "-B", str(worker)]
        self._template = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            cwd="/",
            start_new_session=True,
        )
        assert self._template.stdout is not None
        try:
            ready = _frame_before(time.monotonic() + 30.0, self._template.stdout.fileno())
        except OSError:
            ready = b""
        if ready != b"ready":
            self.close()
            raise IsolationError("the process that runs submissions could not be started")


def _frame_before(deadline: float, fd: int, largest: int = 1 << 20) -> bytes:
    """The next frame, if all of it comes before the deadline.

    Raises:
        OSError: if it does not, or it says that it is longer than ``largest``, or the other side has
            gone.
    """
    size = int.from_bytes(_bytes_before(deadline, fd, 8), "big")
    if size > largest:
        raise OSError(f"a frame of {size} bytes is longer than the {largest} that are read")
    return _bytes_before(deadline, fd, size)


def _bytes_before(deadline: float, fd: int, size: int) -> bytes:
    parts = []
    while size:
        if not select.select([fd], [], [], max(0.0, deadline - time.monotonic()))[0]:
            raise TimeoutError("no answer in time")
        part = os.read(fd, min(size, 1 << 20))
        if not part:
            raise ConnectionError("the other side has gone")
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _read(frame: bytes) -> Response:
    try:
        return wire.read_response(frame)
    except wire.WireError:
        kind, text = _ENDS["garbled"]
        return Response(failure=Failure(kind, text))


def _can_drop_to_user() -> bool:
    """Whether we are root, and another user could read Python and NumPy."""
    if os.geteuid() != 0:
        return False
    needed = [Path(os.__file__), Path(np.__file__), Path(__file__), Path(sys.executable).resolve()]
    return all(p.stat().st_mode & 0o001 for file in needed for p in file.resolve().parents)


# -- bubblewrap -------------------------------------------------------------------------------------------


def bubblewrap_command(environment: dict[str, str], program: Sequence[str] = ()) -> list[str]:
    """The command that starts a template in name spaces of its own, with a file system of its own."""
    here, site = Path(__file__).parent, "/opt/site"
    command = ["bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--clearenv"]
    for name, value in {**environment, "PYTHONPATH": site}.items():
        command += ["--setenv", name, value]
    base = Path(sys.base_prefix)
    for folder in dict.fromkeys(["/usr", "/lib", "/lib64", "/bin", str(base)]):
        if Path(folder).is_symlink():
            command += ["--symlink", os.readlink(folder), folder]
        elif Path(folder).is_dir():
            command += ["--ro-bind", folder, folder]
    for folder in _other_packages(base):
        command += ["--tmpfs", folder]
    numpy = Path(np.__file__).parent
    for package in (numpy, numpy.with_name("numpy.libs")):
        if package.is_dir():
            command += ["--ro-bind", str(package), f"{site}/{package.name}"]
    for name in ("worker", "wire", "protocol", "student_side", "programs_for_engines"):
        command += ["--ro-bind", str(here / f"{name}.py"), f"/opt/grading/{name}.py"]
    command += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--chdir", "/tmp", "--"]
    python = str(Path(sys.executable).resolve())
    return command + list(program or [python, "-s", "-B", "-P", "/opt/grading/worker.py"])


def _other_packages(base: Path) -> list[str]:
    """Folders of installed packages, which a submission is not to see: one of them may differentiate."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    candidates = [
        Path(sysconfig.get_path("purelib", vars={"base": str(base), "platbase": str(base)})),
        base / "lib" / version / "site-packages",
        Path("/usr/lib/python3/dist-packages"),
        Path(f"/usr/local/lib/{version}/dist-packages"),
        Path(f"/usr/local/lib/{version}/site-packages"),
    ]
    return list(dict.fromkeys(str(c) for c in candidates if c.is_dir()))


@functools.cache
def bubblewrap_works() -> bool:
    """Whether bubblewrap is installed and may make name spaces here (containers often forbid it)."""
    if shutil.which("bwrap") is None:
        return False
    try:
        done = subprocess.run(
            bubblewrap_command({"PATH": "/usr/bin:/bin"}, ["/bin/true"]),
            capture_output=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
