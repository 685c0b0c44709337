"""The symbols of a trace's rows: ``x1`` is written x₁, its adjoint x̄₁, its tangent ẋ₁."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from diffkit.autodiff.notation.formulas import visible
from diffkit.tables import latex_escape

SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_NUMBERED = re.compile(r"([^\W\d_])(\d+)|([^\W\d_]+)_(\d+)")
_IDENTIFIER = re.compile(r"[^\W\d]\w*")


class Name(NamedTuple):
    """A name in its parts: the letters that a bar goes over, an index below, and what follows."""

    base: str
    below: str
    rest: str

    def text(self, mark: str = "") -> str:
        """With a combining mark over the base: an overline over all of its letters, a dot over the middle."""
        marks = [mark] * len(self.base)
        if len(self.base) > 1:
            middle = len(self.base) // 2
            marks = [OVERLINE if mark == BAR else mark if k == middle else "" for k in range(len(self.base))]
        base = "".join(c + m for c, m in zip(self.base, marks, strict=True))
        base = unicodedata.normalize("NFC", base) if mark else base
        return base + self.below.translate(SUBSCRIPTS) + self.rest

    def latex(self, mark: str = "") -> str:
        if len(self.base) == 1 and self.base.isalpha():
            base = _greek(self.base)
        else:
            base = rf"\mathrm{{{''.join(map(_greek, latex_escape(self.base)))}}}"
        if mark:
            command = r"\dot" if mark == DOT else r"\bar" if len(self.base) == 1 else r"\overline"
            base = f"{command}{{{base}}}"
        rest = rf"\texttt{{{latex_escape(self.rest)}}}" if self.rest else ""
        return base + (f"_{{{self.below}}}" if self.below else "") + rest


BAR = "\u0304"
DOT = "\u0307"
OVERLINE = "\u0305"


_LIKE_LATIN = dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧο", "ABEZHIKMNOPTYXo", strict=True))
"""Greek letters that look Latin, and have no command of their own."""


def _greek(letter: str) -> str:
    r"""A letter for LaTeX: ``{\lambda}`` for λ, others as they are."""
    spelled = re.fullmatch(r"GREEK (SMALL|CAPITAL) LETTER (\w+)", unicodedata.name(letter, ""))
    if letter.isascii() or not spelled or letter in _LIKE_LATIN:
        return _LIKE_LATIN.get(letter, letter)
    command = spelled[2].lower().replace("lamda", "lambda")
    return rf"{{\{command if spelled[1] == 'SMALL' else command.capitalize()}}}"


def split_name(name: str) -> Name:
    """``x1`` and ``l_2`` have an index; ``p['w']`` is p and what follows; others are as they are."""
    numbered = _NUMBERED.fullmatch(name)
    if numbered:
        return Name(numbered[1] or numbered[3], numbered[2] or numbered[4], "")
    start = _IDENTIFIER.match(name)
    if start and (start.end() == len(name) or name[start.end()] in "[."):
        return Name(start[0], "", visible(name[start.end() :]))
    return Name(visible(name), "", "")
