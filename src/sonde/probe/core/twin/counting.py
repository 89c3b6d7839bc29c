"""How often what happened. The names and their meaning are the same in native/core/counters.h."""

from __future__ import annotations

from sonde.probe.core.twin.real import RLock

NAMES = {
    "opened": "spans begun while recording was on; those neither finished, tallied nor open any more got lost",
    "finished": "spans that ended while recording was on and were handed to the sender",
    "tallied": "spans that ended and were not sampled: counted only",
    "sent_spans": "spans the agent's socket took",
    "sent_bytes": "bytes of whole frames the agent's socket took",
    "sent_frames": "frames the agent's socket took, HELLO and STATUS included",
    "dropped_ring_full": "spans for which their thread's ring had no room while an agent was connected",
    "dropped_no_agent": "spans for which their thread's ring had no room because no agent was connected",
    "dropped_no_ring": "spans of a thread for which no ring could be made: no memory, or MAX_RINGS reached",
    "dropped_inherited": "spans that were open across a fork and ended in the child: the parent records them",
    "dropped_frames": "frames of metrics, logs or counts, and of the agent, for which there was no room",
    "dropped_attributes": "attributes over a span's limit in number or bytes",
    "dropped_events": "events over a span's limit in number or bytes",
    "dropped_links": "links over a span's limit in number or bytes",
    "unencodable_values": "names, keys, values and links of a type or form that OTLP has no place for",
    "cut_values": "names, keys, values and lists that were longer than max_value_bytes",
    "malformed_headers": "incoming headers that broke a rule and started a fresh trace",
    "connects": "connections made to the agent",
    "connect_errors": "attempts to connect that failed",
    "send_errors": "connections that broke or stalled while sending",
    "start_errors": "attempts to start the sender, or to arm the flush at exit, that failed",
    "internal_errors": "faults of the probe and of code it had to call, kept from the application",
    "requests": "requests begun: spans of kind SERVER and CONSUMER",
    "requests_ended": "requests ended; the native core counts those that were forgotten, too",
    "rings": "rings made so far; a ring of an ended thread is used again",
}

# An RLock: a signal handler or a finalizer may record a span in the middle of a count.
_lock = RLock()
_counts = dict.fromkeys(NAMES, 0)


def count(name: str, times: int = 1) -> None:
    """Add to a counter that is not touched at each span (those are kept by the rings)."""
    with _lock:
        _counts[name] += times


def snapshot() -> dict[str, int]:
    """The counters kept here."""
    return dict(_counts)


def reset() -> None:
    """Start at zero, in a forked child: what was counted before was the parent's."""
    global _lock  # noqa: PLW0603 - one per process, and this is another process
    _lock = RLock()  # whoever held it does not exist here
    for name in _counts:
        _counts[name] = 0
