"""One server for all tests that leave it as it was; tests that break things start their own."""

import pytest

from started.server import Server


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture(scope="session")
def tokens(server):
    """A token of each scope."""
    return {scope: server.token(scope) for scope in ("read", "write", "admin")}


@pytest.fixture(scope="session")
def reader(server, tokens):
    with server.client(tokens["read"]) as client:
        yield client


@pytest.fixture(scope="session")
def stranger(server):
    """Somebody without credentials."""
    with server.client() as client:
        yield client


@pytest.fixture(scope="session")
def openapi(reader):
    return reader.get("/api/v1/openapi.json").json()


@pytest.fixture
def start(tmp_path):
    """Starts servers that are stopped at the end of the test."""
    started = []

    def begin(*flags, data=None, port=0, first=False):
        started.append(Server(data or tmp_path / "data", *flags, port=port, first=first))
        return started[-1]

    yield begin
    for server in started:
        server.stop()
