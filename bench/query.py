"""What a page waits for: the console's queries on five million spans, idle and while ten thousand a second come in.

An hour of traffic (`bench.traffic`) is loaded the way the server does it, as spool files through the store process.
Then each query runs through the same functions as the pages. Reference: the same figures from the spans themselves,
for the queries that read merged statistics.

SONDE_BENCH_SPANS makes it smaller, SONDE_BENCH_DIR says where the store lies (about 1.5 GB while it runs).
"""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from bench import report
from bench.steady import each_second
from bench.traffic import Traffic, spool_entry
from sonde.server.store.client import StoreClient
from sonde.server.store.intake_statements import SETTINGS, STATEMENTS
from sonde.server.store.migrate import migrate
from sonde.server.store.queries import learning, live, services, topology, traces
from sonde.server.store.queries.attributes import Condition
from sonde.server.store.queries.scope import scope

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SPANS = int(os.environ.get("SONDE_BENCH_SPANS", "5000000"))
FILE_SPANS = 50_000
HOUR = timedelta(hours=1)
QUARTER = timedelta(minutes=15)
CALLS = 15
LONGEST_S = 8.0
"""A query is not called again after it took so long altogether."""
INGEST_SPANS_PER_S = 10_000

_RAW = """
    SELECT {keys}, count(), countIf(is_error), sum(duration_ns), max(duration_ns),
        quantilesTDigest(0.5, 0.95, 0.99)(duration_ns)
    FROM spans
    WHERE start_time >= toDateTime({{start_s:Int64}}, 'UTC') AND start_time < toDateTime({{end_s:Int64}}, 'UTC') {more}
    GROUP BY ALL"""
_STATEMENTS = """
    SELECT statement, count(), max(duration_ns), avg(duration_ns) FROM spans
    WHERE start_time >= toDateTime({start_s:Int64}, 'UTC') AND start_time < toDateTime({end_s:Int64}, 'UTC')
        AND statement != ''
    GROUP BY statement ORDER BY 3 DESC LIMIT 20"""
_STEP = "toStartOfInterval(start_time, INTERVAL 60 SECOND)"


class Store:
    """A store process on a folder of its own, with the schema."""

    def __init__(self, folder: Path, process: psutil.Process) -> None:
        self._folder = folder
        self._process = process
        self._files = itertools.count()
        self.loader = StoreClient.embedded(folder / "socket", "loader")
        self.web = StoreClient.embedded(folder / "socket", "web")
        migrate(self.loader)

    def load(self, traffic: Traffic, spans: int, start: datetime, end: datetime) -> float:
        """One spool file; CPU seconds that the process spent on it."""
        start_ns, end_ns = (int(time.timestamp() * 1e9) for time in (start, end))
        path = self._folder / "spool" / f"{next(self._files)}.traces.pb"
        entries = traffic.entries(spans, start_ns, end_ns)
        path.write_bytes(b"".join(spool_entry(app, end_ns, request) for app, request in entries))
        before = self.cpu_s()
        settings = {**SETTINGS, "insert_deduplication_token": path.name}
        self.loader.insert_file(STATEMENTS["traces"], path, settings=settings)
        path.unlink()
        return self.cpu_s() - before

    def cpu_s(self) -> float:
        """CPU seconds of the process so far."""
        times = self._process.cpu_times()
        return float(times.user + times.system)

    def settle(self) -> None:
        """Wait until the parts of a day are few, as they are after an hour of real time."""
        for table in ("spans", "rollup_30s", "edges_30s", "trace_times"):
            self.loader.command(f"OPTIMIZE TABLE {table}")

    def close(self) -> None:
        """Both clients."""
        self.loader.close()
        self.web.close()


@contextlib.contextmanager
def store() -> Iterator[Store]:
    """A store that is there for the benchmark alone."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("SONDE_BENCH_DIR")) as name:
        folder = Path(name)
        (folder / "spool").mkdir()
        command = [sys.executable, "-m", "sonde.server.store.process", "--data", str(folder / "data")]
        command += ["--socket", str(folder / "socket"), "--spool", str(folder / "spool")]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            process.stdout.readline()
            running = Store(folder, psutil.Process(process.pid))
            try:
                yield running
            finally:
                running.close()
                process.terminate()


def fill(target: Store, traffic: Traffic, end: datetime) -> float:
    """SPANS spans in the hour before `end`; CPU us a span."""
    files = max(1, SPANS // FILE_SPANS)
    spent = 0.0
    for number in range(files):
        start = end - HOUR + HOUR * number / files
        spent += target.load(traffic, min(SPANS, FILE_SPANS), start, start + HOUR / files)
        print(f"\rloading: {(number + 1) / files:4.0%}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    learning.learn_peers(target.loader, end - QUARTER, end)
    return spent / (files * min(SPANS, FILE_SPANS)) * 1e6


def queries(client: StoreClient, end: datetime) -> dict[str, tuple[Callable[[], object], Callable[[], object] | None]]:
    """By name: what a page asks, and the reference."""
    dice = random.Random(5)
    start, quarter = end - HOUR, end - QUARTER
    names = [name for (name,) in client.rows("SELECT DISTINCT service FROM rollup_30s WHERE is_entry ORDER BY service")]
    ids = [row.trace_id for row in traces.search(client, None, start=start, end=end, limit=1000, order="slowest").items]

    def raw(keys: str, since: datetime, more: str = "", **parameters: object) -> Callable[[], object]:
        sql = _RAW.format(keys=keys, more=more)
        return lambda: client.rows(sql, scope(None, since, end) | parameters)

    def search(**filters: object) -> Callable[[], object]:
        return lambda: traces.search(
            client, None, service=dice.choice(names), start=start, end=end, limit=20, **filters
        )

    of_service = "AND is_entry AND service = {service:String}"
    return {
        "overview, 1 h": (
            lambda: services.overview(client, None, start, end),
            raw(f"app, service, {_STEP}", start, "AND is_entry"),
        ),
        "service page, 1 h": (
            lambda: services.report(client, None, dice.choice(names), start, end, 500),
            raw(f"endpoint, instance, {_STEP}", start, of_service, service=names[0]),
        ),
        "map, 15 min": (
            lambda: topology.service_map(client, None, quarter, end),
            raw("app, service, peer, system", quarter, "AND peer != ''"),
        ),
        "trace by id": (lambda: traces.trace(client, None, dice.choice(ids)), None),
        "latest 20 of a service": (search(), None),
        "latest 20 errors of a service": (search(error=True), None),
        "20 slowest of a service with an attribute": (
            search(attributes=[Condition("http.response.status_code", "=", "404")], order="slowest"),
            None,
        ),
        "requests of one user, 1 h": (
            lambda: traces.search(
                client,
                None,
                attributes=[Condition("user.id", "=", f"u-{dice.randrange(50_000)}")],
                start=start,
                end=end,
                limit=20,
            ),
            None,
        ),
        "slowest 20 statements, 1 h": (lambda: client.rows(_STATEMENTS, scope(None, start, end)), None),
        "live view": (lambda: live.live(client, None, datetime.now(UTC)), None),
    }


def times_ms(query: Callable[[], object]) -> list[float]:
    """Of CALLS calls, or as many as fit into LONGEST_S; the first one, which reads from disk, is not counted."""
    query()
    taken: list[float] = []
    while len(taken) < CALLS and sum(taken) < LONGEST_S * 1000:
        began = time.perf_counter()
        query()
        taken.append((time.perf_counter() - began) * 1000)
    return taken


def sizes(client: StoreClient) -> tuple[list[list[str]], float]:
    """Bytes a span by table and by column of spans, and all together."""
    ((spans,),) = client.rows("SELECT count() FROM spans")
    tables = client.rows(
        "SELECT table, sum(rows), sum(bytes_on_disk) FROM system.parts WHERE active AND database = 'sonde'"
        " GROUP BY table ORDER BY 3 DESC"
    )
    rows = [[table, f"{count:,}", f"{size / spans:.2f}"] for table, count, size in tables]
    columns = client.rows(
        "SELECT column, sum(column_bytes_on_disk) AS size FROM system.parts_columns"
        " WHERE active AND database = 'sonde' AND table = 'spans' GROUP BY column ORDER BY size DESC"
    )
    rows += [[f"spans.{column}", "", f"{size / spans:.2f}"] for column, size in columns]
    indexes = client.rows(
        "SELECT name, data_compressed_bytes FROM system.data_skipping_indices"
        " WHERE database = 'sonde' AND table = 'spans'"
    )
    rows += [[f"index spans.{name}", "", f"{size / spans:.2f}"] for name, size in indexes]
    return rows, sum(size for _, _, size in tables) / spans


def main() -> None:
    """Fill, measure idle, measure while spans come in, weigh."""
    traffic = Traffic()
    end = datetime.now(UTC).replace(microsecond=0)
    with store() as target:
        load_us = fill(target, traffic, end)
        target.settle()
        asked = queries(target.web, end)
        idle = {name: times_ms(ours) for name, (ours, _) in asked.items()}
        reference = {name: times_ms(theirs) for name, (_, theirs) in asked.items() if theirs is not None}
        weight, total = sizes(target.web)
        with each_second(lambda start, end: target.load(traffic, INGEST_SPANS_PER_S, start, end)) as loads:
            busy = {name: times_ms(ours) for name, (ours, _) in asked.items()}
    rows = []
    for name in asked:
        raw = statistics.median(reference[name]) if name in reference else None
        ours = statistics.median(idle[name])
        rows.append(
            (
                name,
                f"{ours:.0f} / {max(idle[name]):.0f}",
                f"{statistics.median(busy[name]):.0f} / {max(busy[name]):.0f}",
                f"{raw:.0f}" if raw else "",
                f"{raw / ours:.1f}×" if raw else "",
            )
        )
    late = sorted(loads)
    behind = f"median {statistics.median(late):.2f} s, max {late[-1]:.2f} s"
    report.write(
        "query",
        f"Queries on {SPANS:,} spans, ms median / max",
        ("query", "idle", f"while {INGEST_SPANS_PER_S:,} spans/s come in", "raw spans", "raw / ours"),
        rows,
        (
            f"Loading took {load_us:.1f} us CPU a span in the store process, merges meanwhile included.",
            f"Making and loading a second of {INGEST_SPANS_PER_S:,} spans meanwhile: {behind}.",
            "Every call goes through the store process and clickhouse-connect and makes the page's own objects.",
        ),
    )
    report.write(
        "bytes",
        f"Bytes on disk of {SPANS:,} spans",
        ("table or column", "rows", "bytes a span"),
        [["all together", "", f"{total:.2f}"], *weight],
        ("Parts as they are after loading and one round of merges.",),
    )
