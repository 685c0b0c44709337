"""The journal of a run: what has been graded, on disk before the next submission is begun.

A line of JSON for each graded submission, after a first one that says what was graded, and from which
seed. A killed run leaves at most half a line at the end, which the next one cuts off.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import time
from pathlib import Path
from typing import Any

from diffkit import __version__
from diffkit.errors import InputError
from diffkit.grading.classes.records import Record
from diffkit.grading.classes.submissions import Submission
from diffkit.grading.exercises.assignment import Assignment

__all__ = ["Journal"]


_ANOTHER = {
    "diffkit": "another version of diffkit",
    "assignment": "another assignment (or this one before it was changed)",
    "exercises": "other exercises",
    "sets": "another --same-for-all",
}


class Journal:
    """The journal of a folder of results: new, or that of a run which is continued.

    Args:
        path: its file.
        assignment: with the exercises that are graded.
        seed: the seed that was asked for; None takes the journal's, or a fresh one.
        sets: how many sets of instances there are.

    Raises:
        InputError: if the file is there and is not this assignment's journal, another run writes it
            at this moment, or it can't be written.
    """

    def __init__(self, path: Path, assignment: Assignment, seed: int | None, sets: int) -> None:
        self.path = path
        self.records: dict[tuple[str, str], Record] = {}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = open(path, "a+b")  # noqa: SIM115
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise InputError(f"can't write {str(path)!r}: {reason}") from error
        try:
            self._take(assignment, seed, sets)
        except BaseException:
            self._file.close()
            raise

    def _take(self, assignment: Assignment, seed: int | None, sets: int) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise InputError(f"another run is writing {str(self.path)!r} at this moment") from None
        lines = self._whole_lines()
        head = {
            "diffkit": __version__,
            "assignment": assignment.digest,
            "exercises": [e.name for e in assignment.exercises],
            "sets": sets,
        }
        if not lines:
            self.seed = secrets.randbelow(2**31) if seed is None else seed
            self._write({**head, "seed": self.seed, "started": time.strftime("%Y-%m-%d %H:%M:%S")})
            return
        try:
            different = [_ANOTHER[name] for name, value in head.items() if lines[0][name] != value]
            self.seed = int(lines[0]["seed"])
            for line in lines[1:]:
                record = Record.read(line)
                self.records[record.student, record.digest] = record
        except (TypeError, KeyError, ValueError, AttributeError):
            raise InputError(f"{str(self.path)!r} is not a journal of diffkit's") from None
        if seed is not None and seed != self.seed:
            different.append(f"the seed {self.seed}")
        if different:
            raise InputError(
                f"{str(self.path)!r} is the journal of another run: it had {' and '.join(different)}; "
                "name another folder with -o, or remove it"
            )

    def _whole_lines(self) -> list[dict[str, Any]]:
        """Its lines; one that a killed run left half written is not one, and is cut off."""
        self._file.seek(0)
        data = self._file.read()
        whole = data.rfind(b"\n") + 1
        try:
            lines: list[dict[str, Any]] = [json.loads(line) for line in data[:whole].splitlines()]
        except (ValueError, RecursionError):
            raise InputError(f"{str(self.path)!r} is not a journal of diffkit's") from None
        # A file of somebody's that ends without a newline is not ours to cut.
        if whole != len(data) and not lines and not data.startswith(b'{"diffkit"'):
            raise InputError(f"{str(self.path)!r} is not a journal of diffkit's")
        self._file.truncate(whole)
        return lines

    def knows(self, submission: Submission) -> bool:
        """Whether a submission is graded already, just as it is now; one that could not be is tried again."""
        record = self.records.get((submission.student, submission.digest))
        return record is not None and not record.not_graded

    def add(self, record: Record) -> None:
        """Writes a record down for good."""
        self.records[record.student, record.digest] = record
        self._write(record.plain())

    def _write(self, line: dict[str, Any]) -> None:
        self._file.write(json.dumps(line).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Closes the file; another run may go on with it. Of a run that graded nothing, nothing stays."""
        if not self.records:
            with contextlib.suppress(OSError):
                self.path.unlink()
                self.path.parent.rmdir()  # if there is nothing else in it
        self._file.close()
