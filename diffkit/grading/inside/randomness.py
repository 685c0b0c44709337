"""The same random numbers in every forward pass, where a backward pass is compared with its own.

A dropout layer draws its mask anew each time. Its derivative can be measured all the same, if it draws the
same one each time; so what numbers are drawn from is set back before each pass: NumPy's and Python's global
generators, generators that the submission keeps in its module, and those that it makes without a seed.
"""

from __future__ import annotations

import copy
import functools
import random
from typing import Any

import numpy as np

SEED = 20261


class Randomness:
    """Sets back all that a submission draws from to where it was, as long as this is open.

    Args:
        module: the submission.

    >>> import types
    >>> module = types.SimpleNamespace(rng=np.random.default_rng(1))
    >>> draws = []
    >>> with Randomness(module) as randomness:
    ...     for _ in range(2):
    ...         randomness.set_back()
    ...         draws.append((module.rng.random(), np.random.rand(), random.random()))
    >>> draws[0] == draws[1]
    True
    """

    def __init__(self, module: Any) -> None:
        generators = [g for g in vars(module).values() if _state(g) is not None]
        self._kept = [(g, copy.deepcopy(_state(g))) for g in generators]
        self._original = np.random.default_rng
        self._holders = [(vars(module), name) for name, v in vars(module).items() if v is self._original]

    def __enter__(self) -> Randomness:
        for names, name in [*self._holders, (vars(np.random), "default_rng")]:
            names[name] = functools.partial(_with_a_seed, self._original)
        return self

    def __exit__(self, *_: object) -> None:
        for names, name in [*self._holders, (vars(np.random), "default_rng")]:
            names[name] = self._original

    def set_back(self) -> None:
        """Before a forward pass."""
        np.random.seed(SEED)  # noqa: NPY002 - what students draw from
        random.seed(SEED)
        for generator, state in self._kept:
            if isinstance(generator, np.random.Generator):
                generator.bit_generator.state = state
            elif isinstance(generator, np.random.RandomState):
                generator.set_state(state)
            else:
                generator.setstate(state)


def _state(value: Any) -> Any:
    if isinstance(value, np.random.Generator):
        return value.bit_generator.state
    if isinstance(value, np.random.RandomState):
        return value.get_state()
    return value.getstate() if isinstance(value, random.Random) else None


def _with_a_seed(make: Any, seed: Any = None) -> Any:
    return make(SEED if seed is None else seed)
