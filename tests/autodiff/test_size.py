"""Size: long traces are swept without recursion, in memory that grows with their length and no faster."""

import gc
import sys
import tracemalloc

import numpy as np
import pytest

import diffkit as dk
from diffkit.autodiff.core.record import record


def chain(x, n):
    for _ in range(n):
        x = x * 0.999 + 0.001
    return x


def bytes_of(make):
    """What ``make`` returns, and the memory that it holds."""
    gc.collect()
    tracemalloc.start()
    made = make()
    size = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return made, size


def test_deeper_than_the_recursion_limit():
    n = 20 * sys.getrecursionlimit()
    t = record(lambda x: chain(x, n), (1.0,), {})
    assert len(t) == 2 * n + 1
    slope = 0.999**n
    assert t.pull_back(1.0) == pytest.approx(slope, rel=1e-9)
    assert t.push_forward(1.0) == pytest.approx(slope, rel=1e-9)
    assert t.replay(1.0) == t.value
    del t  # and freed without recursion, too


def test_memory_is_linear_and_as_stated():
    """The docstring of tracer.Node states what a row of a scalar program takes."""
    sizes = []
    for n in (5_000, 10_000, 20_000):
        t, size = bytes_of(lambda n=n: record(lambda x: chain(x, n), (1.0,), {}))
        sizes.append(size / len(t))
    assert max(sizes) < 1.1 * min(sizes)
    assert max(sizes) < 260


@pytest.mark.slow
def test_a_million_nodes():
    t, size = bytes_of(lambda: record(lambda x: chain(x, 500_000), (1.0,), {}))
    assert len(t) == 1_000_001
    assert size / len(t) < 260
    assert t.pull_back(1.0) == pytest.approx(0.999**500_000, rel=1e-6)
    assert t.push_forward(1.0) == pytest.approx(0.999**500_000, rel=1e-6)


def test_reading_all_elements_of_an_array_costs_their_number():
    def f(x):
        total = 0.0
        for k in range(len(x)):
            total = total + x[k] ** 2
        return total

    x = np.ones(20_000)
    tracemalloc.start()
    gradient = dk.grad(f)(x)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_array_equal(gradient, 2.0)
    assert peak < 5_000 * len(x)  # 3.2 GB, if every element were given an array of its own
