"""Gradescope's ``results.json``, and the zip that makes an assignment run there.

The format is Gradescope's "Autograder Specifications": scores, visibility, output and tags per test.
"""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path
from typing import Any

from diffkit.files import write_atomically
from diffkit.grading.assignment import Assignment
from diffkit.grading.records import ExerciseRecord, Record

__all__ = ["gradescope_results", "write_bundle"]


def gradescope_results(record: Record, assignment: Assignment) -> dict[str, Any]:
    """One submission's results as Gradescope reads them."""
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
    }


_SETUP = """#!/usr/bin/env bash
# Runs once, when Gradescope builds the container.
set -e
apt-get update
apt-get install -y python3 python3-pip python3-venv bubblewrap
python3 -m venv /autograder/venv
/autograder/venv/bin/pip install {requirement}
"""

_RUN = """#!/usr/bin/env bash
# Runs for every submission: one file, graded in isolation, results where Gradescope looks for them.
set -e
cd /autograder
venv/bin/diffkit grade source/{assignment} submission --gradescope results/results.json
"""


def write_bundle(assignment: Assignment, path: str | os.PathLike[str], requirement: str = "diffkit") -> Path:
    """Writes the zip to upload: ``setup.sh``, ``run_autograder`` and the assignment.

    Args:
        assignment: the assignment.
        path: the zip file.
        requirement: what pip installs diffkit from; a name, or a URL with a version.

    Raises:
        InputError: if the path can't be written.
    """
    files = {
        "setup.sh": _SETUP.format(requirement=requirement),
        "run_autograder": _RUN.format(assignment=assignment.path.name),
        assignment.path.name: assignment.path.read_text(encoding="utf-8"),
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, text in files.items():
            info = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))  # the same bytes each time
            info.external_attr = (0o755 if name in ("setup.sh", "run_autograder") else 0o644) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            bundle.writestr(info, text)
    return write_atomically(path, out.getvalue())
