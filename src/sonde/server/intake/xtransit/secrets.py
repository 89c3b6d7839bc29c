"""Whose signature is it? Apps' secrets, remembered for seconds, and looked up again before anybody is sent away."""

from __future__ import annotations

import time
from collections import OrderedDict
from enum import Enum
from typing import TYPE_CHECKING

from sonde.server.intake.xtransit.frame import may_be_app

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from sonde.server.accounts.apps import AppSecret
    from sonde.server.intake.xtransit.frame import Frame

FRESH_S = 5.0
SURE_S = 1.0
"""A secret may have been renewed: an agent is told that its own is wrong only by one that was looked up so lately."""
MOST_APPS = 4096


class Verdict(Enum):
    """What a signature is worth."""

    GOOD = "good"
    UNKNOWN_APP = "unknown_app"
    WRONG = "wrong_signature"
    UNREADABLE = "secret_unreadable"
    """We cannot tell: the fault is ours."""


class Secrets:
    """Used from one event loop. `look_up` asks the database; what it raises is the caller's to handle."""

    def __init__(
        self,
        look_up: Callable[[str], Awaitable[AppSecret | None]],
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._look_up = look_up
        self._seconds = seconds
        self._known: OrderedDict[str, tuple[float, AppSecret | None]] = OrderedDict()

    async def verify(self, frame: Frame) -> tuple[Verdict, AppSecret | None]:
        """Whether the app signed it, and the app."""
        if not may_be_app(frame.app):
            return Verdict.UNKNOWN_APP, None
        verdict, found = _judge(frame, await self._get(frame.app, FRESH_S))
        if verdict is not Verdict.GOOD:
            verdict, found = _judge(frame, await self._get(frame.app, SURE_S))
        return verdict, found

    async def _get(self, app: str, not_older_s: float) -> AppSecret | None:
        known = self._known.get(app)
        if known is not None and self._seconds() - known[0] < not_older_s:
            return known[1]
        asked_at = self._seconds()
        found = await self._look_up(app)
        self._known[app] = asked_at, found
        self._known.move_to_end(app)
        if len(self._known) > MOST_APPS:
            self._known.popitem(last=False)
        return found


def _judge(frame: Frame, found: AppSecret | None) -> tuple[Verdict, AppSecret | None]:
    if found is None:
        return Verdict.UNKNOWN_APP, None
    if found.secret is None:
        return Verdict.UNREADABLE, found
    return (Verdict.GOOD if frame.is_signed_with(found.secret) else Verdict.WRONG), found
