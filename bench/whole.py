"""Every page of the console as its API answers, on a company's data, while ten thousand spans a second come in.

200 services, 2,000 endpoints; SPANS spans of the last day, sent to the real server; statistics of that day repeated for
the DAYS before it. Then each page is asked for over HTTP, as the console does, for the busiest service and others.

SONDE_BENCH_SPANS makes it smaller. SONDE_BENCH_KEEP is a folder that is filled once, and asked again each time.
"""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import psutil

from bench import report
from bench.idle import NO_SECOND_PORTS, SONDE, cpu_s, free_port, role, running, wait_ready
from bench.steady import each_second
from bench.traffic import Traffic
from sonde.server.folders import Folders
from sonde.server.insight.steps import floor_to
from sonde.server.store.client import StoreClient
from sonde.server.store.queries import long_slots

if TYPE_CHECKING:
    from collections.abc import Iterator

SPANS = int(os.environ.get("SONDE_BENCH_SPANS", "20000000"))
SERVICES, ENDPOINTS = 200, 10
APPS = ("shop", "backoffice")
DAYS = 14
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
BODY_SPANS = 50_000
INGEST_SPANS_PER_S = 10_000
CALLS = 5
WORST_MS, MIDDLE_MS = 1000, 300
_COPIED = {
    "rollup_30s": (
        "app, service, kind, is_entry, is_root, endpoint, instance, status_code, count, errors, sum_ns, min_ns, max_ns,"
        " satisfied, tolerating, error_sum_ns, histogram, by_duration, written"
    ),
    "edges_30s": "app, service, kind, peer, system, count, errors, sum_ns, max_ns, histogram, by_duration, written",
}


@dataclass
class Server:
    """A running one, and how it is spoken to."""

    port: int
    tokens: dict[str, str]
    """Of an app, for its spans."""
    read: str
    store: StoreClient
    processes: dict[str, psutil.Process]
    traffic: Traffic = field(default_factory=lambda: Traffic(services=SERVICES, endpoints=ENDPOINTS))

    def send(self, spans: int, start: datetime, end: datetime) -> None:
        """Spans of a time. Raises OSError where they are not taken."""
        bodies: dict[str, list[bytes]] = {app: [] for app in APPS}
        for app, body in self.traffic.entries(spans, int(start.timestamp() * 1e9), int(end.timestamp() * 1e9)):
            bodies[app].append(body)
        for app, parts in bodies.items():
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
            headers = {"Authorization": f"Bearer {self.tokens[app]}", "Content-Type": "application/x-protobuf"}
            while True:
                connection.request("POST", "/v1/traces", b"".join(parts), headers)
                answer = connection.getresponse()
                answer.read()
                if answer.status == 200:
                    break
                if answer.status not in {429, 503}:
                    raise OSError(f"the server answered {answer.status}")
                time.sleep(1)  # the spool is full: the store is behind
            connection.close()

    def ask(self, path: str) -> tuple[float, Any]:
        """Milliseconds, and what was answered. Raises OSError."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        began = time.perf_counter()
        connection.request("GET", f"/api/v1/{path}", headers={"Authorization": f"Bearer {self.read}"})
        answer = connection.getresponse()
        said = answer.read()
        took = (time.perf_counter() - began) * 1000
        connection.close()
        if answer.status != 200:
            raise OSError(f"{path}: {answer.status} {said[:300]!r}")
        return took, json.loads(said)


@contextlib.contextmanager
def server(folder: Path) -> Iterator[Server]:
    """On that folder, with the apps of the traffic."""
    data, port = folder / "data", free_port()
    with running([*SONDE, "up", "--data", str(data), "--port", str(port), *NO_SECOND_PORTS]) as process:
        wait_ready(port)
        tokens_file = folder / "tokens.json"
        if not tokens_file.exists():
            made = [[*SONDE, "app", "create", app, "--data", str(data)] for app in APPS]
            tokens_file.write_text(json.dumps([json.loads(subprocess.check_output(one)) for one in made]))
        apps = json.loads(tokens_file.read_text())
        read = [*SONDE, "token", "create", "--data", str(data), "--scope", "read"]
        running_one = Server(
            port,
            dict(zip(APPS, (app["token"] for app in apps), strict=True)),
            subprocess.check_output(read, text=True).strip(),
            StoreClient.embedded(Folders(data).store_socket(), "loader"),
            {role(it): it for it in psutil.Process(process.pid).children()},
        )
        yield running_one
        running_one.store.close()


def fill(target: Server, end: datetime) -> None:
    """A day of spans, and its statistics for the days before it."""
    bodies = max(1, SPANS // BODY_SPANS)
    for number in range(bodies):
        start = end - DAY + DAY * number / bodies
        target.send(min(SPANS, BODY_SPANS), start, start + DAY / bodies)
        print(f"\rsending: {(number + 1) / bodies:4.0%}", end="", file=sys.stderr, flush=True)
    while (stored := target.store.rows("SELECT count() FROM spans")[0][0]) < bodies * min(SPANS, BODY_SPANS):
        print(f"\rstored: {stored:,}", end="", file=sys.stderr, flush=True)
        time.sleep(2)
    for ago, hour, table in itertools.product(range(1, DAYS), range(24), _COPIED):
        columns = _COPIED[table]
        more = f", last_seen - INTERVAL {ago} DAY AS last_seen" if table == "rollup_30s" else ""
        names = columns + (", last_seen" if more else "")
        target.store.command(
            f"INSERT INTO {table} (slot, {names})"  # noqa: S608 - names of ours
            f" SELECT slot - INTERVAL {ago} DAY, {columns}{more} FROM {table}"
            " WHERE slot >= {start:DateTime('UTC')} AND slot < {end:DateTime('UTC')}",
            {"start": end - DAY + hour * HOUR, "end": end - DAY + (hour + 1) * HOUR},
        )
        print(f"\rdays before: {ago} of {DAYS - 1}   ", end="", file=sys.stderr, flush=True)
    print("\nlong slots", file=sys.stderr)
    long_slots.make(target.store)
    for table in ("request_slots", "edges_long", "statements_long"):  # the engine does so hours after a day is over
        target.store.command(f"OPTIMIZE TABLE {table} FINAL")


def pages(target: Server, end: datetime) -> dict[str, list[str]]:
    """What each page asks for, CALLS times, of services of all sizes."""

    def over(path: str, since: timedelta, /, **more: object) -> str:
        # a range that ends now begins with a whole slot, as in the console: web/src/domain/range.ts
        whole_s = next(length for length in (21_600, 3600, 900, 30) if length * 50 <= since.total_seconds())
        times = {"from": int(floor_to(end - since, whole_s).timestamp() * 1000), "to": int(end.timestamp() * 1000)}
        separator = "&" if "?" in path else "?"
        return f"{path}{separator}{urlencode(times | more)}"

    _, listed = target.ask(over("services", HOUR))
    names = [service["service"] for service in listed["items"]]
    some = [names[place * (len(names) - 1) // (CALLS - 1)] for place in range(CALLS)]
    _, rows = target.ask(over("traces", HOUR, limit=CALLS, order="slowest"))
    ids = [row["trace_id"] for row in rows["items"]]
    today = (end - DAY).date().isoformat()
    asked: dict[str, list[str]] = {}
    for words, since in (("1 h", HOUR), ("1 day", DAY), ("14 days", DAYS * DAY)):
        every = {
            "overview": "services",
            "statistics by service": "statistics?by=service",
            "statistics by endpoint": "statistics?by=endpoint",
            "statistics by endpoint, against last week": "statistics?by=endpoint&compare=last_week",
            "statistics by instance": "statistics?by=instance",
            "statistics by status": "statistics?by=status",
            "statistics by callee": "statistics?by=callee",
            "series": "statistics/series",
            "histogram": "statistics/histogram",
            "map": "map",
            "map's time line": "map/history",
            "slow statements": "slow",
            "errors": "errors",
            "deploys": "deploys",
        }
        asked |= {f"{name}, {words}": [over(path, since)] * CALLS for name, path in every.items()}
        one = {
            "service": "services/{}",
            "endpoints of a service": "statistics?by=endpoint&service={}",
            "series of a service": "statistics/series?service={}",
            "slowest of a service": "statistics/top?service={}",
            "traces of a service": "traces?service={}",
            "failed traces of a service": "traces?service={}&error=true",
        }
        asked |= {
            f"{name}, {words}": [over(path.format(quote(name_of)), since) for name_of in some]
            for name, path in one.items()
        }
    app = listed["items"][0]["app"]
    asked["a day in blocks"] = [f"statistics/day?{urlencode({'app': app, 'date': today})}"] * CALLS
    asked["trace"] = [f"traces/{trace}" for trace in ids]
    asked |= {name: [path] * CALLS for name, path in _NOW.items()}
    return asked


_NOW = {
    "live": "live",
    "hosts": "nodes",
    "processes": "processes",
    "alarms": "alarms",
    "alarm rules": "alarms/rules",
    "dashboards": "dashboards",
    "apps": "apps",
}


def main() -> None:
    """Fill, ask, say."""
    with contextlib.ExitStack() as stack:
        kept = os.environ.get("SONDE_BENCH_KEEP")
        folder = Path(kept or stack.enter_context(tempfile.TemporaryDirectory(prefix="sonde-bench-")))
        folder.mkdir(parents=True, exist_ok=True)
        target = stack.enter_context(server(folder))
        until = folder / "until"
        if not until.exists():
            end = datetime.now(UTC).replace(second=0, microsecond=0)
            fill(target, end)
            until.write_text(end.isoformat())
        end = datetime.fromisoformat(until.read_text())
        if "--fill" in sys.argv:
            return
        took, failed = {}, []
        before, began = {name: cpu_s(it) for name, it in target.processes.items()}, time.monotonic()
        with each_second(lambda start, end: target.send(INGEST_SPANS_PER_S, start, end)) as acknowledged:
            time.sleep(5)
            for name, paths in pages(target, end).items():
                try:
                    took[name] = [target.ask(path)[0] for path in paths]
                except OSError as error:
                    failed.append(f"{name}: {error}")
                    print(failed[-1], file=sys.stderr)
                else:
                    print(f"{name}: {statistics.median(took[name]):.0f} / {max(took[name]):.0f}", flush=True)
        seconds = time.monotonic() - began
        used = {name: (cpu_s(it) - before[name]) / seconds * 100 for name, it in target.processes.items()}
        ((spans,),) = target.store.rows(
            "SELECT count() FROM spans WHERE start_time < {end:DateTime('UTC')}", {"end": end}
        )
        sizes = target.store.rows(
            "SELECT table, sum(rows), sum(bytes_on_disk) FROM system.parts WHERE active AND database = 'sonde'"
            " GROUP BY table HAVING sum(rows) > 100000 ORDER BY sum(bytes_on_disk) DESC"
        )
    calls = sorted(one for every in took.values() for one in every)
    middle, worst = statistics.median(calls), calls[min(len(calls) * 99 // 100, len(calls) - 1)]
    slow = sum(statistics.median(every) > MIDDLE_MS for every in took.values())
    report.page(
        "whole",
        f"Pages on {spans:,} spans and {DAYS} days of statistics, {INGEST_SPANS_PER_S:,} spans a second coming in",
        [
            *report.table(
                ("page", "ms, median", "ms, longest"),
                [(name, f"{statistics.median(every):.0f}", f"{max(every):.0f}") for name, every in took.items()],
            ),
            "",
            *report.table(
                ("table", "rows", "MB on disk"),
                [(name, f"{rows:,}", f"{size / 1e6:.0f}") for name, rows, size in sizes],
            ),
            "",
            f"* All {len(calls)} calls: median {middle:.0f} ms, p99 {worst:.0f} ms; goals {MIDDLE_MS} and {WORST_MS}.",
            f"* {slow} of {len(took)} pages have a median above {MIDDLE_MS} ms.",
            *(f"* Failed: {one}" for one in failed),
            f"* {SERVICES} services of {ENDPOINTS} endpoints and 3 instances, in {len(APPS)} apps.",
            f"* Meanwhile {len(acknowledged) * INGEST_SPANS_PER_S / seconds:,.0f} spans a second were taken.",
            f"* They were acknowledged in {statistics.median(acknowledged):.2f} s, {max(acknowledged):.2f} at most.",
            "* CPU of one core meanwhile: " + ", ".join(f"{name} {share:.0f} %" for name, share in used.items()) + ".",
            f"* Load average of the machine at the end: {os.getloadavg()[0]:.1f}.",
        ],
    )


if __name__ == "__main__":
    main()
