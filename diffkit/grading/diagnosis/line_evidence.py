"""What speaks for a line being the wrong one: the values that it writes, with a change of it and without.

A value is known to be right if it is one of the forward program's quantities
(:mod:`~diffkit.grading.diagnosis.quantities`), or the adjoint of something that the student's own forward
pass computes, which differences of that pass measure. A name that says whose adjoint a variable is (dX,
grad_x, x_bar, gx) holds it to that.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from diffkit.grading.diagnosis.quantities import Quantity, found_in, quantities
from diffkit.grading.exercises.exercise import Exercise
from diffkit.grading.exercises.styles import STYLES
from diffkit.grading.inside.protocol import Request, Response, StepResult, Variant, Written, unpack_array
from diffkit.grading.judging.answered import answered
from diffkit.grading.judging.checks import check_contract, check_forward
from diffkit.grading.judging.nearness import compare, differences
from diffkit.grading.judging.results import FAILED
from diffkit.grading.judging.trials import Trial, sent

Array = np.ndarray[Any, Any]
Ask = Callable[[Sequence[Request]], Sequence[Response]]
"""Runs the submission behind its wall: a response to each request."""
EditsOf = Callable[
    [Sequence[str], Sequence[Sequence[int]], Sequence[Sequence[Any]], int], dict[str, Any] | None
]
"""Reads the submission behind its wall: see :func:`diffkit.grading.inside.edits.edits`."""

STEP = 2.0**-17
"""For differences of a student's forward pass: the cube root of the rounding error, about."""
MEASURED = 1e-6
"""To how many digits they are known."""
MOST_MEASURED = 400
LARGEST_MEASURED = 40
GIVEN = -1000
"""The numbers of the arguments, which are right as they are, count down from here."""
PER_LINE = 4
"""Changes of one line of which the values are looked at."""


@dataclass
class Mended:
    """A change that makes everything right.

    Attributes:
        edit: the change.
        order: when its line was first run.
        name, turn: the first variable that the line writes otherwise, and at which of its writes.
        given, right: what it writes, without the change and with it.
        given_grade, right_grade: how well each is known to be right.
        what: what the right value is.
        before_upstream: whether what it writes without the change only lacks the upstream number.
    """

    edit: dict[str, Any]
    order: int
    name: str = ""
    turn: int = 0
    given: Array | None = None
    right: Array | None = None
    given_grade: float = 0.0
    right_grade: float = 0.0
    what: Quantity | None = None
    before_upstream: bool = False


class Runner:
    """What is asked of a submission here, and whether the answers are right.

    Args:
        exercise: the exercise.
        parts: the texts of the submission: a script's, or those of a notebook's cells.
        ask: runs it.
    """

    def __init__(self, exercise: Exercise, parts: Sequence[str], ask: Ask) -> None:
        self.exercise, self.parts, self.ask = exercise, parts, ask
        self.encoded = [part.encode() for part in parts]
        self.has_forward = STYLES[exercise.style].has_forward

    def request(
        self, trial: Trial, variant: Variant | None = None, *, watched: bool = False, steps: int = 2
    ) -> Request:
        """The value and one derivative at an instance; or, of the value alone, one step."""
        whole = trial.request
        asked = [s for s in whole.steps if s.point == 0 and s.label in ("forward", "g")]
        return sent(
            self.exercise,
            replace(
                whole,
                points=whole.points[:1],
                seeds=whole.seeds[:1],
                steps=tuple(asked[: steps if self.has_forward else 1]),
                variant=variant,
                watched=watched,
            ),
        )

    def right(self, trial: Trial, response: Response) -> bool:
        """Whether value and derivative are right."""
        return self.wrong(trial, response) == frozenset()

    def wrong(self, trial: Trial, response: Response) -> frozenset[int] | None:
        """Which parts of the derivative are wrong, by number; None where more than that is amiss."""
        if response.failure is not None or response.missing:
            return None
        whole = len(response.steps) == len(trial.request.steps)
        request = trial.request if whole else self.request(trial)
        if len(response.steps) != len(request.steps):
            return None
        each = answered(self.exercise, replace(trial, request=request), response)
        if any(answer.problems or answer.failure for _, answer in each.answers):
            return None
        if self.has_forward and not check_forward(self.exercise, [each]).passed:
            return None
        if not check_contract(self.exercise, [each]).passed:
            return None
        outcome = compare(self.exercise, each, ("g",))
        if outcome.status != FAILED:
            return frozenset()
        step, answer = outcome.step, outcome.answer
        if step is None or answer is None or not answer.complete or trial.truths[step.point].kinked:
            return None
        parts = differences(answer, *trial.right(step))
        return frozenset(k for k, wrong in enumerate(parts) if wrong.any()) or None

    def variant(self, edit: dict[str, Any]) -> Variant:
        """A change as what the other side runs in place of the whole statement around it."""
        encoded = self.encoded[edit["part"]]
        changed = encoded[: edit["start"]] + edit["text"].encode() + encoded[edit["end"] :]
        first, last = edit["top"]
        text, was = (
            "\n".join(t.split("\n")[first - 1 : last]) for t in (changed.decode(), self.parts[edit["part"]])
        )
        return Variant(edit["part"], first, text, was)


class Evidence:
    """What the values say that the lines write.

    Args:
        runner: asks the submission.
        first: the instance.
        watched: what the lines wrote there.
        statements: the statements, as :func:`~diffkit.grading.inside.edits.edits` has them.
    """

    def __init__(self, runner: Runner, first: Trial, watched: Response, statements: Sequence[Any]) -> None:
        self.runner, self.first, self.watched = runner, first, watched
        self.known = quantities(runner.exercise, first)
        self.order = {place: k for k, place in enumerate(watched.lines)}
        self.rows: dict[str, set[int]] = {}
        """The rows that a name stands for: by the team's names, and by what the student's variables hold."""
        for q in self.known:
            self.rows.setdefault(q.name.lower(), set()).add(q.row)
        self.teams = {name: set(rows) for name, rows in self.rows.items()}
        self.sizes = {n for a in first.instance.args for n in np.shape(a)}
        for k, (name, a) in enumerate(zip(runner.exercise.arguments, first.instance.args, strict=True)):
            if isinstance(a, np.ndarray) and a.dtype.kind == "f" and self.known:
                self.known.append(Quantity("value", GIVEN - k, name, a))
        self._without_upstream()
        values = [q for q in self.known if q.kind == "value"]
        unknown = set()
        for w in watched.written:
            same = {q.row for q, _ in found_in(unpack_array(w.value), values)}
            if same:
                self.rows.setdefault(_base(w.name), set()).update(same)
            else:
                unknown.add((w.part, w.line, w.name))
        if runner.has_forward and self.known:
            self._measure(statements, unknown)
        last = {(w.frame, w.name): w for w in watched.written}
        wrong = [w for w in last.values() if self._said(w.name) and not self._whole(w)]
        wrong.sort(key=lambda w: self.order.get((w.part, w.line), math.inf))
        self._wrong = wrong[0] if wrong else None
        """The first that is not, in the end, what its name says."""

    @property
    def suspect(self) -> float:
        """When the first line was run whose value is not what its name says."""
        w = self._wrong
        return math.inf if w is None else self.order.get((w.part, w.line), math.inf)

    def by_name(self, statements: Sequence[Any]) -> tuple[Written, Quantity, Any] | None:
        """A value that is not what its name says, though all that its line reads is known to be right.

        Returns:
            The value; what it should be; and the first and last line of the top-level statement.
        """
        w = self._wrong
        if w is None:
            return None
        said = self._said(w.name)
        right = [q for q in self.known if q.kind == "adjoint" and q.row in said]
        tops = [s[5] for s in statements if s[0] == w.part and s[1] == w.line]
        writes = [o for o in self.watched.written if (o.part, o.line, o.frame) == (w.part, w.line, w.frame)]
        if len(right) != 1 or not tops or len(writes) != 1:
            return None
        target, _, code = self.runner.parts[w.part].split("\n")[w.line - 1].partition("=")
        if "[" in target:  # some of it was written before
            return None
        if target.rstrip()[-1:] in ("+", "-", "*", "/"):
            code += " " + target[:-1]
        before: dict[str, Written] = {}
        for o in self.watched.written:
            if o is w:
                break
            if o.frame == w.frame:
                before[o.name] = o
        read = [before[name] for name in re.findall(r"[A-Za-z_][\w.]*", code) if name in before]
        known = all(self._grade(unpack_array(o.value), o.name)[0] for o in read)
        later = _proportional(unpack_array(w.value), right[0].value)  # a factor may come in another line
        return (w, right[0], tops[0]) if read and known and not later else None

    def _without_upstream(self) -> None:
        """Of a number's derivative also what it is before the upstream number, where a right part does so."""
        g = np.asarray(self.first.seeds[0][0])
        wrong = self.runner.wrong(self.first, self.watched)
        if g.size != 1 or not wrong or not g.all():
            return
        names = self.runner.exercise.argument_names
        right = {name for k, name in enumerate(names) if k not in wrong}
        plain = [replace(q, kind="unit", value=q.value / g) for q in self.known if q.kind == "adjoint"]
        told = [q for q in plain if q.name in right and q.row >= 0]
        if any(any(True for _ in found_in(unpack_array(w.value), told)) for w in self.watched.written):
            self.known += plain

    def _whole(self, w: Written) -> bool:
        """Whether a value is what its name says, and not one of several parts of it only."""
        grade, what = self._grade(unpack_array(w.value), w.name)
        if what is None or what.kind in ("adjoint", "unit"):
            return grade > 0
        parts = sum(q.kind == "contribution" and q.row == what.row for q in self.known)
        return parts < 2

    def _measure(self, statements: Sequence[Any], unknown: set[tuple[int, int, str]]) -> None:
        """The adjoints of what only the student's own forward pass computes: by differences."""
        (forward,) = self.runner.ask([self.runner.request(self.first, watched=True, steps=1)])
        asked: list[Request] = []
        wanted: list[tuple[str, Array, Array]] = []
        for part, line, _, _, assigned, top in statements:
            if assigned is None or (part, line, assigned[0]) not in unknown:
                continue
            here = [w for w in forward.written if (w.part, w.line, w.name) == (part, line, assigned[0])]
            value = unpack_array(here[0].value) if len(here) == 1 else np.zeros(0, dtype=int)
            if (
                value.dtype.kind != "f"
                or not 0 < value.size <= LARGEST_MEASURED
                or len(asked) > MOST_MEASURED
            ):
                continue
            sizes = np.abs(value).ravel()
            h = STEP * np.maximum(sizes, 0.01 * sizes.max() or 1.0)
            wanted.append((assigned[0], value, h))
            code = self.runner.encoded[part][assigned[1] : assigned[2]].decode()
            for k in range(value.size):
                for step in (h[k], -h[k]):
                    moved = np.zeros(value.shape)
                    moved.flat[k] = step
                    edit = {"part": part, "start": assigned[1], "end": assigned[2], "top": top}
                    variant = self.runner.variant({**edit, "text": f"({code}) + {moved.tolist()!r}"})
                    asked.append(self.runner.request(self.first, variant, steps=1))
        answers = [_value(r) for r in self.runner.ask(asked)] if asked else []
        g = np.asarray(self.first.seeds[0][0])
        for number, (name, value, h) in enumerate(wanted):
            mine, answers = answers[: 2 * value.size], answers[2 * value.size :]
            numbers = [a for a in mine if a is not None and a.shape == g.shape]
            if len(numbers) < len(mine):
                continue
            pairs = zip(numbers[::2], numbers[1::2], strict=True)
            slopes = [np.sum(g * (up - down)) / (2 * s) for (up, down), s in zip(pairs, h, strict=True)]
            row = -1 - number
            adjoint = np.array(slopes).reshape(value.shape)
            self.known.append(Quantity("adjoint", row, name, adjoint, near=MEASURED))
            self.rows.setdefault(_base(name), set()).add(row)

    def weighed(self, edits: Sequence[dict[str, Any]]) -> list[Mended]:
        """The changes, a few for each line, with what the line writes without and with them."""
        by_line: dict[int, list[dict[str, Any]]] = {}
        for edit in edits:
            by_line.setdefault(edit["statement"], []).append(edit)
        few = [edit for same in by_line.values() for edit in same[:PER_LINE]]
        requests = [self.runner.request(self.first, self.runner.variant(e), watched=True) for e in few]
        answers = self.runner.ask(requests) if requests else ()
        return [self._weighed(e, r.written) for e, r in zip(few, answers, strict=True)]

    def _weighed(self, edit: dict[str, Any], now: Sequence[Written]) -> Mended:
        place = edit["part"], edit["line"]
        m = Mended(edit, self.order.get(place, 0))
        before, after = (
            [w for w in written if (w.part, w.line) == place] for written in (self.watched.written, now)
        )
        for k, (one, other) in enumerate(zip(before, after, strict=False)):
            if one.name == other.name and one.value != other.value:
                m.name, m.turn = one.name, k
                m.given, m.right = unpack_array(one.value), unpack_array(other.value)
                break
        else:
            return m
        last_given, last_right = (
            next(unpack_array(w.value) for w in reversed(ws) if w.name == m.name) for ws in (before, after)
        )
        m.given_grade, was = self._grade(last_given, m.name)
        m.before_upstream = was is not None and was.kind == "unit"
        m.right_grade, m.what = self._grade(last_right, m.name)
        return m

    def _grade(self, value: Array, name: str) -> tuple[float, Quantity | None]:
        """How well a value is known to be right, and as what; 0 where it is not."""
        found = list(found_in(value, self.known))
        if value.ndim == 0 and value.dtype.kind == "i" and int(value) in self.sizes:
            return 2.0, None
        said = self._said(name)
        if said:  # it says whose adjoint it is
            found = [(q, exactly) for q, exactly in found if q.kind != "value" and q.row in said]
        adjoint = 3.0 + 1.0 * bool(said)
        grades = {"adjoint": adjoint, "unit": adjoint, "value": 2.5, "contribution": 2.0, "part": 2.0}
        best = max(found, key=lambda each: grades[each[0].kind] + 0.5 * each[1], default=None)
        if best is None:
            return 0.0, None
        named = self.teams.get(_base(name))
        if best[0].kind == "value" and named and not any(q.row in named for q, _ in found):
            return 1.0, best[0]  # something right, but by its name something else
        return grades[best[0].kind] + 0.5 * best[1], best[0]

    def _said(self, name: str) -> set[int]:
        """The rows whose adjoint a variable is, by its name."""
        plain = _base(name)
        if plain in self.rows and not plain.startswith(("d", "g")):
            return set()
        for form in _ADJOINTS:
            found = re.fullmatch(form, plain)
            if found and found["name"] in self.rows:
                return self.rows[found["name"]]
        return set()


_ADJOINTS = (
    r"d_?(?P<name>\w+)",
    r"grad_?(?P<name>\w+)",
    r"(?P<name>\w+?)_?grad",
    r"(?P<name>\w+?)_?bar",
    r"g_?(?P<name>\w+)",
    r"delta_?(?P<name>\w+)",
)


def _proportional(value: Array, right: Array) -> bool:
    """Whether a value is a number times another, up to its transpose."""
    if value.size != right.size or value.dtype.kind != "f":
        return False
    forms = [value.ravel(), value.T.ravel()]
    norm = float(np.vdot(right, right)) or 1.0
    fits = (np.abs(v - np.vdot(v, right) / norm * right.ravel()).max(initial=0.0) for v in forms)
    return bool(min(fits) <= MEASURED * float(np.abs(value).max(initial=0.0)))


def _base(name: str) -> str:
    """A variable's name without what it is an attribute of.

    >>> _base("self.H"), _base("cache[0]"), _base("dx")
    ('h', 'cache[0]', 'dx')
    """
    return name.rpartition(".")[2].lower()


def _value(response: Response) -> Array | None:
    """The number that a forward step gave."""
    steps: tuple[StepResult, ...] = response.steps
    if not steps or len(steps[0].values) != 1 or steps[0].values[0].array is None:
        return None
    return unpack_array(steps[0].values[0].array).astype(float)
