"""Where the server keeps things: every name on its disk stands here."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sonde import settings

if TYPE_CHECKING:
    from sonde.settings import Settings

_SOCKET_PATH_BYTES = 100
"""Linux takes 107 bytes and macOS 103; some are left for what a process puts beside its socket."""


@dataclass(frozen=True, slots=True)
class Folders:
    """The data folder and what is in it. Nobody but the owner may look inside: it is made with mode 0700."""

    data: Path

    @classmethod
    def of(cls, values: Settings) -> Folders:
        """That of these settings, made if need be. Raises SettingError where it cannot be."""
        named = values[settings.DATA_DIR]
        folders = cls((Path(named) if named else settings.state_home()).absolute())
        try:
            for folder in (folders.data, folders.store, folders.spool, folders.artifacts, folders.run):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise settings.SettingError(f"data: {folders.data} cannot be used: {error.strerror}") from None
        if not os.access(folders.data, os.W_OK | os.X_OK):
            raise settings.SettingError(f"data: {folders.data} cannot be written by this user")
        return folders

    @property
    def store(self) -> Path:
        """The embedded engine's own."""
        return self.data / "store"

    @property
    def spool(self) -> Path:
        """Accepted data on its way into the store."""
        return self.data / "spool"

    @property
    def artifacts(self) -> Path:
        """Files that the debugger's jobs made."""
        return self.data / "artifacts"

    @property
    def nodejs(self) -> Path:
        """Profiles, snapshots and cores that xtransit agents sent."""
        return self.data / "nodejs"

    @property
    def run(self) -> Path:
        """What is worthless after a stop."""
        return self.data / "run"

    @property
    def lock(self) -> Path:
        """Held while a server runs; says which process that is, and where it listens."""
        return self.run / "server.lock"

    @property
    def first_login(self) -> Path:
        """User and random password of the first admin."""
        return self.data / "first-login.json"

    def store_socket(self) -> Path:
        """Where the store process listens. Beside the data, or, where that path is too long for a socket, in a folder
        of this user under /tmp. Raises SettingError where somebody else owns that folder.
        """
        beside = self.run / "store.sock"
        if len(os.fsencode(beside)) <= _SOCKET_PATH_BYTES:
            return beside
        mark = hashlib.sha256(os.fsencode(self.data)).hexdigest()[:16]
        short = Path(f"/tmp/sonde-{os.geteuid()}-{mark}")  # noqa: S108 - owner and mode are checked below
        short.mkdir(mode=0o700, exist_ok=True)
        found = short.lstat()
        if short.is_symlink() or found.st_uid != os.geteuid() or found.st_mode & 0o077:
            raise settings.SettingError(f"data: {self.data} is too long for a socket, and {short} is not ours alone")
        return short / "store.sock"

    def forget_store_socket(self) -> None:
        """Remove what a stopped store leaves of its socket, and the folder that was made for it."""
        path = self.store_socket()
        path.unlink(missing_ok=True)
        if path.parent != self.run:
            path.parent.rmdir()
