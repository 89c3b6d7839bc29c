"""The process that takes what probes send, see `apps/collectors.py`."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bench.apps.environments import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator


class Collectors:
    """One of each kind, while it runs."""

    def __init__(self, addresses: dict[str, str]) -> None:
        self.addresses = addresses

    def counts(self, at_least: int = 0, within_s: float = 5.0) -> dict[str, int]:
        """Spans, bytes and bodies since the last time; waits a little for `at_least` spans, which may be on the way."""
        found = {"spans": 0, "bytes": 0, "bodies": 0}
        deadline = time.monotonic() + within_s
        while True:
            with urllib.request.urlopen(f"{self.addresses['http']}/_counts") as answer:
                for name, count in json.load(answer).items():
                    found[name] += count
            if found["spans"] >= at_least or time.monotonic() > deadline:
                return found
            time.sleep(0.1)


@contextmanager
def collectors() -> Iterator[Collectors]:
    """They listen inside of the block."""
    with tempfile.TemporaryDirectory(prefix="sonde-bench-") as folder:
        command = [sys.executable, "-m", "bench.apps.collectors", f"{folder}/agent.sock"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        try:
            assert process.stdout is not None
            yield Collectors(json.loads(process.stdout.readline()))
        finally:
            process.kill()
            process.wait()
