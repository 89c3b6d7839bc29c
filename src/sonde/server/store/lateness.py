"""Tells the store how late the data of each app may come, where somebody said so.

It decides when spans are loaded, and stays where the engine looks it up for each of them: a table in memory, by app.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from sonde.server.store.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sonde.server.store.client import StoreClient

log = logging.getLogger(__name__)

PAUSE_S = 2.0
"""Between two looks at what was said."""


def tell_lateness(client: StoreClient, late_max_s: Mapping[str, int]) -> None:
    """From the next load on. Apps that are not named have what they had; 0 takes back. `client` may write."""
    if late_max_s:
        client.command(
            "INSERT INTO app_lateness (app, late_max_s) SELECT said.1, said.2 FROM (SELECT arrayJoin(arrayZip("
            "{apps:Array(String)}, {late:Array(UInt32)})) AS said)",
            {"apps": list(late_max_s), "late": list(late_max_s.values())},
        )


def told_lateness(client: StoreClient) -> dict[str, int]:
    """What the store was told, in seconds by app."""
    return {str(app): int(late) for app, late in client.rows("SELECT app, late_max_s FROM app_lateness") if late}


class Lateness:
    """`run` until cancelled: what was said is told to the store soon after. The store remembers it, a file for each
    telling: so it is told what is new to it, and nothing else.
    """

    def __init__(self, store: StoreClient, said: Callable[[], Mapping[str, int]]) -> None:
        """`store`: as the user who may write. `said` gives seconds by app, and may block."""
        self._store = store
        self._said = said
        self._told: dict[str, int] | None = None

    async def run(self) -> None:
        """Whoever is away is asked again at the next look."""
        while True:
            try:
                await asyncio.to_thread(self.look)
            except (StoreError, SQLAlchemyError) as error:
                log.debug("cannot tell the store how late data may come: %s", error)
            await asyncio.sleep(PAUSE_S)

    def look(self) -> None:
        """Tell what is new. Raises StoreError, SQLAlchemyError."""
        said = dict(self._said())
        told = self._told if self._told is not None else told_lateness(self._store)
        new = {app: late for app, late in said.items() if told.get(app) != late}
        new |= dict.fromkeys(told.keys() - said.keys(), 0)
        tell_lateness(self._store, new)
        self._told = said
