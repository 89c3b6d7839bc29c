"""pymemcache against a memcached that the tests start."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from contextlib import closing

import pytest
from pymemcache import Client, HashClient, PooledClient
from pymemcache.exceptions import MemcacheError

from sonde.probe import core
from sonde.probe.plugins.engine import Engine

HOST = "127.0.0.1"
ENTRY = core.operation("entry", core.SERVER)

pytestmark = pytest.mark.skipif(shutil.which("memcached") is None, reason="no memcached here")


@pytest.fixture(scope="module")
def port():
    with socket.socket() as free:
        free.bind((HOST, 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(["memcached", "-l", HOST, "-p", str(port), "-U", "0", "-u", "nobody", "-m", "8"])
    deadline = time.monotonic() + 10
    while True:
        with socket.socket() as knock:
            if knock.connect_ex((HOST, port)) == 0:
                break
        assert server.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    yield port
    server.terminate()
    server.wait(10)


def test_a_command_is_a_client_span_without_key_and_value(spans, port):
    with closing(Client((HOST, port))) as client, core.scope(ENTRY):
        client.set("secret-key", "secret")
        assert client.get("secret-key") == b"secret"

    _, get, entry = spans.take(3)
    assert (get.kind, get.name, get.parent_id) == ("client", "get", entry.span_id)
    assert get.attributes == {
        "db.system.name": "memcached",
        "db.operation.name": "get",
        "server.address": HOST,
        "server.port": port,
    }


def test_several_keys_are_one_span(spans, port):
    with closing(Client((HOST, port))) as client:
        client.set_many({"a": "1", "b": "2"})
        assert client.get_many(["a", "b"]) == {"a": b"1", "b": b"2"}
        client.delete_many(["a", "b"])

    found = spans.take(3)
    assert [(span.name, span.attributes["db.operation.batch.size"]) for span in found] == [
        ("set", 2),
        ("get", 2),
        ("delete", 2),
    ]


def test_other_commands_have_their_names(spans, port):
    with closing(Client((HOST, port), default_noreply=False)) as client:
        client.set("n", "1")
        client.incr("n", 1)
        client.touch("n", 10)
        client.gets("n")
        client.flush_all()
        client.version()
        client.stats()

    names = [span.name for span in spans.take(7)]
    assert names == ["set", "incr", "touch", "gets", "flush_all", "version", "stats"]


@pytest.mark.parametrize("kind", [PooledClient, HashClient])
def test_clients_of_clients_have_one_span_a_command(spans, port, kind):
    client = kind((HOST, port)) if kind is PooledClient else kind([(HOST, port)])
    client.set("k", "v")
    client.get("k")
    client.close()

    assert [span.name for span in spans.take(2)] == ["set", "get"]


def test_errors_pass_and_are_recorded(spans, port):
    with closing(Client((HOST, port), default_noreply=False)) as client:
        client.set("n", "text")
        with pytest.raises(MemcacheError) as caught:
            client.incr("n", 1)
    with socket.socket() as unused:
        unused.bind((HOST, 0))
        with pytest.raises(ConnectionRefusedError):
            Client(unused.getsockname()).get("k")

    _, incr, refused = spans.take(3)
    assert (incr.is_error, incr.attributes["error.type"]) == (True, type(caught.value).__name__)
    assert refused.attributes["error.type"] == "ConnectionRefusedError"


def test_the_users_own_client_keeps_its_methods(spans, port):
    class Own(Client):
        def get(self, key, *args, **kwargs):
            return super().get("own-" + key, *args, **kwargs)

    with closing(Own((HOST, port))) as client:
        client.set("own-k", "v")
        assert client.get("k") == b"v"
    assert [span.name for span in spans.take(2)] == ["set", "get"]


def test_every_function_is_put_back():
    before = (Client._fetch_cmd, Client._store_cmd, Client._misc_cmd)
    engine = Engine({"pymemcache": ("pymemcache",)})
    engine.start()
    assert Client._fetch_cmd is not before[0]
    engine.stop()
    assert (Client._fetch_cmd, Client._store_cmd, Client._misc_cmd) == before
