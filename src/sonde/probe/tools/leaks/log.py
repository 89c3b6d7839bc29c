"""The leak log of this host: every process that tracks its loops appends to one file, which stays within bounds."""

from __future__ import annotations

import os
from pathlib import Path

from sonde.settings import LEAK_LOG, LEAK_LOG_MAX_BYTES, Settings, state_home


def path_of(settings: Settings) -> Path:
    """Where the log is."""
    return Path(settings[LEAK_LOG]) if settings[LEAK_LOG] else state_home() / "leaks.log"


def rotated(path: Path) -> Path:
    """What was the log before it became too large."""
    return path.with_name(path.name + ".1")


class LeakLog:
    """Appends whole loops, each by one write; so loops of several processes are not mixed."""

    def __init__(self, path: Path, max_bytes: int) -> None:
        self.path = path
        self._half = max(1024, max_bytes // 2)
        self.lost = 0
        """Loops that could not be written."""
        self.last_error = ""

    @classmethod
    def of(cls, settings: Settings) -> LeakLog:
        """As set."""
        return cls(path_of(settings), settings[LEAK_LOG_MAX_BYTES])

    def write(self, text: str) -> None:
        """Append; what cannot be written is counted."""
        try:
            self._write(text.encode("utf-8", "surrogateescape"))
        except OSError as error:
            self.lost += 1
            self.last_error = str(error)

    def _write(self, content: bytes) -> None:
        try:
            descriptor = self._opened()
        except FileNotFoundError:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = self._opened()
        try:
            status = os.fstat(descriptor)
            os.write(descriptor, content)
        finally:
            os.close(descriptor)
        if status.st_size + len(content) > self._half:
            self._rotate(status.st_ino)

    def _opened(self) -> int:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        return os.open(self.path, flags, 0o600)

    def _rotate(self, inode: int) -> None:
        """Unless another process has done it just now."""
        if self.path.stat().st_ino == inode:
            self.path.replace(rotated(self.path))


def clean(path: Path) -> int:
    """Remove the log. Returns how many bytes it had. Raises OSError."""
    size = 0
    for each in (path, rotated(path)):
        try:
            size += each.stat().st_size
            each.unlink()
        except FileNotFoundError:
            continue
    return size
