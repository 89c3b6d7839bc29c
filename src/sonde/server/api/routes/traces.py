"""/traces: search, what can be searched for, the waterfall of one, and two beside each other."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import Response

from sonde.server.api.access import Caller
from sonde.server.api.failures import bad_parameter
from sonde.server.api.moments import TimeRange, time_range
from sonde.server.api.parts import Parts
from sonde.server.api.routes import PREFIX
from sonde.server.insight.compare import compare
from sonde.server.reports.page import Page
from sonde.server.reports.traces import AttributeKey, AttributeValue, Comparison, Moments, Trace, TraceRow
from sonde.server.store.queries import attributes, moments, traces

MOST_ROWS = 1000
MOST_CONDITIONS = 10
LONGEST_NAME = 1000
GONE = "trace with that id; it may have been dropped by retention"

TraceId = Annotated[str, Path(pattern="^[0-9a-fA-F]{32}$", description="32 hex digits.")]


def routes(parts: Parts) -> APIRouter:
    """Requests and where their time went."""
    router = APIRouter(prefix=PREFIX, tags=["traces"])
    reader = parts.access.needs("read")
    Text = Annotated[str | None, Query(max_length=LONGEST_NAME)]  # noqa: N806 - a type
    Milliseconds = Annotated[float | None, Query(ge=0, le=1e9, allow_inf_nan=False)]  # noqa: N806 - a type

    @router.get("/traces", response_model=Page[TraceRow])
    async def search(
        request: Request,
        caller: Annotated[Caller, Depends(reader)],
        span: Annotated[TimeRange, Depends(time_range)],
        app: Text = None,
        service: Text = None,
        instance: Text = None,
        endpoint: Text = None,
        peer: Annotated[
            str | None, Query(max_length=LONGEST_NAME, description="Whom they talk to; with `any_span`.")
        ] = None,
        status: Annotated[
            str | None, Query(pattern=r"^(\d{1,3}|[1-9]xx)$", description="A status code, or a class such as `5xx`.")
        ] = None,
        min_ms: Milliseconds = None,
        max_ms: Milliseconds = None,
        error: Annotated[bool | None, Query(description="Only failed ones, or only those that did not.")] = None,
        attribute: Annotated[
            list[str] | None,
            Query(
                description="`key=value`, also with `!=`, `~` (contains), `>`, `>=`, `<`, `<=` for `=`, or `key?` (is"
                " there). Given several times, all are met. `resource.key` is an attribute of the process."
            ),
        ] = None,
        any_span: Annotated[bool, Query(description="Also what requests do inside, and their outgoing calls.")] = False,
        order: Literal["newest", "slowest"] = "newest",
        limit: Annotated[int, Query(ge=1, le=MOST_ROWS)] = 50,
        cursor: Annotated[str | None, Query(max_length=LONGEST_NAME, description="`next` of the page before.")] = None,
    ) -> Response:
        """Entry spans (server, consumer or root) that match all filters, or with `any_span` all spans that do."""
        wanted = _conditions(attribute or [])

        def query() -> Page[TraceRow]:
            try:
                return traces.search(
                    parts.store,
                    caller.apps,
                    app=app,
                    service=service,
                    instance=instance,
                    endpoint=endpoint,
                    peer=peer,
                    status=status,
                    min_ms=min_ms,
                    max_ms=max_ms,
                    error=error,
                    attributes=wanted,
                    any_span=any_span,
                    start=span.start,
                    end=span.end,
                    limit=limit,
                    cursor=cursor,
                    order=order,
                )
            except traces.BadCursorError:
                raise bad_parameter("cursor", "not one that an earlier page of this search gave") from None

        return await parts.answers(request, query, "trace")

    @router.get("/traces/attributes", response_model=Page[AttributeKey])
    async def attribute_keys(
        request: Request,
        caller: Annotated[Caller, Depends(reader)],
        span: Annotated[TimeRange, Depends(time_range)],
        service: Text = None,
    ) -> Response:
        """What attributes the newest spans have, the most frequent first."""
        return await parts.answers(
            request, lambda: attributes.keys(parts.store, caller.apps, service, span.start, span.end), "attribute"
        )

    @router.get("/traces/attributes/values", response_model=Page[AttributeValue])
    async def attribute_values(
        request: Request,
        caller: Annotated[Caller, Depends(reader)],
        span: Annotated[TimeRange, Depends(time_range)],
        key: Annotated[str, Query(min_length=1, max_length=LONGEST_NAME)],
        contains: Annotated[str, Query(max_length=LONGEST_NAME)] = "",
        service: Text = None,
    ) -> Response:
        """What values an attribute has in the newest spans, the most frequent first."""
        return await parts.answers(
            request,
            lambda: attributes.values(parts.store, caller.apps, service, key, contains, span.start, span.end),
            "attribute",
        )

    @router.get("/traces/{trace_id}", response_model=Trace)
    async def trace(request: Request, trace_id: TraceId, caller: Annotated[Caller, Depends(reader)]) -> Response:
        """Every span of one trace, in drawing order."""
        return await parts.answers(request, lambda: traces.trace(parts.store, caller.apps, trace_id.lower()), GONE)

    @router.get("/traces/{trace_id}/moments", response_model=Moments)
    async def what_else(request: Request, trace_id: TraceId, caller: Annotated[Caller, Depends(reader)]) -> Response:
        """Its log lines, and what held up its processes meanwhile: stalls, pauses, slow system calls, tools."""
        return await parts.answers(request, lambda: moments.moments(parts.store, caller.apps, trace_id.lower()), GONE)

    @router.get("/traces/{trace_id}/compare/{other_id}", response_model=Comparison)
    async def beside(
        request: Request, trace_id: TraceId, other_id: TraceId, caller: Annotated[Caller, Depends(reader)]
    ) -> Response:
        """Both traces aligned by their structure: what is slower in the other, missing or new."""

        def query() -> Comparison | None:
            first, other = (traces.trace(parts.store, caller.apps, one.lower()) for one in (trace_id, other_id))
            return compare(first, other) if first is not None and other is not None else None

        return await parts.answers(request, query, "trace with one of those ids; it may have been dropped by retention")

    return router


def _conditions(given: list[str]) -> list[attributes.Condition]:
    """Raises RefusedError (400)."""
    if len(given) > MOST_CONDITIONS:
        raise bad_parameter("attribute", f"at most {MOST_CONDITIONS} of them")
    if any(len(text) > LONGEST_NAME for text in given):
        raise bad_parameter("attribute", f"at most {LONGEST_NAME} characters")
    try:
        return [attributes.Condition.parse(text) for text in given]
    except attributes.BadConditionError as error:
        raise bad_parameter("attribute", str(error)) from None
