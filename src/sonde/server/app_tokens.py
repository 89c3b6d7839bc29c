"""App tokens looked up in a thread, so that intakes, which may not wait, find them remembered."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError

from sonde.server.api.failures import RefusedError

if TYPE_CHECKING:
    from sonde.server.accounts.apps import Apps
    from sonde.server.api.workers import Workers

log = logging.getLogger(__name__)


class AppTokens:
    """Used from the event loop."""

    def __init__(self, apps: Apps, workers: Workers) -> None:
        self._apps = apps
        self._workers = workers

    async def look_up(self, authorization: str) -> bool:
        """Remember whose the token of an `Authorization: Bearer …` is.

        False where the metadata database does not answer: a sender must then come again, and not be told that its
        token is wrong.
        """
        token = authorization.partition(" ")[2].strip()
        if self._apps.remembers(token):
            return True
        try:
            await self._workers(self._apps.authenticate, token)
        except (DBAPIError, RefusedError) as error:
            log.warning("app tokens cannot be checked: %s", error)
            return False
        return True
