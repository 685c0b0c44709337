"""The template process: NumPy imported once, a fork for each submission, and nothing of any submission.

Started by :mod:`diffkit.grading.wall.isolation` as a program of its own (``python worker.py``), inside
bubblewrap where that is installed. It is told to fork and to end, and no more: what a submission is and
what is asked of it goes from the grader to the child, by a pipe of the child's own, and what comes back
by another. So a child is a copy of a process that has never held anybody's code, inputs or answers.

The template watches how much a child writes to the disk, ends all that it has started, and removes what
it has left. The clock and the size of the answers are watched by the grader.

A message to the template is a frame of JSON that comes with the child's ends of the pipes; then frames that
ask how long the child has waited for a processor, and one that says that it shall end. The template answers
with a frame each: the seconds, and how it ended.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import signal
import socket
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
from diffkit.grading.inside.disk import empty, written
from diffkit.grading.inside.frames import as_bytes, read_frame, receive_with_files, write_frame
from diffkit.grading.inside.protocol import Response

READY = b"ready"
"""What a child says when it is confined, before it has read its job: from here on its end is its own."""

LOOK = 0.05
"""Seconds between looks at what a submission has written."""


# -- the child, which runs the submission -------------------------------------------------------------------


def _run_child(order: dict[str, Any], folder: str, requests: int, answers: int) -> None:
    """Never returns. What the student's code can reach from here: its inputs, and nothing else."""
    os.chdir(folder)
    tempfile.tempdir = os.environ["TMPDIR"] = folder
    confinement.confine(order["limits"], order["uid"], in_own_namespaces(), folder)
    write_frame(answers, READY)
    _serve(requests, answers)


def _serve(requests: int, answers: int) -> None:
    """Loads the submission, and answers what is asked of it. Never returns."""
    job = json.loads(read_frame(requests) or b"")
    source, filename = job["source"], job["filename"]
    module: Any = None
    failure = None
    try:
        module = student_side.load(source, filename, adapter=job["adapter"])
    except BaseException as error:
        failure = student_side.failure_of(error, types.SimpleNamespace(__file__=filename))
    _flush()
    for pipe in (requests, answers):
        with contextlib.suppress(OSError, AttributeError):  # Windows has it from Python 3.12 on
            os.set_blocking(pipe, True)  # whoever looks what there is to read may have changed that
    write_frame(answers, b"" if failure is None else wire.write(Response(failure=failure)))
    while failure is None and (frame := read_frame(requests)) is not None:
        answer = wire.write(student_side.perform(module, wire.read_request(frame)))
        _flush()
        write_frame(answers, answer)
    os._exit(0)  # without atexit handlers, and without waiting for threads


def _flush() -> None:
    """So that what was printed comes before what it was printed for."""
    with contextlib.suppress(BaseException):  # whatever the submission has put there in its place
        sys.stdout.flush()


def in_own_namespaces() -> bool:
    """Whether all processes that can be seen here are ours, to be counted and killed."""
    return os.environ.get("DIFFKIT_SANDBOX") == "bubblewrap"


# -- the template -------------------------------------------------------------------------------------------


def _run(order: dict[str, Any], files: list[int], control: socket.socket) -> dict[str, Any]:
    """Forks a child, and ends it when the grader says so, or it has filled the disk: how it ended."""
    folder = os.path.realpath(tempfile.mkdtemp(prefix="submission-"))
    if order["uid"] is not None:
        os.chown(folder, order["uid"], order["uid"])
    child = os.fork()
    if child == 0:
        try:
            os.setsid()
            requests, answers, output = files
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(output, 1)
            os.dup2(output, 2)
            os.dup2(requests, 3)
            os.dup2(answers, 4)
            os.closerange(5, 1024)
            _run_child(order, folder, 3, 4)
        except BaseException as error:  # nothing of the template's own may run in the child
            with contextlib.suppress(BaseException):
                os.write(2, f"worker: {type(error).__name__}: {error}\n".encode())
        finally:
            os._exit(1)
    for file in files:
        os.close(file)
    filled, alive = False, False
    try:
        filled, died = _watch(child, folder, order["limits"], control)
        alive = not (died and _has_ended(child))
    finally:
        status, seconds = _ending(order)(child)
        empty(_writable(folder))
        with contextlib.suppress(OSError):
            os.rmdir(folder)
    return {
        "filled": filled,
        "alive": alive,
        "signal": -os.waitstatus_to_exitcode(status),
        "seconds": seconds,
    }


def _has_ended(child: int) -> bool:
    """Whether it ended by itself, of which its pipes tell a moment earlier than it can be seen."""
    for _ in range(20 if hasattr(os, "waitid") else 0):  # macOS has it from Python 3.13 on
        if os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
            return True
        time.sleep(0.001)
    return False


def _watch(child: int, folder: str, limits: dict[str, Any], control: socket.socket) -> tuple[bool, bool]:
    """Waits for the grader's word: whether the child filled the disk before that, and whether it has died."""
    filled = False
    while True:
        while not select.select([control], [], [], LOOK)[0]:
            size, entries = written(_writable(folder), int(limits["files"]))
            if size > int(limits["disk"]) or entries > int(limits["files"]):
                filled = True
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(child, signal.SIGKILL)
        word = read_frame(control.fileno())
        if word is None:
            raise SystemExit  # nobody waits for an answer any more
        if word != b"waited":
            return filled, word == b"died"
        write_frame(control.fileno(), json.dumps(_waited(child)).encode())


def _waited(child: int) -> float:
    """Seconds for which it could have run, and had no processor: others had them (proc(5), schedstat)."""
    try:
        with open(f"/proc/{child}/schedstat") as times:
            return int(times.read().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0


def _writable(folder: str) -> str:
    """Where a submission may write: in the sandbox the folder above its own, which is there for it alone."""
    return tempfile.gettempdir() if in_own_namespaces() else folder


# -- ending whatever a submission has started --------------------------------------------------------------


Ended = tuple[int, float]
"""The status of the child, and the seconds of processor time that it has used."""


def _end_all_here(child: int) -> Ended:
    """As the first process of a name space: every process but this one, whatever session it fled to."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(-1, signal.SIGKILL)
    return _reap_all(child)


def _end_user(uid: int, killer: int) -> Callable[[int], Ended]:
    """As root, with a user that nobody else has: every process of that user.

    The process that does it is the user's by its effective id only, so that it may send them signals, and
    they may send none to it.
    """

    def end(child: int) -> Ended:
        process = os.fork()
        if process == 0:
            try:
                os.setgroups([])
                os.setresgid(killer, killer, killer)
                os.setresuid(killer, uid, killer)
                with contextlib.suppress(ProcessLookupError):
                    os.kill(-1, signal.SIGKILL)
            finally:
                os._exit(0)
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        return _reap_all(child)

    return end


def _reap_all(child: int, again: Callable[[], None] = lambda: None) -> Ended:
    """Waits until there is no process below this one, all of which have been killed."""
    ended = 0, 0.0
    with contextlib.suppress(ChildProcessError):
        while True:
            again()
            process, status, used = os.wait4(-1, 0)
            if process == child:
                ended = status, used.ru_utime + used.ru_stime
    return ended


def _end_group(child: int) -> Ended:
    """The child's process group, and then, generation by generation, all that became ours since."""

    def again() -> None:
        for process in _children():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(process, signal.SIGKILL)

    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)
    return _reap_all(child, again)


def _children() -> list[int]:
    try:
        with open(f"/proc/self/task/{os.getpid()}/children") as listing:
            return [int(p) for p in listing.read().split()]
    except OSError:
        return []


def _ending(order: dict[str, Any]) -> Callable[[int], Ended]:
    if in_own_namespaces():
        return _end_all_here
    return _end_group if order["uid"] is None else _end_user(order["uid"], order["killer"])


def _alone(packages: list[str]) -> None:
    """Where nothing can be forked or limited: this very process is the submission's, with pipes for all."""
    requests, answers = os.dup(0), os.dup(1)
    for pipe in (requests, answers):
        as_bytes(pipe)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    confinement.preload(packages)
    write_frame(answers, READY)
    _serve(requests, answers)


def main() -> None:
    """Serves orders until standard input ends. The arguments are packages that submissions may import."""
    if sys.argv[-1] == "--alone":
        _alone(sys.argv[1:-1])
    control = socket.socket(fileno=os.dup(0))
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
    write_frame(control.fileno(), json.dumps({"ready": True, "failed": failed}).encode())
    while (message := receive_with_files(control)) is not None:
        ended = _run(json.loads(message[0]), message[1], control)
        write_frame(control.fileno(), json.dumps(ended).encode())
    os._exit(0)  # there is nothing to tidy up, and Python takes its time for that


if __name__ == "__main__":
    main()
