"""What came of a submission's run: bytes from the other side, read when somebody wants to know.

Many students hand in the same formula, and so the same bytes; a reply is known by its digest, so that
equal ones need not be read and judged again.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

from diffkit.grading.inside import wire
from diffkit.grading.inside.protocol import Failure, Request, Response

GARBLED = Failure("Garbled", "wrote into the grader's channel something that is no answer")


@dataclass(frozen=True)
class Reply:
    """What came of one request.

    Attributes:
        request: the request.
        frame: the bytes that came for it; b"" for none.
        failure: why none came.
    """

    request: Request
    frame: bytes = b""
    failure: Failure | None = None

    @cached_property
    def response(self) -> Response:
        """The response: an answer to each of the request's steps, or a reason why there is none."""
        if self.failure is not None:
            return Response(failure=self.failure)
        response = read(self.frame)
        whole = len(response.steps) == len(self.request.steps)
        if whole or response.failure is not None or response.missing:
            return response
        return Response(failure=GARBLED)

    @property
    def digest(self) -> bytes:
        """A hash of what came, or of why nothing did."""
        return hashlib.sha256(self.frame or repr(self.failure).encode("utf-8", "surrogatepass")).digest()


@dataclass(frozen=True)
class Run:
    """What came of one submission.

    Attributes:
        replies: one for each request, in order.
        load_failure: what loading the submission raised, or None.
        printed: the beginning of what it printed.
        seconds: the time by the clock.
    """

    replies: tuple[Reply, ...]
    load_failure: Failure | None = None
    printed: str = ""
    seconds: float = 0.0

    @property
    def responses(self) -> tuple[Response, ...]:
        """The replies, read."""
        return tuple(reply.response for reply in self.replies)


def read(frame: bytes) -> Response:
    """The response in a frame; one that is no response is a failure.

    >>> read(b"noise").failure.kind
    'Garbled'
    """
    try:
        return wire.read_response(frame)
    except wire.WireError:
        return Response(failure=GARBLED)
