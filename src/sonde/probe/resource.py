"""Who this process is: the resource attributes that stand once on each batch of its spans."""

from __future__ import annotations

import os
import sys

from sonde import __version__

_OPTIONS_WITH_A_VALUE = frozenset({"-W", "-X", "--check-hash-based-pycs"})
_MACHINE_ID_FILES = ("/etc/machine-id", "/var/lib/dbus/machine-id")


def process_resource() -> dict[str, object]:
    """Attributes of host and process, by OpenTelemetry's resource conventions. The instance is new at each call.

    A host without a machine id, as most containers are, is known by its name alone.
    """
    host, pid = os.uname().nodename, os.getpid()
    resource: dict[str, object] = {
        # Readable, and unique where a container's processes all have the same number.
        "service.instance.id": f"{host}:{pid}-{os.urandom(3).hex()}",
        "host.name": host,
        "process.pid": pid,
        "process.command": command_name(),
        "process.runtime.name": sys.implementation.name,
        "process.runtime.version": ".".join(map(str, sys.version_info[:3])),
        "telemetry.sdk.name": "sonde",
        "telemetry.sdk.language": "python",
        "telemetry.sdk.version": __version__,
    }
    if machine := machine_id():
        resource["host.id"] = machine
    return resource


def machine_id() -> str:
    """The host's id; empty where it has none."""
    for file in _MACHINE_ID_FILES:
        try:
            with open(file) as opened:  # noqa: PTH123 - pathlib would cost each process of the user 5 ms
                found = opened.read().strip()
        except OSError:
            continue
        if found:
            return found
    return ""


def command_name() -> str:
    """What was started: `gunicorn`, `worker.py`; for `python -m x` the module, for `python -c …` just `python`.

    From the original command line: while sitecustomize runs, there is no sys.argv yet.
    """
    words = iter(sys.orig_argv[1:])
    for word in words:
        if word == "-m":
            return next(words, "python")
        if word in _OPTIONS_WITH_A_VALUE:
            next(words, None)
        elif word == "-c":
            break
        elif not word.startswith("-"):
            return os.path.basename(word)  # noqa: PTH119 - a name, maybe no path
    return "python"


def parsed_attributes(text: str) -> dict[str, str]:
    """`key=value,key=value`, percent-encoded, the form of OTEL_RESOURCE_ATTRIBUTES. Raises ValueError."""
    found: dict[str, str] = {}
    if not text.strip():
        return found
    from urllib.parse import unquote

    for pair in filter(None, (part.strip() for part in text.split(","))):
        key, equals, value = pair.partition("=")
        if not equals or not key.strip():
            raise ValueError(f"{pair!r} is no key=value")
        found[unquote(key.strip())] = unquote(value.strip())
    return found


def own_address() -> str:
    """The host's address on its network, for a server that listens on all of them. Sends nothing.

    Connecting a datagram socket only asks the routing table. 192.0.2.1 is an address kept for documentation.
    """
    import socket  # a server has it already

    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(("192.0.2.1", 9))
            return str(probe.getsockname()[0])
    except OSError:
        return "127.0.0.1"
