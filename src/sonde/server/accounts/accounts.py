"""Everything of accounts on one database, put together."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sonde import settings
from sonde.server.accounts.app_settings import AppSettingsTable
from sonde.server.accounts.apps import Apps
from sonde.server.accounts.database import metadata_url, open_metadata
from sonde.server.accounts.login import Login
from sonde.server.accounts.name_rules import NameRules
from sonde.server.accounts.probe_settings import ProbeSettings
from sonde.server.accounts.sealing import Sealer
from sonde.server.accounts.sessions import Sessions
from sonde.server.accounts.tokens import ApiTokens
from sonde.server.accounts.users import Users

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from argon2 import PasswordHasher
    from sqlalchemy import Engine

KEY_FILE = "secrets.key"
"""In the data folder; what apps' secrets are sealed with."""


def utc_now() -> datetime:
    """The clock on the wall."""
    return datetime.now(UTC)


class Accounts:
    """Users, sessions, apps, tokens and what probes are told, of one metadata database.

    Thread-safe; every method of every part may block.
    """

    def __init__(
        self,
        engine: Engine,
        session_lifetime: timedelta,
        sealer: Sealer,
        *,
        now: Callable[[], datetime] = utc_now,
        seconds: Callable[[], float] = time.monotonic,
        hasher: PasswordHasher | None = None,
    ) -> None:
        """`now` is the clock on the wall, `seconds` one that never goes back."""
        self.engine = engine
        self.sealer = sealer
        self.users = Users(engine, now, hasher)
        self.sessions = Sessions(engine, now, seconds, session_lifetime)
        self.apps = Apps(engine, now, seconds, sealer)
        self.tokens = ApiTokens(engine, now, seconds)
        self.probe_settings = ProbeSettings(engine, now, seconds)
        self.app_settings = AppSettingsTable(engine, now, seconds)
        self.name_rules = NameRules(engine, now, seconds)
        self.login = Login(self.users, self.sessions, seconds)

    @classmethod
    def of(cls, values: settings.Settings, data: Path) -> Accounts:
        """Those of these settings. Raises SettingError for an address, driver or key that cannot be used."""
        engine = open_metadata(metadata_url(values, data))
        return cls(engine, timedelta(hours=values[settings.SESSION_HOURS]), Sealer.of(values, data / KEY_FILE))

    def close(self) -> None:
        """Give up the connections."""
        self.engine.dispose()
