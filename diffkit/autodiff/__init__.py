"""Trace-based automatic differentiation: record a NumPy program, then sweep down or up its trace.

To read it, begin where lesson 12 ends:

1. ``core/sweeps.py``: both sweeps, each some ten statements; ``core/rows.py``: what one row gives back.
2. ``core/trace.py``: the trace that they sweep, as data; ``core/record.py``: from a function to its trace.
3. ``recording/tracer.py``: the node that stands in for a number, and how an operation becomes a row.
4. ``rules/elementwise.py`` and ``rules/products.py``: rules, the two modes side by side.
5. ``core/adjoint.py``: the sweep recorded in turn, which is the adjoint program; ``operators.py``: ``grad``
   and its relatives, which are made of the above.

Everything else looks at traces (``views.py``: ``notation/``, ``code/``, ``to_sympy.py``), runs them again
(``compiled/``), or is quicker than what it stands beside (``core/quick.py``). The contract in
``pyproject.toml`` holds the floors.
"""

from diffkit.autodiff import rules as _rules  # noqa: F401  (registers the derivative rules)
