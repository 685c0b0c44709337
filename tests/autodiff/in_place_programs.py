"""Course programs that work in place, as people write them: by assignment, views, ``+=`` and ``out=``.

Each is written with ``np`` as its namespace, and takes one array; some run with torch's tensors as well.
"""

import numpy

import diffkit.numpy as np

X = numpy.array([0.9, -0.4, 1.3, 0.55, -1.1, 0.35])
PROGRAMS = []
BY_TORCH = {}


def program(f):
    PROGRAMS.append(f)
    return f


def by_torch(f):
    """The same program with what torch calls otherwise, to be differentiated by it."""
    BY_TORCH[f.__name__] = f


# -- differential equations -------------------------------------------------------------------------------


@program
def heat_equation_by_slices(u0):
    u = u0.copy()
    for _ in range(4):
        u[1:-1] = u[1:-1] + 0.2 * (u[2:] - 2 * u[1:-1] + u[:-2])
    return np.sum(u**2)


@by_torch
def heat_equation_by_slices(u0):  # noqa: F811
    u = u0.clone()
    for _ in range(4):
        u[1:-1] = u[1:-1] + 0.2 * (u[2:] - 2 * u[1:-1] + u[:-2])
    return (u**2).sum()


@program
def heat_equation_in_place(u0):
    u = u0.copy()
    inside = u[1:-1]
    for _ in range(3):
        inside += 0.2 * (u[2:] - 2 * inside + u[:-2])
        u[0] = u[1]
        u[-1] *= 0.5
    return np.sum(np.sin(u))


@program
def heat_equation_by_elements(u0):
    u, new = u0.copy(), np.empty_like(u0)
    for _ in range(3):
        new[0], new[-1] = u[0], u[-1]
        for i in range(1, len(u) - 1):
            new[i] = u[i] + 0.3 * (u[i + 1] - 2 * u[i] + u[i - 1])
        u, new = new, u
    return np.sum(u * numpy.arange(6.0))


@program
def heat_equation_in_two_dimensions(x):
    u = np.zeros((4, 5))
    u[1:-1, 1:-1] = x.reshape(2, 3)
    for _ in range(3):
        u[1:-1, 1:-1] += 0.1 * (u[:-2, 1:-1] + u[2:, 1:-1] + u[1:-1, :-2] + u[1:-1, 2:] - 4 * u[1:-1, 1:-1])
    return np.sum(u**3)


@program
def upwind_advection(u):
    u = np.array(u)
    for _ in range(4):
        u[1:] -= 0.4 * (u[1:] - u[:-1])
        u[0] = u[-1]
    return u[2] * u[3] + u[4]


@by_torch
def upwind_advection(u):  # noqa: F811
    u = u.clone()
    for _ in range(4):
        u[1:] = u[1:] - 0.4 * (u[1:] - u[:-1])
        u[0] = u[-1].clone()
    return u[2] * u[3] + u[4]


@program
def wave_equation_leapfrog(x):
    history = np.zeros((4, 6))
    history[0] = x
    history[1] = x
    for n in range(1, 3):
        history[n + 1, 1:-1] = (
            2 * history[n, 1:-1]
            - history[n - 1, 1:-1]
            + 0.25 * (history[n, 2:] - 2 * history[n, 1:-1] + history[n, :-2])
        )
    return np.sum(history**2)


@program
def runge_kutta_into_a_table(p):
    def slope(y):
        return np.array([y[0] * (p[0] - p[1] * y[1]), y[1] * (p[2] * y[0] - p[3])])

    table, h = np.zeros((6, 2)), 0.1
    table[0] = [1.0 + p[4], 0.5 + p[5]]
    for k in range(5):
        y = table[k]
        k1 = slope(y)
        k2 = slope(y + h / 2 * k1)
        k3 = slope(y + h / 2 * k2)
        k4 = slope(y + h * k3)
        table[k + 1] = y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return np.sum(table[-1] ** 2) + table[2, 1]


@program
def velocity_verlet(x):
    r, v = x[:3].copy(), x[3:].copy()
    a = -r
    for _ in range(5):
        r += 0.1 * v + 0.005 * a
        new = -r + 0.1 * r**3
        v += 0.05 * (a + new)
        a[:] = new
    return np.sum(r**2 + v**2)


@program
def euler_with_a_buffer(x):
    y, step = x.copy(), np.empty_like(x)
    for _ in range(4):
        np.sin(y, out=step)
        np.multiply(step, 0.1, out=step)
        np.add(y, step, out=y)
    return np.sum(y * y)


# -- linear algebra ---------------------------------------------------------------------------------------


@program
def thomas(d):
    n = len(d)
    c, x = np.zeros(n), np.zeros(n)
    d = d.copy()
    c[0] = -0.4
    for i in range(1, n):
        w = 1.0 / (2.5 + c[i - 1])
        c[i] = -w
        d[i] = (d[i] + d[i - 1]) * w
    x[-1] = d[-1]
    for i in range(n - 2, -1, -1):
        x[i] = d[i] - c[i] * x[i + 1]
    return np.sum(x**2)


def _matrix(x):
    A = np.eye(3) * 4.0
    A[0, 1:] = x[:2]
    A[1:, 0] = x[2:4]
    A[1, 2], A[2, 1] = x[4], x[5]
    return A


@program
def lu_in_place(x):
    A = _matrix(x)
    n = len(A)
    for k in range(n):
        A[k + 1 :, k] /= A[k, k]
        A[k + 1 :, k + 1 :] -= np.outer(A[k + 1 :, k], A[k, k + 1 :])
    return np.sum(A * numpy.arange(9.0).reshape(3, 3))


@program
def lu_by_elements(x):
    A = _matrix(x)
    L = np.eye(3)
    for k in range(3):
        for i in range(k + 1, 3):
            L[i, k] = A[i, k] / A[k, k]
            for j in range(k, 3):
                A[i, j] -= L[i, k] * A[k, j]
    return A[0, 0] * A[1, 1] * A[2, 2] + np.sum(L)


@program
def gaussian_elimination_with_pivots(x):
    A = _matrix(x)
    A[0] *= 0.1
    b = np.array([1.0, 2.0, 3.0])
    for k in range(3):
        p = k + int(np.argmax(np.abs(A[k:, k])))
        A[[k, p]] = A[[p, k]]
        b[[k, p]] = b[[p, k]]
        for i in range(k + 1, 3):
            m = A[i, k] / A[k, k]
            A[i] -= m * A[k]
            b[i] -= m * b[k]
    y = np.zeros(3)
    for i in reversed(range(3)):
        y[i] = (b[i] - A[i, i + 1 :] @ y[i + 1 :]) / A[i, i]
    return np.sum(y**2)


@program
def cholesky_by_columns(x):
    A = _matrix(x)
    A = A @ A.T
    L = np.zeros_like(A)
    for j in range(3):
        L[j, j] = np.sqrt(A[j, j] - np.sum(L[j, :j] ** 2))
        for i in range(j + 1, 3):
            L[i, j] = (A[i, j] - np.sum(L[i, :j] * L[j, :j])) / L[j, j]
    return np.sum(np.log(np.diag(L))) + L[2, 0]


@program
def gauss_seidel(b):
    x = np.zeros_like(b)
    for _ in range(5):
        for i in range(len(b)):
            left = x[i - 1] if i else 0.0
            right = x[i + 1] if i + 1 < len(b) else 0.0
            x[i] = (b[i] + left + right) / 3.0
    return np.sum(x**2)


@program
def successive_over_relaxation(x):
    u = np.zeros((4, 5))
    u[0, 1:4], u[-1, 1:4] = x[:3], x[3:]
    for _ in range(3):
        for i in range(1, 3):
            for j in range(1, 4):
                average = 0.25 * (u[i - 1, j] + u[i + 1, j] + u[i, j - 1] + u[i, j + 1])
                u[i, j] += 1.3 * (average - u[i, j])
    return np.sum(u[1:-1] ** 2)


@program
def gram_schmidt(x):
    A = _matrix(x)
    Q = A.copy()
    for k in range(3):
        for j in range(k):
            Q[:, k] -= (Q[:, j] @ Q[:, k]) * Q[:, j]
        Q[:, k] /= np.sqrt(Q[:, k] @ Q[:, k])
    return np.sum(Q * numpy.arange(9.0).reshape(3, 3))


@program
def householder(x):
    R = _matrix(x)
    for k in range(2):
        v = R[k:, k].copy()
        v[0] += np.sign(v[0]) * np.sqrt(np.sum(v**2))
        v /= np.sqrt(np.sum(v**2))
        R[k:, k:] -= 2.0 * np.outer(v, v @ R[k:, k:])
    return R[0, 0] ** 2 + R[0, 2] * R[1, 2] + R[2, 2]


@program
def conjugate_gradients(b):
    A = 3.0 * numpy.eye(6) - numpy.eye(6, k=1) - numpy.eye(6, k=-1)
    x, r = np.zeros(6), b.copy()
    p = r.copy()
    for _ in range(3):
        q = A @ p
        old = r @ r
        alpha = old / (p @ q)
        x += alpha * p
        r -= alpha * q
        p *= (r @ r) / old
        p += r
    return np.sum(x**2)


@program
def power_iteration(x):
    A = _matrix(x)
    A += A.T
    v = np.ones(3)
    for _ in range(6):
        v[:] = A @ v
        v /= np.sqrt(v @ v)
    return v @ A @ v


@program
def a_kernel_with_noise_on_its_diagonal(x):
    K = np.exp(-((x[:4, None] - x[None, :4]) ** 2))
    K[np.diag_indices(4)] += 0.1 + x[4] ** 2
    return np.linalg.slogdet(K)[1]


@program
def natural_spline_right_side(y):
    n = len(y)
    A, r = np.zeros((n, n)), np.zeros(n)
    A[0, 0] = A[-1, -1] = 1.0
    for i in range(1, n - 1):
        A[i, i - 1 : i + 2] = [1.0, 4.0, 1.0]
        r[i] = 3.0 * (y[i + 1] - 2 * y[i] + y[i - 1])
    c = np.linalg.solve(A, r)
    return np.sum(c**2)


# -- probability, sequences, dynamic programming ----------------------------------------------------------


@program
def forward_algorithm(x):
    A = np.array([[0.7, 0.3], [0.4, 0.6]])
    emission = 1.0 / (1.0 + np.exp(-x.reshape(2, 3)))
    seen = [0, 2, 1, 0]
    alpha = np.zeros((4, 2))
    alpha[0] = 0.5 * emission[:, seen[0]]
    for t in range(1, 4):
        for s in range(2):
            alpha[t, s] = np.sum(alpha[t - 1] * A[:, s]) * emission[s, seen[t]]
    return np.log(np.sum(alpha[-1]))


@program
def viterbi(x):
    score = np.empty((3, 2))
    score[0] = x[:2]
    for t in range(1, 3):
        for s in range(2):
            score[t, s] = np.max(score[t - 1] + 0.3 * numpy.arange(2) * (s + 1)) + x[2 * t + s]
    return np.max(score[-1])


@program
def edit_distance_with_soft_minimum(x):
    D = np.zeros((4, 4))
    D[1:, 0], D[0, 1:] = np.cumsum(x[:3] ** 2), np.cumsum(x[3:] ** 2)
    for i in range(1, 4):
        for j in range(1, 4):
            steps = np.array(
                [D[i - 1, j] + 1.0, D[i, j - 1] + 1.0, D[i - 1, j - 1] + (x[i - 1] - x[j + 2]) ** 2]
            )
            D[i, j] = -np.log(np.sum(np.exp(-steps)))
    return D[-1, -1]


@program
def longest_increasing_weight(x):
    best = x.copy()
    for i in range(1, len(x)):
        for j in range(i):
            if x[j] < x[i] and best[j] + x[i] > best[i]:
                best[i] = best[j] + x[i]
    return np.max(best)


@program
def linear_recurrence(x):
    y = np.zeros(10)
    y[:6] = x
    for k in range(6, 10):
        y[k] = 0.5 * y[k - 1] - 0.2 * y[k - 2] * y[k - 6]
    return y[-1] ** 2 + np.sum(y)


@by_torch
def linear_recurrence(x):  # noqa: F811
    import torch

    y = torch.zeros(10, dtype=torch.float64)
    y[:6] = x
    for k in range(6, 10):
        y[k] = 0.5 * y[k - 1].clone() - 0.2 * y[k - 2].clone() * y[k - 6].clone()
    return y[-1] ** 2 + y.sum()


@program
def exponential_smoothing(x):
    s = np.empty(len(x))
    s[0] = x[0]
    for t in range(1, len(x)):
        s[t] = 0.3 * x[t] + 0.7 * s[t - 1]
    return np.sum((s[:-1] - x[1:]) ** 2)


@program
def binomial_tree(x):
    prices = np.exp(x)
    payoff = np.maximum(prices - 0.8, 0.0)
    while len(payoff) > 1:
        payoff[:-1] = 0.5 * (payoff[:-1] + payoff[1:])
        payoff = payoff[:-1]
    return payoff[0]


@program
def horner_for_many(c):
    at = numpy.linspace(-1.0, 1.0, 4)
    y = np.zeros_like(at)
    for coefficient in c:
        y *= at
        y += coefficient
    return np.sum(y**2)


# -- masks, padding, images -------------------------------------------------------------------------------


@program
def rectified(x):
    y = x * 2.0
    y[y < 0] = 0
    return np.sum(y**2)


@program
def leaky_in_place(x):
    y = x.copy()
    y[x < 0] *= 0.1
    y[y > 1] -= 0.5 * y[y > 1]
    return np.sum(y**3)


@by_torch
def leaky_in_place(x):  # noqa: F811
    y = x.clone()
    y[x < 0] = y[x < 0] * 0.1
    y[y > 1] = y[y > 1] - 0.5 * y[y > 1]
    return (y**3).sum()


@program
def safe_division(x):
    out = np.zeros_like(x)
    np.divide(1.0, x, out=out, where=x > 0)
    return np.sum(out)


@program
def padding_by_hand(x):
    image = x.reshape(2, 3)
    padded = np.zeros((4, 5))
    padded[1:-1, 1:-1] = image
    padded[0], padded[-1] = padded[1], padded[-2]
    padded[:, 0] = padded[:, 1]
    padded[:, -1] = padded[:, -2]
    return np.sum(padded[:-2] * padded[2:])


@program
def convolution_into_an_array(x):
    kernel = x[:3]
    signal = np.concatenate([x, x[::-1]])
    out = np.zeros(len(signal) - 2)
    for i in range(len(out)):
        out[i] = np.sum(signal[i : i + 3] * kernel)
    return np.sum(out**2)


@program
def im2col(x):
    image = x.reshape(2, 3)
    columns = np.zeros((4, 2))
    for k in range(2):
        columns[:, k] = image[:, k : k + 2].ravel()
    return np.sum(columns[0] * columns[3]) + np.sum(columns**2)


@program
def histogram_of_weights(x):
    bins = np.zeros(3)
    np.add.at(bins, [0, 2, 0, 1, 2, 2], x**2)
    return np.sum(bins**2)


@program
def embedding_gradient_step(x):
    table = x.reshape(3, 2).copy()
    table[[0, 2]] -= 0.1 * table[[0, 2]] ** 2
    table[1:][:, 0] = [5.0, x[3]]
    return np.sum(table**2)


# -- sorting and views ------------------------------------------------------------------------------------


@program
def sorting_network(x):
    y = x[:4].copy()
    for i, j in [(0, 1), (2, 3), (0, 2), (1, 3), (1, 2)]:
        low, high = np.minimum(y[i], y[j]), np.maximum(y[i], y[j])
        y[i], y[j] = low, high
    return np.sum(y * numpy.array([1.0, 2.0, 4.0, 8.0]))


@program
def bubble_sort(x):
    y = x.copy()
    for end in range(len(y) - 1, 0, -1):
        for i in range(end):
            if y[i] > y[i + 1]:
                y[i], y[i + 1] = y[i + 1], y[i]
    return np.sum(y * numpy.arange(6.0))


@program
def sorted_in_place(x):
    y = x**2
    y.sort()
    z = np.concatenate([y, x])
    z.partition(3)
    return np.sum(y * numpy.arange(6.0)) + np.sum(z[:4] ** 2)


@program
def running_sums_in_arrays_without_axes(x):
    s, kept = np.zeros(()), []
    for v in x:
        s += v**2
        kept.append(s.copy())
        s[()] *= x[0]
    s.reshape(1)[0] *= x[1]
    s[s > -1e9] += x[2]
    s[s < -1e9] = 0.0
    s[None, ...] = s * s
    return s * np.sum(np.stack(kept))


@program
def views_of_views(x):
    y = x * 1.0
    y[1:5][::-1][0] = y[0] * 2.0
    y[1:][1:][1:][0] += 1.5
    a = y.reshape(2, 3).T
    a[0] = a[1] * a[2]
    a[1:, 1] *= 3.0
    return np.sum(y**2)


@program
def rows_of_a_matrix(x):
    A = x.reshape(2, 3).copy()
    for row in A:
        row -= np.mean(row)
        row[0] = row[1] * row[2]
    first, second = A
    second += first
    return np.sum(A**2)


@program
def flat_and_raveled(x):
    A = np.array(x).reshape(3, 2)
    A.ravel()[::2] = 2.0 * A.ravel()[1::2]
    A.flat[3] = A[0, 0] * A[1, 0]
    copy = A.flatten()
    copy[:] = 0.0
    return np.sum(A**2)


@program
def diagonals_and_triangles(x):
    A = np.zeros((3, 3))
    A[np.triu_indices(3)] = x
    np.fill_diagonal(A, A[0] * 2.0)
    A.T[np.triu_indices(3, 1)] = A[np.triu_indices(3, 1)]
    np.put(A, [1, 5], [x[0] * x[1], x[2]])
    np.put_along_axis(A, np.array([[0], [1], [2]]), x[:3, None] ** 2, 1)
    return np.sum(A @ A)


@program
def what_was_read_before_stays(x):
    y = x.copy()
    before, view, snapshot = y * y, y[2:], y[2:].copy()
    y += 1.0
    y[3] = 0.0
    np.copyto(view[2:], [x[0], 4.0])
    view[np.array([0, 0])] = [x[1], x[2]]
    return np.sum(before * y) + np.sum(view * snapshot)


@program
def complex_parts(x):
    z = x[:3] + 1j * x[3:]
    z.real[0] = z.imag[1] * 2.0
    z.imag *= 0.5
    z[1:] *= 1j
    return np.sum(np.abs(z) ** 2)


@program
def standardised_columns(x):
    A = x.reshape(3, 2).copy()
    A -= A.mean(axis=0)
    A /= A.std(axis=0) + 0.1
    np.clip(A, -1.0, 0.9, out=A)
    np.nan_to_num(A, copy=False)
    return np.sum(A**3)


@program
def adam(x):
    w, m, v = x.copy(), np.zeros_like(x), np.zeros_like(x)
    for t in range(1, 4):
        g = 2.0 * w + np.sin(w)
        m *= 0.9
        m += 0.1 * g
        v[:] = 0.99 * v + 0.01 * g**2
        w -= 0.1 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.99**t)) + 1e-3)
    return np.sum(w**2)


@program
def residual_network(x):
    h = x.copy()
    outputs = []
    for k in range(3):
        h += 0.1 * np.tanh(h * (k + 1.0))
        outputs.append(h.copy())
    h[:] = 0.0
    return np.sum(np.stack(outputs) ** 2)


@program
def windows_see_what_is_written_later(x):
    y = x.copy()
    windows = np.lib.stride_tricks.sliding_window_view(y, 3)
    y[2] *= 3.0
    taken, grid = np.take(y, 1), np.meshgrid(y, y)[0]
    y[1:3] = 0.5 * y[0]
    return np.sum(windows * windows) + windows[0, 2] * taken + np.sum(grid[0] * y)
