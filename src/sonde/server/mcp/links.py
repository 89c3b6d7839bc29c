"""Addresses of the console's pages that show what an answer says."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from sonde.server.store.queries.scope import micros

if TYPE_CHECKING:
    from datetime import datetime


class Links:
    """Below `base`, such as https://sonde.example.org."""

    def __init__(self, base: str) -> None:
        self._base = base.rstrip("/")

    def page(self, *path: str, **search: str | float | None) -> str:
        """Of that path; what is None is left out of the search."""
        given = {name: value for name, value in search.items() if value is not None}
        query = f"?{urlencode(given)}" if given else ""
        return f"{self._base}/{'/'.join(quote(part, safe='') for part in path)}{query}"

    def at(self, start: datetime, end: datetime, *path: str, **search: str | float | None) -> str:
        """The same, of a span of time."""
        between = {"from": micros(start) // 1000, "to": micros(end) // 1000}
        return self.page(*path, **search, **between)
