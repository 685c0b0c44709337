"""How NumPy code becomes rows: what stands in for numbers and arrays, and what is refused."""
