"""The connection to the server: one thread that dials, says who is here, and hands over what the server says."""

from __future__ import annotations

import asyncio
import logging
import random
import threading
import time
import uuid
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit, urlunsplit

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from sonde import __version__
from sonde.agent.control.checks import Checks, Seen, Trust
from sonde.agent.control.jobs import Jobs
from sonde.agent.control.seen_processes import SeenProcesses
from sonde.wire import control as wire
from sonde.wire.control import LOST_AFTER, MAX_MESSAGE_BYTES, PATH, PROTOCOL, MessageError, moment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from websockets.asyncio.client import ClientConnection

    from sonde.agent.control.policy import Policy
    from sonde.agent.control.spool import Spool
    from sonde.agent.counters import Counters
    from sonde.agent.receiving.probes import Probe
    from sonde.agent.tools.runs import Runs
    from sonde.wire.control import Hello, Process, Welcome

log = logging.getLogger(__name__)
socket_log = logging.getLogger(f"{__name__}.socket")
socket_log.setLevel(logging.WARNING)  # connections come and go; what matters of that is counted here

FIRST_PAUSE_S, MAX_PAUSE_S, MIN_PAUSE_S = 0.5, 30.0, 0.05
STEADY_S = 10.0
"""A connection that lasted longer was a good one: the next attempt comes soon."""
MISSING_PAUSE_S = 60.0
"""Before an address is tried again that has no such endpoint, or a token that the server does not know."""
OPEN_WITHIN_S = 10.0
GATHER_S = 0.1
"""Between a change of the processes and the telling: a server that starts brings many."""
MOST_WAITING = 4096
MAX_PROCESSES_BYTES = MAX_MESSAGE_BYTES // 2
STOP_S = 1.0
_MISSING = frozenset({301, 302, 303, 307, 308, 400, 401, 403, 404, 405, 426, 501})


class Pauses:
    """Between attempts: any time up to a span that doubles, so that a thousand agents come back one by one."""

    def __init__(self, jitter: Callable[[], float] = random.random) -> None:
        self._jitter = jitter
        self._span_s = FIRST_PAUSE_S

    def next_s(self) -> float:
        """The next one."""
        span, self._span_s = self._span_s, min(self._span_s * 2, MAX_PAUSE_S)
        return max(MIN_PAUSE_S, span * self._jitter())

    def reset(self) -> None:
        """All was well for a while."""
        self._span_s = FIRST_PAUSE_S


class Channel:
    """Connected, or trying to be, until it is left."""

    def __init__(
        self,
        server: str,
        token: str,
        *,
        node: str,
        host: str,
        folder: Path,
        control_key: str,
        policy: Callable[[], Policy],
        runs: Runs,
        spool: Spool,
        counters: Counters,
    ) -> None:
        """`folder`: for what is remembered. Raises OSError."""
        self._url = _socket_url(server)
        self._token = token
        self._node = node
        self._host = host
        self._instance = uuid.uuid4().hex
        self._policy = policy
        self._runs = runs
        self._counters = counters
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._processes = SeenProcesses(runs, token)
        self._trust = Trust(folder / "server-keys.json", server, control_key)
        seen = Seen(folder / "seen-jobs.json", _now)
        checks = Checks(self._trust, seen, node, policy, self._processes.find, _now)
        self._jobs = Jobs(checks, policy, runs, spool, counters, self._later, self._learned, self._processes.ours)
        self._changed = asyncio.Event()
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._main: asyncio.Task[None] | None = None
        self._waiting: asyncio.Queue[str | bytes] | None = None
        """What is to be said on the connection, while there is one."""
        self._last_words: asyncio.Task[None] | None = None
        self._fault: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="sonde-control", daemon=True)

    def __enter__(self) -> Self:
        self._runs.take_unasked(self._unasked)
        self._runs.watch(lambda: self._later(self._changed.set))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._later(self._finish)
        self._thread.join(STOP_S)

    # -- for any thread -----------------------------------------------------------------------------------------------
    def _later(self, work: Callable[..., object], *arguments: object) -> None:
        """Have the channel's thread do it; nobody does when it is not there yet, or no more."""
        with self._lock:
            if self._loop is not None:
                self._loop.call_soon_threadsafe(work, *arguments)

    def _unasked(
        self, probe: Probe, event: dict[str, Any]
    ) -> tuple[Callable[[dict[str, Any]], None], Callable[[dict[str, Any], bytes], None]]:
        """A program has run a tool by itself."""
        self._later(self._jobs.manual, probe, event)
        return self._jobs.listeners(event["id"])

    # -- the thread ---------------------------------------------------------------------------------------------------
    def _run(self) -> None:
        with suppress(asyncio.CancelledError):  # that is how it ends
            asyncio.run(self._keep_connected())
        if self._fault is not None:
            raise self._fault

    def _finish(self) -> None:
        """Say what has to be said before the end, for which nobody waits long."""
        self._jobs.stopping()
        self._last_words = asyncio.create_task(self._say_last_words())

    async def _say_last_words(self) -> None:
        if self._waiting is not None:
            with suppress(TimeoutError):  # the server does not take them: it fails the jobs by itself, later
                await asyncio.wait_for(self._waiting.join(), STOP_S / 2)
        self._cancel()

    def _cancel(self) -> None:
        if self._main is not None:
            self._main.cancel()

    def _note_fault(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Something failed where nobody waits for it: the thread ends with that, and the agent with the thread."""
        self._fault = context.get("exception") or RuntimeError(context["message"])
        self._cancel()

    async def _keep_connected(self) -> None:
        self._main = asyncio.current_task()
        with self._lock:
            self._loop = asyncio.get_running_loop()
            self._loop.set_exception_handler(self._note_fault)
        pauses = Pauses()
        try:
            while True:
                began = time.monotonic()
                pause_s = await self._once()
                if time.monotonic() - began >= STEADY_S:
                    pauses.reset()
                await asyncio.sleep(max(pause_s, pauses.next_s()))
        finally:
            with self._lock:
                self._loop = None

    async def _once(self) -> float:
        """One connection, until it ends. Seconds that have to pass before the next."""
        try:
            async with connect(
                self._url,
                additional_headers={"Authorization": f"Bearer {self._token}"},
                user_agent_header=f"sonde-agent/{__version__}",
                compression=None,
                max_size=MAX_MESSAGE_BYTES,
                ping_interval=None,  # both sides have heartbeats
                open_timeout=OPEN_WITHIN_S,
                close_timeout=STOP_S / 2,
                proxy=None,  # as for telemetry
                logger=socket_log,
            ) as socket:
                await self._converse(socket)
        except InvalidStatus as error:
            status = error.response.status_code
            self._ended(f"http_{status}", f"the server answered {status}")
            return MISSING_PAUSE_S * (1 + random.random()) if status in _MISSING else 0.0  # noqa: S311 - a pause
        except (InvalidHandshake, EOFError) as error:
            self._ended("no_websocket", str(error))
            return MISSING_PAUSE_S
        except TimeoutError:
            self._ended("timeout", "nothing was heard for too long")
        except ConnectionClosed as error:
            self._ended("closed", str(error))
        except OSError as error:
            self._ended("unreachable", str(error))
        except MessageError as error:
            self._ended("bad_message", str(error))
        return 0.0

    def _ended(self, reason: str, message: str) -> None:
        self._counters.add("sonde.agent.control.ended", reason=reason)
        log.debug("no control channel: %s", message)  # the forwarder says aloud what is wrong with the server

    async def _converse(self, socket: ClientConnection) -> None:
        """Raises ConnectionClosed, MessageError, TimeoutError."""
        await socket.send(wire.encoded(self._hello()))
        async with asyncio.timeout(OPEN_WITHIN_S):
            welcome = wire.server_message(_text(await socket.recv()))
        if welcome["type"] != "welcome":
            raise MessageError("the first message is not welcome")
        self._counters.add("sonde.agent.control.connected")
        self._trust.met(welcome["public_key"])
        waiting: asyncio.Queue[str | bytes] = asyncio.Queue(MOST_WAITING)
        tasks = [
            asyncio.create_task(self._listen(socket, welcome)),
            asyncio.create_task(_send(socket, waiting, welcome["heartbeat_s"])),
            asyncio.create_task(self._tell_processes(waiting)),
        ]
        self._waiting = waiting
        self._jobs.connected(lambda data: _put(waiting, data, tasks[1]))
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._waiting = None
            self._jobs.disconnected()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            if task.cancelled():
                raise TimeoutError
            task.result()

    def _hello(self) -> Hello:
        return {
            "type": "hello",
            "protocol": PROTOCOL,
            "node": self._node,
            "host": self._host,
            "agent_version": __version__,
            "instance": self._instance,
            "capabilities": list(self._policy().tools),
            "jobs": self._jobs.ids(),
        }

    async def _listen(self, socket: ClientConnection, welcome: Welcome) -> None:
        while True:
            async with asyncio.timeout(welcome["heartbeat_s"] * LOST_AFTER):
                data = await socket.recv()
            try:
                message = wire.server_message(_text(data))
            except MessageError as error:  # of a newer server
                self._counters.add("sonde.agent.control.bad_messages")
                log.warning("the server says what cannot be understood: %s", error)
                continue
            if message["type"] == "job":
                self._jobs.job(message)
            elif message["type"] == "received":
                self._jobs.received(message)
            elif message["type"] == "settled":
                self._jobs.settled(message["job"])
            elif message["type"] == "cancel":
                self._jobs.cancel(message["job"], message["how"])

    async def _tell_processes(self, waiting: asyncio.Queue[str | bytes]) -> None:
        """All of them, at once and at each change."""
        told: list[Process] | None = None
        while True:
            self._changed.clear()
            items = self._processes.items()
            if items != told:
                told = items
                await waiting.put(_processes(items))
            await self._changed.wait()
            await asyncio.sleep(GATHER_S)

    def _learned(self, pid: int, tools: list[wire.ToolState]) -> None:
        self._processes.learned(pid, tools)
        self._changed.set()


def _put(waiting: asyncio.Queue[str | bytes], data: str | bytes, sender: asyncio.Task[None]) -> None:
    """Send it after what waits. A server that lets too much wait is given up."""
    try:
        waiting.put_nowait(data)
    except asyncio.QueueFull:
        sender.cancel()


async def _send(socket: ClientConnection, waiting: asyncio.Queue[str | bytes], heartbeat_s: float) -> None:
    while True:
        try:
            async with asyncio.timeout(heartbeat_s):
                data = await waiting.get()
        except TimeoutError:
            await socket.send(wire.encoded({"type": "heartbeat", "time": moment(_now())}))
        else:
            await socket.send(data)
            waiting.task_done()


def _processes(items: list[Process]) -> str:
    """The message, as much of it as the server takes: what tools can do is left out first, then processes."""
    text = wire.encoded({"type": "processes", "items": items})
    if len(text) > MAX_PROCESSES_BYTES:
        items = [{**item, "tools": None} for item in items]
        text = wire.encoded({"type": "processes", "items": items})
    while len(text) > MAX_PROCESSES_BYTES:
        items = items[: len(items) // 2]
        log.warning("there are too many processes to tell of: only the first %d are", len(items))
        text = wire.encoded({"type": "processes", "items": items})
    return text


def _text(data: str | bytes) -> str:
    if isinstance(data, bytes):
        raise MessageError("the server sends bytes")
    return data


def _socket_url(server: str) -> str:
    parts = urlsplit(server)
    scheme = "wss" if parts.scheme == "https" else "ws"
    return urlunsplit((scheme, parts.netloc, parts.path.rstrip("/") + PATH, "", ""))


def _now() -> datetime:
    return datetime.now(UTC)
