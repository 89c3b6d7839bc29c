"""One probe's connection: frames in, payloads to the queue; and what the server says to it, out."""

from __future__ import annotations

import json
import socket
import struct
from typing import TYPE_CHECKING

from sonde.agent.outgoing import Outgoing
from sonde.agent.probes import Probe, counters_of
from sonde.agent.protobuf_fields import joinable
from sonde.agent.signals import Signal
from sonde.wire.frames import FrameError, FrameReader, Kind

if TYPE_CHECKING:
    from sonde.agent.counters import Counters
    from sonde.agent.probe_settings import ProbeSettings
    from sonde.agent.probes import Probes
    from sonde.agent.queue import BatchQueue

READ_BYTES = 1 << 18
MAX_TOKEN_LENGTH = 512
MAX_NAME_LENGTH = 256
_CREDENTIALS = struct.Struct("3i")  # struct ucred: pid, uid, gid
_SIGNALS = frozenset(Signal)


class Connection:
    """Not thread-safe: the receiver's thread alone uses it."""

    def __init__(
        self,
        sock: socket.socket,
        queue: BatchQueue,
        probes: Probes,
        settings: ProbeSettings,
        counters: Counters,
        opened_at: float,
    ) -> None:
        self.opened_at = opened_at
        self.introduced = False
        self._sock = sock
        self._sock.setblocking(False)
        self._reader = FrameReader()
        self._queue = queue
        self._probes = probes
        self._settings = settings
        self._outgoing = Outgoing(sock, counters)
        self._told: bytes | None = None
        self._counters = counters
        self._token = ""
        # The kernel says who is there; a pid in a HELLO may be one of another container's numbering, or a lie.
        pid, uid, _ = _CREDENTIALS.unpack(sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))
        self._probe = Probe(pid, uid)
        counters.add("sonde.agent.connections.accepted", uid=str(uid))

    def fileno(self) -> int:
        """For the selector; and what the probe is registered under."""
        return self._sock.fileno()

    @property
    def pending_bytes(self) -> int:
        """What is held of an unfinished frame."""
        return self._reader.pending

    @property
    def is_owed(self) -> bool:
        """Whether `send` is worth calling when the probe takes more."""
        return self._outgoing.waiting

    def receive(self) -> bool:
        """Handle what has arrived. False: the probe has hung up. Raises FrameError, BlockingIOError, OSError."""
        try:
            data = self._sock.recv(READ_BYTES)
        except ConnectionResetError:  # it has hung up without reading what we said; all that it said came before this
            data = b""
        for kind, payload in self._reader.feed(data):
            self._handle(kind, payload)
        if not data and self._reader.pending:
            raise FrameError("torn_frame", "the connection ended within a frame")
        return bool(data)

    def send(self) -> None:
        """What the probe could not take before, as much as it takes now."""
        self._outgoing.send()

    def tell(self) -> None:
        """Say what the server says to this probe, unless that was the last thing said."""
        frame = self._settings.frame(self._token)
        if self.introduced and frame is not None and frame != self._told:
            self._told = frame
            self._outgoing.put(frame)

    def close(self) -> None:
        """Hang up."""
        self._outgoing.give_up()
        if self.introduced:
            self._settings.left(self._token)
        self._probes.gone(self.fileno())
        self._sock.close()

    def _handle(self, kind: int, payload: bytes) -> None:
        if kind == Kind.HELLO:
            self._hello(_document(payload, "bad_hello"))
        elif not self.introduced:
            raise FrameError("no_hello", "the first frame is not HELLO")
        elif kind in _SIGNALS:
            self._telemetry(Signal(kind), payload)
        elif kind == Kind.STATUS:
            self._probes.counted(self._probe, counters_of(_document(payload, "bad_status")))
        else:
            self._counters.add("sonde.agent.frames.refused", reason="unknown_kind")  # from a newer probe

    def _hello(self, facts: dict[str, object]) -> None:
        token, service, instance = (facts.get(name) or "" for name in ("token", "service", "instance"))
        if not (isinstance(token, str) and isinstance(service, str) and isinstance(instance, str)):
            raise FrameError("bad_hello", "token, service and instance are texts")
        # The token becomes a header of a request: nothing that could end that header.
        if len(token) > MAX_TOKEN_LENGTH or not (token.isascii() and token.isprintable()):
            raise FrameError("bad_hello", "that is no token")
        self._settings.joined(token)
        if self.introduced:
            self._settings.left(self._token)
        self._token = token
        self._probe = Probe(self._probe.pid, self._probe.uid, service[:MAX_NAME_LENGTH], instance[:MAX_NAME_LENGTH])
        self._probes.connected(self.fileno(), self._probe)
        self.introduced = True
        self.tell()

    def _telemetry(self, signal: Signal, payload: bytes) -> None:
        self._counters.add("sonde.agent.frames.received", signal=signal.word)
        self._counters.add("sonde.agent.bytes.received", len(payload), signal=signal.word)
        if joinable(payload):
            self._queue.append(self._token, signal, payload)
        else:
            self._counters.add("sonde.agent.frames.refused", reason="bad_payload")


def _document(payload: bytes, reason: str) -> dict[str, object]:
    try:
        document = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise FrameError(reason, f"not JSON: {error}") from None
    if not isinstance(document, dict):
        raise FrameError(reason, "not a JSON object")
    return document
