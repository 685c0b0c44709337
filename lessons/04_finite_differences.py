"""Finite differences: what is wrong with this approach?

Goals: compute derivatives from values of f alone; take their error apart into four measured parts; know which
step is best and why; count evaluations; meet the complex step.
Before: Taylor's theorem. 30 minutes.
"""

# %% [markdown]
# # Finite differences
#
# **Problem.** f'(x) is the limit of (f(x + h) - f(x)) / h. A computer can't take a limit; it takes a
# small h. How small, and what is lost? The program is the fourth iterate of the logistic map, 64 x (1-x)
# (1-2x)² (1-8x+8x²)², at x = 1/5. Its derivative there is 708288/78125; SymPy tells it for other points.
#
# $$f'(x) = \lim_{h \to 0} \frac{f(x + h) - f(x)}{h}$$

# %%
import numpy as np
import sympy

import diffkit as dk
from diffkit.lessons import predict, save

f = dk.programs.logistic_map.with_(form="closed")
x, symbol = 0.2, sympy.Symbol("x", real=True)
at_x = {symbol: sympy.Rational(str(x))}
exact, second = (float(f.expression.diff(symbol, order).subs(at_x)) for order in (1, 2))
for h in (1e-2, 1e-8, 1e-14):
    value = (f(x + h) - f(x)) / h
    print(f"h = {h:.0e}: {value:.12f}, error {value - exact:+.1e}")

# %% [markdown]
# **Idea.** The error has a V: too large an h and the *truncation* of Taylor's series shows; too small,
# and *round-off* does. Both can be measured, for each h.

# %%
hs = np.logspace(-17, -1, 321)
sweeps = {form: dk.finite.error_sweep(f, x, form, hs=hs) for form in ("forward", "backward", "central")}
for sweep in sweeps.values():
    print(sweep.summary, "\n")
save(dk.finite.error_curve(*sweeps.values(), title="The V of three forms"), "04_three_forms.svg")

# %% [markdown]
# **Rule.** Forward and backward differences have order 1: ten times smaller an h, ten times smaller an
# error. Central differences have order 2: the second derivative's terms, one from each side, cancel. In
# the round-off regime the slope is -1 for all: the difference's error is about constant, and divided by h.

# %%
orders = {form: sweep.observed_order for form, sweep in sweeps.items()}
predict(
    "On a log-log plot, what is the slope of the central difference's truncation error?",
    round(orders["central"], 2),
)
for form, order in (("forward", 1), ("backward", 1), ("central", 2)):
    assert abs(orders[form] - order) < 0.02
    assert abs(sweeps[form].roundoff_slope + 1) < 0.15, "at this x there is a slope, and rounding, to be seen"

# %% [markdown]
# ## Four parts
#
# Every float is a fraction, so what each line of the formula *should* have given can be computed exactly.
# The error is the sum of four parts, one for each way in which the program departs from the limit.

# %%
steps = [1e-4, 1e-10, 2.0**-33]
few = dk.finite.error_sweep(f, x, "forward", hs=steps)
predict("What is the step's own rounding at h = 2^-33?", float(few.at(2.0**-33).step))
predict("Which part is the largest at h = 1e-10?", few.largest_part(steps.index(1e-10)))
print(few.table)
for h in steps:
    parts = few.at(h)
    total = parts.truncation.value + parts.step.value + parts.rounding.value + parts.arithmetic.value
    assert total == parts.error.value
assert np.isclose(float(few.at(1e-4).truncation), 1e-4 * second / 2, rtol=1e-2)  # Taylor's next term
assert np.isclose(float(few.at(1e-10).step), exact * ((x + 1e-10 - x) / 1e-10 - 1), rtol=1e-2)
assert few.at(2.0**-33).step == 0
save(
    dk.finite.error_curve(sweeps["forward"], title="The forward difference's four parts"), "04_four_parts.svg"
)

# %% [markdown]
# **Subtlety.** The subtraction, which textbooks blame, contributes almost nothing: it is exact, or nearly
# so. It *exposes* what was rounded before: in f, and in x + h. The step's own rounding, often the largest
# part, vanishes for an h that is a power of two, as long as x + h has bits for it.

# %%
assert abs(float(few.at(1e-10).arithmetic)) < 1e-14 * max(1.0, abs(exact))
assert min(abs(few.at(1e-10).step), abs(few.at(1e-10).rounding)) > 1e6 * abs(few.at(1e-10).arithmetic)

# %% [markdown]
# ## The best step
#
# E(h) = C h^p + K / h is least at h = (K / (p C))^(1 / (p + 1)): C from the derivative that leads the
# truncation error, K from the noise of f. The single smallest error in the sweep is luck; a running
# median is not.
#
# $$E(h) = C h^p + \frac{K}{h}$$

# %%
for form in ("forward", "central"):
    sweep = sweeps[form]
    luckiest = sweep.luckiest[0]
    print(f"{form}: predicted {sweep.predicted_h:.1e}, found {sweep.best_h:.1e}, luckiest {luckiest:.1e}")
    assert 1 / 10 < sweep.best_h / sweep.predicted_h < 10
estimate = dk.finite.derivative(f, x, full=True)
error = abs(estimate.value - exact)
print(f"h=None chose h = {estimate.h:.1e}: error {error:.1e}, estimated {estimate.error:.1e}")
assert abs(estimate.value - exact) < 1e-8 * max(1.0, abs(exact))

# %% [markdown]
# How f is written matters, too: the loop and the factored form are the same polynomial, with other
# roundings.

# %%
loop = dk.finite.error_sweep(dk.programs.logistic_map, x, "forward", hs=hs)
small = (hs > 1e-13) & (hs < 1e-10)
factor = np.median(np.abs(loop.rounding[small])) / np.median(np.abs(sweeps["forward"].rounding[small]))
print(f"in the round-off regime the loop's rounding of f is {factor:.1f} times that of the factored form")
assert not np.array_equal(loop.rounding[small], sweeps["forward"].rounding[small])

# %% [markdown]
# ## Why n + 1 evaluations hurt
#
# A gradient needs one more evaluation of f for every variable. Reverse mode needs one trace.

# %%
calls = 0


def counted(v):
    """The Helmholtz energy, counting its evaluations."""
    global calls
    calls += 1
    return dk.programs.helmholtz(v)


rows = []
for n in (1, 10, 100):
    point = np.full(n, 0.5 / n)
    counts = []
    for form in ("forward", "central"):
        calls = 0
        dk.finite.gradient(counted, point, form=form, h=1e-6)
        counts.append(calls)
    calls = 0
    dk.grad(counted)(point)
    rows.append([n, *counts, calls])
    assert rows[-1] == [n, n + 1, 2 * n, 1]
predict("A gradient in 100 variables by central differences: how many evaluations of f?", rows[-1][2])
print(dk.Table(["n", "forward", "central", "reverse mode"], rows, caption="Evaluations for a gradient"))

# %% [markdown]
# ## The complex step
#
# f(x + ih) = f(x) + ih f'(x) - ...: the imaginary part over h is the derivative, and nothing is
# subtracted, so h can be as small as one likes. It needs an f that takes complex numbers and does not
# look at them.

# %%
complex_step = dk.finite.derivative(f, x, form="complex")
print(f"complex step: error {abs(complex_step - exact):.1e}")
assert abs(complex_step - exact) < 1e-13 * max(1.0, abs(exact))
level = dk.finite.error_sweep(f, x, "complex", hs=hs)
save(
    dk.finite.error_curve(sweeps["forward"], sweeps["central"], level, title="The complex step has no V"),
    "04_complex_step.svg",
)
predict("The complex step at h = 1e-17: is its error about 1e-16, 1e-8 or 1?", "1e-16")
assert np.abs(level.error[hs < 1e-9]).max() < 1e-13 * max(1.0, abs(exact))
try:
    dk.finite.derivative(lambda v: abs(v) ** 3, x, form="complex")
except dk.InputError as error:
    print(error)
else:
    raise AssertionError("the complex step of abs should be refused")

# %% [markdown]
# ## Exercises
#
# Copy `exercises/04_finite_differences_start.py`, fill it in, and check it with
# `diffkit check lessons/exercises/04_finite_differences.py YOUR_FILE`:
#
# 1. `Central`: a derivative to 9 digits from values of f alone. Which h? Not every one will do.
# 2. `ComplexStep`: the same to all digits.
