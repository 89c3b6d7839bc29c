"""The processes of a command, as /proc shows them: who made whom, who listens where, who has accepted a connection."""

from __future__ import annotations

import os
import re
import socket
import struct
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_LISTEN = "0A"
_SOCKET = re.compile(r"socket:\[(\d+)\]")
PROC = Path("/proc")


@dataclass
class Process:
    """A process of the command. What is in it is the last that was seen: a fork that runs a program is that program."""

    pid: int
    parent: int
    """At first sight: an orphan gets another one."""
    command: list[str] = field(default_factory=list)
    executable: str = ""
    environment: dict[str, str] | None = None
    """As it was at its start; None where it may not be read."""
    libpython: bool = False
    """Whether an interpreter is loaded as a library, as in a program that embeds Python."""
    looks: int = 0
    alive: bool = True


class Listener(NamedTuple):
    """A TCP address that processes of the command listen at."""

    host: str
    port: int
    pids: frozenset[int]


class Processes:
    """All that ever were processes of the command. `look` again and again: what ends between two looks is not seen.

    To be made before the command is started, and told its `root` then. Orphans are to be given to us, see `command`.
    """

    def __init__(self) -> None:
        me = os.getpid()
        self._strangers = {pid for pid, status in _statuses() if status.parent == me}
        self.root = 0
        self._born: dict[int, int] = {}
        self.all: dict[int, Process] = {}

    def look(self) -> None:
        """See who is there now. Where nobody is, twice: who was made while /proc was listed is not in the list, and who
        made it may have ended before it was looked at.
        """
        self._look()
        if not self.alive():
            self._look()

    def _look(self) -> None:
        now = dict(_statuses())
        ours = self._ours(now)
        for pid, process in self.all.items():
            process.alive = pid in ours
        for pid in sorted(ours):
            status = now[pid]
            if self._born.get(pid) != status.born:
                self._born[pid] = status.born
                self.all[pid] = Process(pid, status.parent)
            _look_at(self.all[pid])

    def alive(self) -> list[int]:
        """Process ids of those that were there at the last look."""
        return [pid for pid, process in self.all.items() if process.alive]

    def listeners(self) -> list[Listener]:
        """Where those listen that are alive."""
        holders = _holders(self.alive())
        found: dict[tuple[str, int], set[int]] = {}
        for entry in self._table():
            if entry.state == _LISTEN and entry.inode in holders:
                found.setdefault((entry.host, entry.port), set()).update(holders[entry.inode])
        return [Listener(*address, frozenset(pids)) for address, pids in sorted(found.items())]

    def workers(self, listener: Listener) -> set[int]:
        """Those who take connections: a server's parent has the socket, too, but leaves it to its children."""
        parents = {self.all[pid].parent for pid in listener.pids}
        return {pid for pid in listener.pids if pid not in parents}

    def accepted(self, local_port: int, peer_port: int) -> int | None:
        """Who has taken the connection from our `local_port` to `peer_port`. None: nobody yet."""
        for entry in self._table():
            if (entry.port, entry.peer_port) == (peer_port, local_port) and entry.inode:
                pids = _holders(self.alive()).get(entry.inode, set())
                youngest = pids - {self.all[pid].parent for pid in pids}
                return max(youngest, default=None)
        return None

    def _ours(self, now: dict[int, _Status]) -> set[int]:
        """The command, what descends from it, and orphans of it, which are given to us."""
        me = os.getpid()
        ours = {pid for pid, status in now.items() if self.root in {pid, status.session}}
        ours |= {pid for pid, status in now.items() if status.parent == me} - self._strangers
        ours |= {pid for pid in self.all if pid in now and now[pid].born == self._born[pid]}
        while True:
            more = {pid for pid, status in now.items() if status.parent in ours} - ours
            if not more:
                return {pid for pid in ours if pid != me and not now[pid].has_ended}
            ours |= more

    def _table(self) -> Iterator[_Connection]:
        """Connections in the network that the command lives in, which may be a container's."""
        for name in ("tcp", "tcp6"):
            for pid in (*self.alive(), "self"):
                with suppress(OSError):
                    yield from _connections((PROC / str(pid) / "net" / name).read_text())
                    break


class _Status(NamedTuple):
    state: str
    parent: int
    session: int
    threads: int
    born: int

    @property
    def has_ended(self) -> bool:
        """A process whose first thread has ended looks like one that waits for its parent, but its others go on."""
        return self.state == "X" or (self.state == "Z" and self.threads < 2)


class _Connection(NamedTuple):
    host: str
    port: int
    peer_port: int
    state: str
    inode: int


def _statuses() -> Iterator[tuple[int, _Status]]:
    for folder in PROC.iterdir():
        if folder.name.isdigit():
            with suppress(OSError):  # gone meanwhile
                # The name of the program, in brackets, may have any letters in it.
                words = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()
                yield int(folder.name), _Status(words[0], *(int(words[at]) for at in (1, 3, 17, 19)))


def _look_at(process: Process) -> None:
    folder = PROC / str(process.pid)
    process.looks += 1
    with suppress(OSError):
        command = (folder / "cmdline").read_bytes()
        if command:
            process.command = [os.fsdecode(word) for word in command.rstrip(b"\0").split(b"\0")]
        process.executable = str((folder / "exe").readlink())
        pairs = (folder / "environ").read_bytes().split(b"\0")
        process.environment = dict(os.fsdecode(pair).partition("=")[::2] for pair in pairs if b"=" in pair)
        process.libpython = process.libpython or b"/libpython3" in (folder / "maps").read_bytes()


def _holders(pids: Iterable[int]) -> dict[int, set[int]]:
    """Inode of a socket → who has it open."""
    found: dict[int, set[int]] = {}
    for pid in pids:
        with suppress(OSError):
            for link in (PROC / str(pid) / "fd").iterdir():
                with suppress(OSError):
                    if match := _SOCKET.fullmatch(str(link.readlink())):
                        found.setdefault(int(match[1]), set()).add(pid)
    return found


def _connections(table: str) -> Iterator[_Connection]:
    for line in table.splitlines()[1:]:
        words = line.split()
        host, port = _address(words[1])
        yield _Connection(host, port, _address(words[2])[1], words[3], int(words[9]))


def _address(text: str) -> tuple[str, int]:
    """`0100007F:1F40`: words of 32 bits in the machine's order, then the port."""
    host, _, port = text.partition(":")
    words = [int(host[at : at + 8], 16) for at in range(0, len(host), 8)]
    family = socket.AF_INET if len(words) == 1 else socket.AF_INET6
    return socket.inet_ntop(family, struct.pack(f"={len(words)}I", *words)), int(port, 16)
