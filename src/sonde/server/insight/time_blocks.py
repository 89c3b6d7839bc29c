"""Slots, blocks, and the day that people mean: from one local midnight to the next.

slot = floor(t / 30 s), block = floor(t / 180 s), both counted from the Unix epoch: no two times share a block because
they share a time of day. Offsets from UTC and steps of daylight saving are multiples of 180 s, so blocks line up with
local midnight; a block's index in its day is for display only.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sonde.server.insight.steps import SLOT_S, floor_to

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCK_S = 6 * SLOT_S
_BLOCK = timedelta(seconds=BLOCK_S)


class UnknownZoneError(ValueError):
    """There is no time zone of that name."""


def zone(name: str) -> ZoneInfo:
    """The time zone of an IANA name, e.g. Asia/Kathmandu. Raises UnknownZoneError."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # OSError: a folder of zones, or a name too long for a file
        raise UnknownZoneError(f"there is no time zone {name!r}; names are like Europe/Berlin or UTC") from None


def slot_of(at: datetime) -> int:
    """Number of the slot that a time falls into."""
    return int(at.timestamp()) // SLOT_S


def block_of(at: datetime) -> int:
    """Number of the block that a time falls into."""
    return int(at.timestamp()) // BLOCK_S


def midnight(day: dt.date, of: ZoneInfo) -> datetime:
    """The first moment of that date, in UTC. Where clocks skip midnight it is the moment at which they do."""
    return datetime.combine(day, dt.time(), of).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Block:
    """One block of a day. `start` is in UTC, `local` what a clock of the place shows then."""

    index: int
    start: datetime
    local: datetime


@dataclass(frozen=True, slots=True)
class Day:
    """A date in a time zone, from `start` to `end`, both in UTC. A date that a zone skipped has no length."""

    date: dt.date
    zone: ZoneInfo
    start: datetime
    end: datetime

    @classmethod
    def of(cls, day: dt.date, of: ZoneInfo) -> Day:
        """Raises OverflowError for the last day there is."""
        return cls(day, of, midnight(day, of), midnight(day + timedelta(days=1), of))

    @classmethod
    def at(cls, moment: datetime, of: ZoneInfo) -> Day:
        """The day that a moment belongs to."""
        return cls.of(moment.astimezone(of).date(), of)

    def blocks(self) -> Iterator[Block]:
        """All blocks, by time: 480, but for the days on which clocks are changed."""
        start, index = floor_to(self.start, BLOCK_S), 0
        while start < self.end:
            yield Block(index, start, start.astimezone(self.zone))
            start, index = start + _BLOCK, index + 1

    def index_of(self, moment: datetime) -> int:
        """Index of the block that a moment of this day falls into."""
        return block_of(moment) - block_of(self.start)
