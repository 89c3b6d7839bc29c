"""One connection, of a probe, of its tools, or of an operator: frames in, to the queue and the runs; and what these and
the server say to it, out.
"""

from __future__ import annotations

import json
import socket
import struct
import time
from enum import StrEnum
from typing import TYPE_CHECKING

from sonde.agent.protobuf_fields import joinable
from sonde.agent.receiving.outgoing import Outgoing
from sonde.agent.receiving.probes import Probe, counters_of
from sonde.agent.signals import Signal
from sonde.agent.tools import relay
from sonde.wire.frames import FrameError, FrameReader, Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from sonde.agent.counters import Counters
    from sonde.agent.disk_queue.queue import BatchQueue
    from sonde.agent.receiving.probe_settings import ProbeSettings
    from sonde.agent.receiving.probes import Probes
    from sonde.agent.tools.runs import Runs

READ_BYTES = 1 << 18
MAX_TOKEN_LENGTH = 512
MAX_NAME_LENGTH = 256
MAX_COMMAND_LENGTH = 1024
_CREDENTIALS = struct.Struct("3i")  # struct ucred: pid, uid, gid
_SIGNALS = frozenset({Signal.TRACES, Signal.METRICS, Signal.LOGS})


class Role(StrEnum):
    """Who is at the other end."""

    PROBE = "probe"
    TOOLS = "tools"
    OPERATOR = "operator"


class Connection:
    """Not thread-safe: the receiver's thread alone uses it. `watch` is called when what it waits for may be another."""

    def __init__(
        self,
        sock: socket.socket,
        queue: BatchQueue,
        probes: Probes,
        settings: ProbeSettings,
        runs: Runs,
        counters: Counters,
        opened_at: float,
        watch: Callable[[Connection], object],
    ) -> None:
        self.opened_at = opened_at
        self.introduced = False
        self.held = False
        """Nothing is to be read from it for now."""
        self.role = Role.PROBE
        self._sock = sock
        self._sock.setblocking(False)
        self._reader = FrameReader()
        self._queue = queue
        self._probes = probes
        self._settings = settings
        self._runs = runs
        self._watch = watch
        self._outgoing = Outgoing(sock, counters, lambda: watch(self))
        self._told: bytes | None = None
        self._counters = counters
        self._token = ""
        # The kernel says who is there; a pid in a HELLO may be one of another container's numbering, or a lie.
        pid, uid, _ = _CREDENTIALS.unpack(sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))
        self._probe = Probe(pid, uid)
        self._operator = relay.Operator(uid, runs, self._outgoing)
        counters.add("sonde.agent.connections.accepted", uid=str(uid))

    def fileno(self) -> int:
        """For the selector; and what the probe is registered under."""
        return self._sock.fileno()

    @property
    def pid(self) -> int:
        """Of the process at the other end, by the kernel."""
        return self._probe.pid

    @property
    def uid(self) -> int:
        """The user it runs as, by the kernel."""
        return self._probe.uid

    @property
    def probe(self) -> Probe:
        """What the process has said of itself here."""
        return self._probe

    def say(self, frame: bytes) -> None:
        """Send a frame of a run, after what waits."""
        self._outgoing.add(frame)

    def hold(self, *, held: bool) -> None:
        """Read no more from it; or read again."""
        self.held = held
        self._watch(self)

    @property
    def is_too_slow(self) -> bool:
        """Whether more waits for it than is kept."""
        return self._outgoing.is_too_slow

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
        if self.introduced and self.role == Role.PROBE and frame is not None and frame != self._told:
            self._told = frame
            self._outgoing.put(frame)

    def close(self) -> None:
        """Hang up."""
        self._outgoing.give_up()
        if self.role == Role.OPERATOR:
            self._operator.left()
        elif self.role == Role.PROBE:
            if self.introduced:
                self._settings.left(self._token)
            self._probes.gone(self.fileno())
        if self.introduced:
            self._runs.left(self)
        self._sock.close()

    def _handle(self, kind: int, payload: bytes) -> None:
        if kind == Kind.HELLO:
            self._hello(_document(payload, "bad_hello"))
        elif not self.introduced:
            raise FrameError("no_hello", "the first frame is not HELLO")
        elif kind in _SIGNALS and self.role == Role.PROBE:
            self._telemetry(Signal(kind), payload)
        elif kind == Kind.REPLY and self.role != Role.OPERATOR:
            relay.replied(self._runs, self, payload)
        elif kind == Kind.CHUNK and self.role != Role.OPERATOR:
            relay.chunked(self._runs, self, payload)
        elif kind == Kind.COMMAND and self.role == Role.OPERATOR:
            self._operator.command(payload)
        elif kind == Kind.STATUS:
            self._probes.counted(self._probe, counters_of(_document(payload, "bad_status")))
        else:
            self._counters.add("sonde.agent.frames.refused", reason="unknown_kind")  # from a newer probe

    def _hello(self, facts: dict[str, object]) -> None:
        try:
            role = Role(str(facts.get("role") or Role.PROBE))
        except ValueError:
            raise FrameError("bad_hello", "the role is probe, tools or operator") from None
        if self.introduced and role != self.role:
            raise FrameError("bad_hello", "a connection keeps its role")
        self.role = role
        if role != Role.OPERATOR:
            before, self._probe = self._probe, self._described(facts)
            if role == Role.PROBE:
                self._join(before)
        self.introduced = True
        self.tell()

    def _join(self, before: Probe) -> None:
        """A process is there, or has said more of itself."""
        self._token = self._probe.token
        self._settings.joined(self._token)
        if self.introduced:
            self._settings.left(before.token)
        self._probes.connected(self.fileno(), self._probe)
        self._runs.joined(self)

    def _described(self, facts: dict[str, object]) -> Probe:
        token, service, instance = (facts.get(name) or "" for name in ("token", "service", "instance"))
        if not (isinstance(token, str) and isinstance(service, str) and isinstance(instance, str)):
            raise FrameError("bad_hello", "token, service and instance are texts")
        # The token becomes a header of a request: nothing that could end that header.
        if len(token) > MAX_TOKEN_LENGTH or not (token.isascii() and token.isprintable()):
            raise FrameError("bad_hello", "that is no token")
        native = facts.get("native")
        return Probe(
            self.pid,
            self.uid,
            service[:MAX_NAME_LENGTH],
            instance[:MAX_NAME_LENGTH],
            language=str(facts.get("language") or "")[:MAX_NAME_LENGTH],
            command=str(facts.get("command") or "")[:MAX_COMMAND_LENGTH],
            probe_version=str(facts.get("probe_version") or "")[:MAX_NAME_LENGTH],
            native=native if isinstance(native, bool) else None,
            connected_at=self._probe.connected_at or time.time(),
            token=token,
        )

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
