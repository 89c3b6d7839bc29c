"""A host whose clock is wrong: the agent knows by how much, says so, and stamps its readings with the server's time."""

from email.utils import formatdate

import pytest
from test_agent_host import attributes, by_name, decoded

from sonde.agent.disk_queue.queue import BatchQueue
from sonde.agent.forwarding.server_clock import ServerClock
from sonde.agent.host_metrics.report import HostReporter
from sonde.agent.receiving.probes import Probes

SERVER_S = 1_800_000_000.0
DAY_S = 86_400.0


def clock_off_by(seconds):
    clock = ServerClock(lambda: SERVER_S + 0.5 + seconds)
    clock.heard(formatdate(SERVER_S, usegmt=True), clock.unix_s(), clock.unix_s())
    return clock


@pytest.mark.parametrize("seconds", [DAY_S, -DAY_S, 60.0, -6.0])
def test_a_wrong_clock_is_corrected(seconds):
    clock = clock_off_by(seconds)
    assert clock.offset_s == pytest.approx(seconds)
    assert clock.now_unix_ns() == pytest.approx((SERVER_S + 0.5) * 1e9, abs=1e6)


@pytest.mark.parametrize("seconds", [0.0, 1.5, -3.0])
def test_a_clock_that_is_right_as_far_as_one_can_tell_is_believed(seconds):
    clock = clock_off_by(seconds)
    assert clock.now_unix_ns() == pytest.approx((SERVER_S + 0.5 + seconds) * 1e9, abs=1e6)


@pytest.mark.parametrize("date", [None, "", "yesterday", "Mon, 99 Foo 2026 00:00:00 GMT"])
def test_an_answer_without_a_date_says_nothing(date):
    clock = ServerClock(lambda: 5.0)
    clock.heard(date, 5.0, 5.0)
    assert clock.offset_s is None
    assert clock.now_unix_ns() == 5_000_000_000


def test_the_slow_way_of_an_answer_is_no_fault_of_the_clock():
    clock = ServerClock()
    clock.heard(formatdate(SERVER_S, usegmt=True), SERVER_S - 9.5, SERVER_S + 10.5)
    assert clock.offset_s == pytest.approx(0.0)


def test_a_report_says_how_wrong_the_clock_is_and_has_the_right_time(tmp_path, counters):
    with BatchQueue(
        tmp_path, max_bytes=1 << 20, batch_max_bytes=1 << 20, batch_max_age_s=0, counters=counters
    ) as queue:
        reporter = HostReporter(
            queue,
            Probes(counters),
            counters,
            clock=clock_off_by(DAY_S),
            resource={"host.name": "h"},
            interval_s=10,
            top_processes=0,
            process_commands=False,
        )
        report = decoded(reporter.report())

    assert attributes(report.resource_metrics[0].resource)["sonde.agent.clock.offset_s"] == "86400"
    assert by_name(report)["sonde.agent.clock.offset"] == [({}, pytest.approx(DAY_S))]
    metrics = report.resource_metrics[0].scope_metrics[0].metrics
    (time_ns,) = {point.time_unix_nano for metric in metrics for point in metric.gauge.data_points}
    assert time_ns == pytest.approx((SERVER_S + 0.5) * 1e9, abs=1e6)
