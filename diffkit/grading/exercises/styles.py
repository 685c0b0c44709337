"""The ways in which a student can hand in a derivative, and what must be defined for each.

>>> defined_names("affine", "pair")
('affine_forward', 'affine_backward')
>>> defined_names("leaky_relu", "gate")
('LeakyRelu',)
"""

from __future__ import annotations

from dataclasses import dataclass

from diffkit.errors import InputError


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
    "value_and_gradient": Style(
        "a function of a scalar loss that returns both: NAME(*args) -> (value, gradient, ...)",
        True,
        "ones",
        ("{name}",),
        '''def {name}({parameters}):
    """{summary}

    Returns the value and the gradient by each of {by}: (value, gradient, ...).
    """
    raise NotImplementedError("{name}")
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


NAMED = ("gate", "pair", "value_and_gradient")
"""The styles in which gradients may come by name: in a dictionary, or on an object."""


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
