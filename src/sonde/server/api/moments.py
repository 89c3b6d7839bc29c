"""Times in requests: RFC 3339, or milliseconds since the epoch."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import Query
from pydantic import PlainValidator, WithJsonSchema

from sonde.server.api.failures import bad_parameter

DEFAULT_RANGE = timedelta(hours=1)
LONGEST_RANGE = timedelta(days=400)
FIRST, LAST = datetime(1971, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
"""What the store's types can tell apart, with room for a range beside it."""

# A space stands for the `+` that somebody forgot to percent-encode.
_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+\- ]\d\d:\d\d)", re.ASCII)
_EPOCH_MS = re.compile(r"\d{1,14}", re.ASCII)


def parse_moment(raw: object) -> datetime:
    """An aware datetime in UTC. Raises ValueError."""
    text = str(raw)
    if _EPOCH_MS.fullmatch(text):
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(text))
    elif _RFC_3339.fullmatch(text):
        if text[-6] == " ":
            text = f"{text[:-6]}+{text[-5:]}"
        moment = datetime.fromisoformat(text.upper())
    else:
        raise ValueError("a time is RFC 3339, such as 2026-11-20T18:00:00Z, or milliseconds since the epoch")
    if not FIRST <= moment <= LAST:
        raise ValueError(f"a time lies between the years {FIRST.year} and {LAST.year}")
    return moment.astimezone(UTC)


_SCHEMA = {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "integer", "minimum": 0}]}
Moment = Annotated[datetime, PlainValidator(parse_moment), WithJsonSchema(_SCHEMA)]


@dataclass(frozen=True, slots=True)
class TimeRange:
    """From `start`, which belongs to it, to `end`, which does not."""

    start: datetime
    end: datetime


async def time_range(
    from_: Annotated[Moment | None, Query(alias="from", description="Start. Default: one hour before the end.")] = None,
    to: Annotated[Moment | None, Query(description="End. Default: now.")] = None,
) -> TimeRange:
    """The span of time a page is about."""
    end = to or datetime.now(UTC)
    start = from_ or end - DEFAULT_RANGE
    if start >= end:
        raise bad_parameter("from", "must be before `to`")
    if end - start > LONGEST_RANGE:
        raise bad_parameter("from", f"at most {LONGEST_RANGE.days} days before `to`")
    return TimeRange(start, end)
