"""The lectures' programs as a folder of live pages, with a picture each and a page that shows them all."""

from __future__ import annotations

import os
from dataclasses import dataclass
from html import escape
from pathlib import Path

from diffkit import programs
from diffkit.autodiff.views import trace
from diffkit.errors import InputError
from diffkit.files import write_atomically
from diffkit.graphs.drawing import draw
from diffkit.graphs.page.explorer import Explorer


@dataclass(frozen=True, slots=True)
class Exhibit:
    """One program of the gallery.

    Attributes:
        name: its name in :mod:`diffkit.programs`.
        summary: one line.
        page: the file of its live page.
        picture: the file of its picture, an SVG that follows the reader's theme.
    """

    name: str
    summary: str
    page: Path
    picture: Path


def gallery(folder: str | os.PathLike[str], names: list[str] | None = None) -> list[Exhibit]:
    """Writes the live pages of the lectures' programs into a folder, with pictures and an index.

    Every file stands by itself: a page asks for nothing, and the index for the pictures beside it.

    Args:
        folder: where to; it is made if it is not there.
        names: which programs; all of them by default.

    Returns:
        What was written, in the order of the programs; the index is ``index.html``.

    Raises:
        InputError: for a name that is no program, or a path that is no folder.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     shown = gallery(folder, ["sum_times"])
    ...     print(sorted(path.name for path in Path(folder).iterdir()))
    ['index.html', 'sum_times.html', 'sum_times.svg']
    >>> shown[0].summary
    '(x + y) z'
    """
    for name in names or []:
        if name not in programs.names():
            raise InputError(f"there is no program {name!r}; the gallery has {', '.join(programs.names())}")
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{str(folder)!r} is no folder: {error.strerror}") from error
    shown = []
    for name in names or programs.names():
        p = programs.get(name)
        page = Explorer(trace(p)(*p.args), program=p).save(folder / f"{name}.html")
        picture = draw(p, *p.args, view="circuit").save(folder / f"{name}.svg")
        shown.append(Exhibit(name, p.summary, page, Path(picture)))
    write_atomically(folder / "index.html", _index(shown))
    return shown


def _index(shown: list[Exhibit]) -> str:
    cards = "\n".join(
        f'<li><a href="{e.page.name}">'
        f'<span class="picture"><img src="{e.picture.name}" alt="" loading="lazy"></span>'
        f"<strong>{escape(e.name)}</strong><span>{escape(e.summary)}</span></a></li>"
        for e in shown
    )
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<link rel="icon" href="data:,">
<title>Programs to explore</title>
<style>{_STYLE}</style>
</head>
<body>
<h1>Programs to explore</h1>
<p>Each page computes its program, and both sweeps of it, wherever you move the inputs. Nothing is installed,
and nothing leaves your machine.</p>
<ul>
{cards}
</ul>
</body>
</html>
"""


_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' file: data:"

_STYLE = """
:root { --ink: #1b1f24; --soft: #5b636d; --page: #fff; --rule: #d5d9de; --accent: #0072b2 }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8eaed; --soft: #a7b0bb; --page: #14181d; --rule: #3a414a; --accent: #56b4e9 }
}
body { margin: 0 auto; max-width: 80rem; padding: 1rem 1.2rem 2rem;
  background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif }
h1 { font-size: 1.4rem; margin: 0 }
p { max-width: 44rem; color: var(--soft) }
ul { list-style: none; margin: 0; padding: 0; display: grid; gap: 1rem;
  grid-template-columns: repeat(auto-fill, minmax(17rem, 1fr)) }
a { display: grid; gap: .1rem; padding: .7rem .9rem; border: 1px solid var(--rule); border-radius: .5rem;
  color: inherit; text-decoration: none; height: 100%; box-sizing: border-box; align-content: start }
a:hover, a:focus-visible { border-color: var(--accent); outline: 2px solid var(--accent) }
a strong { color: var(--accent) }
.picture { height: 11rem; overflow: hidden; display: grid; place-items: center; margin-bottom: .4rem }
.picture img { max-width: 100%; max-height: 11rem }
"""
