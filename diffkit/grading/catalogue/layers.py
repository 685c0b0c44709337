"""Layers of neural networks: normalisation, convolution, pooling, dropout, lookup."""

from __future__ import annotations

from typing import Any

import numpy as np

from diffkit.grading.catalogue.entries import enter
from diffkit.grading.draws import at, between, labels, normal, random_mask, scaled
from diffkit.grading.exercises.exercise import Case, Misconception

Array = Any


def _normalized(x: Array, axis: int, eps: float) -> Array:
    centred = x - np.mean(x, axis=axis, keepdims=True)
    spread = np.mean(centred * centred, axis=axis, keepdims=True)
    return centred / np.sqrt(spread + eps)


def layer_norm(x: Array, scale: Array, shift: Array, eps: float = 1e-5) -> Array:
    """Each row less its mean, over the root of its variance + eps; times scale, plus shift."""
    return _normalized(x, -1, eps) * scale + shift


def batch_norm(x: Array, scale: Array, shift: Array, eps: float = 1e-5) -> Array:
    """Each column less its mean, over the root of its variance + eps; times scale, plus shift."""
    return _normalized(x, 0, eps) * scale + shift


def conv1d(x: Array, w: Array) -> Array:
    """Cross-correlation: x (batch, channels, length), w (outputs, channels, width), no padding."""
    batch, channels, length = x.shape
    outputs, _, width = w.shape
    places = np.arange(length - width + 1)[:, None] + np.arange(width)
    windows = np.transpose(x[:, :, places], (0, 2, 1, 3))
    rows = np.reshape(windows, (batch * len(places), channels * width))
    answer = rows @ np.transpose(np.reshape(w, (outputs, channels * width)))
    return np.transpose(np.reshape(answer, (batch, len(places), outputs)), (0, 2, 1))


def conv2d(x: Array, w: Array, stride: int = 1) -> Array:
    """Cross-correlation: x (batch, channels, height, width), w (outputs, channels, ...), no padding."""
    batch, channels, height, width = x.shape
    outputs, _, tall, wide = w.shape
    down = np.arange(0, height - tall + 1, stride)[:, None] + np.arange(tall)
    across = np.arange(0, width - wide + 1, stride)[:, None] + np.arange(wide)
    windows = x[:, :, down[:, None, :, None], across[None, :, None, :]]
    rows = np.reshape(
        np.transpose(windows, (0, 2, 3, 1, 4, 5)), (batch * len(down) * len(across), channels * tall * wide)
    )
    answer = rows @ np.transpose(np.reshape(w, (outputs, channels * tall * wide)))
    return np.transpose(np.reshape(answer, (batch, len(down), len(across), outputs)), (0, 3, 1, 2))


def max_pool(x: Array, size: int = 2) -> Array:
    """The largest of each size-by-size block of the last two axes, which size divides."""
    *rest, height, width = x.shape
    blocks = np.reshape(x, (*rest, height // size, size, width // size, size))
    return np.max(blocks, axis=(-3, -1))


def dropout(x: Array, kept: Array, keep: float = 0.8) -> Array:
    """x * kept / keep: inverted dropout, with its mask given."""
    return x * kept / keep


def embedding(weights: Array, indices: Array) -> Array:
    """The rows of weights that the indices name; they may repeat."""
    return weights[indices]


def gather(x: Array, indices: Array) -> Array:
    """The entries of a vector that the indices name; they may repeat."""
    return x[indices]


def _normalizations(batch: str, features: str) -> list[Case]:
    return [
        Case("rectangular", normal("nm"), normal("m"), normal("m")),
        Case("square", normal("nn"), normal("n"), normal("n")),
        Case(
            f"two {batch}", normal("2m" if batch == "rows" else "n2"), *_pair("m" if batch == "rows" else "2")
        ),
        Case("small spread", scaled(normal("nm"), 1e-2), normal("m"), normal("m")),
        Case("large", scaled(normal("45"), 1e3), normal("5"), normal("5")),
        Case("other eps", normal("nm"), normal("m"), normal("m"), eps=0.1),
    ]


def _pair(axes: str) -> tuple[Any, Any]:
    return normal(axes), normal(axes)


def _normalization_rule(
    g: Array, x: Array, scale: Array, axis: int, eps: float, *, beside: bool = False, less: int = 0
) -> tuple[Array, Array, Array]:
    """The rule of a normalisation with, on request, the epsilon beside the root, or n - 1 for n."""
    centred = x - np.mean(x, axis=axis, keepdims=True)
    spread = np.sum(centred * centred, axis=axis, keepdims=True) / (x.shape[axis] - less)
    root = np.sqrt(spread) + eps if beside else np.sqrt(spread + eps)
    normal, inner = centred / root, g * scale
    dx = inner - np.mean(inner, axis=axis, keepdims=True)
    dx = (dx - normal * np.mean(inner * normal, axis=axis, keepdims=True)) / root
    return dx, np.sum(g * normal, axis=0), np.sum(g, axis=0)


def _normalization_mistakes(axis: int) -> tuple[Misconception, ...]:
    return (
        Misconception(
            "epsilon misplaced",
            lambda g, ans, x, scale, shift, eps=1e-5: _normalization_rule(
                g, x, scale, axis, eps, beside=True
            ),
            "beside the root, not under it",
        ),
        Misconception(
            "size factor",
            lambda g, ans, x, scale, shift, eps=1e-5: _normalization_rule(g, x, scale, axis, eps, less=1),
            "with n - 1 for n in the variance",
        ),
        Misconception(
            "wrong axis or keepdims",
            lambda g, ans, x, scale, shift, eps=1e-5: _normalization_rule(g, x, scale, 1 - axis, eps),
            "rows and columns",
        ),
    )


def _over_blocks(g: Array, size: int) -> Array:
    return np.repeat(np.repeat(g, size, axis=-2), size, axis=-1)


_POOL_MISTAKES = (
    Misconception(
        "local derivative forgotten",
        lambda g, ans, x, size=2: _over_blocks(g, size),
        "it goes to the whole block",
    ),
    Misconception(
        "wrong local derivative",
        lambda g, ans, x, size=2: _over_blocks(g, size) / size**2,
        "that of a mean",
    ),
)

enter(layer_norm, _normalizations("columns", "columns"), misconceptions=_normalization_mistakes(1))
enter(batch_norm, _normalizations("rows", "rows"), misconceptions=_normalization_mistakes(0))
enter(
    conv1d,
    [
        Case("one channel", normal("115"), normal("112")),
        Case("several channels", normal("126"), normal("323")),
        Case("a batch", normal("316"), normal("213")),
        Case("as wide as the input", normal("214"), normal("314")),
        Case("width 1", normal("223"), normal("221")),
        Case("large", scaled(normal("115"), 1e6), normal("112")),
    ],
)
enter(
    conv2d,
    [
        Case("one channel", normal("1133"), normal("1122")),
        Case("several channels", normal("1234"), normal("3222")),
        Case("a batch", normal("2144"), normal("2123")),
        Case("stride 2", normal("1155"), normal("1133"), stride=2),
        Case("as large as the input", normal("1123"), normal("1123")),
        Case("large", scaled(normal("1133"), 1e6), normal("1122")),
    ],
)
enter(
    max_pool,
    [
        Case("one image", normal("44")),
        Case("rectangular", normal("46")),
        Case("a batch", normal("346")),
        Case("ties", at([1.0, 1.0, 0.5, 2.0], [1.0, -1.0, 2.0, 2.0])),
        Case("blocks of 3", normal("36"), size=3),
        Case("large", scaled(normal("44"), 1e6)),
        Case("tiny", scaled(normal("44"), 1e-6)),
    ],
    misconceptions=_POOL_MISTAKES,
)
enter(
    dropout,
    [
        Case("ordinary", normal("n"), random_mask("n")),
        Case("rectangular", normal("nm"), random_mask("nm")),
        Case("other rate", normal("n"), random_mask("n"), keep=0.5),
        Case("large", scaled(normal("n"), 1e6), random_mask("n")),
        Case("saturated", between(1.0, 2.0, "n"), random_mask("n", keep=0.0)),
    ],
)
enter(
    embedding,
    [
        Case("each row once", normal("32"), labels("1", "3")),
        Case("a repeated row", normal("nm"), labels("4", "n", repeated=True)),
        Case("a batch of sentences", normal("32"), labels("23", "3", repeated=True)),
        Case("all the same", normal("22"), labels("3", "1")),
    ],
)
enter(
    gather,
    [
        Case("one entry", normal("3"), labels("1", "3")),
        Case("repeated", normal("n"), labels("4", "n", repeated=True)),
        Case("a table of indices", normal("4"), labels("23", "4", repeated=True)),
        Case("all the same", normal("2"), labels("3", "1")),
    ],
)
