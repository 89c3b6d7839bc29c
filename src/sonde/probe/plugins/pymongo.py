"""pymongo: one client span per command sent to a server, for MongoClient and AsyncMongoClient: a query, each further
batch of a cursor, each batch of a bulk write. Handshakes, authentication and monitoring have no spans.

Records the command's name, database and collection, the server's address and port; of a refused command the kind of
error and its code. Never records documents, filters, pipelines or results, nor the message of an error, in which the
server cites them. Listeners that the user has registered are called as ever; ours is none.

Tested with a server of the tests' own that speaks MongoDB's wire protocol, not with MongoDB itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sonde.probe import core
from sonde.probe.guard import fault
from sonde.probe.plugins.bounded import Learned
from sonde.probe.plugins.leaf import is_given_up
from sonde.probe.plugins.plugin import Plugin

if TYPE_CHECKING:
    from collections.abc import Callable

    from sonde.probe.core import Operation, Span
    from sonde.probe.plugins.plugin import Wrapper

_Place = tuple[str, str, str, Any]
"""Command, database, collection, address."""
_QUIET = frozenset(
    {
        "authenticate",
        "endSessions",
        "getnonce",
        "hello",
        "isMaster",
        "ismaster",
        "saslContinue",
        "saslStart",
    }
)


def _operation(place: _Place) -> Operation:
    command, database, collection, address = place
    constants: dict[str, object] = {"db.system.name": "mongodb", "db.operation.name": command}
    if database:
        constants["db.namespace"] = database
    if collection:
        constants["db.collection.name"] = collection
    if address:
        constants["server.address"] = str(address[0])
        if address[1]:
            constants["server.port"] = int(address[1])
    return core.operation(f"{command} {collection}" if collection else command, core.CLIENT, constants)


_operations: Learned[_Place, Operation] = Learned(_operation, room=2048)


def _of_command(connection: Any, database: Any, command: Any) -> Operation | None:
    if isinstance(command, str):  # by its name alone: `ping`
        return None if command in _QUIET else _operations[command, database, "", connection.address]
    name = next(iter(command))
    if name in _QUIET:
        return None
    target = command.get("collection") if name == "getMore" else command[name]
    return _operations[name, database, target if isinstance(target, str) else "", connection.address]


def _command(connection: Any, dbname: Any, spec: Any, *_args: Any, **_kwargs: Any) -> Operation | None:
    return _of_command(connection, dbname, spec)


def _cursor_command(connection: Any, cmd: Any, dbname: Any, *_args: Any, **_kwargs: Any) -> Operation | None:
    return _of_command(connection, dbname, cmd)


def _run_operation(_server: Any, connection: Any, operation: Any, *_args: Any, **_kwargs: Any) -> Operation:
    return _operations[operation.name, operation.db, operation.coll or "", connection.address]


def _bulk(context: Any, cmd: Any, *_args: Any, **_kwargs: Any) -> Operation | None:
    return _of_command(context.conn, context.db_name, cmd)


def _bulk_method(_bulk_write: Any, context: Any, cmd: Any, *_args: Any, **_kwargs: Any) -> Operation | None:
    return _bulk(context, cmd)


def _failed(span: Span, error: BaseException, place: str) -> None:
    """Without the message: it cites keys and values."""
    try:
        if is_given_up(error):
            span.set("sonde.cancelled", True)
        else:
            span.set("error.type", type(error).__qualname__)
            code = getattr(error, "code", None)
            if isinstance(code, int):
                span.set("db.response.status_code", str(code))
            span.fail(None)
        span.finish()
    except Exception:
        fault(place)


def _sync(start: Callable[..., Operation | None]) -> Wrapper:
    return lambda wrapped: core.around(wrapped, start, None, _failed, fault)


def _async(start: Callable[..., Operation | None]) -> Wrapper:
    return lambda wrapped: core.around_async(wrapped, start, None, _failed, fault)


def _points(package: str, connection: str, around: Callable[[Any], Wrapper]) -> dict[str, Wrapper]:
    """What sends commands, in one of the two halves of the library that are made from one source."""
    prefix = "_Async" if package == "pymongo.asynchronous" else "_"
    return {
        f"{package}.pool:{connection}.command": around(_command),
        f"{package}.server:Server.run_operation": around(_run_operation),
        f"{package}.bulk:{prefix}Bulk.write_command": around(_bulk_method),
        f"{package}.bulk:{prefix}Bulk.unack_write": around(_bulk_method),
        f"{package}.client_bulk:{prefix}ClientBulk.write_command": around(_bulk_method),
        f"{package}.client_bulk:{prefix}ClientBulk.unack_write": around(_bulk_method),
        # instead of run_operation in the newest; imported by name
        f"{package}.cursor_base:run_cursor_command": around(_cursor_command),
    }


_POINTS = {
    **_points("pymongo.synchronous", "Connection", _sync),
    **_points("pymongo.asynchronous", "AsyncConnection", _async),
    # before 4.9
    "pymongo.pool:Connection.command": _sync(_command),
    "pymongo.server:Server.run_operation": _sync(_run_operation),
    "pymongo.message:_BulkWriteContext.write_command": _sync(_bulk),
    "pymongo.message:_BulkWriteContext.unack_write": _sync(_bulk),
}

PLUGIN = Plugin(library="pymongo", supports=">=4.5,<5", points=_POINTS, optional=frozenset(_POINTS))
