"""A lesson as a notebook: run, written for download, and as the Markdown of a page.

A question to the reader comes before the code and the results that answer it, and hides them: on a page they
are inside it, in a notebook they are folded.
"""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

from diffkit.errors import InputError
from diffkit.lessons.formulas import DISPLAYED, in_mathml
from diffkit.lessons.running import Lesson


def run_as_notebook(lesson: Lesson) -> Any:
    """The lesson as an executed notebook, its docstring as the first text.

    Raises:
        InputError: if the lesson fails, with its error.
    """
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
            "\n".join(about).strip().replace("Goals:", "**Goals:**").replace("\nBefore:", "\n\n**Before:**")
        )
        notebook.cells[:2] = [nbformat.v4.new_markdown_cell(f"{title}\n\n{framed}\n{prose}")]
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


def asked(cell: Any) -> list[dict[str, str]]:
    """The questions to the reader that a cell asks, with their answers, as ``predict`` said of them."""
    return [about for about in map(_about, cell.get("outputs", [])) if "question" in about]


def _about(output: Any) -> dict[str, str]:
    about: dict[str, str] = output.get("metadata", {}).get("diffkit", {})
    return about


# -- for download -------------------------------------------------------------------------------------------


def write_notebook(notebook: Any, path: Path, address: str | None) -> None:
    """The notebook for download, with its outputs and a first cell that installs diffkit where it is missing.

    Args:
        notebook: executed.
        path: where to.
        address: the repository's public address, from which that cell installs; None if it has none.
    """
    import nbformat

    clean = nbformat.from_dict(notebook)
    clean.metadata = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    install = nbformat.v4.new_code_cell(_install(address), id="install")
    cells = [install]
    for cell in clean.cells:
        questions, cell.metadata = asked(cell), {}
        if questions:
            text = "\n\n".join(f"**Predict:** {about['question']}" for about in questions)
            cells.append(nbformat.v4.new_markdown_cell(text, id=f"{cell['id']}-question"))
            folded = {"source_hidden": True, "outputs_hidden": True}
            cell.metadata = {"jupyter": folded, "cellView": "form", "tags": ["hide-cell"]}
        if cell.cell_type == "code":
            cell.execution_count = None
            for output in cell.outputs:
                output.pop("execution_count", None)
                if output.output_type == "execute_result":
                    output.execution_count = None
        cells.append(cell)
    clean.cells = cells
    nbformat.write(clean, path)


def _install(address: str | None) -> str:
    """The cell that does nothing where diffkit is installed."""
    if address is None:
        missing = (
            '    raise SystemExit("This notebook needs diffkit: install it as its README says.") from None'
        )
    else:
        missing = f'    %pip install -q "diffkit[lessons] @ git+{address}"'
    return f"try:\n    import diffkit\nexcept ImportError:\n{missing}"


# -- as a page ----------------------------------------------------------------------------------------------


def as_markdown(notebook: Any) -> str:
    """A page of an executed notebook in MyST Markdown; a question's cell is inside the question."""
    parts = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            parts.append(DISPLAYED.sub(lambda formula: _raw(in_mathml(formula[1])), cell.source))
            continue
        questions = asked(cell)
        for about in questions:
            question, answer = html.escape(about["question"]), html.escape(about["answer"])
            summary = f"<summary><b>Predict:</b> {question}</summary><p>Answer: {answer}</p>"
            parts.append(_raw(f'<details class="predict">{summary}'))
        parts.append(_fenced(cell.source, "python"))
        parts += [_output(output) for output in cell.outputs if "question" not in _about(output)]
        parts += [_raw("</details>") for _ in questions]
    return "\n\n".join(part for part in parts if part) + "\n"


def _output(output: Any) -> str:
    if output.output_type == "stream":
        return _fenced(output.text.rstrip(), "text")
    data, about = output.get("data", {}), _about(output)
    if "image/svg+xml" in data and "file" in about:
        file, title = about["file"], html.escape(about["title"])
        return _raw(f'<p class="figure"><a href="{file}"><img src="{file}" alt="{title}"></a></p>')
    if "text/html" in data:
        return _raw(data["text/html"])
    return _fenced(data.get("text/plain", ""), "text")


def _fenced(text: str, language: str) -> str:
    ticks = "`" * max([3, *(len(run) + 1 for run in re.findall("`+", text))])
    return f"{ticks}{language}\n{text}\n{ticks}" if text else ""


def _raw(markup: str) -> str:
    ticks = "`" * max([3, *(len(run) + 1 for run in re.findall("`+", markup))])
    return f"{ticks}{{raw}} html\n{markup}\n{ticks}"
