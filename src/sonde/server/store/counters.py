"""The store process's own counters, in Prometheus' text format."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_HELP = {
    "sonde_store_statements_total": "Statements by user and kind.",
    "sonde_store_errors_total": "Statements refused or failed, by ClickHouse's code.",
    "sonde_store_inserted_rows_total": "Rows written, rows of views included.",
    "sonde_store_body_bytes_total": "Bytes of request bodies after decompression.",
    "sonde_store_result_bytes_total": "Bytes of results before compression.",
    "sonde_store_seconds_total": "Time spent on statements, by user, waiting included.",
    "sonde_store_killed_total": "Readers ended because their client had gone.",
    "sonde_store_connections_refused_total": "Connections turned away because there were too many.",
    "sonde_store_bad_requests_total": "Requests that are no HTTP, or too large to be one.",
}


class Counters:
    """Sums by name and labels. Thread-safe. The names are those of _HELP: a closed list, so nothing grows."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._sums: dict[tuple[str, tuple[tuple[str, str], ...]], float] = {}

    def add(self, name: str, amount: float = 1, /, **labels: str) -> None:
        """`name` must be in _HELP."""
        key = (name, tuple(labels.items()))
        with self._lock:
            self._sums[key] = self._sums.get(key, 0) + amount

    def text(self, gauges: Mapping[str, float]) -> str:
        """One page: the sums, and `gauges` as they are now (name with labels → value)."""
        with self._lock:
            sums = sorted(self._sums.items())
        lines: list[str] = []
        for name, help_ in _HELP.items():
            lines += [f"# HELP {name} {help_}", f"# TYPE {name} counter"]
            lines += [f"{name}{_labels(labels)} {value:g}" for (known, labels), value in sums if known == name]
        lines += [f"{name} {value:g}" for name, value in gauges.items()]
        return "\n".join(lines) + "\n"


def _labels(labels: Iterable[tuple[str, str]]) -> str:
    inner = ",".join(f'{name}="{value}"' for name, value in labels)
    return f"{{{inner}}}" if inner else ""
