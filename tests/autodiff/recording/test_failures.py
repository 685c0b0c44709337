"""Programs that fail half-way: what failed, on what, and where."""

import operator

import numpy as np
import pytest

import diffkit as dk
from diffkit.errors import InputError, TraceError

W = np.ones((3, 4))


def by_operator(x):
    h = np.tanh(x)
    return np.sum(W @ h)


def reflected_number(x):
    return 1.0 / (x - x)


def by_function(x):
    return np.sum(np.dot(W, np.sin(x)))


def by_method(x):
    h = x * 2.0
    return h.reshape((2, 5))


def by_addition(x):
    return x + np.ones(7)


def by_augmented(x):
    y = x * 1.0
    y += np.ones(7)
    return y


def by_index(x):
    return x[0] + x[11]


def by_raising(x):
    y = x * x
    raise RuntimeError("no")
    return y


CASES = [
    (by_operator, "matmul", "(3, 4) and (3,)", ("W", "h"), 2),
    (by_function, "dot", "(3, 4) and (3,)", ("W", ""), 2),
    (by_method, "reshape", "(3,)", ("h",), 2),
    (by_addition, "add", "(3,) and (7,)", ("x", ""), 1),
    (by_augmented, "add", "(3,) and (7,)", ("y", ""), 2),
    (by_raising, "", "", (), 2),
]


@pytest.mark.parametrize(("f", "operation", "shapes", "names", "rows"), CASES)
def test_a_partial_trace_ends_where_the_program_fails(f, operation, shapes, names, rows):
    with pytest.raises((ValueError, RuntimeError)) as plainly:
        f(np.ones(3))
    t = dk.trace(f, partial=True)(np.ones(3))
    assert len(t) == rows
    assert t.outputs == []
    assert (t.failure.operation, t.failure.shapes) == (operation, shapes)
    assert t.failure.names[: len(names)] == names
    assert isinstance(t.failure.error, plainly.type)  # what catches the one catches the other
    assert f"{plainly.traceback[-1].frame.code.raw.co_filename.rpartition('/')[2]}:" in t.failure.site
    assert t.failure.site.partition(":")[2].split(":")[0] == str(plainly.traceback[-1].lineno + 1)
    with pytest.raises(InputError, match="no output to sweep back from"):
        t.adjoint()
    assert t.primal_table().rows[-1][0] == "✗"


def test_an_index_and_a_division_that_fail_are_found_too():
    t = dk.trace(by_index, partial=True)(np.ones(3))
    assert t.failure.operation == "getitem"
    t = dk.trace(reflected_number, partial=True)(2.0)
    assert (t.failure.operation, t.failure.operands[0]) == ("divide", 1.0)


@pytest.mark.parametrize(
    ("a", "b"), [((3, 4), (3,)), ((4,), (3, 4)), ((3, 4), (3, 4)), ((2, 3, 4), (2, 3, 4)), ((3,), (4,))]
)
def test_matmul_says_both_shapes_and_the_line(a, b):
    def f(left, right):
        return np.sum(left @ right)

    with pytest.raises(InputError) as told:
        dk.grad(f, argnum=(0, 1))(np.ones(a), np.ones(b))
    message = str(told.value)
    assert f"left, of shape {a}, and right, of shape {b}" in message
    assert "test_failures.py:" in message
    assert "return np.sum(left @ right)" in message
    assert "gufunc" not in message


@pytest.mark.parametrize("f", [lambda h: W @ h, lambda h: h @ W])
def test_a_number_in_a_product_of_matrices_is_said_to_be_one(f):
    with pytest.raises(
        InputError, match=r"matmul of .*: a number has no axis .* write \* for it \("
    ) as wrong:
        dk.trace(f)(1.5)
    assert "gufunc" not in str(wrong.value)


def test_other_errors_are_handed_on_as_they_are():
    def own(x):
        raise ValueError("mine")

    with pytest.raises(ValueError, match=r"^mine$") as told:
        dk.grad(own)(1.0)
    assert type(told.value) is ValueError
    with pytest.raises(ZeroDivisionError):
        dk.grad(reflected_number)(2.0)


def test_a_program_that_does_not_fail_has_no_failure():
    t = dk.trace(np.sin, partial=True)(1.0)
    assert t.failure is None
    assert t.adjoint().outputs
    assert isinstance(dk.trace(lambda x: float(x), partial=True)(1.0).failure.error, TraceError)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x[0],
        lambda x: x[0:1],
        lambda x: len(x),
        lambda x: x(),
        lambda x: [*x],
        lambda x: operator.setitem(x, 0, 1.0),
        lambda x: sorted(x),
    ],
)
@pytest.mark.parametrize("kind", [float, np.ones], ids=["number", "array"])
def test_what_has_no_such_method_is_told_of_the_plain_value(f, kind):
    """Neither the stand-ins' names nor a method's with underscores come through."""
    x = kind(3)
    try:
        f(x)
    except (TypeError, AttributeError) as error:
        plainly = type(error)
    else:
        return
    with pytest.raises(plainly) as told:
        dk.trace(f)(x)
    assert "Node" not in str(told.value)
    assert "Array" not in str(told.value)


def test_a_program_that_asks_by_trying_goes_its_plain_way():
    def f(x):
        try:
            return x[0] * 2.0
        except TypeError:
            return x * 3.0

    assert dk.grad(f)(1.0) == 3.0
    assert dk.grad(f)(np.array([1.0]))[0] == 2.0
    assert dk.grad(lambda x: x if hasattr(x, "__getitem__") else x * x)(2.0) == 4.0


@pytest.mark.parametrize(
    "f", [lambda x: x @ x, lambda x: np.matmul(x, 3.0), lambda x: np.ones(2) @ x, lambda x: 2.0 @ x]
)
def test_numbers_have_no_matrix_product(f):
    with pytest.raises(
        InputError, match=r"a number has no axis to multiply along; write \* for it \(test_failures"
    ):
        dk.grad(f)(2.0)


def test_what_is_no_number_is_not_called_one():
    with pytest.raises(TypeError) as told:
        dk.trace(lambda x: x @ "text")(np.ones(2))
    assert "write *" not in str(told.value)


def test_a_refusal_that_quotes_such_a_name_stays_as_it_is():
    def f(x):
        table = {"'Node'": x}
        return np.sum(np.array([table["'Node'"], 1.0]))

    with pytest.raises(TraceError, match=r"np\.array was to make .*table\[\"'Node'\"\]"):
        dk.grad(f)(2.0)
