"""The examples of the documentation run, and record what they say they do."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
SPANS: dict[str, dict[tuple[str, str], dict[str, object]]] = {
    "ignored.py": {
        ("order", ""): {},
        ("SELECT", "order"): {"db.query.text": "select ?"},
    },
    "opentelemetry_spans.py": {
        ("order", ""): {},
        ("price", "order"): {"item": "tea"},
        ("SELECT", "price"): {"db.query.text": "select ?"},
    },
    "profiled.py": {("order", ""): {}},
    "spans.py": {
        ("order", ""): {"customer": "acme", "total": 7, "shipped": False},
        ("price", "order"): {"basket.size": 2},
        ("ship", "order"): {"carrier": "pigeon", "error.type": "ValueError"},
    },
    "spans_async.py": {
        ("order", ""): {},
        ("look up", "order"): {},
        ("pages", "order"): {},
    },
    "start.py": {("order", ""): {}},
    "travelling.py": {
        ("order", ""): {},
        ("GET", "order"): {"http.response.status_code": 200},
        ("GET", "GET"): {"tenant": "acme"},
    },
}
"""By example: name of a span and of the one above it → some of its attributes."""
TWICE = {"spans_async.py": 1}
"""How many spans are like another one."""


def test_every_example_is_run():
    assert {example.name for example in EXAMPLES.iterdir() if example.is_file()} == SPANS.keys()


@pytest.mark.parametrize("example", sorted(SPANS))
def test_an_example_records_what_it_says(start, receiver, example):
    if example.startswith("opentelemetry"):
        pytest.importorskip("opentelemetry.trace")
    program = start(sys.executable, str(EXAMPLES / example))
    end(program)
    count = len(SPANS[example]) + TWICE.get(example, 0)
    spans = receiver.wait(lambda spans: len(spans) >= count)
    names = {span.span_id: span.name for span in spans} | {"": ""}
    found = {(span.name.removesuffix(" /"), names[span.parent_id]): span.attributes for span in spans}
    assert len(spans) == count
    assert found.keys() == SPANS[example].keys()
    assert len({span.trace_id for span in spans}) == 1
    for which, attributes in SPANS[example].items():
        assert found[which].items() >= attributes.items(), which


def test_examples_run_without_sonde_run_and_those_that_start_the_probe_are_seen(start, receiver):
    for example in sorted(SPANS):
        end(start(sys.executable, str(EXAMPLES / example), sonde=False, SONDE_SOCKET=receiver.path))

    (span,) = receiver.wait(lambda spans: spans)
    assert (span.name, span.resource["service.name"]) == ("order", "orders")


def end(program):
    output, error = program.process.communicate(timeout=30)
    assert program.process.returncode == 0, error
    assert "Traceback" not in error
    assert "sonde: " not in error
    return output
