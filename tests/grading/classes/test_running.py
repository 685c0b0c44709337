"""A class is graded once, whatever happens in between."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from diffkit.errors import InputError
from diffkit.grading.classes import pool
from diffkit.grading.classes.grader import Grader
from diffkit.grading.classes.running import grade_class
from diffkit.grading.classes.submissions import Submission, find_submissions
from diffkit.grading.exercises.assignment import load_assignment
from tests.grading.honest import submission, write_assignment

ORDER = ["ann", "bob", "cid", "dot"]


@pytest.fixture
def course(tmp_path: Path):
    """An assignment, and four submissions: right, half right, hopeless, unreadable."""
    subs = tmp_path / "subs"
    subs.mkdir()
    (subs / "ann.py").write_text(submission("multiply", "tanh"))
    (subs / "bob.py").write_text(submission("multiply", tanh="return g * (1 - x**2)"))
    (subs / "cid.py").write_text("raise SystemExit\n")
    (subs / "dot.py").write_bytes(b"\xff")
    return load_assignment(write_assignment(tmp_path, "multiply", "tanh")), subs, tmp_path / "results"


def grade(course, **options):
    assignment, subs, results = course
    return grade_class(assignment, find_submissions(subs), results, **{"workers": 1, "seed": 5, **options})


def journal(course) -> list[dict]:
    return [json.loads(line) for line in (course[2] / "journal.jsonl").read_text().splitlines()]


def points(run) -> list[float]:
    return [record.score for record in run.records]


def test_grades_everyone_and_keeps_a_journal(course) -> None:
    seen: list[str] = []
    run = grade(course, progress=seen.append)
    assert [r.student for r in run.records] == ORDER
    assert points(run) == [4.0, 2.0, 0.0, 0.0]
    assert run.records[1].exercises[1].mistake
    assert sorted(seen) == ORDER
    assert (run.graded, run.seed) == (4, 5)
    head, *lines = journal(course)
    assert head["seed"] == 5
    assert sorted(line["record"]["student"] for line in lines) == ORDER


def test_a_second_run_grades_nothing(course) -> None:
    first, again = grade(course), grade(course)
    assert again.graded == 0
    assert again.records == first.records
    assert len(journal(course)) == 5


def test_a_changed_submission_is_graded_again(course) -> None:
    grade(course)
    (course[1] / "cid.py").write_text(submission("multiply", "tanh"))
    run = grade(course)
    assert (run.graded, points(run)) == (1, [4.0, 2.0, 4.0, 0.0])


def test_half_a_line_at_the_end_is_cut_off(course) -> None:
    first = grade(course)
    path = course[2] / "journal.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]) + lines[-1][: len(lines[-1]) // 2])
    again = grade(course)
    assert again.graded == 1
    assert len(journal(course)) == 5
    assert points(again) == points(first)


@pytest.mark.slow
def test_the_seed_of_the_journal_is_kept(course) -> None:
    first = grade(course, seed=None)
    (course[1] / "eve.py").write_text(submission("multiply"))
    assert grade(course, seed=None).seed == first.seed


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"seed": 6}, "the seed 5"),
        ({"same_for_all": True}, "another --same-for-all"),
        ({"seed": 6, "same_for_all": True}, "another --same-for-all and the seed 5"),
    ],
)
def test_another_runs_journal_is_refused(course, options, what) -> None:
    grade(course)
    before = (course[2] / "journal.jsonl").read_bytes()
    with pytest.raises(InputError, match=f"is the journal of another run: it had {what};"):
        grade(course, **options)
    assert (course[2] / "journal.jsonl").read_bytes() == before


def changed(course, old: str, new: str):
    path = course[0].path
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    return (load_assignment(path), *course[1:])


def test_another_assignments_journal_is_refused(course) -> None:
    grade(course)
    with pytest.raises(InputError, match="it had another assignment"):
        grade(changed(course, "'multiply', 'tanh'", "'exp'"))


def graded_names(monkeypatch) -> list:
    """What is asked of the grader: the exercises of each submission."""
    seen: list = []
    original = pool.by_pool

    def by_pool(settings, assignment, works, count):
        seen.extend((work.submission.student, work.names) for work in works)
        return original(settings, assignment, works, count)

    monkeypatch.setattr("diffkit.grading.classes.running.by_pool", by_pool)
    return seen


def test_after_a_change_of_an_exercise_that_one_is_graded_again(course, monkeypatch) -> None:
    first = grade(course)
    asked = graded_names(monkeypatch)
    again = grade(changed(course, "exercises =", "import dataclasses\nexercises ="))
    assert (asked, again.records) == ([], first.records)
    more = "\nexercises[1] = dataclasses.replace(exercises[1], points=3)\n"
    course[0].path.write_text(course[0].path.read_text() + more)
    last = grade((load_assignment(course[0].path), *course[1:]))
    assert asked == [(name, ("tanh",)) for name in ORDER]
    assert points(last) == [5.0, 2.0, 0.0, 0.0]
    assert [r.exercises[0] for r in last.records] == [r.exercises[0] for r in first.records]


def test_more_exercises_are_added_to_what_is_known(course, monkeypatch) -> None:
    assert points(grade(course, only=("tanh",))) == [2.0, 0.0, 0.0, 0.0]
    asked = graded_names(monkeypatch)
    assert points(grade(course)) == [4.0, 2.0, 0.0, 0.0]
    assert asked == [(name, ("multiply",)) for name in ORDER]
    assert points(grade(course, only=("tanh",))) == [2.0, 0.0, 0.0, 0.0]
    assert len(asked) == 4


def test_another_versions_journal_is_refused(course, monkeypatch) -> None:
    grade(course)
    monkeypatch.setattr("diffkit.grading.classes.journal.__version__", "0.0.0")
    with pytest.raises(InputError, match="it had another version of diffkit; name another folder"):
        grade(course)


@pytest.mark.parametrize(
    "text", ["hello\n", "hello", "{}\n", "[1]\n", "3\n", '{"diffkit": 1}\n', "[" * 9000 + "\n"]
)
def test_a_file_that_is_no_journal_is_left_alone(course, text) -> None:
    course[2].mkdir()
    path = course[2] / "journal.jsonl"
    path.write_text(text)
    with pytest.raises(InputError, match="journal"):
        grade(course)
    assert path.read_text() == text


def test_two_runs_at_once_are_refused(course) -> None:
    import fcntl

    course[2].mkdir()
    with open(course[2] / "journal.jsonl", "a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(InputError, match="another run is writing"):
            grade(course)


def test_a_folder_that_cannot_be_made(course, tmp_path) -> None:
    (tmp_path / "results").write_text("a file")
    with pytest.raises(InputError, match="can't write"):
        grade(course)


def test_only_some_exercises(course) -> None:
    run = grade(course, only=("tanh",))
    assert points(run) == [2.0, 0.0, 0.0, 0.0]
    assert [e.name for e in run.records[0].exercises] == ["tanh"]


def essence(run):
    return [(r.student, r.digest, r.exercises, r.printed) for r in run.records]


def test_the_same_seed_gives_the_same_verdicts(course, tmp_path) -> None:
    one = grade(course, seed=11)
    other = grade((*course[:2], tmp_path / "again"), seed=11, workers=2)
    assert essence(one) == essence(other)


@pytest.mark.slow
def test_students_get_one_of_four_sets_or_all_the_same(course, tmp_path) -> None:
    for k in range(12):
        (course[1] / f"s{k}.py").write_text("def multiply_vjp(g, ans, x, y): return g\n")
    several = grade(course, seed=20)
    seeds = {e.seed for r in several.records for e in r.exercises if e.seed is not None}
    assert seeds <= {20, 21, 22, 23}
    assert len(seeds) == 4
    same = grade((*course[:2], tmp_path / "same"), seed=20, same_for_all=True)
    assert {e.seed for r in same.records for e in r.exercises if e.seed is not None} == {20}


def test_an_assignment_that_cannot_be_graded_leaves_nothing(course) -> None:
    path = course[0].path
    path.write_text(
        "from diffkit.grading import Case, Exercise, draws\n"
        "exercises = [Exercise(lambda x: float(x), [Case('a', draws.normal('n'))], name='multiply',"
        " arguments=('x',))]\n"
    )
    with pytest.raises(InputError):
        grade((load_assignment(path), *course[1:]))
    assert not course[2].exists()


@pytest.fixture
def deadly(course):
    """An assignment that ends the process which grades cid's work."""
    path = course[0].path
    path.write_text(
        path.read_text()
        + """
import os, diffkit.grading.classes.grader as grader
original = grader.Grader.grade
def grade(self, submission, names=None):
    if submission.student == "cid":
        os._exit(1)
    return original(self, submission, names)
grader.Grader.grade = grade
"""
    )
    yield (load_assignment(path), *course[1:])
    from diffkit.grading.classes import grader

    grader.Grader.grade = sys.modules["diffkit_assignment_homework"].original


LACKING = [("ann", 4.0), ("bob", 2.0), ("cid", 0.0), ("dot", 0.0)]


def test_a_process_that_dies_is_replaced(deadly) -> None:
    """The pool's process is killed whenever it is at cid's work; the rest of the class is graded."""
    run = grade(deadly)
    assert [(r.student, r.score) for r in run.records] == LACKING
    assert "look at it by hand" in run.not_graded[0].not_graded


@pytest.mark.slow
def test_a_submission_that_ends_workers_of_a_cluster_is_refused(deadly) -> None:
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        run = grade(deadly, cluster=cluster.scheduler_address)
    assert [(r.student, r.score) for r in run.records] == LACKING
    assert "look at it by hand" in run.not_graded[0].not_graded


HIDDEN = """
from diffkit.grading import Case, Exercise, draws
import numpy as np
exercises = [Exercise(np.exp, [
    Case("secret sauce", draws.normal("nm"), visible=False),
    Case("plain", draws.normal("n")),
], name="exp", arguments=("x",))]
"""


HUNT = """import gc, sys
    found = [a for a in gc.get_objects() if type(a) is np.ndarray and a.ndim == 2]
    frame = sys._getframe()
    while frame is not None:
        found += [v for v in frame.f_locals.values() if type(v) is np.ndarray and v.ndim == 2]
        frame = frame.f_back
    if found: raise ValueError("leak")
    return g"""
"""Looks for arrays of two axes, which only the hidden case has, while it is asked for a visible one."""


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ("return g if x.ndim == 2 else g * ans", True),
        ("if x.ndim == 2: raise ValueError(repr(x))\n    return g * ans", True),
        ("return np.zeros((2, 2, 2)) if x.ndim == 2 else g * ans", True),
        ("if x.ndim == 2: print('leak', x)\n    return g if x.ndim == 2 else g * ans", True),
        ("if x.ndim == 2: time.sleep(0.5)\n    return g if x.ndim == 2 else g * ans", True),
        ("if x.ndim == 2: raise type('leak', (Exception,), {})\n    return g * ans", True),
        ("if x.ndim == 2: return type('leak', (), {})()\n    return g * ans", True),
        # Who fails the visible cases does not learn of the hidden ones.
        ("seen.append(x.ndim)\n    if 2 in seen: raise ValueError('leak')\n    return g", False),
        (HUNT, False),
    ],
)  # fmt: skip
def test_a_hidden_case_is_not_told(tmp_path, rule, told) -> None:
    path = tmp_path / "hidden.py"
    path.write_text(HIDDEN)
    grader = Grader(load_assignment(path), 1, sandbox="off")
    code = f"import numpy as np, time\nseen = []\ndef exp_vjp(g, ans, x):\n    {rule}\n"
    record = grader.grade(Submission("ann", Path("ann.py"), code))
    grader.close()
    text = record.exercises[0].text()
    assert record.score == 0.0
    assert record.seconds < 3
    assert record.printed == ""
    assert "secret" not in text
    assert "leak" not in text
    assert ("a hidden case fails" in text) == told


def test_a_forward_function_is_not_given_away(tmp_path) -> None:
    """A style in which students write the forward function sends no value of it."""
    path = tmp_path / "gates.py"
    path.write_text(
        "from diffkit.grading import catalogue\nexercises = [catalogue.exercise('tanh', style='gate')]\n"
    )
    grader = Grader(load_assignment(path), 1, sandbox="off")
    (name,) = (e.defines[0] for e in grader.assignment.exercises)
    body = "\n".join(
        f"    {line}"
        for line in (
            "def forward(self, x):",
            "    import gc, sys",
            "    frame = sys._getframe()",
            "    while frame:",
            "        if 'handle' in frame.f_locals: self.y = frame.f_locals['handle'].ans",
            "        frame = frame.f_back",
            "    return self.y",
            "def backward(self, g):",
            "    return g * (1 - self.y ** 2)",
        )
    )
    record = grader.grade(Submission("ann", Path("ann.py"), f"class {name}:\n{body}\n"))
    right = body.replace("return self.y\n", "self.y = __import__('numpy').tanh(x); return self.y\n")
    honest = grader.grade(Submission("bob", Path("bob.py"), f"class {name}:\n{right}\n"))
    grader.close()
    assert record.score == 0.0
    assert honest.score == honest.points


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_run_resumes_with_nothing_lost_or_graded_twice(tmp_path, number) -> None:
    subs, results = tmp_path / "subs", tmp_path / "results"
    subs.mkdir()
    slow = submission("multiply", "tanh") + "\nimport time\ntime.sleep(0.15)\n"  # so that 40 take a while
    for k in range(40):
        (subs / f"s{k:02}.py").write_text(slow)
    path = write_assignment(tmp_path, "multiply", "tanh")
    # A shell that starts the tests in the background has them ignore SIGINT, and what they start as well.
    heeding = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
    command = [sys.executable, "-c", heeding + "from diffkit.cli import main; main(sys.argv[1:])", "grade"]
    command += [str(path), str(subs), "-o", str(results), "--workers", "2"]
    journal = results / "journal.jsonl"
    killed = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not (journal.exists() and len(journal.read_bytes().splitlines()) > 6):
        assert killed.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(killed.pid, number)
    killed.wait()
    before = [line for line in journal.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]
    assert 6 < len(before) < 41
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert f"{len(before) - 1} were in the journal" in done.stdout
    after = journal.read_bytes().splitlines(keepends=True)
    assert after[: len(before)] == before
    students = [json.loads(line)["record"]["student"] for line in after[1:]]
    assert sorted(students) == [f"s{k:02}" for k in range(40)]
    time.sleep(1.0)
    running = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert str(path) not in running


@pytest.mark.slow
def test_a_run_that_is_killed_ten_times_gives_the_verdicts_of_one_that_is_not(course) -> None:
    assignment, subs, results = course
    for k in range(20):
        wrong = {} if k % 3 else {"tanh": "return g * (1 - x**2)"}
        (subs / f"s{k:02}.py").write_text(submission("multiply", "tanh", **wrong))

    def command(folder: Path) -> list[str]:
        start = [sys.executable, "-c", "from diffkit.cli import main; main()", "grade"]
        return [*start, str(assignment.path), str(subs), "-o", str(folder), "--seed", "5", "--workers", "2"]

    def verdicts(folder: Path) -> list[tuple[str, str]]:
        lines = [json.loads(line) for line in (folder / "journal.jsonl").read_text().splitlines()[1:]]
        return sorted((line["record"]["student"], json.dumps(line["record"]["exercises"])) for line in lines)

    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    journal = results / "journal.jsonl"
    for k in range(10):
        killed = subprocess.Popen(command(results), **quiet)
        while killed.poll() is None and not (
            journal.exists() and len(journal.read_bytes().splitlines()) > 1 + 2 * k
        ):
            time.sleep(0.003)
        killed.kill()
        killed.wait()
    for folder in (results, results.parent / "undisturbed"):
        subprocess.run(command(folder), check=True, timeout=120, **quiet)
    assert verdicts(results) == verdicts(results.parent / "undisturbed")


@pytest.mark.slow
def test_a_cluster_survives_the_loss_of_a_worker(course) -> None:
    distributed = pytest.importorskip("distributed")
    for k in range(30):
        (course[1] / f"s{k:02}.py").write_text(
            submission("multiply", "tanh") + "\nimport time\ntime.sleep(0.2)\n"
        )
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        pids = client.run(os.getpid)
        graded: list[str] = []

        def progress(student: str) -> None:
            graded.append(student)
            if len(graded) == 5:
                os.kill(next(iter(pids.values())), signal.SIGKILL)

        run = grade(course, cluster=cluster.scheduler_address, progress=progress)
        assert points(run)[:4] == [4.0, 2.0, 0.0, 0.0]
        assert all(r.score == 4.0 for r in run.records[4:])
        assert len(graded) == len(set(graded)) == 34
        assert len(journal(course)) == 35
        assert set(client.run(os.getpid).values()) != set(pids.values())


def test_a_cluster_that_is_not_there(course) -> None:
    pytest.importorskip("distributed")
    with pytest.raises(InputError, match="can't reach a cluster at 'nonsense"):
        grade(course, cluster="nonsense://x")
    assert not course[2].exists()
