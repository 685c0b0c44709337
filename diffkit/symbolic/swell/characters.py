"""The length of an expression's text, without writing it.

SymPy's printer is restated for sums, products, powers and functions, as the lengths that its texts
would have; for rarer classes the printer itself is run on one node, with marks for the operands.
The restatement is there because SymPy decides on brackets by evaluating ``-expr``, which walks the
whole expression at every node.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import Any

from sympy import S
from sympy.core.function import AppliedUndef
from sympy.printing.precedence import precedence
from sympy.printing.str import StrPrinter, sstr

from diffkit.expressions import Expression

_ADD, _MUL, _POW, _ATOM = 40, 50, 60, 1000  # sympy.printing.precedence.PRECEDENCE


def is_minus(node: Expression) -> bool:
    """Whether SymPy sees a minus sign in front: a negative number, or a product that starts with one."""
    if node.is_Mul:
        node = node._args[0]
    return bool(node.is_Number and node.is_extended_negative)


def _binds(node: Expression) -> int:
    """SymPy's precedence of a node, found without looking further down."""
    if node.is_Add:
        return _ADD
    if node.is_Mul:
        return _ADD if is_minus(node) else _MUL
    if node.is_Pow:
        return _POW
    return int(precedence(node))


@cache
def _is_plain(cls: Any) -> bool:
    """Whether a class prints as name(argument, ...)."""
    return (
        bool(cls.is_Function)
        and not any(
            hasattr(StrPrinter, f"_print_{c.__name__}")
            for c in cls.__mro__
            if c.__name__ != "Function" and c.__name__ not in _COMMON
        )
        and not issubclass(cls, AppliedUndef)
    )


_COMMON = frozenset({"Basic", "Expr", "object", "Application"})


class Lengths:
    """The lengths of the texts of nodes, measured operands first.

    Attributes:
        lengths: by identity; entries of nodes that are used no more may be deleted.

    >>> import sympy
    >>> from diffkit.expressions import intern, post_order
    >>> expr = intern(1 - sympy.sqrt(sympy.Symbol("x")))
    >>> lengths = Lengths()
    >>> for node in post_order(expr):
    ...     lengths.measure(node)
    >>> lengths.lengths[id(expr)], len(str(expr))
    (11, 11)
    """

    def __init__(self) -> None:
        self.lengths: dict[int, int] = {}
        self.minus: set[int] = set()  # those whose text starts with a minus sign
        self._printer = _Marks(self)

    def measure(self, node: Expression) -> None:
        """Notes the length of a node's text, given those of its operands."""
        key, args = id(node), node._args
        cls: Any = type(node)
        if node.is_Add:
            length, minus = self._sum(args)
        elif node.is_Mul:
            length, minus = self._product(args)
        elif node.is_Pow:
            length, minus = self._power(*args), False
        elif args and _is_plain(cls):
            inside = sum([self.lengths[id(a)] for a in args])
            length, minus = len(cls.__name__) + 2 * len(args) + inside, False
        elif node.is_Rational:
            length, minus = _digits(node), node.p < 0
        else:
            length, minus = self._printer.measure(node)
        self.lengths[key] = length
        if minus:
            self.minus.add(key)
        else:
            self.minus.discard(key)

    def _within(self, node: Expression, level: int) -> int:
        """The length as an operand: in brackets unless it binds more tightly than ``level``."""
        return self.lengths[id(node)] + (2 if _binds(node) <= level else 0)

    def _sum(self, terms: Sequence[Expression]) -> tuple[int, bool]:
        length = 3 * (len(terms) - 1)
        for term in terms:
            length += self.lengths[id(term)]
            if id(term) in self.minus and not term.is_Add:
                length -= 1
            if term.is_Add or _binds(term) < _ADD:
                length += 2
        minus = id(terms[0]) in self.minus and not terms[0].is_Add
        return length + minus, minus

    def _power(self, base: Expression, exponent: Expression) -> int:
        if exponent is S.Half:
            return len("sqrt()") + self.lengths[id(base)]
        if exponent.is_Rational and exponent.q == 2 and exponent.p == -1:
            return len("1/sqrt()") + self.lengths[id(base)]
        if exponent is S.NegativeOne:
            return 2 + self._within(base, _POW)
        return self._within(base, _POW) + 2 + self._within(exponent, _POW)

    def _turned(self, power: Expression, level: int) -> int:
        """A power with a negative exponent, as it stands below a fraction's line."""
        base, exponent = power._args
        if exponent is S.NegativeOne:
            return self._within(base, level)
        if base.is_Rational and base.p == 1 and base.q != 1:  # (1/2)**(-x) is printed by way of 2**(-x)
            return _written(base.q) + 2 + self._within(exponent, _POW)
        if exponent.is_Number:
            if exponent.is_Rational and exponent.q == 2 and exponent.p == -1:
                return len("sqrt()") + self.lengths[id(base)]
            positive = _digits(-exponent) + (2 if _binds(-exponent) <= _POW else 0)
        else:
            first, *rest = exponent._args
            if len(rest) == 1 and first is S.NegativeOne:
                positive = self._within(rest[0], _POW)
            elif first is S.NegativeOne:
                positive = self._product(rest)[0] + 2
            else:
                positive = self._product([-first, *rest])[0] + 2
        return self._within(base, _POW) + 2 + positive

    def _factor(self, factor: Expression, level: int) -> int:
        if id(factor) in self.lengths:
            return self._within(factor, level)
        return _digits(factor) + (2 if _binds(factor) <= level else 0)  # a number made on the way

    def _product(self, factors: Sequence[Expression]) -> tuple[int, bool]:
        first = factors[0]
        minus = bool(first.is_Number and first.is_extended_negative)
        level = _ADD if minus else _MUL
        if first is S.One or any(
            f.is_Number or (f.is_Pow and f._args[0].is_Integer and f._args[1].is_Integer) for f in factors[1:]
        ):
            return self._as_written(factors, level), id(first) in self.minus
        factors = list(factors)
        if minus:
            rest = list(factors[1:])
            if len(rest) == 1 and rest[0].is_Mul:
                rest = list(rest[0]._args)
            coefficient = -first
            if rest[0].is_Number:
                coefficient *= rest.pop(0)
            factors = rest if coefficient is S.One else [coefficient, *rest]
        above, below, doubled = [], [], 0
        for f in factors:
            if f.is_Pow and _turns(f):
                below.append(self._turned(f, level))
                base = f._args[0]
                if f._args[1] is S.NegativeOne and (base.is_Mul or base.is_Pow) and len(base._args) != 1:
                    doubled += 2
            elif f.is_Rational:
                if f.p != 1:
                    above.append(_written(f.p) + (2 if f.p < 0 else 0))
                if f.q != 1:
                    below.append(_written(f.q))
            else:
                above.append(self._factor(f, level))
        length = minus + _joined(above or [1])
        if below:
            length += 1 + _joined(below) + (2 if len(below) > 1 else 0) + doubled
        return length, minus

    def _as_written(self, factors: Sequence[Expression], level: int) -> int:
        """A product that SymPy's constructor would have changed, which it prints factor by factor."""
        above = [f for f in factors if not (f.is_Pow and _turns(f))]
        below = [self._turned(f, level) for f in factors if f.is_Pow and _turns(f)]
        lengths = [self._factor(f, level) for f in above] or [1]
        if above and not above[0].is_Add and is_minus(above[0]):
            lengths[0] = self.lengths[id(above[0])]
        if not below:
            return _joined(lengths)
        return _joined(lengths) + 1 + _joined(below) + (2 if len(below) > 1 else 0)


def _digits(number: Expression) -> int:
    if number.is_Rational:
        return _written(number.p) + (0 if number.q == 1 else 1 + _written(number.q))
    return len(sstr(number, full_prec=False))


def _written(integer: int) -> int:
    """The characters of an integer; Python itself writes none of more than 4300 digits."""
    bits = abs(integer).bit_length()
    if bits < 10_000:
        return len(str(integer))
    fewest = int((bits - 1) * math.log10(2)) + 1
    return fewest + int(abs(integer) >= 10**fewest) + int(integer < 0)


def _joined(lengths: Sequence[int]) -> int:
    return sum(lengths) + len(lengths) - 1


def _turns(power: Expression) -> bool:
    """Whether SymPy prints a power below the line: its exponent has a minus sign."""
    return is_minus(power._args[1])


_OPEN, _CLOSE = "\x01", "\x02"


class _Marks(StrPrinter):  # type: ignore[misc]
    """SymPy's printer on one node, with a mark for each operand."""

    def __init__(self, known: Lengths) -> None:
        super().__init__({"order": "none"})
        self._known = known
        self._top: Expression = None

    def measure(self, node: Expression) -> tuple[int, bool]:
        """The length of a node's text, and whether it starts with a minus sign."""
        self._top = node
        self._print_level = 1  # a number within an expression is printed without trailing zeros
        start, *parts = self._print(node).split(_OPEN)
        length = len(start)
        for part in parts:
            mark, rest = part.split(_CLOSE)
            length += self._known.lengths[int(mark)] + len(rest)
        return length, start[:1] == "-"

    def _print(self, expr: Any, **options: Any) -> str:
        key = id(expr)
        if expr is not self._top and key in self._known.lengths:
            return f"{_OPEN}{key}{_CLOSE}"
        return str(super()._print(expr, **options))

    def parenthesize(self, item: Any, level: int, strict: bool = False) -> str:
        binds = _binds(item)
        text = self._print(item)
        return f"({text})" if binds < level or (not strict and binds <= level) else text

    def _print_LatticeOp(self, expr: Any) -> str:
        # SymPy sorts the arguments, which takes recursion; the length does not depend on it.
        return f"{type(expr).__name__}({', '.join(self._print(a) for a in expr._args)})"
