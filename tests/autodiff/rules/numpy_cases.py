"""One line per way of calling a NumPy function: the programs and points of the systematic test.

A name stands for the function that its lines check; every float argument of a line is differentiated.
"""

import functools

import numpy as np
from rule_checks import Case

import diffkit as dk
from diffkit.autodiff.rules.pointwise import sinc_derivative


def line(f, *args):
    return Case(lambda _, *given: f(*given), args)


def with_(f, **keywords):
    """``f`` with keywords, for short."""
    return functools.partial(f, **keywords)


V = np.array([0.7, -1.3, 2.1, 0.4])
W = np.array([1.1, 0.6, -0.8, 1.9])
P = np.array([0.7, 1.3, 2.1, 0.4])  # positive
Q = np.array([1.9, 2.2, 1.3, 0.73])
U = np.array([0.3, -0.6, 0.1, 0.8])  # inside (-1, 1)
A = np.array([[0.5, -1.2, 2.0], [1.7, 0.3, -0.9]])
B = np.array([[1.4, 0.2, -0.7], [-0.6, 2.2, 0.8]])
ROW = np.array([[0.9, -0.4, 1.6]])
COLUMN = np.array([[1.3], [-0.7]])
M = np.array([[0.5, -1.2, 2.0], [1.7, 0.3, -0.9], [0.8, 1.1, -0.2]])
T3 = np.array([0.6, -1.1, 2.3, 0.2, -0.5, 1.4, 1.9, -0.3, 0.75, 1.05, -1.7, 0.35]).reshape(2, 3, 2)
Z = np.array([0.4 + 1.1j, -0.9 + 0.3j, 1.5 - 0.6j])
ZM = np.array([[0.4 + 1.1j, -0.9 + 0.3j], [1.5 - 0.6j, 0.2 + 0.7j]])
NANS = np.array([[0.5, np.nan, 2.0], [1.7, 0.3, np.nan]])
S0 = np.array(1.3)  # 0-d
E0 = np.zeros((0, 3))  # empty
F = 1.7  # a Python float
MASK = A > 0
SOME = np.array([True, False, True, False])


def filled(f):
    """A program of one array that has NaN where NANS has: NaN there, whatever the input."""
    return lambda x: f(np.where(np.isnan(NANS), np.nan, x))


def newer(name):
    """A function that older NumPys do not have; its lines are left out there, see the end."""
    return getattr(np, name, missing)


def missing(*args, **kwargs):
    raise NotImplementedError("this NumPy is too old for the function")


def unary(f, *points):
    return [line(f, x) for x in (*points, points[0][:0])]


def binary(f, x, y):
    """Two arrays, broadcasting both ways, with a float, with itself."""
    return [
        line(f, x, y),
        line(f, np.stack([x + 0.15, y + 0.4]), y),
        line(f, x, np.stack([x + 0.15, y + 0.4])),
        line(f, x[:, None], y[None, :]),
        line(f, float(x[0]), y),
        line(f, x, float(y[0])),
        line(f, float(x[0]), float(y[0])),
        line(f, np.array(x[0]), y[:1]),
        line(lambda x: f(x, x[::-1]), np.abs(x) + 0.1),
        line(f, x[:0], y[:1]),
    ]


ELEMENTWISE = {
    name: unary(getattr(np, name), V, V[0], float(V[0]))
    for name in (
        "positive negative square exp exp2 expm1 sin cos tan sinh cosh tanh arcsinh asinh arctan atan "
        "deg2rad rad2deg degrees radians absolute abs fabs sinc cbrt reciprocal nan_to_num "
        "real conj conjugate real_if_close"
    ).split()
}
ELEMENTWISE |= {
    name: unary(getattr(np, name), P, P[0], float(P[0])) for name in "sqrt log log2 log10 log1p".split()
}
ELEMENTWISE |= {
    name: unary(getattr(np, name), U, U[0], float(U[0]))
    for name in "arcsin arccos arctanh asin acos atanh".split()
}
ELEMENTWISE |= {name: unary(getattr(np, name), P + 1.5, float(P[0] + 1.5)) for name in ("arccosh", "acosh")}
ELEMENTWISE |= {name: [line(getattr(np, name), Z)] for name in ("imag", "angle", "absolute", "conj", "real")}
ELEMENTWISE |= {
    name: binary(getattr(np, name), V, W)
    for name in (
        "add subtract multiply divide true_divide maximum minimum fmax fmin hypot arctan2 atan2 logaddexp "
        "logaddexp2 copysign"
    ).split()
}
ELEMENTWISE |= {
    name: binary(getattr(np, name), P + 2.0, Q)
    for name in ("remainder", "mod", "fmod", "power", "pow", "float_power")
}
ELEMENTWISE |= {
    "maximum": [*ELEMENTWISE["maximum"], line(np.maximum, 1.3, 0.7)],
    "minimum": [*ELEMENTWISE["minimum"], line(np.minimum, 1.3, 0.7)],
    "sinc_derivative": [line(lambda x, k=k: sinc_derivative(x, k), 3.0 * V) for k in (1, 2, 5)],
    "heaviside": [
        line(lambda y: np.heaviside(np.array([-1.0, 0.0, 2.0]), y), 0.4),
        line(np.heaviside, np.array([-1.0, 0.5, 2.0]), np.array([0.5, 0.4, 0.3])),
    ],
    "ldexp": [line(lambda x: np.ldexp(x, np.array([1, -2, 3, 0])), V), line(lambda x: np.ldexp(x, 2), F)],
    "modf": [line(lambda x: np.modf(x)[0], V), line(lambda x: np.modf(x)[0], F)],
    "frexp": [line(lambda x: np.frexp(x)[0], V)],
    "nextafter": [line(lambda x: np.nextafter(x, 3.0), V), line(lambda x, y: np.nextafter(x, y) * y, V, W)],
    "i0": [line(np.i0, V), line(np.i0, F), line(np.i0, A)],
    "lexsort": [line(lambda x: x[np.lexsort((x, x > 0))], V)],
    "emath": [
        *(line(lambda x, f=f: f(x), P) for f in (np.emath.sqrt, np.emath.log, np.emath.log2, np.emath.log10)),
        *(line(lambda x, f=f: f(0.5 * x), U) for f in (np.emath.arccos, np.emath.arcsin, np.emath.arctanh)),
        *(
            line(lambda x, f=f: np.real(f(x)) + 2.0 * np.imag(f(x)), V)
            for f in (np.emath.sqrt, np.emath.log, np.emath.log2, np.emath.log10, np.emath.arctanh)
        ),
        line(np.emath.logn, P + 1.5, Q),
        line(lambda n, x: np.abs(np.emath.logn(n, x)), P + 1.5, V),
        line(np.emath.power, P, V),
        line(lambda x: np.imag(np.emath.power(x, 2.5)), V),
        line(lambda x: np.emath.power(x, -2), P),
        line(np.emath.sqrt, F),
    ],
    "divmod": [line(lambda x, y: np.divmod(x, y)[1], P + 2.0, Q)],
    "fmax": [line(np.fmax, V, W), line(lambda x, y: np.fmax(x, np.where(SOME, np.nan, y)), V, W)],
    "fmin": [line(np.fmin, V, W), line(lambda x, y: np.fmin(np.where(SOME, np.nan, x), y), V, W)],
    "sinc": [*unary(np.sinc, V), line(np.sinc, 1e-5 * V), line(np.sinc, 0.95), line(np.sinc, 6.0 * V)],
    "nan_to_num": [line(filled(lambda x: np.nan_to_num(x, nan=2.0)), A), line(np.nan_to_num, F)],
    "clip": [
        line(lambda x: np.clip(x, -0.5, 1.0), V),
        line(np.clip, V, -0.5 - 0.1 * P, 0.5 + 0.1 * W),
        line(lambda x, lo: np.clip(x, lo, None), V, 0.3),
        line(lambda x, hi: np.clip(x, a_min=None, a_max=hi), V, 0.3),
        line(lambda x, lo: np.clip(a=x, a_min=lo, a_max=9.0), A, ROW - 1.0),
        line(lambda x, lo, hi: x.clip(lo, hi), A, -0.2, np.array([0.1, 0.2, 0.3])),
        line(lambda x: x.clip(max=0.2), A),
        line(lambda x: np.clip(x, 0.0, 1.0), F),
    ],
    "clip by min and max": [line(lambda x, lo, hi: np.clip(x, min=lo, max=hi), V, -0.2, 0.9)],
    "real": [line(np.real, Z), line(np.real, F)],
}

REDUCTIONS = {
    name: [
        line(f, A),
        line(with_(f, axis=0), A),
        line(with_(f, axis=-1, keepdims=True), A),
        line(with_(f, axis=(0, -1)), T3),
        line(with_(f, axis=(2, 0), keepdims=True), T3),
        line(with_(f, axis=()), A) if name in ("sum", "mean", "prod") else line(with_(f, axis=None), A),
        line(with_(f, keepdims=True), A),
        line(f, S0),
        line(f, F),
        line(lambda x, f=f: f(a=x, axis=1), A),
        line(lambda x, f=f: f(x, 1), A),
        *([line(with_(f, axis=0), E0)] if name in ("sum", "prod") else []),
        line(with_(f, axis=0), np.zeros((3, 0))),
        line(lambda x, name=name: getattr(x, name)(0), A),
    ]
    for name, f in [(n, getattr(np, n)) for n in "sum mean prod max min ptp var std".split()]
    if name not in ("ptp",)
}
for _name in ("var", "std"):  # of one number they are at their minimum
    REDUCTIONS[_name] = [c for c in REDUCTIONS[_name] if np.size(c.args[0]) != 1] + [
        line(with_(getattr(np, _name), ddof=1), A),
        line(with_(getattr(np, _name), axis=1, ddof=1), A),
        line(with_(getattr(np, _name), axis=0, correction=0.5), A),
        line(with_(getattr(np, _name), axis=0), ZM),
    ]
REDUCTIONS |= {
    "amax": [line(with_(np.amax, axis=1), A)],
    "amin": [line(with_(np.amin, axis=1), A)],
    "ptp": [line(np.ptp, A), line(with_(np.ptp, axis=1, keepdims=True), A)],
    "sum": [*REDUCTIONS["sum"], line(np.sum, Z), line(lambda x: np.sum(x, dtype=np.float64), A)],
    "prod": [
        *REDUCTIONS["prod"],
        line(np.prod, np.array([0.5, 0.0, 2.0])),
        line(np.prod, np.array([0.5, 0.0, 0.0, 3.0])),
        line(with_(np.prod, axis=(0, 2)), T3 * (T3 > 0)),
        line(with_(np.prod, axis=1, keepdims=True), A * (A > 0)),
        line(np.prod, Z),
    ],
    "mean": [*REDUCTIONS["mean"], line(with_(np.mean, axis=0), ZM)],
    "add.reduce": [line(np.add.reduce, A), line(lambda x: np.multiply.reduce(x, axis=1), A)],
    "maximum.reduce": [line(np.maximum.reduce, A), line(lambda x: np.minimum.reduce(x, axis=None), A)],
    "nansum": [line(filled(np.nansum), A), line(filled(with_(np.nansum, axis=0, keepdims=True)), A)],
    "nanprod": [line(filled(np.nanprod), A), line(with_(np.nanprod, axis=1), A)],
    "nanmean": [line(filled(np.nanmean), A), line(filled(with_(np.nanmean, axis=-1)), A)],
    "nanmax": [line(filled(np.nanmax), A), line(filled(with_(np.nanmax, axis=0)), A)],
    "nanmin": [line(filled(np.nanmin), A), line(filled(with_(np.nanmin, axis=1, keepdims=True)), A)],
    "nanvar": [line(filled(np.nanvar), A), line(filled(with_(np.nanvar, axis=1, ddof=1)), A)],
    "nanstd": [line(filled(np.nanstd), A), line(filled(with_(np.nanstd, axis=1, keepdims=True)), A)],
    "nancumsum": [line(filled(np.nancumsum), A), line(filled(with_(np.nancumsum, axis=1)), A)],
    "nancumprod": [line(filled(np.nancumprod), A), line(filled(with_(np.nancumprod, axis=0)), A)],
    "nanmedian": [line(filled(np.nanmedian), A), line(filled(with_(np.nanmedian, axis=1)), A)],
    "nanquantile": [line(filled(lambda x: np.nanquantile(x, [0.2, 0.7], axis=0)), A)],
    "nanpercentile": [line(filled(lambda x: np.nanpercentile(x, 30.0, axis=1, keepdims=True)), A)],
}

STATISTICS = {
    "average": [
        line(np.average, A),
        line(lambda x, w: np.average(x, weights=w), A, P[:2, None] + np.abs(B)),
        line(lambda x, w: np.average(x, axis=1, weights=w), A, P[:3]),
        line(lambda x, w: np.average(x, axis=0, weights=w, keepdims=True), A, P[:2]),
        line(lambda x, w: np.average(x, axis=(2, 0), weights=w), T3, np.abs(T3[0, :2]) + 0.1),
        line(lambda x, w: np.average(x, 0, w, returned=True), A, P[:2]),
        line(lambda x: np.average(x, axis=0, returned=True)[0], A),
    ],
    "cov": [
        line(np.cov, A),
        line(np.cov, V),
        line(np.cov, V, W),
        line(with_(np.cov, rowvar=False), A),
        line(with_(np.cov, bias=True), A),
        line(with_(np.cov, ddof=0), A),
        line(lambda x, w: np.cov(x, aweights=w), A, P[:3]),
        line(lambda x, w: np.cov(x, aweights=w, ddof=0), A, P[:3]),
        line(lambda x: np.cov(x, fweights=np.array([1, 2, 1])), A),
        line(lambda x: np.cov(x, fweights=np.array([1, 2, 1]), aweights=P[:3]), A),
        line(np.cov, ZM),
    ],
    "corrcoef": [
        line(np.corrcoef, V, W),
        line(with_(np.corrcoef, rowvar=False), M[:, :2]),
        line(np.corrcoef, M),
    ],
    "median": [
        line(np.median, V),
        line(np.median, V[:3]),
        line(with_(np.median, axis=0), A),
        line(with_(np.median, axis=-1, keepdims=True), A),
        line(with_(np.median, axis=(0, 2)), T3),
        line(with_(np.median, axis=1), T3),
        line(np.median, S0),
        line(np.median, F),
    ],
    "quantile": [
        line(np.quantile, V, 0.3),
        line(lambda x, q: np.quantile(x, q, axis=1), A, 0.3),
        line(lambda x, q: np.quantile(x, q, axis=0, keepdims=True), A, np.array([0.2, 0.6])),
        line(lambda x, q: np.quantile(x, q, axis=(0, 2)), T3, np.array([0.2, 0.9, 0.35])),
        line(lambda q: np.quantile(V, q), 0.4),
        line(lambda x: np.quantile(x, [0.25, 0.5, 1.0]), V[:3]),
        line(lambda x: np.quantile(x, [0.3]), V),
        *(
            line(with_(np.quantile, method=method), V, 0.37)
            for method in (
                "inverted_cdf averaged_inverted_cdf closest_observation interpolated_inverted_cdf hazen "
                "weibull median_unbiased normal_unbiased lower higher midpoint nearest"
            ).split()
        ),
    ],
    "percentile": [
        line(np.percentile, V, 30.0),
        line(lambda x: np.percentile(x, [25, 50, 90], axis=1), A),
        line(lambda x, q: np.percentile(a=x, q=q, axis=0), A, 44.0),
    ],
}

CUMULATIVE = {
    "cumsum": [
        line(np.cumsum, V),
        line(np.cumsum, A),
        line(with_(np.cumsum, axis=0), A),
        line(lambda x: x.cumsum(-1), T3),
        line(np.cumsum, F),
        line(with_(np.cumsum, axis=0), E0),
        line(np.cumsum, Z),
    ],
    "cumprod": [
        line(np.cumprod, V),
        line(np.cumprod, A),
        line(with_(np.cumprod, axis=1), A),
        line(lambda x: x.cumprod(0), T3),
        line(np.cumprod, np.array([0.5, 0.0, 2.0, 0.0, 1.5])),
        line(np.cumprod, F),
        line(with_(np.cumprod, axis=0), E0),
        line(np.cumprod, Z),
    ],
    "cumulative_sum": [
        line(newer("cumulative_sum"), V),
        line(with_(newer("cumulative_sum"), axis=1, include_initial=True), A),
    ],
    "cumulative_prod": [
        line(newer("cumulative_prod"), V),
        line(with_(newer("cumulative_prod"), axis=0, include_initial=True), A),
    ],
    "add.accumulate": [line(np.add.accumulate, A), line(np.multiply.accumulate, A)],
    "logcumsumexp": [
        line(dk.numpy.logcumsumexp, V),
        line(with_(dk.numpy.logcumsumexp, axis=0), A),
        line(with_(dk.numpy.logcumsumexp, axis=-1), T3),
        line(np.logaddexp.accumulate, A),
        line(dk.numpy.logcumsumexp, 30.0 * V),
        line(with_(dk.numpy.logcumsumexp, axis=0), E0),
        line(dk.numpy.logcumsumexp, F),
    ],
    "diff": [
        line(np.diff, V),
        line(with_(np.diff, n=2), V),
        line(with_(np.diff, n=3, axis=0), M[:, :2].repeat(2, axis=0) * W[:3].repeat(2)[:, None]),
        line(with_(np.diff, axis=0), A),
        line(with_(np.diff, n=5), V),
        line(with_(np.diff, n=0), V),
        line(lambda x, p, q: np.diff(x, prepend=p, append=q), V, 0.3, W[:2]),
        line(lambda x, p: np.diff(x, axis=0, prepend=p), A, ROW),
    ],
    "ediff1d": [
        line(np.ediff1d, A),
        line(lambda x, p, q: np.ediff1d(x, to_end=p, to_begin=q), V, 0.3, W[:2]),
    ],
    "gradient": [
        line(np.gradient, V),
        line(with_(np.gradient, edge_order=2), V),
        line(np.gradient, A),
        line(with_(np.gradient, axis=1), A),
        line(lambda x: np.gradient(x, axis=(1, 0)), A),
        line(np.gradient, V, 0.3),
        line(np.gradient, A, 0.3, 0.7),
        line(np.gradient, V, np.cumsum(P)),
        line(with_(np.gradient, edge_order=2), V, np.cumsum(P)),
        line(lambda f, x, y: np.gradient(f, x, y), A, np.cumsum(P[:2]), np.cumsum(P[:3])),
        line(with_(np.gradient, edge_order=2, axis=0), M, 0.5),
    ],
    "trapezoid": [
        line(np.trapezoid, V),
        line(np.trapezoid, A, np.cumsum(P[:3])),
        line(lambda y, x: np.trapezoid(y, x, axis=0), A, np.cumsum(P[:2])),
        line(lambda y, x: np.trapezoid(y, x=x), A, np.cumsum(P[:3]) * COLUMN),
        line(lambda y, h: np.trapezoid(y, dx=h, axis=0), A, 0.3),
    ],
    "interp": [
        line(np.interp, np.array([0.2, 1.9, 3.3]), np.cumsum(P), W),
        line(np.interp, np.array([-1.0, 9.0, 1.3]), np.cumsum(P), W),
        line(
            lambda x, xp, fp, a, b: np.interp(x, xp, fp, a, b),
            np.array([-1.0, 9.0, 1.3]),
            np.cumsum(P),
            W,
            0.1,
            0.2,
        ),
        line(np.interp, 1.3, np.cumsum(P), W),
        line(lambda x: np.interp(x, [-0.1, 1.05, 2.3], [1.0, 3.0, 2.0]), A),
        line(lambda fp: np.interp(0.5, [0.0, 1.0], fp), V[:2]),
        line(lambda x, xp, fp: np.interp(x, xp, fp, period=2.0), np.array([0.2, 4.6, -0.3]), V + 0.3 * P, W),
    ],
    "unwrap": [
        line(np.unwrap, 3.0 * V),
        line(with_(np.unwrap, axis=0), 4.0 * A),
        line(with_(np.unwrap, period=2.0), 3.0 * V),
    ],
}

SHAPING = {
    "reshape": [
        line(lambda x: np.reshape(x, (3, 2)), A),
        line(lambda x: np.reshape(x, -1, order="F"), A),
        line(lambda x: x.reshape(3, -1), A),
        line(lambda x: np.reshape(x, (1, 1)), F),
        line(lambda x: np.reshape(x, (3, 0)), E0),
        line(lambda x: np.reshape(x, (6,), order="C"), A),
    ],
    "ravel": [
        line(np.ravel, A),
        line(lambda x: np.ravel(x, "F"), A),
        line(lambda x: x.flatten(), A),
        line(np.ravel, F),
    ],
    "squeeze": [line(np.squeeze, ROW), line(with_(np.squeeze, axis=0), ROW), line(np.squeeze, E0)],
    "expand_dims": [
        line(lambda x: np.expand_dims(x, (0, -1)), A),
        line(lambda x: np.expand_dims(a=x, axis=0), F),
    ],
    "transpose": [
        line(np.transpose, A),
        line(lambda x: np.transpose(x, (2, 0, 1)), T3),
        line(lambda x: np.transpose(x, (-1, 0, 1)), T3),
        line(lambda x: x.T, A),
        line(lambda x: x.transpose(1, 2, 0), T3),
        line(np.transpose, F),
    ],
    "permute_dims": [line(lambda x: np.permute_dims(x, axes=(1, 2, 0)), T3)],
    "matrix_transpose": [line(np.matrix_transpose, T3), line(lambda x: x.mT, T3)],
    "swapaxes": [line(lambda x: np.swapaxes(x, 0, -1), T3), line(lambda x: x.swapaxes(1, 0), A)],
    "moveaxis": [
        line(lambda x: np.moveaxis(x, 0, -1), T3),
        line(lambda x: np.moveaxis(x, (0, 1), (2, 0)), T3),
    ],
    "rollaxis": [
        line(lambda x: np.rollaxis(x, 2), T3),
        line(lambda x: np.rollaxis(x, 0, 2), T3),
        line(lambda x: np.rollaxis(x, 0, 3), T3),
        line(lambda x: np.rollaxis(x, -1, 1), T3),
    ],
    "flip": [line(np.flip, A), line(lambda x: np.flip(x, 0), A), line(lambda x: np.flip(x, axis=(0, 2)), T3)],
    "fliplr": [line(np.fliplr, A)],
    "flipud": [line(np.flipud, A)],
    "roll": [
        line(lambda x: np.roll(x, 2), A),
        line(lambda x: np.roll(x, -1, axis=1), A),
        line(lambda x: np.roll(x, shift=(1, -1), axis=(0, 2)), T3),
    ],
    "rot90": [
        line(np.rot90, A),
        line(lambda x: np.rot90(x, k=3, axes=(1, 2)), T3),
        line(with_(np.rot90, k=2), A),
    ],
    "broadcast_to": [
        line(lambda x: np.broadcast_to(x, (2, 2, 3)), ROW),
        line(lambda x: np.broadcast_to(x, (2, 3)), F),
    ],
    "broadcast_arrays": [line(np.broadcast_arrays, ROW, COLUMN), line(np.broadcast_arrays, A, F)],
    "atleast_1d": [line(np.atleast_1d, F), line(np.atleast_1d, A), line(np.atleast_1d, F, A)],
    "atleast_2d": [line(np.atleast_2d, V), line(np.atleast_2d, F, T3)],
    "atleast_3d": [line(np.atleast_3d, V), line(np.atleast_3d, A), line(np.atleast_3d, F, T3)],
    "copy": [line(np.copy, A), line(lambda x: x.copy(), A), line(np.copy, F)],
    "astype": [line(lambda x: np.astype(x, np.float64), A), line(lambda x: x.astype(complex) * 1j, A)],
    "resize": [line(lambda x: np.resize(x, (2, 4)), A), line(lambda x: np.resize(x, (2, 2)), A)],
    "diag": [
        line(np.diag, V),
        line(with_(np.diag, k=1), V),
        line(with_(np.diag, k=-2), V),
        line(np.diag, A),
        line(with_(np.diag, k=1), A),
        line(with_(np.diag, k=-1), A),
        line(with_(np.diag, k=7), A),
    ],
    "diagflat": [line(np.diagflat, A), line(with_(np.diagflat, k=1), V)],
    "diagonal": [
        line(np.diagonal, A),
        line(lambda x: np.diagonal(x, 1), A),
        line(lambda x: np.diagonal(x, -1, 0, 2), T3),
        line(lambda x: np.diagonal(x, axis1=2, axis2=1), T3),
        line(lambda x: np.diagonal(x, axis1=-1, axis2=0), T3),
        line(lambda x: x.diagonal(), M),
    ],
    "trace": [line(np.trace, M), line(lambda x: np.trace(x, 1), A), line(lambda x: np.trace(x, 0, 2, 0), T3)],
    "tril": [line(np.tril, A), line(with_(np.tril, k=1), M), line(np.tril, T3)],
    "triu": [line(np.triu, A), line(with_(np.triu, k=-1), M), line(lambda x: np.triu(x, 1), T3)],
}

JOINING = {
    "concatenate": [
        line(lambda x, y: np.concatenate([x, y]), A, ROW),
        line(lambda x, y: np.concatenate((x, y, x), axis=1), A, COLUMN),
        line(lambda x, y: np.concatenate([x, y], axis=None), A, V),
        line(lambda x: np.concatenate([x, [[1, 2, 3]]], 0), A),
        line(lambda x: np.concatenate(x), A),
        line(lambda x: np.concatenate([x, x], axis=-1), E0),
    ],
    "concat": [line(lambda x, y: np.concat([x, y], axis=0), A, ROW)],
    "stack": [
        line(lambda x, y: np.stack([x, y]), A, B),
        line(lambda x, y: np.stack((x, y), axis=1), A, B),
        line(lambda x, y: np.stack([x, y], axis=-1), V, W),
        line(lambda x, y: np.stack([x, 1.0, y]), F, S0),
    ],
    "vstack": [line(lambda x, y: np.vstack([x, y]), A, ROW[0])],
    "hstack": [line(lambda x, y: np.hstack([x, y]), A, COLUMN), line(lambda x, y: np.hstack([x, y]), V, F)],
    "dstack": [line(lambda x, y: np.dstack([x, y]), A, B), line(lambda x, y: np.dstack([x, y]), V, W)],
    "column_stack": [
        line(lambda x, y: np.column_stack([x, y]), V, W),
        line(lambda x: np.column_stack((x, V[:2])), A),
    ],
    "block": [
        line(lambda x, y, z: np.block([[x, z], [y, 1.0]]), A, ROW, COLUMN),
        line(lambda x, y: np.block([x, y]), V, F),
    ],
    "append": [
        line(np.append, A, V),
        line(lambda x, y: np.append(x, y, axis=0), A, ROW),
        line(lambda x: np.append(x, 3.0), V),
    ],
    "split": [
        line(lambda x: np.split(x, 3, axis=1), A),
        line(lambda x: np.split(x, [1, 3]), V),
        line(lambda x: np.split(x, 2)[1], V),
    ],
    "array_split": [
        line(lambda x: np.array_split(x, 3), V),
        line(lambda x: np.array_split(x, [1], axis=1), A),
    ],
    "hsplit": [line(lambda x: np.hsplit(x, 3), A), line(lambda x: np.hsplit(x, [1]), V)],
    "vsplit": [line(lambda x: np.vsplit(x, 2), A)],
    "dsplit": [line(lambda x: np.dsplit(x, [1]), T3)],
    "unstack": [line(newer("unstack"), A), line(with_(newer("unstack"), axis=-1), T3)],
    "tile": [
        line(lambda x: np.tile(x, 2), A),
        line(lambda x: np.tile(x, (2, 1, 3)), V),
        line(lambda x: np.tile(x, (2,)), T3),
        line(lambda x: np.tile(x, (2, 2)), F),
    ],
    "repeat": [
        line(lambda x: np.repeat(x, 2), A),
        line(lambda x: np.repeat(x, 3, axis=1), A),
        line(lambda x: np.repeat(x, [2, 0, 1], axis=-1), A),
        line(lambda x: x.repeat([1, 3], 0), A),
        line(lambda x: np.repeat(x, 3), F),
        line(lambda x: np.repeat(x, [1, 2, 0, 1, 0, 2]), A),
    ],
    "meshgrid": [
        line(np.meshgrid, V, W[:3]),
        line(with_(np.meshgrid, indexing="ij"), V, W[:3], U[:2]),
        line(with_(np.meshgrid, sparse=True), V, W[:3]),
        line(np.meshgrid, V),
    ],
    "pad": [
        line(lambda x: np.pad(x, 1), A),
        line(lambda x: np.pad(x, (1, 2), constant_values=3.0), A),
        line(lambda x: np.pad(x, ((0, 1), (2, 0))), A),
        line(lambda x: np.pad(x, [(0, 1), (2, 0)], mode="edge"), A),
        line(lambda x: np.pad(x, 2, "reflect"), M),
        line(lambda x: np.pad(x, 2, "symmetric"), M),
        line(lambda x: np.pad(x, (1, 3), "wrap"), V),
        line(lambda x: np.pad(x, ((1, 2), (3, 0)), "linear_ramp"), A),
        line(lambda x: np.pad(x, 2, "linear_ramp", end_values=((1.0, 2.0), (3.0, -1.0))), A),
        line(lambda x: np.pad(x, ((1, 0), (2, 3)), "mean"), A),
        line(lambda x: np.pad(x, 2, "mean", stat_length=((1, 2), (2, 1))), A),
        line(lambda x: np.pad(x, ((1, 0), (2, 3)), "maximum"), A),
        line(lambda x: np.pad(x, (2, 1), "minimum", stat_length=2), V),
        line(lambda x: np.pad(x, (2, 1), "median", stat_length=3), V),
        line(lambda x: np.pad(x, (1, 2), "median"), V),
        line(lambda x: np.pad(x, (2, 5), "reflect", reflect_type="odd"), V),
        line(lambda x: np.pad(x, ((2, 1), (0, 2)), "symmetric", reflect_type="odd"), A),
    ],
    "insert": [
        line(lambda x, v: np.insert(x, 1, v), V, 0.3),
        line(lambda x, v: np.insert(x, 1, v, axis=1), A, V[:2]),
        line(lambda x, v: np.insert(x, [1], v, axis=1), A, COLUMN),
        line(lambda x, v: np.insert(x, [0, 2], v), V, W[:2]),
        line(lambda x, v: np.insert(x, [1, 1, 3], v, axis=1), A, ROW),
        line(lambda x, v: np.insert(x, slice(0, 4, 2), v), V, W[:2]),
        line(lambda x: np.insert(x, 2, [5.0, 6.0]), A),
        line(lambda v: np.insert(V, 2, v), F),
    ],
    "delete": [
        line(lambda x: np.delete(x, 1), V),
        line(lambda x: np.delete(x, [0, 2], axis=1), A),
        line(lambda x: np.delete(x, slice(0, 2)), A),
        line(lambda x: np.delete(x, np.array([True, False]), axis=0), A),
    ],
    "trim_zeros": [line(lambda x: np.trim_zeros(x * np.array([0, 0, 1, 1])), V)],
}

INDEXING = {
    "getitem": [
        line(lambda x: x[1], A),
        line(lambda x: x[..., -1], T3),
        line(lambda x: x[:, ::2], A),
        line(lambda x: x[None, 1, :, np.newaxis], A),
        line(lambda x: x[[0, 1, 0, 0]], A),
        line(lambda x: x[x > 0], A),
        line(lambda x: x[np.array([[0, 1], [1, 1]]), np.array([0, 2])], A),
        line(lambda x: x[:, [2, 2]], A),
        line(lambda x: x[0, 1], A),
        line(lambda x: x[np.argsort(x)], V),
        line(lambda x: x[()], S0),
        line(lambda x: x[1:], E0),
    ],
    "take": [
        line(lambda x: np.take(x, [0, 4, 4]), A),
        line(lambda x: np.take(x, [[2, 0], [1, 1]], axis=1), A),
        line(lambda x: x.take(1, axis=-1), A),
        line(lambda x: np.take(x, [5, -7], mode="wrap"), V),
        line(lambda x: np.take(x, [5, -7], mode="clip"), V),
        line(lambda x: np.take(x, np.argsort(x[0]), axis=1), A),
    ],
    "take_along_axis": [
        line(lambda x: np.take_along_axis(x, np.argsort(x, axis=1), axis=1), A),
        line(lambda x: np.take_along_axis(x, np.array([[0, 0, 1]]), 0), A),
        line(lambda x: np.take_along_axis(x, np.array([3, 1]), None), A),
    ],
    "compress": [
        line(lambda x: np.compress([True, False, True], x, axis=1), A),
        line(lambda x: x.compress([0, 1], axis=0), A),
    ],
    "extract": [line(lambda x: np.extract(x > 0, x), A), line(lambda x: np.extract(MASK, x), A)],
    "choose": [line(lambda x, y: np.choose([0, 1, 1], [x, y]), V[:3], W[:3])],
    "sliding_window_view": [line(lambda x: np.lib.stride_tricks.sliding_window_view(x, 2), V)],
    "where": [
        line(lambda x, y: np.where(MASK, x, y), A, B),
        line(lambda x, y: np.where(x > 0, x, y), A, ROW),
        line(lambda x: np.where(MASK, x, 0.0), F),
        line(lambda x, y: np.where(MASK[:1], x, y), COLUMN, ROW),
        line(lambda x: np.where(MASK, [1.0, 2.0, 3.0], x), A),
        line(lambda x: x[np.where(x > 0)], A),
    ],
    "select": [
        line(lambda x, y: np.select([x > 1, x < 0], [x, y]), A, B),
        line(lambda x, d: np.select([x > 1, x < 0], [x * x, 2 * x], default=d), A, 0.3),
    ],
    "piecewise": [
        line(lambda x: np.piecewise(x, [x < 0, x >= 0], [lambda x: -x, lambda x: x * x]), V),
        line(lambda x: np.piecewise(x, [x < 0], [-1.0, lambda x: x**3]), A),
    ],
    "histogram": [
        line(lambda w: np.histogram([0.1, 2.0, 0.7, 3.0], 3, weights=w)[0], V),
        line(
            lambda w: np.histogram([[0.1, 2.0], [0.7, 5.0]], [0.0, 1.0, 2.0], weights=w)[0], V.reshape(2, 2)
        ),
        line(lambda w: np.histogram(W, 2, (-1.0, 3.0), density=True, weights=w)[0], P),
        line(lambda x: x * np.histogram(x, 2, (-3.0, 3.0))[0].sum(), V),
    ],
    "bincount": [
        line(lambda w: np.bincount([0, 2, 2, 1], w), V),
        line(lambda w: np.bincount([0, 1], w, 5), V[:2]),
    ],
    "sort": [
        line(np.sort, V),
        line(np.sort, A),
        line(with_(np.sort, axis=0), A),
        line(with_(np.sort, axis=None), A),
        line(with_(np.sort, axis=0), E0),
    ],
    "partition": [line(lambda x: np.partition(x, 2), V), line(lambda x: np.partition(x, 1, axis=0), M)],
    "unique": [
        line(np.unique, V),
        line(lambda x: np.unique(x, return_counts=True)[0], A),
        line(with_(np.unique, axis=0), A),
    ],
    "unique_values": [line(np.unique_values, V)],
    "union1d": [line(np.union1d, V, W)],
    "apply_along_axis": [
        line(lambda x: np.apply_along_axis(lambda r: np.sum(r * r), 1, x), A),
        line(lambda x: np.apply_along_axis(lambda r: np.outer(r, r), 0, x), A),
    ],
    "apply_over_axes": [line(lambda x: np.apply_over_axes(np.sum, x, [0, 2]), T3)],
}

PRODUCTS = {
    "matmul": [
        line(np.matmul, A, M),
        line(np.matmul, V, W),
        line(np.matmul, A, ROW[0]),
        line(np.matmul, V[:2], A),
        line(np.matmul, T3, A),
        line(lambda x, y: x @ y, T3, np.stack([A, B])),
        line(np.matmul, ROW[0], T3),
        line(np.matmul, T3, V[:2]),
        line(np.matmul, ZM, ZM.T * 2),
        line(np.matmul, A, ZM[0, 0] * M),
        line(np.matmul, E0, M),
    ],
    "dot": [
        line(np.dot, V, W),
        line(np.dot, A, M),
        line(np.dot, A, ROW[0]),
        line(np.dot, T3, A),
        line(np.dot, T3, T3.transpose(1, 2, 0)),
        line(np.dot, A, F),
        line(np.dot, F, V),
        line(np.dot, F, S0),
        line(lambda x: x.dot([1.0, 2.0, 3.0]), A),
        line(np.dot, V[:2], A),
        line(np.dot, E0, M),
        line(np.dot, ZM, ZM.T * 2),
    ],
    "inner": [line(np.inner, V, W), line(np.inner, A, M), line(np.inner, T3, M[:, :2]), line(np.inner, F, A)],
    "outer": [line(np.outer, V, W), line(np.outer, A, V), line(np.outer, F, V), line(np.outer, Z, V)],
    "vdot": [line(np.vdot, V, W), line(np.vdot, A, B), line(np.vdot, Z, Z[::-1] + 1), line(np.vdot, F, S0)],
    "vecdot": [
        line(np.vecdot, A, B),
        line(np.vecdot, A, ROW),
        line(lambda x, y: np.vecdot(x, y, axis=0), A, B),
        line(np.vecdot, ZM, ZM[::-1] + 1),
    ],
    "matvec": [
        line(newer("matvec"), M, A),
        line(newer("matvec"), T3, V[:2]),
        line(newer("matvec"), ZM, ZM[0] + 1),
    ],
    "vecmat": [
        line(newer("vecmat"), A, M),
        line(newer("vecmat"), ROW[0], T3),
        line(newer("vecmat"), ZM[0] + 1, ZM),
    ],
    "tensordot": [
        line(np.tensordot, T3, T3.transpose(1, 2, 0)),
        line(with_(np.tensordot, axes=1), A, M),
        line(with_(np.tensordot, axes=0), A, V),
        line(with_(np.tensordot, axes=([0, 2], [2, 0])), T3, T3.transpose(2, 1, 0)),
        line(with_(np.tensordot, axes=([2, 0], [0, 2])), T3, T3.transpose(2, 1, 0)),
        line(with_(np.tensordot, axes=([-1], [0])), A, M),
        line(with_(np.tensordot, axes=(1, 0)), A, M),
    ],
    "einsum": [
        line(lambda x, y: np.einsum("ij,jk->ik", x, y), A, M),
        line(lambda x: np.einsum("ij->i", x), A),
        line(lambda x: np.einsum("ii", x), M),
        line(lambda x: np.einsum("ii->i", x), M),
        line(lambda x, y: np.einsum("i,j", x, y), V, W),
        line(lambda x, y: np.einsum("...j,j->...", x, y), T3, V[:2]),
        line(lambda x, y: np.einsum("...ij,...jk->...ik", x, y), T3, np.stack([A, B])),
        line(lambda x, y, z: np.einsum("ij,jk,i->k", x, y, z), A, M, V[:2]),
        line(lambda x, y, z: np.einsum("ij,jk,i->k", x, y, z, optimize=True), A, M, V[:2]),
        line(lambda x, y: np.einsum(x, [0, 1], y, [1, 2], [0, 2]), A, M),
        line(lambda x, y: np.einsum("ij,k->k", x, y), A, V),
        line(lambda x: np.einsum("iij->j", x), np.stack([A, B]).transpose(0, 1, 2)),
        line(lambda x, y: np.einsum("ij,ij->i", x, y), A, ROW),
        line(lambda x: np.einsum("i,i->", x, x), V),
        line(lambda x, y: np.einsum("ij,jk", x, y), ZM, ZM.T + 1),
    ],
    "kron": [
        line(np.kron, V, W[:2]),
        line(np.kron, A, M[:2]),
        line(np.kron, A, V[:2]),
        line(np.kron, T3, V[:2]),
    ],
    "cross": [
        line(np.cross, V[:3], W[:3]),
        line(np.cross, A, B),
        line(np.cross, A, ROW[0]),
        line(with_(np.cross, axis=0), A.T, B.T),
        line(lambda x, y: np.cross(x, y, axisa=0, axisb=1, axisc=0), A.T, B),
    ],
    "multiply.outer": [line(np.multiply.outer, V, A)],
    "hypot.outer": [line(np.hypot.outer, A, V), line(lambda x: np.subtract.outer(x, 2.0), V)],
    "maximum.accumulate": [
        line(np.maximum.accumulate, V),
        line(lambda x: np.minimum.accumulate(x, axis=1), A),
    ],
    "subtract.accumulate": [
        line(np.subtract.accumulate, A),
        line(lambda x: np.logaddexp2.accumulate(x, -1), A),
    ],
    "logaddexp.reduce": [
        line(np.logaddexp.reduce, A),
        line(lambda x: np.hypot.reduce(x, axis=None), A),
        line(lambda x: np.subtract.reduce(x, 1, keepdims=True), A),
    ],
    "add.reduceat": [
        line(lambda x: np.add.reduceat(x, [0, 2, 1, 3]), V),
        line(lambda x: np.add.reduceat(x, [0, 1], axis=-1), A),
    ],
    "maximum.reduceat": [
        line(lambda x: np.maximum.reduceat(x, [2, 0, 1], 1), A),
        line(lambda x: np.multiply.reduceat(x, [0, 2]), V),
    ],
    "convolve": [
        line(lambda x, y, mode=mode: np.convolve(x, y, mode), x, y)
        for mode in ("full", "same", "valid")
        for x, y in [(V, W[:3]), (V[:2], W), (V, W[:2]), (V[:3], W)]
    ]
    + [line(np.convolve, Z, Z[:2] + 1)],
    "correlate": [
        line(lambda x, y, mode=mode: np.correlate(x, y, mode), x, y)
        for mode in ("full", "same", "valid")
        for x, y in [(V, W[:3]), (V[:2], W), (V, W[:2]), (V[:3], W)]
    ]
    + [line(np.correlate, Z, Z[:2] + 1), line(np.correlate, V, W)],
}

POLYNOMIALS = {
    "polyval": [
        line(np.polyval, V, A),
        line(np.polyval, V, F),
        line(lambda x: np.polyval([1.0, 2.0, 3.0], x), V),
    ],
    "polyadd": [line(np.polyadd, V, W[:2])],
    "polysub": [line(np.polysub, V[:2], W)],
    "polymul": [line(np.polymul, V, W[:2])],
    "polyder": [line(np.polyder, V), line(lambda p: np.polyder(p, m=2), V)],
    "polyint": [line(np.polyint, V), line(lambda p, k: np.polyint(p, m=2, k=k), V, W[:2])],
    "polydiv": [
        line(lambda u, v: np.polydiv(u, v)[0], V, W[:2]),
        line(lambda u, v: np.polydiv(u, v)[1], V, W[:3]),
        line(lambda u: np.polydiv(u, [2.0, -1.0])[1], V),
        line(lambda v: np.polydiv([1.0, 2.0, 0.5], v)[0], P[:2]),
        line(lambda u, v: np.polydiv(u, v)[1], V[:2], W),
    ],
    "roots": [line(np.roots, np.array([1.0, -6.0, 11.0, -6.2])), line(np.roots, np.array([2.0, -3.0, 0.9]))],
    "poly": [line(np.poly, V)],
    "vander": [line(np.vander, V), line(lambda x: np.vander(x, N=3, increasing=True), V)],
    "polyfit": [
        line(lambda x, y: np.polyfit(x, y, 2), V, W),
        line(lambda x, y, w: np.polyfit(x, y, 1, w=w), V, W, P),
    ],
}

CONSTRUCTION = {
    "array": [
        line(lambda x, y: dk.numpy.array([x, y, 1.0]), F, S0),
        line(lambda x, y: dk.numpy.array([[x, y], [1.0, x]]), F, 0.2),
        line(lambda x, y: dk.numpy.array([x, y]), A, B),
        line(lambda x, y: dk.numpy.array(((x, y), [y, W])), V, U),
        line(lambda x: dk.numpy.array(x), A),
        line(lambda x: dk.numpy.array([x], ndmin=3), F),
        line(lambda x: dk.numpy.asarray([x[0], 2 * x[1]]), V),
    ],
    "full": [line(lambda x: dk.numpy.full((2, 3), x), F), line(lambda x: dk.numpy.full((2, 4), x), V)],
    "full_like": [
        line(lambda a, x: dk.numpy.full_like(a, x), A, F),
        line(lambda x: dk.numpy.full_like(A, x), F),
    ],
    "linspace": [
        line(lambda a, b: np.linspace(a, b, 5), 0.3, 1.9),
        line(lambda a, b: np.linspace(a, b, num=4, endpoint=False), V, W),
        line(lambda a, b: np.linspace(a, b, 3, axis=-1), A, ROW),
        line(lambda b: np.linspace(0.0, b, 6), F),
        line(lambda a: np.linspace(a, 3.0, 1), F),
        line(lambda a, b: np.linspace(a, b, 3, retstep=True), 0.3, 1.9),
        line(lambda a, b: np.linspace(start=a, stop=b, num=0), 0.3, 1.9),
    ],
    "logspace": [
        line(lambda a, b: np.logspace(a, b, 4), 0.3, 0.9),
        line(lambda a, b: np.logspace(0.1, a, 3, base=b), 0.4, 2.3),
    ],
    "geomspace": [
        line(lambda a, b: np.geomspace(a, b, 4), 0.3, 5.0),
        line(lambda a, b: np.geomspace(a, b, 4), -P, -2 * P),
    ],
}

FAMILIES = {
    "elementwise": ELEMENTWISE,
    "reductions": REDUCTIONS,
    "statistics": STATISTICS,
    "cumulative": CUMULATIVE,
    "shaping": SHAPING,
    "joining": JOINING,
    "indexing": INDEXING,
    "products": PRODUCTS,
    "polynomials": POLYNOMIALS,
    "construction": CONSTRUCTION,
}

if newer("unstack") is missing:
    del ELEMENTWISE["clip by min and max"]
for _functions in FAMILIES.values():
    for _name in "astype cumulative_sum cumulative_prod unstack matvec vecmat".split():
        if newer(_name) is missing:
            _functions.pop(_name, None)
