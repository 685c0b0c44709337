"""The live page, as it is made; what it does in a browser is in ``tests/graphs/test_explorer_browser.py``."""

import re

import numpy as np
import pytest

import diffkit as dk
from diffkit import programs
from diffkit.errors import InputError


@pytest.mark.parametrize("name", programs.names())
def test_the_page_of_a_lectures_program_is_one_file_of_at_most_150_kilobytes(name, tmp_path):
    p = programs.get(name)
    path = dk.explore(p, *p.args).save(tmp_path / "page.html")
    assert path.stat().st_size <= 150_000
    text = path.read_text(encoding="utf-8")
    assert "default-src 'none'" in text
    assert not re.search(r"""(src|href)=["'](?!data:)""", text)
    assert "eval(" not in text
    assert "%%" not in text


def test_a_row_that_javascript_cannot_say_leaves_the_page_stepping_and_is_named():
    page = dk.explore(lambda a: np.linalg.solve(a, a[0])[1] * 2.0, np.array([[2.0, 1.0], [1.0, 3.0]]))
    assert "solve" in page.refused
    text = page.html()
    assert "row v2 = solve(...) can&#x27;t be said in JavaScript" in text
    assert 'class="moves"' not in text
    assert text.count('data-row="') == len(page.trace)


def test_a_notebook_shows_the_page_in_a_frame():
    shown = dk.explore(np.sin, 1.0)._repr_mimebundle_()
    assert shown["text/html"].startswith("<iframe srcdoc=")
    assert "window.diffkit" in shown["text/html"]


def test_names_cannot_break_out_of_the_script():
    page = dk.explore(lambda p: p["</script><b>"] * 2.0, {"</script><b>": 3.0})
    text = page.html()
    assert text.count("</script>") == 2
    assert "<b>" not in text


def test_what_is_no_program_is_refused():
    with pytest.raises(InputError, match="expected a function or a trace"):
        dk.explore(3.0)


def test_long_programs_without_a_loop_to_roll_are_refused_with_what_to_do():
    def long(a, b):
        for _ in range(250):
            a, b = b, a + 0.5 * b
        return a * b

    with pytest.raises(
        InputError, match=r"503 rows, too many for a page \(at most 400; .*dk.draw rolls loops"
    ):
        dk.explore(long, 1.0, 2.0)


def test_what_depends_on_no_input_is_refused():
    with pytest.raises(InputError, match="returns 'text', which depends on no input"):
        dk.explore(lambda x: "text", 1.0)


def test_a_wire_has_the_local_derivative_in_symbols_and_no_number():
    page = dk.explore(lambda x: np.exp(x) * 3.0 + np.tanh(x) ** 2, 0.5)
    shown = [edge.labels[0].text for edge in page._graph()[0].edges]
    assert shown[:3] == ["∂v₁/∂x = v₁", "∂v₂/∂v₁ = 3", "∂v₃/∂x = 1 − v₃²"]
    assert not any("." in text for text in shown)
