from __future__ import annotations

from datetime import timedelta

import pytest
from otlp_making import CLIENT, CONSUMER, MS, PRODUCER, SLOT, Span

from sonde.server.store.queries import services, topology

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
    topology.learn_peers(loader, SLOT - timedelta(minutes=1), END)
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
        topology.learn_peers(loader, SLOT - timedelta(minutes=1), END)

    assert edges_of(topology.service_map(web, [app], SLOT, END))[("front", "stock")] == 2


def test_calls_to_a_gateway_are_shared_out_among_the_services_behind_it(web, loader, sender, app):
    for number in range(1, 4):
        call(number, "front", "gateway:80", "orders", sender)
    call(4, "front", "gateway:80", "stock", sender)

    topology.learn_peers(loader, SLOT - timedelta(minutes=1), END)
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
    topology.learn_peers(loader, SLOT - timedelta(minutes=1), END)

    front = services.report(web, [app], "front", SLOT, END, 500)
    stock = services.report(web, [app], "stock", SLOT, END, 500)

    assert front is not None
    assert stock is not None
    assert [(near.name, near.type, near.requests) for near in front.callees] == [("stock", "service", 2)]
    assert [(near.name, near.type, near.requests) for near in stock.callers] == [("front", "service", 2)]
    assert stock.callers[0].average_ms == pytest.approx(30.0)
    assert (front.callers, stock.callees) == ([], [])
