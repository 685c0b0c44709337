"""Names in source: identifiers for the names of a program's rows."""

from __future__ import annotations

import keyword
import re
import unicodedata
from collections.abc import Sequence

from diffkit.autodiff.core.names import unused

_RESERVED = frozenset(
    [
        *keyword.kwlist,
        *keyword.softkwlist,
        *"abs bool complex dict float int len list math np slice tuple type".split(),
    ]
)
_LOOK_ALIKE = frozenset("lOI")
"""Letters that look like digits: linters refuse them as names on their own."""


def identifier(name: str) -> str:
    """A name that Python takes, in ASCII, for one that may be anything.

    Greek letters are spelled out, accents dropped, keywords followed by an underscore, and places in
    containers written with underscores.

    >>> [identifier(n) for n in ("x1", "λ", "p['w'][0]", "lambda", "l", "naïve", "Ω_bar", "±", "2x")]
    ['x1', 'lambda_', 'p_w_0', 'lambda_', 'l_1', 'naive', 'Omega_bar', 'v', 'v2x']
    """
    if name.isidentifier() and name.isascii() and name not in _RESERVED and name not in _LOOK_ALIKE:
        return name
    text = name if name.isascii() else "".join(map(_ascii, unicodedata.normalize("NFKD", name)))
    text = re.sub(r"\W+", "_", text, flags=re.ASCII)
    text = text.replace("__", "_") if text != name else text
    text = re.sub(r"_+$", "", text) if text != name else text
    text = text.lstrip("_") if text != name else text
    if not text:
        return "v"
    if text[0].isdigit():
        text = f"v{text}"
    if text in _LOOK_ALIKE:
        return f"{text}_1"
    return f"{text}_" if text in _RESERVED else text


def _ascii(letter: str) -> str:
    if letter.isascii():
        return letter
    words = unicodedata.name(letter, "").split()
    if words[:1] == ["GREEK"] and "LETTER" in words:
        spelled = words[words.index("LETTER") + 1].lower().replace("lamda", "lambda")
        return f"{spelled.capitalize() if letter.isupper() else spelled}_"
    return ""


def identifiers(names: Sequence[str]) -> tuple[list[str], set[str]]:
    """Identifiers for the names of a program's rows, all different; and the set of them.

    >>> identifiers(["l", "l_2", "x", "x", "λ_bar"])[0]
    ['l_1', 'l_2', 'x', 'x_2', 'lambda_bar']
    """
    taken: dict[str, int] = {}
    found = [unused(identifier(name), taken) for name in names]
    return found, set(taken)
