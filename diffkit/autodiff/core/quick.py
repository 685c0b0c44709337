"""The two sweeps again, with the commonest rows written out: scalar programs consist of nothing else.

Most rows are calls of a function with one or two arguments whose rules can be called as they are
(``Primitive.direct``). Here they are called in the loop itself; every other row, and one whose rule raises,
goes the way of :mod:`~diffkit.autodiff.core.sweeps`. Both give the same bits and the same errors, on every
program of the rule tests and on random ones (``tests/autodiff/core/test_quick.py``).

Rows that write to places of an array hand their derivatives on, and have none left of their own; see
:mod:`~diffkit.autodiff.core.in_place`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from diffkit.autodiff.core.in_place import pull_back_places, push_forward_places
from diffkit.autodiff.core.rows import like_answer, pulled_back, pushed_forward
from diffkit.autodiff.core.scatter import SPARSE
from diffkit.autodiff.recording.tracer import INPUT, Node, Recording

_NEEDS_CARE = (ArithmeticError, ValueError, IndexError)
"""What a direct call of a rule may raise where the careful way has an answer, or a better message.

math.log(0.0) and 1 / 0.0 raise where NumPy has an answer, inf or nan.
"""


def reverse_sweep(rows: Sequence[Node], recording: Recording, cotangents: Mapping[int, Any]) -> list[Any]:
    """The adjoint of every row, as :func:`diffkit.autodiff.core.sweeps.reverse_sweep` gives it."""
    adjoints: list[Any] = [None] * len(rows)
    for index, seed in cotangents.items():
        adjoints[index] = seed
    for index in range(max(cotangents, default=-1), -1, -1):
        g = adjoints[index]
        if g is None:
            continue
        row = rows[index]
        fun = row.fun
        direct = fun.direct
        if not direct and fun.by_place:
            pull_back_places(adjoints, row, recording, g)
            continue
        value = row.value
        vjps: Sequence[Any]
        if type(value) is float:
            vjps = fun.float_vjps
        else:
            vjps = fun.vjps
            if type(g) in SPARSE:
                g = adjoints[index] = g.dense()
        args = row.args
        kwargs = row.kwargs
        arity = len(args)
        if direct and (arity == 1 or (arity == 2 and not kwargs)):
            try:
                if arity == 1:
                    x = args[0]
                    rule = vjps[0]
                    if rule is None:
                        continue
                    c = rule(g, value, x.value, **kwargs) if kwargs else rule(g, value, x.value)
                    j = x.index
                    previous = adjoints[j]
                    adjoints[j] = c if previous is None else previous + c
                    continue
                x, y = args
                of_x = type(x) is Node and x.recording is recording
                of_y = type(y) is Node and y.recording is recording
                x_value = x.value if of_x else x
                y_value = y.value if of_y else y
                c_x = vjps[0](g, value, x_value, y_value) if of_x and vjps[0] else None
                c_y = vjps[1](g, value, x_value, y_value) if of_y and vjps[1] else None
            except _NEEDS_CARE:
                pass
            else:
                if c_x is not None:
                    j = x.index
                    previous = adjoints[j]
                    adjoints[j] = c_x if previous is None else previous + c_x
                if c_y is not None:
                    j = y.index
                    previous = adjoints[j]
                    adjoints[j] = c_y if previous is None else previous + c_y
                continue
        for _, parent, c in pulled_back(row, recording, g):
            previous = adjoints[parent]
            adjoints[parent] = c if previous is None else previous + c
    return adjoints


def forward_sweep(rows: Sequence[Node], recording: Recording, tangents: Mapping[int, Any]) -> list[Any]:
    """The tangent of every row, as :func:`diffkit.autodiff.core.sweeps.forward_sweep` gives it."""
    swept: list[Any] = [None] * len(rows)
    for index, tangent in tangents.items():
        swept[index] = tangent
    for index in range(min(tangents, default=len(rows)), len(rows)):
        row = rows[index]
        fun = row.fun
        direct = fun.direct
        if not direct and fun.by_place:
            swept[index] = push_forward_places(row, recording, swept)
            continue
        value = row.value
        args = row.args
        jvps: Sequence[Any] = fun.float_jvps if type(value) is float else fun.jvps
        t: Any = None
        if not direct or len(args) > 2 or row.kwargs:
            if fun is not INPUT:
                swept[index] = pushed_forward(row, recording, swept)
            continue
        try:
            if len(args) == 1:
                x = args[0]
                t_x = swept[x.index]
                if t_x is not None and jvps[0]:
                    t = jvps[0](t_x, value, x.value)
            else:
                x, y = args
                of_x = type(x) is Node and x.recording is recording
                of_y = type(y) is Node and y.recording is recording
                t_x = swept[x.index] if of_x else None
                t_y = swept[y.index] if of_y else None
                x_value = x.value if of_x else x
                y_value = y.value if of_y else y
                if t_x is not None and jvps[0]:
                    t = jvps[0](t_x, value, x_value, y_value)
                if t_y is not None and jvps[1]:
                    c = jvps[1](t_y, value, x_value, y_value)
                    t = c if t is None else t + c
        except _NEEDS_CARE:
            swept[index] = pushed_forward(row, recording, swept)
            continue
        swept[index] = t if t is None or type(value) is float else like_answer(t, value)
    return swept
