"""What is measured side by side: nothing, Sonde in its states, and its peers, each with its environment."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.apps import environments
from sonde.cli.run import environment_with_probe
from sonde.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

KINDS = {"flask": "Flask, redis, requests", "fastapi": "FastAPI, redis.asyncio, httpx"}
"""The applications: each request is one entry, five Redis commands and one HTTP call."""

OTEL, INSTRUMENTATION = "1.45.1", "0.66b1"
LOGFIRE = "5.2.0"


@dataclass(frozen=True)
class Variant:
    """One column of processes."""

    name: str
    title: str
    probe: str
    """What is switched on in the process, see `apps/probes.py`."""
    spans: Mapping[str, int]
    """By application: spans that have to arrive for each request. What differs from this is no result."""
    packages: tuple[str, ...] = ()
    environment: str = "base"
    """The virtual environment."""
    note: str = ""
    enabled: str = ""
    """SONDE_ENABLED under `sonde run`; empty: not started by it."""
    variables: Mapping[str, str] = field(default_factory=dict)

    def python(self) -> Path:
        """The interpreter. Raises NotInstallable."""
        return environments.make(self.environment, self.packages)

    def process_environment(self, variables: Mapping[str, str], socket: str) -> dict[str, str]:
        """What the process is started with; `variables` is the environment of ours."""
        plain = {name: value for name, value in variables.items() if not name.startswith(("SONDE_", "OTEL_", "PYTHON"))}
        if self.enabled:
            known = environment_with_probe(Settings({"socket": socket}), socket)
            ours = {name: value for name, value in known.items() if name.startswith("SONDE_")}
            boot = known["PYTHONPATH"].partition(":")[0]
            plain |= {**ours, "PYTHONPATH": boot, "SONDE_ENABLED": self.enabled}
        return plain | dict(self.variables)


def _all(count: int) -> dict[str, int]:
    return dict.fromkeys(KINDS, count)


BARE = Variant("bare", "no probe", "bare", _all(0))

SONDE = (
    Variant("sonde", "Sonde", "sonde", _all(7)),
    Variant("sonde_python", "Sonde, Python twin", "sonde", _all(7), variables={"SONDE_CORE": "python"}),
    Variant("sonde_unsampled", "Sonde, sampling_rate 0", "sonde_unsampled", _all(0)),
    Variant("sonde_stopped", "Sonde, stopped", "sonde_stopped", _all(0)),
    Variant("sonde_disabled", "Sonde, SONDE_ENABLED=0", "bare", _all(0), enabled="0"),
)


def _peer(name: str, title: str, spans: Mapping[str, int], *packages: str, note: str = "") -> Variant:
    return Variant(name, title, name, spans, packages, name, note)


PEERS = (
    _peer(
        *("opentelemetry", f"OpenTelemetry {OTEL}", {"flask": 7, "fastapi": 9}),
        *(f"opentelemetry-sdk=={OTEL}", f"opentelemetry-exporter-otlp-proto-http=={OTEL}"),
        *(
            f"opentelemetry-instrumentation-{library}=={INSTRUMENTATION}"
            for library in ("fastapi", "flask", "httpx", "redis", "requests")
        ),
        note="FastAPI: two spans more, for the parts of the answer",
    ),
    _peer(
        *("ddtrace", "ddtrace 4.16.0", {"flask": 15, "fastapi": 8}, "ddtrace==4.16.0"),
        note="Flask: eight spans more, for what Flask does inside; FastAPI: one",
    ),
    _peer("sentry", "sentry-sdk 2.75.0", {"flask": 7, "fastapi": 7}, "sentry-sdk==2.75.0"),
    _peer("elastic", "elastic-apm 6.26.2", {"flask": 7, "fastapi": 7}, "elastic-apm==6.26.2"),
    _peer(
        *("skywalking", "apache-skywalking 1.2.0", {"flask": 7, "fastapi": 2}, "apache-skywalking==1.2.0"),
        note="does not see redis.asyncio; 1.3.0 lacks its generated protocol package",
    ),
    _peer(
        *("pinpoint", "pinpointPy 1.4.1", {"flask": 6, "fastapi": 3}, "pinpointPy==1.4.1", "starlette-context==0.5.1"),
        note="does not see a requests.Session, nor redis.asyncio; FastAPI: the HTTP call twice",
    ),
    _peer(
        *("logfire", f"logfire {LOGFIRE}", {"flask": 7, "fastapi": 7}),
        f"logfire[fastapi,flask,httpx,redis,requests]=={LOGFIRE}",
        note="on OpenTelemetry's SDK",
    ),
)
