"""The first admin: made once, when nobody is there; the password is random unless a setting says one. And the first
app, so that there is something to send to.
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from sonde.server.accounts.apps import Apps, NewApp
    from sonde.server.accounts.users import User, Users

ADMIN = "admin"
APP = "default"
_PASSWORD_BYTES = 12


@dataclass(frozen=True, slots=True)
class FirstLogin:
    """What to tell the owner. `password` is None where they chose it themselves."""

    user: str
    password: str | None


def ensure_admin(users: Users, chosen_password: str, login_file: Path) -> FirstLogin | None:
    """Make the admin of an empty database; None where somebody is there already.

    A random password goes to `login_file` (mode 0600) before the user exists: a crash in between costs nothing.
    Raises WeakPasswordError for a chosen one that is too short.
    """
    password = chosen_password or secrets.token_urlsafe(_PASSWORD_BYTES)

    def keep(user: User) -> None:
        if not chosen_password:
            _write_privately(login_file, json.dumps({"user": user.name, "password": password}) + "\n")

    if users.create_first(ADMIN, password, keep) is None:
        return None
    return FirstLogin(ADMIN, None if chosen_password else password)


def ensure_app(apps: Apps) -> NewApp | None:
    """Make the first app; None where there is one already."""
    return apps.create_first(APP, "first start")


def _write_privately(path: Path, text: str) -> None:
    unfinished = path.with_suffix(".new")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
