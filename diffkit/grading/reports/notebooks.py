"""An assignment as otter's test files, and as a notebook that nbgrader grades.

Both run a team's tests in the process of the student's notebook, so they use the visible cases only, and
what they say is worth as much as any test beside code that may do what it likes: marks that count are
better made by ``diffkit grade``, behind its walls.
"""

from __future__ import annotations

import json
import os
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from diffkit.files import write_atomically
from diffkit.grading.exercises.assignment import Assignment, load_assignment
from diffkit.grading.exercises.exercise import Exercise
from diffkit.grading.exercises.starter import scaffold
from diffkit.grading.reports.wheel import zipped


def check_names(assignment: str | os.PathLike[str], exercise: str, names: Mapping[str, Any]) -> None:
    """Grades one exercise by what a notebook defines, on the cases that students may see.

    Args:
        assignment: the assignment's file.
        exercise: the exercise's name.
        names: what the notebook defines, as ``globals()`` has it.

    Raises:
        AssertionError: if it is not right; the text says what is wrong.
        InputError: if there is no such assignment or exercise.
    """
    from diffkit.grading.self_test.in_process import grade_in_process

    (asked,) = load_assignment(assignment).only((exercise,)).exercises
    defined = {name: names[name] for name in asked.defines if name in names}
    verdict = grade_in_process(asked, types.SimpleNamespace(**defined), visible_only=True)
    if not verdict.passed:
        raise AssertionError(str(verdict))


_CALL = "check_names({path!r}, {name!r}, {names})"

_OTTER = """OK_FORMAT = False

from otter.test_files import test_case
from diffkit.grading.reports.notebooks import check_names

name = {name!r}
points = {points!r}


@test_case(name={name!r}, points={points!r}, hidden=False)
def test_{name}(env):
    {call}
"""


def otter_tests(assignment: Assignment) -> dict[str, str]:
    """Otter's test files, in its exception-based format: ``tests/NAME.py`` for each exercise.

    They look for the assignment's file where the notebook is.
    """
    return {f"tests/{e.name}.py": _otter_test(assignment, e) for e in assignment.exercises}


def _otter_test(assignment: Assignment, exercise: Exercise) -> str:
    call = _CALL.format(path=assignment.path.name, name=exercise.name, names="env")
    return _OTTER.format(name=exercise.name, points=exercise.points, call=call)


def write_otter(assignment: Assignment, path: str | os.PathLike[str]) -> Path:
    """Writes a zip with otter's test files, the assignment, and the modules that it imports.

    Raises:
        InputError: if the path can't be written.
    """
    files = {name: text.encode() for name, text in otter_tests(assignment).items()}
    folder = assignment.path.resolve().parent
    files[assignment.path.name] = assignment.path.read_bytes()
    files |= {m.relative_to(folder).as_posix(): m.read_bytes() for m in assignment.modules}
    return write_atomically(path, zipped(files))


def nbgrader_notebook(assignment: Assignment) -> dict[str, Any]:
    """A notebook with a cell to fill in for each exercise and a locked cell with its test, for nbgrader.

    The assignment's file has to lie beside it.
    """
    cells = [
        _cell("import numpy as np\n\nfrom diffkit.grading.reports.notebooks import check_names", "imports")
    ]
    for exercise in assignment.exercises:
        starter = scaffold([exercise]).partition("\n\n\n")[2].strip()
        answer = f"### BEGIN SOLUTION\n{starter}\n### END SOLUTION"
        call = _CALL.format(path=assignment.path.name, name=exercise.name, names="globals()")
        cells.append(_cell(answer, f"{exercise.name}_answer", solution=True, locked=False))
        cells.append(_cell(call, f"{exercise.name}_test", grade=True, points=exercise.points))
    title = {"cell_type": "markdown", "id": "title", "metadata": {}, "source": f"# {assignment.title}"}
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {
        "cells": [title, *cells],
        "metadata": {"kernelspec": kernel},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def _cell(
    source: str,
    grade_id: str,
    *,
    grade: bool = False,
    solution: bool = False,
    locked: bool = True,
    points: float = 0,
) -> dict[str, Any]:
    kept: dict[str, Any] = {
        "grade": grade,
        "grade_id": grade_id,
        "locked": locked,
        "schema_version": 3,
        "solution": solution,
        "task": False,
        "cell_type": "code",
    }
    if grade:
        kept["points"] = points
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": grade_id,
        "metadata": {"nbgrader": kept},
        "outputs": [],
        "source": source,
    }


def write_nbgrader(assignment: Assignment, path: str | os.PathLike[str]) -> Path:
    """Writes the notebook for nbgrader.

    Raises:
        InputError: if the path can't be written.
    """
    return write_atomically(path, json.dumps(nbgrader_notebook(assignment), indent=1))
