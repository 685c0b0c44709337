"""The table of matrix derivatives: what :mod:`diffkit.calculus` is for numbers.

Each line says, as text, what a function of matrices is, its differential and its pullback::

    _line("inv(x)", d=["-ans @ dx @ ans"], vjp=["-T(ans) @ g @ T(ans)"])

``dx`` is the differential of the argument ``x``, ``g`` the answer's adjoint (of the answer's shape), ``ans``
the answer. Symbolic differentiation by matrices reads both columns as matrix expressions; tables and drawings
of traces print the pullbacks. The traced rules, which take stacks and vectors of one axis too, are written in
NumPy; that they do the same operations is tested, line by line.
The rules are in every book (Magnus and Neudecker,
*Matrix Differential Calculus*, 2nd ed., chapters 8 and 9; Giles, *An extended collection of matrix derivative
results for forward and reverse mode algorithmic differentiation*, 2008).

The grammar is that of the calculus table, with ``@`` for the matrix product and these functions: ``T(x)``
(transpose), ``inv``, ``det``, ``trace``, ``inner(x, y)`` (the sum of the products of the elements),
``eye(x)`` (the identity of x's shape), ``diag(x)`` (a diagonal matrix of a vector) and ``diagonal(x)`` (the
diagonal of a matrix).

>>> MATRIX["matmul"].vjps
('g @ T(y)', 'T(x) @ g')
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MatrixLine:
    """One line of the table: a function of matrices.

    Attributes:
        name: NumPy's name of the function, where it has one.
        arguments: the arguments' names, in order.
        form: the function as a formula.
        differentials: per argument, the term of the differential, linear in ``dx`` (``dy``, ...).
        vjps: per argument, the pullback, linear in ``g``: the adjoint map of the differential.
    """

    name: str
    arguments: tuple[str, ...]
    form: str
    differentials: tuple[str, ...]
    vjps: tuple[str, ...]

    @property
    def schema(self) -> str:
        """The rule as a textbook writes it.

        >>> MATRIX["matmul"].schema
        'd(x @ y) = dx @ y + x @ dy'
        """
        answer = [text.replace("ans", self.form) for text in self.differentials]
        return f"d({self.form}) = {' + '.join(answer)}".replace("+ -", "- ")


def _line(call: str, *, form: str = "", d: Sequence[str], vjp: Sequence[str]) -> MatrixLine:
    tree = ast.parse(call, mode="eval").body
    assert isinstance(tree, ast.Call)
    arguments = tuple(ast.unparse(a) for a in tree.args)
    assert len(d) == len(vjp) == len(arguments), call
    return MatrixLine(ast.unparse(tree.func), arguments, form or call, tuple(d), tuple(vjp))


# fmt: off
_TABLE = [
    # -- products -----------------------------------------------------------------------------------
    _line("matmul(x, y)",    form="x @ y",            d=["dx @ y", "x @ dy"],
                                                      vjp=["g @ T(y)", "T(x) @ g"]),
    _line("scale(s, x)",     form="s * x",            d=["ds * x", "s * dx"],
                                                      vjp=["inner(g, x)", "s * g"]),
    _line("hadamard(x, y)",  form="x * y",            d=["dx * y", "x * dy"],
                                                      vjp=["g * y", "x * g"]),
    _line("inner(x, y)",                              d=["inner(dx, y)", "inner(x, dy)"],
                                                      vjp=["g * y", "g * x"]),
    _line("outer(x, y)",     form="x @ T(y)",         d=["dx @ T(y)", "x @ T(dy)"],
                                                      vjp=["g @ y", "T(g) @ x"]),
    # -- linear maps --------------------------------------------------------------------------------
    _line("transpose(x)",    form="T(x)",             d=["T(dx)"],           vjp=["T(g)"]),
    _line("trace(x)",                                 d=["trace(dx)"],       vjp=["g * eye(x)"]),
    _line("diag(x)",                                  d=["diag(dx)"],        vjp=["diagonal(g)"]),
    _line("diagonal(x)",                              d=["diagonal(dx)"],    vjp=["diag(g)"]),
    # -- inverses and determinants ------------------------------------------------------------------
    _line("inv(x)",                                   d=["-ans @ dx @ ans"], vjp=["-T(ans) @ g @ T(ans)"]),
    _line("solve(x, y)",     form="inv(x) @ y",       d=["-inv(x) @ dx @ ans", "inv(x) @ dy"],
                                                      vjp=["-T(inv(x)) @ g @ T(ans)", "T(inv(x)) @ g"]),
    _line("det(x)",                                   d=["ans * trace(inv(x) @ dx)"],
                                                      vjp=["g * ans * T(inv(x))"]),
    _line("logdet(x)",       form="log(det(x))",      d=["trace(inv(x) @ dx)"],
                                                      vjp=["g * T(inv(x))"]),
]
# fmt: on

MATRIX: dict[str, MatrixLine] = {line.name: line for line in _TABLE}
"""The table, by the functions' names."""
