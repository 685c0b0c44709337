"""Constructors of matrix expressions that write them as a textbook does.

The nodes are SymPy's own (``nodes.py``); scalars stand in front, identities and zeros are gone, transposes
are pushed to where there are fewest, a 1 x 1 product is the scalar ``Trace(...)`` of it, and nothing is
multiplied out (``products.py``, ``sums.py``, ``elementwise.py``, ``diagonals.py``). The same node is the same
object, so that what is shared stays shared.

>>> from sympy import MatrixSymbol
>>> A, x = MatrixSymbol("A", 3, 3), MatrixSymbol("x", 3, 1)
>>> transpose(product(A, x)), product(x, transpose(x), x)
(x.T*A.T, Trace(x.T*x)*x)
"""

from diffkit.symbolic.matrices.algebra.diagonals import diagonal_matrix, diagonal_of, diagonal_part, kronecker
from diffkit.symbolic.matrices.algebra.elementwise import (
    U,
    apply,
    body_and_argument,
    hadamard,
    hadamard_power,
    stable,
)
from diffkit.symbolic.matrices.algebra.nodes import (
    ATOMS,
    atoms_in,
    coefficient_and_factors,
    identity,
    is_scalar,
    node,
    ones,
    shape,
    square,
    zeros,
)
from diffkit.symbolic.matrices.algebra.products import determinant, inverse, power, product, trace, transpose
from diffkit.symbolic.matrices.algebra.sums import add

__all__ = [
    "ATOMS",
    "U",
    "add",
    "apply",
    "atoms_in",
    "body_and_argument",
    "coefficient_and_factors",
    "determinant",
    "diagonal_matrix",
    "diagonal_of",
    "diagonal_part",
    "hadamard",
    "hadamard_power",
    "identity",
    "inverse",
    "is_scalar",
    "kronecker",
    "node",
    "ones",
    "power",
    "product",
    "shape",
    "square",
    "stable",
    "trace",
    "transpose",
    "zeros",
]
