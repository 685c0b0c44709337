"""SymPy's matrix expressions as NumPy programs, node by node: what is traced to check a formula.

It shares no line with diffkit. The same program runs on floats, on traced values, and on numbers of fifty
digits; `truth` is the gradient that tracing gives, its reverse sweep replayed in fifty digits.
"""

import numpy as np
import sympy

import diffkit as dk
from diffkit import precise

FUNCTIONS = {
    "exp": np.exp,
    "log": np.log,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "tanh": np.tanh,
    "Abs": np.abs,
    "sign": np.sign,
}


def is_matrix(e):
    return isinstance(e, sympy.MatrixExpr | sympy.MatrixBase)


def one_number(value):
    """A 1 x 1 matrix is a number."""
    return np.sum(value) if np.ndim(value) == 2 else value


class Program:
    """An expression as a function of its symbols' values, in the order of ``symbols``."""

    def __init__(self, e, symbols, sizes, elementwise=False):
        self.e, self.symbols, self.sizes = e, list(symbols), sizes
        self.number = (lambda value: value) if elementwise else one_number

    def __call__(self, *values):
        self.at = dict(zip(self.symbols, values, strict=True))
        self.known = {}
        return self.of(self.e)

    def of(self, e):
        if e not in self.known:
            self.known[e] = self.computed(e)
        return self.known[e]

    def size(self, n):
        return int(sympy.sympify(n).xreplace(self.sizes))

    def computed(self, e):
        if e in self.at:
            return self.at[e]
        if e in self.sizes:
            return self.sizes[e]
        if e.is_Number:
            return int(e) if e.is_Integer else self.fraction(e)
        if isinstance(e, sympy.NumberSymbol):
            return float(e)
        return getattr(self, type(e).__name__)(e)

    def fraction(self, e):
        return int(e.p) * self.one() / int(e.q) if e.is_Rational else float(e)

    def one(self):
        """1, in the numbers that the program runs on."""
        first = next(v for v in self.at.values() if np.ndim(v) or not isinstance(v, int))
        return np.sum(first * 0) + 1

    # -- products and sums --

    def MatMul(self, e):
        value = None
        for a in map(self.of, e.args):
            if value is None or np.ndim(value) == 0 or np.ndim(a) == 0:
                value = a if value is None else value * a
            elif value.shape == (1, 1) and a.shape[0] != 1:
                value = np.sum(value) * a
            else:
                value = value @ a
        return value

    def Mul(self, e):
        if any(map(is_matrix, e.args)):
            return self.MatMul(e)
        value = 1
        for a in e.args:
            value = value * self.number(self.of(a))
        return value

    def MatAdd(self, e):
        value = self.of(e.args[0])
        for a in e.args[1:]:
            value = value + self.of(a)
        return value

    def Add(self, e):
        return sum(self.number(self.of(a)) for a in e.args)

    def HadamardProduct(self, e):
        value = self.of(e.args[0])
        for a in e.args[1:]:
            value = value * self.of(a)
        return value

    def HadamardPower(self, e):
        return self.of(e.args[0]) ** self.number(self.of(e.args[1]))

    def Pow(self, e):
        base, exponent = self.number(self.of(e.base)), self.of(e.exp)
        base = base * self.one() if isinstance(base, int) else base
        return (
            np.exp(exponent)
            if e.base is sympy.E
            else np.sqrt(base)
            if e.exp == sympy.S.Half
            else base**exponent
        )

    def MatPow(self, e):
        if self.of(e.base).shape == (1, 1):
            return np.reshape(self.Pow(e), (1, 1))
        base, n = self.of(e.base), self.of(e.exp)
        base, n = (np.linalg.inv(base), -n) if n < 0 else (base, n)
        value = base
        for _ in range(n - 1):
            value = value @ base
        return value if n else np.eye(len(base))

    def KroneckerProduct(self, e):
        a, b = map(self.of, e.args)
        (m, n), (p, q) = a.shape, b.shape
        return (a.reshape(m, 1, n, 1) * b.reshape(1, p, 1, q)).reshape(m * p, n * q)

    # -- functions of matrices --

    def Transpose(self, e):
        return self.of(e.arg).T

    def Inverse(self, e):
        return np.linalg.inv(self.of(e.arg))

    def Trace(self, e):
        return np.trace(self.of(e.arg))

    def Determinant(self, e):
        return np.linalg.det(self.of(e.arg))

    def DiagMatrix(self, e):
        value = self.of(e.args[0])
        return np.eye(value.size) * value.reshape(-1, 1)

    def DiagonalOf(self, e):
        value = self.of(e.arg)
        return (value * np.eye(*value.shape)).sum(axis=1).reshape(-1, 1)

    def DiagonalMatrix(self, e):
        value = self.of(e.arg)
        return value * np.eye(*value.shape)

    def MatrixElement(self, e):
        value = self.of(e.parent)
        unit = np.zeros(value.shape)
        unit[self.size(e.i), self.size(e.j)] = 1
        return np.sum(value * unit)

    def FunctionMatrix(self, e):
        return np.array(e.xreplace(self.sizes).as_explicit().tolist(), float)

    def Identity(self, e):
        return np.eye(self.size(e.shape[0]))

    def OneMatrix(self, e):
        return np.ones([self.size(n) for n in e.shape])

    def ZeroMatrix(self, e):
        return np.zeros([self.size(n) for n in e.shape])

    def ImmutableDenseMatrix(self, e):
        return np.array(e.tolist(), float)

    # -- elementwise --

    def ElementwiseApplyFunction(self, e):
        (u,), body = e.args[0].variables, e.args[0].expr
        inner = Program(body, [*self.at, u], self.sizes, elementwise=True)
        return inner(*self.at.values(), self.of(e.args[1]))

    def Piecewise(self, e):
        (value, condition), *rest = e.args
        if condition == True:  # noqa: E712 (SymPy's own)
            return self.of(value)
        holds = self.relation(condition)
        return np.where(holds, self.of(value), self.Piecewise(sympy.Piecewise(*rest, evaluate=False)))

    def relation(self, c):
        left, right = map(self.of, c.args)
        return {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal}[c.rel_op](
            left, right
        )

    def Max(self, e):
        return np.maximum(*map(self.of, e.args))

    def Heaviside(self, e):
        return np.heaviside(self.of(e.args[0]), 0.5)

    def __getattr__(self, name):
        if name not in FUNCTIONS:
            raise AttributeError(name)
        function = FUNCTIONS[name]
        return lambda e: function(
            self.number(self.of(e.args[0])) if is_matrix(e.args[0]) else self.of(e.args[0])
        )


def in_fifty_digits(f, values):
    return precise.evaluate(f, *values, digits=50)


def gradient(f, values, place):
    """The traced gradient of a scalar program by one of its inputs, the reverse sweep in fifty digits."""
    names = {}
    exec(dk.trace(f)(*values).adjoint(1.0).source("swept").replace("math.", "np."), names)
    _, slopes = in_fifty_digits(names["swept"], values)
    return slopes[place] if len(values) > 1 else slopes
