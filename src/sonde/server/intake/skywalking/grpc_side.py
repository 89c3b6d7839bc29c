"""gRPC calls of SkyWalking's agents. A message is taken when it comes, for some streams never end.

An agent that hears of an error throws away more than the message it was about, and none sends anything twice. So a
stream goes on over what cannot be understood or stored: that is counted, and said in the hints of the page "Connect an
application".
"""

from __future__ import annotations

import asyncio
import functools
import logging
from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf.message import DecodeError

from sonde.server.grpc_server import is_packed, unpacked
from sonde.server.intake.answers import Code, RefusedError
from sonde.server.intake.body import Budget, HeldBody
from sonde.server.intake.message_reader import MessageReader
from sonde.server.intake.skywalking import skywalking_pb2 as pb
from sonde.server.intake.skywalking.errors import AwayError, BadMessageError, UnknownSenderError
from sonde.server.intake.skywalking.half_messages import LOOK_EVERY_S, HalfMessages, received_bytes
from sonde.server.intake.skywalking.receiver import NOTHING, Call
from sonde.server.intake.skywalking.services import PATHS, PPROF_UPLOAD, Kind

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable
    from concurrent.futures import Executor

    from sonde.server.intake.hints import Hints
    from sonde.server.intake.skywalking.counters import SkywalkingCounters
    from sonde.server.intake.skywalking.half_messages import Connection
    from sonde.server.intake.skywalking.receiver import Receiver
    from sonde.server.intake.skywalking.senders import Senders

    _Context = grpc.aio.ServicerContext[bytes, bytes]

log = logging.getLogger(__name__)

TOKEN = "authentication"  # noqa: S105 - the name of a field
"""The metadata that carries an app's token, bare."""
NAMED_WITHIN_S = 1.0
NAME_MAX_BYTES = 16 << 10
NAMED_AT_ONCE = 4
"""Strangers whose message is read for their name; the others are called by their address."""
CALLS_MAX = 4096
"""Under way at one time, streams that never end among them."""
_MESSAGES_AT_ONCE = 4
"""Of the largest kind: so many bytes of messages are held that were received and are not yet in a batch."""
_STREAMED = frozenset(
    {
        Kind.SEGMENT,
        Kind.METER,
        Kind.METERS,
        Kind.LOG,
        Kind.EVENT,
        Kind.PROFILE_SNAPSHOT,
        Kind.COUNTED,
        Kind.BROWSER_ERROR,
    }
)
"""The others have one message a call, and hear what is wrong with it."""
_STATUS_CODES = {code.value[0]: code for code in grpc.StatusCode}
_NOT_ASKED_FOR = b"\x08\x02"  # PprofCollectionResponse { status: PPROF_TERMINATED_BY_OVERSIZE }: send nothing


class _StoppingError(Exception):
    """Nothing more is read."""


class SkywalkingGrpc(grpc.GenericRpcHandler):
    """All services on one port."""

    def __init__(
        self,
        receiver: Receiver,
        senders: Senders,
        counters: SkywalkingCounters,
        hints: Hints,
        threads: Executor,
        max_message_bytes: int,
        *,
        calls_max: int = CALLS_MAX,
        held_max_bytes: int | None = None,
        reader: MessageReader | None = None,
        half: HalfMessages | None = None,
    ) -> None:
        """`held_max_bytes`, `reader` and `half`: None for the usual bounds."""
        self._receiver = receiver
        self._senders = senders
        self._counters = counters
        self._hints = hints
        self._threads = threads
        self._max_message_bytes = max_message_bytes
        self._methods: dict[str, grpc.RpcMethodHandler[bytes, bytes]] = {
            path: grpc.stream_unary_rpc_method_handler(functools.partial(self._call, kind))
            for path, kind in PATHS.items()
        }
        self._methods[PPROF_UPLOAD] = grpc.stream_stream_rpc_method_handler(self._pprof)
        self._calls_max = calls_max
        self._budget = Budget(_MESSAGES_AT_ONCE * max_message_bytes if held_max_bytes is None else held_max_bytes)
        self._reader = reader or MessageReader(max_message_bytes)
        self._half = half or HalfMessages()
        self._ending: set[asyncio.Task[Any]] = set()
        self._naming = 0
        self._closing = False

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[bytes, bytes] | None:
        """What answers a call; None is UNIMPLEMENTED, to grpcio."""
        method = self._methods.get(details.method)
        if method is None:
            self._counters.refused["grpc", "unknown_method"] += 1
        return method

    def close(self) -> None:
        """End the streams that would go on for ever: what they brought is stored, and they hear that it is not all."""
        self._closing = True
        for call in self._half.reading():
            call.cancel()

    async def run(self) -> None:
        """End calls where too much has come of messages that are not whole. Until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            if not self._counters.streams_open:
                continue
            try:
                received = await loop.run_in_executor(self._threads, received_bytes)
            except OSError as error:
                log.warning("what has come of messages that are not whole cannot be known: %s", error)
                continue
            for connection in self._half.look(received):
                self._ending |= connection.reading
                for call in connection.reading:
                    call.cancel()
            self._counters.half_bytes = self._half.held

    async def _call(self, kind: Kind, _: object, context: _Context) -> bytes:
        app = await self._admitted(kind, context)
        call, answer = Call(app), NOTHING
        connection = self._half.begin(context.peer())
        self._counters.streams_open += 1
        try:
            self._check_room()
            while (body := await self._next(kind, connection, context)) is not None:
                answer = await self._take(kind, call, body, context)
            # To grpcio a stream whose sender is gone ends as any other: only who speaks to it hears of that.
            await context.send_initial_metadata(())
            await call.settled()
        except RefusedError as refusal:
            await call.settled()
            self._counters.refused["grpc", refusal.reason] += 1
            await context.abort(_STATUS_CODES[refusal.code], str(refusal))
        except _StoppingError:
            await call.settled()
            self._counters.refused["grpc", "stopping"] += 1
            await context.abort(grpc.StatusCode.UNAVAILABLE, "the server stops; what it has read is stored")
        except (asyncio.CancelledError, grpc.aio.InternalError):
            self._counters.refused["grpc", "disconnected"] += 1
            raise
        finally:
            self._counters.streams_open -= 1
            self._half.end(connection)
        return answer

    def _check_room(self) -> None:
        """Raises RefusedError."""
        if self._counters.streams_open > self._calls_max:
            raise RefusedError(429, Code.RESOURCE_EXHAUSTED, "too_many_calls", "too many calls at one time")

    async def _next(self, kind: Kind, connection: Connection, context: _Context) -> bytes | None:
        """The next message; None after the last.

        A stream may take as long as it likes, which is what those of agents do; a call of one message may not. Raises
        RefusedError where that takes too long or too much is held, _StoppingError when the server is about to stop.
        """
        task = asyncio.current_task()
        if self._closing or task is None:
            raise _StoppingError
        connection.reading.add(task)  # only one that waits for its sender may be cancelled
        try:
            body: object = await (context.read() if kind in _STREAMED else self._reader.read(context))
        except asyncio.CancelledError:
            if task in self._ending:
                task.uncancel()
                raise RefusedError(
                    429, Code.RESOURCE_EXHAUSTED, "half_messages", "too much has come of messages that are not whole"
                ) from None
            if not self._closing:
                raise
            task.uncancel()
            raise _StoppingError from None
        finally:
            connection.reading.discard(task)
            self._ending.discard(task)
        if not isinstance(body, bytes):
            return None  # it is grpcio's EOF
        connection.took(body)
        return body

    async def _take(self, kind: Kind, call: Call, body: bytes, context: _Context) -> bytes:
        """The answer. Raises RefusedError where too much is held already."""
        held = HeldBody(self._budget, self._max_message_bytes)
        try:
            held.put(body)
            if is_packed(body):
                held.replace(await self._unpacked(body))
            self._counters.messages["grpc", kind] += 1
            self._counters.bytes["grpc"] += len(held.bytes)
            return await self._receiver.take_bytes(call, kind, held.bytes)
        except RefusedError as refusal:
            if refusal.status == 429:
                raise
            self._counters.bad[kind, refusal.reason] += 1
            if kind not in _STREAMED:
                await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(refusal))
        except BadMessageError as error:
            if kind not in _STREAMED:
                await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        finally:
            held.let_go()
        return NOTHING

    async def _unpacked(self, body: bytes) -> bytes:
        """Raises RefusedError."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, unpacked, body, self._max_message_bytes)

    # -- who it is ----------------------------------------------------------------------------------------------------
    async def _admitted(self, kind: Kind, context: _Context) -> str:
        try:
            return await self._senders.app_of(_token(context.invocation_metadata()))
        except AwayError as error:
            self._counters.refused["grpc", "away"] += 1
            await context.abort(grpc.StatusCode.UNAVAILABLE, str(error))
        except UnknownSenderError as error:
            self._counters.refused["grpc", error.reason] += 1
            subject = await self._named(kind, context)
            text = f"{subject} {error}"
            self._hints.note("skywalking", error.reason, subject, text, code="sender", who=subject, said=error)
            await context.abort(grpc.StatusCode.PERMISSION_DENIED, str(error))
        raise AssertionError  # abort does not return

    async def _named(self, kind: Kind, context: _Context) -> str:
        """The sender as people know it: where it says so in a short message, its service; else its address."""
        message_type: Any = {Kind.PROPERTIES: pb.InstanceProperties, Kind.KEEP_ALIVE: pb.InstancePingPkg}.get(kind)
        if message_type is not None and self._naming < NAMED_AT_ONCE:
            self._naming += 1
            try:
                body: object = await asyncio.wait_for(context.read(), NAMED_WITHIN_S)
                if isinstance(body, bytes) and len(body) <= NAME_MAX_BYTES:
                    service = message_type.FromString(unpacked(body, NAME_MAX_BYTES)).service
                    if service:
                        return f"service {service}"
            except (TimeoutError, RefusedError, DecodeError):
                pass  # it has no name then; what is wrong with its token is told all the same
            finally:
                self._naming -= 1
        return f"an agent at {_host(context.peer())}"

    async def _pprof(self, _: object, context: _Context) -> AsyncIterator[bytes]:
        await self._admitted(Kind.COUNTED, context)
        connection = self._half.begin(context.peer())
        self._counters.streams_open += 1
        try:
            self._check_room()
            while (body := await self._next(Kind.COUNTED, connection, context)) is not None:
                self._counters.messages["grpc", Kind.COUNTED] += 1
                self._counters.bytes["grpc"] += len(body)
                yield _NOT_ASKED_FOR
        except RefusedError as refusal:
            self._counters.refused["grpc", refusal.reason] += 1
            await context.abort(_STATUS_CODES[refusal.code], str(refusal))
        except _StoppingError:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "the server stops")
        finally:
            self._counters.streams_open -= 1
            self._half.end(connection)


def _token(metadata: Iterable[tuple[str, str | bytes]] | None) -> str:
    for key, value in metadata or ():
        if key.lower() == TOKEN:
            return value if isinstance(value, str) else value.decode("latin-1")
    return ""


def _host(peer: str) -> str:
    """`ipv4:127.0.0.1:5000` without its port, which is another each time."""
    return peer.partition(":")[2].rpartition(":")[0] or peer
