"""/live: the last minutes, once or as they go on."""

import time
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from sonde.server.api.access import Caller
from sonde.server.api.event_stream import EventStream
from sonde.server.api.failures import busy
from sonde.server.api.parts import Parts
from sonde.server.api.routes import PREFIX
from sonde.server.insight.live_feed import event
from sonde.server.insight.live_filter import LiveFilter
from sonde.server.insight.live_hub import TooManyViewersError
from sonde.server.reports.live import Live, LiveTrouble
from sonde.server.store.queries import live

CHECK_EVERY_S = 5.0
"""How often a stream asks whether its token or session still holds; the accounts remember an answer for 3 s more."""
LONGEST_NAME = 1000


def routes(parts: Parts) -> APIRouter:
    """The live view."""
    router = APIRouter(prefix=PREFIX, tags=["live"])
    reader = parts.access.needs("read")
    Text = Annotated[str | None, Query(max_length=LONGEST_NAME)]  # noqa: N806 - a type

    @router.get("/live", response_model=Live)
    async def now(
        request: Request,
        caller: Annotated[Caller, Depends(reader)],
        window_s: Annotated[int, Query(ge=10, le=900, description="Seconds back from now.")] = 60,
    ) -> Response:
        """Requests that ended in the last seconds, one step a second."""
        return await parts.answers(
            request, lambda: live.live(parts.store, caller.apps, datetime.now(UTC), window_s), "live view"
        )

    @router.get(
        "/live/stream",
        response_class=Response,
        responses={200: {"content": {"text/event-stream": {}}, "description": "Events."}},
    )
    async def follow(
        request: Request,
        caller: Annotated[Caller, Depends(reader)],
        service: Text = None,
        endpoint: Text = None,
        min_ms: Annotated[float, Query(ge=0, le=1e9, allow_inf_nan=False)] = 0,
        error: Annotated[bool, Query(description="Only failed ones.")] = False,
        q: Annotated[str, Query(max_length=LONGEST_NAME, description="Words in a name, an id or the status.")] = "",
    ) -> Response:
        """The last 15 minutes as server-sent events: `whole`, then a `change` at least each second; `trouble` while the
        store is away; `end` when the token or session is over. The filters are about the listed requests, `service`
        about the charts as well.
        """
        wish = LiveFilter(service, endpoint, min_ms, error, q)
        try:
            parts.live.check_room(caller.apps, wish)
        except TooManyViewersError as refused:
            raise busy(str(refused)) from None
        expired = False

        async def events() -> AsyncGenerator[bytes]:
            nonlocal expired
            checked = time.monotonic()
            stream = parts.live.view(caller.apps, wish)
            try:
                async for one in stream:
                    if time.monotonic() - checked >= CHECK_EVERY_S:
                        checked = time.monotonic()
                        if not await parts.access.remains(request, caller):
                            expired = True
                            yield event("end", _over())
                            return
                    yield one
            finally:
                await stream.aclose()

        return EventStream(events(), lambda how: parts.live.ended("expired" if expired else how))

    return router


def _over() -> LiveTrouble:
    message = "the session or token is over; log in again"
    return LiveTrouble(time=datetime.now(UTC), code="unauthenticated", message=message)
