"""One server per data folder."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class FolderInUseError(Exception):
    """Another server runs on this data folder."""


@contextmanager
def only_server(lock: Path) -> Iterator[Callable[[str], None]]:
    """Hold `lock` until the end; the kernel lets go of it when the process dies. Raises FolderInUseError.

    Gives a function that notes where this server listens, for the message to the next one that tries.
    """
    file = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(file, 1000).decode(errors="replace").strip()
            raise FolderInUseError(f"a server runs on {lock.parent.parent} already: {holder}") from None

        def note(address: str) -> None:
            os.ftruncate(file, 0)
            os.pwrite(file, f"pid {os.getpid()}, {address}\n".encode(), 0)

        note("starting")
        yield note
    finally:
        os.close(file)
