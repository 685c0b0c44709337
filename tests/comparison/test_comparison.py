"""Comparisons: every method, every program, every way to show them, and what they refuse."""

import csv
import io
import itertools
import json
import math
import time

import numpy as np
import pytest

import diffkit as dk
from diffkit.comparison import METHODS
from diffkit.comparison.timing import timings
from diffkit.errors import DomainError, InputError
from diffkit.time_limit import BudgetError

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
            "log is nan at x = -1, in 50 digits too: that point is outside its domain",
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
    assert result.kinks == ["no derivative of output 1 at x = 1: from the left it is -2, from the right 2"]
    assert result["reverse mode"].error < 1e-15  # of the other entries
    assert result.kinks[0] in str(result)


def test_where_nothing_has_a_derivative_there_are_no_errors():
    def step(x):
        return x**2 if x > 1.0 else x - 5.0

    result = dk.compare(step, 1.0)
    assert result.kinks == ["no derivative at x = 1: f jumps"]
    assert all(row.error is None for row in result)
    assert dk.compare(step, 2.0)["forward mode"].error < 1e-15


# -- f is one function ------------------------------------------------------------------------------


def by_type(x):
    return x**2 if type(x) is float else x**3


def by_instance(x):
    return 2**x if isinstance(x, float) else x


def by_type_with_equal_values_at_two(x):
    return x**2 if type(x) is float else x * 2


def by_text(x):
    return float(f"{x:.6f}") * x if type(x) is float else x


@pytest.mark.parametrize("f", [by_type, by_instance, by_type_with_equal_values_at_two, by_text])
def test_where_the_values_differ_no_error_is_told(f):
    result = dk.compare(f, 2.0, times=False)
    assert all(row.error is None for row in result)
    assert "error" not in result.table.columns
    assert result.differs.startswith(f"{f.__name__} is not one function: at x = 2")
    assert "on floats" in result.differs
    assert "traced" in result.differs
    assert result.differs in result.text()


def test_rounding_makes_no_two_functions_of_one():
    """(1 - cos x) / x**2 is 0 on floats and 0.5 in fifty digits: the same function, badly computed."""
    result = dk.compare(lambda x: (1 - np.cos(x)) / x**2, 1e-8, times=False)
    assert result.differs == ""
    assert result["reverse mode"].error > 1e16
    assert result["reverse mode"].digits == 0
    assert "are lost by v1 = cos(...), whose rounding moves it by 1 " in result.notes[0]
    assert "v2 = subtract(...) passes it on" in result.notes[0]


def test_a_branch_that_holds_at_one_point_is_named():
    (note,) = dk.compare(lambda x: 0.0 if x == 0 else x, 0.0, times=False).notes
    assert "tracing differentiates the path that was taken, exactly: 0; the derivative of f by x is 1" in note


calls = {"count": 0}


def counting(x):
    calls["count"] += 1
    return x * calls["count"]


def random(x):
    return x**2 * np.random.default_rng().random()


def clock(x):
    return x * time.perf_counter()


def appending(x, seen=[]):  # noqa: B006
    seen.append(x)
    return x * len(seen)


@pytest.mark.parametrize("f", [counting, random, clock, appending])
def test_what_is_random_or_keeps_state_is_refused_in_one_sentence(f):
    with pytest.raises(InputError, match=f"{f.__name__} is not a function of its inputs: run again at x = 1"):
        dk.compare(f, 1.0)


def test_state_that_shows_later_is_seen_too():
    left = itertools.count()
    with pytest.raises(InputError, match="is not a function of its inputs"):
        dk.compare(lambda x: x * (1 if next(left) < 5 else 2), 1.0)


def test_a_function_that_writes_to_its_input_is_run_on_a_copy():
    def f(x):
        x += 1.0
        return np.sum(x**2)

    result = dk.compare(f, np.array([1.0, 2.0]), methods=["central difference"], times=False)
    assert result["central difference"].value == pytest.approx(np.array([[4.0, 6.0]]), rel=1e-8)


# -- fifty digits decide what the point is ----------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "args", "derivative", "row"),
    [
        (dk.programs.soft_relu, (1000.0, 1.0, 0.0), [1.0, 1000.0, 1.0], "exp(1000) is inf"),
        (dk.programs.log_sigmoid, (-500.0, 2.0), [-4.0, 2000.0], "exp(2000) is inf"),
        (lambda x: 1 / (1 + np.exp(-x)), (-1000.0,), [0.0], "exp(1000) is inf"),
        (lambda x: np.log(np.exp(x - 800.0)), (0.0,), [1.0], "log(0) is -inf"),
    ],
)
def test_the_program_overflows_and_the_function_does_not(f, args, derivative, row):
    result = dk.compare(f, *args, times=False)
    assert result.reference[0] == pytest.approx(derivative, abs=1e-300)
    assert not np.all(np.isfinite(result["reverse mode"].value))
    assert result["reverse mode"].digits == 0
    (note,) = result.notes
    assert note.startswith("the program overflows, f does not: ")
    assert row in note


def test_a_branch_that_is_not_taken_is_no_overflow():
    result = dk.compare(lambda x: np.where(x > 0, np.sqrt(x), x), -1.0, times=False)
    (note,) = result.notes
    assert note.startswith("a branch that is not taken spoils the derivative: ")
    assert "sqrt(-1) is nan" in note
    assert np.isnan(result["reverse mode"].value)


def test_a_value_beyond_the_floats_is_said_to_be_that():
    (note,) = dk.compare(lambda x: np.exp(np.exp(x)), 7.0, times=False).notes
    assert note == "f is larger than floats go: 1.82696e+476, in 50 digits"


@pytest.mark.parametrize(
    ("f", "x", "message"),
    [
        (lambda x: None, 1.0, "returned None: is a return missing?"),
        (lambda x: (x, None), 1.0, "returned a container with None"),
        (lambda x: "text", 1.0, "returned 'text', of type str"),
        (lambda x: np.exp(1j * x), 1.5, "is complex at x = 1.5: 0.0707372\\+0.997495j"),
        (
            lambda x: 1 / x,
            0.0,
            "has no value \\(ZeroDivisionError: .*\\) at x = 0, in 50 digits too: that point is ",
        ),
        (math.log, -1.0, "has no value \\(ValueError: .*\\) at x. = -1, and can't be run to 50 digits"),
    ],
)
def test_what_is_no_real_number_is_said_in_a_sentence(f, x, message):
    with pytest.raises(InputError, match=message):
        dk.compare(f, x)


def test_python_raises_where_numpy_has_nan():
    """Left of 0, x**x is complex and math.sqrt raises: there are no values there, and no traceback."""
    for f in (lambda x: x**x, math.sqrt):
        row = dk.compare(f, 0.0, times=False)["central difference"]
        assert row.value is None
        assert "f is nan at x = -" in row.why


# -- cost and luck ----------------------------------------------------------------------------------


def test_an_error_of_zero_by_luck_is_marked():
    """At w x + b = 0 the quotient of log(1 + exp z) is quantised to halves: the worst form looks exact."""
    result = dk.compare(dk.programs.soft_relu, 0.5, 2.0, -1.0, times=False)
    assert result["forward difference"].error == 0
    assert result["forward difference"].by_luck
    assert "0*" in result.text()
    assert "*: by luck" in result.text()


def test_a_difference_that_is_exact_by_nature_is_no_luck():
    for f in (lambda x: x + 1.0, lambda x: 3.0 * x - 0.1, lambda x: 0.0 * x):
        result = dk.compare(f, 0.5, times=False)
        assert not any(row.by_luck for row in result)


def test_the_textbooks_count_stands_beside_what_choosing_a_step_took(two_outputs):
    assert two_outputs["forward difference"].formula == 3
    assert two_outputs["central difference"].formula == 4
    assert two_outputs["central difference"].evaluations > 4
    assert "3 + " in two_outputs.table["runs"][1]


def test_operations_are_counted():
    result = dk.compare(lambda x: np.sum(x * x), np.ones(10), times=False)
    assert result.operations == 20
    assert result["reverse mode"].operations <= 5 * 20
    assert result["forward mode"].operations > 10 * 20


def test_a_method_that_takes_too_long_is_stopped_and_says_so():
    def slow(x):
        if type(x) is not float:
            while True:
                pass
        return x

    result = dk.compare(slow, 1.0, limit=0.3, times=False)
    assert result["reverse mode"].why == "reverse mode took longer than 0.3 s, and was stopped"
    assert result["central difference"].value is not None


def test_a_function_that_does_not_end_is_stopped():
    def endless(x):
        while x > 0:
            pass

    with pytest.raises(BudgetError, match=r"endless itself took longer than 0.2 s, and was stopped"):
        dk.compare(endless, 1.0, limit=0.2)


def test_a_refusal_is_said_once():
    text = dk.compare(lambda x: math.sin(x), 1.0, times=False).text()
    assert text.count("a function of the math module was called") == 1
    assert "symbolic, forward mode, reverse mode: " in text


def test_json_holds_what_the_table_does(two_outputs):
    found = json.loads(two_outputs.json())
    assert found["reference"] == two_outputs.reference.tolist()
    assert len(found["rows"]) == 4 * len(METHODS)


@pytest.mark.parametrize("width", [80, 60, 40])
def test_the_table_fits(two_outputs, width):
    assert max(map(len, two_outputs.text(width).splitlines())) <= width


def test_a_time_is_that_of_the_work():
    """Ten times the work takes ten times as long, within the third that a steady time may vary by."""

    def work():
        return sum(range(2_000))

    _, measured = timings(work, {"ten": lambda: [work() for _ in range(10)], "once": work})
    assert measured["once"].times_f == pytest.approx(1, rel=1 / 3)
    assert measured["ten"].times_f == pytest.approx(10, rel=1 / 3)


def test_what_is_run_once_is_not_called_steady():
    _, measured = timings(lambda: None, {"slow": lambda: sum(range(3_000_000))}, budget=1e-3)
    assert not measured["slow"].is_steady


def test_the_sizes_that_are_printed_are_those_of_the_example() -> None:
    """Counted by hand: six rows, and the nine products and sums that a reverse sweep adds to them."""
    rows = dk.compare(dk.programs.two_outputs, 2.0, 3.0, times=False)
    assert rows["reverse mode"].size == {"rows": 6, "adjoint rows": 9}
    assert rows["forward mode"].size == {"rows": 6}
    assert rows["symbolic"].size == {"tree": 18, "dag": 9}


@pytest.mark.parametrize("name", ["log_product", "two_outputs", "sigmoid_neuron", "losses", "helmholtz"])
def test_adjoint_rows_are_those_that_the_sweep_adds(name: str) -> None:
    program = dk.programs.get(name)
    row = dk.compare(program, *program.args, times=False, methods=["reverse mode"])["reverse mode"]
    t = dk.trace(program)(*program.args)
    adjoint = t.adjoint(*t.unit_cotangents())
    assert row.size is not None
    assert row.size["adjoint rows"] == len(adjoint.nodes) - len(t.nodes) > 0


@pytest.mark.parametrize(
    ("error", "digits"),
    [
        (0.0, 16), (1e-17, 16), (1e-16, 16), (1.01e-16, 15), (9.9e-12, 11), (1.01e-11, 10), (1e-3, 3),
        (1.1e-3, 2), (0.09, 1), (0.11, 0), (1.0, 0), (1e9, 0), (math.inf, 0), (math.nan, 0), (None, None),
    ],
)  # fmt: skip
def test_digits_are_those_that_are_right(error, digits) -> None:
    assert dk.comparison.result.Row("a method", error=error).digits == digits
