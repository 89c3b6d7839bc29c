"""A request body on its way to the engine: memory while it is small, an unlinked file after that.

The engine reads the rows of an INSERT from a file, and never from a pipe: there a client that breaks off looks like the
end of the data, and the beginning would be stored. So a body is complete before anything runs.
"""

from __future__ import annotations

import os
import re
import tempfile
from typing import TYPE_CHECKING, Self

from sonde.server.store.errors import StoreError

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

HELD_BYTES = 1 << 20
_COPY_BYTES = 1 << 20
_SPOOL_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*", re.ASCII)


class Body:
    """Bytes in order of arrival. Not thread-safe."""

    def __init__(self, folder: Path, max_bytes: int) -> None:
        """`folder`: for bodies above HELD_BYTES. More than `max_bytes` are refused."""
        self._folder = folder
        self._max_bytes = max_bytes
        self._held = bytearray()
        self._file: int | None = None
        self.size = 0

    def write(self, data: bytes) -> None:
        """Raises StoreError where the body grows too large or the disk is full."""
        self.size += len(data)
        if self.size > self._max_bytes:
            raise StoreError(
                307, "TOO_MANY_BYTES", f"the body has more than the {self._max_bytes} bytes this user may send"
            )
        if self._file is None:
            self._held += data
            if len(self._held) <= HELD_BYTES:
                return
            data, self._held = bytes(self._held), bytearray()
            self._file = self._new_file()
        self._to_file(self._file, data)

    def head(self, length: int) -> bytes:
        """The first bytes, at most `length`."""
        return bytes(self._held[:length]) if self._file is None else os.pread(self._file, length, 0)

    def descriptor(self, start: int = 0) -> int:
        """A new descriptor of a file that holds the body from byte `start`. The caller closes it."""
        if self._file is not None and start == 0:
            return os.dup(self._file)
        if self._file is None:
            memory = os.memfd_create("body", os.MFD_CLOEXEC)
            _write_all(memory, memoryview(self._held)[start:])
            return memory
        rest = self._new_file()
        while copied := os.pread(self._file, _COPY_BYTES, start):
            self._to_file(rest, copied)
            start += len(copied)
        return rest

    def close(self) -> None:
        """The bytes are gone."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
        self._held = bytearray()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _new_file(self) -> int:
        try:
            with tempfile.TemporaryFile(dir=self._folder, buffering=0) as file:
                return os.dup(file.fileno())
        except OSError as error:
            raise _no_room(error) from None

    def _to_file(self, file: int, data: bytes) -> None:
        try:
            _write_all(file, memoryview(data))
        except OSError as error:
            raise _no_room(error) from None


def _write_all(file: int, data: memoryview) -> None:
    while data:
        data = data[os.write(file, data) :]


def _no_room(error: OSError) -> StoreError:
    return StoreError(243, "NOT_ENOUGH_SPACE", f"the body cannot be kept: {error.strerror}")


def open_spool_file(folder: Path, name: str) -> int:
    """A descriptor of the file `name` right inside `folder`. The caller closes it.

    Raises StoreError 36 for anything but a plain name and 107 for a file that is not there.
    """
    if not _SPOOL_NAME.fullmatch(name):
        raise StoreError(36, "BAD_ARGUMENTS", f"{name!r} is no name of a spool file")
    try:
        return os.open(folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise StoreError(
            107, "FILE_DOESNT_EXIST", f"the spool file {name} cannot be opened: {error.strerror}"
        ) from None
