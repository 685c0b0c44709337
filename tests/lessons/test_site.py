"""The static site: built once, in fast mode, and opened in headless Chromium."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin, urlparse

import pytest

from diffkit import programs
from diffkit.errors import InputError
from diffkit.lessons import lessons, make_site, running
from diffkit.lessons import site as site_module

# CI runs what needs the extras `site` and `browser` together, by this mark.
pytestmark = pytest.mark.browser

jupytext = pytest.importorskip("jupytext")
pytest.importorskip("sphinx")
pytest.importorskip("furo")
pytest.importorskip("myst_parser")
pytest.importorskip("ipykernel")

WIDTHS = [1280, 400]


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_site(tmp_path_factory.mktemp("site") / "pages", fast=True).parent


def pages(site: Path) -> list[Path]:
    """All that Sphinx wrote, and the lessons' own pages; the programs' live ones have tests of their own."""
    return sorted([*site.glob("*.html"), *site.glob("api/*.html"), *site.glob("figures/*.html")])


@pytest.mark.slow
def test_every_page_opens_without_errors_or_requests_and_its_links_resolve(site: Path, browser: Any) -> None:
    assert len(pages(site)) >= 40  # an index, lessons, lectures, documents, reference, step-through pages
    for path in pages(site):
        context = browser.new_context(offline=True)
        page = context.new_page()
        trouble: list[str] = []
        page.on("console", lambda message, trouble=trouble: trouble.append(message.text))
        page.on("pageerror", lambda error, trouble=trouble: trouble.append(str(error)))
        page.on("requestfailed", lambda request, trouble=trouble: trouble.append(request.url))
        page.on(
            "request",
            lambda request, trouble=trouble: (
                None if request.url.startswith(("file:", "data:", "about:")) else trouble.append(request.url)
            ),
        )
        page.goto(path.as_uri())
        links = page.eval_on_selector_all(
            "[href], [src]",
            "all => all.map(x => [x.tagName, x.getAttribute('href') || x.getAttribute('src')])",
        )
        assert trouble == [], path.name
        assert len(links) >= 3 or path.parent.name == "figures"
        for tag, link in links:
            if link.startswith(("data:", "#")) or (tag == "A" and link.startswith("https://")):
                continue
            address, fragment = urldefrag(urljoin(path.as_uri(), link))
            address = address.partition("?")[0]
            assert urlparse(address).scheme == "file", link
            target = Path(unquote(urlparse(address).path))
            assert target.is_file(), f"{path.name} links to {link}"
            assert site in target.parents, link
            if fragment and target.suffix == ".html":
                assert f'id="{fragment}"' in target.read_text(encoding="utf-8"), link
        assert page.evaluate("[...document.images].filter(i => !i.naturalWidth || !i.alt).length") == 0
        context.close()


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_every_page_is_readable(site: Path, browser: Any, width: int, scheme: str) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    for path in pages(site):
        page.goto(path.as_uri())
        over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert over <= 0, f"{path.name} scrolls sideways by {over} pixels at {width}"
        if path.parent != site:
            continue
        size, ink, paper = page.evaluate(
            """() => {
                const style = getComputedStyle(document.body);
                return [parseFloat(style.fontSize), style.color, style.backgroundColor];
            }"""
        )
        assert size >= 16
        assert contrast(ink, paper) >= 7  # WCAG 2.2, 1.4.6
    context.close()


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, as WCAG 2.2 defines it, from 1 to 21."""

    def luminance(colour: str) -> float:
        parts = [int(n) / 255 for n in re.findall(r"\d+", colour)[:3]]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.slow
def test_an_answer_opens_on_a_click_and_the_step_through_page_steps(site: Path, browser: Any) -> None:
    page = browser.new_page()
    page.goto((site / "07_reverse_mode.html").as_uri())
    question = page.locator("details.predict").first
    answer = question.get_by_text("Answer:")
    assert not answer.is_visible()
    question.locator("summary").click()
    assert answer.is_visible()
    assert page.locator("iframe").count() == 1
    assert page.get_by_text("on a page of its own").get_attribute("href") == "figures/07_two_outputs.html"
    page.close()


@pytest.mark.slow
def test_nothing_tells_an_answer_before_it_is_asked_for(site: Path, browser: Any) -> None:
    page = browser.new_page()
    for lesson in lessons():
        page.goto((site / f"{lesson.name}.html").as_uri())
        assert page.locator("details.predict").count() >= 2
        seen = page.locator("article").inner_text()
        assert "predict(" not in seen, lesson.name
        assert "Answer:" not in seen, lesson.name
    page.close()


@pytest.mark.slow
def test_a_word_is_found(site: Path, browser: Any) -> None:
    page = browser.new_page()
    page.goto((site / "search.html").as_uri() + "?q=checkpoint")
    page.wait_for_selector("ul.search li a")
    assert page.locator("ul.search li a").count() >= 2
    page.close()


@pytest.mark.slow
def test_a_page_shows_the_figures_of_its_lesson(site: Path) -> None:
    index = (site / "index.html").read_text(encoding="utf-8").replace("&#x27;", "'").replace("’", "'")
    for lesson in lessons():
        text = (site / f"{lesson.name}.html").read_text(encoding="utf-8")
        drawn = {path.name for path in (site / "figures").glob(f"{lesson.name.partition('_')[0]}_*.svg")}
        assert set(re.findall(r'<img src="figures/([^"]+)"', text)) == drawn
        assert lesson.title.partition(":")[0] in index


@pytest.mark.slow
def test_the_gallery_has_every_program_with_its_live_page(site: Path) -> None:
    text = (site / "gallery.html").read_text(encoding="utf-8")
    for name in programs.names():
        assert f'href="gallery/{name}.html"' in text
        assert "window.diffkit" in (site / "gallery" / f"{name}.html").read_text(encoding="utf-8")


def test_opens_as_a_notebook(script: Path) -> None:
    notebook = jupytext.read(script)
    kinds = [cell.cell_type for cell in notebook.cells]
    assert kinds.count("markdown") >= 4
    assert kinds.count("code") >= 4
    for cell in notebook.cells:
        if cell.cell_type == "code":
            compile(cell.source, script.name, "exec")
        else:
            assert not cell.source.startswith("import"), cell.source


@pytest.mark.slow
def test_the_notebooks_install_what_they_need_and_fold_what_answers(site: Path) -> None:
    for lesson in lessons():
        notebook = json.loads((site / f"{lesson.name}.ipynb").read_text(encoding="utf-8"))
        first, *rest = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
        assert "".join(first["source"]).startswith("try:\n    import diffkit\nexcept ImportError:")
        assert len(rest) >= 4
        assert any(cell["outputs"] for cell in rest)
        for cell in rest:
            if "predict(" in "".join(cell["source"]) and cell["outputs"]:
                assert cell["metadata"]["jupyter"] == {"source_hidden": True, "outputs_hidden": True}


TINY = '''"""Tiny: a lesson

Goals: none.
Before: nothing. 5 minutes.
"""

# %% [markdown]
# # Tiny

# %%
1 + 1
'''


@pytest.fixture
def one_lesson(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one short lesson in place of the real ones."""
    folder = tmp_path / "lessons"
    folder.mkdir()
    (folder / "01_tiny.py").write_text(TINY)
    monkeypatch.setattr(running, "folder", lambda: folder)
    monkeypatch.setattr(site_module._Sources, "_gallery", lambda sources: "# The programs, live\n")
    return folder


def test_a_site_replaces_a_site_and_nothing_else(one_lesson: Path, tmp_path: Path) -> None:
    target = tmp_path / "pages"
    assert make_site(target) == target / "index.html"
    (target / "old.html").write_text("from an earlier lesson")
    make_site(target)
    assert not (target / "old.html").exists()
    assert re.search(r">2\s*<", (target / "01_tiny.html").read_text(encoding="utf-8"))
    precious = tmp_path / "thesis"
    precious.mkdir()
    (precious / "thesis.tex").write_text("years of work")
    with pytest.raises(InputError, match="holds something other than an earlier site"):
        make_site(precious)
    assert (precious / "thesis.tex").exists()


def test_an_address_is_what_links_lead_to(one_lesson: Path, tmp_path: Path) -> None:
    make_site(tmp_path / "pages", address="https://code.example/them/theirs")
    page = (tmp_path / "pages" / "01_tiny.html").read_text(encoding="utf-8")
    assert "github/them/theirs/blob/gh-pages/01_tiny.ipynb" in page
    assert "them/theirs/HEAD?labpath=lessons/01_tiny.py" in page
    notebook = (tmp_path / "pages" / "01_tiny.ipynb").read_text(encoding="utf-8")
    assert "git+https://code.example/them/theirs" in notebook
    make_site(tmp_path / "pages")  # and none without it
    assert "theirs" not in (tmp_path / "pages" / "01_tiny.html").read_text(encoding="utf-8")


def test_a_lesson_that_fails_leaves_the_earlier_site(one_lesson: Path, tmp_path: Path) -> None:
    target = tmp_path / "pages"
    make_site(target)
    before = (target / "01_tiny.html").read_bytes()
    script = one_lesson / "01_tiny.py"
    script.write_text(script.read_text().replace("1 + 1", "1 / 0"))
    with pytest.raises(InputError, match="01_tiny failed: ZeroDivisionError: division by zero"):
        make_site(target)
    assert (target / "01_tiny.html").read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} == {"lessons", "pages"}
