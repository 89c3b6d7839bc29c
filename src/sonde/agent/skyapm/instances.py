"""Which process a line is of. A master process and all its workers are one instance, known by the master's pid.

From version 8 on an instance has a name, a random UUID, and workers write it into each segment. Before, it has a
number, and only this knows whose it is; its number is its name, for that is what a callee on another host says of its
caller. All are kept in a file, so that the workers, who ask only once, go on being known after a restart of the agent.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import time
import uuid
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sonde.agent.skyapm.lines import Asked, Reported

log = logging.getLogger(__name__)

MOST = 1000
SILENT_S = 600.0
"""A process that sent nothing for so long, and whose pid is gone, is over. One of another pid namespace has a pid that
says nothing here."""
_NAMED_SINCE = 8


@dataclass(slots=True)
class Instance:
    """One master process."""

    app_code: str
    pid: int
    version: int
    uuid: str
    application_number: int
    number: int
    heard_at: float = 0.0
    """When it last sent something, seconds since the epoch."""
    segments: int = 0
    """That it sent to this agent."""

    @property
    def service(self) -> str:
        """Its name; a comma would end it in the answer."""
        return self.app_code.replace(",", "_")

    @property
    def name(self) -> str:
        """The instance in its segments."""
        return self.uuid if self.version >= _NAMED_SINCE else str(self.number)

    def answer(self) -> bytes:
        """What the process reads when it asks who it is."""
        if self.version >= _NAMED_SINCE:
            return f"{self.service},{self.uuid},{self.uuid}".encode("utf-8", "replace")
        return f"{self.application_number},{self.number},{self.uuid}".encode()


class Instances:
    """Used from one thread. Kept in `file`; losing that file costs names of processes before version 8, no more."""

    def __init__(
        self,
        file: Path,
        *,
        new_uuid: Callable[[], str] = lambda: str(uuid.uuid4()),
        new_number: Callable[[], int] = lambda: 1 + secrets.randbelow((1 << 31) - 1),
        now: Callable[[], float] = time.time,
    ) -> None:
        self._file = file
        self._new_uuid = new_uuid
        self._new_number = new_number
        self._now = now
        self._known = {(one.app_code, one.pid, one.version): one for one in _kept(file)}

    def __iter__(self) -> Iterator[Instance]:
        return iter(list(self._known.values()))

    def who_is(self, asked: Asked) -> Instance:
        """The one that asks, a new one where it never did."""
        key = (asked.app_code, asked.pid, asked.version)
        found = self._known.get(key)
        if found is None:
            numbers = (self._application_number(asked.app_code), self._new_number())
            found = Instance(*key, self._new_uuid(), *numbers)
            self._known[key] = found
            if len(self._known) > MOST:
                del self._known[min(self._known, key=lambda one: self._known[one].heard_at)]
            found.heard_at = self._now()
            self._keep()
        found.heard_at = self._now()
        return found

    def sender_of(self, reported: Reported) -> tuple[str, str]:
        """Service and instance of a segment. One that is not known is known by what it calls itself."""
        said = reported.message
        identity = said.get("uuid")
        for one in self._known.values():
            if one.uuid == identity:
                one.heard_at = self._now()
                one.segments += 1
                return one.service, one.name
        service, instance = said.get("service"), said.get("serviceInstance")
        if not service and reported.version < _NAMED_SINCE:
            service, instance = f"application {said.get('application_id')}", said.get("application_instance")
        return str(service or ""), str(instance or "")

    def forget_ended(self) -> None:
        """Those whose process is over."""
        oldest = self._now() - SILENT_S
        ended = [key for key, one in self._known.items() if one.heard_at < oldest and not _is_alive(one.pid)]
        for key in ended:
            del self._known[key]
        if ended:
            self._keep()

    def _application_number(self, app_code: str) -> int:
        for one in self._known.values():
            if one.app_code == app_code:
                return one.application_number
        return self._new_number()

    def _keep(self) -> None:
        partial = self._file.with_name(self._file.name + ".part")
        try:
            partial.write_text(json.dumps([asdict(one) for one in self._known.values()]))
            partial.replace(self._file)
        except OSError as error:
            log.warning("who PHP processes are cannot be kept in %s: %s", self._file, error.strerror)


def _kept(file: Path) -> list[Instance]:
    try:
        kept: list[dict[str, Any]] = json.loads(file.read_text())
        return [Instance(**one) for one in kept][-MOST:]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError) as error:
        log.warning("who PHP processes are cannot be read from %s: %s", file, error)
        return []


def _is_alive(pid: int) -> bool:
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    return True
