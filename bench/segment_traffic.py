"""Traffic of services with SkyWalking's agents, as the SegmentObjects they send: the load of the segments' benchmark.

20 services of 3 instances, half of them with ids as Python's agent makes them, half as PHP's. A segment has four to
eight spans: a request, and what it calls: statements, reads of a cache, and in every second one a service that answers
with a segment of its own. Tags are those that the agents send, three or four a span; one statement in eight has a
literal in it.
"""

from __future__ import annotations

import random
import uuid
from typing import TYPE_CHECKING

from sonde.wire.protobuf import integer, message, text

if TYPE_CHECKING:
    from collections.abc import Iterator

SERVICES, INSTANCES, ENDPOINTS = 20, 3, 20
LEAST_SPANS, MOST_SPANS = 4, 8
_WORDS = ("orders", "cart", "payments", "users", "search", "catalog", "shipping", "auth")
_DATABASE, _HTTP, _CACHE = 1, 3, 5


def _tags(**pairs: str) -> bytes:
    said = ((key.replace("__", "."), value) for key, value in pairs.items())
    return b"".join(message(12, text(1, key) + text(2, value)) for key, value in said)


class SegmentTraffic:
    """An endless stream of segments; the same seed gives the same services and the same shape of the load."""

    def __init__(self, seed: int = 7) -> None:
        self._dice = random.Random(seed)
        self._counter = 0

    def segments(self, spans: int, at_ms: int) -> Iterator[tuple[bytes, int]]:
        """SegmentObjects and how many spans each has, of about `spans` spans in all, in the minute before `at_ms`."""
        made = 0
        while made < spans:
            for segment, count in self._trace(at_ms - self._dice.randrange(60_000)):
                yield segment, count
                made += count

    def _trace(self, start_ms: int) -> list[tuple[bytes, int]]:
        callee, caller = self._dice.sample(range(SERVICES), 2)
        trace, segment = self._id(caller), self._id(caller)
        instance = f"instance-{self._dice.randrange(INSTANCES)}"
        first, exit_span = self._segment(caller, instance, trace, segment, start_ms, b"", calls=f"10.0.0.{callee}:8080")
        if not exit_span:
            return [first]
        ref = text(2, trace) + text(3, segment) + integer(4, exit_span) + text(5, f"service-{caller}")
        ref += text(6, instance) + text(7, "/orders") + text(8, f"10.0.0.{callee}:8080")
        second, _ = self._segment(
            callee,
            f"instance-{self._dice.randrange(INSTANCES)}",
            trace,
            self._id(callee),
            start_ms + 2,
            message(5, ref),
        )
        return [first, second]

    def _id(self, service: int) -> str:
        if service % 2:
            return uuid.UUID(int=self._dice.getrandbits(128)).hex
        self._counter += 1
        return f"{self._dice.getrandbits(128):032x}.{8000 + service}.{1_000_000 + self._counter}"

    def _segment(
        self, service: int, instance: str, trace: str, segment: str, start_ms: int, ref: bytes, calls: str = ""
    ) -> tuple[tuple[bytes, int], int]:
        """The segment with its number of spans, and the number of the span that calls `calls`, 0 where none does."""
        count = self._dice.randint(LEAST_SPANS, MOST_SPANS)
        exit_span = count - 1 if calls and self._dice.random() < 0.5 else 0
        spans = [self._call(number, start_ms, calls if number == exit_span else "") for number in range(1, count)]
        path = f"/{self._dice.choice(_WORDS)}/{self._dice.randrange(ENDPOINTS)}"
        root = integer(2, -1) + integer(3, start_ms) + integer(4, start_ms + self._dice.randrange(1, 300)) + ref
        root += text(6, path) + text(7, f"10.1.0.9:{self._dice.randrange(30_000, 60_000)}") + integer(9, _HTTP)
        root += integer(10, 7001) + (integer(11, 1) if self._dice.random() < 0.02 else b"")
        root += _tags(http__method="GET", http__url=f"http://service-{service}:8080{path}", http__status_code="200")
        body = b"".join(message(3, span) for span in [*spans, root])
        head, tail = text(1, trace) + text(2, segment), text(4, f"service-{service}") + text(5, instance)
        return (head + body + tail, count), exit_span

    def _call(self, number: int, start_ms: int, calls: str) -> bytes:
        start = start_ms + number
        head = integer(1, number) + integer(3, start) + integer(4, start + self._dice.randrange(20))
        word = self._dice.choice(_WORDS)
        if calls:
            tags = _tags(http__method="GET", http__url=f"http://{calls}/{word}", http__status_code="200")
            return head + text(6, f"/{word}") + text(7, calls) + self._exit(_HTTP, 7002) + tags
        if self._dice.random() < 0.5:
            tags = _tags(cache__type="Redis", cache__cmd="GET", cache__op="read", cache__key=f"{word}:{number}")
            return head + text(6, "Redis/GET") + text(7, "redis:6379") + self._exit(_CACHE, 7) + tags
        where = f"id = {self._dice.randrange(10**6)}" if self._dice.random() < 0.125 else "id = %s"
        tags = _tags(db__type="mysql", db__instance="shop", db__statement=f"SELECT * FROM {word} WHERE {where}")  # noqa: S608 - nobody runs it
        return head + text(6, "Mysql/PyMsql/execute") + text(7, "db:3306") + self._exit(_DATABASE, 7003) + tags

    @staticmethod
    def _exit(layer: int, component: int) -> bytes:
        return integer(8, 1) + integer(9, layer) + integer(10, component)
