"""rq against a real Redis: jobs done in this process; the forked work horse is tests/probe_run's."""

from __future__ import annotations

import os
import socket
from datetime import timedelta

import pytest
import rq
import rq_jobs
from redis import Redis
from rq.job import Job

from sonde.probe import core
from sonde.probe.plugins.engine import Engine

HOST, PORT, DATABASE = "127.0.0.1", 6379, 10
QUEUE = f"sonde-plugins-test-{os.getpid()}"
ENTRY = core.operation("entry", core.SERVER)
SENT = {
    "messaging.system": "redis",
    "messaging.operation.type": "send",
    "messaging.operation.name": "publish",
    "messaging.destination.name": QUEUE,
    "server.address": HOST,
    "server.port": PORT,
}


def _answers() -> bool:
    with socket.socket() as knock:
        knock.settimeout(1)
        return knock.connect_ex((HOST, PORT)) == 0


pytestmark = [
    pytest.mark.skipif(not _answers(), reason="no Redis on 127.0.0.1:6379"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@pytest.fixture
def queue(spans):
    connection = Redis(HOST, PORT, DATABASE)
    before = set(connection.scan_iter("rq:*"))
    queue = rq.Queue(QUEUE, connection=connection)
    yield queue
    for key in set(connection.scan_iter("rq:*")) - before:
        connection.delete(key)
    connection.close()


def work(queue):
    rq.SimpleWorker([queue], connection=queue.connection).work(burst=True)


def messaging(spans):
    found = [span for span in spans if span.attributes.get("db.system.name") != "redis"]
    return [[span for span in found if span.kind == kind] for kind in ("producer", "consumer", "internal")]


@pytest.fixture
def seen(spans):
    """What was recorded, Redis commands left out: producer, consumer and internal spans."""

    def look():
        return messaging(spans.now())

    return look


def test_a_job_is_performed_below_the_request_that_enqueued_it(queue, seen):
    mine = {"tenant": "a"}
    with core.scope(ENTRY) as entry:
        job = queue.enqueue(rq_jobs.add, 40, 2, meta=mine)
    assert mine == {"tenant": "a"}
    work(queue)

    assert Job.fetch(job.id, queue.connection).meta["tenant"] == "a"
    [publish], [process], [inside] = seen()
    assert (publish.name, publish.parent_id) == ("publish rq_jobs.add", entry.span_id)
    assert publish.attributes == {**SENT, "messaging.message.id": job.id, "rq.job.function": "rq_jobs.add"}
    assert (process.name, process.parent_id) == ("process rq_jobs.add", publish.span_id)
    assert process.attributes == {
        **publish.attributes,
        "messaging.operation.type": "process",
        "messaging.operation.name": "process",
    }
    assert (inside.parent_id, inside.trace_id) == (process.span_id, entry.trace_id)


def test_a_failed_job_has_its_exception_and_not_its_arguments(queue, seen):
    queue.enqueue(rq_jobs.fail, "secret")
    work(queue)

    _, [process], _ = seen()
    assert process.is_error
    assert (process.attributes["error.type"], process.events) == ("ValueError", ["exception"])
    assert "secret" not in str(process)


def test_a_job_that_waits_for_another_stays_below_who_enqueued_it(queue, seen):
    first = queue.enqueue(rq_jobs.add, 1, 2)
    with core.scope(ENTRY) as entry:
        second = queue.enqueue(rq_jobs.add, 3, 4, depends_on=first)
    work(queue)

    published, processed, _ = seen()
    sent = next(span for span in published if span.parent_id == entry.span_id)
    run = next(span for span in processed if span.attributes["messaging.message.id"] == second.id)
    assert run.parent_id == sent.span_id


def test_scheduling_is_a_producer_span(queue, seen):
    job = queue.enqueue_in(timedelta(hours=1), rq_jobs.add, 1, 2)

    [publish], _, _ = seen()
    assert publish.name == "publish rq_jobs.add"
    assert publish.span_id in job.meta["traceparent"]


def test_many_jobs_at_once_are_one_span_each(queue, seen):
    queue.enqueue_many([rq.Queue.prepare_data(rq_jobs.add, (1, 2)), rq.Queue.prepare_data(rq_jobs.add, (3, 4))])
    work(queue)

    published, processed, _ = seen()
    assert sorted(span.parent_id for span in processed) == sorted(span.span_id for span in published)


def test_a_job_done_at_once_is_an_internal_span(queue, seen):
    inline = rq.Queue(QUEUE, connection=queue.connection, is_async=False)
    inline.enqueue(rq_jobs.add, 1, 2)

    [publish], [], [inside, process] = seen()
    assert (process.name, process.parent_id, inside.parent_id) == (
        "process rq_jobs.add",
        publish.span_id,
        process.span_id,
    )


def test_a_traceparent_of_the_users_own_counts(queue, seen):
    queue.enqueue(rq_jobs.add, 1, 2, meta={"traceparent": f"00-{'1' * 32}-{'2' * 16}-01"})
    work(queue)

    _, [process], _ = seen()
    assert (process.trace_id, process.parent_id) == ("1" * 32, "2" * 16)


def test_every_function_is_put_back():
    before = (rq.Queue.enqueue_job, Job.perform, rq.Worker.perform_job, rq.SimpleWorker.perform_job)
    engine = Engine({"rq": ("rq",)})
    engine.start()
    assert rq.Worker.perform_job is not before[2]
    engine.stop()
    assert (rq.Queue.enqueue_job, Job.perform, rq.Worker.perform_job, rq.SimpleWorker.perform_job) == before
