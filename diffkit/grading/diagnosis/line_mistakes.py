"""What kind of mistake a wrong line is: by the change of it that makes everything right."""

from __future__ import annotations

import re
from dataclasses import replace

from diffkit.grading.diagnosis.messages import MESSAGES
from diffkit.grading.exercises.exercise import Exercise
from diffkit.grading.judging.results import FAILED, Diagnosis, Verdict, WrongLine

RARER = ("integer truncation", "missing factor", "not linear")
"""Mistakes that explain numbers which a simpler one in a single line may explain as well."""

_UPSTREAM = r"(g|dy|dz|dout|grad|upstream|grad_output?|out_grad|d_out|d_output|dLd[A-Z]|grad_out)"

_NAME = r"[A-Za-z_][\w.]*"

_KINDS = (
    ("sign", r"a minus before it|without the minus|[-+] in place of the operator"),
    ("constant factor", r"[*/]2|[-\d.e]+ in place of [-\d.e]+"),
    ("size factor", r"(mean|sum) in place of (mean|sum)|the mean with .*"),
    ("size factor", r"(times|divided by) (len\(.*|.*\.shape\[.*|[nmND]|num\w*|size|batch\w*|count)"),
    ("wrong axis or keepdims", r"axis=.*|keepdims=.*|over all"),
    ("broadcast not summed", r"summed.*"),
    ("upstream forgotten", rf"times {_UPSTREAM}"),
    ("local derivative forgotten", r"(times|divided by) .*"),
    ("upstream squared", rf"without {_UPSTREAM}"),
    ("path dropped", r"the term .* is missing"),
    ("overwritten", r"added, not assigned"),
    ("missing transpose", r"transposed|not transposed|.*\.T( .*)?|.* @ .*"),
    ("elementwise product", r"a matrix product"),
    ("operands swapped", rf"(arguments )?exchanged|another order|{_NAME} in place of {_NAME}"),
    ("wrong local derivative", r"\*|/|without .*|the power.*|.*\*\*\d|the root of .*|-.* alone"),
    ("wrong local derivative", r"(exp|log)\(.*|1 - .*"),
)


def mistake_of(what: str) -> str:
    """The name of the mistake that a change undoes, "" where none fits.

    >>> mistake_of("a minus before it"), mistake_of("times (1 - h ** 2)"), mistake_of("times dout")
    ('sign', 'local derivative forgotten', 'upstream forgotten')
    """
    return next((name for name, pattern in _KINDS if re.fullmatch(pattern, what)), "")


def with_line(exercise: Exercise, verdict: Verdict, wrong: WrongLine | None) -> Verdict:
    """A verdict with its wrong line; named after it where the numbers gave no name, or a rarer one."""
    if wrong is None:
        return verdict
    found = replace(verdict, wrong_line=wrong)
    unnamed = verdict.diagnosis is None or verdict.diagnosis.name in RARER
    values = any(c.name == "values" and c.status == FAILED for c in verdict.checks)
    forward = any(c.name == "forward" and c.status == FAILED for c in verdict.checks)
    if not unnamed or not wrong.mistake or not values or forward:
        return found
    said = (MESSAGES[wrong.mistake][0],)
    return replace(found, diagnosis=Diagnosis(wrong.mistake, said, exercise.argument_names, 1))
