"""What one span costs the application, for both implementations: alone, and around real calls.

Alone: CPU nanoseconds until it is encoded in the ring, beside a function call in the same loop; nothing is sent. Around
calls of Redis and SQLite: what their plugins add, by turns with and without in one process, sender included.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import time
from typing import TYPE_CHECKING, Any

from bench import report
from bench.apps.environments import ROOT
from bench.probe.collecting import collectors
from bench.probe.variants import SONDE
from sonde.probe.core import _core, twin

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.probe.collecting import Collectors
    from bench.probe.variants import Variant

SPANS = 4000
ROUNDS = 25
PROCESSES = 3
"""For each kind of real call."""
CALLS = {"redis": "GET of a Redis server", "sqlite3": "SELECT of SQLite in memory"}


def cpu_ns(loop: Callable[[int], None], after: Callable[[], object]) -> float:
    """CPU time of one turn of the loop: the median of many short rounds, since the machine is rarely ours alone."""
    rounds = []
    for _ in range(ROUNDS):
        before = time.thread_time_ns()
        loop(SPANS)
        rounds.append((time.thread_time_ns() - before) / SPANS)
        after()
    return statistics.median(rounds)


def loops(core: Any) -> dict[str, Callable[[int], None]]:
    """What is measured, by its name in the table."""
    op = core.operation("GET", core.CLIENT, {"db.system.name": "redis", "server.port": 6379})
    leaf, scope = core.leaf, core.scope

    def bare_leaf(count: int) -> None:
        for _ in range(count):
            leaf(op).finish()

    def leaf_with_attributes(count: int) -> None:
        for _ in range(count):
            span = leaf(op, "GET user")
            span.set("db.operation.name", "GET")
            span.set("server.address", "127.0.0.1")
            span.set("db.response.status_code", 200)
            span.finish()

    def bare_scope(count: int) -> None:
        for _ in range(count):
            scope(op).finish()

    def scope_with_block(count: int) -> None:
        for _ in range(count):
            with scope(op):
                pass

    def header(count: int) -> None:
        span = leaf(op)
        for _ in range(count):
            span.traceparent()
        span.finish()

    def headers(count: int) -> None:
        span = leaf(op)
        for _ in range(count):
            span.headers()
        span.finish()

    return {
        "leaf": bare_leaf,
        "leaf, name and 3 attributes": leaf_with_attributes,
        "scope": bare_scope,
        "scope, with block": scope_with_block,
        "traceparent()": header,
        "headers()": headers,
    }


def call(count: int) -> None:
    """The reference: a function that does nothing."""

    def nothing() -> None: ...

    for _ in range(count):
        nothing()


def measured(core: Any) -> dict[str, float]:
    """CPU nanoseconds by name."""
    core.start({}, "", hello={}, ring_bytes=1 << 20)
    with core.scope(core.operation("request", core.SERVER)):
        figures = {name: cpu_ns(loop, core.drain) for name, loop in loops(core).items()}
    core.drain()
    core.stop(0)
    return figures


def around_call(variant: Variant, kind: str, at: Collectors) -> dict[str, float]:
    """What a leaf adds to a real call: medians of some processes."""
    environment = variant.process_environment(os.environ, at.addresses["socket"])
    command = [str(variant.python()), "-m", "bench.apps.calls", kind, json.dumps(at.addresses)]
    found = []
    for _ in range(PROCESSES):
        answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=ROOT, env=environment, timeout=300)
        found.append(json.loads(answer.stdout.splitlines()[-1]))
    at.counts()
    return {name: statistics.median(said[name] for said in found) for name in found[0]}


def alone() -> tuple[list[str], dict[str, float]]:
    """The table of spans alone, and the native core's nanoseconds by name."""
    reference = cpu_ns(call, lambda: None)
    native, python = measured(_core), measured(twin)
    rows = [("an empty function call", f"{reference:.0f}", "1.0", f"{reference:.0f}", "1.0")]
    for name, cost in native.items():
        ours, twins = (cost, cost / reference), (python[name], python[name] / reference)
        rows.append((name, f"{ours[0]:.0f}", f"{ours[1]:.1f}", f"{twins[0]:.0f}", f"{twins[1]:.1f}"))
    return report.table(["CPU ns of", "native", "x call", "Python twin", "x call"], rows), native


def around_calls(at: Collectors) -> tuple[list[str], dict[str, dict[str, float]]]:
    """The table of spans around real calls, and the native core's figures by kind of call."""
    rows = []
    figures: dict[str, dict[str, float]] = {}
    for variant in SONDE[:2]:
        for kind, title in CALLS.items():
            found = around_call(variant, kind, at)
            figures.setdefault(kind, found)
            costs = (found["without_us"], found["added_here_us"], found["added_us"])
            rows.append([title, variant.title, *(f"{cost:.2f}" for cost in costs)])
    columns = ["call", "probe", "µs CPU without", "added in its thread", "added with the sender"]
    return report.table(columns, rows), figures


def main() -> None:
    """The tables, and `results/probe_spans.md`."""
    with collectors() as at:
        calls, _ = around_calls(at)
    spans, _ = alone()
    notes = [
        f"* Alone: median of {ROUNDS} rounds of {SPANS} each; the sender does not run.",
        f"* Around calls: medians of {PROCESSES} processes, in each some turns with and without.",
    ]
    report.page("probe_spans", "What one span costs", [*spans, "", *calls, "", *notes])


if __name__ == "__main__":
    main()
