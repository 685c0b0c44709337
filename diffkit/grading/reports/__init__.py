"""The results of a class, in every form that somebody needs them in.

In the results' folder: ``scores.csv`` for the learning system, ``junit.xml`` for CI, ``class.html`` for
the team, and for each student a page ``students/NAME.html`` and Gradescope's ``students/NAME.json``.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from diffkit.errors import InputError
from diffkit.files import write_atomically
from diffkit.grading.classes.running import ClassRun
from diffkit.grading.reports.gradescope import gradescope_failure, gradescope_results
from diffkit.grading.reports.junit import junit_xml
from diffkit.grading.reports.pages import class_page, file_name, student_page
from diffkit.grading.reports.scores import misconceptions, scores, summary

__all__ = [
    "class_page",
    "gradescope_failure",
    "gradescope_results",
    "junit_xml",
    "misconceptions",
    "scores",
    "student_page",
    "summary",
    "write_reports",
]


def write_reports(run: ClassRun, folder: str | os.PathLike[str]) -> list[Path]:
    """Writes all reports of a run into a folder, each file whole or not at all.

    Raises:
        InputError: if the folder can't be made or written.
    """
    root = Path(folder)
    try:
        (root / "students").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"can't write {str(folder)!r}: {(error.strerror or str(error)).lower()}") from error
    written = [
        write_atomically(root / "scores.csv", scores(run).csv()),
        write_atomically(root / "junit.xml", junit_xml(run)),
        write_atomically(root / "class.html", class_page(run)),
    ]
    for record in run.records:
        stem = root / "students" / file_name(record.student)
        written.append(
            write_atomically(stem.with_name(f"{stem.name}.html"), student_page(run.assignment, record))
        )
        text = json.dumps(gradescope_results(record, run.assignment), indent=1)
        written.append(write_atomically(stem.with_name(f"{stem.name}.json"), text))
    return written
