"""OTLP/gRPC under senders that are slow, gone, too many or no gRPC at all: bounded, counted, nobody else disturbed."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import grpc
import psutil
import pytest
from grpc_world import (
    BEARER,
    DATA,
    END_STREAM,
    HEADERS,
    METHOD_OF,
    PREFACE,
    SETTINGS,
    Told,
    channel,
    export,
    frame,
    open_call,
    serving,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from intake_world import APP, bodies, traces

from sonde.server.intake.acceptance import Acceptance
from sonde.server.spool.entry import Signal
from sonde.server.spool.limits import SpoolLimits
from sonde.server.spool.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    from intake_world import Sender


OK = grpc.StatusCode.OK
METHOD = METHOD_OF[Signal.TRACES]
DEADLINE_S = 60


@pytest.fixture
def acceptance(sender: Sender) -> Acceptance:
    return sender.app.acceptance


async def eventually(condition: Callable[[], bool], what: str) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not condition():  # noqa: ASYNC110 - what is waited for lies on the other side of a connection
            await asyncio.sleep(0.01)
    assert condition(), what


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_S)


def with_server(acceptance: Acceptance, act: Callable[[int], Awaitable[Any]], **more: Any) -> Any:
    """What `act` gives, and after it a good call has to be accepted."""

    async def run() -> Any:
        async with serving(acceptance, **more) as port:
            result = await act(port)
            async with channel(port) as to:
                assert (await export(to, traces(99))).code is OK
            return result

    return asyncio.run(run())


def test_a_sender_that_stops_in_the_middle_of_its_message_is_given_up(acceptance: Acceptance, spool: Spool) -> None:
    async def act(port: int) -> None:
        with connect(port) as half_open:
            open_call(half_open, METHOD)
            half_open.sendall(frame(DATA, 0, 1, b"\x00" + struct.pack(">I", 1000) + b"only a part"))
            await eventually(lambda: bool(acceptance.counters.refused), "a refusal")

    with_server(acceptance, act, read_within_s=0.3)

    assert acceptance.counters.refused == {(Signal.TRACES, "slow_body"): 1}
    assert bodies(spool.folder) == [traces(99)]
    assert acceptance._budget.held == 0


def test_a_sender_that_is_gone_without_a_word_is_known_after_its_keepalive(acceptance: Acceptance) -> None:
    """Its connection never ends by itself: no FIN comes, and nothing answers a ping."""

    async def act(port: int) -> bytes:
        with connect(port) as gone:
            open_call(gone, METHOD)
            gone.sendall(frame(DATA, 0, 1, b"\x00" + struct.pack(">I", 1000) + b"only a part"))
            await eventually(lambda: bool(acceptance.counters.refused), "a refusal")
            gone.settimeout(DEADLINE_S)
            return b"".join(iter(lambda: gone.recv(4096), b""))

    said = with_server(acceptance, act, port={"keepalive_s": 0.2, "keepalive_timeout_s": 0.2})

    ((about, reason),) = acceptance.counters.refused
    assert about == Signal.TRACES
    assert reason in {"cut_off", "disconnected"}
    assert said, "it was spoken to, and then hung up on"
    assert acceptance._budget.held == 0


def test_more_messages_than_fit_are_not_received_and_told_to_come_again(acceptance: Acceptance) -> None:
    """Each counts as the largest there may be, for nobody knows how much of it is there already."""

    async def act(port: int) -> Told:
        with connect(port) as slow:
            open_call(slow, METHOD)
            slow.sendall(frame(DATA, 0, 1, b"\x00" + struct.pack(">I", 1000) + b"only a part"))
            async with channel(port) as to:
                while (told := await export(to, traces(1))).code is OK:
                    pass  # the slow one has not had its turn yet
                return told

    refused = with_server(acceptance, act, at_once=1, turn_within_s=0.2, read_within_s=5)

    assert (refused.code, refused.retry_s) == (grpc.StatusCode.RESOURCE_EXHAUSTED, 1)
    assert acceptance.counters.refused[Signal.TRACES, "too_many_messages"] == 1


def test_messages_that_are_held_are_bounded_by_their_bytes(acceptance: Acceptance) -> None:
    message = traces(1)
    acceptance._budget.take(acceptance._budget._at_most - len(message) + 1)

    async def act(port: int) -> Told:
        async with channel(port) as to:
            refused = await export(to, message)
        acceptance._budget.give_back(acceptance._budget.held)
        return refused

    refused = with_server(acceptance, act)

    assert (refused.code, refused.retry_s) == (grpc.StatusCode.RESOURCE_EXHAUSTED, 1)
    assert acceptance.counters.refused == {(Signal.TRACES, "too_many_bodies"): 1}


def test_a_connection_that_breaks_in_the_middle_of_a_message_leaves_nothing(
    acceptance: Acceptance, spool: Spool
) -> None:
    async def act(port: int) -> None:
        with connect(port) as broken:
            open_call(broken, METHOD)
            broken.sendall(frame(DATA, 0, 1, b"\x00" + struct.pack(">I", 1000) + b"only a part"))
        await eventually(lambda: bool(acceptance.counters.refused), "a refusal")

    with_server(acceptance, act)

    ((about, reason),) = acceptance.counters.refused
    assert about == Signal.TRACES
    assert reason in {"cut_off", "disconnected"}
    assert bodies(spool.folder) == [traces(99)]


def test_a_message_that_is_said_to_be_giant_is_refused_before_it_arrives(acceptance: Acceptance) -> None:
    """4 GB are announced, and as much sent as the window lets through: nothing of that size is held for it."""

    async def act(port: int) -> int:
        before = psutil.Process().memory_info().rss
        with connect(port) as giant:
            open_call(giant, METHOD)
            giant.sendall(frame(DATA, 0, 1, b"\x00" + struct.pack(">I", 0xFFFFFFFF)))
            giant.sendall(frame(DATA, 0, 1, bytes(16_000)) * 4)
            await eventually(lambda: bool(acceptance.counters.refused), "a refusal")
        return psutil.Process().memory_info().rss - before

    grown = with_server(acceptance, act)

    assert acceptance.counters.refused == {(Signal.TRACES, "cut_off"): 1}
    assert grown < 64 << 20


def test_nothing_of_a_message_is_read_while_its_sender_is_unknown(acceptance: Acceptance) -> None:
    """A stranger's call ends at its headers."""

    async def act(port: int) -> bytes:
        with connect(port) as stranger:
            open_call(stranger, METHOD, token="of nobody")
            await eventually(lambda: bool(acceptance.counters.refused), "a refusal")
            stranger.settimeout(DEADLINE_S)
            said = b""
            while b"grpc-status" not in said:
                said += stranger.recv(4096)
            return said

    said = with_server(acceptance, act)

    assert b"16" in said
    assert acceptance.counters.refused == {(Signal.TRACES, "unauthenticated"): 1}


def test_more_calls_than_are_taken_at_one_time_are_told_to_come_again(acceptance: Acceptance) -> None:
    """The calls that wait hold no message: those of strangers and of slow senders cost as little as they can."""
    too_many = Signal.TRACES, "too_many_calls"

    async def act(port: int) -> Told:
        with connect(port) as waiting:
            for number in range(10):
                open_call(waiting, METHOD, stream=2 * number + 1)
            await eventually(lambda: acceptance.counters.refused[too_many] == 5, "five that wait and five refused")
            async with channel(port) as to:
                refused = await export(to, traces(1))
        await eventually(lambda: acceptance.counters.refused.total() == 11, "the end of the five that waited")
        return refused

    refused = with_server(acceptance, act, calls={"calls_max": 5})

    assert (refused.code, refused.retry_s) == (grpc.StatusCode.RESOURCE_EXHAUSTED, 1)
    assert acceptance.counters.refused[too_many] == 6


def test_more_connections_than_are_taken_at_one_time_are_closed(
    acceptance: Acceptance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sonde.server.grpc_server.CONNECTIONS_MAX", 4)

    async def act(port: int) -> int:
        loop = asyncio.get_running_loop()
        with contextlib.ExitStack() as opened:
            connections = [opened.enter_context(connect(port)) for _ in range(12)]
            for connection in connections:
                connection.sendall(PREFACE + frame(SETTINGS, 0, 0))
            return sum(await asyncio.gather(*(loop.run_in_executor(None, _is_served, one) for one in connections)))

    assert with_server(acceptance, act) == 4


def _is_served(connection: socket.socket) -> bool:
    """Whether the server says anything before it hangs up."""
    try:
        return bool(connection.recv(1))
    except ConnectionResetError:
        return False


def test_thousands_of_calls_at_one_time_are_all_answered(acceptance: Acceptance, spool: Spool) -> None:
    async def act(port: int) -> list[grpc.StatusCode]:
        channels = [channel(port) for _ in range(40)]
        calls = [export(channels[number % 40], traces(number)) for number in range(3000)]
        codes = [answer.code for answer in await asyncio.gather(*calls)]
        for opened in channels:
            await opened.close()
        return codes

    codes = with_server(acceptance, act, at_once=8, turn_within_s=DEADLINE_S)

    assert set(codes) == {OK}
    assert len(bodies(spool.folder)) == 3000
    assert acceptance._budget.held == 0


def test_calls_that_are_cancelled_give_back_what_they_held(acceptance: Acceptance, spool: Spool) -> None:
    """At whatever moment: before the message, while it is checked, while the disk writes."""

    async def act(port: int) -> None:
        async with channel(port) as to:
            export_of = to.unary_unary(METHOD)
            for number in range(200):
                call = export_of(traces(number, spans=200), metadata=BEARER)
                await asyncio.sleep(number * 5e-5)
                call.cancel()
            await eventually(lambda: acceptance._budget.held == 0, "nothing held")

    with_server(acceptance, act)

    assert acceptance._budget.held == 0
    stored = bodies(spool.folder)
    assert len(stored) == len(set(stored)), "none twice"


def test_a_sender_that_reads_no_answers_holds_up_nobody(acceptance: Acceptance) -> None:
    async def act(port: int) -> None:
        with connect(port) as deaf:
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            message = traces(1)
            for number in range(90):
                open_call(deaf, METHOD, stream=2 * number + 1)
                body = b"\x00" + struct.pack(">I", len(message)) + message
                deaf.sendall(frame(DATA, END_STREAM, 2 * number + 1, body))
            async with channel(port) as to:
                for number in range(20):
                    assert (await export(to, traces(number + 2))).code is OK

    with_server(acceptance, act)


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Acceptance, int, asyncio.Runner]]:
    """A server for many examples, on a loop of its own that runs in a thread."""
    from sonde.server.accounts.accounts import utc_now
    from sonde.server.intake.hints import Hints

    folder: Path = tmp_path_factory.mktemp("fuzzed")
    with Spool(folder, SpoolLimits(min_free_bytes=0, file_max_age_s=3600)) as spool:
        acceptance = Acceptance(
            authenticate={"token-of-shop": APP}.get, spool=spool, hints=Hints(utc_now), max_body_bytes=1 << 20
        )
        with asyncio.Runner() as runner, ThreadPoolExecutor(1) as thread:
            opened = thread.submit(runner.run, _started(acceptance)).result()
            stop = asyncio.Event()
            running = thread.submit(runner.run, _until(opened, stop))
            yield acceptance, opened[1], runner
            runner.get_loop().call_soon_threadsafe(stop.set)
            running.result()
        acceptance.close()


async def _started(acceptance: Acceptance) -> tuple[Any, int]:
    server = serving(acceptance, read_within_s=0.2)
    return server, await server.__aenter__()


async def _until(opened: tuple[Any, int], stop: asyncio.Event) -> None:
    await stop.wait()
    await opened[0].__aexit__(None, None, None)


FRAMES = st.lists(
    st.one_of(
        st.binary(max_size=200),
        st.builds(
            frame,
            st.sampled_from([DATA, HEADERS, 2, 3, SETTINGS, 5, 6, 7, 8, 9, 77]),
            st.integers(0, 255),
            st.sampled_from([0, 1, 2, 3, 0x7FFFFFFF]),
            st.binary(max_size=100),
        ),
        st.builds(
            lambda flag, length, rest: frame(DATA, 0, 1, bytes((flag,)) + struct.pack(">I", length) + rest),
            st.integers(0, 255),
            st.one_of(st.integers(0, 300), st.integers(0, 0xFFFFFFFF)),
            st.binary(max_size=300),
        ),
    ),
    max_size=8,
)


@settings(max_examples=150, deadline=None)
@given(opened=st.booleans(), frames=FRAMES)
def test_no_frames_of_anybody_end_the_server(
    fuzzed: tuple[Acceptance, int, asyncio.Runner], opened: bool, frames: list[bytes]
) -> None:
    acceptance, port, _ = fuzzed
    before = acceptance.counters.requests.total()
    with connect(port) as stranger:
        try:
            if opened:
                open_call(stranger, METHOD)
            else:
                stranger.sendall(PREFACE + frame(SETTINGS, 0, 0))
            stranger.sendall(b"".join(frames))
            stranger.shutdown(socket.SHUT_WR)
            while stranger.recv(65536):
                pass
        except (ConnectionResetError, BrokenPipeError):
            pass  # it is free to hang up

    with grpc.insecure_channel(f"127.0.0.1:{port}", [("grpc.use_local_subchannel_pool", 1)]) as to:
        assert to.unary_unary(METHOD)(traces(1), metadata=BEARER, timeout=DEADLINE_S) == b""
    assert acceptance.counters.requests.total() > before
