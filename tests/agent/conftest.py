"""What the agent's tests start; see agent_harness."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from agent_harness import AgentProcess, FakeServer

from sonde.agent.counters import Counters
from sonde.agent.receiving.probes import Probes
from sonde.agent.tools.runs import Runs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer() as running:
        yield running


@pytest.fixture
def counters() -> Counters:
    return Counters()


@pytest.fixture
def probes(counters: Counters) -> Probes:
    return Probes(counters)


@pytest.fixture
def runs(probes: Probes, counters: Counters) -> Iterator[Runs]:
    with Runs(probes, counters) as made:
        yield made


@pytest.fixture
def agent(tmp_path: Path, server: FakeServer) -> Iterator[AgentProcess]:
    with AgentProcess(tmp_path, server.url) as running:
        yield running
