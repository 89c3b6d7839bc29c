"""Trace and span ids: random, never zero, another sequence in each process."""

from __future__ import annotations

from os import getpid
from random import Random


class _Numbers(Random):
    """Seeded by the system's entropy: ids are to be unique, not secret."""

    process = getpid()
    """Whose numbers they are."""


_random = _Numbers()
_bits = _random.getrandbits  # one call into C: threads cannot tear it


def trace_id() -> bytes:
    """128 random bits, not all zero."""
    if getpid() != _random.process:
        reseed()
    return (_bits(128) or 1).to_bytes(16, "big")


def span_id() -> bytes:
    """64 random bits, not all zero."""
    if getpid() != _random.process:
        reseed()
    return (_bits(64) or 1).to_bytes(8, "big")


def reseed() -> None:
    """In a forked child: parent and child must not draw the same numbers. Python is not told of all forks: uWSGI's."""
    _random.seed()
    _random.process = getpid()
