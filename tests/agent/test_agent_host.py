"""Host metrics: encoded as OTLP that OpenTelemetry's own library reads, and true."""

from __future__ import annotations

import os
import time
from pathlib import Path

import psutil
import pytest
from agent_harness import AgentProcess, eventually
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality

from sonde import __version__
from sonde.agent.disk_queue.queue import BatchQueue
from sonde.agent.forwarding.server_clock import ServerClock
from sonde.agent.host_metrics import host, identity, otlp_metrics
from sonde.agent.host_metrics.otlp_metrics import Metric, Point
from sonde.agent.host_metrics.report import HostReporter
from sonde.agent.receiving.probes import Probe, Probes


def decoded(request: bytes) -> ExportMetricsServiceRequest:
    return ExportMetricsServiceRequest.FromString(request)


def attributes(owner) -> dict[str, object]:
    return {it.key: getattr(it.value, it.value.WhichOneof("value")) for it in owner.attributes}


def by_name(request: ExportMetricsServiceRequest) -> dict[str, list[tuple[dict[str, object], float]]]:
    """Points of each metric, as (attributes, value)."""
    found = {}
    for metric in request.resource_metrics[0].scope_metrics[0].metrics:
        points = getattr(metric, metric.WhichOneof("data")).data_points
        found[metric.name] = [(attributes(point), getattr(point, point.WhichOneof("value"))) for point in points]
    return found


NAMES = st.text(max_size=20)
NUMBERS = st.one_of(st.integers(-(1 << 63), (1 << 63) - 1), st.floats(allow_nan=False))
INT64 = st.integers(-(1 << 63), (1 << 63) - 1)
POINTS = st.lists(
    st.tuples(NUMBERS, st.dictionaries(NAMES, st.one_of(NAMES, INT64), max_size=3)), min_size=1, max_size=4
)


@given(
    name=NAMES,
    unit=NAMES,
    points=POINTS,
    since=st.none() | st.integers(0, (1 << 64) - 1),
    resource=st.dictionaries(NAMES, NAMES, max_size=3),
)
def test_metrics_read_back_as_they_were(name, unit, points, since, resource):
    metric = Metric(name, unit, [Point(value, facts) for value, facts in points], since)
    (rm,) = decoded(otlp_metrics.request(resource, [metric], 123)).resource_metrics
    assert attributes(rm.resource) == resource
    (scope,) = rm.scope_metrics
    assert (scope.scope.name, scope.scope.version) == ("sonde.agent", __version__)
    (read,) = scope.metrics
    assert (read.name, read.unit, read.WhichOneof("data")) == (name, unit, "gauge" if since is None else "sum")
    if since is not None:
        assert read.sum.is_monotonic
        assert read.sum.aggregation_temporality == AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
    data = getattr(read, read.WhichOneof("data")).data_points
    assert [(getattr(it, it.WhichOneof("value")), attributes(it)) for it in data] == points
    assert {(it.time_unix_nano, it.start_time_unix_nano) for it in data} == {(123, since or 0)}


def test_a_metric_without_points_is_left_out():
    assert not decoded(otlp_metrics.request({}, [Metric("x", "1", [])], 1)).resource_metrics[0].scope_metrics[0].metrics


@pytest.fixture
def reporter(tmp_path, counters):
    probes = Probes(counters)
    probes.connected(1, Probe(os.getpid(), os.geteuid(), "shop", "shop-1"))
    with BatchQueue(
        tmp_path, max_bytes=1 << 20, batch_max_bytes=1 << 20, batch_max_age_s=0, counters=counters
    ) as queue:
        yield HostReporter(
            queue,
            probes,
            counters,
            clock=ServerClock(),
            resource={"host.name": "h"},
            interval_s=10,
            top_processes=5,
            process_commands=True,
        )


def test_a_report_has_every_name_the_nodes_page_reads(reporter):
    report = by_name(decoded(reporter.report()))
    assert {
        "system.cpu.utilization",
        "system.cpu.load_average.1m",
        "system.cpu.load_average.5m",
        "system.cpu.load_average.15m",
        "system.cpu.logical.count",
        "system.memory.usage",
        "system.memory.limit",
        "system.paging.usage",
        "system.filesystem.usage",
        "system.filesystem.inodes.usage",
        "system.network.io",
        "system.network.errors",
        "system.process.count",
        "system.cpu.time",
        "system.file_handles.usage",
        "system.file_handles.limit",
        "process.memory.usage",
        "process.open_file_descriptor.count",
        "process.open_file_descriptor.limit",
        "sonde.agent.queue.usage",
    } <= report.keys()
    ((_, utilization),) = report["system.cpu.utilization"]
    assert 0 <= utilization <= 1
    assert report["system.cpu.logical.count"] == [({}, psutil.cpu_count())]


def test_the_states_of_memory_add_up_to_its_limit(reporter):
    report = by_name(decoded(reporter.report()))
    states = {facts["system.memory.state"]: value for facts, value in report["system.memory.usage"]}
    assert states.keys() == {"used", "free", "cached", "buffers"}
    assert sum(states.values()) == report["system.memory.limit"][0][1] == psutil.virtual_memory().total


def test_the_modes_of_the_processor_add_up_to_all_its_time(reporter):
    modes = {facts["cpu.mode"]: value for facts, value in by_name(decoded(reporter.report()))["system.cpu.time"]}
    times = psutil.cpu_times()
    assert modes.keys() == {"user", "nice", "system", "idle", "iowait", "steal", "interrupt"}
    whole = sum(times) - times.guest - times.guest_nice  # which the kernel counts in user and nice already
    assert sum(modes.values()) == pytest.approx(whole, abs=psutil.cpu_count() * 10)


def test_open_files_are_those_of_the_process_and_below_its_limit(reporter):
    report = by_name(decoded(reporter.report()))
    ((_, limit),) = [it for it in report["process.open_file_descriptor.limit"] if "service.instance.id" in it[0]]
    ((_, count),) = [it for it in report["process.open_file_descriptor.count"] if "service.instance.id" in it[0]]
    assert limit == psutil.Process().rlimit(psutil.RLIMIT_NOFILE)[0]
    assert abs(count - psutil.Process().num_fds()) < 10


def test_filesystems_are_disks_and_the_root_once_each(reporter):
    found = by_name(decoded(reporter.report()))["system.filesystem.usage"]
    devices = [facts["system.device"] for facts, _ in found if facts["system.filesystem.state"] == "used"]
    assert len(devices) == len(set(devices))
    assert "/" in {facts["system.filesystem.mountpoint"] for facts, _ in found}
    assert not {facts["system.filesystem.type"] for facts, _ in found} & {"proc", "sysfs", "tmpfs", "squashfs"}


def test_the_loopback_is_no_network(reporter):
    names = {facts["network.interface.name"] for facts, _ in by_name(decoded(reporter.report()))["system.network.io"]}
    assert "lo" not in names


def test_sums_start_at_boot(reporter):
    metrics = decoded(reporter.report()).resource_metrics[0].scope_metrics[0].metrics
    (network,) = [metric for metric in metrics if metric.name == "system.network.io"]
    assert network.sum.data_points[0].start_time_unix_nano == int(psutil.boot_time()) * 1_000_000_000


def test_utilization_is_the_busy_share_between_two_readings(monkeypatch):
    readings = iter(
        psutil._pslinux.scputimes(*values)
        for values in [
            # user, nice, system, idle, iowait, irq, softirq, steal, guest, guest_nice
            (100, 0, 50, 1000, 10, 0, 0, 0, 40, 0),
            (120, 0, 55, 1070, 15, 0, 0, 0, 60, 0),
            (120, 0, 55, 1070, 15, 0, 0, 0, 60, 0),
        ]
    )
    monkeypatch.setattr(psutil, "cpu_times", lambda: next(readings))
    clock = host.CpuClock()
    assert clock.utilization() == pytest.approx(25 / 100)  # guests are in user already
    assert clock.utilization() == 0.0


def test_an_instrumented_process_has_its_service_and_at_the_second_reading_its_cpu(reporter):
    first = by_name(decoded(reporter.report()))
    us = {"process.pid": os.getpid(), "service.name": "shop", "service.instance.id": "shop-1"}
    assert us in [facts for facts, _ in first["process.memory.usage"]]
    assert "process.cpu.utilization" not in first
    until = time.process_time() + 0.05
    while time.process_time() < until:
        pass
    ((cpu,),) = [
        [value for facts, value in by_name(decoded(reporter.report()))["process.cpu.utilization"] if facts == us]
    ]
    assert cpu > 0


def test_counters_of_the_agent_are_reported_with_their_reasons(reporter, counters):
    counters.add("sonde.agent.frames.dropped", 3, reason="queue_full", signal="traces")
    report = by_name(decoded(reporter.report()))
    assert report["sonde.agent.frames.dropped"] == [({"reason": "queue_full", "signal": "traces"}, 3)]


def test_a_reading_that_fails_costs_only_itself(reporter, counters, monkeypatch):
    def broken() -> None:
        raise PermissionError("not here")

    monkeypatch.setattr(psutil, "pids", broken)
    report = by_name(decoded(reporter.report()))
    assert "system.process.count" not in report
    assert "system.memory.usage" in report
    assert counters.total("sonde.agent.readings.failed", reading="process_count") == 1


def test_a_host_without_an_id_makes_one_and_keeps_it(tmp_path, monkeypatch):
    monkeypatch.setattr(identity, "_MACHINE_ID_FILES", (tmp_path / "missing",))
    made = identity.host_identity(tmp_path / "host-id")
    assert len(made) == 32
    assert identity.host_identity(tmp_path / "host-id") == made


def test_a_new_agent_reports_its_host_at_once_and_ends_without_waiting(tmp_path, server):
    agent = AgentProcess(tmp_path, server.url, "--host-metrics-interval-s", "3600")
    agent._command.remove("--no-host-metrics")
    with agent:
        eventually(lambda: server.bodies("/v1/metrics"), "the first report")
        assert agent.stop() == 0
    resource = attributes(decoded(server.bodies("/v1/metrics")).resource_metrics[0].resource)
    assert resource["service.name"] == "sonde-agent"
    assert resource["service.instance.id"] == resource["host.id"]
    assert resource["host.name"] == os.uname().nodename
    assert {"service.version", "host.arch", "os.type", "os.description"} <= resource.keys()
    if Path("/etc/machine-id").exists():
        assert resource["host.id"] == Path("/etc/machine-id").read_text().strip()
