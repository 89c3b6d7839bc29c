"""redis: one client span per command and one per pipeline, sync and asyncio. A cluster client has no spans yet.

Records the command's name, the server's address and port, the database's index, the number of commands of a pipeline.
Never records keys, values or arguments. Subscriptions are waiting, not calling: they have no span; nor have commands
that wait for what others send (`BLPOP`, `XREAD`), outside of any trace. What Celery says to its broker has none either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sonde.probe import core
from sonde.probe.plugins import beside
from sonde.probe.plugins.bounded import Learned
from sonde.probe.plugins.leaf import around, around_async, kept
from sonde.probe.plugins.plugin import Plugin

if TYPE_CHECKING:
    from sonde.probe.core import Operation, Span

_Place = tuple[object, object, object, object]
"""Command, host (or path of a unix socket), port, database."""
_MOST_COMMANDS = 256
"""Kept with a pool; Redis has not many more."""


def _operation(place: _Place) -> Operation:
    command, host, port, database = place
    name = _command_name(command)
    constants: dict[str, object] = {"db.system.name": "redis", "db.operation.name": name}
    if host is not None:
        constants["server.address"] = str(host)
    if isinstance(port, int):
        constants["server.port"] = port
    if database is not None:
        constants["db.namespace"] = str(database)
    return core.operation(name, core.CLIENT, constants)


def _command_name(command: object) -> str:
    """`GET`, `CONFIG GET`. What is no word is not shown: it may be anything."""
    text = command.decode("ascii", "replace") if isinstance(command, bytes) else str(command)
    name = text.upper()
    plain = name.replace(" ", "").replace(".", "").replace("_", "").replace("-", "").isalnum()
    return name if plain and len(name) <= 32 else "OTHER"


_operations: Learned[_Place, Operation] = Learned(_operation, room=2048)
_OF_POOL = "_sonde_operations"
SILENT = "_sonde_silent"
"""Attribute of a pool whose commands have a span of another kind above them, or are nobody's: none is made for them."""
_WAITING = frozenset(
    ("BLMOVE", "BLMPOP", "BLPOP", "BRPOP", "BRPOPLPUSH", "BZMPOP", "BZPOPMAX", "BZPOPMIN", "XREAD", "XREADGROUP")
)
"""Between two messages they last as long as nobody sends any."""


def _operation_of(pool: Any, command: object) -> Operation | None:
    """Found in the pool from the second time on: looking up its address anew costs more than the span."""
    get = pool.connection_kwargs.get
    silent = beside.kept(pool, SILENT)
    operation = None if silent else _operations[command, get("host") or get("path"), get("port"), get("db")]
    known = beside.kept(pool, _OF_POOL)
    if known is None:
        known = {}
        beside.keep(pool, _OF_POOL, known)
    if len(known) < _MOST_COMMANDS and command not in _WAITING:
        known[command] = operation
    return operation


def _seen_first(client: Any, command: object = None, *_args: Any, **_options: Any) -> Operation | None:
    if command is None:
        return None
    pool = client.connection_pool
    if command in _WAITING and core.current() is None:
        return None
    known = beside.kept(pool, _OF_POOL)
    return known[command] if known and command in known else _operation_of(pool, command)


_command = kept(("connection_pool",), _OF_POOL, 1, _seen_first)


def _pipeline(pipeline: Any, *_args: Any, **_options: Any) -> Span | None:
    commands = len(pipeline.command_stack)
    if not commands and not getattr(pipeline, "watching", False):
        return None
    # Both flags, as the library itself looks at them.
    transaction = pipeline.is_transaction if hasattr(pipeline, "is_transaction") else pipeline.transaction
    name = "MULTI" if transaction or pipeline.explicit_transaction else "PIPELINE"
    operation = _operation_of(pipeline.connection_pool, name)
    if operation is None:
        return None
    span = core.leaf(operation)
    span.set("db.operation.batch.size", commands)
    return span


PLUGIN = Plugin(
    library="redis",
    supports=">=4.6,<9",
    points={
        "redis.client:Redis.execute_command": around(_command),
        "redis.client:Pipeline.immediate_execute_command": around(_command),
        "redis.client:Pipeline.execute": around(_pipeline),
        "redis.asyncio.client:Redis.execute_command": around_async(_command),
        "redis.asyncio.client:Pipeline.immediate_execute_command": around_async(_command),
        "redis.asyncio.client:Pipeline.execute": around_async(_pipeline),
    },
)
