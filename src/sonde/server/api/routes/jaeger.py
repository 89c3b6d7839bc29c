"""/jaeger/api: our traces, as those ask who know Jaeger: its own pages and Grafana.

Source: https://www.jaegertracing.io/docs/latest/architecture/apis/. Every answer has its envelope, errors as well.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from sonde.server.api import any_text as _any_text  # noqa: F401 - names may have slashes
from sonde.server.api.access import Caller
from sonde.server.api.moments import FIRST, LAST
from sonde.server.api.parts import Parts
from sonde.server.insight.jaeger import jaeger_dependencies, jaeger_trace
from sonde.server.store.queries import jaeger, topology, traces
from sonde.server.store.queries.scope import at_micros

JAEGER = "/jaeger"
DEFAULT_LIMIT, MOST_TRACES = 20, 500
MOST_SPANS = 50_000
"""In one answer; of more, the newest traces."""
LOOKBACK = timedelta(days=2)
"""Lists of names, and searches that do not say a time, go back so far."""
MOST_TAGS = 20
_LONGEST_MAP_US = timedelta(days=90) / timedelta(microseconds=1)
_ID = re.compile(r"[0-9a-fA-F]{1,32}", re.ASCII)
_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)(us|µs|ms|s|m|h|d)", re.ASCII)
_UNIT_US = {"us": 1, "µs": 1, "ms": 1e3, "s": 1e6, "m": 6e7, "h": 3.6e9, "d": 8.64e10}


class BadRequestError(Exception):
    """A parameter that cannot be used."""


def routes(parts: Parts) -> APIRouter:
    """What Grafana's Jaeger data source asks for."""
    router = APIRouter(prefix=f"{JAEGER}/api", include_in_schema=False)
    reader = parts.access.needs("read", basic=True)
    store = parts.store

    async def answered(work: Callable[[], list[Any] | None], what: str) -> Response:
        """The list that `work` makes, in Jaeger's envelope; None: there is no `what`."""

        def asked() -> Response:
            try:
                found = work()
            except BadRequestError as error:
                return _envelope(None, 400, str(error))
            return _envelope(None, 404, f"{what} not found") if found is None else _envelope(found)

        return await parts.store_workers(asked)

    @router.get("/services")
    async def services(caller: Annotated[Caller, Depends(reader)]) -> Response:
        """Names."""
        return await answered(lambda: jaeger.services(store, caller.apps, *_lately()), "services")

    # `anytext`: a service may be called after an address.
    @router.get("/services/{service:anytext}/operations")
    async def names_of_operations(service: str, caller: Annotated[Caller, Depends(reader)]) -> Response:
        """Names."""
        return await answered(
            lambda: list(dict.fromkeys(name for name, _ in jaeger.operations(store, caller.apps, service, *_lately()))),
            "service",
        )

    @router.get("/operations")
    async def operations(
        caller: Annotated[Caller, Depends(reader)],
        service: str = "",
        spanKind: str = "",  # noqa: N803 - Jaeger's name
    ) -> Response:
        """Names and kinds."""
        return await answered(
            lambda: [
                {"name": name, "spanKind": kind}
                for name, kind in jaeger.operations(store, caller.apps, service, *_lately())
                if spanKind in {"", kind}
            ],
            "service",
        )

    @router.get("/traces")
    async def search(request: Request, caller: Annotated[Caller, Depends(reader)]) -> Response:
        """Whole traces, the newest first."""

        def work() -> list[Any]:
            given = dict(request.query_params)
            ids = [_trace_id(text) for text in request.query_params.getlist("traceID")][:MOST_TRACES]
            limit = _limit(given.get("limit", ""))
            found: list[Any] = []
            spans = 0
            for trace_id in ids or jaeger.find(store, caller.apps, _wanted(given), limit):
                trace = traces.trace(store, caller.apps, trace_id)
                spans += len(trace.spans) if trace else 0
                if spans > MOST_SPANS and found:
                    break
                if trace:
                    found.append(jaeger_trace(trace))
            return found

        return await answered(work, "traces")

    @router.get("/traces/{trace_id}")
    async def trace(trace_id: str, caller: Annotated[Caller, Depends(reader)]) -> Response:
        """One trace, in a list."""

        def work() -> list[Any] | None:
            found = traces.trace(store, caller.apps, _trace_id(trace_id))
            return [jaeger_trace(found)] if found else None

        return await answered(work, "trace")

    @router.get("/dependencies")
    async def dependencies(request: Request, caller: Annotated[Caller, Depends(reader)]) -> Response:
        """Who calls whom."""

        def work() -> list[Any]:
            given = request.query_params
            end = _moment(given.get("endTs", ""), 1000, "endTs") or datetime.now(UTC)
            back_us = 1000 * _number(given.get("lookback", "") or "86400000", "lookback")
            start = _before(end, min(back_us, _LONGEST_MAP_US))
            return jaeger_dependencies(topology.service_map(store, caller.apps, start, end))

        return await answered(work, "dependencies")

    return router


def _lately() -> tuple[datetime, datetime]:
    now = datetime.now(UTC)
    return now - LOOKBACK, now + timedelta(minutes=5)


def _envelope(data: list[Any] | None, code: int = 200, message: str = "") -> Response:
    errors = [{"code": code, "msg": message}] if message else None
    content = {"data": data, "total": len(data or []), "limit": 0, "offset": 0, "errors": errors}
    return Response(msgspec.json.encode(content), code, media_type="application/json")


def _wanted(given: dict[str, str]) -> jaeger.Wanted:
    if not given.get("service"):
        raise BadRequestError("parameter 'service' is required")
    end = _moment(given.get("end", ""), 1, "end") or datetime.now(UTC)
    start = _moment(given.get("start", ""), 1, "start")
    if start is None:
        back_us = _duration_us(given.get("lookback", ""), "lookback")
        start = _before(end, back_us) if back_us else end - LOOKBACK
    return jaeger.Wanted(
        service=given["service"],
        start=max(start, FIRST),
        end=end,
        operation="" if given.get("operation", "") in {"", "all", "All"} else given["operation"],
        tags=_tags(given.get("tags", "")),
        least_us=_duration_us(given.get("minDuration", ""), "minDuration"),
        most_us=_duration_us(given.get("maxDuration", ""), "maxDuration"),
    )


def _tags(raw: str) -> dict[str, str]:
    """A JSON object of strings."""
    if not raw:
        return {}
    try:
        tags = msgspec.json.decode(raw.encode(), type=dict[str, str | int | float | bool])
    except (msgspec.DecodeError, UnicodeEncodeError):
        raise BadRequestError(
            'malformed \'tags\' parameter, expecting a JSON object such as {"error":"true"}'
        ) from None
    if len(tags) > MOST_TAGS:
        raise BadRequestError(f"at most {MOST_TAGS} tags")
    return {key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in tags.items()}


def _trace_id(text: str) -> str:
    """32 digits; 64-bit ids have zeros in front."""
    if not _ID.fullmatch(text):
        raise BadRequestError(f"{text[:40]!r} is no trace id")
    return text.lower().rjust(32, "0")


def _limit(text: str) -> int:
    return max(1, min(MOST_TRACES, round(_number(text or str(DEFAULT_LIMIT), "limit"))))


def _number(text: str, name: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < 1e18:
        raise BadRequestError(f"unable to parse param {name!r}: it is a number")
    return number


def _moment(text: str, unit_us: int, name: str) -> datetime | None:
    if not text:
        return None
    us = round(_number(text, name)) * unit_us
    if us > 7_258_118_400_000_000 or not FIRST <= (moment := at_micros(us)) <= LAST:
        raise BadRequestError(f"unable to parse param {name!r}: a time lies between {FIRST.year} and {LAST.year}")
    return moment


def _before(end: datetime, back_us: float) -> datetime:
    """So long before `end`, as far as there is a time for it."""
    return end - timedelta(microseconds=min(back_us, (end - FIRST) / timedelta(microseconds=1)))


def _duration_us(text: str, name: str) -> int | None:
    if not text:
        return None
    found = _DURATION.fullmatch(text)
    if not found:
        raise BadRequestError(f"unable to parse param {name!r}: a duration is such as 1.2s, 100ms or 500us")
    return round(float(found[1]) * _UNIT_US[found[2]])
