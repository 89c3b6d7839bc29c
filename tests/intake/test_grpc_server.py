"""The gRPC port: handlers hear of a call before its message, messages come as sent, a stop answers what is open."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from sonde.server.grpc_server import GrpcServer, is_packed, unpacked
from sonde.server.intake.answers import RefusedError
from sonde.server.supervision.ports import PortError, reserve

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

METHOD = "/test.Service/Method"
BODY = b"\x0a" + bytes(100_000)


def server_of(handle: Callable[[Any, Any], Awaitable[bytes]], address: str = "127.0.0.1:0", **more: Any) -> GrpcServer:
    handler = grpc.stream_unary_rpc_method_handler(handle)
    return GrpcServer(
        address,
        [grpc.method_handlers_generic_handler("test.Service", {"Method": handler})],
        **{"max_message_bytes": 1 << 20} | more,
    )


async def _answer(_requests: Any, context: Any) -> bytes:
    message: bytes = await context.read()
    return message


async def _call(server: GrpcServer, body: bytes, **more: Any) -> bytes:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        answer: bytes = await channel.unary_unary(METHOD)(body, **more)
        return answer


def test_a_message_is_handed_over_as_it_came_and_unpacked_within_a_bound() -> None:
    async def run() -> tuple[bytes, bytes]:
        async with server_of(_answer) as server:
            return await _call(server, BODY), await _call(server, BODY, compression=grpc.Compression.Gzip)

    plain, packed = asyncio.run(run())

    assert (is_packed(plain), is_packed(packed)) == (False, True)
    assert len(packed) < 1000
    assert unpacked(plain, len(BODY)) == unpacked(packed, len(BODY)) == BODY
    with pytest.raises(RefusedError, match="larger than 100000 bytes"):
        unpacked(packed, len(BODY) - 1)


def test_a_sender_is_refused_before_its_message_is_read() -> None:
    """One that never sends a message hears of it, too: its handler did not wait for one."""

    async def refuse(_requests: Any, context: Any) -> bytes:
        return await context.abort(grpc.StatusCode.UNAUTHENTICATED, "who are you?")  # type: ignore[no-any-return]

    async def run() -> grpc.StatusCode:
        async with server_of(refuse) as server, grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            code: grpc.StatusCode = await channel.stream_unary(METHOD)().code()
            return code

    assert asyncio.run(run()) is grpc.StatusCode.UNAUTHENTICATED


@pytest.mark.parametrize(
    ("body", "more", "code"),
    [
        (b"\x0a" * (2 << 20), {}, grpc.StatusCode.RESOURCE_EXHAUSTED),
        (b"", {"compression": grpc.Compression.Deflate}, grpc.StatusCode.UNIMPLEMENTED),
    ],
)
def test_what_no_handler_could_read_is_refused_by_the_port(
    body: bytes, more: dict[str, Any], code: grpc.StatusCode
) -> None:
    async def run() -> grpc.StatusCode:
        async with server_of(_answer) as server:
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await _call(server, body, **more)
            return refused.value.code()

    assert asyncio.run(run()) is code


def test_a_taken_port_is_refused_and_a_reserved_one_is_not() -> None:
    async def run() -> None:
        async with server_of(_answer) as first:
            with pytest.raises(PortError, match=f"cannot listen on 127.0.0.1:{first.port}"):
                await server_of(_answer, f"127.0.0.1:{first.port}").start()
        with reserve("127.0.0.1", 0, "otlp-grpc-port") as held:
            port = held.getsockname()[1]
            for _ in range(2):
                async with server_of(_answer, f"127.0.0.1:{port}", reserved=True) as server:
                    assert server.port == port
                    assert await _call(server, b"x") == b"x"

    asyncio.run(run())


def test_a_stop_answers_the_calls_under_way_and_takes_no_new_ones() -> None:
    async def run() -> tuple[bytes, grpc.StatusCode]:
        arrived, go_on = asyncio.Event(), asyncio.Event()

        async def slow(_requests: Any, context: Any) -> bytes:
            message: bytes = await context.read()
            arrived.set()
            await go_on.wait()
            return message

        server = server_of(slow)
        await server.start()
        async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            under_way = channel.unary_unary(METHOD)(b"x")
            await arrived.wait()
            stopped = server.stop()
            async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as late:
                code: grpc.StatusCode = await late.unary_unary(METHOD)(b"y").code()
            assert not stopped.done()
            go_on.set()
            answer = await under_way
            await stopped
            return answer, code

    answer, code = asyncio.run(run())
    assert answer == b"x"
    # CANCELLED where the late connection was still taken; senders come again after either
    assert code in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}
