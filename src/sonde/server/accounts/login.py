"""Logging in: throttle, password, session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sonde.server.accounts.throttle import Throttle

if TYPE_CHECKING:
    from collections.abc import Callable

    from sonde.server.accounts.sessions import Sessions
    from sonde.server.accounts.users import User, Users

WINDOW_S = 300.0
FAILURES_OF_USER = 5
FAILURES_OF_ADDRESS = 50
"""An address may be a whole office behind one router."""


class Login:
    """The only way from a password to a session. Attempts are throttled by user and address, and by address alone:
    nobody can lock somebody else out from elsewhere.
    """

    def __init__(self, users: Users, sessions: Sessions, seconds: Callable[[], float]) -> None:
        self._users = users
        self._sessions = sessions
        self._by_user = Throttle(FAILURES_OF_USER, WINDOW_S, seconds)
        self._by_address = Throttle(FAILURES_OF_ADDRESS, WINDOW_S, seconds)

    def attempt(self, name: str, password: str, address: str) -> tuple[User, str] | None:
        """The user and the token of a new session; None for a wrong name or password. Raises TooManyAttemptsError."""
        pair = (name[:64], address)
        self._by_address.check(address)
        self._by_user.check(pair)
        user = self._users.verify(name, password)
        if user is None:
            self._by_user.failed(pair)
            self._by_address.failed(address)
            return None
        self._by_user.succeeded(pair)
        return user, self._sessions.open(user, address)
