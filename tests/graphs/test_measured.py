"""Every program in every view, measured in a real browser: order, text size, contrast, crossings, overlap.

As a script it prints the table of what it measures::

    python -m tests.graphs.test_measured
"""

import statistics

import pytest

import diffkit as dk
from diffkit import programs
from diffkit.graphs import draw
from diffkit.graphs.reading.from_trace import VIEWS

pytestmark = pytest.mark.browser

PROGRAMS = list(programs.all_programs())

MEASURES = """(enlarged) => {
  if (enlarged) document.querySelectorAll("svg text").forEach(t => { t.style.fontSize = "28px"; });
  const svg = document.querySelector("svg"), faults = [], box = e => e.getBoundingClientRect();
  const over = (a, b) =>
    a.left < b.right - 1.5 && b.left < a.right - 1.5 && a.top < b.bottom - 1.5 && b.top < a.bottom - 1.5;
  const texts = [...svg.querySelectorAll("text:not(.badge-text, .halo)")].map(
    t => ({said: t.textContent, box: box(t), node: t.closest(".node"), edge: t.closest(".edge"), text: t}));
  const nodes = [...svg.querySelectorAll(".node")].map(n => ({node: n, box: box(n.querySelector(".box"))}));
  const whole = box(svg);

  // Overlap: of texts, of texts and boxes, and what is cut off.
  texts.forEach((a, k) => {
    if (a.box.left < whole.left || a.box.right > whole.right) faults.push("outside: " + a.said);
    if (a.box.top < whole.top || a.box.bottom > whole.bottom) faults.push("outside: " + a.said);
    const rectangle = a.node && a.node.querySelector("rect");
    if (rectangle) {
      const badge = a.node.querySelector(".badge");
      const left = badge ? box(badge).right : box(rectangle).left;
      if (a.box.left < left || a.box.right > box(rectangle).right) faults.push("clipped: " + a.said);
    }
    for (const b of texts.slice(k + 1)) {
      if ((a.node && a.node === b.node) || (a.edge && a.edge === b.edge)) continue;
      if (over(a.box, b.box)) faults.push(a.said + " over " + b.said);
    }
    for (const f of a.edge ? [...svg.querySelectorAll(".cluster")].map(box) : []) {
      const across = x => a.box.left < x - 1 && a.box.right > x + 1;
      if (over(a.box, f) && (across(f.left) || across(f.right))) faults.push(a.said + " across a frame");
    }
    if (!a.node) for (const n of nodes) if (over(a.box, n.box)) faults.push(a.said + " in a box");
  });

  // Contrast, by WCAG 2: of texts to what is behind them, of lines to the paper.
  const channel = c => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  const light = colour => {
    const [r, g, b] = colour.match(/[0-9.]+/g).map(Number);
    return 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  };
  const ratio = (a, b) => {
    const [dark, bright] = [light(a), light(b)].sort((x, y) => x - y);
    return (bright + 0.05) / (dark + 0.05);
  };
  const paper = getComputedStyle(svg.querySelector(".paper")).fill;
  const behind = t => t.node ? getComputedStyle(t.node.querySelector(".box")).fill : paper;
  const textContrast = Math.min(...texts.map(t => ratio(getComputedStyle(t.text).fill, behind(t))));
  const lines = [...svg.querySelectorAll(".edge > .line")];
  const frames = [...svg.querySelectorAll(".cluster")];
  const strokes = [...lines, ...frames].map(l => getComputedStyle(l).stroke);
  const lineContrast = Math.min(99, ...strokes.map(s => ratio(s, paper)));

  // Crossings: how many lines run behind a box that is neither end of theirs, and through another's label.
  const matrix = svg.querySelector("g").getScreenCTM();
  const inside = (p, b, margin) =>
    p.x > b.left + margin && p.x < b.right - margin && p.y > b.top + margin && p.y < b.bottom - margin;
  const count = {behind: 0, behind_thin: 0, through: 0, through_thin: 0};
  const ends = {};
  for (const line of lines) {
    const edge = line.closest(".edge"), length = line.getTotalLength();
    const at = k => line.getPointAtLength(length * k / 40).matrixTransform(matrix);
    const points = [...Array(41).keys()].map(at);
    const near = n => [points[0], points[40]].some(p => inside(p, n.box, -9));
    const thin = edge.classList.contains("kept") ? "_thin" : "";
    if (nodes.some(n => !near(n) && points.some(p => inside(p, n.box, 2)))) count["behind" + thin]++;
    count["through" + thin] += texts.filter(
      t => t.edge && t.edge !== edge && points.some(p => inside(p, t.box, 3))).length;
    if (edge.dataset.edge) {
      const [row, k] = edge.dataset.edge.split(".");
      (ends[row + edge.classList[1]] ||= []).push([Number(k), points[40].x, points[40].y]);
    }
  }

  // Order: neighbouring operands whose arrows meet the operation the wrong way round.
  const down = svg.classList.contains("down");
  let pairs = 0, exchanged = 0;
  for (const met of Object.values(ends)) {
    met.sort((a, b) => a[0] - b[0]);
    for (let k = 1; k < met.length; k++, pairs++) {
      const axis = down ? 1 : 2;
      if (met[k][axis] < met[k - 1][axis] - 1) exchanged++;
    }
  }
  const fit = Math.max(whole.height, whole.width * 9 / 16);
  const scale = 100 * whole.width / svg.viewBox.baseVal.width / fit;  // of a slide that it is fitted to
  const sizes = texts.map(t => parseFloat(getComputedStyle(t.text).fontSize) * scale);
  return {faults, textContrast, lineContrast, ...count, pairs, exchanged, sizes};
}"""


@pytest.fixture(scope="module")
def canvas(browser):
    page = browser.new_page(viewport={"width": 6000, "height": 4000})
    yield page
    page.close()


def measured(canvas, drawing, *, enlarged=False, theme="light"):
    canvas.set_content(f"<body style='margin:0'>{drawing.svg(theme=theme)}</body>")
    return canvas.evaluate(MEASURES, enlarged)


BEHIND = {"sigmoid_neuron": 2, "log_sigmoid_sum": 3, "losses": 1, "logistic_regression": 1} | {
    "two_or_not_two": 1,
    "helmholtz": 2,
}
"""Thin lines that run behind a box in the view "both", in long programs: 10 in all."""

THROUGH, THROUGH_THIN = 3, 9
"""Lines through another's label, at most, in one drawing: of arrows, and of the thin lines."""


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.name)
def test_every_view_of_a_program(canvas, program):
    t = dk.trace(program)(*program.args)
    for view in VIEWS:
        drawing = draw(t, view=view)
        found = measured(canvas, drawing)
        assert found["faults"] == []
        assert found["exchanged"] == 0
        assert found["behind"] == 0
        assert found["behind_thin"] <= (BEHIND.get(program.name, 0) if view == "both" else 0)
        assert found["through"] <= THROUGH
        assert found["through_thin"] <= THROUGH_THIN
        for look in (found, measured(canvas, drawing, theme="dark")):
            assert look["textContrast"] >= 4.5
            assert look["lineContrast"] >= 3


@pytest.mark.parametrize("name", ["two_outputs", "log_sin_max", "neuron_loss"])
def test_slides(canvas, name):
    program = programs.get(name)
    for view in VIEWS:
        found = measured(canvas, draw(program, *program.args, view=view, size="slide"))
        assert found["faults"] == []
        if view in ("primal", "tangent", "circuit"):  # of an adjoint what is handed on may be in two runs
            assert found["exchanged"] == 0
            assert statistics.median(found["sizes"]) >= 3


@pytest.mark.parametrize("direction", ["right", "down"])
@pytest.mark.parametrize("name", ["two_outputs", "log_sin_max", "mean_squared_error"])
def test_the_other_direction(canvas, name, direction):
    program = programs.get(name)
    for view in VIEWS:
        assert measured(canvas, draw(program, *program.args, view=view, direction=direction))["faults"] == []


def test_groups_and_expressions_are_clear_of_each_other_too(canvas):
    assert measured(canvas, draw(programs.logistic_map, 0.2, group="iteration", view="both"))["faults"] == []
    assert measured(canvas, draw(programs.logistic_map.expression, view="tree"))["faults"] == []
    assert measured(canvas, draw(programs.two_outputs.expression))["faults"] == []


def test_the_measures_find_faults(canvas):
    found = measured(canvas, draw(programs.two_outputs, 2.0, 3.0), enlarged=True)["faults"]
    assert any(f.startswith("clipped") for f in found)
    assert any(" over " in f or "in a box" in f for f in found)


def main():
    from playwright.sync_api import sync_playwright

    from tests.conftest import CHROMIUM, FLAGS

    columns = [
        "exchanged",
        "textContrast",
        "lineContrast",
        "behind",
        "behind_thin",
        "through",
        "through_thin",
    ]
    rows = []
    with sync_playwright() as p:
        page = p.chromium.launch(executable_path=CHROMIUM, args=FLAGS).new_page(
            viewport={"width": 6000, "height": 4000}
        )
        for program in PROGRAMS:
            for view in VIEWS:
                found = measured(page, draw(program, *program.args, view=view))
                size = round(statistics.median(found["sizes"]), 2)
                rows.append(
                    [program.name, view, size, len(found["faults"]), *(round(found[c], 2) for c in columns)]
                )
    print(dk.Table(["program", "view", "text %", "faults", *columns], rows))


if __name__ == "__main__":
    main()
