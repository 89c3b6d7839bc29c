"""`python -m sonde.server.accounts.prepare`: what `sonde up` does to the metadata before it serves.

Prints what to tell the owner as JSON, or `null`: login of the first admin, id and secret of the first app. A process of
its own, so that Alembic and the hashing of a password cost memory for a second only.
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
    from sonde.server.accounts.apps import NewApp
    from sonde.server.accounts.first_start import FirstLogin
    from sonde.settings import Settings


def prepare(values: Settings) -> tuple[FirstLogin | None, NewApp | None]:
    """Migrate, and make the first admin and the first app. Raises SettingError, AccountsError, DBAPIError."""
    folders = Folders.of(values)
    accounts = Accounts.of(values, folders.data)
    try:
        migrate(accounts.engine)
        first = ensure_admin(accounts.users, values[settings.ADMIN_PASSWORD], folders.first_login)
        return first, ensure_app(accounts.apps) if first is not None else None
    finally:
        accounts.close()


def main() -> int:
    """Exit code 1 with one line on standard error when it cannot be done."""
    try:
        login, app = prepare(settings.Settings())
    except (settings.SettingError, AccountsError) as error:
        print(f"sonde: {error}", file=sys.stderr)  # noqa: T201 - a command
        return 1
    except DBAPIError as error:
        print(f"sonde: the metadata database refuses: {error.orig}", file=sys.stderr)  # noqa: T201 - a command
        return 1
    shown = None
    if login is not None and login.password is not None:  # else nobody is there to read it, but a log
        shown = {"user": login.user, "password": login.password}
        if app is not None:
            shown |= {"app": app.app.id, "secret": app.secret}
    print(json.dumps(shown))  # noqa: T201 - a command
    return 0


if __name__ == "__main__":
    sys.exit(main())
