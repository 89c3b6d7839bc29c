"""The page of the benchmark `peers`: goals, tables, notes, and the picture."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench import picture, probe_spans, report
from bench.probe import requests, starts
from bench.probe.variants import BARE, KINDS, PEERS, SONDE

if TYPE_CHECKING:
    from pathlib import Path

    from bench.probe.requests import Figures
    from bench.probe.starts import Added
    from bench.probe.variants import Variant

APPLICATIONS = {"flask": "Flask", "fastapi": "FastAPI"}

NOTES = """
A request: one entry, five Redis commands, one HTTP call. The transports are faked below the libraries, so what is \
measured is the libraries' work and the probes'. Each application runs in a loop, without a server.
`µs CPU` is of all threads of a process until the last byte is sent: medians of {rounds} rounds of fresh processes, in \
which all variants take {turns} turns of some hundred requests, of which the first half is not counted. `added` is the \
median of the differences to the bare application's turns before and after, `middle half` where the middle half of the \
rounds lies. What Sonde adds where it is not started at all says how far such figures can be trusted.
`calls added` are functions called in the request's own thread, in Python and in C, as sys.setprofile sees them: a \
figure that does not depend on the machine.
`spans` and `bytes sent` are for one request, as a local collector counted them; a run in which one span is missing is \
no result. Spans that are not sampled are counted in summaries, a few for a process.
Every peer has an environment of its own with the same versions of the application's libraries, records every request, \
and sends to a collector on this machine.
Starts: what is added to the same program without a probe; medians of {starts}. Bytecode is compiled. Sonde is brought \
by `sonde run`, the others are set up in the first lines of the program, which then ends by itself.
Around real calls: by turns with and without within one process, medians of {processes} processes.
"""


@dataclass
class Found:
    """Everything that was measured."""

    rounds: int
    start_rounds: int
    peers: list[Variant] = field(default_factory=list)
    """Those that could be."""
    missing: dict[str, str] = field(default_factory=dict)
    """Title of a peer → why it could not."""
    requests: dict[str, dict[str, Figures]] = field(default_factory=dict)
    """Application → variant → figures."""
    switched: dict[str, dict[str, float]] = field(default_factory=dict)
    """Application → what Sonde adds within one process."""
    starts: dict[tuple[str, str], Added] = field(default_factory=dict)
    """Variant and program → figures."""
    calls: dict[str, dict[str, float]] = field(default_factory=dict)
    """Kind of call → what a leaf around it adds."""
    spans_ns: dict[str, float] = field(default_factory=dict)
    span_tables: list[str] = field(default_factory=list)

    def added_us(self, variant: str, kind: str) -> float:
        """To a request."""
        return self.requests[kind][variant].added

    def calls_added(self, variant: str, kind: str) -> float:
        """To a request."""
        figures = self.requests[kind]
        return figures[variant].calls - figures["bare"].calls


def lines(found: Found) -> list[str]:
    """Of the page, below its title."""
    out = ["![CPU added to a request](probe.svg)", "", *_goals(found), ""]
    for kind, title in KINDS.items():
        out += [f"## A request of {title}", "", *_requests(found, kind), ""]
    out += ["## The start of a process", "", *_starts(found), ""]
    out += ["## A span", "", *found.span_tables, "", "## How it was measured", ""]
    notes = NOTES.format(
        rounds=found.rounds, turns=requests.TURNS, starts=found.start_rounds, processes=probe_spans.PROCESSES
    )
    out += [f"* {note}" for note in notes.strip().splitlines()]
    out += [f"* {peer.title}: {peer.note}." for peer in found.peers if peer.note]
    return out + [f"* {title} could not be measured: {reason}" for title, reason in found.missing.items()]


def draw(found: Found, path: Path) -> None:
    """The picture: what a request costs more with each."""
    picture.bars(
        path,
        "CPU added to a request of seven operations, every one recorded (logarithmic)",
        list(APPLICATIONS.values()),
        [
            (variant.title, [found.added_us(variant.name, kind) for kind in KINDS])
            for variant in (*SONDE[:3], *sorted(found.peers, key=lambda peer: found.added_us(peer.name, "flask")))
        ],
        {variant.title for variant in SONDE},
    )


def _goals(found: Found) -> list[str]:
    """Each goal, what was found, and whether that is good enough."""
    rows: list[list[str]] = []

    def at_most(goal: str, limit: float, unit: str, value: float) -> None:
        row = [goal, f"≤ {limit:g} {unit}".strip(), f"{value:.1f} {unit}".strip()]
        rows.append([*row, "reached" if value <= limit else "not reached"])

    def at_least(goal: str, limit: float, value: float) -> None:
        rows.append([goal, f"≥ {limit:g}×", f"{value:.0f}×", "reached" if value >= limit else "not reached"])

    for kind, limit in {"flask": 10, "fastapi": 12}.items():
        title = APPLICATIONS[kind]
        ours = found.added_us("sonde", kind)
        peers = {peer.name: found.added_us(peer.name, kind) for peer in found.peers}
        at_most(f"added to a {title} request", limit, "µs", ours)
        at_most("the same within one process, by turns", limit, "µs", found.switched[kind]["added_us"])
        at_most("of that, in the request's thread", limit, "µs", found.switched[kind]["added_here_us"])
        if peers:
            at_least(f"{title}: below the best peer", 15, min(peers.values()) / ours)
        if "opentelemetry" in peers:
            at_least(f"{title}: below OpenTelemetry", 50, peers["opentelemetry"] / ours)
        at_most(f"{title}: Python twin", 30, "µs", found.added_us("sonde_python", kind))
        at_most(f"{title}: unsampled", 3, "µs", found.added_us("sonde_unsampled", kind))
        for off in SONDE[3:]:
            state = f"{off.title.partition(', ')[2]} ({found.calls_added(off.name, kind):+.0f} calls)"
            at_most(f"{title}: {state}", 0.5, "µs", found.added_us(off.name, kind))
    for kind, title in probe_spans.CALLS.items():
        at_most(f"a leaf around a {title}", 1, "µs", found.calls[kind]["added_here_us"])
    at_most("a leaf alone", 120, "ns", found.spans_ns["leaf"])
    own = [found.starts["sonde", kind] for kind in starts.PROGRAMS]
    at_most("start: CPU added to an empty program", 10, "ms", statistics.median(own[0].cpu_ms))
    at_most("start: memory added to any of the programs", 4, "MB", max(map(starts.megabytes, own)))
    threads = found.requests["flask"]["sonde"].threads - found.requests["flask"]["bare"].threads
    at_most("threads added, while requests are served", 1, "", threads)
    return report.table(["goal", "limit", "found", ""], rows)


def _requests(found: Found, kind: str) -> list[str]:
    figures = found.requests[kind]
    bare = statistics.median(figures["bare"].us)
    rows = []
    for variant in (BARE, *SONDE, *found.peers):
        mine = figures[variant.name]
        whole = statistics.median(mine.us)
        row = [variant.title, f"{whole:.0f}"]
        if variant is BARE:
            row += [""] * 5
        else:
            low, high = mine.quarters
            times = f"{mine.added / found.added_us('sonde', kind):.0f}" if variant in found.peers else ""
            row += [f"{mine.added:.1f}", f"{low:.1f} … {high:.1f}", f"{whole / bare:.2f}", times]
            row += [f"{found.calls_added(variant.name, kind):+.0f}"]
        rows.append([*row, str(variant.spans[kind]), f"{mine.bytes:.0f}", str(mine.threads)])
    rows += [[peer.title, "not measured, see below", *[""] * 8] for peer in PEERS if peer.title in found.missing]
    columns = [
        "probe",
        "µs CPU",
        "added µs",
        "middle half",
        "× bare",
        "× Sonde's",
        "calls added",
        "spans",
        "bytes sent",
    ]
    return report.table([*columns, "threads"], rows)


def _starts(found: Found) -> list[str]:
    columns = ["program", "probe", "CPU ms added", "wall ms added", "MB added", "threads added", "modules added"]
    rows = [
        [program, variant.title, *starts.cells(found.starts[variant.name, kind])]
        for kind, program in starts.PROGRAMS.items()
        for variant in (*starts.UNDER_RUN, *found.peers)
    ]
    return report.table(columns, rows)
