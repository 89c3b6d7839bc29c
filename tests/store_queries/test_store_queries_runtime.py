"""How the interpreters of a service are doing: figures of all processes, or of the worst."""

from __future__ import annotations

from datetime import timedelta

import pytest
from otlp_making import SLOT, resource
from test_store_queries_nodes import counter, gauge, point

from sonde.server.store.queries import runtime
from sonde.wire.protobuf import message

MINUTE = timedelta(minutes=1)


def said(at, *, active=1.0, pause_s=0.002, lag_s=None):
    """What a process reports at one moment."""
    metrics = [
        gauge("sonde.requests.active", point(1, at, active)),
        gauge("sonde.thread.count", point(1, at, 3)),
        gauge("sonde.gc.pause.max", point(1, at, pause_s)),
        counter("sonde.requests", point(1, at, 100)),
    ]
    if lag_s is not None:
        metrics.append(gauge("sonde.event_loop.lag.max", point(1, at, lag_s)))
    return b"".join(metrics)


@pytest.fixture
def reported(sender):
    def send(service, instance, *readings):
        for reading in readings:
            facts = {"service.name": service, "service.instance.id": instance}
            sender.request("metrics", message(1, resource(facts) + message(2, reading)))

    return send


def test_processes_are_added_up_and_the_worst_is_shown(web, reported, app):
    ten = timedelta(seconds=10)
    reported("orders", "one", said(SLOT, active=2, pause_s=0.005), said(SLOT + ten, active=4, pause_s=0.001))
    reported("orders", "two", said(SLOT, active=1, lag_s=0.25))

    found = runtime.report(web, [app], "orders", SLOT, SLOT + MINUTE)

    assert (found.service, found.instances, found.step_s) == ("orders", 2, 30)
    first, second = found.series
    assert (first.requests_active, first.threads) == (4.0, 6.0)
    assert first.gc_pause_max_ms == pytest.approx(5.0)
    assert first.event_loop_lag_max_ms == pytest.approx(250.0)
    assert (first.gil_wait_max_ms, first.thread_pool_queued) == (None, None)
    assert second.requests_active is None


def test_a_service_that_reports_nothing_has_no_charts(web, reported, app):
    reported("orders", "one", said(SLOT))

    for apps, service, start in (
        ([app], "stock", SLOT),
        (["another"], "orders", SLOT),
        ([app], "orders", SLOT + MINUTE),
    ):
        found = runtime.report(web, apps, service, start, start + MINUTE)
        assert found.instances == 0
        assert {sample.threads for sample in found.series} == {None}
