"""Spans that were not sampled are in the statistics as if they had been, and nowhere else."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from otlp_making import CLIENT, SERVER, SLOT, Span, ns

from sonde.server.store.queries import services

MINUTE = timedelta(minutes=1)


def bucket(duration_ns: int) -> int:
    import math

    return math.floor(math.log2(duration_ns) * 16)


def tally(durations_ns: list[int], *, start=SLOT, **more) -> Span:
    """What the probe makes of spans with these durations."""
    fast = sum(one <= 500_000_000 for one in durations_ns)
    fair = sum(500_000_000 < one <= 2_000_000_000 for one in durations_ns)
    if more.get("error"):
        fast = fair = 0
    last = ns(start) // 1_000_000_000 + 20
    numbers = [len(durations_ns), sum(durations_ns), min(durations_ns), max(durations_ns), fast, fair, last]
    counts: dict[int, int] = {}
    for one in durations_ns:
        counts[bucket(one)] = counts.get(bucket(one), 0) + 1
    for number, count in sorted(counts.items()):
        numbers += [number, count]
    attributes = {**more.pop("attributes", {}), "sonde.tally": ",".join(map(str, numbers))}
    return Span(start=start, ms=0, trace=b"\xff" * 16, id=b"\xff" * 8, attributes=attributes, **more)


@pytest.fixture
def durations():
    drawn = random.Random(7)
    return [round(drawn.lognormvariate(17, 1)) for _ in range(3000)]


def test_requests_that_were_only_counted_are_in_the_overview(web, sender, app, durations):
    sender.spans("orders", tally(durations), tally([20_000_000] * 7, error=True))
    kept = Span(start=SLOT, ms=3000.0, error=True, attributes={"sonde.kept": "error"})
    sender.spans("orders", kept)

    (orders,) = services.overview(web, [app], SLOT, SLOT + MINUTE)

    ordered = sorted([*durations, *[20_000_000] * 7, 3_000_000_000])
    assert (orders.requests, orders.errors) == (3008, 8)
    assert orders.average_ms == pytest.approx(sum(ordered) / len(ordered) / 1e6, rel=1e-9)
    assert orders.max_ms == pytest.approx(max(ordered) / 1e6)
    assert orders.p50_ms == pytest.approx(ordered[1504] / 1e6, rel=0.03)
    assert orders.p95_ms == pytest.approx(ordered[2857] / 1e6, rel=0.03)
    assert orders.last_seen == SLOT + timedelta(seconds=20)


def test_a_summary_is_no_span_and_no_trace(web, sender, app, durations):
    sender.spans("orders", tally(durations), Span(start=SLOT))

    assert web.rows("SELECT count() FROM spans WHERE app = {app:String}", {"app": app}) == [(1,)]
    assert web.rows("SELECT count() FROM spans WHERE trace_id = unhex('ffffffffffffffffffffffffffffffff')") == [(0,)]


def test_calls_that_were_only_counted_are_edges_of_the_map(web, sender, app, durations):
    attributes = {"server.address": "cache", "server.port": 6379, "db.system.name": "redis"}
    sender.spans("orders", tally(durations, name="GET", kind=CLIENT, parent=b"P" * 8, attributes=attributes))

    rows = web.rows(
        "SELECT peer, system, sum(count), sum(errors), sum(sum_ns), max(max_ns) FROM edges_30s"
        " WHERE app = {app:String} GROUP BY peer, system",
        {"app": app},
    )
    assert rows == [("cache:6379", "redis", len(durations), 0, sum(durations), max(durations))]
    assert services.overview(web, [app], SLOT, SLOT + MINUTE) == []


def test_a_report_splits_them_by_endpoint_and_status(web, sender, app):
    sender.spans(
        "orders",
        tally([1_000_000] * 5, name="GET /a", attributes={"http.response.status_code": 200}),
        tally([2_000_000] * 3, name="GET /b", attributes={"http.response.status_code": 404}),
    )

    report = services.report(web, [app], "orders", SLOT, SLOT + MINUTE, 500)

    assert {(row.endpoint, row.requests) for row in report.endpoints} == {("GET /a", 5), ("GET /b", 3)}
    assert {(row.code, row.requests) for row in report.status_codes} == {(200, 5), (404, 3)}


@pytest.mark.parametrize(
    "text", ["", "1", "x,y,z", "1,2,3,4,5,6,7", "0,0,0,0,0,0,0,1,1", ",".join(["9"] * 5000), "-1,2,3,4,5,6,7,8,9"]
)
def test_a_summary_that_is_none_fails_no_load(web, sender, app, text):
    sender.spans("orders", Span(start=SLOT, attributes={"sonde.tally": text}), Span(start=SLOT, name="GET /good"))

    (orders,) = services.overview(web, [app], SLOT, SLOT + MINUTE)
    assert orders.requests == 1


def test_a_summary_of_very_many_makes_no_work_of_that_size(web, sender, app):
    numbers = "18000000000000000000,5,1,9,1,1,1,10,18000000000000000000,300,1"
    sender.spans("orders", Span(start=SLOT, kind=SERVER, attributes={"sonde.tally": numbers}))

    (orders,) = services.overview(web, [app], SLOT, SLOT + MINUTE)
    assert orders.p50_ms == pytest.approx(2 ** (10.5 / 16) / 1e6, rel=0.5)
