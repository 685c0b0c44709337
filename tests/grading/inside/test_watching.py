"""What the lines of a submission write, told line by line, and read from a side that is not trusted."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from diffkit.grading import Case, Exercise, draws
from diffkit.grading.inside import wire
from diffkit.grading.inside.protocol import Response, Variant, unpack_array
from diffkit.grading.inside.student_side import load, perform
from diffkit.grading.judging.trials import prepare

TEXT = """import numpy as np

def f_vjp(g, ans, x):
    total = np.zeros(2)
    for k in range(2):
        total[k] += g[k] * np.cos(x[k])
    return total
"""


def _request():
    exercise = Exercise(np.sin, [Case("a", draws.normal("2"))], "f", arguments=("x",))
    request = prepare(exercise, 1, draws=1)[0].request
    return dataclasses.replace(request, steps=request.steps[:1])


def test_every_write_is_told_with_its_line():
    module = load(TEXT, "s.py", "watched")
    response = perform(module, dataclasses.replace(_request(), watched=True), Exception)
    written = [(w.line, w.name) for w in response.written]
    assert written[:3] == [(3, "g"), (3, "ans"), (3, "x")]
    assert written[3:] == [(4, "total"), (5, "k"), (6, "total"), (5, "k"), (6, "total"), (7, "return")]
    assert response.lines == ((0, 4), (0, 5), (0, 6), (0, 7))
    assert unpack_array(response.written[-1].value).shape == (2,)
    assert wire.read_response(wire.write(response)) == response


def test_a_variant_is_put_back():
    module = load(TEXT, "s.py", "watched")
    was = "\n".join(TEXT.split("\n")[2:7])
    variant = Variant(0, 3, was.replace("cos", "sin"), was)
    asked = wire.read_request(wire.write(dataclasses.replace(_request(), variant=variant)))
    other, usual = perform(module, asked, Exception), perform(module, _request(), Exception)
    assert other.steps[0].values != usual.steps[0].values
    assert perform(module, _request(), Exception) == usual


def test_a_variant_that_does_not_run_is_a_failure():
    module = load(TEXT, "s.py", "watched")
    variant = Variant(0, 3, "def f_vjp(", "def f_vjp(g, ans, x):\n    return g")
    response = perform(module, dataclasses.replace(_request(), variant=variant), Exception)
    assert response.failure.kind == "SyntaxError"


@pytest.mark.parametrize(
    "rows",
    [
        [[[0, 1]], [0, 1]],
        [[[0, -1]]],
        [[[0, 1]], [0, 1, 2, "x", "<f8", [1], "no base64!"]],
        [[[0, 1]], [0, "1", 2, "x", "<f8", [1], ""]],
        [[[0, 1]], [0, 1, 2, 3, "<f8", [1], ""]],
        "rows",
        [],
        {"0": 1},
    ],
)
def test_what_is_no_report_of_writes_is_refused(rows):
    data = json.dumps([[], [], None, rows]).encode()
    with pytest.raises(wire.WireError):
        wire.read_response(data)


def test_what_is_not_watched_is_as_it_was():
    assert json.loads(wire.write(Response())) == [[], [], None]
