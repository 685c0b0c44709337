"""The difference formulas, as they stand in a book. ``y[k]`` is f(x + k h), a number or an array.

>>> h, y = 0.5, {-1: 2.25, 0: 4.0, 1: 6.25}  # x**2 at 2
>>> forward(y, h), backward(y, h), central(y, h)
(4.5, 3.5, 4.0)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from diffkit.finite.stencils import Stencil, stencil


def forward(y: Mapping[float, Any], h: Any) -> Any:
    """(f(x + h) - f(x)) / h: off by h / 2 f''."""
    return (y[1] - y[0]) / h


def backward(y: Mapping[float, Any], h: Any) -> Any:
    """(f(x) - f(x - h)) / h: off by -h / 2 f''."""
    return (y[0] - y[-1]) / h


def central(y: Mapping[float, Any], h: Any) -> Any:
    """(f(x + h) - f(x - h)) / 2h: off by h**2 / 6 f'''."""
    return (y[1] - y[-1]) / (2 * h)


def difference(formula: Stencil, y: Mapping[float, Any], h: Any) -> Any:
    """Whatever formula: the three above, or the sum of w f(x + k h) over h**n that they are cases of.

    Args:
        formula: the stencil.
        y: f's values by the offsets k: all of one shape.
        h: the step, or an array of steps that goes with the values.

    Returns:
        The n-th derivative, shaped like the values. The subtractions come first, one division last.

    >>> difference(stencil("central", 2), {-1: 2.25, 0: 4.0, 1: 6.25}, 0.5)
    2.0
    """
    if formula in _BOOK:
        return _BOOK[formula](y, h)
    numerators, denominator = formula.integers
    total = sum(w * y[k] for k, w in zip(formula.points, numerators, strict=True))
    power = h if formula.n == 1 else h * h if formula.n == 2 else h**formula.n
    return total / (denominator * power)


_BOOK = {stencil("forward"): forward, stencil("backward"): backward, stencil("central"): central}
