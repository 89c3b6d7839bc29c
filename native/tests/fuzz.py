"""Random calls into the recorder, the same into both implementations: neither may raise, both write the same spans.

    fuzz.py SECONDS [SEED]

`make fuzz` runs it on a core under Address- and UndefinedBehaviorSanitizer. What fails is printed with its seed.
"""

from __future__ import annotations

import importlib
import math
import random
import sys
import time
from typing import Any

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from sonde.probe import propagation
from sonde.wire import b3, baggage, sw8, traceparent, tracestate

CORES = [importlib.import_module(f"sonde.probe.core.{name}") for name in ("_core", "twin")]
HEADERS = [
    "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "1-MS4yLjM=-NC41LjY=-7-c2hvcA==-aQ==-L2U=-aDox",
    "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1",
    "tenant=acme;p=1,user=%C3%BC",
    "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7",
]


NOT_ALIKE = {"rings", "cut_values"}  # the one makes its rings anew, and cuts a name for a header twice
SPANS = ("leaf", "scope", "silence")
METHODS = ("set", "set_many", "rename", "event", "link", "fail", "headers", "into_lines", "into_pairs")
NAMES = (*SPANS, *METHODS, "set", "finish", "finish", "sample")


class Evil(str):
    """A text of a class whose methods are somebody else's."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("compared")

    def __hash__(self) -> int:
        return 7

    def __str__(self) -> str:
        raise RuntimeError("shown")


class EvilError(Exception):
    """An exception that cannot be shown."""

    def __str__(self) -> str:
        raise RuntimeError("shown")


def text(draw: random.Random) -> str:
    """Any text, short more often than long."""
    size = draw.choice([0, 1, 1, 5, 5, 20, 20, 200, 1100])
    kind = draw.random()
    if kind < 0.5:
        return "".join(draw.choices("abcXYZ019 _-./=,;:%\n\0", k=size))
    return "".join(chr(draw.choice([0x41, 0xE9, 0x20AC, 0xD800, 0xDFFF, 0x1F600, 0x7FF, 0xFFFF])) for _ in range(size))


def value(draw: random.Random, depth: int = 0) -> Any:
    """Any value, most of them of no use to anybody."""
    kind = draw.randrange(12)
    if kind < 4:
        return text(draw)
    if kind == 4:
        return draw.choice([0, 1, -1, 127, 128, 1 << 31, (1 << 63) - 1, 1 << 63, -(1 << 63) - 1, 10**400])
    if kind == 5:
        return draw.choice([0.0, -0.0, 1.5, math.inf, -math.inf, math.nan])
    if kind == 6:
        return draw.choice([True, False, None])
    if kind == 7:
        return draw.randbytes(draw.choice([0, 3, 100, 2000]))
    if kind < 10 and depth < 3:
        return draw.choice([list, tuple])(value(draw, depth + 1) for _ in range(draw.choice([0, 1, 1, 3, 20])))
    return draw.choice([object(), {}, {1}, Evil("evil"), type, 1j, range(3)])


def mutated(draw: random.Random) -> Any:
    """A header, changed a little."""
    header = list(draw.choice(HEADERS))
    for _ in range(draw.choice([0, 0, 1, 2, 5])):
        at = draw.randrange(len(header) + 1)
        header[at : at + draw.randrange(3)] = draw.choices("0aZ-=,%\u00fc\ud800 ", k=draw.randrange(3))
    return draw.choice(["".join(header), "".join(header), "".join(header), None, 5, b"x", (), ("a",) * 4])


def plan(draw: random.Random) -> list[tuple[Any, ...]]:
    """Calls, each a name, which of the open spans it is for, and arguments."""
    calls: list[tuple[Any, ...]] = []
    for _ in range(draw.randrange(1, 40)):
        name = draw.choice(NAMES)
        which = draw.randrange(6)
        if name in {"leaf", "scope", "silence"}:
            attributes = {text(draw): value(draw) for _ in range(draw.randrange(4))}
            calls.append((name, which, text(draw), draw.randrange(1, 6), attributes, mutated(draw)))
        elif name == "set":
            calls.append(
                (name, which, draw.choice([text(draw), "http.response.status_code", value(draw)]), value(draw))
            )
        elif name == "set_many":
            calls.append((name, which, {text(draw): value(draw) for _ in range(draw.choice([0, 3, 3, 3, 150]))}))
        elif name == "rename":
            calls.append((name, which, value(draw)))
        elif name == "event":
            calls.append((name, which, value(draw), {text(draw): value(draw) for _ in range(draw.randrange(4))}))
        elif name == "link":
            calls.append((name, which, draw.choice(["a" * 32, value(draw)]), draw.choice(["b" * 16, value(draw)])))
        elif name == "fail":
            calls.append(
                (name, which, draw.choice([None, ValueError("x"), EvilError(), KeyboardInterrupt()]), text(draw))
            )
        elif name == "headers":
            calls.append((name, which, draw.choice([None, text(draw)])))
        elif name == "into_lines":
            calls.append((name, which, [draw.choice([b"Host: x", b"Traceparent: y", b""]) for _ in range(3)]))
        elif name == "into_pairs":
            calls.append((name, which, [(draw.choice([b"host", b"traceparent"]), b"") for _ in range(2)]))
        elif name == "sample":
            calls.append((name, which, draw.choice([0.0, 1.0]), draw.choice([0.0, 1e-6])))
        else:
            calls.append((name, which))
    return calls


def carried_out(core: Any, calls: list[tuple[Any, ...]]) -> list[Any]:
    """What a core made of the calls: spans as far as they do not depend on ids and times, and its counters."""
    core.stop(0)
    core.drain()
    core.take_tallies()
    core.start({}, "", hello={})
    core.sample(1.0, 0.0, True)
    core.propagate(True, b"c2hvcA==-aQ==", True, None, False)
    before = core.counters()
    open_spans: list[Any] = []
    for name, which, *arguments in calls:
        if name in {"leaf", "scope", "silence"}:
            title, kind, attributes, remote = arguments
            operation = core.operation(title, kind, attributes)
            if name == "scope":
                open_spans.append(core.scope(operation, remote=remote))
            else:
                open_spans.append(getattr(core, name)(operation))
        elif name == "sample":
            core.sample(arguments[0], arguments[1], True)
        elif open_spans:
            span = open_spans[which % len(open_spans)]
            own = [
                list(argument) if isinstance(argument, list) and name.startswith("into") else argument
                for argument in arguments
            ]
            getattr(span, name)(*own)
    for span in reversed(open_spans):
        span.finish()
    spans = [known(Span.FromString(data)) for data in core.drain()]
    tallies = sorted((row[:6], row[7]) for row in core.take_tallies())
    counts = {name: count - before[name] for name, count in core.counters().items() if name not in NOT_ALIKE}
    core.stop(0)
    return [spans, tallies, counts]


def known(span: Span) -> tuple[Any, ...]:
    """What is the same whoever recorded it."""
    attributes = [(pair.key, str(pair.value)) for pair in span.attributes]
    events = [
        (event.name, [(pair.key, str(pair.value)) for pair in event.attributes if pair.key != "exception.stacktrace"])
        for event in span.events
    ]
    links = [(link.trace_id, link.span_id) for link in span.links]
    dropped = span.dropped_attributes_count, span.dropped_events_count, span.dropped_links_count
    return (
        span.name,
        span.kind,
        attributes,
        events,
        links,
        dropped,
        str(span.status),
        span.flags,
        bool(span.parent_span_id),
    )


def difference(native: Any, twin: Any) -> str:
    """The first place where they are not alike."""
    if isinstance(native, dict):
        return str({name: (native[name], twin[name]) for name in native if native[name] != twin[name]})
    pairs = enumerate(zip(native, twin, strict=False))
    where = next((at for at, (one, other) in pairs if one != other), min(len(native), len(twin)))
    return f"number {where} of {len(native)} and {len(twin)}: {native[where:][:1]!s:.800} | {twin[where:][:1]!s:.800}"


def headers_are_read(draw: random.Random) -> None:
    """No header makes a parser raise; what is read can be written and read again."""
    names = draw.sample(propagation.READ, draw.randrange(len(propagation.READ)))
    found = {name: header for name in names if isinstance(header := mutated(draw), str)}
    remote = propagation.incoming(found.get)
    for core in CORES:
        core.start({}, "", hello={})
        core.scope(core.operation("x", core.SERVER), remote=remote).finish()
        core.drain()
        core.stop(0)
    for header in found.values():
        for parse in (traceparent.parse, sw8.parse, b3.parse_single):
            parse(header)
        again = baggage.written(baggage.parse(header))
        assert baggage.written(baggage.parse(again)) == again
        state = tracestate.passed_on(header)
        assert tracestate.passed_on(state) == state


def main(seconds: float, seed: int) -> None:
    """Run for that long."""
    until, runs = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        draw = random.Random(seed + runs)  # noqa: S311 - to be repeated, not secret
        calls = plan(draw)
        try:
            native, twin = (carried_out(core, calls) for core in CORES)
            for one, other in zip(native, twin, strict=True):
                assert one == other, difference(one, other)
            headers_are_read(draw)
        except BaseException:
            print(f"fuzz: found with seed {seed + runs}", flush=True)
            raise
        runs += 1
    print(f"fuzz: {runs} runs from seed {seed}, nothing found")


if __name__ == "__main__":
    main(float(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else time.time_ns() % (1 << 32))
