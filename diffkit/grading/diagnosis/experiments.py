"""The misconceptions as experiments, in the order of their simplicity.

Each family takes an observation to hypotheses: what a student with that misconception would have
given. The first that reproduces the student's numbers on every instance is the one that is named.
"""

from __future__ import annotations

from diffkit.grading.diagnosis.broadcasting import broadcasting, reshaped
from diffkit.grading.diagnosis.cotangents import cotangent, jacobians, tangents
from diffkit.grading.diagnosis.engine_mistakes import in_any_order, sweeps
from diffkit.grading.diagnosis.evidence import Family
from diffkit.grading.diagnosis.factors import size_factors, truncation, whole_answer
from diffkit.grading.diagnosis.keywords import keywords
from diffkit.grading.diagnosis.numerics import quotients
from diffkit.grading.diagnosis.operands import operands, order, permutations, transposes

EXPERIMENTS: tuple[Family, ...] = (
    whole_answer,
    reshaped,
    broadcasting,
    keywords,
    cotangent,
    operands,
    size_factors,
    truncation,
)
"""Simplest first."""

LATER: tuple[Family, ...] = (transposes, permutations, order, tangents, jacobians)
"""Tried after products of matrices have been spelt out, which tell an order from a transpose."""

ENGINES: tuple[Family, ...] = (whole_answer, cotangent, sweeps, in_any_order, truncation, quotients)
"""Of whole engines, whose answers are single numbers: nothing that looks at shapes."""
