"""Drawings and the stepping page in a real browser."""

import re
from xml.etree import ElementTree

import pytest

import diffkit as dk
from diffkit import draw, programs, stepper

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_clicking_to_the_end_gives_the_adjoints(open_page, scheme):
    o = open_page(stepper(programs.neuron_loss, *programs.neuron_loss.args), color_scheme=scheme)
    clicks = o.page.evaluate(
        "() => { const b = document.getElementById('next'); let k = 0;"
        "while (!b.disabled) { b.click(); k++ } return k }"
    )
    assert o.count() == f"{clicks} / {clicks}"
    gradient = dk.grad(programs.neuron_loss, argnum=(0, 1, 2, 3))(*programs.neuron_loss.args)
    for k, g in enumerate(gradient):
        assert float(o.slot(f"d{k}").rpartition("= ")[2].replace("−", "-")) == pytest.approx(g, rel=1e-3)


def test_light_and_dark_differ_and_both_can_be_read(open_page):
    colours = []
    for scheme in ("light", "dark"):
        o = open_page(stepper(programs.sum_times, -2.0, 5.0, -4.0), "#5", color_scheme=scheme)
        colours.append(
            o.page.evaluate(
                "[getComputedStyle(document.body).backgroundColor,"
                "getComputedStyle(document.querySelector('.dk text.formula')).fill]"
            )
        )
    assert colours == [["rgb(255, 255, 255)", "rgb(27, 31, 36)"], ["rgb(20, 24, 29)", "rgb(232, 234, 237)"]]


def test_keys_buttons_slider_and_link_agree(open_page):
    o = open_page(stepper(programs.two_outputs, 2.0, 3.0), "#3")
    assert o.count() == "3 / 14"
    o.press("ArrowRight", 2)
    assert o.count() == "5 / 14"
    assert o.page.evaluate("location.hash") == "#5"
    o.press("ArrowLeft")
    o.page.click("#back")
    assert o.count() == "3 / 14"
    o.press("End")
    assert o.count() == "14 / 14"
    o.press("Home")
    assert o.count() == "0 / 14"
    o.page.evaluate("const s = document.getElementById('slider'); s.value = 9; s.oninput({target: s})")
    assert o.count() == "9 / 14"
    o.page.evaluate("location.hash = '#2'")
    o.page.wait_for_function("document.getElementById('count').textContent === '2 / 14'")


def test_going_back_undoes_a_step(open_page):
    o = open_page(stepper(programs.two_outputs, 2.0, 3.0), "#9")
    assert o.slot("d2") == "ā = 1"
    o.press("ArrowLeft", 1)
    assert o.slot("d2") == "ā = –"


def test_the_step_is_lit_in_the_picture_and_marked_in_the_table(open_page):
    o = open_page(stepper(programs.two_outputs, 2.0, 3.0), "#9")  # y2 hands its adjoint to a
    lit = o.page.eval_on_selector_all(
        ".edge.now", "es => es.map(e => [e.dataset.edge, e.classList.contains('back')])"
    )
    assert lit == [["5.0", True]]
    assert o.page.eval_on_selector_all(".node.now", "es => es.map(e => e.dataset.node)") == ["n2"]
    assert o.page.eval_on_selector_all("tr.now", "es => es.map(e => e.dataset.row)") == ["2"]
    assert o.page.inner_text("#formula") == "ā = ȳ₂·∂y₂/∂a = ȳ₂ = 1"
    assert o.page.inner_text("#live").startswith("ā = ")
    assert o.page.get_attribute("#live", "aria-live") == "polite"


def test_a_local_derivative_shows_once_it_is_known(open_page):
    o = open_page(stepper(programs.two_outputs, 2.0, 3.0), "#2")
    label = "document.querySelector('[data-edge=\"2.0\"] text')"
    assert o.page.evaluate(f"{label} === null")  # not in the page at all, so that nothing can tell it
    o.press("ArrowRight")
    assert o.page.evaluate(f"getComputedStyle({label}).visibility") == "visible"


def test_predict_asks_before_it_tells(open_page):
    o = open_page(stepper(programs.sum_times, -2.0, 5.0, -4.0), "#3")
    o.page.click("#predict")
    o.press("ArrowRight")
    assert o.count() == "3 / 10"
    assert o.slot("v3") == "?"
    assert o.page.inner_text("#formula") == "q = x + y = ?"
    assert "3" not in o.page.inner_text("#live").replace("3 / 10", "")
    o.press("ArrowRight")
    assert o.count() == "4 / 10"
    assert o.slot("v3") == "3"
    o.page.evaluate("location.hash = '#7'")
    o.page.wait_for_function("document.getElementById('count').textContent === '7 / 10'")
    o.press("ArrowRight")
    assert "?" in "".join(o.slot(f"d{k}") for k in range(5))


def test_a_click_on_a_node_tells_all_about_it(open_page):
    o = open_page(stepper(programs.two_outputs, 2.0, 3.0))
    o.page.click('[data-node="n2"]')
    text = o.page.inner_text("#details")
    for part in (
        "a = x₁·x₂",
        "a = x1 * x2",
        "2 contributions",
        "from y₂: ȳ₂ = 1",
        "from y₁: ȳ₁·cos(a) = 0.9602",
    ):
        assert part in text


def test_a_node_can_be_chosen_with_the_keyboard(open_page):
    o = open_page(stepper(programs.two_outputs, 2.0, 3.0))
    o.page.focus('[data-node="n3"]')
    o.press("Enter")
    assert "y₁ = sin(a)" in o.page.inner_text("#details")


def test_reduced_motion_stops_the_animation(open_page):
    running = "getComputedStyle(document.querySelector('.edge.now .line')).animationName"
    page = stepper(programs.two_outputs, 2.0, 3.0)
    assert open_page(page, "#9", reduced_motion="no-preference").page.evaluate(running) == "flow"
    assert open_page(page, "#9").page.evaluate(running) == "none"


def test_without_javascript_the_last_step_is_shown(open_page):
    o = open_page(stepper(programs.sum_times, -2.0, 5.0, -4.0), java_script_enabled=False)
    assert o.page.inner_text('tr[data-row="0"]').split("\t") == ["x", "−2", "x̄ = −4"]
    assert not o.page.is_visible(".controls")
    assert o.page.is_visible("noscript")


@pytest.mark.parametrize("name", ["</script><script>console.log('in')</script>", "<b>", '"', "&lt;", "a\nb"])
def test_strange_names_are_shown_as_they_are(open_page, name):
    o = open_page(stepper(lambda p: p[name] * 2.0, {name: 3.0}), "#2")
    shown = f"p[{name!r}]"
    assert o.page.text_content('[data-node="n0"] text.formula') == shown
    assert o.page.text_content('tr[data-row="0"] td') == shown


def _scale(page):
    """Pixels per point of the picture."""
    return page.eval_on_selector("svg.dk", "e => e.getBoundingClientRect().width / e.viewBox.baseVal.width")


def test_a_small_picture_grows_on_a_large_screen_and_stays_whole(open_page):
    o = open_page(stepper(programs.two_outputs, 2.0, 3.0))
    o.page.set_viewport_size({"width": 1400, "height": 900})
    assert 1.2 < _scale(o.page) <= 1.7
    assert o.page.evaluate("document.documentElement.scrollHeight <= innerHeight")


def test_on_a_phone_a_wide_picture_is_scrolled_to_the_step_and_can_be_read(open_page):
    o = open_page(stepper(programs.helmholtz, *programs.helmholtz.args))
    o.page.set_viewport_size({"width": 390, "height": 800})
    assert _scale(o.page) >= 0.54
    assert o.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for _ in range(12):
        o.press("ArrowRight")
        box = o.page.locator(".node.now").first.bounding_box()
        below = o.page.locator(".top").bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
        assert box["y"] >= below["y"] + below["height"]


def test_forward_mode(open_page):
    o = open_page(stepper(programs.two_outputs, 2.0, 3.0, mode="forward"))
    o.press("End")
    assert o.slot("d2") == "ȧ = 3"
    assert not o.page.query_selector(".back:not(button)")


def test_a_drawing_saved_as_a_page(open_page):
    o = open_page(draw(programs.sum_times, -2.0, 5.0, -4.0, view="both"))
    assert o.page.query_selector("svg.dk")


@pytest.fixture(scope="module")
def canvas(browser):
    page = browser.new_page(viewport={"width": 6000, "height": 4000})
    yield page
    page.close()


def test_the_picture_shrinks_with_its_container(canvas):
    drawing = draw(programs.two_outputs, 2.0, 3.0, view="both")
    canvas.set_content(f"<div style='width:300px'>{drawing.svg()}</div>")
    box = canvas.query_selector("svg").bounding_box()
    assert box["width"] == pytest.approx(300)
    assert box["height"] == pytest.approx(300 * drawing.layout.height / drawing.layout.width, rel=0.05)


def test_the_page_has_one_heading_and_names_its_parts(open_page):
    o = open_page(stepper(programs.two_outputs, 2.0, 3.0))
    tree = o.page.content()
    assert len(re.findall("<h1", tree)) == 1
    for id in ("first", "back", "next", "last", "slider"):
        assert o.page.get_attribute(f"#{id}", "aria-label")


def test_a_key_saves_the_frame_as_a_slide_that_needs_nothing_else(open_page, tmp_path):
    o = open_page(stepper(programs.two_outputs, 2.0, 3.0), "#9")
    with o.page.expect_download() as download:
        o.press("s")
    assert download.value.suggested_filename == "two_outputs_9.svg"
    path = tmp_path / "frame.svg"
    download.value.save_as(path)
    text = path.read_text(encoding="utf-8")
    root = ElementTree.fromstring(text)
    assert (root.get("width"), root.get("height"), root.get("viewBox")) == ("1280", "720", "0 0 1280 720")
    assert "class=" not in text
    assert "url(" not in text
    said = {"".join(e.itertext()) for e in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {"ā = ȳ₂·∂y₂/∂a = ȳ₂ = 1", "ā = 1", "x̄₂ = –"} <= said
    o.asked[:] = [url for url in o.asked if not url.startswith("blob:")]  # the page's own, from its memory


def test_printing_gives_all_steps_each_with_its_picture(open_page):
    o = open_page(stepper(programs.two_outputs, 2.0, 3.0), "#4")
    o.page.emulate_media(media="print")
    o.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    captions = o.page.eval_on_selector_all("#handout figcaption", "es => es.map(e => e.textContent)")
    assert [int(c.partition(".")[0]) for c in captions] == list(range(1, 15))
    assert "y₂ hands its adjoint back to a" in captions[8]
    pictures = "es => es.map(e => e.querySelector('[data-slot=\"d2\"]').textContent)"
    adjoints = o.page.eval_on_selector_all("#handout figure svg", pictures)
    assert (adjoints[3], adjoints[8], adjoints[13]) == ("ā = –", "ā = 1", "ā = 1.96")
    assert not o.page.is_visible(".controls")
    assert o.count() == "4 / 14"
    o.page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert o.page.query_selector("#handout") is None
    o.page.emulate_media(media="screen")
