"""The journal of a run: what has been graded, on disk before the next submission is begun.

A line of JSON for each graded submission, after a first one that says from which seed. A killed run leaves
at most half a line at the end, which the next one cuts off. Each line is signed with a key in the first, so
that one that was damaged, or edited by hand, is known for that: it counts for nothing, and its submission
is graded again. With each record stand the digests of its exercises: of a record whose exercises have been
changed since, those are graded again, and no others.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
import secrets
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from diffkit import __version__
from diffkit.errors import InputError
from diffkit.grading.classes.records import Record
from diffkit.grading.classes.submissions import Submission
from diffkit.grading.exercises.assignment import Assignment
from diffkit.grading.exercises.fingerprint import fingerprints

_ANOTHER = {"diffkit": "another version of diffkit", "sets": "another --same-for-all"}


class Journal:
    """The journal of a folder of results: new, or that of a run which is continued.

    Args:
        path: its file.
        assignment: with the exercises that are graded.
        seed: the seed that was asked for; None takes the journal's, or a fresh one.
        sets: how many sets of instances there are.

    Attributes:
        damaged: the numbers of the lines that are damaged, or were edited.

    Raises:
        InputError: if the file is there and is not this assignment's journal, another run writes it
            at this moment, or it can't be written.
    """

    def __init__(self, path: Path, assignment: Assignment, seed: int | None, sets: int) -> None:
        self.path = path
        self.damaged: list[int] = []
        self._digests = fingerprints(assignment)
        self._records: dict[tuple[str, str], tuple[Record, dict[str, str]]] = {}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = open(path, "a+b")  # noqa: SIM115
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise InputError(f"can't write {str(path)!r}: {reason}") from error
        try:
            self._take(seed, sets)
        except BaseException:
            self._file.close()
            raise

    def _take(self, seed: int | None, sets: int) -> None:
        import fcntl  # not on Windows, where no class is graded

        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise InputError(f"another run is writing {str(self.path)!r} at this moment") from None
        self._file.seek(0)
        first = self._file.readline()
        head: dict[str, Any] = {"diffkit": __version__, "sets": sets}
        if not first.endswith(b"\n") and (
            not first or first.startswith(b'{"diffkit"')
        ):  # none, or half of it
            self._file.truncate(0)
            self.seed = secrets.randbelow(2**31) if seed is None else seed
            self._key = secrets.token_hex(16)
            started = time.strftime("%Y-%m-%d %H:%M:%S")
            self._write({**head, "seed": self.seed, "key": self._key, "started": started})
            return
        try:
            before = json.loads(first)
            different = [_ANOTHER[name] for name, value in head.items() if before[name] != value]
            self.seed, self._key = int(before["seed"]), str(before.get("key", ""))
        except (TypeError, KeyError, ValueError, RecursionError):
            raise InputError(
                f"{str(self.path)!r} is not a journal of diffkit's, or its first line is damaged, in which "
                "the seed stands; name another folder with -o, or remove it"
            ) from None
        self._read_records()
        if seed is not None and seed != self.seed:
            different.append(f"the seed {self.seed}")
        graded = {name for _, digests in self._records.values() for name in digests}
        if graded and not graded & set(self._digests):
            different.append("another assignment")
        if different:
            raise InputError(
                f"{str(self.path)!r} is the journal of another run: it had {' and '.join(different)}; "
                "name another folder with -o, or remove it"
            )

    def _read_records(self) -> None:
        """All records; half a line that a killed run left is not one, and is cut off."""
        end = self._file.tell()
        for number, line in enumerate(self._file, start=2):
            if not line.endswith(b"\n"):
                break
            end += len(line)
            try:
                plain = json.loads(line)
                record, digests = Record.read(plain["record"]), plain["of"]
                if not hmac.compare_digest(plain["sign"], self._sign(plain["record"], digests)):
                    raise ValueError("not signed")
            except (TypeError, KeyError, ValueError, AttributeError, RecursionError):
                self.damaged.append(number)
                continue
            self._records[record.student, record.digest] = record, digests
        self._file.truncate(end)

    def _sign(self, record: dict[str, Any], digests: dict[str, str]) -> str:
        text = json.dumps([record, digests], sort_keys=True).encode()
        return hmac.new(self._key.encode(), text, hashlib.sha256).hexdigest()

    def missing(self, submission: Submission) -> tuple[str, ...]:
        """The exercises for which a submission, just as it is now, has no verdict yet."""
        record, digests = self._records.get((submission.student, submission.digest), (None, {}))
        if record is None or record.not_graded:
            return tuple(self._digests)
        return tuple(name for name, digest in self._digests.items() if digests.get(name) != digest)

    def record(self, submission: Submission) -> Record:
        """What is known of a submission.

        Raises:
            KeyError: if nothing is.
        """
        return self._records[submission.student, submission.digest][0].of_exercises(list(self._digests))

    def add(self, submission: Submission, record: Record, names: Sequence[str]) -> None:
        """Writes down for good what was graded now, of which the other exercises were before."""
        before, digests = self._records.get((submission.student, submission.digest), (None, {}))
        if before is not None:
            record = record.with_kept(before, [e.name for e in before.exercises if e.name not in names])
        digests = {**digests, **{name: self._digests[name] for name in names}}
        self._records[record.student, record.digest] = record, digests
        plain = record.plain()
        self._write({"of": digests, "sign": self._sign(plain, digests), "record": plain})

    def _write(self, line: dict[str, Any]) -> None:
        try:
            self._file.write(json.dumps(line).encode() + b"\n")
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise InputError(
                f"can't write {str(self.path)!r}: {reason}; what was graded before is kept, and the run goes "
                "on from there when it is started again"
            ) from error

    def close(self) -> None:
        """Closes the file; another run may go on with it. Of a run that graded nothing, nothing stays."""
        if not self._records and not self.damaged:
            with contextlib.suppress(OSError):
                self.path.unlink()
                self.path.parent.rmdir()  # if there is nothing else in it
        with contextlib.suppress(OSError):  # of what could not be written, enough was said
            self._file.close()
