"""Every test of the recorder runs on both implementations: the fixture `core` is the native one, then the twin."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import textwrap

import pytest
from probe_core_harness import IMPLEMENTATIONS, PROLOGUE, Agent, record


@pytest.fixture(params=IMPLEMENTATIONS, scope="module")
def core(request):
    """The implementation's module, stopped."""
    module = importlib.import_module(IMPLEMENTATIONS[request.param])
    yield module
    module.stop(0)


@pytest.fixture
def recording(core):
    with record(core) as recording:
        yield recording


@pytest.fixture
def agent(tmp_path):
    agent = Agent(tmp_path / "agent.sock")
    agent.listen()
    yield agent
    agent.close()


@pytest.fixture
def absent_agent(tmp_path):
    """Nobody listens yet."""
    agent = Agent(tmp_path / "agent.sock")
    yield agent
    agent.close()


@pytest.fixture
def sending(core, agent):
    """The implementation, started towards `agent`."""
    core.stop(0)
    core.drain()
    core.start({"service.name": "shop"}, agent.path, hello={"service": "shop", "token": ""}, flush_interval_ms=5)
    yield core
    core.stop(1)


@pytest.fixture
def program(core, agent, tmp_path):
    """Run a program in a fresh interpreter, with `core`, `start()` and `span(name)` at hand; returns its outcome."""

    def run(source, *, timeout_s=60, check=True, env=None):
        script = tmp_path / "program.py"
        script.write_text(PROLOGUE + textwrap.dedent(source))
        outcome = subprocess.run(
            [sys.executable, str(script), core.__name__, agent.path],
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
            env={**os.environ, **(env or {})},
        )
        if check:
            assert outcome.returncode == 0, outcome.stderr
            assert not outcome.stderr, outcome.stderr
        return outcome

    return run
