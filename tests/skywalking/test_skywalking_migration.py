"""One trace through services of three kinds, each with its own agent and headers, none of them changed for the others.

SkyWalking's agent → `sonde run` → OpenTelemetry's → `sonde run` → SkyWalking's agent.
"""

import os
import sys
from pathlib import Path

import httpx
import pytest
from agents_world import ROOT, environment, free_port, skywalking_server

from started.program import Program
from started.server import SONDE
from started.waiting import eventually

RELAY = str(Path(__file__).parent / "apps" / "relay_service.py")
PYTHON = sys.executable


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with skywalking_server(tmp_path_factory.mktemp("server")) as server:
        yield server


class Chain:
    """Services that are started from the last to the first; each is asked by the one that comes after it."""

    def __init__(self, folder, server, token):
        self._folder = folder
        self._server = server
        self._token = token
        self._programs = []
        self.port = None

    def _start(self, name, command, environ):
        words = [*command, RELAY, str(free_port()), *([str(self.port)] if self.port else [])]
        self.port = int(words[len(command) + 1])
        self._programs.append(Program(words, self._folder / f"{name}.log", environ))
        eventually(self._is_ready, f"a ready {name}, see {self._folder}")

    def _is_ready(self):
        program = self._programs[-1]
        assert program.process.poll() is None, program.log.read_text()
        return "Running on" in program.log.read_text()

    def skywalking(self, name):
        home = environment()
        environ = {
            "PATH": f"{home}/bin:{os.environ['PATH']}",
            "SW_AGENT_COLLECTOR_BACKEND_SERVICES": self._server.skywalking_grpc,
            "SW_AGENT_NAME": name,
            "SW_AGENT_INSTANCE_NAME": f"{name}-1",
            "SW_AGENT_AUTHENTICATION": self._token,
        }
        self._start(name, [str(home / "bin" / "sw-python"), "run", "-p", "python"], environ)

    def sonde(self, name, propagators=""):
        to = ["--server", self._server.url, "--token", self._token, "--service", name]
        socket = ["--socket", str(self._folder / f"{name}.sock")]
        environ = {"SONDE_PROPAGATORS": propagators} if propagators else {}
        self._start(name, [*SONDE, "run", *to, *socket, "--", PYTHON], environ)

    def opentelemetry(self, name, propagators):
        environ = {
            "OTEL_SERVICE_NAME": name,
            "OTEL_EXPORTER_OTLP_ENDPOINT": self._server.url,
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
            "OTEL_EXPORTER_OTLP_HEADERS": f"authorization=Bearer {self._token}",
            "OTEL_METRICS_EXPORTER": "none",
            "OTEL_LOGS_EXPORTER": "none",
            "OTEL_BSP_SCHEDULE_DELAY": "200",
            "OTEL_PROPAGATORS": propagators,
        }
        self._start(name, [str(ROOT / ".venv" / "bin" / "opentelemetry-instrument"), PYTHON], environ)

    def stop(self):
        for program in self._programs:
            program.stop()


@pytest.fixture
def chain(tmp_path, server):
    made = Chain(tmp_path, server, server.app()["token"])
    yield made
    made.stop()


def relayed(server, services):
    """Of the trace that went through the services: each span of /relay, from the outermost inwards."""
    found = server.get("/traces", service=services[0])["items"]
    whole = [server.get(f"/traces/{trace['trace_id']}") for trace in found]
    for trace in whole:
        spans = [span for span in trace["spans"] if span["kind"] in {"server", "client"}]
        if {span["service"] for span in spans} == set(services) and len(spans) >= 2 * len(services) - 1:
            return spans
    return None


@pytest.mark.parametrize(
    "headers",
    ["tracecontext", pytest.param("b3", marks=pytest.mark.slow), pytest.param("b3multi", marks=pytest.mark.slow)],
)
def test_a_trace_crosses_from_skywalking_to_opentelemetry_and_back(server, chain, headers):
    """Our services are in between: one reads sw8 and writes `headers`, the other reads those and writes sw8."""
    kinds = ("sw-front", "sonde-one", "otel", "sonde-two", "sw-back")
    services = [f"{kind}-{headers}" for kind in kinds]
    chain.skywalking(services[4])
    chain.sonde(services[3], "sw8")
    chain.opentelemetry(services[2], headers)
    chain.sonde(services[1], headers)
    chain.skywalking(services[0])

    assert httpx.get(f"http://127.0.0.1:{chain.port}/relay", timeout=60).text == "end"

    spans = eventually(lambda: relayed(server, services), "one trace through all five")
    assert len(spans) == 9
    parents = {span["span_id"]: span for span in spans}
    chained = next(span for span in spans if (span["service"], span["kind"]) == (services[4], "server"))
    steps = [(chained["service"], chained["kind"])]
    while chained["parent_id"]:
        chained = parents[chained["parent_id"]]
        steps.append((chained["service"], chained["kind"]))
    sides = [(service, kind) for service in services for kind in ("server", "client")]
    assert steps[::-1] == sides[:-1]
