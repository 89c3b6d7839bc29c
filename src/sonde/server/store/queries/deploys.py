"""Deploys and restarts, made out at the time of reading from when processes were seen.

They are not stored: that a start was a restart is known when the old process has stayed away, and every reader would
have to agree on it. Runs of processes are few, and a rule that gets better is better for the past, too.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING

from sonde.server.insight.deploys import Run, marks
from sonde.server.reports.deploys import DeployMark
from sonde.server.reports.page import Page
from sonde.server.store.queries.scope import APPS, scope

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sonde.server.store.client import StoreClient

LOOK_BACK = timedelta(days=7)
"""What ran so long before says which version was there: of a job that runs each week, too."""
LONGEST_BACK = timedelta(days=90)
MOST_RUNS = 50_000
MOST_MARKS = 500


def deploys(
    client: StoreClient,
    apps: Sequence[str] | None,
    start: datetime,
    end: datetime,
    services: Sequence[str] | None = None,
) -> Page[DeployMark]:
    """Marks of that time, the newest first; of more than MOST_MARKS those. `services`: of these alone."""
    found = _marks(client, apps, start - LOOK_BACK, end, services)
    return Page(items=[mark for mark in found if start <= mark.time < end][:MOST_MARKS])


def last_deploys(
    client: StoreClient, apps: Sequence[str] | None, end: datetime, services: Sequence[str]
) -> dict[tuple[str, str], DeployMark]:
    """By (app, service) the last deploy before `end`, as far back as processes are remembered."""
    found: dict[tuple[str, str], DeployMark] = {}
    for mark in _marks(client, apps, end - LONGEST_BACK, end, services):
        if mark.kind == "deploy":
            found.setdefault((mark.app, mark.service), mark)
    return found


def learn_runs(client: StoreClient, since: datetime) -> None:
    """Note of every process that was heard of since then that it was. `client` may write; again does no harm."""
    client.command(
        """
        INSERT INTO process_runs (app, service, instance, version, host, pid, first_seen, last_seen)
        SELECT
            app, service, instance, attributes['service.version'], host, attributes['process.pid'], last_seen, last_seen
        FROM instances FINAL
        WHERE NOT is_from_segments AND last_seen >= {since:DateTime('UTC')}
        """,
        {"since": since},
    )


def _marks(
    client: StoreClient, apps: Sequence[str] | None, since: datetime, end: datetime, services: Sequence[str] | None
) -> list[DeployMark]:
    """Made out from processes that were heard of after `since`, the newest first. Of more than MOST_RUNS, those that
    were heard of last.
    """
    rows = client.dicts(
        f"""
        SELECT app, service, instance, host, pid, version, min(first_seen) AS since, max(last_seen) AS until
        FROM process_runs
        WHERE {APPS} {"" if services is None else "AND service IN {services:Array(String)}"}
        GROUP BY app, service, instance, host, pid, version
        HAVING since < toDateTime({{end_s:Int64}}, 'UTC') AND until >= toDateTime({{start_s:Int64}}, 'UTC')
        ORDER BY until DESC
        LIMIT {MOST_RUNS}
        """,
        scope(apps, since, end) | {"services": list(services or [])},
    )
    by_service: dict[tuple[str, str], list[Run]] = defaultdict(list)
    for row in rows:
        by_service[row["app"], row["service"]].append(
            Run(row["instance"], row["host"], row["pid"], row["version"], row["since"], row["until"])
        )
    found = [
        DeployMark(
            app=app,
            service=service,
            kind=mark.kind,
            time=mark.time,
            version=mark.version,
            previous=mark.previous,
            processes=mark.processes,
        )
        for (app, service), runs in by_service.items()
        for mark in marks(runs)
    ]
    return sorted(found, key=lambda mark: (mark.time, mark.app, mark.service), reverse=True)
