"""``diffkit check`` and ``diffkit grade``, as a student and as a course team use them."""

from __future__ import annotations

import csv
import json
import textwrap
import zipfile
from pathlib import Path

import pytest

import diffkit as installed
from tests.grading.honest import submission, write_assignment


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_assignment(tmp_path, "multiply", "tanh")
    subs = tmp_path / "subs"
    subs.mkdir()
    (subs / "ann.py").write_text(submission("multiply", "tanh"))
    (subs / "bob.py").write_text(submission("multiply", tanh="return g * (1 - x**2)"))
    (tmp_path / "empty").mkdir()
    (tmp_path / "wrong.py").write_text("exercises = 3\n")
    return tmp_path


def test_check_a_right_solution(diffkit, course) -> None:
    done = diffkit("check", "homework.py", "subs/ann.py")
    assert done.status == 0
    assert done.out.splitlines() == ["✓ multiply", "✓ tanh", "2 of 2 exercises pass the visible cases."]


def test_check_a_wrong_one_shows_the_numbers_and_the_mistake(diffkit, course) -> None:
    done = diffkit("check", "homework.py", "subs/bob.py")
    assert done.status == 1
    assert "✓ multiply" in done.out
    assert "✗ tanh" in done.out
    assert "expected" in done.out
    assert "→ " in done.out
    assert done.out.endswith("1 of 2 exercises pass the visible cases.\n")


def test_check_only_one_and_show_what_was_printed(diffkit, course) -> None:
    (course / "me.py").write_text(submission("tanh") + "\nprint('hello')\n")
    done = diffkit("check", "homework.py", "me.py", "--only", "tanh", "--sandbox", "off")
    assert done.status == 0
    assert "hello" in done.out
    assert done.out.endswith("1 of 1 exercise passes the visible cases.\n")


def test_check_a_syntax_error_names_the_line(diffkit, course) -> None:
    (course / "me.py").write_text("x = 1\ndef tanh_vjp(g, ans, x)\n")
    done = diffkit("check", "homework.py", "me.py", "--only", "tanh")
    assert done.status == 1
    assert "SyntaxError" in done.out
    assert "line 2" in done.out


def test_check_and_grade_as_json(diffkit, course) -> None:
    done = diffkit("check", "homework.py", "subs/bob.py", "--json")
    assert done.status == 1
    told = json.loads(done.out)
    assert [(e["name"], e["passed"]) for e in told["exercises"]] == [("multiply", True), ("tanh", False)]
    assert any(c["status"] == "failed" and c["message"] for c in told["exercises"][1]["checks"])
    done = diffkit("grade", "homework.py", "subs", "-o", "results", "--workers", "1", "--seed", "3", "--json")
    assert done.status == 0
    told = json.loads(done.out)
    assert (told["seed"], told["graded"], told["folder"]) == (3, 2, "results")
    assert told["isolation"]
    scores = {r["student"]: [e["score"] for e in r["exercises"]] for r in told["submissions"]}
    assert scores == {"ann": [2.0, 2.0], "bob": [2.0, 0.0]}
    proven = json.loads(diffkit("grade", "--self-test", "homework.py", "--json").out)
    assert {row["exercise"] for row in proven["rows"]} >= {"multiply", "tanh"}


def test_grade_a_class_and_resume(diffkit, course) -> None:
    done = diffkit("grade", "homework.py", "subs", "-o", "results", "--workers", "1", "--seed", "3")
    assert done.status == 0
    assert "graded 2 submissions in" in done.out
    assert "seed 3" in done.out
    assert "isolation: " in done.out
    rows = list(csv.DictReader((course / "results" / "scores.csv").read_text().splitlines()))
    assert [(r["student"], r["score"]) for r in rows] == [("ann", "4.0"), ("bob", "2.0")]
    names = {str(p.relative_to(course / "results")) for p in (course / "results").rglob("*") if p.is_file()}
    assert names == {
        *("journal.jsonl", "scores.csv", "junit.xml", "class.html"),
        *(f"students/{name}.{kind}" for name in ("ann", "bob") for kind in ("html", "json")),
    }
    again = diffkit("grade", "homework.py", "subs", "-o", "results")
    assert "graded 0 submissions" in again.out
    assert "2 were in the journal" in again.out
    other = diffkit("grade", "homework.py", "subs", "-o", "results", "--seed", "4")
    assert other.status == 2
    assert "journal of another run" in other.err


def test_grade_one_submission_for_gradescope(diffkit, course) -> None:
    (course / "out").mkdir()
    (course / "one").mkdir()
    (course / "one" / "solution.py").write_text(submission("multiply", "tanh"))
    done = diffkit("grade", "homework.py", "one", "--gradescope", "out/results.json", "--workers", "1")
    assert done.status == 0, done.err
    results = json.loads((course / "out" / "results.json").read_text())
    assert results["score"] == 4.0
    assert [t["status"] for t in results["tests"]] == ["passed", "passed"]


@pytest.mark.parametrize(("files", "count"), [((), "no"), (("a.py", "b.py"), "2")])
def test_gradescope_gets_an_answer_whatever_was_uploaded(diffkit, course, files, count) -> None:
    for name in files:
        (course / "empty" / name).write_text("")
    (course / "out").mkdir()
    done = diffkit("grade", "homework.py", "empty", "--gradescope", "out/results.json", "--workers", "1")
    assert done.status == 0, done.err
    results = json.loads((course / "out" / "results.json").read_text())
    assert results["score"] == 0.0
    assert (
        f"the folder holds {count} scripts or notebooks; one file is needed" in results["tests"][0]["output"]
    )


def test_bundle_and_scaffold(diffkit, course) -> None:
    done = diffkit("grade", "homework.py", "--bundle", "gradescope", "-o", "bundle.zip")
    assert done.out == "wrote bundle.zip\n"
    assert "setup.sh" in zipfile.ZipFile(course / "bundle.zip").namelist()
    done = diffkit("grade", "homework.py", "--scaffold", "-o", "starter.py")
    assert done.status == 0
    text = (course / "starter.py").read_text()
    assert "def multiply_vjp" in text
    compile(text, "starter.py", "exec")
    done = diffkit("grade", "homework.py", "--scaffold", "-o", "starter.py")
    assert done.status == 2
    assert (course / "starter.py").read_text() == text


BAD = {
    ("check", "none.py", "subs/ann.py"): "can't read the assignment 'none.py': no such file or directory",
    ("check", "homework.py", "none.py"): "can't check 'none.py': there is no such file",
    ("check", "homework.py", "subs"): "to grade a folder of them: diffkit grade homework.py subs -o results",
    ("check", "wrong.py", "subs/ann.py"): "the assignment wrong.py needs a list `exercises = [...]`",
    ("check", "homework.py", "subs/ann.py", "--only", "sin"): "no exercise 'sin'; there are multiply, tanh",
    ("check", "homework.py", "subs/ann.py", "--seed", "-1"): "-1 is not in the range",
    ("check", "homework.py"): "Missing argument 'FILE'",
    ("grade", "homework.py"): "give a folder of submissions, or one of --self-test, --scaffold and --bundle",
    ("grade", "homework.py", "subs", "--self-test"): "give a folder of submissions, or one of",
    ("grade", "homework.py", "none", "-o", "results"): "there is no folder 'none' with submissions",
    ("grade", "homework.py", "empty", "-o", "results"): "the folder 'empty' has no submissions",
    ("grade", "homework.py", "subs", "-o", "results", "--only", "sin"): "no exercise 'sin'",
    ("grade", "homework.py", "subs", "-o", "results", "--workers", "0"): "0 is not in the range",
    ("grade", "homework.py", "subs", "-o", "homework.py"): "can't write 'homework.py/journal.jsonl'",
    ("grade", "homework.py", "subs", "-o", "results", "--sandbox", "jail"): "'jail' is not one of",
    ("grade", "wrong.py", "subs", "-o", "results"): "the assignment wrong.py needs a list",
    ("grade", "homework.py", "subs", "--gradescope", "none/results.json"): "no folder 'none' to write",
    ("grade", "homework.py", "--bundle", "gradescope"): "name the file to write with -o",
    ("grade", "homework.py", "--bundle", "moodle", "-o", "x"): "'moodle' is not",
    ("grade", "homework.py", "--bundle", "gradescope", "-o", "none/b.zip"): "can't write 'none/b.zip'",
    ("grade", "homework.py", "--scaffold"): "name the file to write with -o",
}  # fmt: skip


@pytest.mark.parametrize("arguments", BAD, ids=" ".join)
def test_bad_input_is_one_sentence_and_writes_nothing(diffkit, course, arguments) -> None:
    before = sorted(course.rglob("*"))
    done = diffkit(*arguments)
    assert done.status == 2
    assert done.out == ""
    assert done.err.startswith("diffkit: ")
    assert BAD[arguments] in done.err
    assert done.err.count("\n") == 1
    assert sorted(p for p in course.rglob("*") if "__pycache__" not in p.parts) == before


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("homework.py", "none"), "there is no folder 'none' with a submission"),
        (("wrong.py", "subs"), "the assignment wrong.py needs a list"),
        (("homework.py", "subs", "--only", "sin"), "no exercise 'sin'"),
        (("homework.py", "subs", "-o", "homework.py"), "can't write"),
    ],
)
def test_gradescope_gets_results_even_where_nothing_can_be_graded(diffkit, course, arguments, why) -> None:
    done = diffkit("grade", *arguments, "--gradescope", "results.json")
    assert done.status == 2
    assert why in done.err
    found = json.loads((course / "results.json").read_text())
    assert found["score"] == 0
    assert "NOT GRADED YET, by no fault of yours" in found["output"]
    assert why in found["output"]


@pytest.mark.parametrize("command", ["check", "grade"])
def test_help_has_examples(diffkit, command) -> None:
    done = diffkit(command, "--help")
    assert done.status == 0
    assert "Examples:" in done.out
    assert f"diffkit {command} homework3.py" in done.out
    assert "\b" not in done.out


@pytest.mark.parametrize("place", ["the help", "the page for course teams"])
def test_the_assignment_that_is_shown_is_one(diffkit, course, place) -> None:
    if place == "the page for course teams":
        readme = (Path(installed.__file__).parent / "grading" / "README.md").read_text(encoding="utf-8")
        shown = readme.split("```python\n# homework.py\n")[1].split("```")[0]
    else:
        shown = diffkit("grade", "--help").out.split("such as homework3.py:\n")[1].split("Nothing but")[0]
    (course / "homework3.py").write_text(textwrap.dedent(shown))
    done = diffkit("grade", "--self-test", "homework3.py")
    assert done.status == 0
    assert "reference as a submission" in done.out


def test_the_terminal_says_who_could_not_be_loaded(diffkit, course) -> None:
    (course / "subs" / "eve.py").write_text("def (\n")
    done = diffkit("grade", "homework.py", "subs", "-o", "results", "--sandbox", "off")
    (line,) = [line for line in done.out.splitlines() if line.startswith("eve")]
    assert line.endswith("could not be loaded")


def test_the_terminal_says_why_there_was_no_answer(diffkit, course) -> None:
    (course / "subs" / "fay.py").write_text("")
    (course / "subs" / "gus.py").write_text(
        submission("tanh") + "import os\n\ndef multiply_vjp(g, ans, x, y):\n    os._exit(0)\n"
    )
    done = diffkit("grade", "homework.py", "subs", "-o", "results")
    told = {line.split()[0]: line for line in done.out.splitlines() if line.startswith(("fay", "gus"))}
    assert told["fay"].endswith("not defined (2)")
    assert "the process ended before it had answered" in told["gus"]
