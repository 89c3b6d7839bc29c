"""What accounts refuse.

AccountsError
├── BadNameError          a name nobody could read or type
├── BadAppsError          apps that a token cannot be for
├── NameTakenError        somebody has it already
├── WeakPasswordError     too short, or too long to hash
├── TooManyAttemptsError  wrong passwords; carries retry_after_s
├── TooManySettingsError  more than the probes of an app take
└── WrongSchemaError      the database was not migrated, or by a newer Sonde
"""

from __future__ import annotations


class AccountsError(Exception):
    """The message says what was refused and why, fit for a user's eyes."""


class BadNameError(AccountsError):
    """A name is 1 to 64 visible characters, without a space at either end."""


class BadAppsError(AccountsError):
    """A token that reads may be for some apps, which are there."""


class NameTakenError(AccountsError):
    """Names are unique."""


class WeakPasswordError(AccountsError):
    """The password is too short."""


class TooManyAttemptsError(AccountsError):
    """Login is closed for this user and address for a while."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"too many wrong passwords; try again in {retry_after_s} s")
        self.retry_after_s = retry_after_s


class TooManySettingsError(AccountsError):
    """What would be said to the probes of an app is too much for one frame."""


class WrongSchemaError(AccountsError):
    """The metadata database is not at the revision this program was made for."""
