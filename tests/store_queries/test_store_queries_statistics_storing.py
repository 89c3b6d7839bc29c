"""What statistics keep of requests beside sums: the histogram, and what came too late for them."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from math import ceil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from otlp_making import MS, NOW, SLOT, Span
from test_store_queries_tallies import tally

from sonde.server.insight.duration_steps import ERROR, at_rank_ns, middle_ns, step
from sonde.server.insight.histogram import BOUNDS_MS, FAILED, WELL_KNOWN_MS, Histogram, bucket
from sonde.server.store.lateness import Lateness, told_lateness
from sonde.server.store.queries.sums import quantiles

EDGES_NS = [ns + one for bound in BOUNDS_MS for ns in (bound * 1_000_000,) for one in (-1, 0, 1)]

MS_NS = 1_000_000


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


def test_the_store_and_the_reports_mean_the_same_steps(web):
    durations = [0, 1, 2, 3, *EDGES_NS, 10**15, 2**63]
    ((found,),) = web.rows("SELECT arrayMap(d -> sonde_step(d), {ns:Array(UInt64)})", {"ns": durations})

    assert found == [step(ns) for ns in durations]


@given(st.integers(1, 2**63))
def test_a_step_stands_for_its_durations_within_its_error(duration_ns):
    assert middle_ns(step(duration_ns)) == pytest.approx(duration_ns, rel=ERROR * 1.000001)


@given(st.lists(st.integers(1, 10**12), min_size=1, max_size=40), st.sampled_from([0.5, 0.9, 0.95, 0.99]))
@settings(max_examples=30)
def test_a_percentile_is_the_duration_at_its_rank_however_slots_are_added_up(web, durations, level):
    ((found,),) = web.rows(
        f"SELECT ({quantiles('one', level)})[1]"  # noqa: S608 - text of ours
        " FROM (SELECT map(sonde_step(arrayJoin({ns:Array(UInt64)})), 1::UInt64) AS one)",
        {"ns": durations},
    )

    at_rank = sorted(durations)[ceil(level * len(durations)) - 1]
    assert found == pytest.approx(at_rank, rel=ERROR * 1.000001)


def test_the_last_request_has_the_greatest_duration_and_no_step_is_beyond_it():
    assert at_rank_ns(1.01e6, 0.5, 1, 1_000_000) == 1_000_000, "one request is all of its percentiles"
    assert at_rank_ns(0.99e6, 0.95, 19, 1_000_000) == 1_000_000
    assert at_rank_ns(0.99e6, 0.95, 20, 1_000_000) == 0.99e6
    assert at_rank_ns(1.01e6, 0.95, 100, 1_000_000) == 1_000_000


def test_statistics_of_before_there_were_steps_have_percentiles_of_their_buckets(loader, web, app):
    """What an older version wrote has a histogram, and no column for steps."""
    loader.command("CREATE TABLE as_before (app String, histogram Map(UInt8, UInt64)) ENGINE = MergeTree ORDER BY app")
    try:
        for ms, failed, count in ((30, False, 60), (30, True, 30), (900, False, 10)):
            stored = f"map({bucket(ms * MS_NS, failed=failed)}::UInt8, {count}::UInt64)"
            loader.command(f"INSERT INTO as_before SELECT {{app:String}}, {stored}", {"app": app})
        loader.command(
            "ALTER TABLE as_before ADD COLUMN by_duration SimpleAggregateFunction(sumMap, Map(UInt16, UInt64))"
            " DEFAULT sonde_steps_of_buckets(histogram)"
        )
        percentiles = quantiles("by_duration", 0.5, 0.9, 0.95)
        ((found,),) = loader.rows(f"SELECT {percentiles} FROM as_before")  # noqa: S608 - text of ours
    finally:
        loader.command("DROP TABLE as_before")

    assert [25 * MS_NS < ns <= 50 * MS_NS for ns in found[:2]] == [True, True]
    assert 800 * MS_NS < found[2] <= 1000 * MS_NS


def test_the_middle_of_a_bucket_is_in_it(web):
    """For each bucket, the step that statistics from before there were steps have for it."""
    for number, (above_ms, up_to_ms) in enumerate(pairwise([0, *BOUNDS_MS])):
        ((steps,),) = web.rows(f"SELECT mapKeys(sonde_steps_of_buckets(map({number}::UInt8, 1::UInt64)))")
        assert above_ms < middle_ns(steps[0]) / 1e6 <= up_to_ms


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
