"""What goes to the agent beside spans, and what the agent says."""

from __future__ import annotations

import json
import logging
import os

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from sonde.probe import core, reports
from sonde.probe.log_records import MAX_WAITING, LogRecords
from sonde.probe.plugins import options
from sonde.probe.plugins.logging import call_handlers
from sonde.probe.runtime import Pauses, Sampled
from sonde.probe.sampling import Sampling
from sonde.probe.service import Identity
from sonde.wire.frames import Kind

OP = core.operation("GET /", core.SERVER, {"url.scheme": "http"})


@pytest.fixture
def log():
    """A logger whose records nobody formats but we."""
    log = logging.Logger("shop.orders", logging.INFO)  # noqa: LOG001 - in no hierarchy: pytest's handlers format, too
    log.addHandler(logging.NullHandler())
    return log


@pytest.fixture
def shipped(monkeypatch):
    """Records as they would be shipped."""
    records = LogRecords()
    monkeypatch.setattr("sonde.probe.plugins.logging.log_records", records)
    monkeypatch.setattr(options, "ship_logs", logging.INFO)
    monkeypatch.setattr(logging.Logger, "callHandlers", call_handlers(logging.Logger.callHandlers))

    def taken():
        body = records.taken()
        scope_logs = b"\x12" + _varint(len(body)) + body
        request = b"\x0a" + _varint(len(scope_logs)) + scope_logs
        (resource,) = ExportLogsServiceRequest.FromString(request).resource_logs
        return [record for scope in resource.scope_logs for record in scope.log_records]

    taken.records = records
    return taken


def _varint(number):
    from sonde.wire.protobuf import varint

    return varint(number)


def attributes(record):
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in record.attributes}


def test_a_record_is_shipped_with_its_trace(spans, log, shipped):
    with core.scope(OP) as span:
        log.info("order %d of %s", 7, "ü", extra={"secret": "x"})
    log.debug("not this")

    (record,) = shipped()
    assert record.body.string_value == "order 7 of ü"
    assert (record.severity_text, record.severity_number) == ("INFO", 9)
    assert (record.trace_id.hex(), record.span_id.hex()) == (span.trace_id, span.span_id)
    said = attributes(record)
    assert (said["logger.name"], said["code.function.name"]) == (
        "shop.orders",
        "test_a_record_is_shipped_with_its_trace",
    )
    assert "secret" not in said
    spans.take(1)


def test_an_exception_comes_along(spans, log, shipped):
    try:
        int("seven")
    except ValueError:
        log.exception("no number")

    said = attributes(shipped()[0])
    assert said["exception.type"] == "ValueError"
    assert "seven" in said["exception.message"]
    assert "test_an_exception_comes_along" in said["exception.stacktrace"]


def test_what_is_logged_while_a_record_is_shipped_is_not_shipped(spans, log, shipped):

    class Chatty:
        def __str__(self):
            log.warning("I am being shown")
            return "chatty"

    log.warning("%s", Chatty())

    assert [record.body.string_value for record in shipped()] == ["chatty"]


def test_a_record_that_cannot_be_shown_harms_nobody(spans, log, shipped, monkeypatch):
    from sonde.probe import guard

    monkeypatch.setattr(guard, "raised", False)
    log.warning("%d", "seven")
    assert shipped.records.taken() == b""
    assert guard.faults()["logging.callHandlers"].times == 1
    guard.forget()


def test_a_flood_of_records_is_bounded_and_counted(spans, log, shipped):
    for number in range(MAX_WAITING + 5):
        log.warning("line %d", number)
    log.warning("x" * 100_000)
    assert len(shipped()) == MAX_WAITING
    assert shipped.records.dropped == 6
    log.warning("x" * 100_000)
    assert len(shipped()[0].body.string_value) == 4096


def test_counts_of_what_was_not_sampled_are_a_request_of_traces(spans):
    reports.tick(0, False, [])  # what others have left
    core.sample(0.0, 0.0, True)
    try:
        for _ in range(3):
            core.leaf(OP).finish()
        frames = reports.tick(0, False, [])
    finally:
        core.sample(1.0, 0.0, True)

    ((kind, payload),) = frames
    assert kind == Kind.TRACES
    (resource,) = ExportTraceServiceRequest.FromString(payload).resource_spans
    (span,) = resource.scope_spans[0].spans
    said = attributes(span)
    assert (span.name, span.kind, said["url.scheme"]) == ("GET /", 2, "http")
    assert said["sonde.tally"].split(",")[0] == "3"
    assert span.start_time_unix_nano % 30_000_000_000 == 0
    assert span.parent_span_id == b""


def test_metrics_are_made_when_they_are_due(spans):
    reports.tick(0, False, [])
    assert reports.tick(0, False, []) == []
    ((kind, payload),) = reports.tick(1_500_000_000, True, [])

    assert kind == Kind.METRICS
    (resource,) = ExportMetricsServiceRequest.FromString(payload).resource_metrics
    values = {}
    for metric in resource.scope_metrics[0].metrics:
        for point in [*metric.gauge.data_points, *metric.sum.data_points]:
            values[metric.name, *attributes(point).values()] = point.as_double
    assert values["sonde.gil.wait.max",] == 1.5
    assert values["sonde.thread.count",] >= 1
    assert ("cpython.gc.collections", "2") in values


def test_the_agent_is_told_by_which_name_and_instance_the_spans_go():
    """The first HELLO is said before a name is learned, and by a forked child in its parent's words."""
    identity = Identity()
    identity.begin("", {})
    assert identity.hello() is None, "nobody was introduced to anybody"
    identity.said = {"service": "", "token": "secret", "pid": 1}

    identity.named("orders")

    instance = identity.resource["service.instance.id"]
    assert identity.hello() == {"service": "orders", "token": "secret", "pid": os.getpid(), "instance": instance}
    identity.after_fork()
    assert identity.hello()["instance"] not in {"", instance}


def test_pauses_of_the_collector_are_timed():
    ticks = iter([0, 2_000_000, 10_000_000, 15_000_000])
    pauses = Pauses(lambda: next(ticks))
    pauses("stop", {})
    for _ in range(2):
        pauses("start", {})
        pauses("stop", {})
    assert pauses.total_s == pytest.approx(0.007)
    count, total, most = pauses.sampled.taken()
    assert (count, total, most) == (2, pytest.approx(0.007), pytest.approx(0.005))
    assert pauses.sampled.taken() == (0, 0.0, 0.0)
    assert Sampled().taken() == (0, 0.0, 0.0)


@pytest.fixture
def sampling(spans):
    sampling = Sampling()
    sampling.begin(100.0, 0.0, follows_parent=True)
    yield sampling
    core.sample(1.0, 0.0, True)
    core.take_tallies()


def is_recorded():
    span = core.leaf(OP)
    span.finish()
    core.drain()
    return span.sampled


def settings(**services):
    return json.dumps({"services": services}).encode()


def test_the_server_changes_the_rate_of_this_service_only(sampling):
    sampling.said(settings(stock={"sampling_rate": 0}), "orders")
    assert is_recorded()
    sampling.said(settings(orders={"sampling_rate": 0}), "orders")
    assert not is_recorded()
    sampling.said(settings(), "orders")
    assert is_recorded()


def test_a_service_that_learns_its_name_gets_its_settings_then(sampling):
    sampling.said(settings(**{"127.0.0.1:8000": {"sampling_rate": 0.0}}), "gunicorn")
    assert is_recorded()
    sampling.named("127.0.0.1:8000")
    assert not is_recorded()


@pytest.mark.parametrize(
    "wrong", [{"sampling_rate": 101}, {"sampling_rate": "0"}, {"sampling_rate": None}, {"x": 1}, 5, None]
)
def test_values_that_cannot_be_are_passed_over(sampling, wrong):
    sampling.said(settings(orders=wrong), "orders")
    assert is_recorded()


@pytest.mark.parametrize("payload", [b"", b"{", b"[]", b"{}", b'{"services": 5}', b"\xff"])
def test_what_the_agent_says_wrong_is_a_fault_and_changes_nothing(sampling, payload, monkeypatch):
    from sonde.probe import guard

    monkeypatch.setattr(guard, "raised", False)
    reports.tick(0, False, [(Kind.SETTINGS, payload), (99, b"whatever")])
    assert guard.faults()["reports.hear"].times == 1
    guard.forget()
    assert is_recorded()
