"""The live page in Chromium: what it computes is what the library computes, and what it shows follows."""

import functools
import re

import numpy as np
import pytest

import diffkit as dk
from diffkit import explore, programs, stepper

pytestmark = pytest.mark.browser


def _listed(values):
    return [np.asarray(v, float).ravel().tolist() if np.ndim(v) else float(v) for v in values]


def _close(found, expected, size):
    a = np.zeros(np.size(expected)) if found is None else np.ravel(np.asarray(found, object)).astype(float)
    np.testing.assert_allclose(a, np.ravel(np.asarray(expected, float)), rtol=1e-12, atol=1e-14 * size)


class Kept:
    """A page that is made once for all tests of it."""

    def __init__(self, page):
        self.html = page.html()

    def save(self, path):
        path.write_text(self.html, encoding="utf-8")
        return path


@functools.cache
def page_of(name):
    p = programs.get(name)
    return Kept(explore(p, *p.args))


@pytest.mark.parametrize("name", programs.names())
def test_twenty_random_settings_agree_with_the_library(open_page, name):
    p = programs.get(name)
    rng = np.random.default_rng(22)
    t = dk.trace(p)(*p.args)
    o = open_page(page_of(name))
    settings, expected = [], []
    for _ in range(20):
        inputs = [n.value * (1 + 0.1 * rng.uniform(-1, 1, np.shape(n.value))) for n in t.inputs]
        given = iter(inputs)
        args = [next(given) if t.owns(a) else a for a in t.arguments]
        at = dk.trace(p)(*args)
        seeds = [rng.normal(size=np.shape(at.value_of(x))) for x in at.outputs]
        adjoint = at.adjoint(at.out_structure.unflatten(seeds))
        tangents = [rng.normal(size=np.shape(x)) for x in inputs]
        given = iter(tangents)
        dots = at.tangents(*[next(given) if t.owns(a) else a for a in t.arguments])
        h = 10.0 ** rng.uniform(-9, -2)
        moved = _listed(inputs), _listed([s.value for s in adjoint.cotangents]), _listed(tangents)
        settings.append(dict(zip(("inputs", "seeds", "tangents"), moved, strict=True)) | {"h": h})
        expected.append((at, inputs, args, adjoint, dots, h))
    states = o.page.evaluate("all => all.map(s => window.diffkit.set(s))", settings)
    assert len(states) == 20
    for state, (at, inputs, args, adjoint, dots, h) in zip(states, expected, strict=True):
        assert state["left"] == []
        bars = [None if b is None else (b.value if adjoint.owns(b) else b) for b in adjoint.adjoint_rows]
        size = max(float(np.max(np.abs(np.asarray(b, float)))) for b in bars if b is not None)
        for row, bar, dot in zip(at.nodes, bars, dots, strict=True):
            key = t.names[row.index]
            _close(state["values"][key], row.value, 0.0)
            _close(state["adjoints"][key], np.zeros(np.shape(row.value)) if bar is None else bar, size)
            _close(state["tangents"][key], np.zeros(np.shape(row.value)) if dot is None else dot, 1.0)
        gradients = state["gradients"]
        slope = gradients["reverse"]
        assert gradients["forward_mode"] == pytest.approx(slope, rel=1e-11, abs=1e-13)
        if gradients["symbolic"] is not None:
            assert gradients["symbolic"] == pytest.approx(slope, rel=1e-9, abs=1e-12)
        assert (state["output"], state["input"][0]) == ([0, 0], 0)
        element = state["input"][1]  # the foremost element of the first input
        first = np.array(inputs[0], float)

        def f(x, first=first, args=args, element=element):
            moved = first.copy()
            moved.ravel()[element] = x
            place = next(k for k, a in enumerate(t.arguments) if t.owns(a))
            changed = [*args[:place], moved if moved.ndim else float(moved), *args[place + 1 :]]
            y = p(*changed)
            return float(np.ravel(y[0] if isinstance(y, tuple) else y)[0])

        x = float(first.ravel()[element])
        up, down, y = f(x + h), f(x - h), f(x)
        noise = 64 * np.finfo(float).eps * max(abs(y), 1.0) / h
        for key, quotient in (
            ("forward", (up - y) / h),
            ("backward", (y - down) / h),
            ("central", (up - down) / (2 * h)),
        ):
            assert gradients[key] == pytest.approx(quotient, rel=1e-12, abs=noise)


def test_arithmetic_gives_the_differences_to_the_bit(open_page):
    o = open_page(explore(programs.sum_times, -2.0, 5.0, -4.0))
    rng = np.random.default_rng(1)
    for _ in range(20):
        x, y, z = rng.normal(size=3).tolist()
        h = 10.0 ** rng.uniform(-12, -1)
        found = o.page.evaluate("s => window.diffkit.set(s).gradients", {"inputs": [x, y, z], "h": h})
        f = lambda x: (x + y) * z  # noqa: B023, E731
        assert found["forward"] == (f(x + h) - f(x)) / h
        assert found["backward"] == (f(x) - f(x - h)) / h
        assert found["central"] == (f(x + h) - f(x - h)) / (2 * h)


def test_a_slider_moves_the_picture_the_table_and_the_methods(open_page):
    o = open_page(explore(programs.two_outputs, 2.0, 3.0), "#14")
    before = o.page.inner_text("#methods")
    slider = o.page.locator("#inputs input[type=range]").first
    slider.evaluate("e => { e.value = 1; e.dispatchEvent(new Event('input')); }")
    assert o.slot("v2") == "3"
    x2_bar = dk.grad(lambda x, y: sum(programs.two_outputs(x, y)), argnum=1)(1.0, 3.0)
    assert float(o.slot("d1").rpartition("= ")[2].replace("−", "-")) == pytest.approx(x2_bar, rel=1e-3)
    o.page.wait_for_function("b => document.getElementById('methods').innerText !== b", arg=before)
    o.page.wait_for_function("location.hash.includes('inputs=1,3')")
    assert o.page.evaluate("window.diffkit.state().inputs") == {"x1": 1, "x2": 3}


def test_a_box_takes_what_is_typed_and_marks_what_is_no_number(open_page):
    o = open_page(explore(programs.two_outputs, 2.0, 3.0), "#3")
    box = o.page.locator("#inputs input[type=number]").first
    box.fill("7")
    assert o.slot("v2") == "21"
    box.fill("")
    assert box.get_attribute("aria-invalid") == "true"
    assert o.slot("v2") == "21"


def test_a_contribution_stays_on_its_wire_and_an_adjoint_waits_until_it_is_complete(open_page):
    o = open_page(explore(programs.two_outputs, 2.0, 3.0), "#9")
    assert o.slot("d2") == "ā = 1 (1 of 2)"
    assert o.slot("c5.0") == "1"
    o.press("ArrowRight", 5)
    assert (o.slot("d2"), o.slot("c5.0"), o.slot("c3.0")) == ("ā = 1.96", "1", "0.9602")
    assert o.slot("d1") == "x̄₂ = 4.254"


def test_a_decision_that_is_left_is_told_with_its_line(open_page):
    def f(x, y):
        if x > y:
            return x * y
        return x - y

    o = open_page(explore(f, 2.0, 1.0))
    assert o.page.inner_text("#warning") == ""
    (left,) = o.page.evaluate("window.diffkit.set({inputs: {x: 0}}).left")
    assert "if x > y" in left
    assert "came out true" in left
    assert "if x > y" in o.page.inner_text("#warning")
    assert o.page.evaluate("window.diffkit.set({inputs: {x: 2}}).left") == []
    assert o.page.inner_text("#warning") == ""


def test_a_link_brings_the_state_back(open_page):
    page = explore(programs.two_outputs, 2.0, 3.0)
    o = open_page(page, "#5&inputs=1.5,2.5&seeds=1,0&h=0.001&mode=forward")
    state = o.page.evaluate("window.diffkit.state()")
    assert state["inputs"] == {"x1": 1.5, "x2": 2.5}
    assert (state["seeds"], state["h"], state["mode"], state["step"]) == ([1, 0], 0.001, "forward", 5)
    assert o.page.evaluate("location.hash") == "#5&inputs=1.5,2.5&seeds=1,0&tangents=1,0&h=0.001&mode=forward"


def test_forward_mode_is_played_with_the_same_picture(open_page):
    o = open_page(explore(programs.two_outputs, 2.0, 3.0))
    o.press("f")
    o.press("End")
    assert o.slot("d2") == "ȧ = 3"
    assert not o.page.query_selector(".back:not(button)")
    o.press("f")
    o.press("End")
    assert o.slot("d2") == "ā = 1.96"


@pytest.mark.parametrize("made", [explore, stepper])
def test_predicting_gives_nothing_away(open_page, made):
    o = open_page(made(programs.two_outputs, 2.0, 3.0))
    o.press("p")
    everything = """() => [...document.querySelectorAll(
        '[data-node], [data-edge], [data-row], #details, #live, #formula, .methods, .code, h1, .inputs')]
      .filter(e => e.checkVisibility())
      .map(e => e.textContent + ' ' + (e.getAttribute('aria-label') || '')).join(' ')"""
    answers = ["1.099", "−0.2794", "7.099", "0.9602", "0.3333", "4.254", "5.881", "2.88"]
    o.page.focus('[data-node="n2"]')
    o.press("Enter")
    shown = o.page.evaluate(everything)
    assert [a for a in answers if a in shown] == []
    o.press("ArrowRight", 5)  # two inputs given; the product is asked for
    assert "?" in o.slot("v2")
    label = o.page.get_attribute('[data-node="n2"]', "aria-label")
    assert "6" not in label
    o.press("ArrowRight")
    assert "6" in o.page.get_attribute('[data-node="n2"]', "aria-label")
    o.press("p")
    o.press("End")
    assert "1.96" in o.page.get_attribute('[data-node="n2"]', "aria-label")


def test_what_is_asked_for_by_programs_is_checked(open_page):
    o = open_page(explore(programs.mean_squared_error, *programs.mean_squared_error.args))
    for wrong, what in (
        ("{inputs: {w: [1]}}", "2 numbers are needed, and 1 came"),
        ("{inputs: {q: 1}}", "there is no q"),
        ("{h: -1}", "h is a positive number"),
    ):
        message = o.page.evaluate(
            f"() => {{ try {{ window.diffkit.set({wrong}) }} catch (e) {{ return e.message }} }}"
        )
        assert what in message


@pytest.mark.parametrize("name", programs.names())
def test_everything_lit_is_in_view_at_every_step_beside_all_panes(open_page, name):
    o = open_page(page_of(name))
    o.page.set_viewport_size({"width": 1280, "height": 720})
    seen = """() => ['.node.now', 'tr.now', '.code li.now', '#formula'].map(s => {
      const e = document.querySelector(s);
      const b = e.getBoundingClientRect(), x = b.left + b.width / 2, y = b.top + b.height / 2;
      const at = x > 0 && y > 0 && x < innerWidth && y < innerHeight && document.elementFromPoint(x, y);
      return Boolean(at) && (e.contains(at) || at.contains(e)); })"""
    for step, all_seen in enumerate(o.go_through(seen)):
        assert all(all_seen), step + 1
    panes = "['.code', '.moves', '.picture', '#methods', '#vcurve', '.trace', '#details']"
    boxes = f"{panes}.map(s => document.querySelector(s).getBoundingClientRect())"
    for bottom, right, height in o.page.evaluate(f"{boxes}.map(b => [b.bottom, b.right, b.height])"):
        assert bottom <= 720
        assert right <= 1280
        assert height >= 60
    assert o.page.evaluate("document.documentElement.scrollHeight") <= 720


@pytest.mark.parametrize("name", ["two_outputs", "losses", "helmholtz"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_nothing_is_wider_than_the_screen_and_the_picture_can_be_read(open_page, name, scheme):
    o = open_page(page_of(name), "#7", color_scheme=scheme)
    o.page.set_viewport_size({"width": 390, "height": 844})
    assert o.page.evaluate("document.documentElement.scrollWidth") <= 390
    smallest = """Math.min(...[...document.querySelectorAll('svg.dk text:not(.badge-text)')].map(t => {
      const svg = t.ownerSVGElement, size = parseFloat(t.getAttribute('font-size'));
      return size * svg.getBoundingClientRect().width / svg.viewBox.baseVal.width; }))"""
    assert o.page.evaluate(smallest) >= 11.9


def test_the_methods_pane_has_the_formula_its_value_and_the_parts_of_the_error(open_page):
    o = open_page(page_of("two_outputs"))
    rows = o.page.eval_on_selector_all("#methods tr", "es => es.map(e => e.innerText.split('\\t'))")
    names = ["symbolic", "reverse mode", "forward mode", "forward diff.", "backward diff.", "central diff."]
    assert [r[0] for r in rows] == names
    assert rows[0][1:] == ["2.88051086", "0", "3"]
    formula = o.page.text_content("#written math")
    assert re.sub("[^a-z0-9()]", "", formula) == "x2cos(x1x2)"
    o.page.wait_for_selector("#vcurve line.part", state="attached")
    assert o.page.locator("#vcurve line.part").count() == 3
    told = o.page.evaluate("window.diffkit.set({output: 1, input: 1}).gradients")
    assert told["symbolic"] == pytest.approx(2.0 + 1 / 3.0, rel=1e-15)


def test_the_truncation_lines_are_the_leading_terms_of_the_errors(open_page):
    o = open_page(explore(lambda x: np.sin(x) * 2.0, 1.1))
    o.page.wait_for_selector("#vcurve line.part", state="attached")
    ends = o.page.eval_on_selector_all("#vcurve line.part", "es => es.map(e => Number(e.getAttribute('y2')))")
    grid = o.page.eval_on_selector_all("#vcurve line.grid", "es => es.map(e => Number(e.getAttribute('y2')))")
    one, decade = grid[-1], (grid[-2] - grid[-1]) / 4
    # the lines end at h = 1: half the second derivative, a sixth of the third, relative to the first
    found = [10 ** ((one - y) / decade) for y in ends[1:]]
    assert found == pytest.approx([np.tan(1.1) / 2, 1 / 6], rel=1e-3)


def test_the_line_of_the_program_is_lit_with_the_step(open_page):
    o = open_page(page_of("two_outputs"), "#3")
    lit = "[...document.querySelectorAll('.code li.now')].map(e => e.textContent.trim())"
    assert o.page.evaluate(lit) == ["a = x1 * x2"]
    o.press("End")  # a hands its adjoint back
    assert o.page.evaluate(lit) == ["a = x1 * x2"]
    assert o.page.query_selector(".code li.now.back")


def test_arrays_show_their_numbers_or_a_strip_once_they_are_known(open_page):
    o = open_page(page_of("digit_classifier"), "#1")
    strip = "document.querySelector('[data-node=\"n7\"] .strip rect').getAttribute('fill')"
    assert o.page.evaluate(strip) == "none"
    o.press("End")
    assert o.page.evaluate(strip).startswith("rgba(")
    o.page.focus('[data-node="n0"]')
    o.press("Enter")
    assert o.page.locator("#details canvas").count() == 2
    o = open_page(page_of("mean_squared_error"), "#2")
    assert o.page.locator("#details table.numbers td").count() > 1


def test_a_sum_says_its_axis_and_a_broadcast_value_that_its_adjoint_is_summed():
    page = explore(lambda a, b: np.sum(a + b, axis=1) @ np.ones(2), np.ones((2, 3)), np.ones(3))
    words = [step["words"] for step in page._data()["live"]["reverse"]]
    assert any("It runs over axis 1, of 3." in w for w in words)
    assert any("b was broadcast, so it is summed over axis 0, of 2." in w for w in words)


def test_a_page_that_only_steps_says_why(open_page):
    o = open_page(explore(lambda a: np.linalg.det(a) * 2.0, np.array([[2.0, 1.0], [1.0, 3.0]])))
    assert "det" in o.page.inner_text(".refused")
    o.press("End")
    assert o.slot("v2") == "10"


def test_inf_and_nan_are_shown_as_such(open_page):
    o = open_page(explore(lambda x: np.log(x), 2.0), "#4")
    o.page.evaluate("window.diffkit.set({inputs: [0]})")
    assert o.slot("v1") == "−∞"
    o.page.evaluate("window.diffkit.set({inputs: [-1]})")
    assert o.slot("v1") == "nan"


def test_a_rolled_loop_shows_the_iteration_of_the_step_and_has_a_slider_for_it(open_page):
    page = explore(programs.logistic_map.with_(length=40), 0.2)
    t, o = page.trace, open_page(page)
    adjoint = t.adjoint(1.0)
    picture = """k => { window.diffkit.set({at: k});
      return Object.fromEntries([...document.querySelectorAll('svg.dk .node.now [data-slot]')].map(
        e => [e.dataset.slot[0], e.textContent])) }"""
    for at in (2, 7, 60, 100):
        told = o.page.evaluate(picture, at)
        row = t.nodes[at - 1]
        assert told["f"] == page.notation.equation(row).text
        assert float(told["v"].replace("−", "-")) == pytest.approx(row.value, rel=1e-3)
    at_end = o.page.evaluate(picture, len(page.steps))  # the input's adjoint is complete
    x_bar = adjoint.adjoint_rows[0].value
    assert float(at_end["d"].rpartition("= ")[2].replace("−", "-")) == pytest.approx(x_bar, rel=1e-3)
    o.page.evaluate("const s = document.getElementById('iteration'); s.value = 12; s.oninput()")
    assert o.page.inner_text("#iterations") == "12 of 39"
    contributions = o.page.evaluate("window.diffkit.state().contributions")
    shown = o.page.eval_on_selector_all(
        ".edge.now text.adjoint:not(.halo)", "es => es.map(e => e.textContent)"
    )
    step = page._data()["live"]["reverse"][o.page.evaluate("window.diffkit.state().step") - 1]
    assert float(shown[0].replace("−", "-")) == pytest.approx(contributions[step["part"]], rel=1e-3)


def test_what_is_said_of_a_point_is_said_there_only(open_page):
    o = open_page(explore(np.abs, 0.0), "#3")
    note = o.page.locator("#notes")
    assert note.is_visible()
    assert "no derivative at x = 0" in note.inner_text()
    o.page.evaluate("window.diffkit.set({inputs: [1.5]})")
    assert not note.is_visible()
    o.page.locator("#reset").click()
    assert note.is_visible()
    o.page.keyboard.press("p")  # to be predicted: nothing is given away
    assert not note.is_visible()


@pytest.mark.parametrize("x", [np.inf, -np.inf, np.nan])
def test_a_page_of_inf_or_nan_computes(open_page, x):
    o = open_page(Kept(explore(lambda x, y: np.exp(x) * y, x, 2.0)))
    last = "Object.values(diffkit.state().values).at(-1)"
    np.testing.assert_equal(float(o.page.evaluate(last)), np.exp(x) * 2)
    assert o.page.evaluate("diffkit.set({inputs: {x: 0}}), " + last) == 2


def test_a_slope_that_is_infinite_draws_no_curve_of_nan(open_page):
    with np.errstate(
        all="ignore"
    ):  # the sweep divides by zero; that the page's console stays empty is the test
        o = open_page(Kept(dk.explore(np.sqrt, 0.0)))
    assert "the slope is infinite" in o.page.inner_text("#notes")


def test_nodes_are_buttons_to_a_reader_too(open_page):
    o = open_page(Kept(explore(lambda x: np.sin(x), 1.0)))
    assert o.page.locator(".picture").get_by_role("group").get_by_role("button").count() == 2
    assert o.page.get_attribute(".picture svg", "role") == "group"
