from __future__ import annotations

import json
from datetime import timedelta

import pytest
from otlp_making import NOW, SLOT, Span, ns, resource

from sonde.server.store.queries import node_processes, nodes
from sonde.server.store.queries.deploys import learn_runs
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


def reading(host: str, time, *, cpu: float, received: float, sent: float = 0.0, **facts: str) -> bytes:
    """What an agent sends at one moment. `facts`: more attributes of its resource, `__` for a dot."""
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
    said = {key.replace("__", "."): value for key, value in facts.items()}
    return message(1, resource({**AGENT, "host.name": host, **said}) + message(2, b"".join(metrics)))


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


def test_an_agent_that_was_heard_lately_is_well_and_one_that_was_not_is_silent(web, sender, app, host):
    sender.request("metrics", reading(host, NOW - TEN, cpu=0.5, received=1), received=NOW - TEN)

    (lately,) = nodes.list_nodes(web, [app], NOW)
    (later,) = nodes.list_nodes(web, [app], NOW + timedelta(minutes=3))

    assert lately.agent is not None
    assert (lately.agent.state, lately.agent.version, lately.agent.last_seen) == ("ok", "0.1.0", NOW - TEN)
    assert later.agent is not None
    assert (later.agent.state, later.cpu_utilization) == ("silent", 0.5)


@pytest.mark.parametrize("days", [1, -1])
def test_a_host_whose_clock_is_a_day_off_is_shown_as_that_and_not_as_down(web, sender, app, host, days):
    """Also where what it measured has the time of its own clock, as from an agent that does not correct it."""
    there = NOW + timedelta(days=days, hours=days)
    offset = str(int(timedelta(days=days, hours=days).total_seconds()))
    said = {"sonde__agent__clock__offset_s": offset}
    sender.request("metrics", reading(host, there, cpu=0.5, received=1, **said), received=NOW)

    (node,) = nodes.list_nodes(web, [app], NOW + TEN)

    assert node.host == host
    assert node.agent is not None
    assert (node.agent.state, node.agent.clock_offset_s) == ("clock", float(offset))
    assert node.agent.last_seen == NOW


def test_an_offset_that_is_no_number_is_none(web, sender, app, host):
    sender.request("metrics", reading(host, NOW, cpu=0.5, received=1, sonde__agent__clock__offset_s="nan"))

    (node,) = nodes.list_nodes(web, [app], NOW + TEN)

    assert node.agent is not None
    assert (node.agent.state, node.agent.clock_offset_s) == ("ok", None)


def test_what_was_counted_while_nobody_reported_belongs_to_no_step(web, sender, app, host):
    """A gap of ten minutes: the step after it has the rate of its own readings, not that of the gap."""
    for seconds, received in ((0, 0), (10, 100), (610, 10_000_000), (620, 10_000_200)):
        time = SLOT + timedelta(seconds=seconds)
        sender.request("metrics", reading(host, time, cpu=0.5, received=received))

    report = nodes.report(web, [app], host, SLOT, SLOT + timedelta(minutes=11))

    assert report is not None
    rates = [sample.network_receive_bytes_per_s for sample in report.series]
    assert [rate for rate in rates if rate is not None] == pytest.approx([10, 20])
    assert rates.count(None) == len(rates) - 2


def test_processor_time_is_told_by_what_it_went_into(web, sender, app, host):
    def modes(time, **seconds):
        points = [point(1, time, value, cpu__mode=mode) for mode, value in seconds.items()]
        return message(1, resource({**AGENT, "host.name": host}) + message(2, counter("system.cpu.time", *points)))

    sender.request("metrics", reading(host, SLOT, cpu=0.5, received=1))
    sender.request("metrics", modes(SLOT, user=10, system=5, idle=100, iowait=0, nice=0, interrupt=0))
    sender.request("metrics", modes(SLOT + TEN, user=14, system=6, idle=112, iowait=2, nice=0.5, interrupt=0.5))

    report = nodes.report(web, [app], host, SLOT, SLOT + timedelta(seconds=30))

    assert report is not None
    sample = report.series[0]
    shares = (sample.cpu_user, sample.cpu_system, sample.cpu_iowait, sample.cpu_steal, sample.cpu_other)
    assert shares == pytest.approx((4 / 20, 1 / 20, 2 / 20, 0, 1 / 20))


def test_services_that_run_on_a_host_are_listed_with_their_open_files(web, sender, app, host):
    facts = {"host__name": host, "process__pid": "42", "service__version": "3.1", "telemetry__sdk__language": "python"}
    sender.spans("shop", Span(), service__instance__id="shop-1", **facts)
    sender.spans("elsewhere", Span(), service__instance__id="other-1", host__name="another")
    sender.request("metrics", reading(host, NOW, cpu=0.5, received=1))
    files = [
        gauge(name, point(1, NOW, value, process__pid="42", service__name="shop"))
        for name, value in (("process.open_file_descriptor.count", 17), ("process.open_file_descriptor.limit", 1024))
    ]
    sender.request("metrics", message(1, resource({**AGENT, "host.name": host}) + message(2, b"".join(files))))

    report = nodes.report(web, [app], host, NOW - TEN, NOW + TEN)

    assert report is not None
    assert report.node.services == ["shop"]
    (found,) = report.services
    assert (found.service, found.instance, found.pid, found.version, found.language) == (
        *("shop", "shop-1", 42, "3.1", "python"),
    )
    assert (found.open_files, found.open_files_limit) == (17, 1024)


def test_a_process_is_listed_for_the_time_it_was_there_though_it_is_heard_of_afterwards(web, loader, sender, app, host):
    """What a process said last comes after the end of most times, and of now, when the store takes a moment."""
    for minute in (2, 9):
        received = SLOT + timedelta(minutes=minute)
        sender.spans("shop", Span(), received=received, service__instance__id="shop-1", host__name=host)
        learn_runs(loader, SLOT)
    for minute in (1, 5):
        sender.request("metrics", reading(host, SLOT + timedelta(minutes=minute), cpu=0.5, received=1))

    def listed(end):
        report = nodes.report(web, [app], host, SLOT, SLOT + end)
        assert report is not None
        return report.node.services, [one.instance for one in report.services]

    assert listed(timedelta(minutes=5, seconds=30)) == (["shop"], ["shop-1"])
    assert listed(timedelta(seconds=90)) == ([], []), "before it was first heard of"


def test_what_agent_and_probes_lost_is_counted_from_the_start_of_the_time_asked_for(web, sender, app, host):
    def lost(time, **counts):
        points = [point(1, time, value, reason=reason) for reason, value in counts.items()]
        metrics = counter("sonde.agent.frames.dropped", *points)
        return message(1, resource({**AGENT, "host.name": host}) + message(2, metrics))

    sender.request("metrics", reading(host, SLOT, cpu=0.5, received=1))
    sender.request("metrics", lost(SLOT - TEN, queue_full=100))
    sender.request("metrics", lost(SLOT + TEN, queue_full=130, disk_full=5))
    sender.request("metrics", lost(SLOT + 2 * TEN, queue_full=7, disk_full=5))

    report = nodes.report(web, [app], host, SLOT, SLOT + 3 * TEN)

    assert report is not None
    assert [(loss.what, loss.reason, loss.count) for loss in report.losses] == [
        ("sonde.agent.frames.dropped", "queue_full", 37),
        ("sonde.agent.frames.dropped", "disk_full", 5),
    ]


def record(host, time, *rows, seconds=60.0, body=None):
    """What an agent says of its host's processes."""
    told = body or json.dumps({"seconds": seconds, "processes": 99, "rows": list(rows)})
    return otlp_record({**AGENT, "host.name": host}, "sonde.top_processes", told, time)


def otlp_record(facts, event, body, time):
    log = fixed64(1, ns(time)) + integer(2, 9) + message(5, text(1, body)) + text(12, event)
    return message(1, resource(facts) + message(2, message(2, log)))


def process(pid, *, cpu, memory=1000, started=None):
    return {
        "pid": pid,
        "started_unix_s": (started or NOW).timestamp(),
        "name": "python3",
        "command": "python3 app.py",
        "user": "www",
        "cpu_cores": cpu,
        "memory_bytes": memory,
        "threads": 4,
        "service": "shop",
    }


def test_the_processes_of_a_minute_are_found_by_their_time(web, sender, app, host):
    minute = timedelta(minutes=1)
    for number in range(3):
        rows = process(1, cpu=0.1), process(2, cpu=0.5 + number), process(3, cpu=None, memory=10**9)
        sender.request("logs", record(host, NOW + number * minute, *rows))

    newest = node_processes.top(web, [app], host, NOW, NOW + 5 * minute, None)
    first = node_processes.top(web, [app], host, NOW, NOW + 5 * minute, NOW + minute / 2)

    assert newest is not None
    assert [(it.pid, it.cpu_cores) for it in newest.items] == [(2, 2.5), (1, 0.1), (3, None)]
    assert (newest.seconds, newest.processes, newest.times) == (60, 99, [NOW + n * minute for n in range(3)])
    assert first is not None
    assert (first.time, first.items[0].cpu_cores) == (NOW, 0.5)
    assert node_processes.top(web, ["another"], host, NOW, NOW + 5 * minute, None) is None
    assert node_processes.top(web, [app], host, NOW, NOW + 5 * minute, NOW - minute) is None


def test_a_process_has_a_history_and_another_with_its_id_another(web, sender, app, host):
    minute, before = timedelta(minutes=1), NOW - timedelta(days=1)
    sender.request("logs", record(host, NOW, process(7, cpu=0.5), process(8, cpu=0.1)))
    sender.request("logs", record(host, NOW + minute, process(7, cpu=0.9, started=before)))
    sender.request("logs", record(host, NOW + 2 * minute, process(7, cpu=None, memory=5)))

    found = node_processes.history(web, [app], host, 7, NOW, NOW, NOW + 5 * minute)

    assert found is not None
    assert [(it.time, it.cpu_cores, it.memory_bytes) for it in found.series] == [
        (NOW, 0.5, 1000),
        (NOW + 2 * minute, None, 5),
    ]
    assert (found.name, found.command) == ("python3", "python3 app.py")
    assert node_processes.history(web, [app], host, 9, NOW, NOW, NOW + 5 * minute) is None


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"seconds": 1, "processes": 2, "rows": [{}]}', '{"seconds": "x"}'])
def test_a_record_that_no_agent_of_ours_wrote_is_none(web, sender, app, host, body):
    sender.request("logs", record(host, NOW, body=body or "nothing"))

    assert node_processes.top(web, [app], host, NOW - TEN, NOW + TEN, None) is None
