"""The displayed formulas of the lessons: readable in a terminal, and MathML on the site."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from diffkit.lessons.formulas import DISPLAYED, in_mathml, in_unicode
from diffkit.lessons.reading import say, texts

SCRIPTS = sorted((Path(__file__).parents[2] / "lessons").glob("[0-9][0-9]*_*.py"))
FORMULAS = [
    tex
    for script in SCRIPTS
    for _, text in texts(script.read_text("utf-8"))
    for tex in DISPLAYED.findall(text)
]


def test_there_are_some() -> None:
    assert len(FORMULAS) >= 8


@pytest.mark.parametrize("tex", FORMULAS)
def test_a_lessons_formula_can_be_read_in_a_terminal(tex: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert not set(in_unicode(tex)) & set("\\{}$")
    say(f"Before.\n\n$${tex}$$\n\nAfter.")
    assert in_unicode(tex) in capsys.readouterr().out


@pytest.mark.parametrize("tex", FORMULAS)
def test_a_lessons_formula_is_mathml(tex: str) -> None:
    pytest.importorskip("docutils")
    root = ElementTree.fromstring(in_mathml(tex))
    assert root.tag == "{http://www.w3.org/1998/Math/MathML}math"
    assert root.get("display") == "block"
    assert not any(e.tag.endswith("merror") for e in root.iter())


@pytest.mark.parametrize(
    ("tex", "text"),
    [
        (r"\dot v = \frac{\partial \varphi}{\partial u} \dot u", "v̇ = ∂φ/∂u u̇"),
        (r"f'(x) = \lim_{h \to 0} \frac{f(x + h) - f(x)}{h}", "f'(x) = lim_(h → 0) (f(x + h) - f(x))/h"),
        (r"\bar x = J^\top \bar y_{12}", "x̄ = Jᵀ ȳ₁₂"),
        (r"x^{a+1}", "x^(a+1)"),
    ],
)
def test_a_formula_as_text(tex: str, text: str) -> None:
    assert in_unicode(tex) == text


def test_an_unknown_command_is_no_formula() -> None:
    with pytest.raises(KeyError, match="wrong"):
        in_unicode(r"\wrong{x}")
