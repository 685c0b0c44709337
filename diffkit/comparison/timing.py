"""Times that can be believed: medians of several rounds in turn, in processor time, with their spread."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

_ROUNDS = (5, 200)
_SHORTEST = 400e-6
"""Seconds that one measurement takes at least: what is shorter is run several times in it."""

_WARM_UP = 3e-3

STEADY = 1 / 3
"""A time is called steady if its quartiles lie within this part of its median."""


@dataclass(frozen=True)
class Timing:
    """How long a derivative takes.

    Attributes:
        seconds: the median, of processor time.
        times_f: the median of the rounds' ratios to one evaluation of f.
        spread: the distance of the quartiles of those ratios, as a part of the median; inf if it was run
            too seldom to tell.
    """

    seconds: float
    times_f: float
    spread: float

    @property
    def is_steady(self) -> bool:
        """Whether another run would give about the same."""
        return self.spread <= STEADY


def timings(
    f: Callable[[], Any], runs: Mapping[str, Callable[[], Any]], budget: float = 0.1
) -> tuple[float, dict[str, Timing]]:
    """The seconds of one evaluation of f, and the timing of each of ``runs``.

    In each round all are measured one after the other, so that what slows the machine down for a while
    slows both parts of a ratio.

    Args:
        f: runs f once.
        runs: by name, what computes a derivative once.
        budget: seconds for each of them, all rounds together.
    """
    everything = {"": f, **runs}
    with np.errstate(all="ignore"):
        first = {name: _measured(run, 1) for name, run in everything.items()}
        repeats = {name: max(1, round(_SHORTEST / max(t, 1e-9))) for name, t in first.items()}
        for name, run in everything.items():  # Python and the processor take a while to be at their best
            if first[name] < _WARM_UP:
                _measured(run, round(_WARM_UP / max(first[name], 1e-7)))
        rounds: dict[str, list[float]] = {name: [] for name in everything}
        spent = dict.fromkeys(everything, 0.0)
        for turn in range(_ROUNDS[1]):
            for name, run in everything.items():
                slow = first[name] > budget  # once is enough of it
                if slow or (turn >= _ROUNDS[0] and name and spent[name] > budget):
                    continue
                rounds[name].append(_measured(run, repeats[name]))
                spent[name] += rounds[name][-1] * repeats[name]
            if all(spent[n] > budget or first[n] > budget for n in everything if n):
                break
    own = np.array(rounds[""] or [first[""]])
    found = {}
    for name in runs:
        each = np.array(rounds[name] or [first[name]])
        beside = own[: len(each)] if len(own) >= len(each) else np.full(len(each), np.median(own))
        ratios = each / beside
        low, middle, high = np.percentile(ratios, [25, 50, 75])
        spread = float((high - low) / middle) if len(each) >= _ROUNDS[0] else float("inf")
        found[name] = Timing(float(np.median(each)), float(middle), spread)
    return float(np.median(own)), found


def _measured(run: Callable[[], Any], times: int) -> float:
    start = _clock()
    for _ in range(times):
        run()
    return max((_clock() - start) / times, 1e-9)


_fine = time.get_clock_info("process_time").resolution <= 1e-6
_clock = time.process_time if _fine else time.perf_counter
"""Processor time where its clock is fine enough: on a loaded machine, others' work is not counted."""
