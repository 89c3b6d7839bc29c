"""Who this host is, in the words of OpenTelemetry's resource conventions."""

from __future__ import annotations

import os
import platform
import socket
import uuid
from contextlib import suppress
from pathlib import Path

from sonde import __version__

_MACHINE_ID_FILES = (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id"))
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm32", "i686": "x86"}


def host_resource(own_id_file: Path) -> dict[str, str]:
    """Attributes of everything the agent itself reports."""
    host_id = host_identity(own_id_file)
    return {
        "service.name": "sonde-agent",
        "service.version": __version__,
        "service.instance.id": host_id,
        "host.name": socket.gethostname(),
        "host.id": host_id,
        "host.arch": _ARCHITECTURES.get(platform.machine(), platform.machine()),
        "os.type": platform.system().lower(),
        "os.description": _system(),
    }


def host_identity(own_id_file: Path) -> str:
    """The machine's id; where it has none (most containers), one that is made once and kept in `own_id_file`."""
    for file in (*_MACHINE_ID_FILES, own_id_file):
        with suppress(OSError):
            if found := file.read_text().strip():
                return found
    made = uuid.uuid4().hex
    own_id_file.write_text(made)
    return made


def _system() -> str:
    try:
        name = platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    except OSError:
        name = platform.system()
    return f"{name}, kernel {os.uname().release}"
