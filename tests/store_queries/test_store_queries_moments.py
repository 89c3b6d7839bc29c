from __future__ import annotations

from datetime import timedelta

import pytest
from otlp_making import MS, NOW, Span, ns, resource

from sonde.server.store.queries import moments
from sonde.wire.protobuf import any_value, fixed64, integer, key_value, message, text


def trace_id(app: str) -> bytes:
    return app.encode().rjust(16, b"-")


def line(body, at=NOW, *, event="", ms=0.0, trace=b"", **attributes) -> bytes:
    """A LogRecord."""
    out = fixed64(1, ns(at)) + integer(2, 9) + message(5, any_value(body))
    if ms:
        attributes["sonde.duration_ns"] = round(ms * 1e6)
    out += b"".join(key_value(6, key, value) for key, value in attributes.items())
    return out + (message(9, trace) + message(10, b"S" * 8) if trace else b"") + text(12, event)


def log(sender, service, *records, instance="1"):
    facts = resource({"service.name": service, "service.instance.id": instance})
    sender.request("logs", message(1, facts + message(2, b"".join(message(2, record) for record in records))))


@pytest.fixture
def trace(sender, app):
    """Of 100 ms, in one process."""
    sender.spans("orders", Span(trace=trace_id(app), ms=100), service__instance__id="1")
    return trace_id(app)


def seen(web, app, trace):
    return [(moment.text, moment.own) for moment in moments.moments(web, [app], trace.hex()).moments]


def test_log_lines_of_a_trace_are_its_own_and_come_by_time(web, sender, app, trace):
    log(sender, "orders", line("second", NOW + 2 * MS, trace=trace), line("first", NOW + MS, trace=trace))
    log(sender, "stock", line("elsewhere", NOW + 3 * MS, trace=trace))
    log(sender, "orders", line("another request", NOW + MS, trace=b"X" * 16), line("nobody's", NOW + MS))

    assert seen(web, app, trace) == [("first", True), ("second", True), ("elsewhere", True)]


def test_what_held_up_a_process_of_the_trace_is_beside_it(web, sender, app, trace):
    log(sender, "orders", line("a pause", NOW + 20 * MS, event="sonde.gc_pause", ms=15, generation=2))
    log(sender, "orders", line("another process", NOW + 20 * MS, event="sonde.gc_pause", ms=15), instance="2")
    log(sender, "orders", line("not ours to judge", NOW + 20 * MS, event="login"))

    found = moments.moments(web, [app], trace.hex())

    (moment,) = found.moments
    assert (moment.event, moment.own, moment.span_id) == ("sonde.gc_pause", False, "")
    assert (moment.offset_ms, moment.duration_ms) == (20, 15)
    assert moment.attributes == {"generation": "2"}
    assert (found.start_time, found.duration_ms, found.truncated) == (NOW, 100, False)


def test_what_another_request_waited_for_in_its_own_thread_is_not_beside_it(web, sender, app, trace):
    other = b"X" * 16
    log(sender, "orders", line("its own", NOW + MS, event="sonde.queued", ms=5, trace=trace))
    log(sender, "orders", line("theirs", NOW + 2 * MS, event="sonde.queued", ms=5, trace=other))
    log(sender, "orders", line("theirs, too", NOW + 3 * MS, event="sonde.slow_syscall", ms=5, trace=other))
    log(sender, "orders", line("nobody's", NOW + 4 * MS, event="sonde.slow_syscall", ms=5))
    log(sender, "orders", line("everybody's", NOW + 5 * MS, event="sonde.stall", ms=5, trace=other))

    assert seen(web, app, trace) == [("its own", True), ("nobody's", False), ("everybody's", False)]


@pytest.mark.parametrize(
    ("starts_ms", "lasts_ms", "counts"),
    [(-50, 60, True), (-50, 40, False), (90, 1000, True), (101, 5, False), (-200_000, 200_001, True)],
)
def test_an_event_counts_when_it_shares_time_with_the_trace(web, sender, app, trace, starts_ms, lasts_ms, counts):
    log(sender, "orders", line("stall", NOW + starts_ms * MS, event="sonde.stall", ms=lasts_ms))

    assert seen(web, app, trace) == ([("stall", False)] if counts else [])


def test_a_line_that_comes_after_the_last_span_still_belongs(web, sender, app, trace):
    log(sender, "orders", line("sent the mail", NOW + timedelta(seconds=3), trace=trace))

    assert seen(web, app, trace) == [("sent the mail", True)]


def test_many_are_cut_and_that_is_said(web, sender, app, trace, monkeypatch):
    monkeypatch.setattr(moments, "MOST_MOMENTS", 3)
    log(sender, "orders", *(line(str(number), NOW + number * MS, trace=trace) for number in range(5)))

    found = moments.moments(web, [app], trace.hex())

    assert ([moment.text for moment in found.moments], found.truncated) == (["0", "1", "2"], True)


def test_of_an_unknown_trace_and_of_one_that_others_own_there_is_nothing(web, sender, app, trace):
    log(sender, "orders", line("secret", NOW + MS, trace=trace))

    assert moments.moments(web, [app], "0" * 31 + "1") is None
    assert moments.moments(web, ["another"], trace.hex()) is None
