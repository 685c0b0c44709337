"""What every picture can do: be shown in a notebook, and be saved in the format that a name ends in."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any

from diffkit.errors import InputError
from diffkit.files import write_atomically
from diffkit.graphs.formats.raster import convert, pages
from diffkit.graphs.formats.web_page import to_html


class Picture(ABC):
    """A picture that a notebook shows and that can be saved.

    Attributes:
        title: one line.
    """

    title: str

    @abstractmethod
    def _drawn(self, theme: str, background: str | None, scales: bool = True, frame: int = -1) -> str:
        """The picture as SVG, of a fixed size for converters if it does not scale; or one of its frames."""

    def _frame_count(self) -> int:
        return 1

    def svg(self, *, theme: str = "auto", background: str | None = "paper") -> str:
        """The picture as SVG.

        Args:
            theme: "auto" follows the reader's light or dark mode; "light" or "dark".
            background: a colour; None for transparent. By default white, or near black in the dark: the
                page that the picture comes to stand on may be lighter or darker than its reader prefers.

        Raises:
            InputError: for another theme.
        """
        if theme not in ("auto", "light", "dark"):
            raise InputError(f'the theme is "auto", "light" or "dark", not {theme!r}')
        return self._drawn(theme, background)

    def html(self) -> str:
        """A web page with the picture: one file, no network."""
        return to_html(self.title, self.svg(background=None))

    def png(self, *, scale: float = 2.0) -> bytes:
        """The picture as PNG, on white; ``scale`` pixels per point.

        Raises:
            InputError: without CairoSVG and without the program ``dot``.
        """
        return self._converted("png", scale)

    def pdf(self) -> bytes:
        """The picture as PDF.

        Raises:
            InputError: without CairoSVG and without the program ``dot``.
        """
        return self._converted("pdf", 1.0)

    def _converted(self, format: str, scale: float) -> bytes:
        return convert(self._drawn("light", "#ffffff", scales=False), self._dot_text(), format, scale=scale)

    def _dot_text(self) -> str:
        """What the program ``dot`` can draw where CairoSVG is missing; "" for nothing."""
        return ""

    def frames(self) -> list[str]:
        """The build-up: one SVG for each step, the last of which is the whole picture."""
        return [self._drawn("auto", "paper", frame=k) for k in range(self._frame_count())]

    def _writers(self) -> dict[str, Callable[[], str | bytes]]:
        return {".svg": self.svg, ".png": self.png, ".pdf": self.pdf, **self._more(), ".html": self.html}

    def _more(self) -> dict[str, Callable[[], str | bytes]]:
        """Further formats, by their endings."""
        return {}

    def save(self, path: str | os.PathLike[str], *, frames: bool = False) -> Path:
        """Writes the picture in the format that the file's ending names, whole or not at all.

        Args:
            path: a name that ends in .svg, .png, .pdf or .html; of a graph also in .dot, .mmd (Mermaid) or
                .tex (TikZ).
            frames: write the build-up, step by step: a page of the .pdf for each step, or with .svg a file
                for each, name-01.svg, name-02.svg, ...

        Returns:
            The path; of several files, that of the last.

        Raises:
            InputError: for another ending, a path that can't be written, or a format that this
                machine has no means for.
        """
        target = Path(path)
        writers = self._writers()
        if target.suffix not in writers:
            raise InputError(
                f"can't tell the format of {str(path)!r}: expected a name that ends in {', '.join(writers)}"
            )
        if not frames:
            return write_atomically(target, writers[target.suffix]())
        count = self._frame_count()
        if target.suffix == ".pdf":
            steps = [self._drawn("light", "#ffffff", scales=False, frame=k) for k in range(count)]
            return write_atomically(target, pages(steps))
        if target.suffix != ".svg":
            raise InputError(f"a build-up is a .pdf or several .svg, not {str(path)!r}")
        written = target
        for k, svg in enumerate(self.frames(), start=1):
            name = f"{target.stem}-{k:0{max(2, len(str(count)))}}.svg"
            written = write_atomically(target.with_name(name), svg)
        return written

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """What a notebook shows: the picture, or the DOT text and the reason. Never raises."""
        try:
            return {"image/svg+xml": self.svg(), "text/plain": repr(self)}
        except Exception as error:
            return {"text/plain": f"{self!r}\nno picture: {error}\n\n{self._dot_text()}"}
