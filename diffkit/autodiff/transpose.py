"""Transposing a linear map by tracing it: a VJP rule from a JVP rule, and the other way round.

At a given point a VJP rule is linear in its cotangent: g -> g J. Record that map and sweep the record
in reverse, and what comes out is its transpose, t -> J t, the JVP. (JAX builds its reverse mode from
its forward mode in this way; Radul et al., "You Only Linearize Once", POPL 2023. That transposing
works in this direction too is the old trick of double backward.)

The transpose is with respect to Re(sum(g * t)), the pairing of cotangents with tangents that the
rules share: for real values the plain dot product.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from diffkit.autodiff.core.leaves import zeros_like
from diffkit.autodiff.core.record import record
from diffkit.autodiff.recording.primitive import Rule


def transpose(linear: Callable[[Any], Any], like: Any, cotangent: Any) -> Any:
    """``cotangent`` carried back through ``linear``, a linear map of values like ``like``.

    >>> transpose(lambda u: 3.0 * u, 0.0, 2.0)
    6.0
    """
    return record(linear, (zeros_like(like),), {}, argnums=[0]).pull_back(cotangent)


def jvp_from_vjp(vjp: Rule, k: int) -> Rule:
    """The JVP rule of argument k that follows from its VJP rule.

    >>> jvp_from_vjp(lambda g, ans, x: g * 2.0 * x, 0)(1.0, 9.0, 3.0)
    6.0
    """

    def jvp(t: Any, ans: Any, *args: Any, **kwargs: Any) -> Any:
        return transpose(lambda g: vjp(g, ans, *args, **kwargs), ans, t)

    return jvp


def vjp_from_jvp(jvp: Rule, k: int) -> Rule:
    """The VJP rule of argument k that follows from its JVP rule.

    >>> vjp_from_jvp(lambda t, ans, x: t * 2.0 * x, 0)(1.0, 9.0, 3.0)
    6.0
    """

    def vjp(g: Any, ans: Any, *args: Any, **kwargs: Any) -> Any:
        return transpose(lambda t: jvp(t, ans, *args, **kwargs), args[k], g)

    return vjp
