"""The programs that a student's whole engine is run on, and how each kind of engine is run.

A program is made of ``+ - * /``, unary minus and ``**`` with a constant exponent, so that it runs on
floats, on diffkit's nodes, and on whatever class a student wrote. This module is imported beside the
student's code: it knows NumPy and no derivative of any program.

>>> PROGRAMS["diamond"](2.0, 3.0)
30.0
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

EngineProgram = Callable[..., Any]


def product(x: Any, y: Any) -> Any:
    return x * y


def constants(x: Any, y: Any) -> Any:
    """Constants on both sides of every operator."""
    return (2.0 * x + y * 3.0 - 1.0) * (5.0 - x) / 2.0 + 4.0 / y + (1.0 + y)


def negation(x: Any, y: Any) -> Any:
    return -(x - y) * x


def quotient(x: Any, y: Any) -> Any:
    return x / y - y / x


def powers(x: Any, y: Any) -> Any:
    return x**3 + y**2 * x


def same_twice(x: Any, y: Any) -> Any:
    """One value as both operands of an operation, three times over."""
    return x * x + (y + y) * (x - x) + y / y


def fan_out(x: Any, y: Any) -> Any:
    """An intermediate value that is used three times."""
    a = x * y
    return a * a + a


def diamond(x: Any, y: Any) -> Any:
    a, b = x + y, x * y
    return a * b


def late_use(x: Any, y: Any) -> Any:
    """A value that is used again long after its first use: only a topological order gets it right."""
    a = x * y
    b = a + x
    c = b * b
    d = c - a
    return d * a + b


def unused(x: Any, y: Any) -> Any:
    """The second argument takes no part."""
    return x * x * 3.0


def deep_chain(x: Any, y: Any) -> Any:
    a = x
    for _ in range(120):
        a = a * y + x
    return a


def doubling(x: Any, y: Any) -> Any:
    """Sixty fan-outs in a row: 2^60 paths, which an engine that walks every path never finishes."""
    a = x * y
    for _ in range(60):
        a = (a + a) * 0.5
    return a


PROGRAMS: dict[str, EngineProgram] = {
    program.__name__: program
    for program in (
        product,
        constants,
        negation,
        quotient,
        powers,
        same_twice,
        fan_out,
        diamond,
        late_use,
        unused,
        deep_chain,
        doubling,
    )
}


def _method(name: str, plain: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A method of a student's class; the function of the same name of a number, an array or a traced one."""

    def run(a: Any) -> Any:
        number = isinstance(a, int | float | np.ndarray | np.generic) or type(a).__module__.startswith(
            "diffkit."
        )
        return plain(a) if number else getattr(a, name)()

    return run


def _exp_log(x: Any, y: Any) -> Any:
    exp, log = _method("exp", np.exp), _method("log", np.log)
    return exp(x * 0.5) * log(y) + exp(y * 0.25)


def _tanh(x: Any, y: Any) -> Any:
    tanh = _method("tanh", np.tanh)
    return tanh(x * y) * x + tanh(y)


def _relu(x: Any, y: Any) -> Any:
    relu = _method("relu", lambda a: np.maximum(a, 0.0))
    return relu(x - 10.0) * y + relu(x * y) * x


def _sigmoid(x: Any, y: Any) -> Any:
    sigmoid = _method("sigmoid", lambda a: 1 / (1 + np.exp(-a)))
    return sigmoid(x * y) * x


def _matmul(x: Any, y: Any) -> Any:
    """Of matrices: a product used twice, and all added up."""
    total = _method("sum", np.sum)
    product = x @ y
    return total(product * product + product)


METHODS: dict[str, EngineProgram] = {
    "exp": _exp_log,
    "tanh": _tanh,
    "relu": _relu,
    "sigmoid": _sigmoid,
    "matmul": _matmul,
}
"""Programs of what only some classes of numbers have."""


@dataclass
class Run:
    """A program performed by an engine: its value, and what gives the derivatives for a seed g."""

    value: Any
    backward: Callable[[float], Sequence[Any]]


# -- a graph for a student's backward_pass ----------------------------------------------------------------


def _power_partials(x: float, y: float) -> tuple[float, float]:
    return y * x ** (y - 1), 0.0


_PARTIALS: dict[Callable[..., Any], Callable[[float, float], tuple[float, float]]] = {
    operator.add: lambda x, y: (1.0, 1.0),
    operator.sub: lambda x, y: (1.0, -1.0),
    operator.mul: lambda x, y: (y, x),
    operator.truediv: lambda x, y: (1 / y, -x / (y * y)),
    operator.pow: _power_partials,
}


@dataclass(eq=False)
class GraphNode:
    """A node of a recorded program, as the lectures have it.

    Attributes:
        value: what was computed.
        fun: the operator that computed it; None for the start node.
        args, kwargs: what it was given; arguments that were traced are nodes.
        parents: those of the arguments that are nodes, in order, repeats kept.
        vjps: for each of ``parents``, the function that takes this node's adjoint to the contribution
            to that parent's.
    """

    value: float
    fun: Callable[..., Any] | None = None
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    parents: tuple[GraphNode, ...] = ()
    vjps: tuple[Callable[[Any], Any], ...] = ()

    def __neg__(self) -> GraphNode:
        return _record(operator.mul, self, -1.0)


def _record(fun: Callable[..., Any], x: Any, y: Any) -> GraphNode:
    values = [a.value if isinstance(a, GraphNode) else a for a in (x, y)]
    partials = _PARTIALS[fun](*values)
    traced = [k for k, a in enumerate((x, y)) if isinstance(a, GraphNode)]
    return GraphNode(
        fun(*values),
        fun,
        (x, y),
        {},
        tuple((x, y)[k] for k in traced),
        tuple(_multiplication_by(partials[k]) for k in traced),
    )


def _multiplication_by(partial: float) -> Callable[[Any], Any]:
    return lambda g: g * partial


def _add_operators() -> None:
    names = {"add": operator.add, "sub": operator.sub, "mul": operator.mul, "truediv": operator.truediv}
    for name, fun in {**names, "pow": operator.pow}.items():
        setattr(GraphNode, f"__{name}__", lambda self, other, fun=fun: _record(fun, self, other))
        setattr(GraphNode, f"__r{name}__", lambda self, other, fun=fun: _record(fun, other, self))


_add_operators()


# -- the engines ------------------------------------------------------------------------------------------


def _run_value_class(module: Any, program: EngineProgram, args: list[Any], name: str = "Value") -> Run:
    """A class with ``data``, ``grad``, operators and ``backward()``."""
    leaves = [getattr(module, name)(a) for a in args]
    end = program(*leaves)

    def backward(g: float) -> list[Any]:
        end.backward()
        return [g * _numbers(leaf.grad) for leaf in leaves]

    return Run(end.data, backward)


def _numbers(grad: Any) -> Any:
    """The numbers of a gradient, which may be an object of the class itself."""
    plain = isinstance(grad, int | float | np.ndarray | np.generic)
    return grad if plain else getattr(grad, "data", grad)


def _run_grad(module: Any, program: EngineProgram, args: list[float]) -> Run:
    """``grad(f)``, a function that takes a function to its derivative; one argument after another."""

    def along(k: int) -> Callable[[Any], Any]:
        return lambda x: program(*args[:k], x, *args[k + 1 :])

    def backward(g: float) -> list[Any]:
        return [
            g * module.grad(along(k))(a) if _used(program, k, args) else g * 0.0 for k, a in enumerate(args)
        ]

    return Run(program(*args), backward)


def _used(program: EngineProgram, k: int, args: list[float]) -> bool:
    """Whether the answer is traced at all: ``grad`` of a constant is a question of taste."""
    start = GraphNode(args[k])
    return isinstance(program(*args[:k], start, *args[k + 1 :]), GraphNode)


def _run_backward_pass(module: Any, program: EngineProgram, args: list[float]) -> Run:
    """``backward_pass(g, end_node)``: the adjoint of the start node (or all adjoints, by node)."""

    def backward(g: float) -> list[Any]:
        adjoints = []
        for k, a in enumerate(args):
            start = GraphNode(a)
            end = program(*args[:k], start, *args[k + 1 :])
            if isinstance(end, GraphNode):
                found = module.backward_pass(g, end)
                adjoints.append(found[start] if isinstance(found, dict) else found)
            else:
                adjoints.append(g * 0.0)
        return adjoints

    return Run(program(*args), backward)


ENTRIES: dict[str, Callable[[Any, EngineProgram, list[float]], Run]] = {
    "Value": _run_value_class,
    "grad": _run_grad,
    "backward_pass": _run_backward_pass,
}


def run_engine(module: Any, entry: str, program: str, args: Sequence[Any]) -> Run:
    """Performs a program with the engine that a submission defines under the name ``entry``.

    Any name but those of :data:`ENTRIES` is that of a class of numbers.
    """
    run = PROGRAMS[program] if program in PROGRAMS else METHODS[program]
    given: list[Any] = [np.array(a) if np.ndim(a) else float(a) for a in args]
    if entry in ENTRIES:
        return ENTRIES[entry](module, run, given)
    return _run_value_class(module, run, given, entry)
