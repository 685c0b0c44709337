"""``diffkit check`` for students, and ``diffkit grade`` for course teams."""

from __future__ import annotations

import json
import os
import platform
import shlex
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from diffkit.cli.output import echo, json_option
from diffkit.errors import InputError
from diffkit.files import write_atomically
from diffkit.progress import progress
from diffkit.tables import to_json

if TYPE_CHECKING:
    from diffkit.grading.classes.records import ExerciseRecord
    from diffkit.grading.classes.running import ClassRun
    from diffkit.grading.classes.submissions import Submission
    from diffkit.grading.exercises.assignment import Assignment

NOT_GRADED = 3
"""The exit status of a run in which a submission could not be graded."""

MOST_ROWS = 40
"""Students that are listed on the terminal; of a larger class, the reports are what one reads."""

MOST_LINES = 20
"""Of what a student's code prints: a rule is called some hundred times."""

_SANDBOX = click.Choice(["auto", "bubblewrap", "user", "off"])
_MARKS = {
    "passed": ("✓", "green"),
    "failed": ("✗", "red"),
    "inconclusive": ("?", "yellow"),
    "warned": ("!", "yellow"),
}


@click.command(
    epilog="""\b
Examples:
  diffkit check homework3.py my_solution.py
  diffkit check homework3.py my_notebook.ipynb --only softmax
  diffkit check homework3.py my_solution.py --seed 7      (other numbers)
"""
)
@click.argument("assignment")
@click.argument("file")
@click.option("--only", multiple=True, metavar="NAME", help="Check this exercise only; repeatable.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the instances drawn.")
@click.option("--sandbox", type=_SANDBOX, default="auto", show_default=True, help="How your code is run.")
@json_option
def check(assignment: str, file: str, only: tuple[str, ...], seed: int, sandbox: str, as_json: bool) -> int:
    """Check FILE, your solution of ASSIGNMENT, on the cases that students may see.

    The exit status is 0 if all exercises pass, 1 if one does not.
    """
    from diffkit.grading.classes.grader import Grader
    from diffkit.grading.classes.submissions import read_submission
    from diffkit.grading.exercises.assignment import load_assignment

    if Path(file).is_dir():
        raise InputError(
            f"{file!r} is a folder, and check takes one solution; to grade a folder of them: "
            f"diffkit grade {shlex.quote(assignment)} {shlex.quote(file)} -o results"
        )
    task = load_assignment(assignment)
    task = task.only(only) if only else task
    submission = read_submission(file)
    if submission.problem:
        raise InputError(f"can't check {file!r}: {submission.problem}")
    grader = Grader(task, seed, sets=1, visible_only=True, sandbox=sandbox)
    try:
        record = grader.grade(submission)
    finally:
        grader.close()
    all_pass = all(exercise.passed for exercise in record.exercises)
    if as_json:
        echo(to_json(asdict(record)))
        return 0 if all_pass else 1
    for exercise in record.exercises:
        _show(exercise)
    if record.printed:
        click.secho("printed:", bold=True)
        lines = record.printed.rstrip().splitlines()
        click.echo("\n".join(lines[:MOST_LINES]))
        if len(lines) > MOST_LINES:
            click.echo(f"... and {len(lines) - MOST_LINES} more lines")
        click.echo()
    passed, total = sum(e.passed for e in record.exercises), len(record.exercises)
    hidden = any(not case.visible for exercise in task.exercises for case in exercise.ladder)
    more = "; hidden cases are checked when it is graded" if hidden else ""
    what = "exercise passes" if total == 1 else "exercises pass"
    colour = "green" if passed == total else "red"
    click.secho(f"{passed} of {total} {what} the visible cases{more}.", fg=colour)
    return 0 if all_pass else 1


def _show(exercise: ExerciseRecord) -> None:
    mark, colour = _MARKS["passed" if exercise.passed else "failed"]
    click.secho(f"{mark} {exercise.name}", fg=colour, bold=True)
    for found in exercise.checks:
        if not found.message or found.status not in _MARKS:
            continue
        mark, colour = _MARKS[found.status]
        click.echo("    " + click.style(f"{mark} {found.name}: ", fg=colour) + found.message)
        if found.comparison:
            click.echo("\n        " + found.comparison.replace("\n", "\n        ") + "\n")
    if exercise.feedback and not exercise.passed:
        click.secho("    → " + exercise.feedback.replace("\n", "\n      "), fg="cyan")
    if not exercise.passed:
        click.echo()


@click.command(
    epilog="""\b
An ASSIGNMENT is a Python file with a list of exercises, such as homework3.py:
  import numpy as np
  from diffkit.grading import Case, Exercise, catalogue, draws

\b
  def swish(x, beta=1.0):
      "x times the sigmoid of beta x."
      return x / (1 + np.exp(-beta * x))

\b
  exercises = [
      catalogue.exercise("multiply", points=2),
      Exercise(swish, [Case("ordinary", draws.normal("n")),
                       Case("other beta", draws.normal("nm"), beta=2.0)]),
  ]

\b
Nothing but the forward function is written: its derivative is found. SUBMISSIONS
holds a script, a notebook, a zip or a folder for each student.

\b
Examples:
  diffkit grade --scaffold homework3.py -o starter.py
  diffkit grade --self-test homework3.py
  diffkit grade homework3.py submissions -o results
  diffkit grade homework3.py submissions -o results --only softmax --workers 2
  diffkit grade homework3.py submissions -o replay --seed 20261121
  diffkit grade homework3.py submissions -o results --dask tcp://10.0.0.5:8786
  diffkit grade --bundle gradescope homework3.py -o homework3.zip

A run that was stopped or killed goes on where it was when it is started again in the same way. After a
change of an exercise, that exercise is graded again, and the others are kept. The exit status is 3 if a
submission could not be graded by no fault of its own; start again, and those are graded.

\b
What is allowed is for the team to say, in the assignment:
  packages = ("scipy",)             what submissions may import beside NumPy
  Exercise(..., allowed_imports=("numpy",), forbidden=("gradient",))
                                    seen in the text, before it is run
  differences = "list"              list on class.html what looks like a derivative by
                                    differences, by a library, or in disguise; or "allow"

\b
A rule that computes its answer by differences of the forward function, or by a complex step, to full
accuracy gives right answers, and gets the points: no wall can tell. Names that are put together at run
time pass by `forbidden`. Both are listed, where they can be seen; what counts is for the team to decide.
"""
)
@click.argument("assignment")
@click.argument("submissions", required=False)
@click.option(
    "-o", "--output", metavar="PATH", help="The results' folder, or the file of --scaffold or --bundle."
)
@click.option("--only", multiple=True, metavar="NAME", help="Grade this exercise only; repeatable.")
@click.option("--workers", type=click.IntRange(1), help="Processes; one for each core by default.")
@click.option(
    "--seed", type=click.IntRange(0), help="Of the secret instances; a fresh one by default, logged."
)
@click.option("--same-for-all", is_flag=True, help="Give everyone the same secret instances.")
@click.option(
    "--sandbox", type=_SANDBOX, default="auto", show_default=True, help="Which isolation to insist on."
)
@click.option("--dask", "cluster", metavar="ADDRESS", help="Spread over a dask.distributed cluster.")
@click.option(
    "--gradescope",
    metavar="FILE",
    help="Grade SUBMISSIONS, the folder of one student's, into Gradescope's results.json.",
)
@click.option("--self-test", is_flag=True, help="Prove that the references pass and the wrong answers fail.")
@click.option("--scaffold", is_flag=True, help="Write the starter file that students fill in.")
@click.option(
    "--prairielearn",
    metavar="FILE",
    help="The same, into the results.json of PrairieLearn's external graders.",
)
@click.option(
    "--bundle",
    type=click.Choice(["gradescope", "otter", "nbgrader"]),
    help="Write the zip for Gradescope, otter's test files in a zip, or nbgrader's notebook.",
)
@json_option
def grade(
    assignment: str,
    submissions: str | None,
    output: str | None,
    only: tuple[str, ...],
    workers: int | None,
    seed: int | None,
    same_for_all: bool,
    sandbox: str,
    cluster: str | None,
    gradescope: str | None,
    prairielearn: str | None,
    self_test: bool,
    scaffold: bool,
    bundle: str | None,
    as_json: bool,
) -> int:
    """Grade a folder of SUBMISSIONS of ASSIGNMENT, each in isolation; resume where a killed run was.

    The exit status is 3 if a submission could not be graded, by no fault of its own (a process was killed, a
    disk full): it has no score, is listed first, and is graded again when this is run again.
    """
    from diffkit.grading.classes.submissions import find_submissions
    from diffkit.grading.exercises.assignment import load_assignment

    if sum([self_test, scaffold, bundle is not None, submissions is not None]) != 1:
        raise InputError("give a folder of submissions, or one of --self-test, --scaffold and --bundle")
    results = gradescope or prairielearn
    if results is not None and submissions is not None:
        service = "gradescope" if gradescope else "prairielearn"
        return _for_service(service, assignment, submissions, output, results, only, workers, seed, sandbox)
    task = load_assignment(assignment)
    if self_test:
        return _self_test(task.only(only) if only else task, sandbox, as_json)
    if scaffold or bundle is not None:
        if output is None:
            raise InputError("name the file to write with -o")
        _write(task, output, bundle)
        return 0
    assert submissions is not None
    _needs_linux(sandbox)
    folder = output or "results"
    run = _run(
        task, find_submissions(submissions), folder, only, workers, seed, same_for_all, sandbox, cluster
    )
    _report(run, folder, as_json)
    return NOT_GRADED if run.not_graded else 0


def _needs_linux(sandbox: str) -> None:
    """A class's code, which nobody has read, is run where there are walls; or by the team's word."""
    from diffkit.grading.wall.sandbox import ON_LINUX
    from diffkit.grading.wall.walls import ELSEWHERE

    if ON_LINUX or (sandbox == "off" and hasattr(os, "fork")):
        return
    anyway = "; with --sandbox off it is run here, with limits only" if hasattr(os, "fork") else ""
    raise InputError(
        f"grading a class runs code that nobody has read, and {platform.system()} has no walls for it"
        f"{anyway}. "
        f"{ELSEWHERE}. Here work: diffkit check, and grade with --scaffold, --self-test or --bundle"
    )


def _self_test(task: Assignment, sandbox: str, as_json: bool) -> int:
    from diffkit.grading.self_test.self_test import self_test

    table, proven = self_test(task, sandbox=sandbox)
    click.echo(table.json() if as_json else table.text())
    return 0 if proven else 1


def _write(task: Assignment, output: str, bundle: str | None) -> None:
    from diffkit.grading.exercises.starter import scaffold
    from diffkit.grading.reports.gradescope import write_bundle
    from diffkit.grading.reports.notebooks import write_nbgrader, write_otter

    if bundle is not None:
        write = {"gradescope": write_bundle, "otter": write_otter, "nbgrader": write_nbgrader}[bundle]
        click.echo(f"wrote {write(task, output)}")
        return
    if Path(output).exists():
        raise InputError(f"{output!r} is there already, and may hold somebody's work; name another file")
    click.echo(f"wrote {write_atomically(output, scaffold(list(task.exercises)))}")


def _for_service(
    service: str,
    assignment: str,
    submission: str,
    output: str | None,
    results: str,
    only: tuple[str, ...],
    workers: int | None,
    seed: int | None,
    sandbox: str,
) -> int:
    """Grades whatever a student has uploaded; whatever happens, there are results that say so."""
    from diffkit.grading.classes.submissions import folder_submission
    from diffkit.grading.exercises.assignment import load_assignment
    from diffkit.grading.reports import gradescope_failure, gradescope_results
    from diffkit.grading.reports.prairielearn import prairielearn_failure, prairielearn_results

    failed, found_in = {
        "gradescope": (gradescope_failure, gradescope_results),
        "prairielearn": (prairielearn_failure, prairielearn_results),
    }[service]
    if not Path(results).parent.is_dir():
        raise InputError(f"there is no folder {str(Path(results).parent)!r} to write results in")
    try:
        if not Path(submission).is_dir():
            raise InputError(f"there is no folder {submission!r} with a submission")
        task = load_assignment(assignment)
        one = folder_submission(Path(submission), "submission")
        folder = output or str(Path(results).parent / "diffkit")
        run = _run(task, [one], folder, only, workers, seed, False, sandbox, None)
    except BaseException as error:
        failure = failed(f"{type(error).__name__}: {error}")
        write_atomically(results, json.dumps(failure, indent=1))
        raise
    found = found_in(run.records[0], run.assignment)
    click.echo(f"wrote {write_atomically(results, json.dumps(found, indent=1))}")
    return NOT_GRADED if run.not_graded else 0


def _run(
    task: Assignment,
    found: list[Submission],
    folder: str,
    only: tuple[str, ...],
    workers: int | None,
    seed: int | None,
    same_for_all: bool,
    sandbox: str,
    cluster: str | None,
) -> ClassRun:
    from diffkit.grading.classes.running import grade_class

    with progress(len(found), "grading") as advance:
        return grade_class(
            task,
            found,
            folder,
            workers=workers,
            only=only,
            seed=seed,
            same_for_all=same_for_all,
            sandbox=sandbox,
            cluster=cluster,
            progress=lambda student: advance("grading", 1),
        )


def _report(run: ClassRun, folder: str, as_json: bool) -> None:
    from diffkit.grading.reports import misconceptions, scores, summary, write_reports

    write_reports(run, folder)
    if as_json:
        records = [asdict(record) for record in run.records]
        told = {"seed": run.seed, "graded": run.graded, "isolation": run.isolations, "damaged": run.damaged}
        echo(to_json({**told, "folder": folder, "submissions": records}))
        return
    for record in run.not_graded[:MOST_ROWS]:
        click.secho(f"not graded: {record.student}: {record.not_graded}", fg="red", err=True)
    if run.damaged:
        lines = ", ".join(map(str, run.damaged[:MOST_ROWS]))
        click.secho(f"damaged in the journal, and graded again: line {lines}", fg="yellow", err=True)
    if len(run.records) <= MOST_ROWS:
        click.echo(scores(run, brief=True).text() + "\n")
    click.echo(summary(run))
    if len(mistakes := misconceptions(run)):
        click.echo("\n" + mistakes.text())
    before = len(run.records) - run.graded
    resumed = f", {before} were in the journal" if before else ""
    what = "submission" if run.graded == 1 else "submissions"
    click.echo(f"\ngraded {run.graded} {what} in {run.seconds:.1f} s{resumed}; seed {run.seed}")
    if looked := sum(bool(record.looks) for record in run.records):
        click.echo(f"to look at by hand: {looked} (class.html says what and where)")
    for isolation in run.isolations or ["nothing was run"]:
        weak = isolation.startswith("GUARD ONLY")
        click.secho(f"isolation: {isolation}", fg="red" if weak else None, bold=weak)
    click.echo(f"reports are in {folder}: class.html, scores.csv, junit.xml, students/")
