"""The files that jobs make: one folder a job. A file that is still arriving has a dot before its name, so that what is
left by a kill at any moment is the beginning of a file, and is known as such.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import threading
from typing import TYPE_CHECKING

from sonde.server.control.errors import ArtifactError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from sonde.server.spool.spool import Sample
    from sonde.wire.control import Artifact, Piece

_READ_BYTES = 1 << 20
_AT_ONCE = 500  # jobs asked for in one statement
_JOB_ID = re.compile(r"[0-9a-f]{1,32}")
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class Artifacts:
    """Bounded for one job and for all. Blocks. Thread-safe, as long as one job's files are written by one thread."""

    def __init__(self, folder: Path, *, job_max_bytes: int, max_bytes: int, min_free_bytes: int) -> None:
        """Makes the folder. Raises OSError."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._job_max_bytes = job_max_bytes
        self._max_bytes = max_bytes
        self._min_free_bytes = min_free_bytes
        self._lock = threading.Lock()
        self._sizes = {path.name: _size(path) for path in self._folders()}

    @property
    def used_bytes(self) -> int:
        """What all files take."""
        with self._lock:
            return sum(self._sizes.values())

    def jobs(self) -> list[str]:
        """Ids of those that have files."""
        return [path.name for path in self._folders()]

    def store(self, job: str, piece: Piece) -> int:
        """Put a piece where it belongs, if that is the end of what is there. Up to where the file is stored now.

        Raises ArtifactError, after which nothing of the job's is worth keeping.
        """
        folder = self._folder / job
        if (folder / piece.name).exists():
            return piece.total
        part = folder / f".{piece.name}"
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            try:
                stored = os.fstat(handle).st_size
                if piece.offset != stored:
                    return stored
                self._take_room(job, len(piece.data), piece.total - stored)
                rest = memoryview(piece.data)
                while rest:
                    rest = rest[os.write(handle, rest) :]
            finally:
                os.close(handle)
        except OSError as error:
            raise _failure(error) from error
        return stored + len(piece.data)

    def complete(self, job: str, artifact: Artifact) -> int | None:
        """Make a file that has arrived whole one that is kept. None: it is; else from where on it has to be sent.

        Raises ArtifactError.
        """
        folder = self._folder / job
        name, size = artifact["name"], artifact["bytes"]
        whole, part = folder / name, folder / f".{name}"
        try:
            if whole.exists():
                return None
            if not part.exists():
                return 0
            stored = part.stat().st_size
            if stored < size:
                return stored
            if stored > size or _sha256(part) != artifact["sha256"]:
                os.truncate(part, 0)
                self._measure(job)
                return 0
            _sync(part)
            part.rename(whole)
            _sync(folder)
        except OSError as error:
            raise _failure(error) from error
        return None

    def tidy(self, job: str) -> None:
        """Remove what never became a whole file. Raises ArtifactError."""
        folder = self._folder / job
        try:
            for part in folder.glob(".*") if folder.exists() else ():
                part.unlink()
                self._measure(job)
        except OSError as error:
            raise _failure(error) from error

    def path(self, job: str, name: str) -> Path:
        """Where a kept file is."""
        return self._folder / job / name

    def remove(self, job: str) -> None:
        """Everything of the job's. It is no fault where there is nothing. Raises OSError."""
        folder = self._folder / job
        if folder.exists():
            shutil.rmtree(folder)
        with self._lock:
            self._sizes.pop(job, None)

    def sweep(self, wanted: Callable[[Iterable[str]], set[str]]) -> None:
        """Remove the files of jobs that nobody wants. Raises OSError."""
        here = self.jobs()
        for start in range(0, len(here), _AT_ONCE):
            some = here[start : start + _AT_ONCE]
            for job in set(some) - wanted(some):
                self.remove(job)

    def samples(self) -> Iterator[Sample]:
        """For /metrics."""
        yield "sonde_artifacts_bytes", {}, self.used_bytes

    def _folders(self) -> list[Path]:
        return [path for path in self._folder.iterdir() if _JOB_ID.fullmatch(path.name) and path.is_dir()]

    def _take_room(self, job: str, size: int, to_come: int) -> None:
        with self._lock:
            mine, all_of_them = self._sizes.get(job, 0), sum(self._sizes.values())
            if mine + to_come > self._job_max_bytes:
                raise ArtifactError(
                    "too_large",
                    f"the job's artifacts would be more than {self._job_max_bytes >> 20} MiB; ask for less, or raise "
                    "the server's setting artifact_max_bytes",
                )
            if all_of_them + to_come > self._max_bytes:
                raise ArtifactError(
                    "disk_full",
                    f"the artifacts of all jobs would be more than {self._max_bytes >> 20} MiB; raise the server's "
                    "setting artifacts_max_bytes, or lower retention_jobs_days",
                )
            disk = os.statvfs(self._folder)
            if disk.f_bavail * disk.f_frsize < to_come + self._min_free_bytes:
                raise ArtifactError("disk_full", "the server's disk has no room for the job's artifacts")
            self._sizes[job] = mine + size

    def _measure(self, job: str) -> None:
        with self._lock:
            self._sizes[job] = _size(self._folder / job)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while data := file.read(_READ_BYTES):
            digest.update(data)
    return digest.hexdigest()


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _failure(error: OSError) -> ArtifactError:
    if error.errno in _FULL:
        return ArtifactError("disk_full", f"the server's disk has no room for the job's artifacts: {error.strerror}")
    return ArtifactError("error", f"the server cannot keep the job's artifacts: {error.strerror}")
