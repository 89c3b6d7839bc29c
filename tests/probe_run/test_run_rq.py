"""rq's worker under `sonde run`: its work horse ends by os._exit, and its spans are not lost."""

from __future__ import annotations

import os
import socket
import sys

import pytest

PYTHON = sys.executable
QUEUE = f"sonde-run-test-{os.getpid()}"
URL = "redis://127.0.0.1:6379/10"


def _answers() -> bool:
    with socket.socket() as knock:
        knock.settimeout(1)
        return knock.connect_ex(("127.0.0.1", 6379)) == 0


@pytest.mark.skipif(not _answers(), reason="no Redis on 127.0.0.1:6379")
def test_a_forked_work_horse_loses_no_span(start, receiver):
    import redis
    import rq

    with redis.Redis.from_url(URL) as connection:
        before = set(connection.scan_iter("rq:*"))
        queue = rq.Queue(QUEUE, connection=connection)
        queue.enqueue("rq_app.query", result_ttl=0, meta={"traceparent": f"00-{'1' * 32}-{'2' * 16}-01"})
        # Longer than the test: what arrives was flushed at the end of a process.
        program = start(
            PYTHON,
            "-m",
            "rq.cli",
            "worker",
            "-u",
            URL,
            "--burst",
            QUEUE,
            SONDE_FLUSH_INTERVAL_MS="10000",
            PYTHONPATH=".",
        )
        _, error = program.process.communicate(timeout=60)
        for key in set(connection.scan_iter("rq:*")) - before:
            connection.delete(key)

    assert program.process.returncode == 0, error
    spans = receiver.wait(lambda spans: any(span.kind == 5 for span in spans))
    task = next(span for span in spans if span.kind == 5)
    query = next(span for span in spans if span.name == "SELECT")
    assert (task.name, task.trace_id, task.parent_id) == ("process rq_app.query", "1" * 32, "2" * 16)
    assert query.parent_id == task.span_id
    assert task.resource["process.pid"] != program.process.pid
