"""What Prometheus' and Jaeger's clients ask: the protocol's own error, or parameters that the store has room for."""

import contextlib
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl

from decoder import Decoder

from sonde.server.api.moments import FIRST, LAST
from sonde.server.api.routes import jaeger
from sonde.server.api.routes.prometheus import Asked, _limit, _selectors
from sonde.server.promql import answer
from sonde.server.promql.errors import PromqlError
from sonde.server.promql.limits import Deadline
from sonde.server.promql.parse import parse, parse_duration_ms
from sonde.server.promql.select import Asker
from sonde.server.store.client import StoreClient
from sonde.server.store.errors import StoreUnavailable

LAST_MS = 7_258_118_400_000


STORE = StoreClient.embedded(Path("/nonexistent/store.sock"), "web")
"""It does not answer: a query gets as far as its first selector."""


def promql(data):
    text = data.decode("utf-8", "replace")
    with contextlib.suppress(PromqlError, StoreUnavailable):
        parse(text).prettify()
        asker = Asker(STORE, None, Deadline(2.0))
        answer.over_range(asker, text, 1_790_000_000_000, 1_790_000_060_000, 15_000)


def prometheus(data):
    asked = Asked(parse_qs(data.decode("utf-8", "replace"), keep_blank_values=True))
    for work in (
        lambda: asked.moment_ms("time", 1.0),
        lambda: asked.moment_ms("start"),
        lambda: asked.between_ms()[1],
        lambda: parse_duration_ms(asked.needed("step")),
    ):
        try:
            assert 0 <= work() <= LAST_MS
        except PromqlError as error:
            assert error.status == 400
    for work in (lambda: _limit(asked), lambda: [parse(it) for it in _selectors(asked)]):
        try:
            work()
        except PromqlError as error:
            assert error.status == 400


def jaegers(data):
    given = dict(parse_qsl(data.decode("utf-8", "replace")))
    with contextlib.suppress(jaeger.BadRequestError):
        wanted = jaeger._wanted(given)
        assert FIRST <= wanted.start <= LAST
        assert FIRST <= wanted.end <= LAST
        assert len(wanted.tags) <= jaeger.MOST_TAGS
        assert all(isinstance(value, str) for value in wanted.tags.values())
    for work in (
        lambda: 1 <= jaeger._limit(given.get("limit", "")) <= jaeger.MOST_TRACES,
        lambda: len(jaeger._trace_id(given.get("traceID", ""))) == 32,
        lambda: (jaeger._moment(given.get("endTs", ""), 1000, "endTs") or datetime.now(UTC)) <= LAST,
        lambda: jaeger._number(given.get("lookback", "0"), "lookback") >= 0,
    ):
        with contextlib.suppress(jaeger.BadRequestError):
            assert work()


QUERIES = (
    'sum by (job) (rate(orders_placed_total{shop_country=~"D.",x!="y"}[1m] offset 5m)) / 3 > bool 1',
    "histogram_quantile(0.9, sum(rate(a_bucket[5m])) by (le))",
    "topk(3, max_over_time(x[1h:30s] @ 1790000000)) or vector(1) unless on(a) group_left time()",
    "label_replace(vector(1) + scalar(vector(2)), 'a', '$1', 'b', '(.*)') ^ 2 % 3",
    "clamp(vector(1), 0, 1e308) * 1e308 - -Inf + NaN == bool 0x1F",
    "days_in_month(vector(1e18)) + hour(vector(-1)) + year(vector(NaN))",
    '"text"',
)
PARAMETERS = (
    "query=up&start=1790000000&end=2026-11-21T10:00:00Z&step=15s&timeout=1m&limit=5&match[]=up&time=1e9",
    "start=2026-11-21T10:00:00 02:00&step=1h30m&limit=-1&match[]={a=~'b'}&time=nan&end=0001-01-01T00:00:00+23:59",
)
SEARCHES = (
    "service=shop&operation=all&limit=20&start=1790000000000000&end=1790000000000001&traceID=abc",
    'service=shop&operation=all&tags={"error":true,"n":1}&minDuration=1.5ms&maxDuration=2s&endTs=1790000000000&lookback=3600000',
    "service=shop&lookback=2d&limit=1e3",
    "service=shop&end=1&lookback=999999999d&traceID=FFFFFFFFFFFFFFFF0000000000000001&endTs=1e17",
)


def encoded(texts):
    return lambda: [text.encode() for text in texts]


DECODERS = (
    Decoder("promql", promql, encoded(QUERIES)),
    Decoder("prometheus-parameters", prometheus, encoded(PARAMETERS)),
    Decoder("jaeger-parameters", jaegers, encoded(SEARCHES)),
)
