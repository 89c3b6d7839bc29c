"""celery in one process: a real broker and a worker in a thread; the processes of a pool are tests/probe_run's."""

from __future__ import annotations

import itertools
import logging
import os
import socket
import warnings
from contextlib import contextmanager

import celery
import pytest
from celery.app.base import Celery
from celery.contrib.testing.worker import start_worker
from kombu.asynchronous import set_event_loop

from sonde.probe import core
from sonde.probe.plugins.engine import Engine

HOST, PORT = "127.0.0.1", 5672
QUEUE = f"sonde-plugins-test-{os.getpid()}"
numbers = itertools.count()
ENTRY = core.operation("entry", core.SERVER)
SENT = {
    "messaging.system": "rabbitmq",
    "messaging.operation.type": "send",
    "messaging.operation.name": "publish",
    "server.address": HOST,
    "server.port": PORT,
}
PROCESSED = {**SENT, "messaging.operation.type": "process", "messaging.operation.name": "process"}


def _answers() -> bool:
    with socket.socket() as knock:
        knock.settimeout(1)
        return knock.connect_ex((HOST, PORT)) == 0


pytestmark = [
    pytest.mark.skipif(not _answers(), reason="no RabbitMQ on 127.0.0.1:5672"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::PendingDeprecationWarning"),
]


class OwnTask(celery.Task):
    def apply_async(self, *args, **kwargs):
        return super().apply_async(*args, **kwargs)


class OwnCelery(Celery):
    def send_task(self, *args, **kwargs):
        return super().send_task(*args, **kwargs)


@pytest.fixture
def app(spans):
    queue = f"{QUEUE}-{next(numbers)}"  # kombu remembers what it has declared, even if it is deleted
    app = OwnCelery(
        "shop", broker=f"amqp://guest:guest@{HOST}:{PORT}//", backend="cache+memory://", set_as_current=False
    )
    app.conf.update(
        task_default_queue=queue,
        task_default_exchange=queue,
        task_default_routing_key=queue,
        worker_enable_remote_control=False,
        broker_connection_retry_on_startup=True,
        broker_pool_limit=1,
        broker_heartbeat=1,  # without, the loop of an idle worker does not see that it shall end
    )

    @app.task(shared=False, name="shop.add", base=OwnTask)
    def add(x, y):
        with core.leaf(core.operation("inside", core.INTERNAL)):
            return x + y

    @app.task(shared=False, name="shop.fails")
    def fails(secret):
        raise ValueError("no stock")

    @app.task(shared=False, name="shop.retries", bind=True, max_retries=1)
    def retries(self):
        raise self.retry(exc=ConnectionError("busy"), countdown=0)

    @app.task(shared=False, name="shop.forwards", bind=True)
    def forwards(self):
        return {name: getattr(self.request, name) for name in ("tenant", "traceparent")}

    @app.task(shared=False, name="shop.gives_up", bind=True)
    def gives_up(self):
        raise celery.exceptions.Ignore

    app.finalize()
    yield app
    with app.connection() as connection:
        connection.default_channel.queue_delete(queue)
        connection.default_channel.exchange_delete(queue)
    app.close()


@contextmanager
def working(app, pool="solo"):
    with warnings.catch_warnings(), start_worker(app, pool=pool, perform_ping_check=False, loglevel="CRITICAL"):
        yield
    set_event_loop(None)  # the next worker would take the closed one


def sent_and_run(spans, expected, within_s=10.0):
    """Producer spans and consumer spans, each by how often the task was retried: they come from two threads."""
    found = sorted(spans.take(expected, within_s), key=lambda span: span.attributes.get("celery.retries", 0))
    return [[span for span in found if span.kind == kind] for kind in ("producer", "consumer")]


def test_sending_is_a_producer_span_and_running_a_consumer_span_below_it(spans, app):
    with core.scope(ENTRY):
        result = app.tasks["shop.add"].delay(40, 2)
    with working(app):
        assert result.get(timeout=10) == 42

    found = spans.take(4)
    publish, entry, inside, process = sorted(
        found, key=lambda span: ("publish", "entry", "inside", "process").index(span.name.partition(" ")[0])
    )
    assert (publish.name, publish.kind, publish.parent_id) == ("publish shop.add", "producer", entry.span_id)
    where = {"messaging.destination.name": app.conf.task_default_queue, "messaging.message.id": result.id}
    assert publish.attributes == {**SENT, **where, "celery.task_name": "shop.add"}
    assert (process.name, process.kind, process.parent_id) == ("process shop.add", "consumer", publish.span_id)
    assert process.attributes == {
        **PROCESSED,
        **where,
        "celery.task_name": "shop.add",
        "celery.state": "SUCCESS",
    }
    assert (inside.parent_id, inside.trace_id) == (process.span_id, entry.trace_id)


def test_a_failed_task_has_its_exception_and_not_its_arguments(spans, app):
    result = app.tasks["shop.fails"].delay("secret")
    with working(app, "threads"), pytest.raises(ValueError, match="no stock"):
        result.get(timeout=10)

    _, [process] = sent_and_run(spans, 2)
    assert process.is_error
    assert process.events == ["exception"]
    assert (process.attributes["celery.state"], process.attributes["error.type"]) == ("FAILURE", "ValueError")
    assert "secret" not in str(process)


def test_a_retry_is_a_message_of_its_own_below_the_run_that_failed(spans, app):
    result = app.tasks["shop.retries"].delay()
    with working(app), pytest.raises(ConnectionError):
        result.get(timeout=10)

    [sent, sent_again], [first, second] = sent_and_run(spans, 4)
    assert [first.parent_id, sent_again.parent_id, second.parent_id] == [
        sent.span_id,
        first.span_id,
        sent_again.span_id,
    ]
    assert sent_again.attributes["celery.retries"] == second.attributes["celery.retries"] == 1
    assert (first.attributes["celery.state"], first.attributes["celery.retry.reason"]) == ("RETRY", "ConnectionError")
    assert not first.is_error
    assert second.attributes["celery.state"] == "FAILURE"


def test_an_ignored_task_is_no_failure(spans, app):
    app.tasks["shop.gives_up"].delay()
    with working(app):
        _, [process] = sent_and_run(spans, 2)

    assert (process.attributes["celery.state"], process.is_error) == ("IGNORED", False)


def test_a_task_that_comes_too_late_says_so(spans, app):
    app.tasks["shop.add"].apply_async((1, 2), headers={"expires": "2020-01-01T00:00:00+00:00"})
    with working(app):
        [sent], [late] = sent_and_run(spans, 2)

    assert (late.name, late.kind, late.parent_id) == ("process shop.add", "consumer", sent.span_id)
    assert (late.attributes["celery.state"], late.attributes["celery.revoked.reason"]) == ("REVOKED", "expired")
    assert not late.is_error


def test_a_task_sent_by_name_may_go_to_another_queue(spans, app):
    other = QUEUE + "-other"
    app.send_task("elsewhere.pay", queue=other)
    with app.connection() as connection:
        connection.default_channel.queue_delete(other)
        connection.default_channel.exchange_delete(other)

    span = spans.only()
    assert (span.name, span.attributes["messaging.destination.name"]) == ("publish elsewhere.pay", other)


def test_headers_of_the_user_stay_and_win(spans, app):
    mine = {"tenant": "a", "traceparent": f"00-{'1' * 32}-{'2' * 16}-01"}
    given = dict(mine)
    result = app.tasks["shop.forwards"].apply_async(headers=given)
    assert given == mine
    with working(app):
        assert result.get(timeout=10) == mine

    _, [process] = sent_and_run(spans, 2)
    assert (process.trace_id, process.parent_id) == ("1" * 32, "2" * 16)


def test_an_eager_task_is_an_internal_span_below_its_caller(spans, app, caplog):
    caplog.set_level(logging.CRITICAL + 1, "celery.app.trace")  # 5.2 logs tracebacks that 3.11 cannot show
    app.conf.task_always_eager = True
    with core.scope(ENTRY):
        assert app.tasks["shop.add"].delay(40, 2).get() == 42
        app.tasks["shop.fails"].delay("secret")
        app.conf.task_eager_propagates = True
        with pytest.raises(ValueError, match="no stock"):
            app.tasks["shop.fails"].delay("secret")

    inside, add, fails, raises, entry = spans.take(5)
    assert (add.name, add.kind, add.parent_id) == ("process shop.add", "internal", entry.span_id)
    assert inside.parent_id == add.span_id
    assert add.attributes == {
        "celery.task_name": "shop.add",
        "celery.is_eager": True,
        "celery.state": "SUCCESS",
        "messaging.message.id": add.attributes["messaging.message.id"],
    }
    assert fails.attributes["celery.state"] == "FAILURE"
    assert [span.is_error for span in (add, fails, raises, entry)] == [False, True, True, False]


def test_a_broker_that_is_not_there_fails_the_span(spans):
    with socket.socket() as unused:
        unused.bind((HOST, 0))
        port = unused.getsockname()[1]
        app = Celery("shop", broker=f"amqp://{HOST}:{port}//", set_as_current=False)
        app.conf.broker_transport_options = {"max_retries": 0}
        with pytest.raises(celery.exceptions.OperationalError):
            app.send_task("shop.add", retry=False)
        app.close()

    span = spans.only()
    assert span.is_error
    assert span.attributes["server.port"] == port


def test_every_function_is_put_back():
    from celery.app.amqp import AMQP
    from celery.app.routes import Router

    before = (Celery.send_task, Router.route, AMQP.as_task_v2, celery.app.trace.build_tracer)
    engine = Engine({"celery": ("celery",)})
    engine.start()
    assert Celery.send_task is not before[0]
    engine.stop()
    assert (Celery.send_task, Router.route, AMQP.as_task_v2, celery.app.trace.build_tracer) == before
