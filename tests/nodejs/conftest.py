"""One server for all tests that leave it as it was."""

import secrets

import pytest
from nodejs_harness import Api, Played, RealAgent, client_packages, nodejs_server


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    with nodejs_server(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(scope="session")
def client(server):
    with server.client(server.token("write")) as made:
        yield made


@pytest.fixture(scope="module")
def api(client):
    return Api(client, client.post("/api/v1/apps", json={"name": secrets.token_hex(8)}).json())


@pytest.fixture
def play(server, api):
    """Plays agents that are gone at the end of the test."""
    played = []

    def begin(agent="host-1", **more):
        played.append(Played(server, api, agent, **more))
        return played[-1]

    yield begin
    for agent in played:
        agent.close()


@pytest.fixture(scope="session")
def packages():
    found, problem = client_packages()
    if found is None:
        pytest.skip(problem)
    return found


@pytest.fixture
def real(server, api, packages, tmp_path):
    """The agent and the addon from npm."""
    running = RealAgent(server, api, tmp_path, packages)
    try:
        yield running
    finally:
        running.stop()
