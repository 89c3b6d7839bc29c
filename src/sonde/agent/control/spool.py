"""What tools have made and the server has not got yet: one folder a job, bounded together."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class SpoolError(Exception):
    """The run's files cannot be kept. `reason` is a word of docs/debugger.md."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Spool:
    """Used by one thread. What an earlier agent has left is removed: its jobs are lost."""

    def __init__(self, folder: Path, max_bytes: int) -> None:
        """Raises OSError."""
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir(mode=0o700, parents=True)
        self._folder = folder
        self._max_bytes = max_bytes
        self._sizes: dict[str, dict[str, int]] = {}  # by job and name

    def append(self, job: str, name: str, offset: int, data: bytes) -> None:
        """Add a piece to the end of a file. Raises SpoolError."""
        files = self._sizes.setdefault(job, {})
        if offset != files.get(name, 0):
            raise SpoolError("error", f"the process sent a piece of {name} at {offset} instead of {files.get(name, 0)}")
        if sum(sum(sizes.values()) for sizes in self._sizes.values()) + len(data) > self._max_bytes:
            raise SpoolError(
                "too_large",
                f"what tools have made and the server has not got is more than {self._max_bytes >> 20} MiB; ask for "
                "less, or raise the agent's setting agent_artifacts_max_bytes",
            )
        folder = self._folder / job
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            handle = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            try:
                rest = memoryview(data)
                while rest:
                    rest = rest[os.write(handle, rest) :]
            finally:
                os.close(handle)
        except OSError as error:
            raise SpoolError("disk_full", f"the host's disk cannot keep the artifact: {error.strerror}") from error
        files[name] = offset + len(data)

    def size(self, job: str, name: str) -> int:
        """Bytes of a file; 0 where there is none."""
        return self._sizes.get(job, {}).get(name, 0)

    def read(self, job: str, name: str, offset: int, most: int) -> bytes:
        """A part of a file; nothing at its end. Raises SpoolError."""
        if offset >= self.size(job, name):
            return b""
        try:
            with (self._folder / job / name).open("rb") as file:
                file.seek(offset)
                data = file.read(most)
        except OSError as error:
            raise SpoolError("error", f"the artifact {name} cannot be read again: {error.strerror}") from error
        if not data:
            raise SpoolError("error", f"the artifact {name} has been cut short on the host's disk")
        return data

    def drop(self, job: str) -> None:
        """Remove everything of a job's. Raises OSError."""
        if self._sizes.pop(job, None):
            shutil.rmtree(self._folder / job)
