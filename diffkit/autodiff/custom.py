"""A user's own functions and rules: ``primitive``, ``defvjp``, ``defjvp``, ``deflinear``.

A primitive is recorded as one row, whatever it is made of: code that can't be traced, a solver whose
derivative is known in closed form, a formula with a stabler derivative than its parts. One mode is
enough: the other follows by transposing the rule.

>>> import math
>>> from diffkit.autodiff.operators import deriv, grad
>>> @primitive
... def area(r):
...     return math.pi * math.pow(r, 2)
>>> defvjp(area, lambda g, ans, r: g * 2 * math.pi * r)
>>> grad(area)(1.0), deriv(area)(1.0), grad(grad(area))(1.0)
(6.283185307179586, 6.283185307179586, 6.283185307179586)
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from diffkit.autodiff.recording.primitive import Rule
from diffkit.autodiff.recording.tracer import Primitive, apply, is_traced, nodes_in
from diffkit.autodiff.rules.register import linear_jvp, reentrant
from diffkit.autodiff.transpose import jvp_from_vjp, vjp_from_jvp
from diffkit.containers import flatten
from diffkit.errors import InputError, NoRuleError, TraceError


class UserPrimitive(Primitive):
    """A function that a user made a primitive of. The answers of its rules are checked.

    Attributes:
        raw: the function itself.
        given_vjps, given_jvps: the rules that the user gave, by argument.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        name = getattr(function, "__name__", type(function).__name__)

        def compute(*args: Any, **kwargs: Any) -> Any:
            answer = function(*args, **kwargs)
            if any(map(is_traced, flatten(answer)[0])):
                raise TraceError(
                    f"the primitive {name} uses a traced value that is not one of its arguments, which none "
                    "of its rules can see: pass it as an argument"
                )
            return answer

        super().__init__(name, compute, builtin=False)
        self.line = None  # the name may be one of the table's, the function is another
        self.raw = function
        self.given_vjps: dict[int, Rule | None] = {}
        self.given_jvps: dict[int, Rule | None] = {}
        self.__doc__ = function.__doc__
        self.__wrapped__ = function
        reentrant(self)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if any(map(is_traced, kwargs.values())):
            args, kwargs = self._by_position(args, kwargs)
        for k, a in enumerate(args):
            if not is_traced(a) and any(map(is_traced, flatten(a)[0])):
                raise TraceError(
                    f"argument {k} of {self.name} is a {type(a).__name__} of traced values; "
                    "a primitive takes its differentiable arguments one by one. Pass the entries as "
                    "arguments of their own, or stack them into one array with np.stack."
                )
        return apply(self, args, kwargs, sys._getframe(1))

    def _by_position(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Traced values given by keyword, moved to their positions: rules go by position."""
        bound = inspect.signature(self.raw).bind(*args, **kwargs)
        bound.apply_defaults()
        if next(nodes_in(tuple(bound.kwargs.values())), None) is not None:
            raise TraceError(
                f"a traced value was given to {self.name} by keyword, to a parameter that can't be given by "
                "position; rules belong to positions. Make it a positional parameter."
            )
        return bound.args, bound.kwargs

    def set_rules(self) -> None:
        """Sets the rules by position: those given, and for a missing one the other mode's, transposed."""
        count = 1 + max([*self.given_vjps, *self.given_jvps])
        self.vjps = tuple(
            _either(k, self.given_vjps, self.given_jvps, vjp_from_jvp, self.name) for k in range(count)
        )
        self.jvps = tuple(
            _either(k, self.given_jvps, self.given_vjps, jvp_from_vjp, self.name) for k in range(count)
        )
        self.float_vjps, self.float_jvps = self.vjps, self.jvps


def _either(
    k: int,
    own: dict[int, Rule | None],
    other: dict[int, Rule | None],
    transposed: Callable[[Rule, int], Rule],
    name: str,
) -> Rule | None:
    if k in own:
        return own[k]
    if k in other:
        rule = other[k]
        return None if rule is None else transposed(rule, k)

    def missing(*_: Any, **__: Any) -> NoReturn:
        raise NoRuleError(
            f"{name} has no rule for its argument {k}. Give one with dk.defvjp({name}, ..., argnums=({k},)), "
            "None if its derivative is zero."
        )

    return missing


def primitive(function: Callable[..., Any]) -> UserPrimitive:
    """Makes a function one row of the trace; ``defvjp`` or ``defjvp`` gives its derivative.

    The function is called on plain values, never on traced ones, so it may do anything: call C code,
    assign into arrays of its own, iterate. Its arguments it must leave as they are: the sweeps read them.
    It may return a tuple of several answers; a rule's ``g`` and ``ans`` are then tuples as well.

    Args:
        function: of plain numbers and arrays.

    Returns:
        A function of the same arguments and answer, which a trace records as one row.

    Raises:
        InputError: if what is given is not callable.

    >>> import numpy as np
    >>> from diffkit.autodiff.operators import grad
    >>> @primitive
    ... def both(x):
    ...     return x * x, x + 1.0
    >>> defvjp(both, lambda g, ans, x: g[0] * 2.0 * x + g[1])
    >>> grad(lambda x: np.multiply(*both(x)))(3.0)  # x^2 (x + 1)
    33.0
    """
    if not callable(function):
        raise InputError(f"primitive makes a primitive of a function, but was given {function!r}")
    return UserPrimitive(function)


def defvjp(fun: Primitive, *vjps: Rule | None, argnums: Sequence[int] | None = None) -> None:
    """Gives a primitive its VJP rules, one per positional argument.

    Args:
        fun: what :func:`primitive` returned.
        vjps: ``vjp(g, ans, *args, **kwargs)``, the cotangent of the argument given the answer's
            cotangent g, the answer and everything the primitive was called with. It has the
            argument's shape. None stands for a derivative of zero. Write it with operators and NumPy
            functions, and it can be differentiated again.
        argnums: the arguments that the rules belong to, if not 0, 1, 2, ...

    Raises:
        InputError: if ``fun`` is no user's primitive, or the rules don't match the arguments.

    >>> @primitive
    ... def scaled(x, factor):
    ...     return x * factor
    >>> defvjp(scaled, lambda g, ans, x, factor: g * factor, None)
    """
    _user(fun, "defvjp").given_vjps.update(_by_argument(fun, vjps, argnums, "vjp(g, ans, *args, **kwargs)"))
    _user(fun, "defvjp").set_rules()


def defjvp(fun: Primitive, *jvps: Rule | None, argnums: Sequence[int] | None = None) -> None:
    """Gives a primitive its JVP rules, one per positional argument.

    Args:
        fun: what :func:`primitive` returned.
        jvps: ``jvp(t, ans, *args, **kwargs)``, the tangent of the answer given the argument's tangent
            t, the answer and everything the primitive was called with. It has the answer's shape.
            None stands for a derivative of zero.
        argnums: the arguments that the rules belong to, if not 0, 1, 2, ...

    Raises:
        InputError: if ``fun`` is no user's primitive, or the rules don't match the arguments.

    >>> @primitive
    ... def cube(x):
    ...     return x**3
    >>> defjvp(cube, lambda t, ans, x: t * 3.0 * x**2)
    >>> from diffkit.autodiff.operators import grad
    >>> grad(cube)(2.0)
    12.0
    """
    _user(fun, "defjvp").given_jvps.update(_by_argument(fun, jvps, argnums, "jvp(t, ans, *args, **kwargs)"))
    _user(fun, "defjvp").set_rules()


def deflinear(fun: Primitive, argnums: Sequence[int] | None = None) -> None:
    """Says that a primitive is linear in each of its arguments, so that it is its own derivative.

    The JVP is the function itself, of the tangent. The VJP is found by tracing the function, which
    must be made of operators and NumPy functions for that; otherwise give it with ``defvjp``.

    Args:
        fun: what :func:`primitive` returned.
        argnums: the arguments in which it is linear; by default all that it takes by position.

    Raises:
        InputError: if ``fun`` is no user's primitive, or its signature doesn't tell the arguments.

    >>> import numpy as np
    >>> @primitive
    ... def blend(x, y):
    ...     return x[::-1] * y
    >>> deflinear(blend)
    >>> from diffkit.autodiff.operators import grad
    >>> grad(lambda x, y: np.sum(blend(x, y)))(np.ones(2), np.array([3.0, 4.0]))
    array([4., 3.])
    """
    user = _user(fun, "deflinear")
    if argnums is None:
        argnums = range(len(_positional_parameters(user)))
    for k in argnums:
        user.given_jvps[k] = linear_jvp(user, k)
        # The transpose is of the function itself: of the primitive it would ask for this very rule.
        user.given_vjps.setdefault(k, vjp_from_jvp(linear_jvp(user.raw, k), k))
    user.set_rules()


def _user(fun: Any, what: str) -> UserPrimitive:
    if isinstance(fun, UserPrimitive):
        return fun
    name = getattr(fun, "__name__", repr(fun))
    if isinstance(fun, Primitive):
        raise InputError(
            f"{name} is diffkit's own and has its rules; wrap it with dk.primitive to give it others"
        )
    raise InputError(
        f"{what} gives rules to a primitive, but {name} is not one. Write "
        f"{name} = dk.primitive({name}) first, and call that."
    )


def _by_argument(
    fun: Primitive, rules: Sequence[Rule | None], argnums: Sequence[int] | None, signature: str
) -> dict[int, Rule | None]:
    if argnums is None:
        argnums = range(len(rules))
    if len(argnums) != len(rules):
        raise InputError(
            f"{len(rules)} rules came for the arguments {tuple(argnums)} of {fun.name}: one for each"
        )
    if not rules:
        raise InputError(
            f"no rule came for {fun.name}: give one for each argument, None for a derivative of zero"
        )
    for k, rule in zip(argnums, rules, strict=True):
        if not isinstance(k, int) or isinstance(k, bool) or k < 0:
            raise InputError(f"argnums are positions 0, 1, 2, ..., not {k!r}")
        if rule is not None and not callable(rule):
            raise InputError(f"the rule for argument {k} of {fun.name} is {signature} or None, not {rule!r}")
    return dict(zip(argnums, rules, strict=True))


def _positional_parameters(fun: UserPrimitive) -> list[str]:
    try:
        parameters = inspect.signature(fun.raw).parameters.values()
    except (TypeError, ValueError):
        parameters = ()  # type: ignore[assignment]
    names = [
        p.name
        for p in parameters
        if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) and p.default is p.empty
    ]
    if not names:
        raise InputError(
            f"the signature of {fun.name} doesn't name its arguments: say which with argnums=(0, ...)"
        )
    return names
