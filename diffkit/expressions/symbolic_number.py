"""NumPy code on expressions."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from diffkit.calculus import ALIASES, ELEMENTARY
from diffkit.errors import InputError, TraceError
from diffkit.expressions import operations
from diffkit.expressions.intern_table import Expression
from diffkit.expressions.interning import HasExpression, count_nodes, intern, short
from diffkit.expressions.reading import NAMES, apply, line_of
from diffkit.sites import users_frame


def _user_line() -> str:
    """Where the running program stands: 'file.py, line 3'."""
    frame = users_frame(sys._getframe(1))
    return f"{Path(frame.f_code.co_filename).name}, line {frame.f_lineno}"


def _operator(name: str, *, reflected: bool = False) -> Any:
    def method(self: SymbolicNumber, other: Any) -> Any:
        if isinstance(other, np.ndarray):
            return NotImplemented  # NumPy comes back with one element at a time
        try:
            operand = intern(other)
        except InputError:
            return NotImplemented
        a, b = (operand, self.expr) if reflected else (self.expr, operand)
        return SymbolicNumber(NAMES[name](a, b) if name in NAMES else apply(name, a, b))

    return method


def _refuse(what: str) -> Any:
    def method(self: SymbolicNumber, *others: Any) -> Any:
        raise TraceError(
            f"{what} needs the value of {short(self)} ({_user_line()}), but a symbol has none: the path "
            "would depend on it. Write the branches as one expression (np.maximum, np.absolute, "
            "sympy.Piecewise), or take the expression of one path by tracing at a point"
        )

    return method


class SymbolicNumber(HasExpression):
    """An expression that NumPy code can compute with, alone or in an object array.

    The operators and every elementary function build interned, unevaluated expressions; comparing
    one, or asking for its truth or its value, raises.

    Args:
        expr: a SymPy expression or a number.

    Raises:
        TraceError: when a value is needed: in ``if``, ``while``, ``<``, ``float()``, an index.

    >>> import sympy
    >>> x = SymbolicNumber.wrap(sympy.symbols("x1 x2"))
    >>> np.sum(np.sin(x) ** 2)
    SymbolicNumber(sin(x1)**2 + sin(x2)**2)
    >>> np.dot(x, x).expr
    x1*x1 + x2*x2
    >>> if x[0] > 0:
    ...     pass
    Traceback (most recent call last):
        ...
    diffkit.errors.TraceError: x > y needs the value of SymbolicNumber(x1) ...
    """

    __slots__ = ()

    def __init__(self, expr: Any) -> None:
        self.expr = intern(expr)

    @staticmethod
    def wrap(values: Any) -> Any:
        """Expressions or numbers, in whatever nesting of lists, as one object array of SymbolicNumber."""
        array = np.asarray(values, dtype=object)
        wrapped = np.empty(array.shape, dtype=object)
        for index, value in np.ndenumerate(array):
            wrapped[index] = SymbolicNumber(value)
        return wrapped if array.ndim else wrapped[()]

    @staticmethod
    def unwrap(values: Any) -> Any:
        """The expressions: of one SymbolicNumber or number, or of an array of them (same shape)."""
        if isinstance(values, np.ndarray | list | tuple):
            array = np.asarray(values, dtype=object)
            plain = np.empty(array.shape, dtype=object)
            for index, value in np.ndenumerate(array):
                plain[index] = intern(value)
            return plain
        return intern(values)

    def __repr__(self) -> str:
        return f"SymbolicNumber({_bounded(self.expr)})"

    def __hash__(self) -> int:
        return hash(self.expr)

    __add__, __radd__ = _operator("add"), _operator("add", reflected=True)
    __sub__, __rsub__ = _operator("subtract"), _operator("subtract", reflected=True)
    __mul__, __rmul__ = _operator("multiply"), _operator("multiply", reflected=True)
    __truediv__, __rtruediv__ = _operator("divide"), _operator("divide", reflected=True)
    __pow__, __rpow__ = _operator("power"), _operator("power", reflected=True)
    __mod__, __rmod__ = _operator("remainder"), _operator("remainder", reflected=True)

    def __neg__(self) -> SymbolicNumber:
        return SymbolicNumber(operations.negative(self.expr))

    def __pos__(self) -> SymbolicNumber:
        return self

    def __abs__(self) -> SymbolicNumber:
        return SymbolicNumber(apply("absolute", self.expr))

    def __floor__(self) -> SymbolicNumber:  # np.floor asks by this name
        return SymbolicNumber(apply("floor", self.expr))

    def __ceil__(self) -> SymbolicNumber:
        return SymbolicNumber(apply("ceil", self.expr))

    def conjugate(self) -> SymbolicNumber:
        """Itself: it stands for a real number."""
        return self

    __bool__ = _refuse("a branch (if, while, and, or, not)")
    __lt__, __le__ = _refuse("x < y"), _refuse("x <= y")
    __gt__, __ge__ = _refuse("x > y"), _refuse("x >= y")
    __eq__, __ne__ = _refuse("x == y"), _refuse("x != y")
    __float__, __int__ = _refuse("float()"), _refuse("int()")
    __index__, __complex__ = _refuse("an index or a loop count"), _refuse("complex()")

    __array_priority__: ClassVar[float] = 1000.0

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        """NumPy's functions called on a SymbolicNumber itself, two-argument ones included."""
        name = ufunc.__name__
        if method != "__call__" or options or ALIASES.get(name, name) not in ELEMENTARY:
            if name in _COMPARISONS:
                _refuse(_COMPARISONS[name])(self)
            return NotImplemented

        def one(*elements: Any) -> SymbolicNumber:
            return SymbolicNumber(apply(name, *elements))

        if any(isinstance(i, np.ndarray | list | tuple) for i in inputs):
            return np.frompyfunc(one, len(inputs), 1)(*[_as_objects(i) for i in inputs])
        return one(*inputs)


_COMPARISONS = {
    "less": "x < y",
    "less_equal": "x <= y",
    "greater": "x > y",
    "greater_equal": "x >= y",
    "equal": "x == y",
    "not_equal": "x != y",
}


def _as_objects(value: Any) -> Any:
    """An object array, a single element as one of no dimensions, so that NumPy broadcasts it."""
    if isinstance(value, np.ndarray | list | tuple):
        return np.asarray(value, dtype=object)
    array = np.empty((), dtype=object)
    array[()] = value
    return array


def _elementwise(name: str) -> Callable[[SymbolicNumber], SymbolicNumber]:
    def method(self: SymbolicNumber) -> SymbolicNumber:
        return SymbolicNumber(apply(name, self.expr))

    method.__name__ = name
    method.__doc__ = f"``{name}`` of the expression; NumPy's loop over an object array calls this."
    return method


for _name in [*ELEMENTARY, *ALIASES]:
    if len(line_of(_name).arguments) == 1:
        setattr(SymbolicNumber, _name, _elementwise(_name))


def _bounded(expr: Expression, nodes: int = 60) -> str:
    """The expression as text if that is short, else the start of a description."""
    if count_nodes(expr, nodes + 1) > nodes:
        return f"{type(expr).__name__} of more than {nodes} nodes"
    return str(expr)
