"""The node agent: receive -> queue -> forward, the host's metrics, and what probes are told.

Bytes in, bytes out: no span is decoded. Only what PHP processes of SkyAPM 3 say in JSON is translated, see `skyapm`.
"""


class AgentError(Exception):
    """The agent cannot start. The message says what is in the way, and what to do."""
