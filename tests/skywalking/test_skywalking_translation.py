"""What is no segment: processes, meters, runtimes, logs, events and pages, as OTLP in the spool."""

import time

import grpc
import pytest
from skywalking_world import RECORDED, V3, attributes_of, now

from sonde.server.intake.skywalking import skywalking_pb2 as pb
from sonde.wire import sw8

METER = V3 + "MeterReportService/collect"
LOG = V3 + "LogReportService/collect"
DAY_MS = 86_400_000


def now_ms():
    return round(now().timestamp() * 1000)


def values(world):
    """Gauges and sums by name."""
    found = {}
    for _, metric in world.metrics():
        if metric is not None and metric.WhichOneof("data") in {"gauge", "sum"}:
            (point,) = getattr(metric, metric.WhichOneof("data")).data_points
            found.setdefault(metric.name, []).append(point.as_int if point.HasField("as_int") else point.as_double)
    return found


# -- processes --------------------------------------------------------------------------------------------------------
def test_a_process_is_told_of_under_both_names_of_everything(agent):
    agent.replay("py-props")

    ((resource, metric),) = agent.world.metrics()
    assert metric is None
    assert resource["service.name"] == "demo-front"
    assert resource["service.instance.id"] == "front-1"
    assert resource["telemetry.sdk.name"] == "skywalking"
    assert resource["telemetry.sdk.language"] == resource["language"] == "python"
    assert resource["process.pid"] == resource["Process No."] == "4242"
    assert resource["host.name"] == resource["hostname"] == "demo-host"


def test_a_key_that_comes_several_times_keeps_all_its_values(agent):
    properties = pb.InstanceProperties(service="s", serviceInstance="i")
    properties.properties.add(key="ipv4", value="192.0.2.1")
    properties.properties.add(key="ipv4", value="192.0.2.2")

    agent.unary(V3 + "ManagementService/reportInstanceProperties", properties)

    assert agent.world.metrics()[0][0]["host.ip"] == "192.0.2.1, 192.0.2.2"


def test_names_are_cut_as_in_segments(agent):
    """Else one process would be two."""
    properties = pb.InstanceProperties(service="s" * 100, serviceInstance="i" * 100)

    agent.unary(V3 + "ManagementService/reportInstanceProperties", properties)

    resource = agent.world.metrics()[0][0]
    assert (resource["service.name"], resource["service.instance.id"]) == ("s" * 70, "i" * 70)


def test_a_process_that_says_each_second_that_it_lives_is_stored_each_half_minute(agent):
    """SkyAPM 4 does."""
    for _ in range(20):
        agent.replay("php4-keepalive")

    ((resource, metric),) = agent.world.metrics()
    assert (resource["service.name"], metric) == ("demo-php4", None)


def test_what_a_process_told_once_stands_beside_all_that_it_reports(agent):
    agent.replay("py-props")
    agent.replay("py-meters")
    agent.replay("py-logs")

    assert all(resource["host.name"] == "demo-host" for resource, _ in agent.world.metrics())
    assert all(resource["process.pid"] == "4242" for resource, _ in agent.world.logs())


def test_a_ping_without_a_service_is_an_invalid_argument(agent):
    with pytest.raises(grpc.RpcError) as refused:
        agent.unary(V3 + "ManagementService/keepAlive", pb.InstancePingPkg())

    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "service" in refused.value.details()


# -- meters -----------------------------------------------------------------------------------------------------------
def test_recorded_meters_are_gauges_by_their_own_and_by_opentelemetrys_names(agent):
    agent.replay("py-meters")

    found = values(agent.world)
    sent = {it["singleValue"]["name"]: it["singleValue"].get("value", 0.0) for it in RECORDED["py-meters"]["messages"]}
    assert {name: found[name] for name in sent} == {name: [value] for name, value in sent.items()}
    percent = sent["instance_pvm_process_mem_utilization"]
    assert found["process.memory.utilization"] == [pytest.approx(percent / 100)]
    assert found["process.thread.count"] == [sent["instance_pvm_thread_active_count"]]


def test_later_meters_of_a_stream_may_leave_out_whose_and_when_they_are(agent):
    said = now_ms() - 5000
    first = pb.MeterData(service="orders", serviceInstance="i1", timestamp=said)
    first.singleValue.name, first.singleValue.value = "a", 1
    second = pb.MeterData()
    second.singleValue.name = "b"

    agent.stream(METER, [first, second])

    (one, a), (other, b) = agent.world.metrics()
    assert one == other
    assert one["service.name"] == "orders"
    times = {metric.gauge.data_points[0].time_unix_nano for metric in (a, b)}
    assert times == {said * 1_000_000}
    assert values(agent.world)["b"] == [0.0]


def test_a_histogram_is_known_by_where_its_buckets_end(agent):
    meter = pb.MeterData(service="orders", serviceInstance="i1", timestamp=now_ms())
    meter.histogram.name = "latency"
    meter.histogram.labels.add(name="route", value="/a")
    for bucket, count in ((100, 3), (0, 5), (500, 1)):
        meter.histogram.values.add(bucket=bucket, count=count)
    meter.histogram.values.add(isNegativeInfinity=True, count=2)

    agent.stream(METER, [meter])

    ((_, metric),) = agent.world.metrics()
    (point,) = metric.histogram.data_points
    assert list(point.explicit_bounds) == [0, 100, 500]
    assert list(point.bucket_counts) == [2, 5, 3, 1]
    assert point.count == 11
    assert attributes_of(point) == {"route": "/a"}


def test_a_histogram_without_a_first_bucket_has_nothing_below_the_first(agent):
    meter = pb.MeterData(service="orders", serviceInstance="i1", timestamp=now_ms())
    meter.histogram.name = "latency"
    meter.histogram.values.add(bucket=10, count=4)

    agent.stream(METER, [meter])

    (point,) = agent.world.metrics()[0][1].histogram.data_points
    assert (list(point.explicit_bounds), list(point.bucket_counts)) == ([10], [0, 4])


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_meter_that_is_no_number_does_not_take_the_others_with_it(agent, value):
    meters = pb.MeterDataCollection()
    for name, number in (("bad", value), ("good", 1)):
        meter = meters.meterData.add(service="orders", serviceInstance="i1", timestamp=now_ms())
        meter.singleValue.name, meter.singleValue.value = name, number

    agent.stream(V3 + "MeterReportService/collectBatch", [meters])

    assert values(agent.world) == {"good": [1.0]}
    assert agent.world.intake.counters.bad["meters", "bad_meter"] == 1


# -- runtimes ---------------------------------------------------------------------------------------------------------
def test_figures_of_a_jvm_have_opentelemetrys_names(agent):
    collection = pb.JVMMetricCollection(service="orders", serviceInstance="i1")
    metric = collection.metrics.add(time=now_ms())
    metric.cpu.usagePercent = 12.5
    metric.memory.add(isHeap=True, init=1, max=-1, used=100, committed=200)
    metric.memoryPool.add(type=pb.METASPACE_USAGE, init=1, max=4, used=2, committed=3)
    metric.gc.add(phase=pb.OLD, count=2, time=30)
    metric.thread.liveCount, metric.thread.blockedStateThreadCount = 20, 3
    metric.clazz.loadedClassCount = 500

    agent.unary(V3 + "JVMMetricReportService/collect", collection)

    found = values(agent.world)
    assert found["jvm.cpu.recent_utilization"] == [0.125]
    assert found["jvm.memory.used"] == [100, 2]
    assert found["jvm.memory.limit"] == [4]
    assert found["jvm.gc.time"] == [30]
    assert found["jvm.class.count"] == [500]
    used = [metric for _, metric in agent.world.metrics() if metric.name == "jvm.memory.used"]
    assert [attributes_of(metric.gauge.data_points[0]) for metric in used] == [
        {"jvm.memory.type": "heap"},
        {"jvm.memory.pool.name": "metaspace"},
    ]


def test_figures_of_a_clr_are_stored(agent):
    collection = pb.CLRMetricCollection(service="orders", serviceInstance="i1")
    metric = collection.metrics.add(time=now_ms())
    metric.gc.Gen0CollectCount, metric.gc.HeapMemory = 7, 1 << 20
    metric.thread.MaxWorkerThreads, metric.thread.AvailableWorkerThreads = 100, 90

    agent.unary("/CLRMetricReportService/collect", collection)

    found = values(agent.world)
    assert found["dotnet.gc.collections"] == [7, 0, 0]
    assert found["dotnet.gc.heap.size"] == [1 << 20]
    assert found["dotnet.thread_pool.thread.available"] == [90, 0]


# -- logs -------------------------------------------------------------------------------------------------------------
def test_a_recorded_log_line_joins_the_span_that_it_was_written_in(agent):
    agent.replay("py-logs")

    sent = [it for it in RECORDED["py-logs"]["messages"] if "traceContext" in it]
    lines = [record for _, record in agent.world.logs() if record.trace_id]
    assert len(lines) == len(sent) > 0
    for line, message in zip(lines, sent, strict=True):
        context = message["traceContext"]
        assert line.trace_id.hex() == context["traceId"]
        span = sw8.span_id_of(message["serviceInstance"], context["traceSegmentId"], int(context.get("spanId", 0)))
        assert line.span_id == span
        assert line.body.string_value == message["body"]["text"]["text"]
        assert line.time_unix_nano == int(message["timestamp"]) * 1_000_000


@pytest.mark.parametrize(("level", "number"), [("WARNING", 13), ("error", 17), ("CRITICAL", 21), ("weird", 0)])
def test_the_level_of_a_line_is_its_severity(agent, level, number):
    line = pb.LogData(service="s", serviceInstance="i", timestamp=now_ms())
    line.tags.data.add(key="level", value=level)

    agent.stream(LOG, [line])

    ((_, record),) = agent.world.logs()
    assert (record.severity_number, record.severity_text) == (number, level)


@pytest.mark.parametrize("form", ["text", "json", "yaml"])
def test_a_line_may_be_of_three_forms(agent, form):
    line = pb.LogData(service="s", timestamp=now_ms())
    setattr(getattr(line.body, form), form, "what it says")

    agent.stream(LOG, [line])

    assert agent.world.logs()[0][1].body.string_value == "what it says"


def test_a_line_may_leave_out_whose_it_is_after_the_first(agent):
    agent.stream(LOG, [pb.LogData(service="s", serviceInstance="i"), pb.LogData(endpoint="/b")])

    assert [resource["service.instance.id"] for resource, _ in agent.world.logs()] == ["i", "i"]


def test_a_line_of_nobody_is_counted_and_the_stream_goes_on(agent):
    agent.stream(LOG, [pb.LogData(endpoint="/a"), pb.LogData(service="s")])

    assert len(agent.world.logs()) == 1
    assert agent.world.intake.counters.bad["log", "no_service"] == 1


@pytest.mark.parametrize(
    ("off_ms", "clamped"), [(-DAY_MS, False), (DAY_MS // 2, False), (400 * DAY_MS, True), (-40 * DAY_MS, True)]
)
def test_a_time_that_no_clock_shows_is_that_of_receipt(agent, off_ms, clamped):
    """The store would leave the line out otherwise."""
    said = now_ms() + off_ms

    agent.stream(LOG, [pb.LogData(service="s", timestamp=said)])

    ((_, record),) = agent.world.logs()
    if clamped:
        assert abs(record.time_unix_nano / 1e6 - now_ms()) < 60_000
        assert attributes_of(record)["sw8.timestamp"] == said
    else:
        assert record.time_unix_nano == said * 1_000_000
    assert agent.world.intake.counters.clamped["log"] == clamped


def test_a_line_without_a_time_is_of_now(agent):
    before = time.time_ns()
    agent.stream(LOG, [pb.LogData(service="s")])

    assert before <= agent.world.logs()[0][1].time_unix_nano <= time.time_ns()


@pytest.mark.parametrize(("off_ms", "words"), [(-6 * 60_000, "6 minutes behind"), (DAY_MS // 2, "720 minutes ahead")])
def test_a_clock_that_is_off_is_hinted_at(agent, off_ms, words):
    meter = pb.MeterData(service="orders", serviceInstance="i1", timestamp=now_ms() + off_ms)
    meter.singleValue.name = "a"

    agent.stream(METER, [meter])

    (hint,) = agent.world.hint("clock_skew")
    assert hint.subject == "orders i1"
    assert words in hint.text
    assert hint.app == agent.world.app


# -- events and pages -------------------------------------------------------------------------------------------------
def test_an_event_that_comes_twice_is_two_records_of_one_uuid(agent):
    begun = pb.Event(uuid="u1", name="Upgrade", message="to 2.0", startTime=now_ms() - 1000)
    begun.source.service = "orders"
    begun.parameters["version"] = "2.0"
    ended = pb.Event()
    ended.CopyFrom(begun)
    ended.endTime, ended.type = now_ms(), pb.Error

    agent.stream(V3 + "EventService/collect", [begun, ended])

    first, second = (record for _, record in agent.world.logs())
    assert first.event_name == second.event_name == "Upgrade"
    assert [first.severity_text, second.severity_text] == ["INFO", "ERROR"]
    assert attributes_of(first)["version"] == "2.0"
    assert attributes_of(first)["sw8.event.uuid"] == attributes_of(second)["sw8.event.uuid"] == "u1"
    assert second.time_unix_nano == ended.endTime * 1_000_000


def test_times_of_a_page_are_metrics_and_its_errors_log_records(agent):
    page = pb.BrowserPerfData(service="ui", serviceVersion="v1", time=now_ms(), pagePath="/cart", loadPageTime=1200)
    error = pb.BrowserErrorLog(
        service="ui", serviceVersion="v1", time=now_ms(), pagePath="/cart", category=pb.js, message="x is undefined"
    )

    agent.unary(V3 + "BrowserPerfService/collectPerfData", page)
    agent.stream(V3 + "BrowserPerfService/collectErrorLogs", [error])

    assert values(agent.world) == {"browser.page.load.duration": [1200]}
    ((resource, record),) = agent.world.logs()
    assert resource["service.version"] == "v1"
    assert attributes_of(record)["exception.type"] == "js"
    assert record.body.string_value == "x is undefined"


def test_what_has_no_place_yet_is_taken_and_counted(agent):
    agent.stream(V3 + "SpanAttachedEventReportService/collect", [b"anything", b"\x0a\x00"])

    assert agent.world.intake.counters.messages["grpc", "counted"] == 2
