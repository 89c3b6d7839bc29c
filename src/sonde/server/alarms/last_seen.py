"""How long nothing has come: for rules of the kinds `no_data` and `agent`.

Whoever sent anything in the last KNOWN_S is known, and missed; a day later nobody knows them any more.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from sonde.server.alarms.matching import pattern
from sonde.server.alarms.readings import Reading
from sonde.server.alarms.rules import FILTERS, dimensions
from sonde.server.store.queries import alarm_windows
from sonde.server.store.queries.alarm_windows import Filters, Look

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sonde.server.alarms.matching import Labels
    from sonde.server.alarms.readings import Frame
    from sonde.server.alarms.rules import Rule
    from sonde.server.reports.alarms import AlarmRuleDocument
    from sonde.server.store.client import StoreClient
    from sonde.server.store.queries.alarm_windows import Presence

KNOWN_S = 86_400
LATE_S = 600
"""Data may come so late and still be seen."""
KINDS = frozenset({"no_data", "agent"})


class Source(NamedTuple):
    """Where a rule looks for signs of life."""

    kind: str
    metric: str = ""

    @classmethod
    def of(cls, document: AlarmRuleDocument) -> Source:
        """Of a rule of these kinds."""
        what = document.what
        if what.kind == "agent":
            return cls("agent")
        return cls("requests") if what.signal == "requests" else cls("metric", what.metric)

    @property
    def columns(self) -> tuple[str, ...]:
        """What its keys are made of, after the app."""
        if self.kind == "agent":
            return ("host",)
        return ("service", "instance") if self.kind == "requests" else ("service", "instance", "host")

    def look(self, client: StoreClient, apps: Sequence[str], look: Look, filters: Filters) -> Presence:
        """Ends of slots by (app, *columns)."""
        if self.kind == "requests":
            return alarm_windows.requests_seen(client, apps, look, filters)
        if self.kind == "agent":
            return alarm_windows.agents_seen(client, apps, look, filters)
        found = alarm_windows.metrics_seen(client, apps, look, [self.metric], filters)
        return {(app, *others): slots for (app, _, *others), slots in found.items()}


class LastSeen:
    """Remembers what it saw: after the first time only what came lately is asked for."""

    def __init__(self) -> None:
        self._until: dict[tuple[Source, str], int] = {}
        self._seen: dict[tuple[Source, str], dict[tuple[str, ...], int]] = defaultdict(dict)

    def read(self, client: StoreClient, rules: Sequence[Rule], end_s: int) -> dict[str, Reading]:
        """How long each group of these rules has been silent at `end_s`. Raises StoreError."""
        sources = {(Source.of(rule.document), rule.app) for rule in rules}
        for gone in self._until.keys() - sources:
            del self._until[gone]
            self._seen.pop(gone, None)
        self._look(client, sources, end_s)
        return {rule.id: self._silences(rule, end_s) for rule in rules}

    def _look(self, client: StoreClient, sources: Iterable[tuple[Source, str]], end_s: int) -> None:
        together: dict[tuple[Source, int], list[str]] = defaultdict(list)
        for source, app in sources:
            together[source, self._until.get((source, app), 0)].append(app)
        for (source, until_s), apps in together.items():
            start_s = max(until_s - LATE_S, end_s - KNOWN_S)
            for (app, *key), slots in source.look(
                client, sorted(apps), Look(start_s, end_s, newest=True), Filters({})
            ).items():
                of_app = self._seen[source, app]
                of_app[tuple(key)] = max(slots[-1], of_app.get(tuple(key), 0))
            for app in apps:
                self._until[source, app] = end_s
                of_app = self._seen[source, app]
                for forgotten in [key for key, seen_s in of_app.items() if seen_s <= end_s - KNOWN_S]:
                    del of_app[forgotten]

    def _silences(self, rule: Rule, end_s: int) -> Reading:
        source = Source.of(rule.document)
        seen = {key: [seen_s] for key, seen_s in self._seen[source, rule.app].items()}
        newest = {labels: slots[-1] for labels, slots in _by_group(rule.document, source, seen).items()}
        order = sorted(newest, key=lambda labels: (newest[labels], labels))
        return Reading({labels: {0: float(max(0, end_s - newest[labels]))} for labels in order})


def history(client: StoreClient, rule: Rule, frame: Frame) -> Reading:
    """The silences of a rule's groups at the end of each window of the past. Raises StoreError."""
    source, last_s = Source.of(rule.document), frame.end_of(frame.count - 1)
    only = {
        name: [value]
        for name in source.columns
        if (value := getattr(rule.document.what, name)) and not ("*" in value and name in dimensions(rule.document))
    }
    found = source.look(client, [rule.app], Look(frame.first_s - KNOWN_S, last_s), Filters(only))
    presence = {tuple(key): slots for (_, *key), slots in found.items()}
    groups = _by_group(rule.document, source, presence)
    return Reading({labels: _silent_s(sorted(set(slots)), frame) for labels, slots in sorted(groups.items())})


def _by_group(
    document: AlarmRuleDocument, source: Source, presence: dict[tuple[str, ...], list[int]]
) -> dict[Labels, list[int]]:
    grouped = dimensions(document)
    matchers = [
        (place, pattern(value) if name in grouped else value.__eq__)
        for place, name in enumerate(source.columns)
        if name in FILTERS and (value := getattr(document.what, name))
    ]
    places = [(name, source.columns.index(name)) for name in sorted(grouped)]
    found: dict[Labels, list[int]] = defaultdict(list)
    for key, slots in presence.items():
        if all(takes(key[place]) for place, takes in matchers):
            found[tuple((name, key[place]) for name, place in places)] += slots
    for slots in found.values():
        slots.sort()
    return found


def _silent_s(slots: list[int], frame: Frame) -> dict[int, float]:
    values: dict[int, float] = {}
    seen, following = None, 0
    for number in range(frame.count):
        end_s = frame.end_of(number)
        while following < len(slots) and slots[following] <= end_s:
            seen, following = slots[following], following + 1
        if seen is not None and end_s - seen < KNOWN_S:
            values[number] = float(end_s - seen)
    return values
