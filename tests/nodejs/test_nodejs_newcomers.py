"""Connections that have not shown who they are: bounded in number and in bytes, and the others do not feel it."""

import asyncio
import contextlib
import socket
import struct
import time
from datetime import UTC, datetime

import pytest
from nodejs_harness import frame
from websockets.asyncio.client import connect

from sonde.server.accounts.apps import App, AppSecret
from sonde.server.intake.hints import Hints
from sonde.server.intake.xtransit.agents import Agents
from sonde.server.intake.xtransit.commands import Commands
from sonde.server.intake.xtransit.newcomer import OWN_BYTES, Newcomers
from sonde.server.intake.xtransit.receiver import Receiver
from sonde.server.intake.xtransit.reports import Reports
from sonde.server.intake.xtransit.secrets import Secrets
from sonde.server.spool.limits import SpoolLimits
from sonde.server.spool.spool import Spool

APP, SECRET = "0123456789ab", "a secret"
DEADLINE_S = 30
MAX_FRAME = 4 << 20


@contextlib.asynccontextmanager
async def listening(tmp_path, newcomers):
    """A port for agents of one app, without what keeps their reports; it and its receiver."""

    async def look_up(app):
        return AppSecret(App(APP, "shop", datetime.now(UTC)), SECRET) if app == APP else None

    agents = Agents(lambda: datetime.now(UTC), time.monotonic)
    commands = Commands(agents)
    with (
        Spool(tmp_path / "spool", SpoolLimits(min_free_bytes=0)) as spool,
        socket.create_server(("127.0.0.1", 0)) as port,
    ):
        reports = Reports(spool, agents, commands, None, None)
        receiver = Receiver(
            Secrets(look_up),
            agents,
            commands,
            reports,
            Hints(lambda: datetime.now(UTC)),
            max_frame_bytes=MAX_FRAME,
            newcomers=newcomers,
        )
        await receiver.start(port)
        try:
            yield port.getsockname()[1], receiver
        finally:
            await receiver.close()
            reports.close()


async def until(condition, what):
    async with asyncio.timeout(DEADLINE_S):
        while not condition():  # noqa: ASYNC110 - what is waited for lies on the other side of a connection
            await asyncio.sleep(0.01)
    assert condition(), what


def agent(port):
    return connect(f"ws://127.0.0.1:{port}/", max_size=None, compression=None)


def heartbeat(**more):
    return frame(APP, SECRET, **more)


class Stranger:
    """A WebSocket by hand, RFC 6455: it does not mind being hung up on."""

    def __init__(self, port):
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_S)
        self._socket.sendall(
            b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )

    def say(self, text, left_out=0):
        """A text frame without its last bytes, masked with zeros. Whether the connection is still there."""
        body = text.encode()
        data = b"\x81\xff" + struct.pack(">Q", len(body)) + bytes(4) + body
        try:
            self._socket.sendall(data[: len(data) - left_out])
        except ConnectionError:
            return False
        return True

    def hear(self):
        """Everything until the end of the connection."""
        heard = b""
        with contextlib.suppress(ConnectionError), self._socket:
            while data := self._socket.recv(65536):
                heard += data
        return heard


@pytest.mark.parametrize("announced", [OWN_BYTES + 100_000, MAX_FRAME])
def test_what_a_stranger_sends_beyond_its_own_comes_out_of_a_purse_that_ends(tmp_path, announced):
    newcomers = Newcomers(purse_bytes=50_000)

    async def run():
        async with listening(tmp_path, newcomers) as (port, receiver), agent(port) as known:
            await known.send(heartbeat())
            await until(lambda: len(newcomers) == 0 and receiver.frames["heartbeat"] == 1, "one that is known")
            stranger = await asyncio.to_thread(Stranger, port)
            await asyncio.to_thread(stranger.say, "x" * announced, left_out=1)
            await asyncio.to_thread(stranger.hear)
            await until(lambda: len(newcomers) == 0, "no newcomer")
            await known.send(heartbeat())
            await until(lambda: receiver.frames["heartbeat"] == 2, "the one that is known")
            return receiver.refused

    assert asyncio.run(run()) == {"newcomer_too_large": 1}
    assert newcomers.take(50_000), "what it had taken is there again"


def test_an_agent_whose_large_report_comes_before_its_heartbeat_is_heard(tmp_path):
    """And after it has shown who it is, it may send what it likes."""
    newcomers = Newcomers(purse_bytes=300_000)

    async def run():
        async with listening(tmp_path, newcomers) as (port, receiver), agent(port) as known:
            await known.send(heartbeat(kind="response", data={"text": "x" * 200_000}))
            await until(lambda: len(newcomers) == 0, "one that is known")
            await known.send(heartbeat())
            for _ in range(3):
                await known.send(heartbeat(kind="response", data={"text": "x" * 1_000_000}))
            await until(lambda: receiver.frames["response"] == 4, "four answers")
            return receiver.refused

    assert asyncio.run(run()) == {}


def test_who_signs_wrongly_stays_a_newcomer(tmp_path):
    newcomers = Newcomers(purse_bytes=50_000)

    async def run():
        async with listening(tmp_path, newcomers) as (port, receiver):
            stranger = await asyncio.to_thread(Stranger, port)
            wrong = frame(APP, "another", data={"text": "x" * 10_000})
            while await asyncio.to_thread(stranger.say, wrong):
                assert receiver.refused["wrong_signature"] < 100
            heard = await asyncio.to_thread(stranger.hear)
            assert b"shutdown" in heard or not heard, "the last words may be lost with the connection"
            return receiver.refused

    refused = asyncio.run(run())

    assert refused["newcomer_too_large"] == 1
    assert refused["wrong_signature"] >= 1


def test_of_too_many_that_say_nothing_the_first_is_ended_and_an_agent_is_heard(tmp_path):
    newcomers = Newcomers(most=5)

    async def run():
        async with listening(tmp_path, newcomers) as (port, receiver), contextlib.AsyncExitStack() as opened:
            known = await opened.enter_async_context(agent(port))
            await known.send(heartbeat())
            await until(lambda: len(newcomers) == 0 and receiver.frames["heartbeat"] == 1, "one that is known")
            silent = [(await asyncio.open_connection("127.0.0.1", port)) for _ in range(5)]
            await until(lambda: len(newcomers) == 5, "five that say nothing")
            late = await opened.enter_async_context(agent(port))
            await late.send(heartbeat(agent="host-2"))
            await until(lambda: receiver.frames["heartbeat"] == 2, "the late one")
            assert await asyncio.wait_for(silent[0][0].read(), DEADLINE_S) == b"", "the first of the silent ones"
            await known.send(heartbeat())
            await until(lambda: receiver.frames["heartbeat"] == 3, "the one that is known")
            for _, writer in silent:
                writer.close()
            return receiver.refused

    assert asyncio.run(run()) == {"too_many_newcomers": 1}
