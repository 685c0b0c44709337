"""PrairieLearn's ``results.json``, as its external graders write it.

The format is that of PrairieLearn's documentation, "External grading": a score from 0 to 1, whether the
submission could be graded at all (if not, no attempt is used up), and a list of tests with points.
"""

from __future__ import annotations

from typing import Any

from diffkit.grading.classes.records import Record
from diffkit.grading.exercises.assignment import Assignment


def prairielearn_results(record: Record, assignment: Assignment) -> dict[str, Any]:
    """One submission's results as PrairieLearn reads them.

    Of one that was not graded, by no fault of its own, they say that it is not gradable: no attempt is lost.
    """
    if record.not_graded:
        return prairielearn_failure(record.not_graded)
    share = record.score / record.points if record.points else 0.0
    return {
        "gradable": True,
        "score": min(1.0, max(0.0, round(share, 6))),
        "message": assignment.title,
        "output": f"Isolation: {record.isolation}.",
        "tests": [
            {
                "name": exercise.name,
                "points": round(exercise.score, 6),
                "max_points": exercise.points,
                "message": exercise.mistake,
                "output": exercise.text(),
            }
            for exercise in record.exercises
        ],
    }


def prairielearn_failure(why: str) -> dict[str, Any]:
    """The results where there is no record of a submission."""
    message = f"This is no fault of yours: please hand it in again, or tell your course team. ({why})"
    return {"gradable": False, "score": 0.0, "message": message, "output": "", "tests": []}
