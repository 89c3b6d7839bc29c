"""/prometheus/api/v1: our metrics, as those ask who know Prometheus.

Source: https://prometheus.io/docs/prometheus/latest/querying/api/. Errors have its shape, not ours.
"""

import logging
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import parse_qs

import msgspec
from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from sonde import __version__
from sonde.server.api.access import Caller
from sonde.server.api.parts import Parts
from sonde.server.promql import answer, metadata
from sonde.server.promql.errors import BadQueryError, PromqlError, TooSlowError
from sonde.server.promql.limits import LONGEST_S, Deadline
from sonde.server.promql.parse import parse, parse_duration_ms
from sonde.server.promql.select import Asker
from sonde.server.store.errors import StoreError, StoreUnavailable

log = logging.getLogger(__name__)

PROMETHEUS = "/prometheus"
_BAD_PATTERN = 427  # ClickHouse's CANNOT_COMPILE_REGEXP
_TOO_SLOW = 159
_TOO_MUCH = frozenset({158, 241, 396})  # TOO_MANY_ROWS, MEMORY_LIMIT_EXCEEDED, TOO_MANY_ROWS_OR_BYTES
_DEFAULT_RANGE_S = 3600.0


class Asked:
    """The parameters of a request, from its address and, for POST, its form."""

    def __init__(self, given: Mapping[str, list[str]]) -> None:
        self._given = given

    def all(self, name: str) -> list[str]:
        """Every one of that name."""
        return self._given.get(name, [])

    def one(self, name: str) -> str:
        """The first; empty where there is none."""
        return self.all(name)[0] if self.all(name) else ""

    def needed(self, name: str) -> str:
        """The first. Raises BadQueryError where there is none."""
        if not (value := self.one(name)):
            raise BadQueryError(f"invalid parameter {name!r}: it is needed")
        return value

    def moment_ms(self, name: str, default_s: float | None = None) -> int:
        """RFC 3339, or seconds since the epoch. Raises BadQueryError."""
        raw = self.one(name) if default_s is not None else self.needed(name)
        if not raw:
            return answer.check_moment(default_s or 0.0, name)
        try:
            seconds = float(raw)
        except ValueError:
            try:
                moment = datetime.fromisoformat(raw.replace(" ", "+"))
            except ValueError:
                raise BadQueryError(f"invalid parameter {name!r}: cannot parse {raw[:60]!r} to a timestamp") from None
            if moment.tzinfo is None:
                raise BadQueryError(f"invalid parameter {name!r}: {raw[:60]!r} has no zone") from None
            seconds = moment.timestamp()
        return answer.check_moment(seconds, name)

    def between_ms(self) -> tuple[int, int]:
        """`start` and `end`; by default the last hour."""
        now_s = time.time()
        end_ms = self.moment_ms("end", now_s)
        return self.moment_ms("start", max(0.0, end_ms / 1000 - _DEFAULT_RANGE_S)), end_ms


def routes(parts: Parts) -> APIRouter:
    """What Grafana's Prometheus data source asks for."""
    router = APIRouter(prefix=f"{PROMETHEUS}/api/v1", include_in_schema=False)
    reader = parts.access.needs("read", basic=True)

    async def answered(request: Request, caller: Caller, work: Callable[[Asker, Asked], Any]) -> Response:
        given = parse_qs(request.url.query, keep_blank_values=True)
        if request.method == "POST":
            for name, values in parse_qs((await request.body()).decode("utf-8", "replace")).items():
                given.setdefault(name, []).extend(values)

        def asked() -> bytes:
            wanted = Asked(given)
            limit = wanted.one("timeout")
            deadline = Deadline(parse_duration_ms(limit) / 1000 if limit else LONGEST_S)
            data = work(Asker(parts.store, caller.apps, deadline), wanted)
            return msgspec.json.encode({"status": "success", "data": data})

        try:
            content = await parts.store_workers(asked)
        except (PromqlError, StoreError) as error:
            return _failed(error)
        return Response(content, media_type="application/json")

    def route(path: str, work: Callable[[Request, Asker, Asked], Any]) -> None:
        async def handler(request: Request, caller: Annotated[Caller, Depends(reader)]) -> Response:
            return await answered(request, caller, lambda asker, asked: work(request, asker, asked))

        router.add_api_route(path, handler, methods=["GET", "POST"], response_model=None, name=path)

    route(
        "/query",
        lambda _, asker, asked: answer.instant(asker, asked.needed("query"), asked.moment_ms("time", time.time())),
    )
    route(
        "/query_range",
        lambda _, asker, asked: answer.over_range(
            asker,
            asked.needed("query"),
            asked.moment_ms("start"),
            asked.moment_ms("end"),
            parse_duration_ms(asked.needed("step")),
        ),
    )
    route("/series", lambda _, asker, asked: metadata.series(asker, _selectors(asked), *asked.between_ms()))
    route("/labels", lambda _, asker, asked: metadata.label_names(asker, asked.all("match[]"), *asked.between_ms()))
    route(
        "/label/{name}/values",
        lambda request, asker, asked: metadata.values_of_label(
            asker, request.path_params["name"], asked.all("match[]"), *asked.between_ms()
        ),
    )
    route("/metadata", lambda _, asker, asked: metadata.metrics(asker, asked.one("metric"), _limit(asked)))
    route("/format_query", lambda _, __, asked: parse(asked.needed("query")).prettify())
    route(
        "/status/buildinfo",
        lambda *_: {
            "version": "3.0.0",
            "revision": "",
            "branch": "",
            "buildUser": "sonde",
            "buildDate": "",
            "goVersion": "",
            "application": f"Sonde {__version__}",
        },
    )
    return router


def _selectors(asked: Asked) -> list[str]:
    if not asked.all("match[]"):
        raise BadQueryError("no match[] parameter provided")
    return asked.all("match[]")


def _limit(asked: Asked) -> int:
    raw = asked.one("limit")
    try:
        limit = int(raw) if raw else 0
    except ValueError:
        raise BadQueryError("invalid parameter 'limit': it is a number") from None
    return limit if limit > 0 else 1 << 31


def _failed(error: PromqlError | StoreError) -> Response:
    """An error as Prometheus writes it."""
    if isinstance(error, StoreUnavailable):
        log.warning("the store does not answer: %s", error)
        return _error(503, "unavailable", "the store does not answer; it may be starting")
    if isinstance(error, PromqlError):
        return _error(error.status, error.error_type, str(error))
    if error.code == _BAD_PATTERN:
        return _error(400, BadQueryError.error_type, "a pattern in the query is no RE2")
    if error.code == _TOO_SLOW:
        return _error(TooSlowError.status, TooSlowError.error_type, "the query took too long; ask for less")
    if error.code in _TOO_MUCH:
        return _error(422, "execution", "the query took too much memory; add matchers or ask for a shorter time")
    log.error("the store refused a query of ours: %s", error)
    return _error(500, "internal", "the store refused the query; the server's log says why")


def _error(status: int, error_type: str, message: str) -> Response:
    content = msgspec.json.encode({"status": "error", "errorType": error_type, "error": message})
    return Response(content, status, media_type="application/json")
