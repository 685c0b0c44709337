"""Matrix formulas: the gradients of a deep network, SymPy's score on the same tables, and NumPy source.

    python tests/benchmarks/test_matrices.py

prints the table; as a test, each part says only what does not depend on the machine.
"""

from __future__ import annotations

import statistics
import sys
import time
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import sympy

import diffkit as dk

sys.path.insert(0, str(Path(__file__).parents[1] / "symbolic" / "matrices"))

import formulas_of_others
from by_numpy import Program, in_fifty_digits
from formulas_of_matrices import operations
from test_in_fifty_digits import CASES, drawn, sizes_of
from test_source import network


def score(differentiate):
    """How many answers are right, unreadable, refused, wrong; the lengths beside the published ones."""
    counts, ratios = Counter(), []
    for seed, (_, kind, by, e, published, given) in enumerate(CASES):
        if differentiate is by_sympy:  # it knows of no assumptions about the variable
            given = True if f"({by})" in str(given) else given
        truth = by_diffkit(kind, e, by, given)  # shown right in fifty digits by test_in_fifty_digits.py
        try:
            answer = differentiate(kind, e, by, given)
            verdict = "right" if _alike(answer, truth, e, by, given, seed) else "wrong"
        except Unreadable:
            verdict = "unreadable"
        except Exception:
            verdict = "refused"
        counts[verdict] += 1
        if verdict == "right" and published is not None and operations(published):
            ratios.append(operations(answer) / operations(published))
    return dict(counts), round(statistics.median(ratios), 2)


class Unreadable(Exception):
    """An answer that is no matrix expression: tensor products of arrays, unevaluated derivatives."""


def _alike(answer, truth, e, by, given, seed):
    """Whether two formulas have the same numbers; a gradient may also be laid out transposed."""
    answer = sympy.sympify(answer)
    names = {type(part).__name__ for part in sympy.preorder_traversal(answer)}
    if names & {
        "ArrayTensorProduct",
        "ArrayContraction",
        "ArrayDiagonal",
        "PermuteDims",
        "ArrayAdd",
        "Derivative",
    }:
        raise Unreadable
    rng = np.random.default_rng(seed)
    sizes = {formulas_of_others.k: 3, **sizes_of(e, by, rng)}
    symbols = sorted({s for s in {*e.free_symbols, by} if s not in sizes}, key=str)
    values = [drawn(s, sizes, rng, given) for s in symbols]
    mine, right = (
        np.asarray(in_fifty_digits(Program(f, symbols, sizes), values), float) for f in (answer, truth)
    )
    mine = mine.reshape(right.shape) if mine.size == right.size == 1 else mine
    return any(m.shape == right.shape and np.allclose(m, right, rtol=1e-9) for m in (mine, mine.T))


def by_sympy(kind, e, by, given):
    return e.diff(by, by) if kind == "h" else e.diff(by)


def by_diffkit(kind, e, by, given):
    ours = {"h": dk.symbolic.hessian, "j": dk.symbolic.jacobian}.get(kind, dk.symbolic.diff)
    return ours(e, by, assumptions=given)


# -- source beside the line written by hand -----------------------------------------------------------


def layer_by_hand(W, b, v, x):
    h = np.tanh(W @ x + b)
    d = v * (1 - h**2)
    return d * x.T, d


def layer_by_formula():
    m, n = sympy.symbols("m n", integer=True, positive=True)
    W, b, v, x = (
        sympy.MatrixSymbol(*given) for given in (("W", m, n), ("b", m, 1), ("v", m, 1), ("x", n, 1))
    )
    loss = v.T * (W * x + b).applyfunc(sympy.tanh)
    return dk.symbolic.lambdify([W, b, v, x], dk.symbolic.gradient(loss, [W, b]))


def ratio(f, g, args, turns=200, rounds=31):
    """The median over rounds of f's time by g's, turn about."""
    ratios = []
    for _ in range(rounds):
        times = []
        for h in (f, g):
            start = time.perf_counter()
            for _ in range(turns):
                h(*args)
            times.append(time.perf_counter() - start)
        ratios.append(times[0] / times[1])
    return statistics.median(ratios)


def arrays(m, n):
    rng = np.random.default_rng(0)
    return (
        rng.normal(size=(m, n)) / 9,
        rng.normal(size=(m, 1)),
        rng.normal(size=(m, 1)),
        rng.normal(size=(n, 1)),
    )


def test_the_formula_is_the_line_by_hand():
    args = arrays(16, 784)
    for mine, by_hand in zip(layer_by_formula()(*args), layer_by_hand(*args), strict=True):
        assert np.allclose(mine, by_hand, rtol=1e-13)


@pytest.mark.slow
def test_none_is_wrong_where_sympy_has_wrong_ones():
    ours, _ = score(by_diffkit)
    assert ours == {"right": len(CASES)}
    sympys, _ = score(by_sympy)
    assert sympys["wrong"] > 0


@pytest.mark.benchmark(group="the gradients of twenty layers by all weights, as formulas")
def test_twenty_layers(benchmark):
    loss, weights = network(20)
    assert len(benchmark.pedantic(lambda: dk.symbolic.gradient(loss, weights), rounds=3)) == 40


if __name__ == "__main__":
    for depth in (5, 20, 80):
        loss, weights = network(depth)
        start = time.perf_counter()
        found = dk.symbolic.gradient(loss, weights)
        formulas = time.perf_counter() - start
        start = time.perf_counter()
        dk.symbolic.lambdify([*weights, *(s for s in loss.free_symbols if s.name in "Xt")], found)
        print(f"{depth} layers: gradients {formulas:.3f} s, source {time.perf_counter() - start:.3f} s")
    for m, n in ((16, 784), (16, 16), (256, 256)):
        times = ratio(layer_by_formula(), layer_by_hand, arrays(m, n))
        print(f"a layer {m} x {n}: {times:.2f} of the time by hand")
    print(f"of {len(CASES)} formulas: diffkit", *score(by_diffkit))
    warnings.simplefilter("ignore")
    print(f"of {len(CASES)} formulas: sympy.diff", *score(by_sympy))
