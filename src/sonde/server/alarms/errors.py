"""What alarms refuse.

AlarmsError
├── BadRuleError       a rule that cannot be; carries its place
├── BadNotifierError   a notifier that cannot be, or a target that must not be called; carries its place
├── InUseError         something else names it
├── TooManyError       an app has as many as it may have
├── BadCursorError     no cursor of that list
└── LostLeaseError     another process evaluates by now
"""

from __future__ import annotations


class AlarmsError(Exception):
    """The message says what was refused and why, fit for a user's eyes."""


class _PlacedError(AlarmsError):
    """`place` is the path of the field, as in the API: `condition.threshold`."""

    def __init__(self, place: str, problem: str) -> None:
        super().__init__(f"{place}: {problem}")
        self.place = place
        self.problem = problem


class BadRuleError(_PlacedError):
    """No such rule can be evaluated."""


class BadNotifierError(_PlacedError):
    """Nobody can be told that way."""


class InUseError(AlarmsError):
    """It would leave something without what it names."""


class TooManyError(AlarmsError):
    """Everything that grows has an end."""


class BadCursorError(AlarmsError):
    """The text is no cursor that an earlier page gave."""


class LostLeaseError(AlarmsError):
    """What was computed is not written: whoever holds the lease now does it."""
