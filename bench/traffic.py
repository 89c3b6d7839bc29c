"""Span traffic of a company of services, as the bytes their probes would send: the load of the store's benchmarks.

40 services of 3 instances, 20 endpoints each, in 2 apps. A trace has ten spans in two services: request, work, two
statements, a cache read, and a call to a second service that has its own statement, cache read, work and message.
Every span carries eight attributes; `request.id` is random, so eight bytes a span are incompressible on top of its ids.
Durations are log-normal around a median of the endpoint, 2 % of the traces fail.

Spans are pre-encoded templates with the ids and times packed in: about 3 us of Python a span.
"""

from __future__ import annotations

import os
import random
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sonde.wire.protobuf import fixed64, integer, key_value, message, text, varint

if TYPE_CHECKING:
    from collections.abc import Iterator

SERVICES = 40
INSTANCES = 3
ENDPOINTS = 20
SPANS_IN_TRACE = 10
VARIANTS = 12  # bodies prepared for each operation, so that users, paths and the like differ

_WORDS = ("orders", "cart", "payments", "users", "search", "catalog", "shipping", "auth")
_VERBS = ("GET", "POST", "PUT", "DELETE")
_INTERNAL, _SERVER, _CLIENT, _PRODUCER = 1, 2, 3, 4
_REQUEST_ID = message(9, text(1, "request.id") + message(2, text(1, "0" * 16)))[:-16]
# trace_id, span_id, parent_span_id, start, end; each with its tag and length: fields 1, 2, 4, 7, 8 of Span.
_HEAD = struct.Struct("<2s16s2s8s2s8scQcQ")
_ROOT_HEAD = struct.Struct("<2s16s2s8scQcQ")


@dataclass(slots=True)
class Operation:
    """What one kind of span says besides ids and times."""

    median_ns: int
    bodies: list[bytes]
    failed: bytes


@dataclass(slots=True)
class Service:
    """A service and the operations its requests are made of."""

    name: str
    app: str
    resources: list[bytes]
    requests: list[Operation] = field(default_factory=list)
    work: list[Operation] = field(default_factory=list)
    statements: list[Operation] = field(default_factory=list)
    cache: list[Operation] = field(default_factory=list)
    calls: list[Operation] = field(default_factory=list)
    messages: list[Operation] = field(default_factory=list)


def _operation(
    dice: random.Random, name: str, kind: int, median_us: float, attributes: dict[str, list[object]]
) -> Operation:
    def body(*, failed: bool) -> bytes:
        said = b"".join(key_value(9, key, dice.choice(values)) for key, values in attributes.items())
        status = message(15, text(2, "upstream answered 500") + integer(3, 2)) if failed else b""
        return text(5, name) + integer(6, kind) + said + status + _REQUEST_ID

    return Operation(int(median_us * 1000), [body(failed=False) for _ in range(VARIANTS)], body(failed=True))


class Traffic:
    """An endless stream of traces; the same seed gives the same services and the same shape of the load."""

    def __init__(self, seed: int = 7, *, services: int = SERVICES, endpoints: int = ENDPOINTS) -> None:
        self._dice = random.Random(seed)
        self._endpoints = endpoints
        self.services = [self._service(number) for number in range(services)]
        for number, service in enumerate(self.services):
            self._connect(service, self.services[(number * 3 + 1) % services])

    def _service(self, number: int) -> Service:
        dice, word = self._dice, _WORDS[number % len(_WORDS)]
        name = f"{word}-{number:02d}"
        service = Service(name, ("shop", "backoffice")[number % 2], [])
        for instance in range(INSTANCES):
            facts: dict[str, object] = {
                "service.name": name,
                "service.instance.id": f"{name}-{instance}@10.4.{number}.{instance}",
                "host.name": f"node-{(number + instance) % 12}",
                "process.pid": 4000 + number * 10 + instance,
                "telemetry.sdk.language": "python",
            }
            service.resources.append(message(1, b"".join(key_value(1, key, value) for key, value in facts.items())))
        pods: list[object] = [f"pod-{dice.getrandbits(16):04x}-{dice.getrandbits(16):04x}" for _ in range(5)]
        threads: list[object] = [f"worker-{number}" for number in range(16)]
        users: list[object] = [f"u-{dice.randrange(50_000)}" for _ in range(400)]
        for endpoint in range(self._endpoints):
            verb, route = dice.choice(_VERBS), f"/api/v{1 + endpoint % 3}/{word}/{{id}}/{endpoint}"
            median_us = 2000 + dice.randrange(50_000)
            common: dict[str, list[object]] = {"thread.name": threads, "k8s.pod.name": pods}
            http: dict[str, list[object]] = {
                "http.request.method": [verb],
                "http.route": [route],
                "http.response.status_code": [200] * 20 + [201, 302, 404],
                "url.path": [route.replace("{id}", str(dice.randrange(10_000))) for _ in range(100)],
                "user.id": users,
            }
            service.requests.append(_operation(dice, f"{verb} {route}", _SERVER, median_us, http | common))
            service.work.append(
                _operation(
                    dice,
                    f"render {word} {endpoint}",
                    _INTERNAL,
                    median_us / 4,
                    common
                    | {
                        "code.function.name": [f"render_{endpoint}"],
                        "feature": ["a", "b"],
                        "tenant": [f"t-{n}" for n in range(50)],
                        "region": ["eu", "us"],
                        "user.id": users,
                    },
                )
            )
            sql = (
                f"SELECT o.id, o.total, u.name FROM {word}_{endpoint} o JOIN users u ON u.id = o.user_id"  # noqa: S608 - never run
                f" WHERE o.status = ? AND o.created_at > ? LIMIT {endpoint}"
            )
            database: dict[str, list[object]] = {
                "db.system.name": ["postgresql"],
                "db.namespace": [f"db{number % 10}"],
                "db.query.text": [sql],
                "server.address": [f"postgres-{number % 10}.internal"],
                "server.port": [5432],
            }
            service.statements.append(
                _operation(dice, f"SELECT {word}_{endpoint}", _CLIENT, median_us / 10, database | common)
            )
            redis: dict[str, list[object]] = {
                "db.system.name": ["redis"],
                "db.operation.name": ["GET"],
                "server.address": [f"redis-{number % 5}.internal"],
                "server.port": [6379],
                "cache.hit": [True, True, True, False],
            }
            service.cache.append(_operation(dice, "GET", _CLIENT, 300, redis | common))
            queue: dict[str, list[object]] = {
                "messaging.system": ["kafka"],
                "messaging.destination.name": [f"topic-{number % 30}"],
                "messaging.operation.type": ["send"],
                "messaging.destination.partition.id": [str(n) for n in range(16)],
                "server.address": [f"kafka-{number % 3}.internal"],
            }
            service.messages.append(_operation(dice, f"send topic-{number % 30}", _PRODUCER, 900, queue | common))
        return service

    def _connect(self, service: Service, target: Service) -> None:
        for endpoint in range(self._endpoints):
            attributes: dict[str, list[object]] = {
                "http.request.method": ["GET"],
                "http.response.status_code": [200] * 20 + [404],
                "url.full": [
                    f"http://{target.name}.internal:8080/api/{self._dice.randrange(10_000)}" for _ in range(100)
                ],
                "server.address": [f"{target.name}.internal"],
                "server.port": [8080],
                "thread.name": [f"worker-{number}" for number in range(16)],
                "retry": [0, 0, 0, 1],
            }
            service.calls.append(_operation(self._dice, "GET", _CLIENT, 8000 + endpoint * 500, attributes))

    def entries(self, spans: int, start_ns: int, end_ns: int) -> Iterator[tuple[str, bytes]]:
        """(app, ExportTraceServiceRequest) of about `spans` spans that start in the given time.

        One request for each instance that took part.
        """
        by_instance: dict[tuple[int, int], list[bytes]] = {}
        dice, count = self._dice, len(self.services)
        traces = max(1, spans // SPANS_IN_TRACE)
        pace = (end_ns - start_ns) / traces
        for number in range(traces):
            at = int(start_ns + number * pace)
            first = min(int(dice.paretovariate(1.1) * 3) - 3, count - 1)
            self._trace(by_instance, first, (first * 3 + 1) % count, at)
        for (service, instance), encoded in by_instance.items():
            owner = self.services[service]
            scope = message(1, text(1, "bench"))
            body = message(1, owner.resources[instance] + message(2, scope + b"".join(encoded)))
            yield owner.app, body

    def _trace(self, by_instance: dict[tuple[int, int], list[bytes]], first: int, second: int, at: int) -> None:
        dice = self._dice
        roll, vary = dice.random, dice.getrandbits
        ids = os.urandom(16 + 8 * SPANS_IN_TRACE + 8 * SPANS_IN_TRACE)
        trace_id, ids = ids[:16], ids[16:]
        hexes = ids[8 * SPANS_IN_TRACE :].hex().encode()
        a, b = self.services[first], self.services[second]
        endpoint = min(int(roll() * roll() * self._endpoints), self._endpoints - 1)
        failed = roll() < 0.02
        here = by_instance.setdefault((first, int(roll() * INSTANCES)), [])
        there = by_instance.setdefault((second, int(roll() * INSTANCES)), [])
        slow = dice.lognormvariate(0, 0.9)
        # (spans of, operation, parent's number, offset as a share of the request)
        plan = (
            (here, a.requests[endpoint], -1, 0.0),
            (here, a.work[endpoint], 0, 0.02),
            (here, a.statements[endpoint], 1, 0.05),
            (here, a.statements[(endpoint + 1) % self._endpoints], 1, 0.2),
            (here, a.cache[endpoint], 0, 0.35),
            (here, a.calls[endpoint], 0, 0.4),
            (there, b.requests[endpoint], 5, 0.42),
            (there, b.statements[endpoint], 6, 0.45),
            (there, b.cache[endpoint], 6, 0.6),
            (there, b.messages[endpoint], 6, 0.65),
        )
        whole = a.requests[endpoint].median_ns * slow
        for number, (spans, operation, parent, offset) in enumerate(plan):
            start = at + int(whole * offset)
            end = start + int(operation.median_ns * slow * (0.7 + 0.6 * roll()))
            span_id = ids[8 * number : 8 * number + 8]
            if parent < 0:
                head = _ROOT_HEAD.pack(b"\x0a\x10", trace_id, b"\x12\x08", span_id, b"\x39", start, b"\x41", end)
            else:
                parent_id = ids[8 * parent : 8 * parent + 8]
                head = _HEAD.pack(
                    b"\x0a\x10", trace_id, b"\x12\x08", span_id, b"\x22\x08", parent_id, b"\x39", start, b"\x41", end
                )
            body = operation.failed if failed and number in (0, 5, 6) else operation.bodies[vary(16) % VARIANTS]
            spans.append(
                b"".join(
                    (b"\x12", varint(len(head) + len(body) + 16), head, body, hexes[16 * number : 16 * number + 16])
                )
            )


def spool_entry(app: str, received_ns: int, request: bytes) -> bytes:
    """A length-delimited `Entry` of a spool file of traces."""
    entry = text(1, app) + fixed64(2, received_ns) + message(3, os.urandom(16)) + message(4, request)
    return varint(len(entry)) + entry
