"""From samples to states: the one function that judges, live and in a backtest.

A sample is what a rule's window says at the end of a slot. Durations are counted in slots that were judged, never read
from a clock: a clock that jumps makes no alarm older than it is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from sonde.server.insight.steps import SLOT_S

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sonde.server.reports.alarms import AlarmRuleDocument, WhenNoData

Judged = Literal["ok", "pending", "firing", "recovering", "no_data"]
Event = Literal["fired", "recovered"]

JUDGEMENTS = 20
"""So many last judgements the flap score is made of."""
_MASK = (1 << JUDGEMENTS) - 1
_FIRST_WEIGHT, _LAST_WEIGHT = 0.8, 1.2
FLAPS_FROM = 0.5
_ACTIVE = frozenset({"firing", "recovering"})


@dataclass(frozen=True, slots=True)
class Sample:
    """A window that ends at `at_s` (since the epoch). None: it has no value, or nothing to compare it with."""

    at_s: int
    value: float | None
    threshold: float | None
    recovery: float | None
    """It is over where the condition does not hold for this one either."""


@dataclass(frozen=True, slots=True)
class Condition:
    """When a sample counts, and how long it must. `step_slots`: from one sample to the next."""

    above: bool
    inclusive: bool
    for_slots: int = 0
    recover_slots: int = 0
    when_no_data: WhenNoData = "no_data"
    step_slots: int = 1

    @classmethod
    def of(cls, document: AlarmRuleDocument, step_s: int = SLOT_S) -> Condition:
        """That of a rule."""
        wanted = document.condition
        return cls(
            above=wanted.op.startswith(">"),
            inclusive=wanted.op.endswith("="),
            for_slots=wanted.for_s // SLOT_S,
            recover_slots=wanted.recover_for_s // SLOT_S,
            when_no_data=wanted.when_no_data,
            step_slots=step_s // SLOT_S,
        )

    def holds(self, value: float, threshold: float) -> bool:
        """Whether a value is on the bad side."""
        if value == threshold:
            return self.inclusive
        return (value > threshold) is self.above

    def worse(self, one: float | None, other: float | None) -> float | None:
        """The one further on the bad side."""
        if one is None or other is None:
            return other if one is None else one
        return max(one, other) if self.above else min(one, other)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a group of a rule is doing. The counters are slots, the first one counting as 1; 0: not at all."""

    state: Judged = "ok"
    since_s: int = 0
    breached: int = 0
    calm: int = 0
    judgements: int = 0
    """One bit each, the newest the lowest: 1 where the condition held."""
    peak: float | None = None
    """The worst value since it began to hold."""

    @property
    def is_active(self) -> bool:
        """It fires, be it that it is about to recover."""
        return self.state in _ACTIVE

    @property
    def is_forgettable(self) -> bool:
        """Nothing of it would be missed."""
        return self.state == "ok" and not self.judgements

    @property
    def flap_score(self) -> float:
        """How often the last judgements differ from the one before, 0 to 1; a newer change weighs more."""
        changes = self.judgements ^ (self.judgements >> 1)
        most = JUDGEMENTS - 1
        rise = (_LAST_WEIGHT - _FIRST_WEIGHT) / (most - 1)
        return sum(_LAST_WEIGHT - rise * age for age in range(most) if changes >> age & 1) / most


def advance(condition: Condition, standing: Standing, sample: Sample) -> Standing:
    """What becomes of a group with one more sample."""
    value, threshold = sample.value, sample.threshold
    if value is None and threshold is not None and condition.when_no_data != "no_data":
        held = condition.when_no_data == "fire"
        return _judged(condition, standing, sample, held=held, over=not held)
    if value is None or threshold is None:
        if standing.is_active or standing.state == "no_data":
            return standing  # silence is no recovery
        return replace(standing, state="no_data", since_s=sample.at_s, breached=0, calm=0, peak=None)
    held = condition.holds(value, threshold)
    recovery = threshold if sample.recovery is None else sample.recovery
    return _judged(condition, standing, sample, held=held, over=not held and not condition.holds(value, recovery))


def _judged(condition: Condition, standing: Standing, sample: Sample, *, held: bool, over: bool) -> Standing:
    """`held`: the condition does; `over`: nor would what fires go on. Between the two what fires goes on firing."""
    bad = not over if standing.is_active else held
    judgements = (standing.judgements << 1 | bad) & _MASK
    if bad:
        breached = standing.breached + condition.step_slots if standing.breached else 1
        fires = standing.is_active or breached - 1 >= condition.for_slots
        state: Judged = "firing" if fires else "pending"
        calm, peak = 0, condition.worse(standing.peak, sample.value)
    elif standing.is_active:
        breached, peak = standing.breached, standing.peak
        calm = standing.calm + condition.step_slots if standing.calm else 1
        state = "ok" if calm - 1 >= condition.recover_slots else "recovering"
    else:
        state, breached, calm, peak = "ok", 0, 0, None
    if state == "ok":
        breached, calm, peak = 0, 0, None
    since_s = standing.since_s if state == standing.state else sample.at_s
    return Standing(state, since_s, breached, calm, judgements, peak)


def event_between(before: Standing, after: Standing) -> Event | None:
    """What is told of a change."""
    if after.is_active == before.is_active:
        return None
    return "fired" if after.is_active else "recovered"


def standings(condition: Condition, samples: Iterable[Sample]) -> Iterator[Standing]:
    """The state after each sample, of a group of which nothing was known."""
    standing = Standing()
    for sample in samples:
        standing = advance(condition, standing, sample)
        yield standing
