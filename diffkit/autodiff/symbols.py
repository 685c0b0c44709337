"""The symbols of a trace's rows: ``x1`` is written x₁, its adjoint x̄₁, its tangent ẋ₁."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from diffkit.autodiff.formulas import visible
from diffkit.tables import latex_escape

__all__ = ["BAR", "DOT", "Name", "split_name"]

SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_NUMBERED = re.compile(r"([^\W\d_])(\d+)|([^\W\d_]+)_(\d+)")
_IDENTIFIER = re.compile(r"[^\W\d]\w*")


class Name(NamedTuple):
    """A name in its parts: the letters that a bar goes over, an index below, and what follows."""

    base: str
    below: str
    rest: str

    def text(self, mark: str = "") -> str:
        """With a combining mark over the base; an overline joins over several letters."""
        if mark == BAR and len(self.base) > 1:
            mark = OVERLINE
        base = self.base if not mark else unicodedata.normalize("NFC", "".join(c + mark for c in self.base))
        return base + self.below.translate(SUBSCRIPTS) + self.rest

    def latex(self, mark: str = "") -> str:
        if len(self.base) == 1 and self.base.isalpha():
            base = self.base
        else:
            base = rf"\mathrm{{{latex_escape(self.base)}}}"
        if mark:
            command = r"\dot" if mark == DOT else r"\bar" if len(self.base) == 1 else r"\overline"
            base = f"{command}{{{base}}}"
        rest = rf"\texttt{{{latex_escape(self.rest)}}}" if self.rest else ""
        return base + (f"_{{{self.below}}}" if self.below else "") + rest


BAR = "\u0304"
DOT = "\u0307"
OVERLINE = "\u0305"


def split_name(name: str) -> Name:
    """``x1`` and ``l_2`` have an index; ``p['w']`` is p and what follows; others are as they are."""
    numbered = _NUMBERED.fullmatch(name)
    if numbered:
        return Name(numbered[1] or numbered[3], numbered[2] or numbered[4], "")
    start = _IDENTIFIER.match(name)
    if start and (start.end() == len(name) or name[start.end()] in "[."):
        return Name(start[0], "", visible(name[start.end() :]))
    return Name(visible(name), "", "")
