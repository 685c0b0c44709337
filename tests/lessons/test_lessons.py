"""The lesson scripts: their form, and which of the lectures' programs they show."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from diffkit import programs

ROOT = Path(__file__).parents[2]
SYLLABUS = """
    01_by_hand 02_expression_swell 03_programs_not_formulas 04_finite_differences 05_wengert_list
    06_forward_mode 07_reverse_mode 08_reuse 09_forward_or_reverse 10_order_of_products
    10b_matrices 11_vjps_not_jacobians 12_inside_autograd 13_higher_order 14_training 15_where_tracing_breaks
""".split()


def test_the_syllabus_is_complete(scripts: list[Path]) -> None:
    assert [path.stem for path in scripts] == SYLLABUS


def test_form(script: Path) -> None:
    text = script.read_text(encoding="utf-8")
    tree = ast.parse(text)
    docstring = ast.get_docstring(tree) or ""
    title, blank, *about = docstring.splitlines()
    assert re.fullmatch(r"[A-Z].{10,90}[^.]", title)
    assert blank == ""
    assert re.search(r"^Goals: .+?^Before: .+ \d+ minutes", "\n".join(about), re.DOTALL | re.MULTILINE)
    assert len(text.splitlines()) <= 220
    for word in ("**Problem.**", "**Idea.**", "**Rule", "**Subtlety.**", "## Exercises"):
        assert word in text, word
    heading = re.search(r"^# # (.+)$", text, re.MULTILINE)
    assert heading is not None
    assert heading[1] == title.split(":")[0]
    assert sum(isinstance(node, ast.Assert) for node in ast.walk(tree)) >= 5
    assert "save(" in text, "a lesson has at least one picture"
    asked = [n for n in ast.walk(tree) if isinstance(n, ast.Call) and getattr(n.func, "id", "") == "predict"]
    assert len(asked) >= 2
    # A caught exception would be a claim that nobody checks, unless it is the lesson's point.
    for handler in (n for n in ast.walk(tree) if isinstance(n, ast.ExceptHandler)):
        assert ast.unparse(handler.type or ast.Name("everything")).startswith("dk."), ast.unparse(handler)


def test_what_a_lesson_needs_before_it_is_there_and_comes_before(script: Path) -> None:
    docstring = ast.get_docstring(ast.parse(script.read_text(encoding="utf-8"))) or ""
    for name in re.findall(r"\b\d\d\w?_\w+", docstring.partition("Before:")[2]):
        assert name in SYLLABUS
        assert name < script.stem


def programs_used(script: Path) -> set[str]:
    """The programs that a lesson calls from ``dk.programs``, or names in a string."""
    found = set()
    for node in ast.walk(ast.parse(script.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "dk.programs":
            found.add(node.attr)
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value)
    return found & set(programs.names())


def test_the_readme_says_which_lesson_shows_which_program(scripts: list[Path]) -> None:
    readme = (ROOT / "lessons" / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \|(.+)\|(.+)\|(.+)\|$", readme, re.MULTILINE)
    assert [row[0] for row in rows] == programs.names()
    used = {script.stem: programs_used(script) for script in scripts}
    for program, _, lessons, figures in rows:
        named = re.findall(r"\((\w+)\.py\)", lessons)
        assert named, program
        for lesson in named:
            assert program in used[lesson], f"{lesson} does not use {program}"
        for figure in re.findall(r"\(\.\./(figures/\w+\.svg)\)", figures):
            assert (ROOT / figure).exists(), figure
            assert any(Path(figure).name.partition("_")[0] == lesson.partition("_")[0] for lesson in named), (
                figure
            )


def test_the_tracer_is_written_in_under_100_lines(scripts: list[Path]) -> None:
    """As the twelfth lesson's title says: steps 1 to 5, without prose, checks and blank lines."""
    (script,) = [path for path in scripts if path.stem == "12_inside_autograd"]
    text = script.read_text(encoding="utf-8")
    steps = text[text.index("# ## 1.") : text.index("# ## 6.")]
    code = [line for line in steps.splitlines() if line.strip() and not line.startswith("#")]
    assert 50 < len(code) < 100
