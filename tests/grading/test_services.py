"""PrairieLearn's results; otter's and nbgrader's forms of an assignment, read by their own readers."""

from __future__ import annotations

import json
import os

import pytest

from diffkit.cli import main
from diffkit.grading import load_assignment
from diffkit.grading.reports.notebooks import check_names, nbgrader_notebook, otter_tests
from diffkit.grading.reports.prairielearn import prairielearn_failure

RIGHT = "import numpy as np\ndef exp_vjp(g, ans, x):\n    return g * ans\n"
WRONG = RIGHT.replace("g * ans", "g * x")
FIELDS = {"gradable": bool, "score": float, "message": str, "output": str, "tests": list}
TEST_FIELDS = {"name": str, "points": float, "max_points": float, "message": str, "output": str}


@pytest.fixture
def week(tmp_path, monkeypatch):
    (tmp_path / "week.py").write_text(
        "'Week 1'\nfrom diffkit.grading import catalogue\nexercises = [catalogue.exercise('exp', points=2)]\n"
    )
    monkeypatch.chdir(tmp_path)
    return load_assignment(tmp_path / "week.py")


def _names(text):
    names: dict = {}
    exec(text, names)
    return names


def _run(*arguments):
    with pytest.raises(SystemExit) as ended:
        main(["grade", *arguments])
    assert not ended.value.code


@pytest.mark.parametrize(("text", "score"), [(RIGHT, 1.0), (WRONG, 0.0)], ids=["right", "wrong"])
def test_prairielearns_results_have_its_fields(week, tmp_path, text, score):
    (tmp_path / "student").mkdir()
    (tmp_path / "student" / "answer.py").write_text(text)
    (tmp_path / "results").mkdir()
    _run("week.py", "student", "--prairielearn", "results/results.json")
    results = json.loads((tmp_path / "results" / "results.json").read_text())
    for found, fields in [(results, FIELDS), *((test, TEST_FIELDS) for test in results["tests"])]:
        assert set(found) == set(fields)
        assert all(isinstance(found[name], kind | int) for name, kind in fields.items())
    assert (results["gradable"], results["score"]) == (True, score)
    assert [test["max_points"] for test in results["tests"]] == [2.0]


def test_what_could_not_be_graded_costs_no_attempt():
    assert prairielearn_failure("the disk is full")["gradable"] is False


def test_the_test_of_a_notebook_says_what_is_wrong(week):
    check_names("week.py", "exp", _names(RIGHT))
    with pytest.raises(AssertionError, match="values: failed"):
        check_names("week.py", "exp", _names(WRONG))
    with pytest.raises(AssertionError, match="not defined"):
        check_names("week.py", "exp", {})


@pytest.mark.parametrize(("bundle", "name"), [("otter", "tests.zip"), ("nbgrader", "week.ipynb")])
def test_the_command_writes_them(week, tmp_path, bundle, name):
    _run("--bundle", bundle, "week.py", "-o", name)
    assert os.path.getsize(tmp_path / name) > 300


def test_otter_reads_and_runs_its_tests(week, tmp_path):
    otter = pytest.importorskip("otter.test_files")
    from otter.nbmeta_config import NBMetadataConfig

    ((name, text),) = otter_tests(week).items()
    (tmp_path / "tests").mkdir()
    (tmp_path / name).write_text(text)
    for answer, passed in [(RIGHT, True), (WRONG, False)]:
        test = otter.create_test_file(str(tmp_path / name), NBMetadataConfig())
        test.run(_names(answer))
        assert test.possible == 2
        assert test.passed_all is passed


def test_nbgraders_own_validator_takes_the_notebook(week):
    pytest.importorskip("nbgrader")
    from nbgrader.nbgraderformat import MetadataValidator, reads

    notebook = reads(json.dumps(nbgrader_notebook(week)), as_version=4)
    MetadataValidator().validate_nb(notebook)
    assert (
        sum(c.metadata["nbgrader"].get("points", 0) for c in notebook.cells if "nbgrader" in c.metadata) == 2
    )


def test_nbgraders_cells_run(week):
    cells = [c["source"] for c in nbgrader_notebook(week)["cells"] if c["cell_type"] == "code"]
    names: dict = {}
    exec(cells[0], names)
    exec(RIGHT, names)
    exec(cells[2], names)
    exec(cells[1], names)  # the starter in its place
    with pytest.raises(AssertionError, match="not written yet"):
        exec(cells[2], names)
