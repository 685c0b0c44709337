"""A function with its arguments, seen as a map from R^n to R^m."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from diffkit.autodiff.core.leaves import is_differentiable
from diffkit.autodiff.core.record import parameter_names
from diffkit.comparison.failures import place_of
from diffkit.containers import flatten, paths
from diffkit.errors import InputError
from diffkit.programs import Program

_NO_VALUE = (ArithmeticError, ValueError)
"""What Python raises where NumPy would return inf or nan: ``1 / 0.0``, ``math.log(-1.0)``."""

_BY_MATH = re.compile(r"math (domain|range) error|expected a (positive|nonnegative|number)")
_ARRAYS = np.generic | np.ndarray

_REPEATED = 16
"""Roundings that two runs of one program may differ by, since a library may sum in another order."""


class Problem:
    """A function with its arguments, seen as a map from R^n to R^m that counts its evaluations.

    Args:
        f: the function.
        args: its arguments.
        real: whether complex numbers are refused.

    Attributes:
        f, args, name: the function, its arguments, what to call it.
        x: the floats among the arguments, flat (n,).
        inputs: what the user would call each of them.
        y: f's value there, flat (m,); inf or nan where the program has no finite value.
        why: what Python raised at x where NumPy would return inf or nan, and at which line; else "".
        evaluations: how often f was run on floats.

    Raises:
        InputError: if no argument is a float, an argument or the answer is complex, the answer is no
            number or not there at all, or f gives another value when it is run again.
    """

    def __init__(self, f: Callable[..., Any], args: tuple[Any, ...], *, real: bool = True) -> None:
        self.f = f
        self.real = real
        self.args = args
        self.name = f.name if isinstance(f, Program) else getattr(f, "__name__", type(f).__name__)
        names = parameter_names(f, len(args))
        self.leaves, self.structure = flatten(args)
        leaf_names = list(
            itertools.chain.from_iterable(
                paths(child, name) for child, name in zip(self.structure.children, names, strict=True)
            )
        )
        self.places = [k for k, leaf in enumerate(self.leaves) if is_differentiable(leaf)]
        if not self.places:
            raise InputError(
                f"none of the arguments of {self.name} is a float or an array of floats: "
                f"{', '.join(map(repr, args)) or 'there are none'}"
            )
        self.x = np.concatenate([np.ravel(self.leaves[k]) for k in self.places])
        if real and np.iscomplexobj(self.x):
            raise InputError(f"a comparison takes real arguments, but {self.name} was given complex ones")
        self.inputs = [
            name for k in self.places for name in _element_names(leaf_names[k], np.shape(self.leaves[k]))
        ]
        self.evaluations = 0
        self.why = ""
        self.y = self._first_value()
        self.refuse_if_another_value()

    @property
    def point(self) -> str:
        """The point as ``x = 1, y = 2``."""
        shown = ", ".join(f"{n} = {v:.6g}" for n, v in zip(self.inputs[:6], self.x, strict=False))
        return shown + ", ..." * (len(self.x) > 6)

    def arguments(self, x: np.ndarray[Any, Any]) -> tuple[Any, ...]:
        """The arguments with the numbers of x in them; their arrays are copies, in case f writes to them."""
        leaves = [np.array(leaf) if isinstance(leaf, np.ndarray) else leaf for leaf in self.leaves]
        start = 0
        for k in self.places:
            shape = np.shape(self.leaves[k])
            size = int(np.prod(shape))
            part = x[start : start + size]
            leaves[k] = np.array(part).reshape(shape) if shape else part[0].item()
            start += size
        rebuilt: tuple[Any, ...] = self.structure.unflatten(leaves)
        return rebuilt

    def flat(self, answer: Any) -> np.ndarray[Any, Any]:
        """The numbers of an answer of f's.

        Raises:
            InputError: if it has none, or something else.
        """
        leaves = flatten(answer)[0]
        if any(leaf is None for leaf in leaves):
            where = "" if answer is None else "a container with "
            raise InputError(f"{self.name} returned {where}None: is a return missing?")
        arrays = []
        for leaf in leaves:
            array = np.asarray(leaf)
            if array.dtype.kind not in "biufc" or not isinstance(leaf, int | float | complex | _ARRAYS):
                raise InputError(
                    f"{self.name} returned {_short(leaf)}, of type {type(leaf).__name__}; a derivative is of "
                    "numbers: floats, arrays, or containers of them"
                )
            arrays.append(np.ravel(array))
        flat = np.concatenate(arrays) if arrays else np.empty(0)
        if not flat.size:
            raise InputError(f"{self.name} returned nothing to differentiate: {_short(answer)}")
        return flat

    def __call__(self, x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """f beside the point: nan where it raises what NumPy would return nan for, or is complex."""
        self.evaluations += 1
        try:
            flat = self.flat(self.f(*self.arguments(x)))
        except _NO_VALUE as error:
            return np.full(self.y.shape, _stand_in(error))
        if not self.real and np.iscomplexobj(flat):
            return flat
        if np.iscomplexobj(flat):
            return np.where(flat.imag == 0, flat.real, np.nan)
        return flat.astype(float)

    def refuse_if_another_value(self) -> None:
        """Runs f again at the point.

        Raises:
            InputError: if its value is another one: f is random or keeps state.
        """
        again = self(self.x)
        if again.shape == self.y.shape:
            with np.errstate(all="ignore"):
                near = np.abs(again - self.y) <= _REPEATED * np.spacing(np.abs(self.y))
            if np.all(near | (again == self.y) | (np.isnan(again) & np.isnan(self.y))):
                return
        raise InputError(
            f"{self.name} is not a function of its inputs: run again at {self.point}, it gives "
            f"{_numbers(again)} after {_numbers(self.y)}. It is random, or keeps something from run to run, "
            "so it has no derivative to compare; fix its seed inside it, and hand over as an argument what "
            "it keeps"
        )

    def _first_value(self) -> np.ndarray[Any, Any]:
        self.evaluations += 1
        try:
            with np.errstate(all="ignore"):
                flat = self.flat(self.f(*self.arguments(self.x)))
        except InputError:
            raise
        except ArithmeticError as error:
            return self._without_value(error)
        except ValueError as error:
            if not _BY_MATH.search(str(error)):
                raise
            return self._without_value(error)
        if not self.real and np.iscomplexobj(flat):
            return flat
        if np.iscomplexobj(flat):
            raise InputError(
                f"{self.name} is complex at {self.point}: {_numbers(flat)}. A comparison takes real "
                "functions: take np.real, np.imag or np.abs of the answer; a power of a negative number "
                "is real only if its exponent is a whole number"
            )
        return flat.astype(float)

    def _without_value(self, error: Exception) -> np.ndarray[Any, Any]:
        self.why = f"{type(error).__name__}: {error}{place_of(error)}"
        return np.array([_stand_in(error)])


def _element_names(name: str, shape: tuple[int, ...]) -> list[str]:
    if not shape:
        return [name]
    return [f"{name}[{', '.join(map(str, index))}]" for index in np.ndindex(*shape)]


def _stand_in(error: Exception) -> float:
    """What NumPy would have returned where Python raised."""
    return np.inf if isinstance(error, OverflowError) or "range error" in str(error) else np.nan


def _numbers(values: np.ndarray[Any, Any]) -> str:
    shown = ", ".join(f"{v:.6g}" for v in values[:4])
    return shown if len(values) == 1 else f"({shown}{', ...' * (len(values) > 4)})"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
