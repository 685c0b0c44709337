"""Numbers without round-off, on which ordinary NumPy code runs: the independent truth.

A :class:`Precise` number is an exact fraction for as long as a program only adds, subtracts,
multiplies, divides and takes integer powers (every float is a fraction whose denominator is a
power of two). After the first transcendental function it is an mpmath number of as many digits as
were asked for. Comparisons give real bools, so that branches and data-dependent loops run, and
NumPy's own protocols (NEP 13, NEP 18) carry its functions, so that the program is run unchanged.

>>> import numpy as np
>>> evaluate(lambda x: x * x + 1 / x, 0.5)
Precise(9/4)
>>> evaluate(lambda x: np.tanh(x) @ x, np.array([0.5, 1.0]), digits=30)
Precise(0.992652734585769...)

What derivative rules and difference formulas are measured against comes from here:
:func:`reference_derivative` knows no rule, only the definition of the derivative, a step of 1e-30
or less, and enough digits for the subtraction to lose half of them.
"""

from diffkit.precise.arrays import PreciseArray
from diffkit.precise.number import Arithmetic, Precise, arithmetic, precise
from diffkit.precise.reference import Kink, Reference, reference_derivative
from diffkit.precise.running import evaluate, lift, run

__all__ = [
    "Arithmetic",
    "Kink",
    "Precise",
    "PreciseArray",
    "Reference",
    "arithmetic",
    "evaluate",
    "lift",
    "precise",
    "reference_derivative",
    "run",
]


def __dir__() -> list[str]:
    return __all__
