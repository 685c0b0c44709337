"""The first wrong line: of passes of several statements with a fault of one line each."""

from __future__ import annotations

import functools
import json
import os
import re
from collections import Counter

import numpy as np
import pytest

from diffkit.grading import Case, Exercise, draws, load_assignment, read_submission
from diffkit.grading.classes.grader import Grader
from diffkit.grading.diagnosis.first_wrong import first_wrong, wants_line
from diffkit.grading.diagnosis.line_evidence import Runner
from diffkit.grading.inside.edits import edits
from diffkit.grading.inside.student_side import load, perform
from diffkit.grading.judging.trials import prepare
from diffkit.grading.marking import grade

from .factorisations import BOTH_BIASES, FACTORISATIONS
from .passes import PASSES


@functools.cache
def _trials(name, seed):
    return prepare(PASSES[name].exercise, seed)


def found(exercise, trials, text):
    """The wrong line of a submission, run in this process."""
    module = load(text, "submission.py", "wrong_line_submission")

    def ask(requests):
        return [perform(module, r, Exception) for r in requests]

    return first_wrong(Runner(exercise, [text], ask), trials, ask([t.request for t in trials]), edits)


def _found(name, k, renamed=lambda text: text, seed=1):
    text, line = PASSES[name].broken(k)
    wrong = found(PASSES[name].exercise, _trials(name, seed), renamed(text))
    return line, wrong


def named_grad(text):
    return re.sub(r"\bd(?!out\b|im\b|own\b|ot\b|type\b|ef\b|raw\b)([a-z]\w*)\b", r"grad_\1", text)


def named_anyhow(text):
    """Every variable that is named after what it is the adjoint of gets a number."""
    numbers: dict[str, str] = {}
    pattern = r"\bd(?!out\b|im\b|own\b|ot\b|type\b|ef\b|raw\b)([a-z]\w*)\b"
    return re.sub(pattern, lambda m: numbers.setdefault(m[0], f"t{len(numbers)}"), text)


QUICK = [
    ("layer_norm", 12),
    ("attention", 9),
    ("softmax_loss", 8),
    ("vae_loss", 5),
    ("cosine", 6),
]


@pytest.mark.parametrize(("name", "k"), QUICK)
def test_the_wrong_line_is_found(name, k):
    line, wrong = _found(name, k)
    assert wrong is not None
    assert wrong.line == line


def test_it_says_the_values_and_what_would_be_right():
    line, wrong = _found("layer_norm", 8)
    assert (wrong.line, wrong.name, wrong.code) == (line, "ds", "ds = dinv / s ** 2")
    assert "-" in wrong.change
    text = wrong.message(3)
    assert f"Line {line}" in text
    assert wrong.given in text
    assert wrong.right in text
    assert wrong.message(0) == ""
    assert wrong.change not in wrong.message(2)


@pytest.mark.parametrize("name", PASSES)
def test_a_right_pass_is_not_accused(name):
    exercise, trials = PASSES[name].exercise, _trials(name, 1)
    module = load(PASSES[name].source, "submission.py", "right_submission")
    responses = [perform(module, t.request, Exception) for t in trials]
    assert grade(exercise, trials, responses, diagnose=False).passed


@pytest.mark.parametrize("name", FACTORISATIONS)
def test_another_factorisation_is_not_accused(name):
    exercise = FACTORISATIONS[name].exercise
    trials = prepare(exercise, 1)
    module = load(FACTORISATIONS[name].source, "submission.py", "right_submission")
    responses = [perform(module, t.request, Exception) for t in trials]
    verdict = grade(exercise, trials, responses, diagnose=False)
    assert verdict.passed, [c for c in verdict.checks if c.status == "failed"]
    assert not wants_line(verdict)


def test_of_two_wrong_copies_of_a_line_both_are_named():
    """What stood in a tutorial's LSTM layer: two biases with the forget gate's delta."""
    exercise = FACTORISATIONS["lstm_layer, deltas of gates"].exercise
    wrong = found(exercise, prepare(exercise, 1), BOTH_BIASES)
    assert wrong.code == "self.bi_grad = self.delta_f"
    assert wrong.change == "self.bi_grad = self.delta_i"
    assert BOTH_BIASES.split("\n")[wrong.also - 1].strip() == "self.bo_grad = self.delta_f"
    assert f"Line {wrong.also} is wrong too" in wrong.message(1)


PUBLISHED = [
    ("batch_norm, Jacobians of columns", 1),
    ("lstm_cell, into one array", 2),
    pytest.param("layer_norm, a loop over rows", 2, marks=pytest.mark.slow),
    pytest.param("layer_norm, through the transpose", 0, marks=pytest.mark.slow),
    pytest.param("softmax_loss, one-hot", 3, marks=pytest.mark.slow),
    pytest.param("softmax_loss, in stages", 0, marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("name", "k"), PUBLISHED)
def test_the_wrong_line_is_found_in_other_factorisations(name, k):
    one = FACTORISATIONS[name]
    text, line = one.broken(k)
    wrong = found(one.exercise, prepare(one.exercise, 1), text)
    assert wrong is not None
    assert wrong.line == line


def test_every_fault_fails():
    survivors = []
    for name, one in PASSES.items():
        for k in range(0, len(one.faults), 5):
            module = load(one.broken(k)[0], "submission.py", "faulty_submission")
            trials = _trials(name, 1)[:1]
            responses = [perform(module, t.request, Exception) for t in trials]
            if grade(one.exercise, trials, responses, diagnose=False).passed:
                survivors.append((name, k))
    assert survivors == []


@pytest.mark.slow
@pytest.mark.parametrize("renamed", [lambda text: text, named_grad, named_anyhow])
def test_nearly_all_are_found(renamed):
    """One fault in ``DIFFKIT_EVERY_FAULT``, by default fifteen; 1 for all, which takes minutes."""
    outcomes = Counter()
    faults = [(name, k) for name, one in PASSES.items() for k in range(len(one.faults))]
    for name, k in faults[:: int(os.environ.get("DIFFKIT_EVERY_FAULT", "15"))]:
        line, wrong = _found(name, k, renamed)
        off = None if wrong is None else abs(wrong.line - line)
        outcomes["none" if off is None else "exact" if not off else "next" if off == 1 else "other"] += 1
    print(dict(outcomes))
    assert outcomes["exact"] >= 0.6 * outcomes.total(), outcomes
    assert outcomes["other"] <= max(1, 0.03 * outcomes.total()), outcomes


def test_one_statement_is_the_line():
    exercise = Exercise(np.sin, [Case("a", draws.normal("n"))], "sine", arguments=("x",))
    text = "import numpy as np\n\n# mine\ndef sine_vjp(g, ans, x):\n    return g * np.sin(x)\n"
    wrong = found(exercise, prepare(exercise, 1), text)
    assert (wrong.line, wrong.change) == (5, "")


@pytest.mark.slow
def test_of_two_faults_one_is_found_or_none():
    text, _ = PASSES["vae_loss"].broken(5)
    text = text.replace("dmu += mu * dout", "dmu += 3 * mu * dout")
    wrong = found(PASSES["vae_loss"].exercise, _trials("vae_loss", 1), text)
    assert wrong is None or wrong.code in ("dlogvar = dsigma * sigma", "dmu += 3 * mu * dout")


def test_it_is_in_the_record_the_page_and_gradescopes_results(tmp_path):
    from diffkit.grading.reports.gradescope import gradescope_results
    from diffkit.grading.reports.pages import student_page

    (tmp_path / "week.py").write_text(
        "import numpy as np\nfrom diffkit.grading import Case, Exercise, draws\n"
        "def f(x, y):\n    return np.sum(np.sin(x) * y)\n"
        "exercises = [Exercise(f, [Case('a', draws.normal('34'), draws.normal('34'))], hint_level=3)]\n"
    )
    (tmp_path / "ann.py").write_text(
        "import numpy as np\n\ndef f_vjp(g, ans, x, y):\n    s = np.sin(x)\n    ds = g + y\n"
        "    dx = ds * np.cos(x)\n    dy = g * s\n    return dx, dy\n"
    )
    assignment = load_assignment(tmp_path / "week.py")
    grader = Grader(assignment, seed=1)
    try:
        record = grader.grade(read_submission(tmp_path / "ann.py"))
    finally:
        grader.close()
    (exercise,) = record.exercises
    assert exercise.line == 5
    assert "Line 5 is the first that is wrong: `ds = g + y`" in exercise.feedback
    assert '<mark id="line-5">   5      ds = g + y</mark>' in student_page(assignment, record)
    assert gradescope_results(record, assignment)["tests"][0]["line"] == 5
    assert json.loads(json.dumps(record.plain()))["exercises"][0]["line"] == 5


@pytest.mark.slow
def test_a_loop_that_a_change_makes_endless_is_given_up():
    exercise = Exercise(np.sin, [Case("a", draws.normal("3"))], "sine", arguments=("x",))
    text = (
        "import numpy as np\ndef sine_vjp(g, ans, x):\n    k = 0\n    c = np.zeros(3)\n"
        "    while k < 3:\n        c[k] = g[k] * np.sin(x[k])\n        k += 1\n    return c\n"
    )
    wrong = found(exercise, prepare(exercise, 1), text)
    assert wrong is not None
    assert wrong.line == 6


@pytest.mark.parametrize(
    ("name", "k", "mistake"),
    [
        pytest.param("two_layers", 9, "local derivative forgotten", marks=pytest.mark.slow),
        ("softmax_loss", 12, "constant factor"),
        pytest.param("attention", 13, "local derivative forgotten", marks=pytest.mark.slow),
        ("cosine", 6, "sign"),
        ("vae_loss", 1, "upstream forgotten"),
    ],
)
def test_the_change_says_what_kind_of_mistake_it_is(name, k, mistake):
    line, wrong = _found(name, k)
    assert (wrong.line, wrong.mistake) == (line, mistake)


def test_a_name_of_the_line_fills_in_where_the_numbers_gave_none():
    from diffkit.grading.diagnosis.line_mistakes import with_line
    from diffkit.grading.diagnosis.messages import named
    from diffkit.grading.judging.results import CheckResult, Verdict, WrongLine

    exercise = PASSES["two_layers"].exercise
    line = WrongLine(3, "dz = dh", mistake="local derivative forgotten")
    failed = (CheckResult("values", "failed"),)
    unnamed = Verdict("two_layers", failed, None)
    assert with_line(exercise, unnamed, line).diagnosis.name == "local derivative forgotten"
    rarer = Verdict("two_layers", failed, named("integer truncation", ("x",), "", 4))
    assert with_line(exercise, rarer, line).diagnosis.name == "local derivative forgotten"
    sure = Verdict("two_layers", failed, named("sign", ("x",), "", 4))
    assert with_line(exercise, sure, line).diagnosis.name == "sign"
    assert with_line(exercise, unnamed, None) is unnamed


def test_a_line_that_several_have_stands_on_the_class_page(tmp_path):
    from diffkit.grading.classes.running import grade_class
    from diffkit.grading.classes.submissions import find_submissions
    from diffkit.grading.reports import class_page

    (tmp_path / "week.py").write_text(
        "from diffkit.grading import catalogue\nexercises = [catalogue.exercise('exp')]\n"
    )
    folder = tmp_path / "in"
    folder.mkdir()
    for name, line in [("ann", "return g*x"), ("bob", "return g*x"), ("eve", "return 2 * g * ans")]:
        (folder / f"{name}.py").write_text(f"def exp_vjp(g, ans, x):\n    {line}\n")
    run = grade_class(
        load_assignment(tmp_path / "week.py"), find_submissions(folder), tmp_path / "out", seed=1
    )
    page = class_page(run)
    assert "<td>exp</td><td><code>return g*x</code></td><td>2</td>" in page
    assert "<code>return 2 * g * ans</code>" not in page


def test_equal_code_but_for_names_is_linked_on_the_class_page(tmp_path):
    from diffkit.grading.classes.running import grade_class
    from diffkit.grading.classes.submissions import find_submissions
    from diffkit.grading.reports import class_page

    (tmp_path / "week.py").write_text(
        "from diffkit.grading import catalogue\nexercises = [catalogue.exercise('exp')]\n"
    )
    folder = tmp_path / "in"
    folder.mkdir()
    text = "import numpy as np\n\ndef exp_vjp(g, ans, x):\n" + "".join(
        f"    y{k} = g * {k} + np.exp(x) - g * {k}\n" for k in range(12)
    )
    text += "    return g * y1\n"
    (folder / "ann.py").write_text(text)
    (folder / "bob.py").write_text('"""Mine."""\n' + text.replace("y", "why").replace("numpwhy", "numpy"))
    (folder / "eve.py").write_text(text.replace("np.exp(x) - g", "np.log(x) - g"))
    run = grade_class(
        load_assignment(tmp_path / "week.py"), find_submissions(folder), tmp_path / "out", seed=1
    )
    page = class_page(run)
    assert "The same text but for names" in page
    group = next(line for line in page.split("\n") if "in 2 files" in line)
    assert '<a href="students/ann.html">ann</a>, <a href="students/bob.html">bob</a>' in group
    assert "eve" not in group


TAMPERING = [
    "if sys.gettrace():\n        return g * ans\n    return g * x",
    "if not sys.gettrace():\n        return g * x\n    raise SystemExit",
    "sys.settrace(None)\n    y = g * x\n    return y",
    "sys.modules[__name__].__dict__['__parts__'] = 5\n    return g * x",
    "sys.modules[__name__].__dict__.pop('__adapt__', 0)\n    return g * x",
]


@pytest.mark.parametrize("body", TAMPERING)
def test_what_is_done_to_the_search_changes_no_verdict(body, tmp_path):
    (tmp_path / "week.py").write_text(
        "from diffkit.grading import catalogue\nexercises = [catalogue.exercise('exp')]\n"
    )
    (tmp_path / "ann.py").write_text(f"import sys\ndef exp_vjp(g, ans, x):\n    {body}\n")
    grader = Grader(load_assignment(tmp_path / "week.py"), seed=1)
    try:
        record = grader.grade(read_submission(tmp_path / "ann.py"))
    finally:
        grader.close()
    assert (record.score, record.not_graded) == (0.0, "")
    assert record.exercises[0].mistake in ("x for ans", "ans for x")
