"""What alarms cost: 500 rules judged at the end of a slot, and rules tried on 14 days of history.

200 services with 10 endpoints each, and the rollups of 14 days of 500 requests a slot: 20 million requests, with busier
hours by day and a few slow ones. Hosts: 50, with their metrics of the last minutes. Reference for the evaluation: each
rule asked alone. SONDE_BENCH_DAYS makes it smaller, SONDE_BENCH_DIR says where the store lies (about 1 GB).
"""

from __future__ import annotations

import functools
import itertools
import os
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import make_url

from bench import report
from bench.query import Store, store
from sonde import settings
from sonde.server.accounts.accounts import Accounts
from sonde.server.accounts.database import open_metadata
from sonde.server.accounts.migrate import migrate
from sonde.server.accounts.sealing import KEY_BYTES, Sealer
from sonde.server.alarms.alarms import Alarms
from sonde.server.alarms.backtest import ProblemError, backtest
from sonde.server.alarms.readings import Frame, read
from sonde.server.alarms.rules import Rule
from sonde.server.reports.alarms import AlarmRuleDocument
from sonde.server.store.queries import long_slots

if TYPE_CHECKING:
    from collections.abc import Callable

DAYS = int(os.environ.get("SONDE_BENCH_DAYS", "14"))
RULES = 500
SERVICES, ENDPOINTS, HOSTS = 200, 10, 50
REQUESTS_A_SLOT = 500
SLOT_S = 30
ROUNDS = 8
CALLS = 3
ALONE = 50
"""Rules that are asked alone, for the reference."""

_FILL = """
    INSERT INTO rollup_30s (slot, app, service, kind, is_entry, is_root, endpoint, instance, status_code, count, errors,
        sum_ns, min_ns, max_ns, satisfied, tolerating, last_seen, histogram, by_duration)
    SELECT
        toDateTime({start_s:Int64} + intDiv(number, {per_slot:UInt64}) * 30, 'UTC') AS slot,
        {app:String}, concat('service-', toString(who % {services:UInt64})),
        'server', true, true,
        concat('GET /endpoint-', toString(intDiv(who, {services:UInt64}))), concat('i-', toString(rand(3) % 3)),
        if(failed, 500, 200), 1, failed,
        ns, ns, ns, ns <= 500000000 AND NOT failed, ns > 500000000 AND ns <= 2000000000 AND NOT failed, slot,
        map(sonde_bucket(ns, failed), 1), map(sonde_step(ns), 1)
    FROM (
        SELECT number, rand(1) % {kinds:UInt64} AS who, rand(2) % 100 = 0 AS failed,
            toUInt64(exp(randNormal(17.5, 0.7)) * (1 + 0.3 * sin(number / {per_slot:UInt64} / 2880 * 2 * pi()))) AS ns
        FROM numbers({rows:UInt64})
    )"""
_FILL_HOSTS = """
    INSERT INTO metrics (app, service, instance, host, name, type, time, attributes, value)
    SELECT {app:String}, 'sonde-agent', concat('agent-', toString(number % 50)), concat('host-', toString(number % 50)),
        ['system.cpu.utilization', 'system.memory.limit', 'app.queue.length'][1 + intDiv(number, 50) % 3], 'gauge',
        fromUnixTimestamp64Milli(({end_s:Int64} - 10 * intDiv(number, 150)) * 1000, 'UTC'),
        map('queue', toString(number % 7)), rand() / 4294967296
    FROM numbers(150 * 100)"""


def fill(target: Store, app: str, end_s: int) -> None:
    """Rows as the views make them of one request each, a day a statement."""
    for day in range(DAYS):
        start_s = end_s - (DAYS - day) * 86_400
        target.loader.command(
            _FILL,
            {
                "app": app,
                "start_s": start_s,
                "per_slot": REQUESTS_A_SLOT,
                "services": SERVICES,
                "kinds": SERVICES * ENDPOINTS,
                "rows": 2880 * REQUESTS_A_SLOT,
            },
        )
        print(f"\rfilling: {(day + 1) / DAYS:4.0%}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    target.loader.command(_FILL_HOSTS, {"app": app, "end_s": end_s})
    target.loader.command("OPTIMIZE TABLE rollup_30s")
    long_slots.make(target.loader)  # as upkeep does, each quarter of an hour


def documents() -> list[AlarmRuleDocument]:
    """RULES of them, as a company has them: most about one service, some about all, of all kinds but PromQL."""
    numbers = itertools.count()

    def rule(what: dict[str, Any], condition: dict[str, Any], **more: Any) -> AlarmRuleDocument:
        document = {"name": f"rule {next(numbers)}", "what": what, "condition": {"op": ">"} | condition, **more}
        return AlarmRuleDocument.model_validate(document)

    def statistic(name: str, **more: str) -> dict[str, str]:
        return {"kind": "statistic", "statistic": name, **more}

    found = []
    for number in range(100):
        service = f"service-{number}"
        found.append(rule(statistic("error_rate", service=service), {"threshold": 0.2}))
        found.append(rule(statistic("p95_ms", service=service), {"threshold": 900.0, "for_s": 120}))
        found.append(rule(statistic("requests", service=service), {"op": "<", "threshold": 1}, window_s=600))
    for number in range(100):
        names = {"service": f"service-{number}", "endpoint": "GET /endpoint-1"}
        found.append(rule(statistic("p99_ms", **names), {"threshold": 3000.0}, window_s=900))
    for number in range(30):
        baseline = {"periods": 7, "k": 6.0, "floor": 50.0}
        found.append(rule(statistic("p95_ms", service=f"service-{number}"), {"baseline": baseline}))
    for window_s in (60, 300, 900):
        for name, threshold in (("error_rate", 0.5), ("p95_ms", 5000.0), ("average_ms", 3000.0)):
            found.append(rule(statistic(name), {"threshold": threshold}, group_by=["service"], window_s=window_s))
    found.append(rule(statistic("p95_ms"), {"threshold": 9e4}, group_by=["service", "endpoint"], most_groups=1000))
    found.append(rule({"kind": "errors"}, {"threshold": 5e4}, group_by=["error_type"]))
    found.append(rule({"kind": "no_data", "signal": "requests"}, {"threshold": 600}, group_by=["service"]))
    found.append(rule({"kind": "agent"}, {"threshold": 180}))
    for number in range(RULES - len(found)):
        if number % 2:
            what = {"kind": "host", "figure": "cpu_utilization", "host": f"host-{number % HOSTS}"}
            found.append(rule(what, {"threshold": 0.98}))
        else:
            metric = {"kind": "metric", "metric": "app.queue.length", "aggregate": "max"}
            found.append(rule(metric | {"labels": {"queue": str(number % 7)}}, {"threshold": 5.0}, group_by=["host"]))
    return found


class Clock:
    """Goes on a slot at a time."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.seconds = 0.0

    def pass_by(self, seconds: float) -> None:
        """Both of its hands."""
        self.now += timedelta(seconds=seconds)
        self.seconds += seconds


def evaluate(target: Store, folder: Path, app_name: str, end_s: int) -> tuple[list[tuple[float, float]], int]:
    """CPU seconds of (this process, the store) for each of ROUNDS slots; and how many groups were judged."""
    clock = Clock(datetime.fromtimestamp(end_s - (ROUNDS + 2) * SLOT_S + 16, UTC))
    engine = open_metadata(make_url(f"sqlite:///{folder / 'metadata.sqlite3'}"))
    migrate(engine)
    accounts = Accounts(engine, timedelta(hours=1), Sealer(bytes(KEY_BYTES)), now=lambda: clock.now)
    app = accounts.apps.create(app_name, "bench").app.id
    alarms = Alarms(
        engine,
        accounts.sealer,
        target.web,
        target.loader,
        settings.Settings(environ={}),
        behind_s=lambda: 0.0,
        now=lambda: clock.now,
        seconds=lambda: clock.seconds,
    )
    fill(target, app, end_s)
    for document in documents():
        alarms.rules.add(app, document, "bench")
    alarms.evaluate_once()
    spent = []
    for _ in range(ROUNDS):
        clock.pass_by(SLOT_S)
        ours, theirs = time.process_time(), target.cpu_s()
        alarms.evaluate_once()
        spent.append((time.process_time() - ours, target.cpu_s() - theirs))
    groups = alarms.progress().groups
    problems = [status.problem for status in alarms.rules.statuses(None) if status.problem]
    if problems or alarms.progress().trouble or alarms.evaluator.slots != ROUNDS + 1:
        raise RuntimeError(f"not everything was judged: {problems[:1]} {alarms.progress().trouble}")
    alarms.close()
    accounts.close()
    return spent, groups


def alone(target: Store, app: str, end_s: int) -> float:
    """CPU seconds, of both processes, for all rules if each were asked alone: of ALONE of them, times the rest."""
    chosen = [it for it in documents() if it.what.kind not in {"no_data", "agent"}][:: RULES // ALONE][:ALONE]
    ours, theirs = time.process_time(), target.cpu_s()
    for document in chosen:
        read(target.web, [passing(app, document)], Frame(end_s))
    return (time.process_time() - ours + target.cpu_s() - theirs) * RULES / len(chosen)


def passing(app: str, document: AlarmRuleDocument) -> Rule:
    """A rule that is kept nowhere."""
    now = datetime.now(UTC)
    return Rule("0", app, document, 0, now, "", now, "")


def backtests() -> dict[str, AlarmRuleDocument]:
    """By what they show."""

    def rule(statistic: str, condition: dict[str, Any], **more: Any) -> AlarmRuleDocument:
        what = {"kind": "statistic", "statistic": statistic, **more.pop("what", {})}
        return AlarmRuleDocument.model_validate({"name": "x", "what": what, "condition": condition, **more})

    one, baseline = {"service": "service-7"}, {"periods": 7, "floor": 20.0}
    return {
        "error rate of a service": rule("error_rate", {"threshold": 0.2}, what=one),
        "p95 of a service": rule("p95_ms", {"threshold": 500.0}, what=one),
        "p95 of a service over an hour": rule("p95_ms", {"threshold": 500.0}, what=one, window_s=3600),
        "p95 of an endpoint": rule("p95_ms", {"threshold": 900.0}, what=one | {"endpoint": "GET /endpoint-3"}),
        "p95 of a service against its baseline": rule("p95_ms", {"baseline": baseline}, what=one),
        "error rate of every service": rule("error_rate", {"threshold": 0.2}, group_by=["service"]),
        "p95 of the whole app": rule("p95_ms", {"threshold": 500.0}),
    }


def timed(target: Store, work: Callable[[], object]) -> list[tuple[float, float]]:
    """Of each of CALLS calls: seconds on the clock, and CPU seconds of both processes."""
    taken = []
    for _ in range(CALLS):
        began, ours, theirs = time.perf_counter(), time.process_time(), target.cpu_s()
        work()
        cpu_s = time.process_time() - ours + target.cpu_s() - theirs
        taken.append((time.perf_counter() - began, cpu_s))
    return taken


def main() -> None:
    """Fill, judge, try."""
    end_s = int(time.time()) // SLOT_S * SLOT_S
    with store() as target, tempfile.TemporaryDirectory() as name:
        spent, groups = evaluate(target, Path(name), "bench", end_s)
        print(f"slots: {spent}", file=sys.stderr, flush=True)
        ((app,),) = target.web.rows("SELECT DISTINCT app FROM rollup_30s")
        reference = alone(target, app, end_s)
        end = datetime.fromtimestamp(end_s, UTC)
        rows = []
        for label, document in backtests().items():
            start = end - timedelta(days=DAYS)
            rule = passing(app, document)
            try:
                found = backtest(target.web, rule, start, end)
            except ProblemError as error:
                rows.append((label, str(error), "", "", "", ""))
                continue
            taken = timed(target, functools.partial(backtest, target.web, rule, start, end))
            seconds, cpu = zip(*taken, strict=True)
            middle = f"{statistics.median(seconds):.2f} / {max(seconds):.2f}"
            shown = (f"{statistics.median(cpu):.2f}", str(found.step_s), str(len(found.groups)), str(found.fired))
            rows.append((label, middle, *shown))
            print(*rows[-1], sep=", ", file=sys.stderr, flush=True)
    ours, theirs = (statistics.median(part) for part in zip(*spent, strict=True))
    worst = max(sum(both) for both in spent)
    table = [
        ("web process", f"{ours:.2f}"),
        ("store process", f"{theirs:.2f}"),
        ("both", f"{ours + theirs:.2f}"),
        ("both, the worst slot", f"{worst:.2f}"),
        ("each rule asked alone", f"{reference:.2f}"),
        ("alone / together", f"{reference / (ours + theirs):.0f}×"),
    ]
    report.page(
        "alarms",
        f"{RULES} alarm rules, and backtests over {DAYS} days",
        [
            f"CPU seconds of one slot of 30 s: {RULES} rules, {groups:,} groups.",
            "",
            *report.table(("where", "CPU s"), table),
            "",
            f"Backtests over {DAYS} days, seconds.",
            "",
            *report.table(("rule", "median / max", "CPU s", "step s", "groups", "fired"), rows),
            "",
            f"* {SERVICES} services, {SERVICES * ENDPOINTS} endpoints, {REQUESTS_A_SLOT * 2880 * DAYS:,} requests.",
            f"* {ROUNDS} slots; states and messages are written to SQLite. 30 of the rules have a baseline.",
        ],
    )
