"""A rolled loop: each drawn row stands for the right row of every iteration."""

import numpy as np
import pytest

import diffkit as dk
from diffkit import programs
from diffkit.errors import InputError
from diffkit.graphs.page.rolled import roll


def decay(x):
    for _ in range(40):
        x = np.sin(x) * 1.1
    return x


def newton(a):
    y = 1.0
    for _ in range(12):
        y = y - (y * y - a) / (2.0 * y)
    return y


def momentum(w, rate):
    v = 0.0 * w
    for _ in range(30):
        g = 2.0 * w
        v = 0.9 * v + g
        w = w - rate * v
    return w * w


def fibonacci(a, b):
    for _ in range(50):
        a, b = b, a + 0.5 * b
    return a * b


def descent(w, X, y):
    for _ in range(20):
        r = X @ w - y
        w = w - 0.05 * (X.T @ r)
    return np.sum(w * w)


def after_and_before(x):
    c = np.exp(x)
    for _ in range(25):
        x = c * np.cos(x)
    return np.log(x * x) + c


LOOPS = [
    (decay, (0.5,)),
    (newton, (2.0,)),
    (momentum, (1.0, 0.1)),
    (descent, (np.ones(2), np.array([[1.0, 2.0], [0.5, -1.0], [2.0, 0.0]]), np.ones(3))),
    (after_and_before, (0.3,)),
]


@pytest.mark.parametrize(("f", "args"), LOOPS, ids=lambda p: getattr(p, "__name__", ""))
def test_each_iteration_takes_over_what_the_one_before_made(f, args):
    t = dk.trace(f)(*args)
    rolled = roll(t)
    assert len(rolled.rows) >= 10
    drawn = set(rolled.body)
    for turn, rows in enumerate(rolled.rows):
        shows = {place: real[turn] for place, real in rolled.real.items()}
        assert tuple(shows[place] for place in rolled.body) == rows
        # every argument of a real row is what the drawn row's argument shows in this iteration
        for place in rolled.body:
            real, model = t.nodes[shows[place]], t.nodes[place]
            assert real.fun is model.fun
            for a, b in zip(real.args, model.args, strict=True):
                if t.owns(b):
                    assert a.index == shows.get(b.index, b.index)
        assert not drawn & (set(rolled.real) - drawn)


@pytest.mark.parametrize(("f", "args"), LOOPS, ids=lambda p: getattr(p, "__name__", ""))
def test_the_picture_has_one_iteration_and_every_arrow_leads_somewhere(f, args):
    page = dk.explore(f, *args)
    page._roll = roll(page.trace)
    graph, _ = page._graph()
    ids = {n.id for n in graph.nodes}
    assert len(ids) < len(page.trace) - 5
    assert all(e.tail in ids and e.head in ids for e in graph.edges)
    assert any(n.returned for n in graph.nodes)
    page.html()


def test_a_loop_all_of_whose_values_are_used_later_is_not_rolled():
    def every(x):
        values = []
        for _ in range(10):
            x = np.sin(x)
            values.append(x)
        return sum(values)

    assert roll(dk.trace(every)(0.5)) is None


def test_a_loop_that_reads_two_iterations_back_is_not_rolled():
    assert roll(dk.trace(fibonacci)(1.0, 2.0)) is None


def test_long_loops_make_a_page_and_longer_ones_are_refused_with_what_to_do():
    page = dk.explore(programs.logistic_map.with_(length=100), 0.2)
    assert len(page.trace) == 298
    assert len(page._graph()[0].nodes) == 5
    with pytest.raises(InputError, match="Take fewer iterations"):
        dk.explore(programs.logistic_map.with_(length=400), 0.2)
