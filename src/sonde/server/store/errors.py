"""What can go wrong with the store, on both sides of its socket.

    StoreError            the store refused or failed a statement; `code` and `name` are ClickHouse's own
    └── StoreUnavailable  there is no answer now (no connection, overload, stopping); the same call may work later

The store process raises them and writes them as text; the client reads the text and raises the same ones.
"""

from __future__ import annotations

import re

UNKNOWN = 1002
"""ClickHouse's code for an error that has none."""

_LEAD = re.compile(r"Code: (\d+)\. (?:DB::\w+: )?", re.ASCII)
_TAIL = re.compile(r"\s*(?:\(version [0-9.]+[^()]*(?:\([^()]*\))?\)\.?)?\s*$", re.ASCII)
_NAME = re.compile(r"\s*\(([A-Z][A-Z0-9_]+)\)$", re.ASCII)


class StoreError(Exception):
    """A statement the store did not carry out. The message is ClickHouse's, without code, name and version."""

    def __init__(self, code: int, name: str, message: str) -> None:
        super().__init__(f"{message} ({name})")
        self.code = code
        self.name = name
        self.message = message

    @property
    def text(self) -> str:
        """The error as ClickHouse writes it."""
        return f"Code: {self.code}. DB::Exception: {self.message} ({self.name})"


class StoreUnavailable(StoreError):  # noqa: N818 - a state, not a fault
    """No answer now: cannot connect, overloaded, or stopping. `retry_after_s` is a proposal."""

    def __init__(self, code: int, name: str, message: str, *, retry_after_s: int = 1) -> None:
        super().__init__(code, name, message)
        self.retry_after_s = retry_after_s


def parse_error(text: str) -> StoreError:
    """The error that ClickHouse's text tells of. The engine wraps an error in itself up to three times."""
    lead = _LEAD.search(text)
    if lead is None:
        return StoreError(UNKNOWN, "UNKNOWN_EXCEPTION", text.strip())
    code, message, name = int(lead[1]), text[lead.end() :], ""
    while True:
        message = _TAIL.sub("", message)
        if not (tail := _NAME.search(message)):
            break
        name = name or tail[1]
        message = message[: tail.start()].rstrip(". ")
    while again := _LEAD.match(message):
        message = message[again.end() :]
    return StoreError(code, name or "UNKNOWN_EXCEPTION", message)
