"""/live/stream on a whole server: what comes, how soon, and what ends it."""

import contextlib
import http.client
import json
import os
import threading
import time
import urllib.parse

import psutil
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from started.first_data import PASSWORD
from started.server import PATIENCE_S
from started.waiting import eventually

STREAM = "/api/v1/live/stream"


def request_of(service, *, trace, ms=5, failed=False):
    """One request that ended just now."""
    message = ExportTraceServiceRequest()
    resource = message.resource_spans.add()
    resource.resource.attributes.add(key="service.name").value.string_value = service
    now = time.time_ns()
    span = resource.scope_spans.add().spans.add(
        trace_id=trace, span_id=os.urandom(8), name="GET /live", kind=2, start_time_unix_nano=now - ms * 1_000_000
    )
    span.end_time_unix_nano = now
    span.status.code = 2 if failed else 0
    return message.SerializeToString()


class Watching:
    """A viewer in a thread of its own; `events` are (name, data) as they came."""

    def __init__(self, server, headers, **parameters):
        self.events, self.over, self.status = [], threading.Event(), None
        self._leaving = threading.Event()
        self._connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=PATIENCE_S)
        self._asked = ("GET", f"{STREAM}?{urllib.parse.urlencode(parameters)}", None, headers)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        eventually(lambda: self.status, "an answer")

    def _read(self):
        with contextlib.closing(self._connection), contextlib.suppress(OSError, http.client.HTTPException):
            self._connection.request(*self._asked)
            with self._connection.getresponse() as answer:
                self.status = answer.status
                self._keep(answer)
        self.over.set()

    def _keep(self, answer):
        name = ""
        for line in answer:
            field, _, value = line.decode().rstrip("\n").partition(": ")
            if field == "event":
                name = value
            elif field == "data":
                self.events.append((name, json.loads(value)))
            if self._leaving.is_set():
                return

    def named(self, name):
        return [data for kind, data in list(self.events) if kind == name]

    def traces(self):
        return [row["trace_id"] for _, data in list(self.events) if "tail" in data for row in data["tail"]["rows"]]

    def leave(self):
        self._leaving.set()
        assert self.over.wait(PATIENCE_S)


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def send(server):
    app = server.app(f"live {time.monotonic_ns()}")

    def post(*of, **options):
        headers = {"Authorization": f"Bearer {app['token']}", "Content-Type": "application/x-protobuf"}
        with server.client() as client:
            answer = client.post("/v1/traces", content=request_of(*of, **options), headers=headers)
        assert answer.status_code == 200, answer.text

    return post


def test_a_request_comes_to_those_whose_filter_it_matches(server, tokens, send):
    everybody, failures = (
        Watching(server, bearer(tokens["read"]), **wish) for wish in ({}, {"error": "true", "q": "live"})
    )
    eventually(lambda: everybody.named("whole") and failures.named("whole"), "the whole")
    fine, failed = os.urandom(16), os.urandom(16)

    send("orders", trace=fine)
    send("orders", trace=failed, failed=True)

    eventually(lambda: {fine.hex(), failed.hex()} <= set(everybody.traces()), "both requests")
    eventually(lambda: failed.hex() in failures.traces(), "the failed request")
    assert fine.hex() not in failures.traces()

    def counted():
        """In a later step, perhaps: what a load brings between two statements of a reading, the next one counts."""
        return sum(point["requests"] for change in everybody.named("change") for point in change["series"]) >= 2

    def listed():
        told = [service for change in everybody.named("change") for service in change["services"] or []]
        return "orders" in {service["service"] for service in told}

    eventually(counted, "both in the charts", 20)
    eventually(listed, "their service", 20)
    everybody.leave()
    failures.leave()


def test_it_ends_with_its_session(server, tokens):
    with server.client() as client:
        csrf = client.post("/api/v1/session", json={"user": "admin", "password": PASSWORD}).json()["csrf"]
        viewer = Watching(server, {"Cookie": f"sonde_session={client.cookies['sonde_session']}"})
        eventually(lambda: viewer.named("whole"), "the whole")
        assert client.delete("/api/v1/session", headers={"X-CSRF-Token": csrf}).status_code == 204

    assert viewer.over.wait(PATIENCE_S)
    assert [end["code"] for end in viewer.named("end")] == ["unauthenticated"]
    with server.client(tokens["read"]) as reader:
        assert 'sonde_live_streams_ended_total{reason="expired"} 1\n' in reader.get("/metrics").text


def test_a_viewer_that_leaves_is_noticed(server, tokens):
    viewer = Watching(server, bearer(tokens["read"]))
    eventually(lambda: viewer.named("whole"), "the whole")
    viewer.leave()

    with server.client(tokens["read"]) as client:
        eventually(lambda: "sonde_live_viewers 0\n" in client.get("/metrics").text, "nobody looks")


@pytest.mark.parametrize("bad", ["min_ms=-1", "min_ms=nan", "error=perhaps", f"q={'x' * 1001}"])
def test_a_filter_that_cannot_be_used_is_refused(reader, bad):
    answer = reader.get(f"{STREAM}?{bad}")

    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith(bad.partition("=")[0])


@pytest.mark.slow
def test_a_store_that_is_away_is_told_and_come_back_from(start):
    """The store process is stopped for a while and killed then: viewers hear it, and go on when it is back."""
    server = start().wait()
    viewer = Watching(server, bearer(server.token("read")))
    eventually(lambda: viewer.named("whole"), "the whole")
    store = server.child("sonde.server.store.process")
    assert isinstance(store, psutil.Process)
    store.kill()

    eventually(lambda: viewer.named("trouble"), "the trouble")
    assert viewer.named("trouble")[0]["code"] == "unavailable"
    heard = len(viewer.named("change"))
    eventually(lambda: len(viewer.named("change")) > heard + 1, "the store is back")
    assert server.stop() == 0, "and a stream keeps nobody from stopping"
    assert viewer.over.wait(PATIENCE_S)
