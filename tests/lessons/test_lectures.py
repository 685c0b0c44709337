"""The lectures' own programs: each script passes, and what was missed in the lessons is named here.

``WHERE`` has every item of the five decks that was shown in part or nowhere when the lessons were held
against the slides, with the script that shows it now and a piece of that script's text.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from diffkit.lessons import drawn_in, find
from diffkit.lessons.running import lectures

ROOT = Path(__file__).parents[2]
LESSONS = ROOT / "lessons"
DECKS = sorted((LESSONS / "lectures").glob("*.py"))

WHERE = [
    ("CSE 849: the wrong guess for the gradient by W", "cse849.py", "the guess α ΔW"),
    ("CSE 849: Frobenius inner product", "cse849.py", "Frobenius inner product of ∇_W D and ΔW"),
    ("CSE 849: the transposing trick", "cse849.py", "zᵀ = yᵀ Wᵀ + bᵀ"),
    ("CSE 849: ∇_W D = y ∇_z D, symbolic", "cse849.py", "== y_ * v_.T"),
    ("CSE 849: N layers, diagonal Jacobians", "cse849.py", "np.diag(np.diag(J))"),
    ("CSE 849: 2 or not 2, trained", "cse849.py", "def two_or_not_two(w, b)"),
    ("CSE 849: ten or eleven outputs, KL", "cse849.py", "for outputs in (10, 11)"),
    ("CSE 849: logistic map, row 4", "cse849.py", "(1 - 8 * X_ + 8 * X_**2) ** 2"),
    ("CSE 849: soft ReLU of two layers, w1 b1 w2 b2", "cse849.py", "w2 * sympy.log(1 + sympy.exp(w1"),
    ("CSE 849: higher orders never eliminate the error", "slips.py", "for order in (2, 4, 6)"),
    ("CSE 849: exact and stable", "slips.py", "## 10. Exact and stable?"),
    ("CSE 849: neuron loss as t1 ... t7, L", "cse849.py", '"t1", "z", "t3", "t4", "t5", "y", "t6"'),
    ("CSE 849: the training program", "coms4776.py", "== 0.3890"),
    ("CSE 849: logistic = logistic2", "coms4776.py", "def logistic2(z)"),
    ("COMS 4776: add_outgrads, make_vjp, grad with subval", "coms4776.py", "def subval(x, i, v)"),
    ("CS 434: sigmoid and ReLU neurons over the plane", "cs434.py", "cs434_neurons.svg"),
    ("CS 434: losses with δ and C classes", "cs434.py", "def huber(a, b, delta)"),
    ("CS 434: 784-16-16-10", "cs434.py", "sizes = [784, 16, 16, 10]"),
    ("CS 434: shapes, d × mn", "cs434.py", "d × mn: the matrix, as a vector"),
    ("CS 434: y(x) = (-5x, x²)", "cs434.py", "np.stack([-5 * x, x**2])"),
    ("CS 434: sum_backward", "cs434.py", "def sum_backward(grad, sizes, dims, keepdim)"),
    ("CS 434: PyTorch's backward list", "cs434.py", "BACKWARD = {"),
    ("unnamed: NLL of one hidden layer, update of W11", "derivatives_revisited.py", "moved[0, 0] -= alpha"),
    ("unnamed: linear approximation, perturbation", "derivatives_revisited.py", "If I perturb x by h"),
    ("unnamed: function view and value view", "derivatives_revisited.py", "def value_view(x)"),
    ("unnamed: -log σ(wx²)", "derivatives_revisited.py", "c = 1 / (1 + np.exp(-b))"),
    ("unnamed: ForwardValue, _add, _neg, _sub", "derivatives_revisited.py", "class _sub(ForwardValue)"),
    ("unnamed: y = Ax, y = x²", "derivatives_revisited.py", "np.diag(2 * x)"),
    ("unnamed: MSE in forward mode on vectors", "derivatives_revisited.py", "t.push_forward(e) for e in"),
    ("SKKU: n-mode product, matricisation, the block matrix", "skku.py", "np.kron(np.eye(m), x)"),
    ("SKKU: references", "skku.py", "arXiv:1502.05767"),
    ("all: three layouts side by side", "slips.py", "## 13. Three layouts"),
    ("all: a list of errors on the slides", "slips.py", "# # What the slides get wrong"),
    ("all: KL between distributions over ten classes", "cse849.py", "KL(p || softmax(outputs))"),
]  # fmt: skip


@pytest.mark.parametrize(("item", "file", "text"), WHERE, ids=[item for item, _, _ in WHERE])
def test_what_the_lessons_lacked_has_its_place(item: str, file: str, text: str) -> None:
    assert text in (LESSONS / "lectures" / file).read_text(encoding="utf-8")


def test_every_deck_has_a_row_in_the_readme_and_is_found_by_its_name() -> None:
    readme = (LESSONS / "lectures" / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"^\|.*\[(\w+)\.py\]\(\1\.py\)", readme, re.MULTILINE) == [
        "cse849", "cs434", "derivatives_revisited", "coms4776", "skku", "slips",
    ]  # fmt: skip
    assert sorted(deck.name for deck in lectures()) == [path.stem for path in DECKS]
    for path in DECKS:
        assert find(path.stem).path == path


@pytest.mark.parametrize("deck", DECKS, ids=lambda path: path.stem)
def test_a_deck_passes_and_draws_what_is_committed(
    deck: Path, run_lesson: Callable[..., Any], tmp_path: Path
) -> None:
    done, _ = run_lesson(deck, tmp_path, fast=True)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert sum(isinstance(n, ast.Assert) for n in ast.walk(ast.parse(deck.read_text(encoding="utf-8")))) >= 8
    for figure in tmp_path.iterdir():
        assert drawn_in(figure) is not None
        assert (ROOT / "figures" / figure.name).is_file()


def test_the_slips_are_as_many_as_its_table_says() -> None:
    text = (LESSONS / "lectures" / "slips.py").read_text(encoding="utf-8")
    numbers = [int(n) for n in re.findall(r"^# \| (\d+) \|", text, re.MULTILINE)]
    assert numbers == list(range(1, 15))
    assert {int(n) for n in re.findall(r'print\(f?"(\d+) ', text)} == set(numbers)
