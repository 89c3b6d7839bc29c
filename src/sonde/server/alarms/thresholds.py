"""What values are compared with: the rule's own threshold, or the one that its baseline has at that time."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from sonde.server.alarms import baseline
from sonde.server.alarms.condition import Sample
from sonde.server.alarms.readings import Frame, read

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sonde.server.alarms.matching import Labels
    from sonde.server.alarms.readings import Reading
    from sonde.server.alarms.rules import Rule
    from sonde.server.reports.alarms import AlarmBaseline, AlarmCondition
    from sonde.server.store.client import StoreClient

_SHARES = baseline.ANCHOR_S // 30
"""Baselines are renewed a part of them each 30 s."""


def sample(condition: AlarmCondition, at_s: int, value: float | None, usual: float | None) -> Sample:
    """`usual`: the threshold of the baseline, for rules that have one."""
    if condition.baseline is not None:
        return Sample(at_s, value, usual, usual)
    return Sample(at_s, value, condition.threshold, condition.recovery_threshold)


def past_frame(wanted: AlarmBaseline, first_anchor_s: int, last_anchor_s: int) -> Frame:
    """The windows that the thresholds from one anchor to another are made of."""
    first_s = first_anchor_s - baseline.reach_s(wanted)
    last_s = last_anchor_s - baseline.period_s(wanted) + baseline.AROUND_S
    around_s = last_anchor_s - first_anchor_s + 2 * baseline.AROUND_S
    count = (last_s - first_s) // baseline.ANCHOR_S + 1
    return Frame(first_s, baseline.ANCHOR_S, count, baseline.period_s(wanted), around_s)


def values_by_end(reading: Reading, labels: Labels, frame: Frame) -> dict[int, float]:
    """Of one group, by the end of the window. Where a missing window is a zero, so it is here, from the first on."""
    known = reading.groups.get(labels, {})
    if reading.missing is None or not known:
        return {frame.end_of(number): value for number, value in known.items()}
    first = min(known)
    return {frame.end_of(number): known.get(number, reading.missing) for number in range(first, frame.count)}


class Baselines:
    """The thresholds of rules with a baseline, for live evaluation. Each is made anew when its anchor is over."""

    def __init__(self, apdex_t_ms: Callable[[str], float]) -> None:
        self._apdex_t_ms = apdex_t_ms
        self._known: dict[str, tuple[int, int, dict[Labels, float | None]]] = {}
        """By rule: version, anchor, threshold of each group."""

    def thresholds(
        self, client: StoreClient, rules: Sequence[Rule], at_s: int
    ) -> Mapping[str, Mapping[Labels, float | None]]:
        """By rule and group, as of `at_s`. A rule whose past cannot be read has none. Raises StoreUnavailable."""
        renewed: dict[tuple[AlarmBaselineKey, int], list[Rule]] = defaultdict(list)
        for rule in rules:
            wanted = rule.document.condition.baseline
            if wanted is None:
                continue
            anchor_s = baseline.anchor_of(at_s, int(rule.id[:4] or "0", 16) % _SHARES * 30)
            if self._known.get(rule.id, (0, 0))[:2] != (rule.version, anchor_s):
                renewed[(wanted.every, wanted.periods), anchor_s].append(rule)
        for (_, anchor_s), together in renewed.items():
            self._renew(client, together, anchor_s)
        asked = {rule.id for rule in rules}
        self._known = {rule_id: known for rule_id, known in self._known.items() if rule_id in asked}
        return {rule_id: known[2] for rule_id, known in self._known.items()}

    def _renew(self, client: StoreClient, rules: Sequence[Rule], anchor_s: int) -> None:
        """All of them look at the same windows."""
        first = rules[0].document.condition.baseline
        assert first is not None  # noqa: S101 - chosen so
        frame = past_frame(first, anchor_s, anchor_s)
        readings = read(client, rules, frame, apdex_t_ms=self._apdex_t_ms)
        for rule in rules:
            wanted = rule.document.condition.baseline
            assert wanted is not None  # noqa: S101 - likewise
            above = rule.document.condition.op.startswith(">")
            reading = readings[rule.id]
            thresholds = {
                labels: baseline.threshold_at(wanted, values_by_end(reading, labels, frame), anchor_s, above=above)
                for labels in reading.groups
            }
            self._known[rule.id] = (rule.version, anchor_s, thresholds)


AlarmBaselineKey = tuple[str, int]
"""`every` and `periods`."""
