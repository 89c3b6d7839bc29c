"""Virtual environments for what is measured: the application's libraries in our versions, and one peer beside them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[2]
HOME = ROOT / ".build" / "bench-peers"
APPLICATION = ("fastapi", "flask", "httpx", "redis", "requests")


class NotInstallable(Exception):  # noqa: N818 - it is a finding of the benchmark, no error of it
    """The peer's packages do not go together with the application's, or are not to be had."""


def make(name: str, packages: Sequence[str] = ()) -> Path:
    """The Python of the environment `name`; made at the first call, and again when what goes in has changed."""
    home = HOME / name
    python = home / "bin" / "python"
    done = home / "made-of.txt"
    constraints = _constraints(packages)
    wanted = "\n".join((sys.version, *packages, *APPLICATION, constraints))
    if not done.exists() or done.read_text() != wanted:
        print(f"making the environment {name} …", flush=True)
        uv = [sys.executable, "-m", "uv"]
        _run([*uv, "venv", "-q", "--clear", "--python", sys.executable, home])
        (home / "constraints.txt").write_text(constraints)
        install = [*uv, "pip", "install", "-q", "--system-certs", "--python", python, "-c", home / "constraints.txt"]
        _run([*install, *packages, *APPLICATION])
        done.write_text(wanted)
    return python


def version(python: Path, distribution: str) -> str:
    """What is installed there."""
    code = "import importlib.metadata, sys; print(importlib.metadata.version(sys.argv[1]))"
    return subprocess.run([python, "-c", code, distribution], check=True, capture_output=True, text=True).stdout.strip()


def _constraints(packages: Sequence[str]) -> str:
    """Our pins for what the application stands on; what a peer stands on is its own matter."""
    pins = {
        line.partition("==")[0]: line for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line
    }
    named = {package.partition("==")[0] for package in packages}
    return "".join(f"{pins[name]}\n" for name in _STANDS_ON if name in pins and name not in named)


_STANDS_ON = (
    *("annotated-doc", "annotated-types", "anyio", "blinker", "charset-normalizer", "click", "fastapi"),
    *("flask", "h11", "httpcore", "httpx", "idna", "itsdangerous", "jinja2", "markupsafe", "pydantic"),
    *("pydantic-core", "redis", "requests", "sniffio", "starlette", "urllib3", "werkzeug"),
)


def _run(command: Sequence[object]) -> None:
    outcome = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if outcome.returncode:
        raise NotInstallable(outcome.stderr.strip())
