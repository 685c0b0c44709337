"""The steps of the page, without a browser: their order, their words, and where they end."""

import math

import numpy as np
import pytest

from diffkit import programs, stepper
from diffkit.autodiff.views import trace
from diffkit.errors import InputError


def final(page):
    state = page._initial()
    for step in page.steps:
        state |= step.slots
    return state


def test_values_come_first_and_then_adjoints_flow_back():
    page = stepper(programs.two_outputs, 2.0, 3.0)
    assert [s.kind for s in page.steps] == [*["input"] * 2, *["primal"] * 4, *["seed"] * 2, *["adjoint"] * 6]
    rows = [s.row for s in page.steps if s.kind == "primal"]
    assert rows == sorted(rows)
    sources = [int(s.edges[0].split(".")[0]) for s in page.steps if s.kind == "adjoint"]
    assert sources == sorted(sources, reverse=True)


def test_what_a_comparison_is_equal_to_stands_outside_its_brackets():
    page = stepper(lambda x: x * 2.0 if x > 1.0 else x, 3.0)
    assert [s.formula for s in page.steps if s.kind == "primal"] == [
        "v₁ = (x > 1) = (3 > 1)",
        "v₂ = x·2 = 3·2",
    ]


def test_before_the_sweep_there_are_dashes_and_no_zeros():
    initial = stepper(programs.sum_times, -2.0, 5.0, -4.0)._initial()
    assert initial["v0"] == "–"
    assert initial["d0"] == "x̄ = –"
    assert not any("0" in text for text in initial.values())


def test_the_circuit_of_the_lectures():
    state = final(stepper(programs.sum_times, -2.0, 5.0, -4.0))
    assert [state[f"v{k}"] for k in range(5)] == ["−2", "5", "−4", "3", "−12"]
    assert [state[f"d{k}"] for k in range(5)] == ["x̄ = −4", "ȳ = −4", "z̄ = 3", "q̄ = −4", "f̄ = 1"]


@pytest.mark.parametrize("program", list(programs.all_programs()), ids=lambda p: p.name)
def test_the_last_step_shows_what_the_sweeps_compute(program):
    t = trace(program)(*program.args)
    page = stepper(t)
    state = final(page)
    ones = t.out_structure.unflatten([np.ones_like(np.asarray(o.value))[()] for o in t.outputs])
    adjoints = t.adjoints(ones)
    for row in t.nodes:
        g = adjoints[row.index]
        if np.ndim(row.value) == 0 and g is not None:
            shown = state[f"d{row.index}"].rpartition("= ")[2].replace("−", "-")
            assert float(shown) == pytest.approx(float(g), rel=1e-3, abs=1e-12)


@pytest.mark.parametrize("program", list(programs.all_programs()), ids=lambda p: p.name)
def test_forward_mode_ends_in_the_tangents(program):
    t = trace(program)(*program.args)
    page = stepper(t, mode="forward")
    state = final(page)
    tangents = t.tangents(*page._tangents)
    for row in t.nodes:
        if isinstance(row.value, bool | np.bool_):
            assert state[f"d{row.index}"].endswith("= –")
        elif np.ndim(row.value) == 0:
            shown = state[f"d{row.index}"].rpartition("= ")[2].replace("−", "-")
            expected = 0.0 if tangents[row.index] is None else float(tangents[row.index])
            assert float(shown) == pytest.approx(expected, rel=1e-3, abs=1e-12)


def test_a_step_is_told_in_symbols_and_numbers():
    steps = stepper(programs.two_outputs, 2.0, 3.0).steps
    product = next(s for s in steps if s.kind == "primal")
    assert (product.formula, product.result) == ("a = x₁·x₂ = 2·3", "6")
    last = steps[-1]
    assert last.formula == "x̄₂ = x̄₂ + ā·∂a/∂x₂ = x̄₂ + ā·x₁ = 0.3333 + 1.96·2"
    assert float(last.result) == pytest.approx(1 / 3 + 2 * (1 + math.cos(6)), rel=1e-3)
    assert "contributions add up" in last.words


def test_every_lit_edge_is_an_edge_of_the_picture():
    for program in programs.all_programs():
        page = stepper(program, *program.args)
        drawn = {e.key for e in page._graph()[0].edges}
        assert all(set(s.edges) <= drawn for s in page.steps)
        slots = {label.slot for n in page._graph()[0].nodes for label in n.labels}
        assert all(set(s.slots) <= slots for s in page.steps)


def test_boxes_are_wide_enough_for_every_text_that_they_ever_show():
    from diffkit.graphs.layout.layout_engines import lay_out
    from diffkit.graphs.metrics import text_width

    page = stepper(programs.reuse, 1.5)
    layout = lay_out(page._graph()[1])
    for step in page.steps:
        for slot, text in step.slots.items():
            assert text_width(text, 15) < layout.boxes[f"n{slot[1:]}"].width


def test_thirty_nodes_take_less_than_a_hundred_kilobytes():
    def f(x):
        for _ in range(29):
            x = np.sin(x)
        return x

    page = stepper(f, 0.5)
    assert len(page.trace) == 30
    assert len(page.html().encode()) < 100_000


def test_nothing_of_the_users_ends_the_script_or_starts_an_element():
    name = "</script><img src=x onerror=alert(1)>"
    page = stepper(lambda p: p[name] * p[name], {name: 2.0}).html()
    assert name not in page
    assert "<img" not in page
    assert page.count("</script>") == 2


def test_a_placeholder_in_a_name_stays_a_name():
    page = stepper(lambda p: p["%%DATA%%"] * 2.0, {"%%DATA%%": 2.0}).html()
    assert page.count('"steps":') == 1


def test_the_page_stands_alone(tmp_path):
    path = stepper(programs.two_outputs, 2.0, 3.0).save(tmp_path / "page.html")
    text = path.read_text(encoding="utf-8")
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "").replace("http-equiv", "")
    assert "default-src 'none'" in text


def test_what_does_not_fit_is_told(tmp_path):
    def long(x):
        for _ in range(300):
            x = x * 1.0
        return x

    with pytest.raises(InputError, match="too many to step through"):
        stepper(long, 1.0)
    with pytest.raises(InputError, match='"reverse" or "forward"'):
        stepper(long, 1.0, mode="sideways")
    with pytest.raises(InputError, match="expected a function or a trace"):
        stepper("x", 1.0)
    with pytest.raises(InputError, match="recorded at"):
        stepper(trace(lambda x: x * 1.0)(1.0), 2.0)
    with pytest.raises(InputError, match=r"\.html"):
        stepper(lambda x: x * 1.0, 1.0).save(tmp_path / "page.svg")


def test_notebooks_are_given_a_frame():
    page = stepper(lambda x: x * 2.0, 1.0)
    assert page._repr_mimebundle_()["text/html"].startswith("<iframe srcdoc=")
    page.engine = "no such engine"
    assert page._repr_mimebundle_().keys() == {"text/plain"}
