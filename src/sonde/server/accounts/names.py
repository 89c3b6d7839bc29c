"""What a name may look like: users, apps and tokens are shown in lists, typed into forms and read out in chats."""

from __future__ import annotations

from sonde.server.accounts.errors import BadNameError

MAX_NAME_CHARS = 64


def checked_name(name: str) -> str:
    """`name` itself. Raises BadNameError."""
    if not 1 <= len(name) <= MAX_NAME_CHARS or not name.isprintable() or name != name.strip():
        raise BadNameError(f"a name has 1 to {MAX_NAME_CHARS} visible characters and no space at either end")
    return name
