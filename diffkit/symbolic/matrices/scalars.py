"""Scalar expressions with matrices in them: what they are functions of, and their partial derivatives."""

from __future__ import annotations

from typing import Any

import sympy
from sympy import MatrixExpr, S

from diffkit.expressions import intern, post_order
from diffkit.symbolic.matrices import algebra
from diffkit.symbolic.sweeps import reverse_sweep

_WHOLE = (MatrixExpr, *algebra.ATOMS)  # left as they are within a number


def log_det(e: Any) -> Any:
    """X of log(det(X)) or log|det(X)|, or None."""
    if isinstance(e, sympy.log) and len(e.args) == 1:
        inner = e.args[0].args[0] if isinstance(e.args[0], sympy.Abs) else e.args[0]
        if isinstance(inner, sympy.Determinant):
            return inner.arg
    return None


def atoms_of(e: Any) -> list[Any]:
    """What a scalar expression is a function of: symbols, traces, determinants, elements."""
    found: dict[Any, None] = {}
    stack, seen = [e], set()
    while stack:
        part = stack.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        if isinstance(part, (sympy.Symbol, *algebra.ATOMS)) or log_det(part) is not None:
            found[part] = None
        elif isinstance(part, sympy.Subs):  # what it binds is no variable of it
            stack += (*part.point, *sorted(part.expr.free_symbols - set(part.variables), key=str))
        else:
            stack.extend(reversed(part.args))
    return list(found)


def scalar_partials(e: Any, atoms: list[Any]) -> list[tuple[Any, Any]]:
    """The partial derivatives of a scalar expression by its atoms, by the table of elementary ones."""
    if not atoms:
        return []
    taken = _names_in(e)
    stand_ins = [
        a if isinstance(a, sympy.Symbol) else sympy.Dummy(_unlike(f"a{k}", taken), real=True)
        for k, a in enumerate(atoms)
    ]
    plain = _replaced(e, dict(zip(atoms, stand_ins, strict=True)))
    partials = reverse_sweep([intern(plain)], [intern(s) for s in stand_ins], [intern(S.One)])
    back = dict(zip(stand_ins, atoms, strict=True))
    return [(a, tidy(_replaced(p, back))) for a, p in zip(atoms, partials, strict=True)]


def _names_in(e: Any) -> set[str]:
    """The names of the symbols in a scalar expression, those that a Subs binds among them."""
    stack, seen, found = [e], set(), set()
    while stack:
        part = stack.pop()
        if isinstance(part, sympy.Symbol):
            found.add(part.name)
        elif id(part) not in seen and not isinstance(part, _WHOLE):
            seen.add(id(part))
            stack.extend(part.args)
    return found


def _unlike(name: str, taken: set[str]) -> str:
    """SymPy's Subs tells its variables by their names."""
    while name in taken or f"_{name}" in taken:
        name = f"a{name}"
    return name


def _replaced(e: Any, new: dict[Any, Any]) -> Any:
    memo: dict[Any, Any] = {}

    def walk(part: Any) -> Any:
        if part in new:
            return new[part]
        if not part.args or isinstance(part, _WHOLE):
            return part
        if isinstance(part, sympy.Derivative):  # of an undefined function, at what now stands there
            inside = [old for old in new if part.has(old)]
            return sympy.Subs(part, tuple(inside), tuple(new[old] for old in inside)) if inside else part
        if part not in memo:
            memo[part] = part.func(*[walk(a) for a in part.args])
        return memo[part]

    return walk(e)


def tidy(e: Any) -> Any:
    """What the rules gave, evaluated by SymPy's constructors: ``(2*x)*y`` as ``2*x*y``."""
    memo: dict[int, Any] = {}
    for part in post_order(e):
        if not part.args or isinstance(part, _WHOLE):
            memo[id(part)] = part
        else:
            memo[id(part)] = part.func(*[memo.get(id(a), a) for a in part.args])
    return memo[id(e)]
