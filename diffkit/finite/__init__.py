"""Finite differences: derivatives from values of f alone, and every part of their error."""

from diffkit.finite.choosing.noise import Noise, estimate_noise
from diffkit.finite.choosing.plan import Estimate
from diffkit.finite.choosing.warnings import DifferenceWarning, NoiseWarning
from diffkit.finite.derivatives import derivative, directional, gradient, jacobian
from diffkit.finite.error.curve import error_curve
from diffkit.finite.error.parts import PARTS
from diffkit.finite.error.result import ErrorSweep
from diffkit.finite.error.sweep import error_sweep
from diffkit.finite.extrapolation import Extrapolation, extrapolate
from diffkit.finite.hessians import hessian
from diffkit.finite.stencils import Stencil, stencil, weights

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
    "error_curve",
    "error_sweep",
    "estimate_noise",
    "extrapolate",
    "gradient",
    "hessian",
    "jacobian",
    "stencil",
    "weights",
]


def __dir__() -> list[str]:
    return __all__
