"""Matrices as symbols: derivatives of SymPy's matrix expressions, as one formula in the matrices.

Nodes are SymPy's own classes, built by the constructors of ``algebra``, which write a formula as a textbook
does; a number of the field is a SymPy scalar, and so is every 1 x 1 product. ``reading.py`` takes a user's
expression in, ``pieces.py`` says what each node contributes to the chain rule (the texts of
:mod:`diffkit.matrix_calculus`, and what a user says in ``own_rules.py``), ``sweeps.py`` applies that from the
root down or from the variables up; ``linear.py`` reads the matrix off a linear map, ``vectorised.py`` that of
vec. ``notation.py`` prints a formula, ``source.py`` makes it a NumPy program. See Laue, Mitterreiter and
Giesen, *Computing higher order derivatives of matrix and tensor expressions*, NeurIPS 2018.
"""
