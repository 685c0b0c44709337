"""The template process: NumPy imported once, a fork for each submission, and nothing that knows an answer.

Started by :mod:`diffkit.grading.isolation` as a program of its own (``python worker.py``), inside
bubblewrap where that is installed. It reads jobs from standard input: a submission's code and the
requests to perform. For each it forks a child with limits, which runs the code and writes one response
for each request. The template watches the clock and the size of what comes, kills whatever is left of
the child, and hands the raw bytes on. It makes nothing of them itself.

Every frame is a length in eight bytes and so many bytes. A job is a JSON header and then the requests; an
answer is a JSON header and then the responses.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import select
import shutil
import signal
import struct
import sys
import tempfile
import time
import types
from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["main"]

KEPT_OUTPUT = 4000
"""Characters of what a submission prints that are kept for the report."""


def _trusted_modules() -> tuple[Any, Any]:
    """``wire`` and ``student_side``, imported without the rest of diffkit.

    The packages are stand-ins, so that no module with a reference derivative is ever loaded here.
    """
    here = os.path.dirname(os.path.abspath(__file__))
    for name, path in (("diffkit", []), ("diffkit.grading", [here])):
        package = types.ModuleType(name)
        package.__path__ = path
        sys.modules[name] = package
    from diffkit.grading import student_side, wire

    return wire, student_side


# -- frames -----------------------------------------------------------------------------------------------


def read_exactly(fd: int, size: int) -> bytes:
    """``size`` bytes, or b"" at the end."""
    parts = []
    while size:
        part = os.read(fd, min(size, 1 << 20))
        if not part:
            return b""
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def read_frame(fd: int) -> bytes | None:
    """The next frame, or None at the end."""
    head = read_exactly(fd, 8)
    return read_exactly(fd, struct.unpack(">Q", head)[0]) if head else None


def write_frame(fd: int, data: bytes) -> None:
    """Writes a frame, whole."""
    view = memoryview(struct.pack(">Q", len(data)) + data)
    while view:
        view = view[os.write(fd, view) :]


# -- the child, which runs the submission -------------------------------------------------------------------


def _run_child(job: dict[str, Any], requests: list[bytes], results: int, folder: str, trusted: Any) -> None:
    """Never returns. What the student's code can reach from here: inputs, and nothing else."""
    wire, student_side = trusted
    _limit(job["limits"], job["uid"])
    os.chdir(folder)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    _guard(folder)
    module: Any = None
    failure = None
    try:
        module = student_side.load(job["code"], job["filename"])
    except BaseException as error:
        probe = types.SimpleNamespace(__file__=job["filename"])
        failure = student_side.failure_of(error, probe)
    write_frame(results, b"" if failure is None else wire.write(student_side.Response(failure=failure)))
    if failure is None:
        for request in requests:
            write_frame(results, wire.write(student_side.perform(module, wire.read_request(request))))
    os._exit(0)  # without atexit handlers, and without waiting for threads


def _limit(limits: dict[str, Any], uid: int | None) -> None:
    """The operating system's limits, before any of the student's code is read."""
    memory = int(limits["memory"])
    for name, value in (
        ("RLIMIT_AS", memory),
        ("RLIMIT_CPU", int(limits["processor_time"]) + 1),
        ("RLIMIT_FSIZE", int(limits["file_size"])),
        ("RLIMIT_NOFILE", 64),
        ("RLIMIT_CORE", 0),
    ):
        resource.setrlimit(getattr(resource, name), (value, value))
    if uid is not None:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
        # Counted by user, and this user is the worker's alone.
        resource.setrlimit(resource.RLIMIT_NPROC, (int(limits["processes"]),) * 2)
    elif job_is_alone():
        resource.setrlimit(resource.RLIMIT_NPROC, (int(limits["processes"]),) * 2)


def job_is_alone() -> bool:
    """Whether this is a process namespace of its own, in which processes can be counted and killed."""
    return os.environ.get("DIFFKIT_SANDBOX") == "bubblewrap"


# What submissions have no business with. The operating system's sandbox is the wall, where there is one;
# these give a clear message, and stop accidents and casual attempts where there is none.
_REFUSED = {
    "os.kill": "send signals",
    "os.killpg": "send signals",
    "signal.pthread_kill": "send signals",
    "os.fork": "start processes",
    "os.forkpty": "start processes",
    "os.exec": "start processes",
    "os.posix_spawn": "start processes",
    "os.spawn": "start processes",
    "os.system": "start processes",
    "subprocess.Popen": "start processes",
    "pty.spawn": "start processes",
    "socket.__new__": "use the network",
    "socket.connect": "use the network",
    "socket.bind": "use the network",
    "socket.getaddrinfo": "use the network",
    "code.__new__": "build code objects",
    "os.symlink": "make links",
    "os.link": "make links",
}
# Changes of the file system, refused outside the submission's own folder.
_CHANGES = frozenset(
    "os.chmod os.chown os.mkdir os.remove os.rename os.rmdir os.truncate os.utime os.setxattr".split()
)
_WALLED = frozenset({"_ctypes", "ctypes", "diffkit", "autograd", "jax", "torch", "tensorflow", "gdb", "pip"})


def _guard(folder: str) -> None:
    """Refuses what a submission has no business with, through an audit hook, which can't be removed."""
    readable = tuple(
        {
            os.path.realpath(p) + os.sep
            for p in (
                os.path.dirname(os.__file__),
                os.path.dirname(np.__file__),
                os.path.join(os.path.dirname(os.path.dirname(np.__file__)), "numpy.libs"),
                folder,
            )
        }
    )
    packages = os.path.realpath(os.path.join(os.path.dirname(np.__file__), ".."))
    allowed = (os.path.dirname(np.__file__) + os.sep, os.path.join(packages, "numpy"))
    realpath, fsdecode, write_flags = os.path.realpath, os.fsdecode, os.O_WRONLY | os.O_RDWR

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = args
            if isinstance(path, int) or path is None:
                return
            real = realpath(fsdecode(path))
            writing = isinstance(flags, int) and flags & write_flags
            inside = real.startswith(readable) and not (
                real.startswith(packages + os.sep) and not real.startswith(allowed)
            )
            if (writing and not real.startswith(folder + os.sep)) or not inside:
                if real in ("/dev/null", "/dev/urandom"):
                    return
                raise PermissionError(f"a submission may not open {real}")
        elif event == "import":
            if args[0].partition(".")[0] in _WALLED:
                raise ImportError(f"a submission may not import {args[0]}")
        elif event in _CHANGES:
            for path in args[: 2 if event == "os.rename" else 1]:
                if not isinstance(path, int) and not realpath(fsdecode(path)).startswith(folder + os.sep):
                    raise PermissionError(f"a submission may not change {fsdecode(path)}")
        elif event.startswith("ctypes."):
            raise PermissionError("a submission may not use ctypes")
        elif event == "object.__setattr__":
            if args[1] in ("__code__", "__globals__", "__closure__"):
                raise PermissionError("a submission may not change a function's code")
        elif _REFUSED.get(event):
            raise PermissionError(f"a submission may not {_REFUSED[event]}")

    for name in [n for n in sys.modules if n.partition(".")[0] in ("diffkit", "ctypes", "_ctypes")]:
        del sys.modules[name]
    sys.addaudithook(hook)


# -- the template -------------------------------------------------------------------------------------------


def _perform(
    job: dict[str, Any], requests: list[bytes], trusted: Any, kill: Callable[[int], None]
) -> tuple[dict[str, Any], list[bytes]]:
    """Forks a child for one submission and supervises it: the header of the answer, and the responses."""
    results_in, results_out = os.pipe()
    output_in, output_out = os.pipe()
    folder = os.path.realpath(tempfile.mkdtemp(prefix="submission-"))
    if job["uid"] is not None:
        os.chown(folder, job["uid"], job["uid"])
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        try:
            os.setsid()
            os.close(results_in)
            os.close(output_in)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(output_out, 1)
            os.dup2(output_out, 2)
            _close_from(3, keep=results_out)
            _run_child(job, requests, results_out, folder, trusted)
        except BaseException as error:  # nothing of the template's own may run in the child
            with contextlib.suppress(BaseException):
                os.write(2, f"worker: {type(error).__name__}: {error}\n".encode())
        finally:
            os._exit(1)
    os.close(results_out)
    os.close(output_out)
    try:
        end, blobs, printed = _supervise(job["limits"], results_in, output_in, len(requests) + 1, started)
    finally:
        kill(child)
        os.close(results_in)
        os.close(output_in)
        shutil.rmtree(folder, ignore_errors=True)
    header = {
        "end": end,
        "printed": printed.decode("utf-8", "replace")[:KEPT_OUTPUT],
        "seconds": time.monotonic() - started,
    }
    return header, blobs


def _close_from(first: int, keep: int) -> None:
    os.closerange(first, keep)
    os.closerange(keep + 1, 256)


def _supervise(
    limits: dict[str, Any], results: int, output: int, expected: int, started: float
) -> tuple[str, list[bytes], bytes]:
    """Reads what comes until all is there or a limit is reached: how it ended, the frames, the output."""
    poller = select.poll()
    poller.register(results, select.POLLIN)
    poller.register(output, select.POLLIN)
    received = bytearray()
    printed = bytearray()
    blobs: list[bytes] = []
    deadline = started + float(limits["wall_time"])
    amount = 0
    while True:
        left = deadline - time.monotonic()
        if left <= 0:
            return "time", blobs, bytes(printed)
        for fd, _ in poller.poll(left * 1000):
            data = os.read(fd, 1 << 16)
            if fd == output:
                if not data:
                    poller.unregister(output)
                amount += len(data)
                printed += data[: max(0, KEPT_OUTPUT - len(printed))]
                if amount > int(limits["output"]):
                    return "output", blobs, bytes(printed)
                continue
            if not data:
                return "done" if len(blobs) >= expected else "died", blobs, bytes(printed)
            received += data
            while len(received) >= 8:
                size = struct.unpack(">Q", received[:8])[0]
                if size > int(limits["answer"]):
                    return "answer", blobs, bytes(printed)
                if len(received) < 8 + size:
                    break
                blobs.append(bytes(received[8 : 8 + size]))
                del received[: 8 + size]
                if len(blobs) > expected:
                    return "answer", blobs[:expected], bytes(printed)


def _kill_all_here(child: int) -> None:
    """In a process namespace of our own: every process but this one, whatever session it fled to."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(-1, signal.SIGKILL)
    _reap(child)


def _kill_user(uid: int) -> Callable[[int], None]:
    """As root, with a user that nobody else has: every process of that user."""

    def kill(child: int) -> None:
        killer = os.fork()
        if killer == 0:
            try:
                os.setgroups([])
                os.setresgid(uid, uid, uid)
                os.setresuid(uid, uid, uid)
                with contextlib.suppress(ProcessLookupError):
                    os.kill(-1, signal.SIGKILL)
            finally:
                os._exit(0)
        os.waitpid(killer, 0)
        _kill_group(child)

    return kill


def _kill_group(child: int) -> None:
    """The child's process group, and then, generation by generation, all that became ours since."""
    for _ in range(50):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child, signal.SIGKILL)
        for process in _children():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(process, signal.SIGKILL)
        _reap(child)
        if not _children():
            return
        time.sleep(0.002)


def _children() -> list[int]:
    try:
        with open(f"/proc/self/task/{os.getpid()}/children") as listing:
            return [int(p) for p in listing.read().split()]
    except OSError:
        return []


def _reap(child: int) -> None:
    with contextlib.suppress(ChildProcessError):
        os.waitpid(child, 0)
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def main() -> None:
    """Serves jobs until standard input ends."""
    jobs, answers = os.dup(0), os.dup(1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)  # a stray print can't garble the answers
    trusted = _trusted_modules()
    with contextlib.suppress(OSError, AttributeError):
        # Orphans of a submission become our children, so that they can be found and killed.
        ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
    np.linalg.solve(np.eye(2), np.ones(2))  # loads the libraries that a fork should find loaded
    write_frame(answers, b"ready")
    while (frame := read_frame(jobs)) is not None:
        job = json.loads(frame)
        requests = [read_frame(jobs) or b"" for _ in range(job["count"])]
        if job_is_alone():
            kill = _kill_all_here
        elif job["uid"] is not None:
            kill = _kill_user(job["uid"])
        else:
            kill = _kill_group
        header, blobs = _perform(job, requests, trusted, kill)
        write_frame(answers, json.dumps({**header, "count": len(blobs)}).encode())
        for blob in blobs:
            write_frame(answers, blob)


if __name__ == "__main__":
    main()
