"""Agents that bring no token, as the Python agent over HTTP: the setting skywalking_app says whose they are."""

import os
import subprocess
import sys

import pytest
from agents_world import Service, skywalking_server
from test_skywalking_agents import check_logs_join, check_one_trace

from started.waiting import eventually


@pytest.fixture
def server(tmp_path):
    with skywalking_server(tmp_path / "data", skywalking_app="legacy") as server:
        yield server


@pytest.mark.slow
def test_two_services_over_http_are_one_trace_with_logs(tmp_path, server):
    """The app is made after the server has started, and belongs to them from then on."""
    app = server.admin.post("/apps", json={"name": "legacy"}).json()
    back = Service(tmp_path, server, "http-back", protocol="http")
    front = Service(tmp_path, server, "http-front", protocol="http", other=back.port)
    try:
        assert front.get("/front").text == "leaf"

        asked, leaf = check_one_trace(server, app["id"], front.name, back.name)
        check_logs_join(server, app["id"], front.name, back.name, asked, leaf)
    finally:
        front.stop()
        back.stop()


def test_the_port_of_skywalking_takes_otlp_over_http_as_well(server):
    """OpenTelemetry's own exporter, pointed at 12800."""
    app = server.admin.post("/apps", json={"name": "otel"}).json()
    code = f"""
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
provider = TracerProvider(resource=Resource({{"service.name": "otel"}}))
headers = {{"authorization": "Bearer {app["token"]}"}}
exporter = OTLPSpanExporter("http://{server.skywalking_http}/v1/traces", headers=headers)
provider.add_span_processor(SimpleSpanProcessor(exporter))
with provider.get_tracer("t").start_as_current_span("work"):
    pass
provider.shutdown()
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, env=dict(os.environ), check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    found = "SELECT count() FROM spans WHERE app = {app:String} AND endpoint = 'work'"
    eventually(lambda: server.rows(found, app=app["id"]) == [(1,)], "the span")
