"""The processes that use most: which they are, what is said of them, and what is not."""

import json
import os
import subprocess
import sys
import time
from itertools import count

import psutil
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from sonde.agent.host_metrics import command_line, otlp_logs
from sonde.agent.host_metrics.top_processes import TopProcesses
from sonde.agent.receiving.probes import Probe, Probes


@pytest.fixture
def probes(counters):
    probes = Probes(counters)
    probes.connected(1, Probe(os.getpid(), os.geteuid(), "shop", "shop-1"))
    return probes


def busy(seconds):
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass


def test_who_is_busy_and_who_is_large_is_listed_with_what_it_is(probes):
    seconds = count(step=1)  # a second between two looks
    top = TopProcesses(probes, 100, lambda: float(next(seconds)), commands=True)
    assert top.body() is None
    busy(0.05)

    said = json.loads(top.body())

    assert said["seconds"] == 1
    assert said["processes"] >= len(said["rows"])
    (own,) = [row for row in said["rows"] if row["pid"] == os.getpid()]
    assert own["cpu_cores"] >= 0.05
    assert own["service"] == "shop"
    assert own["memory_bytes"] > 1 << 20
    assert own["started_unix_s"] == psutil.Process().create_time()
    assert "python" in own["command"]


def test_the_list_is_bounded_whatever_runs(probes):
    seconds = count(step=1)
    top = TopProcesses(probes, 1, lambda: float(next(seconds)), commands=False)
    top.body()
    sleepers = [subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) for _ in range(3)]
    try:
        busy(0.02)
        said = json.loads(top.body())
    finally:
        for sleeper in sleepers:
            sleeper.kill()
            sleeper.wait()

    assert said["processes"] >= 4
    assert 1 <= len(said["rows"]) <= 2, "one by CPU, one by memory"
    assert all(row["command"] == "" for row in said["rows"])


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (["nginx:", "worker"], "nginx: worker"),
        (["app", "--token", "abc", "--port", "80"], "app --token *** --port 80"),
        (["app", "--db-password=abc", "-v"], "app --db-password=*** -v"),
        (["env", "API_KEY=abc", "app"], "env API_KEY=*** app"),
        (["psql", "postgresql://bob:abc@db/shop"], "psql postgresql://***@db/shop"),
        (["app", "--auth", "--verbose", "abc"], "app --auth --verbose abc"),
        (["a\udcff"], "a?"),
    ],
)
def test_a_command_line_is_shown_without_its_secrets(words, shown):
    assert command_line.shown(words) == shown


def test_a_long_command_line_is_cut():
    assert len(command_line.shown(["x" * 5000])) == command_line.LONGEST


def test_the_record_is_one_that_opentelemetry_reads():
    request = ExportLogsServiceRequest.FromString(otlp_logs.request({"host.name": "h"}, "sonde.it", "{}", 7))
    (resource,) = request.resource_logs
    (record,) = resource.scope_logs[0].log_records
    assert [(it.key, it.value.string_value) for it in resource.resource.attributes] == [("host.name", "h")]
    assert (record.event_name, record.body.string_value, record.time_unix_nano) == ("sonde.it", "{}", 7)
    assert (record.severity_number, record.severity_text) == (9, "INFO")
