"""Two weeks of statistics: bytes of a row on disk, what a report over all of them takes, what rules about names cost.

Rows of rollup_30s are made in the store itself, as its view makes them of spans: ENDPOINTS endpoints in SERVICES
services, of which each slot has requests to some. SONDE_BENCH_ROWS makes it smaller; SONDE_BENCH_DIR is where it lies.
"""

from __future__ import annotations

import os
import statistics as figures
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from bench import report
from bench.query import store, times_ms
from sonde.server.accounts.name_rules import Rule, Wish
from sonde.server.insight.measures import Thresholds
from sonde.server.store.queries import long_slots, services, statistics, statistics_series
from sonde.server.store.queries.naming import named
from sonde.server.store.queries.statistics import Asked, Filters

if TYPE_CHECKING:
    from collections.abc import Callable

    from sonde.server.store.client import StoreClient

ROWS = int(os.environ.get("SONDE_BENCH_ROWS", "4000000"))
SERVICES, ENDPOINTS, INSTANCES = 200, 2000, 3
DAYS = 14
REQUESTS_A_ROW = 8
RULES = 50
BY = Thresholds(apdex_t_ms=500, normal_ms=100, slow_ms=200, timeout_ms=10_000)

# Durations are log-normal, nearly: the sum of four uniform numbers stands for a normal one.
_FILL = """
    INSERT INTO rollup_30s
        (slot, app, service, kind, is_entry, is_root, endpoint, instance, status_code, count, errors, sum_ns, min_ns,
        max_ns, satisfied, tolerating, last_seen, by_duration, error_sum_ns, histogram)
    SELECT
        slot, 'bench', concat('service-', toString(endpoint_number % {services:UInt32})), 'server', true, true,
        concat('GET /endpoint/', toString(endpoint_number)), concat('host-', toString(rand(7) % {instances:UInt32})),
        if(rand(8) % 20 = 0, 404, 200),
        length(ns), arrayCount(f -> f, failed), arraySum(ns), arrayMin(ns), arrayMax(ns),
        arrayCount((d, f) -> d <= 500000000 AND NOT f, ns, failed),
        arrayCount((d, f) -> d > 500000000 AND d <= 2000000000 AND NOT f, ns, failed), slot + rand(9) % 30,
        CAST(arrayReduce('sumMap', arrayMap(d -> [sonde_step(d)], ns), arrayMap(d -> [1::UInt64], ns))
            AS Map(UInt16, UInt64)),
        arraySum(arrayMap((d, f) -> if(f, d, 0), ns, failed)),
        CAST(arrayReduce('sumMap', arrayMap((d, f) -> [sonde_bucket(d, f)], ns, failed), arrayMap(d -> [1::UInt64], ns))
            AS Map(UInt8, UInt64))
    FROM (
        SELECT
            toDateTime({start_s:UInt32} + intDiv(number * 2880, {rows:UInt64}) * 30, 'UTC') AS slot,
            toUInt32(pow(rand(6) / 4294967296., 2) * {endpoints:UInt32}) AS endpoint_number,
            arrayMap(i -> toUInt64(3e6 * (1 + endpoint_number % 50) * exp(2 * (
                (cityHash64(number, i, 1) % 65536 + cityHash64(number, i, 2) % 65536 + cityHash64(number, i, 3) % 65536
                + cityHash64(number, i, 4) % 65536) / 65536. - 2))), range(1 + rand(5) % {most:UInt32})) AS ns,
            arrayMap(d -> d % 50 = 0, ns) AS failed
        FROM numbers({rows:UInt64})
    )"""


def fill(client: StoreClient, start: datetime) -> None:
    """ROWS rows in DAYS days."""
    client.command("ALTER TABLE rollup_30s MODIFY SETTING min_bytes_for_wide_part = 0")  # so that columns have sizes
    for day in range(DAYS):
        client.command(
            _FILL,
            {
                "services": SERVICES,
                "instances": INSTANCES,
                "endpoints": ENDPOINTS,
                "most": 2 * REQUESTS_A_ROW - 1,
                "rows": ROWS // DAYS,
                "start_s": int((start + timedelta(days=day)).timestamp()),
            },
        )
        print(f"\rfilling: {(day + 1) / DAYS:4.0%}", end="", file=sys.stderr, flush=True)
    client.command("OPTIMIZE TABLE rollup_30s FINAL")
    long_slots.make(client)  # as upkeep does, each quarter of an hour
    print(file=sys.stderr)


def sizes(client: StoreClient) -> list[list[str]]:
    """Bytes a row, all together and by column."""
    ((rows, size),) = client.rows(
        "SELECT sum(rows), sum(bytes_on_disk) FROM system.parts"
        " WHERE active AND database = 'sonde' AND table = 'rollup_30s'"
    )
    columns = client.rows(
        "SELECT column, sum(column_bytes_on_disk) AS size FROM system.parts_columns"
        " WHERE active AND database = 'sonde' AND table = 'rollup_30s' GROUP BY column ORDER BY size DESC"
    )
    return [["all together", f"{size / rows:.2f}"], *([name, f"{part / rows:.2f}"] for name, part in columns)]


def rules(count: int) -> list[Rule]:
    """Rules that merge endpoints, one in forty of them each."""
    now = datetime.now(UTC)
    wishes = [
        Wish("endpoint", pattern=rf"GET /endpoint/\d*{n:02}", name=f"GET /endpoint/…{n:02}") for n in range(count)
    ]
    return [Rule(str(number), "bench", wish, now, "bench") for number, wish in enumerate(wishes)]


def main() -> None:
    """Fill, weigh, ask."""
    start = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=DAYS)
    end = start + timedelta(days=DAYS)
    with store() as target:
        fill(target.loader, start)
        weight = sizes(target.web)

        def asked(since: datetime, **filters: str) -> Asked:
            return Asked(None, since, end, lambda _: BY, Filters(**filters))

        def by(since: datetime, what: statistics.By, rule_count: int = 0, **filters: str) -> Callable[[], object]:
            client = named(target.web, rules(rule_count))
            return lambda: statistics.table(client, asked(since, **filters), what)

        day = end - timedelta(days=1)
        questions: dict[str, Callable[[], object]] = {
            "overview, 14 days": lambda: services.overview(target.web, None, start, end),
            "by service, 14 days": by(start, "service"),
            "by endpoint, 14 days": by(start, "endpoint"),
            f"by endpoint, 14 days, {RULES} rules": by(start, "endpoint", RULES),
            "endpoints of a service, 14 days": by(start, "endpoint", service="service-1"),
            f"endpoints of a service, 14 days, {RULES} rules": by(start, "endpoint", RULES, service="service-1"),
            "series of a service, 14 days": lambda: statistics_series.series(
                target.web, asked(start, service="service-1"), end, step_s=3600
            ),
            "histogram, 14 days": lambda: statistics_series.histogram(target.web, asked(start)),
            "by service, 1 day": by(day, "service"),
            "by service, 1 hour": by(end - timedelta(hours=1), "service"),
        }
        rows = []
        for name, question in questions.items():
            taken = times_ms(question)
            rows.append((name, f"{figures.median(taken):.0f}", f"{max(taken):.0f}"))
    report.page(
        "rollups",
        f"Statistics, {ROWS:,} rows in {DAYS} days",
        [
            *report.table(("question", "ms, median", "ms, max"), rows),
            "",
            *report.table(("column of rollup_30s", "bytes a row"), weight),
            "",
            f"* {SERVICES} services, {ENDPOINTS:,} endpoints, {INSTANCES} instances, {REQUESTS_A_ROW} requests a row.",
            f"* Load average of the machine at the end: {os.getloadavg()[0]:.1f}.",
        ],
    )


if __name__ == "__main__":
    main()
