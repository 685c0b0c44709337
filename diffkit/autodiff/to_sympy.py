"""A trace as SymPy expressions: its rows performed on symbols in place of numbers.

The operations stay as the program did them: nothing is simplified, and a value that is used twice is
one expression used twice. Elementwise functions read their line of the calculus table; sums, products
and whatever moves elements about are NumPy's own, on object arrays. A comparison becomes a SymPy
relation, so ``np.where`` becomes a Piecewise; only where the program itself chose a path is the
expression limited to it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy

from diffkit.autodiff.recording.tracer import INPUT, PART, Node
from diffkit.errors import DiffkitError, InputError, NoRuleError, TraceError
from diffkit.expressions import SymbolicNumber, apply, has_expression, piecewise

if TYPE_CHECKING:
    from diffkit.autodiff.core.trace import WengertList


def trace_to_sympy(t: WengertList, symbols: Sequence[Any], *, path: bool = False) -> Any:
    """What :meth:`Trace.to_sympy` returns.

    Raises:
        InputError: if the symbols don't fit the arguments.
        TraceError: if the program made a decision and ``path`` is False.
        NoRuleError: for a function with no symbolic form (a matrix factorization, a sort).

    >>> from diffkit.autodiff.views import trace
    >>> t = trace(lambda x, w: np.sum(np.tanh(w * x)))(2.0, np.array([1.0, 3.0]))
    >>> t.to_sympy()
    tanh(w_0*x) + tanh(w_1*x)
    >>> trace(lambda x: np.where(x > 0, x, 0.0))(2.0).to_sympy()
    Piecewise((x, x > 0), (0, True))
    """
    if t.decisions and not path:
        raise TraceError(_decided(t))
    values: list[Any] = [None] * len(t.nodes)
    for row, symbol in zip(t.inputs, _symbols(t, symbols), strict=True):
        values[row.index] = symbol
    for row in t.nodes:
        if row.fun is not INPUT:
            args = [values[a.index] if t.owns(a) else a for a in row.args]
            values[row.index] = _perform(row, args, path)
    outputs = [_bare(values[o.index]) if t.owns(o) else o for o in t.outputs]
    return t.out_structure.unflatten(outputs)


def _decided(t: WengertList) -> str:
    decision = t.decisions[0]
    place = decision.site
    more = f", and {len(t.decisions) - 1} times more" if len(t.decisions) > 1 else ""
    what = {"index": "used a traced value as an index", "loop": "ended a loop by a traced value"}.get(
        decision.kind, "branched on a traced value"
    )
    return (
        f"{t.name} {what} ({place}){more}: an expression holds for one path only. "
        "Write the branch with np.where, or accept the path that was taken with path=True."
    )


# -- symbols ----------------------------------------------------------------------------------------------


def _symbols(t: WengertList, given: Sequence[Any]) -> list[Any]:
    """What stands for each input: a SymbolicNumber, or an object array of them of the input's shape."""
    if not given:
        return [_named(t.names[n.index], np.shape(n.value)) for n in t.inputs]
    structure = t.in_structure
    if len(given) == len(t.inputs) != len(structure.children):  # none came for the constants
        leaves = list(given)
    else:
        every = structure.leaves_of(tuple(given), "symbols")
        leaves = [s for s, a in zip(every, t.arguments, strict=True) if t.owns(a)]
    return [_fitted(s, n, t.names[n.index]) for s, n in zip(leaves, t.inputs, strict=True)]


def _named(name: str, shape: tuple[int, ...]) -> Any:
    """Symbols called after an input: x, or x_0, x_1, ... for the elements of an array."""
    name = re.sub(r"\W+", "_", name).strip("_")
    symbols = np.empty(shape, dtype=object)
    for index in np.ndindex(shape):
        symbols[index] = sympy.Symbol("_".join([name, *map(str, index)]))
    return SymbolicNumber.wrap(symbols if shape else symbols[()])


def _fitted(symbol: Any, row: Node, name: str) -> Any:
    shape = np.shape(row.value)
    if isinstance(symbol, sympy.MatrixBase) and symbol.shape in (shape, (*shape, 1), (1, *shape)):
        symbol = np.array(symbol.tolist(), dtype=object).reshape(shape)
    symbols = SymbolicNumber.wrap(symbol)
    if np.shape(symbols) != shape:
        raise InputError(f"{name} has shape {shape}, but symbols of shape {np.shape(symbols)} came for it")
    return symbols


def _bare(value: Any) -> Any:
    """The expressions without their wrapping; a relation as it is."""
    if isinstance(value, np.ndarray):
        bare = np.empty(value.shape, dtype=object)
        for index, element in np.ndenumerate(value):
            bare[index] = _bare(element)
        return bare
    return value if isinstance(value, sympy.logic.boolalg.Boolean) else SymbolicNumber.unwrap(value)


# -- a row, on symbols ------------------------------------------------------------------------------------


def _perform(row: Node, args: list[Any], path: bool) -> Any:
    fun = row.fun
    name = fun.name
    try:
        if fun is PART:
            return args[0][args[1]]
        if fun.line is not None and has_expression(fun.line):
            return _each(lambda *a: SymbolicNumber(apply(name, *map(_number, a))), *args)
        if name in _SYMBOLIC:
            return _SYMBOLIC[name](*args, **row.kwargs)
        if fun.constant:
            return _recorded(row, path)
        return fun.compute(*args, **row.kwargs)
    except DiffkitError as error:
        if isinstance(error, TraceError) and "path=True" in str(error):
            raise
        raise _no_form(row) from error
    except (TypeError, ValueError, AttributeError) as error:
        raise _no_form(row) from error


def _no_form(row: Node) -> NoRuleError:
    if row.fun.line is not None:
        return NoRuleError(
            f"{row.fun.name} ({row.site}) has a derivative here, but no formula in elementary functions. "
            "Differentiate the trace (grad, jacobian and t.adjoint know it), or trace up to this line and "
            "put the SymPy function that you mean around what to_sympy() gives"
        )
    return NoRuleError(
        f"{row.fun.name} can't be performed on symbols ({row.site}): it needs the numbers. "
        "Write it with sums, products and elementwise functions."
    )


def _recorded(row: Node, path: bool) -> Any:
    """The value that a piecewise constant function had (argmax, rint): part of the path."""
    if path:
        return row.value
    raise TraceError(
        f"{row.fun.name} was called on a traced value ({row.site}): an expression holds only while its "
        "answer stays the same. Accept that with path=True."
    )


def _each(one: Callable[..., Any], *args: Any) -> Any:
    """A function of elements, over arrays that broadcast."""
    if any(isinstance(a, np.ndarray) for a in args):
        return np.frompyfunc(one, len(args), 1)(*[_objects(a) for a in args])
    return one(*args)


def _objects(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.astype(object)
    array = np.empty((), dtype=object)
    array[()] = value
    return array


def _number(value: Any) -> Any:
    """1 for what is true and 0 for what is not; a number as it is."""
    if isinstance(value, bool | np.bool_):
        return int(value)
    if isinstance(value, sympy.logic.boolalg.Boolean):
        return piecewise((1, value), (0, True))
    return value


def _truth(value: Any) -> Any:
    """A relation as it is; a number is true unless it is 0."""
    if isinstance(value, SymbolicNumber):
        return sympy.Ne(value.expr, 0, evaluate=False)
    return value if isinstance(value, sympy.logic.boolalg.Boolean) else sympy.sympify(bool(value))


def _relation(relation: Any) -> Callable[..., Any]:
    def of_elements(x: Any, y: Any) -> Any:
        operands = (SymbolicNumber.unwrap(_number(v)) for v in (x, y))
        return relation(*operands, evaluate=False)

    return lambda x, y: _each(of_elements, x, y)


def _logical(connective: Any) -> Callable[..., Any]:
    return lambda *args: _each(lambda *a: connective(*map(_truth, a)), *args)


def _where(c: Any, x: Any, y: Any) -> Any:
    def of_elements(c: Any, x: Any, y: Any) -> Any:
        truth = _truth(c)
        if truth in (sympy.true, sympy.false):
            return x if truth == sympy.true else y
        x, y = (SymbolicNumber.unwrap(_number(v)) for v in (x, y))
        return SymbolicNumber(piecewise((x, truth), (y, True)))

    return _each(of_elements, c, x, y)


def _extremum(name: str) -> Callable[..., Any]:
    def of_pair(x: Any, y: Any) -> Any:
        return SymbolicNumber(apply(name, x, y))

    def reduced(x: Any, axis: Any = None, keepdims: bool = False, **_: Any) -> Any:
        x = _objects(x)
        axes = range(x.ndim) if axis is None else np.atleast_1d(axis)
        last = np.moveaxis(x, list(axes), range(-len(axes), 0))
        flat = last.reshape(*last.shape[: x.ndim - len(axes)], -1)
        answer = reduce(lambda a, b: _each(of_pair, a, b), [flat[..., k] for k in range(flat.shape[-1])])
        return np.expand_dims(_objects(answer), tuple(int(a) for a in axes)) if keepdims else answer

    return reduced


def _clip(x: Any, a_min: Any = None, a_max: Any = None, **_: Any) -> Any:
    for bound, name in ((a_min, "maximum"), (a_max, "minimum")):
        if bound is not None:
            x = _each(lambda v, b, name=name: SymbolicNumber(apply(name, v, b)), x, bound)
    return x


def _scatter(g: Any, index: Any, like: Any) -> Any:
    array = np.full(np.size(like), 0, dtype=object)
    places = np.arange(array.size).reshape(np.shape(like))[index]
    for place, element in zip(np.ravel(places), np.ravel(_objects(g)), strict=True):
        array[place] = array[place] + element
    return array.reshape(np.shape(like))


_SYMBOLIC: dict[str, Callable[..., Any]] = {
    "less": _relation(sympy.StrictLessThan),
    "less_equal": _relation(sympy.LessThan),
    "greater": _relation(sympy.StrictGreaterThan),
    "greater_equal": _relation(sympy.GreaterThan),
    "equal": _relation(sympy.Eq),
    "not_equal": _relation(sympy.Ne),
    "logical_and": _logical(sympy.And),
    "logical_or": _logical(sympy.Or),
    "logical_xor": _logical(sympy.Xor),
    "logical_not": _logical(sympy.Not),
    "where": _where,
    "max": _extremum("maximum"),
    "min": _extremum("minimum"),
    "clip": _clip,
    "astype": lambda x, dtype: _each(_number, x),
    "copy": lambda x, **_: x,
    "real": lambda x: x,
    "conjugate": lambda x: x,
    "zeros_like": lambda x, **_: np.zeros(np.shape(x)),
    "ones_like": lambda x, **_: np.ones(np.shape(x)),
    "shape": np.shape,
    "size": np.size,
    "ndim": np.ndim,
    "scatter": _scatter,
}
"""Functions that NumPy does not perform on symbols, by the primitive's name."""
