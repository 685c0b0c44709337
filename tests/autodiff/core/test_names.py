"""Names of rows, and identifiers made of them."""

from __future__ import annotations

import keyword

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import diffkit as dk
from diffkit.autodiff.code.identifiers import identifier, identifiers


@given(st.text())
def test_every_text_becomes_an_identifier(text):
    name = identifier(text)
    assert name.isidentifier()
    assert name.isascii()
    assert not keyword.iskeyword(name)
    assert name not in ("np", "math", "float", "l", "O", "I")
    assert identifier(name) == name


@given(st.lists(st.text(max_size=3) | st.sampled_from(["x", "x_2", "λ", "lambda_", "l", "l_1"])))
def test_identifiers_are_all_different(texts):
    names, taken = identifiers(texts)
    assert len(set(names)) == len(names) == len(texts)
    assert set(names) <= taken


def test_rows_have_the_users_names():
    def f(x, w):
        total = 0.0
        for k in range(3):
            total = total + w[k] * x
        y = np.tanh(total)
        return y * y

    t = dk.trace(f)(2.0, np.ones(3))
    assert t.names == [
        "x", "w", "v1", "v2", "total", "v4", "v5", "total_2", "v7", "v8", "total_3", "y", "v11",
    ]  # fmt: skip


def test_adjoints_are_named_after_what_they_belong_to():
    def f(x):
        a = x * x
        b = a * np.sin(a)
        return b

    t = dk.trace(f)(2.0).adjoint()
    assert t.names == [
        "x", "b_bar", "a", "v2", "b", "a_bar_part", "v2_bar", "v6", "a_bar_part_2", "a_bar",
        "x_bar_part", "x_bar_part_2", "x_bar",
    ]  # fmt: skip
    assert len(set(t.names)) == len(t.names)
