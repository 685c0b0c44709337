"""Slides: 16 to 9, type of at least 3 % of the height, nothing lost, nothing over another; the build-up."""

import itertools
import re
import statistics
import xml.etree.ElementTree as ET

import pytest

import diffkit as dk
from diffkit import programs
from diffkit.errors import InputError
from diffkit.graphs.formats import raster
from diffkit.graphs.reading.build_up import build_up

SHORT = [p for p in programs.all_programs() if len(dk.trace(p)(*p.args)) <= 20]
HARDEST = ("helmholtz", "two_or_not_two", "logistic_regression")
CASES = [
    pytest.param(
        p, local, marks=[] if p.name in HARDEST and local else pytest.mark.slow, id=f"{p.name}-{local}"
    )
    for p in SHORT
    for local in (True, False)
]


def text_sizes(svg):
    return [
        float(e.get("font-size"))
        for e in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")
        if "halo" not in e.get("class")
    ]


@pytest.mark.parametrize(("program", "local"), CASES)
def test_the_median_of_the_text_is_three_per_cent_of_the_height(program, local):
    drawing = dk.draw(program, *program.args, local_derivatives=local, size="slide")
    svg = drawing.svg()
    _, _, width, height = map(float, re.search('viewBox="([^"]*)"', svg)[1].split())
    assert width / height == pytest.approx(16 / 9, rel=2e-3)
    assert 'width="1280" height="720"' in svg
    assert statistics.median(text_sizes(svg)) >= 0.03 * height
    # Each row stands there once, and no box over another.
    assert {n.id for n in drawing.graph.nodes} <= drawing.layout.boxes.keys()
    for a, b in itertools.combinations(drawing.layout.boxes.values(), 2):
        assert (
            abs(a.x - b.x) >= (a.width + b.width) / 2 - 0.5
            or abs(a.y - b.y) >= (a.height + b.height) / 2 - 0.5
        )


@pytest.mark.parametrize("view", ["circuit", "adjoint", "both"])
def test_every_edge_is_there_in_the_other_views_too(view):
    drawing = dk.draw(programs.neuron_loss, *programs.neuron_loss.args, view=view, size="slide")
    graph, _ = drawing._laid_out
    chip = re.compile("r[0-9]+$")

    def ends(g):
        return {(chip.sub("", e.tail), e.head) for e in g.edges if e.kind in ("flow", "adjoint")}

    assert ends(graph) == ends(drawing.graph)
    assert len(graph.nodes) > len(drawing.graph.nodes)  # wrapped, with chips


def test_the_build_up_shows_the_program_and_then_its_adjoints(tmp_path):
    drawing = dk.draw(programs.two_outputs, 2.0, 3.0, view="both")
    steps = build_up(drawing.graph)
    assert [len(step.nodes) for step in steps] == sorted(len(step.nodes) for step in steps)
    assert steps[-1].nodes == {n.id for n in drawing.graph.nodes}
    first = next(k for k, step in enumerate(steps) if any(i.startswith("a") for i in step.nodes))
    assert steps[first - 1].nodes == {n.id for n in drawing.graph.nodes if n.part == "primal"}
    frames = drawing.frames()
    assert frames[-1] == drawing.svg()
    assert len({re.search('viewBox="([^"]*)"', frame)[1] for frame in frames}) == 1  # nothing moves
    last = drawing.save(tmp_path / "two.svg", frames=True)
    assert last.name == f"two-{len(steps):02d}.svg"
    assert len(list(tmp_path.glob("two-*.svg"))) == len(steps)
    with pytest.raises(InputError, match=r"a build-up is a \.pdf"):
        drawing.save(tmp_path / "two.png", frames=True)


def test_a_circuit_is_built_up_in_both_directions():
    drawing = dk.draw(programs.sum_times, -2.0, 5.0, -4.0, view="circuit", size="slide")
    frames = drawing.frames()
    shown = [frame.count("x\u0304 = ") + frame.count("x̄ = ") for frame in frames]
    assert shown[0] == 0
    assert shown[-1] > 0
    assert len(frames) == 2 * 5 - 2  # the inputs come together


def test_a_pdf_has_a_page_for_each_step(tmp_path, monkeypatch):
    pytest.importorskip("cairosvg", reason="CairoSVG is not installed")
    drawing = dk.draw(programs.sum_times, -2.0, 5.0, -4.0, size="slide")
    data = drawing.save(tmp_path / "steps.pdf", frames=True).read_bytes()
    assert int(re.search(rb"/Count (\d+)", data)[1]) == len(drawing.frames()) == 3
    monkeypatch.setattr(raster, "cairo_version", lambda: None)
    with pytest.raises(InputError, match="CairoSVG"):
        drawing.save(tmp_path / "no.pdf", frames=True)
    assert not (tmp_path / "no.pdf").exists()


def test_another_size_is_refused():
    with pytest.raises(InputError, match='"page" or "slide"'):
        dk.draw(programs.sum_times, -2.0, 5.0, -4.0, size="poster")
