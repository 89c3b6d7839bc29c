"""Reads the message of a gRPC call that has one, within a time, and so that all together stay within a size.

grpcio hands over a message only when it is whole, and holds what has come of it until then. Nobody can be asked how
much that is. So each message counts as the largest that is allowed, and as many are received at one time as then fit.
Of the calls that wait for their turn no more arrives than HTTP/2's first window, 64 KB.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from sonde.server.intake.answers import Code, RefusedError
from sonde.server.intake.body import BODY_TIMEOUT_S

if TYPE_CHECKING:
    import grpc

    Context = grpc.aio.ServicerContext[Any, bytes]

RECEIVED_MAX_BYTES = 512 << 20
_AT_ONCE_LEAST, _AT_ONCE_MOST = 4, 64
TURN_WITHIN_S = 5.0
"""Then the sender hears that it shall come again, sooner than most of them give up."""


class MessageReader:
    """For one event loop; the calls of a port share it."""

    def __init__(
        self,
        max_message_bytes: int,
        *,
        at_once: int | None = None,
        turn_within_s: float = TURN_WITHIN_S,
        read_within_s: float = BODY_TIMEOUT_S,
    ) -> None:
        """`at_once`: how many messages, None: as many as RECEIVED_MAX_BYTES allow."""
        fitting = min(max(RECEIVED_MAX_BYTES // max_message_bytes, _AT_ONCE_LEAST), _AT_ONCE_MOST)
        self._turns = asyncio.Semaphore(fitting if at_once is None else at_once)
        self._turn_within_s = turn_within_s
        self._read_within_s = read_within_s

    async def read(self, context: Context) -> bytes | None:
        """The message as sent; None where the call has none, or no more. Raises RefusedError: no turn, or too slow."""
        try:
            async with asyncio.timeout(self._turn_within_s):
                await self._turns.acquire()
        except TimeoutError:
            raise RefusedError(
                429, Code.RESOURCE_EXHAUSTED, "too_many_messages", "too many messages are being received", 1
            ) from None
        try:
            async with asyncio.timeout(self._read_within_s):
                message: object = await context.read()
        except TimeoutError:
            raise RefusedError(
                408, Code.DEADLINE_EXCEEDED, "slow_body", f"the message took more than {self._read_within_s:.0f} s"
            ) from None
        finally:
            self._turns.release()
        return message if isinstance(message, bytes) else None  # else it is grpcio's EOF
