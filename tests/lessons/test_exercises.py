"""The exercises at the end of each lesson: a solution passes, an unfilled starter fails, all of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from diffkit.cli import main
from diffkit.grading.exercises.assignment import load_assignment
from diffkit.grading.exercises.starter import scaffold

SOLUTIONS = Path(__file__).parent / "solutions"

Check = Callable[[Path, Path], dict[str, bool]]


def assignment_of(script: Path) -> Path:
    return script.parent / "exercises" / script.name


def starter_of(script: Path) -> Path:
    return script.parent / "exercises" / f"{script.stem}_start.py"


@pytest.fixture
def check(capsys: pytest.CaptureFixture[str]) -> Callable[[Path, Path], dict[str, bool]]:
    """``diffkit check`` on a lesson's exercises: which pass, with the exit status that goes with it."""

    def run(script: Path, file: Path) -> dict[str, bool]:
        with pytest.raises(SystemExit) as done:
            main(["check", str(assignment_of(script)), str(file)])
        marks = re.findall(r"^([✓✗]) (\w+)$", capsys.readouterr().out, re.MULTILINE)
        passed = {name: mark == "✓" for mark, name in marks}
        assert list(passed) == [
            exercise.name for exercise in load_assignment(assignment_of(script)).exercises
        ]
        assert done.value.code == (0 if all(passed.values()) else 1)
        return passed

    return run


def test_the_solution_passes(check: Check, script: Path) -> None:
    assert all(check(script, SOLUTIONS / script.name).values())


def test_the_unfilled_starter_fails(check: Check, script: Path) -> None:
    assert not any(check(script, starter_of(script)).values())


def test_the_starter_is_the_scaffold(script: Path) -> None:
    exercises = load_assignment(assignment_of(script)).exercises
    assert starter_of(script).read_text(encoding="utf-8") == scaffold(list(exercises))


def test_the_lesson_names_its_exercises_and_how_to_check_them(script: Path) -> None:
    _, _, text = script.read_text(encoding="utf-8").partition("## Exercises")
    assert f"exercises/{starter_of(script).name}" in text
    assert f"diffkit check lessons/exercises/{script.name} YOUR_FILE" in text
    named = set(re.findall(r"`(\w+)`", text))
    for exercise in load_assignment(assignment_of(script)).exercises:
        assert exercise.name in named or set(exercise.defines) & named, exercise.name


# One wrong answer for each lesson: what a student of it is likely to hand in.
MISTAKES = {
    "01_by_hand": ("np.outer(g, y)", "np.outer(y, g)"),
    "02_expression_swell": ("4 * (1 - 2 * value) * slope", "4 * (1 - value) * slope"),
    "03_programs_not_formulas": ("np.sign(r)", "1.0"),
    "04_finite_differences": ("h = 1e-5", "h = 1e-15"),
    "05_wengert_list": ("d5 = d7 * v6", "d5 = d7"),
    "06_forward_mode": ("ta + t2 / x2", "t2 / x2"),
    "07_reverse_mode": ("g[0] * np.cos(x1 * x2) + g[1]", "g[0] * np.cos(x1 * x2)"),
    "08_reuse": ("a_bar = a_bar + 5 * b_bar", "a_bar = 5 * b_bar"),
    "09_forward_or_reverse": ("x_bar[1:] += ", "x_bar[1:] = "),
    "10_order_of_products": ("(1 - h1**2)", "(1 - h1)"),
    "10b_matrices": ("(A + A.T) @ x", "2 * A @ x"),
    "11_vjps_not_jacobians": ("unbroadcast(g, y)", "g"),
    "12_inside_autograd": ("parent.grad += ", "parent.grad = "),
    "13_higher_order": ("(t - np.sum(ans * t))", "t"),
    "14_training": (" / len(label)", ""),
    "15_where_tracing_breaks": ("g / (1 + np.exp(-z))", "g * np.exp(z) / (1 + np.exp(z))"),
}


@pytest.mark.parametrize(
    ("grads", "passes"),
    [
        ("h = 2e-5", True),
        ("h = 1e-6", True),
        ("h = 5e-5", False),
        ("h = 1e-7", False),
        ("np.cos(h := 1e-5)", False),
    ],
)
def test_which_h_is_judged_by_h(grads: str, passes: bool, tmp_path: Path, capsys) -> None:
    exercise = SOLUTIONS.parents[2] / "lessons" / "exercises" / "04_finite_differences.py"
    changed = tmp_path / "changed.py"
    solution = (SOLUTIONS / exercise.name).read_text(encoding="utf-8")
    changed.write_text(solution.replace("h = 1e-5", grads), encoding="utf-8")
    with pytest.raises(SystemExit):
        main(["check", str(exercise), str(changed)])
    assert f"{'✓' if passes else '✗'} central" in capsys.readouterr().out


@pytest.mark.slow
def test_a_likely_mistake_fails(check: Check, script: Path, tmp_path: Path) -> None:
    right, wrong = MISTAKES[script.stem]
    solution = (SOLUTIONS / script.name).read_text(encoding="utf-8")
    assert solution.count(right) == 1
    changed = tmp_path / "changed.py"
    changed.write_text(solution.replace(right, wrong), encoding="utf-8")
    assert list(check(script, changed).values()).count(False) == 1
