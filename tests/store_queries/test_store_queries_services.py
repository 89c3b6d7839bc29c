from __future__ import annotations

from datetime import timedelta

import pytest
from otlp_making import CLIENT, MS, SLOT, Span

from sonde.server.store.queries import services


def ids(number: int) -> bytes:
    return number.to_bytes(8, "big")


def requests(count: int, *, at=SLOT, ms=10.0, first=1, **more) -> list[Span]:
    return [
        Span(start=at + number * MS, ms=ms, id=ids(first + number), trace=ids(first + number) * 2, **more)
        for number in range(count)
    ]


def test_the_overview_has_a_row_for_each_service_with_requests(web, sender, app):
    sender.spans(
        "orders", *requests(8), *requests(2, first=100, error=True, ms=30.0), telemetry__sdk__language="python"
    )
    sender.spans("stock", *requests(3, ms=5.0), service__instance__id="one")
    sender.spans("stock", *requests(2, ms=5.0), service__instance__id="two")

    orders, stock = services.overview(web, [app], SLOT, SLOT + timedelta(minutes=15))

    assert (orders.service, orders.requests, orders.errors, orders.language) == ("orders", 10, 2, "python")
    assert orders.success_rate == pytest.approx(0.8)
    assert orders.average_ms == pytest.approx(14.0)
    assert orders.max_ms == pytest.approx(30.0)
    assert orders.p50_ms == pytest.approx(10.0, rel=0.01)
    assert orders.apdex == pytest.approx(0.8)
    assert orders.requests_per_s == pytest.approx(10 / 900)
    assert (stock.service, stock.requests, stock.instances) == ("stock", 5, 2)


def test_a_chart_has_every_step_and_no_figures_where_nothing_happened(web, sender, app):
    sender.spans("orders", *requests(4, at=SLOT + timedelta(seconds=65)))

    (service,) = services.overview(web, [app], SLOT, SLOT + timedelta(seconds=135))

    assert [(point.requests, point.p95_ms is None) for point in service.series] == [
        (0, True),
        (0, True),
        (4, False),
        (0, True),
        (0, True),
    ]
    assert [point.covered_s for point in service.series] == [30, 30, 30, 30, 15]
    assert service.last_seen == SLOT + timedelta(seconds=65)


def test_calls_and_inner_work_are_no_requests(web, sender, app):
    parent = b"P" * 8
    sender.spans("orders", *requests(1), *requests(5, first=50, kind=CLIENT, parent=parent))

    (service,) = services.overview(web, [app], SLOT, SLOT + timedelta(minutes=15))

    assert service.requests == 1


def test_nobody_sees_the_services_of_an_app_that_is_not_his(web, sender, app):
    sender.spans("orders", *requests(1))

    assert services.overview(web, [], SLOT, SLOT + timedelta(minutes=15)) == []
    assert services.report(web, ["another"], "orders", SLOT, SLOT + timedelta(minutes=15), 500) is None
    assert app in {service.app for service in services.overview(web, None, SLOT, SLOT + timedelta(minutes=15))}


def test_the_report_splits_the_requests_by_endpoint_instance_and_status(web, sender, app):
    ok, missing = {"http.response.status_code": 200}, {"http.status_code": 404}
    sender.spans("orders", *requests(6, name="GET /a", attributes=ok), service__instance__id="one")
    sender.spans("orders", *requests(3, name="GET /b", attributes=missing, first=50), host__name="h", process__pid=7)

    report = services.report(web, [app], "orders", SLOT, SLOT + timedelta(minutes=15), 500)

    assert report is not None
    assert report.figures.requests == 9
    assert sum(point.requests for point in report.series) == 9
    assert [(row.endpoint, row.kind, row.requests) for row in report.endpoints] == [
        ("GET /a", "server", 6),
        ("GET /b", "server", 3),
    ]
    assert [(row.instance, row.requests) for row in report.instances] == [("one", 6), ("h:7", 3)]
    assert [(row.code, row.requests) for row in report.status_codes] == [(200, 6), (404, 3)]
    assert (report.yesterday, report.last_week) == (None, None)
    assert report.model_dump(by_alias=True)["from"] == SLOT


def test_the_report_compares_with_yesterday_and_last_week(web, sender, app):
    for days, count in ((0, 4), (1, 3), (7, 2)):
        sender.spans("orders", *requests(count, at=SLOT - timedelta(days=days), first=days * 10 + 1))

    report = services.report(web, [app], "orders", SLOT, SLOT + timedelta(minutes=15), 500)

    assert report is not None
    assert report.yesterday is not None
    assert report.last_week is not None
    assert (report.figures.requests, report.yesterday.requests, report.last_week.requests) == (4, 3, 2)


def test_errors_are_grouped_by_what_went_wrong(web, sender, app):
    sender.spans(
        "orders",
        *requests(2, error=True, exception=("KeyError", "'id'")),
        *requests(1, first=20, error=True, message="upstream", attributes={"error.type": "502"}),
    )

    report = services.report(web, [app], "orders", SLOT, SLOT + timedelta(minutes=15), 500)

    assert report is not None
    assert [(group.type, group.message, group.count) for group in report.errors] == [
        ("KeyError", "'id'", 2),
        ("502", "upstream", 1),
    ]
    assert report.errors[1].trace_id == (ids(20) * 2).hex()


@pytest.mark.parametrize(("threshold_ms", "apdex"), [(500, (1 + 1 / 2) / 3), (100, (0 + 1 / 2) / 3), (750, 2.5 / 3)])
def test_apdex_is_counted_for_the_threshold_that_is_set(web, sender, app, threshold_ms, apdex):
    sender.spans("orders", *requests(1, ms=300.0), *requests(1, first=5, ms=700.0), *requests(1, first=9, ms=3000.0))

    report = services.report(web, [app], "orders", SLOT, SLOT + timedelta(minutes=15), threshold_ms)

    assert report is not None
    assert report.figures.apdex == pytest.approx(apdex)
    (row,) = services.overview(web, [app], SLOT, SLOT + timedelta(minutes=15), lambda _: threshold_ms)
    assert row.apdex == pytest.approx(apdex)


def test_percentiles_are_those_of_all_requests_together(web, sender, app):
    """From merged sketches: the mean of two instances' percentiles would be far off."""
    sender.spans("orders", *requests(990, ms=10.0), service__instance__id="quick")
    sender.spans("orders", *requests(10, ms=1000.0, first=2000), service__instance__id="slow")

    report = services.report(web, [app], "orders", SLOT, SLOT + timedelta(minutes=15), 500)

    assert report is not None
    assert report.figures.p95_ms == pytest.approx(10.0, rel=0.02)
    assert report.figures.max_ms == pytest.approx(1000.0)
