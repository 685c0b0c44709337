"""Finite differences: derivatives from values of f alone, and every part of their error."""

from diffkit.finite.derivatives import derivative, directional, gradient, jacobian
from diffkit.finite.doubts import DifferenceWarning, NoiseWarning
from diffkit.finite.extrapolation import Extrapolation, extrapolate
from diffkit.finite.hessians import hessian
from diffkit.finite.noise import Noise, estimate_noise
from diffkit.finite.parts import PARTS
from diffkit.finite.plan import Estimate
from diffkit.finite.stencils import Stencil, stencil, weights
from diffkit.finite.sweep import ErrorSweep, error_sweep

__all__ = [
    "PARTS",
    "DifferenceWarning",
    "ErrorSweep",
    "Estimate",
    "Extrapolation",
    "Noise",
    "NoiseWarning",
    "Stencil",
    "derivative",
    "directional",
    "error_sweep",
    "estimate_noise",
    "extrapolate",
    "gradient",
    "hessian",
    "jacobian",
    "stencil",
    "weights",
]
