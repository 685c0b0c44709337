"""Derivatives revisited: perturbations, total and partial derivatives, ForwardValue

The deck without a number. What stands on its slides under these names: the negative log likelihood of one
hidden layer, function view and value view, -log sigma(w x^2), reuse, ForwardValue with _add, _neg, _sub, and
the mean squared error in forward mode on vectors.
"""

# %% [markdown]
# # Derivatives revisited
#
# The names and numbers are the deck's, the lines are ours. What a slide shows can be typed in below.

# %%
import math

import numpy as np

import diffkit as dk
from diffkit.lessons import predict

rng = np.random.default_rng(3)
sigma = lambda z: 1 / (1 + np.exp(-z))  # noqa: E731

# %% [markdown]
# ## Motivation: one weight of one hidden layer
#
# NLL(w0, W, X, y) = -Σ log σ((2 y_i - 1) φ(x_i)ᵀ w0), and W11 := W11 - α ∂NLL/∂W11. By hand nobody wants to.

# %%
nll = dk.programs.one_hidden_layer_nll
print(nll.summary, list(nll.inputs))
arguments = list(nll.inputs.values())
where = list(nll.inputs).index("V")  # the hidden layer: W on the slide
gradient = dk.grad(nll, argnum=where)(*arguments)
before, alpha = nll(*arguments), 0.1
moved = np.array(arguments[where])
moved[0, 0] -= alpha * gradient[0, 0]
after = nll(*[moved if k == where else a for k, a in enumerate(arguments)])
print(f"∂NLL/∂W11 = {gradient[0, 0]:.4f}; NLL {before:.4f} -> {after:.4f}")
assert after < before

# %% [markdown]
# ## The best linear approximation
#
# "If I perturb x by h, how does the output change?" By f'(x) h, and what is missing is of order h².

# %%
f, slope, x = np.sin, dk.grad(np.sin)(0.8), 0.8
missing = [abs(f(x + h) - f(x) - slope * h) for h in (0.1, 0.05, 0.025)]
predict(
    "Half the perturbation: by what factor does the error of the linear approximation fall?",
    round(missing[0] / missing[1]),
)
assert 3.5 < missing[0] / missing[1] < 4.5
assert 3.5 < missing[1] / missing[2] < 4.5

# %% [markdown]
# The chain rule maps a perturbation of x to one of g(x), and that to one of f(g(x)). Function view:
# f'(g(x)) g'(x). Value view: b = x², a = log b, da/dx = da/db · db/dx. The second is what code looks like.


# %%
def value_view(x):
    b = x**2
    a = np.log(b)
    return a


t = dk.trace(value_view)(3.0)
print(t.tangent_table(1.0))
da_db, db_dx = 1 / 3.0**2, 2 * 3.0
assert np.isclose(t.push_forward(1.0), da_db * db_dx, rtol=1e-15)
assert np.isclose(t.push_forward(1.0), 2 / 3.0, rtol=1e-15)

# %% [markdown]
# ## Total derivatives
#
# f(y, z) = y z² with y = 2x, z = exp x: a term for each way from x to f. And f(x, x) of f(x, y) = x y.

# %%
x = 0.7
y, z = 2 * x, math.exp(x)
total = z**2 * 2 + 2 * y * z * math.exp(x)
assert np.isclose(dk.grad(dk.programs.total_derivative)(x), total, rtol=1e-14)
assert dk.grad(lambda x: (lambda x, y: x * y)(x, x))(3.0) == 6.0

# %% [markdown]
# ## L = -log σ(w x²), forward
#
# a = x², b = w a, c = σ(b), g = log c, L = -g; every row has dx behind it: da/dx, db/dx, dc/dx, dg/dx, dL/dx.


# %%
def L(x, w):
    a = x**2
    b = w * a
    c = 1 / (1 + np.exp(-b))
    g = np.log(c)
    L = -g
    return L


t = dk.trace(L)(1.5, 0.4)
print(t.tangent_table(1.0, 0.0))
c = sigma(0.4 * 1.5**2)
by_factors = -1 * (1 / c) * c * (1 - c) * 0.4 * (2 * 1.5)
predict("The product of the five factors, dL/dx?", round(float(by_factors), 4))
assert np.isclose(t.push_forward(1.0, 0.0), by_factors, rtol=1e-14)

# %% [markdown]
# With three inputs, -log σ(w1 x1 + w2 x2 + w3 x3): three sweeps forward, one back.

# %%
several = dk.programs.log_sigmoid_sum
t = dk.trace(several)(*several.args)
sweeps = [t.push_forward(*seed) for seed in np.eye(len(t.inputs))]
assert np.allclose(sweeps, t.pull_back(1.0), rtol=1e-14)
print(f"{len(sweeps)} sweeps forward and 1 back give the same {len(sweeps)} numbers")

# %% [markdown]
# ## Reusing values, and partial derivatives revisited
#
# a = x², b = 5a, c = log a, g = b c, L = -g: a is used twice. With c = a b instead, ∂c/∂a = b = 5a is
# not dc/da = 5a + 5a = 10a: a partial derivative holds b still, a total one lets it move.


# %%
def loss(x):
    a = x**2
    b = 5 * a
    c = np.log(a)
    g = b * c
    L = -g
    return L


assert np.isclose(dk.grad(loss)(2.0), -(10 * 2.0) * (math.log(4.0) + 1), rtol=1e-14)


def product(x):
    a = x**2
    b = 5 * a
    c = a * b
    L = -c
    return L


t = dk.trace(product)(2.0)
print(t.adjoint_table())
a = 4.0
dc_da = -t.adjoints(1.0)[1]
predict("a = 4: the partial derivative of c by a is 5a = 20. The total one, as the sweep has it?", dc_da)
assert dc_da == 10 * a

# %% [markdown]
# ## ForwardValue
#
# An operation is a class: `func` computes, `grads` gives the partial derivatives, and the value carries a
# dictionary with its derivative by every variable. `_sub` is a gap on the slide, as an exercise; so is the
# way in which the parents' dictionaries come together. This is one way to fill both.


# %%
class ForwardValue:
    """A variable, or, in a subclass, the result of an operation.

    Attributes:
        parent_values: the inputs, as floats.
        value: the result, a float.
        forward_grads: the derivative of the value by each variable, a dictionary.
    """

    def __init__(self, *args):
        self.parent_values = [a.value if isinstance(a, ForwardValue) else a for a in args]
        self.value = self.forward_pass(args)
        if not self.forward_grads:
            self.forward_grads = {self: 1}

    def func(self, input):
        return input

    def grads(self, *args):
        return (1,)

    def forward_pass(self, args):
        self.forward_grads = {}
        for partial, arg in zip(self.grads(*self.parent_values), args, strict=True):
            if isinstance(arg, ForwardValue):
                for variable, derivative in arg.forward_grads.items():
                    known = self.forward_grads.get(variable, 0)
                    self.forward_grads[variable] = known + partial * derivative
        return self.func(*self.parent_values)

    def __add__(self, other):
        return _add(self, other)

    def __sub__(self, other):
        return _sub(self, other)

    def __mul__(self, other):
        return _mul(self, other)

    def __neg__(self):
        return _neg(self)

    __radd__, __rmul__ = __add__, __mul__


class _add(ForwardValue):
    def func(self, a, b):
        return a + b

    def grads(self, a, b):
        return 1.0, 1.0


class _neg(ForwardValue):
    def func(self, a):
        return -a

    def grads(self, a):
        return (-1.0,)


class _sub(ForwardValue):
    def func(self, a, b):
        return a - b

    def grads(self, a, b):
        return 1.0, -1.0


class _mul(ForwardValue):
    def func(self, a, b):
        return a * b

    def grads(self, a, b):
        return b, a


class log(ForwardValue):
    def func(self, input):
        return math.log(input)

    def grads(self, input):
        return (1 / input,)


x = ForwardValue(2.0)
a = x * x
ours = -(5 * a * log(a))
print(ours.value, ours.forward_grads[x], "and by diffkit", loss(2.0), dk.deriv(loss)(2.0))
assert np.isclose(ours.value, loss(2.0), rtol=1e-15)
assert np.isclose(ours.forward_grads[x], dk.deriv(loss)(2.0), rtol=1e-15)
x, y = ForwardValue(3.0), ForwardValue(5.0)
assert (x - y + x).forward_grads == {x: 2.0, y: -1.0}

# %% [markdown]
# ## Jacobians: y = A x, and y = x²

# %%
A, x = rng.normal(size=(3, 4)), rng.normal(size=4)
J = dk.jacobian(lambda x: A @ x)(x)
assert np.array_equal(J, A)
assert J[1, 2] == A[1, 2]  # ∂y2/∂x3 = A23: the slide writes A32, and sums over rows of A
assert np.array_equal(dk.jacobian(lambda x: x**2)(x), np.diag(2 * x))

# %% [markdown]
# The Jacobian of a scalar is a row; as a gradient it is often written as a column. Composed functions have
# the product of the Jacobians.

# %%
outer = lambda y: np.stack([y[0] * y[1], np.sin(y[2])])  # noqa: E731
inner = lambda x: A @ x  # noqa: E731
chained = dk.jacobian(outer)(inner(x)) @ dk.jacobian(inner)(x)
assert chained.shape == (2, 4)
assert np.allclose(dk.jacobian(lambda x: outer(inner(x)))(x), chained, rtol=1e-13)

# %% [markdown]
# ## Forward mode on vectors: the mean squared error
#
# a = X w, b = y - a, c = b², g = Σ c_i, L = g / N; read down, a tangent for each, and up, an adjoint.


# %%
def mse(w):
    a = X @ w
    b = y - a
    c = b**2
    g = np.sum(c)
    L = g / N
    return L


N = 5
X, y, w = rng.normal(size=(N, 3)), rng.normal(size=N), rng.normal(size=3)
t = dk.trace(mse)(w)
print(t.tangent_table(np.array([1.0, 0.0, 0.0])))
print(t.adjoint_table())
by_formula = -2 / N * X.T @ (y - X @ w)
assert np.allclose(t.pull_back(1.0), by_formula, rtol=1e-13)
assert np.allclose([t.push_forward(e) for e in np.eye(3)], by_formula, rtol=1e-13)
print(dk.formula(mse, w))
