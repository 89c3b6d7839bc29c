"""What easy-monitor's agent, xtransit, says on its WebSocket, and what it is asked there.

`frame.py` reads and verifies one message, `receiver.py` has the connections, `agents.py` knows who is there,
`commands.py` asks them; `process_metrics.py`, `system_metrics.py` and `error_logs.py` make OTLP of what they report.
Versions 1.2 to 3.1 of the agent speak like this; docs/nodejs.md says what differs.
"""
