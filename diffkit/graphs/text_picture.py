"""``dk.draw_text``: an expression as the wall of text that it is when it is written out.

What the text repeats is in one colour, so that one sees why sharing it helps.

>>> from sympy import Symbol, sin
>>> x = Symbol("x")
>>> draw_text(sin(x) * (1 + sin(x)))
<picture of (sin(x) + 1)*sin(x), 19 characters>
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

from diffkit.errors import InputError
from diffkit.graphs.formats.svg import fixed, svg_page, xml_text
from diffkit.graphs.metrics import text_width
from diffkit.graphs.picture import Picture

_SIZE = 10.0
"""The font size of the text, in points: small, for it is to be seen rather than read."""

_NARROWEST = 400.0
_LARGEST = 5000
"""Nodes of the tree beyond which nothing is written out."""

_STYLE = """
.dk .wall{text-anchor:start}
.dk .again{fill:#8f6200;font-weight:700}
.dk.dark .again{fill:#e6b450}
@media (prefers-color-scheme: dark){.dk.auto .again{fill:#e6b450}}
"""


class TextPicture(Picture):
    """An expression, or several, written out; see :func:`draw_text`.

    Attributes:
        text: all of it.
        title: what it is, and how long.
        repeated: the parts that it has more than once, the longest first.
    """

    def __init__(self, expression: Any) -> None:
        from diffkit.expressions import (
            intern,
            post_order,
            short,
            tree_sizes,
        )  # imports SymPy, which takes its time
        from diffkit.graphs.reading.from_expression import repeated_parts

        roots = [intern(e) for e in (expression if isinstance(expression, Sequence) else [expression])]
        order = post_order(*roots)
        sizes = tree_sizes(order)
        size = sum(sizes[id(r)] for r in roots)
        if size > _LARGEST:
            raise InputError(
                f"written out it has {size:,} nodes, more than the {_LARGEST:,} that a picture holds; the "
                f"shared DAG, dk.draw(expression), has {len(order):,}"
            )
        self.text = ", ".join(map(str, roots))
        parts = sorted({str(n) for n in repeated_parts(roots, order)}, key=len, reverse=True)
        self.repeated = [part for part in parts if len(part) > 4 and self.text.count(part) > 1]
        self.title = f"{', '.join(map(short, roots))}, {len(self.text):,} characters"
        self._caption = (
            f"{len(self.text):,} characters, {size:,} nodes as a tree; as a shared graph {len(order):,} nodes"
        )

    def __repr__(self) -> str:
        return f"<picture of {self.title}>"

    def series(self) -> list[dict[str, Any]]:
        """What is shown."""
        return [{"label": self.text}]

    def _lines(self) -> list[list[tuple[str, bool]]]:
        """The text in lines of pieces, each with whether it is written more than once."""
        pattern = "|".join(map(re.escape, self.repeated)) or "(?!)"
        pieces: list[tuple[str, bool]] = []
        end = 0
        for found in re.finditer(pattern, self.text):
            pieces += [(self.text[end : found.start()], False), (found[0], True)]
            end = found.end()
        pieces.append((self.text[end:], False))
        lines: list[list[tuple[str, bool]]] = [[]]
        used = 0.0
        # A block as a page of a book has it, twice as wide as high.
        self._width = max(_NARROWEST, math.sqrt(2 * 1.35 * _SIZE * text_width(self.text, _SIZE)))
        for text, again in pieces:
            for word in re.findall(r"[^ *]*[ *]*", text):
                width = text_width(word, _SIZE) * (1.08 if again else 1.0)
                if used + width > self._width:
                    lines.append([])
                    used = 0.0
                lines[-1].append((word, again))
                used += width
        return lines

    def _drawn(self, theme: str, background: str | None, scales: bool = True, frame: int = -1) -> str:
        parts = []
        y = 8.0
        for line in self._lines():
            y += 1.35 * _SIZE
            spans = "".join(
                f'<tspan class="again">{xml_text(text)}</tspan>' if again else xml_text(text)
                for text, again in line
            )
            parts.append(f'<text class="wall" font-size="{_SIZE}" x="10" y="{fixed(y)}">{spans}</text>')
        y += 22
        parts.append(f'<text class="note below" font-size="13" x="10" y="{fixed(y)}">{self._caption}</text>')
        return svg_page(
            parts,
            (max(self._width, 1.1 * text_width(self._caption, 13)) + 24, y + 12),
            title=self.title,
            description=self.text,
            theme=theme,
            background=background,
            scales=scales,
            more_style=_STYLE,
        )


def draw_text(expression: Any) -> TextPicture:
    """An expression as the text that it is when it is written out, small, with what it repeats in one colour.

    Args:
        expression: a SymPy expression, or a sequence of them.

    Returns:
        A picture that a notebook shows; it can be saved as .svg, .png, .pdf and .html.

    Raises:
        InputError: for an expression whose tree has more than 5,000 nodes.

    >>> from sympy import Symbol, sin
    >>> x = Symbol("x")
    >>> draw_text(x * sin(x))
    <picture of x*sin(x), 8 characters>
    """
    return TextPicture(expression)
