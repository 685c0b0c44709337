"""Expressions as Python: straight-line programs, to read and to call."""
