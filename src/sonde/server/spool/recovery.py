"""What a killed process, or a machine that lost power, left in a spool folder, made fit for loading."""

from __future__ import annotations

import mmap
import os
from dataclasses import dataclass, field
from logging import getLogger
from pathlib import Path
from typing import TYPE_CHECKING

from sonde.server.spool.entry import entries
from sonde.server.spool.names import BOOT, LOADED, OPEN_SUFFIX, PARTIAL_SUFFIX, signal_of, spool_files
from sonde.server.spool.writer import ClosedFile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sonde.server.spool.entry import Placed

log = getLogger(__name__)
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(slots=True)
class Recovered:
    """What was found."""

    waiting: list[ClosedFile] = field(default_factory=list)
    loaded: list[ClosedFile] = field(default_factory=list)
    digests: list[bytes] = field(default_factory=list)
    """Of every entry in any file, those longest in the spool first."""
    cut_bytes: int = 0
    """Torn tails: never acknowledged, for an entry is acknowledged when it is whole and synced."""


def recover(folder: Path, *, remember_at_most: int, boot: str) -> Recovered:
    """Cut the tails of files that were being written, close them, and list everything. Raises OSError.

    `boot` is the current run of the machine. If the folder was last used in another one, the machine may have lost
    power and the store what it had not synced: files that were loaded wait once more, and the store, which knows their
    names, takes of them what it lacks.
    """
    found = Recovered()
    for path in folder.glob("*" + PARTIAL_SUFFIX):
        path.unlink()
    for path in spool_files(folder, OPEN_SUFFIX):
        found.cut_bytes += _close(path)
    if _last_boot(folder) != boot:
        for path in spool_files(folder / LOADED):
            path.replace(folder / path.name)
        (folder / BOOT).write_text(boot)
    for kept, into in ((folder / LOADED, found.loaded), (folder, found.waiting)):
        for path in spool_files(kept):
            placed = list(read_entries(path, verify=False))
            into.append(ClosedFile(path, path.stat().st_size, len(placed), 0))
            found.digests += [entry.digest for entry in placed]
            del found.digests[:-remember_at_most]
    return found


def current_boot() -> str:
    """Names this run of the machine; empty where the system does not say."""
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return ""


def _last_boot(folder: Path) -> str:
    try:
        return (folder / BOOT).read_text()
    except FileNotFoundError:
        return ""


def _close(path: Path) -> int:
    """Cut an open file after its last whole entry and close it; the bytes cut off."""
    whole = max((entry.end for entry in read_entries(path, verify=True)), default=0)
    cut = path.stat().st_size - whole
    if cut:
        log.info("spool: %s: %d bytes of an unfinished write cut off", path.name, cut)
    if whole == 0:
        path.unlink()
        return cut
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.ftruncate(fd, whole)
        os.fsync(
            fd
        )  # entries may be here that were written, not synced: from now on a repeated body is taken as stored
    finally:
        os.close(fd)
    path.rename(path.with_name(path.name.removesuffix(OPEN_SUFFIX)))
    return cut


def read_entries(path: Path, *, verify: bool) -> Iterator[Placed]:
    """Entries of a file up to the first that is not whole, see `entry.entries`. Raises OSError."""
    with path.open("rb") as file:
        if path.stat().st_size == 0:
            return
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped, memoryview(mapped) as data:
            yield from entries(data, signal_of(path.name), verify=verify)
