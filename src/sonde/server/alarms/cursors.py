"""Where a list goes on: after a time, and after an id of that time."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from sonde.server.alarms.errors import BadCursorError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CURSOR = re.compile(r"(\d{1,17})-([0-9a-f]{1,32})", re.ASCII)


def cursor_of(at: datetime, row_id: str) -> str:
    """Of the last row of a page."""
    return f"{(at - _EPOCH) // timedelta(microseconds=1)}-{row_id}"


def parsed(cursor: str) -> tuple[datetime, str]:
    """Raises BadCursorError."""
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        raise BadCursorError("not one that an earlier page of this list gave")
    try:
        return _EPOCH + timedelta(microseconds=int(found[1])), found[2]
    except OverflowError:
        raise BadCursorError("not one that an earlier page of this list gave") from None
