"""Every test that takes a ``script`` is run for each lesson; ``run_lesson`` runs one as a user would."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

SCRIPTS = sorted((Path(__file__).parents[2] / "lessons").glob("[0-9][0-9]*_*.py"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "script" in metafunc.fixturenames:
        metafunc.parametrize("script", SCRIPTS, ids=lambda path: path.stem)


@pytest.fixture(scope="session")
def scripts() -> list[Path]:
    return SCRIPTS


Run = tuple["subprocess.CompletedProcess[str]", float]


@pytest.fixture(scope="session")
def run_lesson() -> Callable[..., Run]:
    """Runs a lesson in a process of its own, with warnings as errors; says how many seconds it took."""

    def run(script: Path, figures: Path, *, fast: bool) -> Run:
        environment = {
            **os.environ,
            "DIFFKIT_FAST": "1" if fast else "",
            "DIFFKIT_FIGURES": str(figures),
            "MPLBACKEND": "Agg",
        }
        start = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-W", "error", str(script)],
            env=environment,
            cwd=figures,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=180,
        )
        return done, time.perf_counter() - start

    return run
