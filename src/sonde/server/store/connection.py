"""HTTP/1.1 over one blocking socket: requests in, replies out, one after the other."""

from __future__ import annotations

import socket
from collections import deque
from contextlib import closing
from dataclasses import dataclass
from http import HTTPStatus
from logging import getLogger
from typing import TYPE_CHECKING

import httptools

from sonde.server.store.compression import Decoder
from sonde.server.store.dialect import Request
from sonde.server.store.errors import StoreError
from sonde.server.store.front import Front, Peer, Reply, plain

if TYPE_CHECKING:
    from sonde.server.store.body import Body
    from sonde.server.store.users import User

log = getLogger(__name__)

MAX_HEAD_BYTES = 1 << 20
"""Request line and headers: statements, schemas and parameters travel in the address."""
IDLE_S = 3600.0
_SEND_S = 60.0
"""The longest that one chunk may take to be taken: a client that stops reading holds a place at the gate."""
_READ_BYTES = 1 << 18
_JOIN_BYTES = 1 << 16
_LINGER_S = 1.0
_LINGER_READS = 64


@dataclass(frozen=True, slots=True)
class _Complete:
    """A request with all its bytes, or the reason why it will get no further."""

    request: Request
    user: User | None
    body: Body
    refusal: StoreError | None


class _BadRequestError(Exception):
    """The bytes are no request this side can go on with."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Connection:
    """One client. `serve` returns when it has gone, sent nonsense, or `shut` was called."""

    def __init__(self, front: Front, peer: Peer) -> None:
        self._front = front
        self._peer = peer
        self._socket = peer.socket
        self._ready: deque[_Complete] = deque()
        self._head_bytes = 0
        self._target = bytearray()
        self._headers: dict[str, str] = {}
        self._request = Request("", "", {})
        self._user: User | None = None
        self._body: Body | None = None
        self._decoder: Decoder | None = None
        self._refusal: StoreError | None = None
        self._parser = httptools.HttpRequestParser(self)
        self._busy = False
        self._shut = False

    def serve(self) -> None:
        """Until the end."""
        try:
            self._serve()
        except (ConnectionError, TimeoutError):
            log.debug("a client has gone")
        finally:
            for complete in self._ready:
                complete.body.close()
            if self._body is not None:  # half a body: nothing is run
                self._body.close()
            self._socket.close()

    def shut(self) -> None:
        """From another thread: no more requests; a reply that is on its way gets its end."""
        self._shut = True
        if not self._busy:
            _shutdown(self._socket, socket.SHUT_RDWR)

    def _serve(self) -> None:
        while not self._shut:
            while self._ready:
                complete = self._ready.popleft()
                if not self._reply_to(complete):
                    return
            self._socket.settimeout(IDLE_S)
            data = self._socket.recv(_READ_BYTES)
            if not data:
                return
            try:
                self._feed(data)
            except _BadRequestError as bad:
                self._front.counters.add("sonde_store_bad_requests_total")
                self._turn_away(plain(bad.status, f"{bad}\n"))
                return
            if self._body is not None and self._refusal is not None:
                # the rest of the body would be read for nothing
                self._turn_away(self._front.refusal(self._refusal))
                return

    def _feed(self, data: bytes) -> None:
        if self._body is None:
            self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            raise _BadRequestError(400, f"this is no HTTP/1.1 request: {error}") from None
        except httptools.HttpParserUpgrade:
            raise _BadRequestError(400, "this server upgrades no connection") from None
        if self._body is None and self._head_bytes > MAX_HEAD_BYTES:
            raise _BadRequestError(431, f"the head of the request has more than {MAX_HEAD_BYTES} bytes")

    # -- called by the parser -----------------------------------------------------------------------------------------
    def on_message_begin(self) -> None:
        """A new request."""
        self._target.clear()
        self._headers = {}
        self._user = self._decoder = self._refusal = None

    def on_url(self, part: bytes) -> None:
        """The address, in pieces."""
        self._target += part

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """Who it is decides how much of a body is taken."""
        method = self._parser.get_method().decode("latin-1")
        keep = self._parser.should_keep_alive()
        old = self._parser.get_http_version() == "1.0"
        self._request = Request(method, self._target.decode("latin-1"), self._headers, keep_alive=keep, http_1_0=old)
        try:
            self._user = self._front.admit(self._request, self._peer)
            coding = self._headers.get("content-encoding", "identity").strip().lower()
            self._decoder = None if coding == "identity" else Decoder(coding)
        except StoreError as error:
            self._refusal = error
        self._body = self._front.body_for(self._user)
        if self._refusal is None and self._headers.get("expect", "").lower() == "100-continue":
            self._socket.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, part: bytes) -> None:
        """Some of the body."""
        if self._refusal is not None or self._body is None:
            return
        try:
            for piece in self._decoder.decompress(part) if self._decoder else (part,):
                self._body.write(piece)
        except StoreError as error:
            self._refusal = error
            self._body.close()

    def on_message_complete(self) -> None:
        """The request is whole."""
        try:
            if self._decoder and self._refusal is None:
                self._decoder.finish()
        except StoreError as error:
            self._refusal = error
        if self._body is not None:
            self._ready.append(_Complete(self._request, self._user, self._body, self._refusal))
        self._body = None
        self._head_bytes = 0

    # -- replies ------------------------------------------------------------------------------------------------------
    def _reply_to(self, complete: _Complete) -> bool:
        """Returns whether the connection goes on."""
        request = complete.request
        self._busy = True
        try:
            if complete.refusal is not None:
                complete.body.close()
                reply = self._front.refusal(complete.refusal)
            else:
                reply = self._front.answer(request, complete.user, complete.body, self._peer)
            keep = request.keep_alive and not self._shut
            self._send(reply, keep_alive=keep, with_body=request.method != "HEAD", may_chunk=not request.http_1_0)
            return keep
        finally:
            self._busy = False

    def _send(self, reply: Reply, *, keep_alive: bool, with_body: bool = True, may_chunk: bool = True) -> None:
        with closing(reply):
            self._socket.settimeout(_SEND_S)
            chunked = may_chunk and "Content-Length" not in reply.headers
            pending = _head(reply, chunked=chunked, keep_alive=keep_alive)
            for chunk in reply.chunks if with_body else ():
                size = len(chunk)
                if not size:  # it would be the end
                    continue
                lead, end = (b"%x\r\n" % size, b"\r\n") if chunked else (b"", b"")
                if size < _JOIN_BYTES:
                    self._socket.sendall(b"".join((pending, lead, chunk, end)))
                    pending = b""
                else:
                    self._socket.sendall(pending + lead)
                    self._socket.sendall(chunk)
                    pending = end
            if chunked and with_body:
                pending += b"0\r\n\r\n"
            if pending:
                self._socket.sendall(pending)

    def _turn_away(self, reply: Reply) -> None:
        """The last reply. Lets the client read it: closing over unread bytes would take it away from them."""
        self._send(reply, keep_alive=False)
        _shutdown(self._socket, socket.SHUT_WR)
        self._socket.settimeout(_LINGER_S)
        for _ in range(_LINGER_READS):
            if not self._socket.recv(_READ_BYTES):
                return


def _head(reply: Reply, *, chunked: bool, keep_alive: bool) -> bytes:
    lines = [f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in reply.headers.items()]
    if chunked:
        lines.append("Transfer-Encoding: chunked")
    if not keep_alive:
        lines.append("Connection: close")
    return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace")


def _shutdown(peer: socket.socket, how: int) -> None:
    try:
        peer.shutdown(how)
    except OSError:
        log.debug("the client was faster")
