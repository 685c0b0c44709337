"""How NumPy code becomes rows: what stands in for numbers and arrays, and what is refused."""

from diffkit.autodiff.recording import protocols as _protocols  # noqa: F401  (tells NumPy whom to ask)
