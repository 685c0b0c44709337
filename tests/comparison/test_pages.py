"""Pages say of their point what every command says of it, in the same words."""

from html import unescape

import numpy as np
import pytest

import diffkit as dk


def logistic(x):
    return 1 / (1 + np.exp(-x))


POINTS = {
    "a kink": (np.abs, (0.0,), "no derivative at x = 0: from the left it is -1, from the right 1"),
    "a kink in an array": (
        lambda a: np.sum(np.maximum(a, 1.0)),
        (np.array([3.0, 1.0]),),
        "no derivative at a[1] = 1",
    ),
    "a jump": (np.floor, (2.0,), "no derivative at x = 2: f jumps"),
    "an infinite slope": (np.cbrt, (0.0,), "no derivative at x = 0: the slope is infinite"),
    "outside the domain": (np.log, (-1.0,), "that point is outside its domain"),
    "overflow": (logistic, (-800.0,), "the program overflows, f does not"),
}


@pytest.mark.parametrize("page_of", [dk.explore, dk.stepper])
@pytest.mark.parametrize(("f", "args", "sentence"), POINTS.values(), ids=POINTS)
def test_a_page_says_what_there_is_to_say(page_of, f, args, sentence):
    with np.errstate(all="ignore"):
        page = page_of(f, *args)
        (note,) = page.notes
        html = page.html()
    assert sentence in note
    assert f'role="note">{note}</p>' in unescape(html)
    assert "Traceback" not in note


@pytest.mark.parametrize("page_of", [dk.explore, dk.stepper])
def test_an_ordinary_point_has_no_notes(page_of):
    page = page_of(dk.programs.two_outputs, 2.0, 3.0)
    assert page.notes == ()
    assert 'role="note"' not in page.html()
    assert page_of(dk.trace(np.abs)(0.0)).notes == ()


@pytest.mark.parametrize(("f", "args"), [(p[0], p[1]) for p in POINTS.values()], ids=POINTS)
def test_it_is_the_sentence_of_the_comparison(f, args):
    with np.errstate(all="ignore"):
        (note,) = dk.stepper(f, *args).notes
        try:
            compared = str(dk.compare(f, *args))
        except dk.errors.DomainError as error:
            compared = str(error)
    assert " ".join(note.split()) in " ".join(compared.split())


def test_a_function_that_only_traces_has_its_page(capsys):
    """Its point is judged by running it on floats, many times; what comes of that is no fault of the page."""
    runs = []

    def of_nodes(x):
        return x * x.value

    def once(x):
        runs.append(x)
        assert len(runs) < 2
        return x * x

    def loud(x):
        print("run")
        return np.abs(x)

    for f in (of_nodes, once):
        assert not dk.stepper(f, 1.5).notes
    assert dk.stepper(loud, 0.0).notes
    assert capsys.readouterr().out == "run\n"
