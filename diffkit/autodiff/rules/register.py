"""How a rule table is written: one call of :func:`define` per function, its two modes side by side.

Three kinds of functions stand for NumPy's on traced values:

- a **primitive** with rules of its own (:func:`define`), or with a derivative that is zero wherever it
  exists (:func:`constant`): one row of the trace;
- a **composite** (:func:`composite`): a program of functions that have rules, a row for each of its steps;
- a **structural** function (:func:`structural`): its answer depends on shapes and dtypes only, so it is
  no step of the program, and its answer a plain value.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from diffkit.autodiff.core.fit import fit
from diffkit.autodiff.recording.primitive import Rule
from diffkit.autodiff.recording.tracer import FUNCTIONS, Primitive, is_traced
from diffkit.autodiff.rules.call_forms import Arrangement, plain_arguments
from diffkit.typing import Value

__all__ = [
    "DEFINED",
    "KINDS",
    "LINEAR",
    "composite",
    "constant",
    "define",
    "fit",
    "is_node",
    "reentrant",
    "structural",
]


KINDS: dict[Callable[..., Any], str] = {}
"""How each function is differentiated: "rule", "composite", "constant" or "structural"."""

DEFINED: dict[Callable[..., Any], Primitive] = {}
"""The primitive of each function that has one with rules, also where calls go through an entry first."""


class _Linear:
    """The JVP of an argument in which the function is linear: the function, of the tangent."""

    def __repr__(self) -> str:
        return "LINEAR"


LINEAR = _Linear()


def linear_jvp(compute: Callable[..., Any], k: int | None) -> Rule:
    """``compute`` with the tangent in place of argument k; for None, of the one that the rule is told."""

    def jvp_of(k: int, t: Value, ans: Value, /, *args: Any, **kwargs: Any) -> Any:
        return compute(*args[:k], t, *args[k + 1 :], **kwargs)

    jvp: Any = jvp_of if k is None else functools.partial(jvp_of, k)
    jvp.is_linear = True  # so that it can be written as the function itself
    return jvp  # type: ignore[no-any-return]


def define(
    function: Callable[..., Any],
    vjps: Sequence[Rule | None],
    jvps: Sequence[Rule | _Linear | None],
    *,
    name: str | None = None,
    compute: Callable[..., Any] | None = None,
    variadic: bool = False,
    joint: bool = False,
    entry: Callable[[Primitive], Callable[..., Any]] | None = None,
) -> Primitive:
    """Makes a primitive of a NumPy function and registers it.

    Args:
        function: the NumPy function as users call it.
        vjps, jvps: one rule per positional argument; None for a zero derivative, ``LINEAR`` for
            the JVP of a linear argument. The function's other parameters come as keywords.
        name: the primitive's name, if not the function's own.
        compute: what computes the value, if not ``function`` itself.
        variadic, joint: see :class:`Primitive`.
        entry: given the primitive, makes what users' calls go to: for signatures in which
            differentiable arguments come inside a list, or not always.
    """
    run = compute or function
    fun = Primitive(name or function.__name__, run, variadic=variadic, joint=joint)
    fun.vjps = tuple(vjps)
    places = [None] if variadic else range(len(jvps))
    fun.jvps = tuple(
        linear_jvp(run, k) if isinstance(j, _Linear) else j for k, j in zip(places, jvps, strict=True)
    )
    if not variadic:
        fun.arrange = Arrangement(function, len(fun.vjps))
    FUNCTIONS[function] = entry(fun) if entry else fun
    DEFINED[function] = fun
    KINDS[function] = "rule"
    return fun


def constant(*functions: Callable[..., Any]) -> None:
    """Registers functions whose derivative is zero wherever it exists: comparisons, argmax, floor."""
    for function in functions:
        FUNCTIONS[function] = fun = Primitive(function.__name__, function, constant=True)
        fun.arrange = Arrangement(function, None)
        KINDS[function] = "constant"


def composite(*functions: Callable[..., Any] | None) -> Callable[[Rule], Rule]:
    """Registers what stands for a NumPy function as a program of functions that have rules.

    A function that the NumPy in use does not have yet is given as None, and passed over.
    """

    def register(program: Rule) -> Rule:
        for function in functions:
            if function is not None:
                FUNCTIONS[function] = program
                KINDS[function] = "composite"
        return program

    return register


def structural(*functions: Callable[..., Any]) -> None:
    """Registers functions of shapes and dtypes, which are applied to the plain values."""

    def on_plain(function: Callable[..., Any]) -> Rule:
        def run(*args: Any, **kwargs: Any) -> Any:
            return function(*plain_arguments(args), **{k: plain_arguments(v) for k, v in kwargs.items()})

        run.__name__ = function.__name__
        return run

    for function in functions:
        FUNCTIONS[function] = on_plain(function)
        KINDS[function] = "structural"


def reentrant(fun: Primitive) -> Primitive:
    """Lets a primitive be used inside nested derivatives although its ``compute`` does not take nodes.

    On nodes of an outer recording it applies the primitive again, which records it there.
    """
    raw = fun.compute

    def compute(*args: Any, **kwargs: Any) -> Any:
        return (fun if any(map(is_traced, args)) else raw)(*args, **kwargs)

    compute.__wrapped__ = raw  # type: ignore[attr-defined]
    fun.compute = compute
    return fun


def is_node(value: object) -> bool:
    """Whether a value is traced."""
    return is_traced(value)
