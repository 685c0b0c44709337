"""Containers are taken apart and put together without losing order, types or keys."""

import string
from collections import OrderedDict, defaultdict, namedtuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diffkit.containers import LEAF, describe, flatten, map_leaves, paths
from diffkit.errors import InputError

Point = namedtuple("Point", "x y")

leaf = st.one_of(st.floats(allow_nan=False), st.integers(), st.none(), st.text(string.ascii_letters))
key = st.one_of(st.text(string.ascii_letters, max_size=3), st.integers(), st.tuples(st.integers()))
nested = st.recursive(
    leaf,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(key, inner, max_size=4),
        st.tuples(inner, inner).map(lambda pair: Point(*pair)),
    ),
    max_leaves=20,
)


def same(a, b):
    """Equal in values and in every container's type and order."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


@given(nested)
def test_round_trip(value):
    leaves, structure = flatten(value)
    assert structure.size == len(leaves)
    assert same(structure.unflatten(leaves), value)
    assert same(structure.unflatten(tuple(leaves)), value)


@given(nested)
def test_paths_reach_their_leaves(value):
    leaves, structure = flatten(value)
    names = paths(structure, "x")
    assert len(set(names)) == len(names) == len(leaves)
    for name, found in zip(names, leaves, strict=True):
        assert same(eval(name, {"x": value}), found)


@given(nested)
def test_structures_compare_and_hash_by_nesting(value):
    structure = flatten(value)[1]
    again = flatten(map_leaves(lambda _: "other", value))[1]
    assert structure == again
    assert hash(structure) == hash(again)
    assert structure.leaves_of(value) == flatten(value)[0]


def test_different_nestings_differ():
    values = [
        1.0,
        [1.0],
        (1.0,),
        {"a": 1.0},
        {"b": 1.0},
        [[1.0]],
        [1.0, 2.0],
        Point(1.0, 2.0),
        (1.0, 2.0),
        [],
    ]
    structures = [flatten(v)[1] for v in values]
    assert len(set(structures)) == len(values)


def test_dictionaries_keep_insertion_order_and_match_by_key():
    leaves, structure = flatten({"w": 1.0, "b": 2.0})
    assert leaves == [1.0, 2.0]
    assert structure != flatten({"b": 2.0, "w": 1.0})[1]
    assert structure.leaves_of({"b": 2.0, "w": 1.0}) == [1.0, 2.0]


def test_subclasses_are_rebuilt_as_what_they_were():
    value = {"o": OrderedDict(a=1.0), "d": defaultdict(list, a=2.0), "p": Point(3.0, [4.0])}
    again = map_leaves(lambda leaf: leaf, value)
    assert same(again, value)
    assert again["d"].default_factory is list


def test_arrays_and_their_scalars_are_leaves():
    array = np.arange(6.0).reshape(2, 3)
    leaves, structure = flatten([array, np.float32(1)])
    assert leaves[0] is array
    assert structure.size == 2
    assert flatten(array) == ([array], LEAF)


def test_wrong_number_of_leaves():
    with pytest.raises(InputError, match=r"3 leaves do not fill \[\*, \*\], which has 2"):
        flatten([1, 2])[1].unflatten([1, 2, 3])


@pytest.mark.parametrize(
    ("other", "where"),
    [
        ({"w": [1.0], "b": 0.0}, r"x\['w'\] is nested differently: expected \(\*, \*\), got \[float\]"),
        ({"w": (1.0, 2.0)}, "x is nested differently"),
        ({"w": (1.0, 2.0), "c": 0.0}, "x is nested differently"),
        (np.zeros(3), r"x is nested differently: .* got array \(3,\)"),
    ],
)
def test_a_mismatch_is_named(other, where):
    structure = flatten({"w": (1.0, 2.0), "b": 0.0})[1]
    with pytest.raises(InputError, match=where):
        structure.leaves_of(other, "x")


def test_descriptions():
    assert describe((1.0, {"w": np.zeros((3, 2))})) == "(float, {'w': array (3, 2)})"
    assert describe([np.float32(1), 1, None, 1j, "a"]) == "[float32, int, None, complex, str]"
    assert describe(np.zeros(2, np.float32)) == "float32 array (2,)"
    assert describe(np.array(1.0)) == "array ()"
    assert describe((1.0,)) == "(float,)"
    assert describe(Point(1.0, 2)) == "Point(x=float, y=int)"
    assert repr(flatten(OrderedDict(a=1))[1]) == "OrderedDict({'a': *})"
