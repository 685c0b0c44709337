"""A submission in a process with a time limit: the wall of systems without forks and limits (Windows).

It is for one's own code. What it keeps is the grader from endless loops, from output without end and from
crashes; files, the network and the machine's memory are open to what runs there.
"""

from __future__ import annotations

import contextlib
import os
import queue
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence

from diffkit.grading.exercises.limits import Limits
from diffkit.grading.inside.frames import read_frame_before, write_frame
from diffkit.grading.wall.conversation import LONGEST_OUTPUT, Heard
from diffkit.grading.wall.sandbox import python_command

STARTING = 60.0
"""Seconds for Python and NumPy to start."""


def converse_alone(
    job: bytes, requests: Sequence[bytes], exercises: Sequence[int], limits: Limits, packages: Sequence[str]
) -> Heard:
    """Runs a submission in a new process, puts the requests to it, one at a time, and ends it.

    Args:
        job: the submission.
        requests: what to ask, in order.
        exercises: the exercise of each request; with the first of another, the clock starts anew.
        limits: of its time, output and answers; no others can be set here.
        packages: what is imported before the clock starts.
    """
    heard, started = Heard(), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="submission-", ignore_cleanup_errors=True) as folder:
        process = subprocess.Popen(
            [*python_command(packages), "--alone"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={
                **os.environ,
                "PYTHONIOENCODING": "utf-8",
                "MPLBACKEND": "agg",
                "TMPDIR": folder,
                "TEMP": folder,
            },
            cwd=folder,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        answers: queue.SimpleQueue[bytes | str] = queue.SimpleQueue()
        reading = (
            threading.Thread(target=_read, args=(process.stdout.fileno(), limits, answers), daemon=True),
            threading.Thread(
                target=_listen, args=(process.stderr.fileno(), limits, heard, answers), daemon=True
            ),
        )
        for thread in reading:
            thread.start()
        to, before, deadline = process.stdin.fileno(), -1, started + STARTING
        try:
            for message, exercise in zip((None, job, *requests), (-2, -1, *exercises), strict=True):
                if exercise != before:
                    deadline = time.monotonic() + (STARTING if message is None else limits.wall_time)
                before = exercise
                if message is not None:
                    with contextlib.suppress(OSError):  # whether it has ended, its answers tell
                        write_frame(to, message)
                try:
                    answer = answers.get(timeout=max(0.0, deadline - time.monotonic()))
                except queue.Empty:
                    answer = "time"
                if isinstance(answer, str):
                    heard.end = answer
                    break
                heard.frames.append(answer)
                if len(heard.frames) == 2 and answer:  # it could not be loaded
                    break
        finally:
            process.kill()
            process.wait()
            for thread in reading:
                thread.join(1.0)
            for stream in (process.stdin, process.stdout, process.stderr):
                with contextlib.suppress(OSError):
                    stream.close()
    heard.end, heard.seconds = heard.end or "done", time.monotonic() - started
    return heard


def _read(fd: int, limits: Limits, answers: queue.SimpleQueue[bytes | str]) -> None:
    """Puts what is answered, frame by frame, and at last how it ended."""
    total = 0
    try:
        while total <= limits.answers:
            answers.put(frame := read_frame_before(None, fd, limits.answer))
            total += len(frame)
        answers.put("answer")
    except ConnectionError:
        answers.put("died")
    except OSError:
        answers.put("answer")


def _listen(fd: int, limits: Limits, heard: Heard, answers: queue.SimpleQueue[bytes | str]) -> None:
    """Keeps the beginning of what is printed, and says when it is too much."""
    printed = 0
    with contextlib.suppress(OSError):
        while data := os.read(fd, 1 << 16):
            printed += len(data)
            heard.printed += data[: max(0, LONGEST_OUTPUT - len(heard.printed))]
            if printed > limits.output:
                answers.put("output")
                return
