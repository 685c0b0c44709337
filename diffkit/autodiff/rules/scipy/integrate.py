"""scipy.integrate.odeint: the solution of a differential equation, differentiated by solving others.

For dy/dt = f(y, t, theta), forward mode solves the sensitivity equation ds/dt = (df/dy) s + (df/dtheta) u
along with it, for a tangent u of theta. Reverse mode solves the adjoint equation dl/dt = -(df/dy)^T l
backwards from one time of measurement to the one before, and gathers the cotangent of theta on the way
(Froehlich, Loos and Hasenauer, arXiv:1711.08079, section 2.4.2). The products with f's Jacobian come from
tracing f. Both are programs with an odeint in them, so they can be differentiated again.

A derivative is as exact as the equation it solves: set ``rtol`` and ``atol`` for both at once.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.integrate

from diffkit.autodiff.bits import same_bits
from diffkit.autodiff.recording.tracer import Primitive, apply, is_traced, nodes_in, plain
from diffkit.autodiff.rules.call_forms import as_array
from diffkit.autodiff.rules.register import fit, reentrant
from diffkit.containers import flatten
from diffkit.errors import NoRuleError, TraceError
from diffkit.typing import ArrayValue, Value

Dynamics = Callable[[Any, Any, Any], Any]
"""The right-hand side f(y, t, theta), with all of its parameters in one vector."""


# -- the solution as one row of a trace -------------------------------------------------------------------


def _solution(y0: Value, t: Value, theta: Value, dynamics: Dynamics, options: dict[str, Any]) -> Any:
    def plain_dynamics(y: Value, time: float) -> Any:
        slope = dynamics(y, time, theta)
        if is_traced(slope):
            raise TraceError(
                "the function given to odeint uses a traced value that is not among its arguments, and the "
                "derivative by that would be lost: pass it to odeint in args=(...), and to the function"
            )
        return slope

    return scipy.integrate.odeint(plain_dynamics, y0, t, **options)


def _refuse_change(
    ys: Value, y0: Value, t: Value, theta: Value, dynamics: Dynamics, options: dict[str, Any]
) -> None:
    """Refuses dynamics that have changed since they were solved: the equations below would be of others."""
    again = _solution(plain(y0), plain(t), plain(theta), dynamics, options)
    if not same_bits(again, plain(ys)):
        raise TraceError(
            "the function given to odeint gave another solution when it was solved again for the sweep: "
            "something that it uses has changed since, like a loop's variable or an array that is updated. "
            "Pass that to odeint in args=(...), and to the function"
        )


def _vjp(
    g: ArrayValue,
    ys: ArrayValue,
    y0: ArrayValue,
    t: ArrayValue,
    theta: Value,
    dynamics: Dynamics,
    options: dict[str, Any],
) -> tuple[Any, Any, Any]:
    """The adjoint method: the cotangents of y0, t and theta at once."""
    from diffkit.autodiff.operators import make_vjp

    _refuse_change(ys, y0, t, theta, dynamics, options)
    n = y0.shape[0]

    def adjoint_dynamics(state: Any, time: float, theta: Value) -> Any:
        pull_back, slope = make_vjp(lambda y, theta: dynamics(y, time, theta), (0, 1))(state[:n], theta)
        return np.concatenate([slope, *pull_back(-state[n : 2 * n])])

    adjoint, of_theta = g[-1] * 0.0, theta * 0.0
    of_times = []
    for k in range(t.shape[0] - 1, 0, -1):
        adjoint = adjoint + g[k]
        of_times.append(np.sum(g[k] * dynamics(ys[k], t[k], theta)))
        start = np.concatenate([ys[k], adjoint, of_theta])
        end = _odeint(start, t[k - 1 : k + 1][::-1], theta, dynamics=adjoint_dynamics, options=options)[1]
        adjoint, of_theta = end[n : 2 * n], end[2 * n :]
    of_times.append(-np.sum(adjoint * dynamics(y0, t[0], theta)))
    return fit(adjoint + g[0], y0), fit(np.stack(of_times[::-1]), t), of_theta


def _jvp(
    tangents: tuple[Any, Any, Any],
    ys: ArrayValue,
    y0: ArrayValue,
    t: ArrayValue,
    theta: ArrayValue,
    dynamics: Dynamics,
    options: dict[str, Any],
) -> Any:
    """The sensitivity equation, along the tangents of y0, t and theta at once."""
    from diffkit.autodiff.operators import make_jvp

    _refuse_change(ys, y0, t, theta, dynamics, options)
    n, p = y0.shape[0], theta.shape[0]
    of_y0, of_t, of_theta = (
        v * 0.0 if u is None else u for u, v in zip(tangents, (y0, t, theta), strict=True)
    )

    def sensitivity_dynamics(state: Any, time: Any, both: Any) -> Any:
        push = make_jvp(lambda y, theta: dynamics(y, time, theta), (0, 1))(state[:n], both[:p])
        return np.concatenate(push((state[n:], both[p:])))

    start = np.concatenate([y0, of_y0 - of_t[0] * dynamics(y0, t[0], theta)])
    both = np.concatenate([theta, of_theta])
    tangent = _odeint(start, t, both, dynamics=sensitivity_dynamics, options=options)[:, n:]
    slopes = np.stack([dynamics(ys[k], t[k], theta) for k in range(t.shape[0])])
    return tangent + of_t[:, None] * slopes


_odeint = reentrant(Primitive("odeint", _solution, joint=True))
_odeint.vjps = (_vjp,)
_odeint.jvps = (_jvp,)


# -- as users call it -------------------------------------------------------------------------------------

_REFUSED = ("full_output", "printmessg")
_OF_THE_SOLVER = (
    "rtol",
    "atol",
    "tcrit",
    "h0",
    "hmax",
    "hmin",
    "ixpr",
    "mxstep",
    "mxhnil",
    "mxordn",
    "mxords",
)


def odeint(func: Callable[..., Any], y0: Value, t: Value, args: Any = (), *more: Any, **options: Any) -> Any:
    """``scipy.integrate.odeint``, differentiable by ``y0``, by the times ``t`` and by ``args``.

    Args:
        func: the right-hand side ``func(y, t, *args)``, made of functions that are traced.
        y0: the initial state: a number, a list or a vector.
        t: the times, the first of them y0's.
        args: parameters, nested in containers or not. What func reads otherwise is constant; it raises
            TraceError if that is a traced value.
        more, options: SciPy's; ``Dfun`` is not needed for traced values and ignored, ``full_output`` refused.
    """
    args = args if isinstance(args, tuple) else (args,)
    leaves, structure = flatten(args)
    if next(nodes_in([y0, t, *leaves]), None) is None:
        return scipy.integrate.odeint(func, y0, t, args, *more, **options)
    if more or any(options.get(name) for name in _REFUSED):
        raise NoRuleError(
            "odeint on traced values takes SciPy's options by keyword, without full_output: "
            "odeint(func, y0, t, args, rtol=..., atol=...)"
        )
    time_first = options.get("tfirst", False)
    solver = {name: options[name] for name in _OF_THE_SOLVER if options.get(name) is not None}
    for name in ("rtol", "atol"):
        if name in solver:
            solver[name] = float(np.min(solver[name]))  # the other equations have more components
    parts = [k for k, leaf in enumerate(leaves) if _is_parameter(leaf)]
    shapes = [np.shape(leaves[k]) for k in parts]

    def dynamics(y: Value, time: float, theta: ArrayValue) -> Any:
        given, start = list(leaves), 0
        for k, shape in zip(parts, shapes, strict=True):
            size = int(np.prod(shape))
            given[k] = np.reshape(theta[start : start + size], shape) if shape else theta[start]
            start += size
        now = (time, y) if time_first else (y, time)
        return np.reshape(as_array(func(*now, *structure.unflatten(given))), (-1,))

    theta = np.concatenate([np.zeros(0), *[np.reshape(leaves[k], (-1,)) for k in parts]])
    y0, t = (_vector(v) for v in (y0, t))
    return apply(_odeint, (y0, t, theta), {"dynamics": dynamics, "options": solver}, sys._getframe(1))


def _vector(v: Value) -> Any:
    v = np.reshape(as_array(v), (-1,))
    return v if is_traced(v) else np.asarray(v, dtype=float)


def _is_parameter(leaf: Any) -> bool:
    return isinstance(leaf, float) or getattr(leaf, "dtype", np.dtype(int)).kind == "f"


odeint.is_mirror = True  # type: ignore[attr-defined]

FUNCTIONS: dict[str, Callable[..., Any]] = {"odeint": odeint}
"""What stands for functions of scipy.integrate, by name."""
