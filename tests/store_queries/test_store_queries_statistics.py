"""Any report's figures are those of the spans themselves: counters exactly, percentiles within a stated distance."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from otlp_making import CLIENT, CONSUMER, SERVER, SLOT, Span, spans_request

from sonde.server.insight.duration_steps import ERROR
from sonde.server.insight.histogram import whole_numbers
from sonde.server.insight.measures import Thresholds
from sonde.server.insight.steps import floor_to
from sonde.server.insight.time_blocks import Day, zone
from sonde.server.reports.statistics import Tiers
from sonde.server.store.queries import statistics, statistics_series
from sonde.server.store.queries.statistics import Asked, Filters, UnfitFilterError

SECOND = timedelta(seconds=1)
KINDS = {SERVER: "server", CLIENT: "client", CONSUMER: "consumer"}
BY = Thresholds(apdex_t_ms=500, normal_ms=100, slow_ms=200, timeout_ms=2000)


def tiers(**said: int) -> Tiers:
    return Tiers(**{name: said.get(name, 0) for name in Tiers.model_fields})


@dataclass(frozen=True)
class Made:
    """A span, as the test knows it."""

    service: str
    endpoint: str
    instance: str
    kind: str
    status: int
    error: bool
    start: datetime
    ns: int
    address: str


@pytest.fixture(scope="module")
def made() -> list[Made]:
    dice = random.Random(11)
    spans = []
    for _ in range(1500):
        kind = dice.choice([SERVER, SERVER, SERVER, CLIENT, CONSUMER])
        days = dice.choice([0, 0, 0, 1, 7])
        spans.append(
            Made(
                service=dice.choice(["cart", "orders"]),
                endpoint=dice.choice(["GET /a", "GET /b", "work"]),
                instance=dice.choice(["one", "two"]),
                kind=KINDS[kind],
                status=dice.choice([200, 200, 404, 500]),
                error=dice.random() < 0.2,
                start=SLOT - timedelta(days=days, milliseconds=dice.randrange(3 * 3_600_000)),
                ns=dice.choice([round(dice.lognormvariate(18, 1.5)), 100_000_000, 0]),
                address=dice.choice(["10.0.0.1", "10.0.0.2", "10.0.0.3", ""]),
            )
        )
    return spans


@pytest.fixture(scope="module")
def filled(loader, store_folder, made, make_long_slots):
    """The app whose spans they are, in one load."""
    from otlp_making import Sender

    numbers = {name: number for number, name in KINDS.items()}
    bodies = []
    for service in ("cart", "orders"):
        for instance in ("one", "two"):
            spans = [
                Span(
                    name=one.endpoint,
                    kind=numbers[one.kind],
                    start=one.start,
                    ms=one.ns / 1e6,
                    id=number.to_bytes(8, "big"),
                    trace=number.to_bytes(16, "big"),
                    parent=b"P" * 8 if one.kind == "client" else b"",
                    error=one.error,
                    attributes={"http.response.status_code": one.status, "client.address": one.address},
                )
                for number, one in enumerate(made, 1)
                if (one.service, one.instance) == (service, instance)
            ]
            facts = {"service__instance__id": instance, "host__name": f"host of {instance}"}
            bodies.append(spans_request(service, spans, **facts))
    Sender(loader, store_folder / "spool", "app-statistics").request("traces", *bodies, received=SLOT + SECOND)
    make_long_slots()
    return "app-statistics"


def asked(app: str, start: datetime, end: datetime, **filters) -> Asked:
    return Asked([app], start, end, lambda _: BY, Filters(**filters))


def chosen(made, start, end, filters: Filters, *, calls: bool = False) -> list[Made]:
    """Brute force: by the slot that a span's own time falls into."""
    return [
        one
        for one in made
        if floor_to(start, 30) <= floor_to(one.start, 30) < end
        and (calls or one.kind != "client" or filters.kind == "client")
        and filters.service in {None, one.service}
        and filters.endpoint in {None, one.endpoint}
        and filters.instance in {None, one.instance}
        and filters.kind in {None, one.kind}
        and (filters.status is None or str(one.status).startswith(filters.status.rstrip("x")))
    ]


def check(found, spans: list[Made]) -> None:
    """Every figure against the spans."""
    ns = sorted(one.ns for one in spans)
    errors = [one.ns for one in spans if one.error]
    good = [one.ns for one in spans if not one.error]
    assert (found.requests, found.errors) == (len(spans), len(errors))
    assert found.total_ms == pytest.approx(sum(ns) / 1e6, rel=1e-12)
    if not spans:
        assert (found.average_ms, found.p50_ms, found.apdex, found.success_rate) == (None,) * 4
        return
    assert (found.min_ms, found.max_ms) == (ns[0] / 1e6, ns[-1] / 1e6)
    assert found.success_rate == pytest.approx(1 - len(errors) / len(spans))
    assert found.error_average_ms == (pytest.approx(sum(errors) / len(errors) / 1e6) if errors else None)
    normal, slow = sum(one <= 100_000_000 for one in good), sum(one <= 200_000_000 for one in good)
    assert found.tiers.model_dump() == {
        "normal": normal,
        "slow": slow - normal,
        "very_slow": len(good) - slow,
        "failed": len(errors),
        "unknown": 0,
    }
    assert found.timeouts == sum(one > 2_000_000_000 for one in ns)
    satisfied, tolerated = sum(one <= 500_000_000 for one in good), sum(one <= 2_000_000_000 for one in good)
    assert found.apdex == pytest.approx((satisfied + (tolerated - satisfied) / 2) / len(spans))
    for level in (50, 90, 95, 99):
        at_rank = ns[math.ceil(level / 100 * len(ns)) - 1]
        value = getattr(found, f"p{level}_ms") * 1e6
        assert value == pytest.approx(at_rank, rel=ERROR * 1.000001, abs=1.1), f"p{level} of {len(ns)}"


RANGES = st.tuples(st.integers(-4 * 3600, 0), st.integers(1, 4 * 3600))
FILTERS = st.builds(
    Filters,
    service=st.sampled_from([None, None, "cart", "nobody"]),
    endpoint=st.sampled_from([None, None, "GET /a"]),
    instance=st.sampled_from([None, None, "two"]),
    kind=st.sampled_from([None, None, "server", "client", "consumer"]),
    status=st.sampled_from([None, None, "404", "5xx", "2xx"]),
)
KEYS = {
    "service": lambda one: (one.service,),
    "endpoint": lambda one: (one.service, one.endpoint, one.kind),
    "instance": lambda one: (one.service, one.instance),
    "status": lambda one: (one.status,),
    "kind": lambda one: (one.kind,),
    "host": lambda one: (f"host of {one.instance}",),
    "client_address": lambda one: (one.address,),
}
FIELDS = {"status": ("status_code",), "client_address": ("address",), "endpoint": ("service", "endpoint", "kind")}
FEW = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


@FEW
@given(RANGES, FILTERS, st.sampled_from(sorted(KEYS)), st.sampled_from(["none", "yesterday", "last_week"]))
def test_any_report_says_what_the_spans_say(web, filled, made, span, filters, by, compare):
    start = SLOT + span[0] * SECOND
    end = start + span[1] * SECOND
    if by == "client_address":  # spans are not cut at slots
        start, end = floor_to(start, 30), floor_to(end, 30) + 30 * SECOND
    question = Asked([filled], start, end, lambda _: BY, filters)

    report = statistics.table(web, question, by, compare=compare)

    calls = by == "kind" and filters.kind is None
    spans = chosen(made, start, end, filters, calls=calls)
    check(report.whole, spans)
    wanted = {KEYS[by](one) for one in spans}
    fields = FIELDS.get(by, ("service", by) if by == "instance" else (by,))
    assert {tuple(getattr(row, name) for name in fields) for row in report.items} == wanted
    assert report.rows == len(wanted)
    assert [row.requests for row in report.items] == sorted((row.requests for row in report.items), reverse=True)
    ago = {"none": None, "yesterday": timedelta(days=1), "last_week": timedelta(days=7)}[compare]
    for row in report.items:
        key = tuple(getattr(row, name) for name in fields)
        check(row, [one for one in spans if KEYS[by](one) == key])
        if ago is None:
            assert row.compared is None
        else:
            then = chosen(made, start - ago, end - ago, filters, calls=calls)
            check(row.compared, [one for one in then if KEYS[by](one) == key])
        if by != "client_address":
            assert sum(code.requests for code in row.status_codes) == row.requests


@FEW
@given(
    RANGES,
    FILTERS,
    st.sampled_from(["service", "endpoint", "instance"]),
    st.sampled_from(["requests", "errors", "error_rate", "total", "average", "max", "p95", "name"]),
    st.integers(1, 3),
)
def test_a_report_of_a_few_is_the_begin_of_that_of_all(web, filled, span, filters, by, order, limit):
    start = SLOT + span[0] * SECOND
    question = Asked([filled], start, start + span[1] * SECOND, lambda _: BY, filters)

    every = statistics.table(web, question, by, order=order, compare="yesterday")
    few = statistics.table(web, question, by, order=order, compare="yesterday", limit=limit)

    assert (few.items, few.rows, few.whole) == (every.items[:limit], every.rows, every.whole)
    assert few.whole_compared == every.whole_compared
    assert few.rest == sum(row.requests for row in every.items[limit:])


@FEW
@given(RANGES, FILTERS, st.sampled_from([30, 90, 210, 300, 3600]), st.booleans())
def test_any_series_says_what_the_spans_say(web, filled, made, span, filters, step_s, compare):
    start = SLOT + span[0] * SECOND
    end = start + span[1] * SECOND
    question = Asked([filled], start, end, lambda _: BY, filters)

    series = statistics_series.series(web, question, SLOT, step_s=step_s, compare="yesterday" if compare else "none")

    def of_point(point, ago):
        last = min(point.time + step_s * SECOND, end - ago)
        first = max(point.time, floor_to(start, 30) - ago)
        return [one for one in chosen(made, start - ago, end - ago, filters) if first <= floor_to(one.start, 30) < last]

    for point in series.points:
        check(point, of_point(point, timedelta()))
        assert point.time.timestamp() % step_s == 0
        assert point.covered_s <= step_s
    assert sum(point.requests for point in series.points) == len(chosen(made, start, end, filters))
    if compare:
        day = timedelta(days=1)
        assert len(series.compared) == len(series.points)
        for point, then in zip(series.points, series.compared, strict=True):
            assert then.time == point.time - day
            check(then, of_point(then, day))


@pytest.mark.parametrize("place", ["UTC", "Asia/Kathmandu", "Australia/Lord_Howe"])
def test_the_blocks_of_a_day_hold_its_requests(web, filled, made, place):
    of = Day.at(SLOT - 2 * 3600 * SECOND, zone(place))

    day = statistics_series.day(web, asked(filled, of.start, of.end), filled, of, SLOT)

    assert (day.time_zone, day.date, len(day.blocks)) == (place, of.date, 480)
    spans = chosen(made, of.start, of.end, Filters())
    check(day.whole, spans)
    assert sum(block.requests for block in day.blocks) == len(spans) > 0
    for block in day.blocks:
        assert block.requests == sum(
            block.time <= floor_to(one.start, 30) < block.time + timedelta(seconds=180) for one in spans
        )
        assert block.local == f"{block.time.astimezone(zone(place)):%H:%M}"
        assert (block.covered_s == 0) == (block.time >= SLOT)


def test_a_histogram_has_the_bounds_that_people_know(web, filled, made):
    start, end = SLOT - timedelta(days=1), SLOT
    spans = chosen(made, start, end, Filters())

    found = statistics_series.histogram(web, asked(filled, start, end))

    assert [bucket.up_to_ms for bucket in found.buckets] == [5, 10, 50, 100, 200, 500, 1000, None]
    for buckets in (found.buckets, found.fine):
        for bucket in buckets:
            low, high = bucket.above_ms * 1e6, math.inf if bucket.up_to_ms is None else bucket.up_to_ms * 1e6
            inside = [one for one in spans if (low < one.ns or low == one.ns == 0) and one.ns <= high]
            assert (bucket.requests, bucket.errors) == (len(inside), sum(one.error for one in inside))
    assert (found.requests, found.unknown) == (len(spans), 0)


def test_what_stands_out_leads_to_its_traces(web, filled, made):
    start, end = SLOT - timedelta(hours=3), SLOT
    spans = [one for one in chosen(made, start, end, Filters()) if start <= one.start < end]

    top = statistics_series.top(web, asked(filled, start, end), 3)

    slowest = sorted(spans, key=lambda one: -one.ns)[:3]
    assert [round(row.duration_ms * 1e6) for row in top.slowest] == [one.ns for one in slowest]
    assert int(top.slowest[0].trace_id, 16) == made.index(slowest[0]) + 1
    worst = top.errors[0]
    same = [
        one
        for one in spans
        if one.error
        and (one.service, one.endpoint, one.kind, one.status)
        == (worst.service, worst.endpoint, worst.kind, worst.status_code)
    ]
    assert worst.errors == len(same)
    assert made[int(worst.trace_id, 16) - 1] == max(same, key=lambda one: one.start)


def test_the_rows_that_are_not_shown_are_counted(web, filled):
    question = asked(filled, SLOT - timedelta(hours=3), SLOT)

    report = statistics.table(web, question, "endpoint", order="p95", limit=2)

    assert (len(report.items), report.rows > 2) == (2, True)
    assert report.rest == report.whole.requests - sum(row.requests for row in report.items)
    assert report.items[0].p95_ms >= report.items[1].p95_ms


def test_each_app_is_judged_by_its_own_thresholds(web, sender, app, filled):
    sender.spans("orders", *[Span(start=SLOT, ms=30.0, id=bytes([n]) * 8) for n in range(1, 5)])
    strict = Thresholds(apdex_t_ms=5, normal_ms=10, slow_ms=20, timeout_ms=25)
    question = Asked([app, filled], SLOT, SLOT + SECOND, lambda of: strict if of == app else BY)

    report = statistics.table(web, question, "service")

    assert report.whole.tiers.very_slow == report.whole.timeouts == 4
    assert report.whole.apdex == 0


def test_calls_have_rows_by_who_makes_them_and_to_whom(web, loader, sender, app):
    calls = [
        Span(start=SLOT, kind=CLIENT, ms=float(n), id=bytes([n]) * 8, parent=b"P" * 8, attributes=attributes)
        for n in range(1, 4)
        for attributes in [{"server.address": "stock", "server.port": 80, "http.request.method": "GET"}]
    ]
    loader.command(
        "INSERT INTO peers (app, service, peer, target, calls, learned) SELECT {app:String}, 'orders', 'stock:80',"
        " 'stock-service', 10, now()",
        {"app": app},
    )
    sender.spans("orders", *calls)
    question = asked(app, SLOT, SLOT + SECOND, service="orders")

    (callee,) = statistics.table(web, question, "callee", compare="yesterday").items
    (caller,) = statistics.table(web, asked(app, SLOT, SLOT + SECOND, service="stock-service"), "caller").items
    (peer,) = statistics.table(web, question, "peer").items

    assert (callee.service, callee.peer, callee.peer_type, callee.requests) == ("orders", "stock-service", "service", 3)
    assert (callee.max_ms, callee.min_ms, callee.compared.requests) == (3.0, None, 0)
    for row in (callee, caller, peer):
        assert (row.tiers, row.apdex, row.timeouts) == (tiers(normal=3), 1.0, 0)
    assert (caller.service, caller.peer, caller.requests) == ("stock-service", "orders", 3)
    assert (peer.peer, peer.system, peer.peer_type, peer.requests) == ("stock:80", "http", "external", 3)
    with pytest.raises(UnfitFilterError, match="not kept by endpoint"):
        statistics.table(web, asked(app, SLOT, SLOT + SECOND, endpoint="GET /a"), "callee")


def test_calls_are_judged_by_the_thresholds_of_their_app_and_shared_out_among_those_who_answer(
    web, loader, sender, app
):
    attributes = {"server.address": "gateway", "server.port": 80, "http.request.method": "GET"}
    for target, weight in (("stock", 2), ("prices", 1)):
        loader.command(
            "INSERT INTO peers (app, service, peer, target, calls, learned)"
            " SELECT {app:String}, 'orders', 'gateway:80', {target:String}, {weight:UInt64}, now()",
            {"app": app, "target": target, "weight": weight},
        )
    durations = [(5, False), (30, False), (30, False), (300, False), (5, True)]
    sender.spans(
        "orders",
        *[
            Span(
                start=SLOT, kind=CLIENT, ms=ms, error=failed, id=bytes([n]) * 8, parent=b"P" * 8, attributes=attributes
            )
            for n, (ms, failed) in enumerate(durations, start=1)
        ],
    )
    by = Thresholds(apdex_t_ms=20, normal_ms=20, slow_ms=50, timeout_ms=100)
    question = Asked([app], SLOT, SLOT + SECOND, lambda _: by, Filters(service="orders"))

    report = statistics.table(web, question, "callee")

    assert report.whole.tiers == tiers(normal=1, slow=2, very_slow=1, failed=1)
    assert (report.whole.timeouts, report.whole.apdex) == (1, (1 + 2 / 2) / 5)
    for row in report.items:
        of = row.tiers
        assert of.normal + of.slow + of.very_slow + of.failed == row.requests
        assert of.unknown == 0
    assert {row.peer: row.requests for row in report.items} == {"stock": 3, "prices": 2}


def test_calls_that_were_recorded_without_a_histogram_are_unknown(web, loader, app):
    loader.command(
        "INSERT INTO edges_30s (slot, app, service, kind, peer, system, count, sum_ns, max_ns)"
        " SELECT toDateTime({slot:Int64}), {app:String}, 'orders', 'client', 'db', 'mysql', 7, 7, 1",
        {"slot": int(SLOT.timestamp()), "app": app},
    )

    (peer,) = statistics.table(web, asked(app, SLOT, SLOT + SECOND), "peer").items

    assert (peer.requests, peer.tiers, peer.apdex, peer.timeouts) == (7, tiers(unknown=7), None, None)


@given(st.dictionaries(st.integers(0, 36), st.floats(0, 1e6), max_size=37))
def test_parts_of_requests_become_whole_ones_and_none_gets_lost(shares):
    together = round(sum(shares.values()))
    found = whole_numbers(shares, together)

    assert sum(found.values()) == together
    assert all(abs(found[number] - share) < 1 + 1e-6 for number, share in shares.items())


def test_nobody_sees_the_statistics_of_an_app_that_is_not_his(web, filled):
    for apps in ([], ["another"]):
        question = Asked(apps, SLOT - timedelta(hours=3), datetime.now(UTC), lambda _: BY)
        for by in ("service", "host", "client_address", "peer", "callee"):
            report = statistics.table(web, question, by)
            assert (report.items, report.whole.requests) == ([], 0)
        assert statistics_series.top(web, question, 5).slowest == []
