"""The table of expression swell: how a family of expressions grows when it is differentiated.

>>> from diffkit.symbolic.swell.growth import swell
>>> table = swell("logistic map", 4, measures=["tree", "forward"])
>>> print(table)  # doctest: +NORMALIZE_WHITESPACE
logistic map: l(1) = x, l(n+1) = 4 l(n) (1 - l(n))
n  f tree  forward tree  forward DAG  forward operations
────────────────────────────────────────────────────────
1       1             1            1                   0
2       9            13           10                   4
3      25            57           19                  12
4      57           177           28                  20
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sympy

from diffkit.errors import InputError
from diffkit.expressions import Expression, intern, post_order, substitute
from diffkit.symbolic.budget import BudgetError, within
from diffkit.symbolic.differentiation import gradient
from diffkit.symbolic.swell.families import Family, family_of
from diffkit.symbolic.swell.sizes import size
from diffkit.tables import Table

_WIDTH = 72


class _Row:
    """One iterate and its derivatives, each computed when a measure first asks for it."""

    def __init__(self, family: Family, n: int) -> None:
        self.n = n
        self.expression = intern(family.expression(n))
        self.variables = list(family.variables(n))
        self._derived: dict[str, list[Expression]] = {}
        self._plain: Expression = None
        self._by_sympy: list[Expression] = []

    def derivative(self, mode: Any) -> list[Expression]:
        if mode not in self._derived:
            self._derived[mode] = gradient(self.expression, self.variables, mode=mode)
        return self._derived[mode]

    @property
    def plain(self) -> Expression:
        """The expression as SymPy's own constructors write it, flattened and combined."""
        if self._plain is None:
            self._plain = evaluated(self.expression)
        return self._plain

    @property
    def by_sympy(self) -> list[Expression]:
        if not self._by_sympy:
            self._by_sympy = [sympy.diff(self.plain, v) for v in self.variables]
        return self._by_sympy


def evaluated(expr: Expression) -> Expression:
    """An expression rebuilt by SymPy's own constructors.

    >>> from diffkit.expressions import multiply
    >>> evaluated(multiply(2, multiply(3, sympy.Symbol("x"))))
    6*x
    """
    made: dict[int, Expression] = {}
    for node in post_order(intern(expr)):
        args = [made[id(a)] for a in node._args]
        made[id(node)] = node.func(*args) if args else node
    return made[id(intern(expr))]


def _text(exprs: Sequence[Expression]) -> str:
    measured = size(list(exprs))
    if measured.characters > _WIDTH:
        return (
            f"({measured.characters:,} characters)" if measured.characters < 10**15 else "(too long to print)"
        )
    return ", ".join(str(e) for e in exprs)


def _simplified(row: _Row) -> dict[str, Any]:
    simple = [sympy.simplify(d) for d in row.by_sympy]
    return {"simplified": _text(simple), "simplified tree": size(simple).tree}


def _sizes(label: str, exprs: Sequence[Expression]) -> dict[str, Any]:
    measured = size(list(exprs))
    return {
        f"{label} tree": measured.tree,
        f"{label} DAG": measured.dag,
        f"{label} operations": measured.operations,
    }


def _cse_after(row: _Row) -> dict[str, Any]:
    steps, results = sympy.cse(row.by_sympy)
    return {"CSE after": sum(size(e).operations for e in [*(right for _, right in steps), *results])}


def _cse_before(row: _Row) -> dict[str, Any]:
    steps, (result,) = sympy.cse(row.plain)
    known: dict[Expression, Expression] = {}
    for name, right in steps:
        known[name] = substitute(right, known)
    shared = substitute(result, known)
    return {"CSE before": size(gradient(shared, row.variables, mode="forward")).operations}


MEASURES: dict[str, tuple[Callable[[_Row], dict[str, Any]], Sequence[str]]] = {
    "expression": (lambda row: {"f": _text([row.plain])}, ["f"]),
    "derivative": (lambda row: {"derivative": _text(row.by_sympy)}, ["derivative"]),
    "simplified": (_simplified, ["simplified", "simplified tree"]),
    "tree": (lambda row: {"f tree": size(row.expression).tree}, ["f tree"]),
    "operations": (lambda row: {"f operations": size(row.expression).operations}, ["f operations"]),
    "sympy": (lambda row: {"sympy.diff tree": size(row.by_sympy).tree}, ["sympy.diff tree"]),
    "forward": (
        lambda row: _sizes("forward", row.derivative("forward")),
        ["forward tree", "forward DAG", "forward operations"],
    ),
    "reverse": (
        lambda row: _sizes("reverse", row.derivative("reverse")),
        ["reverse tree", "reverse DAG", "reverse operations"],
    ),
    "cse": (lambda row: {**_cse_after(row)}, ["CSE after"]),
    "cse before": (_cse_before, ["CSE before"]),
}
"""What :func:`swell` can measure: a function of a row, and the columns that it fills."""

_BY_SYMPY = frozenset({"expression", "derivative", "simplified", "sympy", "cse", "cse before"})


def swell(
    iterate: Any,
    n: int | Sequence[int],
    *,
    measures: Sequence[str] | None = None,
    seconds: float = 5.0,
    extra_columns: Mapping[str, Callable[[int, Any, list[Any]], Any]] | None = None,
) -> Table:
    """The table of growth, a row per iterate.

    Args:
        iterate: a :class:`~diffkit.symbolic.swell.families.Family` or the name of one; or a function from
            one iterate to the next (the first is the symbol x); or a list of expressions.
        n: rows 1 to n, or the rows themselves, as in ``[10, 100, 1000, 10_000]``.
        measures: which of :data:`MEASURES`; by default all. ``"forward"`` and ``"reverse"`` are the
            two modes over the shared graph, and go to any depth. The others use SymPy's own ``diff``,
            ``simplify`` and ``cse``, and stop where those do.
        seconds: what one of those may take for one row. The cells of the first row where it does not
            suffice, and of all later ones, are dashes, and a note gives the reason.
        extra_columns: more columns by title: functions of (n, expression, variables), such as the
            length of a trace, which other rooms of diffkit know.

    Returns:
        A table of exact integers and texts: ``.text()``, ``.markdown()``, ``.latex()``, ``.html()``,
        ``.csv()``. Texts longer than a line are replaced by their length.

    Raises:
        InputError: for an unknown family or measure, or no rows.

    >>> import numpy as np
    >>> table = swell(lambda f: f * np.sin(f), [10, 1000], measures=["forward"])
    >>> table["forward DAG"]
    [61, 6991]
    """
    family = family_of(iterate)
    rows = _rows(n, iterate)
    chosen = list(MEASURES) if measures is None else list(measures)
    for measure in chosen:
        if measure not in MEASURES:
            raise InputError(f"no measure {measure!r}; there are {', '.join(map(repr, MEASURES))}")
    more = extra_columns or {}
    columns = ["n", *(title for measure in chosen for title in MEASURES[measure][1]), *more]
    stopped: dict[str, str] = {}
    cells: list[list[Any]] = []
    for k in rows:
        row = _Row(family, k)
        found: dict[str, Any] = {"n": k}
        for measure in chosen:
            if measure in stopped:
                continue
            compute = MEASURES[measure][0]
            if measure not in _BY_SYMPY:
                found |= compute(row)
                continue
            try:
                found |= within(seconds, lambda c=compute, r=row: c(r), _TITLES[measure])  # type: ignore[misc]
            except BudgetError as reason:
                stopped[measure] = f"– from n = {k}: {reason}."
        for title, extra in more.items():
            found[title] = extra(k, row.expression, row.variables)
        cells.append([found.get(title) for title in columns])
    caption = f"{family.name}: {family.summary}" if family.summary else family.name
    return Table(columns, cells, caption=caption, notes=list(dict.fromkeys(stopped.values())))


_TITLES = {
    "expression": "writing the expression as SymPy does",
    "derivative": "sympy.diff",
    "simplified": "sympy.simplify",
    "sympy": "sympy.diff",
    "cse": "sympy.cse of sympy.diff",
    "cse before": "sympy.cse of the expression",
}


def _rows(n: Any, iterate: Any) -> list[int]:
    rows = list(range(1, n + 1)) if isinstance(n, int) and not isinstance(n, bool) else n
    if not isinstance(rows, Sequence) or not rows or not all(isinstance(k, int) and k >= 1 for k in rows):
        raise InputError(f"expected a number of rows, or a list of positive integers, got n={n!r}")
    if isinstance(iterate, list | tuple) and max(rows) > len(iterate):
        raise InputError(
            f"expected at most {len(iterate)} rows, as many as there are expressions, got n={n!r}"
        )
    return list(rows)
