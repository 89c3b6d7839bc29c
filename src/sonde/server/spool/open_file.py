"""A spool file while it is written: whole, synced entries up to `size`, and nothing after them that counts."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_BUFFERS_PER_WRITE = 512
"""Less than IOV_MAX, 1024 on Linux."""


class OpenFile:
    """Appends groups of entries: a group is synced whole, or the file is as if it had never been tried."""

    def __init__(self, path: Path) -> None:
        """Makes the file and its name durable. Raises OSError; then there is no file."""
        self.path = path
        self.size = 0
        self.items = 0
        self.entries = 0
        self.torn = False
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            sync_folder(path.parent)
        except OSError:
            os.close(self._fd)
            path.unlink()
            raise

    def append(self, buffers: Sequence[bytes]) -> None:
        """Write and sync `buffers`. Raises OSError; then call `mend` before anything else."""
        self.torn = True
        length = _write_all(self._fd, buffers)
        os.fdatasync(self._fd)
        self.torn = False
        self.size += length

    def mend(self) -> None:
        """Cut off what a failed `append` left. Raises OSError while that is impossible.

        A tail that stayed would be stored although its sender was refused and sends again.
        """
        if self.torn:
            os.ftruncate(self._fd, self.size)
            os.lseek(self._fd, self.size, os.SEEK_SET)
            os.fdatasync(self._fd)
            self.torn = False

    def close(self) -> None:
        """Let go of the descriptor; what counts is on the disk already."""
        os.close(self._fd)


def _write_all(fd: int, buffers: Sequence[bytes]) -> int:
    total = 0
    for first in range(0, len(buffers), _BUFFERS_PER_WRITE):
        group = buffers[first : first + _BUFFERS_PER_WRITE]
        expected = sum(map(len, group))
        written = os.writev(fd, group)
        if written < expected:  # a disk that fills up, or a body of more than 2 GB
            rest = memoryview(b"".join(group))
            while written < expected:
                written += os.write(fd, rest[written:])
        total += expected
    return total


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` durable."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
