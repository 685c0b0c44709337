"""A class has the same verdicts and names whoever comes first, with one worker and with several."""

from __future__ import annotations

import pytest

from diffkit.grading.classes.running import grade_class
from diffkit.grading.classes.submissions import find_submissions
from diffkit.grading.exercises.assignment import load_assignment
from tests.grading.judging.test_laws import SETS

ENGINES = {
    "right": SETS,
    "overwritten": SETS.replace("grad += ", "grad = "),
    "sweep out of order": SETS.replace("reversed(order)", "order"),
    "wrong local derivative": SETS.replace(
        "+= other.data * out.grad", "+= (other.data + 0.37 * out.data**2) * out.grad"
    ),
}
"""Engines that keep parents in a set, by what is wrong with them; that of the last is found by its line."""


def _outcomes(tmp_path, folder, names, workers):
    subs = tmp_path / folder
    subs.mkdir()
    for name, text in zip(names, ENGINES.values(), strict=True):
        (subs / f"{name}.py").write_text(text)
    path = tmp_path / "homework.py"
    path.write_text("from diffkit.grading import catalogue\nexercises = [catalogue.exercise('Value')]\n")
    run = grade_class(
        load_assignment(path),
        find_submissions(subs),
        tmp_path / f"{folder} results",
        workers=workers,
        seed=5,
        same_for_all=True,
    )
    records = {record.student: record for record in run.records}
    return [records[name].exercises for name in names]


@pytest.mark.slow
def test_the_order_in_class_and_the_number_of_workers_do_not_matter(tmp_path):
    once = _outcomes(tmp_path, "one", ["a", "b", "c", "d"], 1)
    again = _outcomes(tmp_path, "two", ["d", "a", "c", "b"], 3)
    assert once == again
    assert [e.score for (e,) in once] == [1, 0, 0, 0]
    assert [e.mistake for (e,) in once] == ["", *list(ENGINES)[1:]]
