"""SVG: well formed, scaling, in both themes, and self-contained."""

import re
import xml.etree.ElementTree as ET

import pytest

from diffkit import programs
from diffkit.errors import InputError
from diffkit.graphs.drawing import draw
from diffkit.graphs.formats.svg import to_svg
from diffkit.graphs.reading.from_trace import VIEWS

SVG = "{http://www.w3.org/2000/svg}"


def parse(svg):
    return ET.fromstring(svg)


def written(root):
    return ["".join(t.itertext()) for t in root.iter(f"{SVG}text")]


@pytest.mark.parametrize("view", VIEWS)
def test_it_is_well_formed_and_says_what_the_graph_says(view):
    drawing = draw(programs.two_outputs, 2.0, 3.0, view=view)
    texts = written(parse(drawing.svg()))
    for part in (*drawing.graph.nodes, *drawing.graph.edges):
        for label in part.labels:
            if getattr(part, "kind", "") != "sum":
                assert label.text in texts


def test_it_scales_to_its_container():
    root = parse(draw(programs.sum_times, -2.0, 5.0, -4.0).svg())
    _, _, width, height = map(float, root.get("viewBox").split())
    assert abs(float(root.get("width")) - width) < 1
    assert abs(float(root.get("height")) - height) < 1
    assert "max-width:100%" in root.find(f"{SVG}style").text
    assert root.get("role") == "img"
    assert "sum_times" in root.get("aria-label")


def test_themes():
    drawing = draw(programs.sum_times, -2.0, 5.0, -4.0)
    assert "prefers-color-scheme" in drawing.svg()
    assert "prefers-color-scheme" not in drawing.svg(theme="light")
    assert drawing.svg(theme="dark") != drawing.svg(theme="light")
    assert '<rect class="paper"' in drawing.svg()
    assert '<rect class="paper"' not in drawing.svg(background=None) + drawing.html()
    assert 'fill="#abcdef"' in drawing.svg(background="#abcdef")
    with pytest.raises(InputError, match="theme"):
        drawing.svg(theme="sepia")


def test_nothing_is_loaded_from_elsewhere():
    svg = draw(programs.two_outputs, 2.0, 3.0, view="both").svg()
    assert set(re.findall(r"https?://[^\"' ]+", svg)) == {"http://www.w3.org/2000/svg"}
    assert "@import" not in svg
    assert "url(" not in svg


def test_roles_show_without_colour():
    drawing = draw(programs.reuse, 1.5, view="both")
    svg = drawing.svg(theme="light")
    root = parse(svg)
    assert ".dk .edge.adjoint .line{stroke:#c25400;stroke-dasharray:" in svg  # adjoints are dashed
    boxes = {g.get("data-node"): g for g in root.iter(f"{SVG}g") if g.get("data-node")}
    assert boxes["n5"].find(f"{SVG}rect[@class='inner']") is not None  # outputs have a double border
    assert float(boxes["n0"].find(f"{SVG}rect").get("rx")) > float(boxes["n1"].find(f"{SVG}rect").get("rx"))
    assert boxes["s1"].find(f"{SVG}circle") is not None  # sums are circles
    assert "x\u0304" in "".join(boxes["a0"].itertext())  # adjoints have a bar


def contrast(a, b):
    def luminance(colour):
        channels = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(
    ("theme", "page", "fills"),
    [
        ("light", "#ffffff", ("#ffffff", "#e6f1f9", "#fdf0e6", "#f1f2f4")),
        ("dark", "#14181d", ("#23272e", "#16303f", "#3b2413", "#2b3038")),
    ],
)
def test_text_has_the_contrast_that_wcag_asks_for(theme, page, fills):
    svg = draw(programs.reuse, 1.5, view="both").svg(theme=theme)
    style = re.search("<style>(.*?)</style>", svg, re.S)[1]
    final = {}  # later rules override earlier ones
    for selectors, body in re.findall(r"([^{}]+)\{([^{}]*)\}", style):
        for selector in selectors.strip().split(","):
            colour = re.search(r"fill:(#[0-9a-f]{6})", body)
            if colour:
                final[selector.strip().replace(".dk.dark", ".dk")] = colour[1]
    texts = {s: c for s, c in final.items() if "text" in s or s in (".dk .type", ".dk .note")}
    assert len(texts) >= 6
    for selector, colour in texts.items():
        on = page if "edge" in selector else None
        if selector == ".dk .badge-text":
            assert contrast(colour, final[".dk .badge"]) >= 4.5
        else:
            for fill in [on] if on else fills:
                assert contrast(colour, fill) >= 4.5, (selector, colour, fill)


@pytest.mark.parametrize(("theme", "page"), [("light", "#ffffff"), ("dark", "#14181d")])
def test_lines_have_the_contrast_that_wcag_asks_of_graphics(theme, page):
    svg = draw(programs.reuse, 1.5, view="both").svg(theme=theme)
    final = {}
    for selectors, body in re.findall(
        r"([^{}]+)\{([^{}]*)\}", re.search("<style>(.*?)</style>", svg, re.S)[1]
    ):
        for selector in selectors.strip().split(","):
            colour = re.search(r"stroke:(#[0-9a-f]{6})", body)
            if colour and re.search(r"\.(line|cluster)$", selector.strip()):
                final[selector.strip().replace(".dk.dark", ".dk")] = colour[1]
    assert len(final) >= 4
    for selector, colour in final.items():
        assert contrast(colour, page) >= 3, (selector, colour)


def test_a_drawing_leaves_the_colours_of_others_on_its_page_alone():
    for theme in ("dark", "auto"):
        svg = draw(programs.sum_times, -2.0, 5.0, -4.0).svg(theme=theme)
        style = re.search("<style>(.*?)</style>", svg, re.S)[1]
        light = draw(programs.sum_times, -2.0, 5.0, -4.0).svg(theme="light")
        added = style.replace(re.search("<style>(.*?)</style>", light, re.S)[1], "")
        selectors = re.findall(r"(\.dk[^{},]*)[{,]", added)
        assert len(selectors) > 20
        assert all(selector.startswith(f".dk.{theme} ") for selector in selectors)


def test_a_name_of_several_letters_has_one_overline():
    svg = draw(lambda rate: rate * 2.0, 3.0, view="adjoint").svg()
    assert '<tspan text-decoration="overline">rate</tspan>' in svg
    assert "\u0305" not in re.sub("<(title|desc)>.*?</(title|desc)>", "", svg, flags=re.S)


def test_markup_in_names_is_escaped():
    for name in ("</svg><script>alert(1)</script>", "a & b", "\x00\x07", "\ud800"):
        root = parse(draw(lambda p, name=name: p[name] * 2.0, {name: 1.0}).svg())
        assert not list(root.iter(f"{SVG}script"))


def test_converters_are_given_what_they_can_draw():
    drawing = draw(lambda rate: rate * 2.0, 3.0, view="adjoint")
    svg = to_svg(drawing.graph, drawing.layout, theme="light", scales=False)
    assert "r\u0305a\u0305t\u0305e\u0305" in "".join(parse(svg).itertext())
    for unknown in ("<tspan", "paint-order", "prefers-color-scheme", "height:auto"):
        assert unknown not in svg


@pytest.mark.parametrize("view", ["adjoint", "both"])
@pytest.mark.parametrize("name", ["two_outputs", "log_product", "neuron_loss"])
def test_light_links_lie_below_all_others_and_links_below_nodes(view, name):
    program = programs.get(name)
    drawing = draw(program, *program.args, view=view)
    kinds = [g.get("class").split() for g in parse(drawing.svg()).iter(f"{SVG}g") if g.get("class")]
    edges = [k[1] for k in kinds if k[0] == "edge"]
    assert sorted(edges) == sorted(e.kind for e in drawing.graph.edges if e.kind != "align")
    light = edges.count("kept")
    assert 0 < light < len(edges)
    assert set(edges[:light]) == {"kept"}
    assert [k[0] for k in kinds] == ["edge"] * len(edges) + ["node"] * (len(kinds) - len(edges))
