"""Comparisons: every method, every program, every way to show them, and what they refuse."""

import csv
import io

import numpy as np
import pytest

import diffkit as dk
from diffkit.comparison import METHODS
from diffkit.errors import DomainError, InputError

PROGRAMS = [p for p in dk.programs.all_programs() if p.name != "digit_classifier"]


@pytest.fixture(scope="module")
def two_outputs() -> dk.Comparison:
    return dk.compare(dk.programs.two_outputs)


def check(result: dk.Comparison) -> None:
    for row in result:
        assert row.why == "", row.why
        assert row.error is not None
        exact = "difference" not in row.method
        assert row.error < (1e-12 if exact else 1e-5), row.method
        assert row.evaluations is not None
        assert row.times_f is not None
        assert row.times_f > 0


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.name)
def test_every_method_does_every_program(program: dk.programs.Program) -> None:
    check(dk.compare(program))


@pytest.mark.slow
def test_every_method_does_the_digit_classifier() -> None:
    result = dk.compare(dk.programs.digit_classifier)
    check(result)
    assert "at 40 of the 1,610 inputs" in result.text()


def test_the_values_are_the_jacobian(two_outputs: dk.Comparison) -> None:
    x1, x2 = 2.0, 3.0
    c = np.cos(x1 * x2)
    expected = [[x2 * c, x1 * c], [x2, x1 + 1 / x2]]
    for row in two_outputs:
        assert row.value == pytest.approx(np.array(expected), rel=1e-6)
    assert two_outputs.reference == pytest.approx(np.array(expected), rel=1e-15)


def test_a_wrong_derivative_would_show(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reference is independent of the rules: a rule off by a factor of 1.001 stands out."""
    from diffkit.autodiff.recording.tracer import UFUNCS

    sin = UFUNCS[np.sin]
    dk.grad(np.sin)(1.0)  # compiles the rules
    monkeypatch.setattr(sin, "vjps", (lambda g, ans, x: 1.001 * g * np.cos(x),))
    monkeypatch.setattr(sin, "float_vjps", sin.vjps)
    result = dk.compare(lambda x: np.sin(x), 1.0)
    assert result["reverse mode"].error == pytest.approx(1e-3, rel=1e-6)
    assert result["forward mode"].error < 1e-15


def test_evaluations_and_sizes(two_outputs: dk.Comparison) -> None:
    assert two_outputs["forward mode"].evaluations == 1
    assert two_outputs["forward difference"].evaluations >= 3
    assert two_outputs["forward mode"].size == {"rows": 6}
    assert two_outputs["reverse mode"].size["adjoint rows"] > 0
    assert two_outputs["symbolic"].size["tree"] >= two_outputs["symbolic"].size["dag"]


def test_a_loop_that_depends_on_the_value_is_no_formula_but_a_trace() -> None:
    def halve(x):
        while x > 1.0:
            x = x / 2.0
        return x

    result = dk.compare(halve, 11.0)
    assert result["symbolic"].value is None
    assert "while x > 1.0" in result["symbolic"].why
    assert result["reverse mode"].value == pytest.approx(np.array([[1 / 16]]))
    assert result["central difference"].error < 1e-6
    assert "symbolic: " in result.text()


def test_containers_and_constants() -> None:
    def f(parameters, k):
        return np.sum(parameters["w"] ** k) + parameters["b"]

    result = dk.compare(f, {"w": np.array([1.0, 2.0]), "b": 0.5}, 3)
    assert result.inputs == ["parameters['w'][0]", "parameters['w'][1]", "parameters['b']"]
    for row in result:
        assert row.value == pytest.approx(np.array([[3.0, 12.0, 1.0]]), rel=1e-6)


def test_a_program_that_high_precision_cannot_run_has_another_reference() -> None:
    def f(x):
        return np.real(np.fft.fft(x))[1]

    result = dk.compare(f, np.array([1.0, 2.0, 4.0]), methods=["reverse mode"])
    assert "Richardson" in result.reference_method
    assert result["reverse mode"].error < 1e-9


@pytest.mark.parametrize("format_", ["text", "markdown", "latex", "html"])
def test_every_format_has_every_method(two_outputs: dk.Comparison, format_: str) -> None:
    shown = getattr(two_outputs, format_)()
    assert all(method in shown for method in METHODS)
    assert two_outputs._repr_html_() == two_outputs.html()


def test_csv_holds_every_entry_unrounded(two_outputs: dk.Comparison) -> None:
    rows = list(csv.DictReader(io.StringIO(two_outputs.csv())))
    assert len(rows) == len(METHODS) * 4
    entry = next(
        r for r in rows if r["method"] == "reverse mode" and r["output"] == "1" and r["input"] == "x2"
    )
    assert float(entry["value"]) == two_outputs["reverse mode"].value[1, 1]


def test_saving(two_outputs: dk.Comparison, tmp_path) -> None:
    assert two_outputs.save(tmp_path / "c.csv").read_text() == two_outputs.csv()
    assert "| reverse mode |" in two_outputs.save(tmp_path / "c.md").read_text()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: dk.compare(np.sin, 1.0, methods=["magic"]),
            InputError,
            "there is no method 'magic'; there are symb",
        ),
        (lambda: dk.compare(np.sin, 1), InputError, "none of the arguments of sin is a float"),
        (lambda: dk.compare(np.sin), InputError, "there are none"),
        (
            lambda: dk.compare(np.log, -1.0),
            DomainError,
            "log is nan at .* = -1: that point is outside its domain",
        ),
        (lambda: dk.compare(np.sin, 1j), InputError, "takes real arguments"),
        (lambda: dk.compare(np.sin, 1.0)["magic"], InputError, "no row for 'magic'"),
    ],
)
def test_bad_input(call, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()


def test_at_a_kink_no_error_is_told_and_no_warning_printed():
    def f(x, y):
        return abs(x - 1.0) * y, x * y

    result = dk.compare(f, 1.0, 2.0)
    assert np.isnan(result.reference).tolist() == [[True, False], [False, False]]
    assert result.kinks == [
        "no derivative of output 1 at x = 1, so no error is told: from the left it is -2, from the right 2"
    ]
    assert result["reverse mode"].error < 1e-15  # of the other entries
    assert result.kinks[0] in str(result)


def test_where_nothing_has_a_derivative_there_are_no_errors():
    def step(x):
        return x**2 if x > 1.0 else x - 5.0

    result = dk.compare(step, 1.0)
    assert result.kinks == ["no derivative at x = 1, so no error is told: f jumps"]
    assert all(row.error is None for row in result)
    assert dk.compare(step, 2.0)["forward mode"].error < 1e-15
