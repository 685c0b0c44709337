"""Running a submission's code where it can do no harm and knows no answers.

The grader holds the answers; a worker gets inputs only and sends raw numbers back. A worker is forked
from a warm template (:mod:`diffkit.grading.inside.worker`) for one submission, with limits of time, memory,
processes, files and output, and everything it leaves behind is killed before its answers are looked at.
The template is told to fork and to end, and never hears of a submission: what goes to a worker goes by
pipes of its own. How a worker ended is never a verdict: what is missing is missing.

How high the wall is depends on the machine (:mod:`diffkit.grading.wall.walls`), and
:attr:`Isolation.in_force` says it in a sentence.

What no wall can stop: a rule that computes its answer by differences of the forward function, which
the student knows. The checks' tolerances catch crude ones; exact ones are right answers.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from typing import Any

from diffkit.errors import DiffkitError
from diffkit.grading.exercises.limits import Limits
from diffkit.grading.exercises.packages import with_requirements
from diffkit.grading.inside import wire
from diffkit.grading.inside.frames import read_frame_before, send_with_files, write_frame
from diffkit.grading.inside.protocol import Failure, Request, Target
from diffkit.grading.wall.alone import converse_alone
from diffkit.grading.wall.conversation import LONGEST_OUTPUT, Heard, converse
from diffkit.grading.wall.replies import GARBLED, Reply, Run, read
from diffkit.grading.wall.sandbox import Users, bubblewrap_command, python_command
from diffkit.grading.wall.walls import chosen_wall

__all__ = ["KINDS_OF_LOSS", "Isolation", "IsolationError", "Run"]


class IsolationError(DiffkitError, OSError):
    """Submissions can't be run here, or this one could not be: no fault of the submission's."""


_ENDS = {
    "time": ("TimeLimit", "took longer than {wall_time:g} seconds"),
    "processor": ("TimeLimit", "computed for longer than {processor_time:g} seconds"),
    "died": ("Ended", "the process ended before it had answered (a limit of memory or time, or an exit)"),
    "disk": ("DiskLimit", "wrote more than {disk:,} bytes, or more than {files:,} files"),
    "output": ("OutputLimit", "printed more than {output:,} bytes"),
    "answer": ("AnswerLimit", "answered with more than {answer:,} bytes"),
    "garbled": (GARBLED.kind, GARBLED.message),
}

KINDS_OF_LOSS = frozenset(kind for kind, _ in _ENDS.values())
"""How a failure without any answers begins: ``TimeLimit: took longer than 10 seconds``."""

TRIES = 2
"""How often something is tried that fails for a reason outside of the submission."""


class Isolation:
    """A warm template and the submissions that are run from it, one at a time.

    Args:
        limits: what each submission may use.
        sandbox: "auto" takes the highest wall there is; "bubblewrap" and "user" ask for one; "off" does
            without both.
        packages: what submissions may import beyond the standard library and NumPy; what those require
            comes with them.
        adapter: the team's code that stands before and behind each submission, as text; see
            :class:`~diffkit.grading.exercises.assignment.Assignment`.

    Raises:
        InputError: for a sandbox that is not there.
        IsolationError: if no template can be started.

    >>> with Isolation() as isolation:
    ...     run = isolation.run("def square_vjp(g, ans, x): return 2 * g * x", "submission.py", [])
    >>> run.load_failure is None
    True
    """

    def __init__(
        self,
        limits: Limits | None = None,
        sandbox: str = "auto",
        packages: Sequence[str] = (),
        adapter: str = "",
    ) -> None:
        self.adapter = adapter
        self.wall = chosen_wall(sandbox)
        self.limits = limits or Limits()
        self._named = tuple(packages)
        self.packages = with_requirements(tuple(packages))
        self._users = Users() if self.wall.own_users else None
        self._template: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._heard = False
        # The requests of a class are the same for many submissions, and are kept as they are sent.
        self._frames: dict[int, tuple[Request, bytes]] = {}

    @property
    def in_force(self) -> str:
        """Which isolation is in force, in a sentence for the report.

        >>> Isolation(sandbox="off").in_force
        '...stops accidents and casual cheating only...'
        """
        return self.wall.in_force

    def __enter__(self) -> Isolation:
        if not self.wall.process_only:
            self._ready()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the template and whatever it has started."""
        template, self._template = self._template, None
        control, self._control = self._control, None
        self._heard = False
        if control is not None:
            control.close()
        if template is None:
            return
        # It ends when nobody can send it an order any more; but what a submission was near is not trusted to.
        with contextlib.suppress(subprocess.TimeoutExpired):
            template.wait(0.5)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(template.pid, signal.SIGKILL)
        template.wait()

    def __del__(self) -> None:
        with contextlib.suppress(Exception):
            self.close()

    # -- running ------------------------------------------------------------------------------------------

    def run(
        self,
        source: str | Sequence[str],
        filename: str,
        requests: Sequence[Request],
        hidden_from: int | None = None,
    ) -> Run:
        """Runs a submission and performs the requests on it.

        When its process ends early, what it has answered counts; the rest of the exercise that it was
        at is lost, and it is started again for the exercises after that.

        Args:
            source: a script's text, or the texts of a notebook's cells.
            filename: what the script is called where something fails.
            requests: what to perform.
            hidden_from: the number of the first request whose inputs nobody is to see; those come last, and
                are sent one at a time. None if there are none.

        Raises:
            IsolationError: if it could not be run, for a reason outside of it.
        """
        replies: dict[int, Reply] = {}
        pending = list(range(len(requests)))
        hidden = len(requests) if hidden_from is None else hidden_from
        load_failure: Failure | None = None
        printed, seconds = "", 0.0
        while True:
            asked = [requests[k] for k in pending]
            heard = self._attempt(source, filename, asked, sum(k < hidden for k in pending))
            _, *frames = heard.frames
            if seconds == 0.0 or (pending and pending[0] < hidden):
                printed += heard.printed.decode("utf-8", "replace")
                seconds += heard.seconds
            if frames and frames[0]:
                load_failure = read(frames[0]).failure or GARBLED
                break
            if not frames:  # it ended while it was being loaded
                load_failure = self._reason(heard.end)
                break
            answered = dict(zip(pending, frames[1:], strict=False))
            replies |= {k: Reply(requests[k], frame) for k, frame in answered.items()}
            rest = pending[len(answered) :]
            if not rest:
                break
            lost, failure = requests[rest[0]].target, self._reason(heard.end)
            replies |= {k: Reply(requests[k], failure=failure) for k in rest if requests[k].target == lost}
            pending = [k for k in rest if requests[k].target != lost]
            if not pending:
                break
        missing = load_failure or self._reason("died")
        return Run(
            tuple(replies.get(k) or Reply(r, failure=missing) for k, r in enumerate(requests)),
            load_failure,
            wire.clean(printed[:LONGEST_OUTPUT]),
            seconds,
        )

    def _reason(self, end: str) -> Failure:
        kind, text = _ENDS[end]
        return Failure(kind, text.format(**dataclasses.asdict(self.limits)))

    def _attempt(
        self, source: str | Sequence[str], filename: str, requests: list[Request], hidden_from: int
    ) -> Heard:
        """One child, or another one if it was lost by no fault of its own."""
        job = json.dumps({"source": source, "filename": filename, "adapter": self.adapter}).encode()
        frames = [self._frame(request) for request in requests]
        exercises = _numbered([request.target for request in requests])
        reason = ""
        for _ in range(TRIES):
            try:
                heard = self._child(job, frames, exercises, hidden_from)
            except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
                if isinstance(error, IsolationError) and not self._heard:
                    raise
                # Whatever it was, nothing that this template says from now on can be believed.
                self.close()
                reason = "the process that runs submissions was lost while it ran"
                continue
            if heard.end == "killed":
                reason = "its process was killed by somebody else, or by the machine for want of memory"
            elif not heard.frames:
                reason = f"its process could not be confined ({heard.printed.decode(errors='replace')})"
            else:
                return heard
        raise IsolationError(reason)

    def _child(self, job: bytes, requests: list[bytes], exercises: list[int], hidden_from: int) -> Heard:
        if self.wall.process_only:
            return converse_alone(job, requests, exercises, self.limits, self.packages)
        control = self._ready()
        order: dict[str, Any] = {"limits": dataclasses.asdict(self.limits), "uid": None}
        if self._users is not None:
            order |= {"uid": self._users.next(), "killer": self._users.killer}
        requests_in, to = os.pipe()
        back, answers_out = os.pipe()
        output, output_out = os.pipe()
        try:
            theirs = (requests_in, answers_out, output_out)
            try:
                send_with_files(control, json.dumps(order).encode(), theirs)
            finally:
                for file in theirs:
                    os.close(file)
            pipes = to, back, output
            heard = converse(job, requests, exercises, hidden_from, self.limits, pipes, self._waited)
            write_frame(control.fileno(), b"died" if heard.end == "died" else b"end")
            ended = json.loads(read_frame_before(time.monotonic() + 60.0, control.fileno()))
        except BaseException:
            self.close()  # where this template is, nobody knows
            raise
        finally:
            for file in (to, back, output):
                os.close(file)
        if heard.end == "died":
            killed = not ended["alive"] and ended["signal"] in (signal.SIGKILL, signal.SIGXCPU)
            if ended["filled"]:
                heard.end = "disk"
            elif killed:
                used_up = ended["seconds"] > self.limits.processor_time - 0.5
                heard.end = "processor" if used_up else "killed"
        return heard

    def _waited(self) -> float:
        """For how many seconds the child could have run, and had no processor."""
        assert self._control is not None
        write_frame(self._control.fileno(), b"waited")
        return float(json.loads(read_frame_before(time.monotonic() + 60.0, self._control.fileno())))

    def _frame(self, request: Request) -> bytes:
        if request.variant is not None or request.watched:  # which nobody asks a second time
            return wire.write(request)
        if id(request) not in self._frames:
            self._frames[id(request)] = request, wire.write(request)  # kept, so that its id stays its own
        return self._frames[id(request)][1]

    # -- the template ---------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Starts the template, if there is none, and does not wait for it."""
        if self._template is not None or self.wall.process_only:
            return
        environment = {
            "LANG": "C.UTF-8",
            "PATH": "/usr/bin:/bin",
            "OPENBLAS_NUM_THREADS": "1",
            "OMP_NUM_THREADS": "1",
            "PYTHONHASHSEED": "0",
            "MPLBACKEND": "agg",  # a figure is drawn and not shown
        }
        if self.wall.bubblewrap:
            command = bubblewrap_command(environment, self.wall.own_users, self.packages)
        else:
            command = python_command(self.packages)
        self._control, theirs = socket.socketpair()
        with theirs:
            self._template = subprocess.Popen(
                command,
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=environment,
                cwd="/",
                start_new_session=True,
            )

    def _ready(self) -> socket.socket:
        """The socket to talk to the template by, once it is ready."""
        for _ in range(TRIES):
            self.begin()
            assert self._control is not None
            if self._heard:
                return self._control
            try:
                ready = json.loads(read_frame_before(time.monotonic() + 60.0, self._control.fileno()))
            except (OSError, ValueError):
                self.close()
                continue
            lacking = [f"{name} ({ready['failed'][name]})" for name in self._named if name in ready["failed"]]
            if lacking:
                self.close()
                raise IsolationError(f"submissions could not import {', '.join(lacking)}")
            self._heard = True
            return self._control
        raise IsolationError("the process that runs submissions could not be started")


def _numbered(targets: Sequence[Target]) -> list[int]:
    """Which exercise each request belongs to, as numbers: requests of one exercise come together."""
    numbers: list[int] = []
    for k, target in enumerate(targets):
        numbers.append((numbers[-1] + (target != targets[k - 1])) if numbers else 0)
    return numbers
