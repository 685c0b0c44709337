"""Rows on arrays in JavaScript: elements moved, reduced along axes, and summed in products.

Shapes are known when the text is written. So whatever only moves elements is tried on an array of their
places, here, and JavaScript is told the places that came out: one way of saying all such functions.
"""

from __future__ import annotations

import string
from typing import Any

import numpy as np

from diffkit.autodiff.code.program import CodeRow

MOVES = frozenset(
    "reshape ravel squeeze expand_dims transpose matrix_transpose swapaxes moveaxis rollaxis flip fliplr "
    "flipud rot90 broadcast_to diagonal getitem read roll repeat tile concatenate stack diag tril "
    "triu".split()
)
"""Functions that move elements, leave some out and put zeros between."""

REDUCTIONS = {
    "sum": "x + y",
    "mean": "x + y",
    "prod": "x * y",
    "max": "Math.max(x, y)",
    "min": "Math.min(x, y)",
    "amax": "Math.max(x, y)",
    "amin": "Math.min(x, y)",
    "any": "Math.max(x, y)",
    "all": "Math.min(x, y)",
}
"""What makes one number of two."""


def moved(writer: Any, row: CodeRow) -> str:
    """A row that moves elements.

    Raises:
        ValueError: if it does more than that.
    """
    values: list[Any] = []
    places: list[Any] = []
    from_operands, args = 1, []
    for a in row.args:
        if type(a) is CodeRow:
            size = np.size(a.value)
            args.append(np.arange(from_operands, from_operands + size).reshape(np.shape(a.value)))
            from_operands += size
            values.append(a)
        else:
            args.append(a)
    found = np.asarray(row.fun.compute(*args, **row.kwargs))
    places = (found.ravel() - 1).tolist()
    shape = np.shape(row.value)
    given = np.concatenate([[0.0], *(np.ravel(v.value) for v in values)])
    if found.shape != shape or not np.array_equal(given[found], np.asarray(row.value, float), equal_nan=True):
        raise ValueError("it does more than move elements")
    operand = (
        writer.operand(values[0]) if len(values) == 1 else f"joined({', '.join(map(writer.operand, values))})"
    )
    if not shape:
        return operand if len(values) == 1 and not np.ndim(values[0].value) else f"{operand}[{places[0]}]"
    if len(values) == 1 and places == list(range(np.size(values[0].value))) and np.ndim(values[0].value):
        return operand
    strides = (
        [s // found.itemsize for s in found.strides] if found.base is not None or 0 in found.strides else []
    )
    strided = np.lib.stride_tricks.as_strided  # says whether the places are those of a view
    if strides and found.size and all(s >= 0 for s in strides) and places[0] >= 0:
        whole = np.arange(1, from_operands)
        last = places[0] + sum(s * (n - 1) for s, n in zip(strides, shape, strict=True))
        if last < whole.size:
            view = strided(whole[places[0] :], shape, [s * whole.itemsize for s in strides])
            if np.array_equal(view, found):
                first = f", {places[0]}" if places[0] else ""
                return f"view({operand}, {list(shape)}, {strides}{first})"
    return f"take({operand}, {writer.list(places)})"


def reduction(writer: Any, row: CodeRow) -> str:
    """A sum, a mean, a product, a largest or smallest element, along axes.

    Raises:
        ValueError: for keywords other than the axes.
    """
    x, *rest = row.args
    options = {**dict(zip(("axis",), rest, strict=False)), **row.kwargs}
    axis = options.pop("axis", None)
    options.pop("keepdims", None)
    if any(v is not None and v is not np._NoValue for v in options.values()):
        raise ValueError(f"{', '.join(options)} is not said there")
    shape = np.shape(x.value)
    text = writer.operand(x)
    if row.fun.name in ("any", "all"):
        text = f"each({np.size(x.value)}, x => Number(x) !== 0, {text})"
    if not np.size(x.value):
        raise ValueError("there is nothing to reduce")
    axes = range(len(shape)) if axis is None else np.atleast_1d(axis).tolist()
    summed = sorted(a % len(shape) for a in axes) if shape else []
    order = [a for a in range(len(shape)) if a not in summed] + summed
    count = int(np.prod([shape[a] for a in summed]))
    places = np.arange(np.size(x.value)).reshape(shape).transpose(order)
    if not np.array_equal(places.ravel(), np.arange(places.size)):
        text = f"view({text}, {list(places.shape)}, {[s // places.itemsize for s in places.strides]})"
    text = f"fold({text}, {count}, (x, y) => {REDUCTIONS[row.fun.name]})"
    if np.shape(row.value):
        return f"each({row.value.size}, x => x / {count}, {text})" if row.fun.name == "mean" else text
    return f"{text}[0] / {count}" if row.fun.name == "mean" else f"{text}[0]"


def contraction(writer: Any, row: CodeRow) -> str:
    """A sum of products: of matrices, of vectors, or by Einstein's rule.

    Raises:
        ValueError: for an order of summation that is not understood.
    """
    operands, labels, out = _subscripts(row)
    sizes: dict[str, int] = {}
    shapes = [np.shape(o.value if type(o) is CodeRow else o) for o in operands]
    for shape, letters in zip(shapes, labels, strict=True):
        for n, letter in zip(shape, letters, strict=True):
            sizes[letter] = max(sizes.get(letter, 1), n)
    summed = "".join(dict.fromkeys(a for letters in labels for a in letters if a not in out))
    parts = []
    for operand, shape, letters in zip(operands, shapes, labels, strict=True):
        steps = dict.fromkeys(out + summed, 0)
        for k, letter in enumerate(letters):
            if shape[k] != 1:
                steps[letter] += int(np.prod(shape[k + 1 :]))
        parts.append(f"[{writer.operand(operand)}, {[steps[a] for a in out]}, {[steps[a] for a in summed]}]")
    if tuple(sizes[a] for a in out) != np.shape(row.value):
        raise ValueError("its axes are not understood")
    text = f"contract({[sizes[a] for a in out]}, {[sizes[a] for a in summed]}, {', '.join(parts)})"
    return text if out else f"{text}[0]"


def _subscripts(row: CodeRow) -> tuple[list[Any], list[str], str]:
    """The operands, a letter for each of their axes, and the letters of the answer."""
    name, letters = row.fun.name, string.ascii_letters
    if name == "einsum":
        options = dict(row.kwargs)
        text = options.pop("subscripts").replace(" ", "")
        if "->" not in text or "." in text:
            raise ValueError("its subscripts leave something open")
        given, _, out = text.partition("->")
        return list(row.args), given.split(","), out
    if name == "trace":
        if (
            len(row.args) > 1
            or any(row.kwargs.get(k) for k in ("offset",))
            or np.ndim(row.args[0].value) != 2
        ):
            raise ValueError("it is not the sum of the main diagonal of a matrix")
        return [row.args[0]], ["aa"], ""
    a, b = row.args[:2]
    n, m = (np.ndim(v.value if type(v) is CodeRow else v) for v in (a, b))
    first, second = letters[:n], letters[n : n + m]
    if name == "outer" and n == m == 1:
        return [a, b], [first, second], first + second
    if name == "tensordot":
        axes = row.kwargs.get("axes", row.args[2] if len(row.args) > 2 else 2)
        left, right = (range(n - axes, n), range(axes)) if isinstance(axes, int) else map(np.atleast_1d, axes)
        pairs = [(int(i) % n, int(j) % m) for i, j in zip(left, right, strict=True)]
        second = "".join({j: first[i] for i, j in pairs}.get(j, c) for j, c in enumerate(second))
        gone = {first[i] for i, _ in pairs}
        return [a, b], [first, second], "".join(c for c in first + second if c not in gone)
    if name in ("dot", "inner") and not (n and m):
        return [a, b], [first, second], first + second
    if (name == "vdot" and not n == m == 1) or name == "outer":
        raise ValueError("its operands are no vectors")
    shared = second[-2] if name != "inner" and m > 1 else second[-1]
    first = first[:-1] + shared
    if name == "matmul" and n > 2 and m > 2:  # the axes before the last two belong together
        most = max(n, m) - 2
        stack = letters[-most:]
        first, second = stack[most - (n - 2) :] + first[-2:], stack[most - (m - 2) :] + second[-2:]
        return [a, b], [first, second], stack + first[-2] + second[-1]
    kept = [c for c in first + second if c != shared]
    if name == "matmul" and m > 2:  # the stack comes first
        kept = [*second[:-2], *first[:-1], second[-1]]
    return [a, b], [first, second], "".join(kept)
