"""What a row of a trace calls: a function and its derivative rules, and where NumPy's are found."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from diffkit.calculus import ALIASES, ELEMENTARY, Elementary

Rule = Callable[..., Any]

NO_KWARGS: dict[str, Any] = {}
"""The keywords of all the rows that have none."""

BY_UFUNC: dict[str, Any] = {}
"""The keywords of such rows of numbers where NumPy's function was called and not Python's operator."""


class Primitive:
    """A function that is recorded as one row, with its derivative rules.

    Attributes:
        name: the function's name, NumPy's where it has one.
        compute: the function itself, on values. On nodes of an outer recording it must lead back
            here, which it does if it is made of operators and NumPy calls.
        vjps: per positional argument, ``vjp(g, ans, *args, **kwargs)``, the cotangent of that
            argument; None where the derivative is zero.
        jvps: per positional argument, ``jvp(t, ans, *args, **kwargs)``, the tangent of the answer.
        float_vjps: the same as ``vjps``, for Python floats only and quicker; or ().
        float_jvps: the same for ``jvps``.
        line: the function's line in the calculus table, if it has one.
        constant: whether its derivative is zero wherever it exists (comparisons, floor, argmax).
        variadic: whether it takes any number of arguments alike (concatenate). Then ``vjps`` and
            ``jvps`` hold one rule each, called as ``vjp(k, g, ans, *args, **kwargs)``.
        joint: whether the rules are for all arguments at once. Then ``vjps`` holds one, which returns
            a cotangent (or None) for each argument, and ``jvps`` one, which takes the tangents of all
            arguments as a tuple, None where there is none.
        builtin: whether diffkit defined it; a user's rules have their answers checked.
        direct: whether a sweep may call its rules as they are: known, one per argument, builtin.
        arrange: what brings a call of the NumPy function into the form of a row (see
            ``rules/call_forms.py``); None where calls already have it.
    """

    apply: ClassVar[Callable[..., Any]]
    """What performs a call and records it: ``tracer.apply``, put here by the file that knows nodes."""

    stand_in: ClassVar[Callable[..., Any]]
    """What a program is given for a row: ``arrays.stand_in``, put here likewise."""

    by_place: ClassVar[bool] = False
    """Whether its rules do without the numbers of its first argument."""

    rules_of_line: ClassVar[Callable[[Primitive, Elementary], None]]
    """What makes rules of a line of the calculus table, put here by ``rules/elementwise.py``."""

    __slots__ = (
        "arrange",
        "builtin",
        "compute",
        "constant",
        "direct",
        "float_jvps",
        "float_vjps",
        "joint",
        "jvps",
        "line",
        "name",
        "variadic",
        "vjps",
    )

    def __init__(
        self,
        name: str,
        compute: Callable[..., Any],
        *,
        constant: bool = False,
        variadic: bool = False,
        joint: bool = False,
        builtin: bool = True,
    ) -> None:
        self.name = name
        self.compute = compute
        self.vjps: tuple[Rule | None, ...] = ()
        self.jvps: tuple[Rule | None, ...] = ()
        self.float_vjps: tuple[Rule | None, ...] = ()
        self.float_jvps: tuple[Rule | None, ...] = ()
        self.line: Elementary | None = ELEMENTARY.get(ALIASES.get(name, name))
        self.constant = constant
        self.variadic = variadic
        self.joint = joint
        self.builtin = builtin
        self.direct = False
        self.arrange: Callable[..., tuple[tuple[Any, ...], dict[str, Any]]] | None = None

    def complete_rules(self) -> None:
        """Makes the rules ready for use: the first sweep that meets the primitive calls this.

        A primitive that has a line in the table gets its rules from there. Those that it has already are
        kept: a function that needs care (complex absolute values) has its own in one of the rule files.
        """
        if self.line is not None and not self.line.piecewise_constant:
            Primitive.rules_of_line(self, self.line)
        self.float_vjps = self.float_vjps or self.vjps
        self.float_jvps = self.float_jvps or self.jvps
        self.direct = self.builtin and not (self.constant or self.variadic or self.joint or self.by_place)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return Primitive.apply(self, args, kwargs, sys._getframe(1))

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"

    @property
    def __name__(self) -> str:
        return self.name


class ByPlace(Primitive):
    """A function of an array that reads or writes some of its places.

    Its rules need the shape of the array, and none of its numbers: a sweep does not ask for those.
    """

    __slots__ = ()
    by_place = True


class InPlace(ByPlace):
    """A function of an array, and more, that gives the array with some places changed.

    Attributes:
        write: changes them in place: ``write(array, *args)``.
    """

    __slots__ = ("write",)

    def __init__(self, name: str, compute: Callable[..., Any], write: Callable[..., None]) -> None:
        super().__init__(name, compute)
        self.write = write


UFUNCS: dict[np.ufunc, Primitive] = {}
"""NumPy's ufuncs, and SciPy's where it is installed, that can be recorded."""

FUNCTIONS: dict[Callable[..., Any], Callable[..., Any]] = {}
"""What stands for a NumPy function on nodes: a primitive, or a function made of others."""

PYTHONS: dict[str, type] = {"f": float, "c": complex, "i": int, "u": int, "b": bool}
"""Python's type of number for a dtype's kind."""


def _as_type(x: Any, dtype: Any) -> Any:
    if isinstance(dtype, type):
        return x.item()
    return x.astype(dtype) if hasattr(x, "astype") else dtype.type(x)


ASTYPE = Primitive("astype", _as_type)
"""What ``x.astype(dtype)`` is, with one of Python's types ``x.item()``; its rules: ``rules/shaping.py``."""
