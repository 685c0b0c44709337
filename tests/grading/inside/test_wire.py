"""What crosses the pipe: honest messages whole, hostile ones refused."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from diffkit.grading.inside import wire
from diffkit.grading.inside.protocol import (
    Failure,
    Given,
    Point,
    Request,
    Response,
    Step,
    StepResult,
    Target,
    pack,
    pack_array,
    unpack,
    unpack_array,
)

ARRAYS = [
    np.array(1.5),
    np.zeros((0, 3)),
    np.arange(6).reshape(2, 3),
    np.array([True, False]),
    np.array([1.0, np.nan, -np.inf]),
    np.array([1 + 2j]),
    np.arange(3, dtype=np.float32),
    np.asfortranarray(np.arange(6.0).reshape(2, 3)),
]


@pytest.mark.parametrize("array", ARRAYS, ids=lambda a: f"{a.dtype}{a.shape}")
def test_an_array_arrives_bit_for_bit(array) -> None:
    response = Response((StepResult((Given("array", pack_array(array)),)),))
    (step,) = wire.read_response(wire.write(response)).steps
    back = unpack_array(step.values[0].array)
    assert back.dtype == array.dtype
    assert back.shape == array.shape
    assert back.tobytes() == array.tobytes()


def test_a_request_arrives_as_it_was_sent() -> None:
    point = Point((pack_array(1.0), 2, "text"), (("axis", (0, 1)), ("z", 1j), ("none", None)), None, (0,))
    request = Request(
        Target("a", "vjp", ("a_vjp",)), (point,), ((pack_array(1.0),),), (Step("g", "b", 0, 0, 0),)
    )
    assert wire.read_request(wire.write(request)) == request


VALUES = {
    "a dict of parameters": {"pad": 1, "mode": "train", "momentum": 0.9, "running_mean": np.zeros(3)},
    "lists": [1, [2.5, [True, None]], "text"],
    "NumPy's scalars": [np.int64(1), np.float32(0.5), np.bool_(True), np.complex128(1j)],
    "slices": (slice(1, None, -1), slice(np.int64(2)), ...),
    "keys of any kind": {1: "a", (0, "b"): 2.0, None: {}},
    "what JSON has no number for": [float("inf"), -0.0, 10**40, 2j],
    "arrays": [np.zeros((0, 2)), np.arange(3, dtype=np.int8), np.array(1.5), np.eye(2)[:, ::-1]],
}


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_what_a_team_hands_over_arrives(value) -> None:
    point = Point((pack(value),), (("opt", pack(value)),), None, (0,))
    back = wire.read_request(wire.write(Request(Target("a", "vjp", ("a_vjp",)), (point,), (), ())))
    assert back.points == (point,)
    arrived = unpack(back.points[0].args[0])
    assert repr(arrived) == repr(value)
    assert type(arrived) is type(value)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"a": [1, len]}, r"opt\['a'\]\[1\] is of type builtin_function_or_method"),
        (np.array(["a"]), "opt is an array of dtype <U1, which holds no plain numbers"),
        ({1: {2}}, r"opt\[1\] is of type set"),
        (slice(object()), "a bound of opt is of type object"),
    ],
)
def test_what_cannot_be_carried_is_named_with_its_place(value, words) -> None:
    with pytest.raises(TypeError, match=words):
        pack(value, "opt")


def test_nothing_is_shared_between_two_that_are_handed_the_same() -> None:
    packed = pack({"mean": np.zeros(2), "list": []})
    one, other = unpack(packed), unpack(packed)
    one["mean"] += 1
    one["list"].append(1)
    assert other["list"] == []
    assert not other["mean"].any()


def test_only_plain_data_is_written() -> None:
    with pytest.raises(TypeError, match="set is not plain data"):
        wire.write(Request(Target("a", "vjp", {1}), (), (), ()))


good = json.loads(
    wire.write(Response((StepResult((Given("array", pack_array(1.0)),), failure=Failure("E", "m")),)))
)


def changed(path, value):
    copy = json.loads(json.dumps(good))
    at = copy
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return json.dumps(copy).encode()


STEP = (0, 0)
ARRAY = (*STEP, 0, 0)
HOSTILE = {
    "nothing": b"",
    "no JSON": b"\x80\x04N.",
    "a pickle": b"cos\nsystem\n(S'true'\ntR.",
    "another kind": b'{"is": "Request"}',
    "a list": b"[]",
    "too few fields": json.dumps(good[:2]).encode(),
    "an array without its bytes": changed(ARRAY, ["array", "<f8", []]),
    "a failure of two texts": changed((2,), ["E", "m"]),
    "too many fields": json.dumps([*good, 1]).encode(),
    "steps that are no list": changed((0,), {}),
    "steps beyond number": changed((0,), [0] * 10_001),
    "a step that is none": changed(STEP, 3),
    "no truth value": changed((*STEP, 1), 1),
    "a shape of floats": changed((*ARRAY, 2), [1.5]),
    "a negative shape": changed((*ARRAY, 2), [-1]),
    "a shape of booleans": changed((*ARRAY, 2), [True]),
    "too many axes": changed((*ARRAY, 2), [1] * 65),
    "data that is no base64": changed((*ARRAY, 3), "***"),
    "data that is a number": changed((*ARRAY, 3), 7),
    "a dtype that is a list": changed((*ARRAY, 1), ["<f8"]),
    "a failure that is a text": changed((*STEP, 2), "E"),
    "nested without end": b"[" * 1_000_000,
    "a giant number": b'{"is": ' + b"9" * 100_000 + b"}",
    "not UTF-8": b'{"is": "\xff"}',
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_refuses_what_is_no_response(data: bytes) -> None:
    with pytest.raises(wire.WireError):
        wire.read_response(data)


@given(st.binary(max_size=200))
def test_refuses_noise(data: bytes) -> None:
    with pytest.raises(wire.WireError):
        wire.read_response(data)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda s: st.lists(s) | st.dictionaries(st.text(), s),
    )
)
@example([[], [], None])  # no steps, nothing missing, no failure: this is one
def test_refuses_whatever_json_is_not_what_it_writes(value) -> None:
    try:
        response = wire.read_response(json.dumps(value).encode())
    except wire.WireError:
        return
    assert json.loads(wire.write(response)) == value


@pytest.mark.parametrize(
    ("dtype", "shape", "data"),
    [
        ("|O", (1,), b"\0" * 8),
        ("<f8", (2,), b"\0" * 8),
        ("<f8", (10**9, 10**9), b""),
        ("<M8[ns]", (1,), b"\0" * 8),
        ("|V8", (1,), b"\0" * 8),
        ("<U2", (1,), b"\0" * 8),
        ("nonsense", (1,), b"\0" * 8),
        ("<f8,<f8", (1,), b"\0" * 16),
    ],
)
def test_no_array_is_made_of_false_claims(dtype, shape, data) -> None:
    from diffkit.grading.inside.protocol import Array

    with pytest.raises((ValueError, TypeError)):
        unpack_array(Array(dtype, shape, data))


def test_texts_can_be_printed_and_written() -> None:
    failure = Failure("E\x1b[2J", "\ud800\u202e\x00\x9b" + "x" * 10_000, "line 1\n\tx")
    read = wire.read_response(wire.write(Response(failure=failure))).failure
    assert read is not None
    assert read.kind == "E\ufffd[2J"
    assert read.message.startswith("\ufffd\ufffd\ufffd\ufffdx")
    assert len(read.message) == wire.LONGEST_TEXT
    assert read.where == "line 1\n\tx"
    read.message.encode()
