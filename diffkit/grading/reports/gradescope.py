"""Gradescope's ``results.json``, and the zip that makes an assignment run there.

The format is Gradescope's "Autograder Specifications": scores, visibility, output and tags per test.
"""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Any

from diffkit.files import write_atomically
from diffkit.grading.classes.records import ExerciseRecord, Record
from diffkit.grading.exercises.assignment import Assignment
from diffkit.grading.reports.wheel import own_wheel, zipped


def gradescope_results(record: Record, assignment: Assignment) -> dict[str, Any]:
    """One submission's results as Gradescope reads them.

    Of one that was not graded, by no fault of its own, there is no test; Gradescope wants a number all the
    same, and the text says what it is worth.
    """
    if record.not_graded:
        return {
            **gradescope_failure(record.not_graded),
            "extra_data": {"not_graded": record.not_graded, "digest": record.digest},
        }
    return {
        "score": round(record.score, 6),
        "execution_time": round(record.seconds, 3),
        "output": f"{assignment.title}. Isolation: {record.isolation}.",
        "output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": [_test(exercise, k) for k, exercise in enumerate(record.exercises, start=1)],
        "extra_data": {"seed": [e.seed for e in record.exercises][:1], "digest": record.digest},
    }


def gradescope_failure(why: str) -> dict[str, Any]:
    """The results where there is no record of a submission: the number is none, and the text says so."""
    return {
        "score": 0,
        "output": "NOT GRADED YET, by no fault of yours: this is no score. Please hand it in again, or "
        f"tell your course team. ({why})",
        "output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": [],
    }


def _test(exercise: ExerciseRecord, number: int) -> dict[str, Any]:
    return {
        "name": exercise.name,
        "number": str(number),
        "score": round(exercise.score, 6),
        "max_score": exercise.points,
        "status": "passed" if exercise.passed else "failed",
        "output": exercise.text(),
        "output_format": "text",
        "visibility": "visible",
        "tags": [exercise.mistake] if exercise.mistake else [],
        "line": exercise.line,
    }


_SETUP = """#!/usr/bin/env bash
# Runs once, when Gradescope builds the container.
set -e
export DEBIAN_FRONTEND=noninteractive  # a package that asks for the time zone would wait for ever
apt-get update
apt-get install -y python3 python3-venv
apt-get install -y bubblewrap || echo "no bubblewrap: workers get a user of their own instead"
python=python3
if ! python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    apt-get install -y python3.11 python3.11-venv  # which Ubuntu 22.04 has beside its own 3.10
    python=python3.11
fi
$python -m venv /autograder/venv
/autograder/venv/bin/pip install {requirements}
"""

_RUN = """#!/usr/bin/env bash
# Runs for every submission: one file, graded in isolation, results where Gradescope looks for them.
cd /autograder
venv/bin/diffkit grade source/{assignment} submission --gradescope results/results.json
status=$?
if [ ! -s results/results.json ]; then  # there is one even then
    cat > results/results.json <<END
{{"score": 0, "output": "NOT GRADED YET, by no fault of yours: the autograder was stopped (status $status)"}}
END
fi
"""


def write_bundle(assignment: Assignment, path: str | os.PathLike[str]) -> Path:
    """Writes the zip to upload: ``setup.sh``, ``run_autograder``, the assignment, and diffkit as a wheel.

    The modules beside the assignment that it imports go with it. The same assignment gives the same bytes.

    Raises:
        InputError: if the path can't be written.
    """
    name, wheel = own_wheel()
    requirements = " ".join([f"/autograder/source/{name}", *assignment.packages])
    files: dict[str, bytes] = {
        "setup.sh": _SETUP.format(requirements=requirements).encode(),
        "run_autograder": _RUN.format(assignment=shlex.quote(assignment.path.name)).encode(),
        assignment.path.name: assignment.path.read_bytes(),
        name: wheel,
    }
    folder = assignment.path.resolve().parent
    files |= {m.relative_to(folder).as_posix(): m.read_bytes() for m in assignment.modules}
    return write_atomically(path, zipped(files, programs=("setup.sh", "run_autograder")))
