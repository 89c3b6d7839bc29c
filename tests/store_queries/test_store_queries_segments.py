"""What becomes of SkyWalking's segments: each field of every recorded one, and what agents may send besides."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from pathlib import Path

import pytest
from otlp_making import CLIENT, NOW, SLOT, Span, ns
from segment_decoder import NONE, md5, rows

from sonde.server.intake.skywalking.skywalking_pb2 import SegmentCollection, SegmentObject, SegmentReference, SpanObject
from sonde.server.store.queries import learning, services, topology, traces
from sonde.wire import sw8

CAPTURE = Path(__file__).parents[1] / "skywalking" / "data" / "capture.jsonl"
RECORDED = {
    f"{exchange['id']}-{number}": SegmentObject.FromString(base64.b64decode(wire))
    for exchange in map(json.loads, CAPTURE.read_text("utf-8").splitlines())
    if exchange.get("message_type", "").endswith("SegmentObject")
    for number, wire in enumerate(exchange["wire_b64"])
}
ENTRY, EXIT, LOCAL = 0, 1, 2
UNKNOWN, DATABASE, RPC, HTTP, MQ, CACHE, FAAS, GEN_AI = range(8)
NOW_MS = ns(NOW) // 1_000_000


def span(number=0, parent=-1, kind=ENTRY, layer=HTTP, name="/work", *, tags=None, **more):
    """A SpanObject of 10 ms."""
    start = more.pop("start", NOW_MS + number)
    pairs = [{"key": key, "value": value} for key, value in (tags or {}).items()]
    return SpanObject(
        **{"spanId": number, "parentSpanId": parent, "spanType": kind, "spanLayer": layer, "operationName": name}
        | {"startTime": start, "endTime": start + 10, "tags": pairs}
        | more
    )


def segment(*spans, trace="t.1", id="s.1", service="shop", instance="i-1"):  # noqa: A002 - what it is
    return SegmentObject(traceId=trace, traceSegmentId=id, service=service, serviceInstance=instance, spans=spans)


def ref(id="s.1", number=1, *, trace="t.1", instance="i-1", **more):  # noqa: A002 - what it is
    said = {"traceId": trace, "parentTraceSegmentId": id, "parentSpanId": number, "parentServiceInstance": instance}
    return SegmentReference(**said | {"parentService": "shop"} | more)


def send(sender, *segments, **more):
    sender.request("segments", SegmentCollection(segments=segments).SerializeToString(), **more)


def stored(web, app) -> list[dict]:
    return web.dicts("SELECT * EXCEPT app FROM spans WHERE app = {app:String} ORDER BY span_id", {"app": app})


def only(web, sender, app, *spans) -> dict:
    """The row of the last of `spans`."""
    send(sender, segment(*spans))
    wanted = sw8.span_id_of("i-1", "s.1", spans[-1].spanId)
    return next(row for row in stored(web, app) if row["span_id"] == wanted)


@pytest.mark.parametrize("name", RECORDED)
def test_every_field_of_a_recorded_segment_is_what_the_protocol_says(web, sender, app, name):
    recorded = RECORDED[name]
    first = min(one.startTime for one in recorded.spans)
    send(sender, recorded, received=NOW.fromtimestamp(first / 1000 + 1, NOW.tzinfo))

    assert stored(web, app) == rows(recorded)


def test_the_root_may_come_last_and_spans_hang_below_it(web, sender, app):
    send(sender, segment(span(2, 1, EXIT, name="/b"), span(1, 0, LOCAL, UNKNOWN, name="work"), span()))

    parents = {row["attributes"]["sw8.span_id"]: row["parent_id"] for row in stored(web, app)}
    ids = [sw8.span_id_of("i-1", "s.1", number) for number in range(2)]
    assert parents == {"0": NONE, "1": ids[0], "2": ids[1]}


def test_a_callee_hangs_below_the_span_that_called_it_and_other_callers_are_links(web, sender, app):
    callers = [ref(number=1), ref(id="s.9", number=4, trace="t.9", instance="i-9")]
    send(
        sender,
        segment(span(), span(1, 0, EXIT, MQ, peer="kafka:9092")),
        segment(span(layer=MQ, refs=callers), id="s.2", service="stock", instance="i-2"),
    )

    consumer = next(row for row in stored(web, app) if row["service"] == "stock")
    assert consumer["parent_id"] == sw8.span_id_of("i-1", "s.1", 1)
    assert consumer["links"] == [{"trace_id": md5("t.9"), "span_id": sw8.span_id_of("i-9", "s.9", 4)}]
    assert (consumer["kind"], consumer["is_entry"]) == ("consumer", True)


def test_a_thread_of_the_same_process_hangs_below_the_one_that_started_it(web, sender, app):
    started = ref(number=0, instance="", refType="CrossThread")
    send(sender, segment(span()), segment(span(kind=LOCAL, layer=UNKNOWN, refs=[started]), id="s.2"))

    thread = next(row for row in stored(web, app) if row["attributes"]["sw8.segment_id"] == "s.2")
    assert (thread["kind"], thread["is_entry"]) == ("internal", False)
    assert thread["parent_id"] == sw8.span_id_of("i-1", "s.1", 0)


def test_a_reference_into_another_trace_is_a_link_and_no_parent(web, sender, app):
    row = only(web, sender, app, span(refs=[ref(trace="t.2")]))

    assert row["parent_id"] == NONE
    assert row["links"] == [{"trace_id": md5("t.2"), "span_id": sw8.span_id_of("i-1", "s.1", 1)}]


def test_ids_of_ours_go_through_a_segment_unchanged(web, sender, app):
    """A caller of ours writes its trace id and, as segment, its span id; a SkyWalking agent refers to both."""
    trace, caller = bytes(range(16)), bytes(range(1, 9))
    sender.spans("front", Span(trace=trace, id=caller, kind=CLIENT))
    send(sender, segment(span(refs=[ref(caller.hex(), 0, trace=trace.hex(), instance="front-1")]), trace=trace.hex()))

    below = next(row for row in stored(web, app) if row["service"] == "shop")
    assert (below["trace_id"], below["parent_id"]) == (trace, caller)


def test_equal_ids_of_two_hosts_stand_side_by_side_in_one_trace(web, sender, app):
    """SkyAPM 3 makes ids of process id, second and a counter."""
    one, other = ("1.30241.17952114650002", "1.30241.17952114650002")
    for host in ("host-a", "host-b"):
        send(sender, segment(span(), span(1, 0, EXIT, name="/leaf"), trace=one, id=other, instance=host))

    spans = traces.trace(web, [app], md5(one).hex()).spans
    assert len({found.span_id for found in spans}) == 4
    by_id = {found.span_id: found for found in spans}
    assert all(by_id[found.parent_id].instance == found.instance for found in spans if found.parent_id)


@pytest.mark.parametrize(
    ("kind", "layer", "expected"),
    [
        *((ENTRY, layer, "server") for layer in (UNKNOWN, RPC, HTTP, FAAS, GEN_AI, 99)),
        *((EXIT, layer, "client") for layer in (UNKNOWN, DATABASE, RPC, HTTP, CACHE, GEN_AI, 99)),
        (ENTRY, MQ, "consumer"),
        (EXIT, MQ, "producer"),
        (LOCAL, UNKNOWN, "internal"),
        (7, HTTP, "internal"),
    ],
)
def test_kinds_and_layers_also_those_that_nobody_knows_yet(web, sender, app, kind, layer, expected):
    assert only(web, sender, app, span(kind=kind, layer=layer))["kind"] == expected


CACHES = {
    "SkyAPM 3": (DATABASE, 30, "Redis->get", {"db.type": "redis", "redis.key": "K1", "redis.command": "get k1"}),
    "SkyAPM 3, an argument is a list": (DATABASE, 30, "Redis->get", {"db.type": "redis", "redis.key": "K1"}),
    "SkyAPM 4": (CACHE, 7, "Redis->get", {"db.type": "redis", "redis.command": "GET K1"}),
    "Python and Apache's PHP": (CACHE, 7, "Redis/GET", {"cache.type": "Redis", "cache.cmd": "get", "cache.op": "read"}),
    "no tag at all": (CACHE, 57, "Lettuce/GET", {}),
}


@pytest.mark.parametrize("shape", CACHES)
def test_the_shapes_of_a_cache_call_become_one(web, sender, app, shape):
    layer, component, name, tags = CACHES[shape]
    call = span(1, 0, EXIT, layer, name, tags=tags, componentId=component, peer="cache:6379")

    row = only(web, sender, app, span(), call)

    assert (row["system"], row["peer"], row["statement"]) == ("redis", "cache:6379", "")
    assert row["attributes"] | tags == row["attributes"]
    assert row["attributes"]["db.system.name"] == "redis"
    assert row["attributes"]["db.operation.name"] == "GET"


PEERS = [
    (DATABASE, "", {"db.type": "mysql", "db.data_source": "host=db;port=3307;dbname=shop"}, "mysql", "db:3307"),
    (DATABASE, "", {"db.type": "pgsql", "db.data_source": "host=db;dbname=shop"}, "postgresql", "db:5432"),
    (DATABASE, "", {"db.type": "mysql", "db.host": "db", "db.port": "3308"}, "mysql", "db:3308"),
    (DATABASE, "not_found:3306", {"db.type": "sqlite", "db.data_source": ":memory:"}, "sqlite", "sqlite"),
    (DATABASE, "db:3306", {}, "other_sql", "db:3306"),
    (HTTP, "", {"http.url": "http://u:p@stock:8080/items"}, "http", "stock:8080"),
    (HTTP, "", {"http.url": "http://127.0.0.1:5077/orders"}, "http", "127.0.0.1:5077"),
    (HTTP, "", {"url": "/items"}, "http", ""),
    (MQ, "", {"mq.broker": "kafka:9092", "mq.topic": "orders"}, "", "kafka:9092"),
    (MQ, "", {"mq.topic": "orders"}, "", "orders"),
    (MQ, "", {"mq.queue": "orders"}, "", "orders"),
    (RPC, "10.0.0.1:50051", {}, "rpc", "10.0.0.1:50051"),
]


@pytest.mark.parametrize(("layer", "peer", "tags", "system", "expected"), PEERS)
def test_whom_a_call_goes_to_also_where_its_peer_does_not_say_it(web, sender, app, layer, peer, tags, system, expected):
    row = only(web, sender, app, span(), span(1, 0, EXIT, layer, peer=peer, tags=tags))

    assert (row["system"], row["peer"]) == (system, expected)
    assert row["attributes"].get("sw8.peer", "") == ("" if peer == expected else peer)


@pytest.mark.parametrize(
    ("component", "layer", "system"),
    [
        (40, MQ, "kafka"),
        (145, MQ, "rabbitmq"),
        (23, RPC, "grpc"),
        (3, RPC, "apache_dubbo"),
        (8005, UNKNOWN, "yar"),
        (33, DATABASE, "mysql"),
        (47, DATABASE, "elasticsearch"),
        (8002, HTTP, "http"),
        (99_999, UNKNOWN, ""),
    ],
)
def test_a_component_says_what_a_call_without_a_type_goes_to(web, sender, app, component, layer, system):
    row = only(web, sender, app, span(), span(1, 0, EXIT, layer, componentId=component, peer="x:1"))

    assert row["system"] == system


PATHS = {
    "/items/2": "/items/{id}",
    "/items/2/parts/17/": "/items/{id}/parts/{id}/",
    "/1/2/3": "/{id}/{id}/{id}",
    "GET:/users/550e8400-e29b-41d4-a716-446655440000": "GET:/users/{uuid}",
    "/days/2026-11-20/plan": "/days/{date}/plan",
    "/blobs/9f86d081884c7d65": "/blobs/{hex}",
    "/mail/a.b@example.org": "/mail/{email}",
    "/orders/ORD-2024-0017": "/orders/{id}",
    "/v2/pages/index.html": "/v2/pages/index.html",
    "/": "/",
    "": "",
}


@pytest.mark.parametrize("path", PATHS)
def test_raw_paths_are_grouped_and_stay_readable(web, sender, app, path):
    row = only(web, sender, app, span(name=path))

    assert row["endpoint"] == PATHS[path]
    raw = path.removeprefix("GET:")
    assert row["attributes"].get("url.path") == (raw if path != PATHS[path] else None)


def test_a_name_that_is_no_path_or_comes_with_a_route_is_left_alone(web, sender, app):
    send(sender, segment(span(layer=RPC, name="shop.Cart/7")))
    send(sender, segment(span(name="/items/7", tags={"http.route": "/items/7"}), id="s.2"))

    assert {row["endpoint"] for row in stored(web, app)} == {"shop.Cart/7", "/items/7"}


def test_names_are_cut_where_skywalkings_own_server_cuts_them(web, sender, app):
    send(sender, segment(span(name="/ü" * 100), service="ä" * 80, instance="i" * 80))

    (row,) = stored(web, app)
    assert (row["service"], row["instance"], row["endpoint"]) == ("ä" * 70, "i" * 70, "/ü" * 75)
    assert row["span_id"] == sw8.span_id_of("i" * 80, "s.1", 0)


def test_what_java_says_of_an_exception_is_an_exception(web, sender, app):
    said = {"event": "error", "error.kind": "java.io.IOException", "message": "no route", "stack": "at A.b(A.java:1)"}
    log = {"time": NOW_MS + 5, "data": [{"key": key, "value": value} for key, value in said.items()]}
    send(sender, segment(span(isError=True, logs=[log], start=NOW_MS)))

    (row,) = stored(web, app)
    assert row["status_message"] == "no route"
    assert row["events"] == [
        {
            "time": NOW + timedelta(milliseconds=5),
            "name": "exception",
            "attributes": {
                "event": "error",
                "exception.type": "java.io.IOException",
                "exception.message": "no route",
                "exception.stacktrace": "at A.b(A.java:1)",
            },
        }
    ]
    (found,) = services.report(web, [app], "shop", NOW - timedelta(minutes=15), NOW + timedelta(minutes=15), 500).errors
    assert (found.type, found.message) == ("java.io.IOException", "no route")


def test_a_span_that_is_not_to_be_analysed_is_shown_and_not_counted(web, sender, app):
    skipped = span(1, 0, EXIT, DATABASE, "Mysql/x", skipAnalysis=True, peer="db:3306")
    send(sender, segment(span(), skipped), segment(span(skipAnalysis=True), id="s.2", trace="t.2"))

    assert {(row["kind"], row["is_entry"], row["peer"]) for row in stored(web, app)} == {
        ("server", True, ""),
        ("internal", False, ""),
    }
    assert web.rows("SELECT sum(count) FROM rollup_30s WHERE app = {app:String}", {"app": app}) == [(1,)]
    assert web.rows("SELECT count() FROM edges_30s WHERE app = {app:String}", {"app": app}) == [(0,)]


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (segment(span(), trace=""), "bad_trace_id"),
        (segment(span(), trace="0" * 32), "bad_trace_id"),
        (segment(span(), id=""), "bad_span_id"),
        (segment(span(start=0)), "too_old"),
        (segment(span(start=-5)), "too_old"),
        (segment(span(start=NOW_MS + 3 * 86_400_000)), "in_future"),
        (segment(span(start=(1 << 63) - 11)), "in_future"),
    ],
)
def test_what_cannot_be_stored_is_counted_by_reason(web, sender, app, broken, reason):
    send(sender, broken, segment(span(), id="s.2"))

    assert len(stored(web, app)) == 1
    assert web.rows(
        "SELECT reason, sum(count) FROM dropped WHERE app = {app:String} GROUP BY reason", {"app": app}
    ) == [(reason, 1)]


def test_a_span_that_ends_before_it_starts_or_never_has_no_duration(web, sender, app):
    send(sender, segment(span(endTime=0), span(1, 0, EXIT, endTime=NOW_MS - 50)))

    assert [row["duration_ns"] for row in stored(web, app)] == [0, 0]


def test_a_process_is_known_by_its_segments_and_keeps_what_it_said_of_itself(web, sender, loader, app):
    sender.spans("shop", service__instance__id="i-1", telemetry__sdk__language="java", host__name="host-a")
    send(sender, segment(span()), segment(span(componentId=7001), id="s.2", instance="i-2"))
    loader.command("OPTIMIZE TABLE instances FINAL")

    assert web.rows(
        "SELECT instance, is_from_segments, language, host, mapContains(attributes, 'host.name') FROM instances"
        " WHERE app = {app:String} ORDER BY instance, is_from_segments",
        {"app": app},
    ) == [
        ("i-1", False, "java", "host-a", True),
        ("i-1", True, "", "", False),
        ("i-2", True, "python", "", False),
    ]


def test_a_service_is_found_behind_the_address_that_another_calls(web, loader, sender, app):
    at = ns(SLOT) // 1_000_000
    exit_span = span(1, 0, EXIT, name="/stock", peer="stock:8080", start=at + 2)
    called = ref(number=1, networkAddressUsedAtPeer="stock:8080")
    send(
        sender,
        segment(span(start=at + 1), exit_span, service="front"),
        segment(span(start=at + 3, refs=[called]), id="s.2", service="stock", instance="i-2"),
        received=SLOT,
    )
    learning.learn_peers(loader, SLOT, SLOT + timedelta(minutes=15))

    found = topology.service_map(web, [app], SLOT, SLOT + timedelta(minutes=15))
    names = {node.id: node.name for node in found.nodes}
    assert ("front", "stock") in {(names[edge.source], names[edge.target]) for edge in found.edges}
    assert "stock:8080" not in names.values()


def test_a_file_that_is_loaded_again_changes_nothing(web, sender, app):
    body = SegmentCollection(segments=[segment(span(), span(1, 0, EXIT, peer="x:1"))]).SerializeToString()
    name = sender.request("segments", body)
    sender.load(name)

    assert len(stored(web, app)) == 2
    assert web.rows("SELECT sum(count) FROM rollup_30s WHERE app = {app:String}", {"app": app}) == [(2,)]
