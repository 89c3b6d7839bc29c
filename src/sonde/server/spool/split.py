"""Finds the one entry that the store cannot read, by halves, and sets it aside: one bad request holds nobody up.

A half is complete and synced before its original goes, and has the same name each time, so a crash in between loses and
doubles nothing: the original is refused again and split again, and halves that are stored already are known by name.
"""

from __future__ import annotations

import os
from logging import getLogger
from typing import TYPE_CHECKING

from sonde.server.spool.names import PARTIAL_SUFFIX, REJECTED, half_name, spool_files
from sonde.server.spool.open_file import sync_folder
from sonde.server.spool.recovery import read_entries
from sonde.server.spool.writer import ClosedFile

if TYPE_CHECKING:
    from pathlib import Path

log = getLogger(__name__)


def split(file: ClosedFile) -> list[ClosedFile]:
    """Two files that hold what `file` holds; none where it has a single entry. The original stays. Raises OSError."""
    placed = list(read_entries(file.path, verify=False))
    readable = placed[-1].end if placed else 0
    if readable == file.size and len(placed) > 1:
        middle = placed[len(placed) // 2].start
    elif 0 < readable < file.size:
        middle = readable  # the rest has no structure any more, and ends up aside
    else:
        return []
    front = sum(entry.start < middle for entry in placed)
    halves = [
        _copy(file.path, half_name(file.path.name, "a"), 0, middle, front),
        _copy(file.path, half_name(file.path.name, "b"), middle, file.size, len(placed) - front),
    ]
    sync_folder(file.path.parent)
    return halves


def _copy(original: Path, name: str, start: int, end: int, entries: int) -> ClosedFile:
    partial, path = original.with_name(name + PARTIAL_SUFFIX), original.with_name(name)
    with original.open("rb") as source, partial.open("wb") as target:
        source.seek(start)
        target.write(source.read(end - start))
        target.flush()
        os.fsync(target.fileno())
    partial.rename(path)
    return ClosedFile(path, end - start, entries, 0)


def set_aside(file: ClosedFile, at_most_bytes: int) -> None:
    """Move `file` to the rejected ones; the oldest of those go where they are too many. Raises OSError."""
    folder = file.path.parent / REJECTED
    file.path.replace(folder / file.path.name)
    rejected = spool_files(folder)
    room = at_most_bytes - sum(path.stat().st_size for path in rejected)
    while room < 0 and len(rejected) > 1:
        oldest = rejected.pop(0)
        room += oldest.stat().st_size
        oldest.unlink()
    log.error("spool: the store cannot read %s; set aside in %s", file.path.name, folder)
