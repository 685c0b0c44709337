"""Running the command line in this process, as a user would: exit status, output, complaints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from diffkit.cli import main


@dataclass
class Finished:
    status: int
    out: str
    err: str


@pytest.fixture
def diffkit(capsys: pytest.CaptureFixture[str]) -> Callable[..., Finished]:
    def run(*args: str) -> Finished:
        with pytest.raises(SystemExit) as done:
            main(list(args))
        captured = capsys.readouterr()
        return Finished(int(done.value.code or 0), captured.out, captured.err)

    return run
