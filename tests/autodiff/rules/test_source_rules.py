"""Source of every NumPy function, of its adjoint program and of that one's: runs as it stands."""

from __future__ import annotations

import numpy as np
import pytest
from numpy_cases import FAMILIES
from rule_checks import cotangents_of

import diffkit as dk
from diffkit.autodiff.bits import same_bits
from diffkit.containers import flatten

LINES = [
    pytest.param(c, id=f"{name}-{k}")
    for functions in FAMILIES.values()
    for name, lines in functions.items()
    for k, c in enumerate(lines)
]


def run_as_it_stands(source, t):
    """What the text computes where there is nothing but itself, at the trace's inputs."""
    scope = {"__name__": "a_file_of_its_own"}
    exec(compile(str(source), "program.py", "exec"), scope)
    return scope[source.name](*(a.value if t.owns(a) else a for a in t.arguments))


def assert_bits(t, value):
    source = t.source()
    found, expected = (flatten(v)[0] for v in (run_as_it_stands(source, t), value))
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        assert same_bits(a, b) or (not np.ndim(a) and same_bits(complex(a), complex(b))), source


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("c", LINES)
def test_source_runs_as_it_stands(c):
    f = c.on_numpy()
    f.__name__ = "program"
    t = dk.trace(f)(*c.args)
    assert_bits(t, t.value)
    joint = t.adjoint(cotangents_of(t.value))
    assert_bits(joint, (t.value, joint.value))
    second = joint.adjoint(cotangents_of(joint.value))
    assert_bits(second, (joint.value, second.value))
