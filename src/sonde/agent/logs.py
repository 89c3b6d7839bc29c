"""The agent's log, on standard error: a fault that lasts for hours is said once a minute."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from sonde.settings import SettingError

if TYPE_CHECKING:
    from collections.abc import Callable

REPEAT_AFTER_S = 60.0
MAX_REMEMBERED = 256


class DuplicateFilter(logging.Filter):
    """Lets a message pass once in REPEAT_AFTER_S, and then says how often it was held back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._said: dict[str, tuple[float, int]] = {}  # message -> (when it passed, how often held back since)

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is written."""
        message, now = record.getMessage(), self._clock()
        said_at, held_back = self._said.get(message, (-REPEAT_AFTER_S, 0))
        if now - said_at < REPEAT_AFTER_S:
            self._said[message] = said_at, held_back + 1
            return False
        if len(self._said) >= MAX_REMEMBERED:
            self._said.clear()
        self._said[message] = now, 0
        if held_back:
            record.msg, record.args = f"{message} ({held_back} times more in the last while)", ()
        return True


def log_to_stderr(level: str) -> None:
    """From here on. Raises SettingError where `level` is the name of no level."""
    if level.upper() not in logging.getLevelNamesMapping():
        raise SettingError(f"log_level: {level!r} is none of debug, info, warning, error")
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    handler.addFilter(DuplicateFilter())
    logging.basicConfig(level=level.upper(), handlers=[handler])
