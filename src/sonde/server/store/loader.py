"""Brings closed spool files into the store: each exactly once, oldest first, for as long as it takes.

One statement a file, with the file's name as deduplication token: a file whose loading was cut short, by whichever
process died, is simply loaded again. The store being away, overloaded or out of disk is waited for. A file that the
store cannot parse is split until the bad entry stands alone.
"""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass
from logging import getLogger
from typing import TYPE_CHECKING, Self

from sonde.server.spool.entry import Signal
from sonde.server.store.errors import StoreError, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from sonde.server.spool.backlog import BacklogFile
    from sonde.server.spool.spool import Sample, Spool
    from sonde.server.store.client import StoreClient

log = getLogger(__name__)

UNREADABLE = frozenset({32, 33, 436, 444})
"""Codes that the Protobuf reader raises before anything of a file is stored: ATTEMPT_TO_READ_AFTER_EOF,
CANNOT_READ_ALL_DATA, PROTOBUF_BAD_CAST, UNKNOWN_PROTOBUF_FORMAT. Only these allow parts of a file to be loaded under
names of their own; after any other error some of it may be in the store, known by the file's name alone."""
BAD_ARGUMENTS = 36
_RETRY_S = 0.2
_RETRY_MAX_S = 5.0
_IDLE_S = 2.0
"""How often a loader without work looks for loaded files to delete."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A file has become rows. `items` are its spans, log records or metrics, 0 where they were not counted."""

    signal: Signal
    name: str
    entries: int
    items: int


class Loader:
    """One thread a signal. `on_loaded` is called from them after each file."""

    def __init__(
        self,
        spool: Spool,
        client: StoreClient,
        statements: Mapping[str, str],
        *,
        settings: Mapping[str, object],
        on_loaded: Callable[[Loaded], None],
    ) -> None:
        """`statements`: "INSERT INTO … FORMAT Protobuf" for each signal; `settings` go with every one."""
        self._spool = spool
        self._client = client
        self._statements = statements
        self._settings = dict(settings)
        self._on_loaded = on_loaded
        self._stopping = threading.Event()
        self.files: Counter[Signal] = Counter()
        self.entries: Counter[Signal] = Counter()
        self.bytes: Counter[Signal] = Counter()
        self.rejected: Counter[Signal] = Counter()
        """Files of one entry that the store cannot read."""
        self.failures: Counter[tuple[Signal, str]] = Counter()
        """Tries that did not succeed, by the store's word for why."""
        self._threads = [
            threading.Thread(target=self._run, args=(signal,), name=f"loader-{signal}", daemon=True)
            for signal in Signal
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Finish the files that are being loaded; the others stay for the next start."""
        self._stopping.set()
        for signal in Signal:
            self._spool.backlog(signal).stop()
        for thread in self._threads:
            thread.join()

    def _run(self, signal: Signal) -> None:
        backlog = self._spool.backlog(signal)
        failed_in_a_row = 0
        while not self._stopping.is_set():
            file = backlog.next(_IDLE_S)
            try:
                if file is not None:
                    self._load(signal, file)
                    failed_in_a_row = 0
                self._spool.prune()
            except (StoreError, OSError) as error:
                failed_in_a_row += 1
                pause_s = min(_RETRY_S * 2 ** min(failed_in_a_row - 1, 10), _RETRY_MAX_S)
                self._failed(signal, file, error, pause_s)
                self._stopping.wait(pause_s)

    def _load(self, signal: Signal, file: BacklogFile) -> None:
        closed = file.closed
        settings = self._settings | {"insert_deduplication_token": closed.path.name}
        try:
            self._client.insert_file(self._statements[signal], closed.path, settings=settings)
        except StoreError as error:
            if error.code not in UNREADABLE:
                raise
            self.failures[signal, error.name] += 1
            log.warning("loader: the store cannot read %s: %s", closed.path.name, error)
            self.rejected[signal] += self._spool.isolate(signal, file)
            return
        self._spool.stored(signal, file)
        self.files[signal] += 1
        self.entries[signal] += closed.entries
        self.bytes[signal] += closed.size
        try:
            self._on_loaded(Loaded(signal, closed.path.name, closed.entries, closed.items))
        except Exception:  # a listener's fault must not stop the loading
            log.exception("loader: a listener failed")

    def _failed(self, signal: Signal, file: BacklogFile | None, error: StoreError | OSError, pause_s: float) -> None:
        self.failures[signal, error.name if isinstance(error, StoreError) else "spool"] += 1
        log.log(30 if pause_s == _RETRY_S else 10, "loader: %s: %s; again in %.1f s", signal, error, pause_s)
        if isinstance(error, StoreError) and error.code == BAD_ARGUMENTS:
            self._forget_schema()
        if file is not None:
            away = isinstance(error, StoreUnavailable)
            self._spool.backlog(signal).failed(file, again_in_s=0 if away else _RETRY_MAX_S, blame_file=not away)

    def _forget_schema(self) -> None:
        """The engine keeps the text of a format's schema in a file. One that was cut short, by a full disk or a loss of
        power, would make every load fail for ever; it writes another.
        """
        try:
            self._client.command("SYSTEM DROP FORMAT SCHEMA CACHE")
        except StoreError as error:
            log.warning("loader: the store keeps its format schema: %s", error)

    def samples(self) -> Iterator[Sample]:
        """For /metrics."""
        for signal in Signal:
            labels = {"signal": str(signal)}
            yield "sonde_loader_files_total", labels, self.files[signal]
            yield "sonde_loader_entries_total", labels, self.entries[signal]
            yield "sonde_loader_bytes_total", labels, self.bytes[signal]
            yield "sonde_loader_rejected_files_total", labels, self.rejected[signal]
        for (signal, reason), count in list(self.failures.items()):
            yield "sonde_loader_failures_total", {"signal": signal, "reason": reason}, count

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
