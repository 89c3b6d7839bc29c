"""How a spool file gets into the store: one statement for each signal, the same for the embedded engine and a cluster.

The engine decodes the file's protobuf itself and the views of `schema/` make rows of it. What is missing here is
`insert_deduplication_token`: the spool file's name, which makes loading a file again harmless.
"""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ENTRY_PROTO = (files("sonde.server.store") / "schema" / "otlp.proto").read_text(encoding="utf-8")

STATEMENTS: Mapping[str, str] = {
    "traces": "INSERT INTO intake_traces (app, received_unix_nano, traces) FORMAT Protobuf",
    "metrics": "INSERT INTO intake_metrics (app, received_unix_nano, metrics) FORMAT Protobuf",
    "logs": "INSERT INTO intake_logs (app, received_unix_nano, logs) FORMAT Protobuf",
    "segments": "INSERT INTO intake_segments (app, received_unix_nano, segments) FORMAT Protobuf",
}
"""By signal, for StoreClient.insert_file."""

SETTINGS: Mapping[str, object] = {
    "format_schema_source": "string",
    "format_schema": ENTRY_PROTO,
    "format_schema_message_name": "Entry",
    "input_format_protobuf_oneof_presence": 1,
    # Without it a file that was loaded again after a crash would be in the base table once and in the rollups twice,
    # or the other way round.
    "deduplicate_blocks_in_dependent_materialized_views": 1,
    # The views' conditionals are over short values: evaluating every branch costs half of what skipping them does.
    "short_circuit_function_evaluation": "disable",
    # The views are written in the order in which they should run; looking for a better one costs a quarter of the
    # time of a small file.
    "query_plan_enable_optimizations": 0,
}
"""For every one of them."""

_KNOWN_SINCE = (26, 1)
_OF_NEWER_ENGINES: Mapping[str, object] = {
    # Making the index over all attributes' values is a seventh of a load, for parts that are soon merged: the merge
    # makes it anew. Until then a search reads these few parts whole.
    "exclude_materialize_skip_indexes_on_insert": "by_value",
    # Looking for chains such as a < b AND b < c, of which the views have none, is a fifth of what a small load costs.
    "optimize_and_compare_chain": 0,
}


def settings_for(version: tuple[int, int]) -> Mapping[str, object]:
    """SETTINGS, and those that only an engine of this release knows."""
    return SETTINGS if version < _KNOWN_SINCE else {**SETTINGS, **_OF_NEWER_ENGINES}
