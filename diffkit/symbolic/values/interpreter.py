"""Runs an expression: every distinct node once, operands first, in one of the arithmetics."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import reduce
from typing import Any

import mpmath
import numpy as np
import sympy
from sympy import S

from diffkit.errors import InputError
from diffkit.expressions import Expression, intern, rebuild, short
from diffkit.symbolic.budget import BudgetError, Terms
from diffkit.symbolic.values.arithmetics import Arithmetic, implementation, within_reach
from diffkit.symbolic.values.prerequisites import ELEMENTS, RANGES, Loop, Loops, parts, quotient


class Interpreter:
    """Computes the values of expressions.

    Args:
        arithmetic: that of the values.
        functions: what the user's functions compute, by name.
        loops: the Sums and Products in the expressions.
    """

    def __init__(
        self, arithmetic: Arithmetic, functions: Mapping[str, Callable[..., Any]], loops: Loops
    ) -> None:
        self.arithmetic = arithmetic
        self.functions = functions
        self.loops = loops
        self.terms = Terms(arithmetic.terms)

    def run(self, order: Sequence[Expression], known: dict[int, Any]) -> None:
        """Fills the values of nodes, operands first, into those that are ``known`` (by identity)."""
        arithmetic = self.arithmetic
        for node in order:
            args = node._args
            if node.is_Add:
                value = reduce(operator.add, [known[id(a)] for a in args])
            elif node.is_Mul:
                above, below = quotient(args)
                value = reduce(operator.mul, [known[id(a)] for a in above]) if above else 1
                if below:
                    value = value / reduce(operator.mul, [known[id(b)] for b in below])
            elif node.is_Pow:
                base, exponent = known[id(args[0])], args[1]
                if exponent is S.NegativeOne:
                    value = 1 / base
                elif exponent is S.Half and "sqrt" in arithmetic.functions:
                    value = arithmetic.functions["sqrt"](base)
                elif exponent.is_Integer:
                    value = _whole_power(base, exponent.p)
                elif exponent.is_Rational:
                    value = _power(base, arithmetic.constant(exponent))
                else:
                    value = _power(base, known[id(exponent)])
            elif isinstance(node, RANGES):
                value = self._over_range(node, known)
            elif isinstance(node, ELEMENTS):
                value = _element(node, known)
            elif isinstance(node, sympy.Tuple):  # the parameters of a hypergeometric function
                value = tuple(known[id(a)] for a in args)
            elif not args:
                value = _atom(node, arithmetic)
            else:
                compute = implementation(node.func, arithmetic, self.functions)
                value = compute(*[known[id(a)] for a in parts(node)])
            known[id(node)] = value

    # -- Sums and Products ----------------------------------------------------------------------------

    def _over_range(self, node: Expression, known: dict[int, Any]) -> Any:
        """The value of a Sum or Product; what depends on its index is forgotten afterwards."""
        is_sum = isinstance(node, sympy.Sum)
        loop = self.loops.of(node)
        low, high = (known[id(end)] for end in loop.ends)
        values = self.terms.integers(low, high)
        hidden = {key: known[key] for key in loop.keys if key in known}
        if len(values) >= _MANY and self._takes_arrays(loop, known):
            terms = self._in_blocks(loop, values, known, np.sum if is_sum else np.prod)
        else:
            terms = self._one_by_one(loop, values, known)
        result = _combined(operator.add, 0, terms) if is_sum else _combined(operator.mul, 1, terms)
        for key in loop.keys:
            known.pop(key, None)
        known.update(hidden)
        return result

    def _one_by_one(self, loop: Loop, values: range, known: dict[int, Any]) -> Iterator[Any]:
        for i in values:
            known[id(loop.index)] = self.arithmetic.convert(i)
            self.run(loop.inside, known)
            term = known[id(loop.body)]
            if isinstance(term, Fraction):
                self.terms.spend((term.numerator.bit_length() + term.denominator.bit_length()) // _BITS)
            yield term

    def _takes_arrays(self, loop: Loop, known: dict[int, Any]) -> bool:
        """Whether the terms can be computed for an array of integers at once, in double precision."""
        heads = [type(n).__name__ for n in loop.inside if n._args]
        if not loop.inside or not self.arithmetic.takes_arrays or not self.functions.keys().isdisjoint(heads):
            return False
        if any(isinstance(n, RANGES + ELEMENTS) or hasattr(n.func, "_imp_") for n in loop.inside):
            return False
        return bool(np.result_type(1.0, *(known[id(a)] for a in loop.outside)) == np.float64)

    def _in_blocks(
        self, loop: Loop, values: range, known: dict[int, Any], combine: Callable[..., Any]
    ) -> Iterator[Any]:
        """The sums or products of blocks of terms, each computed as one array with an axis more."""
        shape = np.broadcast_shapes(*(np.shape(known[id(a)]) for a in loop.outside))
        length = max(1, _BLOCK // max(1, math.prod(shape)))
        for start in values[::length]:
            block = np.arange(start, min(start + length, values.stop), dtype=float)
            known[id(loop.index)] = block.reshape(-1, *[1] * len(shape))
            self.run(loop.inside, known)
            yield combine(known[id(loop.body)], axis=0)


_MANY = 64  # terms; fewer are quicker one by one
_BLOCK = 2**15  # elements of a block of terms: they stay in the processor's cache
_BITS = 64  # of an exact term, which make it as long as one more


def _combined(combine: Callable[[Any, Any], Any], start: Any, terms: Iterable[Any]) -> Any:
    """The terms' sum or product, by halves of equal length.

    Exact numbers grow, and so long ones meet long ones and few; floats lose fewer digits.
    """
    halves: list[tuple[int, Any]] = []
    for term in terms:
        count = 1
        while halves and halves[-1][0] == count:
            term = combine(halves.pop()[1], term)
            count *= 2
        halves.append((count, term))
    return reduce(lambda right, left: combine(left, right), [term for _, term in reversed(halves)], start)


# -- powers, and what has no operands ----------------------------------------------------------------


def _power(base: Any, exponent: Any) -> Any:
    if isinstance(base, Fraction):
        if exponent.denominator != 1:
            raise InputError(
                f"a power with the exponent {exponent} has no exact rational value; use precision="
            )
        return _whole_power(base, int(exponent))
    if isinstance(base, float) and base < 0 and isinstance(exponent, float) and not exponent.is_integer():
        return math.nan  # as for sqrt and log, and in NumPy; Python itself would go on in complex numbers
    if isinstance(base, mpmath.mpf):
        within_reach(exponent, "a power")
    return base**exponent


_DIGITS = 10_000_000  # of an exact power; Python would be busy for minutes with a longer one


def _whole_power(base: Any, exponent: int) -> Any:
    if isinstance(base, Fraction):
        bits = max(abs(base.numerator), base.denominator).bit_length() - 1
        if bits * abs(exponent) > 3.4 * _DIGITS:
            raise BudgetError(
                f"the exact value of a power with the exponent {exponent} has more than {_DIGITS:,} digits; "
                "use precision= for as many as you need"
            )
    elif isinstance(base, mpmath.mpf):
        within_reach(exponent, "a power")
    elif exponent.bit_length() > 1000:
        return base ** (math.inf if exponent > 0 else -math.inf)
    return base**exponent


def _atom(node: Expression, arithmetic: Arithmetic) -> Any:
    if node is sympy.true or node is sympy.false:
        return node is sympy.true
    if not node._args and node.is_number:
        return arithmetic.constant(node)
    raise InputError(
        f"no value is given for {short(node)}; add it to the values, as in {{{short(node)}: 1.0}}"
    )


def _element(node: Expression, known: dict[int, Any]) -> Any:
    """a[i], given a[1], a[2], ... and the value of i."""
    base, *indices = node._args
    places = [known[id(index)] for index in indices]
    if not all(isinstance(p, int | float | Fraction | mpmath.mpf) and p == int(p) for p in places):
        raise InputError(
            f"{short(node)} needs integers as indices, but they are {', '.join(map(str, places))}"
        )
    element = rebuild(node, [base, *(intern(int(p)) for p in places)])
    if id(element) not in known:
        raise InputError(f"no value is given for {element}; add it to the values, as in {{{element}: 1.0}}")
    return known[id(element)]
