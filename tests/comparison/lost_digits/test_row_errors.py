"""Thirty programs with known condition numbers: the row that loses the digits is the right one.

The independent truth is the opposite experiment: each program is run once for each row with that row alone
rounded to the nearest float, in numbers of sixty digits. And the condition numbers are closed forms.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
import pytest

import diffkit as dk
from diffkit.precise import arithmetic, lift, precise


@dataclass(frozen=True)
class Program:
    """A program, its point, the logarithmic derivative x f'/f of the function, and which row costs it digits.

    ``named`` is the operation whose rounding does it, "" for a program that keeps its digits; ``passes`` the
    one that makes it large; ``shared`` says that many rows cost it about as much.
    """

    f: Callable[..., Any]
    x: float
    condition: Callable[[Any], Any]
    named: str
    passes: str = ""
    shared: bool = False


def taylor(x):
    term = total = 1.0 + 0 * x
    for k in range(1, 100):
        term = term * x / k
        total = total + term
    return total


def recurrence(x):
    """The integral of t**n exp(t - 1) by I(n) = 1 - n I(n - 1): an error grows as n factorial."""
    value = 1 - np.exp(-x)
    for n in range(1, 12):
        value = 1 - n * value
    return value


def variance(x):
    values = np.stack([x, x + 1.0, x + 2.0])
    return np.mean(values**2) - np.mean(values) ** 2


def one(x):
    return mpmath.mpf(1)


mp = mpmath.mp.clone()
mp.dps = 40

PROGRAMS = {
    "cancelled cosine": Program(
        lambda x: (1 - np.cos(x)) / x**2, 1e-8,
        lambda x: abs(x * mp.sin(x) / (1 - mp.cos(x)) - 2), "cos", "subtract",
    ),
    "half-angle form": Program(
        lambda x: 0.5 * (np.sin(x / 2) / (x / 2)) ** 2, 1e-8,
        lambda x: abs(x * mp.sin(x) / (1 - mp.cos(x)) - 2), "",
    ),
    "exp less one": Program(
        lambda x: np.exp(x) - 1, 1e-10, lambda x: x * mp.exp(x) / mp.expm1(x), "exp", "subtract"
    ),
    "expm1": Program(np.expm1, 1e-10, lambda x: x * mp.exp(x) / mp.expm1(x), ""),
    "log of one and a little": Program(
        lambda x: np.log(1 + x), 1e-10, lambda x: x / (1 + x) / mp.log1p(x), "add", "log"
    ),
    "log1p": Program(np.log1p, 1e-10, lambda x: x / (1 + x) / mp.log1p(x), ""),
    "difference of roots": Program(
        lambda x: np.sqrt(x + 1) - np.sqrt(x), 1e10,
        lambda x: x / (2 * mp.sqrt(x) * mp.sqrt(x + 1)), "sqrt", "subtract",
    ),
    "roots below one": Program(
        lambda x: 1 / (np.sqrt(x + 1) + np.sqrt(x)), 1e10, lambda x: x / (2 * mp.sqrt(x) * mp.sqrt(x + 1)), ""
    ),
    "tangent less sine": Program(
        lambda x: np.tan(x) - np.sin(x), 1.3e-5,
        lambda x: x * (mp.sec(x) ** 2 - mp.cos(x)) / (mp.tan(x) - mp.sin(x)), "tan|sin", "subtract",
    ),
    "sinh by exponentials": Program(
        lambda x: (np.exp(x) - np.exp(-x)) / 2, 1e-9, lambda x: x * mp.coth(x), "exp", "subtract"
    ),
    "difference of squares": Program(
        lambda x: x * x - 1.0, 1 + 1.3e-8, lambda x: 2 * x * x / (x * x - 1), "multiply", "subtract"
    ),
    "its factors": Program(
        lambda x: (x - 1.0) * (x + 1.0), 1 + 1.3e-8, lambda x: 2 * x * x / (x * x - 1), ""
    ),
    "small root of a quadratic": Program(
        lambda b: -b + np.sqrt(b * b + 4.0), 1e8 + 1.3,
        lambda b: abs(b * (-1 + b / mp.sqrt(b * b + 4)) / (-b + mp.sqrt(b * b + 4))), "sqrt|add|multiply",
        "add|negative|subtract",
    ),
    "small root, well": Program(
        lambda b: 4.0 / (b + np.sqrt(b * b + 4.0)), 1e8 + 1.3,
        lambda b: abs(b * (-1 + b / mp.sqrt(b * b + 4)) / (-b + mp.sqrt(b * b + 4))), "",
    ),
    "one less sine": Program(
        lambda x: 1 - np.sin(x), math.pi / 2 - 1.7e-7,
        lambda x: abs(x * mp.cos(x) / (1 - mp.sin(x))), "sin", "subtract",
    ),
    "difference of logarithms": Program(
        lambda x: np.log(x + 1) - np.log(x), 1e9,
        lambda x: abs(x * (1 / (x + 1) - 1 / x) / mp.log1p(1 / x)), "log", "subtract",
    ),
    "sixth power, expanded": Program(
        lambda x: x**6 - 6 * x**5 + 15 * x**4 - 20 * x**3 + 15 * x**2 - 6 * x + 1, 1.003,
        lambda x: 6 * x / (x - 1), "multiply|power|add|subtract", "subtract|add",
    ),
    "sixth power": Program(lambda x: (x - 1) ** 6, 1.003, lambda x: 6 * x / (x - 1), ""),
    "variance by squares": Program(variance, 1e7 + 0.3, lambda x: mp.mpf(0), "power|mean", "subtract"),
    "a large number in and out": Program(
        lambda x: (x + 1e15) - 1e15, 0.3, one, "add", "subtract"
    ),
    "a series of exp": Program(taylor, -20.0, lambda x: abs(x), "add|multiply|divide", shared=True),
    "a series of exp, inverted": Program(lambda x: 1 / taylor(-x), -20.0, lambda x: abs(x), ""),
    "double angle": Program(
        lambda x: np.cos(x) ** 2 - np.sin(x) ** 2, math.pi / 4 - 1e-9,
        lambda x: abs(2 * x * mp.tan(2 * x)), "cos|sin|power", "subtract",
    ),
    "arc cosine near one": Program(
        lambda x: np.arccos(1 - x), 1.3e-12,
        lambda x: x / mp.sqrt(2 * x - x * x) / mp.acos(1 - x), "subtract", "arccos",
    ),
    "sine of a large angle": Program(
        lambda x: np.sin(1e8 * x), 1.1,
        lambda x: abs(1e8 * x * mp.cot(mp.mpf(10) ** 8 * x)), "multiply", "sin"
    ),
    "compound interest": Program(
        lambda n: (1 + 1 / n) ** n, 3e10,
        lambda n: abs(n * (mp.log1p(1 / n) - 1 / (n + 1))), "add", "power",
    ),
    "difference of arc tangents": Program(
        lambda x: np.arctan(x + 1) - np.arctan(x), 1e6,
        lambda x: abs(x * (1 / (1 + (x + 1) ** 2) - 1 / (1 + x * x)) / (mp.atan(x + 1) - mp.atan(x))),
        "arctan", "subtract",
    ),
    "determinant": Program(
        lambda x: x * 1.1 - (x + 1e-9) * 1.1000000011, 0.7,
        lambda x: abs(
            x * (mp.mpf(1.1) - mp.mpf(1.1000000011))
            / (x * mp.mpf(1.1) - (x + mp.mpf(1e-9)) * mp.mpf(1.1000000011))
        ),
        "multiply|add", "subtract",
    ),
    "dot product": Program(
        lambda x: np.dot(np.array([1e8, 1.0, -1e8]), np.stack([x * 1.1, x, x * 1.1])), 0.7, one, "dot"
    ),
    "an unstable recurrence": Program(
        recurrence, 1.0, lambda x: abs(x * math.factorial(11) * mp.exp(-x) / _recurrence(x)), "exp"
    ),
    "a stable sigmoid": Program(lambda x: 1 / (1 + np.exp(-x)), 3.0, lambda x: x / (1 + mp.exp(x)), ""),
    "softplus": Program(
        lambda x: np.logaddexp(x, 0.0), -40.0,
        lambda x: abs(x / (1 + mp.exp(-x)) / mp.log1p(mp.exp(x))), "",
    ),
}  # fmt: skip


def _recurrence(x):
    value = 1 - mp.exp(-x)
    for n in range(1, 12):
        value = 1 - n * value
    return value


def effects_of_one_rounding(t: dk.Trace) -> list[float]:
    """How far the result moves for each row that alone is rounded to the nearest float."""
    home = arithmetic(60, False, True)

    def rounded(value):
        if isinstance(value, np.ndarray):
            flat = [lift(float(v._nearest_float()), home) for v in np.ravel(np.asarray(value))]
            out = np.empty(value.shape, dtype=object)
            out.reshape(-1)[:] = flat
            return out.view(type(value))
        return precise(home.mp.mpf(value._nearest_float()), home) if hasattr(value, "arithmetic") else value

    def run(alone: int) -> Any:
        values: list[Any] = []
        for row in t.nodes:
            if not row.args or row.fun.name == "input":
                values.append(lift(row.value, home))
                continue
            value = row.fun(*[values[a.index] if t.owns(a) else a for a in row.args], **row.kwargs)
            values.append(rounded(value) if row.index == alone else value)
        return values[t.outputs[0].index]

    exact = run(-1)
    return [
        abs(((run(k) - exact) / exact)._nearest_float()) if row.args else 0.0 for k, row in enumerate(t.nodes)
    ]


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_named_row_is_the_right_one(name: str) -> None:
    program = PROGRAMS[name]
    result = dk.accuracy(program.f, program.x)
    assert result.conditions[0, 0] == pytest.approx(
        float(abs(program.condition(mp.mpf(program.x)))), rel=1e-9
    )
    analysis = result.value
    named = analysis.named
    if not program.named:
        assert named is None, (named, result.value_error)
        assert result.value_error < 1e-13
        return
    assert named is not None, result
    assert named.operation in program.named.split("|")
    if program.passes:
        assert analysis.amplifier.operation in program.passes.split("|")
        assert analysis.amplifier.condition > 30
    # both ways agree: on the row, and on how much it does
    assert analysis.named_to_first_order.index == named.index
    assert named.first_order == pytest.approx(named.effect, rel=0.3)
    # and so does the other experiment, where the row's float is the nearest one, as it is there: sums round
    # several times within a row, and cos and pow of the C library not always to the nearest
    if named.made > 2.0**-53 or program.shared:
        return
    effects = effects_of_one_rounding(analysis.trace)
    assert effects[named.index] >= max(effects) / 3


def test_there_are_thirty() -> None:
    assert len(PROGRAMS) >= 30


def test_what_a_row_made_and_received_add_up_to_its_error() -> None:
    for program in list(PROGRAMS.values())[:10]:
        for row in dk.accuracy(program.f, program.x).value.rows:
            assert row.error <= (row.made + row.received) * (1 + 1e-9)
            assert row.made <= 2.0**-52 or row.error > 0
