"""The unix socket on which the agent listens: one agent a path, a dead one's file is replaced, modes fit the owner.

The agent of an ordinary user serves that user (0600, in a folder of 0700). The agent of root serves everybody on the
host (0666, in a folder of 0755): any local user may send under the agent's token, and who does is counted by user id.
"""

from __future__ import annotations

import fcntl
import os
import socket
import stat
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from sonde.agent import AgentError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAX_PATH_BYTES = 107  # sizeof(sockaddr_un.sun_path) - 1, Linux
BACKLOG = 128


@contextmanager
def listening(path: Path) -> Iterator[socket.socket]:
    """A listening, non-blocking socket at `path`; its file is removed at the end. Raises AgentError."""
    for_all = os.geteuid() == 0
    if len(os.fsencode(path)) > MAX_PATH_BYTES:
        raise AgentError(
            f"the socket path {path} has more than {MAX_PATH_BYTES} bytes; name a shorter one with --socket"
        )
    try:
        path.parent.mkdir(mode=0o755 if for_all else 0o700, parents=True, exist_ok=True)
        with _alone_in(path.parent):
            _clear(path)
            server = _bound(path, 0o666 if for_all else 0o600)
    except OSError as error:
        raise AgentError(f"cannot listen at {path}: {error.strerror}") from None
    with server:
        identity = _identity(path)
        yield server
        if _identity(path) == identity:  # not somebody else's by now
            path.unlink()


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """No other agent clears or binds in the folder meanwhile: two that start at once must not both win."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        owner = os.fstat(handle).st_uid
        if owner not in (0, os.geteuid()):
            raise AgentError(f"the folder {folder} belongs to user id {owner}, who could take over the socket in it")
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _clear(path: Path) -> None:
    """Remove what a dead agent left. Raises AgentError where a living one listens, or the file is no socket."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise AgentError(f"{path} is there and is no socket; name another path with --socket")
    with socket.socket(socket.AF_UNIX) as visitor:
        visitor.setblocking(False)
        try:
            visitor.connect(os.fspath(path))
        except ConnectionRefusedError:
            path.unlink()
            return
        except BlockingIOError:
            pass  # its backlog is full: busy, so alive
    raise AgentError(f"another agent listens at {path}")


def _bound(path: Path, mode: int) -> socket.socket:
    server = socket.socket(socket.AF_UNIX)
    try:
        server.bind(os.fspath(path))
        path.chmod(mode)  # before listen: until then nobody can connect
        server.listen(BACKLOG)
        server.setblocking(False)
    except OSError:
        server.close()
        raise
    return server


def _identity(path: Path) -> tuple[int, int] | None:
    with suppress(FileNotFoundError):
        found = path.lstat()
        return found.st_dev, found.st_ino
    return None
