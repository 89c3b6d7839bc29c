"""Whole programs that are sampled, and what they report of themselves."""

from __future__ import annotations

import signal
import sys

import pytest

from conftest import fetch, fetch_from_all

PYTHON = sys.executable
CORES = pytest.mark.parametrize("core", ["native", "python"])


def tallied(span):
    return int(span.attributes["sonde.tally"].split(",")[0])


def summaries(spans, name):
    return [span for span in spans if span.name == name and "sonde.tally" in span.attributes]


@CORES
def test_requests_that_are_not_sampled_are_counted_while_the_program_runs_and_at_its_end(start, receiver, port, core):
    program = start(
        PYTHON,
        "-m",
        "gunicorn.app.wsgiapp",
        "-w",
        "2",
        "-b",
        f"127.0.0.1:{port}",
        "flask_app:app",
        SONDE_SAMPLING_RATE="0",
        SONDE_CORE=core,
    )
    answers = fetch_from_all(port, 2)
    receiver.wait(lambda spans: sum(map(tallied, summaries(spans, "GET /"))) >= sum(answers.values()))
    more = fetch_from_all(port, 2)
    code, error = program.end()

    assert code == 0, error
    spans = receiver.wait(
        lambda spans: sum(map(tallied, summaries(spans, "GET /"))) >= sum(answers.values()) + sum(more.values())
    )
    for pid in answers:
        mine = [span for span in spans if span.resource["process.pid"] == pid]
        assert sum(map(tallied, summaries(mine, "GET /"))) == answers[pid] + more[pid]
        assert sum(map(tallied, summaries(mine, "SELECT"))) == answers[pid] + more[pid]
    assert all("sonde.tally" in span.attributes for span in spans)
    request, query = summaries(spans, "GET /")[0], summaries(spans, "SELECT")[0]
    assert (request.kind, request.parent_id, request.attributes["http.response.status_code"]) == (2, "", 200)
    assert (query.kind, query.parent_id != "", query.attributes["db.system.name"]) == (3, True, "sqlite")


@CORES
def test_a_process_reports_how_it_is_doing(start, receiver, port, core):
    program = start(
        PYTHON,
        "-m",
        "uvicorn",
        "--port",
        str(port),
        "fastapi_app:app",
        SONDE_CORE=core,
        SONDE_RUNTIME_METRICS_INTERVAL_S="0.6",
    )
    pid = int(fetch(port))
    wanted = {
        "sonde.requests",
        "sonde.requests.active",
        "sonde.thread.count",
        "sonde.gc.pause.max",
        "sonde.gc.time",
        "sonde.event_loop.lag.max",
        "cpython.gc.collections",
        "sonde.asyncio.tasks",
    }
    if core == "native":
        wanted.add("sonde.gil.wait.max")
    points = receiver.wait_for_metrics(lambda points: wanted <= {name for name, *_ in points})
    program.end(signal.SIGTERM)

    assert {owner for _, owner, *_ in points} == {pid}
    assert {value for name, _, value, _ in points if name == "sonde.requests"} >= {1.0}
    assert {value for name, _, value, _ in points if name == "sonde.requests.active"} == {0.0}
    generations = {attributes["generation"] for name, _, _, attributes in points if name == "cpython.gc.collections"}
    assert generations == {"0", "1", "2"}
    assert max(value for name, _, value, _ in points if name == "sonde.event_loop.lag.max") < 5
