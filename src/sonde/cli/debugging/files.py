"""The files that a run makes, written as their pieces come in."""

from __future__ import annotations

import hashlib
import os
from typing import IO, TYPE_CHECKING, Any, Self

from sonde.cli import CommandError

if TYPE_CHECKING:
    from pathlib import Path

MAX_FILES = 64


class Files:
    """Below one folder, which is made with the first of them, for this user alone: they show what is in a process.

    A file has its name once it is whole. What is not is removed at the end.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._parts: dict[str, IO[bytes]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for name, part in self._parts.items():
            part.close()
            self._part(name).unlink(missing_ok=True)

    def add(self, name: str, offset: int, piece: bytes) -> None:
        """A piece; each file's come in order. Raises CommandError."""
        try:
            part = self._parts.get(name) or self._opened(name)
            if part.tell() != offset:
                raise CommandError(f"{name}: a piece is missing at {part.tell()}")
            part.write(piece)
        except OSError as error:
            raise CommandError(f"{self._folder / name} cannot be written: {error.strerror}") from None

    def finished(self, artifacts: list[dict[str, Any]]) -> list[Path]:
        """Those that a result names, whole and checked. Raises CommandError."""
        found = []
        for artifact in artifacts:
            name = str(artifact.get("name"))
            if artifact.get("bytes") == 0:
                self.add(name, 0, b"")
            part = self._parts.pop(name, None)
            if part is None:
                raise CommandError(f"{name} did not arrive")
            part.close()
            path = self._part(name)
            with path.open("rb") as whole:
                digest = hashlib.file_digest(whole, "sha256").hexdigest()
            if digest != artifact.get("sha256"):
                path.unlink()
                raise CommandError(f"{name} did not arrive as it was sent")
            found.append(path.replace(self._folder / name))
        return found

    def _part(self, name: str) -> Path:
        return self._folder / f"{name}.part"

    def _opened(self, name: str) -> IO[bytes]:
        if len(self._parts) >= MAX_FILES:
            raise CommandError(f"the run makes more than {MAX_FILES} files")
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(self._part(name), os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        part = self._parts[name] = os.fdopen(handle, "wb")
        return part
