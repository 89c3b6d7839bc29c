"""Requests of strangers, as servers hand them to the native entry spans; fuzz_inside.c calls these with bytes.

Each is served twice, by the native code and by its twin in Python: both record the same span, give the server the same
answer, and nothing of ours fails.

    fuzz_inside.py FOLDER

writes requests to begin with into FOLDER/wsgi and FOLDER/asgi. An input's first byte says what the application does;
its lines are method, scheme, host, port, protocol, path above, path, status, and headers as `name: value`.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fuzz import known
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from sonde.probe import core, guard
from sonde.probe.plugins import asgi, entry, wsgi

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FIELDS = ("GET", "http", "shop", "8080", "HTTP/1.1", "", "/", "200 OK")
TRACE, SPAN = b"0af7651916cd43dd8448eb211c80319c", b"b7ad6b7169203331"
SW8 = b"sw8: 1-MS4yLjM=-NC41LjY=-7-c2hvcA==-aQ==-L2U=-aDox\nsw8-correlation: a2V5:dg=="
EXAMPLES = (
    b"\x00GET\nhttp\nshop\n8080\nHTTP/1.1\n\n/orders/7\n200 OK\ntraceparent: 00-%b-%b-01" % (TRACE, SPAN),
    b"\x01POST\nhttps\n10.0.0.1\n443\n1.1\n/shop\n/caf\xc3\xa9/\xff\n503 Busy\n"
    b"tracestate: a=1,b=2\nbaggage: k=v;p=1\ntraceparent: 00-%b-%b-00" % (TRACE, SPAN),
    b"\x02HEAD\nhttp\n\n\n2\n\n/\n404\n" + SW8,
    b"\x0b\nhttp\nshop\n0\n\n\n\n2x0\nb3: %b-%b-1" % (TRACE, SPAN),
    b"\x14GET\nhttp\nshop\n8080\n1.1\n\n/\n204\nx-b3-traceid: %b\nx-b3-spanid: %b" % (TRACE, SPAN),
    b"\x05GET\nhttp\nshop\n80\n1.1\n\n/a\n101\nx-swoole-traceid: %b\nx-swoole-spanid: 1" % TRACE,
)

LOOP = asyncio.new_event_loop()
guard.raised = True
core.start({}, "", hello={})
core.sample(1.0, 0.0, True)


class BoomError(Exception):
    """What the application raises."""


class Request:
    """What an input says."""

    def __init__(self, data: bytes) -> None:
        self.choice, lines = (data[0], data[1:].split(b"\n")) if data else (0, [])
        given = [line.decode("latin-1") for line in lines[: len(FIELDS)]]
        given += FIELDS[len(given) :]
        self.method, self.scheme, self.host, port, self.protocol, self.above, self.path, self.status = given
        self.port = str(int(port)) if port.isascii() and port.isdigit() and len(port) < 6 else "80"  # a server's own
        pairs = (line.partition(b":") for line in lines[len(FIELDS) :])
        self.headers = [(name.strip().lower(), value.strip()) for name, _, value in pairs]

    @property
    def code(self) -> int:
        """The answer's status, as an application has it."""
        return int(self.status[:3]) if self.status[:3].isascii() and self.status[:3].isdigit() else 200


def same(request: Request, ways: tuple[Callable[[Any], Any], ...], given: Callable[[], Any]) -> None:
    """Both ways of serving it say the same, and record the same."""
    outcomes = []
    for served in ways:
        entry.templates.__init__()  # type: ignore[misc]  # what it has learned of the first would name the second
        core.drain()
        core.take_tallies()
        try:
            answer: Any = served(given())
        except BoomError as error:
            answer = str(error)
        spans = [Span.FromString(data) for data in core.drain()]
        assert core.current() is None
        joined = [span.trace_id for span in spans if span.parent_span_id]
        outcomes.append((answer, [known(span) for span in spans], joined))
    native, twin = outcomes
    assert native == twin, (request.__dict__, native, twin)
    assert len(native[1]) <= 1  # its caller may have said that it is not to be recorded


# -- WSGI --


def environ_of(request: Request) -> dict[str, Any]:
    """As PEP 3333 has it: bytes are carried as Latin-1, headers that come twice are joined."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "wsgi.url_scheme": request.scheme,
        "SERVER_NAME": request.host,
        "SERVER_PORT": request.port,
        "SERVER_PROTOCOL": request.protocol,
        "SCRIPT_NAME": request.above,
        "PATH_INFO": request.path,
    }
    for name, value in request.headers:
        key = "HTTP_" + name.decode("latin-1").upper().replace("-", "_")
        text = value.decode("latin-1")
        environ[key] = f"{environ[key]},{text}" if key in environ else text
    return environ


def application(request: Request) -> Callable[..., Any]:
    """One of some that there are: it answers with a list, a tuple or a generator, or raises, and may know its route."""
    choice = request.choice

    def pieces() -> Iterator[bytes]:
        yield b"one"
        if choice & 8:
            raise BoomError("while it answered")
        yield b"two"

    def answered(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        if choice & 16:
            environ[entry.KEY].routed("/orders/{id}")
        if choice & 4:
            raise BoomError("before it answered")
        start_response(f"{request.code:03} {request.status[3:]}", [])
        return [b"one", b"two"] if choice & 3 == 0 else pieces() if choice & 3 == 1 else (b"one", b"two")

    return answered


def request_of_wsgi(data: bytes) -> None:
    """A request, from the server's call until it closes the body."""
    request = Request(data)
    called = application(request)

    def by(serve: Callable[..., Any]) -> Callable[[dict[str, Any]], Any]:
        def served(environ: dict[str, Any]) -> Any:
            heard: list[Any] = []
            body = serve(called, environ, lambda *said: heard.append(said))
            try:
                said = list(body)
            finally:
                getattr(body, "close", int)()
            return heard, said

        return served

    same(request, (by(wsgi.serve), by(wsgi.serve_in_python)), lambda: environ_of(request))


# -- ASGI --


def scope_of(request: Request) -> dict[str, Any]:
    """As the specification has it: names of headers are lower case, and each comes as it was sent."""
    return {
        "type": "http",
        "method": request.method,
        "scheme": request.scheme,
        "server": None if request.choice & 32 else (request.host, int(request.port)),
        "http_version": request.protocol,
        "path": request.path.encode("latin-1").decode("utf-8", "replace"),
        "headers": [list(pair) for pair in request.headers] if request.choice & 64 else request.headers,
    }


def request_of_asgi(data: bytes) -> None:
    """A request, until the application's coroutine has ended."""
    request = Request(data)
    choice = request.choice

    async def called(scope: dict[str, Any], _: Any, send: Any) -> None:
        if choice & 16:
            scope[entry.KEY].routed("/orders/{id}")
        if choice & 4:
            raise BoomError("before it answered")
        await send({"type": "http.response.start", "status": request.code, "headers": []})
        await send({"type": "http.response.body", "body": b"one", "more_body": bool(choice & 1)})
        if choice & 8:
            raise BoomError("while it answered")
        if choice & 1:
            await send({"type": "http.response.body", "body": b"two"})

    def by(serve: Callable[..., Any]) -> Callable[[dict[str, Any]], Any]:
        def served(scope: dict[str, Any]) -> Any:
            heard: list[Any] = []

            async def send(message: Any) -> None:
                heard.append(message["type"])

            async def request() -> None:
                await serve(called, scope, None, send)

            try:
                LOOP.run_until_complete(request())
            except BoomError as error:
                heard.append(str(error))
            return heard

        return served

    same(request, (by(asgi.serve), by(asgi.serve_in_python)), lambda: scope_of(request))


if __name__ == "__main__":
    for name in ("wsgi", "asgi"):
        folder = Path(sys.argv[1]) / name
        folder.mkdir(parents=True, exist_ok=True)
        for at, example in enumerate(EXAMPLES):
            (folder / f"seed-{at}").write_bytes(example)
