"""What a rule would have done: its windows over days of stored history, judged by the same function as live ones.

One query; one more where there are groups, to know which, and one more for a baseline. Live evaluation looks every
30 s; a backtest looks as often as fits into MOST_VALUES windows and MOST_MERGES merges of percentiles, always at a
divisor or a multiple of the rule's window, and says how often that is.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from sonde.server.alarms import baseline, last_seen
from sonde.server.alarms.condition import Condition, Standing, advance, event_between
from sonde.server.alarms.readings import Frame, Reading, read
from sonde.server.alarms.rules import dimensions, unit
from sonde.server.alarms.standing_rows import at_s, seconds_of
from sonde.server.alarms.suggestion import suggest
from sonde.server.alarms.thresholds import past_frame, sample, values_by_end
from sonde.server.insight.measures import STORED_APDEX_T_MS
from sonde.server.insight.steps import SLOT_S
from sonde.server.reports.alarms import (
    AlarmBacktest,
    AlarmBacktestGroup,
    AlarmBacktestInterval,
    AlarmBacktestPoint,
    AlarmSuggestion,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from sonde.server.alarms.condition import Sample
    from sonde.server.alarms.matching import Labels
    from sonde.server.alarms.rules import Rule
    from sonde.server.reports.alarms import AlarmCondition
    from sonde.server.store.client import StoreClient

MOST_VALUES = 45_000
"""Windows of all groups together."""
MOST_MERGES = 120_000
"""Windows, times the slots in each, where percentiles are merged."""
MOST_GROUPS = 20
"""Of one backtest."""
MOST_DRAWN = 10
MOST_POINTS = 720
MOST_INTERVALS = 200
"""Of one group that are listed; all are counted."""
_PROMQL_STEP_S = 120
_STEPS_S = (30, 60, 90, 120, 150, 180, 300, 600, 900, 1800, 3600)


class _Asked(NamedTuple):
    """What history is read from."""

    store: StoreClient
    apdex_t_ms: float


@dataclass(slots=True)
class _Judged:
    """One group, judged."""

    labels: Labels
    samples: list[Sample]
    intervals: list[AlarmBacktestInterval]
    firing_s: int


def backtest(
    client: StoreClient, rule: Rule, start: datetime, end: datetime, apdex_t_ms: float = STORED_APDEX_T_MS
) -> AlarmBacktest:
    """From `start` until `end`. `apdex_t_ms`: T of the rule's app. Raises StoreError, and ProblemError where the rule
    cannot be computed.
    """
    began = time.perf_counter()
    document = rule.document
    first_s = -(-seconds_of(start) // SLOT_S) * SLOT_S
    last_s = seconds_of(end) // SLOT_S * SLOT_S
    asked = _Asked(client, apdex_t_ms)
    reading, frame = _read_history(asked, rule, first_s, last_s)
    usual = _baselines(asked, rule, frame, list(reading.groups))
    judged = [_judge(rule, labels, reading, frame, usual.get(labels)) for labels in reading.groups]
    judged.sort(key=lambda one: (-len(one.intervals), -one.firing_s, one.labels))
    known = [frame.end_of(min(values)) for values in reading.groups.values() if values]
    return AlarmBacktest(
        from_=at_s(first_s),
        to=at_s(last_s),
        data_from=at_s(min(known)) if known else None,
        step_s=frame.step_s,
        unit=unit(document.what),
        fired=sum(len(one.intervals) for one in judged),
        firing_s=sum(one.firing_s for one in judged),
        groups=[_shown(document.condition, one, drawn=place < MOST_DRAWN) for place, one in enumerate(judged)],
        groups_dropped=reading.dropped,
        suggestion=_suggestion(rule, judged, frame.step_s),
        took_ms=round((time.perf_counter() - began) * 1000, 1),
    )


class ProblemError(Exception):
    """The rule cannot be computed; the message says why."""


# -- reading ----------------------------------------------------------------------------------------------------------
def _read_history(asked: _Asked, rule: Rule, first_s: int, last_s: int) -> tuple[Reading, Frame]:
    """With the finest steps that can be afforded: for one group first, and coarser ones where there are more."""
    limited = replace(rule, document=rule.document.model_copy(update={"most_groups": MOST_GROUPS}))
    span_s, among, dropped = last_s - first_s, None, 0
    if dimensions(rule.document) and rule.document.what.kind not in last_seen.KINDS:
        once = Frame(last_s, SLOT_S)
        what = rule.document.what
        cheap = what.model_copy(update={"statistic": "requests"}) if what.kind == "statistic" else what
        whole = limited.document.model_copy(update={"window_s": max(SLOT_S, span_s), "what": cheap})
        first_look = _read(asked, replace(limited, document=whole), once)
        among, dropped = list(first_look.groups), first_look.dropped
    step_s = _step_s(rule, span_s, max(1, len(among or ())))
    frame = Frame(first_s, step_s, max(1, span_s // step_s + 1))
    reading = _read(asked, limited, frame, among)
    reading.dropped = max(dropped, reading.dropped)
    return reading, frame


def _read(asked: _Asked, rule: Rule, frame: Frame, among: Sequence[Labels] | None = None) -> Reading:
    if rule.document.what.kind in last_seen.KINDS:
        found = last_seen.history(asked.store, rule, frame)
        found.groups = dict(list(found.groups.items())[:MOST_GROUPS])
        return found
    found = read(asked.store, [rule], frame, among=among, apdex_t_ms=lambda _: asked.apdex_t_ms)[rule.id]
    if found.problem:
        raise ProblemError(found.problem)
    return found


def _step_s(rule: Rule, span_s: int, groups: int) -> int:
    """The finest of _STEPS_S that can be afforded and that no window is cut by."""
    document = rule.document
    window_s = document.window_s
    percentiles = (document.what.statistic or "").startswith("p")
    if document.what.kind == "promql":
        return _PROMQL_STEP_S
    for step_s in _STEPS_S:
        windows = span_s / step_s * groups
        merges = windows * max(1, window_s / step_s)
        whole = window_s % step_s == 0 or step_s % window_s == 0
        if whole and windows <= MOST_VALUES and (not percentiles or merges <= MOST_MERGES):
            return step_s
    return _STEPS_S[-1]


def _baselines(
    asked: _Asked, rule: Rule, frame: Frame, among: Sequence[Labels]
) -> Mapping[Labels, dict[int, float | None]]:
    """The threshold at each anchor, by group; nothing for a rule without a baseline."""
    wanted = rule.document.condition.baseline
    if wanted is None:
        return {}
    first, last = baseline.anchor_of(frame.first_s), baseline.anchor_of(frame.end_of(frame.count - 1))
    past = past_frame(wanted, first, last)
    above = rule.document.condition.op.startswith(">")
    reading = _read(asked, rule, past, among)
    found: dict[Labels, dict[int, float | None]] = {}
    for labels in reading.groups:
        values = values_by_end(reading, labels, past)
        found[labels] = {
            anchor_s: baseline.threshold_at(wanted, values, anchor_s, above=above)
            for anchor_s in range(first, last + 1, baseline.ANCHOR_S)
        }
    return found


# -- judging ----------------------------------------------------------------------------------------------------------
def _judge(
    rule: Rule, labels: Labels, reading: Reading, frame: Frame, usual: Mapping[int, float | None] | None
) -> _Judged:
    """From the group's first value on: nothing is known of it before."""
    values = reading.groups[labels]
    wanted = rule.document.condition
    samples: list[Sample] = []
    for number in range(min(values, default=frame.count), frame.count):
        end_s = frame.end_of(number)
        threshold = usual.get(baseline.anchor_of(end_s)) if usual else None
        samples.append(sample(wanted, end_s, values.get(number, reading.missing), threshold))
    intervals, firing_s = _intervals(Condition.of(rule.document, frame.step_s), samples, frame.step_s)
    return _Judged(labels, samples, intervals, firing_s)


def _intervals(condition: Condition, samples: Iterable[Sample], step_s: int) -> tuple[list[AlarmBacktestInterval], int]:
    standing, found, firing_s = Standing(), list[AlarmBacktestInterval](), 0
    for one in samples:
        after = advance(condition, standing, one)
        event = event_between(standing, after)
        if event == "fired":
            found.append(AlarmBacktestInterval(started_at=at_s(one.at_s), ended_at=None, peak=after.peak))
        elif event == "recovered":
            found[-1].ended_at = at_s(one.at_s)
        elif after.is_active:
            found[-1].peak = after.peak
        firing_s += step_s * standing.is_active
        standing = after
    return found, firing_s


def _suggestion(rule: Rule, judged: list[_Judged], step_s: int) -> AlarmSuggestion | None:
    """For all groups together."""
    condition = Condition.of(rule.document, step_s)
    found = suggest([one.value for group in judged for one in group.samples if one.value is not None], rule.document)
    if found is None:
        return None
    fired = 0
    for group in judged:
        moved = (replace(one, threshold=found.threshold, recovery=found.recovery_threshold) for one in group.samples)
        fired += len(_intervals(condition, moved, step_s)[0])
    return AlarmSuggestion(
        threshold=found.threshold, recovery_threshold=found.recovery_threshold, fired=fired, formula=found.formula
    )


# -- showing ----------------------------------------------------------------------------------------------------------
def _shown(wanted: AlarmCondition, judged: _Judged, *, drawn: bool) -> AlarmBacktestGroup:
    return AlarmBacktestGroup(
        group=dict(judged.labels),
        fired=len(judged.intervals),
        firing_s=judged.firing_s,
        intervals=judged.intervals[:MOST_INTERVALS],
        series=_points(wanted, judged.samples) if drawn else [],
    )


def _points(wanted: AlarmCondition, samples: list[Sample]) -> list[AlarmBacktestPoint]:
    """At most MOST_POINTS: of several samples the one that is nearest to an alarm."""
    above = wanted.op.startswith(">")
    together = -(-len(samples) // MOST_POINTS) or 1
    found = []
    for at in range(0, len(samples), together):
        some = samples[at : at + together]
        known = [one for one in some if one.value is not None]
        worst = (max if above else min)(known or some[:1], key=lambda one: one.value or 0.0)
        found.append(AlarmBacktestPoint(time=at_s(worst.at_s), value=worst.value, threshold=worst.threshold))
    return found
