"""Processes with one of SkyWalking's agents: what they told of themselves, and when they were heard of."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from sonde.server.intake.skywalking.resource import properties_of, resource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

MOST = 20_000
MOST_PROPERTIES = 64
LONGEST_PROPERTY = 1000
LONGEST_KEY = 255
LONGEST_NAME = 70
"""Of services and instances, where SkyWalking's own server cuts them, too; the store does it in segments."""
LONGEST_SERVICE = 70
"""Characters of a service or an instance, as SkyWalking's server cuts them, and the store those of segments."""
STORED_EVERY_S = 30.0
"""Some agents say each second that they live."""


class InstanceKey(NamedTuple):
    """Which process."""

    app: str
    service: str
    instance: str


def instance_key(app: str, service: str, instance: str) -> InstanceKey:
    """Names cut to what is kept."""
    return InstanceKey(app, service[:LONGEST_SERVICE], instance[:LONGEST_SERVICE])


@dataclass(eq=False, slots=True)
class Instance:
    """One process, as far as it has told."""

    resource: bytes
    properties: dict[str, str] = field(default_factory=dict)
    heard_at: float = 0.0
    stored_at: float = float("-inf")


class Instances:
    """At most MOST; who was silent for longest is forgotten, and known again when it speaks. For one event loop."""

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._known: OrderedDict[InstanceKey, Instance] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def items(self) -> Iterator[tuple[InstanceKey, Instance]]:
        """All, who spoke last at the end."""
        return iter(list(self._known.items()))

    def heard_of(self, key: InstanceKey) -> Instance:
        """It lives."""
        instance = self._known.get(key)
        if instance is None:
            instance = self._known[key] = Instance(resource(key.service, key.instance, {}))
            if len(self._known) > MOST:
                self._known.popitem(last=False)
        self._known.move_to_end(key)
        instance.heard_at = self._seconds()
        return instance

    def told(self, key: InstanceKey, pairs: Iterable[tuple[str, str]]) -> Instance:
        """It has said what it is."""
        instance = self.heard_of(key)
        short = [(name[:LONGEST_KEY], value[:LONGEST_PROPERTY]) for name, value in pairs]
        instance.properties = properties_of(short[:MOST_PROPERTIES])
        instance.resource = resource(key.service, key.instance, instance.properties)
        instance.stored_at = float("-inf")
        return instance

    def is_to_be_stored(self, instance: Instance) -> bool:
        """Whether what is stored of it is not fresh; if so, the caller stores it."""
        now = self._seconds()
        if now - instance.stored_at < STORED_EVERY_S:
            return False
        instance.stored_at = now
        return True
