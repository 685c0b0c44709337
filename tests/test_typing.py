"""What the types of what may be passed accept, and what they refuse: asked of mypy, where it is installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import FunctionType

import numpy as np
import pytest

from diffkit.autodiff.recording.arrays import Array
from diffkit.autodiff.recording.node import Node
from diffkit.typing import ArrayValue, Operand

PROGRAM = """
from typing import Any
import numpy as np
from diffkit.autodiff.recording.arrays import Array
from diffkit.autodiff.recording.node import Node
from diffkit.typing import ArrayLike, ArrayValue, Axis, Index, Operand, Value

def plain(x: np.ndarray[Any, np.dtype[Any]], z: np.float64) -> None:
    a: ArrayValue = x
    b: Value = x
    c: Value = z
    d: ArrayLike = [x, [1.0, z]]

def traced(x: Array, z: Node) -> None:
    a: ArrayValue = x
    b: Value = x
    c: Operand = z
    d: ArrayLike = [x, [1.0, z]]
    e: Index = (0, slice(None), x, ..., None)

def wrong(axis: Axis, value: Value, index: Index) -> None:
    number_as_array: ArrayValue = 1.0  # no
    text: Value = "1.0"  # no
    nothing: Value = None  # no
    text_as_array: ArrayLike = "a"  # no
    by_text: Index = "a"  # no
    an_axis: Axis = 1.5  # no
    value.shape  # no
    value["a"]  # no
"""


@pytest.mark.slow
def test_plain_and_traced_values_pass_and_others_do_not(tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    file = tmp_path / "program.py"
    file.write_text(PROGRAM, encoding="utf-8")
    call = [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", str(file)]
    here = Path(__file__).parents[1]
    told = subprocess.run(call, capture_output=True, text=True, encoding="utf-8", cwd=here)
    refused = {int(line.split(":")[1]) for line in told.stdout.splitlines() if ": error:" in line}
    assert refused == {k for k, line in enumerate(PROGRAM.splitlines(), 1) if line.endswith("# no")}


@pytest.mark.parametrize("kind", [np.ndarray, Array])
def test_an_array_has_all_that_its_type_says(kind: type) -> None:
    told = {
        name for base in (Operand, ArrayValue) for name in vars(base) if not name.startswith(("__abst", "_"))
    }
    operators = {name for name in vars(Operand) if isinstance(vars(Operand)[name], FunctionType)}
    assert [name for name in told | operators - {"__init__"} if not hasattr(kind, name)] == []


def test_a_traced_number_has_the_operators_of_its_type() -> None:
    assert [name for name in _told(Operand) if not hasattr(Node, name)] == []


def _told(protocol: type) -> set[str]:
    members = {n for n, value in vars(protocol).items() if isinstance(value, FunctionType | property)}
    return members - {"__init__", "__subclasshook__"}
