"""The list of what is covered: current, and no shorter than autograd's."""

import importlib

import numpy as np
import pytest

from diffkit.autodiff.coverage import DOCUMENT, NAMESPACES, coverage, document

BEYOND = (
    "flip take take_along_axis cumprod ptp nansum nanmean nanmax nanmin nanprod nanvar nanstd "
    "cbrt interp median percentile quantile convolve correlate vdot vecdot matvec vecmat "
    "trapezoid meshgrid broadcast_arrays dstack concat unstack insert delete copysign heaviside "
    "float_power positive copy average cov corrcoef polyval ldexp logaddexp2 logcumsumexp "
    "unwrap "
).split()


def rows(namespace):
    return {row.name: row for row in coverage(namespace)}


def differentiated_by_autograd(module):
    """The public names of one of autograd's namespaces that have a VJP or are made of such."""
    core = importlib.import_module("autograd.core")
    for name, function in vars(module).items():
        if name.startswith("_") or isinstance(function, type | dict | list):
            continue
        theirs = getattr(function, "__module__", "") or ""
        composed = theirs.startswith("autograd.numpy.numpy_wrapper") and not hasattr(function, "fun")
        if callable(function) and (function in core.primitive_vjps or composed):
            yield name


# Names without an underscore that are no functions of NumPy.
INTERNAL = {
    "array_from_args", "concatenate_args", "make_diagonal", "row_stack", "parse_einsum_input",
    "metadata", "wrap_if_boxes_inside", "wrap_intdtype", "wrap_namespace", "notrace_primitive",
    "primitive", "truncate_pad",
}  # fmt: skip


@pytest.mark.parametrize("namespace", ["numpy", "numpy.linalg", "numpy.fft"])
def test_all_that_autograd_differentiates_in_both_modes(namespace):
    pytest.importorskip("autograd")
    ours = rows(namespace)
    theirs = set(differentiated_by_autograd(importlib.import_module(f"autograd.{namespace}"))) - INTERNAL
    assert len(theirs) >= {"numpy": 119, "numpy.linalg": 9, "numpy.fft": 14}[namespace]
    lacking = [
        name
        for name in sorted(theirs)
        if name not in ours
        or ours[name].how not in ("rule", "composite")
        or "–" in (ours[name].reverse, ours[name].forward)
    ]
    assert lacking == []
    assert namespace != "numpy.linalg" or "norm" in ours


def test_what_autograd_runs_without_a_gradient_runs_here():
    core, tracer = importlib.import_module("autograd.core"), importlib.import_module("autograd.tracer")
    anp = importlib.import_module("autograd.numpy")
    constants = set().union(*tracer.notrace_primitives.values()) - set(core.primitive_vjps)
    names = {
        name for name, f in vars(anp).items() if callable(f) and not isinstance(f, type) and f in constants
    }
    assert len(names) > 40
    assert sorted(names - rows("numpy").keys() - {"isscalar"}) == []


def test_what_there_is_beyond_autograd():
    ours = rows("numpy")
    assert [n for n in BEYOND if n not in ours or "–" in (ours[n].reverse, ours[n].forward)] == []


def test_no_rule_is_there_in_one_mode_only():
    for namespace in NAMESPACES:
        for row in coverage(namespace):
            assert row.reverse == row.forward, f"{namespace}.{row.name}"


def test_what_works_in_place_is_listed():
    assert {"copyto", "put", "place", "putmask", "put_along_axis", "fill_diagonal"} <= rows("numpy").keys()


def test_the_document_is_current():
    if tuple(map(int, np.__version__.split(".")[:2])) != (2, 4):
        pytest.skip("the document lists the functions of NumPy 2.4")
    assert DOCUMENT.read_text() == document(), (
        "run python -m diffkit.autodiff.coverage, and commit COVERAGE.md"
    )
