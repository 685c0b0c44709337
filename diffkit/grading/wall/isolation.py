"""Running a submission's code where it can do no harm and knows no answers.

The grader holds the answers; a worker gets inputs only and sends raw numbers back. A worker is forked
from a warm template (:mod:`diffkit.grading.inside.worker`) for one submission, with limits of time, memory,
processes, files and output, and everything it leaves behind is killed before its answers are looked at.
How it ended is never a verdict: what is missing is missing.

How high the wall is depends on the machine, and :attr:`Isolation.in_force` says it in a sentence:

- with bubblewrap: name spaces of its own, with no network, no processes but its own, and of the
  file system only Python's library and NumPy; as root, a user of its own as well;
- as root without bubblewrap: a user of its own for each worker, and Landlock where the kernel has it;
- else: limits, Landlock where the kernel has it, and a guard inside the interpreter. A submission that
  gets past the guard is still the grader's own user: this stops accidents and casual attempts only.

What no wall can stop: a rule that computes its answer by differences of the forward function, which
the student knows. The checks' tolerances catch crude ones; exact ones are right answers.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from diffkit.errors import DiffkitError, InputError
from diffkit.grading.exercises.packages import with_requirements
from diffkit.grading.inside import wire
from diffkit.grading.inside.confinement import landlock_version
from diffkit.grading.inside.frames import read_frame_before, write_frame
from diffkit.grading.inside.protocol import Failure, Request, Target
from diffkit.grading.wall.replies import GARBLED, Reply, Run, read
from diffkit.grading.wall.sandbox import (
    OwnUser,
    bubblewrap_command,
    bubblewrap_works,
    can_change_user,
    python_command,
)

__all__ = ["KINDS_OF_LOSS", "Isolation", "IsolationError", "Limits", "Run"]

LONGEST_OUTPUT = 4000
"""Characters of what a submission prints that are kept."""


class IsolationError(DiffkitError, OSError):
    """The template process could not be started, or did not answer."""


@dataclass(frozen=True)
class Limits:
    """What one submission may use.

    Attributes:
        wall_time: seconds by the clock for each exercise, and for loading.
        processor_time: seconds of computing, for all of it.
        memory: bytes of address space.
        processes: processes and threads, where the operating system can count them.
        file_size: bytes of a file that it writes.
        output: bytes that it prints.
        answer: bytes of one response. The largest right one has some ten thousand.
        answers: bytes of all of them.
    """

    wall_time: float = 10.0
    processor_time: float = 30.0
    memory: int = 2 << 30
    processes: int = 64
    file_size: int = 1 << 20
    output: int = 1 << 20
    answer: int = 4 << 20
    answers: int = 32 << 20


_ENDS = {
    "time": ("TimeLimit", "took longer than {wall_time:g} seconds"),
    "died": ("Ended", "the process ended before it had answered (a limit of memory or time, or an exit)"),
    "output": ("OutputLimit", "printed more than {output:,} bytes"),
    "answer": ("AnswerLimit", "answered with more than {answer:,} bytes"),
    "template": ("Ended", "brought down the process that runs submissions"),
}

KINDS_OF_LOSS = frozenset(kind for kind, _ in _ENDS.values())
"""How a failure without any answers begins: ``TimeLimit: took longer than 10 seconds``."""

_SANDBOXES = ("auto", "bubblewrap", "user", "off")


class Isolation:
    """A warm template and the submissions that are run from it, one at a time.

    Args:
        limits: what each submission may use.
        sandbox: "auto" takes the highest wall there is; "bubblewrap" and "user" ask for one; "off" does
            without both.
        packages: what submissions may import beyond the standard library and NumPy; what those require
            comes with them.

    Raises:
        InputError: for a sandbox that is not there.
        IsolationError: if no template can be started.

    >>> with Isolation() as isolation:
    ...     run = isolation.run("def square_vjp(g, ans, x): return 2 * g * x", "submission.py", [])
    >>> run.load_failure is None
    True
    """

    def __init__(
        self, limits: Limits | None = None, sandbox: str = "auto", packages: Sequence[str] = ()
    ) -> None:
        if sandbox not in _SANDBOXES:
            raise InputError(f"sandbox is {sandbox!r}, but must be one of {', '.join(_SANDBOXES)}")
        if sandbox == "bubblewrap" and not bubblewrap_works():
            raise InputError("bubblewrap is not installed, or may not make name spaces here")
        if sandbox == "user" and not can_change_user():
            raise InputError("a user for each worker takes root, and a Python that every user can read")
        self.limits = limits or Limits()
        self._named = tuple(packages)
        self.packages = with_requirements(tuple(packages))
        self._bubblewrap = sandbox in ("auto", "bubblewrap") and bubblewrap_works()
        self._user = OwnUser() if sandbox != "off" and can_change_user(self._bubblewrap) else None
        self._template: subprocess.Popen[bytes] | None = None
        # The requests of a class are the same for many submissions: each is sent once, and then called by
        # its number. It is kept, so that its id stays its own.
        self._numbers: dict[int, tuple[Request, int]] = {}
        self._sent = 0
        self._heard = False

    @property
    def in_force(self) -> str:
        """Which isolation is in force, in a sentence for the report.

        >>> Isolation(sandbox="off").in_force
        '...stops accidents and casual cheating only'
        """
        user = ", a user of its own" if self._user is not None else ""
        landlock = landlock_version()
        files = f", Landlock {landlock}: no view of other files" if landlock else ""
        if self._bubblewrap:
            return f"bubblewrap: no network, no view of the file system, no other processes{user}"
        if self._user is not None:
            return f"limits and a user of its own for each worker{files}; the network is not all cut off"
        return f"limits and a guard in the interpreter{files}; this stops accidents and casual cheating only"

    def __enter__(self) -> Isolation:
        self._ready()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the template and whatever it has started."""
        template, self._template = self._template, None
        self._sent, self._heard = 0, False
        if template is None:
            return
        for stream in (template.stdin, template.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        # It ends when nobody can send it a job any more; but what a submission was near is not trusted to.
        with contextlib.suppress(subprocess.TimeoutExpired):
            template.wait(0.5)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(template.pid, signal.SIGKILL)
        template.wait()

    def __del__(self) -> None:
        with contextlib.suppress(Exception):
            self.close()

    # -- running ------------------------------------------------------------------------------------------

    def run(self, source: str | Sequence[str], filename: str, requests: Sequence[Request]) -> Run:
        """Runs a submission and performs the requests on it.

        When its process ends early, what it has answered counts; the rest of the exercise that it was
        at is lost, and it is started again for the exercises after that.

        Args:
            source: a script's text, or the texts of a notebook's cells.
            filename: what the script is called where something fails.
            requests: what to perform.

        Raises:
            IsolationError: if no template can be started.
        """
        replies: dict[int, Reply] = {}
        pending = list(range(len(requests)))
        load_failure: Failure | None = None
        printed = ""
        started = time.monotonic()
        while True:
            end, frames, output = self._attempt(source, filename, [requests[k] for k in pending])
            printed = (printed + output)[:LONGEST_OUTPUT]
            if frames and frames[0]:
                load_failure = read(frames[0]).failure or GARBLED
                break
            if not frames:  # it ended while it was being loaded
                load_failure = self._reason(end)
                break
            answered = dict(zip(pending, frames[1:], strict=False))
            replies |= {k: Reply(requests[k], frame) for k, frame in answered.items()}
            rest = pending[len(answered) :]
            if not rest:
                break
            lost, failure = requests[rest[0]].target, self._reason(end)
            replies |= {k: Reply(requests[k], failure=failure) for k in rest if requests[k].target == lost}
            pending = [k for k in rest if requests[k].target != lost]
            if not pending:
                break
        missing = load_failure or self._reason("died")
        return Run(
            tuple(replies.get(k) or Reply(r, failure=missing) for k, r in enumerate(requests)),
            load_failure,
            wire.clean(printed),
            time.monotonic() - started,
        )

    def _reason(self, end: str) -> Failure:
        kind, text = _ENDS[end if end in _ENDS else "died"]
        return Failure(kind, text.format(**dataclasses.asdict(self.limits)))

    def _attempt(
        self, source: str | Sequence[str], filename: str, requests: list[Request]
    ) -> tuple[str, list[bytes], str]:
        """One child: how it ended, its frames (that of loading first), and what it printed."""
        to, back = self._ready()
        numbers = [self._number(request) for request in requests]
        new = [request for request, number in self._numbers.values() if number >= self._sent]
        job: dict[str, Any] = {
            "requests": numbers,
            "new": len(new),
            "source": source,
            "filename": filename,
            "exercises": _numbered([request.target for request in requests]),
            "uid": self._user.number if self._user else None,
            "limits": dataclasses.asdict(self.limits),
        }
        try:
            write_frame(to, json.dumps(job).encode())
            for request in new:
                write_frame(to, wire.write(request))
            self._sent += len(new)
            exercises = 1 + len(set(job["exercises"]))
            deadline = time.monotonic() + self.limits.wall_time * exercises + 10.0
            header = json.loads(read_frame_before(deadline, back))
            body = read_frame_before(deadline, back, self.limits.answers + self.limits.answer)
            ends = list(itertools.accumulate(header["sizes"], initial=0))
            frames = [body[start:end] for start, end in itertools.pairwise(ends)]
            return str(header["end"]), frames, str(header["printed"])
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            # Whatever it was, nothing that this template says from now on can be believed.
            self.close()
            return "template", [], ""

    def _number(self, request: Request) -> int:
        return self._numbers.setdefault(id(request), (request, len(self._numbers)))[1]

    # -- the template ---------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Starts the template, if there is none, and does not wait for it."""
        if self._template is not None:
            return
        environment = {
            "LANG": "C.UTF-8",
            "PATH": "/usr/bin:/bin",
            "OPENBLAS_NUM_THREADS": "1",
            "OMP_NUM_THREADS": "1",
            "PYTHONHASHSEED": "0",
            "MPLBACKEND": "agg",  # a figure is drawn and not shown
        }
        if self._bubblewrap:
            command = bubblewrap_command(environment, self._user, self.packages)
        else:
            command = python_command(self.packages)
        self._template = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            cwd="/",
            start_new_session=True,
        )

    def _ready(self) -> tuple[int, int]:
        """The descriptors to talk to the template by, once it is ready."""
        self.begin()
        assert self._template is not None
        assert self._template.stdin is not None
        assert self._template.stdout is not None
        to, back = self._template.stdin.fileno(), self._template.stdout.fileno()
        if not self._heard:
            try:
                ready = json.loads(read_frame_before(time.monotonic() + 60.0, back))
            except (OSError, ValueError):
                self.close()
                raise IsolationError("the process that runs submissions could not be started") from None
            lacking = [f"{name} ({ready['failed'][name]})" for name in self._named if name in ready["failed"]]
            if lacking:
                self.close()
                raise IsolationError(f"submissions could not import {', '.join(lacking)}")
            self._heard = True
        return to, back


def _numbered(targets: Sequence[Target]) -> list[int]:
    """Which exercise each request belongs to, as numbers: requests of one exercise come together."""
    numbers: list[int] = []
    for k, target in enumerate(targets):
        numbers.append((numbers[-1] + (target != targets[k - 1])) if numbers else 0)
    return numbers
