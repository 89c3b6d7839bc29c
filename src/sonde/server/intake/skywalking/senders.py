"""Whose data it is. The token is an app's; agents that cannot bring one belong to the app of `skywalking_app`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError

from sonde.server.accounts.recent import Recent
from sonde.server.api.failures import RefusedError as BusyError
from sonde.server.intake.skywalking.errors import AwayError, UnknownSenderError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sonde.server.accounts.apps import Apps
    from sonde.server.api.workers import Workers

CACHED_S = 5.0


class Senders:
    """Used from the event loop; what is not remembered is looked up in `workers`."""

    def __init__(
        self, apps: Apps, workers: Workers, fallback: str, seconds: Callable[[], float] = time.monotonic
    ) -> None:
        """`fallback`: name or id of the app of those without a token; empty: they are refused."""
        self._apps = apps
        self._workers = workers
        self._fallback = fallback
        self._recent: Recent[str, str | None] = Recent(CACHED_S, 1, seconds)

    async def app_of(self, token: str) -> str:
        """The id of the app. Raises UnknownSenderError, AwayError."""
        token = token.strip()
        if token.lower().startswith("bearer "):
            token = token[7:].strip()
        try:
            if token:
                if self._apps.remembers(token):
                    app = self._apps.authenticate(token)
                else:
                    app = await self._workers(self._apps.authenticate, token)
            elif self._fallback:
                if self._recent.known(self._fallback):
                    app = self._called()
                else:
                    app = await self._workers(self._called)
            else:
                raise UnknownSenderError(
                    "no_token",
                    "came without a token; set the agent's `authentication` to an app's token, or the server's "
                    "skywalking_app where the agent cannot bring one",
                )
        except (DBAPIError, BusyError):
            raise AwayError("tokens cannot be checked just now") from None
        if app is None:
            if token:
                raise UnknownSenderError("wrong_token", "came with a token that no app has")
            raise UnknownSenderError("no_such_app", f"came without a token, and there is no app {self._fallback!r}")
        return app

    def _called(self) -> str | None:
        """The app of those without a token; it may be made after the server has started."""
        return self._recent.get(self._fallback, self._look_up)

    def _look_up(self) -> str | None:
        apps = self._apps.all()
        by_id = (app.id for app in apps if app.id == self._fallback)
        return next(by_id, None) or next((app.id for app in apps if app.name == self._fallback), None)
