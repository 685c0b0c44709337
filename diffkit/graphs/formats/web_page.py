"""A drawing as a web page of its own: one file, no network."""

from __future__ import annotations

from html import escape

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
body {{ margin: 2rem auto; max-width: 80rem; padding: 0 1rem; text-align: center;
  font: 16px/1.5 system-ui, sans-serif; background: #ffffff; color: #1b1f24 }}
svg {{ display: block; margin: 0 auto }}
@media (prefers-color-scheme: dark) {{ body {{ background: #14181d; color: #e8eaed }} }}
</style>
</head>
<body>
<figure>
{svg}<figcaption>{title}</figcaption>
</figure>
</body>
</html>
"""


def to_html(title: str, svg: str) -> str:
    """The page."""
    return _PAGE.format(title=escape(title), svg=svg)
