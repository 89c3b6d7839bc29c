from __future__ import annotations

from datetime import timedelta

import pytest
from otlp_making import CLIENT, CONSUMER, MS, PRODUCER, SLOT, Span

from sonde.server.store.queries import learning, services, topology

END = SLOT + timedelta(minutes=15)


def ids(number: int) -> bytes:
    return number.to_bytes(8, "big")


def call(number: int, caller: str, peer: str, callee: str, sender, *, ms: float = 20.0) -> None:
    """One request to `caller`, which calls `callee` under the address `peer`."""
    trace = ids(number) * 2
    address, port = peer.split(":")
    to = {"http.request.method": "GET", "server.address": address, "server.port": int(port)}
    root, out, at = ids(number * 10), ids(number * 10 + 1), SLOT + number * MS
    sender.spans(
        caller,
        Span(trace=trace, id=root, start=at, ms=ms + 10),
        Span(trace=trace, id=out, parent=root, kind=CLIENT, start=at + MS, ms=ms, attributes=to),
    )
    if callee:
        sender.spans(callee, Span(trace=trace, id=ids(number * 10 + 2), parent=out, start=at + 2 * MS, ms=ms - 5))


def edges_of(found) -> dict[tuple[str, str], int]:
    names = {node.id: node.name for node in found.nodes}
    return {(names[edge.source], names[edge.target]): edge.requests for edge in found.edges}


def test_a_peer_is_its_address_until_somebody_has_learned_who_answers_there(web, loader, sender, app):
    call(1, "front", "stock:8001", "stock", sender)

    before = topology.service_map(web, [app], SLOT, END)
    learning.learn_peers(loader, SLOT - timedelta(minutes=1), END)
    after = topology.service_map(web, [app], SLOT, END)

    assert ("front", "stock:8001") in edges_of(before)
    assert edges_of(after) == {("client", "front"): 1, ("front", "stock"): 1}
    assert {(node.name, node.type) for node in after.nodes} == {
        ("client", "client"),
        ("front", "service"),
        ("stock", "service"),
    }


def test_learning_again_changes_nothing(web, loader, sender, app):
    call(1, "front", "stock:8001", "stock", sender)
    call(2, "front", "stock:8001", "stock", sender)

    for _ in range(3):
        learning.learn_peers(loader, SLOT - timedelta(minutes=1), END)

    assert edges_of(topology.service_map(web, [app], SLOT, END))[("front", "stock")] == 2


def test_calls_to_a_gateway_are_shared_out_among_the_services_behind_it(web, loader, sender, app):
    for number in range(1, 4):
        call(number, "front", "gateway:80", "orders", sender)
    call(4, "front", "gateway:80", "stock", sender)

    learning.learn_peers(loader, SLOT - timedelta(minutes=1), END)
    edges = edges_of(topology.service_map(web, [app], SLOT, END))

    assert edges[("front", "orders")] == 3
    assert edges[("front", "stock")] == 1
    assert ("front", "gateway:80") not in edges


def test_databases_caches_queues_and_strangers_are_told_apart(web, sender, app):
    root = ids(1)

    def out(number: int, kind: int = CLIENT, **attributes: object) -> Span:
        facts = {key.replace("__", "."): value for key, value in attributes.items()}
        return Span(trace=b"t" * 16, id=ids(number), parent=root, kind=kind, attributes=facts, start=SLOT)

    sender.spans(
        "orders",
        Span(trace=b"t" * 16, id=root, start=SLOT),
        out(2, db__system__name="postgresql", server__address="db", server__port=5432),
        out(3, db__system="redis", net__peer__name="cache", net__peer__port=6379),
        out(4, db__system="sqlite", db__name="shop.db"),
        out(5, kind=PRODUCER, messaging__system="kafka", messaging__destination__name="jobs"),
        out(6, http__method="GET", http__url="https://api.example.com/v1"),
    )
    sender.spans(
        "worker",
        Span(
            trace=b"u" * 16,
            id=ids(7),
            parent=ids(5),
            kind=CONSUMER,
            start=SLOT,
            attributes={"messaging.system": "kafka", "messaging.destination.name": "jobs"},
        ),
    )

    found = topology.service_map(web, [app], SLOT, END)

    assert {(node.name, node.type, node.system) for node in found.nodes if node.type not in {"service", "client"}} == {
        ("db:5432", "database", "postgresql"),
        ("cache:6379", "cache", "redis"),
        ("shop.db", "database", "sqlite"),
        ("jobs", "messaging", "kafka"),
        ("api.example.com", "external", "http"),
    }
    assert ("orders", "jobs") in edges_of(found)
    assert ("jobs", "worker") in edges_of(found)


def test_a_service_behind_an_untraced_proxy_is_called_by_the_client(web, sender, app):
    """The proxy passes a trace context on, so the request has a parent that nobody ever sends."""
    sender.spans("orders", Span(parent=b"proxyspn", start=SLOT))

    assert edges_of(topology.service_map(web, [app], SLOT, END)) == {("client", "orders"): 1}


def test_a_service_knows_its_callers_and_callees(web, loader, sender, app):
    call(1, "front", "stock:8001", "stock", sender, ms=20.0)
    call(2, "front", "stock:8001", "stock", sender, ms=40.0)
    learning.learn_peers(loader, SLOT - timedelta(minutes=1), END)

    front = services.report(web, [app], "front", SLOT, END, 500)
    stock = services.report(web, [app], "stock", SLOT, END, 500)

    assert front is not None
    assert stock is not None
    assert [(near.name, near.type, near.requests) for near in front.callees] == [("stock", "service", 2)]
    assert [(near.name, near.type, near.requests) for near in stock.callers] == [("front", "service", 2)]
    assert stock.callers[0].average_ms == pytest.approx(30.0)
    assert (front.callers, stock.callees) == ([], [])


def between(found, source: str, target: str):
    names = {node.id: node.name for node in found.nodes}
    (edge,) = [edge for edge in found.edges if (names[edge.source], names[edge.target]) == (source, target)]
    return edge


def learned_map(web, loader, app, start=SLOT, end=END):
    learning.learn_peers(loader, SLOT - timedelta(minutes=1), END)
    learning.learn_addresses(loader, SLOT - timedelta(minutes=1), END)
    return topology.service_map(web, [app], start, end)


def test_an_edge_says_what_the_other_end_saw_and_what_passed_between_them(web, loader, sender, app):
    """The callee's spans are 5 ms shorter than their callers', which take 20 and 40 ms."""
    call(1, "front", "stock:8001", "stock", sender, ms=20.0)
    call(2, "front", "stock:8001", "stock", sender, ms=40.0)

    edge = between(learned_map(web, loader, app), "front", "stock")

    assert (edge.average_ms, edge.known_by, edge.is_message) == (pytest.approx(30.0), "traces", False)
    assert edge.other_end is not None
    assert (edge.other_end.requests, edge.other_end.errors) == (2, 0)
    assert edge.other_end.average_ms == pytest.approx(25.0)
    assert edge.other_end.p95_ms == pytest.approx(35.0, rel=0.02)
    assert edge.other_end.waiting_ms == pytest.approx(5.0)
    assert edge.other_end.waiting_share == pytest.approx(5 / 30)


def test_learning_a_slot_again_replaces_what_was_said_of_it(web, loader, sender, app):
    call(1, "front", "stock:8001", "stock", sender)
    learned_map(web, loader, app)
    call(2, "front", "stock:8001", "stock", sender)

    for _ in range(2):
        edge = between(learned_map(web, loader, app), "front", "stock")

    assert edge.other_end.requests == edge.requests == 2


def test_what_both_ends_say_is_of_the_time_that_is_asked_for(web, loader, sender, app):
    call(1, "front", "stock:8001", "stock", sender)

    later = learned_map(web, loader, app, start=SLOT + timedelta(minutes=5))

    assert later.edges == []


def test_a_message_is_known_by_how_long_it_lay_in_its_queue(web, loader, sender, app):
    queue = {"messaging.system": "kafka", "messaging.destination.name": "jobs"}
    sender.spans(
        "orders",
        Span(trace=b"m" * 16, id=ids(1), start=SLOT),
        Span(trace=b"m" * 16, id=ids(2), parent=ids(1), kind=PRODUCER, start=SLOT, ms=1.0, attributes=queue),
    )
    took = Span(
        trace=b"m" * 16, id=ids(3), parent=ids(2), kind=CONSUMER, start=SLOT + 250 * MS, ms=8.0, attributes=queue
    )
    sender.spans("worker", took)

    found = learned_map(web, loader, app)

    sent, taken = between(found, "orders", "jobs"), between(found, "jobs", "worker")
    assert (sent.is_message, sent.other_end) == (True, None)
    assert (taken.is_message, taken.average_ms) == (True, pytest.approx(8.0))
    assert taken.other_end.waiting_ms == pytest.approx(250.0)
    assert taken.other_end.waiting_share is None
    assert ("orders", "worker") not in edges_of(found)


def untraced_call(number: int, caller: str, peer: str, sender) -> None:
    """The caller's half: nothing of the callee carries its trace on."""
    call(number, caller, peer, "", sender)


def serving(service: str, number: int, sender, start=SLOT, **said) -> None:
    attributes = {key.replace("__", "."): value for key, value in said.items()}
    span = Span(trace=ids(number) * 2, id=ids(number), start=start, attributes=attributes)
    sender.spans(service, span, host__name="web-7", host__ip=["10.1.2.3", "fe80::7"])


@pytest.mark.parametrize("peer", ["stock.example:8001", "web-7:8001", "10.1.2.3:8001"])
def test_who_says_of_itself_where_it_answers_is_found_without_traces(web, loader, sender, app, peer):
    untraced_call(1, "front", peer, sender)
    serving("stock", 900, sender, server__address="stock.example", server__port=8001)

    edge = between(learned_map(web, loader, app), "front", "stock")

    assert (edge.requests, edge.known_by, edge.other_end) == (1, "address", None)


def test_a_service_without_a_name_is_found_by_its_address(web, loader, sender, app):
    untraced_call(1, "front", "10.9.8.7:8099", sender)
    serving("10.9.8.7:8099", 900, sender)

    assert between(learned_map(web, loader, app), "front", "10.9.8.7:8099").known_by == "address"


def test_an_address_that_two_services_claim_stays_an_address(web, loader, sender, app):
    untraced_call(1, "front", "gateway:8080", sender)
    serving("stock", 900, sender, server__address="gateway", server__port=8080)
    serving("orders", 901, sender, server__address="gateway", server__port=8080)

    assert between(learned_map(web, loader, app), "front", "gateway:8080").known_by == ""


def test_an_address_belongs_to_who_answered_there_last(web, loader, sender, app):
    """Addresses of containers are given to others."""
    untraced_call(1, "front", "stock.example:8001", sender)
    serving("old", 900, sender, server__address="stock.example", server__port=8001)
    serving("new", 901, sender, SLOT + timedelta(minutes=12), server__address="stock.example", server__port=8001)

    assert between(learned_map(web, loader, app), "front", "new").requests == 1


def test_loopback_and_names_that_nobody_calls_are_not_learned(web, loader, sender, app):
    untraced_call(1, "front", "127.0.0.1:8001", sender)
    serving("stock", 900, sender, server__address="127.0.0.1", server__port=8001)
    serving("stock", 901, sender, server__address="made-up.example", server__port=8001)

    learned_map(web, loader, app)

    assert web.rows("SELECT address FROM addresses WHERE app = {app:String}", {"app": app}) == []


def test_calls_of_two_systems_to_one_address_are_one_line(web, sender, app):
    trace, root = b"s" * 16, ids(1)
    to = {"server.address": "gate", "server.port": 80}
    sender.spans(
        "front",
        Span(trace=trace, id=root, start=SLOT),
        Span(trace=trace, id=ids(2), parent=root, kind=CLIENT, start=SLOT, attributes={**to, "http.method": "GET"}),
        Span(trace=trace, id=ids(3), parent=root, kind=CLIENT, start=SLOT, attributes={**to, "rpc.system": "grpc"}),
    )

    assert between(topology.service_map(web, [app], SLOT, END), "front", "gate:80").requests == 2


def test_the_history_of_the_map_adds_up_to_the_requests(web, sender, app):
    start = SLOT + timedelta(minutes=3)
    for number, minute in enumerate((3, 3, 9), 1):
        at = SLOT + timedelta(minutes=minute)
        sender.spans("front", Span(id=ids(number), trace=ids(number) * 2, start=at, error=number == 3))

    found = topology.history(web, [app], start, END, points=12)

    assert found.step_s == 60
    assert len(found.moments) == 12
    busy = {moment.time: (moment.requests, moment.errors) for moment in found.moments if moment.requests}
    assert busy == {start: (2, 0), SLOT + timedelta(minutes=9): (1, 1)}
    assert {moment.covered_s for moment in found.moments} == {60}
