"""Finite differences: derivatives from values of f alone, and every part of their error."""

from diffkit.finite.derivatives import Estimate, derivative, directional, gradient, hessian, jacobian
from diffkit.finite.noise import Noise, NoiseWarning, estimate_noise
from diffkit.finite.stencils import Stencil, stencil, weights

__all__ = [
    "Estimate",
    "Noise",
    "NoiseWarning",
    "Stencil",
    "derivative",
    "directional",
    "estimate_noise",
    "gradient",
    "hessian",
    "jacobian",
    "stencil",
    "weights",
]
