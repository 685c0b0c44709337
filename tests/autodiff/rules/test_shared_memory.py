"""What shares memory in NumPy shares it in a trace, and nothing else does: asked of every function."""

import numpy as np
import pytest
from numpy_cases import FAMILIES

import diffkit as dk
from diffkit.autodiff.recording.tracer import Array
from diffkit.containers import flatten

LINES = [
    pytest.param(c, id=f"{name}-{k}")
    for functions in FAMILIES.values()
    for name, lines in functions.items()
    for k, c in enumerate(lines)
]


def shared_by_numpy(f, args):
    args = [a.copy() if isinstance(a, np.ndarray) else a for a in args]
    answers = flatten(f(*args))[0]
    return [
        [
            isinstance(y, np.ndarray) and isinstance(a, np.ndarray) and bool(np.shares_memory(y, a))
            for a in args
        ]
        for y in answers
    ]


def shared_in_a_trace(f, args):
    found = []

    def watched(*args):
        answer = f(*args)
        for y in flatten(answer)[0]:
            found.append([_share(y, a) for a in args])
        return answer

    dk.trace(watched)(*args)
    return found


def _share(y, a):
    if type(y) is not Array or type(a) is not Array:
        return False
    return y.size > 0 and (y is a or (y.memory is not None and y.memory is a.memory))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("c", LINES)
def test_memory_is_shared_as_numpy_shares_it(c):
    f = c.on_numpy()
    assert shared_in_a_trace(f, c.args) == shared_by_numpy(f, c.args)
