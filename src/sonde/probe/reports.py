"""What goes to the agent beside spans, every few seconds in a thread of the recorder's: counts of what was not sampled,
log records, runtime metrics. And what the agent says to us.
"""

from __future__ import annotations

import json
import time

from sonde import __version__
from sonde.probe import metrics, tallies
from sonde.probe.guard import fault
from sonde.probe.log_records import log_records
from sonde.probe.runtime import runtime
from sonde.probe.sampling import sampling
from sonde.probe.service import identity
from sonde.wire.frames import Kind
from sonde.wire.protobuf import key_value, message, text

_SCOPE = message(1, text(1, "sonde") + text(2, __version__))


def tick(gil_wait_ns: int, whole: bool, said: list[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    """Frames, kind and payload. `whole`: metrics are due; `said`: frames of the agent's."""
    for kind, payload in said:
        _hear(kind, payload)
    resource = message(1, b"".join(key_value(1, key, value) for key, value in identity.resource.items()))
    frames: list[tuple[int, bytes]] = []
    for kind, body in ((Kind.TRACES, tallies.taken()), (Kind.LOGS, log_records.taken())):
        if body:
            frames.append((kind, message(1, resource + message(2, _SCOPE + body))))
    if whole and (hello := identity.hello()):
        frames.insert(0, (Kind.HELLO, json.dumps(hello).encode()))  # each time: the agent may be another one by now
    if whole:
        runtime.gil_wait.add(gil_wait_ns / 1e9)
        frames.append((Kind.METRICS, metrics.request(resource, _SCOPE, time.time_ns())))
    return frames


def _hear(kind: int, payload: bytes) -> None:
    try:
        if kind == Kind.SETTINGS:
            sampling.said(payload, str(identity.resource["service.name"]))
    except Exception:
        fault("reports.hear")
