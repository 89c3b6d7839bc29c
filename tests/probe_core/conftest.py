"""Every test of the recorder runs on both implementations: the fixture `core` is the native one, then the twin."""

from __future__ import annotations

import contextlib
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
def command_line(core, agent, tmp_path):
    """Write a program that has `core`, `start()` and `span(name)` at hand, and say how to run it."""

    def write(source):
        script = tmp_path / "program.py"
        script.write_text(PROLOGUE + textwrap.dedent(source))
        return [sys.executable, str(script), core.__name__, agent.path]

    return write


@pytest.fixture
def begun(command_line):
    """Begin a program in a fresh interpreter, and go on beside it. It is killed at the end of the test."""
    with contextlib.ExitStack() as processes:

        def begin(source):
            command = command_line(source)
            process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
            processes.enter_context(process)
            processes.callback(process.kill)
            return process

        yield begin


@pytest.fixture
def program(command_line):
    """Run a program in a fresh interpreter; returns its outcome."""

    def run(source, *, timeout_s=60, check=True, env=None):
        outcome = subprocess.run(
            command_line(source),
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
