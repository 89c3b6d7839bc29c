"""What the tests of the control plane start; see control_harness."""

import secrets

import pytest
from control_harness import ALL, Agent, AgentSide, Api, ServerSide, client_of, tool_process

from started.server import Server


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """One for all tests that leave it as it was."""
    folder = tmp_path_factory.mktemp("server")
    with Server(folder, artifact_max_bytes=4 << 20, control_heartbeat_s=0.5) as running:
        yield running


@pytest.fixture(scope="session")
def client(server):
    with client_of(server) as made:
        yield made


@pytest.fixture
def app(client):
    return client.post("/apps", json={"name": secrets.token_hex(8)}).json()


@pytest.fixture
def api(client, app):
    return Api(client, app["id"])


@pytest.fixture
def played(server, app):
    """An agent that the test plays."""
    with AgentSide(server.url, app["token"]) as side:
        yield side


@pytest.fixture
def agent(tmp_path, server, app):
    """A real one, of the real server."""
    running = Agent(tmp_path, server.url, app["token"])
    yield running
    running.stop()


@pytest.fixture
def process(tmp_path, agent):
    """A process with tools, of that agent."""
    running = tool_process(tmp_path, agent)
    yield running
    running.stop()


@pytest.fixture
def fake():
    """A server that the test plays."""
    with ServerSide() as side:
        yield side


@pytest.fixture
def start_agent(tmp_path, fake):
    """Starts a real agent of the played server, and a process of its; the agent, and the process as it is told."""
    started = []

    def begin(policy=ALL, service="shop", **settings):
        agent = Agent(tmp_path, fake.url, "sonde_app_test", policy, **settings)
        started.append(agent)
        process = tool_process(tmp_path, agent, service)
        started.append(process)
        return agent, fake.process(process.pid)

    yield begin
    for program in reversed(started):
        program.stop()
