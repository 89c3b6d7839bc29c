"""The name of the service this process is part of: the user's, else the address it serves at, else what was started.

An HTTP server's address is learned at its first request, in each process. What was sent before carries the command's
name; what follows, the first request included, `ip:port`.
"""

from __future__ import annotations

import os

from sonde.probe import core
from sonde.probe.propagators import propagators
from sonde.probe.resource import command_name, own_address, process_resource
from sonde.probe.sampling import sampling

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_ANY_ADDRESS = frozenset({"0.0.0.0", "::", ""})


class Identity:
    """Name and resource attributes of this process. There is one, `identity`."""

    def __init__(self) -> None:
        self._given: dict[str, object] = {}
        self._name = ""
        self._learning = False
        self._pid = 0
        self.resource: dict[str, object] = {}
        self.said: dict[str, object] = {}
        """What introduces the process to an agent, see HELLO in wire/frames.py, as soon as they are connected: before a
        name is learned, and the same in a forked child."""

    def begin(self, name: str, attributes: Mapping[str, str]) -> None:
        """Attributes are the user's and win over ours; the name, where there is one, over a name in them."""
        self._given = dict(attributes)
        if name:
            self._given["service.name"] = name
        self._learning = "service.name" not in self._given
        self._name = command_name()
        self._renew()

    def named(self, name: str) -> None:
        """The program says what it is called. Empty: nothing said; a name that was set wins."""
        if name and "service.name" not in self._given:
            self._learning = False
            self._rename(name)

    def _rename(self, name: str) -> None:
        self._name = name
        self.resource["service.name"] = name
        self._introduce()
        sampling.named(name)
        core.set_resource(self.resource)

    def served_at(self, host: str, port: int) -> None:
        """The process was seen to serve HTTP there. The first time, that names a service which has no name."""
        if self._pid not in (0, os.getpid()):  # a fork that Python was not told of, as uWSGI's are
            self.after_fork()
        if not self._learning or not port:
            return
        self._learning = False
        address = own_address() if host in _ANY_ADDRESS else host
        self._rename(f"[{address}]:{port}" if ":" in address else f"{address}:{port}")

    def after_fork(self) -> None:
        """In the child: another process and instance of the same service."""
        self._renew()
        core.set_resource(self.resource)

    def hello(self) -> dict[str, object] | None:
        """What introduces the process by what its spans call it now; None before `said`."""
        if not self.said:
            return None
        now = self.resource
        name, instance = now["service.name"], now["service.instance.id"]
        return {**self.said, "pid": os.getpid(), "service": name, "instance": instance}

    def _renew(self) -> None:
        self._pid = os.getpid()
        self.resource = {"service.name": self._name, **process_resource(), **self._given}
        self._introduce()

    def _introduce(self) -> None:
        propagators.introduce(str(self.resource["service.name"]), str(self.resource["service.instance.id"]))


identity = Identity()
