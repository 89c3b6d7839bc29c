"""What OTLP over HTTP and over gRPC have in common: whose it is, check, spool, and accepted only when it is synced."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sonde import settings as rows
from sonde.server.intake.answers import Code, Encoding, RefusedError
from sonde.server.intake.body import Budget, HeldBody, decompress
from sonde.server.intake.check import Checked, check
from sonde.server.intake.counters import IntakeCounters
from sonde.server.spool.entry import Signal
from sonde.server.spool.spool import SpoolRefusedError, Submission

if TYPE_CHECKING:
    from collections.abc import Callable

    from sonde.server.intake.hints import Hints
    from sonde.server.spool.spool import Spool

OTLP_SIGNALS = (Signal.TRACES, Signal.METRICS, Signal.LOGS)
INLINE_MAX_BYTES = 16 << 10
"""A larger body, or a compressed one, is worked on in a thread: the loop answers others meanwhile."""
RETRY_AFTER_S = 5
_THREADS = 2
_BODIES_AT_ONCE = 4
_OF_THE_MOMENT = frozenset({405, 408, 429, 503})
"""Refusals that a sender gets over by itself, or that are a browser's: no hint is made of them."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Who asks, as far as it says."""

    protocol: str
    """As in hints: `otlp_http`, `otlp_grpc`."""
    address: str
    user_agent: str
    authorization: str


class Acceptance:
    """Used from one event loop; the same one serves all transports, so that its bounds are the bounds of all."""

    def __init__(
        self,
        *,
        authenticate: Callable[[str], str | None],
        spool: Spool,
        hints: Hints,
        max_body_bytes: int = rows.INTAKE_MAX_BODY_BYTES.default,
    ) -> None:
        """`authenticate`: a token → the id of its app, or None. Called on the event loop, so it must not wait."""
        self._authenticate = authenticate
        self._spool = spool
        self._hints = hints
        self.max_body_bytes = max_body_bytes
        self._budget = Budget(_BODIES_AT_ONCE * max_body_bytes)
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="intake")
        self.counters = IntakeCounters()

    def app_of(self, sender: Sender) -> str:
        """The id of its app. Raises RefusedError."""
        app = self._find_app(sender)
        if app is None:
            raise RefusedError(
                401, Code.UNAUTHENTICATED, "unauthenticated", "Authorization: Bearer <app token> is needed"
            )
        return app

    def _find_app(self, sender: Sender) -> str | None:
        scheme, _, token = sender.authorization.partition(" ")
        return self._authenticate(token.strip()) if scheme.lower() == "bearer" else None

    def new_body(self) -> HeldBody:
        """For the request's body, to be let go when it is over."""
        return HeldBody(self._budget, self.max_body_bytes)

    async def store(
        self, signal: Signal, app: str, encoding: Encoding, content_encoding: str, body: HeldBody
    ) -> Checked:
        """What is in the body, when it is on the disk. `content_encoding`: '' for none. Raises RefusedError."""
        if content_encoding:
            body.replace(await self._in_thread(decompress, body.bytes, content_encoding, self.max_body_bytes))
        size = len(body.bytes)
        checked: Checked
        try:
            if size > INLINE_MAX_BYTES:
                checked, submission = await self._in_thread(self._submit, signal, app, encoding, body.bytes)
            else:
                checked, submission = self._submit(signal, app, encoding, body.bytes)
            if submission is not None:
                await asyncio.wrap_future(submission.synced)
        except SpoolRefusedError as refusal:
            raise RefusedError(503, Code.UNAVAILABLE, refusal.reason, str(refusal), RETRY_AFTER_S) from None
        self.counters.requests[signal, encoding] += 1
        self.counters.bytes[signal, encoding] += size
        if submission is not None and submission.duplicate:
            self.counters.duplicates[signal] += 1
        else:
            self.counters.items[signal] += checked.items
        self.counters.rejected_items[signal] += checked.rejected
        return checked

    def _submit(self, signal: Signal, app: str, encoding: Encoding, body: bytes) -> tuple[Checked, Submission | None]:
        """What the body holds, and its way into the spool; None where nothing is left to store."""
        checked = check(signal, encoding, body)
        return checked, self._spool.store(signal, app, checked.body, checked.items) if checked.items else None

    async def _in_thread(self, work: Callable[..., Any], *arguments: object) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)

    def note(self, sender: Sender, signal: Signal | None, called: str, refusal: RefusedError) -> None:
        """Count a request that is refused, and leave a hint where a person has to do something.

        `signal` is None, and `called` what the sender asked for, where it is nothing of OTLP.
        """
        self.counters.refused[signal or "none", refusal.reason] += 1
        if refusal.status in _OF_THE_MOMENT:
            return
        who = sender.user_agent or "a sender without a User-Agent"
        text = f"{who} sent {called} and was told: {refusal}"
        app = self._find_app(sender) or ""
        self._hints.note(
            sender.protocol,
            refusal.reason,
            sender.address,
            text,
            app,
            code="refused",
            who=sender.user_agent,
            called=called,
            said=refusal,
        )

    def close(self) -> None:
        """Wait for the threads. No request may be under way."""
        self._threads.shutdown()
