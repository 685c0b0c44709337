"""The accuracy of values and derivatives by tracing: what is said where tracing breaks."""

from __future__ import annotations

import json

import numpy as np
import pytest

import diffkit as dk
from diffkit.errors import DomainError, InputError


def root(a, tolerance=1e-3):
    """Newton's iteration, from a start that knows the root, so that its derivative lags behind."""
    y = float(np.sqrt(2.0))
    while True:
        following = 0.5 * (y + a / y)
        if abs(following - y) < tolerance:
            return following
        y = following


def slow_root(a):
    y = 1.0
    while abs(y * y - a) > 1e-5:
        y = y - (y * y - a) / 4
    return y


def identity_but(x):
    return 0.0 if x == 0 else x


@pytest.mark.parametrize(
    ("plain", "stable", "args", "gain"),
    [
        (lambda x: (1 - np.cos(x)) / x**2, lambda x: 0.5 * (np.sin(x / 2) / (x / 2)) ** 2, (1e-7,), 1e2),
        (lambda x: np.exp(x) - 1, np.expm1, (1e-9,), 1e5),
        (lambda x: np.sqrt(x + 1) - np.sqrt(x), lambda x: 1 / (np.sqrt(x + 1) + np.sqrt(x)), (1e10,), 1e4),
        (lambda x: np.log(1 + x), np.log1p, (1e-10,), 1e5),
    ],
)
def test_the_stable_form_gains_digits_of_the_value(plain, stable, args, gain) -> None:
    worse, better = dk.accuracy(plain, *args), dk.accuracy(stable, *args)
    assert better.value_error < 1e-15
    assert worse.value_error > gain * 2.0**-53
    assert np.allclose(worse.reference, better.reference, rtol=1e-13, atol=0)


@pytest.mark.parametrize(
    ("plain", "stable", "x"),
    [
        (lambda x: np.log(1 + np.exp(x)), lambda x: np.logaddexp(x, 0.0), 1000.0),
        (
            lambda x: np.log(np.sum(np.exp(np.stack([x, x + 1])))),
            lambda x: x + 1 + np.log1p(np.exp(-1.0) + 0 * x),
            800.0,
        ),
    ],
)
def test_a_stable_form_does_not_overflow(plain, stable, x) -> None:
    worse, better = dk.accuracy(plain, x), dk.accuracy(stable, x)
    assert worse.value_error == np.inf
    assert np.all(worse.errors == np.inf)
    assert any("the program overflows, f does not" in note for note in worse.notes)
    assert better.value_error < 1e-15
    assert np.all(better.errors < 1e-15)


def test_a_branch_that_holds_at_one_point_only() -> None:
    result = dk.accuracy(identity_but, 0.0)
    assert result.errors == np.array([[1.0]])
    (note,) = result.notes
    assert "tracing differentiates the path that was taken, exactly: 0; the derivative of f by x is 1" in note
    assert "return 0.0 if x == 0 else x" in note


def test_a_loop_whose_derivative_lags_behind() -> None:
    result = dk.accuracy(slow_root, 2.0)
    (note,) = [n for n in result.notes if n.startswith("a loop stops when")]
    assert "while abs(y * y - a) > 1e-5" in note
    true = 1 / (2 * np.sqrt(2.0))
    assert abs(result.jacobian[0, 0] - true) > 1e-6  # which fifty digits of the program do not see
    assert result.errors[0, 0] < 1e-12


def test_where_there_is_no_derivative_tracing_gives_one_all_the_same() -> None:
    for f in (np.abs, lambda x: np.maximum(x, 2 * x), np.floor):
        result = dk.accuracy(f, 0.0)
        assert np.isnan(result.errors).all()
        assert "tracing gives" in result.notes[1]


def test_the_derivative_has_rows_of_its_own() -> None:
    result = dk.accuracy(lambda x: (1 - np.cos(x)) / x**2, 1e-5)
    assert result.derivative.named is not None
    assert result.derivative_of == (0, "x")
    assert len(result.derivative_table) > len(result.table)
    assert result.errors[0, 0] > result.value_error


def test_a_well_behaved_program_loses_nothing() -> None:
    for program in (dk.programs.two_outputs, dk.programs.neuron_loss, dk.programs.mean_squared_error):
        result = dk.accuracy(program)
        assert result.value_error < 1e-14
        assert np.nanmax(result.errors) < 1e-13
        assert "no row costs more than a few roundings" in result.text()


def test_it_is_drawn_with_the_digits_lost_on_each_edge(tmp_path) -> None:
    drawing = dk.accuracy(lambda x: (1 - np.cos(x)) / x**2, 1e-8).draw()
    assert "−16 digits" in drawing.dot
    assert "keeps all" in drawing.dot
    assert drawing.save(tmp_path / "digits.svg").stat().st_size > 1000


def test_it_fits_and_has_json() -> None:
    result = dk.accuracy(dk.programs.neuron_loss)
    assert max(map(len, result.text(80).splitlines())) <= 80
    assert json.loads(result.json())["rows"][0]["operation"] == ""


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: dk.accuracy(np.log, -1.0), DomainError, "that point is outside its domain"),
        (lambda: dk.accuracy(lambda x: None, 1.0), InputError, "is a return missing?"),
        (lambda: dk.accuracy(np.sin), InputError, "none of the arguments of sin is a float"),
        (
            lambda: dk.accuracy(lambda x: np.sum(np.ones(30_000) * x), 1.0),
            InputError,
            "too many to follow each in sixty digits",
        ),
    ],
)
def test_what_can_not_be_measured_is_refused(call, error, message) -> None:
    with pytest.raises(error, match=message):
        call()
