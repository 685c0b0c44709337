"""Matrices as pictures: every entry is there, wrong ones are framed, blanks can not be other than zero."""

import xml.etree.ElementTree as ET

import numpy as np
import pytest

import diffkit as dk
from diffkit.errors import InputError

SVG = "{http://www.w3.org/2000/svg}"
X = np.linspace(-1.0, 1.0, 6)


def valley(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def entries(picture):
    return [e.text for e in ET.fromstring(picture.svg()).iter(f"{SVG}text") if e.get("class") == "entry"]


def wrong(picture):
    return sum(e.get("class") == "wrong" for e in ET.fromstring(picture.svg()).iter(f"{SVG}rect"))


def test_a_small_matrix_is_written_out_and_blank_where_it_is_always_zero():
    full, pattern = dk.hessian(valley)(X), dk.sparsity(dk.grad(valley))(X)
    picture = dk.draw_matrix(full, pattern=pattern)
    assert len(entries(picture)) == pattern.sum() == 16
    shown = [float(text.replace("−", "-")) for text in entries(picture)]
    np.testing.assert_allclose(shown, full[pattern], rtol=1e-3)
    assert "16 of 36 entries can be other than zero" in picture.notes


def test_a_students_own_stands_beside_with_its_mistakes_framed():
    right = np.arange(9.0).reshape(3, 3)
    own = right.copy()
    own[1, 2], own[0, 0] = 50.0, 1e-12
    picture = dk.draw_matrix(right, own)
    assert wrong(picture) == picture.wrong.sum() == 1
    assert picture.notes[0] == "1 of 9 entries differs: row 2, column 3 is 50, and 5 is right"
    assert dk.draw_matrix(right, right).notes[0] == "every entry is right"
    nan = right.copy()
    nan[2, 2] = np.nan
    assert wrong(dk.draw_matrix(right, nan)) == 1
    assert wrong(dk.draw_matrix(nan, nan)) == 0


def test_of_another_shape_nothing_is_compared_and_a_transpose_is_named():
    picture = dk.draw_matrix(np.ones((2, 3)), np.ones((3, 2)))
    assert wrong(picture) == 0
    assert picture.notes[0] == "yours has the shape (3, 2): that of its transpose, the right one (2, 3)"


def test_colours_are_numbered_and_counted():
    picture = dk.draw_matrix(
        dk.hessian(valley)(X), pattern=dk.sparsity(dk.grad(valley))(X), colours=True, title="H"
    )
    assert picture.notes[0] == "3 sweeps: columns of one colour share no row"
    numbers = [e.text for e in ET.fromstring(picture.svg()).iter(f"{SVG}text") if e.get("class") == "type"]
    assert numbers[-6:] == [f"sweep {c % 3 + 1}" for c in range(6)]


def test_a_large_one_is_made_of_squares_hollow_where_negative():
    picture = dk.draw_matrix(np.diag(np.r_[np.ones(30), -np.ones(10)]))
    classes = [e.get("class") for e in ET.fromstring(picture.svg()).iter(f"{SVG}rect")]
    assert (classes.count("cell"), classes.count("hollow")) == (30, 10)
    assert not entries(picture)


@pytest.mark.parametrize("theme", ["light", "dark", "auto"])
def test_it_is_saved_and_shown_like_any_picture(theme, tmp_path):
    picture = dk.draw_matrix([[1.0, -2.0]], title="a < b & c")
    root = ET.fromstring(picture.svg(theme=theme))
    assert root.get("aria-label") == "a < b & c"
    assert "1 −2" in root.find(f"{SVG}desc").text
    assert set(picture._repr_mimebundle_()) == {"image/svg+xml", "text/plain"}
    assert picture.save(tmp_path / "m.html").read_text().count("<svg") == 1
    with pytest.raises(InputError, match=r"\.svg, \.png, \.pdf, \.html"):
        picture.save(tmp_path / "m.dot")


def test_what_is_no_matrix_is_refused():
    with pytest.raises(InputError, match=r"has the shape \(2, 2, 2\)"):
        dk.draw_matrix(np.zeros((2, 2, 2)))
    with pytest.raises(InputError, match="dtype"):
        dk.draw_matrix([["a", "b"]])
    with pytest.raises(InputError, match="pattern has the shape"):
        dk.draw_matrix(np.eye(2), pattern=[[True]])
    with pytest.raises(InputError, match="one colour is given"):
        dk.draw_matrix(np.eye(2), colours=[0])
