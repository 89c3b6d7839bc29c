"""`python -m sonde.server.accounts.prepare`: what `sonde up` does to the metadata before it serves.

Prints the login of the first admin as JSON, or `null`. A process of its own, so that Alembic and the hashing of a
password cost memory for a second only.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError

from sonde import settings
from sonde.server.accounts.accounts import Accounts
from sonde.server.accounts.errors import AccountsError
from sonde.server.accounts.first_start import ensure_admin, ensure_app
from sonde.server.accounts.migrate import migrate
from sonde.server.folders import Folders

if TYPE_CHECKING:
    from sonde.server.accounts.first_start import FirstLogin
    from sonde.settings import Settings


def prepare(values: Settings) -> FirstLogin | None:
    """Migrate, and make the first admin and the first app. Raises SettingError, AccountsError, DBAPIError."""
    folders = Folders.of(values)
    accounts = Accounts.of(values, folders.data)
    try:
        migrate(accounts.engine)
        first = ensure_admin(accounts.users, values[settings.ADMIN_PASSWORD], folders.first_login)
        if first is not None:
            ensure_app(accounts.apps)
        return first
    finally:
        accounts.close()


def main() -> int:
    """Exit code 1 with one line on standard error when it cannot be done."""
    try:
        login = prepare(settings.Settings())
    except (settings.SettingError, AccountsError) as error:
        print(f"sonde: {error}", file=sys.stderr)  # noqa: T201 - a command
        return 1
    except DBAPIError as error:
        print(f"sonde: the metadata database refuses: {error.orig}", file=sys.stderr)  # noqa: T201 - a command
        return 1
    shown = {"user": login.user, "password": login.password} if login and login.password else None
    print(json.dumps(shown))  # noqa: T201 - a command
    return 0


if __name__ == "__main__":
    sys.exit(main())
