"""What the user's settings tell plugins. Set once, before the first plugin is loaded."""

record_sql = "masked"
"""What a database span keeps of its statement: `masked`, `full` or `off`."""

websocket_messages = True
"""Whether each message of a WebSocket connection is a span."""

ship_logs = 0
"""Least level of the log records that go to the server; 0: none do."""
