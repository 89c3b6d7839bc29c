"""OpenTelemetry's own SDKs send to the real server, by both transports: spans, metrics of each kind and log records."""

import contextlib
import fcntl
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import ROOT, Stack, until

CLIENTS = Path(__file__).with_name("clients")
NODE_FOLDER = ROOT / ".build" / "otel-node"


@pytest.fixture(scope="module")
def otlp(tmp_path_factory):
    """A server with free ports for both transports: {"grpc": its address, "http": …}, and its stack."""
    stack = Stack(tmp_path_factory.mktemp("otlp"))
    try:
        server = stack.start_server("--otlp-port", "0", "--otlp-grpc-port", "0")
        said = until(lambda: re.findall(r"OTLP/(HTTP|gRPC) at (\S+)", server.log.read_text()), what="the addresses")
        addresses = {name.lower(): address.removeprefix("http://") for name, address in said}
        with contextlib.closing(stack.store()) as store:
            yield stack, addresses, store
    finally:
        stack.stop()


@pytest.fixture(scope="session")
def node_packages():
    """A folder with OpenTelemetry's JS packages, filled once for all runs."""
    wanted = (CLIENTS / "package.json").read_text()
    NODE_FOLDER.mkdir(parents=True, exist_ok=True)
    with (NODE_FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        installed = NODE_FOLDER / "installed.json"
        if not installed.exists() or installed.read_text() != wanted:
            shutil.copy(CLIENTS / "package.json", NODE_FOLDER)
            done = subprocess.run(
                ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--package-lock=false"],
                cwd=NODE_FOLDER,
                capture_output=True,
                text=True,
                check=False,
            )
            if "ENOTFOUND" in done.stderr or "ECONNREFUSED" in done.stderr or "ETIMEDOUT" in done.stderr:
                pytest.skip(f"npm cannot be reached: {done.stderr[-300:]}")
            assert done.returncode == 0, done.stderr
            installed.write_text(wanted)
    return NODE_FOLDER


def run_client(otlp, command, service, transport, compression, **environ):
    """What the client printed last: the id of its trace."""
    stack, addresses, _ = otlp
    standard = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{addresses[transport]}",
        "OTEL_EXPORTER_OTLP_HEADERS": f"authorization=Bearer%20{stack.app['token']}",
        "OTEL_RESOURCE_ATTRIBUTES": f"service.name={service},service.instance.id=one",
    }
    if compression != "none":  # the variable's default; the gRPC exporter for Python does not know the word
        standard["OTEL_EXPORTER_OTLP_COMPRESSION"] = compression
    done = subprocess.run(
        command, env=os.environ | standard | environ, capture_output=True, text=True, timeout=90, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()[-1]


def rows_of(otlp, what, service, expected):
    """Rows of a query, when there are `expected` of them."""
    store = otlp[2]

    def ask():
        rows = store.rows(what, {"service": service})
        return rows if len(rows) >= expected else None

    return until(ask, 30, f"{expected} rows of {what}")


def check_spans(otlp, service, trace_id, error):
    rows = rows_of(
        otlp,
        "SELECT endpoint, toString(kind), peer, is_error, lower(hex(trace_id)), is_entry, instance,"
        " arrayMap(e -> (e.name, e.attributes['exception.type'], e.attributes['exception.message']), events)"
        " FROM spans WHERE service = {service:String} ORDER BY start_time, is_entry DESC",
        service,
        11,
    )
    assert len(rows) == 11
    server, *charges = rows
    assert server == (
        "GET /checkout/{id}",
        "server",
        "",
        True,
        trace_id,
        True,
        "one",
        [("exception", error, "no such card")],
    )
    assert charges == [("charge", "client", "cards:443", False, trace_id, False, "one", [])] * 10


def check_metrics(otlp, service):
    rows = rows_of(
        otlp,
        "SELECT name, toString(type), toString(temporality), unit, value, count, sum, min, max, bounds, bucket_counts"
        " FROM metrics WHERE service = {service:String} AND name LIKE 'checkout.%'"
        " ORDER BY name, time DESC LIMIT 1 BY name",
        service,
        3,
    )
    duration, orders, size = rows
    assert duration[:4] == ("checkout.duration", "histogram", "cumulative", "s")
    assert (duration[5], round(duration[6], 6), duration[7], duration[8]) == (10, 5.5, 0.1, 1.0)
    assert orders[:5] == ("checkout.orders", "sum", "cumulative", "{order}", 10.0)
    assert size[:4] == ("checkout.size", "exponential_histogram", "cumulative", "By")
    assert size[5:9] == (10, 5500.0, 100.0, 1000.0)
    bounds, counts = size[9:]
    assert (len(counts), sum(counts)) == (len(bounds) + 1, 10)
    for value in range(100, 1001, 100):  # each was counted in the bucket that its value is in, (lower, upper]
        inside = [
            count
            for lower, upper, count in zip(bounds, bounds[1:], counts[1:-1], strict=False)
            if lower < value <= upper
        ]
        assert sum(inside) >= 1, value


@pytest.mark.parametrize("compression", ["gzip", pytest.param("none", marks=pytest.mark.slow)])
@pytest.mark.parametrize("transport", ["grpc", "http"])
def test_the_python_sdk_sends_all_three_signals(otlp, transport, compression):
    service = f"python-{transport}-{compression}"
    command = [sys.executable, str(CLIENTS / "otel_python.py"), transport]

    trace_id = run_client(otlp, command, service, transport, compression)

    check_spans(otlp, service, trace_id, "ValueError")
    check_metrics(otlp, service)
    assert rows_of(
        otlp,
        "SELECT body, severity_text, attributes['card.brand'], lower(hex(trace_id)) FROM logs"
        " WHERE service = {service:String}",
        service,
        1,
    ) == [("the card was declined", "WARN", "vista", trace_id)]


@pytest.mark.parametrize("compression", ["gzip", pytest.param("none", marks=pytest.mark.slow)])
@pytest.mark.parametrize("exporter", ["grpc", "http", pytest.param("proto", marks=pytest.mark.slow)])
def test_the_js_sdk_sends_spans_and_metrics(otlp, node_packages, exporter, compression):
    service = f"node-{exporter}-{compression}"
    transport = "grpc" if exporter == "grpc" else "http"
    command = ["node", str(CLIENTS / "otel_node.js"), exporter]

    trace_id = run_client(otlp, command, service, transport, compression, NODE_PATH=str(node_packages / "node_modules"))

    check_spans(otlp, service, trace_id, "RangeError")
    check_metrics(otlp, service)
