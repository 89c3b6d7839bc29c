"""What becomes of OTLP bytes: every value, every kind of point, and each exactly once."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from otlp_making import CLIENT, CONSUMER, NOW, PRODUCER, SERVER, SLOT, Span, ns, resource, spans_request

from sonde.server.store.client import StoreError
from sonde.server.store.intake_statements import SETTINGS, settings_for
from sonde.server.store.queries import consistency
from sonde.wire.protobuf import any_value, double, fixed64, integer, key_value, message, text, varint

CAPTURED = {
    body["id"]: body
    for body in map(json.loads, (Path(__file__).parent / "data/otlp_bodies.jsonl").read_text("utf-8").splitlines())
}


def captured(name: str) -> bytes:
    """A request as a real SDK sent it."""
    return base64.b64decode(CAPTURED[name]["protobuf_base64"])


def received_then(name: str) -> datetime:
    """When it was recorded."""
    return datetime.fromisoformat(CAPTURED[name]["recorded"]).astimezone(UTC)


def attribute(key: str, value: bytes) -> bytes:
    """A KeyValue with an AnyValue that is encoded already."""
    return message(9, text(1, key) + message(2, value))


def spans_of(web, app: str) -> list[dict]:
    return web.dicts("SELECT * FROM spans WHERE app = {app:String} ORDER BY start_time, span_id", {"app": app})


def zigzag(value: int) -> int:
    return (value << 1) ^ (value >> 63)


def test_every_value_keeps_its_meaning(web, sender, app):
    values = {
        "text": any_value("ü"),
        "empty": any_value(""),
        "zero": any_value(0),
        "negative": any_value(-7),
        "false": any_value(False),
        "true": any_value(True),
        "half": any_value(0.5),
        "none": b"",
        "bytes": message(7, b"\x00\xff"),
        "list": any_value(["a", 1, True, 2.5]),
        "no items": message(5, b""),
        "map": message(6, key_value(1, "k", "v") + key_value(1, "n", 3)),
        "deep": message(5, message(1, message(5, message(1, any_value(1))))),
    }
    encoded = b"".join(attribute(key, value) for key, value in values.items())
    sender.spans("orders", Span(raw_attributes=encoded))

    (row,) = spans_of(web, app)

    assert row["attributes"] == {
        "text": "ü",
        "empty": "",
        "zero": "0",
        "negative": "-7",
        "false": "false",
        "true": "true",
        "half": "0.5",
        "none": "",
        "bytes": "00ff",
        "list": '["a","1","true","2.5"]',
        "no items": "[]",
        "map": '{"k":"v","n":"3"}',
        "deep": '["null"]',
    }


@pytest.mark.parametrize(
    ("attributes", "kind", "filled"),
    [
        (
            {"http.request.method": "GET", "http.response.status_code": 200, "server.address": "a", "server.port": 80},
            CLIENT,
            {"system": "http", "peer": "a:80", "status_code": 200},
        ),
        (
            {"http.method": "GET", "http.status_code": 404, "http.url": "http://b:8080/x"},
            CLIENT,
            {"system": "http", "peer": "b:8080", "status_code": 404},
        ),
        ({"url.full": "https://user:secret@c/x?y=1"}, CLIENT, {"system": "http", "peer": "c"}),
        ({"http.url": "http://127.0.0.1:5077/orders/0"}, CLIENT, {"system": "http", "peer": "127.0.0.1:5077"}),
        ({"url.full": "http://user:secret@c:1/x/z?y=1@2/3"}, CLIENT, {"peer": "c:1"}),
        ({"url.full": "https://[::1]:80/x/y"}, CLIENT, {"peer": "[::1]:80"}),
        ({"url.full": "/x/y"}, CLIENT, {"peer": ""}),
        (
            {"db.system.name": "postgresql", "db.query.text": "SELECT 1", "server.address": "db"},
            CLIENT,
            {"system": "postgresql", "peer": "db", "statement": "SELECT 1"},
        ),
        (
            {"db.system": "mysql", "db.statement": "SELECT 2", "net.peer.name": "m", "net.peer.port": 3306},
            CLIENT,
            {"system": "mysql", "peer": "m:3306", "statement": "SELECT 2"},
        ),
        ({"db.system": "sqlite", "db.name": "shop.db"}, CLIENT, {"system": "sqlite", "peer": "shop.db"}),
        ({"db.system": "sqlite"}, CLIENT, {"system": "sqlite", "peer": "sqlite"}),
        (
            {"messaging.system": "kafka", "messaging.destination": "jobs"},
            PRODUCER,
            {"system": "kafka", "peer": "jobs"},
        ),
        (
            {
                "rpc.system": "grpc",
                "rpc.grpc.status_code": 5,
                "network.peer.address": "1.2.3.4",
                "network.peer.port": 9,
            },
            CLIENT,
            {"system": "grpc", "peer": "1.2.3.4:9", "status_code": 5},
        ),
        ({"http.request.method": "GET", "server.address": "me"}, SERVER, {"system": "http", "peer": ""}),
        ({"peer.service": "cards", "server.address": "10.0.0.9", "server.port": 443}, CLIENT, {"peer": "cards"}),
        ({"peer.service": "cards"}, SERVER, {"peer": ""}),
        ({"net.peer.ip": "10.0.0.9", "net.peer.port": 80}, CLIENT, {"peer": "10.0.0.9:80"}),
        (
            {"messaging.system": "rabbitmq", "messaging.destination.name": "jobs", "server.address": "mq"},
            CONSUMER,
            {"system": "rabbitmq", "peer": "mq"},
        ),
        ({"rpc.system": "grpc", "rpc.service": "a.B", "server.address": "b"}, CLIENT, {"system": "grpc", "peer": "b"}),
        ({"http.response.status_code": "OK"}, SERVER, {"status_code": 0}),
    ],
)
def test_old_and_new_conventions_fill_the_same_columns(web, sender, app, attributes, kind, filled):
    sender.spans("orders", Span(kind=kind, attributes=attributes))

    (row,) = spans_of(web, app)

    assert {column: row[column] for column in filled} == filled


@pytest.mark.parametrize(
    ("name", "kind", "attributes", "endpoint"),
    [
        ("GET", SERVER, {"http.request.method": "GET", "http.route": "/o/{id}", "url.path": "/o/7"}, "GET /o/{id}"),
        ("HTTP POST", SERVER, {"http.method": "POST", "http.route": "/o"}, "POST /o"),
        ("/o/{id}", SERVER, {"http.method": "GET", "http.route": "/o/{id}"}, "GET /o/{id}"),
        ("/o/7", SERVER, {"http.route": "/o/{id}"}, "/o/{id}"),
        ("checkout", SERVER, {"http.method": "GET", "http.route": "/o/{id}"}, "checkout"),
        ("GET", SERVER, {"http.method": "GET", "http.target": "/o/7?x=1"}, "GET"),
        ("GET", CLIENT, {"http.method": "GET", "http.route": "/o/{id}"}, "GET"),
        ("", SERVER, {"http.method": "GET", "http.target": "/o/7?x=1"}, "GET /o/7"),
        ("", CLIENT, {"http.request.method": "GET", "url.full": "http://a/o/7?x=1"}, "GET /o/7"),
        ("", SERVER, {}, ""),
    ],
)
def test_an_endpoint_has_the_route_where_the_name_has_not(web, sender, app, name, kind, attributes, endpoint):
    sender.spans("orders", Span(name=name, kind=kind, attributes=attributes))

    (row,) = spans_of(web, app)

    assert row["endpoint"] == endpoint


@pytest.mark.parametrize(
    ("facts", "service", "instance"),
    [
        ({"faas.name": "f", "process.executable.name": "python"}, "f", ""),
        ({"k8s.deployment.name": "d", "k8s.pod.name": "d-1", "host.name": "h"}, "d", "d-1"),
        ({"process.executable.name": "java", "k8s.pod.name": "p", "process.pid": 1}, "java", "p:1"),
        ({"service.name": "a", "service.instance.id": "i", "host.name": "h", "process.pid": 7}, "a", "i"),
        ({"service.name": "a", "host.name": "h", "process.pid": 7}, "a", "h:7"),
        ({"service.name": "a", "host.name": "h"}, "a", "h"),
        ({}, "unknown_service", ""),
        ({"service.name": ""}, "unknown_service", ""),
    ],
)
def test_a_process_has_a_name_whatever_it_says(web, sender, app, facts, service, instance):
    request = message(1, resource(facts) + message(2, message(2, Span().encode())))
    sender.request("traces", request)

    (row,) = spans_of(web, app)

    assert (row["service"], row["instance"]) == (service, instance)


def test_real_requests_of_both_conventions_become_the_same_rows(web, sender, app):
    for name in ("traces-old-names", "traces-new-names"):
        sender.request("traces", captured(name), received=received_then(name))

    rows = web.rows(
        "SELECT endpoint, toString(kind) AS k, system, peer, status_code, statement, is_error, count()"
        " FROM spans WHERE app = {app:String} GROUP BY ALL ORDER BY ALL",
        {"app": app},
    )

    assert rows == [
        ("GET", "client", "http", "127.0.0.1:18099", 200, "", False, 4),
        ("GET /boom", "server", "http", "", 500, "", True, 2),
        ("GET /work/<int:i>", "server", "http", "", 200, "", False, 4),
        ("root", "internal", "", "", 0, "", False, rows[3][-1]),
        ("select", "client", "sqlite", "sqlite", 0, "select 1", False, 4),
    ]


def test_a_file_that_is_loaded_three_times_is_stored_once(web, sender, app):
    spans = [Span(id=n.to_bytes(8, "big"), start=SLOT, kind=CLIENT if n % 2 else SERVER) for n in range(1, 51)]
    request = spans_request("orders", [*spans, Span(trace=b"short")])
    name = sender.request("traces", request)

    def stored() -> list[int]:
        one = {"app": app}
        return [
            int(web.rows(f"SELECT {what} WHERE app = {{app:String}}", one)[0][0])
            for what in ("count() FROM spans", "sum(count) FROM rollup_30s", "sum(count) FROM dropped")
        ]

    once = stored()
    for _ in range(2):
        sender.load(name)

    assert stored() == once == [50, 50, 1]
    assert consistency.compare(web, SLOT, SLOT + timedelta(hours=1)) == []


@pytest.mark.parametrize(
    "view",
    ["rollup_30s_by_spans", "edges_30s_by_spans", "trace_times_of_spans"],
)
def test_a_file_whose_loading_was_cut_short_is_completed_by_loading_it_again(web, loader, sender, app, view):
    """Killed after the spans and before the view: the spans are not stored again, the statistics are made good."""
    trace = view.encode()[:16].ljust(16, b"-")
    attributes = {"db.system": "redis", "server.address": "cache"}
    spans = [
        Span(trace=trace, id=n.to_bytes(8, "big"), start=SLOT, kind=CLIENT, attributes=attributes) for n in (1, 2, 3)
    ]
    definition = loader.rows("SELECT create_table_query FROM system.tables WHERE name = {view:String}", {"view": view})
    loader.command(f"DROP VIEW {view}")
    try:
        name = sender.spans("orders", *spans)
        unfinished = consistency.compare(web, SLOT, SLOT + timedelta(hours=1)) or consistency.traces_without_time(
            web, SLOT, SLOT + timedelta(hours=1)
        )
    finally:
        loader.command(definition[0][0])
    sender.load(name)

    assert unfinished
    assert len(spans_of(web, app)) == 3
    assert consistency.compare(web, SLOT, SLOT + timedelta(hours=1)) == []
    assert consistency.traces_without_time(web, SLOT, SLOT + timedelta(hours=1)) == 0


def test_a_file_that_is_no_protobuf_stores_nothing(web, sender, app):
    name = sender.spans("orders", Span())
    broken = f"broken-{name}"
    (sender.spool / broken).write_bytes((sender.spool / name).read_bytes()[:-5])

    with pytest.raises(StoreError):
        sender.client.insert_file(
            "INSERT INTO intake_traces (app, received_unix_nano, traces) FORMAT Protobuf",
            sender.spool / broken,
            settings={"format_schema_source": "string", "insert_deduplication_token": broken},
        )

    assert len(spans_of(web, app)) == 1


@pytest.mark.parametrize(
    ("span", "reason"),
    [
        (Span(start=NOW - timedelta(days=40)), "too_old"),
        (Span(start=NOW + timedelta(days=2)), "in_future"),
        (Span(trace=b"short"), "bad_trace_id"),
        (Span(trace=bytes(16)), "bad_trace_id"),
        (Span(trace=b"much longer than sixteen"), "bad_trace_id"),
        (Span(id=b"no"), "bad_span_id"),
        (Span(id=bytes(8)), "bad_span_id"),
        (Span(parent=b"four"), "bad_parent_id"),
    ],
)
def test_a_span_that_cannot_be_kept_is_counted_with_the_reason(web, sender, app, span, reason):
    sender.spans("orders", span, Span(id=b"healthy!"))

    assert [row["span_id"] for row in spans_of(web, app)] == [b"healthy!"]
    assert web.rows(
        "SELECT signal, reason, sum(count) FROM dropped WHERE app = {app:String} GROUP BY ALL", {"app": app}
    ) == [("traces", reason, 1)]


def test_wild_clocks_do_not_fail_the_others(web, sender, app):
    """A file with a span of every year since 1970: no partition is made for them."""
    wild = [Span(id=n.to_bytes(8, "big"), start=NOW - timedelta(days=365 * n)) for n in range(1, 56)]
    sender.spans("orders", *wild, Span(id=b"healthy!"))

    assert len(spans_of(web, app)) == 1
    ((dropped,),) = web.rows("SELECT sum(count) FROM dropped WHERE app = {app:String}", {"app": app})
    assert dropped == 55


def test_a_span_that_ends_before_it_starts_took_no_time(web, sender, app):
    sender.spans("orders", Span(ms=-5.0))

    assert [row["duration_ns"] for row in spans_of(web, app)] == [0]


def metric(name: str, data: bytes, unit: str = "") -> bytes:
    return message(
        1,
        resource({"service.name": "s", "host.name": "h"})
        + message(2, message(2, text(1, name) + text(3, unit) + data)),
    )


def metrics_of(web, app: str) -> list[dict]:
    return web.dicts("SELECT * FROM metrics WHERE app = {app:String} ORDER BY name, time", {"app": app})


def test_gauges_and_sums_keep_integers_and_fractions(web, sender, app):
    at = fixed64(3, ns(NOW))
    whole, fraction, zero = at + fixed64(6, -3), at + double(4, 2.5) + key_value(7, "k", "v"), at + fixed64(6, 0)
    unrecorded = at + integer(8, 1)
    sender.request("metrics", metric("a", message(5, message(1, whole) + message(1, unrecorded)), "By"))
    sender.request("metrics", metric("b", message(7, message(1, fraction) + integer(2, 2) + integer(3, 1))))
    sender.request("metrics", metric("c", message(5, message(1, zero))))

    a, b, c = metrics_of(web, app)

    assert (a["type"], a["value"], a["unit"], a["host"]) == ("gauge", -3.0, "By", "h")
    assert (b["type"], b["value"], b["temporality"], b["monotonic"], b["attributes"]) == (
        "sum",
        2.5,
        "cumulative",
        True,
        {"k": "v"},
    )
    assert c["value"] == 0


def test_histograms_keep_bounds_and_counts(web, sender, app):
    point = fixed64(3, ns(NOW)) + fixed64(4, 3) + double(5, 12.5) + double(11, 0.5) + double(12, 9.0)
    point += fixed64(6, 1) + fixed64(6, 2) + fixed64(6, 0) + double(7, 1.0) + double(7, 10.0)
    sender.request("metrics", metric("h", message(9, message(1, point) + integer(2, 1))))

    (row,) = metrics_of(web, app)

    assert (row["type"], row["temporality"], row["count"], row["sum"], row["min"], row["max"]) == (
        "histogram",
        "delta",
        3,
        12.5,
        0.5,
        9.0,
    )
    assert (row["bounds"], row["bucket_counts"]) == ([1.0, 10.0], [1, 2, 0])


def test_an_exponential_histogram_gets_bounds(web, sender, app):
    """Scale 0 has base 2. Offset 1: buckets end at 4, 8; the negative one, offset 0, is (-2, -1]."""
    positive = integer(1, zigzag(1)) + integer(2, 5) + integer(2, 6)
    negative = integer(1, zigzag(0)) + integer(2, 3)
    point = fixed64(3, ns(NOW)) + fixed64(4, 16) + double(5, 1.0) + integer(6, zigzag(0)) + fixed64(7, 2)
    sender.request("metrics", metric("e", message(10, message(1, point + message(8, positive) + message(9, negative)))))

    (row,) = metrics_of(web, app)

    assert row["bounds"] == [-2.0, -1.0, 2.0, 4.0, 8.0]
    assert row["bucket_counts"] == [0, 3, 2, 5, 6, 0]


def test_a_summary_keeps_its_quantiles(web, sender, app):
    point = fixed64(3, ns(NOW)) + fixed64(4, 9) + double(5, 4.5)
    point += message(6, double(1, 0.5) + double(2, 1.5)) + message(6, double(1, 0.9) + double(2, 3.0))
    sender.request("metrics", metric("q", message(11, message(1, point))))

    (row,) = metrics_of(web, app)

    assert (row["count"], row["sum"]) == (9, 4.5)
    assert [tuple(pair.values()) if isinstance(pair, dict) else pair for pair in row["quantiles"]] == [
        (0.5, 1.5),
        (0.9, 3.0),
    ]


def test_logs_keep_time_severity_body_and_trace(web, sender, app):
    first = fixed64(1, ns(NOW)) + integer(2, 17) + text(3, "ERROR") + message(5, any_value("it broke"))
    first += message(6, text(1, "n") + message(2, any_value(0))) + message(9, b"T" * 16) + message(10, b"S" * 8)
    second = (
        fixed64(11, ns(NOW + timedelta(seconds=1))) + message(5, message(6, key_value(1, "k", 1))) + text(12, "login")
    )
    body = message(1, resource({"service.name": "s"}) + message(2, message(2, first) + message(2, second)))
    sender.request("logs", body)

    error, login = web.dicts("SELECT * FROM logs WHERE app = {app:String} ORDER BY time", {"app": app})

    assert (error["time"], error["severity"], error["severity_text"], error["body"]) == (NOW, 17, "ERROR", "it broke")
    assert (error["trace_id"], error["span_id"], error["attributes"]) == (b"T" * 16, b"S" * 8, {"n": "0"})
    assert (login["time"], login["event"], login["body"]) == (NOW + timedelta(seconds=1), "login", '{"k":"1"}')
    assert login["trace_id"] == bytes(16)


def test_real_metrics_and_logs_are_stored(web, sender, app):
    for signal in ("metrics", "logs"):
        sender.request(signal, captured(signal), received=received_then(signal))

    types = web.rows(
        "SELECT toString(type) AS t FROM metrics WHERE app = {app:String} GROUP BY t ORDER BY t", {"app": app}
    )
    assert [kind for (kind,) in types] == ["gauge", "histogram", "sum"]
    assert web.rows("SELECT body FROM logs WHERE app = {app:String} ORDER BY time", {"app": app}) == [
        ("hello 7",),
        ("hello 8",),
    ]


def test_the_index_by_value_comes_with_the_first_merge_and_a_search_finds_rows_before_and_after(
    web, loader, sender, app
):
    loader.command("SYSTEM STOP MERGES spans")
    asked = {"app": app, "value": f"blue-{app}"}
    search = "FROM spans WHERE app = {app:String} AND has(mapValues(attributes), {value:String})"
    try:
        for number in (1, 2):
            attributes = {"color": asked["value"]}
            sender.spans("orders", Span(id=number.to_bytes(8, "big"), attributes=attributes))
        before = web.rows(f"SELECT count() {search}", asked)
    finally:
        loader.command("SYSTEM START MERGES spans")
    loader.command("OPTIMIZE TABLE spans FINAL")

    assert before == web.rows(f"SELECT count() {search}", asked) == [(2,)]
    plan = "\n".join(line for (line,) in web.rows(f"EXPLAIN indexes = 1 SELECT count() {search}", asked))
    assert "by_value" in plan


def test_older_engines_are_not_given_settings_that_they_do_not_know():
    assert settings_for((25, 3)) == SETTINGS
    assert settings_for((26, 9)) != SETTINGS


def test_an_unknown_field_is_skipped(web, sender, app):
    """What a later version of OTLP adds must not stop the data of today."""
    request = spans_request("orders", [Span()]) + varint(99 << 3) + varint(5)
    sender.request("traces", request)

    assert len(spans_of(web, app)) == 1
