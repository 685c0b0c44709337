"""Requests and responses as bytes, and never pickle.

A request is marshal's, which is quick; what that has no form for is ``{NAME: parts}``. A response is JSON
with the arrays' bytes in base64.

What comes back from a submission's side is hostile until shown otherwise, so it is read field by field:
unknown kinds, wrong types and oversized parts are refused before anything is made of them.

>>> from diffkit.grading.inside.protocol import Response, StepResult, Given, pack_array
>>> response = Response((StepResult((Given("array", pack_array(2.5)),)),))
>>> read_response(write(response)) == response
True
"""

from __future__ import annotations

import binascii
import dataclasses
import json
import marshal
import re
from collections.abc import Callable
from typing import Any, TypeVar

from diffkit.grading.inside.protocol import (
    LARGEST_ANSWER,
    Array,
    Failure,
    Given,
    Point,
    Request,
    Response,
    Scalar,
    Step,
    StepResult,
    Target,
    Variant,
    Written,
)

T = TypeVar("T")

_KINDS: tuple[Any, ...] = (Array, Scalar, Step, Target, Variant)
_FIELDS = {kind: tuple(field.name for field in dataclasses.fields(kind)) for kind in _KINDS}
LONGEST_TEXT, LONGEST_NAME = 4000, 60
# Control characters but tab and newline; lone surrogates; and marks that reverse the direction of writing.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")


class WireError(ValueError):
    """Bytes that are not a message: what a submission gets for writing into the channel itself."""


def write(message: Request | Response) -> bytes:
    """A message as bytes.

    Raises:
        TypeError: if it holds something that is not plain data.
    """
    if isinstance(message, Request):
        return marshal.dumps(_request_rows(message))
    return json.dumps(_rows(message), separators=(",", ":")).encode()


# A response has some thousand arrays, so it is written as rows, without the names of the fields:
# [steps, missing, failure] of [values, grouped, failure, left] of [kind, dtype, shape, data]; and, where that
# was watched, [lines, [part, line, frame, name, dtype, shape, data] ...].


def _rows(response: Response) -> list[Any]:
    steps = [
        [
            [_cells(v) for v in s.values],
            s.grouped,
            _failure_row(s.failure),
            _encoded(s.left),
        ]
        for s in response.steps
    ]
    rows = [steps, response.missing, _failure_row(response.failure)]
    return [*rows, [response.lines, *map(_written_row, response.written)]] if response.lines else rows


def _written_row(w: Written) -> list[Any]:
    return [w.part, w.line, w.frame, w.name, w.value.dtype, w.value.shape, _encoded(w.value.data)]


def _encoded(data: bytes) -> str:
    return binascii.b2a_base64(data, newline=False).decode()


def _cells(given: Given) -> list[Any]:
    array = given.array
    if array is None:
        return [given.kind]
    return [given.kind, array.dtype, array.shape, _encoded(array.data)]


def _failure_row(failure: Failure | None) -> list[str] | None:
    return None if failure is None else [failure.kind, failure.message, failure.where]


# A request goes to a side that has no reason to distrust it; every submission's process reads it anew.


def _request_rows(request: Request) -> tuple[Any, ...]:
    return (
        _plain(_parts(request.target)),
        [(_plain(p.args), _plain(p.kwargs), _plain(p.ans), p.differentiated) for p in request.points],
        [[_parts(array) for array in seeds] for seeds in request.seeds],
        [_parts(step) for step in request.steps],
        request.steady,
        None if request.variant is None else _parts(request.variant),
        request.watched,
    )


def read_request(data: bytes) -> Request:
    """A request, as the grader wrote it; the grader is trusted, so its form is taken as it is."""
    target, points, seeds, steps, steady, variant, watched = marshal.loads(data)
    return Request(
        Target(*_rebuilt(target)),
        tuple([Point(_rebuilt(a), _rebuilt(k), _rebuilt(ans), which) for a, k, ans, which in points]),
        tuple([tuple([Array(*parts) for parts in each]) for each in seeds]),
        tuple([Step(*parts) for parts in steps]),
        steady,
        None if variant is None else Variant(*variant),
        watched,
    )


def _parts(message: Any) -> tuple[Any, ...]:
    return tuple([getattr(message, name) for name in _FIELDS[type(message)]])


_TAGGED: dict[Any, tuple[Callable[[Any], tuple[Any, ...]], Callable[..., Any]]] = {
    dict: (lambda d: tuple(d.items()), lambda *items: dict(items)),
    slice: (lambda s: (s.start, s.stop, s.step), slice),
    Array: (_parts, Array),
    Scalar: (_parts, Scalar),
}
"""Of all that marshal has no form for, and dicts: what it is made of, and what makes it of that."""
_BY_NAME = {kind.__name__: put_together for kind, (_, put_together) in _TAGGED.items()}
_AS_IT_IS = frozenset({type(None), str, bytes, bool, int, float, complex, type(...)})


def _plain(value: Any) -> Any:
    kind = type(value)
    if kind in _AS_IT_IS:
        return value
    if kind is tuple or kind is list:
        return kind([_plain(v) for v in value])
    if kind not in _TAGGED:
        raise TypeError(f"{kind.__name__} is not plain data")
    return {kind.__name__: tuple([_plain(v) for v in _TAGGED[kind][0](value)])}


def _rebuilt(value: Any) -> Any:
    kind = type(value)
    if kind is tuple or kind is list:
        return kind([_rebuilt(v) for v in value])
    if kind is not dict:
        return value
    ((name, parts),) = value.items()
    return Array(*parts) if name == "Array" else _BY_NAME[name](*map(_rebuilt, parts))


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


def _row(value: Any, *lengths: int) -> list[Any]:
    if type(value) is not list or len(value) not in lengths:
        raise WireError("expected a row")
    return value


def _list_of(read: Callable[[Any], T], value: Any, most: int = 10_000) -> tuple[T, ...]:
    if value == []:
        return ()
    if type(value) is not list or len(value) > most:
        raise WireError("expected a list")
    return tuple([read(v) for v in value])


_COMMON = frozenset({"array", "<f8"})


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise WireError("expected a text")
    if value in _COMMON or (len(value) < 16 and value.isascii() and value.isprintable()):
        return value
    return clean(value[:LONGEST_TEXT])


def clean(text: str) -> str:
    """Text that can be encoded, and that moves no terminal's cursor.

    >>> clean("a\\x1b[31mb\\ud800\\n")
    'a\ufffd[31mb\ufffd\\n'
    """
    return _UNPRINTABLE.sub("\ufffd", text)


def _shape(value: Any) -> tuple[int, ...]:
    if type(value) is not list or len(value) > 64:
        raise WireError("expected a shape")
    for n in value:
        if type(n) is not int or not 0 <= n <= LARGEST_ANSWER:
            raise WireError("expected an integer")
    return tuple(value)


def _given(value: Any) -> Given:
    cells = _row(value, 1, 4)
    if len(cells) == 1:
        return Given(_text(cells[0]))
    kind, dtype, shape, encoded = cells
    return Given(_text(kind), Array(_text(dtype), _shape(shape), _decoded(encoded)))


def _decoded(encoded: Any) -> bytes:
    if type(encoded) is not str or len(encoded) > 4 * LARGEST_ANSWER // 3 + 4:
        raise WireError("expected an array's bytes, not so many")
    return binascii.a2b_base64(encoded, strict_mode=True)


def _failure(value: Any) -> Failure | None:
    return None if value is None else Failure(*map(_text, _row(value, 3)))


def _step_result(value: Any) -> StepResult:
    values, grouped, failure, left = _row(value, 4)
    if type(grouped) is not bool:
        raise WireError("expected a truth value")
    return StepResult(
        _list_of(_given, values, 1000),
        grouped,
        _failure(failure),
        _decoded(left),
    )


def _response(value: Any) -> Response:
    steps, missing, failure, *watched = _row(value, 3, 4)
    read = Response(_list_of(_step_result, steps), _list_of(_text, missing, 1000), _failure(failure))
    if not watched:
        return read
    lines, *written = _list_of(lambda row: row, watched[0])
    return dataclasses.replace(
        read, lines=_list_of(_place, lines), written=tuple(_written(row) for row in written)
    )


def _place(value: Any) -> tuple[int, int]:
    part, line = _shape(_row(value, 2))
    return part, line


def _written(value: Any) -> Written:
    part, line, frame, name, dtype, shape, encoded = _row(value, 7)
    part, line, frame = _shape([part, line, frame])
    array = Array(_text(dtype), _shape(shape), _decoded(encoded))
    return Written(part, line, frame, _text(name)[:LONGEST_NAME], array)
