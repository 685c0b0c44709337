"""A program that takes another path when it is traced is refused, by the line at which the paths part."""

import numpy as np
import pytest

import diffkit as dk


def cube_of_floats(x):
    if type(x) is float:
        return x**3
    return x**2


def by_table(x):
    return {float: np.sin}.get(type(x), np.cos)(x)


def by_subdtype(x):
    return 3.0 * x if np.issubdtype(type(x), np.floating) else 0.5 * x


def by_text(x):
    return x if str(x).startswith("2") else -x


def inside(x):
    return 1.0 + cube_of_floats(x)


def array_of_its_own_type(x):
    return np.sum(x * x) if type(x) is np.ndarray else np.sum(x)


@pytest.mark.parametrize(
    ("f", "x", "line"),
    [
        (cube_of_floats, 2.0, "if type(x) is float:"),
        (by_subdtype, 2.0, "np.issubdtype(type(x), np.floating)"),
        (array_of_its_own_type, np.ones(3) * 2.0, "if type(x) is np.ndarray"),
        (lambda x: inside(x) * 1.0, 2.0, "if type(x) is float:"),
    ],
)
def test_another_program_is_refused(f, x, line):
    with pytest.raises(dk.TraceError, match="another program when it is traced") as error:
        dk.grad(f)(x)
    assert line in str(error.value)


@pytest.mark.parametrize("f", [by_table])
def test_a_table_by_type(f):
    with pytest.raises(dk.TraceError, match="another program"):
        dk.deriv(lambda x: f(x) + 0.0)(2.0)


def test_a_program_that_asks_and_goes_the_same_way_is_taken():
    def f(x):
        return x * x if type(x).__name__ else x

    assert dk.grad(f)(3.0) == 6.0
    assert dk.grad(dk.grad(f))(3.0) == 2.0


def test_a_program_that_draws_random_numbers_is_no_other_program():
    rng = np.random.default_rng(0)

    def f(x):
        kind = str(type(x))
        return x * rng.normal() if kind else x

    assert np.isfinite(dk.grad(f)(1.0))


def test_a_function_is_run_twice_only_if_it_asks_and_only_once():
    runs = []

    def quiet(x):
        runs.append("quiet")
        return x * x

    def asking(x):
        runs.append("asking")
        return x * x if type(x) is not str else x

    for f in (quiet, asking):
        for _ in range(3):
            dk.grad(f)(2.0)
    assert runs.count("quiet") == 3
    assert runs.count("asking") == 4
