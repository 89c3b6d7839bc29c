"""What the user's settings tell plugins. Set once, before the first plugin is loaded."""

record_sql = "masked"
"""What a database span keeps of its statement: `masked`, `full` or `off`."""

websocket_messages = True
"""Whether each message of a WebSocket connection is a span."""

otel_bridge = True
"""Whether OpenTelemetry's API makes spans of ours where the program has set no provider."""

pool_wait_ns = 10_000_000
"""A task of a request that waits so long for a thread of a pool is told of; 0: none is."""

ship_logs = 0
"""Least level of the log records that go to the server; 0: none do."""
