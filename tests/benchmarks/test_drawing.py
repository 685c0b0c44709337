"""What a drawing costs, after the layout engine has warmed up: graph, DOT, layout and SVG together.

The trace alone is timed beside each, so that the figures can be read as ratios within one run.
"""

import numpy as np
import pytest

from diffkit.autodiff.views import trace
from diffkit.graphs import draw


def chain(x, n):
    for _ in range(n - 1):
        x = np.sin(x)
    return x


def tree(leaves):
    while len(leaves) > 1:
        leaves = [a * b for a, b in zip(leaves[::2], leaves[1::2], strict=True)]
    return leaves[0]


SHAPES = {
    "chain of 100": (chain, (0.5, 100)),
    "chain of 1000": (chain, (0.5, 1000)),
    "tree of 1023": (tree, ([1.01] * 512,)),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("what", ["trace alone", "primal", "adjoint"])
def test_drawing(benchmark, shape, what):
    f, args = SHAPES[shape]
    benchmark.group = shape

    def run():
        if what == "trace alone":
            return trace(f)(*args)
        return draw(f, *args, view=what, collapse_beyond=None, force=True, engine="wasm").svg()

    assert run()  # warms the engine up
    benchmark(run)
