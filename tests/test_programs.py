"""The lectures' programs: their values, their expressions, and how they are asked for."""

import numpy as np
import pytest
import sympy

import diffkit as dk
from diffkit.errors import InputError
from diffkit.programs import Program

ALL = list(dk.programs.all_programs())
LECTURES = """
logistic_map soft_relu log_product two_outputs sum_times sigmoid_neuron log_sin_max neuron_loss log_sigmoid
log_sigmoid_sum reuse total_derivative mean_squared_error normal_log_density two_layer_linear affine losses
logistic_regression one_hidden_layer_nll two_or_not_two digit_classifier helmholtz
"""


def test_every_program_of_the_lectures_is_there() -> None:
    assert sorted(dk.programs.names()) == sorted(LECTURES.split())
    assert all(getattr(dk.programs, name) is dk.programs.get(name) for name in dk.programs.names())


@pytest.mark.parametrize("program", ALL, ids=lambda p: p.name)
def test_it_runs_at_its_sample_inputs(program: Program) -> None:
    values = program(*program.args)
    assert np.all(np.isfinite(np.hstack([np.ravel(v) for v in np.atleast_1d(values)])))
    assert program.summary
    assert program.__name__ == program.name


@pytest.mark.parametrize("program", [p for p in ALL if p.expression is not None], ids=lambda p: p.name)
def test_its_expression_has_its_value(program: Program) -> None:
    exact = {sympy.Symbol(k, real=True): sympy.Float(v, 40) for k, v in program.inputs.items()}
    expressions = np.atleast_1d(np.array(program.expression, dtype=object))
    values = np.atleast_1d(np.array(program(*program.args), dtype=float))
    for expression, value in zip(expressions, values, strict=True):
        assert float(expression.subs(exact)) == pytest.approx(value, rel=1e-14)


def test_known_values() -> None:
    p = dk.programs
    assert p.sum_times(-2.0, 5.0, -4.0) == -12.0
    assert p.two_outputs(2.0, 3.0) == pytest.approx((np.sin(6.0), 6.0 + np.log(3.0)))
    assert p.sigmoid_neuron(*p.sigmoid_neuron.args) == pytest.approx(0.7310585786300049)
    assert p.normal_log_density(1.5, 0.5, 2.0) == pytest.approx(np.log(2) + np.log(2 * np.pi) / 2 + 0.125)
    assert p.reuse(2.0, last="product") == 80.0


@pytest.mark.parametrize("length", [1, 2, 3, 4])
def test_the_logistic_map_by_a_loop_and_in_closed_form(length: int) -> None:
    x = np.linspace(0, 1, 11)
    loop = dk.programs.logistic_map(x, length=length)
    assert dk.programs.logistic_map(x, length=length, form="closed") == pytest.approx(loop, abs=1e-12)
    closed = dk.programs.logistic_map.with_(length=length, form="closed").expression
    assert sympy.expand(closed - dk.programs.logistic_map.with_(length=length).expression) == 0


def test_soft_relu_nests() -> None:
    y = 0.5
    for _ in range(3):
        y = np.log1p(np.exp(2.0 * y - 1.0))
    assert dk.programs.soft_relu(0.5, 2.0, -1.0, depth=3) == pytest.approx(y)


def test_affine_takes_any_divergence() -> None:
    W, y, b = dk.programs.affine.args
    assert dk.programs.affine(W, y, b, divergence=np.sum) == pytest.approx(np.sum(W @ y + b))


def test_the_helmholtz_energy_takes_its_constants() -> None:
    # One component, A = 0: only the ideal part is left.
    f = dk.programs.helmholtz(np.array([0.25]), A=np.zeros((1, 1)), b=np.array([1.0]), RT=2.0)
    assert f == pytest.approx(2.0 * 0.25 * np.log(0.25 / 0.75))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: dk.programs.get("two_output"), "no program 'two_output'; did you mean two_outputs?"),
        (lambda: dk.programs.get("zzz"), "there are logistic_map, soft_relu"),
        (
            lambda: dk.programs.soft_relu.with_(length=2),
            "soft_relu has no parameter 'length'; it has depth",
        ),
        (lambda: dk.programs.logistic_map(0.2, form="open"), 'form is "loop" or "closed", not \'open\''),
        (
            lambda: dk.programs.logistic_map(0.2, form="closed", length=5),
            "the closed forms are for length 1 to 4, not 5",
        ),
        (lambda: dk.programs.reuse(1.0, last="sum"), 'last is "log" or "product"'),
    ],
)
def test_bad_input(call, message: str) -> None:
    with pytest.raises(InputError, match=message.replace("?", r"\?")):
        call()
