"""The template process: NumPy imported once, a fork for each submission, and nothing that knows an answer.

Started by :mod:`diffkit.grading.wall.isolation` as a program of its own (``python worker.py``), inside
bubblewrap where that is installed. It reads jobs from standard input: a submission's code and the
requests to perform. For each it forks a child with limits, which runs the code and writes one response
for each request. The template watches the clock and the size of what comes, kills whatever is left of
the child, and hands the raw bytes on. It makes nothing of them itself.

A job is a frame with a JSON header, which calls the requests by their numbers, and then a frame for each
request that has not been sent before; an answer is a JSON header, and a frame with all the responses
(:mod:`diffkit.grading.inside.frames`).
"""

from __future__ import annotations

import contextlib
import gc
import json
import linecache
import os
import select
import shutil
import signal
import sys
import tempfile
import time
import types
from collections.abc import Callable
from typing import Any

if __name__ == "__main__":
    # Packages in name only, so that no module that knows a derivative is ever loaded here.
    for _name in ("diffkit", "diffkit.grading", "diffkit.grading.inside"):
        sys.modules[_name] = types.ModuleType(_name)
        sys.modules[_name].__path__ = []
    sys.modules["diffkit.grading.inside"].__path__ = [os.path.dirname(os.path.abspath(__file__))]

from diffkit.grading.inside import confinement, student_side, wire
from diffkit.grading.inside.frames import read_frame, write_frame
from diffkit.grading.inside.protocol import Response
from diffkit.grading.inside.student_side import Asked

__all__ = ["main"]

KEPT_OUTPUT = 4000
"""Characters of what a submission prints that are kept for the report."""

BREATH = 0.001
"""Seconds between looks at the channel: some ten answers come in that time, and are read at once."""


# -- the child, which runs the submission -------------------------------------------------------------------


def _run_child(job: dict[str, Any], requests: list[Asked], results: int, folder: str) -> None:
    """Never returns. What the student's code can reach from here: inputs, and nothing else."""
    os.chdir(folder)
    tempfile.tempdir = os.environ["TMPDIR"] = folder
    source, filename = job["source"], job["filename"]
    # So that a failure can be reported with the line's text, though there is no such file here.
    for name, code in student_side.named_parts(source, filename):
        linecache.cache[name] = (len(code), None, code.splitlines(keepends=True), name)
    confinement.confine(job["limits"], job["uid"], in_own_namespaces(), folder)
    module: Any = None
    failure = None
    try:
        module = student_side.load(source, filename)
    except BaseException as error:
        failure = student_side.failure_of(error, types.SimpleNamespace(__file__=filename))
    _flush()
    write_frame(results, b"" if failure is None else wire.write(Response(failure=failure)))
    if failure is None:
        for request in requests:
            answer = wire.write(student_side.perform(module, request))
            _flush()
            write_frame(results, answer)
    os._exit(0)  # without atexit handlers, and without waiting for threads


def _flush() -> None:
    """So that what was printed comes before what it was printed for."""
    with contextlib.suppress(BaseException):  # whatever the submission has put there in its place
        sys.stdout.flush()


def in_own_namespaces() -> bool:
    """Whether all processes that can be seen here are ours, to be counted and killed."""
    return os.environ.get("DIFFKIT_SANDBOX") == "bubblewrap"


# -- the template -------------------------------------------------------------------------------------------


def _perform(
    job: dict[str, Any], requests: list[Asked], kill: Callable[[int], None], jobs: int
) -> tuple[dict[str, Any], list[bytes]]:
    """Forks a child for one submission and supervises it: the header of the answer, and the responses."""
    results_in, results_out = os.pipe()
    output_in, output_out = os.pipe()
    folder = os.path.realpath(tempfile.mkdtemp(prefix="submission-"))
    if job["uid"] is not None:
        os.chown(folder, job["uid"], job["uid"])
    started, printed = time.monotonic(), b""
    child = os.fork()
    if child == 0:
        try:
            os.setsid()
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(output_out, 1)
            os.dup2(output_out, 2)
            os.closerange(3, results_out)
            os.closerange(results_out + 1, 1024)
            _run_child(job, requests, results_out, folder)
        except BaseException as error:  # nothing of the template's own may run in the child
            with contextlib.suppress(BaseException):
                os.write(2, f"worker: {type(error).__name__}: {error}\n".encode())
        finally:
            os._exit(1)
    os.close(results_out)
    os.close(output_out)
    try:
        end, blobs, printed = _supervise(job, results_in, output_in, jobs, started)
    finally:
        kill(child)
        os.set_blocking(output_in, False)
        with contextlib.suppress(OSError):
            printed += os.read(output_in, KEPT_OUTPUT)
        os.close(results_in)
        os.close(output_in)
        _clear(folder)
    header = {
        "end": end,
        "printed": printed.decode("utf-8", "replace")[:KEPT_OUTPUT],
        "seconds": time.monotonic() - started,
    }
    return header, blobs


def _clear(folder: str) -> None:
    """Removes what a submission has written: its folder, or all that can be written in the sandbox."""
    shutil.rmtree(folder, ignore_errors=True)
    if in_own_namespaces():
        for entry in os.scandir(tempfile.gettempdir()):
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path, ignore_errors=True)
            else:
                os.unlink(entry.path)


def _supervise(
    job: dict[str, Any], results: int, output: int, jobs: int, started: float
) -> tuple[str, list[bytes], bytes]:
    """Reads what comes until all is there or a limit is reached: how it ended, the frames, the output.

    The clock starts anew with each exercise, so that a slow one does not take another's time.
    """
    limits, exercises = job["limits"], [-1, *job["exercises"]]  # of each frame; -1 is loading
    wall_time, largest, most = float(limits["wall_time"]), int(limits["answer"]), int(limits["answers"])
    poller = select.poll()
    for fd in (results, output):
        poller.register(fd, select.POLLIN)
    poller.register(jobs, 0)  # the end of the grader is a hang-up, which poll always tells
    received, printed, blobs = bytearray(), bytearray(), list[bytes]()
    amount = total = 0
    deadline = started + wall_time
    while True:
        left = deadline - time.monotonic()
        if left <= 0:
            return "time", blobs, bytes(printed)
        for fd, _ in poller.poll(left * 1000):
            if fd == jobs:
                raise SystemExit  # nobody waits for an answer any more
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
                return "died", blobs, bytes(printed)
            received += data
            total += len(data)
            while len(received) >= 8:
                size = int.from_bytes(received[:8], "big")
                if size > largest or total > most:
                    return "answer", blobs, bytes(printed)
                if len(received) < 8 + size:
                    break
                blobs.append(bytes(received[8 : 8 + size]))
                del received[: 8 + size]
                if len(blobs) == len(exercises) or (len(blobs) == 1 and size):
                    return "done", blobs, bytes(printed)
                if exercises[len(blobs)] != exercises[len(blobs) - 1]:
                    deadline = time.monotonic() + wall_time
            time.sleep(BREATH)


# -- ending whatever a submission has started --------------------------------------------------------------


def _kill_all_here(child: int) -> None:
    """As the first process of a name space: every process but this one, whatever session it fled to."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(-1, signal.SIGKILL)
    _reap_all()


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
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        _reap_all()

    return kill


def _reap_all() -> None:
    """Waits until there is no process below this one. All of them have been killed."""
    with contextlib.suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)


def _kill_group(child: int) -> None:
    """The child's process group, and then, generation by generation, all that became ours since."""
    deadline = time.monotonic() + 5.0
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)
    while time.monotonic() < deadline:
        for process in _children():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(process, signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _children() -> list[int]:
    try:
        with open(f"/proc/self/task/{os.getpid()}/children") as listing:
            return [int(p) for p in listing.read().split()]
    except OSError:
        return []


def _killer(uid: int | None) -> Callable[[int], None]:
    if in_own_namespaces():
        return _kill_all_here
    return _kill_group if uid is None else _kill_user(uid)


def main() -> None:
    """Serves jobs until standard input ends. The arguments are packages that submissions may import."""
    jobs, answers = os.dup(0), os.dup(1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)  # a stray print can't garble the answers
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    failed = confinement.preload(sys.argv[1:])
    confinement.strip_search_path()
    # Orphans of a submission become our children, so that they can be found and killed; no program
    # gives a submission more rights than it has; nobody of the same user looks into this process.
    confinement.prctl(confinement.SET_SUBREAPER, 1)
    confinement.prctl(confinement.SET_NO_NEW_PRIVILEGES, 1)
    confinement.prctl(confinement.SET_DUMPABLE, 0)
    gc.freeze()  # a fork's collector leaves alone what was there before, and its pages stay shared
    write_frame(answers, json.dumps({"ready": True, "failed": failed}).encode())
    known: list[Asked] = []
    while (frame := read_frame(jobs)) is not None:
        job = json.loads(frame)
        if job["new"]:
            known += [Asked(wire.read_request(read_frame(jobs) or b"")) for _ in range(job["new"])]
            gc.freeze()
        requests = [known[number] for number in job["requests"]]
        header, blobs = _perform(job, requests, _killer(job["uid"]), jobs)
        write_frame(answers, json.dumps({**header, "sizes": [len(blob) for blob in blobs]}).encode())
        write_frame(answers, b"".join(blobs))
    os._exit(0)  # there is nothing to tidy up, and Python takes its time for that


if __name__ == "__main__":
    main()
