"""A simulated sweep with one thing wrong gives the numbers of an engine that has that wrong."""

from __future__ import annotations

import pytest

import diffkit as dk
from diffkit.grading.diagnosis.engine_mistakes import in_any_order, sweeps
from diffkit.grading.diagnosis.one_mistake import diagnose
from diffkit.grading.self_test import right_engines


def _last_parent_only(g, end_node):
    node, adjoint = end_node, g
    while node.parents:
        node, adjoint = node.parents[-1], node.vjps[-1](adjoint)
    return adjoint


def _contributions_not_added(g, end_node):
    """The last use of a node overwrites the others."""
    order, seen = [], set()

    def visit(node):
        if id(node) not in seen:
            seen.add(id(node))
            for parent in node.parents:
                visit(parent)
            order.append(node)

    visit(end_node)
    adjoints = {id(end_node): g}
    for node in reversed(order):
        for parent, vjp in zip(node.parents, node.vjps, strict=True):
            adjoints[id(parent)] = vjp(adjoints[id(node)])
    return adjoints[id(order[0])]


def test_a_right_engine_leaves_nothing_to_explain(seen):
    assert not any(o.wrong for o in seen("grad", style="engine", grad=dk.grad).observations)


def test_contributions_that_are_not_added_are_overwritten(seen):
    look = seen("backward_pass", style="engine", backward_pass=_contributions_not_added)
    assert diagnose(look.exercise, look.answers).name == "overwritten"


def test_another_style_has_no_sweeps(seen):
    (first, *_) = seen("sin", lambda g, ans, x: -g).observations
    assert list(sweeps(first)) == list(in_any_order(first)) == []


@pytest.mark.parametrize("rule", [_last_parent_only, lambda g, end: right_engines.backward_pass(1.0, end)])
def test_wrong_engines_are_wrong(seen, rule):
    assert any(o.wrong for o in seen("backward_pass", style="engine", backward_pass=rule).observations)
