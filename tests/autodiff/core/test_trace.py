"""The trace as data: what goes in, what comes out, and what is refused."""

import numpy as np
import pytest

import diffkit as dk
from diffkit.autodiff.core.record import parameter_names, record
from diffkit.autodiff.core.trace import WengertList
from diffkit.errors import InputError


def test_what_users_meet_is_the_data_with_views():
    t = dk.trace(dk.programs.two_outputs)(2.0, 3.0)
    data = record(dk.programs.two_outputs, (2.0, 3.0), {})
    assert isinstance(t, WengertList)
    assert type(data) is WengertList
    assert [row.fun for row in t.nodes] == [row.fun for row in data.nodes]
    viewed = dk.Trace.of(data)
    assert viewed.nodes is data.nodes
    assert str(viewed.source()) == str(t.source())


def test_both_products_are_nested_like_what_they_belong_to():
    t = record(lambda p, x: {"y": p["w"] * x, "s": np.sum(x)}, ({"w": 2.0}, np.array([1.0, 3.0])), {})
    pulled = t.pull_back({"y": np.array([1.0, 10.0]), "s": 1.0})
    assert pulled[0] == {"w": 31.0}
    np.testing.assert_array_equal(pulled[1], [3.0, 21.0])
    pushed = t.push_forward({"w": 1.0}, np.array([0.0, 1.0]))
    np.testing.assert_array_equal(pushed["y"], [1.0, 5.0])
    assert pushed["s"] == 1.0


def test_an_output_given_twice_adds_its_cotangents():
    t = record(lambda x: (x * x, x, x), (3.0,), {})
    assert t.pull_back((1.0, 10.0, 100.0)) == 116.0


def test_what_does_not_depend_on_an_input_has_a_zero():
    t = record(lambda x, y: (3.0, x), (1.0, 2.0), {})
    assert t.pull_back((5.0, 7.0)) == (7.0, 0.0)
    assert t.push_forward(1.0, 1.0) == (0.0, 1.0)


def test_derivatives_are_their_receivers_own():
    t = record(lambda x, y: x + y, (np.ones(2), np.ones(2)), {})
    g = np.array([1.0, 2.0])
    of_x, of_y = t.pull_back(g)
    of_x[0] = 100.0
    np.testing.assert_array_equal(of_y, [1.0, 2.0])
    np.testing.assert_array_equal(g, [1.0, 2.0])


def test_a_replay_is_the_program_elsewhere():
    t = record(lambda x: np.exp(x) * x, (0.0,), {})
    assert t.replay(1.0) == np.e
    np.testing.assert_array_equal(t.replay(np.array([0.0, 1.0])), [0.0, np.e])


@pytest.mark.parametrize(
    ("cotangents", "message"),
    [((), "give one cotangent for each output"), ((1.0, 2.0, 3.0), "takes 2 cotangents, but 3 came")],
)
def test_cotangents_that_do_not_fit(cotangents, message):
    t = record(lambda x: (x, 2 * x), (1.0,), {})
    with pytest.raises(InputError, match=message):
        t.pull_back(*cotangents)


def test_inputs_have_the_names_of_their_parameters():
    assert parameter_names(lambda x, y: x, 2) == ["x", "y"]
    assert parameter_names(lambda *xs: xs, 2) == ["xs[0]", "xs[1]"]
    t = record(lambda p, n: p["w"][0] * n, ({"w": [2.0]}, 3), {})
    assert t.names == ["p['w'][0]", "v1"]
    assert t.inputs == [t.nodes[0]]


def test_only_the_arguments_named_are_traced():
    t = record(lambda x, y: x * y, (2.0, 3.0), {}, [1])
    assert t.pull_back() == 2.0
    with pytest.raises(InputError, match="is the integer 3"):
        record(lambda x, y: x * y, (2.0, 3), {}, [1])
