"""The rules of numpy.linalg: one line per function, on stacks, for real and complex matrices."""

import sys

import numpy as np
import pytest
from rule_checks import (
    case,
    check_against_autograd,
    check_derivatives,
    check_single_precision,
    check_that_wrong_rules_are_caught,
    check_value,
    primitives_in,
)

import diffkit as dk
from diffkit.autodiff.recording.tracer import FUNCTIONS, Primitive
from diffkit.errors import NoRuleError

MODULES = {f"diffkit.autodiff.rules.{name}" for name in ("linalg", "spectral", "norms")}

rng = np.random.default_rng(0)


def real(*shape):
    return np.round(rng.normal(size=shape), 2)


def cplx(*shape):
    return real(*shape) + 1j * real(*shape)


A, AS, C, CS = real(3, 3), real(2, 3, 3), cplx(3, 3), cplx(2, 3, 3)
TALL, WIDE, TALLS, CTALL, CWIDE = real(4, 3), real(3, 4), real(2, 4, 3), cplx(4, 3), cplx(3, 4)
SPD = A @ A.T + 3 * np.eye(3)
SPDS = AS @ AS.mT + 3 * np.eye(3)
HPD = C @ C.conj().T + 3 * np.eye(3)
HERM = C + C.conj().T
SYM = np.diag([1.0, 2.0, 4.0]) + (A + A.T) / 10
ROTATION = np.array([[0.2, -1.0, 0.1], [1.1, 0.3, 0.2], [0.1, 0.4, 1.5]])


def sym(np, a):
    return (a + np.swapaxes(a, -1, -2)) / 2


def herm(np, a):
    return (a + np.conj(np.swapaxes(a, -1, -2))) / 2


def projectors(np, v, w):
    """Of each column, weighted: independent of the columns' signs and phases."""
    return np.matmul(v * w, np.conj(np.swapaxes(v, -1, -2)))


# No two of the same size, so that no extremum is a tie.
DISTINCT = np.round(rng.permutation(np.linspace(0.3, 2.5, 24)) * rng.choice([-1.0, 1.0], 24), 2).reshape(
    2, 3, 4
)
W3 = np.array([1.0, 2.0, -0.5])

CASES = {
    # -- systems
    "solve": case(lambda np, a, b: np.linalg.solve(a, b), A, real(3, 2)),
    "solve vector": case(lambda np, a, b: np.linalg.solve(a, b), A, real(3)),
    "solve stack": case(lambda np, a, b: np.linalg.solve(a, b), AS, real(2, 3, 2)),
    "solve broadcast": case(lambda np, a, b: np.linalg.solve(a, b), AS, real(3, 2), autograd=False),
    "solve one matrix": case(lambda np, a, b: np.linalg.solve(a, b), A, real(2, 3, 1), autograd=False),
    "solve stack, vector": case(lambda np, a, b: np.linalg.solve(a, b), AS, real(3), autograd=False),
    "solve complex": case(lambda np, a, b: np.linalg.solve(a, b), C, cplx(3, 2)),
    "solve complex, real": case(lambda np, a, b: np.linalg.solve(a, b), C, real(3, 2), autograd=False),
    "inv": case(lambda np, a: np.linalg.inv(a), A),
    "inv stack": case(lambda np, a: np.linalg.inv(a), AS),
    "inv complex": case(lambda np, a: np.linalg.inv(a), CS),
    "pinv": case(lambda np, a: np.linalg.pinv(a), TALL),
    "pinv wide": case(lambda np, a: np.linalg.pinv(a), WIDE),
    "pinv stack": case(lambda np, a: np.linalg.pinv(a), TALLS),
    "pinv rcond": case(lambda np, a: np.linalg.pinv(a, 1e-4), TALL, autograd=False),
    "pinv complex": case(lambda np, a: np.linalg.pinv(a), CTALL, autograd=False),
    "pinv of constant rank": case(
        lambda np, u, v: np.linalg.pinv(np.matmul(u, v), rcond=1e-4), real(4, 2), real(2, 3), autograd=False
    ),
    "tensorinv": case(lambda np, a: np.linalg.tensorinv(a, ind=1), real(6, 2, 3), autograd=False),
    "tensorsolve": case(
        lambda np, a, b: np.linalg.tensorsolve(a, b), real(2, 3, 6), real(2, 3), autograd=False
    ),
    "tensorsolve axes": case(
        lambda np, a, b: np.linalg.tensorsolve(a, b, axes=(0,)), real(4, 2, 2), real(2, 2), autograd=False
    ),
    "matrix_power 3": case(lambda np, a: np.linalg.matrix_power(a, 3), A, autograd=False),
    "matrix_power 1": case(lambda np, a: np.linalg.matrix_power(a, 1) * a, A, autograd=False),
    "matrix_power 0": case(lambda np, a: np.linalg.matrix_power(a, 0) * a, AS, autograd=False),
    "matrix_power -2": case(lambda np, a: np.linalg.matrix_power(a, -2), AS, autograd=False),
    "multi_dot": case(
        lambda np, a, b, c: np.linalg.multi_dot([a, b, c]), real(2, 5), real(5, 3), real(3, 4), autograd=False
    ),
    "multi_dot vectors": case(
        lambda np, a, b, c: np.linalg.multi_dot([a, b, c]), real(5), real(5, 3), real(3), autograd=False
    ),
    "cond": case(lambda np, a: np.linalg.cond(a), A, autograd=False),
    "cond 1": case(lambda np, a: np.linalg.cond(a, 1), A, autograd=False),
    "cond -2": case(lambda np, a: np.linalg.cond(a, -2), AS, autograd=False),
    "lstsq": case(
        lambda np, a, b: np.linalg.lstsq(a, b)[:2] + np.linalg.lstsq(a, b)[3:], TALL, real(4), autograd=False
    ),
    "lstsq wide": case(lambda np, a, b: np.linalg.lstsq(a, b)[::3], WIDE, real(3, 2), autograd=False),
    "lstsq complex": case(
        lambda np, a, b: np.linalg.lstsq(a, b)[:2] + np.linalg.lstsq(a, b)[3:],
        CTALL,
        cplx(4, 2),
        autograd=False,
    ),
    "trace": case(lambda np, a: np.linalg.trace(a, offset=1), AS, autograd=False),
    "diagonal": case(lambda np, a: np.linalg.diagonal(a), AS, autograd=False),
    "matrix_transpose": case(lambda np, a: np.linalg.matrix_transpose(a), AS, autograd=False),
    "cross": case(lambda np, a, b: np.linalg.cross(a, b), A[0], A[1], autograd=False),
    "matmul": case(lambda np, a, b: np.linalg.matmul(a, b), A, TALL.T, autograd=False),
    "outer": case(lambda np, a, b: np.linalg.outer(a, b), A[0], A[1], autograd=False),
    "tensordot": case(lambda np, a, b: np.linalg.tensordot(a, b, axes=1), A, TALL.T, autograd=False),
    "vecdot": case(lambda np, a, b: np.linalg.vecdot(a, b), C, CS[0], autograd=False),
    # -- determinants
    "det": case(lambda np, a: np.linalg.det(a), A),
    "det stack": case(lambda np, a: np.linalg.det(a), AS),
    "det singular": case(
        lambda np, a: np.linalg.det(a), np.zeros((3, 3)) + np.diag([1.0, 2.0, 0.0]), autograd=False
    ),
    "det complex": case(lambda np, a: np.linalg.det(a), CS),
    "slogdet": case(lambda np, a: np.linalg.slogdet(a)[1], A),
    "slogdet stack": case(lambda np, a: np.linalg.slogdet(a)[1], AS),
    "slogdet complex": case(lambda np, a: tuple(np.linalg.slogdet(a)), CS, autograd=False),
    # -- factorizations
    "cholesky": case(lambda np, a: np.linalg.cholesky(sym(np, a)), SPD),
    "cholesky stack": case(lambda np, a: np.linalg.cholesky(sym(np, a)), SPDS),
    "cholesky upper": case(lambda np, a: np.linalg.cholesky(sym(np, a), upper=True), SPD, autograd=False),
    "cholesky complex": case(lambda np, a: np.linalg.cholesky(herm(np, a)), HPD, autograd=False),
    "cholesky complex upper": case(
        lambda np, a: np.linalg.cholesky(herm(np, a), upper=True), HPD, autograd=False
    ),
    "qr": case(lambda np, a: tuple(np.linalg.qr(a)), TALL, autograd=False),
    "qr square": case(lambda np, a: tuple(np.linalg.qr(a, "complete")), A, autograd=False),
    "qr wide": case(lambda np, a: tuple(np.linalg.qr(a)), WIDE, autograd=False),
    "qr stack": case(lambda np, a: tuple(np.linalg.qr(a)), TALLS, autograd=False),
    "qr r": case(lambda np, a: np.linalg.qr(a, mode="r"), TALL, autograd=False),
    "qr complex": case(lambda np, a: tuple(np.linalg.qr(a)), CTALL, autograd=False),
    "qr complex wide": case(lambda np, a: tuple(np.linalg.qr(a)), CWIDE, autograd=False),
    # -- eigenvalues
    "eigh values": case(lambda np, a: np.linalg.eigh(a)[0], SYM),
    "eigh": case(lambda np, a: tuple(np.linalg.eigh(a)), SYM, autograd=False),
    "eigh upper": case(lambda np, a: tuple(np.linalg.eigh(a, "U")), SYM, autograd=False),
    "eigh vectors": case(lambda np, a: np.linalg.eigh(a)[1], SYM),
    "eigh lower-case": case(lambda np, a: tuple(np.linalg.eigh(a, UPLO="l")), SYM, autograd=False),
    "eigh stack": case(lambda np, a: tuple(np.linalg.eigh(a)), np.stack([SYM, 2 * SYM]), autograd=False),
    "eigh complex": case(
        lambda np, a: projectors(np, np.linalg.eigh(a)[1], W3) + np.linalg.eigh(a)[0], HERM, autograd=False
    ),
    "eigh complex upper": case(
        lambda np, a: projectors(np, np.linalg.eigh(a, "U")[1], W3), HERM, autograd=False
    ),
    "eigvalsh": case(lambda np, a: np.linalg.eigvalsh(a), SYM, autograd=False),
    "eigvalsh upper": case(
        lambda np, a: np.linalg.eigvalsh(a, UPLO="U"), np.stack([SYM, 2 * SYM]), autograd=False
    ),
    "eigvalsh complex": case(lambda np, a: np.linalg.eigvalsh(a), HERM, autograd=False),
    "eig real": case(lambda np, a: tuple(np.linalg.eig(a)), SYM + np.triu(A) / 5, autograd=False),
    "eig rotation": case(lambda np, a: tuple(np.linalg.eig(a)), ROTATION, autograd=False),
    "eig complex": case(lambda np, a: tuple(np.linalg.eig(a)), C, autograd=False),
    "eig stack": case(lambda np, a: tuple(np.linalg.eig(a)), CS, autograd=False),
    "eig values": case(lambda np, a: np.linalg.eig(a)[0], C),
    "eig sizes of vectors": case(lambda np, a: np.abs(np.linalg.eig(a)[1]), C),
    "eigvals": case(lambda np, a: np.linalg.eigvals(a), ROTATION, autograd=False),
    # -- singular values
    "svd values": case(lambda np, a: np.linalg.svd(a, compute_uv=False), TALL),
    "svd": case(lambda np, a: tuple(np.linalg.svd(a)), A, autograd=False),
    "svd of full_matrices=False": case(lambda np, a: np.linalg.svd(a, full_matrices=False)[0], A),
    "svd tall": case(lambda np, a: tuple(np.linalg.svd(a, full_matrices=False)), TALL, autograd=False),
    "svd tall, u": case(lambda np, a: np.linalg.svd(a, full_matrices=False)[0], TALL),
    "svd wide": case(lambda np, a: tuple(np.linalg.svd(a, False)), WIDE, autograd=False),
    "svd wide, vh": case(lambda np, a: np.linalg.svd(a, full_matrices=False)[2], WIDE),
    "svd stack": case(lambda np, a: tuple(np.linalg.svd(a, full_matrices=False)), TALLS, autograd=False),
    "svd complete tall": case(
        lambda np, a: projectors(np, np.linalg.svd(a)[0], np.array([1.0, 2.0, -0.5, 3.0])),
        TALL,
        autograd=False,
    ),
    "svd complete wide": case(
        lambda np, a: projectors(np, np.linalg.svd(a)[2].mT, np.array([1.0, 2.0, -0.5, 3.0])),
        WIDE,
        autograd=False,
    ),
    "svd complex": case(
        lambda np, a: np.matmul(np.linalg.svd(a)[0] * W3, np.linalg.svd(a)[2]), C, autograd=False
    ),
    "svd complex tall": case(
        lambda np, a: projectors(np, np.linalg.svd(a, full_matrices=False)[0], W3), CTALL, autograd=False
    ),
    "svd complex wide": case(
        lambda np, a: projectors(np, np.conj(np.linalg.svd(a, full_matrices=False)[2]).mT, W3),
        CWIDE,
        autograd=False,
    ),
    "svdvals": case(lambda np, a: np.linalg.svdvals(a), TALLS, autograd=False),
    "svdvals complex": case(lambda np, a: np.linalg.svdvals(a), CWIDE, autograd=False),
}

NORMS = {
    f"{'complex ' if np.iscomplexobj(x) else ''}norm {ord} axis={axis} keepdims={keepdims}": case(
        lambda np, x, options=((ord, axis, True) if keepdims else (ord, axis)): np.linalg.norm(x, *options),
        x,
        order=1 if ord in (1, -1, np.inf, -np.inf) and x is DISTINCT else 2,
        autograd=not keepdims
        and (ord in (None, "fro", "nuc", 3) or ord == 2)
        and not (ord == 2 and axis != 1),
    )
    for x in (DISTINCT, cplx(2, 3, 4))
    for ord, axis, keepdims in [
        (None, None, False),
        (None, None, True),
        (None, 1, False),
        (None, (0, 2), True),
        (2, 1, False),
        (3, 1, False),
        (2.5, -1, True),
        (1, 1, False),
        (0.5, 1, False),
        (-1, 1, False),
        (-2.5, 1, False),
        (np.inf, 1, True),
        (-np.inf, -1, False),
        ("fro", (1, 2), False),
        ("fro", (2, 0), True),
        ("nuc", (1, 2), False),
        ("nuc", (2, 0), True),
        (2, (1, 2), False),
        (-2, (2, 0), True),
        (1, (1, 2), False),
        (-1, (2, 0), False),
        (np.inf, (-2, -1), True),
        (-np.inf, (2, 1), False),
    ]
} | {
    "norm of a vector": case(lambda np, x: np.linalg.norm(x), real(4)),
    "norm of a number": case(lambda np, x: np.linalg.norm(x), -1.5, autograd=False),
    "norm of a matrix, 2": case(lambda np, x: np.linalg.norm(x, 2), TALL, autograd=False),
    "norm of a matrix, nuc": case(lambda np, x: np.linalg.norm(x, "nuc"), TALL),
    "norm of a matrix, 1": case(lambda np, x: np.linalg.norm(x, 1, keepdims=True), TALL, autograd=False),
    "vector_norm": case(lambda np, x: np.linalg.vector_norm(x, ord=3), TALL, autograd=False),
    "vector_norm axes": case(
        lambda np, x: np.linalg.vector_norm(x, axis=(0, 2), keepdims=True, ord=1), TALLS, autograd=False
    ),
    "vector_norm all": case(lambda np, x: np.linalg.vector_norm(x, keepdims=True), TALLS, autograd=False),
    "matrix_norm": case(lambda np, x: np.linalg.matrix_norm(x, ord="nuc"), TALLS, autograd=False),
}

ALL = CASES | NORMS


@pytest.mark.parametrize("name", ALL)
def test_both_modes_to_second_order(name):
    check_derivatives(ALL[name])


@pytest.mark.parametrize("name", ALL)
def test_value_and_single_precision(name):
    check_value(ALL[name])
    check_single_precision(ALL[name])


@pytest.mark.parametrize("name", [n for n in ALL if ALL[n].autograd])
def test_agrees_with_autograd(name):
    check_against_autograd(ALL[name])


@pytest.mark.parametrize("name", CASES)
def test_a_rule_off_by_a_thousandth_is_caught(name, monkeypatch):
    check_that_wrong_rules_are_caught(CASES[name], MODULES, monkeypatch)


@pytest.mark.parametrize("ord", [np.inf, -np.inf, 1])
def test_piecewise_linear_norms_have_no_curvature(ord):
    assert not np.any(dk.hessian(lambda x: np.linalg.norm(x, ord))(DISTINCT[0, 0]))


def test_every_primitive_has_a_case():
    tried = {p.name for c in ALL.values() for p in primitives_in(c, MODULES)}
    own = {
        fun.name
        for name in MODULES
        for fun in [*vars(sys.modules[name]).values(), *FUNCTIONS.values()]
        if isinstance(fun, Primitive)
        and not fun.constant
        and any(getattr(getattr(r, "__wrapped__", r), "__module__", "") == name for r in fun.vjps)
    }
    assert own
    assert own <= tried


# -- conventions and edges --------------------------------------------------------------------------------


def test_hand_computed_derivatives():
    a = np.array([[2.0, 1.0], [3.0, 5.0]])
    np.testing.assert_allclose(dk.grad(np.linalg.det)(a), [[5.0, -3.0], [-1.0, 2.0]])
    np.testing.assert_allclose(
        dk.grad(lambda a: np.linalg.slogdet(a)[1])(a), np.array([[5.0, -3.0], [-1.0, 2.0]]) / 7
    )
    np.testing.assert_allclose(dk.grad(np.linalg.norm)(np.array([3.0, -4.0])), [0.6, -0.8])
    np.testing.assert_allclose(
        dk.grad(lambda a: np.linalg.norm(a, 2))(np.diag([3.0, 1.0])), [[1.0, 0.0], [0.0, 0.0]]
    )


def test_the_determinant_of_singular_matrices_has_its_derivatives():
    # det diag(a, b, c) is a b c, and its only second derivatives are those by two of them (and off them).
    a = np.diag([2.0, 3.0, 0.0])
    np.testing.assert_allclose(dk.grad(np.linalg.det)(a), np.diag([0.0, 0.0, 6.0]), atol=1e-15)
    np.testing.assert_allclose(dk.grad(np.linalg.det)(np.zeros((3, 3))), np.zeros((3, 3)))
    h = dk.hessian(np.linalg.det)(np.zeros((2, 2)))
    assert h[0, 0, 1, 1] == h[1, 1, 0, 0] == 1.0
    assert h[0, 1, 1, 0] == h[1, 0, 0, 1] == -1.0
    assert np.sum(np.abs(h)) == 4.0


def test_equal_eigenvalues():
    # A function of the values has a derivative; one of vectors whose choice is arbitrary has none.
    a = np.diag([1.0, 1.0, 3.0])
    np.testing.assert_allclose(dk.grad(lambda a: np.sum(np.linalg.eigh(a)[0] ** 2))(a), 2 * a, atol=1e-15)
    assert np.isnan(dk.grad(lambda a: np.linalg.eigh(a)[1][0, 0])(a)).any()
    assert np.isnan(dk.grad(lambda a: (np.linalg.eigh(a)[1] / np.linalg.eigh(a)[0])[0, 0])(a)).any()
    # The third vector is determined, and so is how it turns.
    third = dk.jacobian(lambda a: np.linalg.eigh(a)[1][:, 2])(a)
    expected = np.zeros((3, 3, 3))
    expected[0, 2, 0] = expected[1, 2, 1] = 0.5 * np.linalg.eigh(a)[1][2, 2]
    np.testing.assert_allclose(third, expected, atol=1e-15)
    tangent = dk.make_jvp(lambda a: tuple(np.linalg.eigh(a)))(a)(np.ones((3, 3)))[1]
    assert np.isfinite(tangent[0]).all()
    assert np.isnan(tangent[1]).any(axis=0).tolist() == [True, True, False]


def test_singular_values_of_a_matrix_of_low_rank():
    a = np.outer([1.0, 2.0, 3.0], [1.0, -1.0])
    assert np.isfinite(dk.grad(lambda a: np.linalg.norm(a, "nuc"))(a)).all()
    u, s, vh = np.linalg.svd(a)
    np.testing.assert_allclose(
        dk.grad(lambda a: np.linalg.svd(a)[1][0])(a), np.outer(u[:, 0], vh[0]), atol=1e-14
    )
    assert s[1] < 1e-14


def test_norms_where_they_have_kinks():
    np.testing.assert_array_equal(
        dk.grad(lambda x: np.linalg.norm(x, np.inf))(np.array([2.0, -2.0])), [0.5, -0.5]
    )
    np.testing.assert_array_equal(dk.grad(lambda x: np.linalg.norm(x, 1))(np.array([0.0, -2.0])), [0.0, -1.0])
    np.testing.assert_array_equal(dk.grad(lambda x: np.linalg.norm(x, 3))(np.array([0.0, -2.0])), [0.0, -1.0])
    np.testing.assert_array_equal(dk.grad(lambda x: np.linalg.norm(x, 0))(np.array([0.0, -2.0])), [0.0, 0.0])


def test_empty_matrices():
    empty = np.zeros((0, 0))
    assert dk.grad(np.linalg.det)(empty).shape == (0, 0)
    assert dk.grad(lambda a: np.sum(np.linalg.inv(a)))(empty).shape == (0, 0)
    assert dk.grad(lambda a: np.sum(np.linalg.eigh(a)[0]))(empty).shape == (0, 0)
    assert dk.grad(lambda a: np.sum(np.linalg.solve(a, np.zeros((0, 2)))))(empty).shape == (0, 0)
    assert dk.grad(lambda a: np.sum(np.linalg.inv(a)))(np.zeros((0, 2, 2))).shape == (0, 2, 2)


def test_constant_matrices_may_be_lists():
    b = np.array([1.0, 2.0])
    gradient = dk.grad(lambda b: np.sum(np.linalg.solve([[2.0, 0.0], [0.0, 4.0]], b)))(b)
    np.testing.assert_allclose(gradient, [0.5, 0.25])


def test_multi_dot_takes_the_cheapest_order():
    a, b, c = np.ones((40, 2)), np.ones((2, 30)), np.ones((30, 3))
    rows = dk.trace(lambda a, b, c: np.linalg.multi_dot([a, b, c]))(a, b, c).nodes
    products = [row.value.shape for row in rows if row.fun.name == "matmul"]
    assert products == [(2, 3), (40, 3)]


def test_qr_refuses_what_is_not_determined():
    with pytest.raises(NoRuleError, match='mode="reduced"'):
        dk.grad(lambda a: np.sum(np.linalg.qr(a, mode="complete")[0]))(TALL)


def test_rank_is_constant():
    assert dk.grad(lambda a: np.sum(a) * np.linalg.matrix_rank(a))(A).tolist() == [[3.0] * 3] * 3


# -- conventions for matrices that are read as symmetric: what a symmetric direction can't tell -------------


@pytest.mark.parametrize("matrix", [SPD, SPDS, HPD], ids=["real", "stack", "complex"])
@pytest.mark.parametrize("upper", [False, True])
def test_choleskys_adjoint_is_hermitian(matrix, upper):
    weights = real(*matrix.shape)
    a = dk.grad(lambda a: np.sum(np.real(np.linalg.cholesky(a, upper=upper)) * weights))(matrix)
    np.testing.assert_allclose(a, np.conj(np.swapaxes(a, -1, -2)), atol=1e-14)
    assert np.abs(np.triu(a, 1)).max() > 1e-3
    # and so its tangent takes the Hermitian part of a direction
    push = dk.make_jvp(lambda a: np.linalg.cholesky(a, upper=upper))(matrix)
    t = real(*matrix.shape) + (0 if matrix.dtype == float else 1j * real(*matrix.shape))
    np.testing.assert_allclose(push(t)[1], push((t + np.conj(np.swapaxes(t, -1, -2))) / 2)[1], rtol=1e-12)


@pytest.mark.parametrize("matrix", [SYM, HERM], ids=["real", "complex"])
@pytest.mark.parametrize(("uplo", "outside"), [("L", np.triu), ("U", np.tril)])
def test_what_eigh_does_not_read_has_no_derivative(matrix, uplo, outside):
    for f in (
        lambda a: np.sum(np.linalg.eigvalsh(a, uplo) ** 3),
        lambda a: np.sum(np.linalg.eigh(a, uplo)[0] ** 3),
        lambda a: np.sum(np.abs(np.linalg.eigh(a, uplo)[1] * np.array([1.0, 2.0, 3.0])) ** 4),
    ):
        gradient = dk.grad(f)(matrix)
        k = 1 if uplo == "L" else -1
        np.testing.assert_array_equal(outside(gradient, k), 0.0)
        assert np.abs(gradient).max() > 1e-3
        spoilt = matrix + outside(np.full((3, 3), 7.0), k)
        np.testing.assert_allclose(dk.grad(f)(spoilt), gradient, rtol=1e-12)
        direction = outside(np.ones((3, 3)), k).astype(matrix.dtype)
        assert dk.make_jvp(f)(matrix)(direction)[1] == 0.0
