"""The clocks of senders: milliseconds since the epoch, sometimes missing, sometimes of another day."""

from __future__ import annotations

from typing import NamedTuple

NS_A_MS = 1_000_000
_DAY_MS = 86_400_000
TOO_OLD_MS = 29 * _DAY_MS
"""The store takes 30 days; what waits before it is loaded must not fall out."""
TOO_NEW_MS = _DAY_MS - 600_000
SKEW_MS = 120_000
"""A clock that is further off is worth a hint."""


class Moment(NamedTuple):
    """When something happened, and how far the sender's clock was ahead."""

    ns: int
    clamped: bool
    """`ns` is the time of receipt, for what was said is no time that can be meant."""
    ahead_ms: int


def moment(said_ms: int, received_ns: int) -> Moment:
    """`said_ms`: 0 or less is nothing said, which is no fault."""
    if said_ms <= 0:
        return Moment(received_ns, clamped=said_ms < 0, ahead_ms=0)
    ahead_ms = said_ms - received_ns // NS_A_MS
    if -TOO_OLD_MS <= ahead_ms <= TOO_NEW_MS:
        return Moment(said_ms * NS_A_MS, clamped=False, ahead_ms=ahead_ms)
    return Moment(received_ns, clamped=True, ahead_ms=ahead_ms)
