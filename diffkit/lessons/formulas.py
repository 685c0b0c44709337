"""The lessons' displayed formulas, ``$$...$$`` in a line: for a terminal in Unicode, for the site in MathML.

Jupyter typesets them itself. Today's browsers show MathML without a script, so that the site asks no other
host.
"""

from __future__ import annotations

import re
import unicodedata
from functools import partial

DISPLAYED = re.compile(r"^\$\$(.+)\$\$$", re.MULTILINE)
"""A formula on a line of its own."""

_SIGNS = {
    "partial": "∂", "nabla": "∇", "sum": "Σ", "cdot": "·", "varphi": "φ", "varepsilon": "ε",
    "top": "ᵀ", "to": "→", "quad": "  ", "lim": "lim",
}  # fmt: skip
_ACCENTS = {"bar": "\u0304", "dot": "\u0307"}
_SUPERSCRIPTS = {**dict(zip("0123456789npx", "⁰¹²³⁴⁵⁶⁷⁸⁹ⁿᵖˣ", strict=True)), "ᵀ": "ᵀ"}
_SUBSCRIPTS = dict(zip("0123456789ijvx", "₀₁₂₃₄₅₆₇₈₉ᵢⱼᵥₓ", strict=True))


def in_unicode(tex: str) -> str:
    r"""A formula as a line of text.

    >>> in_unicode(r"\bar u = \sum_v \bar v \frac{\partial v}{\partial u}")
    'ū = Σᵥ v̄ ∂v/∂u'
    >>> in_unicode(r"E(h) = C h^p + \frac{K + 1}{h}")
    'E(h) = C hᵖ + (K + 1)/h'

    Raises:
        KeyError: for a command that it does not know.
    """
    text = re.sub(r"\\(bar|dot) ?(\w)", lambda m: m[2] + _ACCENTS[m[1]], tex)
    text = re.sub(r"\\(partial|nabla) ?", lambda m: _SIGNS[m[1]], text)
    text = re.sub(r"\\(?!frac\b)([a-z]+)", lambda m: _SIGNS[m[1]], text)
    for mark, known in (("_", _SUBSCRIPTS), ("^", _SUPERSCRIPTS)):
        text = re.sub(rf"\{mark}(?:{{([^{{}}]*)}}|(.))", partial(_raised, known, mark), text)
    text = re.sub(r"\\frac{([^{}]*)}{([^{}]*)}", lambda m: f"{_one(m[1])}/{_one(m[2])}", text)
    return unicodedata.normalize("NFC", text)


def _raised(known: dict[str, str], mark: str, script: re.Match[str]) -> str:
    text = script[1] or script[2]
    return "".join(known[c] for c in text) if set(text) <= set(known) else f"{mark}({text})"


def _one(text: str) -> str:
    return f"({text})" if re.search("[ +-]", text) else text


def in_mathml(tex: str) -> str:
    """A formula as an element of HTML, displayed."""
    from docutils.utils.math import latex2mathml

    # Without a mathematical font an accent's bar or dot merges with the letter below it.
    markup = str(latex2mathml.tex2mathml(tex)).strip().replace(' accent="true"', "")
    return markup.replace("<math", '<math display="block"', 1)
