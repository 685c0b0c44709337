"""Stencils are exact on the polynomials that they should be exact on, and on no more."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diffkit.errors import InputError
from diffkit.finite import stencil, weights
from diffkit.finite.stencils import FORMS

fractions = st.fractions(min_value=-5, max_value=5, max_denominator=12)
grids = st.lists(fractions, min_size=2, max_size=7, unique=True)


@given(grids, st.integers(0, 4))
@settings(deadline=None)  # exact fractions, on a machine that may be busy
def test_exact_on_polynomials_of_every_lower_degree(offsets, n):
    if len(offsets) <= n:
        return
    w = weights(offsets, n)
    for degree in range(len(offsets)):
        expected = math.factorial(n) if degree == n else 0
        assert sum(a * k**degree for a, k in zip(w, offsets, strict=True)) == expected


@given(st.permutations(range(-3, 4)), st.integers(1, 4))
def test_the_order_of_the_points_does_not_matter(offsets, n):
    paired = dict(zip(offsets, weights(offsets, n), strict=True))
    assert tuple(paired[k] for k in range(-3, 4)) == weights(range(-3, 4), n)


@given(st.sampled_from(FORMS), st.integers(1, 5), st.integers(1, 4))
def test_named_forms_have_the_order_they_say_and_no_more(form, n, order):
    order = 2 * order if form == "central" else order
    made = stencil(form, n, order)
    assert made.order == order
    moments = [made._moment(m) for m in range(n + order + 1)]
    assert moments[n] == 1
    assert all(m == 0 for i, m in enumerate(moments[:-1]) if i != n)
    assert moments[-1] == made.leading != 0
    assert made.remainder >= abs(made.leading)


@pytest.mark.parametrize(
    ("form", "n", "order", "remainder"),
    [
        ("forward", 1, 1, Fraction(1, 2)),  # h/2 max |f''|
        ("central", 1, 2, Fraction(1, 6)),  # h^2/6 max |f'''|
        ("forward", 1, 2, Fraction(1)),  # of (4 f(h) - f(2h) - 3 f)/(2h): 4/2 * 1/6 + 1/2 * 8/6
        ("central", 2, 2, Fraction(1, 12)),  # h^2/12 max |f''''|
    ],
)
def test_the_bound_of_the_remainder_is_taylors(form, n, order, remainder):
    assert stencil(form, n, order).remainder == remainder


@pytest.mark.parametrize(
    ("form", "n", "order", "offsets", "numerators", "denominator", "leading"),
    [
        ("forward", 1, 1, (0, 1), (-1, 1), 1, Fraction(1, 2)),
        ("backward", 1, 1, (-1, 0), (-1, 1), 1, Fraction(-1, 2)),
        ("central", 1, 2, (-1, 1), (-1, 1), 2, Fraction(1, 6)),
        ("forward", 1, 2, (0, 1, 2), (-3, 4, -1), 2, Fraction(-1, 3)),
        ("central", 1, 4, (-2, -1, 1, 2), (1, -8, 8, -1), 12, Fraction(-1, 30)),
        ("central", 1, 6, (-3, -2, -1, 1, 2, 3), (-1, 9, -45, 45, -9, 1), 60, Fraction(1, 140)),
        ("central", 2, 2, (-1, 0, 1), (1, -2, 1), 1, Fraction(1, 12)),
        ("central", 2, 4, (-2, -1, 0, 1, 2), (-1, 16, -30, 16, -1), 12, Fraction(-1, 90)),
        ("central", 3, 2, (-2, -1, 1, 2), (-1, 2, -2, 1), 2, Fraction(1, 4)),
        ("central", 4, 2, (-2, -1, 0, 1, 2), (1, -4, 6, -4, 1), 1, Fraction(1, 6)),
        ("forward", 2, 1, (0, 1, 2), (1, -2, 1), 1, Fraction(1)),
    ],
)
def test_textbook_formulas(form, n, order, offsets, numerators, denominator, leading):
    made = stencil(form, n, order)
    assert made.offsets == offsets
    assert made.integers == (numerators, denominator)
    assert made.leading == leading


@given(st.sampled_from(["forward", "central"]), st.integers(1, 3), st.integers(1, 2))
def test_backward_mirrors_forward_and_central_mirrors_itself(form, n, order):
    mirror = {"forward": "backward", "central": "central"}[form]
    order = 2 * order if form == "central" else order
    a, b = stencil(form, n, order), stencil(mirror, n, order)
    assert [-k for k in reversed(a.offsets)] == list(b.offsets)
    assert [w * (-1) ** n for w in reversed(a.weights)] == list(b.weights)


def test_offsets_of_any_kind():
    made = stencil([-1, 0.5, Fraction(1, 3)])
    assert made.form == "custom"
    assert made.order == 2
    assert stencil([0, 1, 3], 1, 2).order == 2
    assert stencil([-1, 0, 1], 1).order == 2  # symmetric, so better than its three points promise
    assert stencil([-1, 0, 1], 1).offsets == (-1, 1)  # the middle has no weight


def test_agreement_with_the_inverse_of_a_vandermonde_matrix():
    x = np.arange(-3, 4)
    inverse = np.linalg.inv(np.vander(x, increasing=True))  # its rows: the coefficients of 1, x, x**2, ...
    for n in (1, 2, 3):
        found = [float(w) for w in weights(x.tolist(), n)]
        np.testing.assert_allclose(found, math.factorial(n) * inverse[n], atol=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: stencil("centred"), "unknown form 'centred': expected one of forward, backward, central"),
        (lambda: stencil("central", order=3), "even orders of accuracy.*take 4"),
        (
            lambda: stencil("forward", order=0),
            "order of accuracy, must be a whole number from 1 up",
        ),
        (lambda: stencil("forward", order=1.5), "got 1.5"),
        (lambda: stencil("forward", n=0), "n, the derivative, must be a whole number from 1 up, got 0"),
        (
            lambda: stencil([0, 1], order=2),
            r"\[0, 1\] reaches order 1 for derivative 1, not 2",
        ),
        (lambda: stencil([0, 1], n=2), "derivative 2 needs at least 3 points"),
        (lambda: stencil([0, 1, 1]), "must all be different"),
        (lambda: stencil([0, "a"]), "offsets are numbers"),
        (lambda: weights([0, 1], -1), "from 0 up"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(InputError, match=message):
        call()


def test_how_formulas_are_written():
    assert str(stencil("forward")) == "(f(x + h) - f(x)) / h"
    assert str(stencil("backward")) == "(f(x) - f(x - h)) / h"
    assert str(stencil("central", 2)) == "(f(x - h) - 2 f(x) + f(x + h)) / h**2"
    assert str(stencil("central", order=4)) == "(f(x - 2 h) - 8 f(x - h) + 8 f(x + h) - f(x + 2 h)) / (12 h)"
