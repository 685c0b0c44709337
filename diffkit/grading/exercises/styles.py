"""The ways in which a student can hand in a derivative: what must be defined, and the starter files.

>>> defined_names("affine", "pair")
('affine_forward', 'affine_backward')
>>> defined_names("leaky_relu", "gate")
('LeakyRelu',)
"""

from __future__ import annotations

import types
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from diffkit.errors import InputError

if TYPE_CHECKING:
    from diffkit.grading.exercises.exercise import Case, Exercise

__all__ = ["MADE_OF_ARGUMENTS", "STYLES", "Style", "defined_names", "scaffold"]


@dataclass(frozen=True)
class Style:
    """A submission style.

    Attributes:
        summary: what it is, in one line.
        has_forward: whether the student writes the forward function too.
        seed: "any" if the derivative is asked for with any cotangent or tangent; "ones" if it takes
            none (local partials).
        once: whether the derivative can be asked for only once for each forward run (an engine that
            accumulates, as it should).
        names: the names that must be defined, with ``{name}`` and ``{Name}`` for the exercise's.
        body: what the starter file holds for one exercise.
        header: what the starter file starts with, beside ``import numpy as np``.
    """

    summary: str
    has_forward: bool
    seed: str
    names: tuple[str, ...]
    body: str
    header: str = ""
    once: bool = False

    def suits(self, exercise: Exercise, case: Case) -> bool:
        """Whether a case of an exercise can be asked for in this style."""
        if self.seed != "ones":
            return True
        first = exercise.ladder[0]
        return _shapes_agree(exercise, case) and (
            _one_output(exercise, first) or _elementwise(exercise, first)
        )


def _sample(exercise: Exercise, case: Case) -> tuple[list[Any], np.ndarray[Any, Any]]:
    from diffkit.grading.draws import Sizes, drawn

    rng = np.random.default_rng(0)
    args = list(drawn(case.inputs, rng, Sizes(rng)))
    return args, exercise.value(args, case.kwargs)


def _shapes_agree(exercise: Exercise, case: Case) -> bool:
    """Whether nothing is broadcast: a local partial derivative belongs to one entry of each argument."""
    args, ans = _sample(exercise, case)
    return not ans.shape or all(np.shape(args[k]) == ans.shape for k in exercise.differentiated)


def _one_output(exercise: Exercise, case: Case) -> bool:
    return not _sample(exercise, case)[1].shape


def _elementwise(exercise: Exercise, case: Case) -> bool:
    """Whether moving one entry of an argument moves no other entry of the answer."""
    args, ans = _sample(exercise, case)
    for k in exercise.differentiated:
        for j in range(np.size(args[k])):
            moved = np.array(args[k])
            moved.flat[j] *= 1.25
            changed = exercise.value([moved if i == k else a for i, a in enumerate(args)], case.kwargs) != ans
            if np.delete(changed.ravel(), j).any():
                return False
    return True


STYLES: dict[str, Style] = {
    "vjp": Style(
        "a rule vjp(g, ans, *args): the cotangents of the arguments",
        False,
        "any",
        ("{name}_vjp",),
        '''def {name}_vjp(g, ans, {parameters}):
    """{summary}

    g: the cotangent of the answer, of the answer's shape.
    ans: the answer, {name}({arguments}).
    Returns {wanted}.
    """
    raise NotImplementedError("{name}_vjp")
''',
    ),
    "partials": Style(
        "a class with func(*args) and grads(*args), its local partial derivatives (forward mode)",
        True,
        "ones",
        ("{Name}",),
        '''class {Name}:
    """{summary}"""

    def func(self, {parameters}):
        """The value."""
        raise NotImplementedError("{Name}.func")

    def grads(self, {parameters}):
        """The partial derivatives by {by}, in this order."""
        raise NotImplementedError("{Name}.grads")
''',
    ),
    "gate": Style(
        "a class with forward(*args) and backward(g)",
        True,
        "any",
        ("{Name}",),
        '''class {Name}:
    """{summary}"""

    def forward(self, {parameters}):
        """The value. Keep on self what backward needs."""
        raise NotImplementedError("{Name}.forward")

    def backward(self, g):
        """{Wanted}.

        g is the cotangent of what forward returned.
        """
        raise NotImplementedError("{Name}.backward")
''',
    ),
    "op": Style(
        "a class with compute(*args) and gradient(out_grad, node), as in needle",
        True,
        "any",
        ("{Name}",),
        '''class {Name}:
    """{summary}"""

    def compute(self, {parameters}):
        """The value."""
        raise NotImplementedError("{Name}.compute")

    def gradient(self, out_grad, node):
        """{Wanted}.

        out_grad is the cotangent of what compute returned; node.inputs are the arguments.
        """
        raise NotImplementedError("{Name}.gradient")
''',
    ),
    "pair": Style(
        "a pair of functions with a cache: NAME_forward(*args) -> (out, cache), NAME_backward(dout, cache)",
        True,
        "any",
        ("{name}_forward", "{name}_backward"),
        '''def {name}_forward({parameters}):
    """{summary} Returns (out, cache); cache holds whatever {name}_backward needs."""
    raise NotImplementedError("{name}_forward")


def {name}_backward(dout, cache):
    """{Wanted}.

    dout is the cotangent of out.
    """
    raise NotImplementedError("{name}_backward")
''',
    ),
    "context": Style(
        "a class with static methods forward(ctx, *args) and backward(ctx, g), as in PyTorch",
        True,
        "any",
        ("{Name}",),
        '''class {Name}:
    """{summary}"""

    @staticmethod
    def forward(ctx, {parameters}):
        """The value. ctx.save_for_backward(...) keeps what backward needs, in ctx.saved_tensors."""
        raise NotImplementedError("{Name}.forward")

    @staticmethod
    def backward(ctx, g):
        """{Wanted}.

        g is the cotangent of what forward returned.
        """
        raise NotImplementedError("{Name}.backward")
''',
    ),
    "defvjp": Style(
        "registrations: defvjp(NAME, a rule vjp(g, ans, *args) for each argument)",
        False,
        "any",
        ("{name}", "VJPS"),
        '''def {name}({parameters}):
    """{summary}"""
    raise NotImplementedError("{name}")


# A rule for each of {by}: lambda g, ans, {arguments}: ...
# defvjp({name}, ...)
''',
        '''VJPS = {}


def defvjp(function, *rules):
    """Registers the rules of a function, one for each argument to differentiate by."""
    VJPS[function] = rules
''',
    ),
    "jvp": Style(
        "a rule jvp(t, ans, *args): the tangent of the answer",
        False,
        "any",
        ("{name}_jvp",),
        '''def {name}_jvp(t, ans, {parameters}):
    """{summary}

    t: the tangent{of_several} of {by}.
    ans: the answer, {name}({arguments}).
    Returns the tangent of the answer, of the answer's shape.
    """
    raise NotImplementedError("{name}_jvp")
''',
    ),
    "engine": Style(
        "a whole engine: a Value class, grad, or backward_pass, run on programs",
        True,
        "any",
        ("{name}",),
        "",
        once=True,
    ),
}


MADE_OF_ARGUMENTS = ("partials", "gate", "op")
"""The styles in which an object is made of a class, which may be given what it is made of."""

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


def camel(name: str) -> str:
    """A function's name as that of a class."""
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def defined_names(name: str, style: str) -> tuple[str, ...]:
    """The names that a submission must define for an exercise of this name.

    Raises:
        InputError: if there is no such style.
    """
    if style not in STYLES:
        raise InputError(f"{style!r} is no submission style; there are {', '.join(STYLES)}")
    return tuple(text.format(name=name, Name=camel(name)) for text in STYLES[style].names)


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
        body = (
            _ENGINE_BODIES[exercise.defines[0]] if exercise.style == "engine" else STYLES[exercise.style].body
        )
        text = body.format(**_fields(exercise)) if exercise.style != "engine" else body
        parts.append(_with_constructor(text, exercise))
    return "\n\n".join(parts)
