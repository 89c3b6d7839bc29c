"""Processes that ask for profile tasks, by host: to the control plane, agents of ours and the processes they see."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sonde.server.intake.skywalking.profile_options import TOOL
from sonde.wire.control import PROTOCOL, moment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from sonde.server.control.nodes import Agent
    from sonde.server.intake.skywalking.instances import Instance, InstanceKey
    from sonde.server.intake.skywalking.profile_tasks import Task
    from sonde.wire.control import Hello, Process, ServerMessage

MOST_PROCESSES = 2000
_PID_MAX = (1 << 31) - 1
_NAME_CHARS = 255


@dataclass(eq=False, slots=True)
class Seat:
    """A process that asks for tasks."""

    key: InstanceKey
    host: Host
    pid: int
    language: str
    heard_at: float
    since: datetime
    task: Task | None = None

    def process(self) -> Process:
        """As the control plane has it."""
        return {
            "pid": self.pid,
            "service": self.key.service,
            "instance": self.key.instance,
            "uid": 0,
            "language": self.language[:_NAME_CHARS],
            "command": "SkyWalking's agent",
            "probe_version": "",
            "native": False,
            "connected_at": moment(self.since),
            "tools": None,
        }


class Host:
    """A host, and the control plane's link to it: an object that it says things to."""

    def __init__(self, app: str, name: str, hear: Callable[[Host, ServerMessage], None]) -> None:
        self.app = app
        self.name = name[:_NAME_CHARS]
        self.node = "skywalking-" + hashlib.sha256(f"{app}\0{name}".encode()).hexdigest()[:16]
        self.agent: Agent | None = None
        """What the control plane knows it as; None until it has joined."""
        self.seats: dict[int, Seat] = {}
        self._hear = hear

    def hello(self) -> Hello:
        """What an agent says first."""
        return {
            "type": "hello",
            "protocol": PROTOCOL,
            "node": self.node,
            "host": self.name,
            "agent_version": "",
            "instance": self.node,
            "capabilities": [TOOL],
            "jobs": [],
        }

    def say(self, message: ServerMessage) -> None:
        """The control plane has something to say."""
        self._hear(self, message)

    def give_up(self, reason: str) -> None:
        """Somebody has taken its place: nobody can, for nobody else has its instance."""
        raise RuntimeError(f"the profiled processes of {self.name} are given up: {reason}")

    def processes(self) -> list[Process]:
        """All that ask from there."""
        return [seat.process() for seat in self.seats.values()]


class Seats:
    """Who asks. Used from one event loop."""

    def __init__(self, hear: Callable[[Host, ServerMessage], None]) -> None:
        self._hear = hear
        self._seats: dict[InstanceKey, Seat] = {}
        self._hosts: dict[tuple[str, str], Host] = {}

    def __len__(self) -> int:
        return len(self._seats)

    def __iter__(self) -> Iterator[Seat]:
        return iter(list(self._seats.values()))

    def find(self, key: InstanceKey) -> Seat | None:
        """That process, if it asks."""
        return self._seats.get(key)

    def has_room(self) -> bool:
        """Whether one more may ask."""
        return len(self._seats) < MOST_PROCESSES

    def sit(self, key: InstanceKey, instance: Instance, seconds: float, now: datetime) -> Seat:
        """A process that asks for the first time. Its host may be new, and has not joined then."""
        told = instance.properties
        name = told.get("host.name", "")
        host = self._hosts.get((key.app, name))
        if host is None:
            host = self._hosts[key.app, name] = Host(key.app, name, self._hear)
        pid = _pid(told.get("process.pid", ""), key, host.seats)
        seat = Seat(key, host, pid, told.get("telemetry.sdk.language", ""), seconds, now)
        self._seats[key] = host.seats[pid] = seat
        return seat

    def leave(self, seat: Seat) -> bool:
        """A process that has gone. Whether its host has gone with it."""
        del self._seats[seat.key]
        del seat.host.seats[seat.pid]
        if seat.host.seats:
            return False
        self._hosts = {key: host for key, host in self._hosts.items() if host is not seat.host}
        return True


def _pid(said: str, key: InstanceKey, taken: dict[int, Seat]) -> int:
    """The process's own; a number made of its name where that is not known, or another has it."""
    pid = int(said) if said.isascii() and said.isdecimal() and len(said) <= 10 else 0
    if not 1 <= pid <= _PID_MAX or pid in taken:
        digest = hashlib.sha256("\0".join(key).encode()).digest()
        pid = int.from_bytes(digest[:4], "big") % _PID_MAX + 1
        while pid in taken:
            pid = pid % _PID_MAX + 1
    return pid
