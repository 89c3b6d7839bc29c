"""A span of time in parts, the newest first: the store keeps spans by hour, service and endpoint, and would read and
sort all of a long time for the newest few.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

_FIRST_LOOK = timedelta(minutes=1)
_WIDER = 8


def newest_first(start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The time from `start` to `end` without gap, the last part first, each longer than the one before."""
    length = _FIRST_LOOK
    while start < end:
        begin = max(start, end - length)
        yield begin, end
        end, length = begin, length * _WIDER
