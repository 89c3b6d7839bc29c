"""Trace and span ids: random, never zero, another sequence in each process."""

from __future__ import annotations

from random import Random

_random = Random()  # noqa: S311 - ids are to be unique, not secret; seeded by the system's entropy
_bits = _random.getrandbits  # one call into C: threads cannot tear it


def trace_id() -> bytes:
    """128 random bits, not all zero."""
    return (_bits(128) or 1).to_bytes(16, "big")


def span_id() -> bytes:
    """64 random bits, not all zero."""
    return (_bits(64) or 1).to_bytes(8, "big")


def reseed() -> None:
    """In a forked child: parent and child must not draw the same numbers."""
    _random.seed()
