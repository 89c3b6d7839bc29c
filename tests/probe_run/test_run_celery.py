"""celery's worker under `sonde run`, with its brokers: the processes of its pool are seen, and what they do last."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time

import pytest

from conftest import DEADLINE_S

PYTHON = sys.executable
QUEUE = f"sonde-run-test-{os.getpid()}"
BROKERS = {"rabbitmq": ("amqp://guest:guest@127.0.0.1:5672//", 5672), "redis": ("redis://127.0.0.1:6379/8", 6379)}
QUICK = ("--without-mingle", "--without-gossip", "--without-heartbeat")
PRODUCER, CONSUMER = 4, 5


on_redis = pytest.mark.parametrize("broker", ["redis"], indirect=True)


@pytest.fixture(params=["rabbitmq", pytest.param("redis", marks=pytest.mark.slow)])
def broker(request):
    url, port = BROKERS[request.param]
    with socket.socket() as knock:
        knock.settimeout(1)
        if knock.connect_ex(("127.0.0.1", port)):
            pytest.skip(f"no {request.param} on 127.0.0.1:{port}")
    yield request.param, port, {"CELERY_TEST_BROKER": url, "CELERY_TEST_QUEUE": QUEUE}
    if request.param == "redis":
        import redis

        with redis.Redis(db=8) as client:
            for key in client.scan_iter(f"{QUEUE}*"):
                client.delete(key)
    else:
        import celery

        with celery.Celery(broker=url).connection() as connection:
            connection.default_channel.queue_delete(QUEUE)
            connection.default_channel.exchange_delete(QUEUE)


def send(start, code, more):
    program = start(PYTHON, "-c", f"from celery_app import *\n{code}", **more)
    output, error = program.process.communicate(timeout=60)
    assert program.process.returncode == 0, error
    return output


def worker(start, more, *flags):
    return start(PYTHON, "-m", "celery", "-A", "celery_app", "worker", "-c", "2", "-l", "ERROR", *QUICK, *flags, **more)


def messaging(spans):
    return [span for span in spans if span.kind in {PRODUCER, CONSUMER}]


def test_a_task_is_worked_on_below_the_request_that_sent_it(start, receiver, broker):
    system, port, more = broker
    send(start, "import sonde\nwith sonde.span('order'): add.delay('secret'); outer.apply_async()", more)
    program = worker(start, more)
    spans = receiver.wait(lambda spans: len(messaging(spans)) >= 6 and sum(s.name == "SELECT" for s in spans) >= 2)
    program.end(signal.SIGTERM)

    order = next(span for span in spans if span.name == "order")
    found = messaging(spans)
    assert {span.trace_id for span in found} == {order.trace_id}
    published = {span.span_id: span for span in found if span.kind == PRODUCER}
    processed = [span for span in found if span.kind == CONSUMER]
    assert sorted(span.name for span in published.values()) == [
        "publish shop.add",
        "publish shop.add",
        "publish shop.outer",
    ]
    assert sorted(span.name for span in processed) == ["process shop.add", "process shop.add", "process shop.outer"]
    for span in processed:
        sender = published[span.parent_id]
        assert sender.attributes["messaging.message.id"] == span.attributes["messaging.message.id"]
        assert sender.resource["process.pid"] != program.process.pid
        assert span.resource["process.pid"] != program.process.pid
        assert span.attributes == {
            "messaging.system": system,
            "messaging.operation.type": "process",
            "messaging.operation.name": "process",
            "messaging.destination.name": QUEUE,
            "server.address": "127.0.0.1",
            "server.port": port,
            "celery.task_name": span.name.removeprefix("process "),
            "celery.state": "SUCCESS",
            "messaging.message.id": span.attributes["messaging.message.id"],
        }
    queries = [span for span in spans if span.name == "SELECT"]
    assert {span.parent_id for span in queries} == {s.span_id for s in processed if s.name == "process shop.add"}
    assert "secret" not in str([span.attributes for span in spans])


@on_redis
def test_what_is_said_to_the_broker_besides_has_no_spans(start, receiver, broker):
    """Neither the upkeep of an idle worker nor the message itself, which has a span of its own."""
    _, _, more = broker
    program = worker(start, more)
    send(start, "add.delay(1)", more)
    spans = receiver.wait(lambda spans: any(span.kind == CONSUMER for span in spans))
    program.end(signal.SIGTERM)

    assert [span.name for span in spans if span.attributes.get("db.system.name") == "redis"] == []


@pytest.mark.parametrize(
    ("broker", "pool"),
    [("redis", pool) for pool in ("prefork", "gevent")],
    indirect=["broker"],
)
def test_the_last_span_of_a_worker_is_not_lost(start, receiver, broker, tmp_path, pool):
    _, _, more = broker
    ran = tmp_path / "ran"
    send(start, f"touch.delay({str(ran)!r})", more)
    program = worker(start, {**more, "SONDE_FLUSH_INTERVAL_MS": "10000"}, "-P", pool)
    wait_for(ran)
    code, error = program.end(signal.SIGTERM)

    assert code == 0, error
    spans = receiver.wait(lambda spans: any(span.name == "process shop.touch" for span in spans))
    query, task = (next(s for s in spans if s.name == name) for name in ("SELECT", "process shop.touch"))
    assert query.parent_id == task.span_id
    assert (task.resource["process.pid"] == program.process.pid) == (pool != "prefork")


@on_redis
def test_a_task_that_outlives_its_time_limit_ends_there(start, receiver, broker, tmp_path):
    _, _, more = broker
    ran = tmp_path / "ran"
    send(start, f"stuck.apply_async(({str(ran)!r},), time_limit=1)\ndies.delay()", more)
    program = worker(start, more)
    spans = receiver.wait(lambda spans: len(messaging(spans)) >= 4)
    program.end(signal.SIGTERM)

    assert ran.exists()
    sent = {span.span_id: span for span in messaging(spans) if span.kind == PRODUCER}
    ended = {span.name: span for span in messaging(spans) if span.kind == CONSUMER}
    assert {sent[span.parent_id].name for span in ended.values()} == {"publish shop.stuck", "publish shop.dies"}
    assert ended["process shop.stuck"].attributes["error.type"] == "SystemExit"
    dies = ended["process shop.dies"].attributes
    assert (dies["celery.state"], dies["error.type"]) == ("FAILURE", "WorkerLostError")
    assert len(messaging(spans)) == 4


def wait_for(path):
    deadline = time.monotonic() + DEADLINE_S
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
