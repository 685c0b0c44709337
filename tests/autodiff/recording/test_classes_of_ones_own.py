"""Programs with classes that are called what the stand-ins are called: what fails in them is theirs."""

import types

import numpy as np
import pytest

import diffkit as dk
from diffkit.errors import TraceError


class Node:
    """A student's own, as engines have it."""

    def __init__(self, value):
        self.value = value


own = types.ModuleType("own")
own.Array = type("Array", (), {"__init__": lambda self, value: setattr(self, "value", value)})


@pytest.mark.parametrize(
    ("f", "message"),
    [
        (lambda x: Node(x)[0], "'Node' object is not subscriptable"),
        (lambda x: Node(x) + 1.0, "unsupported operand type(s) for +: 'Node' and 'float'"),
        (lambda x: len(Node(x)), "object of type 'Node' has no len()"),
        (lambda x: own.Array(x)(), "'Array' object is not callable"),
    ],
)
def test_of_a_students_own_class_of_that_name_nothing_is_said(f, message):
    with pytest.raises(TypeError) as told:
        dk.grad(f)(2.0)
    assert str(told.value) == message


def test_a_refusal_that_quotes_such_a_name_stays_as_it_is():
    def f(x):
        table = {"Node": np.zeros(3)}
        table["Node"][0] = x
        return x

    with pytest.raises(TraceError, match=r"table\[\"Node\"\]\[0\] = x"):
        dk.grad(f)(2.0)
