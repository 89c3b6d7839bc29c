"""Calls that one span of a trace makes again and again."""

from __future__ import annotations

from datetime import timedelta

from otlp_making import CLIENT, INTERNAL, MS, NOW, Span

from sonde.server.insight.repeated_calls import Call, repeated_calls
from sonde.server.store.queries import findings

MOMENT = 1_700_000_000_000_000_000


def call(number: int, *, parent: int = 1, alike: str = "q", start: int = 0, takes: int = 10) -> Call:
    return Call(number.to_bytes(8, "big"), parent.to_bytes(8, "big"), alike, MOMENT + start, takes)


def test_so_many_alike_calls_of_one_parent_are_told():
    four, five = ([call(n, start=n) for n in range(1, count + 1)] for count in (4, 5))

    assert repeated_calls(four) == []
    assert [len(one.calls) for one in repeated_calls(five)] == [5]
    assert [len(one.calls) for one in repeated_calls(four, least=2)] == [4]


def test_calls_of_other_parents_other_sorts_and_none_do_not_count_together():
    calls = [call(n, parent=1 + n % 2) for n in range(1, 9)]
    calls += [call(20 + n, parent=9, alike=str(n)) for n in range(8)]
    calls += [call(40 + n, parent=0) for n in range(8)]
    calls += [call(60, parent=7) for _ in range(8)]

    assert repeated_calls(calls) == []


def test_the_costliest_come_first_and_overlaps_are_waited_for_once():
    one_by_one = [call(n, start=20 * n, takes=10) for n in range(1, 6)]
    at_once = [call(10 + n, parent=2, start=n, takes=100) for n in range(5)]

    first, second = repeated_calls([*reversed(one_by_one), *at_once])

    assert (first.total_ns, first.elapsed_ns) == (500, 104)
    assert (second.total_ns, second.elapsed_ns) == (50, 50)
    assert [item.start_ns - MOMENT for item in second.calls] == [20, 40, 60, 80, 100]


def test_the_findings_of_a_trace_name_parent_statement_and_time(web, sender, app):
    trace, entry, work = b"N" * 16, b"E" * 8, b"W" * 8

    def query(number: int, statement: str, parent: bytes = work, **attributes: object) -> Span:
        said = {"db.system.name": "postgresql", "server.address": "db", "db.query.text": statement, **attributes}
        identity = number.to_bytes(8, "big")
        start = NOW + number * 2 * MS
        return Span(
            name="SELECT t", kind=CLIENT, trace=trace, id=identity, parent=parent, start=start, ms=1.0, attributes=said
        )

    sender.spans(
        "orders",
        Span(name="GET /orders", trace=trace, id=entry, ms=100.0),
        Span(name="render", kind=INTERNAL, trace=trace, id=work, parent=entry, ms=90.0),
        *[query(n, f"SELECT a FROM t WHERE id = {n}") for n in range(1, 8)],  # noqa: S608 - never run
        *[query(20 + n, "SELECT b FROM t", parent=entry) for n in range(4)],
    )

    found = findings.findings(web, [app], trace.hex(), 5)

    (one,) = found.items
    assert (one.parent, one.parent_id, one.service) == ("render", work.hex(), "orders")
    assert (one.kind, one.text, one.peer) == ("sql", "SELECT a FROM t WHERE id = ?", "db")
    assert (one.calls, one.errors, one.total_ms, one.elapsed_ms, one.average_ms) == (7, 0, 7.0, 7.0, 1.0)
    assert one.span_ids == [n.to_bytes(8, "big").hex() for n in range(1, 8)]
    assert [item.calls for item in findings.findings(web, [app], trace.hex(), 4).items] == [7, 4]
    assert findings.findings(web, [app], trace.hex(), 8).items == []
    assert findings.findings(web, ["another-app"], trace.hex(), 5) is None
    assert findings.findings(web, [app], "0" * 31 + "7", 5) is None


def test_calls_without_a_statement_are_alike_by_name_and_peer(web, sender, app):
    trace = b"H" * 16

    def get(number: int, host: str) -> Span:
        said = {"http.request.method": "GET", "url.full": f"http://{host}/item/{number}", "server.address": host}
        identity = number.to_bytes(8, "big")
        start = NOW + timedelta(milliseconds=number)
        return Span(name="GET", kind=CLIENT, trace=trace, id=identity, parent=b"E" * 8, start=start, attributes=said)

    sender.spans("front", *[get(n, "stock") for n in range(1, 7)], *[get(10 + n, "mail") for n in range(3)])

    (one,) = findings.findings(web, [app], trace.hex(), 5).items

    assert (one.kind, one.text, one.peer, one.calls, one.parent) == ("http", "GET", "stock", 6, "")
