"""A table that learns and stops learning: what users put into keys must not grow our memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

K = TypeVar("K")
V = TypeVar("V")


class Learned(dict[K, V]):
    """`table[key]` makes a missing value with `make(key)`, and keeps it while there is room.

    A hit costs what a dict costs; a key beyond `room` is made anew each time.
    """

    __slots__ = ("_make", "_room")

    def __init__(self, make: Callable[[K], V], room: int) -> None:
        super().__init__()
        self._make = make
        self._room = room

    def __missing__(self, key: K) -> V:
        value = self._make(key)
        if len(self) < self._room:
            self[key] = value
        return value
