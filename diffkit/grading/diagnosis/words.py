"""Products of matrices, spelt out: which product of g, the arguments and the answer did the student form?

On instances where all of them are square every order and every transpose can be multiplied, so that
the student's product can be found by trying; so can the right one. The difference between the two
spellings is the mistake: a transpose, an order, an operand, ``*`` for ``@``.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from diffkit.grading.diagnosis.evidence import Hypothesis, Observation, close

Array = np.ndarray[Any, Any]
Word = tuple[tuple[str, bool], ...]
"""The letters of a product, each with whether it is transposed."""


def _letters(o: Observation) -> dict[str, Array]:
    floats = {name: a for name, a in o.numbers.items() if a.dtype.kind == "f"}
    found = {"g": o.g, "ans": o.ans, **floats}
    return {name: a for name, a in found.items() if a.ndim == 2}


def _value(word: Word, letters: dict[str, Array], elementwise: bool = False) -> Array | None:
    try:
        factors = [letters[name].T if turned else letters[name] for name, turned in word]
        product = factors[0]
        for factor in factors[1:]:
            product = product * factor if elementwise else product @ factor
    except (KeyError, ValueError):
        return None
    return product


def _words(names: list[str]) -> Iterator[Word]:
    signed = [(name, turned) for name in names for turned in (False, True)]
    for length in (2, 3):
        for word in itertools.product(signed, repeat=length):
            if sum(name == "g" for name, _ in word) == 1:
                yield word


def products(first: Observation) -> Iterator[tuple[str, str, Hypothesis]]:
    """The products that reproduce a square observation, with what sets them apart from the right one."""
    letters = _letters(first)
    if "g" not in letters or len({*(a.shape for a in letters.values()), first.right.shape}) > 1:
        return
    if first.given.shape != first.right.shape or first.right.shape[0] < 2:
        return
    rights = [
        (word, sign)
        for word in _words(list(letters))
        for sign in (1.0, -1.0)
        if (value := _value(word, letters)) is not None and close(sign * value, first.right)
    ]
    if not rights:
        return
    for elementwise, word in itertools.product((False, True), _words(list(letters))):
        value = _value(word, letters, elementwise)
        if value is None:
            continue
        for sign in (1.0, -1.0):
            if not close(sign * value, first.given):
                continue

            def predict(
                o: Observation, word: Word = word, sign: float = sign, elementwise: bool = elementwise
            ) -> Array | None:
                product = _value(word, _letters(o), elementwise)
                return None if product is None or product.shape != o.right.shape else sign * product

            name = "elementwise product" if elementwise else _difference(word, sign, rights)
            yield name, "", predict


def _difference(word: Word, sign: float, rights: list[tuple[Word, float]]) -> str:
    letters = [name for name, _ in word]
    for right, right_sign in rights:
        if word == right and sign != right_sign:
            return "sign"
    for right, _ in rights:
        if [name for name, _ in right] == letters:
            return "missing transpose"
    turned = tuple((name, not flag) for name, flag in reversed(word))
    if any(right == turned for right, _ in rights):
        return "missing transpose"
    for right, _ in rights:
        if sorted(name for name, _ in right) == sorted(letters):
            return "operands swapped"
    for right, _ in rights:
        if len(right) == len(word):
            changed = {*letters} ^ {name for name, _ in right}
            return "ans for x" if "ans" in changed else "operands swapped"
    return "factor dropped"
