"""``diffkit check`` for students, and ``diffkit grade`` for course teams."""

from __future__ import annotations

import json
from pathlib import Path

import click

from diffkit.errors import InputError
from diffkit.files import write_atomically
from diffkit.progress import progress

__all__ = ["check", "grade"]


@click.command(
    epilog="""\b
Examples:
  diffkit check homework3.py my_solution.py
  diffkit check homework3.py my_notebook.ipynb --only softmax
"""
)
@click.argument("assignment")
@click.argument("file")
@click.option("--only", multiple=True, metavar="NAME", help="Check this exercise only; repeatable.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the instances drawn.")
def check(assignment: str, file: str, only: tuple[str, ...], seed: int) -> int:
    """Check FILE, your solution of ASSIGNMENT, on the cases that students may see."""
    from diffkit.grading.assignment import load_assignment
    from diffkit.grading.grader import Grader
    from diffkit.grading.submissions import read_submission

    task = load_assignment(assignment)
    submission = read_submission(file)
    if submission.problem:
        raise InputError(f"can't check {file!r}: {submission.problem}")
    grader = Grader(task.only(only) if only else task, seed, sets=1, visible_only=True)
    try:
        record = grader.grade(submission)
    finally:
        grader.close()
    for exercise in record.exercises:
        mark, colour = ("✓", "green") if exercise.passed else ("✗", "red")
        click.secho(f"{mark} {exercise.name}", fg=colour, bold=True)
        if not exercise.passed:
            click.echo("    " + exercise.text().replace("\n", "\n    "))
    if record.printed:
        click.echo(f"\nprinted:\n{record.printed.rstrip()}")
    passed = sum(e.passed for e in record.exercises)
    click.echo(f"\n{passed} of {len(record.exercises)} exercises pass the visible cases.")
    return 0 if passed == len(record.exercises) else 1


@click.command(
    epilog="""\b
Examples:
  diffkit grade --scaffold homework3.py -o starter.py
  diffkit grade --self-test homework3.py
  diffkit grade homework3.py submissions -o results
  diffkit grade homework3.py submissions -o results --only softmax --workers 2
  diffkit grade --bundle homework3.py -o homework3.zip
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
@click.option("--dask", "cluster", metavar="ADDRESS", help="Spread over a dask.distributed cluster.")
@click.option(
    "--gradescope", metavar="FILE", help="Grade the one submission there is, into Gradescope's results.json."
)
@click.option("--self-test", is_flag=True, help="Prove that the references pass and the wrong answers fail.")
@click.option("--scaffold", is_flag=True, help="Write the starter file that students fill in.")
@click.option("--bundle", is_flag=True, help="Write the zip for Gradescope.")
def grade(
    assignment: str,
    submissions: str | None,
    output: str | None,
    only: tuple[str, ...],
    workers: int | None,
    seed: int | None,
    same_for_all: bool,
    cluster: str | None,
    gradescope: str | None,
    self_test: bool,
    scaffold: bool,
    bundle: bool,
) -> int:
    """Grade a folder of SUBMISSIONS of ASSIGNMENT, each in isolation; resume where a killed run was."""
    from diffkit.grading.assignment import load_assignment

    if sum([self_test, scaffold, bundle, submissions is not None]) != 1:
        raise InputError("give a folder of submissions, or one of --self-test, --scaffold and --bundle")
    task = load_assignment(assignment)
    if self_test:
        from diffkit.grading.self_test import self_test as prove

        table, proven = prove(task.only(only) if only else task)
        click.echo(table.text())
        return 0 if proven else 1
    if scaffold or bundle:
        if output is None:
            raise InputError("name the file to write with -o")
        if bundle:
            from diffkit.grading.reports.gradescope import write_bundle

            click.echo(f"wrote {write_bundle(task, output)}")
        else:
            from diffkit.grading.styles import scaffold as starter

            if Path(output).exists():
                raise InputError(
                    f"{output!r} is there already, and may hold somebody's work; name another file"
                )
            click.echo(f"wrote {write_atomically(output, starter(list(task.exercises)))}")
        return 0
    return _grade(task, submissions or "", output, only, workers, seed, same_for_all, cluster, gradescope)


def _grade(task, submissions, output, only, workers, seed, same_for_all, cluster, gradescope) -> int:  # type: ignore[no-untyped-def]
    from diffkit.grading.reports import gradescope_results, misconceptions, scores, write_reports
    from diffkit.grading.running import grade_class
    from diffkit.grading.submissions import find_submissions

    found = find_submissions(submissions)
    if gradescope is not None and len(found) != 1:
        raise InputError(f"--gradescope grades one submission, but {submissions!r} holds {len(found)}")
    folder = output or (str(Path(gradescope).parent / "diffkit") if gradescope else "results")
    with progress(len(found), "grading") as advance:
        run = grade_class(
            task,
            found,
            folder,
            workers=workers,
            only=only,
            seed=seed,
            same_for_all=same_for_all,
            cluster=cluster,
            progress=lambda student: advance(student, 1),
        )
    if gradescope is not None:
        write_atomically(gradescope, json.dumps(gradescope_results(run.records[0], run.assignment), indent=1))
    write_reports(run, folder)
    click.echo(scores(run).text())
    if len(mistakes := misconceptions(run)):
        click.echo("\n" + mistakes.text())
    resumed = f", {len(found) - run.graded} were in the journal" if run.graded < len(found) else ""
    click.echo(f"\ngraded {run.graded} submissions in {run.seconds:.1f} s{resumed}; seed {run.seed}")
    click.echo(f"isolation: {run.records[0].isolation}")
    click.echo(f"reports are in {folder}: class.html, scores.csv, junit.xml, students/")
    return 0
