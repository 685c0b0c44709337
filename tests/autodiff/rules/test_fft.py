"""The rules of numpy.fft: every transform, cut and padded, in every normalization, along any axes."""

import numpy as np
import pytest
from rule_checks import (
    case,
    check_against_autograd,
    check_derivatives,
    check_single_precision,
    check_that_wrong_rules_are_caught,
    check_value,
)

import diffkit as dk

MODULES = {"diffkit.autodiff.rules.fft"}

rng = np.random.default_rng(1)


def real(*shape):
    return np.round(rng.normal(size=shape), 2)


def cplx(*shape):
    return real(*shape) + 1j * real(*shape)


def transform(name, x, autograd=True, **options):
    return case(lambda np, x: getattr(np.fft, name)(x, **options), x, autograd=autograd, order=2)


CASES = {}
for _name in ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft"):
    _known = not _name.startswith(("h", "ih"))
    for _length in (1, 2, 5, 6):
        _x = real(2, _length) if _name in ("rfft", "ihfft") else cplx(2, _length)
        if _name in ("irfft", "hfft") and _length == 1:
            continue  # of length 2 * (1 - 1) = 0
        _even = _length % 2 == 0 or _name in ("fft", "ifft", "irfft")
        CASES[f"{_name} of {_length}"] = transform(_name, _x, autograd=_known and _even)
        for _n in (3, 4, 8):
            CASES[f"{_name} of {_length}, n={_n}"] = transform(_name, _x, autograd=False, n=_n)
    for _norm in ("ortho", "forward", "backward"):
        _x = real(4, 3) if _name in ("rfft", "ihfft") else cplx(4, 3)
        CASES[f"{_name} axis=0 norm={_norm}"] = transform(
            _name, _x, autograd=_known and _norm == "ortho" and _name != "irfft", axis=0, norm=_norm
        )
for _name in ("fft", "ifft", "rfft", "irfft"):
    _x, _y = (real(3, 4, 6), real(2, 3, 4)) if _name == "rfft" else (cplx(3, 4, 6), cplx(2, 3, 4))
    CASES |= {
        f"{_name}2": transform(_name + "2", _x),
        f"{_name}2 s": transform(_name + "2", _x, autograd=False, s=(2, 8)),
        f"{_name}2 axes": transform(_name + "2", _x, autograd=False, axes=(0, 1), norm="ortho"),
        f"{_name}n": transform(_name + "n", _x),
        f"{_name}n axes": transform(_name + "n", _x, axes=(2, 1)),
        f"{_name}n s, axes": transform(
            _name + "n", _y, autograd=False, s=(5, 3), axes=(0, 2), norm="forward"
        ),
        f"{_name}n s=-1": transform(_name + "n", _y, autograd=False, s=(-1, 3), axes=(0, 2)),
        f"{_name}n odd": transform(_name + "n", _y, autograd=False, s=(3, 5), axes=(1, -1)),
    }
CASES |= {
    "fftn of one axis twice": transform("fftn", cplx(3, 4), autograd=False, axes=(1, 0, 1)),
    "fftn of one axis twice, s": transform("fftn", cplx(3, 4), autograd=False, s=(6, 2, 3), axes=(1, 0, 1)),
    "rfftn of one axis twice": transform("rfftn", real(4, 3), autograd=False, s=(5, 4), axes=(0, 0)),
    "irfftn of one axis twice": transform("irfftn", cplx(4, 3), autograd=False, s=(3, 5), axes=(0, 0)),
    "fft of real": transform("fft", real(2, 5)),
    "ifftn of real": transform("ifftn", real(2, 5)),
    "irfft of real": transform("irfft", real(2, 5)),
    "fftshift": transform("fftshift", real(3, 4)),
    "fftshift axes": transform("fftshift", cplx(3, 5), axes=1),
    "ifftshift": transform("ifftshift", real(3, 5)),
    "ifftshift axes": transform("ifftshift", cplx(3, 5), axes=(0,)),
}


@pytest.mark.parametrize("name", CASES)
def test_both_modes_to_second_order(name):
    check_derivatives(CASES[name])


@pytest.mark.parametrize("name", CASES)
def test_value_and_single_precision(name):
    check_value(CASES[name])
    check_single_precision(CASES[name])


@pytest.mark.parametrize("name", [n for n in CASES if CASES[n].autograd])
def test_agrees_with_autograd(name):
    check_against_autograd(CASES[name])


# The JVP is the function itself, so a wrong one is no rule of this file.
@pytest.mark.parametrize("name", ["fft of 5", "ifft2", "rfftn", "irfft of 6", "fftshift", "ifftshift axes"])
def test_a_rule_off_by_a_thousandth_is_caught(name, monkeypatch):
    assert check_that_wrong_rules_are_caught(CASES[name], MODULES, monkeypatch) >= 1


def test_the_pullback_is_the_transpose_entry_by_entry():
    # The matrix of a transform, column by column, against its VJP, row by row.
    for name, n in [("fft", 5), ("rfft", 5), ("rfft", 6), ("irfft", 7), ("irfft", 6)]:
        x = rng.normal(size=4)
        f = lambda x, name=name, n=n: getattr(np.fft, name)(x, n)  # noqa: E731
        columns = np.stack([f(e) for e in np.eye(4)], axis=1)
        vjp, value = dk.make_vjp(f)(x)
        for row in range(value.shape[0]):
            g = np.zeros_like(value)
            g[row] = 1.0
            np.testing.assert_allclose(vjp(g), columns[row].real, atol=1e-14)


def test_a_convolution_by_transforms_has_the_gradient_of_the_sum():
    x, k = rng.normal(size=8), rng.normal(size=8)

    def by_transform(x):
        return np.sum(np.fft.irfft(np.fft.rfft(x) * np.fft.rfft(k)) ** 2)

    matrix = np.array([[k[(i - j) % 8] for j in range(8)] for i in range(8)])
    np.testing.assert_allclose(dk.grad(by_transform)(x), 2 * matrix.T @ (matrix @ x))
    np.testing.assert_allclose(dk.hessian(by_transform)(x), 2 * matrix.T @ matrix, atol=1e-12)
