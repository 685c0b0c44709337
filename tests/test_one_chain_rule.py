"""The executable theorem: symbolic and automatic differentiation are the same chain rule.

A program is differentiated in three ways: its trace is replayed on symbols and the expression is
differentiated over the shared graph; forward mode is recorded while it sweeps the trace; and that
recording is replayed on symbols. All three do the same operations, counted one by one (Laue, 2019,
says so on paper).
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy

import diffkit as dk
from diffkit.containers import flatten


def network(x1, x2, w11, w12, w21, w22, *, layers=2):
    """Layers of two sigmoids, in scalars."""
    for _ in range(layers):
        x1, x2 = (
            1 / (1 + np.exp(-(w11 * x1 + w12 * x2))),
            1 / (1 + np.exp(-(w21 * x1 + w22 * x2))),
        )
    return x1 + x2


def counts(f: Callable[..., Any], args: tuple[float, ...]) -> dict[str, int]:
    """The operations of value and tangent together, three ways; and those of the value, two ways."""
    t = dk.trace(f)(*args)
    symbols = [sympy.Symbol(t.names[n.index], real=True) for n in t.inputs]
    dots = [sympy.Symbol(f"{s}_dot", real=True) for s in symbols]
    values = flatten(t.to_sympy(*symbols))[0]

    def forward_mode(*both: Any) -> Any:
        inner = dk.trace(f)(*both[: len(args)])
        return inner.value, inner.push_forward(*both[len(args) :])

    swept = dk.trace(forward_mode)(*args, *[0.5 + k for k in range(len(args))])
    operations = {
        "replayed": dk.symbolic.size(values).operations,
        "traced": len(t) - len(t.inputs),
        "symbolic tangent": dk.symbolic.size([*values, *dk.symbolic.jvp(values, symbols, dots)]).operations,
        "recorded tangent": len(swept) - len(swept.inputs),
        "recording replayed": dk.symbolic.size(flatten(swept.to_sympy(*symbols, *dots))[0]).operations,
    }
    return operations


@pytest.mark.parametrize(
    ("f", "args"),
    [
        *((dk.programs.logistic_map.with_(length=n), (0.2,)) for n in (2, 3, 5, 10, 50)),
        (dk.programs.two_outputs, dk.programs.two_outputs.args),
        (dk.programs.sum_times, dk.programs.sum_times.args),
        (dk.programs.log_product, dk.programs.log_product.args),
        (dk.programs.sigmoid_neuron, dk.programs.sigmoid_neuron.args),
        (dk.programs.soft_relu.with_(depth=4), dk.programs.soft_relu.args),
    ],
    ids=lambda v: getattr(v, "__name__", ""),
)
def test_three_ways_do_the_same_operations(f: Callable[..., Any], args: tuple[float, ...]) -> None:
    found = counts(f, args)
    assert found["replayed"] == found["traced"]
    assert found["symbolic tangent"] == found["recorded tangent"] == found["recording replayed"]


@pytest.mark.parametrize("layers", [1, 2, 5])
def test_a_network_does_too(layers: int) -> None:
    """Replayed on symbols, w * (1 / d) is w / d: one operation fewer for each weight on a sigmoid."""
    found = counts(lambda *args: network(*args, layers=layers), (0.5, -0.5, 1.0, 2.0, -1.0, 0.25))
    assert found["symbolic tangent"] == found["recorded tangent"] == 38 * layers + 2
    assert found["traced"] == 14 * layers + 1
    assert found["replayed"] == found["traced"] - 2 * (layers - 1)


@pytest.mark.parametrize("n", [2, 3, 5, 10])
def test_the_logistic_map_takes_three_operations_a_level_and_five_for_its_tangent(n: int) -> None:
    found = counts(dk.programs.logistic_map.with_(length=n), (0.2,))
    assert found["traced"] == 3 * (n - 1)
    assert found["symbolic tangent"] == 8 * (n - 1)


@pytest.mark.parametrize("name", ["neuron_loss", "log_sigmoid", "reuse", "total_derivative"])
def test_squares_differ_only_by_a_first_power_that_symbols_fold(name: str) -> None:
    """A trace computes x**1 as a row; on symbols it is x."""
    program = dk.programs.get(name)
    found = counts(program, program.args)
    assert found["symbolic tangent"] == found["recording replayed"] <= found["recorded tangent"]
