"""How much a spool takes, how long it waits and how long it keeps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sonde import settings as rows

if TYPE_CHECKING:
    from sonde.settings import Settings


@dataclass(frozen=True, slots=True)
class SpoolLimits:
    """Bounds of one spool. The defaults are those of the settings rows."""

    max_bytes: int = rows.SPOOL_MAX_BYTES.default
    min_free_bytes: int = rows.SPOOL_MIN_FREE_BYTES.default
    file_max_age_s: float = rows.SPOOL_FILE_MAX_AGE_MS.default / 1000
    file_max_bytes: int = rows.SPOOL_FILE_MAX_BYTES.default
    keep_s: float = rows.SPOOL_KEEP_S.default
    file_max_items: int = 50_000
    """Spans, log records or metrics of one insert: larger ones cost the store memory and save it nothing."""
    queue_max_bytes: int = 128 << 20
    """Requests of one signal that wait for the disk; more are refused."""
    loaded_max_bytes: int = 1 << 30
    """Loaded files that are kept; the oldest go early."""
    rejected_max_bytes: int = 64 << 20
    """Entries the store cannot read, kept for whoever looks into it; the oldest go."""
    seen_max: int = 200_000
    """Bodies that are remembered, about 25 MB."""

    @classmethod
    def from_settings(cls, settings: Settings) -> SpoolLimits:
        """What the settings rows say."""
        return cls(
            max_bytes=settings[rows.SPOOL_MAX_BYTES],
            min_free_bytes=settings[rows.SPOOL_MIN_FREE_BYTES],
            file_max_age_s=settings[rows.SPOOL_FILE_MAX_AGE_MS] / 1000,
            file_max_bytes=settings[rows.SPOOL_FILE_MAX_BYTES],
            keep_s=settings[rows.SPOOL_KEEP_S],
        )
