"""OpenTelemetry as the reference: a virtual environment of its own, with the same libraries."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
HOME = ROOT / ".build" / "bench-otel"
PYTHON = HOME / "bin" / "python"

SDK = "1.45.1"
INSTRUMENTATION = "0.66b1"
PACKAGES = (
    f"opentelemetry-sdk=={SDK}",
    f"opentelemetry-exporter-otlp-proto-http=={SDK}",
    *(f"opentelemetry-instrumentation-{name}=={INSTRUMENTATION}" for name in ("fastapi", "flask", "httpx", "redis")),
    f"opentelemetry-instrumentation-requests=={INSTRUMENTATION}",
)
APPLICATION = ("fastapi", "flask", "httpx", "redis", "requests")


def make() -> Path:
    """The environment's Python; made at the first call, and again when what goes in has changed."""
    done = HOME / "made-of.txt"
    wanted = "\n".join((*PACKAGES, *APPLICATION, (ROOT / "constraints.txt").read_text()))
    if not done.exists() or done.read_text() != wanted:
        print("making the environment for OpenTelemetry …", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", "--without-pip", HOME], check=True)
        constraints = HOME / "constraints.txt"
        constraints.write_text(
            "".join(
                line + "\n"
                for line in (ROOT / "constraints.txt").read_text().splitlines()
                if not line.startswith("opentelemetry")
            )
        )
        uv = [sys.executable, "-m", "uv", "pip", "install", "-q", "--python", PYTHON, "-c", constraints]
        subprocess.run([*uv, *PACKAGES, *APPLICATION], check=True)
        done.write_text(wanted)
    return PYTHON
