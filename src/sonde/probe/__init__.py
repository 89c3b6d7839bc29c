"""Inside the user's process. A guest: it never raises into the application and never changes a result."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sonde.probe.plugins.engine import PluginStatus


def status() -> list[PluginStatus]:
    """What each plugin sees, and why not; empty while the probe is off."""
    from sonde.probe.start import probe

    return probe.status()
