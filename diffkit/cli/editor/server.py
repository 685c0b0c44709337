"""The server of the editor: Tornado, on the loopback address, for one user who knows the token.

Code runs here only because its author typed it in the page that this server sent: every request must name
this address as its host, carry the token, and come from that page or from nowhere. So no other site can reach
it, neither by a form nor by a name that leads to the loopback address.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
import secrets
import sys
from importlib import resources
from typing import Any

import tornado.httpserver
import tornado.netutil
import tornado.web

_LARGEST = 200_000
"""Bytes of a request: a program and its inputs."""

_LONGEST_ANSWER = 2**26
"""Bytes of an answer: a page of 400 rows has some 10^6."""

_START = 120.0
"""Seconds that a process may take to load everything: some two, on a machine that does nothing else."""

_TEXTS = 20.0
"""Seconds that the texts beside a page may take, all together."""

_GRACE = 3.0
"""Seconds beyond the limit after which a program that can't be interrupted is killed with its process."""


_PATIENCE = 5.0
"""Seconds for which the end of a process that was killed is waited for."""


class Worker:
    """A process that waits for one job, started before there is one."""

    def __init__(self) -> None:
        self._starting = asyncio.ensure_future(self._start())

    @staticmethod
    async def _start() -> asyncio.subprocess.Process:
        pipe, nothing = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
        command = (sys.executable, "-m", "diffkit.cli.editor.worker")
        return await asyncio.create_subprocess_exec(
            *command, stdin=pipe, stdout=pipe, stderr=nothing, limit=_LONGEST_ANSWER
        )

    async def start(self, job: dict[str, Any]) -> None:
        """Hands the job over, when the process is ready for it."""
        await self.answer(_START)
        process = await self._starting
        assert process.stdin is not None
        with contextlib.suppress(ConnectionError):  # one that was ended for a later program
            process.stdin.write(json.dumps(job).encode() + b"\n")
            await process.stdin.drain()

    async def answer(self, seconds: float) -> dict[str, Any]:
        """The worker's next answer; an error if it takes longer than that, or the process has ended."""
        process = await self._starting
        assert process.stdout is not None
        try:
            return dict(json.loads(await asyncio.wait_for(process.stdout.readline(), seconds)))
        except TimeoutError:
            await self.end()
            wrong = f"the program took longer than {seconds:g} s, and its process was ended. Does it end?"
            return {"error": wrong}
        except ValueError:
            return {"error": "the program ended its own process, or the system did, for want of memory"}

    async def end(self) -> None:
        """Ends the process, if it is there."""
        process = await self._starting
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        with contextlib.suppress(TimeoutError):  # it is gone; only its end may go unnoticed
            await asyncio.wait_for(process.wait(), _PATIENCE)


class Editor:
    """What one user's page shares: the token, the program to begin with, and the workers.

    Attributes:
        token: what every request must carry.
        limit: seconds after which a typed program is stopped.
        port: where it is served.
        page: the live page of the last program that ran.
    """

    def __init__(self, source: str, inputs: str, function: str = "", limit: float = 10.0) -> None:
        self.token = secrets.token_urlsafe(24)
        self.limit = limit
        self.port = 0
        self.page = ""
        self._first = {"source": source, "inputs": inputs, "function": function}
        self._waiting: Worker | None = None
        self._running: Worker | None = None

    def prepare(self) -> None:
        """A worker is started, for the job to come; where an event loop runs."""
        self._waiting = Worker()

    async def run(self, job: dict[str, Any]) -> dict[str, Any]:
        """What came of a typed program. One that is still running gives way to it."""
        worker, previous = self._waiting or Worker(), self._running
        self._waiting, self._running = Worker(), worker
        if previous is not None:
            await previous.end()
        await worker.start(job | {"limit": self.limit})
        told = await worker.answer(self.limit + _GRACE)
        self.page = told.pop("page", "") or self.page
        return told

    async def texts(self) -> dict[str, Any]:
        """What stands beside the page of the program that ran last."""
        return {} if self._running is None else await self._running.answer(_TEXTS)

    async def close(self) -> None:
        """Ends what runs and what waits."""
        for worker in (self._running, self._waiting):
            if worker is not None:
                await worker.end()

    def application(self) -> tornado.web.Application:
        """The pages: the editor, what it asks for, and the live page inside it."""
        routes = [("/", _Front), ("/run", _Run), ("/texts", _Texts), ("/page", _Page)]
        return tornado.web.Application([(path, kind, {"editor": self}) for path, kind in routes])

    def front(self, nonce: str) -> str:
        """The editor's own page."""
        text = resources.files(__package__).joinpath("editor.html").read_text(encoding="utf-8")
        first = json.dumps(self._first).replace("<", "\\u003c")
        return text.replace("%%NONCE%%", nonce).replace("%%FIRST%%", first)


class _Guarded(tornado.web.RequestHandler):
    """Answers the page that this server sent, and nobody else."""

    def initialize(self, editor: Editor) -> None:
        self.editor = editor

    def set_default_headers(self) -> None:
        self.set_header("Cache-Control", "no-store")
        self.set_header("Referrer-Policy", "no-referrer")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Cross-Origin-Resource-Policy", "same-origin")
        self.clear_header("Server")

    def prepare(self) -> None:
        own = {f"{name}:{self.editor.port}" for name in ("127.0.0.1", "localhost")}
        headers = self.request.headers
        origin = headers.get("Origin")
        given = headers.get("X-Token") or self.get_query_argument("token", "")
        if self.request.host not in own:
            raise tornado.web.HTTPError(403, "another host")
        if origin is not None and origin.removeprefix("http://") not in own:
            raise tornado.web.HTTPError(403, "another origin")
        if headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
            raise tornado.web.HTTPError(403, "another site")
        if not hmac.compare_digest(given.encode(), self.editor.token.encode()):
            raise tornado.web.HTTPError(403, "no token, or another")

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(f"{status_code}: open the address that diffkit explore printed, with its token.\n")


class _Front(_Guarded):
    def get(self) -> None:
        nonce = secrets.token_urlsafe(16)
        self.set_header(
            "Content-Security-Policy",
            f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'unsafe-inline'; img-src data:; "
            "connect-src 'self'; frame-src 'self'; frame-ancestors 'none'; base-uri 'none'; "
            "form-action 'none'",
        )
        self.finish(self.editor.front(nonce))


class _Run(_Guarded):
    async def post(self) -> None:
        # Only a script of the page can send this header: a form or an image of another site can't.
        if "X-Token" not in self.request.headers:
            raise tornado.web.HTTPError(403, "no token")
        try:
            job = json.loads(self.request.body)
            wanted = {key: job[key] for key in ("source", "inputs", "function", "moved") if key in job}
        except (ValueError, TypeError):
            raise tornado.web.HTTPError(400, "no JSON") from None
        self.finish(await self.editor.run(wanted))


class _Texts(_Guarded):
    async def get(self) -> None:
        self.finish(await self.editor.texts())


class _Page(_Guarded):
    def get(self) -> None:
        # An origin of its own: the live page can reach neither the server nor the editor.
        self.set_header(
            "Content-Security-Policy",
            "frame-ancestors 'self'; sandbox allow-scripts allow-downloads allow-modals",
        )
        self.finish(self.editor.page)


async def serve(editor: Editor, port: int, ready: Any) -> None:
    """Serves until it is cancelled.

    Args:
        editor: what is served.
        port: on the loopback address; 0 for any that is free.
        ready: called with the address when it can be opened.
    """
    sockets = tornado.netutil.bind_sockets(port, "127.0.0.1")
    editor.port = sockets[0].getsockname()[1]
    server = tornado.httpserver.HTTPServer(editor.application(), max_body_size=_LARGEST)
    server.add_sockets(sockets)
    editor.prepare()
    ready(f"http://127.0.0.1:{editor.port}/?token={editor.token}")
    try:
        await asyncio.Event().wait()
    finally:
        server.stop()
        await editor.close()
