"""How many submissions are graded in a second, and what isolation adds to each.

    OMP_NUM_THREADS=1 pytest tests/benchmarks/test_grading_throughput.py --benchmark-only -s

The class is 200 submissions of ten exercises, a tenth of them with a mistake, on all cores. Loading the
assignment and preparing the instances is measured apart from the steady state. Processor time per
submission is printed beside it, since other work on the machine does not change that as much.

Equal answers are judged once. In a real class many students write down the same formula, but not all; so
the class is measured twice: all with one of a few formulas, and each with answers that no other gives.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from diffkit.grading.classes.grader import Grader
from diffkit.grading.classes.running import grade_class
from diffkit.grading.classes.submissions import Submission
from diffkit.grading.exercises.assignment import load_assignment
from diffkit.grading.inside.student_side import load, perform
from diffkit.grading.wall.isolation import Isolation
from diffkit.grading.wall.sandbox import why_no_bubblewrap
from tests.grading.honest import submission, write_assignment

STUDENTS = 200


def code(k: int) -> str:
    return submission(tanh="return g * (1 - x**2)") if k % 10 == 0 else submission()


OWN = """

def own(rule):
    def rounded(*args, **kwargs):
        parts = rule(*args, **kwargs)
        several = isinstance(parts, tuple)
        parts = [np.asarray(p) * (1 + {k} * 2.0**-52) for p in (parts if several else (parts,))]
        return tuple(parts) if several else parts[0]
    return rounded

for name in [name for name in globals() if name.endswith("_vjp")]:
    globals()[name] = own(globals()[name])
"""
"""Makes every number of a submission differ from everyone else's in its last bits."""


@pytest.mark.benchmark(group="a class")
@pytest.mark.parametrize("alike", [True, False], ids=["few formulas", "no two alike"])
def test_two_hundred_submissions_of_ten_exercises(benchmark, tmp_path, capsys, alike) -> None:
    assignment = load_assignment(write_assignment(tmp_path))
    submissions = [
        Submission(f"s{k:03}", Path(f"s{k:03}.py"), code(k) + ("" if alike else OWN.format(k=k % 50)))
        for k in range(STUDENTS)
    ]
    times: list[float] = []
    before = os.times()
    run = benchmark.pedantic(
        grade_class,
        (assignment, submissions, tmp_path / "results"),
        {"progress": lambda student: times.append(time.perf_counter())},
        rounds=1,
    )
    after = os.times()
    assert sum(r.score == r.points for r in run.records) == STUDENTS * 9 // 10
    steady = (len(times) - 40) / (times[-1] - times[40])
    used = after.children_user + after.children_system - before.children_user - before.children_system
    with capsys.disabled():
        print(
            f"\n{STUDENTS} submissions of 10 exercises: {steady:.1f} a second after the first 40, "
            f"{STUDENTS / run.seconds:.1f} a second with all start-up; "
            f"{1000 * used / STUDENTS:.0f} ms of processor time each, on {os.cpu_count()} cores"
        )


@pytest.mark.benchmark(group="one submission")
@pytest.mark.parametrize("sandbox", ["in this process", "off", "bubblewrap"])
def test_what_isolation_adds(benchmark, tmp_path, sandbox) -> None:
    """The same ten exercises, with and without isolation; the difference is what it adds."""
    if sandbox == "bubblewrap" and why_no_bubblewrap():
        pytest.skip("bubblewrap does not work here")
    grader = Grader(load_assignment(write_assignment(tmp_path)), 1, sandbox="off")
    assert grader.grade(Submission("ann", Path("ann.py"), code(1))).score == 20.0
    requests = [request for asked in grader._requests.values() for request in asked]
    grader.close()
    if sandbox == "in this process":

        def run() -> None:
            module = load(code(1), "ann.py")
            for request in requests:
                perform(module, request)

        benchmark.pedantic(run, rounds=20, warmup_rounds=2)
        return
    with Isolation(sandbox=sandbox) as isolation:
        benchmark.pedantic(isolation.run, (code(1), "ann.py", requests), rounds=20, warmup_rounds=2)


@pytest.mark.benchmark(group="an empty submission")
@pytest.mark.parametrize("sandbox", ["off", "bubblewrap"])
def test_the_least_that_isolation_costs(benchmark, sandbox) -> None:
    if sandbox == "bubblewrap" and why_no_bubblewrap():
        pytest.skip("bubblewrap does not work here")
    with Isolation(sandbox=sandbox) as isolation:
        benchmark.pedantic(isolation.run, ("", "ann.py", []), rounds=30, warmup_rounds=2)
