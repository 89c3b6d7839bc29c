from __future__ import annotations

from datetime import timedelta

from otlp_making import CLIENT, MS, NOW, Span

from sonde.server.insight.live_reading import Question
from sonde.server.store.queries import live

SECOND = timedelta(seconds=1)


def ids(number: int) -> bytes:
    return number.to_bytes(8, "big")


def test_the_series_has_a_point_a_second_up_to_the_last_that_is_over(web, sender, app):
    at = NOW - 3 * SECOND
    sender.spans("orders", *[Span(id=ids(n), start=at + n * MS, ms=20.0, error=n == 1) for n in range(1, 5)])
    sender.spans("orders", Span(id=ids(9), start=NOW + 200 * MS))

    found = live.live(web, [app], NOW + 500 * MS)

    assert (len(found.series), found.window_s) == (60, 60)
    assert found.series[-1].time == NOW - SECOND
    assert [(point.requests, point.errors) for point in found.series[-4:]] == [(0, 0), (4, 1), (0, 0), (0, 0)]
    assert [(row.service, row.requests_per_s, row.errors_per_s) for row in found.services] == [("orders", 0.4, 0.1)]


def test_latest_and_slowest_requests_are_listed(web, sender, app):
    for number, ms in enumerate((10.0, 90.0, 30.0), start=1):
        sender.spans("orders", Span(id=ids(number), start=NOW - (4 - number) * SECOND, ms=ms))
    sender.spans("orders", Span(id=ids(7), parent=ids(1), kind=CLIENT, start=NOW - SECOND, ms=500.0))

    found = live.live(web, [app], NOW)

    assert [row.duration_ms for row in found.latest] == [30.0, 90.0, 10.0]
    assert [row.duration_ms for row in found.slowest] == [90.0, 30.0, 10.0]


def test_behind_is_from_the_last_end_of_a_span_to_now(web, sender, app):
    sender.spans("orders", Span(start=NOW - 2 * SECOND, ms=500.0))

    assert live.live(web, [app], NOW).behind_ms == 1500.0


def test_without_spans_nobody_knows_how_far_behind_the_view_is(web, app):
    found = live.live(web, [app], NOW)

    assert (found.behind_ms, found.services, found.latest) == (None, [], [])
    assert all(point.requests == 0 and point.p95_ms is None for point in found.series)


def question(app, *, services=(), start=NOW - 60 * SECOND, rows_start=NOW - 60 * SECOND):
    return Question((app,), frozenset(services), start, rows_start, NOW)


def second(time) -> int:
    return int(time.timestamp())


def test_one_reading_has_the_series_of_all_and_of_the_watched_services_and_the_newest_requests(web, sender, app):
    sender.spans("orders", *[Span(id=ids(n), start=NOW - 3 * SECOND + n * MS, error=n == 1) for n in range(1, 4)])
    sender.spans("stock", Span(id=ids(8), start=NOW - 3 * SECOND, ms=40.0))
    sender.spans("cache", Span(id=ids(9), start=NOW - 20 * SECOND))

    found = live.read(web, question(app, services=["stock", "quiet"], rows_start=NOW - 5 * SECOND))

    at = second(NOW - 3 * SECOND)
    assert {key: {when: it.requests for when, it in of.items()} for key, of in found.series.items()} == {
        None: {at: 4, second(NOW - 20 * SECOND): 1},
        "stock": {at: 1},
        "quiet": {},
    }
    assert found.series[None][at].errors == 1
    assert [row.service for row in found.rows] == ["stock", "orders", "orders", "orders"]
    assert [row.service for row in found.services] == ["orders", "stock"]


def test_requests_are_counted_when_they_end_however_long_they_took(web, sender, app):
    """50 minutes are longer than the minute in which most are looked for, two hours are longer than anybody looks."""
    for number, minutes in enumerate((0.5, 50, 120), start=1):
        start = NOW - 2 * SECOND - timedelta(minutes=minutes)
        sender.spans("batch", Span(id=ids(number), start=start, ms=minutes * 60_000))

    found = live.read(web, question(app))

    assert {when: it.requests for when, it in found.series[None].items()} == {second(NOW - 2 * SECOND): 2}
    assert [row.duration_ms for row in found.rows] == [30_000, 3_000_000]


def test_somebody_elses_requests_are_not_read(web, sender, app):
    sender.spans("orders", Span(start=NOW - 2 * SECOND))

    found = live.read(web, question("another"))

    assert (found.series, list(found.rows), list(found.services)) == ({None: {}}, [], [])
