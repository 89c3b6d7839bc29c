"""What the agent wants of a tool, on its way from the recorder's thread to the tool host."""

from __future__ import annotations

from sonde.probe.guard import fault


def hear(payload: bytes) -> None:
    """A COMMAND. Returns at once: the host has a thread of its own."""
    try:
        from sonde.probe.tools import host

        host.command(payload)
    except Exception:
        fault("commands.hear")
