"""How each style is called: what is looked for in a submission, and how it is asked.

A performer is made once for a request. ``forward(args, kwargs, needs)`` gives (answer, state), and
``backward(g, ans, args, kwargs, state)`` gives the derivative. Rules without a forward function of
their own have ``has_forward`` False. This module is imported beside the student's code.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from diffkit.grading.inside import programs_for_engines as engines
from diffkit.grading.inside.protocol import Target


class Missing(Exception):
    """The submission does not define what its style asks for; ``args`` are the names."""


class Context:
    """The context object that a class in PyTorch's manner is handed.

    ``save_for_backward(*values)`` keeps values, which ``saved_tensors`` then holds (``saved_values``, as
    MiniTorch has it, holds the same); other attributes may be set freely. ``needs_input_grad`` says which
    arguments are differentiated by.
    """

    def __init__(self, needs_input_grad: tuple[bool, ...] = ()) -> None:
        self.saved_tensors: tuple[Any, ...] = ()
        self.saved_values: tuple[Any, ...] = ()
        self.needs_input_grad = needs_input_grad

    def save_for_backward(self, *values: Any) -> None:
        """Keeps values for ``backward``."""
        self.saved_tensors = self.saved_values = values


def _find(module: Any, names: tuple[str, ...]) -> list[Any]:
    found = [getattr(module, name, None) for name in names]
    missing = [name for name, value in zip(names, found, strict=True) if not callable(value)]
    if missing:
        raise Missing(*missing)
    return found


class PlainRule:
    """``NAME_vjp(g, ans, *args, **kwargs)``, and ``NAME_jvp(t, ans, *args, **kwargs)``."""

    has_forward = False

    def __init__(self, module: Any, target: Target) -> None:
        (self.rule,) = _find(module, target.defines)

    def backward(self, g: Any, ans: Any, args: Any, kwargs: Any, state: Any) -> Any:
        return self.rule(g, ans, *args, **kwargs)


class Partials:
    """A class with ``func(*args)`` and ``grads(*args)``, the partial derivatives one by one."""

    has_forward = True

    def __init__(self, module: Any, target: Target) -> None:
        (self.kind,) = _find(module, target.defines)
        self.constructor = target.constructor
        _require_methods(self.kind, target, "func", "grads")

    def forward(self, args: Any, kwargs: Any, needs: Any) -> Any:
        operation = _made(self, kwargs)
        return operation.func(*args, **kwargs), operation

    def backward(self, g: Any, ans: Any, args: Any, kwargs: Any, state: Any) -> Any:
        return state.grads(*args, **kwargs)


class Gate:
    """A class with ``forward(*args)`` and ``backward(g)``, which remembers its inputs in between."""

    has_forward = True

    def __init__(self, module: Any, target: Target) -> None:
        (self.kind,) = _find(module, target.defines)
        self.constructor, self.parameters, self.arguments = (
            target.constructor,
            target.parameters,
            target.arguments,
        )
        _require_methods(self.kind, target, "forward", "backward")
        self.wanted: list[str] = []

    def forward(self, args: Any, kwargs: Any, needs: Any, gate: Any = None) -> Any:
        named = dict(zip(self.arguments or map(str, range(len(args))), args, strict=False))
        self.wanted = [n for n, needed in zip(named, needs, strict=False) if needed]
        held = {n: named[n] for n in self.parameters}
        gate = _holding(self, kwargs, held, gate)
        return gate.forward(*(a for n, a in named.items() if n not in held), **kwargs), gate

    def backward(self, g: Any, ans: Any, args: Any, kwargs: Any, state: Any) -> Any:
        given = by_name(state.backward(g), self.wanted)
        if not self.parameters or (isinstance(given, tuple | list) and len(given) == len(self.wanted)):
            return given
        rest = list(given) if isinstance(given, tuple | list) else [given]
        inputs = [n for n in self.wanted if n not in self.parameters]
        found = dict(zip(inputs, rest, strict=False))
        return tuple(found[n] if n in inputs else gradient_on(state, n) for n in self.wanted)


class OpNode:
    """The node that ``gradient`` is handed: ``inputs``, ``op``, and ``cached_data``, which is the value."""

    def __init__(self, op: Any, inputs: tuple[Any, ...], value: Any) -> None:
        self.op, self.inputs, self.cached_data = op, inputs, value


class Op:
    """A class with ``compute(*args)`` and ``gradient(out_grad, node)``, as in needle; arrays for tensors."""

    has_forward = True

    def __init__(self, module: Any, target: Target) -> None:
        (self.kind,) = _find(module, target.defines)
        self.constructor = target.constructor
        _require_methods(self.kind, target, "compute", "gradient")

    def forward(self, args: Any, kwargs: Any, needs: Any) -> Any:
        op = _made(self, kwargs)
        value = op.compute(*args, **kwargs)
        return value, OpNode(op, tuple(args), value)

    def backward(self, g: Any, ans: Any, args: Any, kwargs: Any, state: Any) -> Any:
        return state.op.gradient(g, state)


class ValueAndGradient:
    """``NAME(*args) -> value, gradient``: one gradient for each argument, or a dictionary of them."""

    has_forward = True

    def __init__(self, module: Any, target: Target) -> None:
        (self.run,) = _find(module, target.defines)
        self.arguments = target.arguments

    def forward(self, args: Any, kwargs: Any, needs: Any) -> Any:
        answer = self.run(*args, **kwargs)
        if answer is None:  # there is no return in it yet
            return None, None
        if not isinstance(answer, tuple | list) or len(answer) < 2:
            raise TypeError(f"{self.run.__name__} must return the value and the gradient: (value, gradient)")
        value, *gradients = answer
        wanted = [n for n, needed in zip(self.arguments, needs, strict=False) if needed]
        return value, by_name(gradients[0] if len(gradients) == 1 else tuple(gradients), wanted)

    def backward(self, g: Any, ans: Any, args: Any, kwargs: Any, state: Any) -> Any:
        return state


class Pair:
    """``NAME_forward(*args) -> out, cache`` and ``NAME_backward(dout, cache)``."""

    has_forward = True

    def __init__(self, module: Any, target: Target) -> None:
        self.run, self.back = _find(module, target.defines)
        self.arguments, self.wanted = target.arguments, list(target.arguments)

    def forward(self, args: Any, kwargs: Any, needs: Any) -> Any:
        self.wanted = [n for n, needed in zip(self.arguments, needs, strict=False) if needed]
        answer = self.run(*args, **kwargs)
        if answer is None:  # there is no return in it yet
            return None, None
        if not isinstance(answer, tuple) or len(answer) != 2:
            raise TypeError(f"{self.run.__name__} must return the pair (out, cache)")
        return answer

    def backward(self, g: Any, ans: Any, args: Any, kwargs: Any, state: Any) -> Any:
        return by_name(self.back(g, state), self.wanted)


class ContextClass:
    """A class with static methods ``forward(ctx, *args)`` and ``backward(ctx, g)``, as in PyTorch."""

    has_forward = True

    def __init__(self, module: Any, target: Target) -> None:
        (self.kind,) = _find(module, target.defines)
        _require_methods(self.kind, target, "forward", "backward")

    def forward(self, args: Any, kwargs: Any, needs: Any) -> Any:
        context = Context(needs)
        return self.kind.forward(context, *args, **kwargs), context

    def backward(self, g: Any, ans: Any, args: Any, kwargs: Any, state: Any) -> Any:
        return self.kind.backward(state, g)


class Registered:
    """``defvjp(NAME, rule of argument 0, rule of argument 1, ...)``, kept in the file's ``VJPS``.

    A rule is ``vjp(g, ans, *args)``, or ``vjp(ans, *args)`` that returns a function of g, as in
    autograd; the first parameter's name tells which.
    """

    has_forward = False

    def __init__(self, module: Any, target: Target) -> None:
        function_name, table_name = target.defines
        table = getattr(module, table_name, None)
        if not isinstance(table, dict):
            raise Missing(table_name)
        by_name = {getattr(key, "__name__", str(key)): rules for key, rules in table.items()}
        rules = table.get(getattr(module, function_name, None), by_name.get(function_name))
        if rules is None:
            raise Missing(f"defvjp({function_name}, ...)")
        self.rules = tuple(rules) if isinstance(rules, list | tuple) else (rules,)
        self.name = function_name

    def backward(self, g: Any, ans: Any, args: Any, kwargs: Any, state: Any) -> Any:
        wanted: tuple[int, ...] = state
        if len(self.rules) not in (len(wanted), len(args)):
            raise TypeError(
                f"defvjp({self.name}, ...) registers {len(self.rules)} rules for {len(wanted)} arguments"
            )
        rules = self.rules if len(self.rules) == len(wanted) else [self.rules[k] for k in wanted]
        return tuple(self._apply(rule, g, ans, args, kwargs) for rule in rules)

    @staticmethod
    def _apply(rule: Callable[..., Any], g: Any, ans: Any, args: Any, kwargs: Any) -> Any:
        first = next(iter(inspect.signature(rule).parameters), "g")
        return rule(ans, *args, **kwargs)(g) if first == "ans" else rule(g, ans, *args, **kwargs)


class Engine:
    """A whole engine, run on the programs of :mod:`programs_for_engines`."""

    has_forward = True

    def __init__(self, module: Any, target: Target) -> None:
        self.module, self.names = module, target.defines
        _find(module, target.defines)

    def forward(self, args: Any, kwargs: Any, needs: Any) -> Any:
        run = engines.run_engine(self.module, self.names[0], kwargs["program"], args)
        return run.value, run

    def backward(self, g: Any, ans: Any, args: Any, kwargs: Any, state: Any) -> Any:
        return tuple(state.backward(float(g)))


def _made(performer: Any, kwargs: dict[str, Any], there: Any = None) -> Any:
    """An object of the submission's class, made of the keyword arguments for that, which are taken out."""
    given = [kwargs.pop(name) for name in performer.constructor if name in kwargs]
    return performer.kind(*given) if there is None else there


def _holding(performer: Gate, kwargs: dict[str, Any], held: dict[str, Any], there: Any) -> Any:
    """An object that holds its parameters: handed to its class, if that takes them, or set as attributes."""
    if not held or (there is not None and all(hasattr(there, n) for n in held)):
        made = _made(performer, kwargs, there)
    else:
        given = [kwargs.pop(name) for name in performer.constructor if name in kwargs]
        try:
            inspect.signature(performer.kind).bind(*given, *held.values())
        except TypeError:
            made = performer.kind(*given)
        else:
            return performer.kind(*given, *held.values())
    for name, value in held.items():
        setattr(made, name, value)
    return made


_GRADIENTS = ("d{}", "d_{}", "grad_{}", "{}_grad", "g{}", "dLd{}", "{}")


def by_name(given: Any, wanted: list[str]) -> Any:
    """Gradients in the order of the arguments, if they came in a dictionary; anything else as it is.

    >>> by_name({"dW": 1.0, "x": 2.0}, ["x", "W"])
    (2.0, 1.0)
    """
    if not isinstance(given, dict):
        return given
    found = tuple(_looked_up(given, name) for name in wanted)
    return found if len(found) != 1 else found[0]


def _looked_up(table: dict[Any, Any], name: str) -> Any:
    lowered = {str(key).lower(): value for key, value in table.items()}
    for form in reversed(_GRADIENTS):
        if (key := form.format(name)) in table:
            return table[key]
    for form in reversed(_GRADIENTS):
        if (key := form.format(name).lower()) in lowered:
            return lowered[key]
    raise KeyError(
        f"there is no gradient of {name} in the dictionary, which has {', '.join(map(str, table))}"
    )


def gradient_on(made: Any, name: str) -> Any:
    """The gradient of a parameter that an object keeps: ``dW``, ``grad_W``, ``grads["W"]``, ``W.grad``.

    Raises:
        AttributeError: if it keeps none.
    """
    for form in _GRADIENTS[:-1]:
        if getattr(made, form.format(name), None) is not None:
            return getattr(made, form.format(name))
    for holder in ("grads", "grad", "gradients", "dparams"):
        table = getattr(made, holder, None)
        if isinstance(table, dict):
            return _looked_up(table, name)
    inner = getattr(getattr(made, name, None), "grad", None)
    if inner is not None:
        return inner
    raise AttributeError(
        f"backward leaves no gradient of {name} on the object: self.d{name}, self.grads[{name!r}]"
    )


def _require_methods(kind: Any, target: Target, *methods: str) -> None:
    absent = [f"{target.defines[0]}.{m}" for m in methods if not callable(getattr(kind, m, None))]
    if absent:
        raise Missing(*absent)


PERFORMERS: dict[str, Callable[[Any, Target], Any]] = {
    "vjp": PlainRule,
    "jvp": PlainRule,
    "partials": Partials,
    "gate": Gate,
    "op": Op,
    "pair": Pair,
    "value_and_gradient": ValueAndGradient,
    "context": ContextClass,
    "defvjp": Registered,
    "engine": Engine,
}
