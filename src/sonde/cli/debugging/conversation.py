"""What is said to an agent and what it answers: one run after the other on one connection."""

from __future__ import annotations

import json
import secrets
import signal
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

from sonde.cli import CommandError
from sonde.wire import tools
from sonde.wire.frames import FrameError, FrameReader, Kind, frame, hello
from sonde.wire.tools import ToolFrameError

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator
    from types import FrameType

    from sonde.cli.debugging.files import Files

LOOKS_EVERY_S = 0.1
SILENT_FOR_S = 120.0
LISTS_WITHIN_S = 3.0
"""What an agent knows without asking anybody."""
"""More than the agent allows a process: it says first what is wrong."""


class Interrupts:
    """How often somebody pressed Ctrl-C, or asked for the end."""

    def __init__(self) -> None:
        self.count = 0

    @contextmanager
    def counted(self) -> Iterator[Self]:
        """Meanwhile they end nothing by themselves."""
        before = {number: signal.signal(number, self._on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield self
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, number: int, _: FrameType | None) -> None:
        self.count += 1 if number == signal.SIGINT else 2


class Conversation:
    """With one agent."""

    def __init__(self, connection: socket.socket, interrupts: Interrupts) -> None:
        self._socket = connection
        self._socket.settimeout(LOOKS_EVERY_S)
        self._interrupts = interrupts
        self._reader = FrameReader()
        self._send(hello(role="operator"))

    def processes(self) -> list[dict[str, Any]]:
        """Those with a probe that this user may look into. Raises CommandError."""
        answer = self._run({"do": "processes"}, last="processes", silent_for_s=LISTS_WITHIN_S)
        return [item for item in answer.get("items", []) if isinstance(item, dict)]

    def tools(self, pid: int) -> dict[str, Any]:
        """The event `tools` or `failed`. Raises CommandError."""
        return self._run({"do": "tools", "pid": pid})

    def run(
        self, command: dict[str, Any], progress: Callable[[dict[str, Any]], object], files: Files
    ) -> dict[str, Any]:
        """Have a tool run; the event that ended it. Ctrl-C ends it early, once more aborts it. Raises CommandError."""
        return self._run({"do": "start", **command}, progress, files)

    def _run(
        self,
        command: dict[str, Any],
        progress: Callable[[dict[str, Any]], object] = bool,
        files: Files | None = None,
        last: str = "",
        silent_for_s: float = SILENT_FOR_S,
    ) -> dict[str, Any]:
        run = f"debug-{secrets.token_hex(8)}"
        self._send(_command({**command, "id": run}))
        asked = self._interrupts.count
        heard_at = time.monotonic()
        while True:
            for kind, payload in self._received():
                heard_at = time.monotonic()
                event = self._understood(kind, payload, run, files)
                if event is None:
                    continue
                if event["event"] in tools.LAST_EVENTS or event["event"] == last:
                    return event
                progress(event)
            if asked < self._interrupts.count:
                self._send(_command({"id": run, "do": "stop" if self._interrupts.count == 1 else "abort"}))
                asked = self._interrupts.count
            if time.monotonic() - heard_at > silent_for_s:
                raise CommandError(f"the agent has said nothing for {silent_for_s:.0f} s")

    @staticmethod
    def _understood(kind: int, payload: bytes, run: str, files: Files | None) -> dict[str, Any] | None:
        """An event of this run; a piece of an artifact is put where it belongs."""
        try:
            if kind == Kind.CHUNK:
                head, piece = tools.cut(payload)
                if head["id"] == run and files is not None:
                    files.add(head["name"], head["offset"], piece)
            elif kind == Kind.REPLY:
                event = tools.document_of(payload, 2 * tools.MAX_REPLY_BYTES)
                return event if event["id"] == run and isinstance(event.get("event"), str) else None
        except ToolFrameError as error:
            raise CommandError(f"the agent's words are not understood: {error}") from None
        return None

    def _received(self) -> list[tuple[int, bytes]]:
        try:
            data = self._socket.recv(1 << 18)
        except TimeoutError:
            return []
        except OSError as error:
            raise CommandError(f"the agent has gone: {error.strerror}") from None
        if not data:
            raise CommandError("the agent has hung up")
        try:
            return self._reader.feed(data)
        except FrameError as error:
            raise CommandError(f"what listens there is no agent: {error}") from None

    def _send(self, data: bytes) -> None:
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise CommandError(f"the agent has gone: {error.strerror or error}") from None


def _command(command: dict[str, Any]) -> bytes:
    return frame(Kind.COMMAND, json.dumps(command).encode())
