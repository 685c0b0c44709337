"""Choosing the step: what is measured of f first, and what is said where no step can be trusted."""
