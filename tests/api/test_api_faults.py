"""What a whole server does with names without end, with clocks that are wrong, and without its store."""

import contextlib
import os
import signal
import threading
import time

import httpx
import psutil
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from sonde.server.store.client import StoreClient
from started.waiting import eventually

S = 10**9
DAY_S = 86_400
PROTOBUF = {"Content-Type": "application/x-protobuf"}
MANY, A_BODY = 100_000, 10_000
ANSWER_S = 60
"""Longer than any page may take, however busy the machine is."""
AWAY_S = 60


def send(client, service, spans):
    """`spans`: (name, start in seconds since the epoch, whether it failed), each of 10 ms; the status."""
    request = ExportTraceServiceRequest()
    of = request.resource_spans.add()
    of.resource.attributes.add(key="service.name").value.string_value = service
    scope = of.scope_spans.add()
    for name, start_s, failed in spans:
        span = scope.spans.add(trace_id=os.urandom(16), span_id=os.urandom(8), name=name, kind=2)
        span.start_time_unix_nano = int(start_s * S)
        span.end_time_unix_nano = int(start_s * S) + S // 100
        span.status.code = 2 if failed else 0
    return client.post("/v1/traces", content=request.SerializeToString(), headers=PROTOBUF).status_code


def requests_of(reader, service, **asked):
    rows = reader.get("/api/v1/statistics", params={"service": service, **asked}).json()["items"]
    return sum(row["requests"] for row in rows)


def test_spans_of_another_day_are_in_their_own_slot_or_counted_with_the_reason(server, reader):
    app, now = server.app("wild clocks"), time.time()
    with server.client(app["token"]) as sender:
        for days in (0, -1, -29, -31, 0.9, 1.1, 400, -20_000):
            assert send(sender, "clocks", [(f"{days} days", now - 20 + days * DAY_S, False)]) == 200

    def seen(days):
        span = {"from": int((now - 60 + days * DAY_S) * 1000), "to": int((now + 60 + days * DAY_S) * 1000)}
        return requests_of(reader, "clocks", app=app["id"], **span)

    eventually(lambda: seen(0.9) == 1, "the last that is stored")
    with contextlib.closing(StoreClient.embedded(server.data / "run" / "store.sock", "web")) as store:
        dropped = "SELECT reason, sum(count) FROM dropped WHERE app = {app:String} GROUP BY reason"
        wanted = {"too_old": 2, "in_future": 2}
        eventually(lambda: dict(store.rows(dropped, {"app": app["id"]})) == wanted, "what was not stored, counted")

    assert [seen(days) for days in (-29, -1, 0, 0.9)] == [1] * 4
    report = reader.get("/api/v1/statistics", params={"app": app["id"], "service": "clocks"}).json()
    assert (report["whole"]["requests"], report["too_old"], report["in_future"]) == (1, 2, 2)
    live = reader.get("/api/v1/live", params={"window_s": 900})
    assert live.status_code == 200
    assert live.json()["behind_ms"] is None or live.json()["behind_ms"] >= 0


@pytest.mark.slow
def test_a_service_with_a_hundred_thousand_endpoints_is_shown_with_what_is_left_out(start):
    server = start().wait()
    app, now = server.app("many names"), time.time()
    with server.client(app["token"]) as sender:
        for first in range(0, MANY, A_BODY):
            names = [(f"GET /item/{number}", now - 30, False) for number in range(first, first + A_BODY)]
            assert send(sender, "many", names) == 200
    with server.client(server.token("read")) as reader:
        asked = {"app": app["id"], "by": "endpoint", "limit": 100}
        report = eventually(
            lambda: (found := reader.get("/api/v1/statistics", params=asked).json())["rows"] == MANY and found,
            "all endpoints",
        )
        assert (len(report["items"]), report["rest"], report["whole"]["requests"]) == (100, MANY - 100, MANY)
        for address in (
            "/api/v1/services",
            "/api/v1/services/many",
            "/api/v1/statistics/top",
            "/api/v1/statistics?by=endpoint&order=p95&compare=yesterday",
            "/api/v1/map",
            "/api/v1/traces?service=many",
            "/api/v1/live?window_s=900",
            "/jaeger/api/services/many/operations",
        ):
            began = time.monotonic()
            assert reader.get(address).status_code == 200, address
            assert time.monotonic() - began < ANSWER_S, address


@contextlib.contextmanager
def without_store(server):
    """Its process is killed again and again."""
    over = threading.Event()

    def kill():
        while not over.wait(0.05):
            if (store := server.child("sonde.server.store.process")) is not None:
                with contextlib.suppress(psutil.NoSuchProcess):
                    store.send_signal(signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        yield
    finally:
        over.set()
        killer.join()


@pytest.mark.slow
def test_a_minute_without_the_store_is_said_costs_nothing_and_changes_no_alarm(start):
    server = start().wait()
    app = server.app("shop")
    admin = server.client(server.token("admin"))
    sent = 0

    def traffic(seconds):
        """Ten requests each second to two services; those of `bad` fail."""
        nonlocal sent
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for service in ("bad", "good"):
                now = time.time()
                spans = [("GET /", now - n / 10, service == "bad") for n in range(10)]
                assert send(sender, service, spans) == 200
            sent += 20
            time.sleep(1)

    def states():
        items = admin.get("/api/v1/alarms", params={"app": app["id"]}).json()["items"]
        return {(it["rule"], it["group"]["service"]): it["state"] for it in items}

    def keep(name, what, threshold):
        rule = {
            "name": name,
            "what": what,
            "group_by": ["service"],
            "window_s": 60,
            "condition": {"threshold": threshold},
        }
        assert admin.post("/api/v1/alarms/rules", json={"app": app["id"], "rule": rule}).status_code == 201

    with admin, server.client(app["token"]) as sender:
        keep("fails", {"kind": "statistic", "statistic": "error_rate"}, 0.5)
        keep("is silent", {"kind": "no_data", "signal": "requests"}, 40)
        deadline = time.monotonic() + 300
        while states() != {("fails", "bad"): "firing"}:
            assert time.monotonic() < deadline, states()
            traffic(5)

        with without_store(server):
            eventually(lambda: server.readyz().status_code == 503, "a server that says it is not ready", 30)
            began = time.monotonic()
            while time.monotonic() - began < AWAY_S:
                traffic(3)
                answer = admin.get("/api/v1/services", timeout=httpx.Timeout(60))
                assert answer.status_code == 503
                assert answer.json()["error"]["code"] == "unavailable"
                assert answer.headers["Retry-After"]
                assert states() == {("fails", "bad"): "firing"}
            assert "store" in server.readyz().json()["reasons"]
            said = admin.get("/api/v1/alarms/summary").json()["evaluation"]
            assert said["trouble"] or said["behind_s"] > 0

        eventually(lambda: server.readyz().status_code == 200, "a server that is ready again", 120)
        traffic(90)
        eventually(lambda: sum(requests_of(admin, it) for it in ("bad", "good")) == sent, "every request, once", 120)
        eventually(lambda: admin.get("/api/v1/alarms/summary").json()["evaluation"]["trouble"] == "", "no trouble", 90)
        assert states() == {("fails", "bad"): "firing"}
        history = admin.get("/api/v1/alarms/history", params={"app": app["id"]}).json()["items"]
        assert [(it["rule"], it["ended_at"]) for it in history] == [("fails", None)]
