"""The uploaded files: gzip, as agents send them. What is half there begins with a dot, and goes at the next start."""

from __future__ import annotations

import os
import threading
import uuid
import zlib
from typing import TYPE_CHECKING, Self

from sonde.server.nodejs.errors import UploadError
from sonde.server.nodejs.files import Part

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sonde.server.spool.spool import Sample

_GZIP = 16 + zlib.MAX_WBITS
_PIECE = 1 << 20
LONGEST_NAME = 200


class Storage:
    """Bounded for one file, before and after decompression, and for all. Blocks. Thread-safe."""

    def __init__(self, folder: Path, *, file_max_bytes: int, max_bytes: int, min_free_bytes: int) -> None:
        """Makes the folder, and clears it of what was left half there. Raises OSError."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.file_max_bytes = file_max_bytes
        self._folder = folder
        self._max_bytes = max_bytes
        self._min_free_bytes = min_free_bytes
        self._lock = threading.Lock()
        for path in folder.glob(".*"):
            path.unlink()
        self._used = sum(path.stat().st_size for path in folder.iterdir())

    def begin(self, name: str) -> Incoming:
        """A file that is to come. Raises UploadError."""
        plain = name.replace("\\", "/").rpartition("/")[2][:LONGEST_NAME]
        safe = "".join(char if char.isprintable() else "_" for char in plain)
        try:
            return Incoming(self, self._folder, safe or "file")
        except OSError as error:
            raise UploadError("disk", f"the server cannot keep it: {error.strerror}") from error

    def take_room(self, size: int) -> None:
        """Count `size` bytes more. Raises UploadError."""
        disk = os.statvfs(self._folder)
        with self._lock:
            if self._used + size > self._max_bytes:
                raise UploadError(
                    "full", f"the files of all applications are {self._max_bytes >> 20} MiB; delete some, or raise "
                    "the server's setting nodejs_files_max_bytes"
                )  # fmt: skip
            if disk.f_bavail * disk.f_frsize < size + self._min_free_bytes:
                raise UploadError("disk_low", "the server's disk has no room")
            self._used += size

    def give_back(self, size: int) -> None:
        """Count less."""
        with self._lock:
            self._used -= size

    def path(self, part: Part) -> Path:
        """Where it is."""
        return self._folder / part.storage

    def remove(self, part: Part) -> None:
        """It is no fault where it is gone. Raises OSError."""
        path = self.path(part)
        try:
            size = path.stat().st_size
            path.unlink()
        except FileNotFoundError:
            return
        self.give_back(size)

    def sweep(self, wanted: set[str]) -> None:
        """Remove what no row knows: a kill came between the file and its row. Before anything is uploaded."""
        for path in self._folder.iterdir():
            if path.name not in wanted and not path.name.startswith("."):
                size = path.stat().st_size
                path.unlink()
                self.give_back(size)

    def plain(self, part: Part) -> Iterator[bytes]:
        """The file without its gzip. Raises OSError, zlib.error."""
        with self.path(part).open("rb") as file:
            stream = zlib.decompressobj(_GZIP)
            while data := file.read(_PIECE):
                while data:
                    yield stream.decompress(data, _PIECE)
                    data = stream.unconsumed_tail
            yield stream.flush()

    def samples(self) -> Iterator[Sample]:
        """For /metrics."""
        with self._lock:
            used = self._used
        yield "sonde_nodejs_files_bytes", {}, used


class Incoming:
    """A file that arrives. `write`, then `finish` or `drop`."""

    def __init__(self, storage: Storage, folder: Path, name: str) -> None:
        self.name = name
        self._storage = storage
        self._folder = folder
        self._id = f"u-{uuid.uuid4()}"
        self._path = folder / f".{self._id}"
        self._size = self._plain = 0
        self._gzip = zlib.decompressobj(_GZIP)
        self._file = os.fdopen(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb")

    def write(self, data: bytes) -> None:
        """The next bytes. Raises UploadError."""
        if self._size + len(data) > self._storage.file_max_bytes:
            raise self._too_large("as sent")
        self._storage.take_room(len(data))
        self._size += len(data)
        try:
            self._file.write(data)
            while data:
                if self._gzip.eof:
                    raise UploadError("bad_gzip", "there is more behind the end of the gzip stream")
                self._plain += len(self._gzip.decompress(data, _PIECE))
                data = self._gzip.unconsumed_tail or self._gzip.unused_data
                if self._plain > self._storage.file_max_bytes:
                    raise self._too_large("decompressed")
        except zlib.error as error:
            raise UploadError("bad_gzip", f"what was sent is no gzip: {error}") from None
        except OSError as error:
            raise UploadError("disk", f"the server cannot keep it: {error.strerror}") from error

    def finish(self) -> Part:
        """It is whole, and on the disk. Raises UploadError."""
        if not self._gzip.eof:
            raise UploadError("bad_gzip", "the gzip stream ends too early")
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._path.rename(self._folder / self._id)
        except OSError as error:
            raise UploadError("disk", f"the server cannot keep it: {error.strerror}") from error
        return Part(self.name, self._id, self._size, self._plain)

    def drop(self) -> None:
        """Nothing of it is wanted."""
        self._file.close()
        for path in (self._path, self._folder / self._id):
            path.unlink(missing_ok=True)
        self._storage.give_back(self._size)
        self._size = 0

    def _too_large(self, how: str) -> UploadError:
        most = self._storage.file_max_bytes
        return UploadError("too_large", f"the file is larger than {most >> 20} MiB {how} (nodejs_file_max_bytes)")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if not self._file.closed:
            self.drop()
