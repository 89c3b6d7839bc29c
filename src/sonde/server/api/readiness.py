"""Whether the server can do its work right now, and if not, why."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

log = logging.getLogger(__name__)


class NotReadyError(Exception):
    """A part does not do its work; the message says why, and may be read by anybody."""


REMEMBERED_S = 0.3
"""Anybody may ask, so asking must cost nothing."""
CHECK_WITHIN_S = 5.0


class Readiness:
    """Runs named checks. A check returns, or raises NotReadyError; another exception is a reason, too, but its text
    stays in our log: it may name addresses.
    """

    def __init__(self, checks: Mapping[str, Callable[[], Awaitable[object]]]) -> None:
        self._checks = checks
        self._lock = asyncio.Lock()
        self._reasons: dict[str, str] = {}
        self._fresh_until_s = 0.0

    async def reasons(self) -> dict[str, str]:
        """What is wrong, by the name of the check; empty when all is well."""
        async with self._lock:
            if time.monotonic() >= self._fresh_until_s:
                found = await asyncio.gather(*(self._run(name, check) for name, check in self._checks.items()))
                self._reasons = {name: reason for name, reason in found if reason}
                self._fresh_until_s = time.monotonic() + REMEMBERED_S
            return self._reasons

    async def _run(self, name: str, check: Callable[[], Awaitable[object]]) -> tuple[str, str]:
        try:
            await asyncio.wait_for(check(), CHECK_WITHIN_S)
        except TimeoutError:
            return name, f"no answer within {CHECK_WITHIN_S:.0f} s"
        except NotReadyError as error:
            return name, str(error)
        except Exception as error:  # whatever it is, this part is not ready
            log.warning("not ready: %s: %s", name, error)
            return name, "does not work; the server's log says why"
        return name, ""
