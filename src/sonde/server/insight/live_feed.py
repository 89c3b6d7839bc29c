"""What viewers of the same apps share: the last minutes, and what was new in each of the last seconds."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from sonde.server.insight.live_reading import Question, end_of, live_point
from sonde.server.insight.steps import floor_to
from sonde.server.reports.live import LiveChange, LiveTail, LiveTrouble, LiveWhole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sonde.server.insight.live_filter import LiveFilter
    from sonde.server.insight.live_reading import Reading
    from sonde.server.reports.live import LivePoint, LiveService
    from sonde.server.reports.traces import TraceRow

WINDOW = timedelta(minutes=15)
REVISED = timedelta(seconds=10)
"""Seconds that are counted anew at each reading: for as long data may be late."""
ROWS_LATE = timedelta(seconds=3)
"""A request that comes later than this after the newest is counted and not listed."""
ROWS_FIRST = timedelta(minutes=1)
"""How far back the list reaches when the first viewer comes."""
KEPT_STEPS = 5
"""A viewer that is further behind gets the whole again."""
KEPT_ROWS = 1000
"""For the list of somebody who comes, or chooses another filter."""
MOST_NEW_ROWS, MOST_FIRST_ROWS = 50, 100
"""That one viewer is told of in one step, and at first."""


@dataclass(slots=True)
class Step:
    """What one reading brought. `number` counts up by one."""

    number: int
    time: datetime
    behind_ms: float | None
    changed: dict[str | None, list[LivePoint]]
    services: list[LiveService] | None
    rows: list[TraceRow]
    """New ones, oldest end first."""
    unread: int
    trouble: LiveTrouble | None = None
    said: dict[LiveFilter, bytes] = field(default_factory=dict)
    """What viewers with that filter hear of it, made once for all of them."""


class News(NamedTuple):
    """Events, and what to ask for next. `skipped`: the viewer had fallen behind, and did not hear some steps."""

    events: list[bytes]
    number: int | None
    skipped: bool = False


class Feed:
    """Used from one event loop. Nothing in it grows beyond its bound, whatever comes in."""

    def __init__(self, apps: tuple[str, ...] | None) -> None:
        self.apps = apps
        self.number = 0
        self.watched: dict[str, int] = {}
        """Services with a series of their own, and how many viewers look at each."""
        self._read_until: datetime | None = None
        self._series: dict[str | None, dict[int, LivePoint]] = {}
        self._services: list[LiveService] = []
        self._behind_ms: float | None = None
        self._newest: datetime | None = None
        self._seen: dict[str, None] = {}
        self._recent: deque[TraceRow] = deque(maxlen=KEPT_ROWS)
        self._steps: deque[Step] = deque(maxlen=KEPT_STEPS)
        self._wholes: dict[LiveFilter, bytes] = {}

    def question(self, now: datetime) -> Question:
        """What to read now: the last seconds, all of the time in which nothing could be read, or the whole window."""
        services = frozenset(self.watched)
        start = now - WINDOW
        if self._read_until is not None and services <= self._series.keys():
            start = max(start, min(self._read_until, now) - REVISED)
        rows_start = now - ROWS_FIRST if self._newest is None else max(self._newest - ROWS_LATE, now - WINDOW)
        return Question(self.apps, services, floor_to(start, 1), rows_start, now)

    def take(self, question: Question, reading: Reading) -> None:
        """One more step."""
        is_first = self._read_until is None
        oldest = int((question.now - WINDOW).timestamp())
        changed: dict[str | None, list[LivePoint]] = {}
        new_requests = 0
        for service, by_second in reading.series.items():
            known = self._series.setdefault(service, {})
            changed[service] = []
            for second, sums in sorted(by_second.items()):
                point, before = live_point(datetime.fromtimestamp(second, UTC), sums), known.get(second)
                if point == before:
                    continue
                known[second] = point
                changed[service].append(point)
                if service is None:
                    new_requests += point.requests - (before.requests if before else 0)
            for second in [second for second in known if second < oldest]:
                del known[second]
        for service in [name for name in self._series if name is not None and name not in self.watched]:
            del self._series[service]
        self._read_until = question.now
        rows = self._new_rows(reading.rows)
        self._note_age(rows, question.now)
        services = list(reading.services)
        self._add(
            Step(
                self.number + 1,
                question.now,
                self._behind_ms,
                changed,
                None if services == self._services else services,
                rows,
                0 if is_first else max(new_requests - len(rows), 0),
            )
        )
        self._services = services

    def fail(self, now: datetime, code: str, message: str) -> None:
        """A step in which nothing could be read."""
        trouble = LiveTrouble(time=now, code=code, message=message)
        self._add(Step(self.number + 1, now, self._behind_ms, {}, None, [], 0, trouble))

    def since(self, number: int | None, wish: LiveFilter) -> News:
        """For a viewer that has heard everything up to step `number`; None: it is new."""
        oldest = self._steps[0].number if self._steps else 0
        if number is not None and number + 1 >= oldest:
            return News([self._said(step, wish) for step in self._steps if step.number > number], self.number)
        if wish.service in self._series:
            return News([self._whole(wish)], self.number, skipped=number is not None)
        trouble = self._steps[-1].trouble if self._steps else None
        return News([event("trouble", trouble)] if trouble else [], number)

    def _add(self, step: Step) -> None:
        self.number = step.number
        self._steps.append(step)
        self._wholes.clear()

    def _new_rows(self, rows: Sequence[TraceRow]) -> list[TraceRow]:
        """Those that no step had, oldest end first; from now on they are known."""
        new = [row for row in reversed(rows) if row.trace_id + row.span_id not in self._seen]
        self._recent.extend(new)
        # what is not read again need not be remembered
        self._seen = dict.fromkeys(row.trace_id + row.span_id for row in rows)
        return new

    def _note_age(self, new: Sequence[TraceRow], now: datetime) -> None:
        if not new:
            return
        newest = max(end_of(row) for row in new)
        if self._newest is None or newest > self._newest:
            self._newest = min(newest, now)
            self._behind_ms = round(max((now - newest).total_seconds(), 0.0) * 1000, 1)

    def _said(self, step: Step, wish: LiveFilter) -> bytes:
        said = step.said.get(wish)
        if said is None:
            said = step.said[wish] = event("trouble", step.trouble) if step.trouble else self._change(step, wish)
        return said

    def _change(self, step: Step, wish: LiveFilter) -> bytes:
        rows = [row for row in step.rows if wish.matches(row)]
        shown = rows[-MOST_NEW_ROWS:]
        return event(
            "change",
            LiveChange(
                time=step.time,
                behind_ms=step.behind_ms,
                series=step.changed.get(wish.service, []),
                services=step.services,
                tail=LiveTail(rows=shown, more=len(rows) - len(shown), unread=step.unread),
            ),
        )

    def _whole(self, wish: LiveFilter) -> bytes:
        said = self._wholes.get(wish)
        if said is None:
            rows = [row for row in self._recent if wish.matches(row)]
            by_second = self._series[wish.service]
            said = self._wholes[wish] = event(
                "whole",
                LiveWhole(
                    time=self._read_until or datetime.now(UTC),
                    window_s=int(WINDOW.total_seconds()),
                    behind_ms=self._behind_ms,
                    series=[by_second[second] for second in sorted(by_second)],
                    services=self._services,
                    tail=LiveTail(rows=rows[-MOST_FIRST_ROWS:], more=0, unread=0),
                ),
            )
        return said


def event(kind: str, said: LiveWhole | LiveChange | LiveTrouble) -> bytes:
    """As it travels."""
    return f"event: {kind}\ndata: {said.model_dump_json()}\n\n".encode()
