"""A run's own connection to the host's agent: what the run says, and what it is told meanwhile.

Apart from the spans' connection, so that a large result waits for nobody's spans. It is the C socket itself: what
frameworks put in the place of Python's would not work in a thread of ours.
"""

from __future__ import annotations

import _socket
import contextlib
import json
from time import monotonic
from typing import TYPE_CHECKING, Any

from sonde.wire import tools
from sonde.wire.frames import FrameError, FrameReader, Kind, frame, hello
from sonde.wire.tools import ToolFrameError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

CONNECTS_WITHIN_S = 5.0
STALLS_AFTER_S = 90.0
"""More than the agent allows whoever asked: it decides first."""
SLICE_S = 0.2


class AgentGoneError(Exception):
    """Nobody is there to be told."""


class Link:
    """Used by the run's thread alone, but for `drop` and `in_a_hurry`. `heard` is called with each COMMAND."""

    def __init__(self, path: str, who: Mapping[str, object], heard: Callable[[dict[str, Any]], None]) -> None:
        """`who`: what introduces the process; it may have no other connection. Raises AgentGoneError."""
        self.in_a_hurry = False
        """What is not taken at once is not waited for."""
        self._heard = heard
        self._reader = FrameReader()
        self._socket = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM | _socket.SOCK_CLOEXEC)
        try:
            self._socket.settimeout(CONNECTS_WITHIN_S)
            self._socket.connect(path)
        except OSError as error:
            self._socket.close()
            raise AgentGoneError(f"no agent at {path}: {error.strerror}") from None
        self._socket.settimeout(SLICE_S)
        self._write(hello(**{**who, "role": "tools"}))

    def reply(self, event: dict[str, Any]) -> None:
        """Say how the run goes. Raises AgentGoneError."""
        self._write(frame(Kind.REPLY, json.dumps(event, separators=(",", ":")).encode()))

    def piece(self, run: str, name: str, offset: int, piece: memoryview) -> None:
        """Send a piece of an artifact, as fast as it is taken. Raises AgentGoneError."""
        self._write(frame(Kind.CHUNK, tools.chunk(run, name, offset, piece)))
        self._read(0)

    def listen(self, timeout_s: float = SLICE_S) -> None:
        """Wait for a word of the agent's, at most SLICE_S. Raises AgentGoneError."""
        self._read(max(0.001, min(timeout_s, SLICE_S)))

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def drop(self) -> None:
        """In a forked child: the connection is the parent's, only our copy of it goes."""
        with contextlib.suppress(OSError):  # its thread was about to close it
            self._socket.close()

    def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        progress = monotonic()
        while rest:
            try:
                rest = rest[self._socket.send(rest, _socket.MSG_NOSIGNAL) :]
                progress = monotonic()
            except TimeoutError:
                if self.in_a_hurry or monotonic() - progress > STALLS_AFTER_S:
                    raise AgentGoneError("the agent takes nothing") from None
                self._read(0)
            except OSError as error:
                raise AgentGoneError(f"the agent has gone: {error.strerror}") from None

    def _read(self, timeout_s: float) -> None:
        self._socket.settimeout(timeout_s)
        try:
            data = self._socket.recv(1 << 16)
        except (TimeoutError, BlockingIOError):
            return
        except OSError as error:
            raise AgentGoneError(f"the agent has gone: {error.strerror}") from None
        finally:
            self._socket.settimeout(SLICE_S)
        if not data:
            raise AgentGoneError("the agent has hung up")
        try:
            for kind, payload in self._reader.feed(data):
                if kind == Kind.COMMAND:
                    self._heard(tools.document_of(payload, tools.MAX_COMMAND_BYTES))
        except (FrameError, ToolFrameError) as error:
            raise AgentGoneError(f"what the agent says is not understood: {error}") from None
