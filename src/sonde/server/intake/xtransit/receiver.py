"""The WebSocket that xtransit agents connect to, on any path: from the handshake to the end of each connection.

Nothing is ever acknowledged: the protocol has no word for it. `shutdown` ends an agent until a person starts it again.
So it is said for what only the sender can have done wrong, and the secret was just looked up: a frame without ids, an
app that is not there, a wrong signature. Where we cannot tell, since the database is away or a secret cannot be read,
the frame is left aside and the connection stays.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import logging
import time
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

from sonde.server.api.failures import RefusedError
from sonde.server.intake.xtransit.agents import STALE_S, LinkLostError
from sonde.server.intake.xtransit.frame import BadFrameError, NameMissingError, parse
from sonde.server.intake.xtransit.newcomer import Connection, Newcomers
from sonde.server.intake.xtransit.secrets import Verdict

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator

    from websockets.asyncio.server import Server, ServerConnection

    from sonde.server.accounts.apps import App
    from sonde.server.intake.hints import Hints
    from sonde.server.intake.xtransit.agents import Agent, Agents
    from sonde.server.intake.xtransit.commands import Commands
    from sonde.server.intake.xtransit.frame import Frame
    from sonde.server.intake.xtransit.reports import Reports
    from sonde.server.intake.xtransit.secrets import Secrets
    from sonde.server.spool.spool import Sample

log = logging.getLogger(__name__)

PROTOCOL = "xtransit"
FIRST_HEARTBEAT_WITHIN_S = 75.0
HEARTBEAT_WITHIN_S = STALE_S
"""The pause is the agent's setting, so after the first there is more time. Dead connections are found by pings."""
PING_EVERY_S, PONG_WITHIN_S = 30.0, 30.0
OPEN_WITHIN_S = 10.0
LATE_MS = 300_000.0
SKEW_MS = 120_000.0
"""An agent's clock that is further from ours is worth a word to a person."""
MAX_CONNECTIONS = 8192
INLINE_MAX_BYTES = 16 << 10
"""A larger frame is read in a thread: the loop hears others meanwhile."""
MOST_NAMES = 16
"""Agents behind one connection; there is one."""
_THREADS = 2
_LARGE_AT_ONCE = 4
_REASON_CHARS = 100  # a close frame has room for 123 bytes
_BUSY, _POLICY, _GOING_AWAY = 1013, 1008, 1001
_BUCKETS_MS = (1, 2, 5, 10, 20, 50, 100, 500)


class Receiver:
    """`start` on a listening socket, `close`. Used from one event loop."""

    def __init__(
        self,
        secrets: Secrets,
        agents: Agents,
        commands: Commands,
        reports: Reports,
        hints: Hints,
        *,
        max_frame_bytes: int,
        newcomers: Newcomers | None = None,
        clock_ms: Callable[[], float] = lambda: time.time() * 1000,
    ) -> None:
        """`newcomers`: None for the usual bounds of those who have not shown who they are."""
        self.secrets = secrets
        self.agents = agents
        self.commands = commands
        self.reports = reports
        self.hints = hints
        self.clock_ms = clock_ms
        self.frames: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.connections = 0
        self._newcomers = Newcomers() if newcomers is None else newcomers
        self._max_frame_bytes = max_frame_bytes
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="xtransit")
        self._large = asyncio.Semaphore(_LARGE_AT_ONCE)
        self._server: Server | None = None
        self._handled_s = 0.0
        self._handled: Counter[int] = Counter()

    async def start(self, listening: socket.socket) -> None:
        """Take connections."""
        self._server = await serve(
            self._connection,
            sock=listening,
            create_connection=functools.partial(Connection, self._newcomers, self.refused),  # type: ignore[arg-type]
            compression=None,  # a window for each agent would be memory; they do without where it is declined
            max_size=self._max_frame_bytes,
            max_queue=4,
            open_timeout=OPEN_WITHIN_S,
            ping_interval=PING_EVERY_S,
            ping_timeout=PONG_WITHIN_S,
            close_timeout=1.0,
            server_header=None,
            logger=_silent(),
        )

    async def close(self) -> None:
        """End every connection; agents come again by themselves."""
        if self._server is not None:
            self._server.close(code=_GOING_AWAY)
            await self._server.wait_closed()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def read(self, raw: bytes) -> Frame:
        """Raises BadFrameError."""
        if len(raw) <= INLINE_MAX_BYTES:
            return parse(raw)
        async with self._large:
            return await asyncio.get_running_loop().run_in_executor(self._threads, parse, raw)

    def took(self, seconds: float) -> None:
        """A heartbeat was handled, in so long from when its bytes were read."""
        self._handled_s += seconds
        self._handled[next((limit for limit in _BUCKETS_MS if seconds * 1000 <= limit), 0)] += 1

    def samples(self) -> Iterator[Sample]:
        """For /metrics."""
        yield "sonde_xtransit_connections", {}, self.connections
        yield "sonde_xtransit_newcomers", {}, len(self._newcomers)
        for kind, count in self.frames.items():
            yield "sonde_xtransit_frames_total", {"type": kind}, count
        for reason, count in self.refused.items():
            yield "sonde_xtransit_refused_total", {"reason": reason}, count
        for limit in (*_BUCKETS_MS, 0):
            within = f"{limit} ms" if limit else "more"
            yield "sonde_xtransit_heartbeats_handled_total", {"within": within}, self._handled[limit]
        yield "sonde_xtransit_heartbeat_seconds_total", {}, self._handled_s
        for part in (self.agents, self.commands, self.reports):
            yield from part.samples()

    async def _connection(self, socket: ServerConnection) -> None:
        if self.connections >= MAX_CONNECTIONS:
            self.refused["too_many_connections"] += 1
            await socket.close(_BUSY, "too many agents are connected")
            return
        self.connections += 1
        try:
            await _Conversation(self, socket).run()
        except Exception:
            self.refused["fault"] += 1
            log.exception("a conversation with an agent failed")
        finally:
            self.connections -= 1


class _Conversation:
    """One connection. A `Link` to the agents behind it."""

    def __init__(self, receiver: Receiver, socket: ServerConnection) -> None:
        self.client = ""
        self.upload_host = _host_of(socket)
        self._receiver = receiver
        self._socket = socket
        self._agents: dict[tuple[str, str], Agent] = {}
        self._due = asyncio.get_running_loop().time() + FIRST_HEARTBEAT_WITHIN_S
        self._ending: set[asyncio.Task[None]] = set()

    async def say(self, text: str) -> None:
        """Send a message. Raises LinkLostError."""
        try:
            await self._socket.send(text)
        except ConnectionClosed as error:
            raise LinkLostError(str(error)) from None

    def end(self, reason: str) -> None:
        """Close it, without waiting."""
        task = asyncio.create_task(self._socket.close(_POLICY, reason[:_REASON_CHARS]))
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def run(self) -> None:
        """Until one of both has enough."""
        try:
            while True:
                async with asyncio.timeout_at(self._due):
                    raw = await self._socket.recv(decode=False)
                began = time.perf_counter()
                if await self._hear(raw):
                    self._receiver.took(time.perf_counter() - began)
        except TimeoutError:
            self._receiver.refused["no_heartbeat"] += 1
            await self._socket.close(_POLICY, "no heartbeat came in time")
        except ConnectionClosed as closed:
            if closed.sent is not None and closed.sent.code == 1009:
                self._receiver.refused["too_large"] += 1
                text = "an agent sent a frame larger than xtransit_max_frame_bytes"
                self._hint("too_large", self._name(), text, code="sender", who=self._name(), said=text)
        finally:
            for agent in self._agents.values():
                self._receiver.agents.left(agent, self)

    async def _hear(self, raw: bytes) -> bool:
        """One frame; whether it was a heartbeat that counts."""
        receiver = self._receiver
        try:
            frame = await receiver.read(raw)
        except NameMissingError as error:
            receiver.refused[error.reason] += 1
            await self._shut_down()
            return False
        except BadFrameError as error:
            receiver.refused[error.reason] += 1
            text = f"what an agent sends cannot be understood: {error}"
            self._hint(error.reason, self._name(), text, code="sender", who=self._name(), said=error)
            return False
        app = await self._app_of(frame)
        if app is None:
            return False
        if isinstance(self._socket, Connection):
            self._socket.is_known()
        if not self._is_timely(frame, app):
            return False
        receiver.frames[frame.type if frame.type in _HANDLERS else "other"] += 1
        handler = _HANDLERS.get(frame.type)
        if handler is not None:
            await handler(self, frame, app)
        return frame.type == "heartbeat"

    async def _app_of(self, frame: Frame) -> App | None:
        """Whose the frame is; None where it is not to be heeded."""
        receiver = self._receiver
        try:
            verdict, found = await receiver.secrets.verify(frame)
        except (DBAPIError, PoolTimeoutError, RefusedError) as error:
            receiver.refused["lookup_failed"] += 1
            log.warning("an agent's signature cannot be checked: %s", error)
            return None
        if verdict is Verdict.GOOD and found is not None:
            return found.app
        receiver.refused[verdict.value] += 1
        who, app = f"{frame.agent}", found.app.id if found else ""
        if verdict is Verdict.UNREADABLE and found is not None:
            why = (
                f"the agent {frame.agent} cannot be checked: {found.why}; `sonde app secret {found.app.name}` makes one"
            )
            self._hint(
                verdict.value, who, why, app, code=verdict.value, who=who, app_name=found.app.name, said=found.why
            )
            return None
        if verdict is Verdict.WRONG and found is not None:
            why = f"the agent {frame.agent} signs with a secret that is not the one of the app {found.app.name}"
            app_name = found.app.name
        else:
            app_name = frame.app
            why = f"the agent {frame.agent} says it belongs to the app {frame.app!r}, and there is none of that id"
        text = f"{why}; it was told to stop: start it again with the right one"
        self._hint(verdict.value, who, text, app, code=verdict.value, who=who, app_name=app_name)
        await self._shut_down()
        return None

    def _is_timely(self, frame: Frame, app: App) -> bool:
        """Late frames count after a heartbeat that was in time: they waited while the agent could not reach us."""
        receiver = self._receiver
        if frame.timestamp_ms is None:
            receiver.refused["no_timestamp"] += 1
            return False
        offset_ms = frame.timestamp_ms - receiver.clock_ms()
        if frame.type == "heartbeat" and abs(offset_ms) > SKEW_MS:
            direction = "slow" if offset_ms < 0 else "fast"
            text = f"the clock of the agent {frame.agent} is {abs(offset_ms) / 60_000:.1f} minutes {direction}"
            text = f"{text}; more than 5 minutes slow, it is not heard"
            minutes = f"{abs(offset_ms) / 60_000:.1f}"
            code = f"clock_{direction}"
            self._hint("clock_skew", frame.agent, text, app.id, code=code, who=frame.agent, minutes=minutes)
        if offset_ms >= -LATE_MS or (frame.type != "heartbeat" and (app.id, frame.agent) in self._agents):
            return True
        receiver.refused["too_old"] += 1
        return False

    async def _heartbeat(self, frame: Frame, app: App) -> None:
        key = app.id, frame.agent
        if key not in self._agents and len(self._agents) >= MOST_NAMES:
            self._receiver.refused["too_many_names"] += 1
            return
        self.client = frame.client
        self._due = asyncio.get_running_loop().time() + HEARTBEAT_WITHIN_S
        offset_ms = (frame.timestamp_ms or 0.0) - self._receiver.clock_ms()
        agent, before = self._receiver.agents.heartbeat(app.id, app.name, frame.agent, self, offset_ms)
        if before is not None and before.client == frame.client:
            before.end("the agent has connected again")
        elif before is not None and key in self._agents:
            # It was ours before, and is taken from us again and again: both programs live.
            text = f"two agents call themselves {frame.agent}: give one another name (customAgent) or switch ipMode on"
            self._hint("same_name", frame.agent, text, app.id, code="same_name", who=frame.agent)
        self._agents[key] = agent

    async def _log(self, frame: Frame, app: App) -> None:
        kind, data = frame.data.get("type"), frame.data.get("data")
        if not isinstance(kind, str) or not isinstance(data, dict):
            self._receiver.refused["bad_log"] += 1
            return
        await self._receiver.reports.take(frame, app, kind, data)

    async def _response(self, frame: Frame, app: App) -> None:
        self._receiver.commands.answered((app.id, frame.agent), frame.trace, frame.data)

    async def _action(self, frame: Frame, app: App) -> None:
        path = frame.data.get("filePath")
        if isinstance(path, str) and path:
            await self._receiver.reports.file_is_there(app.id, frame.agent, path)

    async def _shut_down(self) -> None:
        with contextlib.suppress(LinkLostError):
            await self.say(json.dumps({"traceId": str(uuid.uuid4()), "type": "shutdown"}, separators=(",", ":")))

    def _hint(self, reason: str, subject: str, text: str, app: str = "", *, code: str, **values: object) -> None:
        self._receiver.hints.note(PROTOCOL, reason, subject, text, app, code=code, **values)

    def _name(self) -> str:
        """Of an agent that did not say who it is, or said it before."""
        named = next((name for _, name in self._agents), None)
        address = self._socket.remote_address
        return named or (str(address[0]) if address else "somebody")


_HANDLERS = {
    "heartbeat": _Conversation._heartbeat,  # noqa: SLF001 - of this module
    "log": _Conversation._log,  # noqa: SLF001
    "response": _Conversation._response,  # noqa: SLF001
    "action": _Conversation._action,  # noqa: SLF001
}


def _silent() -> logging.Logger:
    """The library tells of each connection, and with a trace of each stranger who speaks no WebSocket."""
    logger = logging.getLogger("sonde.xtransit.connections")
    logger.setLevel(logging.CRITICAL)
    return logger


def _host_of(socket: ServerConnection) -> str:
    """How the agent calls us, without a port."""
    said = socket.request.headers.get("Host", "") if socket.request else ""
    host = said.rpartition(":")[0] if ":" in said.rpartition("]")[2] else said
    return host if all(char.isalnum() or char in ".-_:[]" for char in host) else ""
