"""OTLP/gRPC: Export of TraceService, MetricsService and LogsService.

The sender is refused before its message is read where its token is wrong or too many are at it already. Errors carry a
google.rpc.Status, with RetryInfo where the sender shall come again: without it a sender takes RESOURCE_EXHAUSTED for
final. Source: https://opentelemetry.io/docs/specs/otlp/#otlpgrpc.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import unquote

import grpc

from sonde.server.grpc_server import is_packed
from sonde.server.intake.acceptance import Sender
from sonde.server.intake.answers import Code, Encoding, RefusedError, accepted_body, bad_body, rpc_status
from sonde.server.intake.message_reader import MessageReader
from sonde.server.spool.entry import Signal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from sonde.server.intake.acceptance import Acceptance
    from sonde.server.intake.body import HeldBody

    Context = grpc.aio.ServicerContext[Any, bytes]

METHODS = {
    f"/opentelemetry.proto.collector.{package}.v1.{service}/Export": signal
    for package, service, signal in (
        ("trace", "TraceService", Signal.TRACES),
        ("metrics", "MetricsService", Signal.METRICS),
        ("logs", "LogsService", Signal.LOGS),
    )
}
CALLS_MAX = 4096
"""Under way at one time; one more is told to come again."""
_STATUS_CODES = {code.value[0]: code for code in grpc.StatusCode}


class OtlpGrpcIntake(grpc.GenericRpcHandler):
    """Handler of every method of its port."""

    def __init__(
        self,
        acceptance: Acceptance,
        look_up: Callable[[str], Awaitable[bool]],
        *,
        calls_max: int = CALLS_MAX,
        reader: MessageReader | None = None,
    ) -> None:
        """`look_up`: see `AppTokens.look_up`. `reader`: None for one with the usual bounds."""
        self.acceptance = acceptance
        self._look_up = look_up
        self._calls_max = calls_max
        self._calls = 0
        self._reader = reader or MessageReader(acceptance.max_body_bytes)

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[Any, Any]:
        """For grpcio: who answers this call."""
        signal = METHODS.get(details.method)

        async def answer(_messages: object, context: Context) -> bytes:
            return await self._export(signal, details.method, context)

        return grpc.stream_unary_rpc_method_handler(answer)

    async def _export(self, signal: Signal | None, method: str, context: Context) -> bytes:
        sender = _sender(context)
        self._calls += 1
        try:
            return await self._accept(signal, sender, context)
        except RefusedError as refusal:
            try:
                await _refuse(context, refusal)
            except grpc.aio.InternalError:
                refusal = self._cut_off()
                raise
            finally:
                self.acceptance.note(sender, signal, method, refusal)
        except asyncio.CancelledError:
            self.acceptance.counters.refused[signal or "none", "disconnected"] += 1
            raise
        finally:
            self._calls -= 1

    def _cut_off(self) -> RefusedError:
        most = self.acceptance.max_body_bytes
        return RefusedError(
            499, Code.CANCELLED, "cut_off", f"nothing; it ended the call, or its message is larger than {most} bytes"
        )

    async def _accept(self, signal: Signal | None, sender: Sender, context: Context) -> bytes:
        if signal is None:
            raise RefusedError(404, Code.UNIMPLEMENTED, "unknown_path", f"OTLP has {', '.join(METHODS)}")
        if self._calls > self._calls_max:
            raise RefusedError(429, Code.RESOURCE_EXHAUSTED, "too_many_calls", "too many calls at one time", 1)
        if not await self._look_up(sender.authorization):
            raise RefusedError(503, Code.UNAVAILABLE, "tokens_unavailable", "tokens cannot be checked", 1)
        app = self.acceptance.app_of(sender)
        body = self.acceptance.new_body()
        try:
            message = await self._reader.read(context)
            if message is None:
                raise bad_body("no_message", "the call has no message")  # noqa: TRY301 - what was taken is let go below
            body.put(message)
        except BaseException:
            body.let_go()
            raise

        # A call that ends early does not end what threads do with its message, and the room it takes.
        storing = asyncio.ensure_future(self._store(signal, app, body))
        storing.add_done_callback(_seen)
        return await asyncio.shield(storing)

    async def _store(self, signal: Signal, app: str, body: HeldBody) -> bytes:
        try:
            packed = "gzip" if is_packed(body.bytes) else ""
            checked = await self.acceptance.store(signal, app, Encoding.GRPC, packed, body)
        finally:
            body.let_go()
        return accepted_body(signal, Encoding.GRPC, checked.rejected, checked.why)


def _seen(storing: asyncio.Future[bytes]) -> None:
    """A refusal that nobody waits for any more is no fault of ours."""
    if not storing.cancelled():
        storing.exception()


async def _refuse(context: Context, refusal: RefusedError) -> NoReturn:
    """Raises AbortError, which ends the call; InternalError where there is no call any more."""
    details = ("grpc-status-details-bin", rpc_status(refusal))
    await context.abort(_STATUS_CODES[refusal.code], str(refusal), (details,))


def _sender(context: Context) -> Sender:
    said = {name: value for name, value in context.invocation_metadata() or () if isinstance(value, str)}
    return Sender(
        "otlp_grpc",
        _address(context.peer()),
        said.get("user-agent", ""),
        said.get("authorization", ""),
    )


def _address(peer: str) -> str:
    """`10.0.0.5` of `ipv4:10.0.0.5:51000`, `::1` of `ipv6:%5B::1%5D:51000`."""
    host = unquote(peer).partition(":")[2].rpartition(":")[0]
    return host.strip("[]") or "an unknown address"
