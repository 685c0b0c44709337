"""Programs with classes that are called what the stand-ins are called: what fails in them is theirs."""

import types

import numpy as np
import pytest

import diffkit as dk


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
        (
            lambda x: np.exp(Node(x)),
            "loop of ufunc does not support argument 0 of type Node which has no callable exp method",
        ),
    ],
)
def test_of_a_students_own_class_of_that_name_nothing_is_said(f, message):
    with pytest.raises(TypeError) as told:
        dk.grad(f)(2.0)
    assert str(told.value) == message
