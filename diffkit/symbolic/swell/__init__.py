"""Expression swell: how large an expression is, and how a family of them grows."""
