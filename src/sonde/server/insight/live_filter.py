"""Which requests somebody wants to see as they come in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sonde.server.reports.traces import TraceRow


@dataclass(frozen=True, slots=True)
class LiveFilter:
    """All that is said must be true of a request. `service` holds for the charts as well; None: all of them."""

    service: str | None = None
    endpoint: str | None = None
    min_ms: float = 0.0
    error: bool = False
    """Failed requests only."""
    text: str = ""
    """Somewhere in its service, endpoint, instance, trace id or status; in any case of letters."""

    def matches(self, row: TraceRow) -> bool:
        """Whether `row` is to be shown."""
        if self.service is not None and row.service != self.service:
            return False
        if self.endpoint is not None and row.endpoint != self.endpoint:
            return False
        if row.duration_ms < self.min_ms or (self.error and not row.error):
            return False
        if not self.text:
            return True
        words = f"{row.service}\n{row.endpoint}\n{row.instance}\n{row.trace_id}\n{row.status_code}"
        return self.text.casefold() in words.casefold()
