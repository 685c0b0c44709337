"""``diffkit draw`` and ``step``: what the library has, the command line has."""

from __future__ import annotations


def test_seeds_tangents_and_digits_are_given_on_the_command_line(diffkit) -> None:
    drawn = diffkit("draw", "two_outputs", "--view", "both", "--seed", "1", "--seed", "0").out
    assert "from the seeds ȳ₁ = 1, ȳ₂ = 0" in drawn
    assert "x̄₁ = 2.881" in drawn
    moved = diffkit("draw", "two_outputs", "--view", "tangent", "--tangent", "0", "--tangent", "1").out
    assert "ȧ = 2" in moved
    assert "7.0986123" in diffkit("draw", "two_outputs", "--digits", "8").out


def test_too_few_seeds_are_refused_in_words(diffkit) -> None:
    done = diffkit("draw", "two_outputs", "--view", "both", "--seed", "1")
    assert done.status != 0
    assert "one seed is given for each of 2" in done.err


def test_the_page_plays_forward_mode_and_the_seeds_asked_for(diffkit, tmp_path) -> None:
    path = tmp_path / "page.html"
    assert diffkit(
        "step", "two_outputs", "--mode", "forward", "--tangent", "0", "--tangent", "1", "-o", str(path)
    )
    assert "ẏ₂ = 2.333" in path.read_text(encoding="utf-8")
    diffkit("step", "two_outputs", "--seed", "0", "--seed", "1", "-o", str(path))
    assert "x̄₁ = 3" in path.read_text(encoding="utf-8")


def test_several_outputs_are_drawn_as_expressions(diffkit) -> None:
    for view in ("dag", "tree"):
        assert "digraph" in diffkit("draw", "two_outputs", "--view", view).out


def test_pages_say_of_a_point_what_the_terminal_says(diffkit, tmp_path):
    file = tmp_path / "mine.py"
    file.write_text("import numpy as np\ndef hinge(m):\n    return np.maximum(0.0, 1.0 - m)\n")
    note = "no derivative at m = 1: from the left it is -1, from the right 0"
    for command in ("explore", "step"):
        path = tmp_path / f"{command}.html"
        done = diffkit(command, f"{file}:hinge", "1", "-o", str(path))
        assert note in done.err
        assert note in path.read_text(encoding="utf-8")


def test_the_page_of_a_program_that_swells_counts_it(diffkit, tmp_path):
    path = tmp_path / "page.html"
    diffkit("explore", "soft_relu", "-o", str(path))
    assert '"by":"depth","growth":[[1,' in path.read_text(encoding="utf-8")
