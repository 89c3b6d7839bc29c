from __future__ import annotations

from datetime import timedelta

import pytest
from otlp_making import NOW, SLOT, ns, resource

from sonde.server.store.queries import nodes
from sonde.wire.protobuf import double, fixed64, integer, key_value, message, text

AGENT = {
    "service.name": "sonde-agent",
    "service.version": "0.1.0",
    "host.id": "abc",
    "os.type": "linux",
    "os.description": "Debian",
}
TEN = timedelta(seconds=10)


def point(field: int, time, value: float, **attributes: str) -> bytes:
    facts = b"".join(key_value(7, key.replace("__", "."), said) for key, said in attributes.items())
    return message(field, fixed64(3, ns(time)) + double(4, value) + facts)


def gauge(name: str, *points: bytes) -> bytes:
    return message(2, text(1, name) + message(5, b"".join(points)))


def counter(name: str, *points: bytes) -> bytes:
    return message(2, text(1, name) + message(7, b"".join(points) + integer(2, 2) + integer(3, 1)))


def reading(host: str, time, *, cpu: float, received: float, sent: float = 0.0) -> bytes:
    """What an agent sends at one moment."""
    metrics = [
        gauge("system.cpu.utilization", point(1, time, cpu)),
        gauge("system.cpu.load_average.1m", point(1, time, 1.5)),
        gauge("system.cpu.logical.count", point(1, time, 8)),
        gauge(
            "system.memory.usage",
            point(1, time, 600, system__memory__state="used"),
            point(1, time, 400, system__memory__state="free"),
        ),
        gauge("system.memory.limit", point(1, time, 1000)),
        gauge(
            "system.paging.usage",
            point(1, time, 5, system__paging__state="used"),
            point(1, time, 15, system__paging__state="free"),
        ),
        gauge(
            "system.filesystem.usage",
            *(
                point(1, time, value, system__filesystem__mountpoint=where, system__filesystem__state=state)
                for where, state, value in (
                    ("/", "used", 70),
                    ("/", "free", 30),
                    ("/data", "used", 9),
                    ("/data", "free", 1),
                )
            ),
        ),
        counter(
            "system.network.io",
            point(1, time, received, network__interface__name="eth0", network__io__direction="receive"),
            point(1, time, sent, network__interface__name="eth0", network__io__direction="transmit"),
            point(1, time, received * 50, network__interface__name="lo", network__io__direction="receive"),
        ),
        gauge("system.process.count", point(1, time, 123)),
    ]
    return message(1, resource({**AGENT, "host.name": host}) + message(2, b"".join(metrics)))


@pytest.fixture
def host(app: str) -> str:
    return f"host-of-{app}"


def test_a_host_is_shown_with_its_last_values_and_rates(web, sender, app, host):
    sender.request("metrics", reading(host, NOW - 2 * TEN, cpu=0.2, received=1000))
    sender.request("metrics", reading(host, NOW - TEN, cpu=0.5, received=3000))

    (node,) = nodes.list_nodes(web, [app], NOW)

    assert (node.host, node.host_id, node.os, node.agent_version) == (host, "abc", "Debian", "0.1.0")
    assert (node.cpus, node.cpu_utilization, node.load_1m, node.processes) == (8, 0.5, 1.5, 123)
    assert (node.memory_used_bytes, node.memory_total_bytes) == (600, 1000)
    assert (node.swap_used_bytes, node.swap_total_bytes) == (5, 20)
    assert [(disk.mountpoint, disk.used_bytes, disk.total_bytes) for disk in node.filesystems] == [
        ("/", 70, 100),
        ("/data", 9, 10),
    ]
    assert node.network_receive_bytes_per_s == pytest.approx(200)
    assert node.network_transmit_bytes_per_s == 0
    assert node.disk_read_bytes_per_s is None
    assert node.last_seen == NOW - TEN


def test_a_silent_host_stays_listed_as_it_was_last_seen(web, sender, app, host):
    sender.request("metrics", reading("gone", NOW - timedelta(hours=5), cpu=0.9, received=1))
    sender.request("metrics", reading(host, NOW, cpu=0.1, received=1))

    found = {node.host: node for node in nodes.list_nodes(web, [app], NOW)}

    assert (found["gone"].cpu_utilization, found[host].cpu_utilization) == (0.9, 0.1)
    assert nodes.list_nodes(web, ["another"], NOW) == []


def test_charts_survive_a_counter_that_starts_again(web, sender, app, host):
    """The host was restarted: its counter is lower than before, and what it shows was counted since."""
    for number, received in enumerate((1000, 2000, 500, 1500)):
        sender.request("metrics", reading(host, SLOT + number * TEN, cpu=number / 10, received=received))

    report = nodes.report(web, [app], host, SLOT, SLOT + timedelta(minutes=1))

    assert report is not None
    first, second = report.series
    assert first.network_receive_bytes_per_s == pytest.approx((1000 + 500) / 20)
    assert second.network_receive_bytes_per_s == pytest.approx(1000 / 10)
    assert (first.cpu_utilization, second.cpu_utilization) == pytest.approx((0.1, 0.3))


def test_steps_without_readings_have_no_values(web, sender, app, host):
    sender.request("metrics", reading(host, NOW, cpu=0.4, received=1))

    report = nodes.report(web, [app], host, NOW, NOW + timedelta(minutes=2))

    assert report is not None
    assert report.series[0].cpu_utilization == pytest.approx(0.4)
    assert report.series[0].filesystem_used == pytest.approx(0.9)
    assert report.series[-1].cpu_utilization is None
    assert report.series[-1].network_receive_bytes_per_s is None


def test_a_host_that_did_not_report_has_no_page(web, app):
    assert nodes.report(web, [app], "nobody", NOW, NOW + TEN) is None
