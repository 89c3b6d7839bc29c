"""What statistics keep of requests beside sums: the histogram, and what came too late for them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from otlp_making import MS, NOW, SLOT, Span
from test_store_queries_tallies import tally

from sonde.server.insight.histogram import BOUNDS_MS, FAILED, WELL_KNOWN_MS, Histogram, bucket
from sonde.server.store.lateness import Lateness, told_lateness

EDGES_NS = [ns + one for bound in BOUNDS_MS for ns in (bound * 1_000_000,) for one in (-1, 0, 1)]


def stored(web, app: str) -> dict[int, int]:
    ((found, wrong),) = web.rows(
        "SELECT sumMap(histogram), sum(error_sum_ns) FROM rollup_30s WHERE app = {app:String}", {"app": app}
    )
    assert wrong is not None
    return found


def test_the_store_and_the_reports_mean_the_same_buckets(web):
    durations = [0, 1, *EDGES_NS, 10**15]
    rows = web.rows(
        "SELECT arrayMap(d -> sonde_bucket(d, false), {ns:Array(UInt64)}),"
        " arrayMap(d -> sonde_bucket(d, true), {ns:Array(UInt64)})",
        {"ns": durations},
    )

    assert rows == [
        ([bucket(ns, failed=False) for ns in durations], [bucket(ns, failed=True) for ns in durations]),
    ]
    assert set(WELL_KNOWN_MS) <= set(BOUNDS_MS)
    assert len(BOUNDS_MS) < FAILED


def test_every_request_is_in_one_bucket(web, sender, app):
    spans = [
        Span(start=SLOT + number * MS, ms=ns / 1e6, id=number.to_bytes(8, "big"), error=number % 3 == 0)
        for number, ns in enumerate(EDGES_NS, 1)
    ]
    sender.spans("orders", *spans)

    wanted: dict[int, int] = {}
    for number, ns in enumerate(EDGES_NS, 1):
        key = bucket(ns, failed=number % 3 == 0)
        wanted[key] = wanted.get(key, 0) + 1
    assert stored(web, app) == wanted
    failed_ns = sum(ns for number, ns in enumerate(EDGES_NS, 1) if number % 3 == 0)
    assert web.rows("SELECT sum(error_sum_ns) FROM rollup_30s WHERE app = {app:String}", {"app": app}) == [(failed_ns,)]


def test_requests_that_were_only_counted_are_in_the_histogram_within_their_own_buckets(web, sender, app):
    sender.spans(
        "orders",
        tally([3_000_000] * 5 + [40_000_000] * 2 + [7_000_000_000]),
        tally([120_000_000] * 4, error=True),
    )

    expected = [(3_000_000, False, 5), (40_000_000, False, 2), (7_000_000_000, False, 1), (120_000_000, True, 4)]
    assert stored(web, app) == {bucket(ns, failed=failed): count for ns, failed, count in expected}


def test_percentiles_are_of_durations_to_eight_binary_digits(web):
    rows = web.rows(
        "SELECT arrayMap(d -> sonde_rounded(d), {ns:Array(UInt64)})", {"ns": [0, 1, 255, 10**7, 123_456_789, 10**12]}
    )

    assert rows[0][0][:3] == [0, 1, 255]
    for got, ns in zip(rows[0][0][3:], (10**7, 123_456_789, 10**12), strict=True):
        assert got == pytest.approx(ns, rel=1 / 256)


@given(st.lists(st.tuples(st.integers(0, 2 * 10**11), st.booleans()), max_size=60), st.sampled_from(BOUNDS_MS))
def test_counts_at_a_bound_are_exact(requests, bound_ms):
    counted: dict[int, int] = {}
    for ns, failed in requests:
        counted[bucket(ns, failed=failed)] = counted.get(bucket(ns, failed=failed), 0) + 1
    histogram = Histogram.of(counted)

    assert histogram.requests == len(requests)
    assert histogram.within(bound_ms) == sum(ns <= bound_ms * 1_000_000 for ns, _ in requests)
    assert histogram.good_within(bound_ms) == sum(ns <= bound_ms * 1_000_000 and not bad for ns, bad in requests)
    assert histogram.good_within(bound_ms * 0.9) <= histogram.good_within(bound_ms)
    parts = histogram.between(WELL_KNOWN_MS)
    assert sum(requests for _, _, requests, _ in parts) == len(requests)
    assert [(above, up_to) for above, up_to, _, _ in parts] == list(
        zip([0, *WELL_KNOWN_MS], [*WELL_KNOWN_MS, None], strict=True)
    )


def test_an_app_says_how_late_its_data_may_come(web, loader, sender, app):
    """Event time decides the slot, however late; beyond the limit spans are counted with the reason."""
    old = [Span(start=NOW - timedelta(hours=hours), id=bytes([hours + 1]) * 8) for hours in (0, 1, 3)]
    said = {app: 7200}
    lateness = Lateness(loader, lambda: said)
    lateness.look()
    assert told_lateness(loader)[app] == 7200
    sender.spans("orders", *old)
    said.clear()
    lateness.look()
    assert app not in told_lateness(loader)
    sender.spans("orders", *old, service__instance__id="later")

    ((slots, requests),) = web.rows(
        "SELECT uniqExact(slot), sum(count) FROM rollup_30s WHERE app = {app:String}", {"app": app}
    )
    assert (slots, requests) == (3, 5)
    assert web.rows(
        "SELECT reason, sum(count) FROM dropped WHERE app = {app:String} GROUP BY reason", {"app": app}
    ) == [("too_old", 1)]
