"""The lectures' programs, by name: ``dk.programs.two_outputs(2.0, 3.0)``.

Each is a plain NumPy function with what a lesson needs beside it: sample inputs by name, a summary in
one line, and its SymPy expression where it has one. Parameters that are not differentiated by (a
depth, a length) are keywords.

>>> two_outputs(2.0, 3.0)
(np.float64(-0.279415498...), np.float64(7.098612288...))
>>> two_outputs.inputs
{'x1': 2.0, 'x2': 3.0}
>>> two_outputs.expression
(sin(x1*x2), x1*x2 + log(x2))
>>> print(logistic_map.with_(length=2).expression)
4*x*(1 - x)
>>> get("log_product").summary
'log(a b)'
"""

from __future__ import annotations

import difflib
import functools
import inspect
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from diffkit.errors import InputError

__all__ = ["Program", "all_programs", "get", "names"]


def __dir__() -> list[str]:
    return __all__


class Program:
    """A function with its sample inputs.

    Attributes:
        name: its name in ``dk.programs``.
        function: the plain NumPy function.
        inputs: sample inputs, by the parameters' names, in order.
        summary: one line.
        counted: variables whose first value is an input, so that a trace counts them from 2: l₂, l₃, ...
        keywords: the values of the parameters that are not differentiated by.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        inputs: dict[str, Any],
        expression: str | Callable[..., Any] | None,
        keywords: dict[str, Any] | None = None,
        counted: tuple[str, ...] = (),
    ) -> None:
        self.name = getattr(function, "__name__", type(function).__name__)
        self.function = function
        self.inputs = inputs
        self.summary = (function.__doc__ or self.name).strip().partition("\n")[0].rstrip(".")
        self.keywords = keywords or {}
        self.counted = counted
        self._expression = expression
        functools.update_wrapper(self, function)

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        return self.function(*args, **{**self.keywords, **keywords})

    def __repr__(self) -> str:
        return f"<program {self.name}: {self.summary}>"

    @property
    def args(self) -> tuple[Any, ...]:
        """The sample inputs, in order."""
        return tuple(self.inputs.values())

    def with_(self, **keywords: Any) -> Program:
        """The same program with other values of its keyword parameters.

        Raises:
            InputError: for a keyword that it does not have.

        >>> soft_relu.with_(depth=3)(0.5, 2.0, -1.0)
        np.float64(1.1777...)
        """
        known = [
            p.name for p in inspect.signature(self.function).parameters.values() if p.kind is p.KEYWORD_ONLY
        ]
        for keyword in keywords:
            if keyword not in known:
                raise InputError(
                    f"{self.name} has no parameter {keyword!r}; it has {', '.join(known) or 'none'}"
                )
        given = {**self.keywords, **keywords}
        return Program(self.function, self.inputs, self._expression, given, self.counted)

    @property
    def expression(self) -> Any:
        """The SymPy expression that it computes (a tuple for several outputs), or None."""
        import sympy

        if self._expression is None:
            return None
        # Inputs are real numbers: SymPy needs to know for max and abs.
        symbols = {name: sympy.Symbol(name, real=True) for name in self.inputs}
        if callable(self._expression):
            return self._expression(*symbols.values(), **self.keywords)
        return sympy.sympify(self._expression, locals=symbols)


_PROGRAMS: dict[str, Program] = {}


def _program(
    expression: str | Callable[..., Any] | None = None, *, _counted: tuple[str, ...] = (), **inputs: Any
) -> Callable[[Callable[..., Any]], Program]:
    def register(function: Callable[..., Any]) -> Program:
        program = _PROGRAMS[function.__name__] = Program(function, inputs, expression, counted=_counted)
        __all__.append(function.__name__)
        return program

    return register


def names() -> list[str]:
    """The names of all programs, in the order of the lectures.

    >>> len(names())
    22
    """
    return list(_PROGRAMS)


def all_programs() -> Iterator[Program]:
    """All programs, in the order of the lectures."""
    return iter(_PROGRAMS.values())


def get(name: str) -> Program:
    """The program of that name.

    Raises:
        InputError: if there is none; it names the nearest.

    >>> get("logistic")
    Traceback (most recent call last):
    diffkit.errors.InputError: there is no program 'logistic'; did you mean logistic_map, logistic_regression?
    """
    if name in _PROGRAMS:
        return _PROGRAMS[name]
    near = [n for n in _PROGRAMS if name and name in n] or difflib.get_close_matches(name, _PROGRAMS)
    hint = f"did you mean {', '.join(near)}?" if near else f"there are {', '.join(_PROGRAMS)}"
    raise InputError(f"there is no program {name!r}; {hint}")


def _array(*rows: Any) -> np.ndarray:
    return np.array(rows, dtype=float)


def _sigmoid(z: Any) -> Any:
    return 1.0 / (1.0 + np.exp(-z))


def _softplus(z: Any) -> Any:
    """log(1 + exp(z)), without overflow; so -log sigmoid(z) = softplus(-z)."""
    return np.logaddexp(0.0, z)


# -- iterated functions: where expressions swell ----------------------------------------------------------


def _logistic_expression(x: Any, length: int = 4, form: str = "loop") -> Any:
    if form == "closed":
        return _closed_logistic(x, length)
    value = x
    for _ in range(length - 1):
        value = 4 * value * (1 - value)
    return value


def _closed_logistic(x: Any, length: int) -> Any:
    """The factored forms of the first four iterates (Baydin et al. 2018, Table 1)."""
    forms: list[Callable[[], Any]] = [
        lambda: x,
        lambda: 4 * x * (1 - x),
        lambda: 16 * x * (1 - x) * (1 - 2 * x) ** 2,
        lambda: 64 * x * (1 - x) * (1 - 2 * x) ** 2 * (1 - 8 * x + 8 * x**2) ** 2,
    ]
    if not 1 <= length <= len(forms):
        raise InputError(f"the closed forms are for length 1 to {len(forms)}, not {length}")
    return forms[length - 1]()


@_program(_logistic_expression, _counted=("l",), x=0.2)
def logistic_map(x: Any, *, length: int = 4, form: str = "loop") -> Any:
    """l(1) = x, l(n+1) = 4 l(n) (1 - l(n)); by a loop, or form="closed" for the factored forms up to n = 4"""
    if form == "closed":
        return _closed_logistic(x, length)
    if form != "loop":
        raise InputError(f'form is "loop" or "closed", not {form!r}')
    l = x  # noqa: E741  (its name in the literature)
    for _ in range(length - 1):
        l = 4 * l * (1 - l)  # noqa: E741
    return l


def _soft_relu_expression(x: Any, w: Any, b: Any, depth: int = 1) -> Any:
    import sympy

    for _ in range(depth):
        x = sympy.log(1 + sympy.exp(w * x + b))
    return x


@_program(_soft_relu_expression, x=0.5, w=2.0, b=-0.3)
def soft_relu(x: Any, w: Any, b: Any, *, depth: int = 1) -> Any:
    """log(1 + exp(w x + b)), nested to any depth"""
    y = x
    for _ in range(depth):
        y = np.log(1 + np.exp(w * y + b))
    return y


# -- small programs, for tables and graphs ----------------------------------------------------------------


@_program("log(a*b)", a=2.0, b=3.0)
def log_product(a: Any, b: Any) -> Any:
    """log(a b)"""
    c = a * b
    d = np.log(c)
    return d


@_program("(sin(x1*x2), x1*x2 + log(x2))", x1=2.0, x2=3.0)
def two_outputs(x1: Any, x2: Any) -> Any:
    """(sin(x1 x2), x1 x2 + log x2)"""
    a = x1 * x2
    y1 = np.sin(a)
    y2 = a + np.log(x2)
    return y1, y2


@_program("(x + y)*z", x=-2.0, y=5.0, z=-4.0)
def sum_times(x: Any, y: Any, z: Any) -> Any:
    """(x + y) z"""
    q = x + y
    f = q * z
    return f


@_program("1/(1 + exp(-(w0*x0 + w1*x1 + w2)))", w0=2.0, x0=-1.0, w1=-3.0, x1=-2.0, w2=-3.0)
def sigmoid_neuron(w0: Any, x0: Any, w1: Any, x1: Any, w2: Any) -> Any:
    """1 / (1 + exp(-(w0 x0 + w1 x1 + w2)))"""
    return 1 / (1 + np.exp(-(w0 * x0 + w1 * x1 + w2)))


@_program("2*log(x1 + sin(x1))*Max(x2, x3)", x1=2.0, x2=3.0, x3=1.0)
def log_sin_max(x1: Any, x2: Any, x3: Any) -> Any:
    """2 log(x1 + sin x1) max(x2, x3)"""
    s = x1 + np.sin(x1)
    m = np.maximum(x2, x3)
    return 2 * np.log(s) * m


@_program("(1/(1 + exp(-(w*x + b))) - t)**2/2", w=0.5, x=2.0, b=-0.5, t=1.0)
def neuron_loss(w: Any, x: Any, b: Any, t: Any) -> Any:
    """z = w x + b, y = 1 / (1 + exp(-z)), L = (y - t)^2 / 2"""
    t1 = w * x
    z = t1 + b
    t3 = -z
    t4 = np.exp(t3)
    t5 = 1 + t4
    y = 1 / t5
    t6 = y - t
    t7 = t6**2
    L = t7 / 2
    return L


@_program("-log(1/(1 + exp(-w*x**2)))", w=0.5, x=1.5)
def log_sigmoid(w: Any, x: Any) -> Any:
    """-log sigma(w x^2)"""
    z = w * x**2
    s = 1 / (1 + np.exp(-z))
    return -np.log(s)


@_program("-log(1/(1 + exp(-(w1*x1 + w2*x2 + w3*x3))))", w1=0.5, x1=1.0, w2=-1.0, x2=2.0, w3=0.25, x3=3.0)
def log_sigmoid_sum(w1: Any, x1: Any, w2: Any, x2: Any, w3: Any, x3: Any) -> Any:
    """-log sigma(w1 x1 + w2 x2 + w3 x3)"""
    z = w1 * x1 + w2 * x2 + w3 * x3
    s = 1 / (1 + np.exp(-z))
    return -np.log(s)


def _reuse_expression(x: Any, last: str = "log") -> Any:
    import sympy

    return -5 * x**2 * sympy.log(x**2) if last == "log" else 5 * x**4


@_program(_reuse_expression, x=1.5)
def reuse(x: Any, *, last: str = "log") -> Any:
    """a = x^2, b = 5a, c = log a, g = b c, L = -g; or last="product": c = a b, where dc/da is 10a in all

    With ``last="product"`` the partial derivative of c by a is b = 5a, the total one 10a.
    """
    a = x**2
    b = 5 * a
    if last == "product":
        c = a * b
        return c
    if last != "log":
        raise InputError(f'last is "log" or "product", not {last!r}')
    c = np.log(a)
    g = b * c
    L = -g
    return L


@_program("2*x*exp(x)**2", x=0.5)
def total_derivative(x: Any) -> Any:
    """f(y, z) = y z^2, y = 2x, z = exp x"""
    y = 2 * x
    z = np.exp(x)
    f = y * z**2
    return f


@_program("log(s) + log(2*pi)/2 + ((x - m)/s)**2/2", x=1.5, m=0.4, s=1.7)
def normal_log_density(x: Any, m: Any, s: Any) -> Any:
    """the negative log density of a normal: t0 = x - m, t1 = t0 / s, t2 = log s, ..., c = t4 + t5"""
    t0 = x - m
    t1 = t0 / s
    t2 = np.log(s)
    t3 = t1**2
    t4 = t2 + np.log(2 * np.pi) / 2
    t5 = t3 / 2
    c = t4 + t5
    return c


_LOSSES = (
    "((y - t)**2/2, Abs(y - t), "
    "Piecewise(((y - t)**2/2, Abs(y - t) <= 1), (Abs(y - t) - 1/2, True)), "
    "-t*log(y) - (1 - t)*log(1 - y), Max(0, 1 - t*y))"
)


@_program(_LOSSES, y=0.3, t=1.0)
def losses(y: Any, t: Any) -> Any:
    """squared, absolute, Huber, cross entropy and hinge loss of the prediction y for the target t"""
    error = y - t
    squared = error**2 / 2
    absolute = np.abs(error)
    huber = np.where(absolute <= 1, error**2 / 2, absolute - 0.5)
    cross_entropy = -t * np.log(y) - (1 - t) * np.log(1 - y)
    hinge = np.maximum(0.0, 1 - t * y)
    return squared, absolute, huber, cross_entropy, hinge


# -- programs on vectors and matrices -------------------------------------------------------------------


@_program(
    X=_array([1.0, 2.0], [0.5, -1.0], [-1.5, 0.25]),
    w=_array(0.5, -0.25),
    y=_array(1.0, 0.0, -1.0),
)
def mean_squared_error(X: Any, w: Any, y: Any) -> Any:
    """a = X w, b = y - a, c = b^2, L = sum(c) / N"""
    a = X @ w
    b = y - a
    c = b**2
    L = np.sum(c) / len(y)
    return L


@_program(
    W=_array([1.0, -2.0, 0.5], [0.25, 1.5, -1.0]),
    x=_array(1.0, 0.5, -1.0),
    v=_array(2.0, -1.0),
)
def two_layer_linear(W: Any, x: Any, v: Any) -> Any:
    """y = W x, z = v . y"""
    y = W @ x
    z = v @ y
    return z


def half_square(z: Any) -> Any:
    """|z|^2 / 2, the divergence that :func:`affine` takes unless told otherwise."""
    return np.sum(z**2) / 2


@_program(
    W=_array([1.0, -2.0, 0.5], [0.25, 1.5, -1.0]),
    y=_array(1.0, 0.5, -1.0),
    b=_array(0.5, -0.5),
)
def affine(W: Any, y: Any, b: Any, *, divergence: Callable[[Any], Any] = half_square) -> Any:
    """z = W y + b, under any scalar divergence D(z)"""
    z = W @ y + b
    D = divergence(z)
    return D


_FOUR_POINTS = _array([0.52, 1.12, 0.77], [0.88, -1.08, 0.15], [0.52, 0.06, -1.30], [0.74, -2.49, 1.39])
_FOUR_LABELS = _array(1.0, 1.0, 0.0, 1.0)


@_program(w=_array(0.5, -0.25, 0.1), X=_FOUR_POINTS, y=_FOUR_LABELS)
def logistic_regression(w: Any, X: Any, y: Any) -> Any:
    """negative log likelihood of logistic predictions"""
    p = _sigmoid(X @ w)
    likelihood = p * y + (1 - p) * (1 - y)
    return -np.sum(np.log(likelihood))


@_program(
    w=_array(1.0, -0.5),
    V=_array([0.5, -1.0, 0.25], [-0.75, 0.5, 1.0]),
    X=_FOUR_POINTS,
    y=_FOUR_LABELS,
)
def one_hidden_layer_nll(w: Any, V: Any, X: Any, y: Any) -> Any:
    """-sum log sigma((2 y_i - 1) phi(x_i) . w), phi a layer of sigmoids"""
    phi = _sigmoid(X @ V.T)
    margin = (2 * y - 1) * (phi @ w)
    return np.sum(_softplus(-margin))


_A_TWO = _array(*(float(pixel == "#") for row in (".##.", "#..#", "..#.", ".#..", "####") for pixel in row))


@_program(w=0.1 * np.cos(np.arange(20.0)), b=-0.2, x=_A_TWO, t=0.9)
def two_or_not_two(w: Any, b: Any, x: Any, t: Any) -> Any:
    """is the picture x a 2? One sigmoid output p, and the KL divergence from p of the target t"""
    p = _sigmoid(w @ x + b)
    divergence = t * np.log(t / p) + (1 - t) * np.log((1 - t) / (1 - p))
    return divergence


def _digit_inputs() -> dict[str, Any]:
    """Two pictures of 8 by 8 pixels and a network in its first state; seeded, so always the same."""
    rng = np.random.default_rng(28)
    sizes = [64, 16, 16, 10]
    inputs: dict[str, Any] = {}
    for k, (n, m) in enumerate(itertools.pairwise(sizes), start=1):
        inputs[f"W{k}"] = rng.normal(0.0, np.sqrt(2.0 / n), (m, n)).round(3)
        inputs[f"b{k}"] = rng.normal(0.0, 0.1, m).round(3)
    return {**inputs, "X": rng.uniform(0.0, 1.0, (2, 64)).round(3), "labels": np.array([2, 7])}


@_program(**_digit_inputs())
def digit_classifier(W1: Any, b1: Any, W2: Any, b2: Any, W3: Any, b3: Any, X: Any, labels: Any) -> Any:
    """two hidden ReLU layers of 16, softmax over ten digits, cross entropy"""
    h1 = np.maximum(X @ W1.T + b1, 0.0)
    h2 = np.maximum(h1 @ W2.T + b2, 0.0)
    z = h2 @ W3.T + b3
    m = np.max(z, axis=1, keepdims=True)  # so that exp does not overflow
    log_sum = m[:, 0] + np.log(np.sum(np.exp(z - m), axis=1))
    return np.mean(log_sum - z[np.arange(len(labels)), labels])


@_program(x=_array(0.1, 0.25, 0.15, 0.3))
def helmholtz(x: Any, *, A: Any = None, b: Any = None, RT: float = 1.0) -> Any:
    """the Helmholtz free energy of a mixture (Baydin et al. 2018, section 5)

    RT sum x_i log(x_i / (1 - b.x))
    - x.A x / (sqrt(8) b.x) log((1 + (1 + sqrt 2) b.x) / (1 + (1 - sqrt 2) b.x)).
    By default A_ij = 1 / (i + j + 1) and b_i = 1 / n, for i, j from 0.
    """
    n = len(x)
    if A is None:
        i = np.arange(n)
        A = 1.0 / (i[:, None] + i + 1)
    if b is None:
        b = np.full(n, 1.0 / n)
    bx = b @ x
    ideal = RT * np.sum(x * np.log(x / (1 - bx)))
    root2 = np.sqrt(2.0)
    residual = x @ A @ x / (np.sqrt(8.0) * bx) * np.log((1 + (1 + root2) * bx) / (1 + (1 - root2) * bx))
    return ideal - residual
