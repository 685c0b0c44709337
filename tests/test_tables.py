"""Tables: alignment, formats, escaping, and saving whole or not at all."""

import csv
import io

import pytest

from diffkit.errors import InputError
from diffkit.tables import Table, format_cell, latex_escape


@pytest.fixture
def table() -> Table:
    return Table(
        ["name", "size", "error"],
        [["a|b", 1234567, 1.5e-17], ["x_1 & <y>", 10**400, None]],
        caption="A caption",
        notes=["a note"],
    )


def test_text_aligns_numbers_right_and_words_left(table: Table) -> None:
    lines = table.text().splitlines()
    assert lines[0] == "A caption"
    assert lines[1] == "name            size    error"
    assert lines[3] == "a|b        1,234,567  1.5e-17"
    assert lines[4] == "x_1 & <y>  1.00e+400        –"
    assert lines[5] == "a note"


def test_wide_and_combining_characters_keep_columns_aligned() -> None:
    lines = Table(["v", "n"], [["v̄", 1], ["数", 2], ["ab", 3]]).text().splitlines()
    assert lines[2] == "v̄   1"
    assert lines[3] == "数  2"
    assert lines[4] == "ab  3"


def test_markdown_escapes_the_bar(table: Table) -> None:
    assert "| a\\|b | 1,234,567 | 1.5e-17 |" in table.markdown()


def test_latex_escapes_and_uses_booktabs(table: Table) -> None:
    latex = table.latex()
    assert r"x\_1 \& \textless{}y\textgreater{}" in latex
    assert r"\toprule" in latex
    assert r"\caption{A caption a note}" in latex


def test_latex_has_a_caption_for_the_notes_alone_and_none_without_either() -> None:
    assert r"\caption{seen}" in Table(["a"], [[1]], notes=["seen"]).latex()
    assert r"\caption" not in Table(["a"], [[1]]).latex()


def test_html_escapes(table: Table) -> None:
    assert "x_1 &amp; &lt;y&gt;" in table.html()
    assert "<y>" not in table.html()


def test_csv_keeps_every_bit() -> None:
    value = 0.1 + 0.2
    read = list(csv.reader(io.StringIO(Table(["x", "y"], [[value, None]]).csv())))
    assert float(read[1][0]) == value
    assert read[1][1] == ""


def test_csv_of_integers_too_long_to_write_out() -> None:
    assert Table(["n"], [[10**6000]]).csv() == "n\n1.00e+6000\n"


def test_columns_and_records(table: Table) -> None:
    assert table["size"] == [1234567, 10**400]
    assert table.records()[0]["name"] == "a|b"
    with pytest.raises(InputError, match="no column 'nope'; the columns are name, size, error"):
        table["nope"]


def test_columns_have_titles_of_their_own() -> None:
    with pytest.raises(InputError, match="two columns of the table are called 'n'"):
        Table(["n", "tree", "n"], [])


def test_a_row_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(InputError, match="a row has 1 cells, but the table has 2 columns"):
        Table(["a", "b"], [[1]])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (9994 * 10**20, "9.99e+23"),
        (9996 * 10**20, "1.00e+24"),
        (-(10**15), "-1.00e+15"),
        (10**15 - 1, "999,999,999,999,999"),
        (2**20000, "3.98e+6020"),
        (False, "no"),
        (1 + 2j, "1+2j"),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_cells(value: object, text: str) -> None:
    assert format_cell(value) == text


def test_latex_escape_covers_every_special() -> None:
    assert latex_escape(r"\{}$&#^_%~") == (
        r"\textbackslash{}\{\}\$\&\#\textasciicircum{}\_\%\textasciitilde{}"
    )


@pytest.mark.parametrize("ending", [".txt", ".md", ".tex", ".html", ".csv"])
def test_saving(table: Table, tmp_path, ending: str) -> None:
    path = table.save(tmp_path / f"table{ending}")
    assert path.read_text().endswith("\n")
    assert "1234567" in path.read_text().replace(",", "")


def test_saving_elsewhere_is_refused_and_leaves_nothing(table: Table, tmp_path) -> None:
    with pytest.raises(InputError, match=r"can't tell the format of .*table\.docx"):
        table.save(tmp_path / "table.docx")
    with pytest.raises(InputError, match=r"can't write .*no such file or directory"):
        table.save(tmp_path / "missing" / "table.csv")
    assert list(tmp_path.iterdir()) == []


def test_html_has_the_minus_sign_of_formulas_and_leaves_words_alone():
    html = Table(["error", "note"], [[-0.5, "a-b"], [1e-17, "-x"], [-1234567, "–"]]).html()
    for shown in (">−0.5<", ">1e−17<", ">−1,234,567<", ">a-b<", ">-x<"):
        assert shown in html
