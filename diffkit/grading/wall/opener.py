"""Having what students hand in opened by a process with limits, and not by the grader."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import Any

from diffkit.grading.inside.frames import read_frame_before, write_frame
from diffkit.grading.wall.sandbox import HERE

PATIENCE = 30.0
"""Seconds by the clock until a process that does not answer is given up."""


class Opener:
    """A process that opens files, one after the other; one that ends is replaced.

    >>> with Opener() as opener:
    ...     opener.opened("ann.py", b"x = 1")["code"]
    'x = 1'
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._one_at_a_time = threading.Lock()

    def __enter__(self) -> Opener:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the process."""
        process, self._process = self._process, None
        if process is not None:
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    with contextlib.suppress(OSError):
                        stream.close()
            process.kill()
            process.wait()

    def __del__(self) -> None:
        with contextlib.suppress(Exception):
            self.close()

    def opened(self, name: str, data: bytes) -> dict[str, Any]:
        """The code in a file's bytes, or the "problem" that there is with it."""
        answer: dict[str, Any] | None = self._asked({"do": "opened", "name": name}, data)
        return answer or {"problem": "the file takes more memory or time to read than there is for one"}

    def mentions(self, parts: Sequence[str]) -> list[tuple[str, str, str]] | None:
        """What code imports and uses; None if it takes too much to tell."""
        answer = self._asked({"do": "mentions"}, json.dumps(parts).encode())
        return None if answer is None else [(place, verb, name) for place, verb, name in answer]

    def looks(self, parts: Sequence[str]) -> list[str]:
        """What there is in code for the team to look at."""
        answer: list[str] | None = self._asked({"do": "looks"}, json.dumps(parts).encode())
        return ["it takes too much memory or time to parse"] if answer is None else answer

    def edits(
        self, parts: Sequence[str], lines: Sequence[Sequence[int]], seen: Sequence[Sequence[Any]], rank: int
    ) -> dict[str, Any] | None:
        """Small changes of the statements in some lines; None if it takes too much to tell."""
        job = json.dumps([parts, lines, seen, rank]).encode()
        answer: dict[str, Any] | None = self._asked({"do": "edits"}, job)
        return answer

    def _asked(self, job: dict[str, Any], data: bytes) -> Any:
        with self._one_at_a_time:
            for _ in range(2):  # once more with another process, for whatever has ended this one
                try:
                    return self._answer(job, data)
                except (OSError, ValueError):
                    self.close()
        return None

    def _answer(self, job: dict[str, Any], data: bytes) -> Any:
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-B", str(HERE / "opening.py")],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        to, back = self._process.stdin.fileno(), self._process.stdout.fileno()
        write_frame(to, json.dumps(job).encode())
        write_frame(to, data)
        # Ended when its time is over, since not on every system can one wait for a pipe so long only.
        clock = threading.Timer(PATIENCE, self._process.kill)
        clock.start()
        try:
            answer = read_frame_before(None, back, largest=1 << 26)
        finally:
            clock.cancel()
        return json.loads(answer) if answer else None


_own: list[Opener] = []


def opener() -> Opener:
    """This process's own, which is started when it is first needed."""
    if not _own:
        _own.append(Opener())
    return _own[0]
