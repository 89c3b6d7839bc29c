"""What the commands `sonde app` and `sonde token` stand on: the accounts of a data folder, ready for use."""

from __future__ import annotations

import os
import pwd
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError

from sonde.server.accounts.accounts import Accounts
from sonde.server.accounts.errors import AccountsError
from sonde.server.accounts.migrate import migrate
from sonde.server.folders import Folders
from sonde.settings import DATA_DIR, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def opened_accounts(data: str | None) -> Iterator[Accounts]:
    """The accounts of folder `data` (None: of the settings), migrated. The folder is made if need be.

    Raises SettingError, and AccountsError for whatever the database says no to.
    """
    os.umask(0o077)
    values = Settings({DATA_DIR.name: data})
    accounts = Accounts.of(values, Folders.of(values).data)
    try:
        migrate(accounts.engine)
        yield accounts
    except DBAPIError as error:
        raise AccountsError(f"the metadata database refuses: {error.orig}") from error
    finally:
        accounts.close()


def operator() -> str:
    """Who runs the command, for the audit."""
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's user without an entry
        name = str(os.getuid())
    return f"cli:{name}"
