"""What crosses the pipe: arrays as bytes, rebuilt only if every claim about them holds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from diffkit.grading.inside.protocol import Array, Given, StepResult, pack_array, unpack_array
from diffkit.grading.judging.answers import read_answer


@given(hnp.arrays(hnp.floating_dtypes(sizes=(16, 32, 64)), hnp.array_shapes(min_dims=0, min_side=0)))
def test_arrays_come_back_bit_by_bit(array):
    back = unpack_array(pack_array(array))
    assert type(back) is np.ndarray
    assert back.shape == array.shape
    assert back.dtype == array.dtype.newbyteorder("<")
    assert back.tobytes() == array.astype(back.dtype).tobytes()
    assert back.flags.writeable


@pytest.mark.parametrize(
    "array",
    [
        Array("<f8", (2,), b"12345678"),
        Array("<f8", (-1,), b""),
        Array("|O", (1,), b"12345678"),
        Array("O", (1,), b"12345678"),
        Array("V8", (1,), b"12345678"),
        Array("<f8", (1 << 40,), b""),
        Array("<f8", (1,) * 40, b"12345678"),
        Array("<f8,<f8", (1,), b"1" * 16),
        Array("<U2", (1,), b"12345678"),
    ],
)
def test_false_claims_are_refused(array):
    with pytest.raises(ValueError, match=r"dtype|shape|bytes|larger"):
        unpack_array(array)


def test_objects_are_not_packed():
    with pytest.raises(TypeError):
        pack_array(np.array([object()]))


X = np.zeros(3)


def read(*parts, grouped=True, names=("x",), like=(X,), places=(0,), count=1):
    return read_answer(StepResult(tuple(parts), grouped), names, like, places, count)


def array(value):
    return Given("array", pack_array(value))


def test_a_tuple_of_one_is_as_good_as_the_array():
    for grouped in (True, False):
        answer = read(array(X), grouped=grouped)
        assert answer.complete
        assert answer.problems == ()


def test_none_in_the_place_of_a_fixed_argument():
    answer = read(array(X), Given("None"), count=2)
    assert answer.complete
    assert not read(array(X), array(X), count=2).complete


@given(st.integers(0, 4))
def test_the_count_must_fit(n):
    assert read(*[array(X)] * n, names=("x", "y"), like=(X, X), places=(0, 1), count=2).complete is (n == 2)


def test_forged_bytes_are_no_answer():
    answer = read(Given("array", Array("<f8", (3,), b"short")))
    assert not answer.complete
    assert answer.problems
