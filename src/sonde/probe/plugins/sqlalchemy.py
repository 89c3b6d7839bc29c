"""SQLAlchemy: one internal span where a pool has no connection left and its caller waits for one, sync and asyncio.

Records the pool's name, if it has one, and how many connections it may have. Never records statements, parameters or
addresses: statements, commits and rollbacks are the drivers' spans, one each, and what SQLAlchemy does around them is
part of the caller's span. A pool that has a connection at hand, or opens another one, has no span.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sonde.probe import core
from sonde.probe.plugins.bounded import Learned
from sonde.probe.plugins.leaf import around
from sonde.probe.plugins.plugin import Plugin

if TYPE_CHECKING:
    from sonde.probe.core import Operation


def _operation(pool: tuple[object, int]) -> Operation:
    name, most = pool
    constants: dict[str, object] = {"db.client.connection.max": most}
    if isinstance(name, str):
        constants["db.client.connection.pool.name"] = name
    return core.operation("pool wait", core.INTERNAL, constants)


_operations: Learned[tuple[object, int], Operation] = Learned(_operation, room=64)


def _waiting(pool: Any, /) -> Operation | None:
    """An overflow of -1 means a pool without a limit; below the limit, the pool opens a connection."""
    most = pool._max_overflow  # noqa: SLF001 - the public methods take a lock, or tell less
    if most < 0 or pool._overflow < most or not pool._pool.empty():  # noqa: SLF001 - likewise
        return None
    return _operations[pool._orig_logging_name, pool.size() + most]  # noqa: SLF001 - likewise


PLUGIN = Plugin(
    library="sqlalchemy",
    supports=">=1.4.40,<3",
    points={"sqlalchemy.pool.impl:QueuePool._do_get": around(_waiting)},
)
