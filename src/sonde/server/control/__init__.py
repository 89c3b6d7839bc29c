"""The server's end of the control channel: which agents are there, and the jobs they carry out.

`channel.py` speaks to one agent, `nodes.py` knows who is connected, `jobs.py` is the rows in the metadata database,
`artifacts.py` the files; `control.py` holds them together and is what the API asks.
"""
