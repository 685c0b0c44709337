"""Requests and responses as bytes: JSON with the arrays' bytes in base64, and never pickle.

What comes back from a submission's side is hostile until shown otherwise, so it is read field by field:
unknown kinds, wrong types and oversized parts are refused before anything is made of them.

>>> from diffkit.grading.protocol import Response, StepResult, Given, pack_array
>>> response = Response((StepResult((Given("array", pack_array(2.5)),), seconds=0.25),))
>>> read_response(write(response)) == response
True
"""

from __future__ import annotations

import base64
import dataclasses
import json
import re
from collections.abc import Callable
from typing import Any, TypeVar

from diffkit.grading.protocol import (
    LARGEST_ANSWER,
    Array,
    Failure,
    Given,
    Point,
    Request,
    Response,
    Step,
    StepResult,
    Target,
)

__all__ = ["WireError", "clean", "read_request", "read_response", "write"]

T = TypeVar("T")

_KINDS: tuple[Any, ...] = (Array, Failure, Given, Point, Request, Response, Step, StepResult, Target)
_BY_NAME = {kind.__name__: kind for kind in _KINDS}
_FIELDS = {kind: tuple(field.name for field in dataclasses.fields(kind)) for kind in _KINDS}
_KEYS = {kind: {"is", *names} for kind, names in _FIELDS.items()}
LONGEST_TEXT = 4000
# Control characters but tab and newline; lone surrogates; and marks that reverse the direction of writing.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")


class WireError(ValueError):
    """Bytes that are not a message: what a submission gets for writing into the channel itself."""


def write(message: Request | Response) -> bytes:
    """A message as bytes.

    Raises:
        TypeError: if it holds something that is not plain data.
    """
    return json.dumps(_plain(message), separators=(",", ":")).encode()


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, tuple):
        return [_plain(v) for v in value]
    if isinstance(value, complex):
        return {"is": "complex", "parts": [value.real, value.imag]}
    if type(value) in _FIELDS:
        fields = {name: _plain(getattr(value, name)) for name in _FIELDS[type(value)]}
        return {"is": type(value).__name__, **fields}
    raise TypeError(f"{type(value).__name__} is not plain data")


def read_request(data: bytes) -> Request:
    """A request, as the grader wrote it; the grader is trusted, so its form is taken as it is."""
    request: Request = _rebuilt(json.loads(data))
    return request


def _rebuilt(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_rebuilt(v) for v in value)
    if not isinstance(value, dict):
        return value
    if value["is"] == "complex":
        return complex(*value["parts"])
    fields = {name: _rebuilt(v) for name, v in value.items() if name != "is"}
    if value["is"] == "Array":
        fields["data"] = base64.b64decode(fields["data"])
    return _BY_NAME[value["is"]](**fields)


# -- what comes from the other side ---------------------------------------------------------------------


def read_response(data: bytes) -> Response:
    """A response, read with every field's type and size verified.

    Raises:
        WireError: if it is not one.
    """
    try:
        return _response(json.loads(data))
    except WireError:
        raise
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise WireError(f"not a response: {type(error).__name__}") from None


def _fields(value: Any, kind: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or value.keys() != _KEYS[kind] or value["is"] != kind.__name__:
        raise WireError(f"expected a {kind.__name__}")
    return value


def _list_of(read: Callable[[Any], T], value: Any, most: int = 10_000) -> tuple[T, ...]:
    if not isinstance(value, list) or len(value) > most:
        raise WireError("expected a list")
    return tuple(read(v) for v in value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise WireError("expected a text")
    return clean(value[:LONGEST_TEXT])


def clean(text: str) -> str:
    """Text that can be encoded, and that moves no terminal's cursor.

    >>> clean("a\\x1b[31mb\\ud800\\n")
    'a\ufffd[31mb\ufffd\\n'
    """
    return _UNPRINTABLE.sub("\ufffd", text)


def _integer(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= LARGEST_ANSWER:
        raise WireError("expected an integer")
    return value


def _array(value: Any) -> Array:
    fields = _fields(value, Array)
    encoded = fields["data"]
    if not isinstance(encoded, str) or len(encoded) > 4 * LARGEST_ANSWER // 3 + 4:
        raise WireError("expected an array's bytes, not so many")
    data = base64.b64decode(encoded, validate=True)
    return Array(_text(fields["dtype"]), _list_of(_integer, fields["shape"], 64), data)


def _given(value: Any) -> Given:
    fields = _fields(value, Given)
    return Given(_text(fields["kind"]), None if fields["array"] is None else _array(fields["array"]))


def _failure(value: Any) -> Failure | None:
    if value is None:
        return None
    fields = _fields(value, Failure)
    return Failure(_text(fields["kind"]), _text(fields["message"]), _text(fields["where"]))


def _step_result(value: Any) -> StepResult:
    fields = _fields(value, StepResult)
    seconds = fields["seconds"]
    if (
        not isinstance(fields["grouped"], bool)
        or not isinstance(seconds, int | float)
        or not 0 <= seconds < 1e9
    ):
        raise WireError("expected a truth value and a time")
    return StepResult(
        _list_of(_given, fields["values"], 1000),
        fields["grouped"],
        _failure(fields["failure"]),
        _list_of(_text, fields["changed"], 1000),
        float(seconds),
    )


def _response(value: Any) -> Response:
    fields = _fields(value, Response)
    return Response(
        _list_of(_step_result, fields["steps"]),
        _list_of(_text, fields["missing"], 1000),
        _failure(fields["failure"]),
    )
