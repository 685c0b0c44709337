"""Counting: bincount and histograms, which are linear in their weights and constant in what they count."""

from __future__ import annotations

from typing import Any

import numpy as np

from diffkit.autodiff.recording.tracer import Primitive, plain_index
from diffkit.autodiff.rules.call_forms import as_array, decided
from diffkit.autodiff.rules.decisions import bin_of, counts_and_edges
from diffkit.autodiff.rules.indexing import scatter
from diffkit.autodiff.rules.register import composite, is_node
from diffkit.autodiff.rules.shaping import cast
from diffkit.errors import NoRuleError
from diffkit.typing import ArrayLike, ArrayValue, Value


@composite(np.bincount)
def _bincount(x: ArrayLike, /, weights: ArrayLike | None = None, minlength: int = 0) -> Any:
    places = np.asarray(plain_index(x))
    if weights is None:
        return np.bincount(places, None, minlength)
    size = max(minlength, int(places.max(initial=-1)) + 1)
    return scatter(as_array(weights), places, np.zeros(size))


_COUNTS = Primitive("histogram", np.histogram, constant=True)


@composite(np.histogram)
def _histogram(
    a: ArrayLike, bins: Any = 10, range: Any = None, density: Any = None, weights: ArrayValue | None = None
) -> Any:
    a, bins, weights = as_array(a), plain_index(bins), as_array(weights)
    if not is_node(weights):
        return _COUNTS(a, bins=bins, range=range, density=density, weights=weights)
    edges = decided(np.histogram_bin_edges, a, bins=bins, range=range)
    places = decided(bin_of, a, edges=edges)
    sums = np.bincount(np.ravel(places), np.ravel(weights), len(edges))[:-1]  # the last is of those outside
    sums = cast(sums, weights.dtype)
    return (sums / np.diff(edges) / np.sum(sums) if density else sums), edges


@composite(np.histogramdd)
def _histogramdd(
    sample: ArrayLike,
    bins: Any = 10,
    range: Any = None,
    density: Any = None,
    weights: ArrayLike | None = None,
) -> Any:
    if is_node(weights):
        raise NoRuleError(
            "np.histogramdd and np.histogram2d are not differentiated by their weights: np.histogram and "
            "np.bincount are"
        )
    if isinstance(sample, list | tuple):  # one array for each axis
        sample = np.stack(sample, axis=1)
    options = {"bins": plain_index(bins), "range": range, "density": density, "weights": weights}
    return decided(counts_and_edges, sample, **options)


@composite(np.histogram2d)
def _histogram2d(
    x: Value, y: Value, bins: Any = 10, range: Any = None, density: Any = None, weights: Value | None = None
) -> Any:
    counts, edges = np.histogramdd(np.stack([x, y], axis=1), _both(bins), range, density, weights)
    return counts, *edges


def _both(bins: Any) -> Any:
    """Edges given once are for both axes."""
    return [bins, bins] if np.ndim(bins) == 1 and len(bins) not in (1, 2) else bins
