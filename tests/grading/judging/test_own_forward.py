"""A backward pass against the forward pass of the same student: masks of their own, other conventions."""

from __future__ import annotations

import numpy as np
import pytest

from diffkit.grading import Case, Exercise, draws
from diffkit.grading.classes.grader import Grader
from diffkit.grading.classes.submissions import Submission
from diffkit.grading.exercises.assignment import load_assignment
from diffkit.grading.inside.student_side import load
from diffkit.grading.self_test.in_process import grade_in_process


def ridge(x, w):
    """A loss with all of its regularisation."""
    return np.sum((x @ w) ** 2) / len(x) + np.sum(w * w)


def dropout(x):
    return x


def _exercise(function=ridge, style="pair", **changes):
    ladder = [
        Case("ordinary", draws.normal("nm"), draws.normal("m")),
        Case("one row", draws.normal("1m"), draws.normal("m")),
    ]
    if function is dropout:
        ladder = [Case("ordinary", draws.normal("45"))]
    return Exercise(function, ladder, style=style, **changes)


def _graded(text, **changes):
    module = load("import numpy as np\n" + text, "a.py", "own_forward_submission")
    return grade_in_process(_exercise(**changes), module, seed=1)


HALF = """
def ridge_forward(x, w):
    return np.sum((x @ w) ** 2) / len(x) + 0.5 * np.sum(w * w), (x, w)

def ridge_backward(dout, cache):
    x, w = cache
    return dout * 2 * np.outer(x @ w, w) / len(x), dout * (2 * x.T @ (x @ w) / len(x) + {} * w)
"""


def test_a_wrong_forward_is_told_that_its_backward_fits():
    verdict = _graded(HALF.format(1))
    assert (verdict.check("forward").status, verdict.check("own forward").status) == ("failed", "passed")
    assert "fits your own forward pass" in verdict.check("own forward").message
    assert verdict.diagnosis.name == "wrong value, right derivative"
    assert verdict.score == 0


@pytest.mark.parametrize("factor", [2, 0.5, 1.001])
def test_or_that_it_does_not(factor):
    verdict = _graded(HALF.format(factor))
    assert verdict.check("own forward").status == "failed"
    assert "along a direction of w the value changes by" in verdict.check("own forward").message
    assert verdict.diagnosis is None or verdict.diagnosis.name != "wrong value, right derivative"


def test_an_exercise_may_ask_for_the_students_own_forward_pass():
    right = _graded(HALF.format(1), forward="own")
    assert right.passed
    assert right.score == 1
    assert right.check("forward").status == "warned"
    wrong = _graded(HALF.format(2), forward="own")
    assert (wrong.check("forward").status, wrong.check("values").status) == ("warned", "failed")
    assert wrong.score == 0


MASKS = {
    "the global generator": "np.random.rand(*x.shape) < 0.6",
    "a generator of its own": "np.random.default_rng().random(x.shape) < 0.6",
    "one that the module keeps": "RNG.random(x.shape) < 0.6",
    "Python's": "np.array([random.random() < 0.6 for _ in x.ravel()]).reshape(x.shape)",
}
DROPOUT = """
import random
RNG = np.random.default_rng(5)

def dropout_forward(x):
    mask = ({}) / 0.6
    return x * mask, mask

def dropout_backward(dout, mask):
    return {}
"""


@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
def test_dropout_with_a_mask_of_the_students_own(mask):
    verdict = _graded(DROPOUT.format(mask, "dout * mask"), function=dropout, forward="own")
    assert verdict.passed, str(verdict)
    for wrong in ("dout", "dout * (mask > 0)", "dout / np.maximum(mask, 0.1)"):
        assert not _graded(DROPOUT.format(mask, wrong), function=dropout, forward="own").passed


def test_where_it_cannot_be_seen_nothing_is_said_of_it():
    entropy = "np.frombuffer(__import__('os').urandom(x.size), dtype=np.uint8).reshape(x.shape) < 150"
    verdict = _graded(DROPOUT.format(entropy, "dout * mask"), function=dropout, forward="own")
    assert verdict.check("values").status == "inconclusive"
    assert "another value each time" in verdict.check("values").message
    assert np.random.default_rng().random() != np.random.default_rng().random()  # as before


def test_a_right_forward_is_judged_as_ever():
    text = HALF.replace("0.5 * np", "np").format(2)
    assert _graded(text, forward="own").passed
    assert not _graded(text.replace("+ 2 * w", "+ w"), forward="own").passed
    assert not any(check.name == "own forward" for check in _graded(text).checks)


GATE = """
class Ridge:
    def forward(self, x, w):
        self.x, self.w = x, w
        return 3 * np.sum((x @ w) ** 2)

    def backward(self, g):
        d = 6 * g * (self.x @ self.w)
        return np.outer(d, self.w), self.x.T @ d
"""


def test_as_a_submission_is_graded(tmp_path):
    path = tmp_path / "homework.py"
    path.write_text(
        "import numpy as np\nfrom diffkit.grading import Case, Exercise, draws\n"
        "def ridge(x, w):\n    return np.sum((x @ w) ** 2)\n"
        "cases = [Case('a', draws.normal('nm'), draws.normal('m')),"
        " Case('b', draws.normal('3m'), draws.normal('m'), visible=False)]\n"
        "exercises = [Exercise(ridge, cases, style='gate'),"
        " Exercise(ridge, cases, 'own', style='gate', forward='own', defines=('Ridge',))]\n"
    )
    grader = Grader(load_assignment(path), 1, sandbox="off")
    try:
        record = grader.grade(Submission("ann", tmp_path / "ann.py", "import numpy as np\n" + GATE))
    finally:
        grader.close()
    given, own = record.exercises
    assert (given.score, own.score) == (0, 1)
    assert given.mistake == "wrong value, right derivative"
    assert {c.name: c.status for c in own.checks}["hidden cases"] == "passed"
