"""Brings a store to this version's schema: the statements of `schema/*.sql`, in the order of the files' names.

Each statement can be run again (IF NOT EXISTS), so a start that was cut short is made good by the next one. What came
to its end is noted in `schema_made`, and not done again while nothing has changed: that is a quarter of a start. What a
newer engine can do better is asked for in `_better_where_possible`, by version.
"""

from __future__ import annotations

import re
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING

from sonde.server.store.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sonde.server.store.client import StoreClient

DATABASE = "sonde"
BUCKETED_MAPS_SINCE = (26, 1)

_END_OF_STATEMENT = re.compile(r";[ \t]*(?:\n|\Z)")
_UNKNOWN_TABLE = 60
_NAMES = """
SELECT groupArray(name) FROM (
    SELECT name FROM system.tables WHERE database = currentDatabase()
    UNION ALL SELECT name FROM system.functions WHERE origin = 'SQLUserDefined')
"""
_COMMENT_LINE = re.compile(r"^[ \t]*--[^\n]*\n", re.MULTILINE)


def statements() -> Iterator[tuple[str, str]]:
    """(file name, statement) of the whole schema, in order."""
    folder = files("sonde.server.store") / "schema"
    for name in sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql")):
        text = _COMMENT_LINE.sub("", (folder / name).read_text(encoding="utf-8"))
        for statement in _END_OF_STATEMENT.split(text):
            if statement.strip():
                yield name, statement.strip()


def migrate(client: StoreClient) -> None:
    """Make every table, view and function that is missing. `client` may write. Raises StoreError."""
    client.command(f"CREATE DATABASE IF NOT EXISTS {DATABASE}")
    version = server_version(client)
    made_of = _digest(version)
    if _is_made(client, made_of):
        return
    for _, statement in statements():
        client.command(statement)
    _better_where_possible(client, version)
    client.command(
        f"INSERT INTO schema_made (made_of, names) SELECT {{made_of:String}}, ({_NAMES})",
        {"made_of": made_of},
    )


def _digest(version: tuple[int, int]) -> str:
    """Of everything that `migrate` asks an engine of this release for."""
    texts = "\0".join(statement for _, statement in statements())
    return sha256(f"{version}\0{texts}".encode()).hexdigest()


def _is_made(client: StoreClient, made_of: str) -> bool:
    """The last who came was of this schema, and nothing was taken away since."""
    try:
        rows = client.rows(
            f"SELECT made_of = {{made_of:String}} AND hasAll(({_NAMES}), names) FROM schema_made"  # noqa: S608
            " ORDER BY made_at DESC LIMIT 1",
            {"made_of": made_of},
        )
    except StoreError as error:
        if error.code == _UNKNOWN_TABLE:
            return False
        raise
    return bool(rows and rows[0][0])


def server_version(client: StoreClient) -> tuple[int, int]:
    """Year and month of the engine's release, e.g. (26, 9)."""
    major, minor = str(client.rows("SELECT version()")[0][0]).split(".")[:2]
    return int(major), int(minor)


def _better_where_possible(client: StoreClient, version: tuple[int, int]) -> None:
    """Keep the attribute map in buckets of keys: a search by one attribute reads a sixteenth of the map."""
    if version < BUCKETED_MAPS_SINCE:
        return
    ((already,),) = client.rows(
        "SELECT create_table_query LIKE '%map_serialization_version%' FROM system.tables"
        " WHERE database = currentDatabase() AND name = 'spans'"
    )
    if not already:
        client.command(
            "ALTER TABLE spans MODIFY SETTING map_serialization_version = 'with_buckets',"
            " map_buckets_min_avg_size = 0, map_buckets_strategy = 'constant', max_buckets_in_map = 16"
        )
