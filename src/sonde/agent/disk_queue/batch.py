"""One batch of the disk queue: open while chunks are appended, then closed and never changed again.

That it never changes is what makes a second sending safe: the server knows a body it has stored by its digest.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sonde.agent.disk_queue import batch_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sonde.agent.disk_queue.batch_file import Header

SUFFIX = ".batch"


@dataclass(slots=True, eq=False)
class Batch:
    """What the queue knows of a batch without reading it. `sequence` is its place in the order of arrival."""

    sequence: int
    path: Path
    header: Header
    size_bytes: int
    chunk_count: int

    def chunks(self) -> Iterator[bytes]:
        """The payloads, in order of arrival. Raises BatchFileError, OSError."""
        return batch_file.chunks(self.path)


class OpenBatch:
    """A batch that still grows. Made on disk at once; raises OSError where that cannot be."""

    def __init__(self, folder: Path, sequence: int, header: Header, opened_at: float) -> None:
        path = folder / f"{sequence:016d}{SUFFIX}"
        self.opened_at = opened_at
        self.batch = Batch(sequence, path, header, 0, 0)
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            self._write(header.encoded())
        except OSError:
            self.discard()
            raise

    def append(self, payload: bytes) -> None:
        """Add a payload. After an OSError the batch is as it was before."""
        self._write(batch_file.chunk(payload))
        self.batch.chunk_count += 1

    def close(self) -> Batch:
        """The finished batch."""
        os.close(self._file)
        return self.batch

    def discard(self) -> None:
        """Remove it from the disk."""
        os.close(self._file)
        with suppress(FileNotFoundError):
            self.batch.path.unlink()

    def _write(self, data: bytes) -> None:
        sound, rest = self.batch.size_bytes, memoryview(data)
        try:
            while rest:
                rest = rest[os.write(self._file, rest) :]
        except OSError:
            os.ftruncate(self._file, sound)
            os.lseek(self._file, sound, os.SEEK_SET)
            raise
        self.batch.size_bytes = sound + len(data)
