"""How far this host's clock is from the server's, as the Date of the server's answers tells.

A date counts whole seconds and may be a second old, so this is right to about a second. That is enough to tell a clock
that is wrong from one that is not, and to stamp what the agent itself measures with a time that the server understands.
"""

from __future__ import annotations

import threading
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

WRONG_FROM_S = 5.0
"""A clock that is off by less is not corrected: the measurement is hardly better than that."""
_DATE_IS_OLD_S = 0.5
"""On average: a date is cut to whole seconds."""


class ServerClock:
    """Written by whoever talks to the server, read by whoever stamps. `unix_s` is this host's clock."""

    def __init__(self, unix_s: Callable[[], float] = time.time) -> None:
        self.unix_s = unix_s
        self._lock = threading.Lock()
        self._offset_s: float | None = None

    def heard(self, date: str | None, asked_at: float, answered_at: float) -> None:
        """An answer came, `date` is its header; both times are of this host's clock. A date nobody can read is none."""
        if date is None:
            return
        try:
            server_s = parsedate_to_datetime(date).timestamp() + _DATE_IS_OLD_S
        except (ValueError, OverflowError):
            return
        with self._lock:
            self._offset_s = (asked_at + answered_at) / 2 - server_s

    @property
    def offset_s(self) -> float | None:
        """Seconds by which this host is ahead; negative: behind. None until the server has answered."""
        with self._lock:
            return self._offset_s

    def now_unix_ns(self) -> int:
        """The server's time where this host's clock is wrong, else this host's."""
        offset_s = self.offset_s
        wrong = offset_s is not None and abs(offset_s) >= WRONG_FROM_S
        return int((self.unix_s() - (offset_s if wrong and offset_s is not None else 0.0)) * 1e9)
