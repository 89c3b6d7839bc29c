"""Why nobody is told of what fires: another alarm says it already, somebody knows, or it is night."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sonde.server.alarms.rules import Rule
    from sonde.server.alarms.silence_book import Silence
    from sonde.server.alarms.standing_rows import Group
    from sonde.server.reports.alarms import AlarmQuietHours, SuppressedBy

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Suppression:
    """As of one moment. `bad`: the groups of each rule that fire or are about to."""

    def __init__(
        self, rules: Iterable[Rule], bad: Mapping[str, Sequence[Group]], silences: Iterable[Silence], now: datetime
    ) -> None:
        self._now = now
        self._silences: dict[str, list[Silence]] = defaultdict(list)
        for silence in silences:
            if silence.holds(now):
                self._silences[silence.app].append(silence)
        self._bad = {(rule.app, rule.document.name): bad.get(rule.id, ()) for rule in rules}

    def of(self, rule: Rule, group: Group) -> SuppressedBy:
        """Empty: somebody is to be told."""
        document = rule.document
        said = dict(group.labels)
        above = self._bad.get((rule.app, document.depends_on), ()) if document.depends_on else ()
        if any(_agree(said, dict(other.labels)) for other in above):
            return "dependency"
        if any(silence.covers(rule.app, document.name, said) for silence in self._silences[rule.app]):
            return "silence"
        if any(is_quiet(hours, self._now) for hours in document.quiet_hours):
            return "quiet_hours"
        return ""


def _agree(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """In all that both say."""
    return all(other.get(name, value) == value for name, value in one.items())


def is_quiet(hours: AlarmQuietHours, now: datetime) -> bool:
    """By the clock on the wall there; hours that end before they begin end the next day."""
    local = now.astimezone(ZoneInfo(hours.time_zone))
    clock = f"{local:%H:%M}"
    if hours.start < hours.end:
        return _DAYS[local.weekday()] in hours.days and hours.start <= clock < hours.end
    if clock >= hours.start:
        return _DAYS[local.weekday()] in hours.days
    yesterday = (local.date() - timedelta(days=1)).weekday()
    return clock < hours.end and _DAYS[yesterday] in hours.days
