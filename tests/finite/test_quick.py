"""The short way gives what the general way gives, to the last bit, and says the same where it can't."""

import math

import numpy as np
import pytest

from diffkit.errors import DomainError, InputError
from diffkit.finite import derivative, gradient, jacobian

FORMS = [
    ("forward", None),
    ("backward", None),
    ("central", None),
    ("forward", 3),
    ("backward", 2),
    ("central", 4),
]


class Counted:
    def __init__(self, f):
        self.f, self.points = f, []

    def __call__(self, x):
        self.points.append(np.array(x))
        return self.f(x)


def general(operator, f, x, form, h, order, **kwargs):
    """The same by the general way, which full=True takes, with its measuring left out of the points."""
    counted = Counted(f)
    estimate = operator(counted, x, form, h, order, full=True, **kwargs)
    return estimate.value, counted.points[estimate.measuring :]


@pytest.mark.parametrize(("form", "order"), FORMS)
@pytest.mark.parametrize("h", [1e-5, 2.0**-17, 0.1, 1])
@pytest.mark.parametrize("n", [1, 2, 3])
def test_derivatives_are_the_same(form, order, h, n):
    for x in (0.7, -3.0, np.float64(1e3)):
        quick = Counted(np.sin)
        got = derivative(quick, x, form, h, order, n=n)
        expected, points = general(derivative, np.sin, x, form, h, order, n=n)
        assert type(got) is float
        assert got == expected
        assert quick.points == points


@pytest.mark.parametrize(("form", "order"), FORMS)
@pytest.mark.parametrize("n", [1, 2, 5])
def test_gradients_and_jacobians_are_the_same(form, order, n):
    x = np.linspace(-1, 2, n)
    for operator, f in (
        (gradient, lambda v: np.sum(np.sin(v)) * v[0]),
        (gradient, lambda v: float(v @ v)),
        (jacobian, lambda v: np.exp(v) * v[0]),
        (jacobian, lambda v: np.outer(v, v).ravel()),
        (jacobian, lambda v: np.outer(v, v)),
        (jacobian, lambda v: np.sum(v)),
        (jacobian, lambda v: (v[0], v)),
    ):
        quick = Counted(f)
        got = operator(quick, x, form, 1e-4, order)
        expected, points = general(operator, f, x, form, 1e-4, order)
        pairs = zip(got, expected, strict=True) if isinstance(got, tuple) else [(got, expected)]
        for a, b in pairs:
            np.testing.assert_array_equal(a, b)
        assert [p.tolist() for p in quick.points] == [p.tolist() for p in points]


def test_one_buffer_for_all_results():
    buffer = np.zeros(2)

    def f(v):
        buffer[:] = v**2
        return buffer

    np.testing.assert_allclose(
        jacobian(f, np.array([1.0, 2.0]), "forward", 2.0**-20), [[2, 0], [0, 4]], atol=1e-5
    )


def test_f_runs_once_at_each_point_though_it_changes_its_kind():
    kinds = iter([float, float, np.float32, float, float, float])
    seen = []

    def f(v):
        seen.append(v.tolist())
        return next(kinds)(v @ v)

    got = gradient(f, np.array([1.0, 2.0, 3.0]), "central", h=2.0**-10)
    np.testing.assert_allclose(got, [2, 4, 6], rtol=1e-2)
    assert len(seen) == 6


@pytest.mark.parametrize("form", ["forward", "central"])
def test_what_goes_wrong_is_said_as_ever(form):
    x = np.array([1.0, 0.5])
    with np.errstate(all="ignore"):
        with pytest.raises(DomainError, match=r"f is nan at x\[1\]"):
            gradient(lambda v: np.log(v[1] - 0.35) + v[0], x, "central", h=0.25)
        with pytest.raises(DomainError, match=r"f is nan at x\[1\]"):
            jacobian(lambda v: np.sqrt(v - 0.75), np.array([1.0, 0.75]), "central", h=0.25)
    with pytest.raises(DomainError, match=r"f fails at x(\[0\] = 1.25)?.*ZeroDivisionError"):
        gradient(lambda v: 1.0 / 0, x, form, h=0.25)
    with pytest.raises(DomainError, match=r"f fails at x = .*ValueError"):
        derivative(math.log, -1.0, form, h=0.25)
    with pytest.raises(InputError, match="f changes its argument"):
        gradient(lambda v: float(np.add(v, 1, out=v).sum()), x, form, h=0.25)
    with pytest.raises(InputError, match="f changes its argument"):
        jacobian(lambda v: np.add(v, 1, out=v).copy(), x, form, h=0.25)
    with pytest.raises(InputError, match=r"array \(1,\) at another point"):
        jacobian(lambda v: np.ones(2 if v[1] > 0.6 else 1), x, form, h=0.25)
    with pytest.raises(InputError, match="does it lack a return"):
        derivative(lambda x: None, 1.0, form, h=0.5)
    with pytest.raises(InputError, match="there is no derivative"):
        gradient(np.sum, np.array([1.0, math.nan]), form, h=0.5)
    with pytest.raises(InputError, match="positive"):
        gradient(np.sum, x, form, h=-1.0)
    with pytest.raises(InputError, match="even orders"):
        gradient(np.sum, x, "central", h=0.5, order=3)
    with pytest.raises(KeyError, match="oops"):
        derivative(lambda x: {}["oops"], 1.0, form, h=0.5)
