"""The agent's end of the control channel: one outbound WebSocket to the server, and the jobs that come by it.

`channel.py` keeps the connection, `jobs.py` carries out, `checks.py` says who may, `policy.py` what, `spool.py` keeps
what was made until the server has it.
"""
