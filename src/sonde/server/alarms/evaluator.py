"""Judges every rule at the end of each slot, as soon as the slot's data are there.

A slot is judged `delay_s` after its end, and later while data wait to be loaded: what is not stored yet is not missing.
Where the store does not answer nothing is judged; the slots are made up for afterwards, at most MOST_CATCH_UP of them.
A clock that jumps leaves slots out, and makes no state older or younger.
"""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import select, update

from sonde.server.accounts import tables
from sonde.server.accounts.credentials import new_id
from sonde.server.accounts.database import writing
from sonde.server.alarms import last_seen, standing_rows
from sonde.server.alarms.condition import Condition, Standing, advance, event_between
from sonde.server.alarms.lease import NAME
from sonde.server.alarms.readings import Frame, Reading, read
from sonde.server.alarms.renamed import is_renamed
from sonde.server.alarms.rules import dimensions, unit
from sonde.server.alarms.standing_rows import Group, at_s, seconds_of
from sonde.server.alarms.suppression import Suppression
from sonde.server.alarms.telling import told_of
from sonde.server.alarms.thresholds import Baselines, sample
from sonde.server.alarms.waiting import enqueue
from sonde.server.insight.steps import SLOT_S
from sonde.server.store.errors import StoreError
from sonde.server.store.queries.naming import Naming, named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from sqlalchemy import Connection, Engine

    from sonde.server.accounts.name_rules import NameRules
    from sonde.server.alarms.condition import Event
    from sonde.server.alarms.lease import Lease
    from sonde.server.alarms.matching import Labels
    from sonde.server.alarms.rule_book import RuleBook
    from sonde.server.alarms.rules import Rule
    from sonde.server.alarms.silence_book import SilenceBook
    from sonde.server.alarms.timeline import Timeline
    from sonde.server.reports.alarms import Ended
    from sonde.server.store.client import StoreClient

log = logging.getLogger(__name__)

MOST_CATCH_UP = 20
"""Slots: ten minutes."""
MOST_BACK_S = 300
"""A clock that went back by less is waited for."""
JUMP_S = 60
"""Wall and steady clock may differ so much between two rounds."""

_evaluation = tables.alarm_evaluation.c
_rules = tables.alarm_rules.c


@dataclass(slots=True)
class _Memory:
    """What is known of a rule from the round before."""

    version: int
    groups: dict[Labels, Group]


class _Change(NamedTuple):
    """A group that is not as it was. `why`: it is over."""

    rule: Rule
    group: Group
    event: Event | None
    why: Ended = "recovered"


@dataclass(slots=True)
class _Slot:
    """What one slot changes."""

    end_s: int
    changed: list[_Change] = field(default_factory=list)
    readings: dict[str, Reading] = field(default_factory=dict)


class Evaluator:
    """`round` as often as one likes: it does what is due. One thread at a time."""

    def __init__(
        self,
        engine: Engine,
        store: StoreClient,
        lease: Lease,
        rules: RuleBook,
        silences: SilenceBook,
        timeline: Timeline,
        names: NameRules,
        apdex_t_ms: Callable[[str], float],
        *,
        now: Callable[[], datetime],
        seconds: Callable[[], float],
        delay_s: float,
        behind_s: Callable[[], float],
    ) -> None:
        """`names`: rules about names, of every app; `apdex_t_ms`: T of an app; `behind_s`: for how long the oldest data
        have waited to be loaded.
        """
        self._engine = engine
        self._store = store
        self._lease = lease
        self._rules = rules
        self._silences = silences
        self._timeline = timeline
        self._names = names
        self._naming: Naming | None = None
        """That of the slot before."""
        self._apdex_t_ms = apdex_t_ms
        self._now = now
        self._seconds = seconds
        self._delay_s = delay_s
        self._behind_s = behind_s
        self._fence: int | None = None
        self._memory: dict[str, _Memory] = {}
        self._seen = last_seen.LastSeen()
        self._baselines = Baselines(apdex_t_ms)
        self._clocks: tuple[float, float] | None = None
        self._trouble = ""
        self.slots = 0
        self.missed_slots = 0
        self.failures = 0

    def round(self) -> int:
        """How many slots were judged. Raises LostLeaseError, and what the metadata database raises."""
        if self._lease.fence is None:
            self._forget()
            return 0
        if self._lease.fence != self._fence:
            self._forget()
            self._fence = self._lease.fence
        began = time.perf_counter()
        due = self._due()
        rules = self._rules.enabled() if due else []
        done = 0
        for end_s in due:
            try:
                slot = self._judge(rules, end_s)
                self._commit(rules, slot, round((time.perf_counter() - began) * 1000, 1))
            except StoreError as error:
                self.failures += 1
                self._say(f"the store does not answer: {error}"[:500])
                break
            except BaseException:
                self._memory.clear()  # it says what was not written
                raise
            done += 1
        self.slots += done
        self._timeline.flush()
        return done

    def _forget(self) -> None:
        """Another one may have evaluated meanwhile."""
        self._memory.clear()
        self._clocks = None
        self._fence = None
        self._naming = None

    # -- which slots --------------------------------------------------------------------------------------------------
    def _due(self) -> list[int]:
        """Ends of the slots that are to be judged now."""
        wall, steady = self._now().timestamp(), self._seconds()
        jumped_s = 0.0
        if self._clocks is not None:
            jumped_s = (wall - self._clocks[0]) - (steady - self._clocks[1])
        self._clocks = wall, steady
        last = int(wall - self._delay_s - self._behind_s()) // SLOT_S * SLOT_S
        until = self._evaluated_until()
        if until is None:
            return [last]
        if until - last > MOST_BACK_S:
            self._skip(last, 0, f"the clock went back by {until - last} s")
            return []
        if jumped_s > JUMP_S and last > until:
            self._skip(last, (last - until) // SLOT_S, f"the clock jumped by {jumped_s:.0f} s")
            return []
        due = list(range(until + SLOT_S, last + 1, SLOT_S))
        if len(due) > MOST_CATCH_UP:
            missed = len(due) - MOST_CATCH_UP
            self._skip(due[missed - 1], missed, f"{missed} slots are too old to be judged")
            due = due[missed:]
        return due

    def _evaluated_until(self) -> int | None:
        with self._engine.connect() as connection:
            until = connection.execute(
                select(_evaluation.evaluated_until).where(_evaluation.name == NAME)
            ).scalar_one_or_none()
        return None if until is None else seconds_of(until)

    def _skip(self, until_s: int, missed: int, why: str) -> None:
        log.warning("alarms: %s; evaluation goes on from %s", why, at_s(until_s).isoformat())
        self.missed_slots += missed
        with writing(self._engine) as connection:
            self._lease.check(connection)
            connection.execute(
                update(tables.alarm_evaluation)
                .where(_evaluation.name == NAME)
                .values(evaluated_until=at_s(until_s), missed_slots=_evaluation.missed_slots + missed)
            )

    def _say(self, trouble: str) -> None:
        """What keeps us from judging; empty: nothing."""
        if trouble == self._trouble:
            return
        if trouble:
            log.warning("alarms are not evaluated: %s", trouble)
        self._trouble = trouble
        with writing(self._engine) as connection:
            self._lease.check(connection)
            connection.execute(update(tables.alarm_evaluation).where(_evaluation.name == NAME).values(trouble=trouble))

    # -- one slot -----------------------------------------------------------------------------------------------------
    def _judge(self, rules: list[Rule], end_s: int) -> _Slot:
        """Raises StoreError where nothing can be said."""
        self._remember(rules)
        slot = _Slot(end_s)
        silent = [rule for rule in rules if rule.document.what.kind in last_seen.KINDS]
        measured = [rule for rule in rules if rule.document.what.kind not in last_seen.KINDS]
        keep = {rule_id: memory.groups.keys() for rule_id, memory in self._memory.items()}
        naming = self._renamed()
        store = named(self._store, naming.rules)
        usual = self._baselines.thresholds(store, measured, end_s)
        slot.readings = read(store, measured, Frame(end_s), keep, apdex_t_ms=self._apdex_t_ms)
        slot.readings |= self._seen.read(store, silent, end_s)
        for rule in rules:
            reading = slot.readings[rule.id]
            if not reading.problem:
                self._judge_rule(rule, reading, usual.get(rule.id, {}), slot, naming)
        self._suppress(rules, slot)
        self._naming = naming
        return slot

    def _renamed(self) -> Naming:
        """Names as they are now. Where they are other ones, what was seen under the old ones is looked for again."""
        naming = Naming(tuple(self._names.all()))
        if self._naming is not None and naming != self._naming:
            self._seen = last_seen.LastSeen()
            self._baselines = Baselines(self._apdex_t_ms)
        return naming

    def _remember(self, rules: Iterable[Rule]) -> None:
        """Groups of rules that are new here, or changed."""
        versions = {rule.id: rule.version for rule in rules}
        self._memory = {
            rule_id: memory for rule_id, memory in self._memory.items() if versions.get(rule_id) == memory.version
        }
        unknown = [rule_id for rule_id in versions if rule_id not in self._memory]
        if unknown:
            with self._engine.connect() as connection:
                loaded = standing_rows.load(connection, unknown)
            for rule_id, groups in loaded.items():
                self._memory[rule_id] = _Memory(versions[rule_id], groups)

    def _judge_rule(
        self, rule: Rule, reading: Reading, usual: Mapping[Labels, float | None], slot: _Slot, naming: Naming
    ) -> None:
        document, condition = rule.document, Condition.of(rule.document)
        groups = self._memory[rule.id].groups
        unseen = set() if reading.dropped else groups.keys() - reading.groups.keys()
        for labels in (*reading.groups, *unseen):
            group = groups.get(labels)
            is_new = group is None
            group = group or Group(labels)
            value = reading.groups.get(labels, {}).get(0, reading.missing)
            one = sample(document.condition, slot.end_s, value, usual.get(labels))
            before = group.standing
            after = advance(condition, before, one)
            renamed = is_renamed(rule.app, labels, self._naming or naming, naming)
            gone = labels in unseen and (renamed or _is_gone(rule, group, value))
            if gone:
                after = Standing(since_s=slot.end_s)
            if is_new and (after.is_forgettable or (after.state == "no_data" and dimensions(document))):
                continue  # all is well, as with most; or nothing is known of it yet
            if before == after and after.state == "no_data" and not dimensions(document):
                continue
            event = event_between(before, after)
            group.standing = after
            group.note(one.value, one.threshold)
            if event == "fired":
                group.alarm_id, group.started_s, group.told, group.told_s = new_id(), slot.end_s, False, 0
            groups[labels] = group
            slot.changed.append(_Change(rule, group, event, "forgotten" if gone else "recovered"))

    def _suppress(self, rules: list[Rule], slot: _Slot) -> None:
        """Of what fires, say why nobody is told."""
        bad: dict[str, list[Group]] = defaultdict(list)
        for rule_id, memory in self._memory.items():
            bad[rule_id] = [it for it in memory.groups.values() if it.standing.state in _BAD]
        firing = [(it.rule, it.group) for it in slot.changed if it.group.standing.is_active]
        if not firing:
            return
        suppression = Suppression(rules, bad, self._silences.all(None), at_s(slot.end_s))
        for rule, group in firing:
            group.suppressed_by = suppression.of(rule, group)

    # -- writing ------------------------------------------------------------------------------------------------------
    def _commit(self, rules: list[Rule], slot: _Slot, round_ms: float) -> None:
        """Everything of a slot, or nothing."""
        with writing(self._engine) as connection:
            self._lease.check(connection)
            versions = dict(connection.execute(select(_rules.id, _rules.version)).all())
            same = {rule.id for rule in rules if versions.get(rule.id) == rule.version}
            written = [change for change in slot.changed if change.rule.id in same]
            for change in written:
                self._write_alarm(connection, change, slot.end_s)
            events = [
                self._timeline.row(it.rule, it.group, it.event, slot.end_s) for it in written if it.event is not None
            ]
            for change in written:
                self._settle(change.rule, change.group)
            standing_rows.store(connection, [(it.rule.id, it.group) for it in written])
            self._write_readings(connection, rules, slot, same)
            connection.execute(
                update(tables.alarm_evaluation)
                .where(_evaluation.name == NAME)
                .values(
                    evaluated_until=at_s(slot.end_s),
                    trouble="",
                    round_ms=round_ms,
                    rules=len(rules),
                    groups_seen=sum(len(reading.groups) for reading in slot.readings.values()),
                )
            )
        self._trouble = ""
        self._timeline.add(events)

    def _write_alarm(self, connection: Connection, change: _Change, end_s: int) -> None:
        rule, group, event, why = change
        now = at_s(end_s)
        if event == "recovered" and group.alarm_id:
            standing_rows.end_interval(connection, group.alarm_id, now, why)
            if group.told:
                enqueue(connection, rule, [told_of(rule, group, "recovered", now, why)], self._now())
        elif group.standing.is_active:
            tell = not group.told and not group.suppressed_by
            group.told = group.told or tell
            if event == "fired":
                standing_rows.begin_interval(connection, rule, unit(rule.document.what), group)
            else:
                standing_rows.update_interval(connection, group)
            if tell or self._is_to_be_reminded_of(connection, rule, group, end_s):
                enqueue(connection, rule, [told_of(rule, group, "fired", now, reminder=not tell)], self._now())
                group.told_s = end_s

    def _is_to_be_reminded_of(self, connection: Connection, rule: Rule, group: Group, end_s: int) -> bool:
        """It goes on, long after it was told. Where somebody looks after it, they need not be told again."""
        every_s = rule.document.remind_s
        if not every_s or not group.told or group.suppressed_by or end_s - group.told_s < every_s:
            return False
        return group.alarm_id is not None and not standing_rows.is_acknowledged(connection, group.alarm_id)

    def _settle(self, rule: Rule, group: Group) -> None:
        """What is over is forgotten."""
        if not group.standing.is_active:
            group.alarm_id, group.started_s, group.told, group.told_s, group.suppressed_by = None, 0, False, 0, ""
        if group.standing.is_forgettable:
            self._memory[rule.id].groups.pop(group.labels, None)

    def _write_readings(self, connection: Connection, rules: list[Rule], slot: _Slot, same: set[str]) -> None:
        """What the rules' own rows say, where it is something else by now."""
        columns = (_rules.id, _rules.groups_seen, _rules.groups_dropped, _rules.problem)
        known = {row[0]: row[1:] for row in connection.execute(select(*columns))}
        for rule in rules:
            reading = slot.readings[rule.id]
            said = (len(reading.groups), reading.dropped, reading.problem)
            if rule.id in same and known.get(rule.id) != said:
                connection.execute(
                    update(tables.alarm_rules)
                    .where(_rules.id == rule.id)
                    .values(groups_seen=said[0], groups_dropped=said[1], problem=said[2])
                )


_BAD = frozenset({"pending", "firing", "recovering"})


def _is_gone(rule: Rule, group: Group, value: float | None) -> bool:
    """Whether a group that is not found any more is to be missed no longer: nothing was known of it for twenty
    minutes, or of one whose silence is the alarm for a day.
    """
    if value is not None:
        return False
    if rule.document.what.kind in last_seen.KINDS:
        return True
    return len(group.recent) >= standing_rows.RECENT and all(known is None for known in group.recent)
