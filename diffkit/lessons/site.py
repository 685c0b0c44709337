"""The lessons as a self-contained static site: pages, figures and notebooks, made and never committed.

jupytext reads a script as a notebook, nbclient runs it, nbconvert renders its cells; what is ours is the
frame around them: an index, a page a lesson, one style sheet, light and dark, and no request to
anywhere.
"""

from __future__ import annotations

import html
import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

from diffkit.errors import InputError, how_to_get
from diffkit.lessons.running import Lesson, environment, lessons
from diffkit.progress import progress


def make_site(folder: str | os.PathLike[str], *, fast: bool = False) -> Path:
    """Runs every lesson and writes the site into ``folder``, whole or not at all.

    Args:
        folder: where to; an earlier site there is replaced, any other folder must be empty.
        fast: smaller sizes.

    Returns:
        The path of the index page.

    Raises:
        InputError: if the extra ``site`` is not installed, the folder holds something else, or a
            lesson fails (with its error).
    """
    _require_tools()
    target = Path(folder)
    if target.exists() and (not target.is_dir() or (any(target.iterdir()) and not (target / _MARK).exists())):
        raise InputError(f"{str(folder)!r} holds something other than an earlier site; name an empty folder")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    except OSError as error:
        raise InputError(f"can't write {str(folder)!r}: {(error.strerror or str(error)).lower()}") from error
    try:
        _build(building, fast)
        if target.exists():
            shutil.rmtree(target)
        building.rename(target)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    target.chmod(0o755)
    return target / "index.html"


_MARK = ".diffkit-site"


def _require_tools() -> None:
    try:
        import ipykernel  # noqa: F401
        import jupytext  # noqa: F401
        import nbclient  # noqa: F401
        import nbconvert  # noqa: F401
    except ImportError as error:
        raise InputError(
            f"the site needs {error.name}, which comes with an extra: {how_to_get('site,lessons')}"
        ) from None


def _build(folder: Path, fast: bool) -> None:
    known = lessons()
    (folder / _MARK).touch()
    (folder / "style.css").write_text(_style(), encoding="utf-8")
    with progress(len(known), "site") as advance, environment(fast, str(folder / "figures")):
        for k, lesson in enumerate(known):
            advance(lesson.name)
            notebook = _run(lesson)
            _write_notebook(notebook, folder / f"{lesson.name}.ipynb")
            before, after = (known[j] if 0 <= j < len(known) else None for j in (k - 1, k + 1))
            exercises = _copy_exercises(lesson, folder)
            page = _lesson_page(lesson, _cells(notebook), _pages_of(folder, lesson), exercises, before, after)
            (folder / f"{lesson.name}.html").write_text(page, encoding="utf-8")
            advance(lesson.name, 1)
    (folder / "index.html").write_text(_index_page(known), encoding="utf-8")


def _run(lesson: Lesson) -> Any:
    """The lesson as an executed notebook, its docstring as the first text."""
    import jupytext
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    notebook = jupytext.read(lesson.path)
    docstring, heading = notebook.cells[:2]
    if docstring.source.startswith('"""') and heading.cell_type == "markdown":
        _, *about = docstring.source.strip('"').strip().splitlines()
        title, _, prose = heading.source.partition("\n")
        framed = (
            "\n".join(about).strip().replace("Goals:", "**Goals:**").replace("\nBefore:", "  \n**Before:**")
        )
        notebook.cells[:2] = [
            nbformat.v4.new_markdown_cell(f"{title}\n\n<aside>\n\n{framed}\n\n</aside>\n{prose}")
        ]
    for k, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{k}"  # jupytext draws them at random
    try:
        NotebookClient(
            notebook,
            timeout=600,
            kernel_name="python3",
            resources={"metadata": {"path": str(lesson.path.parent)}},
            # It warns that its ports are open to other users of this machine, for the seconds that it runs.
            extra_arguments=["--IPKernelApp.log_level=40"],
        ).execute()
    except CellExecutionError as error:
        raise InputError(f"{lesson.name} failed: {error.ename}: {error.evalue}") from None
    return notebook


def _write_notebook(notebook: Any, path: Path) -> None:
    """The notebook for download: without outputs, as it was before it was run."""
    import nbformat

    clean = nbformat.from_dict(notebook)
    clean.metadata = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    cells = []
    for cell in clean.cells:
        cell.metadata = {}
        if asked := _asked(cell):
            # The code tells the answer: it is folded away, below the question.
            text = "\n\n".join(f"**Predict:** {about['question']}" for about in asked)
            cells.append(nbformat.v4.new_markdown_cell(text, id=f"{cell['id']}-question"))
            cell.metadata = {"jupyter": {"source_hidden": True}, "cellView": "form", "tags": ["hide-input"]}
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        cells.append(cell)
    clean.cells = cells
    nbformat.write(clean, path)


def _asked(cell: Any) -> list[dict[str, str]]:
    """The questions to the reader that a cell asks, with their answers, as ``predict`` said of them."""
    outputs = [output.get("metadata", {}).get("diffkit", {}) for output in cell.get("outputs", [])]
    return [about for about in outputs if "question" in about]


def _questions_first(notebook: Any) -> tuple[Any, dict[str, str]]:
    """The notebook with a mark before and after each cell that asks something; what stands for each mark.

    The cell's code and results tell the answer: on the page they are inside the question, which opens.
    """
    import nbformat

    page, cells = nbformat.from_dict(notebook), []
    marks: dict[str, str] = {}

    def mark(markup: str) -> Any:
        name = f"@@{len(marks)}@@"
        marks[name] = markup
        return nbformat.v4.new_raw_cell(name, metadata={"raw_mimetype": "text/html"})

    for cell in page.cells:
        asked = _asked(cell)
        for about in asked:
            summary = f"<summary><b>Predict:</b> {html.escape(about['question'])}</summary>"
            answer = f"<p>Answer: {html.escape(about['answer'])}</p>"
            cells.append(mark(f'<details class="predict">{summary}{answer}'))
        if asked:
            cell.outputs = [
                o for o in cell.outputs if "question" not in o.get("metadata", {}).get("diffkit", {})
            ]
        cells += [cell, *[mark("</details>") for _ in asked]]
    page.cells = cells
    return page, marks


def _cells(notebook: Any) -> str:
    from nbconvert.exporters import HTMLExporter

    titles = {}
    for output in (output for cell in notebook.cells for output in cell.get("outputs", [])):
        about = output.get("metadata", {}).get("diffkit", {})
        if "image/svg+xml" in output.get("data", {}) and "file" in about:
            output["svg_filename"] = about["file"]  # nbconvert then refers to the file, instead of a copy
            titles[about["file"]] = about["title"]
    exporter = HTMLExporter(template_name="basic", exclude_input_prompt=True, exclude_output_prompt=True)
    page, marks = _questions_first(notebook)
    body: str = exporter.from_notebook_node(page)[0]
    body = re.sub("@@\\d+@@", lambda mark: marks[mark[0]], body)

    def linked(image: re.Match[str]) -> str:
        file = image[1]
        return f'<a href="{file}"><img src="{file}" alt="{html.escape(titles[file])}"></a>'

    return re.sub(r'<img [^>]*src="(figures/[^"]+)"[^>]*>', linked, body)


def _pages_of(folder: Path, lesson: Lesson) -> list[str]:
    """The step-through pages that a lesson saved."""
    return sorted(p.name for p in (folder / "figures").glob(f"{lesson.name.partition('_')[0]}_*.html"))


def _copy_exercises(lesson: Lesson, folder: Path) -> list[str]:
    """Puts the starter file and the assignment that checks it beside the pages; their paths there."""
    source = lesson.path.parent / "exercises"
    names = [f"exercises/{lesson.name}{end}.py" for end in ("_start", "")]
    present = [name for name in names if (source / Path(name).name).exists()]
    for name in present:
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(source / Path(name).name, folder / name)
    return present


# -- the pages --------------------------------------------------------------------------------------------


def _page(title: str, body: str) -> str:
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>{html.escape(title)}</title>
<link rel="stylesheet" href="style.css">
</head>
<body>
{body}
</body>
</html>
"""


def _lesson_page(
    lesson: Lesson,
    cells: str,
    pages: list[str],
    exercises: list[str],
    before: Lesson | None,
    after: Lesson | None,
) -> str:
    def link(other: Lesson | None, mark: str) -> str:
        return (
            f'<a href="{other.name}.html">{mark} {html.escape(_short(other))}</a>'
            if other
            else "<span></span>"
        )

    links = [
        f'<a href="figures/{p}">Step through {html.escape(p[3:-5])} on a page of its own</a>' for p in pages
    ]
    for path in exercises:
        what = (
            "The exercises' starter file" if path.endswith("_start.py") else "The exercises, which check it"
        )
        links.append(f'<a href="{path}" download>{what}</a>')
    beside = "".join(f"<li>{link}</li>" for link in links)
    return _page(
        lesson.title,
        f"""<nav><a href="index.html">All lessons</a><a href="{lesson.name}.ipynb" download>Notebook</a></nav>
<main>
{cells}
{f'<ul class="beside">{beside}</ul>' if beside else ""}
</main>
<nav class="turn">{link(before, "←")}{link(after, "→")}</nav>""",
    )


def _short(lesson: Lesson) -> str:
    return lesson.title.split(":")[0]


def _index_page(known: list[Lesson]) -> str:
    items = "".join(
        f'<li><a href="{x.name}.html">{html.escape(x.title)}</a>'
        + f'<span class="about">{f"{x.minutes} minutes · " if x.minutes else ""}'
        + f'<a href="{x.name}.ipynb" download>notebook</a></span></li>'
        for x in known
    )
    return _page(
        "diffkit: the lessons",
        f"""<main class="index">
<h1>diffkit: the lessons</h1>
<p>From the chain rule by hand to training a classifier of digits: differentiation done three ways on the
same program, symbolically, by finite differences, and by tracing. Every number on these pages was computed
when they were made.</p>
<ol>{items}</ol>
</main>""",
    )


def _style() -> str:
    """Our style sheet, and the colours of code from Pygments, for light and for dark."""
    from pygments.formatters import HtmlFormatter

    ours = (Path(__file__).parent / "site.css").read_text(encoding="utf-8")
    light = HtmlFormatter(style="default").get_style_defs(".highlight")
    dark = HtmlFormatter(style="github-dark").get_style_defs(".highlight")
    return f"{light}\n@media (prefers-color-scheme: dark) {{\n{dark}\n}}\n{ours}"
