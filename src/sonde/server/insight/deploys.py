"""Deploys and restarts of services, made out from when their processes were seen.

Pure: from runs of processes to marks on a time axis.

A *deploy* is the start of a process with a version that none of its service had just now, where the service had run
before; going back to an older version is one, too. A *restart* is the start of a process of the same version on a host,
or under a name, where one of them stopped. Starts of one kind that follow each other within a minute are one mark.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

ALIVE = timedelta(minutes=2)
"""A process is taken to run for so long after it was last heard of."""
STOPPED_SINCE = timedelta(minutes=10)
"""Between a stop and the start that makes a restart of it. A later start is one of its own."""
TOGETHER = timedelta(seconds=60)
"""Starts of a kind so close to the first are one mark: the workers of a server, the hosts of a rollout."""

Kind = Literal["deploy", "restart"]


@dataclass(frozen=True, slots=True)
class Run:
    """A process as it was seen. `version`, `host` and `pid` are empty where it does not say them."""

    instance: str
    host: str
    pid: str
    version: str
    first_seen: datetime
    last_seen: datetime


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened to a service. `previous`: the version before a deploy; `processes` took part."""

    kind: Kind
    time: datetime
    version: str
    previous: str
    processes: int


def marks(runs: Sequence[Run]) -> list[Mark]:
    """Of one service, by time."""
    found: list[Mark] = []
    heard_of: dict[str, datetime] = {}
    """By version: until when a process of it was seen."""
    unreplaced: list[Run] = []
    for run in sorted(runs, key=lambda run: (run.first_seen, run.instance, run.pid)):
        unreplaced = [old for old in unreplaced if old.last_seen > run.first_seen - STOPPED_SINCE]
        replaced = _replaced_by(run, unreplaced)
        if replaced is not None:
            unreplaced.remove(replaced)
        unreplaced.append(run)

        kind = _kind_of(run, heard_of, replaced)
        previous = _latest(heard_of)
        heard_of[run.version] = max(run.last_seen, heard_of.get(run.version, run.last_seen))
        joined = next((k for k in ("deploy", kind) if k and _continues(run, found, k)), None)
        if joined:
            found[-1] = replace(found[-1], processes=found[-1].processes + 1)
        elif kind:
            found.append(Mark(kind, run.first_seen, run.version, previous if kind == "deploy" else "", 1))
    return found


def _kind_of(run: Run, heard_of: dict[str, datetime], replaced: Run | None) -> Kind | None:
    """What a start is by itself. Of a service that was never seen before nobody knows how long it has run already."""
    if run.version and heard_of and run.version != _latest(heard_of):
        known = heard_of.get(run.version)
        if known is None or known < run.first_seen - ALIVE:
            return "deploy"
    return "restart" if replaced is not None and replaced.version == run.version else None


def _latest(heard_of: dict[str, datetime]) -> str:
    """The version that was heard of last, of several the one that started last; empty where there is none."""
    return max(reversed(heard_of), key=heard_of.__getitem__, default="")


def _replaced_by(run: Run, candidates: Sequence[Run]) -> Run | None:
    """The process that stopped when this one started: of the same name, else of the same host; the latest to stop."""
    stopped = [old for old in candidates if old.last_seen <= run.first_seen]
    named = [old for old in stopped if old.instance == run.instance]
    hosted = [old for old in stopped if run.host and old.host == run.host]
    return max(named or hosted, key=lambda old: old.last_seen, default=None)


def _continues(run: Run, found: Sequence[Mark], kind: Kind) -> bool:
    """Whether it is one more of what was found last."""
    if not found or (found[-1].kind, found[-1].version) != (kind, run.version):
        return False
    return run.first_seen - found[-1].time <= TOGETHER
