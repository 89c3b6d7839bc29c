from __future__ import annotations

from datetime import timedelta

from otlp_making import CLIENT, MS, NOW, Span

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
