"""Talking with one submission's process: the job, the requests when their time has come, the answers.

What a process gets early it can tell early. So a request is sent when those before it are answered, or
nearly: some that students may see the inputs of are sent ahead, since the other side would wait for each
otherwise. Those of hidden cases come last and one at a time, and from then on nothing that the process
prints is kept.

The clock is fair: what a process waits for a processor, since others have them, is not counted.
"""

from __future__ import annotations

import contextlib
import os
import select
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from diffkit.grading.exercises.limits import Limits

LONGEST_OUTPUT = 4000
"""Bytes of what a submission prints that are kept."""

AHEAD = 16
"""Requests that are sent before the first of them is answered."""

SHORTEST = 0.01
"""Of the time for an exercise: less than so much more is not granted for having waited."""

BREATH = 0.001
"""Seconds between looks at the channel: some ten answers come in that time, and are read at once."""


@dataclass
class Heard:
    """What came from a process.

    Attributes:
        end: how it ended: "done", or "time", "output", "answer" for a limit, "died", or "garbled".
        frames: what came, one frame after the other.
        printed: the beginning of what it printed before the first hidden request was sent.
        seconds: the time until then.
    """

    end: str = ""
    frames: list[bytes] = field(default_factory=list)
    printed: bytearray = field(default_factory=bytearray)
    seconds: float = 0.0


class _Conversation:
    def __init__(
        self,
        job: bytes,
        requests: Sequence[bytes],
        exercises: Sequence[int],
        hidden_from: int,
        limits: Limits,
        pipes: tuple[int, int, int],
        waited: Callable[[], float],
    ) -> None:
        self.waited, self.forgiven = waited, 0.0
        self.requests, self.exercises = requests, [-1, -1, *exercises]  # of each frame; -1 is loading
        self.hidden_from, self.limits = hidden_from, limits
        self.to, self.back, self.output = pipes
        self.heard, self.started = Heard(), time.monotonic()
        self.unsent, self.asked = bytearray(_frame(job)), 0
        self.received, self.total, self.printed = bytearray(), 0, 0
        self.in_secret = False

    def hold(self) -> Heard:
        """Until all is answered, or a limit is reached."""
        heard, poller = self.heard, select.poll()
        for fd, what in ((self.back, select.POLLIN), (self.output, select.POLLIN), (self.to, select.POLLOUT)):
            os.set_blocking(fd, False)
            poller.register(fd, what)
        deadline = self.started + self.limits.wall_time
        while not heard.end:
            left = deadline - time.monotonic()
            ready = dict(poller.poll(max(0.0, left) * 1000))
            if self.output in ready and not self._print():
                poller.unregister(self.output)
            if self.back in ready and self._answers():
                deadline = time.monotonic() + self.limits.wall_time
            elif left <= 0 and not heard.end:
                forgiven, self.forgiven = self.forgiven, self.waited()
                deadline += self.forgiven - forgiven
                if self.forgiven - forgiven < SHORTEST * self.limits.wall_time:
                    heard.end = "time"
            self._ask()
            if self.to in ready and not self._send():
                poller.modify(self.to, 0)
            elif self.unsent:
                poller.modify(self.to, select.POLLOUT)
            if not self.in_secret and self.back in ready and not heard.end:
                time.sleep(BREATH)
        self._print()
        if not self.in_secret:
            heard.seconds = time.monotonic() - self.started
        return heard

    def _ask(self) -> None:
        """Puts the requests whose time has come among what is to be sent."""
        answered = len(self.heard.frames) - 2
        while answered >= 0 and self.asked < len(self.requests):
            hidden = self.asked >= self.hidden_from
            if self.asked - answered >= (1 if hidden else AHEAD):
                return
            if hidden and not self.in_secret:
                if self.asked > answered:
                    return
                self._print()
                self.in_secret, self.heard.seconds = True, time.monotonic() - self.started
            self.unsent += _frame(self.requests[self.asked])
            self.asked += 1

    def _send(self) -> bool:
        """Sends what fits into the pipe; whether anything is left."""
        try:
            with contextlib.suppress(BlockingIOError):
                del self.unsent[: os.write(self.to, memoryview(self.unsent)[: 1 << 16].tobytes())]
        except BrokenPipeError:
            self.unsent.clear()  # whether it has ended, its answers tell
        return bool(self.unsent)

    def _print(self) -> bool:
        """Reads what was printed; False if nothing can come any more."""
        while True:
            try:
                data = os.read(self.output, 1 << 16)
            except BlockingIOError:
                return True
            self.printed += len(data)
            if not self.in_secret:
                self.heard.printed += data[: max(0, LONGEST_OUTPUT - len(self.heard.printed))]
            if self.printed > self.limits.output:
                self.heard.end = self.heard.end or "output"
                return True
            if not data:
                return False

    def _answers(self) -> bool:
        """Reads what was answered; whether an exercise is done with, so that the clock starts anew."""
        heard, frames, done = self.heard, self.heard.frames, False
        try:
            data = os.read(self.back, 1 << 16)
        except BlockingIOError:
            return False
        if not data:
            heard.end = heard.end or "died"
            return False
        self.received += data
        self.total += len(data)
        while len(self.received) >= 8 and not heard.end:
            size = int.from_bytes(self.received[:8], "big")
            if size > self.limits.answer or self.total > self.limits.answers:
                heard.end = "answer"
            if len(self.received) < 8 + size or heard.end:
                break
            frames.append(bytes(self.received[8 : 8 + size]))
            del self.received[: 8 + size]
            failed_to_load = len(frames) == 2 and size
            if len(frames) == len(self.exercises) or failed_to_load:
                heard.end = "done"
            elif len(frames) > self.asked + 2:  # an answer to what has not been asked
                heard.end = "garbled"
                frames.pop()
            else:
                done = done or self.exercises[len(frames)] != self.exercises[len(frames) - 1]
        return done


def _frame(data: bytes) -> bytes:
    return len(data).to_bytes(8, "big") + data


def converse(
    job: bytes,
    requests: Sequence[bytes],
    exercises: Sequence[int],
    hidden_from: int,
    limits: Limits,
    pipes: tuple[int, int, int],
    waited: Callable[[], float],
) -> Heard:
    """Gives a process its job and puts the requests to it.

    Args:
        job: the submission.
        requests: what to ask, in order.
        exercises: the exercise of each request; with the first of another, the clock starts anew.
        hidden_from: the number of the first request whose inputs nobody is to see.
        limits: what it may use.
        pipes: the ends of the pipes to it, from it, and of its output.
        waited: tells for how many seconds it could have run, and had no processor.
    """
    return _Conversation(job, requests, exercises, hidden_from, limits, pipes, waited).hold()
