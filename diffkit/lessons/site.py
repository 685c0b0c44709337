"""The lessons and the documentation as one static site: made by one command, never committed.

Sphinx makes it, with the Furo theme: of the kept generators it is the one that reads Markdown and docstrings
alike, checks every link between pages, and whose search, dark mode and layout for telephones work from files,
without a request to anywhere. (MkDocs' Material theme is no longer developed; Quarto is no Python package.)
What is ours is the choice of pages, and the lessons, which are run for it.
"""

from __future__ import annotations

import html
import inspect
import io
import os
import re
import shutil
import tempfile
import warnings
from pathlib import Path
from typing import Any

import diffkit.lessons.running as running
from diffkit.errors import InputError, how_to_get
from diffkit.lessons.notebooks import as_markdown, run_as_notebook, write_notebook
from diffkit.lessons.running import Lesson, environment
from diffkit.progress import progress


def make_site(target: str | os.PathLike[str], *, fast: bool = False, address: str | None = None) -> Path:
    """Runs every lesson and writes the site, whole or not at all.

    Args:
        target: the folder; an earlier site there is replaced, any other folder must be empty.
        fast: smaller sizes in the lessons.
        address: the repository's public address, such as ``https://host/owner/name``. With it the notebooks
            install from there, pages link to the code, and each lesson to Colab and Binder.

    Returns:
        The path of the index page.

    Raises:
        InputError: if the extra ``site`` is not installed, the folder holds something else, or a lesson
            fails (with its error).
    """
    _require_tools()
    folder = Path(target)
    if folder.exists() and (not folder.is_dir() or (any(folder.iterdir()) and not (folder / _MARK).exists())):
        raise InputError(f"{str(target)!r} holds something other than an earlier site; name an empty folder")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    except OSError as error:
        raise InputError(f"can't write {str(target)!r}: {(error.strerror or str(error)).lower()}") from error
    try:
        pages, sources = building / "pages", building / "sources"
        _Sources(sources, fast, address).write()
        _run_sphinx(sources, pages)
        (pages / _MARK).touch()
        if folder.exists():
            shutil.rmtree(folder)
        pages.rename(folder)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    folder.chmod(0o755)
    return folder / "index.html"


_MARK = ".diffkit-site"


def _require_tools() -> None:
    try:
        import furo  # noqa: F401
        import ipykernel  # noqa: F401
        import jupytext  # noqa: F401
        import myst_parser  # noqa: F401
        import nbclient  # noqa: F401
        import sphinx  # noqa: F401
    except ImportError as error:
        raise InputError(
            f"the site needs {error.name}, which comes with an extra: {how_to_get('site,lessons')}"
        ) from None


def _run_sphinx(sources: Path, pages: Path) -> None:
    """Raises RuntimeError with Sphinx's words if it warns: a link that leads nowhere is an error here."""
    from sphinx.application import Sphinx
    from sphinx.util.docutils import docutils_namespace, patch_docutils

    settings = {
        "project": "diffkit",
        "extensions": ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"],
        "myst_heading_anchors": 3,
        "html_theme": "furo",
        "html_title": "diffkit",
        "html_static_path": ["_static"],
        "html_css_files": ["site.css"],
        "html_copy_source": False,
        "html_show_sphinx": False,
        "html_extra_path": ["files"],
        "napoleon_use_ivar": True,
        "autodoc_typehints": "none",
        "autodoc_member_order": "bysource",
        "exclude_patterns": ["files"],
    }
    said = io.StringIO()
    # Every application registers its nodes with docutils anew; that is undone at the end.
    with patch_docutils(), docutils_namespace(), warnings.catch_warnings():
        for old in (DeprecationWarning, PendingDeprecationWarning):  # between Sphinx and its extensions
            warnings.simplefilter("ignore", old)
        app = Sphinx(
            str(sources), None, str(pages), str(sources.parent / "doctrees"), "html", settings,
            status=None, warning=said, freshenv=True,
        )  # fmt: skip
        app.connect("autodoc-process-docstring", _without_substitutions)
        app.build()
    if app.statuscode or said.getvalue():
        raise RuntimeError(said.getvalue())
    shutil.rmtree(pages / "_sources", ignore_errors=True)


def _without_substitutions(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """|x| is an absolute value in our docstrings, and no substitution of reStructuredText's."""
    for k, line in enumerate(lines):
        parts = re.split("(``.*?``)", line)
        lines[k] = "".join(part if part.startswith("``") else part.replace("|", r"\|") for part in parts)


class _Sources:
    """The site's source: a Markdown file a page, and the files that are copied as they are."""

    def __init__(self, root: Path, fast: bool, address: str | None) -> None:
        self.root, self.fast, self.address = root, fast, address
        self.files = root / "files"
        self.clone = running.folder().parent
        self.documents = {
            path: page for path, (page, _) in _DOCUMENTS.items() if (self.clone / path).is_file()
        }

    def write(self) -> None:
        self.files.mkdir(parents=True)
        (self.root / "_static").mkdir()
        shutil.copyfile(Path(__file__).parent / "site.css", self.root / "_static" / "site.css")
        known, decks = running.lessons(), running.lectures()
        steps = [*known, *decks]
        with progress(len(steps) + 1, "site") as advance:
            with environment(self.fast, str(self.files / "figures")):
                for lesson in steps:
                    advance(lesson.name)
                    self._lesson(lesson)
                    advance(lesson.name, 1)
            advance("gallery")
            self._page("gallery", self._gallery())
            advance("gallery", 1)
        for path, page in self.documents.items():
            self._page(page, self._document(path))
        reference = _reference()
        for module, text in reference.items():
            self._page(f"api/{module}", text)
        self._page("index", _index(known, decks, list(self.documents.values()), list(reference)))

    def _page(self, name: str, text: str) -> None:
        path = self.root / f"{name}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def _lesson(self, lesson: Lesson) -> None:
        notebook = run_as_notebook(lesson)
        write_notebook(notebook, self.files / f"{lesson.name}.ipynb", self.address)
        links = [f'<a href="{lesson.name}.ipynb" download>This lesson as a notebook</a>']
        if self.address is not None:
            links += _notebook_services(self.address, lesson)
        for page in sorted((self.files / "figures").glob(f"{lesson.name.partition('_')[0]}_*.html")):
            what = html.escape(page.stem.partition("_")[2])
            links.append(f'<a href="figures/{page.name}">Step through {what} on a page of its own</a>')
        exercises = lesson.path.parent / "exercises"
        for end, what in (("_start", "The exercises' starter file"), ("", "The exercises, which check it")):
            source = exercises / f"{lesson.name}{end}.py"
            if source.exists():
                (self.files / "exercises").mkdir(exist_ok=True)
                shutil.copyfile(source, self.files / "exercises" / source.name)
                links.append(f'<a href="exercises/{source.name}" download>{what}</a>')
        beside = "".join(f"<li>{link}</li>" for link in links)
        self._page(
            lesson.name, f'{as_markdown(notebook)}\n```{{raw}} html\n<ul class="beside">{beside}</ul>\n```\n'
        )

    def _document(self, path: str) -> str:
        """A Markdown file of the repository, its links led to the site's pages, to the code, or nowhere."""
        here = self.clone / path
        text = re.sub(r"<!--.*?-->\n?", "", here.read_text(encoding="utf-8"), flags=re.DOTALL)

        def led(link: re.Match[str]) -> str:
            mark, words, to = link[1], link[2], link[3]
            if "://" in to or to.startswith("#"):
                return link[0]
            target = (here.parent / to.partition("#")[0]).resolve()
            try:
                inside = target.relative_to(self.clone.resolve()).as_posix()
            except ValueError:
                return words
            inside = inside if not target.is_dir() else f"{inside}/README.md"
            page = self.documents.get(inside)
            if page is None and (self.root / f"{target.stem}.md").is_file() and target.suffix == ".py":
                page = target.stem
            if page is not None:
                return f"{mark}[{words}]({page}.md)"
            if target.suffix == ".svg" and target.is_file():
                copy = self.files / inside
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(target, copy)
                return (
                    f'<a href="{inside}">{words}</a>' if not mark else f'<img src="{inside}" alt="{words}">'
                )
            return words if self.address is None else f"[{words}]({self.address}/blob/main/{inside})"

        return re.sub(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)", led, text)

    def _gallery(self) -> str:
        """A picture of each program, with its live page."""
        from diffkit.graphs.page.gallery import gallery

        items = []
        for shown in gallery(self.files / "gallery"):
            picture, live = f"gallery/{shown.picture.name}", f"gallery/{shown.page.name}"
            items.append(
                f'<li><a href="{live}"><img src="{picture}" alt="The graph of {shown.name}">'
                f"<b>{shown.name}</b></a><span>{html.escape(shown.summary)}</span></li>"
            )
        listed = "\n".join(items)
        return (
            "# The programs, live\n\nEach of the lectures' programs: open it, move an input, and watch both "
            f'passes.\n\n```{{raw}} html\n<ul class="gallery">\n{listed}\n</ul>\n```\n'
        )


def _notebook_services(address: str, lesson: Lesson) -> list[str]:
    """Links that open a lesson without installing anything, for a repository that is public there."""
    repository = "/".join(address.rstrip("/").split("/")[-2:])
    script = f"lessons/{'lectures/' if lesson.path.parent.name == 'lectures' else ''}{lesson.name}.py"
    colab = f"https://colab.research.google.com/github/{repository}/blob/gh-pages/{lesson.name}.ipynb"
    binder = f"https://mybinder.org/v2/gh/{repository}/HEAD?labpath={script}"
    return [f'<a href="{colab}">Open in Colab</a>', f'<a href="{binder}">Open in Binder</a>']


_DOCUMENTS = {
    "lessons/README.md": ("course", "A lecture tomorrow, or a course"),
    "diffkit/README.md": ("students", "A function to take apart"),
    "diffkit/grading/README.md": ("course_teams", "An exercise to grade"),
    "lessons/lectures/README.md": ("lectures", "The lectures' own code"),
    "tests/benchmarks/README.md": ("benchmarks", "How fast it is"),
    "diffkit/autodiff/COVERAGE.md": ("covered", "What is covered"),
    ".github/CONTRIBUTING.md": ("contributing", "Your own rule, program, lesson, exercise"),
    ".github/SECURITY.md": ("security", "What the grader promises"),
    ".github/CHANGELOG.md": ("changelog", "Changes"),
}
"""The repository's own documents: the page that each becomes, and its name in the menu."""


def _reference() -> dict[str, str]:
    """A page of reference a public module, from the docstrings."""
    import diffkit as dk

    pages, seen = {}, set()
    for name in ("diffkit", *_MODULES):
        module = dk if name == "diffkit" else getattr(dk, name)
        full = "diffkit" if name == "diffkit" else f"diffkit.{name}"
        body = []
        for item in sorted(dir(module), key=str.lower):
            value = getattr(module, item)
            if not (isinstance(value, type) or inspect.isfunction(value)) or id(value) in seen:
                continue  # a constant or a module, or what an earlier page has
            seen.add(id(value))
            kind = "autoclass" if isinstance(value, type) else "autofunction"
            members = "\n   :members:" if kind == "autoclass" else ""
            body.append(f".. {kind}:: {full}.{item}{members}\n")
        pages[name] = f"# {full}\n\n```{{eval-rst}}\n" + "\n".join(body) + "```\n"
    return pages


_MODULES = ("symbolic", "finite", "grading", "graphs", "precise", "programs", "plots", "tables")


def _index(known: list[Lesson], decks: list[Lesson], documents: list[str], modules: list[str]) -> str:
    def tree(caption: str, pages: list[str]) -> str:
        listed = "\n".join(pages)
        return f"```{{toctree}}\n:caption: {caption}\n:hidden:\n\n{listed}\n```\n"

    names = dict(_DOCUMENTS.values())
    doors = [f"{names[page]} <{page}>" for page in documents]
    first = "\n".join(f"- [{names[page]}]({page}.md)" for page in documents[:4])
    return f"""# diffkit

**Differentiation taught by doing it three ways on the same program**: symbolically on SymPy trees, by
finite differences, and by tracing. It measures where each way breaks, draws the primal and adjoint
graphs, and grades students' own derivative rules.

```{{raw}} html
<iframe class="live" src="gallery/two_outputs.html" title="A program, live"></iframe>
```

- [The programs, live](gallery.md): move an input, and watch both passes.
{first}
{tree("Start", ["gallery", *doors])}
{tree("Lessons", [lesson.name for lesson in known])}
{tree("The lectures' own code", [deck.name for deck in decks])}
{tree("Reference", [f"api/{module}" for module in modules])}
"""
