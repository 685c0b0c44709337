"""The first wrong line of a submission whose numbers are wrong: found by experiment on single statements.

The statements that ran are changed one at a time, by what students mean when they write something else
(:mod:`diffkit.grading.inside.edits`), and the changed submission is run behind the wall like any other, on
inputs that students may see. A change with which everything is right is evidence: nothing else in the file
needs to be otherwise. Where changes of several lines do that (a sign lost on the way can be put back further
on), the values that the lines wrote decide (:mod:`~diffkit.grading.diagnosis.line_evidence`): the line is the
first whose value is nothing that is known to be right, and with the change is. Where nothing decides there is
no line.

It knows what is right and runs no code of a student's; that is done by the ``ask`` that it is handed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from diffkit.grading.diagnosis.line_evidence import EditsOf, Evidence, Mended, Runner
from diffkit.grading.diagnosis.line_mistakes import mistake_of
from diffkit.grading.inside.protocol import Response, unpack_array
from diffkit.grading.judging.results import FAILED, UNWRITTEN, Verdict, WrongLine, short
from diffkit.grading.judging.trials import Trial

MOST_TRIED = (2500, 3000, 3000)
"""Changes of all statements together that are tried, of each rank."""
AT_ONCE = 250
MOST_AROUND = 40
"""Lines before it and after it that are shown."""
CONFIRMED_ON = 5
"""On how many further instances a change must make everything right."""


def wants_line(verdict: Verdict) -> bool:
    """Whether there is a line to look for: something is written, it was run, and it is wrong."""
    unwritten = verdict.diagnosis is not None and verdict.diagnosis.name == UNWRITTEN
    wrong = any(c.name in ("forward", "values", "contract") and c.status == FAILED for c in verdict.checks)
    return wrong and not unwritten


def first_wrong(
    runner: Runner, trials: Sequence[Trial], responses: Sequence[Response], edits_of: EditsOf
) -> WrongLine | None:
    """The first wrong line of a submission that failed; None where nothing shows which it is.

    Args:
        runner: runs the submission.
        trials: those that students may see.
        responses: what came for them.
        edits_of: reads the submission.
    """
    failing = [t for t, r in zip(trials, responses, strict=True) if not runner.right(t, r)]
    telling = [t for t in failing if t.instance.ans.size and not t.truths[0].kinked]
    if not telling:
        return None
    first = min(telling, key=lambda t: (_few(t), t.instance.size))
    others = [t for t in failing if t is not first] + [t for t in trials if t not in failing and t.full]
    (watched,) = runner.ask([runner.request(first, watched=True)])
    if not watched.lines:
        return None
    seen = {(w.part, w.line, w.name): [w.part, w.line, w.name, list(w.value.shape)] for w in watched.written}

    def read(rank: int) -> dict[str, Any]:
        nothing: dict[str, Any] = {"statements": [], "edits": []}
        lines = [list(at) for at in watched.lines]
        return edits_of(list(runner.parts), lines, list(seen.values()), rank) or nothing

    found = read(1)
    if not found["statements"]:
        return None
    if len(found["statements"]) == 1:
        part, line, *_, top = found["statements"][0]
        return _at(runner.parts, part, line, top)
    evidence = Evidence(runner, first, watched, found["statements"])
    tried: list[Mended] = []
    parts: dict[frozenset[int], list[dict[str, Any]]] = {}
    for rank in (1, 2, 3):
        changes = (found if rank == 1 else read(rank))["edits"][: MOST_TRIED[rank - 1]]
        tried += evidence.weighed(_mending(runner, changes, first, others[:CONFIRMED_ON], parts))
        chosen = _chosen(tried, evidence.suspect, rank == 3 or not evidence.known)
        if chosen is not None:
            return _line_of(runner, chosen)
        if not tried and (pair := _pair(evidence, parts)) is not None:
            return _line_of(runner, *pair)
    if (named := evidence.by_name(found["statements"])) is not None:
        w, right, top = named
        plain = _at(runner.parts, w.part, w.line, top)
        given = short(unpack_array(w.value))
        quantity = f"the {right.kind} of {right.name}"
        return replace(plain, name=w.name, given=given, right=short(right.value), quantity=quantity)
    return None


def _few(t: Trial) -> bool:
    """Whether an instance has so few numbers that they agree by chance."""
    return sum(np.size(a) for a in t.instance.args) < 4


def _mending(
    runner: Runner,
    changes: Sequence[dict[str, Any]],
    first: Trial,
    others: Sequence[Trial],
    parts: dict[frozenset[int], list[dict[str, Any]]],
) -> list[dict[str, Any]]:
    """The changes with which everything is right: at one instance, then at the others.

    Those with which some arguments' derivatives are, of several that were wrong, are added to ``parts``.
    """
    trials = [first, *others]
    answers = runner.ask([runner.request(t) for t in trials])
    before = [runner.wrong(t, r) for t, r in zip(trials, answers, strict=True)]
    several = bool(before[0]) and len(before[0] or ()) > 1
    left: list[tuple[dict[str, Any], frozenset[int]]] = []
    for k in range(0, len(changes), AT_ONCE):
        some = changes[k : k + AT_ONCE]
        answers = runner.ask([runner.request(first, runner.variant(e)) for e in some])
        for e, r in zip(some, answers, strict=True):
            wrong = runner.wrong(first, r)
            if wrong is not None and (not wrong or (several and wrong < (before[0] or frozenset()))):
                left.append((e, wrong))
    for trial, was in zip(others, before[1:], strict=True):
        answers = runner.ask([runner.request(trial, runner.variant(e)) for e, _ in left]) if left else ()
        kept = []
        for (e, wrong), r in zip(left, answers, strict=True):
            now = runner.wrong(trial, r)
            if now is not None and (now <= wrong if was is None else now == wrong & was):
                kept.append((e, wrong))
        left = kept
    for e, wrong in left:
        if wrong:
            parts.setdefault((before[0] or frozenset()) - wrong, []).append(e)
            parts.setdefault(before[0] or frozenset(), [])
    return [e for e, wrong in left if not wrong]


def _pair(
    evidence: Evidence, parts: dict[frozenset[int], list[dict[str, Any]]]
) -> tuple[Mended, Mended] | None:
    """Changes of two lines of which each alone puts right what the other does not, the first line first.

    One way of changing both is one mistake further up, and none of theirs.

    Args:
        evidence: what the values say.
        parts: the changes, by the arguments whose derivatives they put right.
    """
    every = max(parts, key=len, default=frozenset())
    found: list[tuple[Mended, Mended]] = []
    for one, changes in parts.items():
        other = parts.get(every - one)
        if not changes or not other or min(one) > min(every - one):
            continue
        halves = [_chosen(evidence.weighed(half), evidence.suspect, True) for half in (changes, other)]
        known = sorted((m for m in halves if m is not None), key=lambda m: m.order)
        if len(known) < 2:
            continue
        a, b = known
        apart = a.edit["statement"] != b.edit["statement"] and a.edit["what"] != b.edit["what"]
        shown = all(m.right_grade >= 4 > m.given_grade for m in known)  # by names and values
        if apart and (shown or a.order <= evidence.suspect):
            found.append((a, b))
    return found[0] if len(found) == 1 else None


def _chosen(tried: Sequence[Mended], suspect: float, last: bool) -> Mended | None:
    """The change of the first line of which the values show that it is wrong; None if nothing shows any.

    Args:
        tried: the changes that make everything right.
        suspect: when the first line was run whose value is not what its name says.
        last: whether no more changes will be tried.
    """
    by_line: dict[int, Mended] = {}
    for m in sorted(tried, key=lambda m: (-m.right_grade, m.edit["rank"])):
        by_line.setdefault(m.edit["statement"], m)
    lines = sorted(by_line.values(), key=lambda m: m.order)
    shown = [m for m in lines if m.right_grade >= 2 and m.right_grade > m.given_grade]
    if shown:  # or before that, one that goes from something right to something else that is
        shown = [m for m in lines if m in shown or (m.order < shown[0].order and _moved(m))]
        rank = shown[0].edit["rank"]  # or one of which nothing is known, with a simpler change
        simpler = [m for m in lines if m.order < shown[0].order and m.edit["rank"] < rank]
        if simpler and not any(m.given_grade for m in simpler):
            shown = [simpler[-1]]
    if shown and (last or shown[0].order <= suspect):
        return shown[0]
    if not last:
        return None
    moved = [m for m in lines if _moved(m)]
    if moved:  # where the upstream number comes last, the line that lacks it is the last
        return moved[-1 if all(m.before_upstream for m in moved) else 0]
    if len(lines) == 1 and 2 <= lines[0].right_grade >= lines[0].given_grade:
        return lines[0]
    unknown = [m for m in lines if m.given_grade < 2]
    simplest = min((m.edit["rank"] for m in unknown), default=0)
    unknown = [m for m in unknown if m.edit["rank"] == simplest]
    if unknown and unknown[-1].order - unknown[0].order <= 1:
        return unknown[-1]  # one line, or two that follow each other
    return None


def _moved(m: Mended) -> bool:
    """Whether a line's value goes from something right to an adjoint that is as well known to be."""
    adjoint = m.what is not None and m.what.kind == "adjoint"
    return adjoint and 1 <= m.given_grade <= m.right_grade >= 2


def _at(parts: Sequence[str], part: int, line: int, top: Sequence[int]) -> WrongLine:
    """A line, with its text and what stands around it."""
    before = sum(len(p.split("\n")) for p in parts[:part])
    lines = parts[part].split("\n")
    first, last = max(top[0], line - MOST_AROUND), min(top[1], line + MOST_AROUND)
    around = "\n".join(lines[first - 1 : last])
    return WrongLine(before + line, lines[line - 1].strip(), around=around, begins=before + first)


def _line_of(runner: Runner, m: Mended, second: Mended | None = None) -> WrongLine:
    """What there is to say of a line, and of a second one that is wrong as well."""
    plain = _at(runner.parts, m.edit["part"], m.edit["line"], m.edit["top"])
    if second is not None:
        at = _at(runner.parts, second.edit["part"], second.edit["line"], second.edit["top"])
        plain = replace(plain, also=at.line)
    offset = m.edit["line"] - m.edit["top"][0]
    change = runner.variant(m.edit).text.split("\n")[offset].strip()
    plain = replace(plain, change=change, mistake=mistake_of(m.edit["what"]))
    if m.given is None or m.right is None:
        return plain
    edge = f"the {m.what.kind} of {m.what.name}" if m.what is not None else ""
    return replace(plain, name=m.name, given=short(m.given), right=short(m.right), turn=m.turn, quantity=edge)
