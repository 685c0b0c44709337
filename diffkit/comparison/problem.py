"""A function with its arguments, seen as a map from R^n to R^m."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from diffkit.autodiff.core.trace import is_differentiable, parameter_names
from diffkit.comparison.result import summary
from diffkit.containers import flatten, paths
from diffkit.errors import DomainError, InputError

__all__ = ["Problem"]


class Problem:
    """A function with its arguments, seen as a map from R^n to R^m that counts its evaluations."""

    def __init__(self, f: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self.f = f
        self.args = args
        self.name = getattr(f, "__name__", "the function")
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
        if np.iscomplexobj(self.x):
            raise InputError(f"compare takes real arguments, but {self.name} was given complex ones")
        self.inputs = [
            name for k in self.places for name in _element_names(leaf_names[k], np.shape(self.leaves[k]))
        ]
        self.evaluations = 0
        with np.errstate(all="ignore"):
            y = self(self.x)
        if not np.all(np.isfinite(y)):
            point = ", ".join(f"{n} = {v:.6g}" for n, v in zip(self.inputs[:6], self.x, strict=False))
            raise DomainError(
                f"{self.name} is {summary(y.reshape(1, -1))} at {point}{', ...' * (len(self.x) > 6)}: "
                "that point is outside its domain"
            )
        self.y = y

    def arguments(self, x: np.ndarray[Any, Any]) -> tuple[Any, ...]:
        """The arguments with the numbers of x in them."""
        leaves = list(self.leaves)
        start = 0
        for k in self.places:
            shape = np.shape(self.leaves[k])
            size = int(np.prod(shape))
            part = x[start : start + size]
            leaves[k] = part.reshape(shape) if shape else float(part[0])
            start += size
        rebuilt: tuple[Any, ...] = self.structure.unflatten(leaves)
        return rebuilt

    def __call__(self, x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        self.evaluations += 1
        answer = flatten(self.f(*self.arguments(x)))[0]
        return np.concatenate([np.ravel(np.asarray(leaf, dtype=float)) for leaf in answer])


def _element_names(name: str, shape: tuple[int, ...]) -> list[str]:
    if not shape:
        return [name]
    return [f"{name}[{', '.join(map(str, index))}]" for index in np.ndindex(*shape)]
