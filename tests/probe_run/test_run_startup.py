"""What starting the probe adds to a process that does nothing else: it is paid by each process of the user."""

from __future__ import annotations

import os
import subprocess
import sys

from sonde.cli.run import environment_with_probe
from sonde.settings import Settings

CODE = "import sys, os; print(*sys.modules, len(os.listdir('/proc/self/task')))"
DEAR = {"asyncio", "contextlib", "dataclasses", "enum", "hashlib", "inspect", "json", "logging", "pathlib", "re"} | {
    *("socket", "threading", "typing", "urllib.parse")
}
"""Each takes milliseconds to import. For whoever adds one: `python -X importtime`, and a lazy import."""


def test_a_process_with_the_probe_imports_nothing_dear_and_starts_no_thread(tmp_path):
    outcomes = [
        subprocess.run([sys.executable, "-c", CODE], env=environment, capture_output=True, text=True, check=True)
        for environment in (os.environ, environment_with_probe(Settings(), str(tmp_path / "agent.sock")))
    ]

    (plain, probed) = (outcome.stdout.split() for outcome in outcomes)
    assert "sonde.probe.start" in probed
    assert plain[-1] == probed[-1] == "1"
    assert not DEAR & (set(probed) - set(plain))
    assert "sonde.probe.reports" not in probed
