"""The reports as pages: one for each student, one for the class; self-contained, light and dark."""

from __future__ import annotations

import hashlib
import html
import re
from pathlib import Path
from urllib.parse import quote

from diffkit.grading.classes.records import CheckRecord, ExerciseRecord, Record
from diffkit.grading.classes.running import ClassRun
from diffkit.grading.exercises.assignment import Assignment
from diffkit.grading.inside.wire import clean
from diffkit.grading.judging.results import UNWRITTEN
from diffkit.grading.reports.scores import misconceptions, not_graded_first, summary

_CHANGED = re.compile(r"-[0-9a-f]{12}$")
_MARKS = {"passed": "✓", "failed": "✗", "inconclusive": "?", "not run": "–", "warned": "!"}


def _page(title: str, body: str, kind: str) -> str:
    style = (Path(__file__).parent / "report.css").read_text(encoding="utf-8")
    # Whatever came from a student is text that can be encoded, in whichever way it got here.
    return clean(
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<link rel="icon" href="data:,">\n'
        f"<title>{html.escape(title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n"
        f'<main class="{kind}">\n{body}\n</main>\n</body>\n</html>\n'
    )


def _points(score: float, points: float) -> str:
    return f"{score:g} of {points:g} point{'s' * (points != 1)}"


def _name(record: Record) -> str:
    return html.escape(clean(record.student))


def student_page(assignment: Assignment, record: Record) -> str:
    """One student's page: the exercises with their checks, the numbers, and what to do about it."""
    body = [
        f"<h1>{html.escape(assignment.title)}</h1>",
        f'<p class="total"><b>{_name(record)}</b>: {_total(record)}</p>',
        *([] if record.not_graded else [_exercise(exercise) for exercise in record.exercises]),
    ]
    hidden = any(not case.visible for e in assignment.exercises for case in e.ladder)
    if record.printed and not hidden:  # a submission may print what it is given
        body.append(
            f"<details><summary>Printed output</summary><pre>{html.escape(record.printed)}</pre></details>"
        )
    body.append(
        f'<p class="quiet">{html.escape(clean(record.file))}, run in {record.seconds:.2f} s. '
        f"Isolation: {html.escape(record.isolation)}.</p>"
    )
    return _page(f"{clean(record.student)}: {assignment.title}", "\n".join(body), "student")


def _total(record: Record) -> str:
    if record.not_graded:
        return "not graded yet. This is no fault of yours; your course team has been told."
    return _points(record.score, record.points)


def _exercise(exercise: ExerciseRecord) -> str:
    state = "passed" if exercise.passed else "failed"
    parts = [
        f'<section class="{state}">',
        f"<h2><span>{_MARKS[state]} {html.escape(exercise.name)}</span> "
        f"<small>{_points(exercise.score, exercise.points)}</small></h2>",
        f"<details><summary>{_short(exercise)}</summary>" if exercise.passed else "",
        "<ul>",
        *(_check(check) for check in exercise.checks),
        "</ul>",
        "</details>" if exercise.passed else "",
    ]
    if exercise.feedback:
        lines = "<br>".join(html.escape(line) for line in exercise.feedback.splitlines())
        parts.append(f'<p class="feedback">{lines}</p>')
    return "\n".join([*parts, *_code(exercise), "</section>"])


def _code(exercise: ExerciseRecord) -> list[str]:
    """The student's own code around the first wrong line, with that marked."""
    if exercise.line is None or not exercise.around:
        return []
    rows = []
    for number, text in enumerate(clean(exercise.around).split("\n"), start=exercise.begins):
        row = f"{number:4}  {html.escape(text)}"
        rows.append(f'<mark id="line-{number}">{row}</mark>' if number == exercise.line else row)
    return ['<pre class="code">' + "\n".join(rows) + "</pre>"]


def _short(exercise: ExerciseRecord) -> str:
    """What stands for the checks of an exercise that passes."""
    others = [f"{check.name} {check.status}" for check in exercise.checks if check.status != "passed"]
    return html.escape(", ".join(others) or "all checks passed")


def _check(check: CheckRecord) -> str:
    message = f": {html.escape(check.message)}" if check.message else ""
    numbers = f"<pre>{html.escape(check.comparison)}</pre>" if check.comparison else ""
    mark = _MARKS.get(check.status, "")
    return (
        f'<li class="{check.status.replace(" ", "-")}"><b>{mark}</b> {html.escape(check.name)} '
        f"<small>{html.escape(check.status)}</small>{message}{numbers}</li>"
    )


def class_page(run: ClassRun) -> str:
    """The page for the team: how each exercise went, which mistakes were made, and everyone's score."""
    mistakes = misconceptions(run)
    heads = "".join(f"<th>{html.escape(e.name)}</th>" for e in run.assignment.exercises)
    body = [
        f"<h1>{html.escape(run.assignment.title)}</h1>",
        f'<p class="total">{html.escape(summary(run))}</p>',
        f'<p class="quiet">The seed of the instances is {run.seed}. {_isolation(run)}</p>',
        *_listed("Not graded, by no fault of theirs: run it again", [(r, r.not_graded) for r in run.records]),
        "<h2>Exercises</h2>",
        '<div class="wide"><table>',
        "<thead><tr><th>exercise</th><th>passed</th><th>not written yet</th><th>share</th></tr></thead>",
        "<tbody>",
        *(_exercise_row(run, k) for k in range(len(run.assignment.exercises))),
        "</tbody></table></div>",
        "<h2>Mistakes</h2>",
        f'<div class="wide">{mistakes.html()}</div>' if len(mistakes) else "<p>None was recognised.</p>",
        *_shared_lines(run),
        *_equal_but_for_names(run),
        *_listed("Not loaded", [(r, r.unread) for r in run.records]),
        *_listed(
            "To look at by hand: differences, another library, code that looks around (it proves nothing)",
            [(r, "; ".join(r.looks)) for r in run.records],
        ),
        "<h2>Students</h2>",
        f'<div class="wide"><table><thead><tr><th>student</th><th>score</th>{heads}</tr></thead><tbody>',
        *(_student_row(record) for record in not_graded_first(run)),
        "</tbody></table></div>",
    ]
    return _page(run.assignment.title, "\n".join(body), "class")


def _shared_lines(run: ClassRun) -> list[str]:
    """The wrong lines that several have, letter for letter but for spaces: worth a word to the class."""
    who: dict[tuple[str, str], list[Record]] = {}
    for record in run.records:
        for e in record.exercises:
            if e.line is not None:
                lines = e.around.split("\n")[e.line - e.begins :]
                who.setdefault((e.name, " ".join(clean(lines[0]).split()) if lines else ""), []).append(
                    record
                )
    shared = sorted(((len(r), *key) for key, r in who.items() if len(r) > 1), key=lambda row: (-row[0], row))
    if not shared:
        return []
    rows = [
        f"<tr><td>{html.escape(name)}</td><td><code>{html.escape(code)}</code></td><td>{count}</td></tr>"
        for count, name, code in shared[:20]
    ]
    return [
        "<h2>Wrong lines that several have</h2>",
        '<div class="wide"><table><thead>',
        "<tr><th>exercise</th><th>line</th><th>students</th></tr></thead><tbody>",
        *rows,
        "</tbody></table></div>",
    ]


def _equal_but_for_names(run: ClassRun) -> list[str]:
    """Files that are the same text but for names: what it means is the team's to say."""
    who: dict[str, list[Record]] = {}
    for record in run.records:
        written = any(e.note != UNWRITTEN for e in record.exercises)
        if record.outline and written and not record.unread:
            who.setdefault(record.outline, []).append(record)
    groups = sorted((g for g in who.values() if len(g) > 1), key=lambda g: (-len(g), g[0].student))
    if not groups:
        return []
    return [
        "<h2>The same text but for names</h2>",
        "<p>Comments and spaces aside too. It accuses nobody: what follows the lecture is alike.</p>",
        "<ul>",
        *(f"<li>in {len(g)} files: {', '.join(map(_link, g[:50]))}</li>" for g in groups[:50]),
        "</ul>",
    ]


def _isolation(run: ClassRun) -> str:
    """The walls that stood, in bold where it was the lowest; and the journal's damage, if there was any."""
    parts = [html.escape(text) for text in run.isolations]
    marked = (f"<strong>{p}</strong>" if p.startswith("GUARD ONLY") else p for p in parts)
    text = f"Isolation: {'; '.join(marked) or 'nothing was run'}."
    if not run.damaged:
        return text
    return text + f" Damaged lines of the journal, graded again: {', '.join(map(str, run.damaged))}."


def _listed(title: str, reasons: list[tuple[Record, str]]) -> list[str]:
    """Those for whom there is a reason to look, with the reason: somebody may have to write to them."""
    rows = [
        f'<tr><td>{_link(record)}</td><td class="reason">{html.escape(clean(reason[:300]))}</td></tr>'
        for record, reason in reasons
        if reason
    ]
    if not rows:
        return []
    return [
        f"<h2>{title}</h2>",
        '<div class="wide"><table><thead><tr><th>student</th><th>why</th></tr></thead><tbody>',
        *rows,
        "</tbody></table></div>",
    ]


def _exercise_row(run: ClassRun, k: int) -> str:
    exercises = [r.exercises[k] for r in run.records if not r.not_graded]
    total, passed = len(exercises), sum(e.passed for e in exercises)
    unwritten = sum(e.note == UNWRITTEN for e in exercises)
    share = passed / total if total else 0.0
    return (
        f"<tr><td>{html.escape(run.assignment.exercises[k].name)}</td><td>{passed} of {total}</td>"
        f"<td>{unwritten or ''}</td>"
        f'<td><meter min="0" max="1" value="{share:.3f}">{share:.0%}</meter> {share:.0%}</td></tr>'
    )


def _student_row(record: Record) -> str:
    if record.not_graded:
        return f'<tr><td>{_link(record)}</td><td colspan="{1 + len(record.exercises)}">not graded</td></tr>'
    cells = []
    for exercise in record.exercises:
        state = "passed" if exercise.passed else "failed"
        title = html.escape(exercise.mistake or exercise.note, quote=True)
        cells.append(f'<td class="{state}" title="{title}">{_MARKS[state]}</td>')
    return f"<tr><td>{_link(record)}</td><td>{record.score:g}</td>{''.join(cells)}</tr>"


def _link(record: Record) -> str:
    return f'<a href="students/{quote(file_name(record.student))}.html">{_name(record)}</a>'


def file_name(student: str) -> str:
    """A student's name as a file's: no separators, no leading dot, not too long, and no two the same.

    >>> file_name("ann"), file_name("../etc/passwd")
    ('ann', '_etc_passwd-7fef78f53440')
    """
    kept = "".join(c if c.isalnum() or c in "-_. @+" else "_" for c in student)[:48].lstrip(".")
    # What was changed might be another's name; and some file systems take "Ann" and "ann" for the same.
    # A name that looks like a changed one is changed as well, so that no student has another's page.
    same = kept == student and kept == kept.casefold() and not _CHANGED.search(kept)
    digest = hashlib.sha256(student.encode("utf-8", "surrogatepass")).hexdigest()
    return kept if same else f"{kept}-{digest[:12]}"
