"""The adjoint program of a function some of whose arguments are constants."""

import numpy as np

import diffkit as dk


def power(x, n, y):
    return x**n * y


def test_constants_have_no_adjoint_and_keep_their_place():
    t = dk.trace(power)(2.0, 3, 5.0)
    adjoint = t.adjoint()
    assert adjoint.value == (60.0, None, 8.0) == t.pull_back(1.0)
    assert adjoint.replay(2.0, 5.0, 1.0) == (60.0, None, 8.0)


def test_labels_among_the_arguments():
    program = dk.programs.digit_classifier
    t = dk.trace(program)(*program.args)
    found, expected = t.adjoint().value, t.pull_back(1.0)
    assert len(found) == len(expected) == len(program.args)
    for a, b in zip(found, expected, strict=True):
        assert (a is None) == (b is None)
        if a is not None:
            assert all(map(np.array_equal, dk.containers.flatten(a)[0], dk.containers.flatten(b)[0]))
