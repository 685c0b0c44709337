"""The reports of a class: right for whoever reads them, and safe whatever a student has written."""

from __future__ import annotations

import base64
import csv
import hashlib
import importlib.metadata
import io
import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
import zipfile
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from diffkit.errors import InputError
from diffkit.grading.classes.records import CheckRecord, ExerciseRecord, Record
from diffkit.grading.classes.running import ClassRun
from diffkit.grading.exercises.assignment import load_assignment
from diffkit.grading.judging.results import UNWRITTEN
from diffkit.grading.reports import (
    class_page,
    gradescope_results,
    junit_xml,
    misconceptions,
    scores,
    student_page,
    summary,
    write_reports,
)
from diffkit.grading.reports.gradescope import write_bundle
from diffkit.grading.reports.pages import file_name
from tests.grading.honest import write_assignment

EVIL = '<script>alert("1")</script>&\'"]]>\x1b[2J\ud800\u202e\x00'


def exercise(name: str, score: float, text: str = "", mistake: str = "") -> ExerciseRecord:
    status = "passed" if score else "failed"
    numbers = f"at square:\nx = {text}\nentry  expected  given" if text else ""
    checks = (
        CheckRecord("loads", "passed", "", ""),
        CheckRecord("values", status, text, numbers),
        CheckRecord("second use", "inconclusive" if score else "not run", "", ""),
    )
    return ExerciseRecord(name, score, 2.0, bool(score), checks, mistake, text, 7)


def record(student: str, *exercises: ExerciseRecord, printed: str = "") -> Record:
    return Record(student, f"{student}.py", "0" * 64, exercises, printed, 0.125, "walls")


@pytest.fixture
def run(tmp_path):
    assignment = load_assignment(write_assignment(tmp_path, "multiply", "tanh"))
    records = (
        record("ann", exercise("multiply", 2.0), exercise("tanh", 2.0), printed="hello"),
        record("bob", exercise("multiply", 2.0), exercise("tanh", 0.0, "wrong on 1 of 2", "x for ans")),
        record(EVIL, exercise("multiply", 0.0, EVIL, EVIL), exercise("tanh", 0.0, EVIL), printed=EVIL),
    )
    return ClassRun(assignment, records, 7, 3, 1.0)


# -- tables ------------------------------------------------------------------------------------------------


def test_the_scores_as_csv(run) -> None:
    rows = list(csv.reader(io.StringIO(scores(run).csv())))
    assert rows[0] == ["student", "score", "multiply", "tanh", "mistakes"]
    assert rows[1] == ["ann", "4.0", "2.0", "2.0", ""]
    assert rows[2] == ["bob", "2.0", "2.0", "0.0", "tanh: x for ans"]


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)"])
def test_a_name_is_no_formula(run, name) -> None:
    with_name = ClassRun(run.assignment, (record(name, *run.records[0].exercises),), 7, 1, 1.0)
    rows = list(csv.reader(io.StringIO(scores(with_name).csv())))
    assert rows[1][0] == f"'{name}"


def test_junit_can_be_read_and_counts_right(run) -> None:
    root = ET.fromstring(junit_xml(run))
    suites = root.findall("testsuite")
    assert [s.get("failures") for s in suites] == ["0", "1", "2"]
    assert [s.get("tests") for s in suites] == ["2", "2", "2"]
    assert [len(s.findall("testcase/failure")) for s in suites] == [0, 1, 2]
    assert suites[1].findall("testcase/failure")[0].get("message") == "x for ans"
    assert "<script>" in (suites[2].findall("testcase/failure")[0].text or "")


# -- Gradescope --------------------------------------------------------------------------------------------

VISIBILITY = {"hidden", "after_due_date", "after_published", "visible"}
FORMATS = {"text", "html", "simple_format", "md", "ansi"}
TOP = {
    "score": float, "execution_time": float, "output": str, "output_format": FORMATS,
    "test_output_format": FORMATS, "test_name_format": FORMATS, "visibility": VISIBILITY,
    "stdout_visibility": VISIBILITY, "extra_data": dict, "tests": list, "leaderboard": list,
}  # fmt: skip
TEST = {
    "score": float, "max_score": float, "status": {"passed", "failed"}, "name": str, "name_format": FORMATS,
    "number": str, "output": str, "output_format": FORMATS, "tags": list, "visibility": VISIBILITY,
    "extra_data": dict, "line": int | None,  # the last is diffkit's own, which Gradescope passes over
}  # fmt: skip


def fits(value: dict, fields: dict) -> None:
    for key, what in value.items():
        allowed = fields[key]
        assert what in allowed if isinstance(allowed, set) else isinstance(what, allowed | int), (key, what)


def test_gradescopes_results_fit_its_format(run) -> None:
    for each in run.records:
        results = json.loads(json.dumps(gradescope_results(each, run.assignment)))
        fits(results, TOP)
        for test in results["tests"]:
            fits(test, TEST)
        assert results["score"] == sum(t["score"] for t in results["tests"])
        assert sum(t["max_score"] for t in results["tests"]) == 4.0
    assert gradescope_results(run.records[1], run.assignment)["tests"][1]["tags"] == ["x for ans"]


def test_what_is_not_installed_is_in_no_bundle(run, tmp_path, monkeypatch) -> None:
    def none(name: str) -> None:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "distribution", none)
    with pytest.raises(InputError, match="only on Python's path: install it first"):
        write_bundle(run.assignment, tmp_path / "a.zip")


def test_the_bundle_is_the_same_each_time_and_holds_all_it_needs(run, tmp_path) -> None:
    one, other = (write_bundle(run.assignment, tmp_path / name) for name in ("a.zip", "b.zip"))
    assert one.read_bytes() == other.read_bytes()
    with zipfile.ZipFile(one) as bundle:
        names = bundle.namelist()
        (wheel,) = (name for name in names if name.endswith(".whl"))
        assert names == ["setup.sh", "run_autograder", "homework.py", wheel]
        modes = [bundle.getinfo(n).external_attr >> 16 for n in names]
        assert modes == [0o755, 0o755, 0o644, 0o644]
        for script in names[:2]:
            done = subprocess.run(["bash", "-n"], input=bundle.read(script), capture_output=True, check=False)
            assert done.returncode == 0, done.stderr
        assert f"/autograder/source/{wheel}" in bundle.read("setup.sh").decode()
        assert "source/homework.py submission --gradescope" in bundle.read("run_autograder").decode()
        inner = zipfile.ZipFile(io.BytesIO(bundle.read(wheel)))
    text = {
        name.rpartition("/")[2]: inner.read(name).decode() for name in inner.namelist() if "-info/" in name
    }
    listed = list(csv.reader(io.StringIO(text["RECORD"])))
    assert [name for name, _, _ in listed] == inner.namelist()
    for name, digest, size in listed[:-1]:
        data = inner.read(name)
        right = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
        assert (digest, int(size)) == (f"sha256={right}", len(data))
    assert "diffkit = diffkit.cli:main" in text["entry_points.txt"]
    assert "diffkit/grading/reports/report.css" in inner.namelist()


@pytest.mark.slow
def test_the_bundles_wheel_can_be_installed(run, tmp_path) -> None:
    with zipfile.ZipFile(write_bundle(run.assignment, tmp_path / "a.zip")) as bundle:
        (wheel,) = (name for name in bundle.namelist() if name.endswith(".whl"))
        bundle.extract(wheel, tmp_path)
    target = tmp_path / "site"
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--no-compile"]
    subprocess.run(
        [*command, "--target", str(target), str(tmp_path / wheel)], check=True, capture_output=True
    )
    code = "import diffkit; print(diffkit.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(target)}, cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.startswith(str(target))


# -- pages --------------------------------------------------------------------------------------------------


class Reader(HTMLParser):
    """What a page has that could do something, and whether its elements are closed in order."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.add(tag)
        assert not any(name.startswith("on") for name, _ in attrs)
        self.links += [value for name, value in attrs if name in ("href", "src")]
        if tag not in ("meta", "link", "br", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data) -> None:
        self.text += data


def test_pages_hold_no_script_of_a_student(run) -> None:
    pages = [student_page(run.assignment, each) for each in run.records] + [class_page(run)]
    for page in pages:
        read = Reader(page)
        assert not read.open
        assert "script" not in read.tags
        assert all(re.match(r"data:,$|students/[\w%.-]+\.html$", link) for link in read.links), read.links
        page.encode()
    assert '<script>alert("1")</script>' in Reader(pages[2]).text  # as text, it is there


def test_a_students_page_shows_what_failed_and_why(run) -> None:
    text = Reader(student_page(run.assignment, run.records[1])).text
    for part in ("bob", "2 of 4 points", "tanh", "0 of 2 points", "wrong on 1 of 2", "at square", "walls"):
        assert part in text
    assert "hello" in Reader(student_page(run.assignment, run.records[0])).text


def test_the_class_page_counts(run) -> None:
    text = Reader(class_page(run)).text
    for part in ("3 submissions", "2 of 3", "1 of 3", "x for ans", "instances is 7"):
        assert part in text


def test_what_was_printed_is_not_shown_where_cases_are_hidden(tmp_path) -> None:
    path = tmp_path / "hidden.py"
    path.write_text(
        "from diffkit.grading import Case, Exercise, draws\nimport numpy as np\nexercises = [Exercise(np.exp,"
        " [Case('a', draws.normal('n'), visible=False)], name='exp', arguments=('x',))]\n"
    )
    page = student_page(load_assignment(path), record("ann", exercise("exp", 2.0), printed="x = [1.5]"))
    assert "x = [1.5]" not in page


NAMES = [
    *("ann", "Ann", "a:b", "a?b", "../../etc/passwd", ".", "..", "", "x" * 300, "é", "a b", EVIL),
    *("con", "a/b", "a\\b", "a\nb", "-rf", "a.html", "日本語" * 100),
]


def test_every_name_gets_a_file_of_its_own() -> None:
    files = [file_name(name) for name in NAMES]
    assert len({f.lower() for f in files}) == len(NAMES)
    for file in files:
        assert Path(file).name == file
        assert not file.startswith(".")
        assert len(f".{file}.html.12345.part".encode()) < 255
        file.encode()


def test_writes_everything_or_says_why_not(run, tmp_path) -> None:
    written = write_reports(run, tmp_path / "results")
    assert {p.name for p in written} >= {"scores.csv", "junit.xml", "class.html", "ann.html", "ann.json"}
    assert len(written) == 3 + 2 * 3
    links = [link for link in Reader(class_page(run)).links if link.startswith("students/")]
    from urllib.parse import unquote

    assert all((tmp_path / "results" / unquote(link)).is_file() for link in links)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="can't write"):
        write_reports(run, tmp_path / "file")


@pytest.mark.browser
def test_pages_open_without_complaint_and_ask_for_nothing(run, browser, tmp_path) -> None:
    root = tmp_path / "results"
    write_reports(run, root)
    page = browser.new_page()
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: said.append("a dialog"))
    page.on("request", lambda request: asked.append(request.url))
    for file in [root / "class.html", *sorted((root / "students").glob("*.html"))]:
        for width in (1000, 400):
            page.set_viewport_size({"width": width, "height": 800})
            page.goto(file.as_uri())
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, (file, width, wide)
    page.goto((root / "class.html").as_uri())
    page.click("a >> text=bob")
    assert page.inner_text("h1")
    page.close()
    assert said == []
    assert all(url.startswith(("file://", "data:")) for url in asked)


def test_what_could_not_be_loaded_is_listed_with_its_reason(run) -> None:
    failed = ExerciseRecord(
        "multiply",
        0.0,
        2.0,
        False,
        (CheckRecord("loads", "failed", "the file is not UTF-8 text", ""),),
        "",
        "",
        7,
    )
    lost = record("dot", failed, replace(failed, name="tanh"))
    half = record("eve", failed, exercise("tanh", 2.0))
    assert (lost.unread, half.unread) == ("the file is not UTF-8 text", "")
    with_lost = ClassRun(run.assignment, (*run.records, lost, half), 7, 5, 1.0)
    page = class_page(with_lost)
    rows = re.findall(r"<tr><td>.*?</td><td class=\"reason\">(.*?)</td></tr>", page)
    assert rows == ["the file is not UTF-8 text"]
    assert "Not loaded" not in class_page(run)


def test_the_class_in_a_sentence(run) -> None:
    points = run.assignment.points
    assert summary(ClassRun(run.assignment, (), 7, 0, 1.0)) == "No submissions."
    scores_of = [r.score for r in run.records]
    text = summary(run)
    assert text.startswith(
        f"3 submissions, {sum(scores_of) / 3:.3g} of {points:g} points on average, median "
    )
    assert f"All points: {scores_of.count(points)}; none: {scores_of.count(0.0)}" in text


def test_an_inconclusive_check_is_seen_before_the_details_are_opened(run) -> None:
    page = student_page(run.assignment, run.records[0])
    assert "<summary>second use inconclusive</summary>" in page


# -- what is no mistake, and what is nobody's fault ----------------------------------------------------------

WHY = "the process that runs submissions was killed <b>twice</b>"


@pytest.fixture
def broken(run):
    """A run in which the last one of three could not be graded, and one exercise is as the starter had it."""
    ann, bob, evil = run.records
    stub = replace(bob.exercises[1], mistake="", note=UNWRITTEN)
    zed = replace(
        ann, student="zed", exercises=tuple(replace(e, score=0.0) for e in ann.exercises), not_graded=WHY
    )
    return replace(run, records=(ann, replace(bob, exercises=(bob.exercises[0], stub)), evil, zed))


def test_who_was_not_graded_comes_first_and_has_no_score(broken) -> None:
    rows = list(csv.reader(io.StringIO(scores(broken).csv())))
    assert rows[1] == ["zed", "", "", "", f"not graded: {WHY}"]
    assert [row[0] for row in rows[2:4]] == ["ann", "bob"]
    assert summary(broken).startswith(
        "NOT GRADED, by no fault of theirs: 1; run it again. 3 submissions, 2 of 4"
    )
    page = class_page(broken)
    assert page.index("Not graded, by no fault of theirs") < page.index("<h2>Exercises</h2>")
    assert "killed &lt;b&gt;twice" in page
    assert "2 of 3" in page
    assert "no fault of yours" in student_page(broken.assignment, broken.records[-1])
    assert "0 of 4" not in student_page(broken.assignment, broken.records[-1])


def test_nothing_that_was_not_graded_is_a_failure_in_ci_or_gradescope(broken) -> None:
    suite = ET.fromstring(junit_xml(broken))[0]
    assert (suite.get("name"), suite.get("failures"), suite.get("errors")) == ("zed", "0", "2")
    assert suite.findall("testcase/error")[0].get("message") == f"not graded: {WHY}"
    found = gradescope_results(broken.records[-1], broken.assignment)
    assert found["tests"] == []
    assert "NOT GRADED YET, by no fault of yours: this is no score" in found["output"]


def test_what_is_not_written_yet_is_counted_apart_from_mistakes(broken) -> None:
    assert UNWRITTEN not in misconceptions(broken).text()
    assert ["bob", 2.0, 2.0, 0.0, UNWRITTEN] in [list(row) for row in scores(broken, brief=True).rows]
    assert "<td>2 of 3</td><td></td>" in class_page(broken)
    assert "<td>1 of 3</td><td>1</td>" in class_page(broken)


def test_the_exit_status_says_that_somebody_was_not_graded(broken, tmp_path, monkeypatch) -> None:
    from click.testing import CliRunner

    from diffkit.cli import grading

    (tmp_path / "subs").mkdir()
    (tmp_path / "subs" / "ann.py").write_text("x = 1\n")
    path = str(broken.assignment.path)
    for records, status in ((broken.records, 3), (broken.records[:2], 0)):
        monkeypatch.setattr(grading, "_run", lambda *_, records=records: replace(broken, records=records))
        arguments = [path, str(tmp_path / "subs"), "-o", str(tmp_path / "out")]
        run = CliRunner().invoke(grading.grade, arguments, standalone_mode=False)
        assert run.return_value == status, run.output
    assert "not graded" not in run.output
