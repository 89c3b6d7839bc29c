"""The node agent: receive -> queue -> forward, the host's metrics, and what probes are told.

Bytes in, bytes out: no span is decoded.
"""


class AgentError(Exception):
    """The agent cannot start. The message says what is in the way, and what to do."""
