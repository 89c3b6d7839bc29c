"""pymemcache: one client span per command sent to a server, by plain, pooled and hashing clients.

Records the command's name, the server's address and port, the number of keys where there are several. Never records
keys, values or flags. An error that a client with `ignore_exc` hides is not seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sonde.probe import core
from sonde.probe.plugins.bounded import Learned
from sonde.probe.plugins.leaf import around
from sonde.probe.plugins.plugin import Plugin

if TYPE_CHECKING:
    from sonde.probe.core import Operation, Span


def _operation(place: tuple[Any, Any]) -> Operation:
    command, server = place
    word = command.partition(b" ")[0] if isinstance(command, bytes) else b""
    name = word.decode("ascii", "replace") if word.isalpha() or word in _UNDERSCORED else "other"
    constants: dict[str, object] = {"db.system.name": "memcached", "db.operation.name": name}
    if isinstance(server, tuple):
        constants["server.address"] = str(server[0])
        constants["server.port"] = int(server[1])
    else:
        constants["server.address"] = str(server)  # path of a unix socket
    return core.operation(name, core.CLIENT, constants)


_UNDERSCORED = frozenset({b"cache_memlimit", b"flush_all"})
_operations: Learned[tuple[Any, Any], Operation] = Learned(_operation, room=1024)


def _keys(client: Any, name: Any, keys: Any, *_args: Any, **_kwargs: Any) -> Operation | Span:
    operation = _operations[name, client.server]
    many = len(keys) if isinstance(keys, list | tuple | dict | set) else 1
    if many == 1:
        return operation
    span = core.leaf(operation)
    span.set("db.operation.batch.size", many)
    return span


def _other(client: Any, commands: Any, name: Any, *_args: Any, **_kwargs: Any) -> Operation | Span:
    return _keys(client, name, commands)


PLUGIN = Plugin(
    library="pymemcache",
    supports=">=3.5,<5",
    points={
        "pymemcache.client.base:Client._fetch_cmd": around(_keys),
        "pymemcache.client.base:Client._store_cmd": around(_keys),
        "pymemcache.client.base:Client._misc_cmd": around(_other),
    },
)
