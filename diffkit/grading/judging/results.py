"""What grading an exercise results in: a result for each check, the diagnosis, and the score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from diffkit.tables import Table

CHECKS = ("loads", "names", "forward", "values", "own forward", "contract", "linear", "second use")
"""The checks, in the order in which they are made and reported."""

PASSED, FAILED, INCONCLUSIVE, NOT_RUN, WARNED = "passed", "failed", "inconclusive", "not run", "warned"

UNFINISHED = "not looked for to the end"
"""In place of a mistake's name, of a search that was given up as its budget was spent."""
UNWRITTEN = "not written yet"
"""In place of a mistake's name, of what is as the starter file has it."""

_SHOWN = 12


def short(value: Any) -> str:
    """An input as one would type it, in as few decimals as it has.

    >>> short(np.array([[0.5, -1.25], [3.0, 0.1]]))
    '[[0.5, -1.25], [3, 0.1]]'
    """
    array = np.asarray(value)
    if array.dtype.kind not in "biufc":
        return repr(value)
    if array.size == 0:
        return f"an empty array of shape {array.shape}"
    if array.size > 40:
        return f"an array of shape {array.shape}"
    return (
        np.array2string(
            array,
            separator=", ",
            max_line_width=10_000,
            formatter={"float_kind": lambda x: f"{x:.6g}", "complex_kind": lambda z: f"{z:.6g}"},
        )
        .replace("\n", "")
        .replace(",  ", ", ")
        .replace(",[", ", [")
        .replace("  [", " [")
    )


@dataclass(frozen=True)
class SideBySide:
    """An instance on which the answer is wrong, entry by entry.

    Attributes:
        instance: the instance's name.
        inputs: name and value of each input, in short decimals; the cotangent is ``g``.
        entries: the entry's name, what is expected, what was given (None for a missing one), and
            whether it is wrong.

    >>> print(SideBySide("ordinary", (("x", "[2]"),), (("dx[0]", 4.0, 2.0, True),)))
    at ordinary:
    x = [2]
    entry  expected  given
    ──────────────────────────
    dx[0]         4      2  <-
    """

    instance: str
    inputs: tuple[tuple[str, str], ...]
    entries: tuple[tuple[str, float, float | None, bool], ...]

    @property
    def table(self) -> Table:
        """Expected and given side by side; the wrong entries first if there are many."""
        rows = sorted(self.entries, key=lambda e: not e[3]) if len(self.entries) > _SHOWN else self.entries
        cells = []
        for name, expected, given, wrong in rows[:_SHOWN]:
            left, right = _side_by_side(expected, given, wrong)
            cells.append([name, left, right, "<-" if wrong else ""])
        return Table(["entry", "expected", "given", ""], cells)

    def __str__(self) -> str:
        lines = [f"{name} = {value}" for name, value in self.inputs]
        hidden = len(self.entries) - _SHOWN
        more = [f"... and {hidden} more entries"] if hidden > 0 else []
        return "\n".join([f"at {self.instance}:", *lines, str(self.table), *more])


def _side_by_side(expected: float, given: float | None, wrong: bool) -> tuple[str, str]:
    """Two numbers, to as many digits as it takes to tell a wrong one from the right one."""
    if given is None:
        return f"{expected:.6g}", "-"
    if not wrong:
        return f"{expected:.6g}", f"{expected:.6g}"
    for digits in (6, 9, 12, 17):
        left, right = f"{expected:.{digits}g}", f"{given:.{digits}g}"
        if left != right or expected == given:
            break
    return left, right


@dataclass(frozen=True)
class CheckResult:
    """The result of one check.

    Attributes:
        name: one of :data:`CHECKS`.
        status: "passed", "failed", "inconclusive" (the truth is not known well enough: it costs
            nothing), "warned" (it is said, and costs nothing), or "not run" (an earlier failure left nothing
            to look at).
        message: what was found, in words.
        comparison: the smallest instance that fails, if one does.
        cases: for "values", the names of the ladder's cases with their status.
        breach: for "contract", whether all that is wrong is a breach of manners (an input changed in place,
            whole numbers in an array), which leaves the numbers right.

    >>> CheckResult("values", "failed", "wrong on all 3 kinds of input").passed
    False
    """

    name: str
    status: str
    message: str = ""
    comparison: SideBySide | None = None
    cases: tuple[tuple[str, str], ...] = ()
    breach: bool = False

    @property
    def passed(self) -> bool:
        """Whether it costs the student nothing."""
        return self.status in (PASSED, INCONCLUSIVE, WARNED)


@dataclass(frozen=True)
class Diagnosis:
    """The mistake that reproduces the student's numbers.

    Attributes:
        name: the kind of mistake, the same for all exercises, for counting: "sign", "missing transpose".
        messages: what to tell the student, from the kind of mistake to the plainest hint.
        arguments: the arguments whose derivative it is seen in.
        instances: on how many instances it reproduced what was given.
        factor: the missing or surplus factor, in words, if it is one.

    >>> diagnosis = Diagnosis("sign", ("A sign is wrong.", "Watch each minus."), ("x",), 4)
    >>> diagnosis.mistake, diagnosis.message(1)
    ('sign', 'A sign is wrong.')
    """

    name: str
    messages: tuple[str, ...]
    arguments: tuple[str, ...]
    instances: int
    factor: str = ""

    @property
    def mistake(self) -> str:
        """The name, if it is that of a mistake: neither :data:`UNWRITTEN` nor :data:`UNFINISHED`."""
        return "" if self.name in (UNFINISHED, UNWRITTEN) else self.name

    def message(self, level: int = 2) -> str:
        """What a hint level lets the student see; "" at level 0."""
        return " ".join(self.messages[:level])

    def __str__(self) -> str:
        return f"{self.name}: {self.message(3)}"


def _ordinal(n: int) -> str:
    ending = "th" if n % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
    return f"{n}{ending}"


@dataclass(frozen=True)
class WrongLine:
    """The first wrong line of a submission.

    Attributes:
        line: its number in the student's file, from 1; in a notebook the cells count one after the other.
        code: what stands there.
        change: what would make everything right there, or "".
        name: the variable whose value it is that is wrong, or "".
        given, right: what it is at a small input and what it should be, in short decimals.
        turn: at which of the line's writes it is first wrong, from 0.
        quantity: what that is, in the forward program.
        around: the function that it stands in, or some of it.
        begins: the number of the first line of that.
        mistake: the name of the mistake that the change undoes, or "".
        also: the number of a second line that is wrong for itself, or 0.
    """

    line: int
    code: str
    change: str = ""
    name: str = ""
    given: str = ""
    right: str = ""
    turn: int = 0
    quantity: str = ""
    around: str = ""
    begins: int = 0
    mistake: str = ""
    also: int = 0

    def message(self, level: int = 2) -> str:
        """What a hint level lets the student see: the line; with 2 its value; with 3 what would be right.

        >>> line = WrongLine(7, "ds = dinv / s", "ds = dinv / s ** 2", "ds", "0.93", "0.41")
        >>> line.message(2)
        'Line 7 is the first that is wrong: `ds = dinv / s`. At a small input ds is 0.93; it should be 0.41.'
        """
        if level < 1:
            return ""
        text = f"Line {self.line} is the first that is wrong: `{self.code}`."
        if level >= 2 and self.given:
            what = "what is returned" if self.name.startswith("return") else self.name
            when = f", written for the {_ordinal(self.turn + 1)} time," if self.turn else ""
            named = f" ({self.quantity})" if self.quantity else ""
            text += f" At a small input {what}{when} is {self.given}; it should be {self.right}{named}."
        if level >= 3 and self.change:
            whole = "its part" if self.also else "everything here"
            text += f" With `{self.change}` in its place {whole} is right."
        return text + (f" Line {self.also} is wrong too, and has nothing to do with it." if self.also else "")


@dataclass(frozen=True)
class Verdict:
    """What grading an exercise results in.

    Attributes:
        name: the exercise's name.
        checks: the results in the order of :data:`CHECKS`.
        diagnosis: the mistake, if one was recognised.
        points: what the exercise is worth.
        score: the points that it earns.
        hint_level: how much of the diagnosis the student sees.
        hints: the team's own hints.
        seed: the seed that the instances were drawn from, for replay.
        wrong_line: the first wrong line, if one was found.

    >>> Verdict("sine", (CheckResult("loads", "failed", "SyntaxError"),), None).passed
    False
    """

    name: str
    checks: tuple[CheckResult, ...]
    diagnosis: Diagnosis | None
    points: float = 1.0
    score: float = 0.0
    hint_level: int = 3
    hints: tuple[str, ...] = ()
    seed: int | None = None
    wrong_line: WrongLine | None = None

    @property
    def passed(self) -> bool:
        """Whether no check failed, and all were made."""
        return all(check.passed for check in self.checks)

    @property
    def conclusive(self) -> bool:
        """Whether the truth was known well enough everywhere."""
        return all(check.status != INCONCLUSIVE for check in self.checks)

    @property
    def hints_due(self) -> tuple[str, ...]:
        """The team's hints once they are of use: after an attempt that failed.

        Before it there is none: a starter as it was handed out, a file that can't be loaded or that does not
        define what is asked for.

        >>> Verdict("sine", (CheckResult("loads", "failed"),), None, hints=("Sums add.",)).hints_due
        ()
        >>> Verdict("sine", (CheckResult("values", "failed"),), None, hints=("Sums add.",)).hints_due
        ('Sums add.',)
        """
        unwritten = self.diagnosis is not None and self.diagnosis.name == UNWRITTEN
        absent = any(check.name in ("loads", "names") and not check.passed for check in self.checks)
        return () if self.passed or unwritten or absent else self.hints

    def check(self, name: str) -> CheckResult:
        """A check by its name.

        Raises:
            KeyError: if there is none.
        """
        for check in self.checks:
            if check.name == name:
                return check
        raise KeyError(name)

    def __str__(self) -> str:
        lines = [f"{self.name}: {'passed' if self.passed else 'failed'}"]
        for check in self.checks:
            lines.append(f"  {check.name}: {check.status}" + (f" ({check.message})" if check.message else ""))
        failing = next((c.comparison for c in self.checks if c.comparison is not None), None)
        if failing is not None:
            lines += ["", str(failing)]
        if self.diagnosis is not None and (text := self.diagnosis.message(self.hint_level)):
            lines += ["", text]
        if self.wrong_line is not None and (text := self.wrong_line.message(self.hint_level)):
            lines += ["", text]
        return "\n".join([*lines, *self.hints_due])
