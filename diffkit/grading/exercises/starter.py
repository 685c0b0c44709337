"""Starter files: what students fill in, which runs as it stands; every function says that it is missing."""

from __future__ import annotations

import types
from typing import Any

from diffkit.grading.exercises.exercise import Exercise
from diffkit.grading.exercises.styles import STYLES, camel

_ENGINE_BODIES = {
    "Value": '''class Value:
    """A number that remembers how it was computed.

    data: the number. grad: d(end) / d(self), after end.backward().
    """

    def __init__(self, data):
        self.data = data
        self.grad = 0.0

    # + - * / and unary minus, with constants on either side; ** with a constant exponent.

    def backward(self):
        """Sets grad of everything that self was computed from."""
        raise NotImplementedError("Value.backward")
''',
    "grad": '''def grad(f):
    """The function that takes x to the derivative of f at x.

    f takes and returns one number, and uses + - * / and unary minus, with constants on either side,
    and ** with a constant exponent.
    """
    raise NotImplementedError("grad")
''',
    "backward_pass": '''def backward_pass(g, end_node):
    """The adjoint of the start node, if g is that of end_node.

    A node has .value, .fun, .args, .parents (a tuple of nodes, repeats kept), and .vjps: for each
    parent the function that takes the node's adjoint to what it contributes to the parent's. The
    start node is the one without parents.
    """
    raise NotImplementedError("backward_pass")
''',
}


def _fields(exercise: Exercise) -> dict[str, Any]:
    own = {key: value for key, value in exercise.keywords.items() if key not in exercise.constructor}
    parameters = [*exercise.arguments, *(f"{key}={value!r}" for key, value in own.items())]
    by = list(exercise.argument_names)
    if len(by) == 1:
        wanted = f"the cotangent of {by[0]}, of its shape"
    else:
        wanted = (
            f"the cotangents of {', '.join(by[:-1])} and {by[-1]} as a tuple, each of its argument's shape"
        )
    return {
        "name": exercise.name,
        "Name": camel(exercise.name),
        "parameters": ", ".join(parameters),
        "arguments": ", ".join(exercise.arguments),
        "by": ", ".join(by),
        "wanted": wanted,
        "Wanted": wanted[:1].upper() + wanted[1:],
        "of_several": "s (a tuple)" if len(by) > 1 else "",
        "summary": _summary(exercise),
    }


def _summary(exercise: Exercise) -> str:
    """What the function is, in one line: the team's words, or the first line of its docstring."""
    lines = (exercise.function.__doc__ or "").strip().splitlines()
    own = lines[0] if lines and isinstance(exercise.function, types.FunctionType) else ""
    return exercise.summary or own or f"The function {exercise.name}."


def _with_constructor(text: str, exercise: Exercise) -> str:
    """A class's starter text with what it is made of, if there is anything."""
    if not exercise.constructor:
        return text
    lines = [f"    def __init__(self, {', '.join(exercise.constructor)}):"]
    lines += [f"        self.{name} = {name}" for name in exercise.constructor]
    head, _, rest = text.partition("\n\n")
    return "\n".join([f"{head}\n", *lines, f"\n{rest}"])


MANNERS = "# Inputs stay as they are (no +=, no x[...] = in them); what is returned holds floats.\n"


def scaffold(exercises: list[Exercise]) -> str:
    r'''The starter file for exercises: it runs as it stands, and every function says that it is missing.

    Args:
        exercises: the exercises of an assignment.

    Returns:
        The text of a Python file.

    Raises:
        AttributeError: for what is no exercise.

    >>> from diffkit.grading import catalogue
    >>> print(scaffold([catalogue.exercise("exp")]))
    import numpy as np
    <BLANKLINE>
    # Inputs stay as they are (no +=, no x[...] = in them); what is returned holds floats.
    <BLANKLINE>
    <BLANKLINE>
    def exp_vjp(g, ans, x):
        """e to the x, elementwise.
    <BLANKLINE>
        g: the cotangent of the answer, of the answer's shape.
        ans: the answer, exp(x).
        Returns the cotangent of x, of its shape.
        """
        raise NotImplementedError("exp_vjp")
    '''
    parts = ["import numpy as np\n\n" + MANNERS]
    for header in dict.fromkeys(STYLES[e.style].header for e in exercises):
        if header:
            parts.append(header)
    for exercise in exercises:
        name = exercise.defines[0]
        if exercise.style != "engine":
            body = STYLES[exercise.style].body
        else:  # any other name is that of a class of numbers
            body = _ENGINE_BODIES.get(name) or _ENGINE_BODIES["Value"].replace("Value", name)
        text = body.format(**_fields(exercise)) if exercise.style != "engine" else body
        parts.append(_with_constructor(text, exercise))
    return "\n\n".join(parts)
