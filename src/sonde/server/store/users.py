"""Who may ask, from where, and how much one statement of theirs may take.

The users are ours: the embedded engine knows one, who may do everything. Over the unix socket the peer's user id is
the credential, over TCP it is a password.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sonde.server.store.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping


_EACH_OF_THEIR_OWN = frozenset({"max_execution_time"})
"""May be lowered by everybody: clients say with each statement how long they will wait, such as Grafana's."""


@dataclass(frozen=True, slots=True)
class User:
    """One row of the table of users."""

    name: str
    writes: bool
    over_tcp: bool
    may_change_settings: bool
    settings: Mapping[str, str]
    """Caps on a statement. A request may lower those that are numbers, and raise none."""
    max_body_bytes: int

    def check(self, asked: Mapping[str, str]) -> None:
        """Raises StoreError for settings that this user may not have."""
        fixed = [] if self.may_change_settings else [name for name in asked if name not in _EACH_OF_THEIR_OWN]
        if fixed:
            raise StoreError(164, "READONLY", f"Cannot modify '{fixed[0]}' setting in readonly mode")
        if self.writes:
            return
        if "readonly" in asked:
            raise StoreError(164, "READONLY", "Cannot modify 'readonly' setting in readonly mode")
        for name, cap in self.settings.items():
            if name in asked and not _within(asked[name], cap):
                raise StoreError(452, "SETTING_CONSTRAINT_VIOLATION", f"Setting {name} shouldn't be greater than {cap}")


def _within(asked: str, cap: str) -> bool:
    """0 means no limit. Text that is no number is the engine's to refuse."""
    try:
        return 0 < float(asked) <= float(cap)
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a request says of itself. `password` is None if it says nothing."""

    name: str
    password: str | None


class Users:
    """The three users. `password`: of the one that is let in over TCP; empty: nobody is."""

    def __init__(self, *, memory_bytes: int, query_timeout_s: int, password: str = "") -> None:
        self._password = password
        caps = {
            "max_execution_time": str(query_timeout_s),
            "max_memory_usage": str(memory_bytes // 2),
            "max_result_bytes": str(256 << 20),
            "max_query_size": str(5 << 20),
        }
        narrow = {**caps, "max_result_rows": "1000000", "max_memory_usage": str(memory_bytes // 4), "max_threads": "2"}
        # what a writer cannot get done leaves half of it behind: no time limit
        writer = {"max_memory_usage": str(memory_bytes * 3 // 4), "max_query_size": caps["max_query_size"]}
        self._users = {
            "loader": User("loader", True, False, True, writer, 256 << 20),
            "web": User("web", False, False, True, caps, 16 << 20),
            "sql": User("sql", False, True, False, narrow, 4 << 20),
        }

    def admit(self, credentials: Credentials, *, local: bool) -> User:
        """`local`: the request came over the unix socket from our own user id. Raises StoreError 516."""
        user = self._users.get(credentials.name)
        if local and user is not None:
            return user
        # compared in any case: the time it takes tells nobody which names exist
        right = hmac.compare_digest((credentials.password or "").encode(), self._password.encode())
        if user is None or not user.over_tcp or not self._password or not right:
            message = "Authentication failed: password is incorrect, or there is no user with such name."
            raise StoreError(516, "AUTHENTICATION_FAILED", f"{credentials.name}: {message}")
        return user


def credentials_of(headers: Mapping[str, str], parameters: Mapping[str, str]) -> Credentials:
    """From Basic, the X-ClickHouse headers or the address. Raises StoreError if they are said twice or unreadable."""
    authorization = headers.get("authorization", "")
    if authorization:
        if "x-clickhouse-user" in headers or "user" in parameters:
            raise StoreError(516, "AUTHENTICATION_FAILED", "credentials are given in two ways at once")
        return _basic(authorization)
    name = headers.get("x-clickhouse-user") or parameters.get("user") or "default"
    return Credentials(name, headers.get("x-clickhouse-key") or parameters.get("password"))


def _basic(authorization: str) -> Credentials:
    scheme, _, coded = authorization.partition(" ")
    try:
        name, _, password = base64.b64decode(coded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        name = password = ""
    if scheme.lower() != "basic" or not name:
        raise StoreError(516, "AUTHENTICATION_FAILED", "the Authorization header is not Basic, or damaged")
    return Credentials(name, password)
